//! The inputs that are mutated: lists, certificates and kept responses, as DER and as BER of other forms. Lists and
//! certificates have every field and extension there is; some are written here, others kept in `tests/fixtures`.

use std::fs;
use std::path::{Path, PathBuf};

use rustls::pki_types::CertificateRevocationListDer;
use rustls::pki_types::pem::{PemObject, SectionKind, from_buf};

use crate::ber::{element, inside};
use crate::revocation::{Case, cases_in};

/// 2026-01-01, which the kept responses are made for.
pub(crate) const THEN: i64 = 1_767_225_600;

/// The mutations of each list, certificate and response.
pub(crate) const ROUNDS: [usize; 3] = [150, 60, 600];

/// The least number of lists, of lists that can be read, and of mutated ones that can be read.
pub(crate) const LISTS: [usize; 3] = [100, 60, 1_000];
/// The same of certificates.
pub(crate) const CERTIFICATES: [usize; 3] = [100, 80, 1_000];
/// The number of responses, and of mutated ones that can be read.
pub(crate) const RESPONSES: [usize; 2] = [30, 1_500];

const ECDSA_SHA256: &[u8] = &[0x30, 0x0a, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// The contents of every file of the fixtures that is not a response in DER, in the order of their names.
fn files() -> Vec<Vec<u8>> {
    let (mut folders, mut files) = (vec![fixtures()], Vec::new());
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.retain(|path| path.extension().is_none_or(|extension| extension != "ocsp"));
    files.sort();
    files.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// An extension, by the last arcs of its identifier below `id-ce`.
fn extension(arc: u8, is_critical: bool, value: &[u8]) -> Vec<u8> {
    let critical: &[u8] = if is_critical { &[1, 1, 0xff] } else { &[] };
    element(0x30, &[&element(6, &[0x55, 0x1d, arc]), critical, &element(4, value)].concat())
}

/// Extensions of lists and of their entries, valid and of forms that writers get wrong.
fn extensions() -> Vec<Vec<u8>> {
    let uri = element(0x86, b"http://crl.example/1");
    let point = element(0xa0, &element(0xa0, &uri));
    let name = element(0xa4, &element(0x30, &[]));
    vec![
        extension(20, false, &[2, 1, 9]),
        // A number of 20 bytes, and bare bytes instead of one.
        extension(20, false, &element(2, &[0x7f; 20])),
        extension(20, false, &[9]),
        extension(21, false, &[0x0a, 1, 1]),
        extension(21, false, &[1]),
        extension(24, false, &element(0x18, b"20251115103000Z")),
        extension(24, false, &element(0x18, b"20251115103000.5Z")),
        extension(27, true, &[2, 1, 8]),
        extension(28, true, &element(0x30, &point)),
        extension(28, true, &element(0x30, &[0x81, 1, 0xff])),
        extension(28, true, &element(0x30, &[0x84, 1, 0xff])),
        extension(28, true, &element(0x30, &[0x83, 2, 1, 2])),
        extension(29, true, &element(0x30, &name)),
        extension(35, false, &element(0x30, &element(0x80, &[7; 20]))),
        extension(46, false, &element(0x30, &element(0x30, &point))),
        extension(99, true, &[5, 0]),
        extension(99, false, &[]),
    ]
}

/// A list with these entries and extensions, which nothing has signed.
fn list(version: &[u8], next: &[u8], entries: &[Vec<u8>], extensions: &[u8]) -> Vec<u8> {
    let name =
        element(0x30, &element(0x31, &element(0x30, &[&[6, 3, 0x55, 4, 3][..], &element(0x0c, b"ca")].concat())));
    let entries = if entries.is_empty() { Vec::new() } else { element(0x30, &entries.concat()) };
    let extensions = match extensions.is_empty() {
        true => Vec::new(),
        false => element(0xa0, &element(0x30, extensions)),
    };
    let this = element(0x17, b"251201000000Z");
    let fields = [version, ECDSA_SHA256, &name, &this, next, &entries, &extensions].concat();
    element(0x30, &[element(0x30, &fields), ECDSA_SHA256.to_vec(), element(3, &[0; 65])].concat())
}

fn entry(serial: &[u8], extensions: &[u8]) -> Vec<u8> {
    let extensions = if extensions.is_empty() { Vec::new() } else { element(0x30, extensions) };
    element(0x30, &[element(2, serial), element(0x17, b"251115103000Z"), extensions].concat())
}

/// The same in BER, with indefinite lengths.
fn indefinite(der: &[u8]) -> Vec<u8> {
    match inside(der) {
        parts if der[0] & 0x20 != 0 => {
            let parts: Vec<Vec<u8>> = parts.into_iter().map(indefinite).collect();
            [&[der[0], 0x80], parts.concat().as_slice(), &[0, 0]].concat()
        }
        _ => der.to_vec(),
    }
}

fn with_indefinite(mut seeds: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let other: Vec<Vec<u8>> = seeds.iter().map(|seed| indefinite(seed)).collect();
    seeds.extend(other);
    seeds
}

pub(crate) fn lists() -> Vec<Vec<u8>> {
    let next = element(0x17, b"260201000000Z");
    let fractional = element(0x18, b"20260201000000.345Z");
    let mut seeds = Vec::new();
    for extension in &extensions() {
        seeds.push(list(&[2, 1, 1], &next, &[entry(&[7], &[]), entry(&[8], extension)], &[]));
        seeds.push(list(&[2, 1, 1], &next, &[entry(&[7], extension)], extension));
    }
    let all: Vec<u8> = extensions().concat();
    let many: Vec<Vec<u8>> = (0..500_u16).map(|serial| entry(&serial.to_be_bytes(), &[])).collect();
    seeds.extend([
        list(&[], &[], &[], &[]),
        list(&[], &next, &[entry(&[], &[]), entry(&[0xff], &[]), entry(&[0, 0xff], &[]), entry(&[1; 40], &[])], &[]),
        list(&[2, 1, 1], &fractional, &[entry(&[7], &all)], &all),
        list(&[2, 1, 1], &next, &many, &[]),
    ]);
    for file in files() {
        if file.starts_with(&[0x30]) {
            seeds.push(file);
        } else if let Ok(der) = CertificateRevocationListDer::from_pem_slice(&file) {
            seeds.push(der.to_vec());
        }
    }
    with_indefinite(seeds)
}

pub(crate) fn certificates() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for file in files() {
        if file.starts_with(&[0x30]) {
            seeds.push(file);
            continue;
        }
        let mut rest = file.as_slice();
        while let Ok(Some((kind, der))) = from_buf(&mut rest) {
            seeds.extend((kind == SectionKind::Certificate).then_some(der));
        }
    }
    // Subjects, names and keys repeat in the folders; one of each will do.
    seeds.sort();
    seeds.dedup();
    with_indefinite(seeds)
}

pub(crate) fn responses() -> Vec<Case> {
    cases_in(&fixtures().join("ocsp"))
}
