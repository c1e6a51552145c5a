//! The programs of the sides. Each is a process, because their libraries have functions of the same name.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use brokertls_bench_side::serve::{NONE, READY};

/// A side by the name of its program, and the name that the tables have for it.
#[derive(Clone, Copy)]
pub struct Name {
    pub program: &'static str,
    pub shown: &'static str,
}

/// All sides in the order of the columns. The others are compared with the first.
pub const ALL: [Name; 7] = [
    Name { program: "brokertls", shown: "brokertls" },
    Name { program: "rustls", shown: "rustls" },
    Name { program: "openssl4", shown: "OpenSSL" },
    Name { program: "boringssl", shown: "BoringSSL" },
    Name { program: "s2n", shown: "s2n-tls" },
    Name { program: "rustls-ffi", shown: "rustls-ffi" },
    Name { program: "raw", shown: "raw AEAD" },
];

/// A side that runs, until this is dropped.
pub struct Process {
    pub name: Name,
    /// The library and its version, in the words of the side.
    pub version: String,
    child: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Process {
    /// Starts the program of a side, which lies beside this one. It reads its certificates from `folder`.
    pub fn start(name: Name, folder: &Path) -> Self {
        let program = std::env::current_exe().unwrap().with_file_name(format!("side-{}", name.program));
        let mut child = Command::new(&program)
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}; `make bench` builds it", program.display()));
        let questions = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().unwrap());
        let mut process = Self { name, version: String::new(), child, questions, answers };
        process.version = process.answer();
        process
    }

    /// Makes a case ready, or gives the reason why the side does not have it.
    pub fn prepare(&mut self, case: &str) -> Result<(), String> {
        let answer = self.ask(&format!("case {case}"));
        if answer == READY {
            return Ok(());
        }
        let reason = answer.strip_prefix(NONE).unwrap_or_else(|| panic!("{}: {answer}", self.name.program));
        Err(reason.trim().to_owned())
    }

    /// Runs one round of the case and returns its rate.
    pub fn round(&mut self) -> f64 {
        self.ask("round").parse().unwrap()
    }

    fn ask(&mut self, question: &str) -> String {
        let questions = self.questions.as_mut().unwrap();
        writeln!(questions, "{question}").and_then(|()| questions.flush()).unwrap();
        self.answer()
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        assert!(line.ends_with('\n'), "the program of {} has ended", self.name.program);
        line.trim_end().to_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.questions.take());
        let _ = self.child.wait();
    }
}
