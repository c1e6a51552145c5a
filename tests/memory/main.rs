//! Memory of an idle connection, of a list of revoked certificates, and of a file of pre-shared keys.
//!
//! Alone in its binary. A connection is counted by the C library (`mallinfo2`), because the cipher's keys are C's:
//! every byte of the process counts, the headers and the rounding of the allocator too. A list, and the most that its
//! reading takes, are counted by Rust's global allocator.

#![allow(clippy::unwrap_used)]

mod c;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Sender, channel};
use std::sync::{LazyLock, Mutex};
use std::thread;

use brokertls::revocation::{Crl, Mode, Reason};
use brokertls::{
    ClientAuth, Context, ContextBuilder, CrlSource, IdentitySource, MAX_RECORD_BYTES, Next, PskFormat, PskSummary,
    Source, Stream, TrustSource,
};
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};

/// The mark for one idle connection of a server, bytes.
const MOST_OF_TLS13_BYTES: i64 = 2700;
const MOST_OF_TLS12_BYTES: i64 = 2350;

/// The mark for what it takes more with a client's own certificate and that of an issuer, bytes.
const MOST_OF_CERTIFICATE_BYTES: i64 = 500;

/// The same if the facts of the client alone are kept.
const MOST_OF_FACTS_BYTES: i64 = 300;

/// The mark for a connection of a server that is asleep, bytes.
const MOST_ASLEEP_BYTES: i64 = 1500;

/// The mark for what it takes more again if the client may turn out to be revoked, bytes.
const MOST_WATCHED_BYTES: i64 = 450;

/// The mark for one idle connection of a client, which keeps its server's certificates, bytes.
const MOST_OF_CLIENT_BYTES: i64 = 5750;

/// The mark for what else grows with each connection, bytes: the lists of the counted connections.
const MOST_OF_OTHERS_BYTES: i64 = 40;

/// The mark for a list, bytes for each entry: 32 MiB for a million.
const MOST_ENTRY_BYTES: f64 = 33.5;

/// The mark for the reading of a file of pre-shared keys beside its text, bytes for each key: 72 MB for a million.
const MOST_KEY_BYTES: f64 = 72.0;

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

/// Runs the work of all tests on one thread, one after the other. The C library counts for the whole process, and keeps
/// freed pieces for the thread that freed them.
fn on_one_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    type Work = Box<dyn FnOnce() + Send>;
    static WORKER: LazyLock<Mutex<Sender<Work>>> = LazyLock::new(|| {
        let (sender, works) = channel::<Work>();
        thread::spawn(move || works.into_iter().for_each(|work| work()));
        Mutex::new(sender)
    });
    let (sender, result) = channel();
    let work = move || sender.send(catch_unwind(AssertUnwindSafe(work))).unwrap();
    WORKER.lock().unwrap().send(Box::new(work)).unwrap();
    result.recv().unwrap().unwrap_or_else(|panic| resume_unwind(panic))
}

/// The bytes of the process that are in use: of Rust and of C, with the allocator's headers and rounding.
#[allow(unsafe_code)]
fn in_use() -> i64 {
    // SAFETY: the call has no conditions.
    let counts = unsafe { libc::mallinfo2() };
    (counts.uordblks + counts.hblkhd) as i64
}

/// The bytes that a call frees.
fn freed_by(call: impl FnOnce()) -> i64 {
    let before = in_use();
    call();
    before - in_use()
}

/// Moves records from one side to the other until there are none; gives the plaintext bytes that arrived.
fn deliver(from: &mut Stream, to: &mut Stream, mut plain: &[u8]) -> usize {
    let (from, to) = (from.connection_mut().unwrap(), to.connection_mut().unwrap());
    let mut wire = vec![0; MAX_RECORD_BYTES];
    let mut room = vec![0; MAX_RECORD_BYTES];
    let mut arrived = 0;
    loop {
        let sent = from.wrap(plain, &mut wire).unwrap();
        if sent.produced == 0 {
            return arrived;
        }
        plain = &plain[sent.consumed..];
        let mut records = &mut wire[..sent.produced];
        while !records.is_empty() {
            let taken = to.unwrap(records, &mut room).unwrap();
            assert_ne!(taken.consumed, 0);
            records = &mut records[taken.consumed..];
            arrived += taken.produced;
        }
    }
}

/// A server and a client that have been connected and idle since.
type Pair = (Box<Stream>, Box<Stream>);

fn connect(server: &Context, client: &Context) -> Pair {
    let mut server = Box::new(Stream::new(server.accept().unwrap()));
    let mut client = Box::new(Stream::new(client.connect(Some("localhost")).unwrap()));
    while server.connection().is_handshaking() || client.connection().is_handshaking() {
        deliver(&mut client, &mut server, &[]);
        deliver(&mut server, &mut client, &[]);
    }
    deliver(&mut server, &mut client, &[]);
    let block = [7; 16 * 1024];
    assert_eq!(deliver(&mut client, &mut server, &block), block.len());
    assert_eq!(deliver(&mut server, &mut client, &block), block.len());
    assert_eq!(server.connection().next(), Next::Continue);
    (server, client)
}

/// The same side with its keys folded back to secrets.
fn asleep(mut side: Box<Stream>) -> Box<Stream> {
    side.connection_mut().unwrap().sleep();
    side
}

/// Certificates of a root, an issuer below it, and the server and the devices that it has issued for.
struct Pki {
    root: String,
    issuer_pem: String,
    issuer: Issuer<'static, KeyPair>,
    key: KeyPair,
}

impl Pki {
    fn new() -> Self {
        let ca = |name: &str| {
            let mut params = CertificateParams::default();
            params.distinguished_name.push(rcgen::DnType::CommonName, name);
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params
        };
        let [root_key, issuer_key, key] = [(); 3].map(|()| KeyPair::generate().unwrap());
        let root = ca("Example Root").self_signed(&root_key).unwrap().pem();
        let params = ca("Example Device CA");
        let issuer = params.signed_by(&issuer_key, &Issuer::new(ca("Example Root"), root_key)).unwrap();
        Self { root, issuer_pem: issuer.pem(), issuer: Issuer::new(params, issuer_key), key }
    }

    /// The certificate of this name with its issuer and its key.
    fn identity(&self, name: &str, usage: ExtendedKeyUsagePurpose) -> IdentitySource {
        IdentitySource::new(Source::memory("identity.pem", self.pem(name, usage).as_bytes()))
    }

    fn pem(&self, name: &str, usage: ExtendedKeyUsagePurpose) -> String {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.extended_key_usages.push(usage);
        params.use_authority_key_identifier_extension = true;
        let leaf = params.signed_by(&self.key, &self.issuer).unwrap().pem();
        [leaf, self.issuer_pem.clone(), self.key.serialize_pem()].concat()
    }

    fn builder(&self, versions: &str) -> ContextBuilder {
        let mut builder = ContextBuilder::new();
        builder.trust(TrustSource::store(Source::memory("root.pem", self.root.as_bytes())));
        builder.versions(versions);
        builder
    }
}

/// The connections that a test counts.
#[derive(Clone, Copy, Debug)]
struct Kind {
    versions: &'static str,
    /// True if each client has a certificate, which no other client has.
    has_client_certificate: bool,
    /// True if the server has lists, so that a client may turn out to be revoked.
    is_watched: bool,
    is_resumed: bool,
    /// True if connections keep the facts of their peers alone.
    keeps_facts: bool,
    /// True if the keys of both sides are folded back to secrets.
    is_asleep: bool,
}

const TLS13: Kind = Kind {
    versions: "TLSv1.3",
    has_client_certificate: false,
    is_watched: false,
    is_resumed: false,
    keeps_facts: false,
    is_asleep: false,
};
const TLS12: Kind = Kind { versions: "TLSv1.2", ..TLS13 };

/// The bytes that one connection takes on each side, and what else has grown with it.
#[derive(Debug)]
struct Taken {
    server: i64,
    client: i64,
    others: i64,
}

impl Kind {
    const fn with_client_certificate(self) -> Self {
        Self { has_client_certificate: true, ..self }
    }

    const fn watched(self) -> Self {
        Self { is_watched: true, ..self }
    }

    const fn resumed(self) -> Self {
        Self { is_resumed: true, ..self }
    }

    const fn of_facts(self) -> Self {
        Self { keeps_facts: true, ..self }
    }

    const fn asleep(self) -> Self {
        Self { is_asleep: true, ..self }
    }

    /// Counts over so many connections that what others keep is lost in them.
    fn taken(self) -> Taken {
        const CONNECTIONS: usize = 300;
        let pki = Pki::new();
        let (server, clients) = (self.server(&pki), self.clients(&pki, CONNECTIONS + 1));
        let client = |at: usize| &clients[at % clients.len()];
        // Pays for what the thread and the contexts keep once, and gives each client a session. One stays connected.
        let mut first: Vec<Pair> = (0..=CONNECTIONS).map(|at| connect(&server, client(at))).collect();
        first.truncate(1);
        let (mut servers, mut of_clients) = (Vec::with_capacity(CONNECTIONS), Vec::with_capacity(CONNECTIONS));
        let before = in_use();
        for (server, client) in (1..=CONNECTIONS).map(|at| connect(&server, client(at))) {
            assert_eq!(server.connection().is_resumed(), Some(self.is_resumed));
            let has_chain = self.has_client_certificate && !self.keeps_facts;
            assert_eq!(server.connection().peer_chain().len(), if has_chain { 2 } else { 0 });
            assert_eq!(server.connection().peer_facts().is_some(), self.has_client_certificate);
            let [server, client] = [server, client].map(|side| if self.is_asleep { asleep(side) } else { side });
            servers.push(server);
            of_clients.push(client);
        }
        let all = in_use() - before;
        let [client, server] = [of_clients, servers].map(|mut side| freed_by(|| side.clear()) / CONNECTIONS as i64);
        Taken { server, client, others: all / CONNECTIONS as i64 - server - client }
    }

    fn server(self, pki: &Pki) -> Context {
        let mut builder = pki.builder(self.versions);
        builder.identity(pki.identity("localhost", ExtendedKeyUsagePurpose::ServerAuth));
        builder.keep_peer_chain(!self.keeps_facts);
        builder.client_auth(if self.has_client_certificate { ClientAuth::Need } else { ClientAuth::None });
        if self.is_watched {
            let list = CrlSource::Source(Source::memory("ca.crl", &list(&[])));
            builder.crl(list).revocation(Mode::Prefer);
        }
        builder.build().unwrap()
    }

    fn clients(self, pki: &Pki, count: usize) -> Vec<Context> {
        let client = |at: usize| {
            let mut builder = pki.builder(self.versions);
            if self.has_client_certificate {
                builder.identity(pki.identity(&format!("device-{at:06}"), ExtendedKeyUsagePurpose::ClientAuth));
            }
            builder.resumption(self.is_resumed).build().unwrap()
        };
        (0..if self.has_client_certificate { count } else { 1 }).map(client).collect()
    }

    fn assert_at_most(self, server: i64) {
        let taken = on_one_thread(move || self.taken());
        println!("{self:?}: {taken:?}");
        assert!(taken.server <= server, "a server's connection takes {} bytes", taken.server);
        assert!(taken.client <= MOST_OF_CLIENT_BYTES, "a client's connection takes {} bytes", taken.client);
        // A client's sessions belong to its context.
        assert!(self.is_resumed || taken.others <= MOST_OF_OTHERS_BYTES, "{} bytes are left over", taken.others);
    }
}

#[test]
fn idle_connection_of_tls13_takes_no_more_than_its_mark() {
    TLS13.assert_at_most(MOST_OF_TLS13_BYTES);
    TLS13.resumed().assert_at_most(MOST_OF_TLS13_BYTES);
}

#[test]
fn idle_connection_of_tls12_takes_no_more_than_its_mark() {
    TLS12.assert_at_most(MOST_OF_TLS12_BYTES);
    TLS12.resumed().assert_at_most(MOST_OF_TLS12_BYTES);
}

#[test]
fn idle_connection_with_a_certificate_of_the_client_takes_no_more_than_its_mark() {
    for (kind, most) in [(TLS13, MOST_OF_TLS13_BYTES), (TLS12, MOST_OF_TLS12_BYTES)] {
        let kind = kind.with_client_certificate();
        kind.assert_at_most(most + MOST_OF_CERTIFICATE_BYTES);
        kind.resumed().assert_at_most(most + MOST_OF_CERTIFICATE_BYTES);
    }
}

#[test]
fn idle_connection_with_a_client_that_may_be_revoked_takes_no_more_than_its_mark() {
    for (kind, most) in [(TLS13, MOST_OF_TLS13_BYTES), (TLS12, MOST_OF_TLS12_BYTES)] {
        let kind = kind.with_client_certificate().watched();
        kind.assert_at_most(most + MOST_OF_CERTIFICATE_BYTES + MOST_WATCHED_BYTES);
        kind.resumed().assert_at_most(most + MOST_OF_CERTIFICATE_BYTES + MOST_WATCHED_BYTES);
    }
}

#[test]
fn idle_connection_that_keeps_the_facts_of_its_client_alone_takes_no_more_than_its_mark() {
    for (kind, most) in [(TLS13, MOST_OF_TLS13_BYTES), (TLS12, MOST_OF_TLS12_BYTES)] {
        let kind = kind.with_client_certificate().of_facts();
        kind.assert_at_most(most + MOST_OF_FACTS_BYTES);
        kind.resumed().assert_at_most(most + MOST_OF_FACTS_BYTES);
    }
}

#[test]
fn connection_asleep_takes_no_more_than_its_mark() {
    for kind in [TLS13, TLS12].map(Kind::asleep) {
        kind.assert_at_most(MOST_ASLEEP_BYTES);
        kind.resumed().assert_at_most(MOST_ASLEEP_BYTES);
        kind.with_client_certificate().assert_at_most(MOST_ASLEEP_BYTES + MOST_OF_CERTIFICATE_BYTES);
    }
}

#[test]
fn connection_that_wakes_takes_as_much_as_before_and_falls_asleep_again() {
    let sizes = on_one_thread(awake_and_asleep_in_turns);
    println!("awake and asleep in turns: {sizes:?}");
    let a_hundredth = sizes[0] / 100;
    assert!(sizes[1] + 500 * 2 * 800 < sizes[0], "{sizes:?}");
    assert!((sizes[4] - sizes[2]).abs() < a_hundredth && (sizes[5] - sizes[3]).abs() < a_hundredth, "{sizes:?}");
}

/// The bytes in use with 500 connections that are awake, then asleep, three times.
fn awake_and_asleep_in_turns() -> Vec<i64> {
    let pki = Pki::new();
    let (server, clients) = (TLS13.server(&pki), TLS13.clients(&pki, 1));
    let mut pairs: Vec<Pair> = (0..500).map(|_| connect(&server, &clients[0])).collect();
    let mut sizes = Vec::new();
    for _ in 0..3 {
        sizes.push(in_use());
        pairs = pairs.into_iter().map(|(server, client)| (asleep(server), asleep(client))).collect();
        sizes.push(in_use());
        for (server, client) in &mut pairs {
            assert_eq!(deliver(client, server, b"ping"), 4);
            assert_eq!(deliver(server, client, b"pong"), 4);
        }
    }
    sizes
}

#[test]
fn connection_of_a_context_that_asks_falls_asleep_by_itself_and_takes_no_more_than_its_mark() {
    for kind in [TLS13, TLS12] {
        let (awake, sleeping) = on_one_thread(move || fall_asleep(kind));
        println!("{}: {awake} bytes awake, {sleeping} asleep by itself", kind.versions);
        assert!(sleeping <= MOST_ASLEEP_BYTES && sleeping + 1000 < awake, "{awake} bytes, then {sleeping}");
    }
}

/// The bytes of a server's connection of C before and after it has fallen asleep by itself.
fn fall_asleep(kind: Kind) -> (i64, i64) {
    const CONNECTIONS: i64 = 300;
    let pki = Pki::new();
    let folder = std::env::temp_dir().join(format!("brokertls-asleep-{}-{}", kind.versions, std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = |name: &str, pem: &str| {
        let path = folder.join(name);
        std::fs::write(&path, pem).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let cert = file("server.pem", &pki.pem("localhost", ExtendedKeyUsagePurpose::ServerAuth));
    let trust = file("root.pem", &pki.root);
    let server = c::Context::new(&[("cert", &cert), ("versions", kind.versions), ("sleep-after-s", "1")]);
    let client = c::Context::new(&[("trust", &trust), ("versions", kind.versions), ("resumption", "no")]);
    std::fs::remove_dir_all(&folder).unwrap();
    let connect = || {
        let (server, client) = (server.accept(), client.connect());
        (0..3).for_each(|_| assert!([client.pass(&server, b""), server.pass(&client, b"")].concat().is_empty()));
        assert_eq!([client.pass(&server, b"ping"), server.pass(&client, b"pong")].concat(), b"pingpong");
        (server, client)
    };
    let _stays = connect();
    let (mut servers, clients): (Vec<_>, Vec<_>) = (0..CONNECTIONS).map(|_| connect()).unzip();
    let before = in_use();
    // Clients do not sleep. The first look has found that records had moved.
    let mut looks = 0;
    while in_use() > before - CONNECTIONS * 1000 {
        assert!(looks < 1200, "nothing sleeps: {} bytes", before - in_use());
        assert_eq!(server.maintain(), 1000);
        thread::sleep(std::time::Duration::from_millis(50));
        looks += 1;
    }
    let folded = (before - in_use()) / CONNECTIONS;
    for (server, client) in servers.iter().zip(&clients).take(10) {
        assert_eq!(client.pass(server, b"wake"), b"wake");
        assert_eq!(server.pass(client, b"awake"), b"awake");
    }
    servers.drain(..10);
    let sleeping = freed_by(|| servers.clear()) / (CONNECTIONS - 10);
    (sleeping + folded, sleeping)
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
    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.signed_by(&Issuer::new(ca, KeyPair::generate().unwrap())).unwrap().der().to_vec()
}

#[test]
fn list_of_a_hundred_thousand_finds_every_serial_and_keeps_and_takes_little() {
    on_one_thread(count_a_list);
}

fn count_a_list() {
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
fn file_of_a_hundred_thousand_pre_shared_keys_takes_little_beside_its_text() {
    on_one_thread(|| {
        const KEYS: u32 = 100_000;
        let mut text = Vec::new();
        for number in 0..KEYS {
            text.extend_from_slice(format!("client{number:03}:{number:064x}\n").as_bytes());
        }
        text.shrink_to_fit();
        MOST_HELD.set(HELD.get());
        let before = HELD.get();
        let summary = PskSummary::read(text.into(), "init.psk", PskFormat::Hex, None).unwrap();
        assert_eq!((summary.count, summary.secret_bytes), (KEYS as usize, vec![(32, KEYS as usize)]));
        let most = (MOST_HELD.get() - before) as f64 / f64::from(KEYS);
        println!("a key: at most {most:.1} bytes beside its line");
        assert!(most <= MOST_KEY_BYTES, "at most {most}");
    });
}
