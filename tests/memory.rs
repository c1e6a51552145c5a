//! What an idle connection keeps: a count of allocated bytes, so it is the same on every machine and run.
//!
//! Alone in its binary, because the count is taken by the global allocator.

#![allow(clippy::unwrap_used)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use brokertls::{
    ClientAuth, Connection, Context, ContextBuilder, IdentitySource, MAX_RECORD_BYTES, Next, Source, Stream,
    TrustSource,
};

/// The mark for one idle connection, bytes.
const MOST_IDLE_BYTES: i64 = 4096;

/// Counts the bytes that this thread holds.
struct Counting;

thread_local! {
    static HELD: Cell<i64> = const { Cell::new(0) };
}

fn count(bytes: i64) {
    // During the thread's own end there is nobody left to count for.
    let _ = HELD.try_with(|held| held.set(held.get() + bytes));
}

#[allow(unsafe_code)]
// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as i64);
        // SAFETY: the caller keeps alloc's contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as i64));
        // SAFETY: the caller keeps dealloc's contract.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What `call` returns, and the bytes that are held more after it than before.
fn held_by<T>(call: impl FnOnce() -> T) -> (T, i64) {
    let before = HELD.get();
    let value = call();
    (value, HELD.get() - before)
}

/// One side of a connection and the bytes it has come to hold, its own box included.
struct Side {
    stream: Box<Stream>,
    held: i64,
}

impl Side {
    fn new(make: impl FnOnce() -> Connection) -> Self {
        let (stream, held) = held_by(|| Box::new(Stream::new(make())));
        Self { stream, held }
    }

    fn run<T>(&mut self, call: impl FnOnce(&mut Connection) -> T) -> T {
        let (value, held) = held_by(|| call(self.stream.connection_mut().unwrap()));
        self.held += held;
        value
    }
}

/// Moves records from one side to the other until there are none; gives the plaintext bytes that arrived.
fn deliver(from: &mut Side, to: &mut Side, mut plain: &[u8]) -> usize {
    let mut wire = vec![0; MAX_RECORD_BYTES];
    let mut room = vec![0; MAX_RECORD_BYTES];
    let mut arrived = 0;
    loop {
        let sent = from.run(|connection| connection.wrap(plain, &mut wire)).unwrap();
        if sent.produced == 0 {
            return arrived;
        }
        plain = &plain[sent.consumed..];
        let mut records = &mut wire[..sent.produced];
        while !records.is_empty() {
            let taken = to.run(|connection| connection.unwrap(records, &mut room)).unwrap();
            assert_ne!(taken.consumed, 0);
            records = &mut records[taken.consumed..];
            arrived += taken.produced;
        }
    }
}

fn connect(server: &Context, client: &Context) -> (Side, Side) {
    let mut server = Side::new(|| server.accept().unwrap());
    let mut client = Side::new(|| client.connect(Some("localhost")).unwrap());
    while server.stream.connection().is_handshaking() || client.stream.connection().is_handshaking() {
        deliver(&mut client, &mut server, &[]);
        deliver(&mut server, &mut client, &[]);
    }
    deliver(&mut server, &mut client, &[]);
    (server, client)
}

fn contexts(versions: &str, client_auth: ClientAuth) -> (Context, Context) {
    let issued = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let pem = format!("{}{}", issued.cert.pem(), issued.signing_key.serialize_pem());
    let source = Source::memory("localhost.pem", pem.as_bytes());
    let build = |client_auth| {
        let mut builder = ContextBuilder::new();
        builder.identity(IdentitySource::new(source.clone())).trust(TrustSource::store(source.clone()));
        builder.versions(versions).client_auth(client_auth);
        // A client's remembered sessions belong to its context, not to a connection.
        builder.resumption(client_auth != ClientAuth::None || versions == "TLSv1.2").build().unwrap()
    };
    (build(client_auth), build(ClientAuth::None))
}

fn idle_connection_stays_below_the_mark(versions: &str, client_auth: ClientAuth) {
    let (server_context, client_context) = contexts(versions, client_auth);
    // The first connection pays for what the thread and the context keep once.
    connect(&server_context, &client_context);
    let (mut server, mut client) = connect(&server_context, &client_context);
    let block = vec![7; 16 * 1024];
    for _ in 0..4 {
        assert_eq!(deliver(&mut client, &mut server, &block), block.len());
        assert_eq!(deliver(&mut server, &mut client, &block), block.len());
    }
    assert_eq!(server.stream.connection().next(), Next::Continue);
    println!("{versions} {client_auth:?}: server {} bytes, client {} bytes", server.held, client.held);
    assert!(server.held <= MOST_IDLE_BYTES, "server keeps {} bytes", server.held);
    assert!(client.held <= MOST_IDLE_BYTES, "client keeps {} bytes", client.held);
}

#[test]
fn idle_tls13_connection_keeps_at_most_4_kib() {
    idle_connection_stays_below_the_mark("TLSv1.3", ClientAuth::None);
}

#[test]
fn idle_tls13_connection_with_client_certificate_keeps_at_most_4_kib() {
    idle_connection_stays_below_the_mark("TLSv1.3", ClientAuth::Need);
}

#[test]
fn idle_tls12_connection_keeps_at_most_4_kib() {
    idle_connection_stays_below_the_mark("TLSv1.2", ClientAuth::None);
}

#[test]
fn idle_tls12_connection_with_client_certificate_keeps_at_most_4_kib() {
    idle_connection_stays_below_the_mark("TLSv1.2", ClientAuth::Need);
}
