//! Handshakes over one shared context: by one thread, and by two on two processors.

use crate::pki::Pki;
use crate::programs::{self, Numbers, Side};
use crate::table::{self, Measured, both, median};

/// Runs of a program, which take turns, and the rounds of each.
const RUNS: usize = 3;
const ROUNDS: usize = 5;
const HANDSHAKES: usize = 3000;

pub fn run(pki: &Pki) -> Measured {
    table::head(
        "handshakes over one shared context, TLS 1.3, tickets, client certificates, a revocation list",
        "make bench-scaling",
    );
    println!("{:<48}{:>14}{:>14}{:>8}{:>16}", "", "one thread", "two threads", "×", "× in CPU time");
    let mut libraries = Side::BOTH.map(|_| String::new());
    let mut rows = Vec::new();
    for kind in ["full", "resumed"] {
        let mut rounds = Side::BOTH.map(|_| Vec::new());
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
        rows.push((kind, rounds));
    }
    let table = |name, unit, figure: fn(&[Numbers]) -> f64| {
        let figures = rows.iter().map(|(kind, rounds)| (*kind, rounds.each_ref().map(|rounds| Some(figure(rounds)))));
        both(name, unit, true, figures)
    };
    let tables = vec![
        table("Handshakes by two threads", "handshakes a second", |rounds| figure(rounds, "both_wall")),
        table("Handshakes by two threads beside one", "times those of one thread", |rounds| ratio(rounds, "wall")),
        table("The same by processor time", "times those of one thread", |rounds| ratio(rounds, "cpu")),
    ];
    Measured { libraries: libraries.to_vec(), tables }
}

fn figure(rounds: &[Numbers], what: &str) -> f64 {
    median(rounds.iter().map(|round| round.get(what)).collect())
}

/// The median of the ratios of each round, for the two figures of a round are neighbours in time.
fn ratio(rounds: &[Numbers], kind: &str) -> f64 {
    let ratios = rounds.iter().map(|round| round.get(&format!("both_{kind}")) / round.get(&format!("one_{kind}")));
    median(ratios.collect())
}

fn print(name: &str, rounds: &[Numbers]) {
    println!(
        "{name:<48}{:>14}{:>14}{:>8.2}{:>16.2}",
        format!("{:.0} /s", figure(rounds, "one_wall")),
        format!("{:.0} /s", figure(rounds, "both_wall")),
        ratio(rounds, "wall"),
        ratio(rounds, "cpu")
    );
}
