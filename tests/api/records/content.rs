//! Content of records: inner types, padding and empty records (RFC 8446 sections 5.1 and 5.4, RFC 5246 section 6.2.1).

use brokertls::{Code, MAX_PLAINTEXT_BYTES};

use super::keys::Header;
use super::scene::{ALERT, DATA, HANDSHAKE, TLS12, TLS13, everywhere};

/// Most bytes of content, type and padding together (RFC 8446 section 5.4).
const MAX_INNER_BYTES: usize = MAX_PLAINTEXT_BYTES + 1;

/// Most records without content that may follow each other.
const MAX_EMPTY: usize = 32;

#[test]
fn padding_of_any_length_that_fits_is_taken_off() {
    everywhere(&[TLS13], |mut scene| {
        for content in [&b""[..], b"x", b"data", &[0; 100], &[7; MAX_PLAINTEXT_BYTES - 300]] {
            for padding in [0, 1, 2, 15, 16, 255, 299, MAX_INNER_BYTES - 1 - content.len()] {
                let padding = padding.min(MAX_INNER_BYTES - 1 - content.len());
                let record = scene.write.seal_padded(DATA, content, padding);
                scene.accepts(&record, content);
            }
            scene.works();
        }
    });
}

#[test]
fn padding_of_more_than_fits_is_refused_with_record_too_large() {
    everywhere(&[TLS13], |mut scene| {
        let record = scene.write.seal_padded(DATA, b"data", MAX_INNER_BYTES - 4);
        scene.refuses(&record, Code::RecordTooLarge);
    });
    everywhere(&[TLS13], |mut scene| {
        let record = scene.write.seal_padded(DATA, b"", MAX_INNER_BYTES);
        scene.refuses(&record, Code::RecordTooLarge);
    });
}

#[test]
fn padding_of_other_messages_than_data_is_taken_off() {
    everywhere(&[TLS13], |mut scene| {
        let update = scene.write.seal_padded(HANDSHAKE, &super::scene::KEY_UPDATE, 1000);
        scene.write.update();
        scene.accepts(&update, b"");
        scene.works();
        let alert = scene.write.seal_padded(ALERT, &super::scene::CLOSE_NOTIFY, 1000);
        scene.accepts(&alert, b"");
        assert!(scene.ours.is_peer_closed(), "{}", scene.name);
    });
}

#[test]
fn record_of_nothing_but_zeros_is_refused_with_unexpected_message() {
    for zeros in [0, 1, 2, 17, 1000, MAX_INNER_BYTES] {
        everywhere(&[TLS13], |mut scene| {
            let record = scene.write.seal_inner(Header::of(DATA), &vec![0; zeros]);
            scene.refuses(&record, Code::UnexpectedMessage);
        });
    }
}

#[test]
fn inner_type_that_may_not_come_is_refused_with_unexpected_message() {
    for kind in (0..=255).filter(|kind| !(ALERT..=DATA).contains(kind)) {
        for content in [&b"\x01"[..], b""] {
            if kind % 16 == 0 || [20, 24, 25, 99, 255].contains(&kind) {
                everywhere(&[TLS13], |mut scene| {
                    let record = scene.write.seal(kind, content);
                    scene.refuses(&record, Code::UnexpectedMessage);
                });
            }
        }
    }
}

#[test]
fn empty_data_is_taken_and_a_flood_of_it_is_refused_with_unexpected_message() {
    everywhere(&[TLS13, TLS12], |mut scene| {
        for _ in 0..3 {
            for _ in 0..MAX_EMPTY {
                let record = scene.write.seal(DATA, b"");
                scene.accepts(&record, b"");
            }
            scene.works();
        }
        let flood: Vec<u8> = (0..=MAX_EMPTY).flat_map(|_| scene.write.seal(DATA, b"")).collect();
        scene.refuses(&flood, Code::UnexpectedMessage);
    });
}

#[test]
fn flood_of_padding_alone_is_refused_with_unexpected_message() {
    everywhere(&[TLS13], |mut scene| {
        let flood: Vec<u8> = (0..=MAX_EMPTY).flat_map(|_| scene.write.seal_padded(DATA, b"", 16_000)).collect();
        scene.refuses(&flood, Code::UnexpectedMessage);
    });
}

#[test]
fn empty_alert_or_handshake_record_is_refused_with_unexpected_message() {
    for kind in [ALERT, HANDSHAKE] {
        everywhere(&[TLS13, TLS12], |mut scene| {
            let record = scene.write.seal(kind, b"");
            scene.refuses(&record, Code::UnexpectedMessage);
        });
        everywhere(&[TLS13], |mut scene| {
            let record = scene.write.seal_padded(kind, b"", 100);
            scene.refuses(&record, Code::UnexpectedMessage);
        });
    }
}
