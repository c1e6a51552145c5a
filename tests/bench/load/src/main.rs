//! A broker's load on this library and on OpenSSL 4: the same programs in C, compiled once for each.
//!
//! The argument is `idle`, `echo`, `storm` or `scaling`: `make bench-idle` and its like run it. Each prints a table, and
//! with `--page` writes tables and plots into a page.
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

use std::path::Path;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (name, page) = match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [name] => (*name, None),
        [name, "--page", page] => (*name, Some(Path::new(*page))),
        _ => ("", None),
    };
    let run = match name {
        "idle" => idle::run,
        "echo" => echo::run,
        "storm" => storm::run,
        "scaling" => scaling::run,
        _ => {
            eprintln!("usage: brokertls-bench-load idle|echo|storm|scaling [--page FILE]");
            std::process::exit(2);
        }
    };
    let measured = run(&pki::Pki::new());
    if let Some(page) = page {
        let command = format!("make bench-{name}-page");
        brokertls_bench_report::write(page, &command, &measured.libraries, &measured.tables);
    }
}
