//! Prints the folder that OpenSSL 4 is installed in, for compilers of C.

fn main() {
    println!("{}", brokertls_bench_openssl4_build::ROOT);
}
