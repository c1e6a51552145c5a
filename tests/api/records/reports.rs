//! Reports on the record layers of other libraries, each tried here.

use std::io::ErrorKind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use brokertls::{Code, MAX_PLAINTEXT_BYTES, MAX_RECORD_BYTES, Status, Stream};

use super::keys::HEADER_BYTES;
use super::scene::{ALERT, DATA, HANDSHAKE, KEY_UPDATE, KEY_UPDATE_REQUEST, Scene, TLS12, TLS13, everywhere};

/// OpenSSL issue 25396: content and padding that fit alone and not together were taken.
#[test]
fn content_and_padding_that_do_not_fit_together_are_refused_with_record_too_large() {
    let content = vec![7; MAX_PLAINTEXT_BYTES - 8];
    everywhere(&[TLS13], |mut scene| {
        let record = scene.write.seal_padded(DATA, &content, 8);
        scene.accepts(&record, &content);
        let record = scene.write.seal_padded(DATA, &content, 9);
        scene.refuses(&record, Code::RecordTooLarge);
    });
}

/// Mbed TLS issues 7918 and 8758: padding of its own made the largest records too large for others.
#[test]
fn largest_record_of_this_side_holds_the_largest_plaintext_and_no_padding() {
    everywhere(&[TLS13, TLS12], |mut scene| {
        let (plain, mut record) = (vec![7; 2 * MAX_PLAINTEXT_BYTES], vec![0; MAX_RECORD_BYTES]);
        let sent = scene.ours.wrap(&plain, &mut record).unwrap();
        assert_eq!(sent.consumed, MAX_PLAINTEXT_BYTES, "{}", scene.name);
        assert_eq!(sent.produced, MAX_PLAINTEXT_BYTES + scene.read.overhead(), "{}", scene.name);
        let opened = scene.opened(&record[..sent.produced]);
        assert!(opened == [(DATA, vec![7; MAX_PLAINTEXT_BYTES])], "{}", scene.name);
    });
}

/// OpenSSL issue 8189: data between the parts of a key update was taken, and a longer message got another alert.
#[test]
fn key_update_with_data_between_its_parts_is_refused_with_unexpected_message() {
    for middle in 1..KEY_UPDATE.len() {
        everywhere(&[TLS13], |mut scene| {
            let parts = [(HANDSHAKE, &KEY_UPDATE[..middle]), (DATA, b"data"), (HANDSHAKE, &KEY_UPDATE[middle..])];
            let records: Vec<u8> = parts.iter().flat_map(|(kind, bytes)| scene.write.seal(*kind, bytes)).collect();
            scene.refuses(&records, Code::UnexpectedMessage);
        });
    }
}

/// A stream over a transport that takes bytes only as a test allows, and the bytes that it has taken.
struct Blocked {
    stream: Stream,
    input: Arc<Mutex<Vec<u8>>>,
    output: Arc<Mutex<Vec<u8>>>,
    room: Arc<AtomicUsize>,
}

impl Blocked {
    fn new(connection: brokertls::Connection) -> Self {
        let (input, output, room) =
            (Arc::<Mutex<Vec<u8>>>::default(), Arc::<Mutex<Vec<u8>>>::default(), Arc::default());
        let mut stream = Stream::new(connection);
        let from = Arc::clone(&input);
        let read = move |buffer: &mut [u8]| {
            let mut bytes = from.lock().unwrap();
            let count = bytes.len().min(buffer.len());
            buffer[..count].copy_from_slice(&bytes[..count]);
            bytes.drain(..count);
            if count > 0 { Ok(count) } else { Err(ErrorKind::WouldBlock.into()) }
        };
        let (to, left) = (Arc::clone(&output), Arc::<AtomicUsize>::clone(&room));
        let write = move |bytes: &[u8]| {
            let count = bytes.len().min(left.load(Ordering::Relaxed));
            left.fetch_sub(count, Ordering::Relaxed);
            to.lock().unwrap().extend_from_slice(&bytes[..count]);
            if count > 0 { Ok(count) } else { Err(ErrorKind::WouldBlock.into()) }
        };
        stream.set_callbacks(Box::new(read), Box::new(write)).unwrap();
        Self { stream, input, output, room }
    }

    fn give(&self, records: &[u8]) {
        self.input.lock().unwrap().extend_from_slice(records);
    }

    fn read(&mut self) -> Vec<u8> {
        let (mut received, mut buffer) = (Vec::new(), [0; 1000]);
        while let Status::Done(count) = self.stream.read(&mut buffer).unwrap() {
            received.extend_from_slice(&buffer[..count]);
        }
        received
    }
}

/// Splits a scene into its stream and what the peer keeps.
fn blocked(scene: Scene) -> (Blocked, super::keys::Keys, super::keys::Keys, String) {
    (Blocked::new(scene.ours), scene.write, scene.read, scene.name)
}

/// Opens whole records of our side, with the keys changed by each key update.
fn opened(read: &mut super::keys::Keys, mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        let length = HEADER_BYTES + usize::from(u16::from_be_bytes([bytes[3], bytes[4]]));
        let (kind, content) = read.open(&bytes[..length]);
        if kind == HANDSHAKE {
            read.update();
        }
        all.push((kind, content));
        bytes = &bytes[length..];
    }
    all
}

/// OpenSSL issues 8677 and 12485: a request for a key update that came while a write waited made both calls fail.
#[test]
fn request_for_a_key_update_while_a_write_waits_harms_neither_reading_nor_writing() {
    everywhere(&[TLS13], |scene| {
        let (mut side, mut write, mut read, name) = blocked(scene);
        let data: Vec<u8> = (0..100_000_u32).map(|place| (place % 251) as u8).collect();
        let mut said = 0;
        let mut round = 0;
        while said < data.len() || side.stream.wants_write() {
            // A few bytes pass, so that a record is always under way.
            side.room.store(777, Ordering::Relaxed);
            match side.stream.write(&data[said..]).unwrap() {
                Status::Done(count) => said += count,
                _ => assert!(side.stream.wants_write(), "{name}"),
            }
            if said == data.len() {
                let _ = side.stream.flush().unwrap();
            }
            if round % 5 == 0 {
                let request = write.seal(HANDSHAKE, &KEY_UPDATE_REQUEST);
                write.update();
                let text = format!("round {round}");
                side.give(&[request, write.seal(DATA, text.as_bytes())].concat());
                assert_eq!(side.read(), text.as_bytes(), "{name}");
            }
            round += 1;
            assert!(round < 10_000, "{name}: it makes no progress");
        }
        let output = std::mem::take(&mut *side.output.lock().unwrap());
        let messages = opened(&mut read, &output);
        let updates = messages.iter().filter(|message| **message == (HANDSHAKE, KEY_UPDATE.to_vec())).count();
        let sent: Vec<u8> =
            messages.iter().filter(|(kind, _)| *kind == DATA).flat_map(|(_, content)| content.clone()).collect();
        assert!(sent == data && updates > 0, "{name}: {updates} updates, {} bytes", sent.len());
        assert_eq!(messages.len(), updates + messages.iter().filter(|(kind, _)| *kind == DATA).count(), "{name}");
    });
}

/// tls13-spec issue 1341: a peer asked for a key update with each record, and both sides waited for the other to read.
#[test]
fn peer_that_asks_for_a_key_update_with_each_record_is_read_while_nothing_can_be_sent() {
    everywhere(&[TLS13], |scene| {
        let (mut side, mut write, mut read, name) = blocked(scene);
        for round in 0..2000 {
            let request = write.seal(HANDSHAKE, &KEY_UPDATE_REQUEST);
            write.update();
            let text = format!("round {round}");
            side.give(&[request, write.seal(DATA, text.as_bytes())].concat());
            assert_eq!(side.read(), text.as_bytes(), "{name}");
        }
        side.room.store(usize::MAX / 2, Ordering::Relaxed);
        assert_eq!(side.stream.write(b"at last").unwrap(), Status::Done(7), "{name}");
        assert_eq!(side.stream.flush().unwrap(), Status::Done(()), "{name}");
        let output = std::mem::take(&mut *side.output.lock().unwrap());
        // Answers do not pile up.
        let expected = [(HANDSHAKE, KEY_UPDATE.to_vec()), (DATA, b"at last".to_vec())];
        assert_eq!(opened(&mut read, &output), expected, "{name}");
    });
}

/// JDK issue 8323517 and s2n-tls pull request 2348: a JVM sends user_canceled before close_notify, and data may still
/// come between them (RFC 9846 section 6.1).
#[test]
fn data_between_user_canceled_and_close_notify_is_read() {
    everywhere(&[TLS13, TLS12], |mut scene| {
        let parts = [(ALERT, &[1, 90][..]), (DATA, b"data"), (ALERT, &[1, 0])];
        let records: Vec<u8> = parts.iter().flat_map(|(kind, bytes)| scene.write.seal(*kind, bytes)).collect();
        scene.accepts(&records, b"data");
        assert!(scene.ours.is_peer_closed() && !scene.ours.has_outgoing(), "{}", scene.name);
    });
}

/// OpenSSL pull request 8095: the bound on key updates counted all of a connection, which long connections reached.
#[test]
fn connection_takes_any_number_of_key_updates_with_data_between_them() {
    everywhere(&[TLS13], |mut scene| {
        for round in 0..1000 {
            let update = scene.write.seal(HANDSHAKE, &KEY_UPDATE);
            scene.write.update();
            scene.accepts(&update, b"");
            if round % 30 == 0 {
                scene.works();
            }
        }
    });
}
