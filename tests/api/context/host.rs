//! Connections with settings of their own, and a host that chooses identities and judges peers.

use std::sync::Arc;

use brokertls::host::HandshakeHost;
use brokertls::keystore::{Identity, OpenOptions, open};
use brokertls::{ClientAuth, Code, ConnectionSettings, Context, IdentitySource, Result};
use rustls::sign::{Signer, SigningKey};
use rustls::{SignatureAlgorithm, SignatureScheme};

use crate::rig::host::Host;
use crate::rig::pair::{Authority, Ended, Pair, context};

fn hosted(host: &Arc<Host>) -> Context {
    let host: Arc<dyn HandshakeHost> = Arc::clone(host) as _;
    context(|builder| {
        builder.host_identities(Arc::clone(&host)).host_trust(Arc::clone(&host), Vec::new()).hello_host(host)
    })
}

fn run(server: &Context, to_server: &ConnectionSettings, client: &Context, to_client: &ConnectionSettings) -> Pair {
    let (pair, ended) = end(server, to_server, client, to_client);
    ended.client.unwrap();
    ended.server.unwrap();
    pair
}

fn end(
    server: &Context,
    to_server: &ConnectionSettings,
    client: &Context,
    to_client: &ConnectionSettings,
) -> (Pair, Ended) {
    let server = server.accept_with(to_server).unwrap();
    let mut pair = Pair { server, client: client.connect_with(Some("broker.example"), to_client).unwrap() };
    let ended = pair.run();
    (pair, ended)
}

fn codes(ended: Ended) -> (Option<Code>, Option<Code>) {
    (ended.server.err().map(|error| error.code()), ended.client.err().map(|error| error.code()))
}

fn settings(change: impl FnOnce(&mut ConnectionSettings)) -> ConnectionSettings {
    let mut settings = ConnectionSettings::default();
    change(&mut settings);
    settings
}

/// A server and a client of one authority.
fn plain() -> (Context, Context) {
    let authority = Authority::new("ca");
    let server = context(|builder| builder.identity(authority.identity(&["broker.example"])).trust(authority.trust()));
    let client = context(|builder| builder.identity(authority.identity(&["client"])).trust(authority.trust()));
    (server, client)
}

#[test]
fn host_is_asked_for_identities_and_about_peers_with_the_facts_of_the_handshake() {
    for version in ["TLSv1.2", "TLSv1.3"] {
        let authority = Authority::new("nobody trusts this one");
        let server_host = Arc::new(Host::with_identity(&authority, "other.example"));
        let client_host = Arc::new(Host::with_identity(&authority, "client"));
        let needs = settings(|settings| settings.client_auth = Some(ClientAuth::Need));
        let versions = settings(|settings| settings.versions = Some(version.to_owned()));
        let pair = run(&hosted(&server_host), &needs, &hosted(&client_host), &versions);
        assert_eq!(pair.server.version(), Some(version));
        assert_eq!(pair.server.local_chain(), pair.client.peer_chain());
        assert_eq!(pair.client.local_chain(), pair.server.peer_chain());
        let asked = server_host.asked();
        assert!(asked[0].starts_with("identity Server Some(\"broker.example\") [\"EC\""), "{asked:?}");
        assert_eq!(asked[1], format!("peer Client {version} 1"));
        let asked = client_host.asked();
        assert!(asked.contains(&format!("peer Server {version} 1")), "{asked:?}");
        assert!(asked.iter().any(|line| line.starts_with("identity Client None [\"EC\"")), "{asked:?}");
    }
}

#[test]
fn peer_that_the_host_refuses_is_told_with_the_alert_of_the_code() {
    let authority = Authority::new("ca");
    let server = hosted(&Arc::new(Host::with_identity(&authority, "broker.example")));
    for (code, alert) in [
        (Code::CertRejectedByManager, Code::AlertCertificateUnknown),
        (Code::CertRevoked, Code::AlertCertificateRevoked),
        (Code::CertExpired, Code::AlertCertificateExpired),
    ] {
        let client = hosted(&Arc::new(Host { refuses_peer: Some(code), ..Host::default() }));
        let none = ConnectionSettings::default();
        let (_, ended) = end(&server, &none, &client, &none);
        assert_eq!(codes(ended), (Some(alert), Some(code)));
    }
}

#[test]
fn host_without_an_identity_for_the_client_refuses_it() {
    let client = hosted(&Arc::default());
    let none = ConnectionSettings::default();
    let (_, ended) = end(&hosted(&Arc::default()), &none, &client, &none);
    assert_eq!(codes(ended), (Some(Code::NoCommonSignature), Some(Code::AlertHandshakeFailure)));
    let refusing = Arc::new(Host { refuses_identity: Some(Code::NoIdentity), ..Host::default() });
    let (_, ended) = end(&hosted(&refusing), &none, &client, &none);
    assert_eq!(codes(ended), (Some(Code::NoIdentity), Some(Code::AlertHandshakeFailure)));
}

#[test]
fn chain_of_too_many_certificates_is_refused_before_the_host_is_asked() {
    for version in ["TLSv1.2", "TLSv1.3"] {
        for (certificates, refusal) in [(40, None), (41, Some(Code::CertTooComplex)), (100, Some(Code::CertTooComplex))]
        {
            let authority = Authority::new("ca");
            let server_host = Arc::new(Host::with_identity(&authority, "broker.example"));
            let mut client_host = Host::with_identity(&authority, "client");
            let shown = client_host.identity.take().unwrap();
            let chain = vec![shown.chain[0].clone(); certificates];
            let shown = Identity::new(chain, Arc::clone(&shown.signing_key), "host").unwrap();
            client_host.identity = Some(Arc::new(shown));
            let needs = settings(|settings| settings.client_auth = Some(ClientAuth::Need));
            let versions = settings(|settings| settings.versions = Some(version.to_owned()));
            let (server, client) = (hosted(&server_host), hosted(&Arc::new(client_host)));
            let (pair, ended) = end(&server, &needs, &client, &versions);
            assert_eq!(codes(ended).0, refusal, "{version}, {certificates}");
            let is_asked = server_host.asked().contains(&format!("peer Client {version} {certificates}"));
            assert_eq!(is_asked, refusal.is_none(), "{version}, {certificates}");
            assert_eq!(pair.server.peer_chain().len(), if refusal.is_none() { certificates } else { 0 });
        }
    }
}

/// A token that was pulled out.
#[derive(Debug)]
struct DeadKey(Arc<dyn SigningKey>);

impl SigningKey for DeadKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        Some(Box::new(DeadSigner(self.0.choose_scheme(offered)?.scheme())))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.0.algorithm()
    }
}

#[derive(Debug)]
struct DeadSigner(SignatureScheme);

impl Signer for DeadSigner {
    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        Err(rustls::Error::General("the token is gone".to_owned()))
    }

    fn scheme(&self) -> SignatureScheme {
        self.0
    }
}

fn dead(authority: &Authority, name: &str) -> Arc<Identity> {
    let living = Host::with_identity(authority, name).identity.unwrap();
    let key = Arc::new(DeadKey(Arc::clone(&living.signing_key)));
    Arc::new(Identity::new(living.chain.clone(), key, "token").unwrap())
}

/// Every version with every suite of TLS 1.3: alerts are encrypted under it.
const VERSIONS_AND_SUITES: [(&str, &str); 4] = [
    ("TLSv1.2", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
    ("TLSv1.3", "TLS_AES_128_GCM_SHA256"),
    ("TLSv1.3", "TLS_AES_256_GCM_SHA384"),
    ("TLSv1.3", "TLS_CHACHA20_POLY1305_SHA256"),
];

#[test]
fn key_that_fails_to_sign_ends_the_handshake_with_internal_error_in_both_roles() {
    let authority = Authority::new("ca");
    let living = hosted(&Arc::new(Host::with_identity(&authority, "broker.example")));
    let hosted_dead = hosted(&Arc::new(Host { identity: Some(dead(&authority, "dead")), ..Host::default() }));
    let ready_dead =
        context(|builder| builder.identity(IdentitySource::ready(dead(&authority, "dead"))).trust(authority.trust()));
    let needs = settings(|settings| settings.client_auth = Some(ClientAuth::Need));
    for (version, suite) in VERSIONS_AND_SUITES {
        let held = settings(|settings| {
            settings.versions = Some(version.to_owned());
            settings.cipher_suites = Some(suite.to_owned());
            settings.checks_server_name = Some(false);
        });
        for dead in [&hosted_dead, &ready_dead] {
            let (pair, ended) = end(dead, &ConnectionSettings::default(), &living, &held);
            let failure = pair.server.failure().unwrap();
            assert!(failure.detail().contains("the token is gone"), "{failure}");
            assert_eq!(codes(ended), (Some(Code::SigningFailed), Some(Code::AlertInternalError)), "server, {suite}");
            let (_, ended) = end(&living, &needs, dead, &held);
            assert_eq!(codes(ended), (Some(Code::AlertInternalError), Some(Code::SigningFailed)), "client, {suite}");
        }
    }
}

#[test]
fn client_with_a_host_that_refuses_to_choose_ends_the_handshake_with_the_alert_of_the_code() {
    let authority = Authority::new("ca");
    let server = hosted(&Arc::new(Host::with_identity(&authority, "broker.example")));
    let needs = settings(|settings| settings.client_auth = Some(ClientAuth::Need));
    for (version, _) in VERSIONS_AND_SUITES {
        let held = settings(|settings| settings.versions = Some(version.to_owned()));
        let client = hosted(&Arc::new(Host { refuses_identity: Some(Code::Internal), ..Host::default() }));
        let (pair, ended) = end(&server, &needs, &client, &held);
        assert!(pair.server.peer_chain().is_empty());
        assert_eq!(codes(ended), (Some(Code::AlertInternalError), Some(Code::Internal)), "{version}");
    }
}

#[test]
fn hello_is_shown_to_the_host_which_selects_the_protocol() {
    let authority = Authority::new("ca");
    let host = Arc::new(Host { selects: Some("stomp"), ..Host::with_identity(&authority, "broker.example") });
    let asks = settings(|settings| settings.asks_about_hello = true);
    let offers = settings(|settings| settings.alpn = Some(vec![b"mqtt".to_vec(), b"stomp".to_vec()]));
    let pair = run(&hosted(&host), &asks, &hosted(&Arc::default()), &offers);
    assert_eq!(pair.client.alpn(), Some(&b"stomp"[..]));
    assert_eq!(host.asked()[0], "hello Some(\"broker.example\") [\"mqtt\", \"stomp\"]");
}

#[test]
fn hello_that_comes_byte_by_byte_is_decided_about_once() {
    let authority = Authority::new("ca");
    let host = Arc::new(Host::with_identity(&authority, "broker.example"));
    let asks = settings(|settings| settings.asks_about_hello = true);
    let mut server = hosted(&host).accept_with(&asks).unwrap();
    let client = hosted(&Arc::default());
    let mut client = client.connect_with(Some("broker.example"), &ConnectionSettings::default()).unwrap();
    let mut wire = vec![0; brokertls::MAX_RECORD_BYTES];
    let sent = client.wrap(&[], &mut wire).unwrap().produced;
    // The handshake message is cut into records of one byte.
    for byte in &wire[5..sent] {
        let mut record = [22, 3, 1, 0, 1, *byte];
        server.unwrap(&mut record, &mut []).unwrap();
    }
    assert!(server.has_outgoing());
    assert_eq!(host.asked().iter().filter(|line| line.starts_with("hello")).count(), 1);
}

#[test]
fn hello_that_the_host_refuses_is_answered_with_the_alert_of_the_code() {
    let authority = Authority::new("ca");
    let asks = settings(|settings| settings.asks_about_hello = true);
    for (code, alert) in
        [(Code::ServerNameRefused, Code::AlertUnrecognizedName), (Code::NoCommonAlpn, Code::AlertNoApplicationProtocol)]
    {
        let host = Host { refuses_hello: Some(code), ..Host::with_identity(&authority, "broker.example") };
        let none = ConnectionSettings::default();
        let (_, ended) = end(&hosted(&Arc::new(host)), &asks, &hosted(&Arc::default()), &none);
        assert_eq!(codes(ended), (Some(code), Some(alert)));
    }
}

#[test]
fn garbage_before_a_hello_that_is_waited_for_is_refused() {
    let asks = settings(|settings| settings.asks_about_hello = true);
    for (bytes, code) in [
        (&b"GET / HTTP/1.1\r\n\r\n"[..], Code::PeerNotTls),
        (&[22, 3, 1, 0, 4, 1, 0, 0, 0], Code::MessageMalformed),
        (&[22, 3, 1, 0, 4, 2, 0, 0, 0], Code::MessageMalformed),
        (&[23, 3, 3, 0, 1, 0], Code::UnexpectedMessage),
    ] {
        let mut server = hosted(&Arc::default()).accept_with(&asks).unwrap();
        let error = server.unwrap(&mut bytes.to_vec(), &mut []).unwrap_err();
        assert_eq!(error.code(), code, "{bytes:?}");
        assert!(server.has_outgoing(), "{bytes:?}");
    }
}

#[test]
fn list_of_suites_allows_those_and_no_others() {
    let (server, client) = plain();
    let only = settings(|settings| settings.cipher_suites = Some("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384".to_owned()));
    let pair = run(&server, &only, &client, &ConnectionSettings::default());
    assert_eq!(pair.client.version(), Some("TLSv1.2"));
    assert_eq!(pair.client.cipher_suite(), Some("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"));
    let old = settings(|settings| settings.cipher_suites = Some("TLS_RSA_WITH_AES_128_CBC_SHA".to_owned()));
    assert_eq!(server.accept_with(&old).unwrap_err().code(), Code::NoCipherSuite);
}

#[test]
fn client_certificate_is_asked_for_by_one_connection_alone() {
    let (server, client) = plain();
    let needs = settings(|settings| settings.client_auth = Some(ClientAuth::Need));
    let none = ConnectionSettings::default();
    assert_eq!(run(&server, &needs, &client, &none).server.peer_chain().len(), 1);
    assert!(run(&server, &none, &client, &none).server.peer_chain().is_empty());
    let authority = Authority::new("ca");
    let without_trust = context(|builder| builder.identity(authority.identity(&["broker.example"])));
    assert_eq!(without_trust.accept_with(&needs).unwrap_err().code(), Code::NoTrust);
}

#[test]
fn session_is_not_resumed_where_a_certificate_is_now_asked_for() {
    let (server, client) = plain();
    let none = ConnectionSettings::default();
    let needs = settings(|settings| settings.client_auth = Some(ClientAuth::Need));
    run(&server, &none, &client, &none);
    assert_eq!(run(&server, &none, &client, &none).server.is_resumed(), Some(true));
    let pair = run(&server, &needs, &client, &none);
    assert_eq!(pair.server.is_resumed(), Some(false));
    assert_eq!(pair.server.peer_chain().len(), 1);
}

#[test]
fn sessions_are_kept_apart_by_scope_and_can_be_forgotten() {
    let (server, client) = plain();
    let none = ConnectionSettings::default();
    let scoped = |scope: &str| settings(|settings| settings.session_scope = Some(scope.to_owned()));
    let resumed = |scope: &str| run(&server, &none, &client, &scoped(scope)).client.is_resumed();
    assert_eq!((resumed("1"), resumed("1"), resumed("2")), (Some(false), Some(true), Some(false)));
    client.forget_sessions("broker.example", "1");
    assert_eq!((resumed("1"), resumed("2")), (Some(false), Some(true)));
}

#[test]
fn server_resumes_sessions_of_its_own_scope_alone_and_without_a_scope_none() {
    let (server, client) = plain();
    let none = ConnectionSettings::default();
    let scoped = |scope: Option<&str>| settings(|settings| settings.session_scope = scope.map(str::to_owned));
    for version in ["TLSv1.2", "TLSv1.3"] {
        let versions = settings(|settings| settings.versions = Some(version.to_owned()));
        let resumed = |to_server: &ConnectionSettings| run(&server, to_server, &client, &versions).server.is_resumed();
        assert_eq!((resumed(&none), resumed(&none)), (Some(false), Some(true)), "{version}");
        for _ in 0..2 {
            assert_eq!(resumed(&scoped(None)), Some(false), "{version}");
        }
        assert_eq!(resumed(&scoped(Some("1"))), Some(false), "{version}");
        assert_eq!(resumed(&scoped(Some("1"))), Some(true), "{version}");
    }
}

#[test]
fn connection_that_only_resumes_refuses_a_full_handshake() {
    let (server, client) = plain();
    let none = ConnectionSettings::default();
    let only = settings(|settings| settings.resumes_only = true);
    run(&server, &none, &client, &none);
    assert_eq!(run(&server, &none, &client, &only).client.is_resumed(), Some(true));
    client.forget_sessions("broker.example", "");
    let (_, ended) = end(&server, &none, &client, &only);
    assert_eq!(codes(ended), (Some(Code::AlertCertificateUnknown), Some(Code::SessionNotResumed)));
}

#[test]
fn name_of_the_server_counts_as_the_connection_says() {
    let (server, client) = plain();
    let none = ConnectionSettings::default();
    let outcome = |checks, host| {
        let settings = settings(|settings| settings.checks_server_name = Some(checks));
        let client = client.connect_with(host, &settings).unwrap();
        let mut pair = Pair { server: server.accept_with(&none).unwrap(), client };
        codes(pair.run()).1
    };
    assert_eq!(outcome(true, Some("broker.example")), None);
    assert_eq!(outcome(true, Some("elsewhere.example")), Some(Code::CertNameMismatch));
    assert_eq!(outcome(false, Some("elsewhere.example")), None);
    assert_eq!(outcome(false, None), None);
    let checks = settings(|settings| settings.checks_server_name = Some(true));
    assert_eq!(client.connect_with(None, &checks).unwrap_err().code(), Code::InvalidServerName);
}

#[test]
fn host_beside_settings_of_its_own_is_refused_as_a_contradiction() {
    let authority = Authority::new("ca");
    let host: Arc<dyn HandshakeHost> = Arc::new(Host::default());
    let mut builder = brokertls::ContextBuilder::new();
    builder.host_trust(Arc::clone(&host), Vec::new()).trust(authority.trust());
    assert_eq!(builder.build().unwrap_err().code(), Code::OptionConflict);
    let mut builder = brokertls::ContextBuilder::new();
    builder.host_identities(host).identity(authority.identity(&["broker.example"]));
    assert_eq!(builder.build().unwrap_err().code(), Code::OptionConflict);
}

#[test]
fn identity_of_another_key_is_refused_with_key_mismatch() {
    let authority = Authority::new("ca");
    let read = |name: &str| {
        let pem = authority.issue(&[name], |_| {});
        open(name, pem.as_bytes(), &OpenOptions::default()).unwrap().identities().unwrap().remove(0)
    };
    let (one, other) = (read("one"), read("other"));
    let mixed = Identity::new(one.chain.clone(), Arc::clone(&other.signing_key), "mixed");
    assert_eq!(mixed.unwrap_err().code(), Code::KeyMismatch);
    let empty = Identity::new(Vec::new(), Arc::clone(&one.signing_key), "empty");
    assert_eq!(empty.unwrap_err().code(), Code::NoCertificate);
}
