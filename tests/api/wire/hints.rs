//! Hints and lines of the log about peers that refuse, are refused, or leave.

use std::sync::{Arc, Mutex};

use brokertls::{ClientAuth, Code, Connection, Level, Stream};
use rustls::SignatureScheme;

use super::peer::{Peer, Settings};
use crate::pair::{Authority, Pair, context};
use brokertls::{IdentitySource, Source};

const VERSIONS: [&str; 2] = ["TLSv1.2", "TLSv1.3"];

fn source(pem: &str) -> IdentitySource {
    IdentitySource::new(Source::memory("identity.pem", pem.as_bytes()))
}

/// A server that asks for a certificate, and takes signatures of ECDSA alone.
fn server(authority: &Authority, version: &'static str) -> Peer {
    let mut settings = Settings::new(version);
    settings.identity = Some(authority.issue(&["broker.example"], |_| {}));
    settings.verifier.schemes = vec![SignatureScheme::ECDSA_NISTP256_SHA256];
    Peer::server(settings)
}

/// The hint after the server has left without a word.
fn left(mut peer: Peer, mut ours: Connection) -> String {
    assert!(peer.run(&mut ours, |_| {}).is_none());
    ours.end_of_input().unwrap_err().hint().to_owned()
}

#[test]
fn identity_that_the_server_does_not_take_is_named_with_what_it_takes() {
    let authority = Authority::new("ca");
    for version in VERSIONS {
        let client =
            context(|builder| builder.trust(authority.trust()).identity(source(&authority.issue_ed25519("client"))));
        let hint = left(server(&authority, version), client.connect(Some("broker.example")).unwrap());
        assert!(hint.contains("Ed25519") && hint.contains("ecdsa_secp256r1_sha256"), "{version}: {hint}");
        let nothing = context(|builder| builder.trust(authority.trust()));
        let hint = left(server(&authority, version), nothing.connect(Some("broker.example")).unwrap());
        assert!(hint.contains("this side has none"), "{version}: {hint}");
        let usable = context(|builder| builder.trust(authority.trust()).identity(authority.identity(&["client"])));
        let hint = left(server(&authority, version), usable.connect(Some("broker.example")).unwrap());
        assert!(hint.contains("it may have refused it"), "{version}: {hint}");
    }
}

#[test]
fn server_that_leaves_without_an_answer_may_be_at_a_plain_port() {
    let authority = Authority::new("ca");
    let client = context(|builder| builder.trust(authority.trust()));
    let mut ours = client.connect(Some("broker.example")).unwrap();
    let error = ours.end_of_input().unwrap_err();
    assert_eq!(error.code(), Code::HandshakeEof);
    assert!(error.hint().contains("without TLS"), "{}", error.hint());
    // The four bytes with which a broker answers at its plain port.
    let mut ours = client.connect(Some("broker.example")).unwrap();
    let error = ours.unwrap(&mut [0x20, 2, 0, 1], &mut []).unwrap_err();
    assert_eq!(error.code(), Code::PeerNotTls);
    assert!(error.detail().contains("MQTT"), "{error}");
}

#[test]
fn refused_peer_is_logged_as_an_error_with_its_hint() {
    let authority = Authority::new("ca");
    let lines: Arc<Mutex<Vec<(Level, String)>>> = Arc::default();
    for logs in [true, false] {
        let sink = Arc::clone(&lines);
        let server = context(|builder| {
            builder.identity(authority.identity(&["broker.example"])).trust(authority.trust());
            builder.client_auth(ClientAuth::Need).log_refusals(logs);
            builder.log(Arc::new(move |level, line: &str| sink.lock().unwrap().push((level, line.to_owned()))))
        });
        let client = context(|builder| builder.trust(authority.trust()));
        let ended = Pair::new(&server, &client, "broker.example").run();
        assert_eq!(ended.server.unwrap_err().code(), Code::CertMissing);
        let written = std::mem::take(&mut *lines.lock().unwrap());
        let written: Vec<_> = written.iter().filter(|(level, _)| *level == Level::Error).collect();
        assert_eq!(written.len(), usize::from(logs), "{written:?}");
        let is_told =
            |line: &str| line.starts_with("connection 1: BTLS_CERT_MISSING (316)") && line.contains("send-ca-names");
        assert!(written.iter().all(|(_, line)| is_told(line)), "{written:?}");
        // A port that is only looked at is no news.
        server.accept().unwrap().end_of_input().unwrap_err();
        assert!(lines.lock().unwrap().is_empty());
    }
}

#[test]
fn callback_that_fails_without_a_number_is_no_success() {
    let authority = Authority::new("ca");
    let mut stream = Stream::new(context(|builder| builder.identity(authority.identity(&["a"]))).accept().unwrap());
    let nothing = || std::io::Error::from_raw_os_error(0);
    stream.set_callbacks(Box::new(move |_| Err(nothing())), Box::new(move |_| Err(nothing()))).unwrap();
    let error = stream.handshake().unwrap_err();
    assert_eq!(error.code(), Code::IoOther);
    assert!(!error.to_string().contains("Success") && error.detail().contains("no error number"), "{error}");
}
