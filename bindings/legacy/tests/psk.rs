//! A wrong secret and an unknown identity of a client, byte for byte on the wire.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;

use brokertls::policy::LegacyAllowed;
use brokertls::{Code, Connection, MAX_RECORD_BYTES};
use client::{Pipe, client, feed, server, server_with};
use openssl::ssl::SslVersion;

/// The records of the server to the end of the connection, and its error. The client has another secret than `device`,
/// or another identity, which has as many bytes.
fn refused(server: &mut Connection, suite: &str, identity: &str) -> (Vec<Vec<u8>>, Code) {
    let (mut client, pipe) = client::with_key(SslVersion::TLS1_2, suite, identity, &[9; 16]);
    let mut flights = Vec::new();
    for _ in 0..4 {
        let mut flight = std::mem::take(&mut *pipe.to_server.borrow_mut());
        let outcome = feed(server, &mut flight);
        let sent = drain(server, &pipe);
        flights.push(sent);
        if let Err(error) = outcome {
            return (flights, error.code());
        }
        let _ = client.connect();
    }
    panic!("the handshake continues");
}

/// Gives the records of the server to the client, and returns them.
fn drain(server: &mut Connection, pipe: &Pipe) -> Vec<u8> {
    let mut sent = Vec::new();
    let mut wire = vec![0; MAX_RECORD_BYTES];
    while let Ok(given) = server.wrap(&[], &mut wire) {
        if given.produced == 0 {
            break;
        }
        sent.extend_from_slice(&wire[..given.produced]);
    }
    pipe.to_client.borrow_mut().extend(&sent);
    sent
}

#[test]
fn wrong_secret_and_unknown_identity_give_the_same_records() {
    let allowed = LegacyAllowed { rsa_key_exchange: true, ..LegacyAllowed::default() };
    let context = server_with(|builder| builder.legacy_allow(allowed));
    for suite in ["PSK-AES128-CBC-SHA", "PSK-AES128-GCM-SHA256", "DHE-PSK-AES128-CBC-SHA", "RSA-PSK-AES128-CBC-SHA"] {
        let (wrong, code) = refused(&mut context.accept().unwrap(), suite, "device");
        assert_eq!(code, Code::PskRefused);
        let (unknown, code) = refused(&mut context.accept().unwrap(), suite, "absent");
        assert_eq!(code, Code::PskRefused);
        let lengths = |flights: &[Vec<u8>]| flights.iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(lengths(&wrong), lengths(&unknown), "{suite}");
        // The last flight has no random bytes: the alert bad_record_mac.
        assert_eq!(wrong.last().unwrap(), &[21, 3, 3, 0, 2, 2, 20]);
        assert_eq!(wrong.last(), unknown.last());
    }
}

#[test]
fn client_of_another_suite_has_no_identity() {
    let context = server();
    let mut server = context.accept().unwrap();
    let (mut client, pipe) = client(SslVersion::TLS1_2, "ECDHE-RSA-AES128-SHA");
    client::handshake(&mut server, &mut client, &pipe);
    assert_eq!(server.psk_identity(), None);
    let mut server = context.accept().unwrap();
    let (mut client, pipe) = client::with_key(SslVersion::TLS1_2, "PSK-AES128-CBC-SHA", "device", &client::SECRET);
    client::handshake(&mut server, &mut client, &pipe);
    assert_eq!(server.psk_identity(), Some(&b"device"[..]));
}

#[test]
fn identity_that_a_client_cuts_by_a_zero_byte_is_that_of_the_key() {
    // OpenSSL's client sends no zero byte. The identity `device` in its message is made `devi` and two of them, and
    // the message stays as long.
    let context = server();
    let mut server = context.accept().unwrap();
    let (mut client, pipe) = client::with_key(SslVersion::TLS1_2, "PSK-AES128-CBC-SHA", "device", &client::SECRET);
    let mut hello = std::mem::take(&mut *pipe.to_server.borrow_mut());
    feed(&mut server, &mut hello).unwrap();
    drain(&mut server, &pipe);
    let _ = client.connect();
    let mut flight = std::mem::take(&mut *pipe.to_server.borrow_mut());
    let at = flight.windows(6).position(|bytes| bytes == b"device").unwrap();
    flight[at + 4..at + 6].fill(0);
    let error = feed(&mut server, &mut flight).unwrap_err();
    assert_eq!((error.code(), error.detail()), (Code::PskRefused, "\"devi\": the identity is not known"));
    assert_eq!(server.psk_identity(), None);
}
