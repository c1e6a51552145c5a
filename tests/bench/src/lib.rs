//! Parts of the programs of this package: the sides that are linked into them, and the certificates.

pub mod bare;
pub mod capi;
pub mod openssl3;
pub mod pki;
pub mod raw;

use std::path::Path;

use brokertls_bench_side::identity::Identity;
use brokertls_bench_side::server::{Context, Side};

/// A side that can check its clients by a list of revoked certificates.
pub trait ListSide: Side {
    /// As [`Side::context`] for TLS 1.3, for clients that show a certificate of the identity's CA, which is checked by
    /// the list, a PEM file, if there is one.
    fn context_with_clients(&self, identity: &Identity, list: Option<&Path>) -> Box<dyn Context>;
}

/// The median of an odd number of figures.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
