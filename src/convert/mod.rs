//! Conversion of a store of keys and certificates into another file: PKCS#12 or PEM.
//!
//! A store is read as a context reads it, and written entry by entry. An entry that cannot be read is an error: a part
//! of a store never passes for the whole.

mod destination;
mod notes;
mod options;

use std::collections::HashSet;
use std::path::Path;

use crate::certificate::{describe, printable};
use crate::config::Source;
use crate::error::{Code, Error, Result};
use crate::keystore::export::{self, Entries, Needed, Request, Seal, Strength};
use crate::keystore::{Limits, OpenOptions, Password, PasswordRequest, PasswordUse, Secret, StoreType};

pub use options::{CONVERT_OPTIONS, ConvertRow};

/// The iterations of what is written, as keytool of Java 17 and later has them.
const DEFAULT_ITERATIONS: u32 = 10_000;
/// The fewest that are written (RFC 8018 section 4.2).
const LEAST_ITERATIONS: u32 = 1_000;
/// The most that Java reads.
const MOST_ITERATIONS: u32 = 5_000_000;

/// A format that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Text with `-----BEGIN …-----` blocks.
    Pem,
    /// PKCS#12 (RFC 7292).
    Pkcs12,
}

impl Format {
    /// The format that the ending of a file's name stands for.
    fn of_name(path: &Path) -> Option<Self> {
        match path.extension()?.to_ascii_lowercase().to_str()? {
            "p12" | "pfx" | "pkcs12" => Some(Self::Pkcs12),
            "pem" | "crt" | "key" => Some(Self::Pem),
            _ => None,
        }
    }
}

/// The part of the entries that is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Part {
    /// All entries.
    #[default]
    All,
    /// The private keys with their chains.
    Identity,
    /// The private keys alone, in PEM.
    Key,
    /// The chains of the private keys without them, in PEM.
    Chain,
    /// The trusted certificates.
    Trust,
}

/// A conversion with its settings. The settings have the names of the options of `brokertls convert`.
#[derive(Clone, Debug, Default)]
pub struct Conversion {
    options: OpenOptions,
    /// The passwords of keys, each tried for each key before that of the store.
    key_passwords: Vec<Password>,
    key: Option<Source>,
    aliases: Vec<String>,
    name: Option<String>,
    format: Option<Format>,
    part: Part,
    password: Password,
    iterations: Option<u32>,
    is_legacy: bool,
    overwrites: bool,
}

/// The result of a conversion.
#[derive(Debug)]
#[non_exhaustive]
pub struct Converted {
    /// The new content. It can hold a private key that is not encrypted.
    pub content: Secret,
    /// A line for each entry in the content.
    pub entries: Vec<ConvertedEntry>,
    /// The entries that are not in the content, and other things to know.
    pub warnings: Vec<String>,
}

/// An entry that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConvertedEntry {
    /// Its name in the output; PEM has no names, and there it is the name in the input or a number.
    pub alias: Option<String>,
    /// True for a private key, false for a certificate.
    pub is_key: bool,
    /// True for a certificate that the output says is trusted.
    pub is_trusted: bool,
    /// The certificates that were written of it; of a key the length of its chain.
    pub certificates: usize,
    /// The name of its first certificate in words, if it has one.
    pub subject: Option<String>,
}

impl Conversion {
    /// Makes a conversion without settings.
    pub fn new() -> Self {
        Self::default()
    }

    /// Converts a source. Nothing is written.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` without a format; `OPTION_CONFLICT` for settings that contradict each other or the input, or
    /// that have no effect.
    /// `STORE_PASSWORD_MISSING` for PKCS#12 without a new password. The errors of a store that is read.
    /// `NO_PRIVATE_KEY`, `NO_CERTIFICATE` or `NO_TRUSTED_CERTIFICATE` if nothing is left to write.
    pub fn convert(&self, source: &Source) -> Result<Converted> {
        let format = self.format.ok_or_else(|| {
            let hint = "Set the option to to pem or pkcs12, or name the output .pem, .crt, .key, .p12 or .pfx.";
            Error::new(Code::InvalidArgument, "the format of the output is not known").with_hint(hint)
        })?;
        if self.overwrites {
            return Err(notes::no_effect("force", "no file is written"));
        }
        self.convert_to(source, format)
    }

    /// Converts a source into a new file that only its owner can read. The file is written whole or not at all.
    ///
    /// The ending of the file's name is its format if none is set. A file that is there before is replaced only with
    /// the option `force`, and a symbolic link never.
    ///
    /// # Errors
    /// As for [`convert`](Self::convert); `FILE_UNWRITABLE`.
    pub fn convert_to_file(&self, source: &Source, path: &Path) -> Result<Converted> {
        let mut conversion = Self { overwrites: false, ..self.clone() };
        conversion.format = self.format.or_else(|| Format::of_name(path));
        // Before any work is done, and again when the file is put in place.
        destination::check(path, self.overwrites)?;
        let mut converted = conversion.convert(source)?;
        converted.warnings.extend(destination::write(path, converted.content.reveal(), self.overwrites)?);
        Ok(converted)
    }

    fn convert_to(&self, source: &Source, format: Format) -> Result<Converted> {
        let password = self.new_password(&source.label())?;
        if format == Format::Pkcs12 {
            self.check_pkcs12(password.as_ref())?;
        }
        let mut entries = self.entries(source, format)?;
        self.restrict(&mut entries, format, &source.label())?;
        let settings = self.settings(format);
        settings.check_effects(&entries)?;
        if format == Format::Pkcs12 {
            entries.check_issuers()?;
        }
        export::name(&mut entries, self.name.as_deref())?;
        let seal = password.as_ref().map(|password| Seal {
            password: password.reveal(),
            strength: if self.is_legacy { Strength::Legacy } else { Strength::Current },
            iterations: self.iterations.unwrap_or(DEFAULT_ITERATIONS),
        });
        // What is written can be opened again with the default limits.
        let limits = Limits::default();
        let content = match (format, &seal) {
            (Format::Pkcs12, Some(seal)) => export::pkcs12(&entries, seal, limits),
            _ => export::pem(&entries, seal.as_ref(), limits),
        };
        let content = content.map_err(|error| match error.code() {
            Code::CostTooHigh => error.with_hint("Lower the option iterations, or write fewer keys with alias."),
            _ => error,
        })?;
        if content.len() > limits.max_content_bytes {
            let detail = format!("the output has {} bytes, {} are allowed", content.len(), limits.max_content_bytes);
            return Err(Error::new(Code::StoreTooLarge, detail).at(source.label()));
        }
        let mut warnings = std::mem::take(&mut entries.warnings);
        if format == Format::Pkcs12 {
            warnings.extend(entries.other_chains()?);
        }
        notes::cap(&mut warnings);
        warnings.extend(settings.warnings(&entries, password.as_ref()));
        Ok(Converted { content: Secret::from(content), entries: reported(&entries), warnings })
    }

    /// The new password, in the one form that every program reads alike.
    fn new_password(&self, label: &str) -> Result<Option<Secret>> {
        let request = PasswordRequest { label, alias: None, usage: PasswordUse::Store };
        let password = self.password.resolve(&request);
        let missing = password.is_none() && !matches!(self.password, Password::None);
        if missing {
            return Err(Error::new(Code::PasswordUnavailable, "for the output"));
        }
        let Some(password) = password else { return Ok(None) };
        if password.reveal().is_empty() && matches!(self.password, Password::Callback(_)) {
            let hint = "Give a password; pass: with nothing behind it is an empty one on purpose.";
            return Err(Error::new(Code::InvalidArgument, "the new password is empty").with_hint(hint));
        }
        match std::str::from_utf8(password.reveal()) {
            Ok(text) if !text.contains('\0') => Ok(Some(password)),
            _ => {
                let hint = "Write the password as UTF-8: programs read other bytes as different characters.";
                Err(Error::new(Code::InvalidArgument, "the new password is not UTF-8 text").with_hint(hint))
            }
        }
    }

    fn check_pkcs12(&self, password: Option<&Secret>) -> Result<()> {
        if password.is_none() {
            let hint = "Give a password for the output; pass: with nothing behind it is an empty one.";
            return Err(Error::new(Code::StorePasswordMissing, "for the output").with_hint(hint));
        }
        match self.part {
            Part::Key | Part::Chain => {
                Err(Error::new(Code::OptionConflict, "PKCS#12 holds keys with their chains, not one of the two")
                    .with_hint("Write the part identity, or PEM."))
            }
            Part::All | Part::Identity | Part::Trust => Ok(()),
        }
    }

    fn settings(&self, format: Format) -> notes::Settings<'_> {
        notes::Settings {
            is_pem: format == Format::Pem,
            has_name: self.name.is_some(),
            has_password: !matches!(self.password, Password::None),
            has_iterations: self.iterations.is_some(),
            is_legacy: self.is_legacy,
            password: &self.options.password,
            key_passwords: &self.key_passwords,
        }
    }

    /// The entries of the input.
    fn entries(&self, source: &Source, format: Format) -> Result<Entries> {
        // A key of DSA is carried. If it is served is a question for contexts.
        let options = OpenOptions { legacy_dsa: true, ..self.options.clone() };
        let request = Request {
            aliases: &self.aliases,
            passwords: &self.key_passwords,
            needed: match self.part {
                Part::All | Part::Identity | Part::Key => Needed::Keys,
                Part::Chain => Needed::Chains,
                Part::Trust => Needed::Trust,
            },
        };
        if self.part == Part::Trust {
            let unused = [("key", self.key.is_some()), ("key-password", !self.key_passwords.is_empty())];
            if let Some((name, _)) = unused.into_iter().find(|(_, is_set)| *is_set) {
                return Err(notes::no_effect(name, "the part trust has no keys"));
            }
        }
        let store = source.open(&options)?;
        match &self.key {
            None => {
                let mut entries = export::take(&store, &store, &request)?;
                entries.warnings.extend(self.settings(format).unused_passwords(&[&store]));
                Ok(entries)
            }
            Some(key) => {
                if !matches!(store.store_type(), StoreType::Pem | StoreType::Der) {
                    let detail = "a keystore has its keys in it, and the option key names another file";
                    return Err(Error::new(Code::OptionConflict, detail).at(source.label()));
                }
                let options = OpenOptions { store_type: None, ..options };
                let keys = key.open(&options)?;
                if keys.keys().next().is_none() {
                    return Err(Error::new(Code::NoPrivateKey, "the option key").at(key.label()));
                }
                let mut entries = export::take(&store, &keys, &request)?;
                entries.warnings.extend(self.settings(format).unused_passwords(&[&store, &keys]));
                Ok(entries)
            }
        }
    }

    /// Leaves the part that is asked for.
    fn restrict(&self, entries: &mut Entries, format: Format, label: &str) -> Result<()> {
        let has_trust = entries.certificates.iter().any(|entry| entry.trusted);
        if self.part == Part::All && format == Format::Pem && !entries.keys.is_empty() && has_trust {
            let hint = "Write two files: the part identity, and the part trust.";
            let detail = "PEM does not say which certificates are trusted, and there are keys beside them";
            return Err(Error::new(Code::OptionConflict, detail).with_hint(hint).at(label));
        }
        let lost = self.remove(entries, format);
        let lacks_chain = entries.keys.iter().any(|entry| entry.chain.is_empty());
        match self.part {
            Part::Key => entries.keys.iter_mut().for_each(|entry| entry.chain.clear()),
            Part::Chain if lacks_chain => {
                return Err(Error::new(Code::NoCertificate, "a key has no certificate").at(label));
            }
            _ => {}
        }
        let has_keys = !entries.keys.is_empty();
        if self.part == Part::Chain {
            let count = entries.keys.len();
            let warning = format!("the output has the chains of {count} keys; many programs read only the first");
            entries.warnings.extend((count > 1).then_some(warning));
            entries.only_chains();
        }
        let code = match self.part {
            Part::All if !has_keys && entries.certificates.is_empty() => Code::NoCertificate,
            Part::Identity | Part::Key | Part::Chain if !has_keys => Code::NoPrivateKey,
            Part::Trust if entries.certificates.is_empty() => Code::NoTrustedCertificate,
            _ => return self.tell_lost(entries, lost),
        };
        Err(Error::new(code, "there is nothing to write").at(label))
    }

    /// Takes the entries away that the part or the format does not have. Returns those that are nowhere in the output,
    /// each with its place.
    fn remove(&self, entries: &mut Entries, format: Format) -> Vec<(String, String)> {
        let mut lost = Vec::new();
        if self.part == Part::Trust {
            let keys = std::mem::take(&mut entries.keys).into_iter();
            lost.extend(keys.map(|entry| (entry.place, "a private key".to_owned())));
        }
        let has_all = format == Format::Pkcs12 || entries.keys.is_empty();
        let removed = entries.certificates.extract_if(.., |entry| match self.part {
            Part::All => !has_all,
            Part::Identity | Part::Key | Part::Chain => true,
            Part::Trust => !entry.trusted,
        });
        let removed: Vec<_> = removed.collect();
        let written: HashSet<_> = match self.part {
            Part::Key => HashSet::new(),
            _ => entries.keys.iter().flat_map(|entry| &entry.chain).collect(),
        };
        let removed = removed.into_iter().filter(|entry| !written.contains(&entry.der));
        lost.extend(removed.map(|entry| (entry.place, format!("a certificate of no key: {}", describe(&entry.der)))));
        lost
    }

    /// A warning for each entry that only the format leaves out; a part leaves out others by its name.
    ///
    /// # Errors
    /// `OPTION_CONFLICT` if it was asked for by its alias.
    fn tell_lost(&self, entries: &mut Entries, lost: Vec<(String, String)>) -> Result<()> {
        if let Some((place, what)) = lost.first().filter(|_| !self.aliases.is_empty()) {
            let hint = "Write it into a file of its own, with its alias alone.";
            let detail = format!("an entry that is asked for cannot be in this output: {what}");
            return Err(Error::new(Code::OptionConflict, detail).with_hint(hint).at(place));
        }
        if self.part == Part::All {
            let lost = lost.into_iter().map(|(place, what)| format!("{place}: not in the output: {what}"));
            entries.warnings.extend(lost);
        }
        Ok(())
    }
}

/// The entries as they were written.
fn reported(entries: &Entries) -> Vec<ConvertedEntry> {
    let keys = entries.keys.iter().map(|entry| ConvertedEntry {
        alias: entry.alias.clone(),
        is_key: true,
        is_trusted: false,
        certificates: entry.chain.len(),
        subject: entry.chain.first().map(|certificate| describe(certificate)),
    });
    let certificates = entries.certificates.iter().map(|entry| ConvertedEntry {
        alias: entry.alias.clone(),
        is_key: false,
        is_trusted: entry.trusted,
        certificates: 1,
        subject: Some(describe(&entry.der)),
    });
    keys.chain(certificates).collect()
}

impl ConvertedEntry {
    /// Returns `key`, `trusted` or `certificate`.
    pub fn kind(&self) -> &'static str {
        match (self.is_key, self.is_trusted) {
            (true, _) => "key",
            (false, true) => "trusted",
            (false, false) => "certificate",
        }
    }

    /// The entry in one line, without characters that control a terminal.
    pub fn line(&self) -> String {
        let kind = match (self.is_key, self.is_trusted) {
            (true, _) => "private key",
            (false, true) => "trusted certificate",
            (false, false) => "certificate",
        };
        let name = self.alias.as_deref().map(|alias| format!("\"{}\" ", printable(alias))).unwrap_or_default();
        let subject = self.subject.as_deref().map(|subject| format!(": {subject}")).unwrap_or_default();
        let chain = match (self.is_key, self.certificates) {
            (true, 1) => ", 1 certificate".to_owned(),
            (true, 0) => String::new(),
            (true, count) => format!(", {count} certificates"),
            _ => String::new(),
        };
        format!("{name}{kind}{chain}{subject}")
    }
}
