//! The programs in C, each for both libraries, and what they print.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The processor of the server; the generator of load has the other one.
const SERVER_PROCESSOR: usize = 0;

/// A library that serves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Brokertls,
    OpenSsl,
}

impl Side {
    pub const BOTH: [Self; 2] = [Self::Brokertls, Self::OpenSsl];

    fn choose(self, brokertls: &'static str, openssl: &'static str) -> Command {
        Command::new(if self == Self::Brokertls { brokertls } else { openssl })
    }

    pub fn idle(self) -> Command {
        self.choose(env!("IDLE_BROKERTLS"), env!("IDLE_OPENSSL"))
    }

    pub fn scaling(self) -> Command {
        self.choose(env!("SCALING_BROKERTLS"), env!("SCALING_OPENSSL"))
    }

    fn echo(self) -> Command {
        self.choose(env!("ECHO_BROKERTLS"), env!("ECHO_OPENSSL"))
    }
}

/// If a server requires a client's certificate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Clients {
    Unknown,
    Certified,
}

impl Clients {
    pub const BOTH: [Self; 2] = [Self::Unknown, Self::Certified];

    pub fn argument(self) -> &'static str {
        match self {
            Self::Unknown => "none",
            Self::Certified => "certificates",
        }
    }

    /// The end of the name of a row.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Unknown => "",
            Self::Certified => ", client certificates",
        }
    }
}

/// Names with numbers, as a line of a program has them.
pub struct Numbers(HashMap<String, f64>);

impl Numbers {
    fn of(line: &str) -> Self {
        let words: Vec<&str> = line.split_whitespace().collect();
        Self(words.chunks_exact(2).map(|pair| (pair[0].to_owned(), pair[1].parse().unwrap())).collect())
    }

    pub fn get(&self, name: &str) -> f64 {
        *self.0.get(name).unwrap_or_else(|| panic!("the program prints no {name}"))
    }
}

/// Runs a program to its end: the name of its library, and its lines of numbers.
pub fn run(command: &mut Command) -> (String, Vec<Numbers>) {
    let output = command.stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "{command:?} failed");
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines = text.lines();
    let library = lines.next().unwrap().strip_prefix("library ").unwrap().to_owned();
    (library, lines.map(Numbers::of).collect())
}

/// An echo server in a process of its own.
pub struct Server {
    child: Child,
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    pub library: String,
    pub port: u16,
}

impl Server {
    pub fn start(side: Side, folder: &Path, version: &str, clients: Clients) -> Self {
        let mut command = side.echo();
        command.arg(folder).args([version, clients.argument(), &SERVER_PROCESSOR.to_string()]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let commands = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().unwrap());
        let mut server = Self { child, commands, answers, library: String::new(), port: 0 };
        server.library = server.line();
        server.port = server.line().parse().unwrap();
        server
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        assert_ne!(self.answers.read_line(&mut line).unwrap(), 0, "the server has ended");
        line.trim_end().to_owned()
    }

    fn ask(&mut self, command: &[u8]) -> Numbers {
        self.commands.as_mut().unwrap().write_all(command).unwrap();
        Numbers::of(&self.line())
    }

    /// Processor seconds, memory, connections and echoed bytes so far.
    pub fn state(&mut self) -> Numbers {
        self.ask(b"s")
    }

    /// Resets every connection, as a server does that goes down.
    pub fn drop_all(&mut self) -> Numbers {
        self.ask(b"d")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.commands.take());
        let _ = self.child.wait();
    }
}
