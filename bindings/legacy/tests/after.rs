//! Peers that send what no peer should after the handshake, in every way to seal a record up to TLS 1.2, and how a
//! connection ends. The client decrypts the alert.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;

use std::path::PathBuf;
use std::sync::Arc;

use brokertls::{ClientAuth, Code, Connection, CrlSource, MAX_RECORD_BYTES, Next, RevokedAction, Source, TrustSource};
use brokertls_legacy::{Record, Sent, Side};
use client::{
    KINDS, Kind, Pipe, alert_at, answer, client, client_of, client_with, exchange, feed, handshake, sealed, server,
    server_with,
};
use openssl::pkey::PKey;
use openssl::ssl::{ShutdownState, SslOptions, SslStream, SslVersion};
use openssl::x509::X509;

const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const DATA: u8 = 23;

/// A ClientHello without content: OpenSSL answers it before it reads it.
const HELLO: [u8; 4] = [1, 0, 0, 0];

/// A server and a client of a kind that have completed their handshake.
struct Pair {
    kind: Kind,
    server: Connection,
    client: SslStream<Pipe>,
    pipe: Pipe,
}

impl Pair {
    fn new(context: &brokertls::Context, kind: Kind) -> Self {
        let mut server = context.accept().unwrap();
        let (mut client, pipe) = client_of(kind);
        handshake(&mut server, &mut client, &pipe);
        Self { kind, server, client, pipe }
    }

    fn record(&self, kind: u8, content: &[u8]) -> Vec<u8> {
        sealed(&self.client, &self.pipe, (kind, content), self.kind.2)
    }

    /// Sends a record that ends the connection with this code and alert.
    #[track_caller]
    fn refuses(mut self, mut record: Vec<u8>, code: Code, alert: i32) {
        let error = feed(&mut self.server, &mut record).unwrap_err();
        assert_eq!(error.code(), code, "{:?}: {error}", self.kind);
        let bytes = answer(&mut self.server, &self.pipe);
        assert!(bytes < 256, "{:?}: {bytes} bytes of answers", self.kind);
        assert_eq!(alert_at(&mut self.client), alert, "{:?}", self.kind);
    }

    /// Sends a record that the connection survives.
    #[track_caller]
    fn takes(&mut self, mut record: Vec<u8>) {
        feed(&mut self.server, &mut record).unwrap_or_else(|error| panic!("{:?}: {error}", self.kind));
        answer(&mut self.server, &self.pipe);
    }
}

#[test]
fn one_request_to_renegotiate_is_answered_with_a_warning_and_the_second_ends_the_connection() {
    let context = server();
    for kind in KINDS {
        let mut pair = Pair::new(&context, kind);
        let mut request = pair.record(HANDSHAKE, &HELLO);
        feed(&mut pair.server, &mut request).unwrap();
        assert_eq!(answers(&mut pair.server), [ALERT], "{kind:?}");
        let mut data = pair.record(DATA, b"data");
        assert_eq!(feed(&mut pair.server, &mut data).unwrap(), b"data");
        assert!(pair.server.wrap(b"data", &mut vec![0; MAX_RECORD_BYTES]).unwrap().produced > 0);
        let mut request = pair.record(HANDSHAKE, &HELLO);
        let error = feed(&mut pair.server, &mut request).unwrap_err();
        assert_eq!((error.code(), error.detail()), (Code::UnexpectedMessage, "too many requests to renegotiate"));
        assert_eq!(answers(&mut pair.server), [ALERT], "{kind:?}");
    }
}

/// The types of the records that the server sends.
fn answers(server: &mut Connection) -> Vec<u8> {
    let mut wire = vec![0; MAX_RECORD_BYTES];
    let mut types = Vec::new();
    while let Ok(sent) = server.wrap(&[], &mut wire) {
        let mut records = &wire[..sent.produced];
        if records.is_empty() {
            break;
        }
        while let [kind, _, _, high, low, rest @ ..] = records {
            types.push(*kind);
            records = &rest[usize::from(u16::from_be_bytes([*high, *low]))..];
        }
    }
    types
}

#[test]
fn record_full_of_requests_to_renegotiate_ends_the_connection_and_is_answered_by_one_warning_and_the_alert() {
    let context = server();
    for kind in KINDS {
        let mut pair = Pair::new(&context, kind);
        let mut flood = pair.record(HANDSHAKE, &HELLO.repeat(4096));
        let error = feed(&mut pair.server, &mut flood).unwrap_err();
        assert_eq!((error.code(), error.detail()), (Code::UnexpectedMessage, "too many requests to renegotiate"));
        assert_eq!(answers(&mut pair.server), [ALERT, ALERT], "{kind:?}");
    }
}

#[test]
fn part_of_a_handshake_message_after_the_handshake_ends_the_connection() {
    let context = server();
    for kind in KINDS {
        for part in [&HELLO[..1], &HELLO[..3], &[1, 0, 0, 200], &[1, 0, 1, 0, 3, 3]] {
            let pair = Pair::new(&context, kind);
            let record = pair.record(HANDSHAKE, part);
            pair.refuses(record, Code::UnexpectedMessage, 10);
        }
    }
}

#[test]
fn other_messages_of_a_handshake_after_the_handshake_end_the_connection() {
    let context = server();
    for kind in KINDS {
        for message in [&[20, 0, 0, 0][..], &[16, 0, 0, 0], &[24, 0, 0, 1, 0], &[0, 0, 0, 0]] {
            let pair = Pair::new(&context, kind);
            let record = pair.record(HANDSHAKE, message);
            pair.refuses(record, Code::UnexpectedMessage, 10);
        }
        let pair = Pair::new(&context, kind);
        let change = pair.record(20, &[1]);
        pair.refuses(change, Code::UnexpectedMessage, 10);
    }
}

#[test]
fn records_without_data_end_the_connection_when_too_many_follow_one_another() {
    let context = server();
    for kind in KINDS {
        for (record, most) in [((DATA, &[][..]), 32), ((ALERT, &[1, 90][..]), 4)] {
            let mut pair = Pair::new(&context, kind);
            for _ in 0..2 {
                for _ in 0..most {
                    let record = pair.record(record.0, record.1);
                    pair.takes(record);
                }
                let data = pair.record(DATA, b"data");
                pair.takes(data);
            }
            for _ in 0..most {
                let record = pair.record(record.0, record.1);
                pair.takes(record);
            }
            let last = pair.record(record.0, record.1);
            pair.refuses(last, Code::UnexpectedMessage, 10);
        }
    }
}

#[test]
fn alerts_that_are_none_are_refused() {
    let context = server();
    for kind in KINDS {
        for (content, code, alert) in [
            (&[][..], Code::MessageMalformed, 10),
            (&[1], Code::MessageMalformed, 50),
            (&[1, 90, 0], Code::MessageMalformed, 50),
            (&[3, 40], Code::PeerMisbehaved, 47),
        ] {
            let mut pair = Pair::new(&context, kind);
            let mut record = pair.record(ALERT, content);
            let error = feed(&mut pair.server, &mut record).unwrap_err();
            assert_eq!(error.code(), code, "{kind:?} {content:?}: {error}");
            answer(&mut pair.server, &pair.pipe);
            // OpenSSL may have sent its own.
            let found = alert_at(&mut pair.client);
            assert!([alert, 10, 47, 50].contains(&found), "{kind:?} {content:?}: {found}");
        }
    }
}

#[test]
fn records_without_data_need_no_room_and_those_with_data_wait_for_it() {
    let context = server();
    for kind in KINDS {
        let mut pair = Pair::new(&context, kind);
        let mut warning = pair.record(ALERT, &[1, 90]);
        let taken = pair.server.unwrap(&mut warning, &mut []).unwrap();
        assert_eq!((taken.consumed, taken.produced), (warning.len(), 0), "{kind:?}");
        let mut data = pair.record(DATA, b"data");
        let waiting = pair.server.unwrap(&mut data, &mut []).unwrap();
        assert_eq!((waiting.consumed, waiting.produced), (0, 0), "{kind:?}");
        let Next::DestinationTooSmall(needed) = waiting.next else { panic!("{waiting:?}") };
        let mut plain = vec![0; needed];
        let taken = pair.server.unwrap(&mut data, &mut plain).unwrap();
        assert_eq!((taken.consumed, &plain[..taken.produced]), (data.len(), &b"data"[..]), "{kind:?}");
        let level = if kind.2 { 1 } else { 2 };
        let mut end = pair.record(ALERT, &[level, 0]);
        let taken = pair.server.unwrap(&mut end, &mut []).unwrap();
        assert_eq!((taken.consumed, taken.next), (end.len(), Next::Closed), "{kind:?}");
    }
}

#[test]
fn record_that_is_too_short_for_any_content_refuses_with_and_without_room() {
    let context = server();
    for kind in KINDS {
        for room in [0, 64] {
            for length in 0..9 {
                let mut pair = Pair::new(&context, kind);
                let wire = match kind.0 {
                    SslVersion::TLS1 => 1,
                    SslVersion::TLS1_1 => 2,
                    _ => 3,
                };
                let mut record = vec![DATA, 3, wire, 0, length];
                record.resize(5 + usize::from(length), 7);
                let error = pair.server.unwrap(&mut record, &mut vec![0; room]).unwrap_err();
                assert!(
                    matches!(error.code(), Code::DecryptFailed | Code::MessageMalformed),
                    "{kind:?} {length}: {error}"
                );
            }
        }
    }
}

#[test]
fn client_that_asks_for_short_records_is_given_short_records() {
    const LONGEST: u8 = 1;
    #[allow(unsafe_code)]
    fn limit(builder: &mut openssl::ssl::SslContextBuilder) {
        unsafe extern "C" {
            fn SSL_CTX_set_tlsext_max_fragment_length(context: *mut openssl_sys::SSL_CTX, mode: u8) -> i32;
        }
        // SAFETY: the context is valid.
        assert_eq!(unsafe { SSL_CTX_set_tlsext_max_fragment_length(builder.as_ptr(), LONGEST) }, 1);
    }
    let context = server();
    for (version, suite) in [
        (SslVersion::TLS1, "ECDHE-RSA-AES128-SHA"),
        (SslVersion::TLS1_2, "ECDHE-RSA-AES256-SHA384"),
        (SslVersion::TLS1_2, "DHE-RSA-AES128-GCM-SHA256"),
    ] {
        let mut server = context.accept().unwrap();
        let (mut client, pipe) = client_with(version, suite, limit);
        handshake(&mut server, &mut client, &pipe);
        let plain = vec![9; 16 * 1024];
        let mut wire = vec![0; MAX_RECORD_BYTES];
        let one = server.wrap(&plain, &mut wire).unwrap();
        assert_eq!(one.consumed, 512, "{suite}");
        pipe.to_client.borrow_mut().extend(&wire[..one.produced]);
        let mut given = one.consumed;
        while given < plain.len() {
            let sent = server.wrap_records(&plain[given..], &mut wire).unwrap();
            assert!(sent.consumed > 0 && sent.produced <= wire.len());
            pipe.to_client.borrow_mut().extend(&wire[..sent.produced]);
            given += sent.consumed;
        }
        let mut heard = 0;
        let mut buffer = [0; 1024];
        while heard < plain.len() {
            heard += client.ssl_read(&mut buffer).unwrap();
        }
        assert_eq!(heard, plain.len());
        // Room for less than a record is no reason to fail either.
        for room in 1..800 {
            let sent = server.wrap(&plain, &mut wire[..room]).unwrap();
            assert_eq!(sent.consumed == 0, matches!(sent.next, Next::DestinationTooSmall(_)), "{room}");
            pipe.to_client.borrow_mut().extend(&wire[..sent.produced]);
        }
    }
}

#[test]
fn close_notify_ends_both_directions_and_nothing_follows_it() {
    let context = server();
    for kind in KINDS {
        let mut pair = Pair::new(&context, kind);
        pair.server.close_write().unwrap();
        assert!(answer(&mut pair.server, &pair.pipe) > 0);
        assert_eq!(pair.client.ssl_read(&mut [0; 16]).unwrap_err().code(), openssl::ssl::ErrorCode::ZERO_RETURN);
        assert!(pair.client.get_shutdown().contains(ShutdownState::RECEIVED));
        // A request is not answered, and the alert of a failure is not sent.
        let mut request = pair.record(HANDSHAKE, &HELLO);
        _ = feed(&mut pair.server, &mut request);
        let mut garbage = pair.record(DATA, b"data");
        *garbage.last_mut().unwrap() ^= 1;
        assert!(feed(&mut pair.server, &mut garbage).is_err());
        assert_eq!(answer(&mut pair.server, &pair.pipe), 0, "{kind:?}");
    }
}

/// An authority with its list in a file.
struct Authority {
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
    pem: String,
    list: PathBuf,
}

impl Authority {
    fn new() -> Self {
        let mut params = rcgen::CertificateParams::default();
        params.distinguished_name.push(rcgen::DnType::CommonName, "ca");
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = rcgen::KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        let list = std::env::temp_dir().join(format!("brokertls-legacy-{}.crl", std::process::id()));
        let authority = Self { issuer: rcgen::Issuer::new(params, key), pem, list };
        authority.revoke(&[]);
        authority
    }

    fn revoke(&self, serials: &[u8]) {
        let revoked = |serial: &u8| rcgen::RevokedCertParams {
            serial_number: rcgen::SerialNumber::from_slice(&[*serial]),
            revocation_time: rcgen::date_time_ymd(2020, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let list = rcgen::CertificateRevocationListParams {
            this_update: rcgen::date_time_ymd(2020, 1, 1),
            next_update: rcgen::date_time_ymd(2040, 1, 1),
            crl_number: rcgen::SerialNumber::from_slice(&[1]),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: rcgen::KeyIdMethod::Sha256,
        };
        std::fs::write(&self.list, list.signed_by(&self.issuer).unwrap().pem().unwrap()).unwrap();
    }

    /// A client's certificate with this serial number, and its key.
    fn issue(&self, serial: u8) -> (X509, PKey<openssl::pkey::Private>) {
        let mut params = rcgen::CertificateParams::new(["device".to_owned()]).unwrap();
        params.serial_number = Some(rcgen::SerialNumber::from_slice(&[serial]));
        let key = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (
            X509::from_der(certificate.der()).unwrap(),
            PKey::private_key_from_pem(key.serialize_pem().as_bytes()).unwrap(),
        )
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.list);
    }
}

#[test]
fn client_that_is_revoked_while_connected_is_sent_certificate_revoked() {
    let authority = Authority::new();
    for (version, suite) in [
        (SslVersion::TLS1, "ECDHE-RSA-AES128-SHA"),
        (SslVersion::TLS1_2, "ECDHE-RSA-AES256-SHA384"),
        (SslVersion::TLS1_2, "DHE-RSA-AES128-GCM-SHA256"),
        (SslVersion::TLS1_3, "TLS_AES_128_GCM_SHA256"),
        (SslVersion::TLS1_3, "TLS_AES_256_GCM_SHA384"),
        (SslVersion::TLS1_3, "TLS_CHACHA20_POLY1305_SHA256"),
    ] {
        authority.revoke(&[]);
        let context = server_with(|builder| {
            builder.trust(TrustSource::store(Source::memory("ca.pem", authority.pem.as_bytes())));
            builder.client_auth(ClientAuth::Need).crl(CrlSource::Source(Source::file(&authority.list)));
            builder.groups("X25519:P-256:P-521").on_revoked(Arc::new(|_| RevokedAction::Close))
        });
        let (certificate, key) = authority.issue(7);
        let mut server = context.accept().unwrap();
        let (mut client, pipe) = client_with(version, suite, |builder| {
            builder.set_certificate(&certificate).unwrap();
            builder.set_private_key(&key).unwrap();
            if version == SslVersion::TLS1_3 {
                // rustls does not have the group.
                builder.set_groups_list("P-521").unwrap();
                builder.set_ciphersuites(suite).unwrap();
                builder.set_psk_client_callback(|_, _, _, _| Ok(0));
            }
        });
        handshake(&mut server, &mut client, &pipe);
        assert_eq!(server.peer_chain().len(), 1);
        assert_eq!(server.peer_chain()[0].as_ref(), certificate.to_der().unwrap());
        exchange(&mut server, &mut client, &pipe);
        authority.revoke(&[7]);
        context.reload().unwrap();
        answer(&mut server, &pipe);
        assert_eq!(server.failure().unwrap().code(), Code::CertRevoked);
        assert_eq!(alert_at(&mut client), 44, "{suite}");
    }
}

#[test]
fn close_notify_during_the_handshake_is_the_end_of_the_handshake() {
    let context = server();
    for version in [1, 2, 3] {
        let mut server = context.accept().unwrap();
        let suite = if version == 3 { "ECDHE-RSA-AES256-SHA384" } else { "ECDHE-RSA-AES128-SHA" };
        let kind = [SslVersion::TLS1, SslVersion::TLS1_1, SslVersion::TLS1_2][usize::from(version) - 1];
        let (_client, pipe) = client(kind, suite);
        let mut hello = std::mem::take(&mut *pipe.to_server.borrow_mut());
        feed(&mut server, &mut hello).unwrap();
        let error = feed(&mut server, &mut [ALERT, 3, version, 0, 2, 1, 0]).unwrap_err();
        assert_eq!((error.code(), error.detail()), (Code::HandshakeEof, "with close_notify"));
    }
}

#[test]
fn handshake_that_is_too_large_refuses_with_its_alert() {
    let context = server();
    let mut server = context.accept().unwrap();
    let (mut client, pipe) = client(SslVersion::TLS1, "ECDHE-RSA-AES128-SHA");
    let mut hello = std::mem::take(&mut *pipe.to_server.borrow_mut());
    feed(&mut server, &mut hello).unwrap();
    answer(&mut server, &pipe);
    // A Certificate message that never ends, in records of one byte.
    let mut error = feed(&mut server, &mut [HANDSHAKE, 3, 1, 0, 4, 16, 0xff, 0xff, 0xff]).err();
    while error.is_none() {
        error = feed(&mut server, &mut [HANDSHAKE, 3, 1, 0, 1, 0]).err();
    }
    let code = error.unwrap().code();
    assert_eq!(code, Code::HandshakeTooLarge);
    answer(&mut server, &pipe);
    assert_eq!(client.connect().map(|()| 0).unwrap_err().code(), openssl::ssl::ErrorCode::SSL);
}

#[test]
fn no_alert_of_tls13_is_in_plain_text_after_the_first_record_also_without_a_change_of_ciphers() {
    const MIDDLEBOX_COMPAT: u64 = 1 << 20;
    let context = server();
    for is_compatible in [true, false] {
        let mut server = context.accept().unwrap();
        let (mut client, pipe) = client_with(SslVersion::TLS1_3, "", |builder| {
            if !is_compatible {
                builder.clear_options(SslOptions::from_bits_retain(MIDDLEBOX_COMPAT));
            }
        });
        let mut hello = std::mem::take(&mut *pipe.to_server.borrow_mut());
        feed(&mut server, &mut hello).unwrap();
        answer(&mut server, &pipe);
        let flight: Vec<u8> = pipe.to_client.borrow_mut().drain(..).collect();
        let length = 5 + usize::from(u16::from_be_bytes([flight[3], flight[4]]));
        let mut sent = Sent::default();
        let content = [2, 80];
        let alert = |sent: &Sent, client: &SslStream<Pipe>| {
            let record = Record { kind: ALERT, content: &content, sent, encrypts_then_macs: false };
            record.seal(client.ssl(), Side::Server).unwrap()
        };
        sent.note(&flight[..length]);
        pipe.to_client.borrow_mut().extend(&flight);
        let _ = client.connect();
        assert_eq!(client.ssl().version2(), Some(SslVersion::TLS1_3));
        assert_eq!(alert(&Sent::default(), &client), Some(vec![ALERT, 3, 3, 0, 2, 2, 80]));
        assert_eq!(alert(&sent, &client), None, "{is_compatible}");
    }
}

#[test]
fn finite_fields_have_2048_bits_whatever_the_suite_and_the_key() {
    let context = server();
    for (version, suite) in [
        (SslVersion::TLS1, "DHE-RSA-AES128-SHA"),
        (SslVersion::TLS1_2, "DHE-RSA-AES256-GCM-SHA384"),
        (SslVersion::TLS1_2, "DHE-PSK-AES128-CBC-SHA256"),
    ] {
        let mut server = context.accept().unwrap();
        let (mut client, pipe) = client(version, suite);
        handshake(&mut server, &mut client, &pipe);
        assert_eq!(server.group(), Some("ffdhe2048"), "{suite}");
        assert_eq!(client.ssl().peer_tmp_key().unwrap().bits(), 2048, "{suite}");
    }
    for (version, suite) in
        [(SslVersion::TLS1, "ECDHE-RSA-AES128-SHA"), (SslVersion::TLS1_2, "ECDHE-RSA-AES256-SHA384")]
    {
        let mut server = context.accept().unwrap();
        let (mut client, pipe) = client_with(version, suite, |builder| builder.set_groups_list("P-384").unwrap());
        handshake(&mut server, &mut client, &pipe);
        assert_eq!(server.group(), Some("secp384r1"), "{suite}");
    }
}
