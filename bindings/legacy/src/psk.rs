//! Pre-shared keys. Up to TLS 1.2, OpenSSL asks the core for the secret of an identity. In TLS 1.3, the core has found
//! the key by the ClientHello, and the connection has it from the start.

use std::ffi::{CString, c_char, c_int, c_long, c_void};
use std::ptr;
use std::sync::OnceLock;

use brokertls_legacy_abi::{Bytes, Tls13Parts};
use foreign_types::{ForeignType, ForeignTypeRef};
use openssl::error::ErrorStack;
use openssl::ex_data::Index;
use openssl::ssl::{Ssl, SslCipherRef, SslContextBuilder, SslRef, SslSession, SslSessionRef, SslVersion};
use openssl_sys as sys;

use crate::callbacks;
use crate::connection::pending_suite;
use crate::once::made_once;
use crate::sessions::ID_CONTEXT;

/// Functions that the crate does not declare.
#[allow(unsafe_code)]
mod more {
    use super::*;

    pub(super) type Find = unsafe extern "C" fn(*mut sys::SSL, *const u8, usize, *mut *mut sys::SSL_SESSION) -> c_int;

    unsafe extern "C" {
        pub(super) fn SSL_CTX_set_psk_find_session_callback(context: *mut sys::SSL_CTX, callback: Find);
        pub(super) fn SSL_CTX_use_psk_identity_hint(context: *mut sys::SSL_CTX, hint: *const c_char) -> c_int;
        pub(super) fn SSL_CTX_set_info_callback(
            context: *mut sys::SSL_CTX,
            callback: unsafe extern "C" fn(*const sys::SSL, c_int, c_int),
        );
        pub(super) fn SSL_set_ciphersuites(ssl: *mut sys::SSL, names: *const c_char) -> c_int;
        pub(super) fn SSL_set_options(ssl: *mut sys::SSL, options: u64) -> u64;
        pub(super) fn SSL_CIPHER_get_kx_nid(suite: *const sys::SSL_CIPHER) -> c_int;
        pub(super) fn SSL_CIPHER_find(ssl: *mut sys::SSL, id: *const u8) -> *const sys::SSL_CIPHER;
        pub(super) fn SSL_SESSION_new() -> *mut sys::SSL_SESSION;
        pub(super) fn SSL_SESSION_set1_master_key(session: *mut sys::SSL_SESSION, key: *const u8, size: usize)
        -> c_int;
        pub(super) fn SSL_SESSION_set_cipher(session: *mut sys::SSL_SESSION, suite: *const sys::SSL_CIPHER) -> c_int;
        pub(super) fn SSL_SESSION_set_protocol_version(session: *mut sys::SSL_SESSION, version: c_int) -> c_int;
        pub(super) fn SSL_SESSION_set_ex_data(session: *mut sys::SSL_SESSION, at: c_int, data: *mut c_void) -> c_int;
        pub(super) fn SSL_SESSION_get_ex_data(session: *const sys::SSL_SESSION, at: c_int) -> *mut c_void;
        pub(super) fn CRYPTO_get_ex_new_index(
            class: c_int,
            number: c_long,
            data: *mut c_void,
            make: *mut c_void,
            copy: *mut c_void,
            free: *mut c_void,
        ) -> c_int;
    }
}

/// OpenSSL's numbers of the key exchanges with a pre-shared key: RSA-PSK, and all of them.
const RSA_PSK: c_int = 1042;
const ALL_PSK: [c_int; 4] = [1040, 1041, RSA_PSK, 1043];

/// The key of a client of TLS 1.3.
pub(crate) struct Key {
    pub(crate) identity: Box<[u8]>,
    pub(crate) session: SslSession,
}

/// Lets clients of a context have pre-shared keys.
pub(crate) fn set(builder: &mut SslContextBuilder, hint: &[u8]) -> Result<(), ErrorStack> {
    builder.set_psk_server_callback(|ssl, identity, room| {
        // In TLS 1.3, OpenSSL asks here too, for each identity that `find` does not know.
        let identity = identity.filter(|_| ssl.version2() != Some(SslVersion::TLS1_3));
        Ok(identity.map_or(0, |identity| callbacks::secret(identity, room)))
    });
    // Sessions of TLS 1.3 are refused without one if clients are asked for certificates.
    builder.set_session_id_context(ID_CONTEXT)?;
    set_hooks(builder, hint)
}

#[allow(unsafe_code)]
fn set_hooks(builder: &mut SslContextBuilder, hint: &[u8]) -> Result<(), ErrorStack> {
    // SAFETY: the context is the builder's, and the functions fit.
    unsafe {
        more::SSL_CTX_set_psk_find_session_callback(builder.as_ptr(), find);
        more::SSL_CTX_set_info_callback(builder.as_ptr(), spare_certificate);
    }
    if hint.is_empty() {
        return Ok(());
    }
    let hint = CString::new(hint).unwrap_or_default();
    // SAFETY: the context is the builder's, and OpenSSL copies the text.
    match unsafe { more::SSL_CTX_use_psk_identity_hint(builder.as_ptr(), hint.as_ptr()) } {
        1 => Ok(()),
        _ => Err(ErrorStack::get()),
    }
}

/// Asks no client for a certificate that proves itself by a pre-shared key. OpenSSL would do so with RSA-PSK alone.
#[allow(unsafe_code)]
unsafe extern "C" fn spare_certificate(ssl: *const sys::SSL, place: c_int, _value: c_int) {
    const NEXT_STATE: c_int = 1;
    if place & NEXT_STATE == 0 {
        return;
    }
    // SAFETY: OpenSSL calls this with a valid connection, between two of its states.
    unsafe {
        let suite = pending_suite(SslRef::from_ptr(ssl.cast_mut()));
        if suite.is_some_and(|suite| exchange_of(suite) == RSA_PSK) {
            sys::SSL_set_verify(ssl.cast_mut(), sys::SSL_VERIFY_NONE, None);
        }
    }
}

#[allow(unsafe_code)]
pub(crate) fn exchange_of(suite: &SslCipherRef) -> c_int {
    // SAFETY: the suite is valid.
    unsafe { more::SSL_CIPHER_get_kx_nid(suite.as_ptr()) }
}

/// Gives a connection its suites and its key of TLS 1.3.
pub(crate) fn limit(ssl: &mut SslRef, parts: &Tls13Parts) -> Result<(), ErrorStack> {
    let suites = bytes(parts.suites);
    if suites.is_empty() {
        turn_tls13_off(ssl);
        return Ok(());
    }
    set_suites(ssl, suites)?;
    let identity = bytes(parts.identity);
    if !identity.is_empty() {
        let session = session_of(ssl, bytes(parts.secret), parts.suite)?;
        ssl.set_ex_data(key_index()?, Key { identity: Box::from(identity), session });
    }
    Ok(())
}

#[allow(unsafe_code)]
fn turn_tls13_off(ssl: &mut SslRef) {
    const NO_TLS13: u64 = 1 << 29;
    // SAFETY: the connection is valid, and has not begun.
    unsafe { more::SSL_set_options(ssl.as_ptr(), NO_TLS13) };
}

#[allow(unsafe_code)]
fn set_suites(ssl: &mut SslRef, names: &[u8]) -> Result<(), ErrorStack> {
    let names = CString::new(names).unwrap_or_default();
    // SAFETY: the connection is valid, and has not begun. OpenSSL reads the text alone.
    match unsafe { more::SSL_set_ciphersuites(ssl.as_ptr(), names.as_ptr()) } {
        1 => Ok(()),
        _ => Err(ErrorStack::get()),
    }
}

/// Makes the session that a key stands for (RFC 8446 section 4.2.11). OpenSSL wipes its secret.
#[allow(unsafe_code)]
fn session_of(ssl: &SslRef, secret: &[u8], suite: u16) -> Result<SslSession, ErrorStack> {
    let mark = mark_index();
    // SAFETY: all pointers are valid during the calls. The session is owned from the first line on.
    unsafe {
        let made = more::SSL_SESSION_new();
        if made.is_null() {
            return Err(ErrorStack::get());
        }
        let session = SslSession::from_ptr(made);
        let suite = more::SSL_CIPHER_find(ssl.as_ptr(), suite.to_be_bytes().as_ptr());
        let is_set = !suite.is_null()
            && more::SSL_SESSION_set1_master_key(made, secret.as_ptr(), secret.len()) == 1
            && more::SSL_SESSION_set_cipher(made, suite) == 1
            && more::SSL_SESSION_set_protocol_version(made, sys::TLS1_3_VERSION) == 1
            && more::SSL_SESSION_set_ex_data(made, mark, MARK) == 1;
        if is_set { Ok(session) } else { Err(ErrorStack::get()) }
    }
}

/// The mark of a session that a key stands for. OpenSSL copies it with the session, and puts it into no ticket.
const MARK: *mut c_void = ptr::without_provenance_mut(1);

#[allow(unsafe_code)]
fn mark_index() -> c_int {
    const OF_SESSIONS: c_int = 2;
    static INDEX: OnceLock<c_int> = OnceLock::new();
    let none = ptr::null_mut();
    // SAFETY: no function and no data is given.
    *INDEX.get_or_init(|| unsafe { more::CRYPTO_get_ex_new_index(OF_SESSIONS, 0, none, none, none, none) })
}

/// The key of this connection for TLS 1.3, if it has one.
pub(crate) fn key_of(ssl: &SslRef) -> Option<&Key> {
    ssl.ex_data(key_index().ok()?)
}

fn key_index() -> Result<Index<Ssl, Key>, ErrorStack> {
    static INDEX: OnceLock<Index<Ssl, Key>> = OnceLock::new();
    made_once(&INDEX, Ssl::new_ex_index).copied()
}

/// Gives OpenSSL the session of the connection's key, if the client names its identity.
#[allow(unsafe_code)]
unsafe extern "C" fn find(
    ssl: *mut sys::SSL,
    identity: *const u8,
    length: usize,
    session: *mut *mut sys::SSL_SESSION,
) -> c_int {
    let found = std::panic::catch_unwind(|| {
        // SAFETY: OpenSSL calls this with a valid connection, and an identity that is valid during the call.
        let (ssl, identity) = unsafe { (SslRef::from_ptr(ssl), Bytes { data: identity, length }.get()) };
        let key = key_of(ssl)?;
        (*key.identity == *identity).then(|| key.session.clone())
    });
    let found = found.ok().flatten().map_or(ptr::null_mut(), owned_by_openssl);
    // SAFETY: OpenSSL gives a valid pointer.
    unsafe { *session = found };
    1
}

/// Gives a session to OpenSSL, which frees it.
pub(crate) fn owned_by_openssl(session: SslSession) -> *mut sys::SSL_SESSION {
    let pointer = session.as_ptr();
    std::mem::forget(session);
    pointer
}

/// Returns true if the two sides have a pre-shared key that is in use.
pub(crate) fn is_used(ssl: &SslRef) -> bool {
    match ssl.version2() {
        Some(SslVersion::TLS1_3) => is_external(ssl),
        _ => ssl.current_cipher().is_some_and(has_key),
    }
}

/// Returns true for a suite up to TLS 1.2 with a pre-shared key.
pub(crate) fn has_key(suite: &SslCipherRef) -> bool {
    ALL_PSK.contains(&exchange_of(suite))
}

/// Returns true if a key of TLS 1.3 is in use, which OpenSSL reports as a resumed session.
pub(crate) fn is_external(ssl: &SslRef) -> bool {
    ssl.session_reused() && ssl.session().is_some_and(is_marked)
}

#[allow(unsafe_code)]
fn is_marked(session: &SslSessionRef) -> bool {
    // SAFETY: the session is valid.
    unsafe { more::SSL_SESSION_get_ex_data(session.as_ptr(), mark_index()) == MARK }
}

#[allow(unsafe_code)]
fn bytes<'a>(bytes: Bytes) -> &'a [u8] {
    // SAFETY: the core gives bytes that are valid during the call, and none is kept.
    unsafe { bytes.get() }
}
