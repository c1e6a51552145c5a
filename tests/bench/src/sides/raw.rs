//! The ciphers without TLS as a side of the benchmark.

use brokertls_bench::raw;
use brokertls_bench_side::{serve, versions};

fn main() {
    serve::serve(&format!("aws-lc-rs {}", versions::of("aws-lc-rs")), |case, _| raw::prepare(case));
}
