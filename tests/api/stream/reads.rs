//! Reads: one call gives what has arrived, of as many records as fit, and what ends the data comes after it.

use brokertls::{Code, Status, Stream};

use super::wire::Wire;
use super::{Sides, VERSIONS};

/// A server that has received records of 1000, 500 and 300 bytes and has read the first 300 bytes.
fn with_rest(version: &str, after: impl FnOnce(&mut Stream, &Wire)) -> (Stream, Stream) {
    let (mut server, mut client, wire) = Sides::new(version).connected();
    for (byte, length) in [(5, 1000), (6, 500), (7, 300)] {
        assert_eq!(client.write(&vec![byte; length]).unwrap(), Status::Done(length));
    }
    after(&mut client, &wire);
    assert_eq!(server.read(&mut [0; 300]).unwrap(), Status::Done(300));
    (server, client)
}

#[test]
fn read_gives_the_data_of_all_records_that_have_arrived_and_fit() {
    for version in VERSIONS {
        let (mut server, mut client, _wire) = Sides::new(version).connected();
        for number in 0..150 {
            assert_eq!(client.write(&[number; 64]).unwrap(), Status::Done(64));
        }
        let mut buffer = [0; 100 * 64 + 63];
        assert_eq!(server.read(&mut buffer).unwrap(), Status::Done(100 * 64));
        assert!(buffer.chunks_exact(64).zip(0..100).all(|(chunk, number)| chunk == [number; 64]));
        assert_eq!(server.read(&mut buffer).unwrap(), Status::Done(50 * 64));
        assert!(buffer.chunks_exact(64).zip(100..150).all(|(chunk, number)| chunk == [number; 64]));
        assert_eq!(server.read(&mut buffer).unwrap(), Status::WantRead);
    }
}

#[test]
fn rest_of_a_record_and_the_records_after_it_come_in_one_call() {
    for version in VERSIONS {
        let (mut server, _client) = with_rest(version, |_, _| {});
        let mut buffer = [0; 5000];
        assert_eq!(server.read(&mut buffer).unwrap(), Status::Done(1500));
        assert_eq!(buffer[..1500], [vec![5; 700], vec![6; 500], vec![7; 300]].concat());
        assert_eq!(server.pending().unwrap(), 0);
        assert_eq!(server.read(&mut buffer).unwrap(), Status::WantRead);
    }
}

#[test]
fn record_that_does_not_fit_after_the_rest_of_another_waits_whole() {
    for version in VERSIONS {
        let (mut server, _client) = with_rest(version, |_, _| {});
        let mut buffer = [0; 1199];
        assert_eq!(server.read(&mut buffer).unwrap(), Status::Done(700));
        assert_eq!(server.pending().unwrap(), 500);
        assert_eq!(server.read(&mut buffer).unwrap(), Status::Done(800));
        assert_eq!(buffer[..800], [vec![6; 500], vec![7; 300]].concat());
    }
}

#[test]
fn close_notify_after_the_rest_of_a_record_comes_after_all_data() {
    for version in VERSIONS {
        let close = |client: &mut Stream, _: &Wire| assert_eq!(client.close_write().unwrap(), Status::Done(()));
        let (mut server, _client) = with_rest(version, close);
        let mut buffer = [0; 5000];
        assert_eq!(server.read(&mut buffer).unwrap(), Status::Done(1500));
        assert_eq!(server.pending().unwrap(), 1, "the close is here");
        assert_eq!(server.read(&mut buffer).unwrap(), Status::Closed);
    }
}

#[test]
fn fault_after_the_rest_of_a_record_is_reported_after_all_data_and_to_the_peer() {
    for version in VERSIONS {
        let garbage = [&[23, 3, 3, 0, 40][..], &[0; 40]].concat();
        let spoil = |_: &mut Stream, wire: &Wire| wire.to_server.lock().unwrap().send(&garbage);
        let (mut server, mut client) = with_rest(version, spoil);
        let mut buffer = [0; 5000];
        assert_eq!(server.read(&mut buffer).unwrap(), Status::Done(1500));
        assert_eq!(server.read(&mut buffer).unwrap_err().code(), Code::DecryptFailed);
        assert_eq!(client.read(&mut buffer).unwrap_err().code(), Code::AlertBadRecordMac);
    }
}

#[test]
fn end_of_the_transport_after_the_rest_of_a_record_is_reported_after_all_data() {
    for version in VERSIONS {
        let end = |_: &mut Stream, wire: &Wire| wire.to_server.lock().unwrap().is_ended = true;
        let (mut server, _client) = with_rest(version, end);
        let mut buffer = [0; 5000];
        assert_eq!(server.read(&mut buffer).unwrap(), Status::Done(1500));
        assert_eq!(server.read(&mut buffer).unwrap_err().code(), Code::Truncated);
    }
}
