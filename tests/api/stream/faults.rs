//! Peers that send garbage, transports that fail, and callbacks that do not keep their word.

use std::io::{self, ErrorKind};

use brokertls::error::Category;
use brokertls::{Code, Status, Stream};

use super::wire::{Pace, Wire};
use super::{Sides, VERSIONS};

/// Numbers that are the same in every run (xorshift).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: u64) -> usize {
        usize::try_from(self.next() % limit).unwrap()
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }
}

const MESSAGE: &[u8] = b"a message that must arrive as it is or not at all";

/// Reads until the side fails or has nothing more to do; it must do one of them. Gives what was read and the failure.
fn read_all(stream: &mut Stream) -> (Vec<u8>, Option<Code>) {
    let (mut heard, mut buffer) = (Vec::new(), [0; 1000]);
    for _ in 0..100 {
        match stream.read(&mut buffer) {
            Ok(Status::Done(count)) => heard.extend_from_slice(&buffer[..count]),
            Ok(Status::WantRead | Status::Closed) => return (heard, None),
            Ok(wait) => panic!("{wait:?}"),
            Err(error) => return (heard, Some(error.code())),
        }
    }
    panic!("no end of it");
}

/// A whole connection in which the client sends a message, and the bytes of one flight to one side are spoiled. Fails
/// if the server hears anything else, or if neither side notices that it heard nothing.
fn assert_noticed(sides: &Sides, at_server: bool, flight: usize, spoil: &dyn Fn(&mut Vec<u8>)) {
    let (mut server, mut client) = sides.streams();
    let wire = Wire::between(&mut server, &mut client, [Pace::Free; 2]);
    let (mut heard, mut codes) = (Vec::new(), Vec::new());
    for round in 0..5 {
        codes.extend(read_all(&mut client).1);
        if matches!(client.handshake(), Ok(Status::Done(()))) && client.write(MESSAGE).is_ok() {
            let _ = client.close_write();
        }
        let direction = if at_server { &wire.to_server } else { &wire.to_client };
        let spoil_flight = |is_spoiled: bool| {
            let mut direction = direction.lock().unwrap();
            let mut bytes = direction.take();
            if is_spoiled {
                spoil(&mut bytes);
            }
            direction.send(&bytes);
        };
        spoil_flight(at_server && round == flight);
        if round == 4 {
            wire.to_server.lock().unwrap().is_ended = true;
        }
        let (more, code) = read_all(&mut server);
        heard.extend(more);
        codes.extend(code);
        spoil_flight(!at_server && round == flight);
    }
    for code in &codes {
        let is_of_the_peer = matches!(code.category(), Category::Protocol | Category::Alert | Category::Certificate);
        assert!(is_of_the_peer, "{code:?}");
    }
    assert!(heard.is_empty() || heard == MESSAGE, "{:?}", String::from_utf8_lossy(&heard));
    assert!(heard == MESSAGE || !codes.is_empty(), "no side noticed");
}

#[test]
fn garbage_after_a_valid_start_is_noticed_as_the_peer_s_fault() {
    let mut numbers = Numbers(0x5eed);
    for version in VERSIONS {
        let sides = Sides::new(version);
        for _ in 0..400 {
            let (at_server, flight) = (numbers.below(2) == 0, numbers.below(3));
            let (garbage, share) = (numbers.bytes(600), numbers.below(100));
            assert_noticed(&sides, at_server, flight, &|bytes| {
                bytes.truncate(share * bytes.len() / 100);
                bytes.extend_from_slice(&garbage);
            });
        }
    }
}

#[test]
fn bit_that_is_turned_over_anywhere_never_changes_what_is_heard() {
    let mut numbers = Numbers(0xb17);
    for version in VERSIONS {
        let sides = Sides::new(version);
        for _ in 0..600 {
            let (at_server, flight) = (numbers.below(2) == 0, numbers.below(3));
            let (place, bit) = (numbers.below(1 << 20), numbers.below(8));
            assert_noticed(&sides, at_server, flight, &|bytes| {
                if let Some(chosen) = place.checked_rem(bytes.len()) {
                    bytes[chosen] ^= 1 << bit;
                }
            });
        }
    }
}

#[test]
fn bytes_that_are_lost_or_sent_twice_never_change_what_is_heard() {
    let mut numbers = Numbers(0xcafe);
    for version in VERSIONS {
        let sides = Sides::new(version);
        for round in 0..300 {
            let (at_server, flight) = (numbers.below(2) == 0, numbers.below(3));
            let (start, length) = (numbers.below(1 << 20), 1 + numbers.below(200));
            assert_noticed(&sides, at_server, flight, &|bytes| {
                let Some(start) = start.checked_rem(bytes.len()) else { return };
                let end = bytes.len().min(start + length);
                let part = bytes[start..end].to_vec();
                match round % 2 {
                    0 => drop(bytes.drain(start..end)),
                    _ => drop(bytes.splice(end..end, part)),
                }
            });
        }
    }
}

#[test]
fn endless_start_of_a_message_is_refused_at_a_limit() {
    let (mut server, _) = Sides::new("TLSv1.3").streams();
    let wire = Wire::of_server(&mut server, Pace::Free);
    // A hello that claims 16 MiB, a few bytes at a time.
    let mut record = vec![22, 3, 1, 0, 4, 1, 0xff, 0xff, 0xff];
    for _ in 0..200_000 {
        wire.to_server.lock().unwrap().send(&record);
        record = vec![22, 3, 1, 0, 1, 0];
        match server.handshake() {
            Ok(_) => {}
            Err(error) => return assert!(matches!(error.code(), Code::HandshakeTooLarge), "{error}"),
        }
    }
    panic!("memory without a limit");
}

#[test]
fn record_that_claims_too_much_is_refused_by_its_header() {
    for version in VERSIONS {
        let (mut server, _client, wire) = Sides::new(version).connected();
        wire.to_server.lock().unwrap().send(&[23, 3, 3, 0xff, 0xff, 0, 0, 0]);
        assert_eq!(read_all(&mut server).1, Some(Code::RecordTooLarge), "{version}");
    }
}

#[test]
fn interrupted_calls_are_made_again() {
    let (mut server, _) = Sides::new("TLSv1.3").streams();
    let mut calls = 0;
    let read = move |_: &mut [u8]| {
        calls += 1;
        Err(if calls < 5 { ErrorKind::Interrupted.into() } else { ErrorKind::WouldBlock.into() })
    };
    server.set_callbacks(Box::new(read), Box::new(|bytes: &[u8]| Ok(bytes.len()))).unwrap();
    assert_eq!(server.handshake().unwrap(), Status::WantRead);
}

#[test]
fn failing_transport_is_told_by_its_kind() {
    let kinds = [
        (ErrorKind::ConnectionReset, Code::ConnectionReset),
        (ErrorKind::ConnectionAborted, Code::ConnectionReset),
        (ErrorKind::BrokenPipe, Code::BrokenPipe),
        (ErrorKind::ConnectionRefused, Code::ConnectionRefused),
        (ErrorKind::TimedOut, Code::IoOther),
        (ErrorKind::PermissionDenied, Code::IoOther),
    ];
    for (kind, code) in kinds {
        let (mut server, _client, wire) = Sides::new("TLSv1.3").connected();
        wire.to_server.lock().unwrap().fault = Some(kind);
        assert_eq!(server.read(&mut [0; 10]).unwrap_err().code(), code);

        let (mut server, _client, wire) = Sides::new("TLSv1.3").connected();
        wire.to_client.lock().unwrap().fault = Some(kind);
        assert_eq!(server.write(b"x").unwrap_err().code(), code);
        assert_eq!(server.write(b"x").unwrap_err().code(), code, "and again");
    }
}

#[test]
fn data_that_came_before_a_fault_is_given_first() {
    for version in VERSIONS {
        let (mut server, mut client, wire) = Sides::new(version).connected();
        assert_eq!(client.write(b"before").unwrap(), Status::Done(6));
        wire.to_server.lock().unwrap().send(&[&[23, 3, 3, 0, 40][..], &[0; 40]].concat());
        let mut buffer = [0; 100];
        assert_eq!(server.read(&mut buffer).unwrap(), Status::Done(6));
        assert_eq!(server.read(&mut buffer).unwrap_err().code(), Code::DecryptFailed);
        assert_eq!(client.read(&mut buffer).unwrap_err().code(), Code::AlertBadRecordMac, "the peer has been told");
    }
}

#[test]
fn callback_that_claims_more_than_it_was_offered_is_an_error() {
    let lying_read = |buffer: &mut [u8]| -> io::Result<usize> { Ok(buffer.len() + 1) };
    let (mut server, _) = Sides::new("TLSv1.3").streams();
    server.set_callbacks(Box::new(lying_read), Box::new(|bytes: &[u8]| Ok(bytes.len()))).unwrap();
    assert_eq!(server.handshake().unwrap_err().code(), Code::IoOther);

    let lying_write = |bytes: &[u8]| -> io::Result<usize> { Ok(bytes.len() + 1) };
    let (_, mut client) = Sides::new("TLSv1.3").streams();
    client.set_callbacks(Box::new(|_: &mut [u8]| Err(ErrorKind::WouldBlock.into())), Box::new(lying_write)).unwrap();
    assert_eq!(client.handshake().unwrap_err().code(), Code::IoOther);
}

#[test]
fn callback_that_takes_nothing_is_a_broken_pipe_and_no_endless_loop() {
    let (_, mut client) = Sides::new("TLSv1.3").streams();
    let read = |_: &mut [u8]| Err(ErrorKind::WouldBlock.into());
    client.set_callbacks(Box::new(read), Box::new(|_: &[u8]| Ok(0))).unwrap();
    assert_eq!(client.handshake().unwrap_err().code(), Code::BrokenPipe);
}
