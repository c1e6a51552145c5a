//! Connections without a transport: one record a call, nothing complete held inside, no room too small unnoticed.

use brokertls::{Code, Connection, MAX_PLAINTEXT_BYTES, MAX_RECORD_BYTES, Next};

use super::{Sides, VERSIONS};
use crate::rig::pair::Pair;

fn connected(version: &str) -> Pair {
    let sides = Sides::new(version);
    Pair::connect(&sides.server, &sides.client, "broker")
}

/// One record of this plaintext.
fn record(from: &mut Connection, plain: &[u8]) -> Vec<u8> {
    let mut tls = vec![0; MAX_RECORD_BYTES];
    let sent = from.wrap(plain, &mut tls).unwrap();
    assert_eq!(sent.consumed, plain.len());
    tls.truncate(sent.produced);
    tls
}

#[test]
fn one_call_takes_one_record_and_leaves_the_rest() {
    for version in VERSIONS {
        let mut pair = connected(version);
        let first = record(&mut pair.client, b"first");
        let mut both = [first.clone(), record(&mut pair.client, b"second")].concat();
        let mut plain = vec![0; MAX_PLAINTEXT_BYTES];
        let taken = pair.server.unwrap(&mut both, &mut plain).unwrap();
        assert_eq!((taken.consumed, taken.produced), (first.len(), 5));
        assert_eq!(&plain[..5], b"first");
        let taken = pair.server.unwrap(&mut both[first.len()..], &mut plain).unwrap();
        assert_eq!(taken.produced, 6);
        assert_eq!(&plain[..6], b"second");
        assert_eq!(pair.server.unwrap(&mut [], &mut plain).unwrap().next, Next::NeedRecord);
    }
}

#[test]
fn record_that_is_not_whole_is_left_with_the_caller() {
    for version in VERSIONS {
        let mut pair = connected(version);
        let whole = record(&mut pair.client, b"in parts");
        let mut plain = vec![0; MAX_PLAINTEXT_BYTES];
        for end in 0..whole.len() {
            let taken = pair.server.unwrap(&mut whole[..end].to_vec(), &mut plain).unwrap();
            assert_eq!((taken.consumed, taken.produced, taken.next), (0, 0, Next::NeedRecord), "{end}");
        }
        assert_eq!(pair.server.unwrap(&mut whole.clone(), &mut plain).unwrap().produced, 8);
    }
}

#[test]
fn record_for_which_there_is_no_room_is_left_with_the_caller() {
    for version in VERSIONS {
        let mut pair = connected(version);
        let mut whole = record(&mut pair.client, &[8; 5000]);
        let mut small = vec![0; 4999];
        let taken = pair.server.unwrap(&mut whole, &mut small).unwrap();
        let Next::DestinationTooSmall(needed) = taken.next else { panic!("{taken:?}") };
        assert_eq!((taken.consumed, taken.produced), (0, 0));
        assert_eq!(needed, 5000, "{version}");
        let taken = pair.server.unwrap(&mut whole, &mut vec![0; needed]).unwrap();
        assert_eq!((taken.consumed, taken.produced), (whole.len(), 5000));
    }
}

#[test]
fn wrap_takes_what_fits_and_says_what_it_needs() {
    for version in VERSIONS {
        let mut pair = connected(version);
        let message = [4; 3000];
        let mut said = 0;
        let mut heard = Vec::new();
        for room in (0..200).cycle() {
            let mut tls = vec![0; room];
            let sent = pair.client.wrap(&message[said..], &mut tls).unwrap();
            said += sent.consumed;
            if sent.produced == 0 {
                let Next::DestinationTooSmall(needed) = sent.next else { panic!("{sent:?}") };
                assert!(needed > room);
                continue;
            }
            let mut plain = vec![0; MAX_PLAINTEXT_BYTES];
            let taken = pair.server.unwrap(&mut tls[..sent.produced], &mut plain).unwrap();
            assert_eq!((taken.consumed, taken.produced), (sent.produced, sent.consumed), "one record a call");
            heard.extend_from_slice(&plain[..taken.produced]);
            if said == message.len() {
                break;
            }
        }
        assert_eq!(heard, message);
    }
}

#[test]
fn wrap_never_makes_a_record_larger_than_allowed() {
    for version in VERSIONS {
        let mut pair = connected(version);
        let mut tls = vec![0; 3 * MAX_RECORD_BYTES];
        let sent = pair.client.wrap(&vec![1; 100_000], &mut tls).unwrap();
        assert_eq!(sent.consumed, MAX_PLAINTEXT_BYTES);
        assert!(sent.produced <= MAX_RECORD_BYTES);
    }
}

#[test]
fn handshake_records_are_given_whole_or_not_at_all() {
    let sides = Sides::new("TLSv1.3");
    let mut client = sides.client.connect(Some("broker")).unwrap();
    assert_eq!(client.next(), Next::NeedWrap);
    let sent = client.wrap(&[], &mut [0; 10]).unwrap();
    let Next::DestinationTooSmall(needed) = sent.next else { panic!("{sent:?}") };
    assert_eq!(sent.produced, 0);
    let sent = client.wrap(b"not yet", &mut vec![0; needed]).unwrap();
    assert_eq!((sent.consumed, sent.produced), (0, needed), "no plaintext before the handshake is complete");
    assert_eq!(client.next(), Next::NeedRecord);
}

#[test]
fn close_notify_goes_both_ways() {
    for version in VERSIONS {
        let Pair { mut server, mut client } = connected(version);
        client.close_write().unwrap();
        assert!(client.is_write_closed() && client.has_outgoing());
        let mut alert = record(&mut client, &[]);
        assert_eq!(server.unwrap(&mut alert, &mut [0; 100]).unwrap().next, Next::Closed);
        assert!(server.is_peer_closed() && server.end_of_input().is_ok());
        assert_eq!(client.wrap(b"more", &mut [0; 100]).unwrap_err().code(), Code::WrongState);
        // The other direction is still open.
        let mut answer = record(&mut server, b"answer");
        assert_eq!(client.unwrap(&mut answer, &mut [0; 100]).unwrap().produced, 6);
        assert_eq!(client.end_of_input().unwrap_err().code(), Code::Truncated);
        assert_eq!(client.failure().map(brokertls::Error::code), Some(Code::Truncated));
    }
}

#[test]
fn altered_record_ends_the_connection_with_an_alert_and_for_good() {
    for version in VERSIONS {
        let Pair { mut server, mut client } = connected(version);
        let mut altered = record(&mut client, b"a message");
        *altered.last_mut().unwrap() ^= 1;
        let mut plain = vec![0; MAX_PLAINTEXT_BYTES];
        let error = server.unwrap(&mut altered, &mut plain).unwrap_err();
        assert_eq!(error.code(), Code::DecryptFailed);
        assert_eq!(server.unwrap(&mut record(&mut client, b"x"), &mut plain).unwrap_err().code(), Code::DecryptFailed);
        let mut alert = record(&mut server, &[]);
        assert!(!alert.is_empty(), "{version}: the alert goes out though the connection has failed");
        assert_eq!(client.unwrap(&mut alert, &mut plain).unwrap_err().code(), Code::AlertBadRecordMac);
        assert_eq!(server.wrap(b"more", &mut plain).unwrap_err().code(), Code::DecryptFailed);
    }
}
