//! The command: how it is run in tests, its usage and help.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use brokertls::options::OPTIONS;

/// What a run of the command came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn first_line(&self) -> &str {
        self.out.lines().next().unwrap_or_default()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(self.first_line()).unwrap()
    }
}

/// The command with these arguments.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_brokertls"));
    command.args(arguments);
    command
}

/// Runs the command to its end, with `input` as its standard input.
pub(crate) fn run_with_input(arguments: &[&str], input: &[u8]) -> Ran {
    let mut command = command(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // On a thread of its own, because the command answers before it has read everything; and it may end early.
    let writer = std::thread::spawn(move || _ = stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

pub(crate) fn run(arguments: &[&str]) -> Ran {
    run_with_input(arguments, b"")
}

/// The folder of one test, empty at first.
pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("command").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Writes a file and gives its path.
pub(crate) fn file(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = folder.join(name);
    fs::write(&path, content).unwrap();
    path.into_os_string().into_string().unwrap()
}

/// `brokertls serve` on a port that the system chose, or another server that tells lines; ended when dropped.
pub(crate) struct Server {
    child: Child,
    out: BufReader<ChildStdout>,
    pub(crate) port: String,
}

impl Server {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut command = command(&["serve", "--port", "0"]);
        let mut child = command.args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut port = String::new();
        out.read_line(&mut port).unwrap();
        Self { child, out, port: port.trim_end().to_owned() }
    }

    pub(crate) fn address(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// The next line that the server prints.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        line
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn help_lists_every_command_and_every_option_of_a_context() {
    let help = run(&["--help"]);
    assert_eq!(help.code, 0);
    for name in ["connect", "serve", "inspect", "verify"] {
        assert!(help.out.contains(&format!("  {name} ")), "{}", help.out);
        let help = run(&[name, "--help"]);
        assert_eq!(help.code, 0);
        assert!(help.out.contains("Exit code:") && help.out.contains("Examples:"), "{}", help.out);
    }
    for name in ["connect", "serve"] {
        let help = run(&[name, "--help"]).out;
        for row in OPTIONS {
            assert!(help.contains(&format!("--{}", row.name)), "{name} {}", row.name);
        }
    }
}

#[test]
fn wrong_usage_exits_with_two_and_says_what_is_wrong() {
    let wrong: &[(&[&str], &str)] = &[
        (&[], "Usage"),
        (&["conect"], "connect"),
        (&["connect"], "HOST:PORT"),
        (&["connect", "localhost"], "HOST:PORT"),
        (&["connect", "localhost:99999"], "HOST:PORT"),
        (&["connect", "::1:443"], "HOST:PORT"),
        (&["connect", "localhost:1", "--versoins", "TLS"], "--versions"),
        (&["connect", "localhost:1", "--versions", "TLSv1.4"], "VERSION_NOT_SUPPORTED"),
        (&["connect", "localhost:1", "--cipher-suites", "AES128-SHA", "--insecure-accept-any-server"], "static RSA"),
        (&["connect", "localhost:1", "--password", "secret"], "pass:TEXT"),
        (&["connect", "localhost:1", "--timeout", "0"], "--timeout"),
        (&["serve"], "NO_IDENTITY"),
        (&["serve", "--port", "70000"], "--port"),
        (&["serve", "--bind", "localhost"], "--bind"),
        (&["inspect"], "FILE"),
        (&["verify", "--trust", "ca.pem"], "--chain"),
        (&["verify", "--chain", "server.pem"], "--trust"),
        (&["verify", "--chain", "a", "--trust", "b", "--time", "yesterday"], "INVALID_TIME"),
        (&["verify", "--chain", "a", "--trust", "b", "--purpose", "broker"], "--purpose"),
        (&["verify", "--chain", "a", "--trust", "b", "--allow", "everything"], "--allow"),
        (&["verify", "--chain", "a", "--trust", "b", "--name", "not a name"], "--name"),
    ];
    for (arguments, told) in wrong {
        let ran = run(arguments);
        assert_eq!(ran.code, 2, "{arguments:?}: {ran:?}");
        assert!(ran.err.contains(told), "{arguments:?}: {ran:?}");
        assert!(ran.out.is_empty(), "{arguments:?}: {ran:?}");
    }
}

#[test]
fn password_on_the_command_line_is_not_repeated_in_messages() {
    for arguments in [["--password", "hunter2"], ["--password", "file:/nonexistent/hunter"]] {
        let ran = run(&[&["inspect", "/nonexistent"], arguments.as_slice()].concat());
        assert!(!ran.err.contains("hunter2"), "{ran:?}");
    }
}

#[test]
fn output_that_nobody_reads_ends_the_command_quietly() {
    let pipe = format!("'{}' connect --help | true", env!("CARGO_BIN_EXE_brokertls"));
    let output = Command::new("bash").args(["-c", &pipe]).output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}
