//! The AEAD of aws-lc by itself, on the bytes of the same records: what a record costs at least.
//!
//! A record is sealed from the plaintext into its own place, its content type as extra input, and opened from its own
//! place into the buffer of the plaintext. Nonces and additional data are those of the version of TLS.

use std::time::Duration;

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use brokertls_bench_side::cases::{Case, Cipher, Run, Version, Work, records_a_batch, records_a_round};
use brokertls_bench_side::clock::Start;

const HEADER: usize = 5;
const TAG: usize = 16;
/// The part of the nonce that a record of TLS 1.2 with AES-GCM has (RFC 5288 section 3).
const EXPLICIT_NONCE: usize = 8;
const APPLICATION_DATA: u8 = 23;
const WARM_UP: usize = 10;

pub fn prepare(case: &Case) -> Result<Box<dyn Run>, String> {
    let (record, room) = match case.work() {
        Work::Handshake { .. } => return Err("a cipher has no handshakes".to_owned()),
        Work::Write { record } => (record, None),
        Work::Read { record, room } => (record, Some(room)),
    };
    let layer = Layer::new(case.cipher(), case.version());
    let plaintext: Vec<u8> = (0..record).map(|at| (at % 251) as u8).collect();
    Ok(match room {
        None => Box::new(Seals { record: vec![0; layer.length(record)], layer, plaintext, sequence: 0 }),
        // Room for the content type, which the cipher decrypts like the rest.
        Some(room) => Box::new(Opens { layer, plaintext, destination: vec![0; room + 1], sequence: 0 }),
    })
}

struct Layer {
    key: LessSafeKey,
    iv: [u8; 12],
    version: Version,
}

impl Layer {
    fn new(cipher: Cipher, version: Version) -> Self {
        let algorithm = match cipher {
            Cipher::Aes128 => &AES_128_GCM,
            Cipher::Aes256 => &AES_256_GCM,
            Cipher::ChaCha20 => &CHACHA20_POLY1305,
        };
        let key = LessSafeKey::new(UnboundKey::new(algorithm, &[0x5a; 32][..algorithm.key_len()]).unwrap());
        Self { key, iv: [0xa5; 12], version }
    }

    /// The bytes of a record before the ciphertext, and those of the content type in it.
    fn around(&self) -> (usize, usize) {
        match self.version {
            Version::Tls13 => (HEADER, 1),
            Version::Tls12 => (HEADER + EXPLICIT_NONCE, 0),
        }
    }

    fn length(&self, plaintext: usize) -> usize {
        let (before, content_type) = self.around();
        before + plaintext + content_type + TAG
    }

    fn nonce(&self, sequence: u64) -> Nonce {
        let mut nonce = self.iv;
        nonce[4..].iter_mut().zip(sequence.to_be_bytes()).for_each(|(byte, number)| *byte ^= number);
        Nonce::assume_unique_for_key(nonce)
    }

    /// The header of a record, or what TLS 1.2 authenticates in its place (RFC 5246 section 6.2.3.3).
    #[inline]
    fn additional_data(&self, sequence: u64, plaintext: usize) -> ([u8; 13], usize) {
        let mut data = [0; 13];
        match self.version {
            Version::Tls13 => {
                let [high, low] = ((plaintext + 1 + TAG) as u16).to_be_bytes();
                data[..HEADER].copy_from_slice(&[APPLICATION_DATA, 3, 3, high, low]);
                (data, HEADER)
            }
            Version::Tls12 => {
                let [high, low] = (plaintext as u16).to_be_bytes();
                data[..8].copy_from_slice(&sequence.to_be_bytes());
                data[8..].copy_from_slice(&[APPLICATION_DATA, 3, 3, high, low]);
                (data, 13)
            }
        }
    }

    #[inline]
    fn seal(&self, sequence: u64, plaintext: &[u8], record: &mut [u8]) {
        let (before, content_type) = self.around();
        let (data, length) = self.additional_data(sequence, plaintext.len());
        let (head, body) = record.split_at_mut(before);
        head[..HEADER].copy_from_slice(&data[length - HEADER..length]);
        head[HEADER..].copy_from_slice(&sequence.to_be_bytes()[..before - HEADER]);
        let (ciphertext, tail) = body.split_at_mut(plaintext.len());
        let extra = &[APPLICATION_DATA][..content_type];
        let (nonce, aad) = (self.nonce(sequence), Aad::from(&data[..length]));
        self.key.seal_out_of_place_scatter(nonce, aad, plaintext, ciphertext, extra, tail).unwrap();
    }

    /// Opens one record and returns the length of its plaintext.
    #[inline]
    fn open(&self, sequence: u64, record: &[u8], destination: &mut [u8]) -> usize {
        let (before, content_type) = self.around();
        let (ciphertext, tag) = record[before..].split_at(record.len() - before - TAG);
        let plaintext = ciphertext.len() - content_type;
        let (data, length) = self.additional_data(sequence, plaintext);
        let (nonce, aad) = (self.nonce(sequence), Aad::from(&data[..length]));
        let destination = &mut destination[..ciphertext.len()];
        self.key.open_separate_gather(nonce, aad, ciphertext, tag, destination).unwrap();
        plaintext
    }
}

struct Seals {
    layer: Layer,
    plaintext: Vec<u8>,
    record: Vec<u8>,
    sequence: u64,
}

impl Seals {
    fn seal(&mut self, records: usize) -> Duration {
        let start = Start::now();
        for _ in 0..records {
            self.layer.seal(self.sequence, &self.plaintext, &mut self.record);
            self.sequence += 1;
        }
        start.elapsed()
    }
}

impl Run for Seals {
    fn round(&mut self) -> f64 {
        let records = records_a_round(self.plaintext.len());
        self.seal(records / WARM_UP);
        let spent = self.seal(records);
        (records * self.plaintext.len()) as f64 / spent.as_secs_f64()
    }
}

struct Opens {
    layer: Layer,
    plaintext: Vec<u8>,
    destination: Vec<u8>,
    sequence: u64,
}

impl Opens {
    fn open(&mut self, batches: usize) -> Duration {
        let (batch, length) = (records_a_batch(self.plaintext.len()), self.layer.length(self.plaintext.len()));
        let mut spent = Duration::ZERO;
        let mut records = vec![0; batch * length];
        for _ in 0..batches {
            for (number, record) in (self.sequence..).zip(records.chunks_exact_mut(length)) {
                self.layer.seal(number, &self.plaintext, record);
            }
            let start = Start::now();
            let mut read = 0;
            for record in records.chunks_exact(length) {
                read += self.layer.open(self.sequence, record, &mut self.destination);
                self.sequence += 1;
            }
            spent += start.elapsed();
            assert_eq!(read, batch * self.plaintext.len());
        }
        assert_eq!(self.destination[..self.plaintext.len()], self.plaintext);
        spent
    }
}

impl Run for Opens {
    fn round(&mut self) -> f64 {
        let batch = records_a_batch(self.plaintext.len());
        let batches = records_a_round(self.plaintext.len()) / batch;
        self.open(batches.div_ceil(WARM_UP));
        let spent = self.open(batches);
        (batches * batch * self.plaintext.len()) as f64 / spent.as_secs_f64()
    }
}
