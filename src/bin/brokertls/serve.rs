//! `brokertls serve`: a server that reports each client.

use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use brokertls::error::{Code, Error};
use brokertls::{Connection, Context};
use clap::ArgMatches;
use serde_json::{Map, Value, json};

use crate::arguments::{is_set, options, time_limit};
use crate::facts::{agreement_line, connection_json, psk_identity};
use crate::report::{EXIT_OK, Failure, Outcome, error_json, print, print_json};
use crate::transport::{Session, io_error};

/// The number of connections at a time, each with a thread.
const MAX_CONNECTIONS: usize = 256;

/// The settings that all connections share.
struct Server {
    context: Context,
    is_echo: bool,
    is_json: bool,
    limit: Duration,
    open: AtomicUsize,
    /// The counts of old clients that have been printed.
    told_uses: Mutex<Vec<(&'static str, u64)>>,
}

pub(crate) fn run(matches: &ArgMatches) -> Outcome {
    let address = bind_address(matches)?;
    let server = Arc::new(Server {
        context: options(matches)?.build()?,
        is_echo: is_set(matches, "echo"),
        is_json: is_set(matches, "json"),
        limit: time_limit(matches),
        open: AtomicUsize::new(0),
        told_uses: Mutex::default(),
    });
    // An error here would otherwise come with the first client.
    server.context.accept()?;
    server.context.start_maintenance()?;
    let listener = TcpListener::bind(address).map_err(|error| io_error(error).at(address))?;
    let port = listener.local_addr().map_err(io_error)?.port();
    match server.is_json {
        true => print_json(&json!({ "event": "listening", "port": port }))?,
        false => print(format_args!("{port}"))?,
    }
    accept_all(&server, &listener, matches.get_one("connections").copied())
}

fn bind_address(matches: &ArgMatches) -> Result<SocketAddr, Failure> {
    let host = matches.get_one::<String>("bind").map(String::as_str).unwrap_or_default();
    let host: IpAddr = host.parse().map_err(|_| Failure::usage(format!("--bind {host:?} is not an IP address")))?;
    Ok(SocketAddr::new(host, matches.get_one("port").copied().unwrap_or(0)))
}

fn accept_all(server: &Arc<Server>, listener: &TcpListener, count: Option<u64>) -> Outcome {
    let mut threads = Vec::new();
    let mut accepted: u64 = 0;
    while count.is_none_or(|count| accepted < count) {
        let Ok((socket, peer)) = listener.accept() else {
            // The client has disconnected, or there is no free descriptor at the moment.
            thread::sleep(Duration::from_millis(10));
            continue;
        };
        accepted = accepted.saturating_add(1);
        if server.open.fetch_add(1, Ordering::Relaxed) >= MAX_CONNECTIONS {
            server.open.fetch_sub(1, Ordering::Relaxed);
            let error = Error::new(Code::IoOther, format!("{MAX_CONNECTIONS} connections are open already"));
            server.tell_refused(peer, &error)?;
            continue;
        }
        let server = Arc::clone(server);
        let thread = thread::spawn(move || {
            let outcome = server.serve(socket, peer);
            server.open.fetch_sub(1, Ordering::Relaxed);
            outcome
        });
        if count.is_some() {
            threads.push(thread);
        }
    }
    for thread in threads {
        thread.join().map_err(|_| Failure::Other("a connection's thread ended in a panic".to_owned()))??;
    }
    Ok(EXIT_OK)
}

/// The note on a client that closes the connection right after the handshake.
const LEFT_AT_ONCE: &str =
    "it may have refused this side's certificate or its name, as nginx and git do without a word";

/// Returns the code, the message and the hint of an error in one line.
fn told(error: &Error) -> String {
    let hint = error.hint();
    let hint = if hint.is_empty() { String::new() } else { format!(" ({hint})") };
    format!("{}: {}{hint}", error.code().name(), error.message())
}

impl Server {
    fn serve(&self, socket: TcpStream, peer: SocketAddr) -> Result<(), Failure> {
        let mut session = match self.context.accept().and_then(|connection| Session::new(connection, socket)) {
            Ok(session) => session,
            Err(error) => return self.tell_refused(peer, &error),
        };
        if let Err(error) = session.handshake(self.limit) {
            self.tell_refused(peer, &error)?;
            session.abandon();
            return Ok(());
        }
        self.tell_connected(peer, session.connection())?;
        self.tell_uses()?;
        let outcome = session.answer(self.is_echo);
        self.tell_closed(peer, &outcome)
    }

    fn tell_connected(&self, peer: SocketAddr, connection: &Connection) -> Result<(), Failure> {
        if self.is_json {
            return self.tell_json("connected", peer, "connection", connection_json(connection));
        }
        let who = match connection.peer_facts() {
            None => psk_identity(connection)
                .map_or_else(|| "no client certificate".to_owned(), |identity| format!("PSK identity \"{identity}\"")),
            Some(Ok(facts)) => format!("client \"{}\", issuer \"{}\"", facts.subject, facts.issuer),
            Some(Err(_)) => "unreadable client certificate".to_owned(),
        };
        print(format_args!("connected {peer}: {}; {who}", agreement_line(connection)))
    }

    /// Reports how many clients have used what, if a client of the second engine has come since the last report.
    fn tell_uses(&self) -> Result<(), Failure> {
        let mut told = self.told_uses.lock().unwrap_or_else(PoisonError::into_inner);
        let uses: Vec<_> = self.context.legacy_uses().into_iter().filter(|(_, count)| *count > 0).collect();
        if *told == uses {
            return Ok(());
        }
        told.clone_from(&uses);
        if self.is_json {
            let counts: Map<String, Value> =
                uses.into_iter().map(|(name, count)| (name.to_owned(), json!(count))).collect();
            return print_json(&json!({ "event": "legacy_uses", "counts": counts }));
        }
        let counts: Vec<String> = uses.into_iter().map(|(name, count)| format!("{name} {count}")).collect();
        print(format_args!("clients of the second engine so far: {}", counts.join(", ")))
    }

    fn tell_refused(&self, peer: SocketAddr, error: &Error) -> Result<(), Failure> {
        if self.is_json {
            return self.tell_json("refused", peer, "error", error_json(error));
        }
        print(format_args!("refused {peer}: {}", told(error)))
    }

    fn tell_closed(&self, peer: SocketAddr, outcome: &Result<u64, Error>) -> Result<(), Failure> {
        match (outcome, self.is_json) {
            (Ok(received), true) => self.tell_json("closed", peer, "received_bytes", json!(received)),
            (Ok(0), false) => print(format_args!("closed {peer}: {LEFT_AT_ONCE}: 0 bytes received")),
            (Ok(received), false) => print(format_args!("closed {peer}: {received} bytes received")),
            (Err(error), true) => self.tell_json("failed", peer, "error", error_json(error)),
            (Err(error), false) => print(format_args!("failed {peer}: {}", told(error))),
        }
    }

    fn tell_json(&self, event: &str, peer: SocketAddr, key: &str, value: Value) -> Result<(), Failure> {
        print_json(&json!({ "event": event, "peer": peer.to_string(), key: value }))
    }
}
