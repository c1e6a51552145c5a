//! Idle connections: 512,000 in memory, and over sockets as many as descriptors reach.

use rustls::version::{TLS12, TLS13};

use crate::load::{self, Load};
use crate::pki::Pki;
use crate::programs::{self, Clients, Server, Side};
use crate::table;

/// Connections in memory of this library; `BENCH_IDLE` is another number.
const CONNECTIONS: usize = 512_000;

/// OpenSSL makes this part of them, for its own would not fit into the memory of most machines.
const OPENSSL_PART: usize = 16;

/// Before the first count over sockets: what the process keeps once.
const WARM: usize = 16;

pub fn run(pki: &Pki) {
    let count = std::env::var("BENCH_IDLE").map_or(CONNECTIONS, |count| count.parse().unwrap());
    table::head("idle connections of a server in memory, after one message each way", "make bench-idle");
    heading();
    for (version, group) in [("TLSv1.3", "X25519"), ("TLSv1.2", "X25519"), ("TLSv1.3", "X25519MLKEM768")] {
        for clients in Clients::BOTH {
            for side in Side::BOTH {
                in_memory(pki, side, version, group, clients, count, "awake");
            }
            // OpenSSL has nothing of the kind.
            in_memory(pki, Side::Brokertls, version, group, clients, count, "asleep");
        }
    }
    println!();
    table::head("idle connections of a server over sockets of the loopback interface", "make bench-idle");
    load::pin();
    let reach = load::raise_descriptors();
    println!("the limit of descriptors allows {reach} in a process");
    heading();
    for version in ["TLSv1.3", "TLSv1.2"] {
        for clients in Clients::BOTH {
            for side in Side::BOTH {
                over_sockets(pki, side, version, clients, reach);
            }
        }
    }
}

fn heading() {
    println!("{:<64}{:>10}{:>14}{:>14}{:>16}{:>16}", "", "made", "malloc", "resident", "512,000 take", "handshakes");
}

fn row(name: &str, made: usize, allocated: f64, resident: f64, handshakes: f64) {
    let all = resident * CONNECTIONS as f64 / f64::from(1 << 30);
    // What was not made is marked.
    let sign = if made == CONNECTIONS { "" } else { "≈ " };
    println!(
        "{name:<64}{made:>10}{:>14}{:>14}{:>16}{:>16}",
        format!("{allocated:.0} B"),
        format!("{resident:.0} B"),
        format!("{sign}{all:.2} GiB"),
        format!("{handshakes:.0} /s")
    );
}

fn in_memory(pki: &Pki, side: Side, version: &str, group: &str, clients: Clients, count: usize, state: &str) {
    let count = if side == Side::OpenSsl { (count / OPENSSL_PART).max(1) } else { count };
    let mut command = side.idle();
    // In TLS 1.2, a client needs the group of the certificate's key too.
    let groups = format!("{group}:P-256");
    command.arg(pki.folder()).args([version, clients.argument(), &groups, &count.to_string(), state]);
    let (library, lines) = programs::run(&mut command);
    let is_asleep = if state == "asleep" { ", asleep" } else { "" };
    let name = format!("{library}, {version}, {group}{}{is_asleep}", clients.suffix());
    let figures = &lines[0];
    row(&name, count, figures.get("idle_allocated"), figures.get("idle_resident"), figures.get("handshakes"));
}

fn over_sockets(pki: &Pki, side: Side, version: &str, clients: Clients, count: usize) {
    let mut server = Server::start(side, pki.folder(), version, clients);
    let protocol = if version == "TLSv1.3" { &TLS13 } else { &TLS12 };
    let mut load = Load::new(pki.folder(), protocol, clients, count, server.port);
    load.connect(0, WARM);
    let before = server.state();
    load.connect(WARM, count);
    let after = server.state();
    let made = count - WARM;
    assert_eq!(after.get("open") as usize, count);
    let change = |what: &str| after.get(what) - before.get(what);
    let name = format!("{}, {version}, X25519{}", server.library, clients.suffix());
    let each = |what: &str| change(what) / made as f64;
    row(&name, made, each("allocated"), each("resident"), made as f64 / change("cpu_s"));
    server.drop_all();
}
