//! Every file of the outside data that has keys or certificates, converted to PKCS#12 and compared entry by entry.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use brokertls::Source;
use brokertls::convert::Conversion;
use brokertls::error::Code;
use brokertls::keystore::{EntryKind, OpenOptions, Password, Secret, Store, open, pkcs8};

use crate::outside;

/// The passwords that the stores have; the last one is for what has none of them.
const PASSWORDS: [&str; 4] = ["secret", "changeit", "password", ""];

/// Files with a key that is not decrypted: of another password or an encryption that is not served.
const UNREAD: [&str; 1] = ["client-encrypted.key"];

fn options(password: &str) -> OpenOptions {
    OpenOptions { password: Password::Bytes(Secret::new(password)), ..OpenOptions::default() }
}

/// The private keys with their names, and all certificates.
type Parts = (BTreeSet<(Option<String>, Vec<u8>)>, BTreeSet<Vec<u8>>);

fn parts(store: &Store) -> Option<Parts> {
    let mut unnamed = 0;
    let (mut keys, mut certificates) = (BTreeSet::new(), BTreeSet::new());
    for entry in store.entries() {
        certificates.extend(entry.chain.iter().map(|der| der.to_vec()));
        if entry.kind == EntryKind::Key {
            let alias = entry.alias.as_deref().map(str::to_lowercase).unwrap_or_else(|| {
                unnamed += 1;
                unnamed.to_string()
            });
            let key = store.private_key(entry, None).ok()?;
            keys.insert((Some(alias), pkcs8(&key).ok()?.to_vec()));
        }
    }
    Some((keys, certificates))
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for path in folder.read_dir().unwrap().map(|entry| entry.unwrap().path()) {
        match path.is_dir() {
            true => files(&path, found),
            false => found.push(path),
        }
    }
}

#[test]
fn every_store_of_the_data_keeps_its_keys_names_and_certificates_as_pkcs12() {
    let root = outside::path("mosquitto-ssl").parent().unwrap().to_owned();
    let mut all = Vec::new();
    files(&root, &mut all);
    let (mut compared, mut refused, mut unread) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for path in all {
        let content = fs::read(&path).unwrap();
        let opened = |password: &str| open("in", &content, &options(password)).ok();
        let Some((password, store)) = PASSWORDS.iter().find_map(|secret| Some((*secret, opened(secret)?))) else {
            continue;
        };
        let Some(before) = parts(&store) else {
            unread.insert(path.file_name().unwrap().to_str().unwrap().to_owned());
            continue;
        };
        if before.0.is_empty() && before.1.is_empty() {
            continue;
        }
        if !compared.insert(before.clone()) {
            continue;
        }
        let mut conversion = Conversion::new();
        for (name, value) in [("to", "pkcs12"), ("out-password", "pass:new"), ("iterations", "1000")] {
            conversion.set(name, value).unwrap();
        }
        conversion.password(options(password).password);
        match conversion.convert(&Source::file(&path)) {
            Ok(done) => {
                let after = open("out", done.content.reveal(), &options("new")).unwrap();
                assert_eq!(parts(&after).unwrap(), before, "{}", path.display());
            }
            // A certificate that cannot be read makes a part of the store, and a conversion is whole.
            Err(error) => {
                assert_eq!(error.code(), Code::CertificateMalformed, "{}: {error:?}", path.display());
                refused.insert(path);
            }
        }
    }
    assert_eq!(unread.into_iter().collect::<Vec<_>>(), UNREAD);
    assert!(compared.len() > 20 && refused.len() < 5, "{} compared, refused: {refused:?}", compared.len());
}
