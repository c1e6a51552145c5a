//! The head of a table, and figures in it.

use std::time::Duration;

use brokertls_bench_report::{machine, today};

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
