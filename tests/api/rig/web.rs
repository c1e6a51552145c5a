//! A web server for tests, on a port of its own of this machine, that can answer as badly as asked: late, never, too
//! much, garbage. It keeps what it was asked.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Nothing in a test waits longer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Between two bytes that trickle, and two looks at whether a hanging connection should end.
const STEP: Duration = Duration::from_millis(20);

/// The behaviour towards a request.
#[derive(Clone)]
pub(crate) enum Play {
    /// Status 200 with this body.
    Content(Vec<u8>),
    /// Status 200 with header lines (without line breaks at their ends) and this body.
    Fields(Vec<String>, Vec<u8>),
    /// This status and no body.
    Status(u16),
    /// A redirect of this status to this place.
    Redirect(u16, String),
    /// Status 304 where the request has this ETag or this date; status 200 with both and the body otherwise.
    Versioned { etag: &'static str, last_modified: &'static str, body: Vec<u8> },
    /// These bytes, then the end of the connection.
    Raw(Vec<u8>),
    /// These bytes, then nothing until the other side gives up.
    Hang(Vec<u8>),
    /// The first bytes at once, then the others a few a second, again and again.
    Trickle(Vec<u8>, Vec<u8>),
    /// These bytes, then so many zeros, as fast as they are taken.
    Flood(Vec<u8>, usize),
    /// As another, after `Web::release`.
    Held(Box<Self>),
}

impl Play {
    /// A head with these lines, then nothing.
    pub(crate) fn hang_after_head() -> Self {
        Self::Hang(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nsome".to_vec())
    }
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// The first line, without its version.
    pub(crate) line: String,
    /// The other lines of the head, in lower case.
    pub(crate) fields: Vec<String>,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    /// The value of a header field. Name and value are in lower case.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find_map(|field| field.strip_prefix(name)?.strip_prefix(": "))
    }
}

#[derive(Default)]
struct State {
    plays: Mutex<HashMap<String, Play>>,
    asked: Mutex<Vec<Asked>>,
    accepted: AtomicUsize,
    open: AtomicUsize,
    sent: AtomicUsize,
    is_stopped: AtomicBool,
    is_released: Mutex<bool>,
    released: Condvar,
}

/// The server; ends when it is dropped.
pub(crate) struct Web {
    port: u16,
    state: Arc<State>,
    acceptor: Option<JoinHandle<()>>,
}

impl Web {
    /// Answers all requests in the same way until [`Web::play`] changes it.
    pub(crate) fn playing(play: Play) -> Self {
        let web = Self::start(serve);
        web.play("*", play);
        web
    }

    /// Accepts connections and does nothing with them.
    pub(crate) fn deaf() -> Self {
        Self::start(hang)
    }

    fn start(serve: fn(&mut TcpStream, &State)) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        let acceptor = thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.is_stopped.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(mut stream) = stream else { continue };
                let state = Arc::clone(&shared);
                state.accepted.fetch_add(1, Ordering::Relaxed);
                state.open.fetch_add(1, Ordering::Relaxed);
                thread::spawn(move || {
                    serve(&mut stream, &state);
                    drop(stream);
                    state.open.fetch_sub(1, Ordering::Relaxed);
                });
            }
        });
        Self { port, state, acceptor: Some(acceptor) }
    }

    /// Answers requests for this path in this way from now on; `*` is every path without a behaviour of its own.
    pub(crate) fn play(&self, path: &str, play: Play) {
        self.state.plays.lock().unwrap().insert(path.to_owned(), play);
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The URL of a path, which begins with a slash.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The requests so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.state.asked.lock().unwrap().clone()
    }

    /// The number of connections accepted so far.
    pub(crate) fn accepted(&self) -> usize {
        self.state.accepted.load(Ordering::Relaxed)
    }

    /// The number of open connections.
    pub(crate) fn open(&self) -> usize {
        self.state.open.load(Ordering::Relaxed)
    }

    /// The number of bytes that floods have sent.
    pub(crate) fn sent(&self) -> usize {
        self.state.sent.load(Ordering::Relaxed)
    }

    /// Lets go of everything that is held, now and later.
    pub(crate) fn release(&self) {
        *self.state.is_released.lock().unwrap() = true;
        self.state.released.notify_all();
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.state.is_stopped.store(true, Ordering::Relaxed);
        self.release();
        // Wakes the acceptor.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        let _ = self.acceptor.take().map(JoinHandle::join);
    }
}

/// Waits until `is_so` returns true, and fails if it does not within [`PATIENCE`].
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "{what}: not so after {PATIENCE:?}");
        thread::sleep(Duration::from_millis(2));
    }
}

fn serve(stream: &mut TcpStream, state: &State) {
    let Some(asked) = read_request(stream) else { return };
    state.asked.lock().unwrap().push(asked.clone());
    let path = asked.line.split(' ').nth(1).unwrap_or_default().to_owned();
    let plays = state.plays.lock().unwrap();
    let play = plays.get(&path).or_else(|| plays.get("*")).cloned();
    drop(plays);
    act(stream, state, &asked, play.unwrap_or(Play::Status(404)));
}

fn act(stream: &mut TcpStream, state: &State, asked: &Asked, play: Play) {
    match play {
        Play::Content(body) => answer(stream, 200, &[], &body),
        Play::Fields(fields, body) => answer(stream, 200, &fields, &body),
        Play::Status(status) => answer(stream, status, &[], &[]),
        Play::Redirect(status, place) => answer(stream, status, &[format!("Location: {place}")], b"moved"),
        Play::Versioned { etag, last_modified, body } => {
            let is_known = asked.field("if-none-match") == Some(&etag.to_lowercase())
                || asked.field("if-modified-since") == Some(&last_modified.to_lowercase());
            let fields = [format!("ETag: {etag}"), format!("Last-Modified: {last_modified}")];
            match is_known {
                true => {
                    send(stream, format!("HTTP/1.1 304 Not Modified\r\n{}\r\n\r\n", fields.join("\r\n")).as_bytes())
                }
                false => answer(stream, 200, &fields, &body),
            }
        }
        Play::Raw(bytes) => send(stream, &bytes),
        Play::Hang(bytes) => {
            send(stream, &bytes);
            hang(stream, state);
        }
        Play::Trickle(first, bytes) => trickle(stream, state, &first, &bytes),
        Play::Flood(head, bytes) => flood(stream, state, &head, bytes),
        Play::Held(play) => {
            let is_released = state.is_released.lock().unwrap();
            drop(state.released.wait_timeout_while(is_released, PATIENCE, |is_released| !*is_released).unwrap());
            act(stream, state, asked, *play);
        }
    }
}

fn answer(stream: &mut TcpStream, status: u16, fields: &[String], body: &[u8]) {
    let mut head = format!("HTTP/1.1 {status} Status\r\nContent-Length: {}\r\n", body.len());
    for field in fields {
        head += &format!("{field}\r\n");
    }
    send(stream, &[head.as_bytes(), b"\r\n", body].concat());
}

/// Bytes that the other side does not take are lost, as with any server.
fn send(stream: &mut TcpStream, bytes: &[u8]) {
    let _ = stream.write_all(bytes);
}

/// Until the other side closes.
fn hang(stream: &mut TcpStream, state: &State) {
    let end = Instant::now() + PATIENCE;
    stream.set_read_timeout(Some(STEP)).unwrap();
    while Instant::now() < end && !state.is_stopped.load(Ordering::Relaxed) {
        match stream.read(&mut [0; 1024]) {
            Ok(0) => return,
            Err(error) if !matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {
                return;
            }
            _ => {}
        }
    }
}

fn trickle(stream: &mut TcpStream, state: &State, first: &[u8], bytes: &[u8]) {
    let end = Instant::now() + PATIENCE;
    send(stream, first);
    for byte in bytes.iter().cycle() {
        let is_over = Instant::now() > end || state.is_stopped.load(Ordering::Relaxed);
        if is_over || stream.write_all(&[*byte]).is_err() {
            return;
        }
        thread::sleep(STEP);
    }
}

fn flood(stream: &mut TcpStream, state: &State, head: &[u8], bytes: usize) {
    send(stream, head);
    let piece = [0; 64 * 1024];
    let mut left = bytes;
    while left > 0 && !state.is_stopped.load(Ordering::Relaxed) {
        let size = left.min(piece.len());
        if stream.write_all(&piece[..size]).is_err() {
            return;
        }
        state.sent.fetch_add(size, Ordering::Relaxed);
        left -= size;
    }
}

fn read_request(stream: &mut TcpStream) -> Option<Asked> {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        read_more(stream, &mut bytes)?;
    };
    let mut body = bytes.split_off(end + 4);
    let head = String::from_utf8(bytes).unwrap();
    let mut lines = head.trim_end().split("\r\n");
    let line = lines.next()?.strip_suffix(" HTTP/1.1")?.to_owned();
    let asked = Asked { line, fields: lines.map(str::to_lowercase).collect(), body: Vec::new() };
    let length: usize = asked.field("content-length").map_or(0, |length| length.parse().unwrap());
    while body.len() < length {
        read_more(stream, &mut body)?;
    }
    Some(Asked { body, ..asked })
}

fn read_more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<()> {
    let mut piece = [0; 4096];
    let size = stream.read(&mut piece).ok().filter(|size| *size > 0)?;
    bytes.extend_from_slice(&piece[..size]);
    Some(())
}
