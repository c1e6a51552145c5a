//! Records against bare rustls as the other side: random sizes and batches, and every size, both ways.
//!
//! `make soak-records` runs the same with a million records, and beyond the limits of AES-GCM.

use std::io::{Read, Write};
use std::sync::LazyLock;

use brokertls::{Code, Connection, MAX_PLAINTEXT_BYTES, MAX_RECORD_BYTES, Next};

use super::scene::{self, KEY_UPDATE, Side, TLS12, TLS13};
use crate::wire::hostile::Sequence;
use crate::wire::peer::Peer;

/// The sequences begin with it, one for each side and suite.
const SEED: u64 = 0x005e_ed0f_2ec0_2d50;

/// Records each way, over all suites and sides.
const RECORDS: usize = 50_000;

/// Bytes without order, of which each piece of data is a part.
static PATTERN: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut sequence = Sequence(SEED);
    (0..100_000).map(|_| sequence.next() as u8).collect()
});

/// Records that one key of AES-GCM may seal (RFC 8446 section 5.5; the same bound is kept in TLS 1.2).
const AES_GCM_LIMIT: usize = 1 << 24;

/// The number of records in the environment, or this one.
fn asked(variable: &str, otherwise: usize) -> usize {
    std::env::var(variable).map_or(otherwise, |number| number.parse().unwrap())
}

/// Both sides after a handshake.
struct Sides {
    ours: Connection,
    peer: Peer,
    sequence: Sequence,
    is_tls13: bool,
    /// Names side, suite, seed and round in a failure.
    name: String,
}

impl Sides {
    fn new(side: Side, version: &'static str, suite: u16) -> Self {
        let (ours, mut peer, _) = scene::handshake(side, version, suite);
        peer.rustls.set_buffer_limit(None);
        let seed = SEED ^ u64::from(suite) << 16 ^ side as u64;
        let name = format!("{side:?} {version} {suite:#06x}, seed {seed:#x}");
        Self { ours, peer, sequence: Sequence(seed), is_tls13: version == "TLSv1.3", name }
    }

    /// A length of data: mostly small, as messages of brokers are, and up to some records.
    fn size(&mut self) -> usize {
        let most = [16, 64, 64, 300, 1500, 5000, MAX_PLAINTEXT_BYTES, 50_000][self.sequence.below(8)];
        1 + self.sequence.below(most)
    }

    /// Drops the expanded keys now and then: they come back.
    fn rest(&mut self) {
        if self.sequence.below(20) == 0 {
            self.ours.sleep();
        }
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        let start = self.sequence.below(PATTERN.len() - count);
        PATTERN[start..start + count].to_vec()
    }

    /// Sends batches of data to the peer; returns the number of records.
    fn send(&mut self) -> usize {
        let (mut wire, mut sent, mut records) = (Vec::new(), Vec::new(), 0);
        for _ in 0..=self.sequence.below(8) {
            let size = self.size();
            let data = self.bytes(size);
            records += self.wrap(&data, &mut wire);
            sent.extend(data);
        }
        let received = self.peer_reads(&wire);
        assert!(received == sent, "{}: {} bytes for {}", self.name, received.len(), sent.len());
        records
    }

    /// Seals data in rooms of any size; returns the number of records.
    fn wrap(&mut self, data: &[u8], wire: &mut Vec<u8>) -> usize {
        let (mut said, mut records) = (0, 0);
        let mut room = match self.sequence.below(4) {
            0 => self.sequence.below(data.len() + 40),
            1 => data.len() + 22,
            2 => data.len() + 29,
            _ => [1, 5][self.sequence.below(2)] * MAX_RECORD_BYTES,
        };
        while said < data.len() {
            self.rest();
            let mut tls = vec![0; room];
            let moved = match self.sequence.below(2) {
                0 => self.ours.wrap(&data[said..], &mut tls).unwrap(),
                _ => self.ours.wrap_records(&data[said..], &mut tls).unwrap(),
            };
            match moved.next {
                Next::DestinationTooSmall(needed) => {
                    assert!(moved.produced == 0 && needed > room, "{}: {needed} for {room}", self.name);
                    room = needed.max(60);
                }
                _ => records += moved.consumed.div_ceil(MAX_PLAINTEXT_BYTES),
            }
            said += moved.consumed;
            wire.extend_from_slice(&tls[..moved.produced]);
        }
        records
    }

    /// Gives the peer these records in pieces of any size; returns its plaintext.
    fn peer_reads(&mut self, wire: &[u8]) -> Vec<u8> {
        let (mut rest, mut received) = (wire, Vec::new());
        while !rest.is_empty() {
            let mut piece = &rest[..(1 + self.sequence.below(rest.len() + 1000)).min(rest.len())];
            let taken = self.peer.rustls.read_tls(&mut piece).unwrap();
            rest = &rest[taken..];
            let state = self.peer.rustls.process_new_packets();
            let state = state.unwrap_or_else(|error| panic!("{}: {error}", self.name));
            let start = received.len();
            received.resize(start + state.plaintext_bytes_to_read(), 0);
            self.peer.rustls.reader().read_exact(&mut received[start..]).unwrap();
        }
        received
    }

    /// Takes batches of data of the peer, and key updates between them; returns the number of records.
    fn receive(&mut self) -> usize {
        let (mut wire, mut sent, mut records) = (Vec::new(), Vec::new(), 0);
        for _ in 0..=self.sequence.below(8) {
            if self.is_tls13 && self.sequence.below(50) == 0 {
                self.peer.rustls.refresh_traffic_keys().unwrap();
            }
            let size = self.size();
            let data = self.bytes(size);
            self.peer.rustls.writer().write_all(&data).unwrap();
            records += size.div_ceil(MAX_PLAINTEXT_BYTES);
            sent.extend(data);
        }
        while self.peer.rustls.wants_write() {
            self.peer.rustls.write_tls(&mut wire).unwrap();
        }
        let received = self.unwrap(&mut wire);
        assert!(received == sent, "{}: {} bytes for {}", self.name, received.len(), sent.len());
        records
    }

    /// Gives our side these records in pieces and rooms of any size; returns its plaintext.
    fn unwrap(&mut self, wire: &mut [u8]) -> Vec<u8> {
        let (mut received, mut start, mut end) = (Vec::new(), 0, 0);
        let mut room = MAX_RECORD_BYTES;
        while start < wire.len() {
            let mut plain = vec![0; room];
            self.rest();
            let moved = match self.sequence.below(2) {
                0 => self.ours.unwrap(&mut wire[start..end], &mut plain),
                _ => self.ours.unwrap_records(&mut wire[start..end], &mut plain),
            };
            let moved = moved.unwrap_or_else(|error| panic!("{}: {error}", self.name));
            received.extend_from_slice(&plain[..moved.produced]);
            start += moved.consumed;
            room = match (moved.next, self.sequence.below(4)) {
                (Next::DestinationTooSmall(needed), _) => {
                    assert!(needed > room && moved.consumed == 0, "{}: {needed} for {room}", self.name);
                    needed
                }
                (Next::NeedRecord, _) => {
                    assert_eq!((moved.consumed, moved.produced), (0, 0), "{}", self.name);
                    assert!(end < wire.len(), "{}: a whole record is not taken", self.name);
                    end = (end + 1 + self.sequence.below(wire.len())).min(wire.len());
                    room
                }
                (_, 0) => self.sequence.below(100),
                (_, 1) => self.sequence.below(MAX_RECORD_BYTES),
                (_, 2) => 4 * MAX_RECORD_BYTES,
                _ => MAX_RECORD_BYTES,
            };
        }
        received
    }
}

/// Runs the case for both sides with each of the suites.
fn everywhere(mut case: impl FnMut(Sides)) {
    for (version, suite) in [TLS13, TLS12].concat() {
        for side in [Side::Server, Side::Client] {
            case(Sides::new(side, version, suite));
        }
    }
}

#[test]
fn random_records_both_ways_are_what_rustls_sends_and_reads() {
    let records = asked("BTLS_RECORDS", RECORDS) / 12;
    everywhere(|mut sides| {
        let (mut sent, mut received) = (0, 0);
        while sent < records || received < records {
            sent += sides.send();
            received += sides.receive();
        }
    });
}

#[test]
fn record_of_every_size_comes_through_both_ways() {
    let is_whole = asked("BTLS_RECORDS", 0) > 0;
    let mut turn = 0;
    everywhere(|mut sides| {
        for size in 1..=MAX_PLAINTEXT_BYTES {
            // One side and suite for most sizes, and all of them where a block or a record begins or ends.
            let is_edge = !(300..MAX_PLAINTEXT_BYTES - 40).contains(&size) || matches!(size % 1024, 0 | 1 | 1023);
            if !is_whole && !is_edge && size % 12 != turn {
                continue;
            }
            let data = sides.bytes(size);
            let mut wire = vec![0; size + 40];
            let moved = sides.ours.wrap(&data, &mut wire).unwrap();
            assert_eq!(moved.consumed, size, "{}", sides.name);
            assert!(sides.peer_reads(&wire[..moved.produced]) == data, "{}: {size}", sides.name);
            sides.peer.rustls.writer().write_all(&data).unwrap();
            wire.clear();
            while sides.peer.rustls.wants_write() {
                sides.peer.rustls.write_tls(&mut wire).unwrap();
            }
            let mut plain = vec![0; size];
            let moved = sides.ours.unwrap(&mut wire, &mut plain).unwrap();
            assert_eq!((moved.consumed, moved.produced), (wire.len(), size), "{}", sides.name);
            assert!(plain == data, "{}: {size}", sides.name);
        }
        turn += 1;
    });
}

/// Sends this number of records of one byte; returns the numbers of records between key updates, and the end.
fn send_bytes(version: &'static str, suite: u16, records: usize) -> (Vec<usize>, Option<Code>) {
    let mut scene = scene::Scene::new(Side::Server, version, suite);
    let (mut lengths, mut record) = (vec![usize::try_from(scene.read.next).unwrap()], [0; 100]);
    for number in 0..records {
        let mut said = 0;
        while said == 0 {
            let moved = match scene.ours.wrap(&[number as u8], &mut record) {
                Ok(moved) => moved,
                Err(error) => return (lengths, Some(error.code())),
            };
            said = moved.consumed;
            for (kind, content) in scene.opened(&record[..moved.produced]) {
                *lengths.last_mut().unwrap() += 1;
                if kind == scene::HANDSHAKE {
                    assert_eq!(content[..4], KEY_UPDATE[..4]);
                    lengths.push(0);
                } else {
                    assert_eq!((kind, content), (scene::DATA, vec![number as u8]));
                }
            }
        }
    }
    (lengths, None)
}

#[test]
fn keys_of_aes_gcm_seal_no_more_records_than_their_limit() {
    let records = asked("BTLS_RECORDS_OF_ONE_KEY", 20_000);
    for (version, suite) in [TLS13, TLS12].concat() {
        let (lengths, end) = send_bytes(version, suite, records);
        let what = format!("{version} {suite:#06x}: {lengths:?} {end:?}");
        let is_limited = ![0x1303, 0xcca9].contains(&suite) && records > AES_GCM_LIMIT;
        if is_limited {
            assert!(lengths[0] <= AES_GCM_LIMIT && lengths[0] > AES_GCM_LIMIT / 2, "{what}");
        }
        match version {
            "TLSv1.3" => assert_eq!((lengths.len(), end), (if is_limited { 2 } else { 1 }, None), "{what}"),
            _ => assert_eq!((lengths.len(), end), (1, is_limited.then_some(Code::KeysExhausted)), "{what}"),
        }
    }
}
