//! The texts of options turned into values.

use std::path::PathBuf;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::config::Source;
use crate::error::{Code, Error, Result};
use crate::keystore::{Password, Secret, StoreType};
use crate::policy::names::{items, quoted};
use crate::verify::Deviation;

/// A yes or no: `yes`, `true`, `on`, `1`, or `no`, `false`, `off`, `0`, in any case.
///
/// # Errors
/// `INVALID_ARGUMENT` for anything else.
pub fn switch(text: &str) -> Result<bool> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" | "on" | "1" => Ok(true),
        "no" | "false" | "off" | "0" => Ok(false),
        _ => Err(refuse(text, "yes or no")),
    }
}

pub(super) fn number<T: std::str::FromStr>(text: &str) -> Result<T> {
    text.parse().map_err(|_| refuse(text, "a whole number in range"))
}

pub(super) fn path(text: &str) -> Result<PathBuf> {
    match text {
        "" => Err(refuse(text, "a path")),
        path => Ok(PathBuf::from(path)),
    }
}

/// A type of store by its name.
///
/// # Errors
/// `INVALID_ARGUMENT`.
pub fn store_type(text: &str) -> Result<StoreType> {
    match text.to_ascii_lowercase().as_str() {
        "pem" => Ok(StoreType::Pem),
        "der" => Ok(StoreType::Der),
        "pkcs12" | "p12" | "pfx" => Ok(StoreType::Pkcs12),
        "jks" => Ok(StoreType::Jks),
        "jceks" => Ok(StoreType::Jceks),
        _ => Err(refuse(text, "pem, der, pkcs12, jks or jceks")),
    }
}

/// Names of deviations, with commas or spaces between.
pub(super) fn deviations(text: &str) -> Result<Vec<Deviation>> {
    let named = items(text).map(|name| {
        Deviation::from_name(name).ok_or_else(|| {
            let all: Vec<&str> = Deviation::ALL.iter().map(|deviation| deviation.name()).collect();
            refuse(name, &format!("one of {}", all.join(", ")))
        })
    });
    named.collect()
}

pub(super) fn refuse(text: &str, wanted: &str) -> Error {
    Error::new(Code::InvalidArgument, format!("{} is not {wanted}", quoted(text)))
}

/// A password in OpenSSL's forms: `pass:TEXT`, `env:VARIABLE`, `file:PATH` (its first line).
///
/// Variable and file are read now, to refuse what is not there, and again whenever the password is needed, so that a
/// reload takes a new one.
///
/// # Errors
/// `INVALID_ARGUMENT` for another form; `PASSWORD_UNAVAILABLE` for a variable that is not set; `FILE_UNREADABLE`,
/// `STORE_TOO_LARGE`. The text is never part of the message.
pub fn password(text: &str) -> Result<Password> {
    match text.split_once(':') {
        Some(("pass", secret)) => Ok(Password::Bytes(Secret::new(secret))),
        Some(("env", variable)) => later(variable, from_variable),
        Some(("file", path)) => later(path, from_file),
        _ => Err(Error::new(Code::InvalidArgument, "a password is given as pass:TEXT, env:VARIABLE or file:PATH")),
    }
}

fn later(name: &str, read: fn(&str) -> Result<Secret>) -> Result<Password> {
    read(name)?;
    let name = name.to_owned();
    Ok(Password::Callback(Arc::new(move |_| read(&name).ok())))
}

fn from_variable(variable: &str) -> Result<Secret> {
    use std::os::unix::ffi::OsStringExt;
    // Neither of these can be the name of a variable.
    let value = match variable.is_empty() || variable.contains(['=', '\0']) {
        true => None,
        false => std::env::var_os(variable),
    };
    let missing = || Error::new(Code::PasswordUnavailable, format!("the environment has no {}", quoted(variable)));
    value.map(|value| Secret::new(value.into_vec())).ok_or_else(missing)
}

fn from_file(path: &str) -> Result<Secret> {
    const MAX_PASSWORD_FILE_BYTES: usize = 64 * 1024;
    let hint = "Give a file with the password alone.";
    let content: Zeroizing<Vec<u8>> = Source::file(path).read_at_most(MAX_PASSWORD_FILE_BYTES, hint)?;
    let line = content.split(|byte| *byte == b'\n').next().unwrap_or_default();
    Ok(Secret::new(line.strip_suffix(b"\r").unwrap_or(line)))
}
