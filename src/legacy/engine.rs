//! The functions of the second engine's table, as types: contexts and the connections of both sides.

use std::ffi::c_void;
use std::panic::resume_unwind;
use std::ptr::NonNull;
use std::sync::Arc;

use brokertls_legacy_abi::{Bytes, Callbacks, ContextParts, Facts, Fault, Outcome, Table, Tls13Parts};
use rustls::pki_types::{CertificateDer, ServerName};

use crate::error::{Code, Error, Result};
use crate::identity::ASKS_FOR_SHA1;
use crate::policy::cipher_suite_name;
use crate::revocation::Staple;
use crate::verify::HandshakeNotes;

use super::answers::{Answers, AnswersClient};
use super::asked::{Asked, Named};
use super::calls::{self, Call};
use super::fault::{closed, error_of};
use super::psk::{MAX_IDENTITY_BYTES, OfferedKey};
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

/// The connection of one side.
pub(crate) struct Session {
    table: &'static Table,
    handle: NonNull<c_void>,
    answers: Arc<dyn Answers>,
    asked: Asked,
    is_complete: bool,
    /// The version on the wire, once it is chosen.
    version: Option<u16>,
    lacks: Lacks,
    /// The name that the client of a server asks for.
    server_name: Option<Box<str>>,
    /// True if the client resumes sessions of TLS 1.3 with Diffie-Hellman.
    keeps_forward_secrecy: bool,
    /// The server of a client.
    peer_name: Option<ServerName<'static>>,
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
    pub(super) fn to_client(
        server: Arc<dyn Answers>,
        context: &EngineContext,
        client: &Client<'_>,
        staple: Option<Arc<Staple>>,
    ) -> Result<Self> {
        let mut made = Self::of(server, context, "")?;
        (made.lacks, made.server_name, made.staple) = (client.lacks, client.server_name.map(Box::from), staple);
        made.keeps_forward_secrecy = client.keeps_forward_secrecy;
        Ok(made)
    }

    /// Makes a connection of this context of the client's, which sends this name.
    pub(super) fn to_server(
        client: Arc<dyn Answers>,
        context: &EngineContext,
        peer_name: ServerName<'static>,
        sent: &str,
    ) -> Result<Self> {
        let mut made = Self::of(client, context, sent)?;
        made.peer_name = Some(peer_name);
        Ok(made)
    }

    #[allow(unsafe_code)]
    fn of(answers: Arc<dyn Answers>, context: &EngineContext, sent: &str) -> Result<Self> {
        let mut fault = Fault::default();
        let table = context.table;
        // SAFETY: the handle is that of a context, and the other pointers are valid during the call.
        let handle = unsafe { (table.connection_new)(context.handle.as_ptr(), Bytes::of(sent.as_bytes()), &mut fault) };
        let handle = NonNull::new(handle).ok_or_else(|| error_of(fault))?;
        let asked = Asked::default();
        let (server_name, peer_name, staple) = (None, None, None);
        let (is_complete, lacks, keeps_forward_secrecy) = (false, Lacks::Nothing, false);
        Ok(Self {
            table,
            handle,
            answers,
            asked,
            is_complete,
            version: None,
            lacks,
            server_name,
            keeps_forward_secrecy,
            peer_name,
            staple,
        })
    }

    /// Returns true for a client's side.
    pub(crate) fn is_client(&self) -> bool {
        self.peer_name.is_some()
    }

    /// Gives the connection the suites of TLS 1.3 that it may use, and the key of the client. Without suites, it does
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
            answers: &*self.answers,
            asked: &mut self.asked,
            server_name: self.server_name.as_deref(),
            keeps_forward_secrecy: self.keeps_forward_secrecy,
            peer_name: self.peer_name.as_ref(),
            presented: None,
            staple: self.staple.as_deref(),
            outgoing,
            panic: None,
        };
        let callbacks = calls::callbacks(&mut call);
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
        let facts = self.read_facts();
        if error.code() == Code::PskRefused && facts.version == 0x0304 && self.asked.offered.is_some() {
            return Error::new(Code::FinishedInvalid, "the binder of the session that it offers is wrong");
        }
        let is_of_secret = match error.code() {
            Code::PskRefused => true,
            Code::DecryptFailed | Code::FinishedInvalid => facts.version != 0x0304,
            _ => false,
        };
        let named = self.asked.identity.as_ref().filter(|_| !self.is_complete);
        match (named, self.answers.as_server()) {
            (Some(named), Some(server)) if is_of_secret => return of_secret(named, server),
            (Some(named), None) => return of_own_secret(error, named, is_of_secret && facts.uses_psk == 1),
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
        let facts = self.read_facts();
        self.version = Some(facts.version).filter(|version| *version != 0);
        let outcome = outcome.and_then(|outcome| match outcome {
            // It is no end of data during the handshake.
            Outcome::Closed => Err(closed()),
            outcome => self.settle_session(facts.is_resumed == 1).map(|()| self.is_complete = outcome == Outcome::Done),
        });
        let outcome = outcome.and_then(|()| if self.is_complete { self.settle_handshake(&facts) } else { Ok(()) });
        (used.min(tls.len()), outcome)
    }

    /// Counts a handshake that is complete. Refuses a server that has not proven itself: by a certificate that is
    /// accepted, or by the pre-shared key.
    fn settle_handshake(&mut self, facts: &Facts) -> Result<()> {
        let Facts { version, suite, uses_psk, uses_sha1, .. } = *facts;
        let has_psk = uses_psk == 1;
        if let Some(client) = self.answers.as_client() {
            let needs_certificate = !has_psk || cipher_suite_name(suite).starts_with("TLS_RSA_PSK_");
            let settled = match needs_certificate && !self.asked.is_judged || has_psk && self.asked.identity.is_none() {
                true => Err(Error::new(Code::Internal, "a server has proven nothing")),
                false => client.check(self.facts().protocol.as_deref()),
            };
            settled.inspect_err(|_| self.is_complete = false)?;
        }
        let has_identity = self.asked.offered.as_ref().is_some_and(|resumed| resumed.identity.is_some());
        self.answers.note_use(Used { version, suite, has_psk: has_psk || has_identity, has_sha1: uses_sha1 == 1 });
        Ok(())
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

/// The error of a server for a client with another secret.
fn of_secret(Named { identity, is_known, .. }: &Named, server: &dyn AnswersClient) -> Error {
    let what = if *is_known { "its secret is another one" } else { "the identity is not known" };
    // Clients send longer ones than there can be.
    let (shown, cut) = match identity.get(..MAX_IDENTITY_BYTES) {
        Some(start) if start.len() < identity.len() => (start, "..."),
        _ => (&**identity, ""),
    };
    let error = Error::new(Code::PskRefused, format!("\"{}\"{cut}: {what}", shown.escape_ascii()));
    match server.hint(identity).filter(|_| *is_known) {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

/// The error of a client that has named an identity.
fn of_own_secret(error: Error, named: &Named, is_of_secret: bool) -> Error {
    const OF_KEYS: [Code; 4] =
        [Code::AlertBadRecordMac, Code::AlertIllegalParameter, Code::AlertDecryptError, Code::AlertUnknownPskIdentity];
    let identity = named.identity.escape_ascii();
    match error.code() {
        _ if is_of_secret => Error::new(Code::PskRefused, format!("\"{identity}\": the server has another secret")),
        code if OF_KEYS.contains(&code) => error.with_hint(format!(
            "The server does not know the identity \"{identity}\", or has another secret for it: compare both sides."
        )),
        _ => error,
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
