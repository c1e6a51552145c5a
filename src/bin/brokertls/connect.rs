//! `brokertls connect`: a client that relays standard input and output.

use std::fmt::Display;
use std::fs::File;
use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::os::fd::AsFd;
use std::time::Duration;

use brokertls::error::Category;
use brokertls::options::switch;
use brokertls::{Context, TrustSource};
use clap::ArgMatches;
use serde_json::json;

use crate::arguments::{is_set, options, time_limit};
use crate::facts::{connection_json, connection_lines};
use crate::report::{EXIT_OK, EXIT_REFUSED, Failure, Outcome, complain, error_json, print};
use crate::transport::{Session, io_error};

/// The address of the server, and the name that its certificate must have.
struct Target<'a> {
    host: &'a str,
    port: u16,
    name: &'a str,
    limit: Duration,
}

pub(crate) fn run(matches: &ArgMatches) -> Outcome {
    let shown = Shown { is_brief: is_set(matches, "brief"), is_json: is_set(matches, "json") };
    match talk(matches, &shown) {
        // With --json, an error is JSON too. Wrong usage is a text.
        Err(Failure::Library(error)) if shown.is_json && error.code().category() != Category::Usage => {
            shown.line(&json!({ "error": error_json(&error) }))?;
            Ok(EXIT_REFUSED)
        }
        outcome => outcome,
    }
}

fn talk(matches: &ArgMatches, shown: &Shown) -> Outcome {
    let target = Target::from_matches(matches)?;
    let context = context(matches)?;
    if is_set(matches, "reconnect") {
        let mut first = target.open(&context)?;
        shown.facts(&first)?;
        first.close(target.limit)?;
    }
    let mut session = target.open(&context)?;
    if shown.is_brief {
        // The server answers close_notify or an alert: only it knows if it accepts the client's certificate.
        session.close(target.limit)?;
        shown.facts(&session)?;
        return Ok(EXIT_OK);
    }
    shown.facts(&session)?;
    // Without a buffer, so that a wait for the descriptor is a wait for input.
    let mut input = File::from(io::stdin().as_fd().try_clone_to_owned().map_err(io_error)?);
    session.relay(&mut input, &mut io::stdout().lock())?;
    Ok(EXIT_OK)
}

/// The form of the facts. Standard output carries the peer's data, or with --brief the facts.
struct Shown {
    is_brief: bool,
    is_json: bool,
}

impl Shown {
    fn facts(&self, session: &Session) -> Result<(), Failure> {
        let connection = session.connection();
        match self.is_json {
            true => self.line(&connection_json(connection)),
            false => connection_lines(connection).iter().try_for_each(|line| self.line(line)),
        }
    }

    fn line(&self, line: &dyn Display) -> Result<(), Failure> {
        match self.is_brief {
            true => print(format_args!("{line}")),
            false => {
                complain(format_args!("{line}"));
                Ok(())
            }
        }
    }
}

/// Makes the context of the options. Without a trust option, it trusts the roots of the system, unless it has a key.
fn context(matches: &ArgMatches) -> Result<Context, Failure> {
    let mut options = options(matches)?;
    let accepts_any = matches.get_one::<String>("insecure-accept-any-server").map(|text| switch(text)).transpose()?;
    let has_key = matches.contains_id("psk-identity");
    if options.trust_sources()?.is_empty() && accepts_any != Some(true) && !has_key {
        options.builder_mut().trust(TrustSource::System);
    }
    Ok(options.build()?)
}

impl<'a> Target<'a> {
    fn from_matches(matches: &'a ArgMatches) -> Result<Self, Failure> {
        let address = matches.get_one::<String>("address").map(String::as_str).unwrap_or_default();
        let wrong = || Failure::usage(format!("{address:?} is not HOST:PORT"));
        let (host, port) = address.rsplit_once(':').ok_or_else(wrong)?;
        let port = port.parse().map_err(|_| wrong())?;
        // An IPv6 address has brackets, so that its colons are not taken for the port's.
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let host = bare.unwrap_or(host);
        if host.is_empty() || (host.contains(':') && bare.is_none()) {
            return Err(wrong());
        }
        let name = matches.get_one::<String>("server-name").map_or(host, String::as_str);
        Ok(Self { host, port, name, limit: time_limit(matches) })
    }

    /// Connects and completes the handshake.
    fn open(&self, context: &Context) -> Result<Session, Failure> {
        let connection = context.connect(Some(self.name))?;
        let mut session = Session::new(connection, self.dial()?)?;
        session.handshake(self.limit)?;
        Ok(session)
    }

    /// Tries each address of the host in turn.
    fn dial(&self) -> Result<TcpStream, Failure> {
        let place = format!("{}:{}", self.host, self.port);
        let failed = |error: io::Error| Failure::Library(io_error(error).at(&place));
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
        for address in (self.host, self.port).to_socket_addrs().map_err(failed)? {
            match TcpStream::connect_timeout(&address, self.limit) {
                Ok(socket) => return Ok(socket),
                Err(error) => last = error,
            }
        }
        Err(failed(last))
    }
}
