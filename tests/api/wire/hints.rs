//! Hints and lines of the log about peers that refuse, are refused, or leave.

use std::sync::{Arc, Mutex};

use brokertls::{ClientAuth, Code, Connection, ContextBuilder, Level, LogLine, Stream};
use rustls::SignatureScheme;
use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;

use super::peer::{Peer, Settings};
use crate::rig::pair::{Authority, Pair, context};
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
            builder.log(Arc::new(move |line| sink.lock().unwrap().push((line.level, line.text.to_owned()))))
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

/// The hint of a server that needs a certificate and trusts these, for a client without one.
fn missing(version: &str, authorities: &[Authority], sends_names: bool) -> String {
    let server = context(|builder| {
        for authority in authorities {
            builder.trust(authority.trust());
        }
        builder.identity(authorities[0].identity(&["broker.example"]));
        builder.client_auth(ClientAuth::Need).send_ca_names(sends_names)
    });
    let client = context(|builder| builder.trust(authorities[0].trust()).versions(version));
    let error = Pair::new(&server, &client, "broker.example").run().server.unwrap_err();
    assert_eq!(error.code(), Code::CertMissing);
    error.hint().to_owned()
}

#[test]
fn client_without_a_certificate_is_explained_by_the_cas_that_it_was_named() {
    for version in VERSIONS {
        let authorities: Vec<_> = (1..=2).map(|number| Authority::new(&format!("ca {number}"))).collect();
        let hint = missing(version, &authorities, true);
        assert!(hint.contains("send-ca-names") && hint.ends_with("Named: \"CN=ca 1\", \"CN=ca 2\"."), "{hint}");
        let hint = missing(version, &authorities, false);
        assert!(hint.contains("no CA is named to it") && !hint.contains("hold"), "{hint}");
        let many: Vec<_> = (1..=40).map(|number| Authority::new(&format!("{} {number}", "ca".repeat(200)))).collect();
        let hint = missing(version, &many, true);
        assert!(hint.ends_with(" and 35 more.") && hint.chars().count() < 2000, "{hint}");
    }
}

#[test]
fn identity_of_another_ca_than_the_server_names_is_sent_and_the_refusal_says_so() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    for version in VERSIONS {
        let server = context(|builder| {
            builder.identity(ours.identity(&["broker.example"])).trust(theirs.trust()).client_auth(ClientAuth::Need)
        });
        let client =
            context(|builder| builder.trust(ours.trust()).identity(ours.identity(&["client"])).versions(version));
        let ended = Pair::new(&server, &client, "broker.example").run();
        assert_eq!(ended.server.unwrap_err().code(), Code::CertUnknownIssuer, "{version}");
        let error = ended.client.unwrap_err();
        assert_eq!(error.code(), Code::AlertUnknownCa, "{version}");
        let told = "its issuer is \"CN=ours\", and the server names \"CN=theirs\"";
        assert!(error.hint().contains(told), "{version}: {}", error.hint());
    }
}

type Lines = Arc<Mutex<Vec<(Level, String)>>>;

fn logging(lines: &Lines, change: impl FnOnce(&mut ContextBuilder) -> &mut ContextBuilder) -> brokertls::Context {
    let sink = Arc::clone(lines);
    let write = move |line: &LogLine<'_>| sink.lock().unwrap().push((line.level, line.text.to_owned()));
    context(|builder| change(builder.log(Arc::new(write))))
}

fn errors(lines: &Lines) -> Vec<String> {
    let written = std::mem::take(&mut *lines.lock().unwrap());
    written.into_iter().filter(|(level, _)| *level == Level::Error).map(|(_, line)| line).collect()
}

#[test]
fn each_kind_of_refusal_is_one_line_on_the_side_that_finds_it_and_on_the_other() {
    let authority = Authority::new("ca");
    let (of_server, of_client): (Lines, Lines) = Default::default();
    for version in VERSIONS {
        let server = logging(&of_server, |builder| builder.identity(authority.identity(&["broker.example"])));
        let client = logging(&of_client, |builder| builder.trust(authority.trust()).versions(version));
        // The peer refuses this side, and this side the peer.
        Pair::new(&server, &client, "elsewhere.example").run();
        let (server_lines, client_lines) = (errors(&of_server), errors(&of_client));
        let [line] = &server_lines[..] else { panic!("{server_lines:?}") };
        assert!(line.starts_with("connection 1: BTLS_ALERT_BAD_CERTIFICATE (1042)"), "{line}");
        let [line] = &client_lines[..] else { panic!("{client_lines:?}") };
        assert!(line.starts_with("connection 1: BTLS_CERT_NAME_MISMATCH (303)"), "{line}");
        // The protocol fails.
        server.accept().unwrap().unwrap(&mut [22, 3, 1, 0, 4, 14, 0, 0, 0], &mut []).unwrap_err();
        let server_lines = errors(&of_server);
        assert!(
            matches!(&server_lines[..], [line] if line.contains("BTLS_UNEXPECTED_MESSAGE (509)")),
            "{server_lines:?}"
        );
        // A client is left alone at once: it has chosen its peer.
        client.connect(Some("broker.example")).unwrap().end_of_input().unwrap_err();
        let client_lines = errors(&of_client);
        assert!(matches!(&client_lines[..], [line] if line.contains("BTLS_HANDSHAKE_EOF (514)")), "{client_lines:?}");
        // A handshake that both sides accept, and its end without a goodbye.
        let mut accepted = Pair::new(&server, &client, "broker.example");
        accepted.run().server.unwrap();
        assert!(errors(&of_server).is_empty() && errors(&of_client).is_empty());
    }
}

/// The clock stands still.
#[derive(Debug)]
struct Still;

impl TimeProvider for Still {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_800_000_000)))
    }
}

#[test]
fn peers_without_end_write_60_lines_a_minute_and_no_more() {
    let authority = Authority::new("ca");
    let lines = Lines::default();
    let server = logging(&lines, |builder| {
        builder.identity(authority.identity(&["broker.example"])).clock(Arc::new(Still) as Arc<dyn TimeProvider>)
    });
    for number in 1..=500 {
        let error = server.accept().unwrap().unwrap(&mut b"GET /\x1b[2J\r\n HTTP/1.1".to_vec(), &mut []).unwrap_err();
        assert_eq!(error.code(), Code::PeerNotTls, "{number}");
    }
    let written = errors(&lines);
    assert_eq!(written.len(), 60);
    assert!(written[58].starts_with("connection 59: ") && !written[58].contains("not logged"), "{}", written[58]);
    assert!(written[59].ends_with(" (more refusals of this minute are not logged)"), "{}", written[59]);
    assert!(written.iter().all(|line| !line.chars().any(char::is_control)));
}

#[test]
fn name_that_a_peer_chose_cannot_forge_a_line() {
    let authority = Authority::new("ca\nconnection 7: forged\u{1b}[2J\u{202e}");
    let trusted = Authority::new("trusted");
    let lines = Lines::default();
    let server = context(|builder| builder.identity(authority.identity(&["broker.example"])));
    let client = logging(&lines, |builder| builder.trust(trusted.trust()));
    Pair::new(&server, &client, "broker.example").run();
    let written = errors(&lines);
    let [line] = &written[..] else { panic!("{written:?}") };
    assert!(line.contains("forged") && !line.chars().any(|c| c.is_control() || c == '\u{202e}'), "{line}");
}

#[test]
fn peer_without_tls_is_explained_by_the_side_that_meets_it() {
    let authority = Authority::new("ca");
    let both = context(|builder| builder.trust(authority.trust()).identity(authority.identity(&["broker.example"])));
    for (bytes, named, hint) in [
        (&b"\x10\x0c\x00\x04MQTT"[..], "MQTT CONNECT", "The client speaks without TLS"),
        (b"CONNECT {\"verbose\":false}\r\n", "NATS", "The client speaks without TLS"),
        (
            b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
            "a PROXY protocol line",
            "A load balancer sends the PROXY protocol",
        ),
        (b"\r\n\r\n\0\r\nQUIT\n\x21", "version 2 header", "A load balancer sends the PROXY protocol"),
        (b"\x80\x2e\x01\x03\x01\0\x15", "an SSL 2.0 hello", "Turn the SSL 2.0 hello off in the client"),
        (b"\0\0\0\x08\x04\xd2\x16\x2f", "a PostgreSQL request for TLS", "A PostgreSQL client asks for TLS before"),
        (b"\0\0\0\x29\0\x03\0\0user\0x\0", "PostgreSQL in plain text", "A PostgreSQL client asks for TLS before"),
        (b"\0\0\0\x29\0\x03\0\0", "a request of Kafka or PostgreSQL", "The client speaks without TLS"),
        (b"\x16\xfe\xfd\0\0\0\0\0", "DTLS", "Let the peer use TLS over TCP"),
    ] {
        let error = both.accept().unwrap().unwrap(&mut bytes.to_vec(), &mut []).unwrap_err();
        assert_eq!(error.code(), Code::PeerNotTls);
        assert!(error.detail().contains(named) && error.hint().starts_with(hint), "{error}; {}", error.hint());
    }
    for bytes in [&b"AMQP\0\0\x09\x01"[..], b"\x20\x03\x00\x84\x00", b"SSH-2.0-x\r\n"] {
        let error = both.connect(Some("broker.example")).unwrap().unwrap(&mut bytes.to_vec(), &mut []).unwrap_err();
        assert_eq!(error.code(), Code::PeerNotTls);
        assert!(error.hint().starts_with("This port serves no TLS: "), "{error}; {}", error.hint());
    }
    for bytes in [&b"INFO {\"server_id\":\"a\"}\r\n"[..], b"220-mail.example ESMTP"] {
        let error = both.connect(Some("broker.example")).unwrap().unwrap(&mut bytes.to_vec(), &mut []).unwrap_err();
        assert!(error.hint().starts_with("The server greets without TLS"), "{error}; {}", error.hint());
    }
}

#[test]
fn client_that_takes_no_more_during_the_handshake_is_told_as_one_that_left() {
    let authority = Authority::new("ca");
    let client = context(|builder| builder.trust(authority.trust()));
    let mut hello = vec![0; 4096];
    let length = client.connect(Some("broker.example")).unwrap().wrap(&[], &mut hello).unwrap().produced;
    hello.truncate(length);
    let lines = Lines::default();
    let server = logging(&lines, |builder| builder.identity(authority.identity(&["broker.example"])));
    let mut stream = Stream::new(server.accept().unwrap());
    let read = move |buffer: &mut [u8]| {
        let taken = std::mem::take(&mut hello);
        buffer[..taken.len()].copy_from_slice(&taken);
        Ok(taken.len())
    };
    stream.set_callbacks(Box::new(read), Box::new(|_| Err(std::io::ErrorKind::BrokenPipe.into()))).unwrap();
    for _ in 0..2 {
        let error = stream.handshake().unwrap_err();
        assert_eq!(error.code(), Code::BrokenPipe);
        assert!(error.hint().starts_with("The client left during the handshake"), "{}", error.hint());
    }
    let written = errors(&lines);
    assert!(matches!(&written[..], [line] if line.contains("BTLS_BROKEN_PIPE (702)")), "{written:?}");
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
    let mut stream =
        Stream::new(context(|builder| builder.trust(authority.trust())).connect(Some("broker.example")).unwrap());
    stream.set_callbacks(Box::new(move |_| Err(nothing())), Box::new(move |_| Err(nothing()))).unwrap();
    let error = stream.handshake().unwrap_err();
    assert_eq!(error.code(), Code::IoOther);
    assert!(error.detail().contains("no error number"), "{error}");
}
