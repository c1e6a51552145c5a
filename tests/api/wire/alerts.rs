//! Each code that a peer can provoke: the code here, and the alert of its row at the peer, who decrypts it.

use std::collections::BTreeSet;
use std::sync::Arc;

use brokertls::error::Category;
use brokertls::{ClientAuth, Code, Connection, ConnectionSettings, Context, Error, IdentitySource, Next, Source};
use rustls::{ContentType, SignatureScheme};

use super::hello::{self, with_length};
use super::peer::{Peer, Settings, feed};
use super::tamper;
use crate::rig::host::Host;
use crate::rig::pair::{Authority, Pair, context};

const VERSIONS: [&str; 2] = ["TLSv1.2", "TLSv1.3"];

/// Codes with an alert that no peer of these tests provokes, each with its reason.
const NOT_PROVOKED: &[(Code, &str)] = &[
    (Code::HandshakeSignatureIllegal, "handshake_signatures.rs provokes it with keys that lie"),
    (Code::PeerIncompatible, "rustls gives its reasons only where FIPS or raw public keys are configured"),
    (Code::FallbackRefused, "legacy/hostile.rs provokes it at the second engine"),
    (Code::PskRefused, "legacy/psk provokes it at the second engine"),
    (Code::PskUnavailable, "legacy/psk/callback.rs provokes it at the second engine"),
    (Code::ProtocolOther, "stands for failures of the engine that have no row; none is known"),
];

/// The results of both sides.
struct Found {
    error: Error,
    alert: Option<u8>,
}

/// The side that this library has.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Side {
    Server,
    Client,
}

/// The certificates of these tests.
struct World {
    authority: Authority,
    server: String,
}

impl World {
    fn new() -> Self {
        let authority = Authority::new("ca");
        let server = authority.issue(&["broker.example"], |_| {});
        Self { authority, server }
    }

    fn identity(&self) -> IdentitySource {
        source(&self.server)
    }

    /// This library's side with its defaults.
    fn ours(&self, side: Side) -> Connection {
        let context = context(|builder| builder.identity(self.identity()).trust(self.authority.trust()));
        match side {
            Side::Server => context.accept().unwrap(),
            Side::Client => context.connect(Some("broker.example")).unwrap(),
        }
    }

    /// The other side: a client of this version if we serve, a server if we connect.
    fn peer(&self, ours: Side, version: &'static str, change: impl FnOnce(&mut Settings)) -> Peer {
        let mut settings = Settings::new(version);
        settings.verifier.asks = false;
        if ours == Side::Client {
            settings.identity = Some(self.server.clone());
        }
        change(&mut settings);
        match ours {
            Side::Server => Peer::client(settings),
            Side::Client => Peer::server(settings),
        }
    }

    /// A handshake with our defaults, in which the records of the peer are changed by `change`.
    fn handshake(&self, side: Side, version: &'static str, change: impl FnMut(&mut Vec<u8>)) -> Found {
        let peer = self.peer(side, version, |_| {});
        end(peer, self.ours(side), change)
    }

    /// A complete handshake, after which the peer sends `records` of data, altered by what `alter` was given.
    fn after_handshake(&self, side: Side, version: &'static str, send: impl FnOnce(&mut Peer) -> Vec<u8>) -> Found {
        let mut peer = self.peer(side, version, |_| {});
        let mut ours = self.ours(side);
        assert!(peer.run(&mut ours, |_| {}).is_none(), "{side:?} {version}");
        assert!(!ours.is_handshaking() && peer.error.is_none());
        let mut bytes = send(&mut peer);
        tamper::alter_nothing();
        feed(&mut ours, &mut bytes);
        end(peer, ours, |_| {})
    }
}

fn source(pem: &str) -> IdentitySource {
    IdentitySource::new(Source::memory("identity.pem", pem.as_bytes()))
}

#[track_caller]
fn end(mut peer: Peer, mut ours: Connection, change: impl FnMut(&mut Vec<u8>)) -> Found {
    let error = peer.run(&mut ours, change);
    tamper::alter_nothing();
    let Some(error) = error else { panic!("nothing ended: {ours:?}, {:?}", peer.error) };
    Found { error, alert: peer.alert }
}

/// The content of a record that the peer encrypts in place of its data.
fn sealed(peer: &mut Peer, typ: u8, content: &[u8]) -> Vec<u8> {
    let content = content.to_vec();
    tamper::alter(move |kind, bytes| {
        if *kind == ContentType::ApplicationData {
            *kind = ContentType::from(typ);
            bytes.clone_from(&content);
        }
    });
    data(peer)
}

/// A record of data.
fn data(peer: &mut Peer) -> Vec<u8> {
    use std::io::Write;
    peer.rustls.writer().write_all(b"data").unwrap();
    let mut bytes = Vec::new();
    while peer.rustls.wants_write() {
        peer.rustls.write_tls(&mut bytes).unwrap();
    }
    bytes
}

/// Bytes that no handshake is needed for.
fn raw(world: &World, side: Side, bytes: &[u8]) -> Found {
    let mut ours = world.ours(side);
    super::peer::drain(&mut ours);
    feed(&mut ours, &mut bytes.to_vec());
    let answer = super::peer::drain(&mut ours);
    let [21, 3, 3, 0, 2, 2, alert] = answer[..] else { panic!("{answer:?}") };
    Found { error: ours.failure().unwrap().clone(), alert: Some(alert) }
}

/// Checks code and alert, and gives the code.
fn check(what: &str, found: Found, code: Code, version: Option<&str>) -> Code {
    assert_eq!(found.error.code(), code, "{what}: {}", found.error);
    assert_eq!(found.alert, code.alert_in(version), "{what}: {}", found.error);
    assert!(found.alert.is_some(), "{what}");
    code
}

fn restricted(world: &World, side: Side, change: impl FnOnce(&mut ConnectionSettings)) -> Connection {
    let mut settings = ConnectionSettings::default();
    change(&mut settings);
    let context = context(|builder| builder.identity(world.identity()).trust(world.authority.trust()));
    match side {
        Side::Server => context.accept_with(&settings).unwrap(),
        Side::Client => context.connect_with(Some("broker.example"), &settings).unwrap(),
    }
}

/// Peers that have nothing in common.
fn nothing_in_common(world: &World, seen: &mut BTreeSet<i32>) {
    let mut keep = |code: Code| seen.insert(code.number());
    for (theirs, ours) in [("TLSv1.2", "TLSv1.3"), ("TLSv1.3", "TLSv1.2")] {
        let server = restricted(world, Side::Server, |settings| settings.versions = Some(ours.to_owned()));
        let found = end(world.peer(Side::Server, theirs, |_| {}), server, |_| {});
        keep(check(theirs, found, Code::NoCommonVersion, None));
    }
    let client = restricted(world, Side::Client, |settings| settings.versions = Some("TLSv1.3".to_owned()));
    // A ServerHello of TLS 1.2 without extensions.
    let hello = [&[3, 3][..], &[7; 32], &[0, 0xc0, 0x2b, 0]].concat();
    let hello = [&[22, 3, 3][..], &with_length(&[&[2, 0, 0, 38][..], &hello].concat())].concat();
    keep(check("an old server", answered(client, &hello), Code::NoCommonVersion, None));

    for version in VERSIONS {
        let aes = restricted(world, Side::Server, |settings| {
            settings.cipher_suites = Some("TLS_AES_128_GCM_SHA256 ECDHE-ECDSA-AES128-GCM-SHA256".to_owned());
        });
        let peer = world.peer(Side::Server, version, |settings| settings.suites = Some(vec![0x1303, 0xcca9]));
        keep(check(version, end(peer, aes, |_| {}), Code::NoCommonCipherSuite, None));

        let x25519 = context(|builder| builder.identity(world.identity()).groups("X25519")).accept().unwrap();
        let peer = world.peer(Side::Server, version, |settings| settings.groups = Some("secp256r1"));
        keep(check(version, end(peer, x25519, |_| {}), Code::NoCommonGroup, None));

        let mqtt = restricted(world, Side::Server, |settings| settings.alpn = Some(vec![b"mqtt".to_vec()]));
        let peer = world.peer(Side::Server, version, |settings| settings.alpn = vec![b"amqp".to_vec()]);
        keep(check(version, end(peer, mqtt, |_| {}), Code::NoCommonAlpn, None));

        let ed25519 = context(|builder| builder.identity(source(&world.authority.issue_ed25519("broker.example"))));
        let peer = world.peer(Side::Server, version, |settings| {
            settings.verifier.schemes = vec![SignatureScheme::ECDSA_NISTP256_SHA256];
        });
        let found = end(peer, ed25519.accept().unwrap(), |_| {});
        keep(check(version, found, Code::NoCommonSignature, None));
    }
    // A server that asks for a certificate, and takes no signature of TLS 1.3.
    let peer = world.peer(Side::Client, "TLSv1.3", |settings| {
        settings.verifier.asks = true;
        settings.verifier.schemes = vec![SignatureScheme::RSA_PKCS1_SHA256];
    });
    keep(check("a request", end(peer, world.ours(Side::Client), |_| {}), Code::NoCommonSignature, None));
}

/// Answers the hello of our client with these bytes; the alert is in plain text.
fn answered(mut client: Connection, bytes: &[u8]) -> Found {
    super::peer::drain(&mut client);
    feed(&mut client, &mut bytes.to_vec());
    let answer = super::peer::drain(&mut client);
    let [21, 3, 3, 0, 2, 2, alert] = answer[..] else { panic!("{answer:?}") };
    Found { error: client.failure().unwrap().clone(), alert: Some(alert) }
}

/// Bytes that are no TLS, before there are keys.
fn before_keys(world: &World, seen: &mut BTreeSet<i32>) {
    let hello_start: &[u8] = &[22, 3, 1, 0, 4, 1, 0, 1, 0];
    let cases: &[(&[u8], Code)] = &[
        (b"GET / HTTP/1.1\r\n\r\n", Code::PeerNotTls),
        (b"\x10\x13\x00\x04MQTT\x04\x02\x00\x3c\x00\x07client1", Code::PeerNotTls),
        (b"\x80\x2e\x01\x03\x01\x00\x15\x00\x00\x00", Code::PeerNotTls),
        (&[22, 3, 1, 0xff, 0xff, 1], Code::RecordTooLarge),
        (&[22, 3, 1, 0, 4, 1, 1, 0, 0], Code::HandshakeTooLarge),
        (&[22, 3, 1, 0, 4, 1, 0, 0, 0], Code::MessageMalformed),
        (&[22, 3, 1, 0, 0], Code::UnexpectedMessage),
        (&[22, 3, 1, 0, 4, 20, 0, 0, 0], Code::UnexpectedMessage),
        (&[23, 3, 3, 0, 1, 9], Code::UnexpectedMessage),
        (&[20, 3, 3, 0, 1, 2], Code::UnexpectedMessage),
        (&[hello_start, &[21, 3, 1, 0, 2, 1, 0]].concat(), Code::UnexpectedMessage),
        (&[hello_start, &[23, 3, 1, 0, 1, 0]].concat(), Code::UnexpectedMessage),
        (&[hello_start, &[24, 3, 1, 0, 1, 0]].concat(), Code::UnexpectedMessage),
        (&[hello_start, &[99, 3, 1, 0, 1, 0]].concat(), Code::UnexpectedMessage),
    ];
    for side in [Side::Server, Side::Client] {
        for (bytes, code) in cases {
            let what = format!("{side:?} {bytes:?}");
            seen.insert(check(&what, raw(world, side, bytes), *code, None).number());
        }
    }
}

/// Hellos that are not as they must be.
fn hellos(world: &World, seen: &mut BTreeSet<i32>) {
    type Edit = fn(&mut hello::Extensions);
    let twice: Edit = |extensions| extensions.push(extensions[0].clone());
    let without_share: Edit = |extensions| extensions.retain(|(kind, _)| *kind != 51);
    let short: Edit = |extensions| {
        let others = extensions.iter_mut().filter(|(kind, _)| *kind != 0);
        others.for_each(|(_, content)| content.truncate(content.len().saturating_sub(1)));
    };
    let unasked: Edit = |extensions| extensions.push((0xfafa, Vec::new()));
    let bad_name: Edit = |extensions| {
        let name = b"broker.example:8883";
        let entry = [&[0], &with_length(name)[..]].concat();
        extensions.retain(|(kind, _)| *kind != 0);
        extensions.insert(0, (0, with_length(&entry)));
    };
    let cases: &[(Side, &[&'static str], Edit, Code)] = &[
        (Side::Server, &VERSIONS, twice, Code::PeerMisbehaved),
        (Side::Client, &VERSIONS, twice, Code::PeerMisbehaved),
        (Side::Server, &["TLSv1.3"], without_share, Code::ExtensionMissing),
        (Side::Client, &["TLSv1.3"], without_share, Code::ExtensionMissing),
        (Side::Server, &VERSIONS, short, Code::MessageMalformed),
        (Side::Client, &VERSIONS, short, Code::MessageMalformed),
        (Side::Client, &VERSIONS, unasked, Code::ExtensionUnexpected),
        (Side::Server, &VERSIONS, bad_name, Code::ServerNameInvalid),
    ];
    for (number, (side, versions, edit, code)) in cases.iter().enumerate() {
        for version in *versions {
            let mut is_first = true;
            let found = world.handshake(*side, version, |bytes| {
                if std::mem::take(&mut is_first) && !bytes.is_empty() || (is_first_hello(bytes, *side)) {
                    hello::edit(bytes, edit);
                }
            });
            seen.insert(check(&format!("{number} {side:?} {version}"), found, *code, None).number());
        }
    }
}

/// Returns true if the bytes start with the hello of the peer of `side`.
fn is_first_hello(bytes: &[u8], side: Side) -> bool {
    side == Side::Client && bytes.first() == Some(&22) && bytes.get(5) == Some(&2)
}

/// Records under the keys of a complete handshake.
fn after_the_handshake(world: &World, seen: &mut BTreeSet<i32>) {
    for side in [Side::Server, Side::Client] {
        for version in VERSIONS {
            // A message that may come after the handshake.
            let allowed = match (side, version) {
                (Side::Client, "TLSv1.3") => 4,
                (Side::Server, "TLSv1.3") => 24,
                (Side::Client, _) => 0,
                (Side::Server, _) => 1,
            };
            let too_large = if matches!(allowed, 1 | 4) { Code::HandshakeTooLarge } else { Code::MessageMalformed };
            let cases: &[(u8, &[u8], Code)] = &[
                (21, &[2], Code::MessageMalformed),
                (22, &[15, 0, 0, 1, 0], Code::UnexpectedMessage),
                (22, &[20, 0, 0, 1, 0], Code::UnexpectedMessage),
                (22, &[allowed, 1, 0, 0], too_large),
                (20, &[2], Code::UnexpectedMessage),
                (22, &[], Code::UnexpectedMessage),
            ];
            for (typ, content, code) in cases {
                let what = format!("{side:?} {version} {typ} {content:?}");
                let found = world.after_handshake(side, version, |peer| match content {
                    [] => (0..40).flat_map(|_| sealed(peer, *typ, content)).collect(),
                    _ => sealed(peer, *typ, content),
                });
                seen.insert(check(&what, found, *code, Some(version)).number());
            }
            let what = format!("{side:?} {version}");
            let found = world.after_handshake(side, version, |peer| {
                [sealed(peer, 22, &[allowed, 0, 0]), sealed(peer, 23, b"data")].concat()
            });
            check(&what, found, Code::UnexpectedMessage, Some(version));
            let found = world.after_handshake(side, version, |_| vec![23, 3, 3, 0xff, 0xff]);
            check(&what, found, Code::RecordTooLarge, Some(version));
            let found = world.after_handshake(side, version, |peer| sealed(peer, 23, &[7; 16 * 1024 + 1]));
            check(&what, found, Code::RecordTooLarge, Some(version));
            let found = world.after_handshake(side, version, |peer| {
                let mut bytes = data(peer);
                *bytes.last_mut().unwrap() ^= 1;
                bytes
            });
            seen.insert(check(&what, found, Code::DecryptFailed, Some(version)).number());
        }
        // An inner type of zero, which only TLS 1.3 has (RFC 8446 section 5.4).
        let found = world.after_handshake(side, "TLSv1.3", |peer| sealed(peer, 0, &[0, 0]));
        check("inner type zero", found, Code::UnexpectedMessage, Some("TLSv1.3"));
    }
}

/// The last message of the handshake, altered.
fn wrong_finished(world: &World, seen: &mut BTreeSet<i32>) {
    for side in [Side::Server, Side::Client] {
        for version in VERSIONS {
            tamper::alter(|kind, bytes| {
                if *kind == ContentType::Handshake
                    && let Some(place) = finished(bytes)
                {
                    bytes[place] ^= 1;
                }
            });
            let found = world.handshake(side, version, |_| {});
            let code = check(&format!("{side:?} {version}"), found, Code::FinishedInvalid, Some(version));
            seen.insert(code.number());
        }
    }
}

/// The last byte of a Finished message that ends `bytes`.
fn finished(bytes: &[u8]) -> Option<usize> {
    let mut start = 0;
    while let [kind, a, b, c, ..] = bytes.get(start..)? {
        let end = start + 4 + usize::try_from(u32::from_be_bytes([0, *a, *b, *c])).unwrap();
        if *kind == 20 {
            return Some(end - 1);
        }
        start = end;
    }
    None
}

/// Every refusal of a certificate, as a host gives it; and some as this library finds them.
fn certificates(world: &World, seen: &mut BTreeSet<i32>) {
    let refusals = Code::ALL.iter().filter(|code| {
        matches!(code.category(), Category::Certificate | Category::Revocation) && code.alert().is_some()
    });
    for code in refusals.copied().chain([Code::ServerNameRefused]) {
        for version in VERSIONS {
            if code == Code::ServerNameRefused {
                let server = hosted(Host::refusing_hello(&world.authority, code));
                let asks = ConnectionSettings { asks_about_hello: true, ..ConnectionSettings::default() };
                let found = end(world.peer(Side::Server, version, |_| {}), server.accept_with(&asks).unwrap(), |_| {});
                seen.insert(check(version, found, code, None).number());
                continue;
            }
            for side in [Side::Server, Side::Client] {
                let context = hosted(Host::refusing_peer(&world.authority, code));
                let needs = ConnectionSettings { client_auth: Some(ClientAuth::Need), ..ConnectionSettings::default() };
                let ours = match side {
                    Side::Server => context.accept_with(&needs).unwrap(),
                    Side::Client => context.connect(Some("broker.example")).unwrap(),
                };
                let peer = world.peer(side, version, |settings| settings.identity = Some(world.server.clone()));
                let found = end(peer, ours, |_| {});
                seen.insert(check(&format!("{side:?} {version}"), found, code, Some(version)).number());
            }
        }
    }
    for version in VERSIONS {
        let needs = context(|builder| {
            builder.identity(world.identity()).trust(world.authority.trust()).client_auth(ClientAuth::Need)
        });
        let found = end(world.peer(Side::Server, version, |_| {}), needs.accept().unwrap(), |_| {});
        check(version, found, Code::CertMissing, Some(version));
        let stranger = Authority::new("stranger");
        let client = context(|builder| builder.trust(stranger.trust())).connect(Some("broker.example")).unwrap();
        let found = end(world.peer(Side::Client, version, |_| {}), client, |_| {});
        check(version, found, Code::CertUnknownIssuer, Some(version));
        let client = context(|builder| builder.trust(world.authority.trust())).connect(Some("b.example")).unwrap();
        let found = end(world.peer(Side::Client, version, |_| {}), client, |_| {});
        check(version, found, Code::CertNameMismatch, Some(version));
        let client = restricted(world, Side::Client, |settings| settings.resumes_only = true);
        let found = end(world.peer(Side::Client, version, |_| {}), client, |_| {});
        seen.insert(check(version, found, Code::SessionNotResumed, Some(version)).number());
    }
}

fn hosted(host: Host) -> Context {
    let host: Arc<dyn brokertls::host::HandshakeHost> = Arc::new(host);
    context(|builder| {
        builder.host_identities(Arc::clone(&host)).host_trust(Arc::clone(&host), Vec::new()).hello_host(host)
    })
}

#[test]
fn every_code_that_a_peer_can_provoke_is_sent_as_the_alert_of_its_row() {
    let world = World::new();
    let mut seen = BTreeSet::new();
    nothing_in_common(&world, &mut seen);
    before_keys(&world, &mut seen);
    hellos(&world, &mut seen);
    after_the_handshake(&world, &mut seen);
    wrong_finished(&world, &mut seen);
    certificates(&world, &mut seen);
    for code in Code::ALL {
        let is_of_a_peer = matches!(code.category(), Category::Protocol | Category::Certificate | Category::Revocation);
        let is_excused = NOT_PROVOKED.iter().any(|(excused, _)| excused == code);
        if is_of_a_peer && code.alert().is_some() {
            assert!(seen.contains(&code.number()) != is_excused, "{} has no test, or two", code.name());
        }
    }
}

#[test]
fn answer_to_a_key_update_that_waits_comes_before_the_alert() {
    let world = World::new();
    for side in [Side::Server, Side::Client] {
        // More requests than are allowed without data between them: rustls queues no alert, and still holds its answer.
        let found = world.after_handshake(side, "TLSv1.3", |peer| {
            let mut bytes = Vec::new();
            for _ in 0..40 {
                peer.rustls.refresh_traffic_keys().unwrap();
                peer.rustls.write_tls(&mut bytes).unwrap();
            }
            bytes
        });
        check(&format!("{side:?}"), found, Code::UnexpectedMessage, Some("TLSv1.3"));
        // And an alert that rustls does queue.
        let found = world.after_handshake(side, "TLSv1.3", |peer| {
            let mut bytes = Vec::new();
            peer.rustls.refresh_traffic_keys().unwrap();
            peer.rustls.write_tls(&mut bytes).unwrap();
            let mut broken = data(peer);
            *broken.last_mut().unwrap() ^= 1;
            [bytes, broken].concat()
        });
        check(&format!("{side:?}"), found, Code::DecryptFailed, Some("TLSv1.3"));
    }
}

#[test]
fn peer_of_a_task_that_cannot_run_is_told_and_no_task_is_left() {
    let world = World::new();
    for (side, version) in [Side::Server, Side::Client].into_iter().flat_map(|side| VERSIONS.map(|one| (side, one))) {
        let mut peer = world.peer(side, version, |_| {});
        let mut ours = restricted(&world, side, |settings| settings.uses_tasks = true);
        assert!(peer.run(&mut ours, |_| {}).is_none());
        assert_eq!(ours.next(), Next::NeedTask, "{side:?} {version}");
        assert_eq!(ours.refuse_task(Code::WorkersBusy.into()).code(), Code::WorkersBusy);
        assert_eq!(ours.next(), Next::NeedWrap, "{side:?} {version}");
        let error = peer.run(&mut ours, |_| {}).unwrap();
        check(version, Found { error, alert: peer.alert }, Code::WorkersBusy, Some(version));
        assert_eq!(ours.refuse_task(Code::Internal.into()).code(), Code::WorkersBusy);
        ours.run_task();
        assert!(!ours.has_outgoing() && ours.is_handshaking(), "{side:?} {version}");
    }
}

#[test]
fn nothing_follows_a_close_notify() {
    let world = World::new();
    for version in VERSIONS {
        let mut peer = world.peer(Side::Server, version, |_| {});
        let mut ours = world.ours(Side::Server);
        assert!(peer.run(&mut ours, |_| {}).is_none());
        ours.close_write().unwrap();
        let closing = super::peer::drain(&mut ours);
        peer.read(&closing);
        let mut bytes = sealed(&mut peer, 22, &[15, 0, 0]);
        bytes.extend(sealed(&mut peer, 23, b"data"));
        tamper::alter_nothing();
        feed(&mut ours, &mut bytes);
        assert_eq!(ours.failure().unwrap().code(), Code::UnexpectedMessage, "{version}");
        assert!(!ours.has_outgoing(), "{version}");
    }
}

#[test]
fn what_is_known_of_a_connection_stays_known_after_its_failure() {
    let world = World::new();
    let context = context(|builder| {
        let builder = builder.identity(world.identity()).trust(world.authority.trust());
        builder.client_auth(ClientAuth::Need).alpn(b"mqtt").unwrap()
    });
    let known = |ours: &Connection| {
        let chain: Vec<Vec<u8>> = ours.peer_chain().iter().map(|cert| cert.to_vec()).collect();
        let agreed = (ours.version(), ours.cipher_suite(), ours.group(), ours.alpn().map(<[u8]>::to_vec));
        (agreed, chain, ours.is_resumed(), ours.is_handshaking())
    };
    let mut pair = Pair::connect(&context, &context, "broker.example");
    for ours in [&mut pair.server, &mut pair.client] {
        let before = known(ours);
        assert_eq!((before.0.0, before.0.3.as_deref()), (Some("TLSv1.3"), Some(&b"mqtt"[..])));
        assert_eq!((before.1.len(), before.2, before.3), (1, Some(false), false));
        feed(ours, &mut [23, 3, 3, 0, 20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]);
        assert_eq!(ours.failure().unwrap().code(), Code::DecryptFailed);
        assert_eq!(known(ours), before);
        // Nothing is processed any more, and the alert alone goes out.
        ours.run_task();
        assert!(ours.wrap(b"data", &mut [0; 64]).unwrap().produced > 0);
        assert_eq!(ours.wrap(b"data", &mut [0; 64]).unwrap_err().code(), Code::DecryptFailed);
    }
}
