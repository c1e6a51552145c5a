//! Writes that the transport takes only in part, and what writes look like on the wire.

use std::io::{ErrorKind, IoSlice};

use brokertls::{Code, MAX_PLAINTEXT_BYTES, Status, Stream};

use super::wire::Wire;
use super::{Sides, VERSIONS, read_exactly};

/// The number of records of application data written to the server since byte `from`.
fn records(wire: &Wire, from: usize) -> usize {
    let written = &wire.to_server.lock().unwrap().written[from..];
    let (mut rest, mut count) = (written, 0);
    while let [kind, 3, 3, high, low, after @ ..] = rest {
        assert_eq!(*kind, 23);
        rest = &after[usize::from(u16::from_be_bytes([*high, *low]))..];
        count += 1;
    }
    assert!(rest.is_empty());
    count
}

fn written(wire: &Wire) -> usize {
    wire.to_server.lock().unwrap().written.len()
}

/// Gives the transport room for so many more bytes.
fn allow(wire: &Wire, room: usize) {
    wire.to_server.lock().unwrap().room = Some(room);
}

#[test]
fn small_pieces_share_a_record() {
    for version in VERSIONS {
        let (mut server, mut client, wire) = Sides::new(version).connected();
        let pieces: Vec<[u8; 10]> = (0..100).map(|number| [number; 10]).collect();
        let slices: Vec<_> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
        let from = written(&wire);
        assert_eq!(client.write_vectored(&slices).unwrap(), Status::Done(1000));
        assert_eq!(records(&wire, from), 1);
        assert_eq!(read_exactly(&mut server, 1000, 2000), pieces.concat());
    }
}

#[test]
fn large_write_fills_its_records() {
    for version in VERSIONS {
        let (mut server, mut client, wire) = Sides::new(version).connected();
        // A fixed header, a large payload and a trailer, as a broker sends them.
        let payload: Vec<u8> = (0..5 * MAX_PLAINTEXT_BYTES).map(|number| number as u8).collect();
        let slices = [IoSlice::new(b"header"), IoSlice::new(&[]), IoSlice::new(&payload), IoSlice::new(b"trailer")];
        let length = payload.len() + 13;
        let from = written(&wire);
        assert_eq!(client.write_vectored(&slices).unwrap(), Status::Done(length));
        assert!((6..=7).contains(&records(&wire, from)), "{}", records(&wire, from));
        let heard = read_exactly(&mut server, length, 1000);
        assert!(heard.starts_with(b"header") && heard.ends_with(b"trailer"));
        assert!(heard[6..length - 7] == payload);
    }
}

#[test]
fn write_of_nothing_sends_nothing() {
    let (_server, mut client, wire) = Sides::new("TLSv1.3").connected();
    let from = written(&wire);
    assert_eq!(client.write(&[]).unwrap(), Status::Done(0));
    assert_eq!(client.write_vectored(&[]).unwrap(), Status::Done(0));
    assert_eq!(client.write_vectored(&[IoSlice::new(&[]), IoSlice::new(&[])]).unwrap(), Status::Done(0));
    assert_eq!(written(&wire), from);
}

#[test]
fn partial_write_is_finished_with_the_same_bytes_wherever_they_stand() {
    for version in VERSIONS {
        let (mut server, mut client, wire) = Sides::new(version).connected();
        let message: Vec<u8> = (0..5000_u32).map(|number| (number / 7) as u8).collect();
        let from = written(&wire);
        allow(&wire, 100);
        assert_eq!(client.write(&message).unwrap(), Status::WantWrite);
        assert!(client.wants_write());
        assert_eq!(client.write(&message).unwrap(), Status::WantWrite, "nothing can move");
        allow(&wire, 1000);
        let moved = message.clone();
        assert_eq!(client.write(&moved).unwrap(), Status::WantWrite);
        allow(&wire, usize::MAX);
        let (head, tail) = message.split_at(1234);
        let pieces = [IoSlice::new(head), IoSlice::new(tail)];
        assert_eq!(client.write_vectored(&pieces).unwrap(), Status::Done(5000), "in pieces, the same bytes");
        assert!(!client.wants_write());
        assert_eq!(records(&wire, from), 1, "nothing was encrypted twice");
        assert_eq!(read_exactly(&mut server, 5000, 999), message);
    }
}

#[test]
fn partial_write_refuses_other_bytes_and_continues_with_the_right_ones() {
    for version in VERSIONS {
        let (mut server, mut client, wire) = Sides::new(version).connected();
        allow(&wire, 10);
        assert_eq!(client.write(b"the first message").unwrap(), Status::WantWrite);
        assert_eq!(client.write(b"another message!!").unwrap_err().code(), Code::InvalidArgument);
        assert_eq!(client.write(b"the first").unwrap_err().code(), Code::InvalidArgument, "fewer bytes are others");
        allow(&wire, usize::MAX);
        assert_eq!(client.write(b"the first message").unwrap(), Status::Done(17));
        assert_eq!(read_exactly(&mut server, 17, 100), b"the first message");
    }
}

#[test]
fn partial_write_refuses_bytes_that_differ_late_before_they_count_as_written() {
    let (mut server, mut client, wire) = Sides::new("TLSv1.3").connected();
    let message = vec![1; 5000];
    let mut other = message.clone();
    other[4999] = 2;
    allow(&wire, 10);
    assert_eq!(client.write(&message).unwrap(), Status::WantWrite);
    allow(&wire, usize::MAX);
    assert_eq!(client.write(&other).unwrap_err().code(), Code::InvalidArgument);
    assert_eq!(client.write(&message).unwrap(), Status::Done(5000));
    assert_eq!(read_exactly(&mut server, 5000, 9000), message);
}

#[test]
fn partial_write_takes_more_bytes_than_before() {
    let (mut server, mut client, wire) = Sides::new("TLSv1.3").connected();
    allow(&wire, 10);
    assert_eq!(client.write(b"the first message").unwrap(), Status::WantWrite);
    allow(&wire, usize::MAX);
    assert_eq!(client.write(b"the first message and the second").unwrap(), Status::Done(32));
    assert_eq!(read_exactly(&mut server, 32, 100), b"the first message and the second");
}

#[test]
fn partial_write_at_every_byte_of_its_records_arrives_once() {
    let message: Vec<u8> = (0..20_000_u32).map(|number| (number / 3) as u8).collect();
    for version in VERSIONS {
        let sides = Sides::new(version);
        let (mut server, mut client, wire) = sides.connected();
        for room in (0..1500).chain((1500..20_060).step_by(371)).chain(16_380..16_430) {
            allow(&wire, room);
            let mut said = 0;
            while said < message.len() {
                match client.write(&message[said..]).unwrap() {
                    Status::Done(count) => said += count,
                    _ => allow(&wire, usize::MAX),
                }
            }
            assert!(read_exactly(&mut server, message.len(), 32_768) == message, "{version}, room for {room}");
        }
    }
}

#[test]
fn bytes_that_were_sent_before_the_transport_failed_are_counted_and_the_next_write_says_why() {
    for version in VERSIONS {
        let (mut server, mut client, wire) = Sides::new(version).connected();
        let bytes: Vec<u8> = (0..1 << 20).map(|number: usize| (number / 7) as u8).collect();
        allow(&wire, 300_000);
        wire.to_server.lock().unwrap().fault_without_room = Some(ErrorKind::BrokenPipe);
        let Status::Done(taken) = client.write(&bytes).unwrap() else { panic!("the write waits") };
        assert!(taken > 0 && taken < 300_000, "{version}: {taken}");
        assert_eq!(client.write(&bytes[taken..]).unwrap_err().code(), Code::BrokenPipe);
        assert_eq!(client.write(b"other").unwrap_err().code(), Code::BrokenPipe);
        assert!(read_exactly(&mut server, taken, 10_000) == bytes[..taken]);
    }
}

#[test]
fn flush_finishes_what_a_write_has_begun() {
    let (mut server, mut client, wire) = Sides::new("TLSv1.3").connected();
    allow(&wire, 10);
    assert_eq!(client.write(b"the first message").unwrap(), Status::WantWrite);
    assert_eq!(client.flush().unwrap(), Status::WantWrite);
    allow(&wire, usize::MAX);
    assert_eq!(client.flush().unwrap(), Status::Done(()));
    assert!(!client.wants_write());
    assert_eq!(read_exactly(&mut server, 17, 100), b"the first message");
    assert_eq!(client.write(b"the first message").unwrap(), Status::Done(17), "and is told as written by the retry");
    assert_eq!(server.read(&mut [0; 10]).unwrap(), Status::WantRead, "though not sent again");
}

#[test]
fn reading_continues_while_a_write_waits() {
    let (mut server, mut client, wire) = Sides::new("TLSv1.3").connected();
    allow(&wire, 0);
    assert_eq!(client.write(b"waiting").unwrap(), Status::WantWrite);
    assert_eq!(server.write(b"hello").unwrap(), Status::Done(5));
    assert_eq!(read_exactly(&mut client, 5, 100), b"hello");
    allow(&wire, usize::MAX);
    assert_eq!(client.write(b"waiting").unwrap(), Status::Done(7));
    assert_eq!(read_exactly(&mut server, 7, 100), b"waiting");
}

#[test]
fn close_waits_behind_a_partial_write() {
    let (mut server, mut client, wire) = Sides::new("TLSv1.3").connected();
    allow(&wire, 10);
    assert_eq!(client.write(b"the last message").unwrap(), Status::WantWrite);
    assert_eq!(client.close_write().unwrap(), Status::WantWrite);
    allow(&wire, usize::MAX);
    assert_eq!(client.close_write().unwrap(), Status::Done(()));
    assert_eq!(read_exactly(&mut server, 16, 100), b"the last message");
    assert_eq!(server.read(&mut [0; 10]).unwrap(), Status::Closed);
}

#[test]
fn nothing_is_written_before_the_handshake_is_complete() {
    let (mut server, mut client) = Sides::new("TLSv1.3").streams();
    let _wire = Wire::between(&mut server, &mut client, [super::Pace::Free; 2]);
    let write = |stream: &mut Stream| stream.write(b"early").unwrap();
    assert_eq!(write(&mut client), Status::WantRead);
    assert_eq!(write(&mut server), Status::WantRead);
    assert_eq!(write(&mut client), Status::Done(5), "a write completes the handshake");
    assert_eq!(read_exactly(&mut server, 5, 10), b"early", "and so does a read");
}
