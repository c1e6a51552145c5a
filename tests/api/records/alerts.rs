//! Alerts of the peer, and the end of a connection (RFC 8446 section 6, RFC 5246 section 7.2).

use brokertls::{Code, MAX_RECORD_BYTES, Next};

use super::scene::{ALERT, CLOSE_NOTIFY, DATA, Scene, TLS12, TLS13, everywhere};

/// The description of user_canceled.
const USER_CANCELED: u8 = 90;

/// Most warnings without data between them.
const MAX_WARNINGS: usize = 4;

/// Gives our side an alert that ends the connection without one of our own.
#[track_caller]
fn ends(mut scene: Scene, alert: &[u8], code: Code) {
    let record = scene.write.seal(ALERT, alert);
    let (_, outcome) = scene.give(&record);
    let error = outcome.unwrap_err();
    assert_eq!(error.code(), code, "{} {alert:?}: {error}", scene.name);
    assert_eq!(scene.sent(), [], "{} {alert:?}", scene.name);
    let record = scene.write.seal(DATA, b"data");
    assert_eq!(scene.give(&record).1.unwrap_err().code(), code, "{} {alert:?}", scene.name);
    assert_eq!(scene.ours.wrap(b"data", &mut [0; 100]).unwrap_err().code(), code, "{} {alert:?}", scene.name);
}

#[test]
fn close_notify_ends_reading_alone_and_what_follows_it_is_not_read() {
    for level in [1, 2] {
        everywhere(&[TLS13, TLS12], |mut scene| {
            let parts = [(DATA, &b"last"[..]), (ALERT, &[level, 0]), (DATA, b"more")];
            let mut records: Vec<u8> = parts.iter().flat_map(|(kind, bytes)| scene.write.seal(*kind, bytes)).collect();
            records.extend(b"and no record at all");
            scene.accepts(&records, b"last");
            assert!(scene.ours.is_peer_closed(), "{}", scene.name);
            let mut plain = vec![0; MAX_RECORD_BYTES];
            let taken = scene.ours.unwrap(&mut records, &mut plain).unwrap();
            assert_eq!((taken.consumed, taken.produced, taken.next), (0, 0, Next::Closed), "{}", scene.name);
            scene.ours.end_of_input().unwrap();
            // This side may still send.
            let mut record = vec![0; MAX_RECORD_BYTES];
            let sent = scene.ours.wrap(b"answer", &mut record).unwrap().produced;
            assert_eq!(scene.opened(&record[..sent]), [(DATA, b"answer".to_vec())], "{}", scene.name);
            scene.ours.close_write().unwrap();
            assert_eq!(scene.sent(), [(ALERT, CLOSE_NOTIFY.to_vec())], "{}", scene.name);
        });
    }
}

#[test]
fn own_close_notify_is_sent_once_and_data_is_still_read() {
    everywhere(&[TLS13, TLS12], |mut scene| {
        scene.ours.close_write().unwrap();
        scene.ours.close_write().unwrap();
        assert_eq!(scene.sent(), [(ALERT, CLOSE_NOTIFY.to_vec())], "{}", scene.name);
        let refused = scene.ours.wrap(b"data", &mut [0; 100]).unwrap_err();
        assert_eq!(refused.code(), Code::WrongState, "{}", scene.name);
        for _ in 0..100 {
            let record = scene.write.seal(DATA, b"still coming");
            scene.accepts(&record, b"still coming");
        }
        let record = scene.write.seal(ALERT, &CLOSE_NOTIFY);
        scene.accepts(&record, b"");
        assert!(scene.ours.is_peer_closed() && !scene.ours.has_outgoing(), "{}", scene.name);
    });
}

#[test]
fn error_after_the_own_close_notify_is_not_sent() {
    everywhere(&[TLS13, TLS12], |mut scene| {
        scene.ours.close_write().unwrap();
        assert_eq!(scene.sent(), [(ALERT, CLOSE_NOTIFY.to_vec())], "{}", scene.name);
        let mut record = scene.write.seal(DATA, b"data");
        *record.last_mut().unwrap() ^= 1;
        assert_eq!(scene.give(&record).1.unwrap_err().code(), Code::DecryptFailed, "{}", scene.name);
        assert_eq!(scene.sent(), [], "{}", scene.name);
    });
}

#[test]
fn user_canceled_before_close_notify_is_no_error() {
    everywhere(&[TLS13, TLS12], |mut scene| {
        let record = scene.write.seal(ALERT, &[1, USER_CANCELED]);
        scene.accepts(&record, b"");
        scene.works();
        let record = scene.write.seal(ALERT, &CLOSE_NOTIFY);
        scene.accepts(&record, b"");
        assert!(scene.ours.is_peer_closed(), "{}", scene.name);
    });
}

#[test]
fn flood_of_warnings_is_refused_with_unexpected_message() {
    for (suites, warning) in [(TLS13, USER_CANCELED), (TLS12, USER_CANCELED), (TLS12, 100), (TLS12, 41), (TLS12, 200)] {
        everywhere(&[suites], |mut scene| {
            for _ in 0..MAX_WARNINGS {
                let record = scene.write.seal(ALERT, &[1, warning]);
                scene.accepts(&record, b"");
            }
            let record = scene.write.seal(ALERT, &[1, warning]);
            scene.refuses(&record, Code::UnexpectedMessage);
        });
    }
}

#[test]
fn warning_in_tls13_is_an_error() {
    for description in [10, 20, 40, 41, 49, 86, 100, 112, 200, 255] {
        everywhere(&[TLS13], |scene| ends(scene, &[1, description], Code::from_received_alert(description)));
    }
}

#[test]
fn fatal_alert_ends_the_connection_with_its_code_and_without_an_answer() {
    for description in 1..=255 {
        // In TLS 1.3 the level of user_canceled counts for nothing.
        let suites = if description == USER_CANCELED { &[&TLS12[..1]][..] } else { &[&TLS13[..1], &TLS12[..1]] };
        everywhere(suites, |scene| {
            ends(scene, &[2, description], Code::from_received_alert(description));
        });
    }
}

#[test]
fn alert_of_another_length_is_refused_with_message_malformed() {
    for alert in [&[1][..], &[2], &[1, 0, 0], &[2, 40, 0], &[2, 40, 2, 40]] {
        everywhere(&[TLS13, TLS12], |mut scene| {
            let record = scene.write.seal(ALERT, alert);
            scene.refuses(&record, Code::MessageMalformed);
        });
    }
}

#[test]
fn alert_split_over_records_is_refused_with_message_malformed() {
    everywhere(&[TLS13], |mut scene| {
        let records = [scene.write.seal(ALERT, &[1]), scene.write.seal(ALERT, &[0])].concat();
        scene.refuses(&records, Code::MessageMalformed);
    });
}

#[test]
fn end_of_the_transport_without_close_notify_is_reported_as_truncated() {
    everywhere(&[TLS13, TLS12], |mut scene| {
        let record = scene.write.seal(DATA, b"data");
        scene.accepts(&record, b"data");
        assert_eq!(scene.ours.end_of_input().unwrap_err().code(), Code::Truncated, "{}", scene.name);
        assert_eq!(scene.sent(), [], "{}", scene.name);
    });
}

#[test]
fn alert_of_an_unknown_level_is_refused_with_peer_misbehaved() {
    for level in [0, 3, 255] {
        for description in [0, 40, 90, 200] {
            everywhere(&[TLS13, TLS12], |mut scene| {
                let record = scene.write.seal(ALERT, &[level, description]);
                scene.refuses(&record, Code::PeerMisbehaved);
            });
        }
    }
}

#[test]
fn user_canceled_of_either_level_is_no_error_in_tls13() {
    for level in [1, 2] {
        everywhere(&[TLS13], |mut scene| {
            let record = scene.write.seal(ALERT, &[level, USER_CANCELED]);
            scene.accepts(&record, b"");
            scene.works();
        });
    }
}

#[test]
fn warnings_with_data_between_them_are_taken() {
    everywhere(&[TLS13, TLS12], |mut scene| {
        for _ in 0..3 * MAX_WARNINGS {
            let record = scene.write.seal(ALERT, &[1, USER_CANCELED]);
            scene.accepts(&record, b"");
            scene.works();
        }
    });
}
