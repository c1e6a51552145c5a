//! Conversion of stores. What is written is read again by our own reader, by another one, and by OpenSSL.

mod effects;
mod entries;
mod files;
mod fixtures;
mod issuers;
mod locked;
mod lost;
mod names;
mod passwords;
mod pem;
mod reports;
mod serves;
mod unserved;

use brokertls::Source;
use brokertls::convert::{Conversion, Converted};
use brokertls::error::{Code, Error};
use brokertls::keystore::{EntryKind, OpenOptions, Store, open, pkcs8};

use super::tools::{made_from, pki};
use super::{opened, password};

/// A conversion with these settings.
fn conversion(settings: &[(&str, &str)]) -> Conversion {
    let mut conversion = Conversion::new();
    for (name, value) in settings {
        conversion.set(name, value).unwrap_or_else(|error| panic!("{error:?}"));
    }
    conversion
}

fn converted(input: &[u8], settings: &[(&str, &str)]) -> Converted {
    let converted = conversion(settings).convert(&Source::memory("in", input));
    converted.unwrap_or_else(|error| panic!("{error:?}"))
}

fn refused(input: &[u8], settings: &[(&str, &str)]) -> Error {
    conversion(settings).convert(&Source::memory("in", input)).expect_err("converted")
}

/// A PKCS#12 store with the password `new` that was made with these settings, opened.
fn as_pkcs12(input: &[u8], settings: &[(&str, &str)]) -> Store {
    let settings = [settings, &[("to", "pkcs12"), ("out-password", "pass:new")]].concat();
    opened("out", converted(input, &settings).content.reveal(), &password("new"))
}

/// An entry for comparison: kind, name as Java compares it, private key, certificates.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Told {
    kind: &'static str,
    alias: Option<String>,
    key: Option<String>,
    certificates: Vec<String>,
}

/// The digest of a key or certificate.
fn digest(der: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, der);
    digest.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// The entries of a store that a conversion carries, in an order of their own.
fn told(store: &Store) -> Vec<Told> {
    let mut unnamed = 0;
    let mut all: Vec<Told> = Vec::new();
    for entry in store.entries() {
        let kind = match entry.kind {
            EntryKind::Key => "key",
            EntryKind::Trusted => "trusted",
            EntryKind::Certificate => "certificate",
            _ => continue,
        };
        let key = (entry.kind == EntryKind::Key).then(|| store.private_key(entry, None).unwrap());
        let alias = entry.alias.as_deref().map(str::to_lowercase);
        let alias = alias.or_else(|| {
            unnamed += usize::from(kind != "certificate");
            (kind != "certificate").then(|| unnamed.to_string())
        });
        all.push(Told {
            kind,
            alias,
            key: key.map(|key| digest(&pkcs8(&key).unwrap())),
            certificates: entry.chain.iter().map(|der| digest(der)).collect(),
        });
    }
    all.sort();
    all
}

#[track_caller]
fn assert_code(error: &Error, code: Code, detail: &str) {
    assert_eq!(error.code(), code, "{error:?}");
    assert!(error.detail().contains(detail), "{error:?} does not name {detail}");
}

/// The leaf `rsa` with its chain and key, as PEM.
fn identity() -> Vec<u8> {
    [pki("rsa.key"), pki("rsa-chain.crt")].concat()
}

/// The output of a script that has the content in the file `in`.
fn by_openssl(content: &[u8], script: &str) -> String {
    String::from_utf8(made_from(content, &format!("{{ {script}; }} > out"))).unwrap()
}

/// Opens a store without a comparison.
fn read(content: &[u8], options: &OpenOptions) -> Result<Store, Error> {
    open("out", content, options)
}
