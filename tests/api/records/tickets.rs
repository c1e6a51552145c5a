//! Session tickets after the handshake (RFC 8446 section 4.6.1).

use brokertls::Code;

use super::scene::{DATA, HANDSHAKE, KEY_UPDATE, Scene, Side, TLS12, TLS13, everywhere};

const NEW_SESSION_TICKET: u8 = 4;

/// Runs the case for our clients of TLS 1.3.
fn clients(mut case: impl FnMut(Scene)) {
    everywhere(&[TLS13], |scene| {
        if scene.side == Side::Client {
            case(scene);
        }
    });
}

/// A handshake message.
fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let [_, a, b, c] = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[kind, a, b, c], body].concat()
}

/// The body of a ticket.
fn body(lifetime_s: u32, nonce: &[u8], ticket: &[u8], extensions: &[u8]) -> Vec<u8> {
    let length = |bytes: &[u8]| u16::try_from(bytes.len()).unwrap().to_be_bytes();
    let start = [lifetime_s.to_be_bytes(), [1, 2, 3, 4]].concat();
    let nonce = [&[u8::try_from(nonce.len()).unwrap()], nonce].concat();
    [&start[..], &nonce, &length(ticket), ticket, &length(extensions), extensions].concat()
}

fn ticket(bytes: usize) -> Vec<u8> {
    message(NEW_SESSION_TICKET, &body(7200, &[0], &vec![5; bytes], &[]))
}

#[test]
fn ticket_to_a_client_is_taken() {
    let early_data: &[u8] = &[0, 42, 0, 4, 0, 0, 0x40, 0];
    let unknown: &[u8] = &[0xfa, 0xfa, 0, 3, 1, 2, 3];
    let bodies = [
        body(7200, &[0], &[5; 32], &[]),
        body(0, &[], &[5], &[]),
        body(604_800, &[7; 255], &[5; 300], early_data),
        body(u32::MAX, &[0, 1], &[5; 32], unknown),
    ];
    for body in bodies {
        clients(|mut scene| {
            let record = scene.write.seal(HANDSHAKE, &message(NEW_SESSION_TICKET, &body));
            scene.accepts(&record, b"");
            scene.works();
        });
    }
}

#[test]
fn ticket_to_a_server_is_refused_with_unexpected_message() {
    everywhere(&[TLS13], |mut scene| {
        if scene.side == Side::Server {
            let record = scene.write.seal(HANDSHAKE, &ticket(32));
            scene.refuses(&record, Code::UnexpectedMessage);
        }
    });
    // In TLS 1.2 a ticket belongs into the handshake (RFC 5077 section 3.3).
    everywhere(&[TLS12], |mut scene| {
        let tls12 = message(NEW_SESSION_TICKET, &[0, 0, 0x1c, 0x20, 0, 4, 1, 2, 3, 4]);
        let record = scene.write.seal(HANDSHAKE, &tls12);
        scene.refuses(&record, Code::UnexpectedMessage);
    });
}

#[test]
fn ticket_that_ends_early_or_late_is_refused_with_message_malformed() {
    let whole = body(7200, &[0, 1], &[5; 10], &[0xfa, 0xfa, 0, 1, 1]);
    for end in 0..whole.len() {
        clients(|mut scene| {
            let record = scene.write.seal(HANDSHAKE, &message(NEW_SESSION_TICKET, &whole[..end]));
            scene.refuses(&record, Code::MessageMalformed);
        });
    }
    clients(|mut scene| {
        let record = scene.write.seal(HANDSHAKE, &message(NEW_SESSION_TICKET, &[&whole[..], &[0]].concat()));
        scene.refuses(&record, Code::MessageMalformed);
    });
}

#[test]
fn ticket_without_content_is_refused_with_message_malformed() {
    clients(|mut scene| {
        let record = scene.write.seal(HANDSHAKE, &ticket(0));
        scene.refuses(&record, Code::MessageMalformed);
    });
}

#[test]
fn ticket_with_an_extension_twice_is_refused_with_peer_misbehaved() {
    clients(|mut scene| {
        let twice = [0, 42, 0, 4, 0, 0, 0x40, 0].repeat(2);
        let record = scene.write.seal(HANDSHAKE, &message(NEW_SESSION_TICKET, &body(7200, &[0], &[5; 32], &twice)));
        scene.refuses(&record, Code::PeerMisbehaved);
    });
}

#[test]
fn ticket_split_over_records_is_one() {
    let ticket = ticket(20);
    for middle in 1..ticket.len() {
        clients(|mut scene| {
            let start = scene.write.seal(HANDSHAKE, &ticket[..middle]);
            scene.accepts(&start, b"");
            let rest = scene.write.seal(HANDSHAKE, &ticket[middle..]);
            scene.accepts(&rest, b"");
            scene.works();
        });
    }
    clients(|mut scene| {
        for byte in &ticket {
            let record = scene.write.seal(HANDSHAKE, &[*byte]);
            scene.accepts(&record, b"");
        }
        scene.works();
    });
}

#[test]
fn ticket_of_sixty_kilobytes_is_taken_and_one_of_more_than_64_is_refused_with_handshake_too_large() {
    clients(|mut scene| {
        let records: Vec<u8> =
            ticket(60_000).chunks(16_000).flat_map(|part| scene.write.seal(HANDSHAKE, part)).collect();
        scene.accepts(&records, b"");
        scene.works();
        let record = scene.write.seal(HANDSHAKE, &[NEW_SESSION_TICKET, 1, 0, 0]);
        scene.refuses(&record, Code::HandshakeTooLarge);
    });
}

#[test]
fn several_tickets_in_a_record_are_taken() {
    clients(|mut scene| {
        let three = ticket(32).repeat(3);
        let record = scene.write.seal(HANDSHAKE, &three);
        scene.accepts(&record, b"");
        scene.works();
        // Cut within the second, and again within the third.
        let cuts = [0, ticket(32).len() + 9, 2 * ticket(32).len() + 1, three.len()];
        for cut in cuts.windows(2) {
            let record = scene.write.seal(HANDSHAKE, &three[cut[0]..cut[1]]);
            scene.accepts(&record, b"");
        }
        scene.works();
        let record = scene.write.seal(HANDSHAKE, &[&three[..], &KEY_UPDATE].concat());
        scene.write.update();
        scene.accepts(&record, b"");
        scene.works();
    });
}

#[test]
fn good_ticket_before_a_bad_message_does_not_hide_it() {
    clients(|mut scene| {
        let record = scene.write.seal(HANDSHAKE, &[&ticket(32)[..], &message(20, &[7; 32])].concat());
        scene.refuses(&record, Code::UnexpectedMessage);
    });
}

#[test]
fn data_between_the_parts_of_a_ticket_is_refused_with_unexpected_message() {
    clients(|mut scene| {
        let ticket = ticket(32);
        let parts = [(HANDSHAKE, &ticket[..20]), (DATA, b"data"), (HANDSHAKE, &ticket[20..])];
        let records: Vec<u8> = parts.iter().flat_map(|(kind, bytes)| scene.write.seal(*kind, bytes)).collect();
        scene.refuses(&records, Code::UnexpectedMessage);
    });
}

#[test]
fn thousand_tickets_are_taken() {
    clients(|mut scene| {
        for _ in 0..1000 {
            let record = scene.write.seal(HANDSHAKE, &ticket(200));
            scene.accepts(&record, b"");
        }
        scene.works();
    });
}
