//! rustls by itself as a side of the benchmark.

fn main() {
    brokertls_bench_side::serve::side(&brokertls_bench::bare::Bare);
}
