//! Parts that the benchmarks share: the compared sides, the peer that talks to all of them, and their certificates.

pub mod bare;
pub mod capi;
pub mod cases;
pub mod openssl3;
pub mod peer;
pub mod pki;
pub mod server;

/// The median of an odd number of figures.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
