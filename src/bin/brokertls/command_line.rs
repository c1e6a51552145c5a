//! The definition of the command line. The flags of a context come from the library's table of options.
//!
//! The manual page is written from this file, so that it uses only the library and clap.

use brokertls::convert::{CONVERT_OPTIONS, ConvertRow};
use brokertls::options::{OPTIONS, OptionGroup, OptionKind, OptionRow};
use brokertls::verify::Deviation;
use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, Command, value_parser};

const ABOUT: &str = "\
TLS for message brokers, from the shell: connects to a broker, acts as one, shows and converts keystores, verifies \
certificates.";

const COMMANDS: &str = "\
For the options of a command: brokertls connect --help";

const PASSWORDS: &str = "\
Passwords: pass:TEXT, env:VARIABLE, file:PATH, which takes the first line of the file, stdin, or fd:NUMBER. Each \
password from stdin, or from one descriptor, is the next line.";

const STORES: &str = "\
The options of one identity (--cert, --key, --alias, --type and its passwords) may stand in any order. An option that \
is given again starts the next identity. The options of a trust store follow the same rule.";

const CONNECT: &str = "\
Copies standard input to the peer, and the peer's data to standard output, like openssl s_client. Prints the facts of \
the connection to standard error first. Without a trust option, the roots of the system are trusted, unless \
--psk-identity names a key.";

const CONNECT_EXAMPLES: &str = "\
Examples:
  brokertls connect broker.example:8883 --trust ca.pem
  brokertls connect localhost:61617 --cert client.ks --password pass:1 --trust client.ts --trust-password pass:2
  brokertls connect broker.example:8883 --brief --json

Exit code: 0 connected, 1 refused or failed, 2 wrong usage.";

const SERVE: &str = "\
Accepts connections, like openssl s_server. The first line of output is the port. Each connection adds a line with the \
client's name or the reason for the refusal.";

const SERVE_EXAMPLES: &str = "\
Examples:
  brokertls serve --cert broker.ks --password env:BROKER_PASSWORD
  brokertls serve --port 0 --echo --cert cert.pem --key key.pem --trust ca.pem --client-auth need

Exit code: 0 after the number of --connections, 1 failed, 2 wrong usage.";

const INSPECT: &str = "\
Shows the entries of a keystore: aliases, certificates, dates and types of keys. For each key, it reports if a context \
can use it, what peers would refuse, and how to fix that. Of revocation lists (CRL) and OCSP responses, in DER or PEM, \
it shows the content; verify checks their signatures. Of a file of pre-shared keys, it counts the keys and shows \
neither identities nor secrets. Subjects and issuers are in the form of RFC 4514, the last \
relative name first: CN=broker,O=Example.";

const INSPECT_EXAMPLES: &str = "\
Examples:
  brokertls inspect broker.ks --password pass:password
  brokertls inspect server.pem --json
  brokertls inspect ca.crl
  brokertls inspect init.psk --psk-format text

Exit code: 0 read, 1 not readable, 2 wrong usage.";

const VERIFY: &str = "\
The first line of output is `accepted` or `refused CODE: message`, also if a file cannot be read.";

const VERIFY_EXAMPLES: &str = "\
Examples:
  brokertls verify --chain server.pem --trust ca.pem --name broker.example
  brokertls verify --chain client.pem --trust broker.ts --trust-password pass:secret --purpose client
  brokertls verify --chain client.pem --trust ca.pem --purpose client --crl ca.crl
  brokertls verify --chain old.pem --trust ca.pem --time 2020-06-01T00:00:00Z --allow insecure-rsa-1024

Exit code: 0 accepted, 1 refused, 2 wrong usage.";

const CONVERT: &str = "\
Reads a keystore, or certificates and keys (PEM, DER, PKCS#12, JKS, JCEKS), and writes OUT as PKCS#12 or PEM. OUT is a \
new file that only its owner can read. It is written whole or not at all. An entry that cannot be read is an error, \
unless --alias selects others. An entry of a kind that OUT cannot hold is a warning. PKCS#12 keeps the aliases, and \
which certificates are trusted. PEM keeps neither, so keys and trusted certificates go into two files.";

const CONVERT_EXAMPLES: &str = "\
Examples:
  brokertls convert broker.ks broker.p12 --password pass:old --out-password env:NEW_PASSWORD
  brokertls convert broker.ks server.pem --password stdin --part chain
  brokertls convert broker.ks server.key --password stdin --part key
  brokertls convert broker.ts ca.pem --password stdin
  brokertls convert server.pem broker.p12 --key server.key --name broker --out-password stdin

Exit code: 0 written, 1 failed, 2 wrong usage.";

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
        .subcommand(convert())
        .subcommand(verify())
}

fn connect() -> Command {
    Command::new("connect")
        .about("Connect to a server and relay standard input and output")
        .after_help(format!("{CONNECT}\n\n{STORES}\n\n{PASSWORDS}\n\n{CONNECT_EXAMPLES}"))
        .arg(Arg::new("address").value_name("HOST:PORT").required(true).help("server to connect to"))
        .arg(text("server-name", "NAME", "server name to send (SNI) and to verify [default: HOST]"))
        .arg(flag("brief", "stop after the handshake and print the facts to standard output"))
        .arg(flag("reconnect", "connect twice, to check that the session is resumed"))
        .arg(json())
        .arg(timeout())
        .args(OPTIONS.iter().map(option))
}

fn serve() -> Command {
    Command::new("serve")
        .about("Accept TLS connections and report each client")
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
                .help("number of connections after which to stop [default: no limit]"),
        )
        .arg(json())
        .arg(timeout())
        .args(OPTIONS.iter().map(option))
}

fn inspect() -> Command {
    let names = ["type", "password", "key-password", "insecure-allow-missing-mac", "psk-format", "psk-separator"];
    Command::new("inspect")
        .about("Show the content of a keystore, certificate, CRL, OCSP response or file of pre-shared keys")
        .after_help(format!("{INSPECT}\n\n{PASSWORDS}\n\n{INSPECT_EXAMPLES}"))
        .arg(Arg::new("file").value_name("FILE").required(true).help("file to read"))
        .arg(json())
        .args(some_options(&names))
}

fn convert() -> Command {
    Command::new("convert")
        .about("Convert a keystore, or certificates and keys, to PKCS#12 or PEM")
        .after_help(format!("{CONVERT}\n\n{PASSWORDS}\n\n{CONVERT_EXAMPLES}"))
        .arg(Arg::new("in").value_name("IN").required(true).help("file to read"))
        .arg(Arg::new("out").value_name("OUT").required(true).help("file to write"))
        .arg(json())
        .args(CONVERT_OPTIONS.iter().map(setting))
}

fn verify() -> Command {
    let names =
        ["type", "password", "trust", "trust-type", "trust-password", "system-trust", "insecure-allow-missing-mac"];
    Command::new("verify")
        .about("Verify a certificate chain as a connection does")
        .after_help(format!("{VERIFY}\n\n{PASSWORDS}\n\n{VERIFY_EXAMPLES}"))
        .arg(text("chain", "FILE", "chain in the order a peer sends it, end entity first").required(true))
        .arg(text(
            "name",
            "NAME",
            "host name or IP address that the certificate must be valid for [default: not checked]",
        ))
        .arg(
            text("purpose", "ROLE", "role of the peer")
                .value_parser(PossibleValuesParser::new(["server", "client"]))
                .default_value("server"),
        )
        .arg(text("time", "RFC3339", "time to verify at, e.g. 2026-01-31T12:00:00Z [default: now]"))
        .arg(
            text("allow", "SWITCH", "deviation to tolerate; may be given several times")
                .action(ArgAction::Append)
                .value_parser(PossibleValuesParser::new(Deviation::ALL.iter().map(|deviation| deviation.name()))),
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
    flag("json", "print the facts as JSON")
}

fn timeout() -> Arg {
    Arg::new("timeout")
        .long("timeout")
        .value_name("SECONDS")
        .value_parser(value_parser!(u64).range(1..=86_400))
        .default_value("10")
        .help("time limit of the connect and of the handshake")
}

/// The rows of these names, and those of the limits, which every command that reads files has.
fn some_options(names: &[&str]) -> impl Iterator<Item = Arg> {
    let is_wanted = |row: &&OptionRow| names.contains(&row.name) || row.name.starts_with("max-");
    OPTIONS.iter().filter(is_wanted).map(option).collect::<Vec<_>>().into_iter()
}

/// The flag of a row. The value of a switch is optional and follows `=` only.
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

/// The flag of a setting of a conversion.
fn setting(row: &ConvertRow) -> Arg {
    let action = if row.repeats { ArgAction::Append } else { ArgAction::Set };
    let arg = text(row.name, row.placeholder, row.help).action(action);
    match row.kind {
        OptionKind::Switch => arg.num_args(0..=1).require_equals(true).default_missing_value("yes"),
        _ => arg,
    }
}
