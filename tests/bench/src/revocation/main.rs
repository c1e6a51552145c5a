//! A list of a million revoked certificates: its cost to load, to keep, to ask, and in a handshake, beside OpenSSL with
//! the same list, in one run. Then handshakes with known peers while a responder hangs.
//!
//! The list is made here, its serial numbers random and in no order, and signed with a key that is made here too. A
//! figure is the median of its rounds, which the sides take in turns. `make bench` runs it; an argument is the number
//! of entries.

mod clock;
mod hanging;
mod list;
mod memory;
mod responder;

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Instant;

use aws_lc_rs::digest;
use brokertls::revocation::{Crl, Crls};
use brokertls_bench::capi::Brokertls;
use brokertls_bench::openssl3::OpenSsl;
use brokertls_bench::pki::Pki;
use brokertls_bench::{ListSide, median};
use brokertls_bench_side::cases::{Handshakes, Run, Version};
use brokertls_bench_side::identity::{Identity, KeyKind};
use brokertls_bench_side::peer::{Offer, Peer};
use brokertls_bench_side::server::Side;
use openssl::asn1::Asn1Integer;
use openssl::bn::BigNum;
use openssl::x509::{CrlStatus, X509Crl};
use rustls::crypto::aws_lc_rs::{cipher_suite, kx_group};
use x509_parser::prelude::{CertificateRevocationList, FromDer};

use clock::Spent;
use list::{List, Serial};
use memory::{held_by, malloc_by};

#[global_allocator]
static ALLOCATOR: memory::Counting = memory::Counting;

const ENTRIES: usize = 1_000_000;
/// Odd, so that the median is one of them.
const LOADS: usize = 7;
const LOOK_UPS: usize = 200_000;
const HANDSHAKE_ROUNDS: usize = 11;
const HANDSHAKES_A_ROUND: usize = 150;
/// OpenSSL hashes the whole list in each handshake.
const SLOW_HANDSHAKES_A_ROUND: usize = 4;

fn main() {
    let entries = std::env::args().nth(1).map_or(ENTRIES, |count| count.parse().expect("a number of entries"));
    let pki = Pki::new(KeyKind::EcdsaP256);
    let list = List::new(&pki.ca, &pki.ca_key, entries);
    println!(
        "a list of {entries} entries, {:.1} MB: brokertls {}, OpenSSL {}",
        list.der.len() as f64 / 1e6,
        Brokertls.version(),
        OpenSsl.version(),
    );
    let pem = pem(&list.der);
    load(&pki, &list.der, &pem);
    keep(&list.der, &pem);
    look_up(&list);
    let offer =
        Offer { group: kx_group::X25519, suite: cipher_suite::TLS13_AES_128_GCM_SHA256, version: Version::Tls13 };
    handshakes(&pki.identity(), &ListFile::new(&pem), offer);
    hanging::measure(&pki, offer);
}

fn row(name: &str, figures: &[String]) {
    println!("{name:<58}{}", figures.iter().map(|figure| format!("{figure:>14}")).collect::<String>());
}

fn ms(seconds: f64) -> String {
    format!("{:.1} ms", seconds * 1e3)
}

fn mib(bytes: usize) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

/// Seconds that a call takes; what it returns is dropped outside.
fn timed<T>(call: impl FnOnce() -> T) -> f64 {
    let start = Instant::now();
    let value = black_box(call());
    let spent = start.elapsed();
    drop(value);
    spent.as_secs_f64()
}

/// Seconds of the processor that a call takes.
fn busy(call: impl FnOnce()) -> f64 {
    let mut spent = Spent::default();
    spent.during(call);
    spent.processor.as_secs_f64()
}

/// The time from a file's bytes to a list that answers, beside that of hashing and parsing them.
fn load(pki: &Pki, der: &[u8], pem: &str) {
    let key = pki.ca.public_key().unwrap();
    let spki = key.public_key_to_der().unwrap();
    let serial = integer(&list::random_serials(1)[0]);
    let [mut hash, mut parse, mut ours, mut ours_pem, mut d2i, mut theirs] = [const { Vec::new() }; 6];
    for _ in 0..LOADS {
        hash.push(timed(|| digest::digest(&digest::SHA256, der)));
        parse.push(timed(|| CertificateRevocationList::from_der(der).unwrap()));
        ours.push(timed(|| {
            let crl = Crl::from_der(der, "bench").unwrap();
            assert!(crl.is_by(&spki));
            crl
        }));
        ours_pem.push(timed(|| lists(pem)));
        d2i.push(timed(|| X509Crl::from_der(der).unwrap()));
        // The first question sorts.
        theirs.push(timed(|| {
            let crl = X509Crl::from_der(der).unwrap();
            assert!(crl.verify(&key).unwrap());
            assert!(matches!(crl.get_by_serial(&serial), CrlStatus::NotRevoked));
            crl
        }));
    }
    let [hash, parse, ours, ours_pem, d2i, theirs] = [hash, parse, ours, ours_pem, d2i, theirs].map(median);
    row("", &["time".to_owned(), "brokertls ×".to_owned()]);
    let rows = [
        ("load: read, signature checked, ready to be asked; brokertls", ours),
        ("the same from PEM, before the signature", ours_pem),
        ("SHA-256 of the file, aws-lc", hash),
        ("parse, x509-parser", parse),
        ("parse, d2i_X509_CRL", d2i),
        ("hash and parse, x509-parser", hash + parse),
        ("hash and parse, d2i_X509_CRL", hash + d2i),
        ("load: d2i_X509_CRL, X509_CRL_verify, sorted; OpenSSL", theirs),
    ];
    for (name, seconds) in rows {
        row(name, &[ms(seconds), format!("{:.2}", ours / seconds)]);
    }
}

/// The bytes that a loaded list keeps, and that loading takes beside the file.
fn keep(der: &[u8], pem: &str) {
    let (ours, held) = held_by(|| Crl::from_der(der, "bench").unwrap());
    let (theirs, malloc) = malloc_by(|| X509Crl::from_der(der).unwrap());
    drop((ours, theirs));
    let (_, held_pem) = held_by(|| lists(pem));
    row("", &["brokertls", "OpenSSL", "×"].map(str::to_owned));
    row("kept", &[mib(held.kept), mib(malloc), format!("{:.2}", held.kept as f64 / malloc as f64)]);
    row("most while loading, beside the file", &[mib(held.peak)]);
    row("most while loading, beside a file that is PEM", &[mib(held_pem.peak)]);
}

fn lists(pem: &str) -> Crls {
    let mut lists = Crls::default();
    lists.add(pem.as_bytes(), "bench").unwrap();
    lists
}

fn integer(serial: &Serial) -> Asn1Integer {
    BigNum::from_slice(serial).unwrap().to_asn1_integer().unwrap()
}

/// By the processor's time: a look-up waits for nothing.
fn look_up(list: &List) {
    let ours = Crl::from_der(&list.der, "bench").unwrap();
    let theirs = X509Crl::from_der(&list.der).unwrap();
    // A step that shares no factor with the count visits all of them, far from one another.
    let present: Vec<Serial> =
        (0..LOOK_UPS).map(|at| list.serials[at.wrapping_mul(7_368_787) % list.serials.len()]).collect();
    for (name, serials, is_revoked) in
        [("look-up, revoked", present, true), ("look-up, not revoked", list::random_serials(LOOK_UPS), false)]
    {
        let integers: Vec<_> = serials.iter().map(integer).collect();
        let (mut our_times, mut their_times) = (Vec::new(), Vec::new());
        for _ in 0..LOADS {
            our_times.push(busy(|| assert!(serials.iter().all(|serial| ours.find(serial).is_some() == is_revoked))));
            their_times.push(busy(|| {
                let found = |serial| matches!(theirs.get_by_serial(serial), CrlStatus::Revoked(_));
                assert!(integers.iter().all(|serial| found(serial) == is_revoked));
            }));
        }
        let [our, their] = [our_times, their_times].map(|times| median(times) / LOOK_UPS as f64 * 1e9);
        row(name, &[format!("{our:.0} ns"), format!("{their:.0} ns"), format!("{:.2}", our / their)]);
    }
}

fn pem(der: &[u8]) -> String {
    let body = openssl::base64::encode_block(der);
    let lines = body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap());
    let mut text = String::with_capacity(body.len() / 64 * 65 + 100);
    for line in ["-----BEGIN X509 CRL-----"].into_iter().chain(lines).chain(["-----END X509 CRL-----"]) {
        text.push_str(line);
        text.push('\n');
    }
    text
}

/// A file for as long as this lives.
struct ListFile(PathBuf);

impl ListFile {
    fn new(pem: &str) -> Self {
        let path = std::env::temp_dir().join(format!("brokertls-bench-{}.pem", std::process::id()));
        fs::write(&path, pem).unwrap();
        Self(path)
    }
}

impl Drop for ListFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Full handshakes of a server that asks its clients for a certificate, with the list and without.
fn handshakes(identity: &Identity, list: &ListFile, offer: Offer) {
    let contexts: [(&dyn ListSide, Option<&Path>, usize); 4] = [
        (&Brokertls, None, HANDSHAKES_A_ROUND),
        (&Brokertls, Some(&list.0), HANDSHAKES_A_ROUND),
        (&OpenSsl, None, HANDSHAKES_A_ROUND),
        (&OpenSsl, Some(&list.0), SLOW_HANDSHAKES_A_ROUND),
    ];
    let mut runs = contexts.map(|(side, list, count)| Handshakes {
        context: side.context_with_clients(identity, list),
        peers: (0..count).map(|_| Peer::with_certificate(identity, offer)).collect(),
        resumed: false,
    });
    let mut rates = [const { Vec::new() }; 4];
    runs.iter_mut().for_each(|run| _ = run.round());
    for _ in 0..HANDSHAKE_ROUNDS {
        runs.iter_mut().zip(&mut rates).for_each(|(run, rates)| rates.push(run.round()));
    }
    let [ours, ours_listed, theirs, theirs_listed] = rates.map(median);
    let rate = |rate: f64| format!("{rate:.0} /s");
    row("", &["without", "with the list", "×"].map(str::to_owned));
    for (name, without, with) in [("brokertls", ours, ours_listed), ("OpenSSL", theirs, theirs_listed)] {
        let name = format!("full handshake with a client's certificate, {name}");
        row(&name, &[rate(without), rate(with), format!("{:.3}", with / without)]);
    }
    let ratio = |ours: f64, theirs: f64| format!("{:.2}", ours / theirs);
    row("brokertls × OpenSSL", &[ratio(ours, theirs), ratio(ours_listed, theirs_listed)]);
}
