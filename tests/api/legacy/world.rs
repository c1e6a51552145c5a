//! A server with two engines, and OpenSSL's client.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use brokertls::{
    Connection, ConnectionSettings, Context, ContextBuilder, Error, IdentitySource, Source, Status, Stream,
};

use crate::process::{PATIENCE, Running};
use crate::rig::pair::Authority;

/// The library of the second engine, which is no part of the package under test. It is built here for a test that is run
/// by itself.
pub(super) fn library() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let build = || {
        if let Some(built) = std::env::var_os("BROKERTLS_LEGACY_LIBRARY") {
            return PathBuf::from(built);
        }
        let root = env!("CARGO_MANIFEST_DIR");
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--locked", "--quiet", "--package", "brokertls-legacy"]).current_dir(root);
        cargo.args(["--target-dir", concat!(env!("CARGO_TARGET_TMPDIR"), "/legacy")]);
        let built = cargo.output().unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        PathBuf::from(concat!(env!("CARGO_TARGET_TMPDIR"), "/legacy/debug/libbrokertls_legacy.so"))
    };
    BUILT.get_or_init(build).clone()
}

/// Facts of a connection that has echoed a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) version: String,
    pub(super) suite: String,
    pub(super) group: String,
    pub(super) peers: usize,
    /// The certificates of this side that were shown.
    pub(super) own: usize,
    /// That of the client, on both sides.
    pub(super) psk_identity: String,
    pub(super) server_name: String,
    pub(super) protocol: String,
}

impl Seen {
    pub(super) fn of(connection: &Connection) -> Self {
        let psk_identity = match connection.is_client() {
            true => connection.own_psk_identity(),
            false => connection.psk_identity(),
        };
        Self {
            version: connection.version().unwrap_or_default().to_owned(),
            suite: connection.cipher_suite().unwrap_or_default().to_owned(),
            group: connection.group().unwrap_or_default().to_owned(),
            peers: connection.peer_chain().len(),
            own: connection.local_chain().len(),
            psk_identity: String::from_utf8_lossy(psk_identity.unwrap_or_default()).into_owned(),
            protocol: String::from_utf8_lossy(connection.alpn().unwrap_or_default()).into_owned(),
            server_name: connection.server_name().unwrap_or_default().to_owned(),
        }
    }
}

/// Both ends' account.
pub(super) struct Met {
    pub(super) ours: Result<Seen, Error>,
    /// The facts at the end, also of a conversation that has failed.
    pub(super) facts: Seen,
    pub(super) theirs: String,
}

impl Met {
    /// The facts of a conversation that has gone well.
    #[track_caller]
    pub(super) fn went_well(&self) -> &Seen {
        let seen = self.ours.as_ref().unwrap_or_else(|error| panic!("{error}\n{}", self.theirs));
        assert!(self.theirs.contains("pong\n"), "{}", self.theirs);
        seen
    }

    /// The error of the server, with the alert that the client reports by its number.
    #[track_caller]
    pub(super) fn failed(&self, code: brokertls::Code, alert: u8) -> &Error {
        let error = self.ours.as_ref().expect_err("the conversation went well");
        assert_eq!(error.code(), code, "{error}\n{}", self.theirs);
        let shown = format!("SSL alert number {alert}\n");
        assert!(self.theirs.contains(&shown), "{shown}{}", self.theirs);
        error
    }
}

/// A folder with certificates, removed when dropped.
pub(super) struct World {
    folder: PathBuf,
    pub(super) authority: Authority,
}

impl World {
    pub(super) fn new(name: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("legacy-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let world = Self { folder, authority: Authority::new("ca") };
        fs::write(world.folder.join("ca.pem"), world.authority.pem()).unwrap();
        fs::write(world.folder.join("client.pem"), world.authority.issue_rsa("client")).unwrap();
        fs::write(world.folder.join("stranger.pem"), Authority::new("other").issue_rsa("stranger")).unwrap();
        world
    }

    /// A builder with an RSA key for `broker`, all versions, and the second engine.
    pub(super) fn builder(&self) -> ContextBuilder {
        let mut builder = ContextBuilder::new();
        let pem = self.authority.issue_rsa("broker");
        builder.identity(IdentitySource::new(Source::memory("broker.pem", pem.as_bytes())));
        builder.versions("tlsv1.3 tlsv1.2 tlsv1.1 tlsv1").legacy_engine(true).legacy_library(library());
        builder
    }

    /// A file in the folder.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The output of a command of OpenSSL in the folder.
    pub(super) fn openssl(&self, line: &str) -> String {
        let mut command = Command::new("openssl");
        let finished = Running::start(command.args(line.split(' ')).current_dir(&self.folder)).finish();
        assert!(finished.status.success(), "{}", finished.text);
        finished.text
    }

    /// Runs Java's keytool in the folder.
    pub(super) fn keytool(&self, line: &str) {
        let mut command = Command::new("keytool");
        let finished = Running::start(command.args(line.split_whitespace()).current_dir(&self.folder)).finish();
        assert!(finished.status.success(), "{}", finished.text);
    }

    /// OpenSSL's client with these arguments sends a line, and gets one.
    pub(super) fn meet(&self, context: &Context, arguments: &str) -> Met {
        self.meet_with(context, &ConnectionSettings::default(), arguments)
    }

    /// The same with settings of the connection.
    pub(super) fn meet_with(&self, context: &Context, settings: &ConnectionSettings, arguments: &str) -> Met {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let fixed = format!("s_client -connect 127.0.0.1:{port} -CAfile ca.pem -ign_eof");
        let mut command = Command::new("openssl");
        command.args(fixed.split(' ')).args(arguments.split_whitespace()).current_dir(&self.folder);
        // A test may set it for this side.
        command.env_remove("OPENSSL_CONF");
        let mut peer = Running::start(&mut command);
        peer.send("ping\n");
        let socket = peer.accepted_by(&listener);
        let (ours, facts) = converse(context.accept_with(settings), socket, talk);
        peer.end_input();
        Met { ours, facts, theirs: peer.finish().text }
    }

    /// The first record of OpenSSL's client with these arguments.
    pub(super) fn hello(&self, arguments: &str) -> Vec<u8> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let mut command = Command::new("openssl");
        command.args(["s_client", "-connect", &address]).args(arguments.split_whitespace()).current_dir(&self.folder);
        let peer = Running::start(&mut command);
        let mut socket = peer.accepted_by(&listener);
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut record = vec![0; 5];
        socket.read_exact(&mut record).unwrap();
        record.resize(5 + usize::from(u16::from_be_bytes([record[3], record[4]])), 0);
        socket.read_exact(&mut record[5..]).unwrap();
        record
    }

    /// A program that `command` makes for our port, in the folder. It is a client, and `talk` answers it.
    pub(super) fn meet_program(
        &self,
        context: &Context,
        command: impl FnOnce(u16) -> Command,
        talk: fn(&mut Stream) -> Result<(), Error>,
    ) -> Met {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let mut peer = Running::start(command(listener.local_addr().unwrap().port()).current_dir(&self.folder));
        let socket = peer.accepted_by(&listener);
        let (ours, facts) = converse(context.accept(), socket, talk);
        peer.end_input();
        Met { ours, facts, theirs: peer.finish().text }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn converse(
    connection: Result<Connection, Error>,
    mut socket: TcpStream,
    talk: fn(&mut Stream) -> Result<(), Error>,
) -> (Result<Seen, Error>, Seen) {
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut stream = Stream::new(connection.unwrap());
    stream.set_descriptors(socket.as_raw_fd(), socket.as_raw_fd()).unwrap();
    let outcome = shake_hands(&mut stream).and_then(|()| talk(&mut stream));
    // The peer reads why before the socket is closed.
    let _ = socket.flush().and_then(|()| socket.shutdown(Shutdown::Write));
    let _ = std::io::copy(&mut socket, &mut std::io::sink());
    let facts = Seen::of(stream.connection());
    (outcome.map(|()| facts.clone()), facts)
}

/// Completes the handshake, with its tasks on this thread.
pub(super) fn shake_hands(stream: &mut Stream) -> Result<(), Error> {
    loop {
        match stream.handshake()? {
            Status::Done(()) => return Ok(()),
            Status::WantTask => stream.run_task(),
            other => panic!("{other:?}"),
        }
    }
}

/// Hears a line, and answers it.
pub(super) fn talk(stream: &mut Stream) -> Result<(), Error> {
    let mut heard = Vec::new();
    let mut buffer = [0; 64];
    while !heard.ends_with(b"\n") {
        match stream.read(&mut buffer)? {
            Status::Done(count) => heard.extend_from_slice(&buffer[..count]),
            other => panic!("{other:?} after {heard:?}"),
        }
    }
    assert_eq!(heard, b"ping\n");
    assert_eq!(stream.write(b"pong\n")?, Status::Done(5));
    assert_eq!(stream.close_write()?, Status::Done(()));
    Ok(())
}
