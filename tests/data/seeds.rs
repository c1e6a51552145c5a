//! The inputs that are mutated: OpenSSL's fuzz corpora, and BoringSSL's responses.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::fuzz::{Case, cases_in};
use crate::outside;

/// 2017-03-05, which the published responses are made for.
pub(crate) const THEN: i64 = 1_488_672_000;

/// The mutations of each list, certificate and response.
pub(crate) const ROUNDS: [usize; 3] = [6, 6, 600];

/// The least number of lists, of lists that can be read, and of mutated ones that can be read.
pub(crate) const LISTS: [usize; 3] = [2_000, 1_000, 500];
/// The same of certificates.
pub(crate) const CERTIFICATES: [usize; 3] = [1_200, 40, 1_000];
/// The number of responses, and of mutated ones that can be read.
pub(crate) const RESPONSES: [usize; 2] = [30, 3_000];

/// The inputs of one folder of OpenSSL's fuzz corpora.
fn corpus(folder: &str) -> Vec<Vec<u8>> {
    let into = Path::new(env!("CARGO_TARGET_TMPDIR")).join("corpora").join(format!("{folder}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&into);
    fs::create_dir_all(&into).unwrap();
    let archive = outside::path("openssl-fuzz-crl-x509.tar.xz");
    let output = Command::new("tar").arg("xJf").arg(archive).arg("-C").arg(&into).arg(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut paths: Vec<PathBuf> = fs::read_dir(into.join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let read = paths.iter().map(|path| fs::read(path).unwrap()).collect();
    fs::remove_dir_all(&into).unwrap();
    read
}

pub(crate) fn lists() -> Vec<Vec<u8>> {
    corpus("crl")
}

pub(crate) fn certificates() -> Vec<Vec<u8>> {
    corpus("x509")
}

pub(crate) fn responses() -> Vec<Case> {
    cases_in(&outside::path("boringssl-ocsp"))
}
