//! Handshakes and records, server side, in memory: brokertls through its C ABI, bare rustls and OpenSSL, in one run.
//!
//! Every side gets the same certificates and the same peer (a rustls client), and only the time inside the server's
//! calls counts. Rounds are interleaved, so that what else the machine does falls on all sides alike; a figure is the
//! median of its rounds. `make bench` runs it; an argument runs only the rows whose name contains it.

mod bare;
mod capi;
mod cases;
mod openssl3;
mod peer;
mod pki;
mod server;

use cases::{Case, Figure};
use server::Side;

/// Rounds of each row: odd, so that the median is one of them.
const ROUNDS: usize = 11;

fn main() {
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let sides: Vec<Box<dyn Side>> = vec![Box::new(capi::Brokertls), Box::new(bare::Bare), Box::new(openssl3::OpenSsl)];
    let names: Vec<String> = sides.iter().map(|side| side.name()).collect();

    print!("{:<46}", "server side, TLS 1.3, in memory");
    for name in &names {
        print!("{name:>18}");
    }
    for other in &names[1..] {
        print!("{:>18}", format!("/ {other}"));
    }
    println!();
    for case in cases::all().into_iter().filter(|case| case.name().contains(&filter)) {
        let medians = measure(&case, &sides);
        print!("{:<46}", case.name());
        for median in &medians {
            print!("{:>18}", case.figure().print(*median));
        }
        for other in &medians[1..] {
            print!("{:>17.2}x", medians[0] / other);
        }
        println!();
    }
}

/// The median of each side, in units a second.
fn measure(case: &Case, sides: &[Box<dyn Side>]) -> Vec<f64> {
    let mut runs: Vec<_> = sides.iter().map(|side| case.prepare(side.as_ref())).collect();
    let mut rates = vec![Vec::with_capacity(ROUNDS); sides.len()];
    for run in &mut runs {
        run.round();
    }
    for round in 0..ROUNDS {
        for turn in 0..sides.len() {
            let side = (round + turn) % sides.len();
            rates[side].push(runs[side].round());
        }
    }
    rates.into_iter().map(median).collect()
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

impl Figure {
    fn print(self, rate: f64) -> String {
        match self {
            Self::Handshakes => format!("{rate:.0} /s"),
            Self::Bytes if rate >= 1e9 => format!("{:.2} GB/s", rate / 1e9),
            Self::Bytes => format!("{:.0} MB/s", rate / 1e6),
        }
    }
}
