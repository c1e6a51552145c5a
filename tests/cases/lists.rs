//! Revocation lists and OCSP responses.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::symlink;
use std::path::Path;

use rcgen::{CrlDistributionPoint, SerialNumber};

use crate::kept::{NOW, assert_accepted, assert_refused, client, client_of, kept};
use crate::rig::command::{file, folder, run};
use crate::rig::pair::Authority;
use crate::rig::web::{Play, Web};

const MODES: [&str; 2] = ["require", "prefer"];

/// A list that revokes the client and one that does not are both believed, in both modes.
#[track_caller]
fn assert_both_lists_count(case: &str) {
    let lists = ["good", "revoking"].map(|name| kept(&format!("{case}/{name}.crl")));
    for mode in MODES {
        let ran = client_of(case, &["--crl", &lists[0], "--revocation", mode]);
        assert_accepted(&ran);
        assert!(!ran.err.contains("warning"), "{ran:?}");
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
fn second_distribution_point_is_asked_if_the_first_has_no_list() {
    // The kept certificates name a port, which a test may not choose: these name the port of the test's own server.
    let authority = Authority::new("ca");
    let folder = folder("second-distribution-point");
    let trust = file(&folder, "ca.pem", authority.pem());
    let web = Web::playing(Play::Status(404));
    let list = authority.crl(&[&[77]]);
    web.play("/ca.crl", Play::Content(list.into_bytes()));
    web.play("/page", Play::Content(b"<html>welcome</html>".to_vec()));
    let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let dead = format!("http://127.0.0.1:{closed}/ca.crl");
    let firsts = [dead, web.url("/missing"), web.url("/page"), "ldap:///CN=ca?certificateRevocationList".to_owned()];
    for first in firsts {
        for serial in [7, 77] {
            let pem = authority.issue(&["device"], |params| {
                params.serial_number = Some(SerialNumber::from_slice(&[serial]));
                params.crl_distribution_points = vec![
                    CrlDistributionPoint { uris: vec![first.clone()] },
                    CrlDistributionPoint { uris: vec![web.url("/ca.crl")] },
                ];
            });
            let chain = file(&folder, "client.pem", pem);
            for mode in MODES {
                let fetch = ["--fetch", "--fetch-private-addresses=yes", "--revocation", mode];
                let ran = client(&chain, &trust, &fetch);
                match serial {
                    7 => assert_accepted(&ran),
                    _ => assert_refused(&ran, "CERT_REVOKED", &[]),
                }
            }
        }
    }
}

#[test]
fn list_signed_with_sha512_by_a_p384_key_counts() {
    assert_both_lists_count("02-crl-ecdsa-sha512-p384");
}

#[test]
fn list_of_an_issuer_in_another_string_type_counts() {
    assert_both_lists_count("04-crl-issuer-other-string-type");
}

#[test]
fn list_that_begins_later_does_not_hide_the_current_one() {
    let case = "08-next-list-hides-current-one";
    let lists = kept(&format!("{case}/lists"));
    for time in ["2026-11-15T00:00:00Z", "2026-12-01T00:00:00Z", "2027-01-15T00:00:00Z"] {
        for mode in MODES {
            assert_accepted(&client_of(case, &["--crl", &lists, "--time", time, "--revocation", mode]));
        }
    }
    let next = kept(&format!("{case}/lists/next.crl"));
    let ran = client_of(case, &["--crl", &next, "--time", "2026-11-15T00:00:00Z"]);
    assert_refused(&ran, "REVOCATION_UNKNOWN", &["next.crl", "is of the future"]);
    let ran = client_of(case, &["--crl", &lists, "--time", "2027-03-01T00:00:00Z"]);
    assert_refused(&ran, "REVOCATION_STALE", &["next.crl"]);
}

#[test]
fn complete_list_in_the_folder_of_a_windows_ca_counts() {
    let case = "09-adcs-certenroll-directory";
    let ran = client_of(case, &["--crl", &kept(&format!("{case}/CertEnroll"))]);
    assert_accepted(&ran);
    for name in ["Example Device CA+.crl", "nsrev_Example Device CA.asp", "pki.example_Example Device CA.crt"] {
        assert!(ran.err.contains(name), "{name}: {ran:?}");
    }
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
fn folder_with_cas_and_their_lists_serves_as_trust_and_as_lists() {
    let case = "10-directory-of-cas-and-lists";
    let [chain, trust, both, pem] =
        ["chain.pem", "trust.pem", "both.pem", "pem"].map(|name| kept(&format!("{case}/{name}")));
    assert_accepted(&client(&chain, &both, &["--crl", &both]));
    for folder in [&pem, &rehashed(Path::new(&pem))] {
        assert_accepted(&client(&chain, folder, &[]));
        assert_accepted(&client(&chain, &trust, &["--crl", folder]));
        assert_accepted(&client(&chain, folder, &["--crl", folder]));
        for mode in MODES {
            assert_accepted(&client(&chain, folder, &["--revocation", mode]));
            assert_accepted(&client(&chain, &both, &["--revocation", mode]));
        }
        // Its lists alone make the check known: without them nothing could be asked.
        let ran = client(&chain, &trust, &["--revocation", "require"]);
        assert!(ran.code != 0 && ran.err.contains("OPTION_CONFLICT"), "{ran:?}");
    }
}

#[test]
fn extension_values_without_der_do_not_take_a_list_of_nss_away() {
    let [trust, good, revoked] =
        ["ca", "good", "revoked"].map(|name| kept(&format!("28-lists-of-nss-crlutil/{name}.pem")));
    for name in ["plain", "number", "reason"] {
        let list = kept(&format!("28-lists-of-nss-crlutil/{name}.crl"));
        for mode in MODES {
            let judged = |chain: &str| {
                let fixed = ["verify", "--trust", &trust, "--purpose", "server", "--time", NOW, "--chain", chain];
                run(&[&fixed[..], &["--crl", &list, "--revocation", mode]].concat())
            };
            assert_accepted(&judged(&good));
            assert_refused(&judged(&revoked), "CERT_REVOKED", &[&format!("{name}.crl")]);
        }
    }
}

#[test]
fn times_with_fractions_of_a_second_are_read() {
    let list = run(&["inspect", &kept("stores/pkijs-milliseconds.crl")]);
    assert!(list.code == 0 && list.out.contains("this update  2026-11-28T03:20:50Z"), "{list:?}");
    let response = run(&["inspect", &kept("stores/pkijs-milliseconds.ocsp")]);
    for time in ["this update", "produced at"] {
        assert!(response.code == 0 && response.out.contains(&format!("{time}  2026-11-28T03:20:50Z")), "{response:?}");
    }
    assert!(response.out.contains("certificate  1001: good"), "{response:?}");
}

#[test]
fn both_lists_of_a_file_with_two_labels_are_read() {
    let ran = run(&["inspect", &kept("stores/crl-labels-mixed.pem")]);
    assert!(ran.code == 0 && ran.out.contains("2 revocation lists"), "{ran:?}");
}

#[test]
fn response_that_names_its_certificate_by_sha384_revokes() {
    let [chain, trust, response] = ["chain-for-ocsp.pem", "ca-for-ocsp.pem", "revoked-certid-sha384.ocsp"]
        .map(|name| kept(&format!("stores/{name}")));
    for mode in MODES {
        for purpose in ["client", "server"] {
            let ran = run(&[
                "verify",
                "--chain",
                &chain,
                "--trust",
                &trust,
                "--purpose",
                purpose,
                "--time",
                NOW,
                "--ocsp",
                &response,
                "--revocation",
                mode,
            ]);
            assert_refused(&ran, "CERT_REVOKED", &["keyCompromise"]);
        }
    }
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
