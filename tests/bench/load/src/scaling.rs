//! Handshakes over one shared context: by one thread, and by two on two processors.

use crate::pki::Pki;
use crate::programs::{self, Numbers, Side};
use crate::table::{self, median};

/// Runs of a program, which take turns, and the rounds of each.
const RUNS: usize = 3;
const ROUNDS: usize = 5;
const HANDSHAKES: usize = 3000;

pub fn run(pki: &Pki) {
    table::head(
        "handshakes over one shared context, TLS 1.3, tickets, client certificates, a revocation list",
        "make bench-scaling",
    );
    println!("{:<48}{:>14}{:>14}{:>8}{:>16}", "", "one thread", "two threads", "×", "× in CPU time");
    for kind in ["full", "resumed"] {
        let mut rounds = Side::BOTH.map(|_| Vec::new());
        let mut libraries = Side::BOTH.map(|_| String::new());
        for _ in 0..RUNS {
            for (place, side) in Side::BOTH.into_iter().enumerate() {
                let mut command = side.scaling();
                command.arg(pki.folder()).args([kind, &ROUNDS.to_string(), &HANDSHAKES.to_string()]);
                let (library, lines) = programs::run(&mut command);
                rounds[place].extend(lines);
                libraries[place] = library;
            }
        }
        for (library, rounds) in libraries.iter().zip(&rounds) {
            print(&format!("{kind} handshake, {library}"), rounds);
        }
    }
}

/// A ratio is the median of the ratios of each round, for the two figures of a round are neighbours in time.
fn print(name: &str, rounds: &[Numbers]) {
    let of = |what: &str| median(rounds.iter().map(|round| round.get(what)).collect());
    let ratio = |kind: &str| {
        let ratios = rounds.iter().map(|round| round.get(&format!("both_{kind}")) / round.get(&format!("one_{kind}")));
        median(ratios.collect())
    };
    println!(
        "{name:<48}{:>14}{:>14}{:>8.2}{:>16.2}",
        format!("{:.0} /s", of("one_wall")),
        format!("{:.0} /s", of("both_wall")),
        ratio("wall"),
        ratio("cpu")
    );
}
