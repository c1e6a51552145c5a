//! Java's own TLS as a peer: one virtual machine that makes connection after connection.

use std::process::Command;
use std::sync::OnceLock;

use brokertls::{Context, Result};

use crate::files::Files;
use crate::ours::{self, Meeting, Seen};
use crate::process::Running;

/// A virtual machine that runs `Peer.java`.
pub(crate) struct Jvm(Running);

/// The folder of the compiled class.
fn classes() -> &'static Files {
    static CLASSES: OnceLock<Files> = OnceLock::new();
    CLASSES.get_or_init(|| {
        let files = Files::new("java");
        files.write("Peer.java", include_str!("Peer.java"));
        files.run("javac Peer.java", &[]);
        files
    })
}

impl Jvm {
    /// Starts one in the folder of the recipe, with the options that its document gives.
    pub(crate) fn start(files: &Files, options: &[&str]) -> Self {
        let mut command = Command::new("java");
        // Without it, Java takes a connection that is cut off for one that was closed.
        command.arg("-Dcom.sun.net.ssl.requireCloseNotify=true").args(["-XX:TieredStopAtLevel=1", "-Xmx64m"]);
        command.args(options).arg("-cp").arg(classes().path()).arg("Peer").current_dir(files.path());
        Self(Running::start(&mut command))
    }

    /// Java connects to our server.
    pub(crate) fn client(&mut self, context: &Context, settings: &[&str]) -> Meeting {
        let (listener, port) = ours::listener();
        let from = self.command("connect", &[&[format!("port={port}").as_str()], settings].concat());
        let ours = ours::serve_lines(context, &listener, &self.0);
        self.meeting(ours, from)
    }

    /// Our client connects to Java.
    pub(crate) fn server(&mut self, context: &Context, host: Option<&str>, settings: &[&str]) -> Meeting {
        let from = self.command("serve", settings);
        let port = self.0.port(from, "listening ");
        let ours = ours::connect_lines(context, host, port);
        self.meeting(ours, from)
    }

    fn command(&mut self, verb: &str, settings: &[&str]) -> usize {
        let from = self.0.printed().len();
        self.0.send(&format!("{verb}\t{}\n", settings.join("\t")));
        from
    }

    fn meeting(&self, ours: Result<Seen>, from: usize) -> Meeting {
        Meeting {
            ours,
            theirs: self.0.line(from, &["done ", "failed "]),
            marks: &["done closed cleanly"],
            names_suite: true,
        }
    }
}
