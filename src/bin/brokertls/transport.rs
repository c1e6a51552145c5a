//! A stream over a TCP socket with a time limit. It waits for the socket, and for standard input if needed.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

use brokertls::error::{Code, Error, Result};
use brokertls::{Connection, Status, Stream};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// The size of a read or write, in bytes.
const CHUNK_BYTES: usize = 16 * 1024;

/// The hint about a peer that has not answered in time.
const SILENT_PEER: &str =
    "The peer may speak without TLS and wait for the other side, or something between the two holds back data.";

/// The time that a peer may stay silent after the end of standard input.
const LINGER: Duration = Duration::from_secs(10);

/// A connection and its socket.
pub(crate) struct Session {
    stream: Stream,
    socket: TcpStream,
}

impl Session {
    pub(crate) fn new(connection: Connection, socket: TcpStream) -> Result<Self> {
        socket.set_nonblocking(true).map_err(io_error)?;
        // Small writes of an interactive session are sent at once.
        socket.set_nodelay(true).map_err(io_error)?;
        let mut stream = Stream::new(connection);
        stream.set_descriptors(socket.as_raw_fd(), socket.as_raw_fd())?;
        Ok(Self { stream, socket })
    }

    pub(crate) fn connection(&self) -> &Connection {
        self.stream.connection()
    }

    /// Completes the handshake within the time limit.
    pub(crate) fn handshake(&mut self, limit: Duration) -> Result<()> {
        let late = || {
            let detail = format!("the handshake was not complete after {} s", limit.as_secs());
            Error::new(Code::IoOther, detail).with_hint(SILENT_PEER)
        };
        self.drive(Some(limit), Stream::handshake)?.ok_or_else(late)?;
        Ok(())
    }

    /// Sends close_notify and reads until the peer ends. An alert now means that the peer refused this side.
    ///
    /// In TLS 1.3, a server verifies the client's certificate after the client's handshake is complete.
    pub(crate) fn close(&mut self, limit: Duration) -> Result<()> {
        match self.drive(Some(limit), Stream::shutdown) {
            // Many peers send no close_notify, and their data is not needed any more.
            Err(error) if error.code() == Code::Truncated => Ok(()),
            outcome => outcome.map(|_| ()),
        }
    }

    /// Closes the socket after a failure so that the peer can read the alert. A close with unread bytes resets the
    /// connection and loses the alert.
    pub(crate) fn abandon(mut self) {
        const FAREWELL: Duration = Duration::from_millis(500);
        let _ = self.socket.shutdown(Shutdown::Write);
        let deadline = Instant::now() + FAREWELL;
        let mut dropped = vec![0; CHUNK_BYTES];
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let is_ready = wait(&mut [PollFd::new(&self.socket, PollFlags::IN)], Some(left)).unwrap_or(false);
            if left.is_zero() || !is_ready || !matches!(self.socket.read(&mut dropped), Ok(1..)) {
                return;
            }
        }
    }

    /// Counts the received bytes until the peer closes, and sends them back with `echo`.
    pub(crate) fn answer(&mut self, echo: bool) -> Result<u64> {
        let mut total: u64 = 0;
        let mut buffer = vec![0; CHUNK_BYTES];
        while let Some(length) = self.drive(None, |stream| stream.read(&mut buffer))? {
            total = total.saturating_add(length as u64);
            let mut rest = if echo { buffer.get(..length).unwrap_or_default() } else { &[] };
            while !rest.is_empty() {
                let Some(sent) = self.drive(None, |stream| stream.write(rest))? else { break };
                rest = rest.get(sent..).unwrap_or_default();
            }
        }
        match self.drive(Some(LINGER), Stream::close_write) {
            // The peer has sent close_notify, and does not wait for this side's.
            Err(error) if matches!(error.code(), Code::BrokenPipe | Code::ConnectionReset) => Ok(total),
            outcome => outcome.map(|_| total),
        }
    }

    /// Repeats a call until it is done. Returns `None` if the peer has closed or the time limit has passed.
    fn drive<T>(
        &mut self,
        limit: Option<Duration>,
        mut call: impl FnMut(&mut Stream) -> Result<Status<T>>,
    ) -> Result<Option<T>> {
        let deadline = limit.map(|limit| Instant::now() + limit);
        loop {
            let wanted = match call(&mut self.stream)? {
                Status::Done(value) => return Ok(Some(value)),
                Status::Closed => return Ok(None),
                Status::WantTask => {
                    self.stream.run_task();
                    continue;
                }
                Status::WantRead => PollFlags::IN,
                Status::WantWrite => PollFlags::OUT,
            };
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Ok(None);
            }
            wait(&mut [PollFd::new(&self.socket, wanted)], left)?;
        }
    }

    /// Copies `input` to the peer and the peer's data to `output`, until the peer closes.
    pub(crate) fn relay(&mut self, input: &mut (impl Read + AsFd), output: &mut impl Write) -> Result<()> {
        let mut relay = Relay { waiting: Vec::new(), buffer: vec![0; CHUNK_BYTES], is_input_open: true };
        loop {
            if relay.receive(&mut self.stream, output)? {
                return Ok(());
            }
            let is_stuck = relay.send(&mut self.stream)?;
            let events = PollFlags::IN | if is_stuck { PollFlags::OUT } else { PollFlags::empty() };
            let reads_input = relay.is_input_open && relay.waiting.is_empty();
            let mut descriptors = vec![PollFd::new(&self.socket, events)];
            if reads_input {
                descriptors.push(PollFd::new(&*input, PollFlags::IN));
            }
            let limit = (!relay.is_input_open).then_some(LINGER);
            let is_silent = !wait(&mut descriptors, limit)?;
            let has_input = descriptors.get(1).is_some_and(|input| !input.revents().is_empty());
            drop(descriptors);
            if is_silent {
                return Ok(());
            }
            if has_input {
                relay.take_input(input)?;
            }
        }
    }
}

/// The state of a relay between two turns.
struct Relay {
    /// Input that is not sent yet.
    waiting: Vec<u8>,
    buffer: Vec<u8>,
    is_input_open: bool,
}

impl Relay {
    /// Writes the received data. Returns true if the peer has closed.
    fn receive(&mut self, stream: &mut Stream, output: &mut impl Write) -> Result<bool> {
        loop {
            match stream.read(&mut self.buffer)? {
                Status::Done(length) => {
                    let received = self.buffer.get(..length).unwrap_or_default();
                    output.write_all(received).and_then(|()| output.flush()).map_err(io_error)?;
                }
                Status::Closed => return Ok(true),
                Status::WantTask => stream.run_task(),
                Status::WantRead | Status::WantWrite => return Ok(false),
            }
        }
    }

    /// Sends the pending input, and close_notify after its end. Returns true if the socket must drain first.
    fn send(&mut self, stream: &mut Stream) -> Result<bool> {
        while !self.waiting.is_empty() {
            match stream.write(&self.waiting)? {
                Status::Done(sent) => drop(self.waiting.drain(..sent.min(self.waiting.len()))),
                Status::WantTask => stream.run_task(),
                Status::Closed | Status::WantRead => return Ok(false),
                Status::WantWrite => return Ok(true),
            }
        }
        if !self.is_input_open {
            return Ok(stream.close_write()? == Status::WantWrite);
        }
        Ok(stream.wants_write())
    }

    fn take_input(&mut self, input: &mut impl Read) -> Result<()> {
        let mut chunk = vec![0; CHUNK_BYTES];
        match input.read(&mut chunk) {
            Ok(0) => self.is_input_open = false,
            Ok(length) => self.waiting.extend_from_slice(chunk.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(io_error(error)),
        }
        Ok(())
    }
}

/// Waits for one of the descriptors. Returns true if one is ready.
fn wait(descriptors: &mut [PollFd<'_>], limit: Option<Duration>) -> Result<bool> {
    let limit = limit.and_then(|limit| Timespec::try_from(limit).ok());
    match poll(descriptors, limit.as_ref()) {
        Ok(ready) => Ok(ready > 0),
        // A signal: the caller checks again.
        Err(rustix::io::Errno::INTR) => Ok(true),
        Err(error) => Err(io_error(error.into())),
    }
}

pub(crate) fn io_error(error: io::Error) -> Error {
    let code = match error.kind() {
        io::ErrorKind::ConnectionRefused => Code::ConnectionRefused,
        _ => Code::IoOther,
    };
    Error::new(code, error.to_string()).with_source(error)
}
