//! Every store that is kept in the tree, converted and compared entry by entry.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use brokertls::convert::Converted;
use brokertls::error::{Code, Error};
use brokertls::keystore::{EntryKind, OpenOptions, Store};
use brokertls::{ContextBuilder, IdentitySource, Source};

use super::super::{opened, password};
use super::{Told, conversion, digest, read, told};

/// The passwords that the stores have.
const PASSWORDS: &[&str] = &["secret", "", "changeit", "password"];

/// Files that are refused, and why.
const REFUSED: &[(&str, Code)] = &[
    // One certificate of the bundle cannot be read. A context takes the others; a conversion is whole.
    ("cases/11-one-odd-certificate-in-a-bundle/trust.pem", Code::CertificateMalformed),
];

/// Stores with so many iterations that they are opened once: their names, with the numbers of their keys and of their
/// certificates.
const DEAR: &[(&str, usize, usize)] =
    &[("cases/stores/certtool-pem-armoured.p12", 1, 2), ("cases/stores/gnutls-seven-cas.p12", 0, 7)];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        match entry.is_dir() {
            true => files(&entry, found),
            false => found.push(entry),
        }
    }
}

#[test]
fn every_kept_store_keeps_its_entries_as_pkcs12_or_is_refused_with_its_fault() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut all = Vec::new();
    files(&root, &mut all);
    all.sort();
    let (mut compared, mut refused) = (BTreeSet::new(), 0);
    for path in all {
        let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        if let Some((_, keys, certificates)) = DEAR.iter().find(|(dear, ..)| *dear == name) {
            let done = convert(&path, "secret").unwrap();
            let after = parts(&opened("out", done.content.reveal(), &password("new")));
            assert_eq!((after.0.len(), after.2.len()), (*keys, *certificates), "{name}");
            continue;
        }
        let content = fs::read(&path).unwrap();

        let found = PASSWORDS.iter().find_map(|secret| Some((secret, read(&content, &password(secret)).ok()?)));
        let Some((secret, store)) = found else { continue };
        if let Some((_, code)) = REFUSED.iter().find(|(refused, _)| *refused == name) {
            let error = convert(&path, secret).unwrap_err();
            assert_eq!(error.code(), *code, "{name}: {error:?}");
            refused += 1;
            continue;
        }
        let has_any = store.entries().iter().any(|entry| !entry.chain.is_empty() || entry.key.is_some());
        // Many files have the same content beside responses and lists.
        if has_any && compared.insert(parts(&store)) {
            let done = convert(&path, secret).unwrap_or_else(|error| panic!("{name}: {error:?}"));
            let after = opened("out", done.content.reveal(), &password("new"));
            assert_eq!(parts(&after), parts(&store), "{name}");
            assert_same_in_pem(&path, secret, &after);
            assert_starts(&store, done.content.reveal(), &name);
        }
    }
    assert_eq!(refused, REFUSED.len());
    assert!(compared.len() > 50, "{}", compared.len());
}

/// Asserts that PEM has the keys with their chains, or the certificates of a store without keys.
fn assert_same_in_pem(path: &Path, secret: &str, pkcs12: &Store) {
    let expected = told(pkcs12);
    let has_keys = expected.iter().any(|entry| entry.kind == "key");
    let from = format!("pass:{secret}");
    let settings = [("to", "pem"), ("part", if has_keys { "identity" } else { "all" }), ("password", &from)];
    let done = conversion(&settings).convert(&Source::file(path));
    let done = done.unwrap_or_else(|error| panic!("{}: {error:?}", path.display()));
    let found = told(&opened("out", done.content.reveal(), &OpenOptions::default()));
    let keys = |told: &[Told]| told.iter().filter_map(|entry| entry.key.clone()).collect::<BTreeSet<_>>();
    assert_eq!(keys(&found), keys(&expected), "{}", path.display());
    let certificates = |told: &[Told]| told.iter().flat_map(|one| one.certificates.clone()).collect::<BTreeSet<_>>();
    let written: Vec<Told> = expected.into_iter().filter(|entry| !has_keys || entry.kind == "key").collect();
    let (found, written) = (certificates(&found), certificates(&written));
    // Chains in PKCS#12 can be longer than those that were written.
    let is_same = if has_keys { found.is_subset(&written) } else { found == written };
    assert!(is_same && found.is_empty() == written.is_empty(), "{}: {found:?}, {written:?}", path.display());
}

/// Asserts that a context starts with the output if it starts with the input.
fn assert_starts(store: &Store, output: &[u8], name: &str) {
    if store.identities().is_err() {
        return;
    }
    let mut source = IdentitySource::new(Source::memory("out.p12", output));
    source.options = password("new");
    let mut builder = ContextBuilder::new();
    let built = builder.identity(source).build();
    built.unwrap_or_else(|error| panic!("{name}: {error:?}"));
}

fn convert(path: &Path, secret: &str) -> Result<Converted, Error> {
    let from = format!("pass:{secret}");
    let settings = [("to", "pkcs12"), ("out-password", "pass:new"), ("iterations", "1000"), ("password", &from)];
    conversion(&settings).convert(&Source::file(path))
}

type Parts = (BTreeSet<(Option<String>, String)>, BTreeSet<String>, BTreeSet<String>);

/// The keys with their names, the trusted certificates, and all certificates.
fn parts(store: &Store) -> Parts {
    let told = told(store);
    let keys = told.iter().filter_map(|entry| Some((entry.alias.clone(), entry.key.clone()?)));
    let certificates = told.iter().flat_map(|entry| entry.certificates.iter().cloned());
    // Beside keys, a text file does not say which certificates are trusted.
    let has_keys = store.entries().iter().any(|entry| entry.kind == EntryKind::Key);
    let trusted = store.trusted().ok().filter(|_| !has_keys).into_iter().flatten().map(|one| digest(&one.der));
    (keys.collect(), trusted.collect(), certificates.collect())
}
