//! The settings of a conversion by name, as the command, C and Java give them.

use super::{Conversion, Format, LEAST_ITERATIONS, MOST_ITERATIONS, Part};
use crate::config::Source;
use crate::config::options::{OptionKind, password, store_type, switch};
use crate::error::{Code, Error, Result};
use crate::keystore::Password;
use crate::policy::names::{did_you_mean, nearest, quoted};

/// A setting of a conversion.
#[derive(Debug)]
#[non_exhaustive]
pub struct ConvertRow {
    /// The name, in lower case with hyphens.
    pub name: &'static str,
    /// The kind of text.
    pub kind: OptionKind,
    /// The placeholder of the text in help, e.g. `FILE`.
    pub placeholder: &'static str,
    /// One line: what the setting does, and its default.
    pub help: &'static str,
    /// True if it may be given several times.
    pub repeats: bool,
    set: fn(&mut Conversion, &str) -> Result<()>,
}

type Set = fn(&mut Conversion, &str) -> Result<()>;

const fn row(
    name: &'static str,
    kind: OptionKind,
    placeholder: &'static str,
    help: &'static str,
    set: Set,
) -> ConvertRow {
    ConvertRow { name, kind, placeholder, help, repeats: false, set }
}

use OptionKind::{Choice, Number, Password as Secret, Path, Switch, Text};

/// Every setting, in the order of the help.
#[rustfmt::skip]
pub static CONVERT_OPTIONS: &[ConvertRow] = &[
    row("to", Choice, "FORMAT", "pem or pkcs12 [default: by the ending of OUT]", |it, text| {
        it.format = Some(format(text)?);
        Ok(())
    }),
    ConvertRow {
        repeats: true,
        ..row("alias", Text, "NAME", "entry to write; may be given several times [default: every entry]", |it, text| {
            it.aliases.push(text.to_owned());
            Ok(())
        })
    },
    row("part", Choice, "PART",
        "identity (keys with chains), key, chain or trust (trusted certificates) [default: all entries]",
        |it, text| {
            it.part = part(text)?;
            Ok(())
        }),
    row("name", Text, "NAME", "new name of the only entry or the only key", |it, text| {
        it.name = Some(text.to_owned());
        Ok(())
    }),
    row("out-password", Secret, "PASSWORD",
        "password of the output; PEM keys are not encrypted without it", |it, text| {
            it.password = password(text)?;
            Ok(())
        }),
    row("iterations", Number, "COUNT", "iterations to derive a key, 1000 to 5000000 [default: 10000]", |it, text| {
        it.iterations = Some(iterations(text)?);
        Ok(())
    }),
    row("legacy-encryption", Switch, "YES|NO",
        "triple DES and SHA-1, for Java before 8u301 and Windows before 1709 [default: no]", |it, text| {
            it.is_legacy = switch(text)?;
            Ok(())
        }),
    row("force", Switch, "YES|NO", "replace OUT if it is there [default: no]", |it, text| {
        it.overwrites = switch(text)?;
        Ok(())
    }),
    row("type", Choice, "TYPE", "type of IN: pem, der, pkcs12, jks or jceks [default: found from the content]",
        |it, text| {
            it.options.store_type = Some(store_type(text)?);
            Ok(())
        }),
    row("password", Secret, "PASSWORD", "password of IN", |it, text| {
        it.options.password = password(text)?;
        Ok(())
    }),
    ConvertRow {
        repeats: true,
        ..row("key-password", Secret, "PASSWORD",
            "password of keys in IN; may be given several times, each is tried [default: that of IN]",
            |it, text| {
                it.key_passwords.push(password(text)?);
                Ok(())
            })
    },
    row("key", Path, "FILE", "private key of the certificates in IN, if IN has none", |it, text| {
        it.key = Some(Source::file(text));
        Ok(())
    }),
    row("insecure-allow-missing-mac", Switch, "YES|NO",
        "read PKCS#12 without a MAC, which anyone could have altered [default: no]", |it, text| {
            it.options.insecure_allow_missing_mac = switch(text)?;
            Ok(())
        }),
    row("max-content-bytes", Number, "BYTES", "largest input, in bytes [default: 16777216]", |it, text| {
        it.options.limits.max_content_bytes = number(text)?;
        Ok(())
    }),
    row("max-kdf-iterations", Number, "COUNT", "work that IN may ask for, in iterations [default: 20000000]",
        |it, text| {
            it.options.limits.max_kdf_iterations = number(text)?;
            Ok(())
        }),
    row("max-kdf-memory-bytes", Number, "BYTES", "memory that IN may ask for, in bytes [default: 167772160]",
        |it, text| {
            it.options.limits.max_kdf_memory_bytes = number(text)?;
            Ok(())
        }),
];

impl Conversion {
    /// Sets one setting from its text. The switches and numbers of the last call hold. Aliases and passwords of keys
    /// add up.
    ///
    /// # Errors
    /// `UNKNOWN_OPTION`, with the nearest name; `INVALID_ARGUMENT`; those of [`password`]. The text of a password is
    /// never part of the message.
    pub fn set(&mut self, name: &str, text: &str) -> Result<&mut Self> {
        let Some(row) = CONVERT_OPTIONS.iter().find(|row| row.name == name) else {
            let names = CONVERT_OPTIONS.iter().map(|row| row.name);
            let nearest = nearest(name, names);
            let error = Error::new(Code::UnknownOption, did_you_mean(name, &nearest));
            return Err(error);
        };
        (row.set)(self, text).map_err(|error| error.at(name))?;
        Ok(self)
    }

    /// Sets the password of the input.
    pub fn password(&mut self, password: Password) -> &mut Self {
        self.options.password = password;
        self
    }

    /// Adds a password of keys in the input. For each key, the passwords are tried in their order, and then that of the
    /// input.
    pub fn key_password(&mut self, password: Password) -> &mut Self {
        self.key_passwords.push(password);
        self
    }

    /// Sets the password of the output.
    pub fn out_password(&mut self, password: Password) -> &mut Self {
        self.password = password;
        self
    }

    /// Sets where the private key is, if it is not beside its certificates.
    pub fn key(&mut self, source: Source) -> &mut Self {
        self.key = Some(source);
        self
    }
}

fn format(text: &str) -> Result<Format> {
    match text.to_ascii_lowercase().as_str() {
        "pem" => Ok(Format::Pem),
        "pkcs12" | "p12" | "pfx" => Ok(Format::Pkcs12),
        "jks" | "jceks" => {
            let hint = "Write pkcs12, which Java has read since version 8 under either name.";
            Err(refuse(text, "pem or pkcs12").with_hint(hint))
        }
        _ => Err(refuse(text, "pem or pkcs12")),
    }
}

fn part(text: &str) -> Result<Part> {
    match text.to_ascii_lowercase().as_str() {
        "all" => Ok(Part::All),
        "identity" => Ok(Part::Identity),
        "key" => Ok(Part::Key),
        "chain" => Ok(Part::Chain),
        "trust" => Ok(Part::Trust),
        _ => Err(refuse(text, "all, identity, key, chain or trust")),
    }
}

fn iterations(text: &str) -> Result<u32> {
    let allowed = LEAST_ITERATIONS..=MOST_ITERATIONS;
    let given = text.parse().ok().filter(|count| allowed.contains(count));
    given.ok_or_else(|| refuse(text, &format!("a number from {LEAST_ITERATIONS} to {MOST_ITERATIONS}")))
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T> {
    text.parse().map_err(|_| refuse(text, "a whole number in range"))
}

fn refuse(text: &str, wanted: &str) -> Error {
    Error::new(Code::InvalidArgument, format!("{} is not {wanted}", quoted(text)))
}
