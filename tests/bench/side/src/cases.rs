//! The rows of the table: what one round of each does and which part of it is timed.

use std::time::Duration;

use rustls::crypto::aws_lc_rs::{cipher_suite, kx_group};
use rustls::{ClientConnection, SupportedCipherSuite, SupportedProtocolVersion};

use crate::clock::Start;
use crate::identity::{Identity, KeyKind};
use crate::peer::{self, Offer, Peer};
use crate::server::{Connection, Context, Side};

/// No more, so that a cache of 256 sessions has the last ticket of each client.
const HANDSHAKES_A_ROUND: usize = 100;
const BYTES_A_ROUND: usize = 48 << 20;
/// Ciphertext that is prepared before the server is timed on it; it should not fall out of the processor's cache.
const BYTES_A_BATCH: usize = 256 << 10;
/// Small records cost much more a byte, so a round takes fewer bytes of them.
const RECORDS_A_ROUND_MAX: usize = 40_000;
/// The part of a round that comes before it, not timed: the program of another side had the caches of the processor.
const WARM_UP: usize = 10;
/// The plaintext of a full record: the size of the buffer that records are read into.
const PLAINTEXT_MAX: usize = 16384;
/// Room for the type and the padding of TLS 1.3 too, as the record has them.
const PLAINTEXT_AND_ROOM: usize = PLAINTEXT_MAX + 256;

/// The unit of a row.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    Handshakes,
    Bytes,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Version {
    Tls12,
    Tls13,
}

impl Version {
    pub fn rustls(self) -> &'static SupportedProtocolVersion {
        match self {
            Self::Tls12 => &rustls::version::TLS12,
            Self::Tls13 => &rustls::version::TLS13,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Work {
    Handshake { resumed: bool },
    Write { record: usize },
    Read { record: usize, room: usize },
}

/// The cipher of the records.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Cipher {
    Aes128,
    Aes256,
    ChaCha20,
}

impl Cipher {
    fn name(self) -> &'static str {
        match self {
            Self::Aes128 => "AES-128-GCM",
            Self::Aes256 => "AES-256-GCM",
            Self::ChaCha20 => "ChaCha20-Poly1305",
        }
    }

    fn suite(self, version: Version) -> SupportedCipherSuite {
        match (self, version) {
            (Self::Aes128, Version::Tls13) => cipher_suite::TLS13_AES_128_GCM_SHA256,
            (Self::Aes256, Version::Tls13) => cipher_suite::TLS13_AES_256_GCM_SHA384,
            (Self::ChaCha20, Version::Tls13) => cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
            (Self::Aes128, Version::Tls12) => cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
            (Self::Aes256, Version::Tls12) => cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
            (Self::ChaCha20, Version::Tls12) => cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        }
    }
}

pub struct Case {
    name: String,
    /// The name without what the table has for all its rows.
    label: String,
    table: String,
    key: KeyKind,
    version: Version,
    cipher: Cipher,
    offer: Offer,
    work: Work,
}

/// One side at work on one case.
pub trait Run {
    /// Does the work once and returns its rate: units for each second spent in the server.
    fn round(&mut self) -> f64;
}

/// The rows of all tables, those of a table one after the other.
pub fn all() -> Vec<Case> {
    let mut cases = handshakes();
    cases.extend(records(Cipher::Aes128, Version::Tls13, true));
    cases.extend(records(Cipher::Aes256, Version::Tls13, false));
    cases.extend(records(Cipher::ChaCha20, Version::Tls13, false));
    cases.extend(records(Cipher::Aes128, Version::Tls12, false));
    cases
}

fn handshakes() -> Vec<Case> {
    let (version, cipher) = (Version::Tls13, Cipher::Aes128);
    let mut cases = Vec::new();
    for (resumed, kind) in [(false, "full"), (true, "resumed")] {
        for key in KeyKind::ALL {
            for group in [kx_group::X25519, kx_group::X25519MLKEM768] {
                let name = format!("{kind} handshake, {}, {:?}", key.name(), group.name());
                let label = name.replace(" handshake", "");
                let offer = Offer { group, suite: cipher.suite(version), version };
                let (table, work) = ("handshakes, TLS 1.3".to_owned(), Work::Handshake { resumed });
                cases.push(Case { name, label, table, key, version, cipher, offer, work });
            }
        }
    }
    cases
}

/// Rows of three sizes, out and in. With `roomy`, large records are read into a larger buffer in one row more.
fn records(cipher: Cipher, version: Version, roomy: bool) -> Vec<Case> {
    let (suffix, version_name) = match version {
        Version::Tls13 => ("", "TLS 1.3"),
        Version::Tls12 => (", TLS 1.2", "TLS 1.2"),
    };
    // TLS 1.2 wants the curve of the certificate among the groups of the client (RFC 8422 section 5.1).
    let group = match version {
        Version::Tls13 => kx_group::X25519,
        Version::Tls12 => kx_group::SECP256R1,
    };
    let offer = Offer { group, suite: cipher.suite(version), version };
    let table = format!("records, {version_name}, {}", cipher.name());
    let case = |work, label: String| {
        let name = format!("records of {label}, {}{suffix}", cipher.name());
        Case { name, label, table: table.clone(), key: KeyKind::EcdsaP256, version, cipher, offer, work }
    };
    let mut cases = Vec::new();
    for record in [64, 1024, PLAINTEXT_MAX] {
        cases.push(case(Work::Write { record }, format!("{record} B out")));
        cases.push(case(Work::Read { record, room: PLAINTEXT_MAX }, format!("{record} B in")));
    }
    if roomy {
        let work = Work::Read { record: PLAINTEXT_MAX, room: PLAINTEXT_AND_ROOM };
        cases.push(case(work, format!("{PLAINTEXT_MAX} B in, room for {PLAINTEXT_AND_ROOM}")));
    }
    cases
}

/// The number of records in a round, those before it included.
pub fn records_a_round(record: usize) -> usize {
    (BYTES_A_ROUND / record).min(RECORDS_A_ROUND_MAX)
}

/// The number of records that are prepared at a time.
pub fn records_a_batch(record: usize) -> usize {
    (BYTES_A_BATCH / record).min(records_a_round(record))
}

impl Case {
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn label(&self) -> &str {
        &self.label
    }

    /// The name of the table that the row is in.
    pub fn table(&self) -> &str {
        &self.table
    }

    pub fn key(&self) -> KeyKind {
        self.key
    }

    pub fn version(&self) -> Version {
        self.version
    }

    pub fn cipher(&self) -> Cipher {
        self.cipher
    }

    pub fn work(&self) -> Work {
        self.work
    }

    pub fn figure(&self) -> Figure {
        match self.work {
            Work::Handshake { .. } => Figure::Handshakes,
            Work::Write { .. } | Work::Read { .. } => Figure::Bytes,
        }
    }

    pub fn prepare(&self, side: &dyn Side, identity: &Identity) -> Box<dyn Run> {
        let context = side.context(identity, self.version);
        let record = match self.work {
            Work::Handshake { resumed } => {
                // Each client has tickets of its own, so that all of a round can resume.
                let peers: Vec<_> = (0..HANDSHAKES_A_ROUND).map(|_| Peer::new(identity, self.offer, resumed)).collect();
                if resumed {
                    // The first handshake is full, and leaves the tickets for those that are timed.
                    for (mut client, mut server) in peers.iter().map(|peer| peer.established(context.as_ref())) {
                        first_data(&mut client, server.as_mut());
                    }
                }
                return Box::new(Handshakes { context, peers, resumed });
            }
            Work::Write { record } | Work::Read { record, .. } => record,
        };
        let peer = Peer::new(identity, self.offer, false);
        let (mut client, mut server) = peer.established(context.as_ref());
        peer.check(&client, false);
        let plaintext: Vec<u8> = (0..record).map(|at| (at % 251) as u8).collect();
        match self.work {
            Work::Read { room, .. } => Box::new(Reads { client, server, plaintext, destination: vec![0; room] }),
            _ => {
                peer::read_record(&mut client, server.write(&plaintext), &plaintext);
                Box::new(Writes { server, plaintext, version: self.version })
            }
        }
    }
}

/// Handshakes with a context, one for each peer in a round.
pub struct Handshakes {
    pub context: Box<dyn Context>,
    pub peers: Vec<Peer>,
    pub resumed: bool,
}

impl Run for Handshakes {
    /// All connections go through each flight together: a server that alternated with the client would find the
    /// processor's caches full of the client's code, unless it shares that code.
    fn round(&mut self) -> f64 {
        let mut spent = Duration::ZERO;
        let mut clients: Vec<_> = self.peers.iter().map(Peer::connect).collect();
        let mut flights = vec![(Vec::new(), Vec::new()); self.peers.len()];
        let start = Start::now();
        let mut servers: Vec<_> = self.peers.iter().map(|_| self.context.accept()).collect();
        spent += start.elapsed();
        let mut done = false;
        while !done {
            for (client, (to_server, _)) in clients.iter_mut().zip(&mut flights) {
                peer::send(client, to_server);
            }
            let start = Start::now();
            done = true;
            for (server, (to_server, to_client)) in servers.iter_mut().zip(&mut flights) {
                done &= server.handshake(to_server, to_client);
            }
            spent += start.elapsed();
            for (client, (_, to_client)) in clients.iter_mut().zip(&mut flights) {
                peer::receive(client, to_client);
            }
        }
        self.peers.iter().zip(&clients).for_each(|(peer, client)| peer.check(client, self.resumed));
        if self.resumed {
            let both = clients.iter_mut().zip(&mut servers);
            both.for_each(|(client, server)| first_data(client, server.as_mut()));
        }
        let start = Start::now();
        drop(servers);
        spent += start.elapsed();
        self.peers.len() as f64 / spent.as_secs_f64()
    }
}

/// Sends a byte to the client, and with it the tickets that BoringSSL holds back until then.
fn first_data(client: &mut ClientConnection, server: &mut dyn Connection) {
    peer::receive(client, &mut server.write(b"x").to_vec());
}

struct Writes {
    server: Box<dyn Connection>,
    plaintext: Vec<u8>,
    version: Version,
}

impl Writes {
    fn write(&mut self, records: usize) -> Duration {
        let start = Start::now();
        let mut produced = 0;
        for _ in 0..records {
            produced += self.server.write(&self.plaintext).len();
        }
        let spent = start.elapsed();
        // A header of 5 bytes, a tag of 16, and the type (RFC 8446 section 5.2) or the nonce (RFC 5288 section 3).
        let added = match self.version {
            Version::Tls13 => 5 + 1 + 16,
            Version::Tls12 => 5 + 8 + 16,
        };
        assert_eq!(produced, records * (self.plaintext.len() + added));
        spent
    }
}

impl Run for Writes {
    fn round(&mut self) -> f64 {
        let records = records_a_round(self.plaintext.len());
        self.write(records / WARM_UP);
        let spent = self.write(records);
        (records * self.plaintext.len()) as f64 / spent.as_secs_f64()
    }
}

struct Reads {
    client: ClientConnection,
    server: Box<dyn Connection>,
    plaintext: Vec<u8>,
    destination: Vec<u8>,
}

impl Reads {
    fn read(&mut self, batches: usize) -> Duration {
        let batch = records_a_batch(self.plaintext.len());
        let mut spent = Duration::ZERO;
        let mut ciphertext = Vec::new();
        for _ in 0..batches {
            for _ in 0..batch {
                peer::send_record(&mut self.client, &self.plaintext, &mut ciphertext);
            }
            let start = Start::now();
            let read = self.server.read(&mut ciphertext, &mut self.destination);
            spent += start.elapsed();
            assert_eq!(read, batch * self.plaintext.len());
        }
        assert_eq!(self.destination[..self.plaintext.len()], self.plaintext);
        spent
    }
}

impl Run for Reads {
    fn round(&mut self) -> f64 {
        let batch = records_a_batch(self.plaintext.len());
        let batches = records_a_round(self.plaintext.len()) / batch;
        self.read(batches.div_ceil(WARM_UP));
        let spent = self.read(batches);
        (batches * batch * self.plaintext.len()) as f64 / spent.as_secs_f64()
    }
}
