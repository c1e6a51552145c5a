//! A connection of this library with a peer that owns the traffic keys, and sends what no peer should.

use std::sync::{Arc, LazyLock};

use brokertls::{Code, Connection, Context, Error, IdentitySource, MAX_RECORD_BYTES, Source};

use super::keys::{HEADER_BYTES, Keys};
use crate::rig::pair::{Authority, context};
use crate::wire::peer::{Peer, Secrets, Settings, drain};

pub(crate) const ALERT: u8 = 21;
pub(crate) const HANDSHAKE: u8 = 22;
pub(crate) const DATA: u8 = 23;

pub(crate) const CLOSE_NOTIFY: [u8; 2] = [1, 0];

/// A key update that asks for none in return, and one that does (RFC 8446 section 4.6.3).
pub(crate) const KEY_UPDATE: [u8; 5] = [24, 0, 0, 1, 0];
pub(crate) const KEY_UPDATE_REQUEST: [u8; 5] = [24, 0, 0, 1, 1];

/// The byte of a buffer that nothing was written to.
pub(crate) const UNTOUCHED: u8 = 0xee;

/// The versions and the numbers of their suites.
pub(crate) const TLS13: &[(&str, u16)] = &[("TLSv1.3", 0x1301), ("TLSv1.3", 0x1302), ("TLSv1.3", 0x1303)];
pub(crate) const TLS12: &[(&str, u16)] = &[("TLSv1.2", 0xc02b), ("TLSv1.2", 0xc02c), ("TLSv1.2", 0xcca9)];

/// The certificates and contexts of all scenes.
struct Ground {
    identity: String,
    server: Context,
    client: Context,
}

static GROUND: LazyLock<Ground> = LazyLock::new(|| {
    let authority = Authority::new("ca");
    let identity = authority.issue(&["broker.example"], |_| {});
    let server =
        context(|builder| builder.identity(IdentitySource::new(Source::memory("identity.pem", identity.as_bytes()))));
    let client = context(|builder| builder.trust(authority.trust()));
    Ground { identity, server, client }
});

/// The side that this library has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Server,
    Client,
}

/// A complete handshake. rustls has made it as the peer, and has given its keys away.
pub(crate) struct Scene {
    pub(crate) ours: Connection,
    pub(crate) side: Side,
    /// Keys that the peer sends with.
    pub(crate) write: Keys,
    /// Keys that our side sends with.
    pub(crate) read: Keys,
    version: &'static str,
    /// Names the scene in a failure.
    pub(crate) name: String,
}

/// Runs the case for both sides with each of the suites.
pub(crate) fn everywhere(suites: &[&[(&'static str, u16)]], mut case: impl FnMut(Scene)) {
    for (version, suite) in suites.concat() {
        for side in [Side::Server, Side::Client] {
            case(Scene::new(side, version, suite));
        }
    }
}

/// Both sides after a handshake, and the secrets that it made.
pub(crate) fn handshake(side: Side, version: &'static str, suite: u16) -> (Connection, Peer, Arc<Secrets>) {
    let mut settings = Settings::new(version);
    settings.suites = Some(vec![suite]);
    settings.verifier.asks = false;
    let secrets = settings.secrets.clone();
    let (mut peer, mut ours) = match side {
        Side::Server => (Peer::client(settings), GROUND.server.accept().unwrap()),
        Side::Client => {
            settings.identity = Some(GROUND.identity.clone());
            (Peer::server(settings), GROUND.client.connect(Some("broker.example")).unwrap())
        }
    };
    assert!(peer.run(&mut ours, |_| {}).is_none() && peer.error.is_none());
    assert!(!ours.is_handshaking());
    (ours, peer, secrets)
}

impl Scene {
    pub(crate) fn new(side: Side, version: &'static str, suite: u16) -> Self {
        let (ours, peer, secrets) = handshake(side, version, suite);
        let keys = peer.rustls.dangerous_extract_secrets().unwrap();
        let labels = ["CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"];
        let [write, read] = match side {
            Side::Server => labels,
            Side::Client => [labels[1], labels[0]],
        };
        Self {
            ours,
            side,
            write: Keys::new(keys.tx, secrets.get(write)),
            read: Keys::new(keys.rx, secrets.get(read)),
            version,
            name: format!("{side:?} {version} {suite:#06x}"),
        }
    }

    pub(crate) fn is_tls13(&self) -> bool {
        self.version == "TLSv1.3"
    }

    /// Gives our side these records; returns the plaintext and the error that ended the connection.
    pub(crate) fn give(&mut self, records: &[u8]) -> (Vec<u8>, Result<(), Error>) {
        let (mut records, mut plain) = (records.to_vec(), vec![UNTOUCHED; MAX_RECORD_BYTES]);
        let (mut rest, mut received) = (&mut records[..], Vec::new());
        while !rest.is_empty() {
            match self.ours.unwrap(rest, &mut plain) {
                Ok(taken) if taken.consumed == 0 => break,
                Ok(taken) => {
                    received.extend_from_slice(&plain[..taken.produced]);
                    rest = &mut rest[taken.consumed..];
                }
                Err(error) => return (received, Err(error)),
            }
        }
        (received, Ok(()))
    }

    /// Asserts that our side takes these records, and that they hold this plaintext.
    #[track_caller]
    pub(crate) fn accepts(&mut self, records: &[u8], plain: &[u8]) {
        let (received, outcome) = self.give(records);
        outcome.unwrap_or_else(|error| panic!("{}: {error}", self.name));
        assert!(received == plain, "{}: {} bytes in place of {}", self.name, received.len(), plain.len());
    }

    /// Asserts that these records end the connection with this code, and that the peer gets the alert of its row.
    #[track_caller]
    pub(crate) fn refuses(self, records: &[u8], code: Code) {
        self.refuses_after(records, &[], code);
    }

    /// The same after this plaintext.
    #[track_caller]
    pub(crate) fn refuses_after(mut self, records: &[u8], plain: &[u8], code: Code) {
        let (received, outcome) = self.give(records);
        let error = outcome.expect_err(&self.name);
        assert_eq!(error.code(), code, "{}: {error}", self.name);
        assert!(received == plain, "{}: {} bytes in place of {}", self.name, received.len(), plain.len());
        let sent = self.sent();
        let alert = code.alert_in(Some(self.version)).expect("a code with an alert");
        assert_eq!(sent.last(), Some(&(ALERT, vec![2, alert])), "{}: {error}", self.name);
        assert_eq!(sent.iter().filter(|(kind, content)| *kind == ALERT && content[0] == 2).count(), 1, "{}", self.name);
        // It stays ended, with the same error and no second alert.
        let again = self.write.seal(DATA, b"data");
        assert_eq!(self.give(&again).1.unwrap_err().code(), code, "{}", self.name);
        assert!(!self.ours.has_outgoing(), "{}", self.name);
        assert_eq!(self.ours.wrap(b"data", &mut [0; 100]).unwrap_err().code(), code, "{}", self.name);
    }

    /// Asserts that our side still sends and receives data.
    #[track_caller]
    pub(crate) fn works(&mut self) {
        let record = self.write.seal(DATA, b"to our side");
        self.accepts(&record, b"to our side");
        let mut record = vec![0; MAX_RECORD_BYTES];
        let mut bytes = drain(&mut self.ours);
        loop {
            let sent = self.ours.wrap(b"to the peer", &mut record).unwrap();
            bytes.extend_from_slice(&record[..sent.produced]);
            if sent.consumed > 0 {
                assert_eq!(sent.consumed, 11, "{}", self.name);
                break;
            }
        }
        assert_eq!(self.opened(&bytes).last(), Some(&(DATA, b"to the peer".to_vec())), "{}", self.name);
    }

    /// Opens the pending records of our side.
    pub(crate) fn sent(&mut self) -> Vec<(u8, Vec<u8>)> {
        let bytes = drain(&mut self.ours);
        self.opened(&bytes)
    }

    /// Opens records of our side. A key update among them changes the keys.
    pub(crate) fn opened(&mut self, mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
        let mut opened = Vec::new();
        while !bytes.is_empty() {
            let length = HEADER_BYTES + usize::from(u16::from_be_bytes([bytes[3], bytes[4]]));
            let (record, rest) = bytes.split_at(length);
            bytes = rest;
            let (kind, content) = self.read.open(record);
            if self.is_tls13() && kind == HANDSHAKE && content.first() == Some(&KEY_UPDATE[0]) {
                self.read.update();
            }
            opened.push((kind, content));
        }
        opened
    }
}
