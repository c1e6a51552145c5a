//! The command `brokertls`: the library from a shell. It uses the public Rust API alone.

mod arguments;
mod command_line;
mod connect;
mod convert;
mod dates;
mod facts;
mod findings;
mod inspect;
mod password;
mod psk;
mod report;
mod revocation;
mod serve;
mod transport;
mod verify;

use std::process::ExitCode;

use report::Failure;

fn main() -> ExitCode {
    let matches = command_line::command().get_matches();
    let outcome = match matches.subcommand() {
        Some(("connect", matches)) => connect::run(matches),
        Some(("serve", matches)) => serve::run(matches),
        Some(("inspect", matches)) => inspect::run(matches),
        Some(("convert", matches)) => convert::run(matches),
        Some(("verify", matches)) => verify::run(matches),
        _ => Err(Failure::usage("no such command")),
    };
    ExitCode::from(outcome.unwrap_or_else(|failure| failure.report()))
}
