//! Revocation lists and OCSP responses.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::command::{file, folder};
use crate::kept::{assert_accepted, assert_refused, client, client_of, kept};

const MODES: [&str; 2] = ["require", "prefer"];

/// A list that revokes the client and one that does not are both believed, in both modes.
#[track_caller]
fn assert_both_lists_count(case: &str) {
    let lists = ["good", "revoking"].map(|name| kept(&format!("{case}/{name}.crl")));
    for mode in MODES {
        assert_accepted(&client_of(case, &["--crl", &lists[0], "--revocation", mode]));
        let ran = client_of(case, &["--crl", &lists[1], "--revocation", mode]);
        assert_refused(&ran, "CERT_REVOKED", &["revoking.crl"]);
    }
}

#[test]
fn list_of_another_distribution_point_revokes() {
    let case = "01-second-distribution-point";
    let [trust, list] = ["trust.pem", "www/ca.crl"].map(|name| kept(&format!("{case}/{name}")));
    for mode in MODES {
        let judged =
            |name: &str| client(&kept(&format!("{case}/{name}.pem")), &trust, &["--crl", &list, "--revocation", mode]);
        assert_accepted(&judged("good-dead-first"));
        assert_accepted(&judged("good-one-point"));
        assert_refused(&judged("revoked-dead-first"), "CERT_REVOKED", &[]);
    }
}

#[test]
fn list_signed_with_sha512_by_a_p384_key_counts() {
    assert_both_lists_count("02-crl-ecdsa-sha512-p384");
}

/// The folder of case 10 with symbolic links, as `openssl rehash` makes them.
fn rehashed(kept: &Path) -> String {
    let folder = folder("rehashed");
    for entry in fs::read_dir(kept).unwrap() {
        let entry = entry.unwrap();
        let content = fs::read_to_string(entry.path()).unwrap();
        let to = folder.join(entry.file_name());
        match content.starts_with("-----") {
            true => fs::write(to, content).unwrap(),
            false => symlink(content, to).unwrap(),
        }
    }
    folder.into_os_string().into_string().unwrap()
}

#[test]
fn folder_of_cas_with_a_readme_serves_as_trust() {
    let folder = folder("capath");
    let case = "10-directory-of-cas-and-lists";
    file(&folder, "README", "Place your certificate authorities in this directory.\n");
    file(&folder, "ca.pem", fs::read(kept(&format!("{case}/trust.pem"))).unwrap());
    let ran = client(&kept(&format!("{case}/chain.pem")), folder.to_str().unwrap(), &[]);
    assert_accepted(&ran);
    assert!(ran.err.contains("README"), "{ran:?}");
}
