//! The kept files: their places, and the questions that cases ask about them.

use std::path::{Path, PathBuf};

use crate::rig::command::{Ran, run};

/// A time at which all certificates of the cases are valid and their lists current.
pub(crate) const NOW: &str = "2026-12-01T00:00:00Z";

/// The folder of all cases.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/cases")
}

/// A file or folder of a case.
pub(crate) fn kept(name: &str) -> String {
    let path = folder().join(name);
    assert!(path.exists(), "{}", path.display());
    path.into_os_string().into_string().unwrap()
}

/// `brokertls verify` of a client's `chain.pem` against the case's `trust.pem`, with `more` arguments.
pub(crate) fn client_of(case: &str, more: &[&str]) -> Ran {
    let (chain, trust) = (kept(&format!("{case}/chain.pem")), kept(&format!("{case}/trust.pem")));
    client(&chain, &trust, more)
}

/// `brokertls verify` of a client's chain, at [`NOW`] unless `more` arguments have a time.
pub(crate) fn client(chain: &str, trust: &str, more: &[&str]) -> Ran {
    let mut arguments = vec!["verify", "--chain", chain, "--trust", trust, "--purpose", "client"];
    if !more.contains(&"--time") {
        arguments.extend(["--time", NOW]);
    }
    run(&[&arguments, more].concat())
}

#[track_caller]
pub(crate) fn assert_accepted(ran: &Ran) {
    assert!(ran.code == 0 && ran.first_line() == "accepted", "{ran:?}");
}

/// Fails unless the chain was refused with this code, and message and hint hold all of these words.
#[track_caller]
pub(crate) fn assert_refused(ran: &Ran, code: &str, words: &[&str]) {
    assert!(ran.code == 1 && ran.first_line().starts_with(&format!("refused {code}: ")), "{code}: {ran:?}");
    for word in words {
        assert!(ran.out.contains(word), "{word}: {ran:?}");
    }
    assert_no_debug_text(&ran.out);
}

/// Fails unless the command ended with this error, and message and hint hold all of these words.
#[track_caller]
pub(crate) fn assert_error(ran: &Ran, code: &str, words: &[&str]) {
    assert!(ran.code != 0 && ran.err.contains(&format!("BTLS_{code} (")), "{code}: {ran:?}");
    for word in words {
        assert!(ran.err.contains(word), "{word}: {ran:?}");
    }
    assert_no_debug_text(&ran.err);
}

/// Fails if a text has what a program prints of its own values.
#[track_caller]
pub(crate) fn assert_no_debug_text(text: &str) {
    for mark in ["Error:", "Some(", "OID(", "Tag(", "{ ", "X509Error", "Unsupported", "UnexpectedTag"] {
        assert!(!text.contains(mark), "{mark}: {text}");
    }
}

#[test]
fn every_case_and_every_store_has_a_test() {
    let names = |folder: PathBuf| {
        let entries = std::fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect::<Vec<_>>()
    };
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let files = names(tests.clone());
    // This file has no case of its own.
    let files = files.iter().filter(|file| file.as_str() != "kept.rs");
    let sources: String = files.map(|file| std::fs::read_to_string(tests.join(file)).unwrap()).collect();
    let readme = std::fs::read_to_string(folder().join("README.md")).unwrap();
    let (folders, stores) = (names(folder()), names(folder().join("stores")));
    let all = folders.iter().filter(|name| !["README.md", "stores"].contains(&name.as_str())).chain(&stores);
    let (tested, untested): (Vec<_>, Vec<_>) = all.partition(|name| sources.contains(name.as_str()));
    assert!(untested.is_empty(), "no test: {untested:?}");
    assert!(tested.iter().all(|name| readme.contains(name.as_str())), "{tested:?}");
}
