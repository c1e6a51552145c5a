//! Memory of an idle connection of the second engine, by the C library's count. Alone in its binary.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;

use client::{answer, client, feed, handshake, server};
use openssl::ssl::SslVersion;

/// The mark for one idle connection, in bytes.
const MOST_BYTES: usize = 16 * 1024;

/// The same from OpenSSL 3.2 on. Its layers of records are objects of their own.
const MOST_BYTES_WITH_LAYERS: usize = 24 * 1024;

#[allow(unsafe_code)]
fn in_use() -> usize {
    // SAFETY: the function has no precondition.
    let info = unsafe { libc::mallinfo2() };
    info.uordblks + info.hblkhd
}

#[test]
fn idle_connection_of_the_second_engine_takes_no_more_than_its_mark() {
    let most = if openssl::version::number() < 0x3020_0000 { MOST_BYTES } else { MOST_BYTES_WITH_LAYERS };
    let context = server();
    for (version, suite) in [
        (SslVersion::TLS1, "ECDHE-RSA-AES128-SHA"),
        (SslVersion::TLS1_2, "ECDHE-RSA-AES256-SHA384"),
        (SslVersion::TLS1_2, "DHE-RSA-AES128-GCM-SHA256"),
        (SslVersion::TLS1_2, "PSK-AES128-CBC-SHA256"),
    ] {
        let mut held = Vec::new();
        for _ in 0..8 {
            let mut connection = Box::new(context.accept().unwrap());
            {
                let (mut client, pipe) = client(version, suite);
                handshake(&mut connection, &mut client, &pipe);
                client.ssl_write(&[7; 16_000]).unwrap();
                let mut records = std::mem::take(&mut *pipe.to_server.borrow_mut());
                assert_eq!(feed(&mut connection, &mut records).unwrap().len(), 16_000);
                let mut wire = vec![0; brokertls::MAX_RECORD_BYTES];
                let sent = connection.wrap(&[9; 16_000], &mut wire).unwrap();
                assert_eq!(sent.consumed, 16_000);
                answer(&mut connection, &pipe);
            }
            held.push(connection);
        }
        let count = held.len();
        let before = in_use();
        drop(held);
        let each = (before - in_use()) / count;
        println!("{suite}: {each} bytes");
        assert!(each <= most, "{suite}: {each} bytes");
    }
}
