//! Lengths, types, numbers and tags of records (RFC 8446 sections 5.1 to 5.3, RFC 5246 section 6.2.3).

use brokertls::{Code, MAX_PLAINTEXT_BYTES, MAX_RECORD_BYTES};

use super::keys::{HEADER_BYTES, Header, TAG_BYTES};
use super::scene::{ALERT, DATA, HANDSHAKE, TLS12, TLS13, UNTOUCHED, everywhere};

/// The largest payload of a record of TLS 1.2 (RFC 5246 section 6.2.3).
const MAX_TLS12_BYTES: usize = MAX_RECORD_BYTES - HEADER_BYTES;

/// Bytes that are not alike, and that no chance makes.
fn plaintext(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|place| (place * 167 + place / 251 * 13 + 5) as u8).collect()
}

/// A record of this length. No keys have sealed its payload.
fn forged(length: usize) -> Vec<u8> {
    let [high, low] = u16::try_from(length).unwrap().to_be_bytes();
    [&[DATA, 3, 3, high, low][..], &vec![7; length]].concat()
}

#[test]
fn largest_plaintext_is_taken_and_one_byte_more_is_refused_with_record_too_large() {
    everywhere(&[TLS13, TLS12], |mut scene| {
        let plain = plaintext(MAX_PLAINTEXT_BYTES);
        let record = scene.write.seal(DATA, &plain);
        scene.accepts(&record, &plain);
        scene.works();
        let record = scene.write.seal(DATA, &plaintext(MAX_PLAINTEXT_BYTES + 1));
        scene.refuses(&record, Code::RecordTooLarge);
    });
}

#[test]
fn record_longer_than_its_version_allows_is_refused_with_record_too_large() {
    for more in [1, 2, 1000, 0xffff - MAX_TLS12_BYTES] {
        everywhere(&[TLS13, TLS12], |scene| scene.refuses(&forged(MAX_TLS12_BYTES + more), Code::RecordTooLarge));
    }
    // And from its header alone.
    everywhere(&[TLS13, TLS12], |scene| scene.refuses(&[DATA, 3, 3, 0x48, 1], Code::RecordTooLarge));
}

#[test]
fn sealed_record_of_more_than_the_largest_plaintext_is_refused_with_record_too_large() {
    everywhere(&[TLS12], |mut scene| {
        let content = MAX_TLS12_BYTES + HEADER_BYTES - scene.write.overhead();
        let record = scene.write.seal(DATA, &plaintext(content));
        assert_eq!(record.len(), MAX_RECORD_BYTES);
        scene.refuses(&record, Code::RecordTooLarge);
    });
    everywhere(&[TLS13], |mut scene| {
        let record = scene.write.seal(DATA, &plaintext(MAX_PLAINTEXT_BYTES + 256 - 1 - TAG_BYTES));
        assert_eq!(record.len(), HEADER_BYTES + MAX_PLAINTEXT_BYTES + 256);
        scene.refuses(&record, Code::RecordTooLarge);
    });
}

#[test]
fn record_shorter_than_its_tag_is_refused_with_decrypt_failed() {
    for length in 0..TAG_BYTES + 8 {
        everywhere(&[TLS13, TLS12], |scene| {
            if length < scene.write.overhead() - HEADER_BYTES {
                scene.refuses(&forged(length), Code::DecryptFailed);
            }
        });
    }
}

#[test]
fn record_with_another_number_is_refused_with_decrypt_failed() {
    for number in [0, 1, 2, 4, 5, 1 << 24, 1 << 32, 1 << 63, u64::MAX] {
        everywhere(&[TLS13, TLS12], |mut scene| {
            let data = (0..3).flat_map(|_| scene.write.seal(DATA, b"data")).collect::<Vec<u8>>();
            scene.accepts(&data, b"datadatadata");
            if number == scene.write.next {
                return;
            }
            let inner = if scene.is_tls13() { &b"wrong\x17"[..] } else { b"wrong" };
            let record = scene.write.seal_at(number, Header::of(DATA), inner);
            scene.refuses(&record, Code::DecryptFailed);
        });
    }
}

#[test]
fn record_that_is_repeated_lost_or_out_of_order_is_refused_with_decrypt_failed() {
    everywhere(&[TLS13, TLS12], |mut scene| {
        let first = scene.write.seal(DATA, b"first");
        scene.refuses_after(&first.repeat(2), b"first", Code::DecryptFailed);
    });
    everywhere(&[TLS13, TLS12], |mut scene| {
        let [first, _lost, third] = [b"1", b"2", b"3"].map(|data| scene.write.seal(DATA, data));
        scene.refuses_after(&[first, third].concat(), b"1", Code::DecryptFailed);
    });
    everywhere(&[TLS13, TLS12], |mut scene| {
        let [first, second] = [b"1", b"2"].map(|data| scene.write.seal(DATA, data));
        scene.refuses(&[second, first].concat(), Code::DecryptFailed);
    });
}

/// Asserts that no eight bytes of the plaintext stand in the buffer.
#[track_caller]
fn holds_nothing_of(buffer: &[u8], plain: &[u8], what: &str) {
    for start in 0..plain.len().saturating_sub(7) {
        assert!(!buffer.windows(8).any(|bytes| bytes == &plain[start..start + 8]), "{what}: from byte {start}");
    }
}

#[test]
fn every_altered_byte_of_a_payload_is_refused_and_leaves_no_plaintext_in_any_buffer() {
    let plain = plaintext(60);
    for place in HEADER_BYTES..HEADER_BYTES + plain.len() + TAG_BYTES + 8 {
        for bit in [0, 7] {
            everywhere(&[TLS13, TLS12], |mut scene| {
                let mut record = scene.write.seal(DATA, &plain);
                let Some(byte) = record.get_mut(place) else { return };
                *byte ^= 1 << bit;
                let mut room = vec![UNTOUCHED; 1000];
                let mut source = record.clone();
                let error = scene.ours.unwrap(&mut source, &mut room).unwrap_err();
                assert_eq!(error.code(), Code::DecryptFailed, "{} {place}", scene.name);
                holds_nothing_of(&room, &plain, &scene.name);
                holds_nothing_of(&source, &plain, &scene.name);
                scene.refuses(&record, Code::DecryptFailed);
            });
        }
    }
}

#[test]
fn altered_byte_of_a_long_record_leaves_no_plaintext_in_any_buffer() {
    let plain = plaintext(MAX_PLAINTEXT_BYTES);
    for place in [0, 1, 8, 100, 4096, 8191, 8192, 16_000, MAX_PLAINTEXT_BYTES - 1, MAX_PLAINTEXT_BYTES + 10] {
        everywhere(&[TLS13, TLS12], |mut scene| {
            let mut source = scene.write.seal(DATA, &plain);
            source[HEADER_BYTES + place] ^= 0x10;
            let mut room = vec![UNTOUCHED; MAX_RECORD_BYTES];
            let error = scene.ours.unwrap(&mut source, &mut room).unwrap_err();
            assert_eq!(error.code(), Code::DecryptFailed, "{} {place}", scene.name);
            for start in (0..plain.len() - 64).step_by(499) {
                holds_nothing_of(&room, &plain[start..start + 8], &scene.name);
                holds_nothing_of(&source, &plain[start..start + 8], &scene.name);
            }
        });
    }
}

#[test]
fn record_that_is_cut_or_has_more_bytes_is_refused_with_decrypt_failed() {
    for change in [-1_isize, 1, -8, 8] {
        everywhere(&[TLS13, TLS12], |mut scene| {
            let mut record = scene.write.seal(DATA, &plaintext(100));
            let length = record.len().checked_add_signed(change).unwrap();
            record.resize(length, 0);
            let [high, low] = u16::try_from(length - HEADER_BYTES).unwrap().to_be_bytes();
            record[3..5].copy_from_slice(&[high, low]);
            scene.refuses(&record, Code::DecryptFailed);
        });
    }
}

#[test]
fn change_cipher_spec_after_the_handshake_is_refused_with_unexpected_message() {
    // In plain text, as a middlebox of TLS 1.3 may see it during the handshake (RFC 8446 section 5).
    everywhere(&[TLS13], |scene| scene.refuses(&[20, 3, 3, 0, 1, 1], Code::UnexpectedMessage));
    everywhere(&[TLS12], |mut scene| {
        let record = scene.write.seal(20, &[1]);
        scene.refuses(&record, Code::UnexpectedMessage);
    });
}

#[test]
fn plain_record_after_the_handshake_of_tls12_is_refused_with_decrypt_failed() {
    for record in [&[ALERT, 3, 3, 0, 2, 1, 0][..], &[HANDSHAKE, 3, 3, 0, 4, 0, 0, 0, 0], &[DATA, 3, 3, 0, 1, 9]] {
        everywhere(&[TLS12], |scene| scene.refuses(record, Code::DecryptFailed));
    }
}

#[test]
fn record_sealed_by_the_own_side_is_refused_with_decrypt_failed() {
    everywhere(&[TLS13, TLS12], |mut scene| {
        let mut own = vec![0; MAX_RECORD_BYTES];
        let sent = scene.ours.wrap(b"own", &mut own).unwrap().produced;
        // The peer reads it, so that its alert is the next.
        assert_eq!(scene.opened(&own[..sent]), [(DATA, b"own".to_vec())]);
        scene.refuses(&own[..sent], Code::DecryptFailed);
    });
}

#[test]
fn record_longer_than_tls13_allows_is_refused_with_record_too_large() {
    for length in [MAX_PLAINTEXT_BYTES + 257, MAX_PLAINTEXT_BYTES + 2048] {
        everywhere(&[TLS13], |scene| {
            scene.refuses(&forged(length), Code::RecordTooLarge);
        });
    }
}

#[test]
fn outer_type_other_than_application_data_is_refused_with_unexpected_message() {
    for kind in [ALERT, HANDSHAKE] {
        for number in [0, 1] {
            everywhere(&[TLS13], |mut scene| {
                let record = match number {
                    0 => scene.write.seal_inner(Header::of(kind), b"data\x17"),
                    _ => vec![kind, 3, 3, 0, 2, 1, 0],
                };
                scene.refuses(&record, Code::UnexpectedMessage);
            });
        }
    }
}

#[test]
fn outer_type_that_was_altered_on_the_way_is_refused_with_unexpected_message() {
    for kind in [20, ALERT, HANDSHAKE] {
        everywhere(&[TLS13], |mut scene| {
            let mut record = scene.write.seal(DATA, b"data");
            record[0] = kind;
            scene.refuses(&record, Code::UnexpectedMessage);
        });
    }
}

#[test]
fn version_that_was_altered_on_the_way_is_refused_with_decrypt_failed() {
    for version in [[3, 1], [3, 4], [3, 0]] {
        everywhere(&[TLS13, TLS12], |mut scene| {
            let mut record = scene.write.seal(DATA, b"data");
            record[1..3].copy_from_slice(&version);
            scene.refuses(&record, Code::DecryptFailed);
        });
    }
}

#[test]
fn record_of_a_type_that_tls_does_not_have_is_refused_with_unexpected_message() {
    for kind in [0, 1, 19, 24, 25, 99, 0x80, 255] {
        everywhere(&[TLS13, TLS12], |mut scene| {
            let record = scene.write.seal_inner(Header::of(kind), b"data\x17");
            scene.refuses(&record, Code::UnexpectedMessage);
        });
    }
}
