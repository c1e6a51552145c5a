//! A client's host chooses an identity only for a server that has been accepted, whatever the server sends.

use std::sync::{Arc, Mutex};

use brokertls::host::HandshakeHost;
use brokertls::{ClientAuth, Code, Connection, ConnectionSettings, Context, Error, MAX_RECORD_BYTES};
use rustls::ContentType;

use crate::rig::host::Host;
use crate::rig::pair::{Authority, Pair, context};

use super::peer::{Peer, Settings, drain};
use super::tamper;

const VERSIONS: [&str; 2] = ["TLSv1.2", "TLSv1.3"];

/// A client of which the host chooses identities and, without an authority, judges servers.
fn client(host: &Arc<Host>, trusted: Option<&Authority>) -> Context {
    let host: Arc<dyn HandshakeHost> = Arc::clone(host) as _;
    context(|builder| {
        builder.host_identities(Arc::clone(&host));
        match trusted {
            Some(authority) => builder.trust(authority.trust()),
            None => builder.host_trust(host, Vec::new()),
        }
    })
}

fn of(version: &str) -> ConnectionSettings {
    ConnectionSettings { versions: Some(version.to_owned()), ..ConnectionSettings::default() }
}

fn connect(client: &Context, settings: &ConnectionSettings) -> Connection {
    client.connect_with(Some("broker.example"), settings).unwrap()
}

/// The questions without their details.
fn order(host: &Host) -> Vec<String> {
    let asked = host.asked();
    asked.iter().map(|line| line.split(' ').next().unwrap().to_owned()).collect()
}

/// A peer that asks for a certificate.
fn server(authority: &Authority, version: &'static str, asks: bool) -> Peer {
    let mut settings = Settings::new(version);
    settings.identity = Some(authority.issue(&["broker.example"], |_| {}));
    settings.verifier.asks = asks;
    Peer::server(settings)
}

/// Feeds our side, and runs its tasks.
fn feed(ours: &mut Connection, mut bytes: &mut [u8]) {
    let mut plain = vec![0; MAX_RECORD_BYTES];
    while !bytes.is_empty() {
        match ours.unwrap(bytes, &mut plain) {
            Ok(taken) if taken.consumed > 0 => bytes = &mut bytes[taken.consumed..],
            _ => return,
        }
        ours.run_task();
    }
}

/// Runs the handshake with what `change` makes of the server's records.
fn run(peer: &mut Peer, ours: &mut Connection, mut change: impl FnMut(&mut Vec<u8>)) -> Option<Error> {
    loop {
        ours.run_task();
        let to_peer = drain(ours);
        peer.read(&to_peer);
        let mut to_us = Vec::new();
        while peer.rustls.wants_write() {
            peer.rustls.write_tls(&mut to_us).unwrap();
        }
        change(&mut to_us);
        if to_us.is_empty() && to_peer.is_empty() {
            return ours.failure().cloned();
        }
        feed(ours, &mut to_us);
    }
}

#[test]
fn identity_is_chosen_once_the_server_is_accepted_and_its_certificates_are_seen() {
    let authority = Authority::new("ca");
    for version in VERSIONS {
        for trusted in [None, Some(&authority)] {
            let host = Arc::new(Host::with_identity(&authority, "client"));
            let mut ours = connect(&client(&host, trusted), &of(version));
            let mut peer = server(&authority, version, true);
            assert!(run(&mut peer, &mut ours, |_| {}).is_none(), "{version}");
            assert_eq!(peer.rustls.peer_certificates().map(<[_]>::len), Some(1), "{version}");
            let expected: &[&str] = if trusted.is_some() { &["identity"] } else { &["peer", "identity"] };
            assert_eq!(order(&host), expected, "{version}");
            let shown = host.asked().pop().unwrap();
            assert!(shown.starts_with("identity Client None") && shown.ends_with(" 1"), "{version}: {shown}");
        }
    }
}

#[test]
fn no_identity_is_chosen_for_a_server_that_is_refused() {
    let (authority, stranger) = (Authority::new("ca"), Authority::new("stranger"));
    for version in VERSIONS {
        let host = Arc::new(Host::refusing_peer(&authority, Code::CertRejectedByManager));
        let mut ours = connect(&client(&host, None), &of(version));
        let mut peer = server(&authority, version, true);
        let refusal = run(&mut peer, &mut ours, |_| {}).unwrap();
        assert_eq!((refusal.code(), peer.alert), (Code::CertRejectedByManager, Some(46)), "{version}: {refusal}");
        assert_eq!(order(&host), ["peer"], "{version}");
        let host = Arc::new(Host::with_identity(&authority, "client"));
        let mut ours = connect(&client(&host, Some(&stranger)), &of(version));
        let mut peer = server(&authority, version, true);
        let refusal = run(&mut peer, &mut ours, |_| {}).unwrap();
        assert_eq!((refusal.code(), peer.alert), (Code::CertUnknownIssuer, Some(48)), "{version}: {refusal}");
        assert!(order(&host).is_empty(), "{version}");
    }
}

#[test]
fn server_without_a_request_is_judged_once_and_no_identity_is_chosen() {
    let authority = Authority::new("ca");
    for version in VERSIONS {
        let host = Arc::new(Host::with_identity(&authority, "client"));
        let mut ours = connect(&client(&host, None), &of(version));
        assert!(run(&mut server(&authority, version, false), &mut ours, |_| {}).is_none(), "{version}");
        assert_eq!(order(&host), ["peer"], "{version}");
    }
}

#[test]
fn server_that_asks_for_another_group_first_is_looked_at_too() {
    let authority = Authority::new("ca");
    let host = Arc::new(Host::with_identity(&authority, "client"));
    let own = ConnectionSettings { groups: Some("X25519:secp384r1".to_owned()), ..of("TLSv1.3") };
    let mut ours = connect(&client(&host, None), &own);
    let mut settings = Settings::new("TLSv1.3");
    settings.identity = Some(authority.issue(&["broker.example"], |_| {}));
    settings.groups = Some("secp384r1");
    let mut peer = Peer::server(settings);
    assert!(run(&mut peer, &mut ours, |_| {}).is_none());
    assert_eq!(order(&host), ["peer", "identity"]);
    assert_eq!(peer.rustls.peer_certificates().map(<[_]>::len), Some(1));
}

#[test]
fn flight_in_small_records_and_one_byte_at_a_time_is_read_to_its_end() {
    let authority = Authority::new("ca");
    for version in VERSIONS {
        let server_host = Arc::new(Host::with_identity(&authority, "broker.example"));
        let host = Arc::new(Host::with_identity(&authority, "client"));
        let serving: Arc<dyn HandshakeHost> = Arc::clone(&server_host) as _;
        let server = context(|builder| builder.host_identities(Arc::clone(&serving)).host_trust(serving, Vec::new()));
        let small = ConnectionSettings {
            max_record_bytes: Some(ConnectionSettings::LEAST_RECORD_BYTES),
            client_auth: Some(ClientAuth::Need),
            ..of(version)
        };
        let client = connect(&client(&host, None), &of(version));
        let mut pair = Pair { server: server.accept_with(&small).unwrap(), client };
        let ended = pair.run();
        assert!(ended.client.is_ok() && ended.server.is_ok(), "{version}");
        assert_eq!(order(&host), ["peer", "identity"], "{version}");
        assert_eq!(pair.server.peer_chain().len(), 1, "{version}");
    }
}

/// The alert unrecognized_name as a warning (RFC 6066 section 3), which servers send before their ServerHello.
const WARNING: [u8; 7] = [21, 3, 3, 0, 2, 1, 112];

#[test]
fn identity_is_chosen_for_a_server_that_sends_a_warning_first() {
    let authority = Authority::new("ca");
    for version in VERSIONS {
        let host = Arc::new(Host::with_identity(&authority, "client"));
        let mut ours = connect(&client(&host, None), &of(version));
        let mut peer = server(&authority, version, true);
        let mut is_first = true;
        let failure = run(&mut peer, &mut ours, |records| {
            if !records.is_empty() && std::mem::take(&mut is_first) {
                records.splice(0..0, WARNING);
            }
        });
        assert!(failure.is_none(), "{version}: {failure:?}");
        assert_eq!(order(&host), ["peer", "identity"], "{version}");
        assert_eq!(peer.rustls.peer_certificates().map(<[_]>::len), Some(1), "{version}");
    }
}

/// The plain messages of a server of TLS 1.2 in records of one byte each.
#[test]
fn plain_flight_in_records_of_one_byte_is_read_to_its_end() {
    let authority = Authority::new("ca");
    let host = Arc::new(Host::with_identity(&authority, "client"));
    let mut ours = connect(&client(&host, None), &of("TLSv1.2"));
    let mut peer = server(&authority, "TLSv1.2", true);
    let mut is_first = true;
    let failure = run(&mut peer, &mut ours, |records| {
        if std::mem::take(&mut is_first) && !records.is_empty() {
            *records = messages(records).iter().flat_map(|byte| [22, 3, 3, 0, 1, *byte]).collect();
        }
    });
    assert!(failure.is_none(), "{failure:?}");
    assert_eq!(order(&host), ["peer", "identity"]);
}

/// The content of plain handshake records.
fn messages(mut records: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    while let [22, _, _, high, low, rest @ ..] = records {
        let (body, more) = rest.split_at(usize::from(u16::from_be_bytes([*high, *low])));
        content.extend_from_slice(body);
        records = more;
    }
    content
}

/// The messages of a flight, each with its header.
fn split(mut content: &[u8]) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    while let [_, high, middle, low, ..] = content {
        let length = 4 + (usize::from(*high) << 16 | usize::from(*middle) << 8 | usize::from(*low));
        all.push(content[..length].to_vec());
        content = &content[length..];
    }
    all
}

/// The messages of the flight in TLS 1.3, by their place in it.
const REQUEST: usize = 1;
const CERTIFICATE: usize = 2;
const PROOF: usize = 3;

/// Runs a handshake in which the server's flight is what `change` makes of its messages. Gives the failure of our side,
/// the questions, and true if the server got a certificate.
fn altered(version: &'static str, change: impl Fn(&mut Vec<Vec<u8>>) + 'static) -> (Option<Error>, Vec<String>, bool) {
    let authority = Authority::new("ca");
    let host = Arc::new(Host::with_identity(&authority, "client"));
    let mut ours = connect(&client(&host, None), &of(version));
    let mut peer = server(&authority, version, true);
    let change = Arc::new(change);
    let is_done = Arc::new(Mutex::new(false));
    if version == "TLSv1.3" {
        let (change, is_done) = (Arc::clone(&change), Arc::clone(&is_done));
        tamper::alter(move |typ, content| {
            if *typ == ContentType::Handshake && !std::mem::replace(&mut *is_done.lock().unwrap(), true) {
                let mut parts = split(content);
                change(&mut parts);
                *content = parts.concat();
            }
        });
    }
    let failure = run(&mut peer, &mut ours, |records| {
        if version == "TLSv1.2" && !records.is_empty() && !std::mem::replace(&mut *is_done.lock().unwrap(), true) {
            let mut parts = split(&messages(records));
            change(&mut parts);
            *records = parts
                .concat()
                .chunks(16_000)
                .flat_map(|part| [&[22, 3, 3], &(part.len() as u16).to_be_bytes()[..], part].concat())
                .collect();
        }
    });
    tamper::alter_nothing();
    (failure, order(&host), peer.rustls.peer_certificates().is_some())
}

/// A name, and what it makes of the messages of a flight.
type Change = (&'static str, fn(&mut Vec<Vec<u8>>));

#[test]
fn flight_in_a_wrong_order_or_with_a_message_too_many_asks_for_no_identity() {
    let changes: [Change; 6] = [
        ("certificate before request", |parts| parts.swap(REQUEST, CERTIFICATE)),
        ("no certificate", |parts| drop(parts.remove(CERTIFICATE))),
        ("two certificates", |parts| parts.insert(CERTIFICATE, parts[CERTIFICATE].clone())),
        ("two requests", |parts| parts.insert(REQUEST, parts[REQUEST].clone())),
        ("compressed", |parts| parts[CERTIFICATE][0] = 25),
        ("unknown", |parts| parts.insert(CERTIFICATE, vec![99, 0, 0, 1, 7])),
    ];
    for (what, change) in changes {
        let (failure, asked, has_shown) = altered("TLSv1.3", change);
        assert!(failure.is_some(), "{what}");
        assert!(asked.is_empty() && !has_shown, "{what}: {asked:?}");
    }
    let changes: [Change; 4] = [
        ("request before certificate", |parts| parts.swap(1, 3)),
        ("no certificate", |parts| drop(parts.remove(1))),
        ("two certificates", |parts| parts.insert(1, parts[1].clone())),
        ("two requests", |parts| parts.insert(3, parts[3].clone())),
    ];
    for (what, change) in changes {
        let (failure, asked, has_shown) = altered("TLSv1.2", change);
        assert!(failure.is_some(), "{what}");
        assert!(asked.is_empty() && !has_shown, "{what}: {asked:?}");
    }
}

#[test]
fn server_without_the_key_of_its_certificate_gets_none_of_ours() {
    let (failure, asked, has_shown) = altered("TLSv1.3", |parts| *parts[PROOF].last_mut().unwrap() ^= 1);
    assert_eq!(failure.unwrap().code(), Code::CertProofInvalid);
    assert_eq!(asked, ["peer", "identity"]);
    assert!(!has_shown);
}

#[test]
fn damage_at_each_byte_of_the_flight_never_has_an_identity_chosen_before_the_server_is_accepted() {
    for version in VERSIONS {
        for index in 0..1200 {
            let (failure, asked, has_shown) = altered(version, move |parts| {
                let place = index % parts.iter().map(Vec::len).sum::<usize>();
                let mut content = parts.concat();
                content[place] ^= 0x41;
                *parts = vec![content];
            });
            let identity = asked.iter().position(|what| what == "identity");
            let peer = asked.iter().position(|what| what == "peer");
            assert!(identity.is_none() || peer < identity && peer.is_some(), "{version} {index}: {asked:?}");
            // A length can say that more is to come.
            // In TLS 1.2 the proof does not cover all of the flight, and a client shows its certificate before the end.
            assert!(version == "TLSv1.2" || !has_shown, "{version} {index}: {asked:?} {failure:?}");
        }
    }
}

#[test]
fn flight_cut_at_each_byte_asks_nothing() {
    for version in VERSIONS {
        for cut in (0..900).step_by(7) {
            let (_, asked, has_shown) = altered(version, move |parts| {
                let content = parts.concat();
                *parts = vec![content[..cut.min(content.len() - 1)].to_vec()];
            });
            assert!(asked.is_empty() && !has_shown, "{version} {cut}: {asked:?}");
        }
    }
}

#[test]
fn endless_flight_ends_within_the_limit_of_the_handshake() {
    let authority = Authority::new("ca");
    // After the ServerHello of TLS 1.3, records that say nothing; within the Certificate of TLS 1.2, parts of it.
    for (version, filler) in [("TLSv1.3", vec![20, 3, 3, 0, 1, 1]), ("TLSv1.2", vec![22, 3, 3, 0, 1, 0])] {
        let host = Arc::new(Host::with_identity(&authority, "client"));
        let mut ours = connect(&client(&host, None), &of(version));
        let mut peer = server(&authority, version, true);
        let failure = run(&mut peer, &mut ours, |records| {
            if records.is_empty() {
                return;
            }
            let hello = 5 + usize::from(u16::from_be_bytes([records[3], records[4]]));
            let mut endless = match version {
                "TLSv1.3" => records[..hello].to_vec(),
                _ => {
                    let first = split(&messages(records)).remove(0);
                    let start = [&first[..], &[11, 0, 0xff, 0xff]].concat();
                    [&[22, 3, 3], &(start.len() as u16).to_be_bytes()[..], &start].concat()
                }
            };
            (0..100_000).for_each(|_| endless.extend_from_slice(&filler));
            *records = endless;
        });
        assert_eq!(failure.map(|error| error.code()), Some(Code::HandshakeTooLarge), "{version}");
        assert!(order(&host).is_empty(), "{version}");
    }
}
