//! Key updates of the peer (RFC 8446 section 4.6.3).

use brokertls::{Code, MAX_RECORD_BYTES, Next};

use super::scene::{CLOSE_NOTIFY, DATA, HANDSHAKE, KEY_UPDATE, KEY_UPDATE_REQUEST, Scene, TLS12, TLS13, everywhere};

/// Most key updates without data between them.
const MAX_UPDATES: usize = 32;

/// A record with a key update, after which the peer has the next keys.
fn update(scene: &mut Scene, message: &[u8]) -> Vec<u8> {
    let record = scene.write.seal(HANDSHAKE, message);
    scene.write.update();
    record
}

/// Sends data of our side; gives the messages that the peer has got.
fn send(scene: &mut Scene, data: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let (mut sent, mut record, mut said) = (Vec::new(), vec![0; MAX_RECORD_BYTES], 0);
    while said == 0 {
        let moved = scene.ours.wrap(data, &mut record).unwrap();
        sent.extend(scene.opened(&record[..moved.produced]));
        said = moved.consumed;
    }
    sent
}

#[test]
fn key_update_that_asks_for_none_changes_the_keys_of_one_direction() {
    everywhere(&[TLS13], |mut scene| {
        for _ in 0..5 {
            let record = update(&mut scene, &KEY_UPDATE);
            scene.accepts(&record, b"");
            assert_eq!(send(&mut scene, b"data"), [(DATA, b"data".to_vec())], "{}", scene.name);
            scene.works();
        }
    });
}

#[test]
fn key_update_that_asks_for_one_is_answered_before_the_next_data() {
    everywhere(&[TLS13], |mut scene| {
        for _ in 0..5 {
            let record = update(&mut scene, &KEY_UPDATE_REQUEST);
            scene.accepts(&record, b"");
            let expected = [(HANDSHAKE, KEY_UPDATE.to_vec()), (DATA, b"data".to_vec())];
            assert_eq!(send(&mut scene, b"data"), expected, "{}", scene.name);
            scene.works();
        }
    });
}

#[test]
fn requests_that_come_before_anything_is_sent_are_answered_with_key_updates_that_ask_for_none() {
    everywhere(&[TLS13], |mut scene| {
        let records: Vec<u8> = (0..MAX_UPDATES).flat_map(|_| update(&mut scene, &KEY_UPDATE_REQUEST)).collect();
        scene.accepts(&records, b"");
        let sent = send(&mut scene, b"data");
        let (data, answers) = sent.split_last().unwrap();
        assert_eq!(*data, (DATA, b"data".to_vec()), "{}", scene.name);
        // One answer may stand for many requests.
        assert!((1..=MAX_UPDATES).contains(&answers.len()), "{}", scene.name);
        assert!(answers.iter().all(|answer| *answer == (HANDSHAKE, KEY_UPDATE.to_vec())), "{}", scene.name);
        scene.works();
    });
}

#[test]
fn data_around_key_updates_comes_whole_and_in_order() {
    everywhere(&[TLS13], |mut scene| {
        let mut records = scene.write.seal(DATA, b"a");
        records.extend(update(&mut scene, &KEY_UPDATE));
        records.extend(scene.write.seal(DATA, b"b"));
        records.extend(update(&mut scene, &KEY_UPDATE_REQUEST));
        records.extend(update(&mut scene, &KEY_UPDATE));
        records.extend(scene.write.seal(DATA, b"c"));
        scene.accepts(&records, b"abc");
        scene.works();
    });
}

#[test]
fn key_update_with_an_unknown_request_is_refused_with_peer_misbehaved() {
    for request in [2, 3, 255] {
        everywhere(&[TLS13], |mut scene| {
            let record = scene.write.seal(HANDSHAKE, &[24, 0, 0, 1, request]);
            scene.refuses(&record, Code::PeerMisbehaved);
        });
    }
}

#[test]
fn key_update_of_another_length_is_refused_with_message_malformed() {
    for message in [&[24, 0, 0, 0][..], &[24, 0, 0, 2, 0, 0], &[24, 0, 0, 5, 0, 0, 0, 0, 0]] {
        everywhere(&[TLS13], |mut scene| {
            let record = scene.write.seal(HANDSHAKE, message);
            scene.refuses(&record, Code::MessageMalformed);
        });
    }
}

#[test]
fn key_update_that_does_not_end_its_record_is_refused_with_unexpected_message() {
    for rest in [&KEY_UPDATE[..], &[24], &[24, 0, 0], &[4, 0, 1], &[99, 0, 0, 0]] {
        everywhere(&[TLS13], |mut scene| {
            let record = scene.write.seal(HANDSHAKE, &[&KEY_UPDATE[..], rest].concat());
            scene.refuses(&record, Code::UnexpectedMessage);
        });
    }
}

#[test]
fn key_update_split_over_records_is_one() {
    for message in [KEY_UPDATE, KEY_UPDATE_REQUEST] {
        for middle in 1..message.len() {
            everywhere(&[TLS13], |mut scene| {
                let start = scene.write.seal(HANDSHAKE, &message[..middle]);
                scene.accepts(&start, b"");
                let rest = update(&mut scene, &message[middle..]);
                scene.accepts(&rest, b"");
                let sent = send(&mut scene, b"data");
                assert_eq!(sent.len(), if message == KEY_UPDATE { 1 } else { 2 }, "{}", scene.name);
                scene.works();
            });
        }
    }
    everywhere(&[TLS13], |mut scene| {
        let bytes: Vec<u8> = KEY_UPDATE.iter().flat_map(|byte| scene.write.seal(HANDSHAKE, &[*byte])).collect();
        scene.write.update();
        scene.accepts(&bytes, b"");
        scene.works();
    });
}

#[test]
fn keys_change_only_with_the_last_byte_of_a_key_update() {
    everywhere(&[TLS13], |mut scene| {
        let start = update(&mut scene, &KEY_UPDATE[..3]);
        let rest = scene.write.seal(HANDSHAKE, &KEY_UPDATE[3..]);
        scene.refuses(&[start, rest].concat(), Code::DecryptFailed);
    });
    everywhere(&[TLS13], |mut scene| {
        // Still with the keys before.
        let records = [scene.write.seal(HANDSHAKE, &KEY_UPDATE), scene.write.seal(DATA, b"data")].concat();
        scene.refuses(&records, Code::DecryptFailed);
    });
    everywhere(&[TLS13], |mut scene| {
        // Without a key update.
        scene.write.update();
        let record = scene.write.seal(DATA, b"data");
        scene.refuses(&record, Code::DecryptFailed);
    });
}

#[test]
fn flood_of_key_updates_is_refused_with_unexpected_message() {
    for message in [KEY_UPDATE, KEY_UPDATE_REQUEST] {
        everywhere(&[TLS13], |mut scene| {
            // As many as are allowed, twice, with data between them.
            for _ in 0..2 {
                let allowed: Vec<u8> = (0..MAX_UPDATES).flat_map(|_| update(&mut scene, &message)).collect();
                scene.accepts(&allowed, b"");
                scene.works();
            }
            let flood: Vec<u8> = (0..=MAX_UPDATES).flat_map(|_| update(&mut scene, &message)).collect();
            scene.refuses(&flood, Code::UnexpectedMessage);
        });
    }
}

#[test]
fn key_update_in_tls12_is_refused_with_unexpected_message() {
    for message in [KEY_UPDATE, KEY_UPDATE_REQUEST] {
        everywhere(&[TLS12], |mut scene| {
            let record = scene.write.seal(HANDSHAKE, &message);
            scene.refuses(&record, Code::UnexpectedMessage);
        });
    }
}

#[test]
fn alert_after_a_key_update_is_sealed_with_the_keys_that_the_peer_expects() {
    for message in [KEY_UPDATE, KEY_UPDATE_REQUEST] {
        everywhere(&[TLS13], |mut scene| {
            let mut records = update(&mut scene, &message);
            records.extend(scene.write.seal(99, b"x"));
            scene.refuses(&records, Code::UnexpectedMessage);
        });
    }
}

#[test]
fn request_for_a_key_update_after_the_own_close_notify_is_not_answered() {
    everywhere(&[TLS13], |mut scene| {
        scene.ours.close_write().unwrap();
        assert_eq!(scene.sent(), [(super::scene::ALERT, CLOSE_NOTIFY.to_vec())], "{}", scene.name);
        let mut records = update(&mut scene, &KEY_UPDATE_REQUEST);
        records.extend(scene.write.seal(DATA, b"data"));
        scene.accepts(&records, b"data");
        assert_eq!(scene.sent(), [], "{}", scene.name);
        assert!(!scene.ours.has_outgoing());
    });
}

#[test]
fn request_for_a_key_update_before_the_own_close_notify_is_answered_before_it_or_not_at_all() {
    everywhere(&[TLS13], |mut scene| {
        let record = update(&mut scene, &KEY_UPDATE_REQUEST);
        scene.accepts(&record, b"");
        scene.ours.close_write().unwrap();
        let sent = scene.sent();
        assert_eq!(sent.last(), Some(&(super::scene::ALERT, CLOSE_NOTIFY.to_vec())), "{}", scene.name);
        assert!(sent[..sent.len() - 1].iter().all(|message| *message == (HANDSHAKE, KEY_UPDATE.to_vec())));
    });
}

#[test]
fn empty_data_between_key_updates_does_not_excuse_a_flood() {
    everywhere(&[TLS13], |mut scene| {
        let mut flood = Vec::new();
        for _ in 0..1000 {
            flood.extend(scene.write.seal(HANDSHAKE, &KEY_UPDATE));
            scene.write.update();
            flood.extend(scene.write.seal(DATA, b""));
        }
        scene.refuses(&flood, Code::UnexpectedMessage);
    });
}

#[test]
fn answer_to_a_key_update_goes_out_whatever_the_room() {
    for room in [0, 1, 22, 23, 26, 27, 28, 40, 49, 50, 53, 60] {
        everywhere(&[TLS13], |mut scene| {
            let record = scene.write.seal(HANDSHAKE, &KEY_UPDATE_REQUEST);
            scene.write.update();
            scene.accepts(&record, b"");
            let (mut said, mut sent, mut tls) = (0, Vec::new(), vec![0; room]);
            while said < 30 {
                let moved = scene.ours.wrap(&[7; 30][said..], &mut tls).unwrap();
                sent.extend(scene.opened(&tls[..moved.produced]));
                said += moved.consumed;
                if let Next::DestinationTooSmall(needed) = moved.next {
                    assert!(moved.produced == 0 && needed > tls.len(), "{}: {needed}", scene.name);
                    tls = vec![0; needed];
                }
            }
            assert_eq!(sent.remove(0), (HANDSHAKE, KEY_UPDATE.to_vec()), "{}", scene.name);
            let data: Vec<u8> =
                sent.into_iter().flat_map(|(kind, content)| if kind == DATA { content } else { vec![] }).collect();
            assert_eq!(data, [7; 30], "{}", scene.name);
            scene.works();
        });
    }
}
