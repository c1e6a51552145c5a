//! Programs run beside the tests: started with pipes, watched with a limit on every wait, ended by their own handle.
//!
//! Nothing here knows what the programs do.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// The longest that anything is waited for. Long, because a busy machine must not fail a test; finite, so that a test
/// that goes wrong ends.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The output of a program so far, from stdout and stderr.
#[derive(Default)]
struct Printed {
    state: Mutex<(Vec<u8>, usize)>,
    changed: Condvar,
}

impl Printed {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.state.lock().unwrap().0).into_owned()
    }

    /// Collects one output until it ends.
    fn collect(self: &Arc<Self>, mut output: impl Read + Send + 'static) {
        self.state.lock().unwrap().1 += 1;
        let printed = Arc::clone(self);
        thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut chunk) {
                printed.state.lock().unwrap().0.extend_from_slice(&chunk[..count]);
                printed.changed.notify_all();
            }
            printed.state.lock().unwrap().1 -= 1;
            printed.changed.notify_all();
        });
    }

    /// Waits until `is_enough` of the text, or until all outputs have ended; gives the text.
    fn wait(&self, what: &str, is_enough: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.state.lock().unwrap();
        loop {
            let text = String::from_utf8_lossy(&state.0).into_owned();
            if is_enough(&text) || state.1 == 0 {
                return text;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                drop(state);
                panic!("waited too long for {what}; it printed:\n{text}");
            }
            state = self.changed.wait_timeout(state, left).unwrap().0;
        }
    }
}

/// A program under way. Dropping it ends it.
pub(crate) struct Running {
    name: String,
    child: Child,
    input: Option<ChildStdin>,
    printed: Arc<Printed>,
}

/// The end of a program.
pub(crate) struct Finished {
    /// All that it printed, standard output and standard error as they came.
    pub(crate) text: String,
    /// Its exit status.
    pub(crate) status: ExitStatus,
}

impl Running {
    /// Starts a program with pipes at its input and outputs.
    pub(crate) fn start(command: &mut Command) -> Self {
        let name = format!("{command:?}");
        let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = spawned.unwrap_or_else(|error| panic!("{name}: {error}"));
        let printed = Arc::new(Printed::default());
        printed.collect(child.stdout.take().unwrap());
        printed.collect(child.stderr.take().unwrap());
        let input = child.stdin.take();
        Self { name, child, input, printed }
    }

    /// Writes to its input; that it has ended meanwhile shows in what it printed.
    pub(crate) fn send(&mut self, text: &str) {
        if let Some(input) = &mut self.input {
            let _ = input.write_all(text.as_bytes()).and_then(|()| input.flush());
        }
    }

    /// Closes its input.
    pub(crate) fn end_input(&mut self) {
        self.input = None;
    }

    /// The output so far.
    pub(crate) fn printed(&self) -> String {
        self.printed.text()
    }

    /// Waits until it has printed, after its first `from` bytes, a line that starts with one of `starts`; gives that
    /// line.
    pub(crate) fn line(&self, from: usize, starts: &[&str]) -> String {
        let find = |text: &str| {
            let whole =
                text.get(from..).and_then(|text| text.rsplit_once('\n')).map_or("", |(whole, _)| whole).to_owned();
            whole.lines().find(|line| starts.iter().any(|start| line.starts_with(start))).map(str::to_owned)
        };
        let text = self.printed.wait(&self.name, |text| find(text).is_some());
        find(&text).unwrap_or_else(|| panic!("{} never printed {starts:?}, but:\n{text}", self.name))
    }

    /// Waits for the port number in a line that starts so.
    pub(crate) fn port(&self, from: usize, start: &str) -> u16 {
        self.line(from, &[start])[start.len()..].trim().parse().unwrap()
    }

    /// Waits until it has printed `wanted` or ended; says whether it was printed.
    pub(crate) fn prints(&self, wanted: &str) -> bool {
        self.printed.wait(&self.name, |text| text.contains(wanted)).contains(wanted)
    }

    /// True if both outputs are closed, as they are when the program has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.printed.state.lock().unwrap().1 == 0
    }

    /// Waits until it connects.
    pub(crate) fn accepted_by(&self, listener: &TcpListener) -> TcpStream {
        listener.set_nonblocking(true).unwrap();
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Ok((socket, _)) = listener.accept() {
                socket.set_nonblocking(false).unwrap();
                return socket;
            }
            let is_over = self.has_ended() || Instant::now() > deadline;
            assert!(!is_over, "{} does not connect; it printed:\n{}", self.name, self.printed());
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Waits for its end.
    pub(crate) fn finish(mut self) -> Finished {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "{} does not end; it printed:\n{}", self.name, self.printed());
            thread::sleep(Duration::from_millis(5));
        };
        Finished { text: self.printed.wait(&self.name, |_| false), status }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
