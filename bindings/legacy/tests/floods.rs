//! Peers that send without end, slowly, or not at all: what the second engine takes, and its code and alert.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;

use brokertls::{Code, Connection, MAX_RECORD_BYTES};
use client::{KINDS, Kind, Pipe, alert_at, answer, client_of, exchange, feed, handshake, server};
use openssl::ssl::{SslStream, SslVersion};

const TLS13: Kind = (SslVersion::TLS1_3, "", true);

/// Most records without data between those with data.
const MOST_QUIET: usize = 32;

const HANDSHAKE: u8 = 22;

/// A server and a client with a key that have completed their handshake.
fn pair(context: &brokertls::Context, kind: Kind) -> (Connection, SslStream<Pipe>, Pipe) {
    let mut server = context.accept().unwrap();
    let (mut client, pipe) = client_of(kind);
    handshake(&mut server, &mut client, &pipe);
    exchange(&mut server, &mut client, &pipe);
    (server, client, pipe)
}

/// The record of a key update of the client, which has its next keys after it.
#[allow(unsafe_code)]
fn key_update(client: &mut SslStream<Pipe>, pipe: &Pipe, is_asking: bool) -> Vec<u8> {
    use foreign_types::ForeignTypeRef;
    use std::ffi::c_int;
    unsafe extern "C" {
        fn SSL_key_update(ssl: *mut openssl_sys::SSL, kind: c_int) -> c_int;
    }
    // SAFETY: the connection is valid.
    assert_eq!(unsafe { SSL_key_update(client.ssl().as_ptr(), c_int::from(is_asking)) }, 1);
    client.do_handshake().unwrap();
    std::mem::take(&mut *pipe.to_server.borrow_mut())
}

#[test]
fn flood_of_key_updates_is_refused_with_unexpected_message_and_its_alert() {
    let context = server();
    for is_asking in [false, true] {
        let (mut server, mut client, pipe) = pair(&context, TLS13);
        // As many as are allowed, twice, with data between them.
        for _ in 0..2 {
            for _ in 0..MOST_QUIET {
                let mut update = key_update(&mut client, &pipe, is_asking);
                assert_eq!(feed(&mut server, &mut update).unwrap(), b"");
                answer(&mut server, &pipe);
            }
            exchange(&mut server, &mut client, &pipe);
        }
        for _ in 0..MOST_QUIET {
            let mut update = key_update(&mut client, &pipe, is_asking);
            assert_eq!(feed(&mut server, &mut update).unwrap(), b"");
        }
        let mut update = key_update(&mut client, &pipe, is_asking);
        let error = feed(&mut server, &mut update).unwrap_err();
        assert_eq!(error.code(), Code::UnexpectedMessage, "{is_asking}");
        answer(&mut server, &pipe);
        assert_eq!(alert_at(&mut client), 10, "{is_asking}");
    }
}

#[test]
fn requests_for_key_updates_are_answered_by_no_more_records_than_they_have() {
    let context = server();
    let (mut server, mut client, pipe) = pair(&context, TLS13);
    let mut bytes = 0;
    for _ in 0..MOST_QUIET {
        let mut update = key_update(&mut client, &pipe, true);
        let length = update.len();
        feed(&mut server, &mut update).unwrap();
        let answered = answer(&mut server, &pipe);
        assert!(answered <= length, "{answered}");
        bytes += answered;
    }
    assert!(bytes <= MOST_QUIET * 64, "{bytes}");
    exchange(&mut server, &mut client, &pipe);
}

#[test]
fn key_update_of_another_form_is_refused_as_by_rustls() {
    let context = server();
    // The record is sealed by the client: OpenSSL sends no such message, so it is one of another type.
    let (mut server, mut client, pipe) = pair(&context, TLS13);
    let mut record = vec![HANDSHAKE, 3, 3, 0, 5, 24, 0, 0, 1, 0];
    let error = feed(&mut server, &mut record).unwrap_err();
    assert_eq!(error.code(), Code::UnexpectedMessage);
    answer(&mut server, &pipe);
    assert_eq!(alert_at(&mut client), 10);
}

/// The same records with each handshake message in plain text in records of one byte.
fn in_pieces(records: &[u8]) -> Vec<u8> {
    let (mut pieces, mut rest, mut is_plain) = (Vec::new(), records, true);
    while let [kind, major, minor, high, low, more @ ..] = rest {
        let (content, after) = more.split_at(usize::from(u16::from_be_bytes([*high, *low])));
        is_plain &= *kind == HANDSHAKE;
        match is_plain {
            true => content.iter().for_each(|byte| pieces.extend([HANDSHAKE, *major, *minor, 0, 1, *byte])),
            false => pieces.extend_from_slice(&rest[..5 + content.len()]),
        }
        rest = after;
    }
    pieces
}

#[test]
fn client_that_sends_byte_after_byte_is_served_with_each_kind_of_suite() {
    let context = server();
    for kind in KINDS.into_iter().chain([TLS13]) {
        for cuts in [false, true] {
            let mut server = context.accept().unwrap();
            let (mut client, pipe) = client_of(kind);
            for _ in 0..4 {
                let flight = std::mem::take(&mut *pipe.to_server.borrow_mut());
                // In TLS 1.3, the first flight alone is in plain text.
                let is_first = server.version().is_none();
                let flight =
                    if cuts && (is_first || kind.0 != SslVersion::TLS1_3) { in_pieces(&flight) } else { flight };
                let mut waiting = Vec::new();
                for byte in flight {
                    waiting.push(byte);
                    let taken = server.unwrap(&mut waiting, &mut []).unwrap();
                    assert!(taken.consumed == 0 || taken.consumed == waiting.len(), "{kind:?}");
                    waiting.drain(..taken.consumed);
                    assert!(waiting.len() < MAX_RECORD_BYTES);
                }
                assert_eq!(waiting, [], "{kind:?}");
                answer(&mut server, &pipe);
                let _ = client.connect();
            }
            assert!(!server.is_handshaking(), "{kind:?}");
            exchange(&mut server, &mut client, &pipe);
        }
    }
}

#[test]
fn client_that_stops_in_the_middle_is_waited_for_and_answered_no_more() {
    let context = server();
    for kind in KINDS.into_iter().chain([TLS13]) {
        let mut server = context.accept().unwrap();
        let (mut client, pipe) = client_of(kind);
        let mut hello = std::mem::take(&mut *pipe.to_server.borrow_mut());
        feed(&mut server, &mut hello).unwrap();
        assert!(answer(&mut server, &pipe) > 0);
        let _ = client.connect();
        let flight = std::mem::take(&mut *pipe.to_server.borrow_mut());
        let mut part = flight[..flight.len() - 1].to_vec();
        feed(&mut server, &mut part).unwrap();
        for _ in 0..3 {
            let waits = server.unwrap(&mut [], &mut []).unwrap();
            assert_eq!((waits.consumed, answer(&mut server, &pipe)), (0, 0), "{kind:?}");
        }
        assert!(server.is_handshaking(), "{kind:?}");
        // The connection is cut.
        let error = server.end_of_input().unwrap_err();
        assert_eq!(error.code(), Code::HandshakeEof, "{kind:?}");
        assert_eq!((server.psk_identity(), server.peer_chain().len()), (None, 0));
    }
}
