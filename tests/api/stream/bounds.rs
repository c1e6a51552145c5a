//! Calls that are refused have no effect, calls that are flooded end, and calls say what they have left behind.

use brokertls::{Code, MAX_PLAINTEXT_BYTES, Result, Status, Stream};

use super::wire::{Pace, Wire};
use super::{Sides, VERSIONS, read_exactly, shake_hands};

/// The most that a call receives without anything for its caller, and a receive's length more.
const MOST_OF_A_CALL: usize = 256 * 1024 + 4 * 18_437;

/// Gives the transport room for so many more bytes.
fn allow(wire: &Wire, room: usize) {
    wire.to_server.lock().unwrap().room = Some(room);
}

/// Counts the bytes that were written to the client and that it has not taken.
fn untaken(wire: &Wire) -> usize {
    wire.to_client.lock().unwrap().waiting()
}

#[test]
fn calls_without_a_transport_are_refused_and_lose_nothing() {
    type Call = fn(&mut Stream) -> Result<()>;
    let calls: [Call; 6] = [
        |stream| stream.handshake().map(drop),
        |stream| stream.read(&mut [0; 10]).map(drop),
        |stream| stream.write(b"early").map(drop),
        |stream| stream.flush().map(drop),
        |stream| stream.close_write().map(drop),
        |stream| stream.shutdown().map(drop),
    ];
    for version in VERSIONS {
        for call in calls {
            let (mut server, mut client) = Sides::new(version).streams();
            for stream in [&mut server, &mut client] {
                assert_eq!(call(stream).unwrap_err().code(), Code::WrongState);
                assert_eq!(call(stream).unwrap_err().code(), Code::WrongState, "and again");
            }
            let _wire = Wire::between(&mut server, &mut client, [Pace::Free; 2]);
            shake_hands(&mut server, &mut client);
            assert_eq!(client.write(b"in time").unwrap(), Status::Done(7));
            assert_eq!(read_exactly(&mut server, 7, 10), b"in time");
        }
    }
}

#[test]
fn client_hello_is_still_there_after_a_refused_handshake() {
    let (_server, mut client) = Sides::new("TLSv1.3").streams();
    assert_eq!(client.handshake().unwrap_err().code(), Code::WrongState);
    let mut records = vec![0; 18_437];
    let transfer = client.connection_mut().unwrap().wrap(&[], &mut records).unwrap();
    assert_eq!(records[..3], [22, 3, 1]);
    assert!(transfer.produced > 100);
}

#[test]
fn write_after_the_own_close_is_refused_before_it_moves_the_handshake() {
    let (mut server, mut client) = Sides::new("TLSv1.3").streams();
    let wire = Wire::between(&mut server, &mut client, [Pace::Free; 2]);
    wire.to_server.lock().unwrap().room = Some(0);
    assert_eq!(client.close_write().unwrap(), Status::WantWrite, "the ClientHello waits");
    wire.to_server.lock().unwrap().room = None;
    assert_eq!(client.write(b"late").unwrap_err().code(), Code::WrongState);
    assert!(wire.to_server.lock().unwrap().written.is_empty());
}

#[test]
fn short_write_counts_what_it_took_and_owes_nothing() {
    for version in VERSIONS {
        let (mut server, mut client, wire) = Sides::new(version).connected();
        let message: Vec<u8> = (0..20 * MAX_PLAINTEXT_BYTES).map(|number| (number / 5) as u8).collect();
        allow(&wire, 100_000);
        let Status::Done(taken) = client.write(&message).unwrap() else { panic!("the transport took some") };
        assert!(taken > 90_000 && taken < message.len(), "{taken}");
        assert!(client.wants_write());
        assert_eq!(client.write(b"other bytes").unwrap(), Status::WantWrite, "nothing can move, nothing is taken");
        allow(&wire, usize::MAX);
        assert_eq!(client.flush().unwrap(), Status::Done(()));
        assert!(!client.wants_write());
        assert_eq!(read_exactly(&mut server, taken, 20_000), message[..taken]);
        assert_eq!(client.write(b"entirely other bytes").unwrap(), Status::Done(20));
        assert_eq!(read_exactly(&mut server, 20, 100), b"entirely other bytes");
    }
}

#[test]
fn short_write_is_sent_by_the_next_write_before_its_own_bytes() {
    let (mut server, mut client, wire) = Sides::new("TLSv1.3").connected();
    let message: Vec<u8> = (0..30 * MAX_PLAINTEXT_BYTES).map(|number| (number / 9) as u8).collect();
    let (mut taken, mut room) = (0, 1_000);
    while taken < message.len() {
        allow(&wire, room);
        room = room * 7 % 200_003;
        if let Status::Done(count) = client.write(&message[taken..]).unwrap() {
            taken += count;
        }
    }
    assert!(!client.wants_write(), "Done with all of it: it is sent");
    assert_eq!(read_exactly(&mut server, message.len(), 50_000), message);
}

#[test]
fn read_beside_a_short_write_asks_for_what_it_reads() {
    let (_server, mut client, wire) = Sides::new("TLSv1.3").connected();
    allow(&wire, 70_000);
    assert!(matches!(client.write(&vec![7; 500_000]).unwrap(), Status::Done(1..500_000)));
    assert_eq!(client.read(&mut [0; 10]).unwrap(), Status::WantRead, "the writer knows that bytes wait");
}

#[test]
fn shutdown_ends_each_call_however_much_the_peer_still_sends() {
    for version in VERSIONS {
        let (mut server, mut client, wire) = Sides::new(version).connected();
        let flood = vec![1; 2 << 20];
        assert_eq!(server.write(&flood).unwrap(), Status::Done(flood.len()));
        assert_eq!(server.close_write().unwrap(), Status::Done(()));
        let mut calls = 0;
        loop {
            let before = untaken(&wire);
            let status = client.shutdown().unwrap();
            assert!(before - untaken(&wire) <= MOST_OF_A_CALL, "{} bytes", before - untaken(&wire));
            calls += 1;
            if status == Status::Done(()) {
                break;
            }
            assert_eq!(status, Status::WantRead);
            assert!(client.pending().unwrap() > 0, "there is more to drop, without waiting");
        }
        assert!((6..=9).contains(&calls), "{calls} calls");
        assert_eq!(client.shutdown().unwrap(), Status::Done(()), "once more does nothing");
    }
}

#[test]
fn shutdown_that_has_dropped_all_waits_for_the_peer_and_says_so() {
    let (mut server, mut client, _wire) = Sides::new("TLSv1.3").connected();
    assert_eq!(server.write(b"too late").unwrap(), Status::Done(8));
    assert_eq!(client.shutdown().unwrap(), Status::WantRead);
    assert_eq!(client.pending().unwrap(), 0);
}

#[test]
fn read_of_tiny_records_takes_a_bounded_number_a_call() {
    for version in VERSIONS {
        let (mut server, mut client, wire) = Sides::new(version).connected();
        for _ in 0..20_000 {
            assert_eq!(server.write(b"x").unwrap(), Status::Done(1));
        }
        let mut buffer = vec![0; 1 << 20];
        let mut heard = 0;
        while heard < 20_000 {
            let before = untaken(&wire);
            let Status::Done(count) = client.read(&mut buffer).unwrap() else { panic!("there is more") };
            assert!(before - untaken(&wire) <= MOST_OF_A_CALL);
            heard += count;
        }
        assert_eq!(heard, 20_000);
    }
}

#[test]
fn handshake_in_fragments_of_a_byte_is_refused_within_its_limit() {
    let (mut server, _client) = Sides::new("TLSv1.3").streams();
    let wire = Wire::of_server(&mut server, Pace::Free);
    // A ClientHello that says it has 60,000 bytes, one byte a record.
    let hello: Vec<u8> = [1, 0, 0xea, 0x60].into_iter().chain(std::iter::repeat(0)).take(60_000).collect();
    let records: Vec<u8> = hello.iter().flat_map(|byte| [22, 3, 1, 0, 1, *byte]).collect();
    wire.to_server.lock().unwrap().send(&records);
    let error = loop {
        match server.handshake() {
            Ok(Status::WantRead) => assert!(server.pending().unwrap() > 0, "it is not for want of bytes"),
            Ok(other) => panic!("{other:?}"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.code(), Code::HandshakeTooLarge);
}

#[test]
fn pending_tells_once_of_a_close_that_came_with_data() {
    for version in VERSIONS {
        let (mut server, mut client, _wire) = Sides::new(version).connected();
        assert_eq!(client.write(b"last").unwrap(), Status::Done(4));
        assert_eq!(client.shutdown().unwrap(), Status::WantRead);
        let mut buffer = [0; 100];
        assert_eq!(server.read(&mut buffer).unwrap(), Status::Done(4));
        assert_eq!(server.pending().unwrap(), 1, "the close is here");
        assert_eq!(server.pending().unwrap(), 1, "and asking does not take it away");
        assert_eq!(server.read(&mut buffer).unwrap(), Status::Closed);
        assert_eq!(server.pending().unwrap(), 0, "it is known");
        assert_eq!(server.read(&mut buffer).unwrap(), Status::Closed);
    }
}

#[test]
fn pending_gives_the_fault_that_came_with_data() {
    let (mut server, mut client, wire) = Sides::new("TLSv1.3").connected();
    assert_eq!(client.write(b"data").unwrap(), Status::Done(4));
    wire.to_server
        .lock()
        .unwrap()
        .send(&[23, 3, 3, 0, 20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]);
    assert_eq!(server.read(&mut [0; 100]).unwrap(), Status::Done(4));
    assert_eq!(server.pending().unwrap_err().code(), Code::DecryptFailed);
}

#[test]
fn data_that_came_with_the_last_handshake_message_is_pending() {
    for version in VERSIONS {
        let (mut server, mut client) = Sides::new(version).streams();
        let _wire = Wire::between(&mut server, &mut client, [Pace::Free; 2]);
        while client.handshake().unwrap() != Status::Done(()) {
            // The server's last message of TLS 1.2 waits for the client's.
            let _ = server.handshake().unwrap();
        }
        assert_eq!(client.write(b"at once").unwrap(), Status::Done(7));
        assert_eq!(client.close_write().unwrap(), Status::Done(()));
        assert_eq!(server.handshake().unwrap(), Status::Done(()));
        let mut buffer = [0; 100];
        if version == "TLSv1.3" {
            assert_eq!(server.pending().unwrap(), 7, "nothing of it is on the transport any more");
        }
        assert_eq!(server.read(&mut buffer).unwrap(), Status::Done(7));
        assert_eq!(server.pending().unwrap(), 1);
        assert_eq!(server.read(&mut buffer).unwrap(), Status::Closed);
    }
}
