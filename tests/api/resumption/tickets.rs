//! The number and size of tickets, and what becomes of those that are altered, cut, foreign or too many.

use std::path::{Path, PathBuf};

use brokertls::options::Options;
use brokertls::{ClientAuth, Code, Connection, Context, IdentitySource, MAX_RECORD_BYTES, Source, TrustSource};

use super::{VERSIONS, World, is_resumed};
use crate::rig::pair::{Pair, context};

/// A client with a chain of 3.6 KB, and the server it connects to.
fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/cases/27-tickets-of-client-chains").join(name)
}

/// The server of the case with these options.
fn server(versions: &str, options: &[(&str, &str)]) -> Context {
    let mut set = Options::new();
    let cert = case("rleaf.pem");
    for (name, value) in [
        ("cert", cert.to_str().unwrap()),
        ("key", case("rkey.pem").to_str().unwrap()),
        ("trust", case("trust.pem").to_str().unwrap()),
        ("client-auth", "need"),
        ("versions", versions),
    ] {
        set.set(name, value).unwrap();
    }
    for (name, value) in options {
        set.set(name, value).unwrap();
    }
    set.build().unwrap()
}

fn device() -> Context {
    let mut identity = IdentitySource::new(Source::file(case("chain.pem")));
    identity.key = Some(Source::file(case("key.pem")));
    context(|builder| builder.identity(identity).insecure_accept_any_server(true))
}

/// Takes the output of `from`; gives the bytes of records.
fn move_all(from: &mut Connection, to: &mut Connection) -> usize {
    let (mut wire, mut plain) = (vec![0; MAX_RECORD_BYTES], vec![0; MAX_RECORD_BYTES]);
    let mut bytes = 0;
    loop {
        let sent = from.wrap(&[], &mut wire).unwrap().produced;
        if sent == 0 {
            return bytes;
        }
        bytes += sent;
        let mut records = &mut wire[..sent];
        while !records.is_empty() {
            let taken = to.unwrap(records, &mut plain).unwrap();
            records = &mut records[taken.consumed..];
        }
    }
}

/// Connects, and gives how many bytes the server's last flight had: in TLS 1.3 its tickets and nothing else.
fn bytes_after_finished(server: &Context, client: &Context) -> usize {
    let mut pair = Pair::new(server, client, "broker");
    let mut last = 0;
    while pair.server.is_handshaking() || pair.client.is_handshaking() {
        move_all(&mut pair.client, &mut pair.server);
        last = move_all(&mut pair.server, &mut pair.client);
    }
    last
}

#[test]
fn tickets_of_a_client_with_a_chain_of_certificates_fit_into_4_kib() {
    let (server, device) = (server("TLSv1.3", &[]), device());
    for _ in 0..2 {
        let bytes = bytes_after_finished(&server, &device);
        println!("two tickets of a client chain of 3.6 KB: {bytes} bytes");
        assert!(bytes > 2000 && bytes <= 4096, "{bytes}");
    }
    assert!(is_resumed(&server, &device));
    // What the session is of is known as after a full handshake.
    let pair = Pair::connect(&server, &device, "broker");
    assert_eq!((pair.server.is_resumed(), pair.server.peer_chain().len()), (Some(true), 3));
}

#[test]
fn number_of_tickets_is_as_configured_and_none_switches_off_tls13_alone() {
    let device = device();
    let one = bytes_after_finished(&server("TLSv1.3", &[("tls13-tickets", "1")]), &device);
    let two = bytes_after_finished(&server("TLSv1.3", &[]), &device);
    assert!(one > 1000 && two > one + 1000, "{one} {two}");
    let none = [("tls13-tickets", "0")];
    let server13 = server("TLSv1.3", &none);
    assert_eq!(bytes_after_finished(&server13, &device), 0);
    assert!(!is_resumed(&server13, &device) && !is_resumed(&server13, &device));
    let server12 = server("TLSv1.2", &none);
    assert!(!is_resumed(&server12, &device) && is_resumed(&server12, &device));
}

#[test]
fn ticket_that_is_longer_than_it_may_be_is_not_sent() {
    let device = device();
    // Room for one of the two.
    let narrow = server("TLSv1.3", &[("max-ticket-bytes", "2500")]);
    let bytes = bytes_after_finished(&narrow, &device);
    assert!(bytes > 1000 && bytes <= 2500, "{bytes}");
    assert!(is_resumed(&narrow, &device));
    for versions in VERSIONS {
        let none = server(versions, &[("max-ticket-bytes", "500"), ("session-cache", "0")]);
        assert!(!is_resumed(&none, &device) && !is_resumed(&none, &device), "{versions}");
    }
}

#[test]
fn options_of_sessions_out_of_range_are_refused() {
    for (name, value) in [
        ("tls13-tickets", "9"),
        ("tls13-tickets", "-1"),
        ("max-ticket-bytes", "16385"),
        ("session-cache", "65537"),
        ("session-max-age-s", "0"),
        ("session-max-age-s", "day"),
        ("resumption-asks-again", "maybe"),
    ] {
        let refused = Options::new().set(name, value).unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{name} {value}");
    }
}

/// A ClientHello's records, and the server that they were made for.
fn hello(server: &Context, client: &Context) -> Vec<u8> {
    drop(Pair::connect(server, client, "broker"));
    let mut wire = vec![0; MAX_RECORD_BYTES];
    let mut hello = client.connect(Some("broker")).unwrap();
    let sent = hello.wrap(&[], &mut wire).unwrap().produced;
    wire.truncate(sent);
    wire
}

/// The answer of a server to a ClientHello: whether it resumes, once that is known.
fn answer(server: &Context, hello: &[u8]) -> Result<Option<bool>, Code> {
    let mut connection = server.accept().unwrap();
    let mut records = hello.to_vec();
    connection.unwrap(&mut records, &mut [0; 64]).map_err(|error| error.code())?;
    Ok(connection.is_resumed())
}

#[test]
fn ticket_that_is_altered_cut_or_foreign_is_not_resumed() {
    for version in VERSIONS {
        let world = World::new(version);
        let server = world.server(|builder| builder);
        let client = world.client(|builder| builder);
        let hello = hello(&server, &client);
        // A ticket may be shown twice: without early data a replay without the session's secret gets no peer in.
        assert_eq!((answer(&server, &hello), answer(&server, &hello)), (Ok(Some(true)), Ok(Some(true))), "{version}");
        assert_eq!(answer(&world.server(|builder| builder), &hello), Ok(Some(false)), "{version}");
        server.reload().unwrap();
        assert_eq!(answer(&server, &hello), Ok(Some(false)), "{version}");
    }
    // In TLS 1.3 the binder covers the hello, so that the ticket is altered in TLS 1.2.
    let world = World::new("TLSv1.2");
    let server = world.server(|builder| builder);
    let hello = hello(&server, &world.client(|builder| builder));
    // The ticket's extension, 35, is longer than all others.
    let at = (0..hello.len() - 4)
        .find(|at| hello[*at..*at + 2] == [0, 35] && hello[*at + 2] > 0 && at + 4 < hello.len())
        .unwrap();
    let length = usize::from(u16::from_be_bytes([hello[at + 2], hello[at + 3]]));
    for offset in (0..length).step_by(7) {
        let mut altered = hello.clone();
        altered[at + 4 + offset] ^= 1;
        assert_eq!(answer(&server, &altered), Ok(Some(false)), "{offset}");
    }
    assert_eq!(answer(&server, &hello), Ok(Some(true)));
}

#[test]
fn extra_certificates_of_a_client_do_not_enter_the_tickets_of_others() {
    for version in VERSIONS {
        let world = World::new(version);
        let server = world.server(|builder| builder);
        // Certificates that are in no path are carried whole; so this client's tickets are too long.
        let mut pem = world.authority.issue(&["device"], |_| {});
        for number in 0..30 {
            pem += &crate::rig::pair::Authority::new(&format!("in no path {number}")).pem();
        }
        let stuffed =
            world.context(|builder| builder.identity(super::identity("device", &pem)).trust(world.authority.trust()));
        let chain = Pair::connect(&server, &stuffed, "broker").server.peer_chain().len();
        if chain > 20 {
            assert_eq!(is_resumed(&server, &stuffed), version == "TLSv1.2", "{version}");
        }
        let client = world.client(|builder| builder);
        assert!(!is_resumed(&server, &client));
        assert!(is_resumed(&server, &client), "{version}");
    }
}

#[test]
fn two_contexts_with_the_same_files_have_tickets_of_their_own() {
    let trust = || TrustSource::store(Source::file(case("trust.pem")));
    for version in VERSIONS {
        let (one, other) = (server(version, &[]), server(version, &[]));
        let device = device();
        assert!(!is_resumed(&one, &device));
        assert!(!is_resumed(&other, &device), "{version}");
        let asking = context(|builder| {
            let mut identity = IdentitySource::new(Source::file(case("rleaf.pem")));
            identity.key = Some(Source::file(case("rkey.pem")));
            builder.identity(identity).trust(trust()).client_auth(ClientAuth::Need).versions(version)
        });
        assert!(!is_resumed(&asking, &device), "{version}");
    }
}
