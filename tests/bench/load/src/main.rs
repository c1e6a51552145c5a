//! A broker's load on this library and on OpenSSL 4: the same programs in C, compiled once for each.
//!
//! The argument is `idle`, `echo`, `storm` or `scaling`: `make bench-idle` and its like run it. Each prints a table.
//! The servers are processes of their own, and the clients over sockets are rustls clients in this one.

mod client;
mod echo;
mod idle;
mod load;
mod pki;
mod programs;
mod scaling;
mod storm;
mod table;

fn main() {
    let name = std::env::args().nth(1).unwrap_or_default();
    let run = match name.as_str() {
        "idle" => idle::run,
        "echo" => echo::run,
        "storm" => storm::run,
        "scaling" => scaling::run,
        _ => {
            eprintln!("usage: brokertls-bench-load idle|echo|storm|scaling");
            std::process::exit(2);
        }
    };
    run(&pki::Pki::new());
}
