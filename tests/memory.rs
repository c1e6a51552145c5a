//! Memory of an idle connection and of a list of revoked certificates. The count of allocated bytes is the same on
//! every machine and run.
//!
//! Alone in its binary, because the count is taken by the global allocator.

#![allow(clippy::unwrap_used)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use brokertls::revocation::{Crl, Mode, Reason};
use brokertls::{
    ClientAuth, Connection, Context, ContextBuilder, CrlSource, IdentitySource, MAX_RECORD_BYTES, Next, Source, Stream,
    TrustSource,
};

/// The mark for one idle connection, bytes.
const MOST_IDLE_BYTES: i64 = 4096;

/// The mark for what a connection costs more where its peer may turn out to be revoked, bytes.
const MOST_WATCHED_BYTES: i64 = 256;

/// The mark for a list, bytes for each entry: 32 MiB for a million.
const MOST_ENTRY_BYTES: f64 = 33.5;

/// Counts the bytes that this thread holds, and the most that it held.
struct Counting;

thread_local! {
    static HELD: Cell<i64> = const { Cell::new(0) };
    static MOST_HELD: Cell<i64> = const { Cell::new(0) };
}

fn count(bytes: i64) {
    // At the end of the thread itself its counter is gone.
    let _ = HELD.try_with(|held| {
        held.set(held.get() + bytes);
        let _ = MOST_HELD.try_with(|most| most.set(most.get().max(held.get())));
    });
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

/// The value of `call`, and the number of bytes that it left allocated.
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

/// A server, which checks its clients by this list, and a client.
fn contexts(versions: &str, client_auth: ClientAuth, list: Option<&[u8]>) -> (Context, Context) {
    let issued = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let pem = format!("{}{}", issued.cert.pem(), issued.signing_key.serialize_pem());
    let source = Source::memory("localhost.pem", pem.as_bytes());
    let build = |client_auth| {
        let mut builder = ContextBuilder::new();
        builder.identity(IdentitySource::new(source.clone())).trust(TrustSource::store(source.clone()));
        builder.versions(versions).client_auth(client_auth);
        if let Some(list) = list.filter(|_| client_auth != ClientAuth::None) {
            builder.crl(CrlSource::Source(Source::memory("ca.crl", list))).revocation(Mode::Prefer);
        }
        // A client's remembered sessions belong to its context, not to a connection.
        builder.resumption(client_auth != ClientAuth::None || versions == "TLSv1.2").build().unwrap()
    };
    (build(client_auth), build(ClientAuth::None))
}

fn idle_connection_stays_below_the_mark(versions: &str, client_auth: ClientAuth) {
    let (server_context, client_context) = contexts(versions, client_auth, None);
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

/// The DER of a list that revokes these serial numbers.
fn list(serials: &[[u8; 16]]) -> Vec<u8> {
    let revoked = |serial: &[u8; 16]| rcgen::RevokedCertParams {
        serial_number: rcgen::SerialNumber::from_slice(serial),
        revocation_time: rcgen::date_time_ymd(2025, 1, 2),
        reason_code: Some(rcgen::RevocationReason::KeyCompromise),
        invalidity_date: None,
    };
    let params = rcgen::CertificateRevocationListParams {
        this_update: rcgen::date_time_ymd(2025, 1, 2),
        next_update: rcgen::date_time_ymd(2045, 1, 2),
        crl_number: rcgen::SerialNumber::from_slice(&[1]),
        issuing_distribution_point: None,
        revoked_certs: serials.iter().map(revoked).collect(),
        key_identifier_method: rcgen::KeyIdMethod::Sha256,
    };
    let mut ca = rcgen::CertificateParams::default();
    ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.signed_by(&rcgen::Issuer::new(ca, rcgen::KeyPair::generate().unwrap())).unwrap().der().to_vec()
}

#[test]
fn list_of_a_hundred_thousand_finds_every_serial_and_keeps_and_takes_little() {
    // Random enough, the same in every run, positive and of full length.
    let number = |at: u128| (at + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835) & !(1 << 127) | 1 << 126;
    let serials: Vec<[u8; 16]> = (0..100_000).map(|at| number(at).to_be_bytes()).collect();
    let der = list(&serials);
    MOST_HELD.set(HELD.get());
    let before = HELD.get();
    let (crl, held) = held_by(|| Crl::from_der(&der, "list").unwrap());
    let [kept, most] = [held, MOST_HELD.get() - before].map(|bytes| bytes as f64 / serials.len() as f64);
    println!("an entry of {} bytes: kept {kept:.1}, at most {most:.1}", der.len() / serials.len());
    assert!(kept <= MOST_ENTRY_BYTES && most <= MOST_ENTRY_BYTES, "kept {kept}, at most {most}");
    for serial in &serials {
        assert_eq!(crl.find(serial).map(|(reason, _)| reason), Some(Reason::KeyCompromise));
        let mut neighbour = *serial;
        neighbour[15] ^= 1;
        assert_eq!(crl.find(&neighbour), None);
    }
}

#[test]
fn connection_with_a_peer_that_may_be_revoked_costs_at_most_256_bytes_more() {
    const CONNECTIONS: i64 = 1000;
    let list = list(&[]);
    let held = |list: Option<&[u8]>| {
        let (server_context, client_context) = contexts("TLSv1.3", ClientAuth::Need, list);
        connect(&server_context, &client_context);
        let servers: Vec<Side> = (0..CONNECTIONS).map(|_| connect(&server_context, &client_context).0).collect();
        servers.iter().map(|server| server.held).sum::<i64>() / CONNECTIONS
    };
    let more = held(Some(&list)) - held(None);
    println!("a connection with a peer that may be revoked costs {more} bytes more");
    assert!(more > 0 && more <= MOST_WATCHED_BYTES, "{more} bytes");
}
