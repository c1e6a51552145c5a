//! This library as a side of the benchmark, through its installed C ABI.

fn main() {
    brokertls_bench_side::serve::side(&brokertls_bench::capi::Brokertls);
}
