//! Handshake messages that do not belong behind the handshake, and renegotiation (RFC 8446 section 4.6, RFC 5246
//! sections 7.4.1.1 and 7.4.1.2).

use brokertls::Code;

use super::scene::{ALERT, CLOSE_NOTIFY, DATA, HANDSHAKE, Scene, Side, TLS12, TLS13, everywhere};

/// The warning no_renegotiation.
const NO_RENEGOTIATION: [u8; 2] = [1, 100];

/// A handshake message.
fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let [_, a, b, c] = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[kind, a, b, c], body].concat()
}

fn with_length(bytes: &[u8]) -> Vec<u8> {
    [&u16::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat()
}

/// A ClientHello of TLS 1.2 that is well formed.
fn client_hello() -> Vec<u8> {
    let signatures = [&[0, 13][..], &with_length(&with_length(&[4, 3]))].concat();
    let groups = [&[0, 10][..], &with_length(&with_length(&[0, 29]))].concat();
    let extensions = with_length(&[signatures, groups].concat());
    let suites = with_length(&[0xc0, 0x2b]);
    message(1, &[&[3, 3][..], &[7; 32], &[0], &suites, &[1, 0], &extensions].concat())
}

/// A CertificateRequest of TLS 1.3 that is well formed.
fn certificate_request() -> Vec<u8> {
    let signatures = [&[0, 13][..], &with_length(&with_length(&[4, 3]))].concat();
    message(13, &[&[1, 7][..], &with_length(&signatures)].concat())
}

#[test]
fn handshake_message_that_may_not_follow_the_handshake_is_refused_with_unexpected_message() {
    let finished = message(20, &[7; 32]);
    let messages = [finished, message(5, &[]), message(254, &[7; 32]), message(99, b"x"), message(255, &[])];
    for message in &messages {
        everywhere(&[TLS13, TLS12], |mut scene| {
            let record = scene.write.seal(HANDSHAKE, message);
            scene.refuses(&record, Code::UnexpectedMessage);
        });
    }
    // To authenticate after the handshake, a client must have offered it (RFC 8446 section 4.6.2).
    for message in [certificate_request(), client_hello(), message(0, &[])] {
        everywhere(&[TLS13], |mut scene| {
            let record = scene.write.seal(HANDSHAKE, &message);
            scene.refuses(&record, Code::UnexpectedMessage);
        });
    }
}

#[test]
fn other_records_between_the_parts_of_a_message_are_refused_with_unexpected_message() {
    for (kind, content) in [(DATA, &b"data"[..]), (DATA, b""), (ALERT, &CLOSE_NOTIFY), (ALERT, &[2, 40])] {
        everywhere(&[TLS13, TLS12], |mut scene| {
            let parts = [(HANDSHAKE, &[24, 0, 0][..]), (kind, content)];
            let records: Vec<u8> = parts.iter().flat_map(|(kind, bytes)| scene.write.seal(*kind, bytes)).collect();
            scene.refuses(&records, Code::UnexpectedMessage);
        });
    }
}

#[test]
fn client_hello_of_more_than_64_kilobytes_is_refused_with_handshake_too_large() {
    everywhere(&[TLS12], |mut scene| {
        if scene.side == Side::Server {
            let record = scene.write.seal(HANDSHAKE, &[1, 1, 0, 0]);
            scene.refuses(&record, Code::HandshakeTooLarge);
        }
    });
}

/// The request to renegotiate that our side can be sent.
fn renegotiation(scene: &Scene) -> Vec<u8> {
    match scene.side {
        Side::Server => client_hello(),
        Side::Client => message(0, &[]),
    }
}

#[test]
fn renegotiation_in_tls12_is_declined_once_and_then_refused_with_unexpected_message() {
    everywhere(&[TLS12], |mut scene| {
        let request = renegotiation(&scene);
        let record = scene.write.seal(HANDSHAKE, &request);
        scene.accepts(&record, b"");
        assert_eq!(scene.sent(), [(ALERT, NO_RENEGOTIATION.to_vec())], "{}", scene.name);
        scene.works();
        let record = scene.write.seal(HANDSHAKE, &request);
        scene.refuses(&record, Code::UnexpectedMessage);
    });
}

#[test]
fn flood_of_renegotiations_gets_one_warning_and_the_alert() {
    everywhere(&[TLS12], |mut scene| {
        let request = renegotiation(&scene);
        let records: Vec<u8> = (0..100).flat_map(|_| scene.write.seal(HANDSHAKE, &request)).collect();
        let (_, outcome) = scene.give(&records);
        assert_eq!(outcome.unwrap_err().code(), Code::UnexpectedMessage, "{}", scene.name);
        let expected = [(ALERT, NO_RENEGOTIATION.to_vec()), (ALERT, vec![2, 10])];
        assert_eq!(scene.sent(), expected, "{}", scene.name);
    });
}

#[test]
fn request_to_renegotiate_of_the_wrong_side_is_refused_with_unexpected_message() {
    everywhere(&[TLS12], |mut scene| {
        let request = match scene.side {
            Side::Server => message(0, &[]),
            Side::Client => client_hello(),
        };
        let record = scene.write.seal(HANDSHAKE, &request);
        scene.refuses(&record, Code::UnexpectedMessage);
    });
}

#[test]
fn request_to_renegotiate_after_the_own_close_notify_is_not_answered() {
    everywhere(&[TLS12], |mut scene| {
        scene.ours.close_write().unwrap();
        assert_eq!(scene.sent(), [(ALERT, CLOSE_NOTIFY.to_vec())], "{}", scene.name);
        let request = renegotiation(&scene);
        let record = scene.write.seal(HANDSHAKE, &request);
        let _ = scene.give(&record);
        assert_eq!(scene.sent(), [], "{}", scene.name);
    });
}
