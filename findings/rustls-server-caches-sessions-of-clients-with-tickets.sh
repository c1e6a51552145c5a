#!/usr/bin/env bash
# rustls 0.23.46, server, TLS 1.2, with a ticketer and a session storage at once: each full handshake stores its session
# in the storage too, although the client asks for a ticket and is sent one. OpenSSL caches no session that it gives away
# in a ticket. So a bounded storage, meant for the few clients without tickets, is flushed by those that never use it:
# the storage must notice that a ticket was made for the same session, right after `put`, and drop it again.
#
# Output seen: "client takes tickets: 1 stored, 1 tickets", "client takes session IDs: 1 stored, 0 tickets".
# Exits with 0 while this is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cat > "$folder/Cargo.toml" <<'TOML'
[package]
name = "finding"
version = "0.0.0"
edition = "2021"
[dependencies]
rustls = { version = "=0.23.46", default-features = false, features = ["ring", "std", "tls12"] }
rcgen = { version = "=0.14.5", default-features = false, features = ["ring", "pem"] }
TOML
cat > "$folder/src/main.rs" <<'RUST'
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::Arc;

use rustls::client::{Resumption, Tls12Resumption};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ProducesTickets, StoresServerSessions};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection};

#[derive(Debug, Default)]
struct Counting {
    stored: AtomicUsize,
    tickets: AtomicUsize,
}

impl StoresServerSessions for Counting {
    fn put(&self, _: Vec<u8>, _: Vec<u8>) -> bool {
        self.stored.fetch_add(1, Relaxed);
        true
    }
    fn get(&self, _: &[u8]) -> Option<Vec<u8>> {
        None
    }
    fn take(&self, _: &[u8]) -> Option<Vec<u8>> {
        None
    }
    fn can_cache(&self) -> bool {
        true
    }
}

impl ProducesTickets for Counting {
    fn enabled(&self) -> bool {
        true
    }
    fn lifetime(&self) -> u32 {
        60
    }
    fn encrypt(&self, _: &[u8]) -> Option<Vec<u8>> {
        self.tickets.fetch_add(1, Relaxed);
        Some(vec![7; 64])
    }
    fn decrypt(&self, _: &[u8]) -> Option<Vec<u8>> {
        None
    }
}

fn main() {
    let mut is_as_seen = true;
    for (what, resumption, expected) in [
        ("tickets", Tls12Resumption::SessionIdOrTickets, (1, 1)),
        ("session IDs", Tls12Resumption::SessionIdOnly, (1, 0)),
    ] {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let counting = Arc::new(Counting::default());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&rustls::version::TLS12])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        server.session_storage = Arc::clone(&counting) as _;
        server.ticketer = Arc::clone(&counting) as _;
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        let mut client = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS12])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        client.resumption = Resumption::in_memory_sessions(8).tls12_resumption(resumption);
        let mut client = ClientConnection::new(Arc::new(client), "localhost".try_into().unwrap()).unwrap();
        let mut server = ServerConnection::new(Arc::new(server)).unwrap();
        while client.is_handshaking() || server.is_handshaking() {
            let mut bytes = Vec::new();
            while client.wants_write() {
                client.write_tls(&mut bytes).unwrap();
            }
            server.read_tls(&mut bytes.as_slice()).unwrap();
            server.process_new_packets().unwrap();
            bytes.clear();
            while server.wants_write() {
                server.write_tls(&mut bytes).unwrap();
            }
            client.read_tls(&mut bytes.as_slice()).unwrap();
            client.process_new_packets().unwrap();
        }
        let seen = (counting.stored.load(Relaxed), counting.tickets.load(Relaxed));
        println!("client takes {what}: {} stored, {} tickets", seen.0, seen.1);
        is_as_seen &= seen == expected;
    }
    std::process::exit(i32::from(!is_as_seen));
}
RUST
cd "$folder"
cargo run -q
