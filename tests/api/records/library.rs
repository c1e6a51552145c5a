//! The library of OpenSSL as the other side, which sends back random records. It pads them and changes its keys.
//!
//! `make soak-records` runs it with a million records, against the installed OpenSSL and against OpenSSL 4.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use brokertls::{Connection, ConnectionSettings, Context, MAX_RECORD_BYTES, Next};

use super::keys::HEADER_BYTES;
use crate::process::{PATIENCE, Running};
use crate::rig::pair::{Authority, context};
use crate::stream::identities::from_pem;
use crate::wire::hostile::Sequence;

/// Records each way, over all suites and roles.
const RECORDS: usize = 40_000;

const SEED: u64 = 0x00ed_0f2e_c02d_505e;

/// Most bytes that are under way: the buffers of the sockets hold them.
const BATCH_BYTES: usize = 30_000;

const SUITES: [(&str, &str); 6] = [
    ("TLSv1.3", "TLS_AES_128_GCM_SHA256"),
    ("TLSv1.3", "TLS_AES_256_GCM_SHA384"),
    ("TLSv1.3", "TLS_CHACHA20_POLY1305_SHA256"),
    ("TLSv1.2", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
    ("TLSv1.2", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
    ("TLSv1.2", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"),
];

/// The program at the other end, built in a folder of its own.
struct Echo {
    folder: PathBuf,
    server: Context,
    client: Context,
}

impl Echo {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("brokertls-records-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api/records/openssl.c");
        let mut gcc = Command::new("gcc");
        gcc.args(["-Wall", "-Wextra", "-Werror", "-o"]).arg(folder.join("echo")).arg(source);
        // The folder of another OpenSSL than that of the system.
        match std::env::var_os("BTLS_OPENSSL").map(PathBuf::from) {
            Some(root) => {
                gcc.arg("-I").arg(root.join("include"));
                gcc.args([root.join("lib/libssl.a"), root.join("lib/libcrypto.a")]).args(["-lpthread", "-ldl"]);
            }
            None => drop(gcc.args(["-lssl", "-lcrypto"])),
        }
        assert!(gcc.status().unwrap().success());
        let authority = Authority::new("ca");
        let identity = authority.issue(&["broker"], |_| {});
        std::fs::write(folder.join("broker.pem"), &identity).unwrap();
        let server = context(|builder| builder.identity(from_pem(&identity)));
        let client = context(|builder| builder.trust(authority.trust()));
        Self { folder, server, client }
    }

    fn start(&self, arguments: [&str; 3]) -> Running {
        Running::start(Command::new(self.folder.join("echo")).args(arguments).current_dir(&self.folder))
    }

    /// Both ends of a connection with this suite; our side is the server or the client.
    fn connect(&self, is_server: bool, version: &str, suite: &str) -> Ours {
        let settings = ConnectionSettings {
            cipher_suites: Some(suite.to_owned()),
            versions: Some(version.to_owned()),
            ..ConnectionSettings::default()
        };
        let (peer, socket, connection) = if is_server {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let peer = self.start(["client", &listener.local_addr().unwrap().port().to_string(), version]);
            let socket = peer.accepted_by(&listener);
            (peer, socket, self.server.accept_with(&settings).unwrap())
        } else {
            let peer = self.start(["server", "broker.pem", version]);
            let socket = TcpStream::connect(("127.0.0.1", peer.port(0, "port "))).unwrap();
            (peer, socket, self.client.connect_with(Some("broker"), &settings).unwrap())
        };
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.set_write_timeout(Some(PATIENCE)).unwrap();
        socket.set_nodelay(true).unwrap();
        let name = format!("{suite}, server {is_server}, seed {SEED:#x}");
        let sequence = Sequence(SEED);
        Ours { peer, socket, connection, sequence, input: Vec::new(), sent: 0, received: 0, name }
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Our side, and the program at the other end.
struct Ours {
    peer: Running,
    socket: TcpStream,
    connection: Connection,
    sequence: Sequence,
    /// Bytes of records that are not whole.
    input: Vec<u8>,
    /// Records each way.
    sent: usize,
    received: usize,
    name: String,
}

impl Ours {
    /// Sends the pending records.
    fn flush(&mut self) {
        let bytes = crate::wire::peer::drain(&mut self.connection);
        self.socket.write_all(&bytes).unwrap();
    }

    /// Waits for bytes, and takes the records that are whole. Returns their plaintext.
    fn receive(&mut self) -> Vec<u8> {
        let (start, most) = (self.input.len(), 1 + self.sequence.below(2 * MAX_RECORD_BYTES));
        self.input.resize(start + most, 0);
        let count = self.socket.read(&mut self.input[start..]).unwrap();
        assert!(count > 0, "{}: the peer has left: {}", self.name, self.peer.printed());
        self.input.truncate(start + count);
        let (mut plain, mut room) = (Vec::new(), 1 + self.sequence.below(MAX_RECORD_BYTES));
        loop {
            let mut buffer = vec![0; room];
            let taken = match self.sequence.below(2) {
                0 => self.connection.unwrap(&mut self.input, &mut buffer),
                _ => self.connection.unwrap_records(&mut self.input, &mut buffer),
            };
            let taken = taken.unwrap_or_else(|error| panic!("{}: {error}", self.name));
            plain.extend_from_slice(&buffer[..taken.produced]);
            self.received += records_in(&self.input[..taken.consumed]);
            self.input.drain(..taken.consumed);
            match taken.next {
                Next::DestinationTooSmall(needed) => room = needed,
                _ if taken.consumed == 0 => return plain,
                _ => {}
            }
        }
    }

    /// Sends a batch of random records, and reads the same bytes back.
    fn exchange(&mut self) {
        let (mut data, mut wire) = (Vec::new(), Vec::new());
        while data.len() < BATCH_BYTES / 2 && self.sequence.below(12) > 0 {
            let most = [16, 100, 1500, BATCH_BYTES / 2][self.sequence.below(4)];
            let start = data.len();
            data.extend((0..=self.sequence.below(most)).map(|place| (place * 31 + start * 7) as u8));
            let mut record = vec![0; MAX_RECORD_BYTES];
            while let Some(rest) = data.get(start..).filter(|rest| !rest.is_empty()) {
                let sent = self.connection.wrap(rest, &mut record).unwrap();
                wire.extend_from_slice(&record[..sent.produced]);
                if sent.consumed == rest.len() {
                    break;
                }
                assert_eq!(sent.consumed, 0, "{}: a record holds all of it", self.name);
            }
        }
        self.sent += records_in(&wire);
        self.socket.write_all(&wire).unwrap();
        let mut back = Vec::new();
        while back.len() < data.len() {
            back.extend(self.receive());
        }
        assert!(back == data, "{}: {} bytes for {}", self.name, back.len(), data.len());
    }

    /// Closes both ways. Returns what the peer has printed.
    fn close(mut self) -> String {
        self.connection.close_write().unwrap();
        self.flush();
        while !self.connection.is_peer_closed() {
            assert_eq!(self.receive(), b"", "{}", self.name);
        }
        let finished = self.peer.finish();
        assert!(finished.status.success(), "{}: {}", self.name, finished.text);
        finished.text
    }
}

/// The number of whole records.
fn records_in(mut bytes: &[u8]) -> usize {
    let mut count = 0;
    while let Some((header, rest)) = bytes.split_first_chunk::<HEADER_BYTES>() {
        let Some(next) = rest.get(usize::from(u16::from_be_bytes([header[3], header[4]]))..) else { break };
        (bytes, count) = (next, count + 1);
    }
    count
}

#[test]
fn random_records_come_back_from_the_library_of_openssl() {
    let records = std::env::var("BTLS_RECORDS").map_or(RECORDS, |number| number.parse().unwrap());
    let echo = Echo::new();
    for (version, suite) in SUITES {
        for is_server in [true, false] {
            let mut ours = echo.connect(is_server, version, suite);
            while ours.connection.is_handshaking() || ours.connection.has_outgoing() {
                ours.flush();
                if ours.connection.is_handshaking() {
                    ours.receive();
                }
            }
            assert_eq!(ours.connection.cipher_suite(), Some(suite));
            while ours.sent < records / 12 || ours.received < records / 12 {
                ours.exchange();
            }
            let said = ours.close();
            assert!(said.contains("OpenSSL ") && said.ends_with(" bytes\n"), "{said}");
        }
    }
}
