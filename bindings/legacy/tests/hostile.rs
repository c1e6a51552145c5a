//! Peers that send the second engine what no peer should: altered flights, records and cut bytes. No panic, a code for
//! each, and no error is left in the queue of OpenSSL.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;

use brokertls::Code;
use client::{answer, client, feed, handshake, server};
use openssl::error::ErrorStack;
use openssl::ssl::SslVersion;

const ALTERED: usize = 400;
const OLD: (SslVersion, &str) = (SslVersion::TLS1, "ECDHE-RSA-AES128-SHA");

/// One of each kind of handshake.
const KINDS: [(SslVersion, &str); 4] = [
    OLD,
    (SslVersion::TLS1_2, "DHE-RSA-AES256-SHA256"),
    (SslVersion::TLS1_2, "ECDHE-PSK-AES128-CBC-SHA256"),
    // By a pre-shared key.
    (SslVersion::TLS1_3, ""),
];

/// xorshift64*: the same sequence on every machine.
struct Sequence(u64);

impl Sequence {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % limit.max(1) as u64;
        usize::try_from(number).unwrap()
    }

    fn alter(&mut self, bytes: &mut Vec<u8>) {
        let at = self.below(bytes.len());
        match self.below(4) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, 0xff),
            _ => bytes[at] ^= 1 << self.below(8),
        }
    }
}

/// Fails if a call has left an error to the next user of this thread.
#[track_caller]
fn assert_clean_queue() {
    assert_eq!(ErrorStack::get().errors().len(), 0);
}

#[test]
fn altered_flights_end_with_a_code_and_leave_no_error_behind() {
    let context = server();
    let mut sequence = Sequence(0x9e37_79b9_7f4a_7c15);
    let mut failures = 0;
    for number in 0..ALTERED {
        let mut connection = context.accept().unwrap();
        let (version, suite) = KINDS[number % KINDS.len()];
        let (mut client, pipe) = client(version, suite);
        let altered_flight = number % 3;
        for flight in 0..3 {
            let mut bytes = std::mem::take(&mut *pipe.to_server.borrow_mut());
            if flight == altered_flight && !bytes.is_empty() {
                sequence.alter(&mut bytes);
            }
            drop(ErrorStack::get());
            let fed = feed(&mut connection, &mut bytes);
            assert_clean_queue();
            answer(&mut connection, &pipe);
            // The facts of a connection may be asked for at any time.
            let _ = (connection.version(), connection.cipher_suite(), connection.group(), connection.psk_identity());
            if let Err(error) = fed {
                failures += 1;
                assert_ne!(error.code(), Code::Internal, "{error}");
                assert_ne!(error.code(), Code::Panic, "{error}");
                break;
            }
            let _ = client.connect();
        }
    }
    assert!(failures > ALTERED / 4, "{failures}");
}

#[test]
fn altered_record_after_the_handshake_is_refused_and_the_next_connection_is_not_disturbed() {
    let context = server();
    let mut connection = context.accept().unwrap();
    let (mut first, pipe) = client(OLD.0, OLD.1);
    handshake(&mut connection, &mut first, &pipe);
    first.ssl_write(b"hello").unwrap();
    let mut records = std::mem::take(&mut *pipe.to_server.borrow_mut());
    *records.last_mut().unwrap() ^= 1;
    drop(ErrorStack::get());
    assert_eq!(feed(&mut connection, &mut records).unwrap_err().code(), Code::DecryptFailed);
    assert_clean_queue();
    let mut other = context.accept().unwrap();
    let (mut second, pipe) = client(OLD.0, OLD.1);
    handshake(&mut other, &mut second, &pipe);
    second.ssl_write(b"hello").unwrap();
    let mut records = std::mem::take(&mut *pipe.to_server.borrow_mut());
    assert_eq!(feed(&mut other, &mut records).unwrap(), b"hello");
}
