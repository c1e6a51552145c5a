//! Two thousand handshakes while a responder hangs: known peers are accepted at once, and unknown ones wait until the
//! deadline.
//!
//! The benchmark compares the time of the known ones with handshakes without revocation.

use std::thread;
use std::time::{Duration, Instant};

use brokertls::{ClientAuth, Code, Context, IdentitySource, Source};

use crate::revocation::matrix::{Folder, SERIAL};
use crate::rig::pair::{Authority, Pair, context};
use crate::rig::web::{Play, Web, eventually};

const KNOWN: usize = 1900;
const UNKNOWN: usize = 100;
/// So many threads have handshakes with unknown peers: more than there are fetches at a time.
const WAITING: usize = 20;
const DEADLINE_MS: u32 = 500;

/// A client of this serial number.
fn device(authority: &Authority, serial: &[u8]) -> (String, Context) {
    let pem = authority.issue(&["device"], |params| {
        params.serial_number = Some(rcgen::SerialNumber::from_slice(serial));
    });
    let identity = IdentitySource::new(Source::memory("device.pem", pem.as_bytes()));
    (pem, context(|builder| builder.trust(authority.trust()).identity(identity).resumption(false)))
}

/// A handshake with a client that the responder is asked about in vain.
fn fail_at_the_deadline(server: &Context, client: &Context) {
    let started = Instant::now();
    let ended = Pair::new(server, client, "broker").run();
    let waited = started.elapsed();
    assert_eq!(ended.server.map_err(|error| error.code()), Err(Code::RevocationUnreachable));
    assert_eq!(ended.client.map_err(|error| error.code()), Err(Code::AlertCertificateUnknown));
    assert!(waited >= Duration::from_millis(DEADLINE_MS.into()), "gave up after {waited:?}");
}

#[test]
fn known_peers_come_in_while_a_responder_hangs_and_unknown_ones_fail_at_the_deadline() {
    let authority = Authority::new("ca");
    let (pem, known) = device(&authority, SERIAL);
    let web = Web::playing(Play::Content(Folder::new("hanging", &authority, &pem).response("good")));
    let server = context(|builder| {
        let builder = builder.identity(authority.identity(&["broker"])).trust(authority.trust());
        let builder = builder.client_auth(ClientAuth::Need).resumption(false);
        builder.fetch(true).ocsp_responder(&web.url("/ocsp")).revocation_deadline_ms(DEADLINE_MS)
    });
    Pair::connect(&server, &known, "broker");
    assert_eq!(web.asked().len(), 1);
    web.play("*", Play::Hang(Vec::new()));

    let unknown: Vec<Context> =
        (0..UNKNOWN as u32).map(|number| device(&authority, &(number + 1).to_be_bytes()).1).collect();
    thread::scope(|scope| {
        for clients in unknown.chunks(UNKNOWN / WAITING) {
            scope.spawn(|| clients.iter().for_each(|client| fail_at_the_deadline(&server, client)));
        }
        eventually("the responder hangs", || web.open() > 0);
        for _ in 0..KNOWN {
            Pair::connect(&server, &known, "broker");
        }
    });
    let source = server.revocation_sources().remove(0);
    // The known one was not asked about again, and each of the others was asked about once at most by each way.
    assert_eq!((source.entries, source.failures), (1, UNKNOWN as u64));
    assert!(web.asked().len() <= 1 + 2 * UNKNOWN, "{}", web.asked().len());
}
