//! Time of handshakes with known peers while a responder hangs, beside handshakes without revocation.
//!
//! Measured by the clock, as a peer sees it, and by the processor's time of the thread. On a machine that does other
//! work too, that work interrupts the slowest handshakes by the clock.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use brokertls::{
    ClientAuth, Code, Connection, Context, ContextBuilder, IdentitySource, MAX_RECORD_BYTES, Next, Source, TrustSource,
};
use brokertls_bench::median;
use brokertls_bench::pki::Pki;
use brokertls_bench_side::peer::{self, Offer, Peer};

use crate::clock::Spent;
use crate::responder::Responder;
use crate::row;

/// Handshakes of each kind in a round; those with unknown peers continue beside them.
const HANDSHAKES: usize = 2000;
const ROUNDS: usize = 15;
const WAITING_THREADS: u32 = 32;
const DEADLINE_MS: u32 = 4000;

pub fn measure(pki: &Pki, offer: Offer) {
    let responder = Responder::new(pki);
    let without = context(pki, |builder| builder);
    let with = context(pki, |builder| {
        let builder = builder.fetch(true).ocsp_responder(&responder.url());
        builder.revocation_deadline_ms(DEADLINE_MS)
    });
    let known = Peer::with_certificate(&pki.identity(), offer);
    handshake(&with, &known).expect("the responder knows it");
    responder.hang();
    let (is_over, failed) = (AtomicBool::new(false), AtomicU32::new(0));
    let mut percentiles = [const { Vec::new() }; 8];
    thread::scope(|scope| {
        for number in 0..WAITING_THREADS {
            let (with, is_over, failed) = (&with, &is_over, &failed);
            scope.spawn(move || {
                // One after the other, so that they do not give up, and begin again, all at once.
                thread::sleep(Duration::from_millis((DEADLINE_MS / WAITING_THREADS * number).into()));
                for turn in (1..).take_while(|_| !is_over.load(Ordering::Relaxed)) {
                    let unknown = pki.with_serial(number << 16 | turn << 2 | 3);
                    let error = handshake(with, &Peer::with_certificate(&unknown.identity(), offer))
                        .expect_err("it is not known");
                    assert_eq!(error.code(), Code::RevocationUnreachable, "{error}");
                    failed.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        // Until every thread waits.
        thread::sleep(Duration::from_millis(DEADLINE_MS.into()));
        for _ in 0..ROUNDS {
            let times = round(&[&with, &without], &known);
            let figures = times.iter().flat_map(|times| [(times, 50), (times, 99)]);
            let all = percentiles.iter_mut().zip(figures);
            all.for_each(|(all, (times, percent))| all.push(times[times.len() * percent / 100].as_secs_f64()));
        }
        is_over.store(true, Ordering::Relaxed);
    });
    let us = |seconds: f64| format!("{:.0} us", seconds * 1e6);
    let medians = percentiles.map(median);
    let (with, without) = medians.split_at(4);
    row("", &["median", "p99", "CPU median", "CPU p99"].map(str::to_owned));
    row("full handshake, known by OCSP, the responder hangs", &with.iter().copied().map(us).collect::<Vec<_>>());
    row("full handshake without revocation", &without.iter().copied().map(us).collect::<Vec<_>>());
    let ratios = with.iter().zip(without).map(|(with, without)| format!("{:.3}", with / without));
    row("×", &ratios.collect::<Vec<_>>());
    let failed = failed.into_inner();
    println!("meanwhile {failed} handshakes with unknown peers failed at their deadline of {DEADLINE_MS} ms");
}

fn context(pki: &Pki, set: impl FnOnce(&mut ContextBuilder) -> &mut ContextBuilder) -> Context {
    let certificate = pki.certificate.to_pem().unwrap();
    let key = pki.key.private_key_to_pem_pkcs8().unwrap();
    let mut builder = ContextBuilder::new();
    builder.identity(IdentitySource::new(Source::memory("bench", &[certificate, key].concat())));
    builder.trust(TrustSource::store(Source::memory("CA", &pki.ca.to_pem().unwrap())));
    builder.client_auth(ClientAuth::Need).versions("TLSv1.3");
    set(&mut builder).build().unwrap()
}

/// The times of handshakes with each of two contexts, in turns: of each by the clock and by the processor, sorted.
fn round(contexts: &[&Context; 2], peer: &Peer) -> [Vec<Duration>; 4] {
    let mut times = [const { Vec::new() }; 4];
    for turn in 0..2 * HANDSHAKES {
        // Either goes first as often.
        let which = (turn + turn / 2) % 2;
        let spent = handshake(contexts[which], peer).expect("it is known");
        times[2 * which].push(spent.clock);
        times[2 * which + 1].push(spent.processor);
    }
    times.iter_mut().for_each(|times| times.sort_unstable());
    times
}

/// The time that the server's calls of one handshake take together.
fn handshake(context: &Context, peer: &Peer) -> brokertls::Result<Spent> {
    let mut client = peer.connect();
    let (mut to_server, mut to_client) = (Vec::new(), Vec::new());
    let mut record = vec![0; MAX_RECORD_BYTES];
    let mut spent = Spent::default();
    let mut server = spent.during(|| context.accept())?;
    loop {
        peer::send(&mut client, &mut to_server);
        spent.during(|| take_flight(&mut server, &mut to_server, &mut record, &mut to_client))?;
        to_server.clear();
        if !server.is_handshaking() {
            return Ok(spent);
        }
        peer::receive(&mut client, &mut to_client);
    }
}

/// Gives the server all of `input` and collects what it answers.
fn take_flight(
    server: &mut Connection,
    input: &mut [u8],
    record: &mut [u8],
    output: &mut Vec<u8>,
) -> brokertls::Result<()> {
    let mut used = 0;
    while used < input.len() {
        let taken = server.unwrap(&mut input[used..], &mut [])?;
        used += taken.consumed;
        if taken.next == Next::NeedTask {
            server.run_task();
        }
    }
    while let produced @ 1.. = server.wrap(&[], record)?.produced {
        output.extend_from_slice(&record[..produced]);
    }
    Ok(())
}
