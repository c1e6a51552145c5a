//! Contexts with a verification that may block: handshakes that ask for a task, and tasks on other threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use brokertls::{ClientAuth, Code, Connection, Context, Next, Status, Stream};

use super::wire::{Pace, Wire};
use super::{VERSIONS, read_exactly};
use crate::rig::pair::{Authority, context};

/// A server that asks for certificates and a callback about them, which may block, and a client that has one.
fn contexts(version: &str, refuses: bool, asked: &Arc<AtomicUsize>) -> (Context, Context) {
    let authority = Authority::new("ca");
    let count = Arc::clone(asked);
    let server = context(|builder| {
        builder.identity(authority.identity(&["broker"])).trust(authority.trust()).versions(version);
        builder.client_auth(ClientAuth::Need).verify_callback(
            Arc::new(move |_| {
                count.fetch_add(1, Ordering::SeqCst);
                if refuses { Err("not on the list".to_owned()) } else { Ok(()) }
            }),
            true,
        )
    });
    let client =
        context(|builder| builder.identity(authority.identity(&["device"])).trust(authority.trust()).versions(version));
    (server, client)
}

fn streams(server: &Context, client: &Context, paces: [Pace; 2]) -> (Stream, Stream, Wire) {
    let mut server = Stream::new(server.accept().unwrap());
    let mut client = Stream::new(client.connect(Some("broker")).unwrap());
    let wire = Wire::between(&mut server, &mut client, paces);
    (server, client, wire)
}

#[test]
fn handshake_waits_for_its_task_and_asks_no_responder_before() {
    for version in VERSIONS {
        let asked = Arc::default();
        let (server, client) = contexts(version, false, &asked);
        let (mut server, mut client, _wire) = streams(&server, &client, [Pace::Free; 2]);
        let mut tasks = 0;
        loop {
            let client_done = client.handshake().unwrap() == Status::Done(());
            match server.handshake().unwrap() {
                Status::Done(()) if client_done => break,
                Status::WantTask => {
                    let before = asked.load(Ordering::SeqCst);
                    assert_eq!(server.handshake().unwrap(), Status::WantTask, "and again, until it has run");
                    assert_eq!(server.read(&mut [0; 10]).unwrap(), Status::WantTask);
                    assert_eq!(server.write(b"x").unwrap(), Status::WantTask);
                    assert_eq!(asked.load(Ordering::SeqCst), before, "only a task asks");
                    server.run_task();
                    tasks += 1;
                }
                _ => {}
            }
        }
        assert!(tasks >= 2, "{version}: {tasks}");
        assert_eq!(asked.load(Ordering::SeqCst), 1, "{version}");
        assert_eq!(server.connection().peer_chain().len(), 1);
        assert_eq!(client.write(b"data").unwrap(), Status::Done(4));
        assert_eq!(read_exactly(&mut server, 4, 10), b"data", "data needs no task");
    }
}

/// The records that a connection has for its peer.
fn records(from: &mut Connection) -> Vec<Vec<u8>> {
    let mut buffer = vec![0; 1 << 16];
    let mut bytes = Vec::new();
    loop {
        let produced = from.wrap(&[], &mut buffer).unwrap().produced;
        if produced == 0 {
            break;
        }
        bytes.extend_from_slice(&buffer[..produced]);
    }
    let mut records = Vec::new();
    while !bytes.is_empty() {
        let length = 5 + usize::from(u16::from_be_bytes([bytes[3], bytes[4]]));
        records.push(bytes.drain(..length).collect());
    }
    records
}

fn give(to: &mut Connection, record: &[u8]) -> Next {
    to.unwrap(&mut record.to_vec(), &mut [0; 1 << 15]).unwrap().next
}

/// A server that has sent its first flight, and the client's answer to that.
fn answered(version: &str) -> (Connection, Vec<Vec<u8>>) {
    let (server, client) = contexts(version, false, &Arc::default());
    let (mut server, mut client) = (server.accept().unwrap(), client.connect(Some("broker")).unwrap());
    for record in records(&mut client) {
        assert_eq!(give(&mut server, &record), Next::NeedTask);
        server.run_task();
    }
    records(&mut server).iter().for_each(|record| _ = give(&mut client, record));
    let answer = records(&mut client);
    (server, answer)
}

const CHANGE_CIPHER_SPEC: [u8; 6] = [20, 3, 3, 0, 1, 1];

#[test]
fn change_cipher_spec_waits_for_the_record_behind_it_and_takes_no_task() {
    for version in VERSIONS {
        let (mut server, answer) = answered(version);
        assert!(answer.iter().any(|record| *record == CHANGE_CIPHER_SPEC), "{version}");
        for record in answer {
            let is_alone = record == CHANGE_CIPHER_SPEC;
            let next = if is_alone { Next::NeedRecord } else { Next::NeedTask };
            assert_eq!(give(&mut server, &record), next, "{version}");
            server.run_task();
        }
        assert!(!server.is_handshaking() && server.failure().is_none(), "{version}: {:?}", server.failure());
    }
}

#[test]
fn change_cipher_spec_that_follows_another_or_begins_takes_a_task_that_refuses_it() {
    for version in VERSIONS {
        let (mut server, _) = answered(version);
        // TLS 1.3 allows some of them (RFC 8446 section 5).
        for _ in 0..8 {
            if server.failure().is_none() {
                assert_eq!(give(&mut server, &CHANGE_CIPHER_SPEC), Next::NeedRecord);
                assert_eq!(give(&mut server, &CHANGE_CIPHER_SPEC), Next::NeedTask);
                server.run_task();
            }
        }
        assert_eq!(server.failure().unwrap().code(), Code::UnexpectedMessage, "{version}");
        // In TLS 1.3, every one that is not as it must be is unexpected (RFC 8446 section 5).
        let of_length = if version == "TLSv1.2" { Code::MessageMalformed } else { Code::UnexpectedMessage };
        let malformed = [(&[20, 3, 3, 0, 1, 2][..], Code::UnexpectedMessage), (&[20, 3, 3, 0, 2, 1, 1], of_length)];
        for (malformed, code) in malformed {
            let (mut server, _) = answered(version);
            assert_eq!(give(&mut server, malformed), Next::NeedTask, "{version}");
            server.run_task();
            assert_eq!(server.failure().unwrap().code(), code, "{version}: {malformed:?}");
        }
        let mut server = contexts(version, false, &Arc::default()).0.accept().unwrap();
        assert_eq!(give(&mut server, &CHANGE_CIPHER_SPEC), Next::NeedTask);
        server.run_task();
        assert_eq!(server.failure().unwrap().code(), Code::UnexpectedMessage, "{version}");
    }
}

#[test]
fn task_that_blocks_on_another_thread_lets_the_first_serve_others() {
    let authority = Authority::new("ca");
    let (allow, allowed) = mpsc::channel::<()>();
    let allowed = std::sync::Mutex::new(allowed);
    let server = context(|builder| {
        builder.identity(authority.identity(&["broker"])).trust(authority.trust()).client_auth(ClientAuth::Need);
        builder
            .verify_callback(Arc::new(move |_| allowed.lock().unwrap().recv().map_err(|_| "nobody".to_owned())), true)
    });
    let client = context(|builder| builder.identity(authority.identity(&["device"])).trust(authority.trust()));
    let until_asked = |server: &mut Stream, client: &mut Stream| {
        // The hello is a task of its own, and nothing to wait for.
        let _ = client.handshake().unwrap();
        assert_eq!(server.handshake().unwrap(), Status::WantTask);
        server.run_task();
        let _ = server.handshake().unwrap();
        let _ = client.handshake().unwrap();
        assert_eq!(server.handshake().unwrap(), Status::WantTask);
    };
    let (mut first, mut first_client, _first_wire) = streams(&server, &client, [Pace::Free; 2]);
    until_asked(&mut first, &mut first_client);
    let worker = thread::spawn(move || {
        finish_with_tasks(&mut first);
        first
    });
    // The other connection comes as far as it can while the first one's task blocks.
    let (mut second, mut second_client, _second_wire) = streams(&server, &client, [Pace::Free; 2]);
    until_asked(&mut second, &mut second_client);
    allow.send(()).unwrap();
    allow.send(()).unwrap();
    finish_with_tasks(&mut second);
    let first = worker.join().unwrap();
    for stream in [&first, &second] {
        assert!(!stream.connection().is_handshaking());
    }
}

/// Completes a handshake for which everything has arrived.
fn finish_with_tasks(stream: &mut Stream) {
    for _ in 0..20 {
        match stream.handshake().unwrap() {
            Status::Done(()) => return,
            Status::WantTask => stream.run_task(),
            wait => panic!("{wait:?}"),
        }
    }
    panic!("no end of tasks");
}

#[test]
fn refusal_by_a_task_is_told_by_the_next_call_and_to_the_peer() {
    for version in VERSIONS {
        let asked = Arc::default();
        let (server, client) = contexts(version, true, &asked);
        let (mut server, mut client, _wire) = streams(&server, &client, [Pace::Free; 2]);
        let error = loop {
            let _ = client.handshake().unwrap();
            match server.handshake() {
                Ok(Status::WantTask) => server.run_task(),
                Ok(Status::Done(())) => panic!("a refused client was let in"),
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        assert_eq!((error.code(), error.detail()), (Code::CertRejectedByCallback, "not on the list"));
        // A client of TLS 1.3 may think itself connected by then, and learns of the refusal when it reads.
        assert_eq!(client.read(&mut [0; 10]).unwrap_err().code(), Code::AlertAccessDenied, "{version}");
    }
}

#[test]
fn handshake_with_tasks_survives_a_byte_at_a_time() {
    for version in VERSIONS {
        let asked = Arc::default();
        let (server, client) = contexts(version, false, &asked);
        let (mut server, mut client, _wire) = streams(&server, &client, [Pace::Chunks(1); 2]);
        for _ in 0..1_000_000 {
            let client_done = client.handshake().unwrap() == Status::Done(());
            match server.handshake().unwrap() {
                Status::Done(()) if client_done => break,
                Status::WantTask => server.run_task(),
                _ => {}
            }
        }
        assert!(!server.connection().is_handshaking() && !client.connection().is_handshaking());
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }
}

#[test]
fn task_without_a_request_does_nothing() {
    let asked = Arc::default();
    let (server, _) = contexts("TLSv1.3", false, &asked);
    let mut server = server.accept().unwrap();
    server.run_task();
    assert_eq!(server.next(), Next::NeedRecord);
}

#[test]
fn context_that_cannot_block_never_asks_for_a_task() {
    let sides = super::Sides::new("TLSv1.3");
    let (mut server, mut client) = sides.streams();
    let _wire = Wire::between(&mut server, &mut client, [Pace::Chunks(5); 2]);
    for _ in 0..100_000 {
        let outcomes = [client.handshake().unwrap(), server.handshake().unwrap()];
        assert!(!outcomes.contains(&Status::WantTask));
        if outcomes == [Status::Done(()); 2] {
            return;
        }
    }
    panic!("the handshake makes no progress");
}
