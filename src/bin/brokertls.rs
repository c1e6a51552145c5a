//! The command line of brokertls, on the public Rust API.

fn main() {
    println!("brokertls {}", env!("CARGO_PKG_VERSION"));
}
