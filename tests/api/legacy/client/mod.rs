//! Connections of this side by the second engine: old servers, and servers with a pre-shared key.

mod brokers;
mod command;
mod keys;
mod life;
mod servers;

use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::process::Command;

use brokertls::{Code, ConnectionSettings, Context, ContextBuilder, Error, Psk, Status, Stream};

use super::world::{Seen, World, library, shake_hands};
use crate::process::{PATIENCE, Running};

const SECRET: &str = "8c701116e9127c57a99d5563709af3de";
/// The arguments of `openssl s_server` for the client below.
const WITH_KEY: &str = "-psk_identity device -psk 8c701116e9127c57a99d5563709af3de";

fn secret() -> Psk {
    let digits = (0..SECRET.len()).step_by(2).map(|at| u8::from_str_radix(&SECRET[at..at + 2], 16).unwrap());
    Psk::new(&digits.collect::<Vec<_>>()).unwrap()
}

/// A builder of clients that trust the world's authority, and take all versions.
fn builder(world: &World) -> ContextBuilder {
    let mut builder = ContextBuilder::new();
    builder.trust(world.authority.trust()).versions("tlsv1.3 tlsv1.2 tlsv1.1 tlsv1");
    builder.legacy_engine(true).legacy_library(library());
    builder
}

/// A builder of the second engine, and nothing else.
fn without_key() -> ContextBuilder {
    let mut builder = ContextBuilder::new();
    builder.legacy_engine(true).legacy_library(library());
    builder
}

/// A builder of clients that have a key, and trust no certificate.
fn with_key() -> ContextBuilder {
    let mut builder = without_key();
    builder.psk(b"device", secret()).psk_identity(b"device");
    builder
}

/// Both ends' account of a connection to a server.
struct Met {
    ours: Result<Seen, Error>,
    facts: Seen,
    theirs: String,
}

impl Met {
    #[track_caller]
    fn went_well(&self) -> &Seen {
        self.ours.as_ref().unwrap_or_else(|error| panic!("{error}\n{}", self.theirs))
    }

    /// The error of this side.
    #[track_caller]
    fn failed(&self, code: Code) -> &Error {
        let error = self.ours.as_ref().expect_err("the conversation went well");
        assert_eq!(error.code(), code, "{error}\n{}", self.theirs);
        error
    }

    /// The error of this side, with the alert that the server reports by its number.
    #[track_caller]
    fn refused(&self, code: Code, alert: u8) -> &Error {
        let error = self.failed(code);
        let shown = format!("SSL alert number {alert}\n");
        assert!(self.theirs.contains(&shown), "{shown}{}", self.theirs);
        error
    }
}

/// Our client connects to `openssl s_server` with these arguments. The server sends a line, and hears one.
fn meet(world: &World, context: &Context, arguments: &str) -> Met {
    meet_with(world, context, &ConnectionSettings::default(), arguments)
}

fn meet_with(world: &World, context: &Context, settings: &ConnectionSettings, arguments: &str) -> Met {
    let mut command = Command::new("openssl");
    command.args("s_server -accept 127.0.0.1:0 -naccept 1".split(' ')).args(arguments.split_whitespace());
    // A test may set it for this side.
    let peer = Running::start(command.current_dir(world.file("")).env_remove("OPENSSL_CONF"));
    let port = peer.port(0, "ACCEPT 127.0.0.1:");
    meet_program(context, settings, peer, port)
}

/// Our client connects to a program that prints what it hears, and is sent lines by its input.
fn meet_program(context: &Context, settings: &ConnectionSettings, mut peer: Running, port: u16) -> Met {
    peer.send("ping\n");
    let socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let (ours, facts) = match context.connect_with(Some("broker"), settings) {
        Ok(connection) => {
            let mut stream = Stream::new(connection);
            stream.set_descriptors(socket.as_raw_fd(), socket.as_raw_fd()).unwrap();
            let outcome = shake_hands(&mut stream).and_then(|()| talk(&mut stream));
            if outcome.is_ok() {
                assert!(peer.prints("pong\n"), "{}", peer.printed());
                stream.close_write().unwrap();
            }
            let facts = Seen::of(stream.connection());
            (outcome.map(|()| facts.clone()), facts)
        }
        Err(error) => (Err(error), Seen::default()),
    };
    drop(socket);
    peer.end_input();
    Met { ours, facts, theirs: peer.finish().text }
}

/// Hears a line, and answers it.
fn talk(stream: &mut Stream) -> Result<(), Error> {
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
    Ok(())
}
