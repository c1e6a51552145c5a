//! Messages and facts are in this library's own words: no text of a dependency, neither its Debug nor its Display form.
//! `language.rs` checks the words themselves.
//!
//! The source is searched for what would put such a text into a message, and what the command says of every fixture for
//! forms that dependencies are known by.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod language;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Forms that texts of dependencies have, by which a user would know them.
const FORMS: &[&str] = &[
    "X509Error",
    "Parsing Error",
    "Parsing requires",
    "OtherName(",
    "RegisteredID(",
    "OID(",
    "Oid(",
    "InvalidSerial",
    "InvalidDate",
    "InvalidX509Name",
    "BerError",
    "nom::",
    "BadDer",
    "TrailingData",
    "ExtensionValueInvalid",
    "MalformedExtensions",
    "UnsupportedCriticalExtension",
    "MalformedDnsIdentifier",
    "CertificateError",
    "PeerMisbehaved",
    "PeerIncompatible",
    "InvalidMessage",
    "ServerNameMustContainOneHostName",
    "IllegalServerName",
    "UnexpectedMessage",
    "HandshakePayloadTooLarge",
    "Os {",
    "Custom {",
    "Some(",
    "Err(",
    "Ok(",
    "KeyRejected",
    "ErrorKind",
    "invalid X.509",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files_below(folder: PathBuf) -> Vec<PathBuf> {
    let (mut folders, mut found) = (vec![folder], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            // What builds and installations leave in a tree is no part of it.
            let is_made = ["target", "node_modules"].iter().any(|name| path.ends_with(name));
            match path.is_dir() {
                true if is_made => {}
                true => folders.push(path),
                false => found.push(path),
            }
        }
    }
    found.sort();
    found
}

/// A line of the source that writes a value of another crate, or one that looks so; and the reason why it may.
struct Exception {
    file: &'static str,
    line: &'static str,
    reason: &'static str,
}

const fn may(file: &'static str, line: &'static str, reason: &'static str) -> Exception {
    Exception { file, line, reason }
}

const OWN_TEXT: &str = "a text of the user in quotes";
const OWN_ERROR: &str = "an error of this library";
const SYSTEM: &str = "what the operating system says";

const EXCEPTIONS: &[Exception] = &[
    may("bindings/jni/src/failure.rs", "clean(&error.to_string())", OWN_ERROR),
    may("bindings/jni/src/guard.rs", "illegal_state(env, &error.to_string())", OWN_ERROR),
    may("src/bin/brokertls/connect.rs", "{address:?} is not HOST:PORT", OWN_TEXT),
    may("src/bin/brokertls/dates.rs", "{text:?}", OWN_TEXT),
    may("src/bin/brokertls/serve.rs", "--bind {host:?}", OWN_TEXT),
    may("src/bin/brokertls/verify.rs", "--name {name:?}", OWN_TEXT),
    may("src/bin/brokertls/verify.rs", "|error| error.to_string(), |facts|", OWN_ERROR),
    may("src/bin/brokertls/transport.rs", "Error::new(code, error.to_string())", SYSTEM),
    may("src/context", "{host:?}", OWN_TEXT),
    may("src/context/key_log.rs", "FileUnwritable, error.to_string()", SYSTEM),
    may("src/bin/brokertls/password.rs", "unreadable(name, &error.to_string())", SYSTEM),
    may("src/convert/destination.rs", "unwritable(path, &error.to_string())", SYSTEM),
    may("src/fetch/cache.rs", "FileUnwritable, error.to_string()", SYSTEM),
    may("src/fetch/exchange.rs", "ureq::Error::Io(error) => unreachable(shown(&error.to_string()))", SYSTEM),
    may("src/ffi/builder.rs", "UnknownOption, format!(\"{name:?}\")", OWN_TEXT),
    may("src/policy/names.rs", "{shown:?}", OWN_TEXT),
    may("src/config/revocation.rs", "{url:?} is not an http:// URL", OWN_TEXT),
    may("src/config/source.rs", "error.to_string()", SYSTEM),
    may("src/stream/mod.rs", "Error::new(code, error.to_string())", SYSTEM),
];

/// The lines of a file that are compiled into the library or the command.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    code.lines().map(str::trim).filter(|line| !line.starts_with("//"))
}

fn writes_a_foreign_value(line: &str) -> bool {
    let marks = [":?}", "error.to_string()", "({error})", "({other})", "({why})", "({source})", "{error} in "];
    let is_debug_of_a_type = line.starts_with("write!(f, ");
    !is_debug_of_a_type && marks.iter().any(|mark| line.contains(mark))
}

#[test]
fn no_message_is_made_of_a_text_of_a_dependency() {
    let mut used = BTreeSet::new();
    let mut complaints = Vec::new();
    let files = ["src", "bindings/jni/src"].into_iter().flat_map(|folder| files_below(root().join(folder)));
    for path in files.filter(|path| path.extension().is_some_and(|kind| kind == "rs")) {
        let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        for line in lines(&text).filter(|line| writes_a_foreign_value(line)) {
            let fits = |one: &Exception| name.starts_with(one.file) && line.contains(one.line);
            match EXCEPTIONS.iter().position(fits) {
                Some(index) => used.extend([index]),
                None => complaints.push(format!("{name}: {line}")),
            }
        }
    }
    let unused = (0..EXCEPTIONS.len()).filter(|index| !used.contains(index)).map(|index| &EXCEPTIONS[index]);
    complaints.extend(unused.map(|one| format!("no line of {} needs \"{}\" ({})", one.file, one.line, one.reason)));
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

fn assert_own_words(path: &Path, said: &[u8]) {
    let said = String::from_utf8_lossy(said);
    let foreign: Vec<_> = FORMS.iter().filter(|form| said.contains(**form)).collect();
    assert!(foreign.is_empty(), "{}: {foreign:?} in\n{said}", path.display());
}

#[test]
fn command_speaks_of_every_fixture_in_its_own_words() {
    let files = files_below(root().join("tests/fixtures/cases"));
    assert!(files.len() > 50);
    for path in files {
        for arguments in [&["inspect"][..], &["inspect", "--json"]] {
            let mut command = Command::new(env!("CARGO_BIN_EXE_brokertls"));
            let ran = command.args(arguments).arg(&path).args(["--password", "pass:password"]).output().unwrap();
            assert_own_words(&path, &[ran.stdout, ran.stderr].concat());
        }
    }
}

#[test]
fn every_altered_byte_of_a_certificate_is_told_in_own_words() {
    use brokertls::certificate::CertificateFacts;
    use rustls::pki_types::CertificateDer;
    let path = root().join("tests/fixtures/cases/25-user-principal-name/a8-upn.der");
    let original = fs::read(&path).unwrap();
    for index in 0..original.len() {
        for change in [0x01, 0x20, 0x80, 0xff] {
            let mut altered = original.clone();
            altered[index] ^= change;
            let said = match CertificateFacts::from_der(&CertificateDer::from(altered)) {
                Ok(facts) => {
                    let names = facts.subject_alternative_names.iter().map(ToString::to_string);
                    format!("{facts} {} {}", facts.key, names.collect::<Vec<_>>().join(" "))
                }
                Err(error) => format!("{error} {}", error.hint()),
            };
            assert_own_words(&path, said.as_bytes());
        }
    }
}
