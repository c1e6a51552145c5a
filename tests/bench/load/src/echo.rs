//! Echoes over sockets: each client sends its next message when it has the answer to the last one.

use std::time::{Duration, Instant};

use rustls::version::TLS13;

use crate::load::{self, Load};
use crate::pki::Pki;
use crate::programs::{Clients, Server, Side};
use crate::table::{self, Measured, both, median, milliseconds, quantile};

const SIZES: [usize; 3] = [64, 1024, 16384];
const CONNECTIONS: [usize; 2] = [100, 10_000];
/// Rounds of each side in each row: odd, so that the median is one of them.
const ROUNDS: usize = 3;
const WARM_UP: Duration = Duration::from_millis(500);
const TIME: Duration = Duration::from_secs(3);

/// One round of one side.
struct Round {
    /// Messages a second.
    rate: f64,
    half: Duration,
    slowest: Duration,
    /// Processor seconds of the server for a GB of messages.
    cost: f64,
    /// The part of its processor that the server used.
    busy: f64,
    /// Bytes a connection.
    allocated: f64,
    resident: f64,
}

pub fn run(pki: &Pki) -> Measured {
    table::head(
        "echoes over loopback, TLS 1.3, AES-256-GCM, one epoll thread on a processor of its own",
        "make bench-echo",
    );
    load::pin();
    let reach = load::raise_descriptors();
    println!(
        "{:<40}{:>12}{:>12}{:>12}{:>12}{:>10}{:>8}{:>12}{:>12}",
        "", "messages", "bytes", "p50", "p99", "CPU/GB", "busy", "malloc", "resident"
    );
    let mut libraries = Side::BOTH.map(|_| String::new());
    let mut rows = Vec::new();
    for connections in CONNECTIONS.map(|count| count.min(reach)) {
        for size in SIZES {
            let mut rounds = Side::BOTH.map(|_| Vec::new());
            for turn in 0..ROUNDS * Side::BOTH.len() {
                // Each round has another side first.
                let place = (turn + turn / Side::BOTH.len()) % Side::BOTH.len();
                let (library, round) = measure(pki, Side::BOTH[place], connections, size);
                rounds[place].push(round);
                libraries[place] = library;
            }
            let medians = rounds.each_ref().map(|rounds| middle(rounds));
            for (library, round) in libraries.iter().zip(&medians) {
                print(&format!("{connections} × {size} B, {library}"), size, round);
            }
            let [ours, other] = &medians;
            println!(
                "{:<40}{:>12.2}{:>12}{:>12.2}{:>12.2}{:>10.2}{:>8}{:>12.2}{:>12.2}",
                "    brokertls × OpenSSL",
                ours.rate / other.rate,
                "",
                ours.half.as_secs_f64() / other.half.as_secs_f64(),
                ours.slowest.as_secs_f64() / other.slowest.as_secs_f64(),
                ours.cost / other.cost,
                "",
                ours.allocated / other.allocated,
                ours.resident / other.resident
            );
            rows.push((format!("{connections} × {size} B"), medians));
        }
    }
    println!("busy is the part of its processor that the server used; below 100 % the clients are the limit");
    let table = |name: &str, unit: &str, more_is_better, first: usize, figure: fn(&Round) -> f64| {
        let figures = |rounds: &[Round; 2]| rounds.each_ref().map(|round| Some(figure(round)));
        both(name, unit, more_is_better, rows[first..].iter().map(|(name, rounds)| (name.as_str(), figures(rounds))))
    };
    let tables = vec![
        table("Echoes", "messages a second", true, 0, |round| round.rate),
        table("Half of the echoes", "milliseconds at most", false, 0, |round| round.half.as_secs_f64() * 1e3),
        table("99 of 100 echoes", "milliseconds at most", false, 0, |round| round.slowest.as_secs_f64() * 1e3),
        table("The server's processor time", "seconds for a GB of messages", false, 0, |round| round.cost),
        // With few connections, the steps of the heap are larger than what they take.
        table("Resident memory after echoes", "bytes a connection", false, SIZES.len(), |round| round.resident),
    ];
    Measured { libraries: libraries.to_vec(), tables }
}

fn print(name: &str, size: usize, round: &Round) {
    println!(
        "{name:<40}{:>12}{:>12}{:>12}{:>12}{:>10}{:>8}{:>12}{:>12}",
        format!("{:.0} /s", round.rate),
        format!("{:.1} MB/s", round.rate * size as f64 / 1e6),
        milliseconds(round.half),
        milliseconds(round.slowest),
        format!("{:.2} s", round.cost),
        format!("{:.0} %", round.busy * 100.0),
        format!("{:.0} B", round.allocated),
        format!("{:.0} B", round.resident)
    );
}

fn middle(rounds: &[Round]) -> Round {
    let of = |figure: fn(&Round) -> f64| median(rounds.iter().map(figure).collect());
    Round {
        rate: of(|round| round.rate),
        half: Duration::from_secs_f64(of(|round| round.half.as_secs_f64())),
        slowest: Duration::from_secs_f64(of(|round| round.slowest.as_secs_f64())),
        cost: of(|round| round.cost),
        busy: of(|round| round.busy),
        allocated: of(|round| round.allocated),
        resident: of(|round| round.resident),
    }
}

/// One round: a new server, its connections, and a phase of echoes. The first connection pays for what the server keeps
/// once.
fn measure(pki: &Pki, side: Side, connections: usize, size: usize) -> (String, Round) {
    let mut server = Server::start(side, pki.folder(), "TLSv1.3", Clients::Unknown);
    let mut first = Load::new(pki.folder(), &TLS13, Clients::Unknown, 1, server.port);
    first.connect(0, 1);
    first.echo(size, Duration::from_millis(10));
    let empty = server.state();
    let mut load = Load::new(pki.folder(), &TLS13, Clients::Unknown, connections, server.port);
    load.connect(0, connections);
    load.echo(size, WARM_UP);
    let before = server.state();
    let begin = Instant::now();
    let mut echoes = load.echo(size, TIME);
    let time = begin.elapsed();
    let after = server.state();
    echoes.latencies.sort_unstable();
    let cpu_s = after.get("cpu_s") - before.get("cpu_s");
    let each = |what: &str| (after.get(what) - empty.get(what)) / connections as f64;
    let round = Round {
        rate: echoes.latencies.len() as f64 / echoes.time.as_secs_f64(),
        half: quantile(&echoes.latencies, 0.5),
        slowest: quantile(&echoes.latencies, 0.99),
        cost: cpu_s / ((after.get("echoed") - before.get("echoed")) / 1e9),
        busy: cpu_s / time.as_secs_f64(),
        allocated: each("allocated"),
        resident: each("resident"),
    };
    server.drop_all();
    (std::mem::take(&mut server.library), round)
}
