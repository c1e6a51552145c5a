//! Ends of connections: half and whole, cleanly and cut off, by peers that vanish and peers that stall.

use brokertls::{Code, Status};

use super::wire::{Pace, Wire};
use super::{Sides, VERSIONS, read_exactly, shake_hands};

#[test]
fn half_closed_connection_still_carries_the_other_direction() {
    for version in VERSIONS {
        let (mut server, mut client, _wire) = Sides::new(version).connected();
        assert_eq!(client.write(b"last words").unwrap(), Status::Done(10));
        assert_eq!(client.close_write().unwrap(), Status::Done(()));
        assert_eq!(read_exactly(&mut server, 10, 100), b"last words");
        let mut buffer = [0; 10];
        assert_eq!(server.read(&mut buffer).unwrap(), Status::Closed);
        assert_eq!(server.read(&mut buffer).unwrap(), Status::Closed, "and again");

        assert_eq!(server.write(b"an answer").unwrap(), Status::Done(9));
        assert_eq!(read_exactly(&mut client, 9, 100), b"an answer");
        assert_eq!(client.write(b"more").unwrap_err().code(), Code::WrongState);
        assert_eq!(client.read(&mut buffer).unwrap(), Status::WantRead);

        assert_eq!(server.shutdown().unwrap(), Status::Done(()));
        assert_eq!(client.shutdown().unwrap(), Status::Done(()));
        assert_eq!(client.close_write().unwrap(), Status::Done(()), "once more does nothing");
    }
}

#[test]
fn shutdown_waits_for_the_peer_and_drops_what_it_still_sends() {
    for version in VERSIONS {
        let (mut server, mut client, _wire) = Sides::new(version).connected();
        assert_eq!(client.shutdown().unwrap(), Status::WantRead);
        assert_eq!(server.write(b"too late").unwrap(), Status::Done(8));
        assert_eq!(client.shutdown().unwrap(), Status::WantRead);
        assert_eq!(server.shutdown().unwrap(), Status::Done(()));
        assert_eq!(client.shutdown().unwrap(), Status::Done(()));
    }
}

#[test]
fn end_without_close_notify_is_truncated_and_with_it_closed() {
    for version in VERSIONS {
        for is_clean in [true, false] {
            let (mut server, mut client, wire) = Sides::new(version).connected();
            assert_eq!(client.write(b"data").unwrap(), Status::Done(4));
            if is_clean {
                assert_eq!(client.close_write().unwrap(), Status::Done(()));
            }
            wire.to_server.lock().unwrap().is_ended = true;
            let mut buffer = [0; 100];
            assert_eq!(server.read(&mut buffer).unwrap(), Status::Done(4), "what came before the end is given first");
            let end = server.read(&mut buffer);
            match is_clean {
                true => assert_eq!(end.unwrap(), Status::Closed),
                false => {
                    assert_eq!(end.unwrap_err().code(), Code::Truncated);
                    assert_eq!(server.write(b"x").unwrap_err().code(), Code::Truncated);
                }
            }
        }
    }
}

#[test]
fn end_in_the_middle_of_a_record_is_truncated() {
    for version in VERSIONS {
        let (mut server, mut client, wire) = Sides::new(version).connected();
        assert_eq!(client.write(b"half of it").unwrap(), Status::Done(10));
        assert_eq!(client.close_write().unwrap(), Status::Done(()));
        let records = wire.to_server.lock().unwrap().take();
        wire.to_server.lock().unwrap().send(&records[..20]);
        wire.to_server.lock().unwrap().is_ended = true;
        assert_eq!(server.read(&mut [0; 100]).unwrap_err().code(), Code::Truncated);
    }
}

#[test]
fn peer_that_sent_nothing_after_the_handshake_may_have_refused_this_side() {
    let (mut server, _client, wire) = Sides::new("TLSv1.2").connected();
    wire.to_server.lock().unwrap().is_ended = true;
    let error = server.read(&mut [0; 10]).unwrap_err();
    assert_eq!(error.code(), Code::Truncated);
    assert!(error.hint().contains("refused this side's certificate"), "{}", error.hint());
}

#[test]
fn peer_that_vanishes_at_any_byte_of_the_handshake_is_told_as_handshake_eof() {
    for version in VERSIONS {
        let sides = Sides::new(version);
        let (mut server, mut client) = sides.streams();
        let wire = Wire::between(&mut server, &mut client, [Pace::Free; 2]);
        shake_hands(&mut server, &mut client);
        let whole = wire.to_server.lock().unwrap().written.len();
        for end in (0..whole).step_by(7) {
            let (mut server, mut client) = sides.streams();
            let wire = Wire::between(&mut server, &mut client, [Pace::Free; 2]);
            wire.to_server.lock().unwrap().room = Some(end);
            for _ in 0..5 {
                let _ = client.handshake().unwrap();
                let _ = server.handshake().unwrap();
            }
            wire.to_server.lock().unwrap().is_ended = true;
            let error = server.handshake().unwrap_err();
            assert_eq!(error.code(), Code::HandshakeEof, "{version}, byte {end}");
            assert!(!error.hint().is_empty());
            assert_eq!(server.handshake().unwrap_err().code(), Code::HandshakeEof, "and again");
        }
    }
}

#[test]
fn peer_that_stalls_is_waited_for_without_an_error_and_without_spinning() {
    let (mut server, _) = Sides::new("TLSv1.3").streams();
    let wire = Wire::of_server(&mut server, Pace::Free);
    for _ in 0..1000 {
        assert_eq!(server.handshake().unwrap(), Status::WantRead);
        assert_eq!(server.read(&mut [0; 10]).unwrap(), Status::WantRead);
        assert_eq!(server.write(b"not yet").unwrap(), Status::WantRead);
    }
    assert!(wire.to_client.lock().unwrap().written.is_empty());
    assert!(!server.wants_write());
}

#[test]
fn close_in_the_handshake_is_told_to_the_peer_at_its_end() {
    for version in VERSIONS {
        let (mut server, mut client) = Sides::new(version).streams();
        let wire = Wire::between(&mut server, &mut client, [Pace::Free; 2]);
        assert_eq!(server.close_write().unwrap(), Status::Done(()));
        assert!(wire.to_client.lock().unwrap().written.is_empty());
        while client.handshake().unwrap() != Status::Done(()) {
            server.handshake().unwrap();
        }
        assert_eq!(server.handshake().unwrap(), Status::Done(()));
        let mut room = [0; 10];
        assert_eq!(client.read(&mut room).unwrap(), Status::Closed, "{version}");
        assert_eq!(client.write(b"data").unwrap(), Status::Done(4));
        assert_eq!(server.read(&mut room).unwrap(), Status::Done(4), "{version}");
    }
}

#[test]
fn refusal_after_a_close_in_the_handshake_is_still_told_by_its_alert() {
    let (mut server, mut client) = Sides::new("TLSv1.3").streams();
    let wire = Wire::between(&mut server, &mut client, [Pace::Free; 2]);
    assert_eq!(server.close_write().unwrap(), Status::Done(()));
    wire.to_server.lock().unwrap().send(&[22, 3, 1, 0, 4, 99, 0, 0, 0]);
    assert_eq!(server.handshake().unwrap_err().code(), Code::UnexpectedMessage);
    assert_eq!(wire.to_client.lock().unwrap().written, [21, 3, 3, 0, 2, 2, 10]);
    drop(client);
}

#[test]
fn close_notify_of_the_peer_in_the_handshake_is_told_as_its_end() {
    for version in VERSIONS {
        let (mut server, mut client) = Sides::new(version).streams();
        let wire = Wire::between(&mut server, &mut client, [Pace::Free; 2]);
        assert_eq!(client.handshake().unwrap(), Status::WantRead);
        assert_eq!(server.handshake().unwrap(), Status::WantRead);
        // In plain text still, as a client sends it that gives up early.
        wire.to_server.lock().unwrap().send(&[21, 3, 3, 0, 2, 1, 0]);
        wire.to_server.lock().unwrap().is_ended = true;
        let error = server.handshake().unwrap_err();
        assert_eq!(error.code(), Code::HandshakeEof, "{version}: {error}");
    }
}

#[test]
fn pending_counts_what_can_be_read_without_the_transport() {
    for version in VERSIONS {
        let (mut server, mut client, _wire) = Sides::new(version).connected();
        assert_eq!(server.pending().unwrap(), 0);
        assert_eq!(client.write(&[5; 1000]).unwrap(), Status::Done(1000));
        assert_eq!(client.write(&[6; 500]).unwrap(), Status::Done(500));
        assert_eq!(server.pending().unwrap(), 0, "nothing was received yet");
        assert_eq!(server.read(&mut [0; 300]).unwrap(), Status::Done(300));
        assert_eq!(server.pending().unwrap(), 700);
        assert_eq!(server.read(&mut [0; 700]).unwrap(), Status::Done(700));
        assert_eq!(server.pending().unwrap(), 500, "a whole record that came with the first");
        assert_eq!(server.read(&mut [0; 5000]).unwrap(), Status::Done(500));
        assert_eq!(server.pending().unwrap(), 0);
        assert_eq!(server.read(&mut [0; 10]).unwrap(), Status::WantRead);
    }
}

#[test]
fn read_into_nothing_is_refused() {
    let (mut server, _client, _wire) = Sides::new("TLSv1.3").connected();
    assert_eq!(server.read(&mut []).unwrap_err().code(), Code::InvalidArgument);
}
