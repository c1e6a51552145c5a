//! Idle connections: 512,000 in memory, and over sockets as many as descriptors reach.

use rustls::version::{TLS12, TLS13};

use crate::load::{self, Load};
use crate::pki::Pki;
use crate::programs::{self, Clients, Server, Side};
use crate::table::{self, Measured, both};

/// Connections in memory of this library; `BENCH_IDLE` is another number.
const CONNECTIONS: usize = 512_000;

/// OpenSSL makes this part of them, for its own would not fit into the memory of most machines.
const OPENSSL_PART: usize = 16;

/// Before the first count over sockets: what the process keeps once.
const WARM: usize = 16;

/// One measurement.
struct Idle {
    library: String,
    /// Bytes a connection.
    allocated: f64,
    resident: f64,
    /// A second.
    handshakes: f64,
}

/// A row of the page, with what was measured for each side.
type Case = (String, [Option<Idle>; 2]);

pub fn run(pki: &Pki) -> Measured {
    let count = std::env::var("BENCH_IDLE").map_or(CONNECTIONS, |count| count.parse().unwrap());
    table::head("idle connections of a server in memory, after one message each way", "make bench-idle");
    heading();
    let mut in_memory_rows: Vec<Case> = Vec::new();
    for (version, group) in [("TLSv1.3", "X25519"), ("TLSv1.2", "X25519"), ("TLSv1.3", "X25519MLKEM768")] {
        for clients in Clients::BOTH {
            let name = format!("{version}, {group}{}", clients.suffix());
            let idle = |side, state| Some(in_memory(pki, side, version, group, clients, count, state));
            in_memory_rows.push((name.clone(), Side::BOTH.map(|side| idle(side, "awake"))));
            // OpenSSL has nothing of the kind.
            in_memory_rows.push((format!("{name}, asleep"), [idle(Side::Brokertls, "asleep"), None]));
        }
    }
    println!();
    table::head("idle connections of a server over sockets of the loopback interface", "make bench-idle");
    load::pin();
    let reach = load::raise_descriptors();
    println!("the limit of descriptors allows {reach} in a process");
    heading();
    let mut over_sockets_rows: Vec<Case> = Vec::new();
    for version in ["TLSv1.3", "TLSv1.2"] {
        for clients in Clients::BOTH {
            let idle = |side| Some(over_sockets(pki, side, version, clients, reach));
            over_sockets_rows.push((format!("{version}, X25519{}", clients.suffix()), Side::BOTH.map(idle)));
        }
    }
    let table = |name: &str, unit: &str, more_is_better, rows: &[Case], figure: fn(&Idle) -> f64| {
        let figures = |sides: &[Option<Idle>; 2]| sides.each_ref().map(|side| side.as_ref().map(figure));
        both(name, unit, more_is_better, rows.iter().map(|(name, sides)| (name.as_str(), figures(sides))))
    };
    let tables = vec![
        table("Idle in memory", "allocated bytes a connection", false, &in_memory_rows, |idle| idle.allocated),
        table("512,000 idle connections", "GiB resident", false, &in_memory_rows, |idle| gib_of_all(idle.resident)),
        table("Handshakes to idle connections", "a second", true, &in_memory_rows, |idle| idle.handshakes),
        table("Idle over sockets", "resident bytes a connection", false, &over_sockets_rows, |idle| idle.resident),
    ];
    let libraries = in_memory_rows[0].1.iter().flatten().map(|idle| idle.library.clone()).collect();
    Measured { libraries, tables }
}

/// GiB of all connections, from bytes of each.
fn gib_of_all(resident: f64) -> f64 {
    resident * CONNECTIONS as f64 / f64::from(1 << 30)
}

fn heading() {
    println!("{:<64}{:>10}{:>14}{:>14}{:>16}{:>16}", "", "made", "malloc", "resident", "512,000 take", "handshakes");
}

fn row(name: &str, made: usize, idle: &Idle) {
    let all = gib_of_all(idle.resident);
    // What was not made is marked.
    let sign = if made == CONNECTIONS { "" } else { "≈ " };
    println!(
        "{:<64}{made:>10}{:>14}{:>14}{:>16}{:>16}",
        format!("{}, {name}", idle.library),
        format!("{:.0} B", idle.allocated),
        format!("{:.0} B", idle.resident),
        format!("{sign}{all:.2} GiB"),
        format!("{:.0} /s", idle.handshakes)
    );
}

fn in_memory(pki: &Pki, side: Side, version: &str, group: &str, clients: Clients, count: usize, state: &str) -> Idle {
    let count = if side == Side::OpenSsl { (count / OPENSSL_PART).max(1) } else { count };
    let mut command = side.idle();
    // In TLS 1.2, a client needs the group of the certificate's key too.
    let groups = format!("{group}:P-256");
    command.arg(pki.folder()).args([version, clients.argument(), &groups, &count.to_string(), state]);
    let (library, lines) = programs::run(&mut command);
    let is_asleep = if state == "asleep" { ", asleep" } else { "" };
    let figures = &lines[0];
    let idle = Idle {
        library,
        allocated: figures.get("idle_allocated"),
        resident: figures.get("idle_resident"),
        handshakes: figures.get("handshakes"),
    };
    row(&format!("{version}, {group}{}{is_asleep}", clients.suffix()), count, &idle);
    idle
}

fn over_sockets(pki: &Pki, side: Side, version: &str, clients: Clients, count: usize) -> Idle {
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
    let each = |what: &str| change(what) / made as f64;
    let (allocated, resident) = (each("allocated"), each("resident"));
    let handshakes = made as f64 / change("cpu_s");
    let idle = Idle { library: std::mem::take(&mut server.library), allocated, resident, handshakes };
    row(&format!("{version}, X25519{}", clients.suffix()), made, &idle);
    server.drop_all();
    idle
}
