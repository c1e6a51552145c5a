//! Plaintext in memory that the second engine has freed. Alone in its binary: it reads all memory of the process.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;

use client::{client, handshake, server};
use openssl::ssl::SslVersion;

const DATA_BYTES: u16 = 4096;

/// The part of the data that is searched for. It is longer than the block that a hash keeps.
const SOUGHT: std::ops::Range<u16> = 1024..1280;

/// A byte of the data, made anew each time so that no copy is in memory.
fn byte(index: u16) -> u8 {
    (index.wrapping_mul(40_503) >> 7).to_le_bytes()[0]
}

const CHUNK_BYTES: u64 = 1 << 16;

/// Reads the memory of the process. It has its room from the start: new room would be where freed memory was.
struct Reader {
    chunk: Vec<u8>,
    maps: String,
}

impl Reader {
    fn new() -> Self {
        Self { chunk: vec![0; CHUNK_BYTES as usize], maps: String::with_capacity(1 << 16) }
    }

    /// The number of places in the writable memory of the process that have the sought part.
    fn copies(&mut self) -> usize {
        let memory = File::open("/proc/self/mem").unwrap();
        self.maps.clear();
        File::open("/proc/self/maps").unwrap().read_to_string(&mut self.maps).unwrap();
        let mut found = 0;
        for line in self.maps.lines().filter(|line| line.contains(" rw-p ")) {
            let (start, end) = line.split_once(' ').and_then(|(bounds, _)| bounds.split_once('-')).unwrap();
            let [start, end] = [start, end].map(|bound| u64::from_str_radix(bound, 16).unwrap());
            for at in (start..end).step_by(1 << 15) {
                let room = &mut self.chunk[..(end - at).min(CHUNK_BYTES) as usize];
                let Ok(length) = memory.read_at(room, at) else { continue };
                let starts =
                    room[..length].iter().enumerate().take(1 << 15).filter(|(_, there)| **there == byte(SOUGHT.start));
                found += starts
                    .filter_map(|(start, _)| room[..length].get(start..start + SOUGHT.len()))
                    .filter(|part| part.iter().zip(SOUGHT).all(|(there, index)| *there == byte(index)))
                    .count();
                room.fill(0);
            }
        }
        found
    }
}

#[test]
fn data_that_has_been_given_away_is_in_no_memory_of_the_engine() {
    let context = server();
    let mut reader = Reader::new();
    for (version, suite) in [(SslVersion::TLS1, "ECDHE-RSA-AES128-SHA"), (SslVersion::TLS1_2, "PSK-AES128-GCM-SHA256")]
    {
        let mut connection = context.accept().unwrap();
        let (mut client, pipe) = client(version, suite);
        handshake(&mut connection, &mut client, &pipe);
        let mut opened = vec![0; brokertls::MAX_PLAINTEXT_BYTES];
        let mut data: Vec<u8> = (0..DATA_BYTES).map(byte).collect();
        client.ssl_write(&data).unwrap();
        let mut records = std::mem::take(&mut *pipe.to_server.borrow_mut());
        let (mut consumed, mut produced) = (0, 0);
        while consumed < records.len() {
            let moved = connection.unwrap(&mut records[consumed..], &mut opened[produced..]).unwrap();
            (consumed, produced) = (consumed + moved.consumed, produced + moved.produced);
        }
        assert_eq!(opened[..produced], data);
        assert_eq!(reader.copies(), 2, "{suite}: the caller has it twice");
        data.fill(0);
        opened.fill(0);
        assert_eq!(reader.copies(), 0, "{suite}");
    }
}
