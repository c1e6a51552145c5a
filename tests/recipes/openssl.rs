//! The `openssl` command as a peer: `s_client` and `s_server`.

use std::process::Command;

use brokertls::Context;

use crate::files::Files;
use crate::ours::{self, CLIENT_SAYS, Meeting, SERVER_SAYS};
use crate::process::Running;

/// The option that allows this version alone.
pub(crate) fn only(version: &str) -> &'static str {
    match version {
        "TLSv1.2" => "-tls1_2",
        _ => "-tls1_3",
    }
}

fn start(files: &Files, fixed: &str, arguments: &str) -> Running {
    let mut command = Command::new("openssl");
    command.args(fixed.split_whitespace()).args(arguments.split_whitespace()).current_dir(files.path());
    Running::start(&mut command)
}

/// `s_client` with these arguments, run where the files are, connects to our server and refuses what it cannot verify.
pub(crate) fn client(context: &Context, files: &Files, arguments: &str) -> Meeting {
    let (listener, port) = ours::listener();
    let fixed = format!("s_client -connect 127.0.0.1:{port} -msg -verify_return_error");
    let mut peer = start(files, &fixed, arguments);
    peer.send(CLIENT_SAYS);
    let ours = ours::serve_lines(context, &listener, &peer);
    if ours.is_err() {
        peer.end_input();
    }
    let theirs = note_close(peer.finish().text);
    Meeting { ours, theirs, marks: &["Verify return code: 0 (ok)", SERVER_SAYS, CLOSED], names_suite: true }
}

/// Our client connects to `s_server` with these arguments, run where the files are.
pub(crate) fn server(context: &Context, host: Option<&str>, files: &Files, arguments: &str) -> Meeting {
    let mut peer = start(files, "s_server -accept 127.0.0.1:0 -naccept 1 -msg -verify_return_error", arguments);
    let port = peer.port(0, "ACCEPT 127.0.0.1:");
    let ours = ours::connect(context, host, port, |talk| {
        talk.write(CLIENT_SAYS.as_bytes())?;
        peer.prints(CLIENT_SAYS);
        peer.send(SERVER_SAYS);
        talk.hear(SERVER_SAYS)?;
        talk.close()
    });
    Meeting { ours, theirs: note_close(peer.finish().text), marks: &[CLIENT_SAYS, CLOSED], names_suite: true }
}

/// The sign of a received close_notify in the output of the option `-msg`.
const CLOSED: &str = "received close_notify";

/// Adds [`CLOSED`] where the lines of `-msg` say so, in either version's words.
fn note_close(text: String) -> String {
    let is_close = |line: &str| line.starts_with("<<<") && line.ends_with("warning close_notify");
    match text.lines().any(is_close) {
        true => text + CLOSED,
        false => text,
    }
}
