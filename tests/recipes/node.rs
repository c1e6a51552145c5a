//! Node's `tls` as a peer, given options in the words of a document.

use std::process::Command;
use std::sync::OnceLock;

use brokertls::Context;

use crate::files::Files;
use crate::ours::{self, Meeting};
use crate::process::Running;

/// The sign of a received close_notify in the output of `enableTrace`.
const CLOSED: &str = "received close_notify";

/// The folder of the module that the scripts load.
fn module() -> &'static Files {
    static MODULE: OnceLock<Files> = OnceLock::new();
    MODULE.get_or_init(|| {
        let files = Files::new("node");
        files.write("peer.js", include_str!("peer.js"));
        files
    })
}

/// Runs a script where the files are. It begins with the `require` lines that the document takes for granted.
pub(crate) fn start(files: &Files, script: &str) -> Running {
    let peer = module().file("peer.js");
    let script = format!("const fs = require('fs'), peer = require('{}');\n{script}\n", peer.display());
    let mut command = Command::new("node");
    command.args(["-e", &script]).current_dir(files.path()).env_remove("NODE_OPTIONS");
    Running::start(&mut command)
}

/// Node connects to our server as amqplib does with `opts`, which the script sets.
pub(crate) fn client(context: &Context, files: &Files, script: &str) -> Meeting {
    let (listener, port) = ours::listener();
    let peer = start(files, &format!("{script}\npeer.connect('amqps://localhost:{port}', opts);"));
    let ours = ours::serve_lines(context, &listener, &peer);
    meeting(ours, peer)
}

/// Our client connects to a server of Node's with `opts`, which the script sets.
pub(crate) fn server(context: &Context, host: Option<&str>, files: &Files, script: &str) -> Meeting {
    let peer = start(files, &format!("{script}\npeer.serve(opts);"));
    let port = peer.port(0, "listening ");
    let ours = ours::connect_lines(context, host, port);
    meeting(ours, peer)
}

fn meeting(ours: brokertls::Result<ours::Seen>, peer: Running) -> Meeting {
    Meeting { ours, theirs: note_close(peer.finish().text), marks: &["done TLS", CLOSED], names_suite: true }
}

/// Adds [`CLOSED`] where the trace shows it; each record of the trace starts with who sent it.
fn note_close(text: String) -> String {
    let sent_or_received = text.replace("Sent Record", "\0").replace("Received Record", "\0<");
    let is_close = |record: &str| record.starts_with('<') && record.contains("description=close notify");
    match sent_or_received.split('\0').any(is_close) {
        true => text + CLOSED,
        false => text,
    }
}
