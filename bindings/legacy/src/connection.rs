//! Connections: OpenSSL over a transport that holds the caller's bytes for one call, and gives away what it is given.
//!
//! OpenSSL's memory BIO keeps its buffer at its largest size, which is 40 KiB more for each idle connection.

use std::io::{self, Read, Write};

use brokertls_legacy_abi::{Callbacks, Facts, Fault, Outcome};
use foreign_types::ForeignTypeRef;
use openssl::ssl::{ErrorCode, Ssl, SslCipherRef, SslContext, SslRef, SslStream};

use crate::callbacks;
use crate::guard::fault_of;

/// The bytes of one call.
struct Transport {
    input: *const u8,
    length: usize,
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
        match callbacks::emit(records) {
            true => Ok(records.len()),
            false => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A server's side.
pub(crate) struct Connection {
    stream: SslStream<Transport>,
}

impl Connection {
    pub(crate) fn new(context: &SslContext) -> Result<Self, Fault> {
        let ssl = Ssl::new(context).map_err(|errors| fault_of(&errors))?;
        let transport = Transport { input: std::ptr::null(), length: 0 };
        Ok(Self { stream: SslStream::new(ssl, transport).map_err(|errors| fault_of(&errors))? })
    }

    /// Runs a part of a call over `input`. Returns the number of bytes that it has used, too.
    fn during<T>(
        &mut self,
        callbacks: &Callbacks,
        input: &[u8],
        run: impl FnOnce(&mut SslStream<Transport>) -> T,
    ) -> (usize, T) {
        *self.stream.get_mut() = Transport { input: input.as_ptr(), length: input.len() };
        let outcome = callbacks::with(callbacks, || run(&mut self.stream));
        let left = std::mem::replace(self.stream.get_mut(), Transport { input: std::ptr::null(), length: 0 });
        (input.len() - left.length, outcome)
    }

    pub(crate) fn handshake(&mut self, callbacks: &Callbacks, input: &[u8]) -> (usize, Result<Outcome, Fault>) {
        let (used, outcome) = self.during(callbacks, input, SslStream::accept);
        (used, outcome.map(|()| Outcome::Done).or_else(outcome_of))
    }

    pub(crate) fn open(
        &mut self,
        callbacks: &Callbacks,
        input: &[u8],
        room: &mut [u8],
    ) -> Result<(usize, Outcome), Fault> {
        let (_, outcome) = self.during(callbacks, input, |stream| stream.ssl_read(room));
        match outcome {
            Ok(count) => Ok((count, Outcome::Done)),
            Err(error) => outcome_of(error).map(|outcome| (0, outcome)),
        }
    }

    pub(crate) fn seal(&mut self, callbacks: &Callbacks, plain: &[u8]) -> Result<Outcome, Fault> {
        let (_, outcome) = self.during(callbacks, &[], |stream| stream.ssl_write(plain));
        match outcome {
            Ok(count) if count == plain.len() => Ok(Outcome::Done),
            Ok(_) => Err(Fault::default()),
            Err(error) => outcome_of(error),
        }
    }

    pub(crate) fn close(&mut self, callbacks: &Callbacks) -> Result<Outcome, Fault> {
        let (_, outcome) = self.during(callbacks, &[], SslStream::shutdown);
        outcome.map(|_| Outcome::Done).or_else(outcome_of)
    }

    pub(crate) fn facts(&self) -> Facts {
        let ssl = self.stream.ssl();
        let mut facts = Facts::default();
        // OpenSSL keeps the suite in the session from the change of ciphers on alone.
        if let Some(suite) = ssl.current_cipher().or_else(|| pending_suite(ssl)) {
            facts.suite = u16::from_be_bytes(suite.protocol_id());
            facts.version = match ssl.version_str() {
                "TLSv1" => 0x0301,
                "TLSv1.1" => 0x0302,
                "TLSv1.2" => 0x0303,
                "TLSv1.3" => 0x0304,
                _ => 0,
            };
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

/// The suite that the next change of ciphers begins with.
#[allow(unsafe_code)]
fn pending_suite(ssl: &SslRef) -> Option<&SslCipherRef> {
    unsafe extern "C" {
        fn SSL_get_pending_cipher(ssl: *const openssl_sys::SSL) -> *const openssl_sys::SSL_CIPHER;
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
        _ => Err(error.ssl_error().map_or_else(Fault::default, fault_of)),
    }
}
