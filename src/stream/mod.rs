//! A TLS connection over a transport: descriptors, blocking or not, or callbacks.
//!
//! Ciphertext is read into a scratch buffer of the thread, and records are written from one. The stream keeps only the
//! rest: an incomplete record, unread plaintext, unsent ciphertext. Each is an allocation that is dropped when it is
//! empty.

mod channel;
mod idle;
mod owed;
mod scratch;
mod sending;
mod writing;

use std::io::{self, IoSlice};
use std::os::fd::RawFd;

use crate::connection::{Connection, MAX_PLAINTEXT_BYTES, MAX_RECORD_BYTES, Next};
use crate::error::{Category, Code, Error, Result};

use channel::Channel;
pub use channel::{ReadCallback, WriteCallback};
use scratch::{Leftover, Scratch};
use sending::Sending;

/// The largest number of bytes that one call receives without data for its caller: a bound against a peer that floods.
const MAX_BYTES_OF_A_CALL: usize = 256 * 1024;

/// The outcome of a call that may have to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status<T = ()> {
    /// The call is done.
    Done(T),
    /// Call again when the transport is readable.
    WantRead,
    /// Call again when the transport is writable.
    WantWrite,
    /// Call [`Stream::run_task`] on any thread, then call again.
    WantTask,
    /// The peer has sent close_notify, and all its data has been read.
    Closed,
}

/// A [`Connection`] with its transport. One thread at a time uses it.
pub struct Stream {
    connection: Connection,
    channel: Option<Channel>,
    /// Received ciphertext that is not processed yet.
    received: Leftover,
    /// Unread plaintext of a record that was larger than the caller's buffer.
    plaintext: Leftover,
    /// Unsent ciphertext.
    unsent: Leftover,
    sending: Sending,
    is_ended: bool,
    /// True if the last call stopped at [`MAX_BYTES_OF_A_CALL`].
    is_cut: bool,
    /// True if the caller got [`Status::Closed`].
    is_close_known: bool,
}

impl Stream {
    /// Makes a stream without a transport.
    pub fn new(connection: Connection) -> Self {
        Self {
            connection,
            channel: None,
            received: Leftover::default(),
            plaintext: Leftover::default(),
            unsent: Leftover::default(),
            sending: Sending::Clear,
            is_ended: false,
            is_cut: false,
            is_close_known: false,
        }
    }

    /// Sets the descriptors, which may be the same. The caller keeps them open; they are never closed here.
    ///
    /// # Errors
    /// `WRONG_STATE` if a transport is set, and `INVALID_ARGUMENT` for a negative number.
    pub fn set_descriptors(&mut self, read: RawFd, write: RawFd) -> Result<()> {
        if read < 0 || write < 0 {
            return Err(Error::new(Code::InvalidArgument, format!("descriptors {read} and {write}")));
        }
        self.set_channel(Channel::descriptors(read, write))
    }

    /// Sets functions of the caller as the transport.
    ///
    /// # Errors
    /// `WRONG_STATE` if a transport is set.
    pub fn set_callbacks(&mut self, read: ReadCallback, write: WriteCallback) -> Result<()> {
        self.set_channel(Channel::callbacks(read, write))
    }

    fn set_channel(&mut self, channel: Channel) -> Result<()> {
        if self.channel.is_some() {
            return Err(Error::new(Code::WrongState, "the transport is set already"));
        }
        self.channel = Some(channel);
        Ok(())
    }

    /// Returns true if a transport is set.
    pub fn has_transport(&self) -> bool {
        self.channel.is_some()
    }

    /// The connection and its facts.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The connection itself, for callers that move its bytes. Only without a transport.
    ///
    /// # Errors
    /// `WRONG_STATE` if a transport is set.
    pub fn connection_mut(&mut self) -> Result<&mut Connection> {
        match self.channel {
            Some(_) => Err(Error::new(Code::WrongState, "the connection has a transport that moves its bytes")),
            None => Ok(&mut self.connection),
        }
    }

    /// Marks the stream as unusable.
    pub(crate) fn fail(&mut self, error: Error) -> Error {
        self.connection.fail(error)
    }

    /// Continues the handshake. `Done` when both sides have finished and all is sent. The peer's last message may carry
    /// data: see [`Stream::pending`].
    ///
    /// # Errors
    /// The error that ended the connection. Its alert was sent if the transport took it. `WRONG_STATE` without a
    /// transport.
    pub fn handshake(&mut self) -> Result<Status> {
        self.with_transport(|stream, scratch| stream.handshake_with(scratch))
    }

    /// Reads at most `buffer.len()` bytes of plaintext. `Closed` after the peer's close_notify. Completes the handshake
    /// first.
    ///
    /// Gives the data of all records that have arrived with the first and fit. A fault after data, or the end, is
    /// reported by the next call.
    ///
    /// `WantRead` may also mean that the peer has sent much that is no data. [`Stream::pending`] then gives 1.
    ///
    /// # Errors
    /// `TRUNCATED` if the transport ended without close_notify, `WRONG_STATE` without a transport, or the error that
    /// ended the connection.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<Status<usize>> {
        if buffer.is_empty() {
            return Err(Error::new(Code::InvalidArgument, "a read into no bytes"));
        }
        if !self.plaintext.is_empty() {
            let filled = self.plaintext.take_into(buffer);
            return Ok(Status::Done(self.fill_from_received(buffer, filled)));
        }
        self.with_transport(|stream, scratch| match stream.before_data(scratch)? {
            Some(wait) => Ok(wait),
            None => stream.read_after_flush(buffer, scratch),
        })
    }

    /// Writes plaintext and returns the number of bytes taken. Completes the handshake first.
    ///
    /// `Done` with all bytes: they are sent. `Done` with fewer: the transport is full, and the next write or
    /// [`Stream::flush`] sends the rest of those taken; do not offer them again. After `WantWrite`, the same bytes must
    /// be offered again, at any address.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for other bytes than before, `WRONG_STATE` after this side closed and without a transport, or
    /// the error that ended the connection.
    pub fn write(&mut self, bytes: &[u8]) -> Result<Status<usize>> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    /// Writes several pieces as one. Small pieces share a record.
    ///
    /// # Errors
    /// As for [`Stream::write`].
    pub fn write_vectored(&mut self, pieces: &[IoSlice<'_>]) -> Result<Status<usize>> {
        if self.connection.is_write_closed() && self.connection.failure().is_none() {
            return Err(crate::connection::write_after_close());
        }
        self.with_transport(|stream, scratch| match stream.before_data(scratch)? {
            Some(wait) => Ok(wait),
            None => stream.write_with(pieces, scratch),
        })
    }

    /// Sends close_notify. Reading stays possible. `Done` when it is sent.
    ///
    /// # Errors
    /// The error that ended the connection, or `WRONG_STATE` without a transport.
    pub fn close_write(&mut self) -> Result<Status> {
        self.with_transport(|stream, scratch| {
            stream.connection.close_write()?;
            stream.flush_or_explain(scratch)
        })
    }

    /// Closes both ways: sends close_notify and waits for the peer's. Data that arrives before it is dropped; read it
    /// first if it matters. `Done` at once if the handshake is not complete.
    ///
    /// A call drops a bounded amount. `WantRead` may mean that there is more to drop: [`Stream::pending`] then gives 1.
    ///
    /// # Errors
    /// `TRUNCATED` if the transport ends without the peer's close_notify, `WRONG_STATE` without a transport, or the
    /// error that ended the connection.
    pub fn shutdown(&mut self) -> Result<Status> {
        self.with_transport(|stream, scratch| {
            stream.connection.close_write()?;
            match stream.flush_or_explain(scratch)? {
                Status::Done(()) if stream.connection.is_handshaking() => return Ok(Status::Done(())),
                Status::Done(()) => {}
                wait => return Ok(wait),
            }
            stream.plaintext = Leftover::default();
            let mut dropped = std::mem::take(&mut scratch.gathered);
            let outcome = stream.drop_data(&mut dropped, scratch);
            scratch.gathered = dropped;
            outcome
        })
    }

    /// Sends the unsent bytes.
    ///
    /// # Errors
    /// The error that ended the connection or its transport, or `WRONG_STATE` without a transport.
    pub fn flush(&mut self) -> Result<Status> {
        self.with_transport(Self::flush_or_explain)
    }

    /// Returns true if there are unsent bytes: the caller should wait until the transport is writable.
    pub fn wants_write(&self) -> bool {
        !self.unsent.is_empty() || self.connection.has_outgoing()
    }

    /// Returns the number of plaintext bytes that can be read without the transport. Without plaintext, it is 1 if
    /// another call would not wait. That is so if the peer's close_notify or the end is not reported yet, or if the
    /// last call stopped because the peer sent much that is no data.
    ///
    /// It decrypts a record that arrived with an earlier one, so that an event loop never waits for bytes that are
    /// here.
    ///
    /// # Errors
    /// The error that ended the connection.
    pub fn pending(&mut self) -> Result<usize> {
        let mut received = std::mem::take(&mut self.received);
        let mut outcome = Ok(1);
        while self.plaintext.is_empty() && !self.connection.is_handshaking() && matches!(outcome, Ok(1..)) {
            outcome = self.spill(received.as_mut_slice());
            received.advance(outcome.as_ref().map_or(0, |consumed| *consumed));
        }
        self.received = received;
        outcome?;
        let is_closed = self.connection.is_peer_closed() && !self.is_close_known;
        let is_over = self.is_ended && !self.connection.is_peer_closed() && self.connection.failure().is_none();
        Ok(self.plaintext.len().max(usize::from(is_closed || is_over || self.is_cut)))
    }

    /// Runs the task of `WantTask`. It may block as long as a verification does.
    pub fn run_task(&mut self) {
        self.connection.run_task();
    }

    /// Runs a call with the buffers of the thread. Without a transport, it is refused and has no effect.
    fn with_transport<T>(&mut self, call: impl FnOnce(&mut Self, &mut Scratch) -> Result<T>) -> Result<T> {
        if self.channel.is_none() {
            return Err(no_transport());
        }
        self.is_cut = false;
        Scratch::with(|scratch| call(self, scratch))
    }

    fn handshake_with(&mut self, scratch: &mut Scratch) -> Result<Status> {
        loop {
            match self.flush_or_explain(scratch).map_err(|error| self.end_by_departure(error))? {
                Status::Done(()) => {}
                wait => return Ok(wait),
            }
            self.connection.failure().cloned().map_or(Ok(()), Err)?;
            match self.connection.next() {
                Next::NeedTask => return Ok(Status::WantTask),
                _ if !self.connection.is_handshaking() => return Ok(Status::Done(())),
                _ => {}
            }
            if let Some(wait) = self.receive_handshake(scratch)? {
                return Ok(wait);
            }
        }
    }

    /// Takes the next record of the handshake, from the received bytes or from the transport.
    fn receive_handshake(&mut self, scratch: &mut Scratch) -> Result<Option<Status>> {
        let mut received = std::mem::take(&mut self.received);
        let outcome = self.connection.unwrap(received.as_mut_slice(), &mut []);
        received.advance(outcome.as_ref().map_or(0, |transfer| transfer.consumed));
        self.received = received;
        match outcome {
            Err(error) => Err(self.tell_peer(error, scratch)),
            Ok(transfer) if transfer.next == Next::Closed => {
                Err(self.fail(Error::new(Code::HandshakeEof, "by close_notify")))
            }
            Ok(transfer) if transfer.consumed > 0 || transfer.next != Next::NeedRecord => Ok(None),
            Ok(_) => match self.receive(scratch, MAX_RECORD_BYTES)? {
                Status::Done(filled) => {
                    self.received = Leftover::from_slice(&scratch.incoming[..filled]);
                    Ok(None)
                }
                Status::Closed => {
                    let error = self.end_of_input();
                    Err(self.tell_peer(error, scratch))
                }
                _ => Ok(Some(Status::WantRead)),
            },
        }
    }

    /// The status that must be handled before application data can move, if any.
    fn before_data(&mut self, scratch: &mut Scratch) -> Result<Option<Status<usize>>> {
        if !self.connection.is_handshaking() && self.connection.failure().is_none() {
            return Ok(None);
        }
        Ok(match self.handshake_with(scratch)? {
            Status::Done(()) => None,
            Status::WantRead => Some(Status::WantRead),
            Status::WantWrite => Some(Status::WantWrite),
            Status::WantTask => Some(Status::WantTask),
            Status::Closed => Some(Status::Closed),
        })
    }

    /// Reads, and sends the unsent bytes of the handshake, because the caller may never write.
    fn read_after_flush(&mut self, buffer: &mut [u8], scratch: &mut Scratch) -> Result<Status<usize>> {
        self.try_flush(scratch);
        let status = self.read_with(buffer, scratch)?;
        self.try_flush(scratch);
        self.is_close_known |= status == Status::Closed;
        // The writer knows of its own unsent bytes.
        let waits_unknown = self.wants_write() && matches!(self.sending, Sending::Clear);
        Ok(if status == Status::WantRead && waits_unknown { Status::WantWrite } else { status })
    }

    fn drop_data(&mut self, dropped: &mut [u8], scratch: &mut Scratch) -> Result<Status> {
        loop {
            match self.read_after_flush(dropped, scratch)? {
                Status::Done(_) => {}
                Status::Closed => return Ok(Status::Done(())),
                Status::WantRead => return Ok(Status::WantRead),
                Status::WantWrite => return Ok(Status::WantWrite),
                Status::WantTask => return Ok(Status::WantTask),
            }
        }
    }

    /// Sends without reporting an error: the next write reports it, and reading continues.
    fn try_flush(&mut self, scratch: &mut Scratch) {
        if self.wants_write() && !matches!(self.sending, Sending::Failed(_)) {
            let _ = self.flush_with(scratch);
        }
    }

    fn read_with(&mut self, buffer: &mut [u8], scratch: &mut Scratch) -> Result<Status<usize>> {
        loop {
            // Complete records that arrived with an earlier one.
            let mut received = std::mem::take(&mut self.received);
            let outcome = self.decrypt(received.as_mut_slice(), buffer, 0);
            received.advance(outcome.as_ref().map_or(0, |(consumed, _)| *consumed));
            self.received = received;
            let (_, produced) = outcome.map_err(|error| self.tell_peer(error, scratch))?;
            if produced > 0 {
                return Ok(Status::Done(produced));
            }
            if self.connection.is_peer_closed() {
                return Ok(Status::Closed);
            }
            let filled = match self.receive(scratch, buffer.len())? {
                Status::Done(filled) => filled,
                Status::Closed => return Err(self.end_of_input()),
                _ => return Ok(Status::WantRead),
            };
            let outcome = self.decrypt(&mut scratch.incoming[..filled], buffer, 0);
            let consumed = outcome.as_ref().map_or(filled, |(consumed, _)| *consumed);
            self.received = Leftover::from_slice(&scratch.incoming[consumed..filled]);
            let (_, produced) = outcome.map_err(|error| self.tell_peer(error, scratch))?;
            // The answer to a request to renegotiate, or an alert.
            self.try_flush(scratch);
            if produced > 0 {
                return Ok(Status::Done(produced));
            }
        }
    }

    /// Adds complete records that have arrived to the first `filled` bytes of `buffer`. Returns the new number.
    fn fill_from_received(&mut self, buffer: &mut [u8], filled: usize) -> usize {
        if filled == buffer.len() || self.received.is_empty() {
            return filled;
        }
        let mut received = std::mem::take(&mut self.received);
        let (consumed, produced) = self.decrypt(received.as_mut_slice(), buffer, filled).unwrap_or((0, filled));
        received.advance(consumed);
        self.received = received;
        if self.connection.has_outgoing() {
            // The answer to a request to renegotiate, or an alert. The next write reports a fault of the transport.
            Scratch::with(|scratch| self.try_flush(scratch));
        }
        produced
    }

    /// Decrypts complete records of `tls` until one does not fit into the rest of `buffer`, which begins with `filled`
    /// bytes of data. Returns the bytes consumed and the new number of bytes in the buffer.
    ///
    /// If there is no data yet and the first record does not fit, its plaintext is kept, and the part that fits is
    /// given. After data, an error is left for the next call.
    fn decrypt(&mut self, tls: &mut [u8], buffer: &mut [u8], filled: usize) -> Result<(usize, usize)> {
        let (mut consumed, mut produced) = (0, filled);
        loop {
            let transfer = match self.connection.unwrap(&mut tls[consumed..], &mut buffer[produced..]) {
                Ok(transfer) => transfer,
                // Data before the fault is given first. The next call reports the fault.
                Err(_) if produced > 0 => return Ok((consumed, produced)),
                Err(error) => return Err(error),
            };
            consumed += transfer.consumed;
            produced += transfer.produced;
            match transfer.next {
                Next::DestinationTooSmall(_) if produced == 0 => {
                    consumed += self.spill(&mut tls[consumed..])?;
                    produced = self.plaintext.take_into(buffer);
                }
                Next::NeedRecord | Next::DestinationTooSmall(_) | Next::Closed | Next::NeedTask => {
                    return Ok((consumed, produced));
                }
                Next::Continue | Next::NeedWrap => {}
            }
        }
    }

    /// Decrypts one record into the unread plaintext. Returns the number of bytes consumed.
    ///
    /// The connection gives the needed size first. An incomplete record, or one without data, needs none.
    fn spill(&mut self, tls: &mut [u8]) -> Result<usize> {
        let asked = self.connection.unwrap(tls, &mut [])?;
        let Next::DestinationTooSmall(bytes) = asked.next else { return Ok(asked.consumed) };
        let mut room = vec![0; bytes];
        let transfer = self.connection.unwrap(tls, &mut room)?;
        room.truncate(transfer.produced);
        self.plaintext = Leftover::from_vec(room);
        Ok(transfer.consumed)
    }

    /// Puts the incomplete record and new bytes of the transport into the scratch buffer. Returns the number of bytes.
    /// `wanted` bytes of plaintext will be read; little more is received.
    fn receive(&mut self, scratch: &mut Scratch, wanted: usize) -> Result<Status<usize>> {
        let kept = self.received.len();
        let limit = (kept + wanted.max(MAX_PLAINTEXT_BYTES) + 256).min(scratch.incoming.len());
        let Some(room) = scratch.incoming.get_mut(kept..limit).filter(|room| !room.is_empty()) else {
            return Err(Error::new(Code::Internal, "no room for the rest of a record"));
        };
        if self.is_ended {
            return Ok(Status::Closed);
        }
        if scratch.received >= MAX_BYTES_OF_A_CALL {
            self.is_cut = true;
            return Ok(Status::WantRead);
        }
        let channel = self.channel.as_mut().ok_or_else(no_transport)?;
        match channel.receive(room) {
            Ok(0) => {
                self.is_ended = true;
                Ok(Status::Closed)
            }
            Ok(count) => {
                self.received.take_into(&mut scratch.incoming[..kept]);
                scratch.received += count;
                Ok(Status::Done(kept + count))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Status::WantRead),
            Err(error) => Err(self.connection.fail(transport_error(&error))),
        }
    }

    fn flush_with(&mut self, scratch: &mut Scratch) -> Result<Status> {
        let waiting = std::mem::take(&mut self.unsent);
        self.unsent = self.send_some(waiting.as_slice())?;
        while self.unsent.is_empty() && self.connection.has_outgoing() {
            let transfer = self.connection.wrap(&[], &mut scratch.outgoing)?;
            self.unsent = self.send_some(&scratch.outgoing[..transfer.produced])?;
        }
        if !self.unsent.is_empty() {
            return Ok(Status::WantWrite);
        }
        if matches!(self.sending, Sending::Short) {
            self.sending = Sending::Clear;
        }
        Ok(Status::Done(()))
    }

    fn flush_or_explain(&mut self, scratch: &mut Scratch) -> Result<Status> {
        self.flush_with(scratch).map_err(|error| self.explain(error, scratch))
    }

    /// Sends until the transport takes no more. Returns the rest.
    fn send_some(&mut self, mut bytes: &[u8]) -> Result<Leftover> {
        if let Sending::Failed(error) = &self.sending {
            return Err(error.clone());
        }
        if bytes.is_empty() {
            return Ok(Leftover::default());
        }
        let channel = self.channel.as_mut().ok_or_else(no_transport)?;
        while !bytes.is_empty() {
            match channel.send(bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // Reading continues: the peer may have sent an alert before it closed.
                Err(error) => {
                    let error = transport_error(&error);
                    self.sending = Sending::Failed(error.clone());
                    return Err(error);
                }
            }
        }
        Ok(Leftover::from_slice(bytes))
    }

    /// Reads the peer's alert after the transport takes no more. It says more than "broken pipe", also in the
    /// calls after the one that has read it.
    fn explain(&mut self, error: Error, scratch: &mut Scratch) -> Error {
        if !matches!(error.code(), Code::BrokenPipe | Code::ConnectionReset) {
            return error;
        }
        if let Some(alert) = self.connection.failure().filter(|failure| failure.code().category() == Category::Alert) {
            return alert.clone();
        }
        loop {
            let mut received = std::mem::take(&mut self.received);
            while self.plaintext.is_empty() && !received.is_empty() {
                match self.spill(received.as_mut_slice()) {
                    Ok(0) => break,
                    Ok(consumed) => received.advance(consumed),
                    Err(alert) if alert.code().category() == Category::Alert => return alert,
                    Err(_) => return error,
                }
            }
            self.received = received;
            if !self.plaintext.is_empty() {
                return error;
            }
            match self.receive(scratch, MAX_PLAINTEXT_BYTES) {
                Ok(Status::Done(filled)) => self.received = Leftover::from_slice(&scratch.incoming[..filled]),
                _ => return error,
            }
        }
    }

    /// Ends a handshake with a peer that takes no more and has sent nothing.
    fn end_by_departure(&mut self, error: Error) -> Error {
        let is_gone = matches!(error.code(), Code::BrokenPipe | Code::ConnectionReset) && self.plaintext.is_empty();
        if is_gone && self.connection.is_handshaking() { self.connection.fail(error) } else { error }
    }

    /// Sends the queued alert if the transport takes it.
    fn tell_peer(&mut self, error: Error, scratch: &mut Scratch) -> Error {
        // The error that ended the connection is reported, and a failure to send its alert is not.
        let _ = self.flush_with(scratch);
        error
    }

    fn end_of_input(&mut self) -> Error {
        match self.connection.end_of_input() {
            Err(error) => error,
            Ok(()) => self.fail(Error::new(Code::Internal, "the end after the end")),
        }
    }
}

fn no_transport() -> Error {
    Error::new(Code::WrongState, "no transport is set")
}

fn transport_error(error: &io::Error) -> Error {
    let code = match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => Code::ConnectionReset,
        io::ErrorKind::BrokenPipe | io::ErrorKind::WriteZero => Code::BrokenPipe,
        // The error of a socket that was still connecting.
        io::ErrorKind::ConnectionRefused => Code::ConnectionRefused,
        _ => Code::IoOther,
    };
    match error.raw_os_error() {
        // A callback failed without setting errno.
        Some(0) => Error::new(code, "the call failed and gave no error number"),
        _ => Error::new(code, error.to_string()),
    }
}
