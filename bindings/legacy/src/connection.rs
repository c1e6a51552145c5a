//! Connections: OpenSSL over a transport that holds the caller's bytes for one call, and gives away what it is given.
//!
//! OpenSSL's memory BIO keeps its buffer at its largest size, which is 40 KiB more for each idle connection.

use std::ffi::c_int;
use std::io::{self, Read, Write};

use brokertls_legacy_abi::{Callbacks, Facts, Fault, Outcome, SessionParts, Tls13Parts, reason};
use foreign_types::ForeignTypeRef;
use openssl::ssl::{ErrorCode, Ssl, SslCipherRef, SslContext, SslRef, SslStream, SslVersion};
use openssl_sys as sys;

use crate::context::CLEANSE_PLAINTEXT;
use crate::guard::fault_of;
use crate::sealed::{Record, Side};
use crate::sent::Sent;
use crate::traffic::Traffic;
use crate::{callbacks, client, groups, psk, sealed, sessions, signatures};

/// Content types of records.
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;

/// Level of an alert that ends the connection.
const FATAL: u8 = 2;

/// The fault for a close_notify of the level of failures. Its level counts for nothing, as with rustls.
const FATAL_CLOSE: Fault = Fault { library: 20, reason: 1000 };

/// Room for the data of a record that has none.
const SCRATCH_BYTES: usize = 16;

/// The bytes of one call, and the records of all calls.
struct Transport {
    input: *const u8,
    length: usize,
    sent: Sent,
    /// The number of records after which this call gives no more.
    most_records: u64,
    /// True if a call would have given more.
    is_over: bool,
}

// SAFETY: the pointer is used only within a call, on the thread of that call.
#[allow(unsafe_code)]
unsafe impl Send for Transport {}

impl Read for Transport {
    #[allow(unsafe_code)]
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let count = self.length.min(room.len());
        if count == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        // SAFETY: `during` keeps the pointer only as long as it borrows that many bytes.
        room[..count].copy_from_slice(unsafe { std::slice::from_raw_parts(self.input, count) });
        self.input = self.input.wrapping_add(count);
        self.length -= count;
        Ok(count)
    }
}

impl Write for Transport {
    fn write(&mut self, records: &[u8]) -> io::Result<usize> {
        if self.sent.count() >= self.most_records {
            self.is_over = true;
            return Err(io::ErrorKind::Other.into());
        }
        if !callbacks::emit(records) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.sent.note(records);
        Ok(records.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One side of a connection.
pub(crate) struct Connection {
    stream: SslStream<Transport>,
    encrypts_then_macs: bool,
    /// The secret for data in TLS 1.3, once this side has it.
    traffic: Option<Traffic>,
    /// A request to renegotiate has been refused.
    has_refused: bool,
    /// A fatal alert has been sent.
    has_ended: bool,
}

impl Connection {
    /// Makes a connection of the side of its context. A client sends this server name, unless it is empty.
    pub(crate) fn new(context: &SslContext, server_name: &[u8]) -> Result<Self, Fault> {
        let mut ssl = Ssl::new(context).map_err(|errors| fault_of(&errors))?;
        if !ssl.is_server() {
            client::begin(&mut ssl, server_name).map_err(|errors| fault_of(&errors))?;
        }
        let transport = Transport {
            input: std::ptr::null(),
            length: 0,
            sent: Sent::default(),
            most_records: u64::MAX,
            is_over: false,
        };
        let stream = SslStream::new(ssl, transport).map_err(|errors| fault_of(&errors))?;
        Ok(Self { stream, encrypts_then_macs: false, traffic: None, has_refused: false, has_ended: false })
    }

    /// Sets what TLS 1.3 uses, before the handshake.
    #[allow(unsafe_code)]
    pub(crate) fn limit(&mut self, parts: &Tls13Parts) -> Result<(), Fault> {
        // SAFETY: this connection owns it, and nothing else uses it during the call.
        let ssl = unsafe { SslRef::from_ptr_mut(self.stream.ssl().as_ptr()) };
        psk::limit(ssl, parts).map_err(|errors| fault_of(&errors))
    }

    /// Runs a part of a call over `input`, which gives no more than this many records. Returns the number of bytes that
    /// it has used, too.
    fn during<T>(
        &mut self,
        callbacks: &Callbacks,
        input: &[u8],
        most: u64,
        run: impl FnOnce(&mut SslStream<Transport>) -> T,
    ) -> (usize, T) {
        let transport = self.stream.get_mut();
        (transport.input, transport.length) = (input.as_ptr(), input.len());
        let before = transport.sent.count();
        transport.most_records = before.saturating_add(most);
        let (outcome, heard) = callbacks::with(callbacks, || run(&mut self.stream));
        let transport = self.stream.get_mut();
        let left = std::mem::take(&mut transport.length);
        transport.input = std::ptr::null();
        // The secret follows the last record of a flight. A key update is the first record of a call.
        let count = transport.sent.count();
        self.traffic = heard.traffic_secret.map(|secret| Traffic::new(secret, count)).or_else(|| self.traffic.take());
        if heard.has_updated_key {
            self.traffic =
                self.traffic.take().and_then(|mut traffic| traffic.update(before + 1).is_ok().then_some(traffic));
        }
        self.encrypts_then_macs = heard.encrypts_then_macs.unwrap_or(self.encrypts_then_macs);
        self.has_ended |= heard.has_ended;
        (input.len() - left, outcome)
    }

    pub(crate) fn handshake(&mut self, callbacks: &Callbacks, input: &[u8]) -> (usize, Result<Outcome, Fault>) {
        let run = |stream: &mut SslStream<Transport>| {
            if !stream.ssl().is_server() {
                return stream.connect();
            }
            stream.accept()?;
            sessions::send(stream)?;
            sessions::drop_sealed(stream.ssl());
            Ok(())
        };
        let (used, outcome) = self.during(callbacks, input, u64::MAX, run);
        let outcome = outcome.map(|()| Outcome::Done).or_else(outcome_of);
        let outcome = outcome.and_then(|outcome| end_of_call(outcome, free_buffers(self.stream.ssl())));
        (used, outcome)
    }

    /// Opens a whole record. Each record gives data, or is answered by one at the most.
    pub(crate) fn open(
        &mut self,
        callbacks: &Callbacks,
        input: &[u8],
        room: &mut [u8],
    ) -> Result<(usize, Outcome), Fault> {
        if sealed::is_cut(self.stream.ssl(), input) {
            return Err(Fault { library: 0, reason: reason::CUT_RECORD });
        }
        let is_message = input.first() == Some(&HANDSHAKE) && self.stream.ssl().version2() != Some(SslVersion::TLS1_3);
        let most = if is_message && self.has_refused { 0 } else { 1 };
        let before = self.stream.get_ref().sent.count();
        let mut scratch = [0; SCRATCH_BYTES];
        let has_room = !room.is_empty();
        let place = if has_room { room } else { &mut scratch[..] };
        let (used, outcome) = self.during(callbacks, input, most, |stream| stream.ssl_read(place));
        if self.stream.get_ref().is_over {
            let refused = Fault { library: 0, reason: reason::RENEGOTIATION };
            let found = outcome.err().and_then(|error| error.ssl_error().map(fault_of));
            return Err(found.filter(|fault| *fault != Fault::default()).unwrap_or(refused));
        }
        let outcome = match outcome {
            Ok(count) if has_room && self.stream.ssl().pending() == 0 => Ok((count, Outcome::Done)),
            Ok(_) => Err(Fault::default()),
            Err(error) => outcome_of(error).map(|outcome| (0, outcome)),
        }?;
        let is_empty = free_buffers(self.stream.ssl());
        if outcome.1 == Outcome::Closed {
            return Ok(outcome);
        }
        // Up to TLS 1.2, the one message that may come asks to renegotiate, and is answered.
        let is_answered = self.stream.get_ref().sent.count() > before;
        let is_whole = self.stream.ssl().is_init_finished() && (is_answered || !is_message);
        if !is_whole || !is_empty || used != input.len() {
            return Err(Fault { library: 0, reason: reason::PART_OF_MESSAGE });
        }
        self.has_refused |= is_message;
        Ok(outcome)
    }

    /// Seals the start of `plain`, at most one record. Returns the number of bytes that it has used.
    pub(crate) fn seal(&mut self, callbacks: &Callbacks, plain: &[u8]) -> Result<(usize, Outcome), Fault> {
        let (_, outcome) = self.during(callbacks, &[], u64::MAX, |stream| stream.ssl_write(plain));
        let outcome = match outcome {
            Ok(count) => Ok((count, Outcome::Done)),
            Err(error) => outcome_of(error).map(|outcome| (0, outcome)),
        }?;
        free_buffers(self.stream.ssl());
        Ok(outcome)
    }

    pub(crate) fn close(&mut self, callbacks: &Callbacks) -> Result<Outcome, Fault> {
        let (_, outcome) = self.during(callbacks, &[], u64::MAX, SslStream::shutdown);
        let outcome = outcome.map(|_| Outcome::Done).or_else(outcome_of)?;
        free_buffers(self.stream.ssl());
        Ok(outcome)
    }

    /// Gives the record of a fatal alert, unless one has been sent.
    pub(crate) fn alert(&mut self, callbacks: &Callbacks, description: u8) -> Result<Outcome, Fault> {
        if std::mem::replace(&mut self.has_ended, true) {
            return Ok(Outcome::Done);
        }
        let content = [FATAL, description];
        let (ssl, sent) = (self.stream.ssl(), &self.stream.get_ref().sent);
        let record = Record { kind: ALERT, content: &content, sent, encrypts_then_macs: self.encrypts_then_macs };
        let side = if ssl.is_server() { Side::Server } else { Side::Client };
        let sealed = match &self.traffic {
            Some(traffic) => traffic.seal(ssl, (ALERT, &content), sent.count()),
            None => record.seal(ssl, side),
        };
        let Some(sealed) = sealed.map_err(|errors| fault_of(&errors))? else { return Ok(Outcome::NeedsInput) };
        match callbacks::with(callbacks, || callbacks::emit(&sealed)) {
            (true, _) => Ok(Outcome::Done),
            (false, _) => Err(Fault::default()),
        }
    }

    pub(crate) fn facts(&self) -> Facts {
        let ssl = self.stream.ssl();
        let SessionParts { is_resumed, uses_psk, .. } = sessions::parts_of(ssl);
        let uses_sha1 = signatures::use_sha1(ssl).into();
        let mut facts = Facts { is_resumed, uses_psk, uses_sha1, ..Facts::default() };
        // OpenSSL keeps the suite in the session from the change of ciphers on alone.
        if let Some(suite) = ssl.current_cipher().or_else(|| pending_suite(ssl)) {
            facts.suite = u16::from_be_bytes(suite.protocol_id());
            facts.group = groups::of(ssl, suite).unwrap_or_default();
            facts.version = version_of(ssl);
        }
        if let Some(protocol) = ssl.selected_alpn_protocol()
            && let Ok(length) = u8::try_from(protocol.len())
        {
            facts.protocol[..protocol.len()].copy_from_slice(protocol);
            facts.protocol_length = length;
        }
        facts
    }
}

/// The version on the wire, once it is chosen.
#[allow(unsafe_code)]
fn version_of(ssl: &SslRef) -> u16 {
    // SAFETY: the connection is valid.
    u16::try_from(unsafe { sys::SSL_version(ssl.as_ptr()) }).unwrap_or_default()
}

/// Ends a call of the handshake. Up to TLS 1.2, the last record of a peer may have more than its Finished message, and
/// nothing would read that in time.
fn end_of_call(outcome: Outcome, is_empty: bool) -> Result<Outcome, Fault> {
    match outcome {
        Outcome::Done if !is_empty => Err(Fault { library: 0, reason: reason::PART_OF_MESSAGE }),
        outcome => Ok(outcome),
    }
}

/// Frees OpenSSL's buffers if they hold no data: each byte has been wiped as it was given away. Returns false if there
/// are bytes that OpenSSL has not used. Some versions of it would free those of a record that is opened already.
///
/// A mode of OpenSSL's own (`SSL_MODE_RELEASE_BUFFERS`) wipes a buffer as a whole each time, and takes longer than to
/// open a short record.
#[allow(unsafe_code)]
fn free_buffers(ssl: &SslRef) -> bool {
    unsafe extern "C" {
        fn SSL_has_pending(ssl: *const sys::SSL) -> c_int;
        fn SSL_set_options(ssl: *mut sys::SSL, options: u64) -> u64;
        fn SSL_clear_options(ssl: *mut sys::SSL, options: u64) -> u64;
        fn SSL_free_buffers(ssl: *mut sys::SSL) -> c_int;
    }
    // SAFETY: the connection is valid, and no buffer has bytes that OpenSSL has not used.
    unsafe {
        if SSL_has_pending(ssl.as_ptr()) != 0 {
            return false;
        }
        SSL_clear_options(ssl.as_ptr(), CLEANSE_PLAINTEXT);
        SSL_free_buffers(ssl.as_ptr());
        SSL_set_options(ssl.as_ptr(), CLEANSE_PLAINTEXT);
    }
    true
}

/// The suite that the next change of ciphers begins with.
#[allow(unsafe_code)]
pub(crate) fn pending_suite(ssl: &SslRef) -> Option<&SslCipherRef> {
    unsafe extern "C" {
        fn SSL_get_pending_cipher(ssl: *const sys::SSL) -> *const sys::SSL_CIPHER;
    }
    // SAFETY: the connection is valid, and its suites live as long as it.
    unsafe {
        let suite = SSL_get_pending_cipher(ssl.as_ptr());
        (!suite.is_null()).then(|| SslCipherRef::from_ptr(suite.cast_mut()))
    }
}

fn outcome_of(error: openssl::ssl::Error) -> Result<Outcome, Fault> {
    match error.code() {
        ErrorCode::WANT_READ => Ok(Outcome::NeedsInput),
        ErrorCode::ZERO_RETURN => Ok(Outcome::Closed),
        _ => match error.ssl_error().map_or_else(Fault::default, fault_of) {
            FATAL_CLOSE => Ok(Outcome::Closed),
            fault => Err(fault),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handshake_that_is_complete_with_bytes_after_it_is_refused_and_one_that_waits_for_the_rest_of_a_record_is_not() {
        let refused = Fault { library: 0, reason: reason::PART_OF_MESSAGE };
        assert_eq!(end_of_call(Outcome::Done, false), Err(refused));
        for (outcome, is_empty) in [(Outcome::Done, true), (Outcome::NeedsInput, false), (Outcome::Closed, false)] {
            assert_eq!(end_of_call(outcome, is_empty), Ok(outcome));
        }
    }
}
