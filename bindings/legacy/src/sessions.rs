//! Resumption by tickets (RFC 5077, RFC 8446 section 4.6.1): OpenSSL's session under our keys, and in it what the core
//! seals.
//!
//! The core decides if a session is resumed. OpenSSL keeps none. In TLS 1.3 it sends no ticket by itself: it could not
//! leave one out that the core does not want.

use std::ffi::{c_int, c_long, c_uchar, c_void};
use std::io::{Read, Write};
use std::ptr;
use std::sync::OnceLock;

use brokertls_legacy_abi::{ContextParts, SessionParts, TICKET_TAG_BYTES};
use foreign_types::ForeignTypeRef;
use openssl::error::ErrorStack;
use openssl::ex_data::Index;
use openssl::ssl::{Error, SslContext, SslContextBuilder, SslOptions, SslRef, SslStream};
use openssl_sys as sys;
use zeroize::Zeroizing;

use crate::once::made_once;
use crate::{callbacks, psk, ticket_keys};

/// The most that the core may add to a session.
const MAX_SEALED_BYTES: usize = 16 * 1024;

/// The most bytes of a ticket beside the session as it is before: its name, IV, padding and MAC, and in TLS 1.3 the
/// secret.
const MORE_BYTES: usize = 16 + 16 + 16 + 32 + 48;

/// The sessions of servers here are of one kind: the core tells contexts apart.
pub(crate) const ID_CONTEXT: &[u8] = b"brokertls";

const TLS1_3: u16 = 0x0304;

#[allow(unsafe_code)]
mod more {
    use super::*;

    pub(super) type Generate = unsafe extern "C" fn(*mut sys::SSL, *mut c_void) -> c_int;
    pub(super) type Decrypt =
        unsafe extern "C" fn(*mut sys::SSL, *mut sys::SSL_SESSION, *const c_uchar, usize, c_int, *mut c_void) -> c_int;
    pub(super) type Protect = unsafe extern "C" fn(
        *mut sys::SSL,
        *mut c_uchar,
        *mut c_uchar,
        *mut sys::EVP_CIPHER_CTX,
        *mut c_void,
        c_int,
    ) -> c_int;

    unsafe extern "C" {
        pub(super) fn SSL_CTX_set_timeout(context: *mut sys::SSL_CTX, seconds: c_long) -> c_long;
        pub(super) fn SSL_CTX_set_session_ticket_cb(
            context: *mut sys::SSL_CTX,
            generate: Generate,
            decrypt: Decrypt,
            data: *mut c_void,
        ) -> c_int;
        pub(super) fn SSL_CTX_set_tlsext_ticket_key_evp_cb(context: *mut sys::SSL_CTX, callback: Protect) -> c_int;
        pub(super) fn SSL_SESSION_set1_ticket_appdata(
            session: *mut sys::SSL_SESSION,
            data: *const c_void,
            length: usize,
        ) -> c_int;
        pub(super) fn SSL_SESSION_get0_ticket_appdata(
            session: *mut sys::SSL_SESSION,
            data: *mut *mut c_void,
            length: *mut usize,
        ) -> c_int;
        pub(super) fn SSL_SESSION_set_timeout(session: *mut sys::SSL_SESSION, seconds: c_long) -> c_long;
        pub(super) fn SSL_new_session_ticket(ssl: *mut sys::SSL) -> c_int;
    }
}

/// The tickets of a context.
#[derive(Clone, Copy)]
struct Tickets {
    tag: [u8; TICKET_TAG_BYTES],
    lifetime_s: u32,
    /// The number of them after a handshake of TLS 1.3.
    of_tls13: u8,
}

fn tickets_index() -> Result<Index<SslContext, Tickets>, ErrorStack> {
    static INDEX: OnceLock<Index<SslContext, Tickets>> = OnceLock::new();
    made_once(&INDEX, SslContext::new_ex_index).copied()
}

fn tickets_of(ssl: &SslRef) -> Option<Tickets> {
    ssl.ssl_context().ex_data(tickets_index().ok()?).copied()
}

/// The first bytes of the tickets of a connection's context. None if it has no tickets.
pub(crate) fn tag(ssl: &SslRef) -> Option<[u8; TICKET_TAG_BYTES]> {
    tickets_of(ssl).map(|tickets| tickets.tag)
}

/// Turns tickets on, if the core wants them.
#[allow(unsafe_code)]
pub(crate) fn set(builder: &mut SslContextBuilder, parts: &ContextParts) -> Result<(), ErrorStack> {
    if parts.session_lifetime_s == 0 {
        return Ok(());
    }
    let (tag, lifetime_s) = (parts.ticket_tag, parts.session_lifetime_s);
    builder.set_ex_data(tickets_index()?, Tickets { tag, lifetime_s, of_tls13: parts.tickets_of_tls13 });
    builder.clear_options(SslOptions::NO_TICKET);
    builder.set_session_id_context(ID_CONTEXT)?;
    let context = builder.as_ptr();
    // SAFETY: the context is the builder's, and the functions fit.
    unsafe {
        more::SSL_CTX_set_timeout(context, c_long::from(lifetime_s));
        more::SSL_CTX_set_session_ticket_cb(context, generate, decrypt, ptr::null_mut());
        more::SSL_CTX_set_tlsext_ticket_key_evp_cb(context, ticket_keys::protect);
    }
    Ok(())
}

/// Sends the tickets of TLS 1.3 after the handshake, as many as the core seals.
#[allow(unsafe_code)]
pub(crate) fn send<S: Read + Write>(stream: &mut SslStream<S>) -> Result<(), Error> {
    let ssl = stream.ssl();
    let Some(tickets) = tickets_of(ssl).filter(|_| version_of(ssl) == TLS1_3) else { return Ok(()) };
    for _ in 0..tickets.of_tls13 {
        // SAFETY: the connection is valid, and its handshake is complete.
        let is_asked = unsafe {
            let ssl = stream.ssl().as_ptr();
            // That of an external key is OpenSSL's default.
            more::SSL_SESSION_set_timeout(sys::SSL_get_session(ssl), c_long::from(tickets.lifetime_s));
            seal(ssl) && more::SSL_new_session_ticket(ssl) == 1
        };
        if !is_asked {
            break;
        }
        stream.do_handshake()?;
    }
    Ok(())
}

/// Drops what the core has sealed from the session of a connection. It is of use in tickets alone.
#[allow(unsafe_code)]
pub(crate) fn drop_sealed(ssl: &SslRef) {
    // SAFETY: the connection is valid, and its session, if any, lives as long as it.
    unsafe {
        let session = sys::SSL_get_session(ssl.as_ptr());
        if !session.is_null() {
            more::SSL_SESSION_set1_ticket_appdata(session, ptr::null(), 0);
        }
    }
}

/// Puts what the core seals into the session, before its ticket is made. In TLS 1.3, it is there already.
#[allow(unsafe_code)]
unsafe extern "C" fn generate(ssl: *mut sys::SSL, _: *mut c_void) -> c_int {
    let made = std::panic::catch_unwind(|| {
        // SAFETY: OpenSSL gives a valid connection, which has a session by now.
        unsafe {
            if version_of(SslRef::from_ptr(ssl)) != TLS1_3 {
                seal(ssl);
            }
        }
    });
    c_int::from(made.is_ok())
}

/// Puts what the core seals into the session of a connection. Returns false if it seals nothing: there is no ticket.
///
/// # Safety
/// The connection must be valid, and have a session.
#[allow(unsafe_code)]
unsafe fn seal(ssl: *mut sys::SSL) -> bool {
    // SAFETY: the caller promises a valid connection with a session. OpenSSL copies what is in the room.
    unsafe {
        let session = sys::SSL_get_session(ssl);
        // That of an earlier ticket does not count.
        more::SSL_SESSION_set1_ticket_appdata(session, ptr::null(), 0);
        let own = usize::try_from(sys::i2d_SSL_SESSION(session, ptr::null_mut())).unwrap_or(MAX_SEALED_BYTES);
        let mut room = Zeroizing::new(vec![0; MAX_SEALED_BYTES]);
        let length = callbacks::seal_session(parts_of(SslRef::from_ptr(ssl)), own + MORE_BYTES, &mut room);
        more::SSL_SESSION_set1_ticket_appdata(session, room.as_ptr().cast(), length) == 1 && length > 0
    }
}

/// The session of a connection, for the core.
pub(crate) fn parts_of(ssl: &SslRef) -> SessionParts {
    // A pre-shared key of TLS 1.3 stands for no earlier session.
    let is_resumed = ssl.session_reused() && !psk::is_external(ssl);
    SessionParts { version: version_of(ssl), is_resumed: is_resumed.into(), uses_psk: psk::is_used(ssl).into() }
}

/// The version of a connection, once it is chosen.
#[allow(unsafe_code)]
pub(crate) fn version_of(ssl: &SslRef) -> u16 {
    // SAFETY: the connection is valid.
    u16::try_from(unsafe { sys::SSL_version(ssl.as_ptr()) }).unwrap_or_default()
}

/// Returns true if the session of a connection is one for a ticket.
#[allow(unsafe_code)]
pub(crate) fn has_ticket(ssl: &SslRef) -> bool {
    // SAFETY: the connection is valid, and its session is not changed here.
    unsafe {
        let session = sys::SSL_get_session(ssl.as_ptr());
        !session.is_null() && !sealed(session).is_empty()
    }
}

/// The part of the core's in a session; empty if there is none.
///
/// # Safety
/// The session must be valid, and unchanged for `'a`.
#[allow(unsafe_code)]
unsafe fn sealed<'a>(session: *mut sys::SSL_SESSION) -> &'a [u8] {
    let (mut data, mut length) = (ptr::null_mut(), 0);
    // SAFETY: the caller promises a valid session.
    unsafe {
        match more::SSL_SESSION_get0_ticket_appdata(session, &mut data, &mut length) {
            1 if !data.is_null() && length > 0 => std::slice::from_raw_parts(data.cast(), length),
            _ => &[],
        }
    }
}

/// Asks the core about the session of a ticket. In TLS 1.3, OpenSSL takes each identity of a pre-shared key for a
/// ticket that it does not find otherwise.
#[allow(unsafe_code)]
unsafe extern "C" fn decrypt(
    ssl: *mut sys::SSL,
    session: *mut sys::SSL_SESSION,
    _: *const c_uchar,
    _: usize,
    status: c_int,
    _: *mut c_void,
) -> c_int {
    /// The ticket has been decrypted, under the present key or that before it.
    const SUCCESS: c_int = 5;
    const SUCCESS_RENEW: c_int = 6;
    const IGNORE_RENEW: c_int = 2;
    const USE_RENEW: c_int = 4;
    let is_open = matches!(status, SUCCESS | SUCCESS_RENEW) && !session.is_null();
    // SAFETY: OpenSSL gives a valid connection, has chosen its version, and gives the session of the ticket.
    let ask = || is_open && unsafe { callbacks::open_session(version_of(SslRef::from_ptr(ssl)), sealed(session)) };
    let is_resumed = std::panic::catch_unwind(ask).unwrap_or(false);
    if is_resumed { USE_RENEW } else { IGNORE_RENEW }
}
