//! Contexts: contradicting settings, sources of trust, reloading, and facts of a context that connections show.

mod asleep;
mod connection_settings;
mod host;
mod life;
mod options;
mod own_algorithms;
mod peer_chain;
mod system_trust;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use brokertls::keystore::OpenOptions;
use brokertls::revocation::{Depth, Mode};
use brokertls::{
    ClientAuth, Code, ConnectionSettings, ContextBuilder, CrlSource, IdentitySource, Level, Source, TrustSource,
};

use crate::rig::pair::{Authority, Pair, context};

/// A directory of this test's own, removed when dropped.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("brokertls-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, content).unwrap();
        path
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn refused(set: impl FnOnce(&mut ContextBuilder) -> &mut ContextBuilder) -> brokertls::Error {
    let mut builder = ContextBuilder::new();
    set(&mut builder);
    builder.build().unwrap_err()
}

#[test]
fn context_of_nothing_is_refused() {
    assert_eq!(refused(|builder| builder).code(), Code::NoIdentity);
}

#[test]
fn client_auth_without_trust_or_identity_is_refused() {
    let authority = Authority::new("ca");
    let error = refused(|builder| builder.identity(authority.identity(&["broker"])).client_auth(ClientAuth::Want));
    assert_eq!(error.code(), Code::NoTrust);
    let error = refused(|builder| builder.trust(authority.trust()).client_auth(ClientAuth::Need));
    assert_eq!(error.code(), Code::NoIdentity);
}

#[test]
fn alias_beside_a_key_file_is_refused() {
    let authority = Authority::new("ca");
    let mut source = authority.identity(&["broker"]);
    source.key = Some(source.certificates.clone());
    source.alias = Some("broker".to_owned());
    assert_eq!(refused(|builder| builder.identity(source)).code(), Code::OptionConflict);
}

#[test]
fn each_side_needs_what_it_works_with() {
    let authority = Authority::new("ca");
    let server = context(|builder| builder.identity(authority.identity(&["broker"])));
    let client = context(|builder| builder.trust(authority.trust()));
    assert_eq!(server.connect(Some("broker")).err().map(|error| error.code()), Some(Code::NoTrust));
    assert_eq!(client.accept().err().map(|error| error.code()), Some(Code::NoIdentity));
    for host in [Some("not a host"), Some(""), Some("broker:8883"), None] {
        assert_eq!(client.connect(host).err().map(|error| error.code()), Some(Code::InvalidServerName), "{host:?}");
    }
    assert!(client.connect(Some("[::1]")).is_ok());
}

#[test]
fn every_file_of_a_trust_directory_is_trusted() {
    let (one, two) = (Authority::new("one"), Authority::new("two"));
    let directory = Directory::new("trust-directory");
    directory.file("one.pem", &one.pem());
    directory.file("two.crt", &two.pem());
    directory.file(".hidden", "not a certificate");
    let client = context(|builder| builder.trust(TrustSource::directory(directory.0.clone())));
    for authority in [&one, &two] {
        let server = context(|builder| builder.identity(authority.identity(&["broker"])));
        Pair::connect(&server, &client, "broker");
    }
}

#[test]
fn what_holds_no_certificate_in_a_trust_directory_is_skipped_with_a_warning() {
    let authority = Authority::new("ca");
    let directory = Directory::new("mixed-directory");
    directory.file("README", "Place your SSL/TLS Certificate Authority certificates in this directory.");
    directory.file("ca.pem", &authority.pem());
    directory.file("ca-again.0", &authority.pem());
    let cases = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/cases");
    for (name, case) in [
        ("list.r0", "10-directory-of-cas-and-lists/pem/ca.crl.pem"),
        ("list.crl", "stores/pkijs-milliseconds.crl"),
        ("odd.pem", "11-one-odd-certificate-in-a-bundle/trust.pem"),
        ("bouncy", "19b-bcfks/bks"),
    ] {
        fs::copy(cases.join(case), directory.0.join(name)).unwrap();
    }
    std::os::unix::fs::symlink("nowhere", directory.0.join("dangling.0")).unwrap();
    let client = context(|builder| builder.trust(TrustSource::directory(directory.0.clone())));
    let server = context(|builder| builder.identity(authority.identity(&["broker"])));
    Pair::connect(&server, &client, "broker");
    let warnings = client.warnings();
    for (file, says) in [
        ("README", "none of the formats"),
        ("list.r0", "that is not used, because revocation is off"),
        ("list.crl", "that is not used, because revocation is off"),
        ("odd.pem, line 1", "its validity cannot be read"),
        ("bouncy", "Bouncy Castle (BKS)"),
        ("dangling.0", "cannot be read"),
    ] {
        let of_file = |warning: &&String| warning.contains(&format!("/{file}: "));
        assert!(warnings.iter().find(of_file).is_some_and(|warning| warning.contains(says)), "{file}: {warnings:?}");
    }
    assert!(!warnings.iter().any(|warning| warning.contains("/ca")), "{warnings:?}");
}

#[test]
fn limits_of_a_trust_directory_count_for_each_file() {
    let (ca, large) = (Authority::new("ca"), Authority::new("large"));
    let directory = Directory::new("limited-directory");
    directory.file("ca.pem", &ca.pem());
    directory.file("large.pem", &format!("{}{}", large.pem(), "text\n".repeat(1000)));
    let mut options = OpenOptions::default();
    options.limits.max_content_bytes = 4000;
    let trust = || TrustSource::Directory { path: directory.0.clone(), options: options.clone() };
    let client = context(|builder| builder.trust(trust()));
    let server = context(|builder| builder.identity(ca.identity(&["broker"])));
    Pair::connect(&server, &client, "broker");
    let [warning] = client.warnings().try_into().unwrap();
    assert!(warning.contains("/large.pem: more than 4000 bytes"), "{warning}");
    let server = context(|builder| builder.identity(large.identity(&["broker"])));
    assert_eq!(Pair::new(&server, &client, "broker").run().client.unwrap_err().code(), Code::CertUnknownIssuer);
}

#[test]
fn trust_directory_with_nothing_or_with_other_files_is_refused_by_name() {
    let directory = Directory::new("bad-directory");
    let trust = || TrustSource::directory(directory.0.clone());
    assert_eq!(refused(|builder| builder.trust(trust())).code(), Code::NoTrustedCertificate);
    directory.file("notes.txt", "not a certificate");
    let error = refused(|builder| builder.trust(trust()));
    assert_eq!(error.code(), Code::StoreFormatUnknown);
    assert!(error.detail().contains("notes.txt"), "{error}");
}

#[test]
fn system_roots_are_read_and_know_no_stranger() {
    let client = context(|builder| builder.trust(TrustSource::System));
    let server = context(|builder| builder.identity(Authority::new("stranger").identity(&["broker"])));
    let ended = Pair::new(&server, &client, "broker").run();
    assert_eq!(ended.client.unwrap_err().code(), Code::CertUnknownIssuer);
    assert_eq!(ended.server.unwrap_err().code(), Code::AlertUnknownCa);
}

#[test]
fn reload_serves_the_new_file_and_keeps_the_last_good_one() {
    let authority = Authority::new("ca");
    let directory = Directory::new("reload");
    let path = directory.file("broker.pem", &authority.issue(&["old"], |_| {}));
    let client = context(|builder| builder.trust(authority.trust()));
    let server = context(|builder| builder.identity(IdentitySource::new(Source::file(&path))));
    Pair::connect(&server, &client, "old");

    directory.file("broker.pem", &authority.issue(&["new"], |_| {}));
    server.reload().unwrap();
    Pair::connect(&server, &client, "new");
    assert_eq!(Pair::new(&server, &client, "old").run().client.unwrap_err().code(), Code::CertNameMismatch);

    directory.file("broker.pem", "half a file");
    assert_eq!(server.reload().unwrap_err().code(), Code::StoreFormatUnknown);
    Pair::connect(&server, &client, "new");
}

#[test]
fn own_expired_certificate_is_warned_about_and_refused_by_the_peer() {
    let authority = Authority::new("ca");
    let pem = authority.issue(&["broker"], |params| {
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    });
    let server = context(|builder| builder.identity(IdentitySource::new(Source::memory("broker.pem", pem.as_bytes()))));
    let warnings = server.warnings();
    assert!(warnings.iter().any(|text| text.contains("broker.pem") && text.contains("expired")), "{warnings:?}");
    let client = context(|builder| builder.trust(authority.trust()));
    let ended = Pair::new(&server, &client, "broker").run();
    assert_eq!(ended.client.unwrap_err().code(), Code::CertExpired);
    assert_eq!(ended.server.unwrap_err().code(), Code::AlertCertificateExpired);
}

#[test]
fn names_not_served_and_insecure_settings_are_logged_when_the_context_is_built() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&lines);
    let context = context(|builder| {
        builder.versions("TLSv1.2,TLSv1.1").insecure_accept_any_server(true);
        builder.log(Arc::new(move |line| sink.lock().unwrap().push((line.level, line.text.to_owned()))))
    });
    assert_eq!(context.not_served().iter().map(|name| name.name.as_str()).collect::<Vec<_>>(), ["TLSv1.1"]);
    let lines = lines.lock().unwrap();
    let logged = |part: &str| lines.iter().any(|(level, line)| *level == Level::Warn && line.contains(part));
    assert!(logged("TLSv1.1") && logged("insecure: any server certificate"), "{lines:?}");
}

#[test]
fn key_log_is_for_its_owner_and_has_the_secrets_of_each_connection() {
    let authority = Authority::new("ca");
    let directory = Directory::new("key-log");
    let path = directory.0.join("keys.log");
    let server = context(|builder| builder.identity(authority.identity(&["broker"])).insecure_key_log(&path));
    let client = context(|builder| builder.trust(authority.trust()));
    Pair::connect(&server, &client, "broker");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().filter(|line| line.starts_with("SERVER_TRAFFIC_SECRET_0 ")).count(), 1, "{text}");
}

#[test]
fn callback_refuses_an_accepted_peer_and_says_why() {
    let authority = Authority::new("ca");
    let server = context(|builder| {
        builder.identity(authority.identity(&["broker"])).trust(authority.trust()).client_auth(ClientAuth::Need);
        builder.verify_callback(Arc::new(|_| Err("not on the list".to_owned())), false)
    });
    let client = context(|builder| builder.identity(authority.identity(&["device"])).trust(authority.trust()));
    let ended = Pair::new(&server, &client, "broker").run();
    let refusal = ended.server.unwrap_err();
    assert_eq!((refusal.code(), refusal.detail()), (Code::CertRejectedByCallback, "not on the list"));
    assert_eq!(ended.client.unwrap_err().code(), Code::AlertAccessDenied);
}

#[test]
fn callback_is_not_asked_about_a_peer_that_is_refused_already() {
    let authority = Authority::new("ca");
    let server = context(|builder| {
        builder.identity(authority.identity(&["broker"])).trust(authority.trust()).client_auth(ClientAuth::Need);
        builder.verify_callback(Arc::new(|_| Ok(())), false)
    });
    let stranger = Authority::new("stranger");
    let client = context(|builder| builder.identity(stranger.identity(&["device"])).trust(authority.trust()));
    assert_eq!(Pair::new(&server, &client, "broker").run().server.unwrap_err().code(), Code::CertUnknownIssuer);
}

#[test]
fn client_without_certificate_is_refused_where_needed_and_welcome_where_wanted() {
    let authority = Authority::new("ca");
    let client = context(|builder| builder.trust(authority.trust()));
    let server = |client_auth| {
        context(|builder| {
            builder.identity(authority.identity(&["broker"])).trust(authority.trust()).client_auth(client_auth)
        })
    };
    let ended = Pair::new(&server(ClientAuth::Need), &client, "broker").run();
    assert_eq!(ended.server.unwrap_err().code(), Code::CertMissing);
    assert_eq!(ended.client.unwrap_err().code(), Code::AlertCertificateRequired);
    let pair = Pair::connect(&server(ClientAuth::Want), &client, "broker");
    assert!(pair.server.peer_chain().is_empty());
}

#[test]
fn application_protocol_is_agreed_on_or_the_connection_refused() {
    let authority = Authority::new("ca");
    let server = context(|builder| builder.identity(authority.identity(&["broker"])).alpn(b"mqtt").unwrap());
    let client = |protocol: &[u8]| context(|builder| builder.trust(authority.trust()).alpn(protocol).unwrap());
    let pair = Pair::connect(&server, &client(b"mqtt"), "broker");
    assert_eq!((pair.server.alpn(), pair.client.alpn()), (Some(&b"mqtt"[..]), Some(&b"mqtt"[..])));
    let ended = Pair::new(&server, &client(b"amqp"), "broker").run();
    assert_eq!(ended.server.unwrap_err().code(), Code::NoCommonAlpn);
    assert_eq!(ended.client.unwrap_err().code(), Code::AlertNoApplicationProtocol);
    assert_eq!(ContextBuilder::new().alpn(b"").err().map(|error| error.code()), Some(Code::InvalidAlpn));
    let mut builder = ContextBuilder::new();
    for _ in 0..127 {
        builder.alpn(&[b'p'; 255]).unwrap();
    }
    let refused = builder.alpn(&[b'p'; 255]).map(|_| ()).unwrap_err();
    let detail = "all names have 32768 bytes, and 32767 are allowed";
    assert_eq!((refused.code(), refused.detail()), (Code::InvalidAlpn, detail));
    let settings = ConnectionSettings { alpn: Some(vec![vec![b'p'; 255]; 128]), ..ConnectionSettings::default() };
    let refused = client(b"mqtt").connect_with(Some("broker"), &settings).err().unwrap();
    assert_eq!((refused.code(), refused.detail()), (Code::InvalidAlpn, detail));
    let refused = server.accept_with(&settings).err().unwrap();
    assert_eq!((refused.code(), refused.detail()), (Code::InvalidAlpn, detail));
}

#[test]
fn session_is_resumed_by_its_own_context_alone() {
    let authority = Authority::new("ca");
    for versions in ["TLSv1.2", "TLSv1.3"] {
        let server = || {
            context(|builder| {
                builder.identity(authority.identity(&["broker"])).trust(authority.trust());
                builder.client_auth(ClientAuth::Need).versions(versions)
            })
        };
        let (first, second) = (server(), server());
        let client = context(|builder| builder.identity(authority.identity(&["device"])).trust(authority.trust()));
        let resumed = |server| Pair::connect(server, &client, "broker").server.is_resumed();
        assert_eq!(resumed(&first), Some(false), "{versions}");
        assert_eq!(resumed(&first), Some(true), "{versions}");
        assert_eq!(resumed(&second), Some(false), "{versions}: a ticket of another context");
        let pair = Pair::connect(&second, &client, "broker");
        assert_eq!(pair.server.is_resumed(), Some(true));
        assert_eq!(pair.server.peer_chain().len(), 1, "{versions}: the client's certificate is known on resumption");
    }
}

/// A server that asks for certificates, and the sources of a client with a certificate of this serial number.
fn client_of(authority: &Authority, serial: &[u8]) -> brokertls::Context {
    let pem = authority.issue(&["device"], |params| {
        params.serial_number = Some(rcgen::SerialNumber::from_slice(serial));
    });
    let identity = IdentitySource::new(Source::memory("device.pem", pem.as_bytes()));
    context(|builder| builder.trust(authority.trust()).identity(identity))
}

#[test]
fn revoked_client_is_refused_with_its_alert_and_a_reload_takes_the_new_list() {
    let authority = Authority::new("ca");
    let directory = Directory::new("crl");
    let list = directory.file("ca.crl", &authority.crl(&[&[7]]));
    let server = context(|builder| {
        let builder = builder.identity(authority.identity(&["broker"])).trust(authority.trust());
        builder.client_auth(ClientAuth::Need).crl(CrlSource::Source(Source::file(&list)))
    });
    let (revoked, good) = (client_of(&authority, &[7]), client_of(&authority, &[8]));
    let ended = Pair::new(&server, &revoked, "broker").run();
    assert_eq!(ended.server.unwrap_err().code(), Code::CertRevoked);
    assert_eq!(ended.client.unwrap_err().code().number(), 1044);
    Pair::connect(&server, &good, "broker");

    directory.file("ca.crl", &authority.crl(&[&[8]]));
    server.reload().unwrap();
    Pair::connect(&server, &revoked, "broker");
    let ended = Pair::new(&server, &good, "broker").run();
    assert_eq!(ended.server.unwrap_err().code(), Code::CertRevoked);

    directory.file("ca.crl", "half a list");
    assert_eq!(server.reload().unwrap_err().code(), Code::CrlMalformed);
    Pair::connect(&server, &revoked, "broker");
}

#[test]
fn revoked_server_is_refused_by_a_directory_of_lists() {
    let authority = Authority::new("ca");
    let directory = Directory::new("crls");
    directory.file("other.crl", &Authority::new("other").crl(&[]));
    directory.file("ca.crl", &authority.crl(&[&[9]]));
    let client = context(|builder| builder.trust(authority.trust()).crl(CrlSource::Directory(directory.0.clone())));
    let pem = authority.issue(&["broker"], |params| {
        params.serial_number = Some(rcgen::SerialNumber::from_slice(&[9]));
    });
    let server = context(|builder| builder.identity(IdentitySource::new(Source::memory("broker.pem", pem.as_bytes()))));
    assert_eq!(Pair::new(&server, &client, "broker").run().client.unwrap_err().code(), Code::CertRevoked);
}

#[test]
fn context_that_believes_responses_with_sha1_says_so() {
    let authority = Authority::new("ca");
    let warnings = |accepts| context(|builder| builder.trust(authority.trust()).insecure_ocsp_sha1(accepts)).warnings();
    assert!(warnings(true).iter().any(|line| line.starts_with("insecure: OCSP responses")), "{:?}", warnings(true));
    assert!(warnings(false).is_empty());
}

#[test]
fn lists_that_are_foreign_or_out_of_date_are_reported_when_the_context_is_built() {
    let (authority, namesake) = (Authority::new("ca"), Authority::new("ca"));
    let warnings = |name: &str, list: &str| {
        let list = CrlSource::Source(Source::memory(name, list.as_bytes()));
        context(|builder| builder.trust(authority.trust()).crl(list)).warnings()
    };
    assert!(warnings("good.crl", &authority.crl(&[])).is_empty());
    let unmatched = warnings("other.crl", &Authority::new("other").crl(&[]));
    let told = "is of \"CN=other\", and no trusted CA certificate has that name: it counts only for peers that send a";
    assert!(
        matches!(unmatched.as_slice(), [line] if line.starts_with("other.crl, line 1") && line.contains(told)),
        "{unmatched:?}"
    );
    let foreign = warnings("foreign.crl", &namesake.crl(&[]));
    assert!(matches!(&foreign[..], [line] if line.starts_with("foreign.crl, line 1: ") && line.contains("not signed")));
    let dates = (rcgen::date_time_ymd(2020, 1, 1), rcgen::date_time_ymd(2021, 1, 1));
    let late = warnings("late.crl", &authority.crl_between(&[], dates.0, dates.1).pem().unwrap());
    assert!(matches!(&late[..], [line] if line.starts_with("late.crl, line 1: ") && line.contains("out of date")));
}

#[test]
fn source_that_is_off_leaves_the_others_in_force() {
    let authority = Authority::new("ca");
    let pem = authority.issue(&["broker"], |params| {
        params.serial_number = Some(rcgen::SerialNumber::from_slice(&[9]));
    });
    let server = context(|builder| builder.identity(IdentitySource::new(Source::memory("broker.pem", pem.as_bytes()))));
    let outcome = |set: fn(&mut ContextBuilder) -> &mut ContextBuilder, list: &str| {
        let list = CrlSource::Source(Source::memory("ca.crl", list.as_bytes()));
        let client = context(|builder| set(builder.trust(authority.trust()).crl(list)));
        Pair::new(&server, &client, "broker").run().client.map_err(|error| error.code())
    };
    let (ours, of_others) = (authority.crl(&[&[9]]), Authority::new("other").crl(&[]));
    assert_eq!(outcome(|builder| builder.ocsp_mode(Mode::Off), &ours), Err(Code::CertRevoked));
    assert_eq!(outcome(|builder| builder.ocsp_mode(Mode::Off), &of_others), Err(Code::RevocationUnknown));
    // Who says only how strict one source is says it of all together.
    assert_eq!(outcome(|builder| builder.crl_mode(Mode::Prefer), &of_others), Ok(()));
    assert_eq!(outcome(|builder| builder.crl_mode(Mode::Require), &of_others), Err(Code::RevocationUnknown));
    assert_eq!(outcome(|builder| builder.crl_mode(Mode::Prefer), &ours), Err(Code::CertRevoked));
    assert_eq!(outcome(|builder| builder.revocation(Mode::Off), &ours), Ok(()));
}

#[test]
fn rules_of_revocation_without_a_list_and_lists_beside_any_server_are_refused() {
    let authority = Authority::new("ca");
    for set in [
        (|builder| builder.revocation(Mode::Require)) as fn(&mut ContextBuilder) -> &mut ContextBuilder,
        |builder| builder.revocation(Mode::Prefer),
        |builder| builder.revocation_depth(Depth::Leaf),
        |builder| builder.revocation_max_stale_s(60),
        |builder| builder.crl_mode(Mode::Prefer),
        |builder| builder.ocsp_responder("http://127.0.0.1/"),
        |builder| builder.revocation_deadline_ms(100),
        |builder| builder.fetch_refresh_s(100),
        |builder| builder.staple_refresh_s(100),
        |builder| builder.staple(true),
        |builder| builder.fetch(true).revocation(Mode::Off).ocsp_mode(Mode::Require),
        |builder| builder.fetch(true).crl_mode(Mode::Off).ocsp_mode(Mode::Off).revocation(Mode::Require),
    ] {
        assert_eq!(refused(|builder| set(builder.trust(authority.trust()))).code(), Code::OptionConflict);
    }
    let list = || CrlSource::Source(Source::memory("ca.crl", authority.crl(&[]).as_bytes()));
    let error = refused(|builder| builder.insecure_accept_any_server(true).crl(list()));
    assert_eq!(error.code(), Code::OptionConflict);
    let error = refused(|builder| builder.trust(authority.trust()).crl(list()).max_crl_bytes(100));
    assert_eq!(error.code(), Code::StoreTooLarge);
    let missing = CrlSource::Source(Source::file("/nonexistent/ca.crl"));
    assert_eq!(refused(|builder| builder.trust(authority.trust()).crl(missing)).code(), Code::FileUnreadable);
}
