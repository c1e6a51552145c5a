//! Handshakes and records, server side, in memory: brokertls through its C ABI, bare rustls and OpenSSL, in one run.
//!
//! Every side gets the same certificates and the same peer (a rustls client), and only the time inside the server's
//! calls counts. Rounds are interleaved, so that what else the machine does falls on all sides alike; a figure is the
//! median of its rounds. `make bench` runs it; an argument runs only the rows with a name that contains it.

use brokertls_bench::cases::{self, Case, Figure};
use brokertls_bench::server::Side;
use brokertls_bench::{bare, capi, median, openssl3};

/// Rounds of each row: odd, so that the median is one of them.
const ROUNDS: usize = 11;

fn main() {
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let sides: Vec<Box<dyn Side>> = vec![Box::new(capi::Brokertls), Box::new(bare::Bare), Box::new(openssl3::OpenSsl)];
    let versions: Vec<String> = sides.iter().map(|side| format!("{} {}", side.name(), side.version())).collect();
    println!("server side, TLS 1.3, in memory: {}", versions.join(", "));
    print!("{:<46}", "");
    sides.iter().for_each(|side| print!("{:>12}", side.name()));
    sides[1..].iter().for_each(|other| print!("{:>12}", format!("× {}", other.name())));
    println!();
    for case in cases::all().into_iter().filter(|case| case.name().contains(&filter)) {
        let medians = measure(&case, &sides);
        print!("{:<46}", case.name());
        medians.iter().for_each(|median| print!("{:>12}", print(case.figure(), *median)));
        medians[1..].iter().for_each(|other| print!("{:>12.2}", medians[0] / other));
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

fn print(figure: Figure, rate: f64) -> String {
    match figure {
        Figure::Handshakes => format!("{rate:.0} /s"),
        Figure::Bytes if rate >= 1e9 => format!("{:.2} GB/s", rate / 1e9),
        Figure::Bytes => format!("{:.0} MB/s", rate / 1e6),
    }
}
