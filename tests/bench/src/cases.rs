//! The rows of the table: what one round of each does and which part of it is timed.

use std::time::{Duration, Instant};

use rustls::ClientConnection;
use rustls::crypto::aws_lc_rs::{cipher_suite, kx_group};

use crate::peer::{self, Offer, Peer};
use crate::pki::{Identity, KeyKind};
use crate::server::{Connection, Context, Side};

const HANDSHAKES_A_ROUND: usize = 150;
const BYTES_A_ROUND: usize = 24 << 20;
/// Ciphertext that is prepared before the server is timed on it; it should not fall out of the processor's cache.
const BYTES_A_BATCH: usize = 128 << 10;
/// Small records cost much more a byte, so a round takes fewer bytes of them.
const RECORDS_A_ROUND_MAX: usize = 40_000;

/// The unit of a row.
#[derive(Clone, Copy)]
pub enum Figure {
    Handshakes,
    Bytes,
}

#[derive(Clone, Copy)]
enum Work {
    Handshake { resumed: bool },
    Write { record: usize },
    Read { record: usize },
}

pub struct Case {
    name: String,
    key: KeyKind,
    offer: Offer,
    work: Work,
}

/// One side at work on one case.
pub trait Run {
    /// Does the work once and returns its rate: units for each second spent in the server.
    fn round(&mut self) -> f64;
}

pub fn all() -> Vec<Case> {
    let aes = cipher_suite::TLS13_AES_128_GCM_SHA256;
    let chacha = cipher_suite::TLS13_CHACHA20_POLY1305_SHA256;
    let mut cases = Vec::new();
    for (resumed, kind) in [(false, "full"), (true, "resumed")] {
        for key in [KeyKind::EcdsaP256, KeyKind::Rsa2048] {
            for group in [kx_group::X25519, kx_group::X25519MLKEM768] {
                let name = format!("{kind} handshake, {}, {:?}", key.name(), group.name());
                cases.push(Case { name, key, offer: Offer { group, suite: aes }, work: Work::Handshake { resumed } });
            }
        }
    }
    for (suite, suite_name, sizes) in
        [(aes, "AES-128-GCM", [64, 1024, 16384].as_slice()), (chacha, "ChaCha20-Poly1305", [16384].as_slice())]
    {
        for &record in sizes {
            for (work, direction) in [(Work::Write { record }, "out"), (Work::Read { record }, "in")] {
                let name = format!("records of {record} B {direction}, {suite_name}");
                let offer = Offer { group: kx_group::X25519, suite };
                cases.push(Case { name, key: KeyKind::EcdsaP256, offer, work });
            }
        }
    }
    cases
}

impl Case {
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn figure(&self) -> Figure {
        match self.work {
            Work::Handshake { .. } => Figure::Handshakes,
            Work::Write { .. } | Work::Read { .. } => Figure::Bytes,
        }
    }

    pub fn prepare(&self, side: &dyn Side) -> Box<dyn Run> {
        let identity = Identity::new(self.key);
        let context = side.context(&identity);
        match self.work {
            Work::Handshake { resumed } => {
                // Each client has tickets of its own, so that all of a round can resume.
                let peers: Vec<_> =
                    (0..HANDSHAKES_A_ROUND).map(|_| Peer::new(&identity, self.offer, resumed)).collect();
                if resumed {
                    // The first handshake is full, and leaves the tickets for those that are timed.
                    peers.iter().for_each(|peer| drop(peer.established(context.as_ref())));
                }
                Box::new(Handshakes { context, peers, resumed })
            }
            Work::Write { record } | Work::Read { record } => {
                let peer = Peer::new(&identity, self.offer, false);
                let (client, server) = peer.established(context.as_ref());
                let records = (BYTES_A_ROUND / record).min(RECORDS_A_ROUND_MAX);
                let plaintext = vec![0x5a; record];
                match self.work {
                    Work::Write { .. } => Box::new(Writes { server, plaintext, records }),
                    _ => Box::new(Reads { client, server, plaintext, records }),
                }
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
        let start = Instant::now();
        let mut servers: Vec<_> = self.peers.iter().map(|_| self.context.accept()).collect();
        spent += start.elapsed();
        let mut done = false;
        while !done {
            for (client, (to_server, _)) in clients.iter_mut().zip(&mut flights) {
                peer::send(client, to_server);
            }
            let start = Instant::now();
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
        let start = Instant::now();
        drop(servers);
        spent += start.elapsed();
        self.peers.len() as f64 / spent.as_secs_f64()
    }
}

struct Writes {
    server: Box<dyn Connection>,
    plaintext: Vec<u8>,
    records: usize,
}

impl Run for Writes {
    fn round(&mut self) -> f64 {
        let start = Instant::now();
        let mut produced = 0;
        for _ in 0..self.records {
            produced += self.server.write(&self.plaintext).len();
        }
        let spent = start.elapsed();
        // A record is its payload, a header of 5 bytes, the type and a tag of 16 (RFC 8446 section 5.2).
        assert_eq!(produced, self.records * (self.plaintext.len() + 22));
        (self.records * self.plaintext.len()) as f64 / spent.as_secs_f64()
    }
}

struct Reads {
    client: ClientConnection,
    server: Box<dyn Connection>,
    plaintext: Vec<u8>,
    records: usize,
}

impl Run for Reads {
    fn round(&mut self) -> f64 {
        let batch = (BYTES_A_BATCH / self.plaintext.len()).min(self.records);
        let mut spent = Duration::ZERO;
        let mut sum = 0;
        let mut ciphertext = Vec::new();
        let mut destination = vec![0; 16384];
        for _ in 0..self.records / batch {
            for _ in 0..batch {
                peer::send_record(&mut self.client, &self.plaintext, &mut ciphertext);
            }
            let start = Instant::now();
            let read = self.server.read(&mut ciphertext, &mut destination);
            spent += start.elapsed();
            assert_eq!(read, batch * self.plaintext.len());
            sum += read;
        }
        assert_eq!(destination[..self.plaintext.len()], self.plaintext);
        sum as f64 / spent.as_secs_f64()
    }
}
