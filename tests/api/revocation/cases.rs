//! The cases from the field that are about revocation (tests/fixtures/cases), in both modes.

use std::path::Path;

use crate::rig::command::{Ran, run};
use crate::rig::web::{Play, Web};

const MODES: [&str; 2] = ["require", "prefer"];

fn case(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/cases").join(path);
    assert!(path.exists(), "{}", path.display());
    path.into_os_string().into_string().unwrap()
}

/// The verdict on a client's chain of a case, at a time within its dates.
fn verify(folder: &str, chain: &str, time: &str, more: &[&str]) -> Ran {
    let (chain, trust) = (case(&format!("{folder}/{chain}")), case(&format!("{folder}/trust.pem")));
    let fixed = ["verify", "--chain", &chain, "--trust", &trust, "--purpose", "client", "--time", time];
    run(&[&fixed[..], more].concat())
}

const NOVEMBER: &str = "2026-11-15T00:00:00Z";

#[track_caller]
fn assert_verdict(ran: &Ran, is_accepted: bool) {
    match is_accepted {
        true => assert_eq!((ran.code, ran.first_line()), (0, "accepted"), "{ran:?}"),
        false => assert!(ran.code != 0 && ran.first_line().starts_with("refused CERT_REVOKED"), "{ran:?}"),
    }
}

#[test]
fn case_01_second_distribution_point_is_asked_where_the_first_is_dead() {
    let folder = "01-second-distribution-point";
    // The certificates name ports of another machine's day: a proxy answers for them.
    let proxy = Web::playing(Play::Status(404));
    let list = std::fs::read(case(&format!("{folder}/www/ca.crl"))).unwrap();
    proxy.play("http://127.0.0.1:18089/ca.crl", Play::Content(list));
    let by_proxy = format!("--fetch-proxy=http://127.0.0.1:{}", proxy.port());
    for dead in [Play::Status(404), Play::Raw(Vec::new()), Play::Content(b"<html>".to_vec())] {
        proxy.play("http://127.0.0.1:1/dead.crl", dead.clone());
        proxy.play("*", dead);
        for mode in MODES {
            let more = ["--fetch=yes", "--fetch-private-addresses=yes", &by_proxy, "--revocation", mode];
            assert_verdict(&verify(folder, "good-dead-first.pem", NOVEMBER, &more), true);
            assert_verdict(&verify(folder, "revoked-dead-first.pem", NOVEMBER, &more), false);
            assert_verdict(&verify(folder, "good-one-point.pem", NOVEMBER, &more), true);
        }
    }
}

#[test]
fn case_09_other_files_in_a_directory_of_lists_are_passed_over_with_a_warning() {
    let folder = "09-adcs-certenroll-directory";
    for mode in MODES {
        let more = ["--crl", &case(&format!("{folder}/CertEnroll")), "--revocation", mode];
        let ran = verify(folder, "chain.pem", NOVEMBER, &more);
        assert_verdict(&ran, true);
        for (file, why) in [
            ("Example Device CA+.crl", "a delta list; only complete ones are used"),
            ("pki.example_Example Device CA.crt", "it is a certificate"),
            ("nsrev_Example Device CA.asp", "it is HTML or XML"),
        ] {
            let told = format!("{file}: passed over among the lists (CRL): {why}");
            assert!(ran.err.lines().any(|line| line.starts_with("warning: ") && line.ends_with(&told)), "{ran:?}");
        }
        assert_eq!(ran.err.matches("warning: ").count(), 3, "{ran:?}");
    }
    // Named by itself, a delta list is refused by name.
    let delta = case(&format!("{folder}/CertEnroll/Example Device CA+.crl"));
    let ran = verify(folder, "chain.pem", NOVEMBER, &["--crl", &delta]);
    assert!(ran.first_line().starts_with("refused CRL_UNSUPPORTED") && ran.out.contains("a delta list"), "{ran:?}");
}

#[test]
fn case_10_directory_of_cas_and_lists_gives_its_lists() {
    let folder = "10-directory-of-cas-and-lists";
    // As `openssl rehash` leaves it: each file under two names.
    let hashed = crate::rig::command::folder("case-10");
    for (name, link) in [("ca.pem", "e0bfee9c.0"), ("ca.crl.pem", "e0bfee9c.r0")] {
        std::fs::copy(case(&format!("{folder}/pem/{name}")), hashed.join(name)).unwrap();
        std::os::unix::fs::symlink(name, hashed.join(link)).unwrap();
    }
    for directory in [case(&format!("{folder}/pem")), hashed.to_str().unwrap().to_owned()] {
        for mode in MODES {
            let ran = verify(folder, "chain.pem", NOVEMBER, &["--crl", &directory, "--revocation", mode]);
            assert_verdict(&ran, true);
            assert!(
                ran.err.contains("ca.pem: passed over among the lists (CRL): it is PEM text with CERTIFICATE (1)"),
                "{ran:?}"
            );
            let more = ["--crl", &case(&format!("{folder}/both.pem")), "--revocation", mode];
            assert_verdict(&verify(folder, "chain.pem", NOVEMBER, &more), true);
        }
    }
}
