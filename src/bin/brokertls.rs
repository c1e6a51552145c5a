//! The command line of brokertls, on the public Rust API.

fn main() {}
