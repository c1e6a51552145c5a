//! Peers that send the second engine what no peer should: altered flights, records and cut bytes. No panic, a code for
//! each, and no error is left in the queue of OpenSSL. A panic of a callback is the caller's.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use brokertls::{
    ClientAuth, Code, Connection, Context, ContextBuilder, MAX_RECORD_BYTES, Psk, PskCallback, PskRequest,
};
use brokertls_legacy::{Record, Side};
use client::sessions::{Device, MALLORY, mallory, meet, resume};
use client::{Pipe, SECRET, alert_at, answer, client, client_on, exchange, feed, handshake, server, server_with};
use openssl::error::ErrorStack;
use openssl::pkey::PKey;
use openssl::ssl::{Ssl, SslContextBuilder, SslMethod, SslStream, SslVersion};
use openssl::x509::X509;

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

/// The flights of a client, one after the other.
fn next_flight(pipe: &Pipe) -> Vec<u8> {
    std::mem::take(&mut *pipe.to_server.borrow_mut())
}

/// Leaves an error of a host in the queue of this thread, as one does that reads none.
#[allow(unsafe_code)]
fn leave_an_error() {
    // SAFETY: the texts end with zero.
    unsafe {
        openssl_sys::ERR_new();
        openssl_sys::ERR_set_debug(c"host.c".as_ptr(), 7, c"load".as_ptr());
        openssl_sys::ERR_set_error(33, 101, std::ptr::null());
    }
}

#[test]
fn connection_that_fails_at_any_step_does_not_disturb_another_at_any_step_on_the_same_thread() {
    let context = server();
    for kind in KINDS {
        for failing_flight in 0..2 {
            for good_flights in 0..3 {
                let mut good = context.accept().unwrap();
                let (mut good_client, good_pipe) = client(kind.0, kind.1);
                for _ in 0..good_flights {
                    feed(&mut good, &mut next_flight(&good_pipe)).unwrap();
                    answer(&mut good, &good_pipe);
                    let _ = good_client.connect();
                }
                let mut bad = context.accept().unwrap();
                let (mut bad_client, bad_pipe) = client(kind.0, kind.1);
                for flight in 0..=failing_flight {
                    let mut bytes = next_flight(&bad_pipe);
                    drop(ErrorStack::get());
                    leave_an_error();
                    let fed = match flight == failing_flight {
                        // A handshake message of a type that does not exist.
                        true => feed(&mut bad, &mut [&[22, 3, 3, 0, 4, 99, 0, 0, 0][..], &bytes].concat()),
                        false => feed(&mut bad, &mut bytes),
                    };
                    assert_eq!(fed.is_err(), flight == failing_flight, "{kind:?} {flight}");
                    answer(&mut bad, &bad_pipe);
                    let left = ErrorStack::get();
                    let own = left.errors().iter().filter(|error| error.library_code() == 33).count();
                    assert_eq!(own, 1, "the host's error is there: {left}");
                    let _ = bad_client.connect();
                }
                // The rest of the good one, with the connection that has failed in between.
                leave_an_error();
                for _ in good_flights..4 {
                    feed(&mut good, &mut next_flight(&good_pipe)).unwrap();
                    answer(&mut good, &good_pipe);
                    assert!(feed(&mut bad, &mut [22, 3, 3, 0, 0]).is_err());
                    drop(ErrorStack::get());
                    let _ = good_client.connect();
                    leave_an_error();
                }
                drop(ErrorStack::get());
                drop(bad);
                exchange(&mut good, &mut good_client, &good_pipe);
            }
        }
    }
}

/// The panic of a call.
fn panic_of(call: impl FnOnce()) -> String {
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)).expect_err("it does not panic");
    panic.downcast_ref::<&str>().map_or_else(String::new, |text| (*text).to_owned())
}

#[test]
fn panic_of_a_callback_comes_out_of_the_call_and_leaves_the_next_connection_alone() {
    let panics = Arc::new(AtomicBool::new(false));
    let secrets = Arc::clone(&panics);
    let peers = Arc::clone(&panics);
    let device = Device::new();
    let context = server_with(|builder| {
        let callback: PskCallback = Arc::new(move |request: &PskRequest<'_>| {
            assert!(!secrets.load(Ordering::Relaxed), "no secret");
            Ok((request.identity == b"mallory").then(|| Psk::new(&MALLORY).unwrap()))
        });
        builder.psk_callback(callback, false).trust(device.trust()).client_auth(ClientAuth::Want).verify_callback(
            Arc::new(move |_| {
                assert!(!peers.load(Ordering::Relaxed), "no verdict");
                Ok(())
            }),
            false,
        )
    });
    let psk = (SslVersion::TLS1_2, "PSK-AES128-GCM-SHA256", true);
    let tls13 = (SslVersion::TLS1_3, "", true);
    let old = (SslVersion::TLS1, "ECDHE-RSA-AES128-SHA", true);
    let show = |builder: &mut SslContextBuilder| device.show(builder);
    let (_, _, of_psk) = meet(&context, psk, None, None, mallory);
    let (_, _, of_tls13) = meet(&context, tls13, None, None, mallory);
    let (_, _, of_old) = meet(&context, old, None, None, show);
    for kind in [psk, tls13, old] {
        let session = match kind {
            kind if kind == psk => &of_psk,
            kind if kind == tls13 => &of_tls13,
            _ => &of_old,
        };
        for resumed in [None, Some(session)] {
            let set = |builder: &mut SslContextBuilder| match kind == old {
                true => show(builder),
                false => mallory(builder),
            };
            panics.store(true, Ordering::Relaxed);
            let mut ended = context.accept().unwrap();
            let (mut client, pipe) = client_on(kind, set, |ssl| {
                resumed.into_iter().for_each(|session| resume(ssl, session));
            });
            let panic = panic_of(|| {
                for _ in 0..3 {
                    feed(&mut ended, &mut next_flight(&pipe)).unwrap();
                    answer(&mut ended, &pipe);
                    let _ = client.connect();
                }
            });
            assert_eq!(panic, if kind == old { "no verdict" } else { "no secret" }, "{kind:?}");
            panics.store(false, Ordering::Relaxed);
            drop(ended);
            let (next, _, _) = meet(&context, kind, resumed, None, set);
            assert_eq!(next.is_resumed(), Some(resumed.is_some()), "{kind:?}");
        }
    }
}

/// A context of clients that take this version and suite of a server: by its key if `has_key`, otherwise by any
/// certificate.
fn client_context(version: &str, suite: &str, has_key: bool) -> Context {
    let mut builder = ContextBuilder::new();
    builder.legacy_engine(true).versions(version).cipher_suites(suite).insecure_accept_any_server(!has_key);
    if has_key {
        builder.psk(b"device", Psk::new(&SECRET).unwrap()).psk_identity(b"device");
    }
    if let Some(library) = std::env::var_os("BROKERTLS_LEGACY_LIBRARY") {
        builder.legacy_library(library);
    }
    builder.build().unwrap()
}

/// Takes the records that a side has for its peer.
fn records_of(side: &mut Connection) -> Vec<u8> {
    let mut wire = vec![0; MAX_RECORD_BYTES];
    let mut records = Vec::new();
    while let Ok(sent) = side.wrap(&[], &mut wire) {
        if sent.produced == 0 {
            break;
        }
        records.extend_from_slice(&wire[..sent.produced]);
    }
    records
}

#[test]
fn altered_flights_of_a_server_end_with_a_code_and_leave_no_error_behind() {
    let context = server();
    let clients = [
        client_context("tlsv1", "ECDHE-RSA-AES128-SHA", false),
        client_context("tlsv1.2", "DHE-RSA-AES256-SHA256", false),
        client_context("tlsv1.2", "ECDHE-PSK-AES128-CBC-SHA256", true),
        client_context("tlsv1.3", "TLS_AES_128_GCM_SHA256", true),
    ];
    let mut sequence = Sequence(0x1234_5678_9abc_def1);
    let mut failures = 0;
    for number in 0..ALTERED {
        let mut server = context.accept().unwrap();
        let mut client = clients[number % clients.len()].connect(Some("broker")).unwrap();
        let altered_flight = number % 3;
        for flight in 0..3 {
            let mut bytes = records_of(&mut client);
            if feed(&mut server, &mut bytes).is_err() {
                break;
            }
            let mut bytes = records_of(&mut server);
            if flight == altered_flight && !bytes.is_empty() {
                sequence.alter(&mut bytes);
            }
            drop(ErrorStack::get());
            let fed = feed(&mut client, &mut bytes);
            assert_clean_queue();
            let _ = (client.version(), client.cipher_suite(), client.group(), client.own_psk_identity());
            if let Err(error) = fed {
                failures += 1;
                assert_ne!(error.code(), Code::Internal, "{error}");
                assert_ne!(error.code(), Code::Panic, "{error}");
                assert!(client.own_psk_identity().is_none() || !client.is_handshaking());
                break;
            }
        }
    }
    assert!(failures > ALTERED / 4, "{failures}");
}

#[test]
fn request_of_a_server_to_renegotiate_is_refused_and_the_connection_goes_on() {
    const HELLO_REQUEST: &[u8] = &[0, 0, 0, 0];
    let suite = "ECDHE-RSA-AES128-SHA";
    let mut client = client_context("tlsv1.2", suite, false).connect(Some("broker")).unwrap();
    let (mut peer, pipe) = openssl_server(suite);
    for _ in 0..3 {
        pipe.to_client.borrow_mut().extend(records_of(&mut client));
        let _ = peer.accept();
        let mut bytes = std::mem::take(&mut *pipe.to_server.borrow_mut());
        feed(&mut client, &mut bytes).unwrap();
    }
    assert!(!client.is_handshaking());
    let mut record = {
        let sent = &*pipe.sent.borrow();
        let record = Record { kind: 22, content: HELLO_REQUEST, sent, encrypts_then_macs: true };
        record.seal(peer.ssl(), Side::Server).unwrap().unwrap()
    };
    pipe.sent.borrow_mut().note(&record);
    assert_eq!(feed(&mut client, &mut record).unwrap(), b"");
    // A warning: no_renegotiation, encrypted.
    assert_eq!(records_of(&mut client).first(), Some(&21));
}

#[test]
#[allow(unsafe_code)]
fn server_of_tls13_that_sends_key_updates_without_end_is_refused_and_gets_the_alert() {
    use foreign_types::ForeignTypeRef;
    use std::ffi::c_int;
    unsafe extern "C" {
        fn SSL_key_update(ssl: *mut openssl_sys::SSL, kind: c_int) -> c_int;
    }
    for is_asking in [false, true] {
        let mut client = client_context("tlsv1.3", "TLS_AES_128_GCM_SHA256", false).connect(Some("broker")).unwrap();
        let (mut peer, pipe) = openssl_server("ALL");
        for _ in 0..3 {
            pipe.to_client.borrow_mut().extend(records_of(&mut client));
            let _ = peer.accept();
            let mut bytes = std::mem::take(&mut *pipe.to_server.borrow_mut());
            feed(&mut client, &mut bytes).unwrap();
        }
        assert!(!client.is_handshaking());
        let refusal = (0..100).find_map(|_| {
            // SAFETY: the connection is valid.
            assert_eq!(unsafe { SSL_key_update(peer.ssl().as_ptr(), c_int::from(is_asking)) }, 1);
            peer.do_handshake().unwrap();
            let mut bytes = std::mem::take(&mut *pipe.to_server.borrow_mut());
            let refusal = feed(&mut client, &mut bytes).err();
            pipe.to_client.borrow_mut().extend(records_of(&mut client));
            refusal
        });
        assert_eq!(refusal.unwrap().code(), Code::UnexpectedMessage, "{is_asking}");
        assert_eq!(alert_at(&mut peer), 10, "{is_asking}");
    }
}

/// A server of OpenSSL with this suite. Its pipe is that of a client with both directions exchanged.
fn openssl_server(suite: &str) -> (SslStream<Pipe>, Pipe) {
    let key = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048).unwrap();
    let certificate = rcgen::CertificateParams::new(["broker".to_owned()]).unwrap().self_signed(&key).unwrap();
    let mut builder = SslContextBuilder::new(SslMethod::tls_server()).unwrap();
    builder.set_security_level(0);
    builder.set_cipher_list(suite).unwrap();
    builder.set_certificate(&X509::from_der(certificate.der()).unwrap()).unwrap();
    builder.set_private_key(&PKey::private_key_from_der(&key.serialize_der()).unwrap()).unwrap();
    let pipe = Pipe::default();
    let ssl = Ssl::new(&builder.build()).unwrap();
    (SslStream::new(ssl, pipe.clone()).unwrap(), pipe)
}
