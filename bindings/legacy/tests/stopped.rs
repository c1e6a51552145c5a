//! Memory of a connection of the second engine that stops during its handshake, by the C library's count. Alone in its
//! binary.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;

use brokertls::{Code, Next};
use client::{KINDS, answer, client_of, feed, server};
use openssl::ssl::SslVersion;

/// The most for a connection that has had a whole ClientHello, and a part of the next flight.
const MOST_BYTES: usize = 64 * 1024;

/// The most for a part of a ClientHello of 64 KiB, in records of one byte. The records are kept until it is whole.
const MOST_BYTES_OF_HELLO: usize = 1024 * 1024;

#[allow(unsafe_code)]
fn in_use() -> usize {
    // SAFETY: the function has no precondition.
    let info = unsafe { libc::mallinfo2() };
    info.uordblks + info.hblkhd
}

#[test]
fn connection_that_stops_during_its_handshake_takes_no_more_than_its_mark() {
    const COUNT: usize = 8;
    let context = server();
    let of_tls13 = (SslVersion::TLS1_3, "", true);
    for kind in KINDS.into_iter().chain([of_tls13]) {
        let stop = || {
            let mut server = Box::new(context.accept().unwrap());
            let (mut client, pipe) = client_of(kind);
            feed(&mut server, &mut std::mem::take(&mut *pipe.to_server.borrow_mut())).unwrap();
            assert!(answer(&mut server, &pipe) > 0);
            let _ = client.connect();
            let mut flight = std::mem::take(&mut *pipe.to_server.borrow_mut());
            let length = flight.len();
            feed(&mut server, &mut flight[..length - 1]).unwrap();
            assert!(server.is_handshaking());
            server
        };
        let held: Vec<_> = (0..COUNT).map(|_| stop()).collect();
        let before = in_use();
        drop(held);
        let each = (before - in_use()) / COUNT;
        println!("{kind:?}: {each} bytes");
        assert!(each <= MOST_BYTES, "{kind:?}: {each} bytes");
    }
    let mut server = Box::new(context.accept().unwrap());
    let mut next = |byte: u8| server.unwrap(&mut [22, 3, 1, 0, 1, byte], &mut []);
    for byte in [1, 0, 0xff, 0xff].into_iter().chain(std::iter::repeat_n(0, 43_000)) {
        assert_eq!(next(byte).unwrap().next, Next::NeedRecord);
    }
    // The records have more than the message that they are for.
    let error = std::iter::repeat_with(|| next(0)).take(1000).find_map(Result::err);
    assert_eq!(error.unwrap().code(), Code::HandshakeTooLarge);
    let before = in_use();
    drop(server);
    let bytes = before - in_use();
    assert!(bytes <= MOST_BYTES_OF_HELLO, "{bytes} bytes");
}
