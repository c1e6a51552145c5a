//! The command line: what each command takes. The flags of a context come from the library's table of options.

use std::time::Duration;

use brokertls::options::{OPTIONS, OptionGroup, OptionKind, OptionRow, Options};
use brokertls::verify::Deviation;
use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::report::{Failure, complain};

const ABOUT: &str = "\
TLS for message brokers, from the shell: connect to a broker, stand in for one, look into keystores, judge certificates.";

const COMMANDS: &str = "\
Each command lists its options: brokertls connect --help";

const PASSWORDS: &str = "\
Passwords: pass:TEXT, env:VARIABLE, or file:PATH (the first line of the file).";

const STORES: &str = "\
Options of one certificate (--cert, --key, --alias, --type and its passwords) belong together in any order; an option \
that is given again starts the next one. So do those of a trust store.";

const CONNECT: &str = "\
Copies standard input to the peer and what the peer sends to standard output, like openssl s_client. What is known of \
the peer is written to standard error first. Where nothing is named to trust, the system's roots are.";

const CONNECT_EXAMPLES: &str = "\
Examples:
  brokertls connect broker.example:8883 --trust ca.pem
  brokertls connect localhost:61617 --cert client.ks --password pass:secret --trust client.ts --trust-password pass:secret
  brokertls connect broker.example:8883 --brief --json

Exit code: 0 connected, 1 refused or failed, 2 wrong usage.";

const SERVE: &str = "\
Stands in for a broker, like openssl s_server. The first line of output is the port; then comes one line for each \
connection: who connected, or why it was refused.";

const SERVE_EXAMPLES: &str = "\
Examples:
  brokertls serve --cert broker.ks --password env:BROKER_PASSWORD
  brokertls serve --port 0 --echo --cert cert.pem --key key.pem --trust ca.pem --client-auth need

Exit code: 0 after --connections, 1 failed, 2 wrong usage.";

const INSPECT: &str = "\
Shows entries and aliases, certificates, dates and kinds of keys, and for each key whether it could be used, what peers \
would refuse, and what mends it. Of revocation lists (CRL) and OCSP responses, in DER or PEM, it shows what they say of \
themselves; whether they are signed rightly is asked with verify. Subjects and issuers are written as in RFC 4514, the \
last relative name first: CN=broker,O=Example.";

const INSPECT_EXAMPLES: &str = "\
Examples:
  brokertls inspect broker.ks --password pass:password
  brokertls inspect server.pem --json
  brokertls inspect ca.crl

Exit code: 0 it could be read, 1 it could not, 2 wrong usage.";

const VERIFY: &str = "\
The first line of output is `accepted`, or `refused CODE: message`, also where a file cannot be read.";

const VERIFY_EXAMPLES: &str = "\
Examples:
  brokertls verify --chain server.pem --trust ca.pem --name broker.example
  brokertls verify --chain client.pem --trust broker.ts --trust-password pass:secret --purpose client
  brokertls verify --chain client.pem --trust ca.pem --purpose client --crl ca.crl
  brokertls verify --chain old.pem --trust ca.pem --time 2020-06-01T00:00:00Z --allow insecure-rsa-1024

Exit code: 0 accepted, 1 refused, 2 wrong usage.";

/// The whole command line.
pub(crate) fn command() -> Command {
    Command::new("brokertls")
        .version(env!("CARGO_PKG_VERSION"))
        .about(ABOUT)
        .after_help(COMMANDS)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true)
        .subcommand(connect())
        .subcommand(serve())
        .subcommand(inspect())
        .subcommand(verify())
}

fn connect() -> Command {
    Command::new("connect")
        .about("Connect to a server and relay standard input and output")
        .after_help(format!("{CONNECT}\n\n{STORES}\n\n{PASSWORDS}\n\n{CONNECT_EXAMPLES}"))
        .arg(Arg::new("address").value_name("HOST:PORT").required(true).help("where to connect to"))
        .arg(text("server-name", "NAME", "name to ask for and to verify [default: HOST]"))
        .arg(flag("brief", "stop after the handshake; the facts then go to standard output"))
        .arg(flag("reconnect", "connect twice, to see whether the session is resumed"))
        .arg(json())
        .arg(timeout())
        .args(OPTIONS.iter().map(option))
}

fn serve() -> Command {
    Command::new("serve")
        .about("Serve TLS and tell who connects")
        .after_help(format!("{SERVE}\n\n{STORES}\n\n{PASSWORDS}\n\n{SERVE_EXAMPLES}"))
        .arg(
            Arg::new("port")
                .long("port")
                .value_name("PORT")
                .value_parser(value_parser!(u16))
                .default_value("4433")
                .help("port to listen on; 0 lets the system choose one"),
        )
        .arg(text("bind", "ADDRESS", "address to listen on").default_value("127.0.0.1"))
        .arg(flag("echo", "send back what clients send"))
        .arg(
            Arg::new("connections")
                .long("connections")
                .value_name("COUNT")
                .value_parser(value_parser!(u64).range(1..))
                .help("stop after so many connections [default: never]"),
        )
        .arg(json())
        .arg(timeout())
        .args(OPTIONS.iter().map(option))
}

fn inspect() -> Command {
    let names = ["type", "password", "key-password", "insecure-allow-missing-mac"];
    Command::new("inspect")
        .about("Show what is in a keystore, certificate, CRL or OCSP response")
        .after_help(format!("{INSPECT}\n\n{PASSWORDS}\n\n{INSPECT_EXAMPLES}"))
        .arg(Arg::new("file").value_name("FILE").required(true).help("the file to read"))
        .arg(json())
        .args(some_options(&names))
}

fn verify() -> Command {
    let names =
        ["type", "password", "trust", "trust-type", "trust-password", "system-trust", "insecure-allow-missing-mac"];
    Command::new("verify")
        .about("Judge a certificate chain as a connection would")
        .after_help(format!("{VERIFY}\n\n{PASSWORDS}\n\n{VERIFY_EXAMPLES}"))
        .arg(text("chain", "FILE", "the chain as a peer would send it, end entity first").required(true))
        .arg(text("name", "NAME", "host name or IP address that the certificate has to be for [default: not checked]"))
        .arg(
            text("purpose", "ROLE", "role of the peer")
                .value_parser(PossibleValuesParser::new(["server", "client"]))
                .default_value("server"),
        )
        .arg(text("time", "RFC3339", "point in time to judge for, e.g. 2026-01-31T12:00:00Z [default: now]"))
        .arg(
            text("allow", "SWITCH", "tolerate a deviation; may be given several times")
                .action(ArgAction::Append)
                .value_parser(PossibleValuesParser::new(Deviation::ALL.iter().map(|switch| switch.name()))),
        )
        .arg(json())
        .args(some_options(&names))
        .args(OPTIONS.iter().filter(|row| row.group == OptionGroup::Revocation).map(option))
}

fn text(name: &'static str, placeholder: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(placeholder).help(help)
}

fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

fn json() -> Arg {
    flag("json", "print facts as JSON")
}

fn timeout() -> Arg {
    Arg::new("timeout")
        .long("timeout")
        .value_name("SECONDS")
        .value_parser(value_parser!(u64).range(1..=86_400))
        .default_value("10")
        .help("longest time for connecting and for the handshake")
}

/// The rows of these names, and of the limits, which every command that reads files has.
fn some_options(names: &[&str]) -> impl Iterator<Item = Arg> {
    let is_wanted = |row: &&OptionRow| names.contains(&row.name) || row.name.starts_with("max-");
    OPTIONS.iter().filter(is_wanted).map(option).collect::<Vec<_>>().into_iter()
}

/// The flag of a row. Switches may stand without a value, which then follows only after `=`.
fn option(row: &OptionRow) -> Arg {
    let arg = Arg::new(row.name)
        .long(row.name)
        .value_name(row.placeholder)
        .help(row.help)
        .help_heading(row.group.heading())
        .action(if row.repeats { ArgAction::Append } else { ArgAction::Set });
    match row.kind {
        OptionKind::Switch => arg.num_args(0..=1).require_equals(true).default_missing_value("yes"),
        _ => arg,
    }
}

/// The options of the table that were given, in the order in which they were given.
///
/// # Errors
/// What a value led to.
pub(crate) fn options(matches: &ArgMatches) -> Result<Options, Failure> {
    let mut options = Options::new();
    // The command prints how each connection ended.
    options.builder_mut().log_refusals(false);
    let mut given: Vec<(usize, &str, &String)> = Vec::new();
    for row in OPTIONS {
        // Not every command has every row.
        let Ok(Some(values)) = matches.try_get_many::<String>(row.name) else { continue };
        let indices = matches.indices_of(row.name).into_iter().flatten();
        given.extend(indices.zip(values).map(|(index, value)| (index, row.name, value)));
    }
    given.sort_unstable_by_key(|(index, _, _)| *index);
    for (_, name, value) in given {
        options.set(name, value)?;
    }
    let log = std::sync::Arc::new(|_, line: &str| complain(format_args!("{line}")));
    options.builder_mut().log(log);
    Ok(options)
}

/// Whether a flag was given.
pub(crate) fn is_set(matches: &ArgMatches, name: &str) -> bool {
    matches.get_flag(name)
}

/// The longest time for connecting and for the handshake.
pub(crate) fn time_limit(matches: &ArgMatches) -> Duration {
    Duration::from_secs(matches.get_one("timeout").copied().unwrap_or(10))
}
