//! A storm of reconnects: all clients of a broker come back at once, without and with a session to resume.

use std::time::Duration;

use rustls::version::TLS13;

use crate::load::{self, Load};
use crate::pki::Pki;
use crate::programs::{Clients, Server, Side};
use crate::table::{self, Measured, both, median};

/// Clients, if descriptors reach that far.
const CLIENTS: usize = 20_000;
/// Rounds of each side: odd, so that the median is one of them.
const ROUNDS: usize = 3;

/// One wave of clients: until all are back, and what the server used for it.
struct Wave {
    time: Duration,
    cpu_s: f64,
}

/// The two waves of a round: to a new server, then to the same one after it has dropped all connections.
struct Round {
    full: Wave,
    resumed: Wave,
}

pub fn run(pki: &Pki) -> Measured {
    let count = CLIENTS.min(load::raise_descriptors());
    table::head(&format!("{count} clients come back at once, TLS 1.3, ECDSA P-256, X25519"), "make bench-storm");
    load::pin();
    if count < CLIENTS {
        println!("the limit of descriptors of a process allows no more clients");
    }
    println!("{:<60}{:>12}{:>12}{:>12}{:>8}", "", "all back", "clients", "CPU", "busy");
    let mut libraries = Side::BOTH.map(|_| String::new());
    let mut rows = Vec::new();
    for clients in Clients::BOTH {
        let mut rounds = Side::BOTH.map(|_| Vec::new());
        for turn in 0..ROUNDS * Side::BOTH.len() {
            // Each round has another side first.
            let place = (turn + turn / Side::BOTH.len()) % Side::BOTH.len();
            let (library, round) = measure(pki, Side::BOTH[place], clients, count);
            rounds[place].push(round);
            libraries[place] = library;
        }
        let kinds: [(&str, fn(&Round) -> &Wave); 2] =
            [("full", |round| &round.full), ("resumed", |round| &round.resumed)];
        for (kind, wave) in kinds {
            let medians = rounds.each_ref().map(|rounds| middle(rounds, wave));
            for (library, wave) in libraries.iter().zip(&medians) {
                print(&format!("{kind}{}, {library}", clients.suffix()), count, wave);
            }
            let [ours, other] = &medians;
            let time = ours.time.as_secs_f64() / other.time.as_secs_f64();
            let name = "    brokertls × OpenSSL";
            println!("{name:<60}{time:>12.2}{:>12.2}{:>12.2}", 1.0 / time, ours.cpu_s / other.cpu_s);
            rows.push((format!("{kind}{}", clients.suffix()), medians));
        }
    }
    println!("busy is the part of its processor that the server used; below 100 % the clients are the limit");
    let table = |name: &str, unit: &str, figure: fn(&Wave) -> f64| {
        let figures = rows.iter().map(|(name, waves)| (name.as_str(), waves.each_ref().map(|wave| Some(figure(wave)))));
        both(name, unit, false, figures)
    };
    let tables = vec![
        table("Until all clients are back", &format!("seconds for {count} clients"), |wave| wave.time.as_secs_f64()),
        table("The server's part of it", "seconds of processor time", |wave| wave.cpu_s),
    ];
    Measured { libraries: libraries.to_vec(), tables }
}

fn print(name: &str, count: usize, wave: &Wave) {
    let seconds = wave.time.as_secs_f64();
    println!(
        "{name:<60}{:>12}{:>12}{:>12}{:>8}",
        format!("{seconds:.2} s"),
        format!("{:.0} /s", count as f64 / seconds),
        format!("{:.2} s", wave.cpu_s),
        format!("{:.0} %", wave.cpu_s / seconds * 100.0)
    );
}

fn middle(rounds: &[Round], wave: fn(&Round) -> &Wave) -> Wave {
    let time = median(rounds.iter().map(|round| wave(round).time.as_secs_f64()).collect());
    Wave { time: Duration::from_secs_f64(time), cpu_s: median(rounds.iter().map(|round| wave(round).cpu_s).collect()) }
}

fn measure(pki: &Pki, side: Side, clients: Clients, count: usize) -> (String, Round) {
    let mut server = Server::start(side, pki.folder(), "TLSv1.3", clients);
    let mut load = Load::new(pki.folder(), &TLS13, clients, count, server.port);
    let before = server.state();
    let full = load.connect(0, count);
    let after = server.state();
    assert_eq!((full.resumed, after.get("open") as usize), (0, count));
    let full = Wave { time: full.time, cpu_s: after.get("cpu_s") - before.get("cpu_s") };
    let before = server.drop_all();
    load.forget();
    let resumed = load.connect(0, count);
    let after = server.state();
    assert_eq!((resumed.resumed, after.get("resumed") as usize), (count, count));
    let resumed = Wave { time: resumed.time, cpu_s: after.get("cpu_s") - before.get("cpu_s") };
    server.drop_all();
    (std::mem::take(&mut server.library), Round { full, resumed })
}
