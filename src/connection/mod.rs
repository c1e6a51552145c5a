//! A TLS connection without input and output: ciphertext goes in and out through the caller's buffers.
//!
//! [`Connection::unwrap`] takes a complete record and gives plaintext; [`Connection::wrap`] takes plaintext and gives a
//! complete record. [`Connection::unwrap_records`] and [`Connection::wrap_records`] move as many as the buffers allow.
//! No complete data stays inside. Between calls, a connection keeps incomplete handshake messages and unsent handshake
//! and alert records. Both allocations are dropped when they are empty.
//!
//! This is the only room that names rustls' connection types. engine.rs holds them during the handshake; after it,
//! `record/` serves the connection.

mod advice;
mod ahead;
mod alert;
mod checked;
mod choosing;
mod engine;
mod facts;
mod failure;
mod hello;
mod hints;
mod log;
mod moving;
mod notes;
mod reasons;
mod record;
mod refusals;
mod second;
mod settled;
mod setup;
mod state;

use std::fmt;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::ServerName;
use rustls::sign::CertifiedKey;

use crate::error::{Code, Error, Result};
use crate::verify::{Deviation, HandshakeNotes};

use ahead::{Ahead, Look};
use checked::Checked;
pub(crate) use choosing::{DecideBoth, Engines};
pub(crate) use engine::ClientEngine;
use engine::{Engine, Step};
pub(crate) use failure::from_rustls;
pub(crate) use hello::Decide;
use record::SessionId;
use record::{Beginning, Cipher};
pub use record::{MAX_PLAINTEXT_BYTES, MAX_RECORD_BYTES};
pub(crate) use record::{on_own_ciphers, prepare_client, prepare_server};
pub(crate) use refusals::Refusals;
pub(crate) use setup::{FlightLook, Setup};
use state::{Event, Seen, State};

/// Most bytes of handshake messages that are kept while they are incomplete.
///
/// rustls allows a message of 64 KiB; records of a few bytes each cost their headers on top.
const MAX_STASH_BYTES: usize = 256 * 1024;

/// The bytes that a call moved, and the next need of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transfer {
    /// Bytes taken from the source.
    pub consumed: usize,
    /// Bytes put into the destination.
    pub produced: usize,
    /// The next need of the connection.
    pub next: Next,
}

/// The next need of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Next {
    /// Nothing in particular: more of the same is welcome.
    Continue,
    /// More ciphertext: the source held no whole record.
    NeedRecord,
    /// [`Connection::wrap`] has records to give before anything else can go on.
    NeedWrap,
    /// [`Connection::run_task`] must run, on any thread.
    NeedTask,
    /// The destination has no room for this record; nothing was consumed. It needs at least this many bytes.
    DestinationTooSmall(usize),
    /// The peer has sent close_notify: no more plaintext will come.
    Closed,
}

/// The facts of the connection that rustls does not keep. They are allocated only if there are any.
#[derive(Debug, Default)]
struct Facts {
    server_name: Option<Arc<str>>,
    deviations: Vec<Deviation>,
    /// Clients: why no identity is sent though the server asks for one; empty if there is none.
    withheld: Option<String>,
    /// Clients: how the CAs that the server names differ from that of the identity that is sent.
    unnamed: Option<String>,
    /// Clients: the identity of the pre-shared key that has been used.
    own_psk_identity: Option<Box<[u8]>>,
    /// Of the session, if the host asks for it.
    session: Option<Box<SessionFacts>>,
}

/// By what a host knows a session and its resumptions.
#[derive(Debug, Default)]
struct SessionFacts {
    /// The first connection of a resumed session, and the time of its handshake in seconds since 1970.
    origin: Option<(u64, u64)>,
    id: Option<Box<SessionId>>,
}

/// The error for plaintext after [`Connection::close_write`].
pub(crate) fn write_after_close() -> Error {
    Error::new(Code::WrongState, "write after this side's close_notify")
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("next", &self.next())
            .field("failure", &self.failure())
            .finish_non_exhaustive()
    }
}

/// One TLS connection, client or server. Used by one thread at a time; may move between threads.
pub struct Connection {
    engine: Engine,
    number: u64,
    user: usize,
    log: Option<Arc<Refusals>>,
    /// Undiscarded bytes of the handshake, offsets known to rustls: only ever appended to or cut at the front.
    stash: Vec<u8>,
    /// Handshake and alert records that wait for [`Connection::wrap`].
    outgoing: Vec<u8>,
    outgoing_start: usize,
    facts: Option<Box<Facts>>,
    /// During the handshake; after it for clients, and if peers are checked for revocation.
    checked: Option<Box<Checked>>,
    /// The identity that this side has sent, or would send.
    identity: Option<Arc<CertifiedKey>>,
    state: State,
    seen: Seen,
    /// Handshake messages are processed only by [`Connection::run_task`].
    uses_tasks: bool,
    /// Only an earlier session may be resumed.
    resumes_only: bool,
    /// The first bytes of the peer, while they are no record.
    beginning: Beginning,
}

impl Connection {
    /// A server's side; the peer speaks first.
    pub(crate) fn server(config: Arc<ServerConfig>, setup: Setup) -> Result<Self> {
        Ok(Self::with_engine(Engine::server(config).map_err(|error| from_rustls(error, None, None))?, setup))
    }

    /// Makes a server's side with a host that chooses the identity, or the configuration by the ClientHello.
    pub(crate) fn server_of_host(config: Arc<ServerConfig>, decide: Option<Decide>, setup: Setup) -> Self {
        Self::with_engine(Engine::undecided(config, decide), setup)
    }

    /// Makes a server's side with two engines. The ClientHello selects one.
    pub(crate) fn choosing_server(engines: Engines, decide: Option<DecideBoth>, setup: Setup) -> Self {
        Self::with_engine(Engine::choosing(engines, decide), setup)
    }

    /// A client's side; its first [`Connection::wrap`] gives the ClientHello.
    pub(crate) fn client(engine: ClientEngine, name: ServerName<'static>, setup: Setup) -> Result<Self> {
        let asks_first = setup.asks_first;
        let ahead = setup.look.map(|look| Box::new(Ahead::new(name.clone(), look == FlightLook::Certificates)));
        let mut connection = Self::with_engine(Engine::unstarted(engine, name), setup);
        if let Some(checked) = &mut connection.checked {
            checked.ahead = ahead;
        }
        if !asks_first {
            connection.advance(&mut []);
            connection.state.check()?;
        }
        Ok(connection)
    }

    /// Refuses a full handshake from now on: only an earlier session may be resumed.
    pub(crate) fn resume_only(&mut self) {
        self.resumes_only = true;
    }

    /// Keeps by what a host knows the session, when the handshake is complete: [`Connection::origin`],
    /// [`Connection::origin_time_s`] and [`Connection::take_session_id`]. An idle connection takes some bytes more.
    pub fn keep_session_facts(&mut self) {
        if let Some(checked) = &mut self.checked {
            checked.keeps_session_facts = true;
        }
    }

    fn with_engine(engine: Engine, setup: Setup) -> Self {
        let Setup { uses_tasks, asks_first, .. } = setup;
        Self {
            engine,
            number: setup.number,
            user: setup.user,
            log: setup.log.clone(),
            stash: Vec::new(),
            outgoing: Vec::new(),
            outgoing_start: 0,
            facts: None,
            checked: Some(Box::new(Checked::new(setup))),
            identity: None,
            state: State::new(asks_first),
            seen: Seen::Nothing,
            uses_tasks,
            resumes_only: false,
            beginning: Beginning::default(),
        }
    }

    /// Processes the handshake messages that [`Next::NeedTask`] waits for; may block as long as verification does.
    pub fn run_task(&mut self) {
        if self.state.needs_task() {
            self.change(Event::TaskTaken);
            self.process_stash();
            self.settle_peer();
        }
    }

    /// Ends the connection in place of a task that the caller cannot run. The peer is sent the alert of the error's
    /// row, as after a task that fails. Returns the error that ended the connection: an earlier one counts.
    pub fn refuse_task(&mut self, error: Error) -> Error {
        if self.state.needs_task() {
            self.change(Event::TaskTaken);
            self.stash = Vec::new();
        }
        self.fail(error)
    }

    /// Queues this side's close_notify (RFC 8446 section 6.1); reading stays possible. Further calls do nothing.
    ///
    /// During the handshake nothing is sent: close_notify waits for its end.
    ///
    /// # Errors
    /// The error that ended the connection.
    pub fn close_write(&mut self) -> Result<()> {
        self.state.check()?;
        if self.state.is_write_closed() {
            return Ok(());
        }
        self.change(Event::WriteClosed);
        if self.is_handshaking() {
            return Ok(());
        }
        let Some(layer) = self.engine.layer() else { return self.close_second() };
        let queued = layer.close_notify(&mut self.outgoing);
        queued.map_err(|error| self.fail(error))
    }

    /// Ends a handshake that this side does not complete: queues user_canceled and close_notify, and ends reading. When
    /// the handshake is complete, it does as [`Connection::close_write`]. The second engine queues a fatal
    /// user_canceled.
    ///
    /// # Errors
    /// The error that ended the connection. Later calls report `WRONG_STATE`.
    pub fn cancel(&mut self) -> Result<()> {
        self.state.check()?;
        if !self.is_handshaking() {
            return self.close_write();
        }
        if let Some(session) = self.engine.second() {
            session.alert(alert::USER_CANCELED, &mut self.outgoing);
            self.engine.end();
        } else {
            let cipher = self.engine.end();
            self.outgoing.extend(alert::cancellation(cipher));
        }
        self.stash = Vec::new();
        // It is the wish of the caller, and no refusal.
        self.change(Event::Failed(Error::new(Code::WrongState, "the handshake has been cancelled")));
        Ok(())
    }

    /// Ends the connection if its peer has been revoked, and the application wants it closed. [`Connection::wrap`] and
    /// [`Connection::unwrap`] do it too.
    ///
    /// # Errors
    /// The error that ended the connection. [`Connection::wrap`] gives its alert.
    #[inline]
    pub fn check(&mut self) -> Result<()> {
        self.end_if_revoked();
        self.state.check()
    }

    /// Says that no more ciphertext will come: the transport has ended.
    ///
    /// # Errors
    /// `TRUNCATED` without the peer's close_notify, `HANDSHAKE_EOF` during the handshake, or what ended the connection
    /// before. `PEER_NOT_TLS` after fewer bytes than a header of a record, if no header begins so.
    pub fn end_of_input(&mut self) -> Result<()> {
        self.state.check()?;
        if self.state.is_peer_closed() {
            return Ok(());
        }
        let error = match self.beginning.speaker().filter(|_| self.seen < Seen::Record) {
            Some(what) => Error::new(Code::PeerNotTls, what),
            None if self.is_handshaking() => Error::from(Code::HandshakeEof),
            None => Error::from(Code::Truncated),
        };
        Err(self.fail(error))
    }

    /// Ends the connection: the peer is sent the alert of the failure's row, if it has one, instead of what rustls may
    /// have queued. The first failure counts.
    pub(crate) fn fail(&mut self, error: Error) -> Error {
        if let Some(first) = self.failure() {
            return first.clone();
        }
        if self.engine.second().is_some() {
            return self.end_second(error);
        }
        alert::take_fatal(&mut self.outgoing);
        let cipher = self.engine.end();
        self.end(error, cipher)
    }

    /// Queues the alert of the failure's row, sealed with the `cipher` that was in use, and keeps the failure.
    fn end(&mut self, error: Error, cipher: Option<Cipher>) -> Error {
        // Nothing follows a close_notify (RFC 8446 section 6.1), and none is sent during the handshake.
        let is_closed = self.state.is_write_closed() && !self.state.is_handshaking();
        if let Some(description) = error.code().alert_in(self.engine.version())
            && !is_closed
        {
            self.outgoing.extend(alert::record(description, cipher));
        }
        self.keep_failure(error)
    }

    /// Keeps the failure that ends the connection.
    fn keep_failure(&mut self, error: Error) -> Error {
        let moment = self.moment();
        let error = hints::fit(error, &moment);
        self.log_refusal(&error, moment.stage);
        self.change(Event::Failed(error.clone()));
        error
    }

    /// Changes the state. An event that the state does not allow ends the connection.
    fn change(&mut self, event: Event) {
        if let Err(error) = self.state.apply(event) {
            self.fail(error);
        }
    }

    /// The error that ended the connection, if one did.
    pub fn failure(&self) -> Option<&Error> {
        self.state.failure()
    }

    /// Returns true until the handshake is complete. Records for the peer may be unsent even after that.
    pub fn is_handshaking(&self) -> bool {
        self.state.is_handshaking()
    }

    /// Returns true if there are records for [`Connection::wrap`].
    pub fn has_outgoing(&self) -> bool {
        self.outgoing_start < self.outgoing.len()
    }

    /// Returns true if the peer's close_notify has been received.
    pub fn is_peer_closed(&self) -> bool {
        self.state.is_peer_closed()
    }

    /// Returns true if this side has queued its close_notify.
    pub fn is_write_closed(&self) -> bool {
        self.state.is_write_closed()
    }

    /// Returns the next need of the connection without moving bytes.
    pub fn next(&self) -> Next {
        if self.state.needs_task() {
            Next::NeedTask
        } else if self.has_outgoing() {
            Next::NeedWrap
        } else if self.state.is_peer_closed() {
            Next::Closed
        } else if self.is_handshaking() {
            Next::NeedRecord
        } else {
            Next::Continue
        }
    }

    fn session_facts(&mut self) -> &mut SessionFacts {
        self.facts.get_or_insert_default().session.get_or_insert_default()
    }

    /// Settles what is kept of the peer when the handshake is complete.
    fn settle_peer(&mut self) {
        if self.is_handshaking() || self.failure().is_some() {
            return;
        }
        if self.is_resumed() == Some(true)
            && let Some(checked) = self.checked.as_ref().filter(|checked| checked.keeps_session_facts)
            && let Some(peer) = checked.peer(&self.engine)
        {
            let origin = Some((peer.origin, peer.at_s));
            self.session_facts().origin = origin;
        }
        match self.checked.as_mut().map(|checked| checked.settle((self.number, self.user), &mut self.engine)) {
            None | Some(Ok(true)) => {}
            Some(Ok(false)) => self.checked = None,
            Some(Err(error)) => {
                self.fail(error);
            }
        }
    }

    /// Ends the connection if its peer has been revoked, and the application wants it closed.
    fn end_if_revoked(&mut self) {
        if let Some(checked) = &self.checked
            && self.failure().is_none()
            && let Some(error) = checked.closed().cloned()
        {
            self.fail(error);
        }
    }

    fn stash_record(&mut self, record: &[u8]) -> Result<()> {
        if self.stash.len() + record.len() > MAX_STASH_BYTES {
            let detail = format!("more than {MAX_STASH_BYTES} bytes without a whole message");
            return Err(self.fail(Error::new(Code::HandshakeTooLarge, detail)));
        }
        self.stash.extend_from_slice(record);
        Ok(())
    }

    fn process_stash(&mut self) {
        if self.holds_flight() {
            return;
        }
        let mut stash = std::mem::take(&mut self.stash);
        let discard = self.advance(&mut stash);
        if discard < stash.len() {
            stash.drain(..discard);
            self.stash = stash;
            if self.state.is_traffic() {
                self.stash = Vec::new();
                self.fail(Error::new(Code::UnexpectedMessage, "a message that spans the end of the handshake"));
            }
        }
        if let Some(checked) = &mut self.checked {
            checked.end_look(self.stash.len());
        }
    }

    /// Returns true if more of the server's flight must come before rustls gets what has been collected of it.
    fn holds_flight(&mut self) -> bool {
        match self.checked.as_mut().and_then(|checked| checked.ahead.as_mut()) {
            Some(ahead) if !self.stash.is_empty() => {
                ahead.look(&self.stash, || self.engine.take_flight_reader()) == Look::Hold
            }
            _ => false,
        }
    }

    /// Runs rustls until it needs something from outside. Returns the bytes to discard.
    ///
    /// `tls` starts with what rustls has been shown and not discarded: it knows offsets into it.
    fn advance(&mut self, tls: &mut [u8]) -> usize {
        HandshakeNotes::begin(self.input());
        if let Some(ahead) = self.checked.as_mut().and_then(|checked| checked.ahead.as_mut()) {
            HandshakeNotes::foresee(ahead.take_found());
        }
        let discarded = self.run_engine(tls);
        self.take_notes();
        if self.engine.is_to_complete() {
            if self.checked.as_ref().is_some_and(|checked| checked.keeps_session_facts)
                && let Some(id) = self.engine.take_session_id()
            {
                self.session_facts().id = Some(id);
            }
            match self.engine.complete() {
                Ok(()) => {
                    if let Some(identity) = self.engine.take_own_identity() {
                        self.facts.get_or_insert_default().own_psk_identity = Some(identity);
                    }
                    self.begin_traffic();
                }
                Err(error) => {
                    self.fail(error);
                }
            }
        }
        discarded
    }

    /// Ends the handshake. A close_notify that this side could not send before it is sent now.
    fn begin_traffic(&mut self) {
        self.change(Event::HandshakeDone);
        if let Some(most) = self.checked.as_ref().and_then(|checked| checked.max_record_bytes)
            && let Some(layer) = self.engine.layer()
        {
            layer.limit_records(most);
        }
        if !self.state.is_write_closed() {
            return;
        }
        let closed = match self.engine.layer() {
            Some(layer) => layer.close_notify(&mut self.outgoing),
            None => self.close_second(),
        };
        if let Err(error) = closed {
            self.fail(error);
        }
    }

    /// Steps the engine until it is idle or has failed. Returns the bytes to discard.
    fn run_engine(&mut self, tls: &mut [u8]) -> usize {
        let mut discarded = 0;
        loop {
            let (discard, step) = self.engine.step(&mut tls[discarded..], &mut self.outgoing);
            discarded += discard;
            match step {
                Ok(Step::Emitted) => {}
                Ok(Step::Idle) => break,
                Ok(Step::Refused(error)) => {
                    let mut notes = HandshakeNotes::take();
                    let refusal = notes.refusal.take();
                    self.keep(notes);
                    let error = refusal.unwrap_or_else(|| self.advised(error, tls));
                    self.fail(error);
                    break;
                }
                Err(error) => {
                    self.end_by_engine(error, tls);
                    break;
                }
            }
        }
        discarded
    }

    /// Ends the connection after an error of rustls', with its alert. The notes of the call say more of the cause.
    fn end_by_engine(&mut self, error: rustls::Error, tls: &[u8]) {
        let mut notes = HandshakeNotes::take();
        let (refusal, named) = (notes.refusal.take(), notes.named.take());
        self.keep(notes);
        let waiting = self.outgoing.len();
        self.engine.take_records(&mut self.outgoing);
        let alert = alert::take_fatal(&mut self.outgoing);
        let cipher = self.engine.end();
        if refusal.is_some() && !cipher.as_ref().is_some_and(Cipher::is_active) {
            // A client of TLS 1.2 queues its answer before it finds that it must not give it.
            self.outgoing.truncate(waiting);
        }
        let known = failure::of_hello(&error, tls).or_else(|| failure::of_missing(&error, named.as_deref()));
        let error = known.unwrap_or_else(|| from_rustls(error, alert, refusal));
        self.end(self.advised(error, tls), cipher);
    }

    /// The error with the advice about a client that has nothing in common with this side.
    fn advised(&self, error: Error, tls: &[u8]) -> Error {
        advice::advised(error, tls, self.checked.as_ref().and_then(|checked| checked.standing()))
    }
}
