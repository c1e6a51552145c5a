//! Lists and answers of running CAs: responders without GET, lists with SHA-512, lists from a clock that is ahead.

use std::net::{Ipv4Addr, TcpListener};

use rcgen::SerialNumber;
use time::{Duration, OffsetDateTime};

use crate::kept::{NOW, assert_accepted, assert_refused, client};
use crate::rig::command::{Ran, Server, file, folder, run};
use crate::rig::pair::Authority;
use crate::rig::responder::{Office, Register};
use crate::rig::web::{Play, Web};

const MODES: [&str; 2] = ["require", "prefer"];

/// A client's certificate with this serial number.
fn device(authority: &Authority, serial: u8) -> String {
    authority.issue(&["device"], |params| params.serial_number = Some(SerialNumber::from_slice(&[serial])))
}

#[test]
fn responder_that_serves_no_get_is_asked_by_post() {
    let (authority, folder) = (Authority::new("ca"), folder("no-get"));
    let office = Office::new("cases-no-get", &authority, &authority);
    office.register(&Register { good: &[&[1]], revoked: &[&[2]] });
    let (_responder, url) = office.open(60);
    let web = Web::playing(Play::Status(404));
    web.play("/ocsp", Play::Redirect(307, url));
    let trust = file(&folder, "ca.pem", authority.pem());
    let chains = [1, 2].map(|serial| file(&folder, &format!("{serial}.pem"), device(&authority, serial)));
    let malformed_request = Play::Content(vec![0x30, 3, 0x0a, 1, 1]);
    let plays = [Play::Status(400), Play::Status(404), Play::Status(405), malformed_request, Play::Hang(Vec::new())];
    for play in plays {
        web.play("*", play);
        for mode in MODES {
            // The responder goes by the time of day.
            let judged = |chain: &str| -> Ran {
                run(&[
                    "verify",
                    "--chain",
                    chain,
                    "--trust",
                    &trust,
                    "--purpose",
                    "client",
                    "--fetch",
                    "--fetch-private-addresses=yes",
                    "--ocsp-responder",
                    &web.url("/ocsp"),
                    "--revocation-deadline-ms",
                    "3000",
                    "--crl-mode",
                    "off",
                    "--ocsp-mode",
                    "prefer",
                    "--revocation",
                    mode,
                ])
            };
            assert_accepted(&judged(&chains[0]));
            assert_refused(&judged(&chains[1]), "CERT_REVOKED", &[]);
        }
    }
}

/// Runs a command line in a folder; panics with its output if it fails.
fn shell(folder: &std::path::Path, line: &str) {
    let output = std::process::Command::new("bash").args(["-ec", line]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A CA on this curve, a client of it, and for `V` and `R`, which are good and revoked, a list and a response, all by
/// SHA-512.
fn sha512_ca(folder: &std::path::Path, curve: &str) {
    shell(folder, &format!("
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:{curve} -nodes -keyout ca.key -out ca.pem -subj /CN=CA -days 9 -sha512
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout l.key -out l.csr -subj /CN=leaf
        echo extendedKeyUsage=clientAuth,serverAuth > ext
        openssl x509 -req -in l.csr -CA ca.pem -CAkey ca.key -set_serial 5 -sha512 -days 9 -out l.pem -extfile ext
        printf '[ca]\\ndefault_ca=d\\n[d]\\ndatabase=index\\ndefault_md=sha512\\ndefault_crl_days=5\\n' > c.cnf
        printf 'certificate=ca.pem\\nprivate_key=ca.key\\n' >> c.cnf
        openssl ocsp -issuer ca.pem -cert l.pem -reqout q -no_nonce
        for s in V R; do
            [ $s = V ] && d= || d=260101000000Z
            printf \"$s\\t360101000000Z\\t$d\\t05\\tunknown\\t/CN=leaf\\n\" > index
            openssl ca -config c.cnf -gencrl -out $s.crl
            openssl ocsp -index index -CA ca.pem -rsigner ca.pem -rkey ca.key -rmd sha512 -reqin q -respout $s.ocsp -ndays 3
        done"));
}

#[test]
fn lists_and_responses_with_ecdsa_and_sha512_count_on_every_curve() {
    for curve in ["P-256", "P-384", "P-521"] {
        let folder = folder(&format!("sha512-{curve}"));
        sha512_ca(&folder, curve);
        let path = |name: &str| folder.join(name).into_os_string().into_string().unwrap();
        let (chain, trust) = (path("l.pem"), path("ca.pem"));
        for (option, ending) in [("--crl", "crl"), ("--ocsp", "ocsp")] {
            for mode in MODES {
                let judged = |state: &str| {
                    let source = path(&format!("{state}.{ending}"));
                    let fixed = ["verify", "--chain", &chain, "--trust", &trust, "--purpose", "client"];
                    run(&[fixed.as_slice(), &[option, &source, "--revocation", mode]].concat())
                };
                assert_accepted(&judged("V"));
                assert_refused(&judged("R"), "CERT_REVOKED", &[]);
            }
        }
        // The issuer that staples are asked for with is recognised by the same table.
        let key = path("l.key");
        let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let nowhere = format!("http://{closed}/");
        let server = Server::start(&[
            "--cert",
            &chain,
            "--key",
            &key,
            "--staple",
            "--staple-issuer",
            &trust,
            "--staple-responder",
            &nowhere,
        ]);
        assert!(server.port.parse::<u16>().is_ok(), "{curve}: {}", server.port);
    }
}

#[test]
fn list_from_a_clock_that_is_ahead_counts_within_five_minutes_and_hides_nothing() {
    let (authority, folder) = (Authority::new("ca"), folder("ahead"));
    let now = OffsetDateTime::from_unix_timestamp(1_796_083_200).unwrap();
    let list = |ahead: Duration, serials: &[&[u8]]| {
        authority.crl_between(serials, now + ahead, now + Duration::days(30)).pem().unwrap()
    };
    let (trust, chain) = (file(&folder, "ca.pem", authority.pem()), file(&folder, "l.pem", device(&authority, 5)));
    let (current, minute, day) = (list(-Duration::DAY, &[]), list(Duration::MINUTE, &[]), list(Duration::DAY, &[]));
    let judged = |text: String| client(&chain, &trust, &["--crl", &file(&folder, "list.crl", text), "--time", NOW]);
    assert_accepted(&judged(current.clone()));
    assert_accepted(&judged(minute.clone()));
    assert_accepted(&judged(current.clone() + &minute));
    assert_accepted(&judged(current.clone() + &day));
    assert_accepted(&judged(day.clone() + &current));
    assert_refused(&judged(day), "REVOCATION_UNKNOWN", &[]);
    assert_refused(&judged(current + &list(Duration::MINUTE, &[&[5]])), "CERT_REVOKED", &[]);
}
