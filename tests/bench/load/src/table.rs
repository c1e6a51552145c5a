//! The head of a table, figures in it, and the tables for the page.

use std::time::Duration;

use brokertls_bench_report::{Row, Table, machine, today};

/// The result of a command.
pub struct Measured {
    /// The libraries with their versions.
    pub libraries: Vec<String>,
    pub tables: Vec<Table>,
}

/// A table of both sides. A row has a figure for each side that has the case.
pub fn both<'a>(
    name: &str,
    unit: &str,
    more_is_better: bool,
    rows: impl Iterator<Item = (&'a str, [Option<f64>; 2])>,
) -> Table {
    let rows = rows.map(|(name, figures)| Row { name: name.to_owned(), figures: figures.to_vec() });
    Table {
        name: name.to_owned(),
        unit: unit.to_owned(),
        more_is_better,
        sides: vec!["brokertls".to_owned(), "OpenSSL".to_owned()],
        rows: rows.collect(),
    }
}

/// Prints what the table is of, how it was made, when and on what machine.
pub fn head(subject: &str, command: &str) {
    println!("{subject}\n{command}, {}, {}", today(), machine());
}

pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// The figure below which `share` of all are; the list must be sorted.
pub fn quantile(sorted: &[Duration], share: f64) -> Duration {
    let index = (sorted.len() as f64 * share) as usize;
    sorted.get(index.min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
}

pub fn milliseconds(time: Duration) -> String {
    format!("{:.3} ms", time.as_secs_f64() * 1e3)
}
