//! The functions of the second engine's table, as types: contexts and the connections of a server.

use std::any::Any;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::{self, NonNull};
use std::sync::Arc;

use brokertls_legacy_abi::{
    ACCEPTED, Bytes, Callbacks, ContextParts, Facts, Fault, Outcome, SessionParts, Table, Tls13Parts,
};
use rustls::pki_types::CertificateDer;

use crate::error::{Code, Error, Result};
use crate::identity::ASKS_FOR_SHA1;
use crate::revocation::Staple;
use crate::verify::HandshakeNotes;

use super::answers::Answers;
use super::asked::{Asked, Named};
use super::fault::{closed, error_of};
use super::psk::{Given, OfferedKey};
use super::uses::Used;

/// A context of the engine.
pub(super) struct EngineContext {
    table: &'static Table,
    handle: NonNull<c_void>,
}

// SAFETY: the engine lets several threads use a context at once.
#[allow(unsafe_code)]
unsafe impl Send for EngineContext {}
// SAFETY: as above.
#[allow(unsafe_code)]
unsafe impl Sync for EngineContext {}

impl EngineContext {
    /// # Errors
    /// `OPTION_CONFLICT` if OpenSSL refuses the settings.
    #[allow(unsafe_code)]
    pub(super) fn new(table: &'static Table, parts: &ContextParts) -> Result<Self> {
        let mut fault = Fault::default();
        // SAFETY: both pointers are valid, and what the parts point to lives as long as they.
        let handle = unsafe { (table.context_new)(parts, &mut fault) };
        let detail = || format!("OpenSSL refuses the settings: reason {} in its part {}", fault.reason, fault.library);
        let handle = NonNull::new(handle).ok_or_else(|| Error::new(Code::OptionConflict, detail()))?;
        Ok(Self { table, handle })
    }
}

impl Drop for EngineContext {
    #[allow(unsafe_code)]
    fn drop(&mut self) {
        // SAFETY: the handle is the engine's, and not used after this.
        unsafe { (self.table.context_free)(self.handle.as_ptr()) };
    }
}

/// Returns the numbers of the suites that OpenSSL has.
#[allow(unsafe_code)]
pub(super) fn suites(table: &Table) -> Vec<u16> {
    const SUITES_MAX: usize = 512;
    let mut suites = vec![0; SUITES_MAX];
    // SAFETY: the pointer is valid for this many numbers.
    let count = unsafe { (table.suites)(suites.as_mut_ptr(), suites.len()) };
    suites.truncate(count);
    suites
}

/// One call of the engine, for its callbacks.
struct Call<'a> {
    server: &'a dyn Answers,
    asked: &'a mut Asked,
    /// The name that the client asks for.
    server_name: Option<&'a str>,
    keeps_forward_secrecy: bool,
    staple: Option<&'a Staple>,
    outgoing: &'a mut Vec<u8>,
    /// A panic of the application in a callback. It continues when the engine has returned.
    panic: Option<Box<dyn Any + Send>>,
}

/// Runs a callback on the call that `data` points to. Returns `failed` after a panic.
#[allow(unsafe_code)]
fn with_call<T>(data: *mut c_void, failed: T, run: impl FnOnce(&mut Call<'_>) -> T) -> T {
    // SAFETY: `Session::call` gives this pointer to the engine, which uses it within that call, on one thread.
    let Some(call) = (unsafe { data.cast::<Call<'_>>().as_mut() }) else { return failed };
    catch_unwind(AssertUnwindSafe(|| run(call))).unwrap_or_else(|panic| {
        call.panic = Some(panic);
        failed
    })
}

#[allow(unsafe_code)]
unsafe extern "C" fn emit(data: *mut c_void, records: Bytes) {
    // SAFETY: the engine gives bytes that are valid during the call.
    with_call(data, (), |call| call.outgoing.extend_from_slice(unsafe { records.get() }));
}

#[allow(unsafe_code)]
unsafe extern "C" fn verify(data: *mut c_void, chain: *const Bytes, count: usize, alert: *mut u8) -> u32 {
    const INTERNAL_ERROR: u8 = 80;
    const REFUSED: u32 = 0;
    let verdict = with_call(data, Err(INTERNAL_ERROR), |call| {
        // SAFETY: the engine gives this many certificates, which are valid during the call.
        let chain = unsafe { if count == 0 { &[] } else { std::slice::from_raw_parts(chain, count) } };
        // SAFETY: as above.
        let chain = chain.iter().map(|der| CertificateDer::from(unsafe { der.get() }.to_vec()));
        call.asked.chain = chain.collect();
        call.server.judge(&call.asked.chain)
    });
    match verdict {
        Ok(()) => ACCEPTED,
        Err(description) => {
            // SAFETY: the engine gives a valid pointer or NULL.
            if let Some(alert) = unsafe { alert.as_mut() } {
                *alert = description;
            }
            REFUSED
        }
    }
}

#[allow(unsafe_code)]
unsafe extern "C" fn secret(data: *mut c_void, identity: Bytes, room: *mut u8, size: usize) -> usize {
    with_call(data, 0, |call| {
        // SAFETY: the engine gives an identity and that much room, which are valid during the call.
        let (identity, room) = unsafe { (identity.get(), std::slice::from_raw_parts_mut(room, size)) };
        match call.server.secret(identity, room) {
            Ok(Given { length, is_known, mark, .. }) => {
                call.asked.identity = Some(Named { identity: Box::from(identity), is_known, mark });
                length
            }
            Err(error) => {
                call.asked.failure = Some(error);
                0
            }
        }
    })
}

#[allow(unsafe_code)]
unsafe extern "C" fn note_secret(data: *mut c_void, line: Bytes) {
    // SAFETY: the engine gives bytes that are valid during the call.
    with_call(data, (), |call| call.server.note_secret(unsafe { line.get() }));
}

#[allow(unsafe_code)]
unsafe extern "C" fn staple(data: *mut c_void, room: *mut u8, size: usize) -> usize {
    with_call(data, 0, |call| {
        let Some(key) = call.staple.and_then(Staple::key) else { return 0 };
        let Some(response) = key.ocsp.as_ref().filter(|response| response.len() <= size) else { return 0 };
        // SAFETY: the engine gives that much room, which is valid during the call.
        unsafe { std::slice::from_raw_parts_mut(room, response.len()) }.copy_from_slice(response);
        response.len()
    })
}

#[allow(unsafe_code)]
unsafe extern "C" fn seal_session(
    data: *mut c_void,
    parts: SessionParts,
    other_bytes: usize,
    room: *mut u8,
    size: usize,
) -> usize {
    with_call(data, 0, |call| {
        // A client of TLS 1.3 that resumes without Diffie-Hellman alone has no use for a ticket.
        let is_useful = parts.version < 0x0304 || call.keeps_forward_secrecy;
        let sealed = call.server.sessions().filter(|_| is_useful).and_then(|sessions| {
            let facts = call.asked.to_seal(parts, call.server_name)?;
            sessions.seal(&facts, other_bytes).filter(|sealed| sealed.len() <= size)
        });
        let Some(sealed) = sealed else { return 0 };
        // SAFETY: the engine gives that much room, which is valid during the call.
        unsafe { std::slice::from_raw_parts_mut(room, sealed.len()) }.copy_from_slice(&sealed);
        sealed.len()
    })
}

#[allow(unsafe_code)]
unsafe extern "C" fn open_session(data: *mut c_void, version: u16, sealed: Bytes) -> u32 {
    const REFUSED: u32 = 0;
    with_call(data, REFUSED, |call| {
        // SAFETY: the engine gives bytes that are valid during the call.
        let facts = call.server.sessions().and_then(|sessions| sessions.open(unsafe { sealed.get() }));
        if call.asked.takes_session((version, facts), call.server, call.server_name) { ACCEPTED } else { REFUSED }
    })
}

#[allow(unsafe_code)]
unsafe extern "C" fn store_session(data: *mut c_void, parts: SessionParts, id: Bytes, session: Bytes) {
    with_call(data, (), |call| {
        let Some(sessions) = call.server.sessions() else { return };
        if let Some(facts) = call.asked.to_seal(parts, call.server_name) {
            // SAFETY: the engine gives bytes that are valid during the call.
            let (id, session) = unsafe { (id.get(), session.get()) };
            sessions.put(id, &facts, session);
        }
    });
}

#[allow(unsafe_code)]
unsafe extern "C" fn find_session(data: *mut c_void, version: u16, id: Bytes, room: *mut u8, size: usize) -> usize {
    with_call(data, 0, |call| {
        // SAFETY: the engine gives bytes that are valid during the call.
        let found = call.server.sessions().and_then(|sessions| sessions.get(unsafe { id.get() }));
        let (facts, session) = found.unzip();
        let Some(session) = session.filter(|session| session.len() <= size) else { return 0 };
        if !call.asked.takes_session((version, facts), call.server, call.server_name) {
            return 0;
        }
        // SAFETY: the engine gives that much room, which is valid during the call.
        unsafe { std::slice::from_raw_parts_mut(room, session.len()) }.copy_from_slice(&session);
        session.len()
    })
}

/// The outcome of one record after the handshake.
#[derive(Debug)]
pub(crate) enum Opened {
    /// Application data: this many bytes.
    Data(usize),
    /// Nothing for the application.
    Done,
    /// The peer's close_notify.
    PeerClosed,
}

/// The connection of a server.
pub(crate) struct Session {
    table: &'static Table,
    handle: NonNull<c_void>,
    server: Arc<dyn Answers>,
    asked: Asked,
    is_complete: bool,
    /// The version on the wire, once it is chosen.
    version: Option<u16>,
    lacks: Lacks,
    server_name: Option<Box<str>>,
    /// True if the client resumes sessions of TLS 1.3 with Diffie-Hellman.
    keeps_forward_secrecy: bool,
    staple: Option<Arc<Staple>>,
}

/// A part that a client's offer does not have in common with this side. OpenSSL reports all of them as suites.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lacks {
    Nothing,
    /// A key exchange group.
    Groups,
    /// TLS 1.2: signature algorithms; the client names none.
    Signatures,
    /// TLS 1.3 without a certificate on this side: a key, or a session that is resumed.
    Key,
}

/// The facts of a client that its connection is made with.
pub(super) struct Client<'a> {
    pub(super) server_name: Option<&'a str>,
    pub(super) keeps_forward_secrecy: bool,
    pub(super) lacks: Lacks,
}

// SAFETY: a connection of the engine may move between threads.
#[allow(unsafe_code)]
unsafe impl Send for Session {}
// SAFETY: a shared reference reads facts alone, which the engine does not change then.
#[allow(unsafe_code)]
unsafe impl Sync for Session {}

impl Drop for Session {
    #[allow(unsafe_code)]
    fn drop(&mut self) {
        // SAFETY: the handle is the engine's, and not used after this.
        unsafe { (self.table.connection_free)(self.handle.as_ptr()) };
    }
}

impl Session {
    /// Makes a connection of this context of the server's.
    #[allow(unsafe_code)]
    pub(super) fn new(
        server: Arc<dyn Answers>,
        context: &EngineContext,
        client: &Client<'_>,
        staple: Option<Arc<Staple>>,
    ) -> Result<Self> {
        let mut fault = Fault::default();
        let table = context.table;
        // SAFETY: the handle is that of a context, and the pointer is valid.
        let handle = unsafe { (table.connection_new)(context.handle.as_ptr(), &mut fault) };
        let handle = NonNull::new(handle).ok_or_else(|| error_of(fault))?;
        Ok(Self {
            table,
            handle,
            server,
            asked: Asked::default(),
            is_complete: false,
            version: None,
            lacks: client.lacks,
            server_name: client.server_name.map(Box::from),
            keeps_forward_secrecy: client.keeps_forward_secrecy,
            staple,
        })
    }

    /// Gives the connection the suites of TLS 1.3 that it may use, and the key of its client. Without suites, it does
    /// not use TLS 1.3.
    #[allow(unsafe_code)]
    pub(super) fn limit_tls13(&mut self, suites: &str, key: Option<(&OfferedKey, u16)>) -> Result<()> {
        let none = Bytes::of(&[]);
        let parts = Tls13Parts {
            suites: Bytes::of(suites.as_bytes()),
            identity: key.map_or(none, |(key, _)| Bytes::of(&key.identity)),
            secret: key.map_or(none, |(key, _)| Bytes::of(&key.secret)),
            suite: key.map_or(0, |(_, suite)| suite),
        };
        self.asked.identity =
            key.map(|(key, _)| Named { identity: key.identity.clone(), is_known: key.is_known, mark: key.mark });
        let mut fault = Fault::default();
        // SAFETY: the handle is that of this connection, and the pointers are valid during the call.
        match unsafe { (self.table.connection_limit)(self.handle.as_ptr(), &parts, &mut fault) } {
            1 => Ok(()),
            _ => Err(error_of(fault)),
        }
    }

    /// Returns true if the handshake is complete.
    pub(crate) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Makes one call of the engine. A panic of the application in a callback continues after it.
    fn call(
        &mut self,
        outgoing: &mut Vec<u8>,
        run: impl FnOnce(&Table, *mut c_void, &Callbacks, &mut Fault) -> u32,
    ) -> Result<Outcome> {
        let mut call = Call {
            server: &*self.server,
            asked: &mut self.asked,
            server_name: self.server_name.as_deref(),
            keeps_forward_secrecy: self.keeps_forward_secrecy,
            staple: self.staple.as_deref(),
            outgoing,
            panic: None,
        };
        let callbacks = Callbacks {
            data: ptr::from_mut(&mut call).cast(),
            emit,
            verify,
            secret,
            note_secret,
            staple,
            seal_session,
            open_session,
            store_session,
            find_session,
        };
        let mut fault = Fault::default();
        let number = run(self.table, self.handle.as_ptr(), &callbacks, &mut fault);
        if let Some(panic) = call.panic {
            resume_unwind(panic);
        }
        match Outcome::from_number(number) {
            Outcome::Failed => Err(self.error_of(fault)),
            outcome => Ok(outcome),
        }
    }

    /// A record that cannot be decrypted before the end of the handshake is the sign of another secret, as is a binder
    /// of TLS 1.3 that is not verified.
    fn error_of(&mut self, fault: Fault) -> Error {
        if let Some(failure) = self.asked.failure.take() {
            return failure;
        }
        let error = error_of(fault);
        let is_of_tls13 = self.facts().version == Some(0x0304);
        if error.code() == Code::PskRefused && is_of_tls13 && self.asked.offered.is_some() {
            return Error::new(Code::FinishedInvalid, "the binder of the session that it offers is wrong");
        }
        let is_of_secret = match error.code() {
            Code::PskRefused => true,
            Code::DecryptFailed | Code::FinishedInvalid => !is_of_tls13,
            _ => false,
        };
        match &self.asked.identity {
            Some(Named { identity, is_known, .. }) if is_of_secret && !self.is_complete => {
                let what = if *is_known { "its secret is another one" } else { "the identity is not known" };
                let error = Error::new(Code::PskRefused, format!("\"{}\": {what}", identity.escape_ascii()));
                return match self.server.hint(identity).filter(|_| *is_known) {
                    Some(hint) => error.with_hint(hint),
                    None => error,
                };
            }
            _ => {}
        }
        match (error.code(), self.lacks) {
            (Code::NoCommonCipherSuite, Lacks::Groups) => Error::from(Code::NoCommonGroup),
            (
                Code::NoCommonCipherSuite | Code::NoCommonSignature | Code::HandshakeSignatureIllegal,
                Lacks::Signatures,
            ) => {
                Error::new(Code::NoCommonSignature, "the client names no signature algorithms").with_hint(ASKS_FOR_SHA1)
            }
            (Code::NoCommonCipherSuite | Code::NoCommonSignature, Lacks::Key) => Error::new(
                Code::NoCommonCipherSuite,
                "pre-shared keys alone are served, and the session of its ticket is not resumed",
            ),
            _ => error,
        }
    }

    /// Continues the handshake with records of the peer. Returns the number of bytes that it has used, and appends
    /// records for the peer.
    #[allow(unsafe_code)]
    pub(crate) fn handshake(&mut self, tls: &[u8], outgoing: &mut Vec<u8>) -> (usize, Result<()>) {
        let mut used = 0;
        let outcome = self.call(outgoing, |table, handle, callbacks, fault| {
            // SAFETY: the handle is that of this connection, and all pointers are valid during the call.
            unsafe { (table.handshake)(handle, callbacks, Bytes::of(tls), &mut used, fault) }
        });
        let Facts { version, suite, is_resumed, uses_psk, uses_sha1, .. } = self.read_facts();
        self.version = Some(version).filter(|version| *version != 0);
        let outcome = outcome.and_then(|outcome| match outcome {
            // It is no end of data during the handshake.
            Outcome::Closed => Err(closed()),
            outcome => self.settle_session(is_resumed == 1).map(|()| self.is_complete = outcome == Outcome::Done),
        });
        if self.is_complete && outcome.is_ok() {
            let has_identity = self.asked.offered.as_ref().is_some_and(|resumed| resumed.identity.is_some());
            let has_psk = uses_psk == 1 || has_identity;
            self.server.note_use(Used { version, suite, has_psk, has_sha1: uses_sha1 == 1 });
        }
        (used.min(tls.len()), outcome)
    }

    /// Drops the facts of a ticket if its session is not resumed. OpenSSL decides about it in the call that opens it.
    fn settle_session(&mut self, is_resumed: bool) -> Result<()> {
        match (is_resumed, &self.asked.offered) {
            (true, None) => Err(Error::new(Code::Internal, "a session is resumed that was not accepted")),
            (false, Some(_)) => {
                self.asked.offered = None;
                HandshakeNotes::drop_session();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Opens one record into `plain`, which has room for its data. Appends the record that answers it.
    #[allow(unsafe_code)]
    pub(crate) fn open(&mut self, record: &[u8], plain: &mut [u8], outgoing: &mut Vec<u8>) -> Result<Opened> {
        let mut produced = 0;
        let room = plain.len();
        let outcome = self.call(outgoing, |table, handle, callbacks, fault| {
            // SAFETY: as for the handshake; the room is that of the buffer.
            unsafe {
                (table.open)(handle, callbacks, Bytes::of(record), plain.as_mut_ptr(), room, &mut produced, fault)
            }
        })?;
        Ok(match outcome {
            Outcome::Done => Opened::Data(produced.min(room)),
            Outcome::Closed => Opened::PeerClosed,
            Outcome::NeedsInput | Outcome::Failed => Opened::Done,
        })
    }

    /// Appends a record of the start of the data. Returns the number of bytes in it.
    #[allow(unsafe_code)]
    pub(crate) fn seal(&mut self, plain: &[u8], outgoing: &mut Vec<u8>) -> Result<usize> {
        let mut used = 0;
        let outcome = self.call(outgoing, |table, handle, callbacks, fault| {
            // SAFETY: as for the handshake.
            unsafe { (table.seal)(handle, callbacks, Bytes::of(plain), &mut used, fault) }
        })?;
        match outcome {
            Outcome::Done if (1..=plain.len()).contains(&used) => Ok(used),
            _ => Err(Error::new(Code::Internal, "the second engine takes no data")),
        }
    }

    /// Appends a fatal alert of this description, unless the engine has sent one.
    #[allow(unsafe_code)]
    pub(crate) fn alert(&mut self, description: u8, outgoing: &mut Vec<u8>) {
        let sent = self.call(outgoing, |table, handle, callbacks, fault| {
            // SAFETY: as for the handshake.
            unsafe { (table.alert)(handle, callbacks, description, fault) }
        });
        // The connection has failed for a reason that is known already.
        drop(sent);
    }

    /// Appends close_notify.
    #[allow(unsafe_code)]
    pub(crate) fn close(&mut self, outgoing: &mut Vec<u8>) -> Result<()> {
        let outcome = self.call(outgoing, |table, handle, callbacks, fault| {
            // SAFETY: as for the handshake.
            unsafe { (table.close)(handle, callbacks, fault) }
        });
        outcome.map(|_| ())
    }

    /// The certificates of the peer, end entity first. They are a fact once the handshake is complete: before, the peer
    /// has not proven that it has their key.
    pub(crate) fn chain(&self) -> &[CertificateDer<'static>] {
        match &self.asked.offered {
            _ if !self.is_complete => &[],
            Some(resumed) => &resumed.chain,
            None => &self.asked.chain,
        }
    }

    /// Takes what was asked: the certificates of the peer, and the identity of its pre-shared key. Both are facts only
    /// if the handshake is complete; the identity, if its key is known and in use.
    pub(crate) fn take_asked(&mut self) -> (Vec<CertificateDer<'static>>, Option<Box<[u8]>>) {
        let asked = std::mem::take(&mut self.asked);
        if !self.is_complete {
            return (Vec::new(), None);
        }
        let facts = self.read_facts();
        asked.into_facts(facts.is_resumed == 1, facts.uses_psk == 1)
    }

    #[allow(unsafe_code)]
    fn read_facts(&self) -> Facts {
        let mut facts = Facts::default();
        // SAFETY: the handle is that of this connection, and the pointer is valid.
        unsafe { (self.table.facts)(self.handle.as_ptr(), &mut facts) };
        facts
    }

    /// The version on the wire, as far as the last call of the handshake has chosen it.
    pub(crate) fn version(&self) -> Option<u16> {
        self.version
    }

    /// The facts, as far as they are chosen.
    pub(crate) fn facts(&self) -> Chosen {
        let facts = self.read_facts();
        let chosen = |number: u16| Some(number).filter(|number| *number != 0);
        let protocol = facts.protocol.get(..usize::from(facts.protocol_length)).filter(|name| !name.is_empty());
        Chosen {
            version: chosen(facts.version),
            suite: chosen(facts.suite),
            group: chosen(facts.group),
            is_resumed: facts.is_resumed != 0,
            protocol: protocol.map(Box::from),
        }
    }
}

/// The choices of a handshake, by their numbers on the wire.
#[derive(Debug, Default)]
pub(crate) struct Chosen {
    pub(crate) version: Option<u16>,
    pub(crate) suite: Option<u16>,
    pub(crate) group: Option<u16>,
    pub(crate) is_resumed: bool,
    pub(crate) protocol: Option<Box<[u8]>>,
}
