//! Functions of the caller: their types, and their translation into closures of the core.

use std::ffi::{CString, c_char, c_void};
use std::io;
use std::ptr;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::error::Result;
use crate::keystore::{PasswordCallback, PasswordRequest, PasswordUse, Secret};
use crate::logging::{Level, LogLine, LogSink};
use crate::revoked::{RevokedAction, RevokedCallback, RevokedPeer};
use crate::stream::{ReadCallback, WriteCallback};
use crate::verify::{PeerCertificate, VerifyCallback};

use super::arguments::{c_string, null};
use super::guard::guard;
use super::revoked::btls_revoked_peer;
use super::verify_request::btls_verify_request;

/// The purpose of a password.
pub type btls_password_usage = i32;

/// Opens a store.
pub const BTLS_PASSWORD_STORE: btls_password_usage = 0;
/// Decrypts one private key.
pub const BTLS_PASSWORD_KEY: btls_password_usage = 1;

/// The importance of a line of the log.
pub type btls_log_level = i32;

/// Something was refused or failed.
pub const BTLS_LOG_ERROR: btls_log_level = 1;
/// Something works and should be changed.
pub const BTLS_LOG_WARN: btls_log_level = 2;
/// A fact worth knowing.
pub const BTLS_LOG_INFO: btls_log_level = 3;

/// The decision about a peer.
pub type btls_verify_decision = i32;

/// Accepts the peer.
pub const BTLS_VERIFY_ACCEPT: btls_verify_decision = 0;
/// Refuses the peer.
pub const BTLS_VERIFY_REFUSE: btls_verify_decision = 1;

/// The action for a connection with a revoked peer.
pub type btls_revoked_action = i32;

/// The connection continues and is not reported again.
pub const BTLS_REVOKED_KEEP: btls_revoked_action = 0;
/// The connection ends at its next call with BTLS_CERT_REVOKED.
pub const BTLS_REVOKED_CLOSE: btls_revoked_action = 1;

/// A request for a password. Valid during btls_password_fn.
pub struct btls_password_request {
    usage: btls_password_usage,
    label: CString,
    alias: Option<CString>,
}

/// A line of the log. Valid during btls_log_fn.
pub struct btls_log_line {
    level: btls_log_level,
    text: CString,
    conn_id: u64,
}

/// Writes a password of at most `capacity` bytes. Returns its length without NUL, or -1 for none.
///
/// # Details
///
/// Every negative number is for no password. Called on the thread that builds or reloads a context. The function may
/// use the context, and may reload it. The library wipes the buffer.
pub type btls_password_fn = Option<
    unsafe extern "C" fn(
        user: *mut c_void,
        request: *const btls_password_request,
        buffer: *mut c_char,
        capacity: usize,
    ) -> isize,
>;

/// Decides about a peer with an accepted certificate. All but BTLS_VERIFY_ACCEPT refuse it.
///
/// # Details
///
/// A refusal is BTLS_CERT_REJECTED_BY_CALLBACK, with the reason of btls_verify_request_set_reason. Called on the thread
/// that uses the connection or runs its task, and on several threads at a time for several connections. The function
/// may use the context and other connections. Its own connection gives BTLS_BUSY meanwhile.
pub type btls_verify_fn =
    Option<unsafe extern "C" fn(user: *mut c_void, request: *mut btls_verify_request) -> btls_verify_decision>;

/// Called once for each open connection with a revoked certificate in the peer's chain. Any result but
/// BTLS_REVOKED_KEEP closes the connection at its next call.
///
/// # Details
///
/// Called on the thread of btls_context_reload or btls_context_maintain, or on that of btls_context_start_maintenance.
/// The function may use the context and give back its last reference. It may not use the connection: that belongs to
/// its own thread. A thread that waits for the peer is not woken; the function can wake it, e.g. with shutdown(2).
pub type btls_revoked_fn =
    Option<unsafe extern "C" fn(user: *mut c_void, peer: *const btls_revoked_peer) -> btls_revoked_action>;

/// Takes a line of the log.
///
/// # Details
///
/// Called on any thread that uses the context or its connections, and on that of btls_context_start_maintenance, on
/// several at a time. The function may use the context and give back its last reference.
pub type btls_log_fn = Option<unsafe extern "C" fn(user: *mut c_void, line: *const btls_log_line)>;

/// Reads ciphertext as read(2) does: 0 at the end, -1 with EAGAIN if there is nothing now.
///
/// # Details
///
/// The function sets errno with -1. The connection gives BTLS_BUSY meanwhile.
pub type btls_read_fn = Option<unsafe extern "C" fn(user: *mut c_void, buffer: *mut c_void, length: usize) -> isize>;

/// Writes ciphertext as write(2) does: -1 with EAGAIN if none can be taken now.
///
/// # Details
///
/// The function sets errno with -1. The connection gives BTLS_BUSY meanwhile.
pub type btls_write_fn = Option<unsafe extern "C" fn(user: *mut c_void, buffer: *const c_void, length: usize) -> isize>;

/// The largest length of a password, in bytes.
const PASSWORD_CAPACITY: usize = 1024;

/// A pointer of the caller that its function gets back.
#[derive(Clone, Copy)]
pub(super) struct User(*mut c_void);

// SAFETY: the pointer is only handed back, never read. The header says on which threads the functions are called.
unsafe impl Send for User {}
// SAFETY: as for `Send`.
unsafe impl Sync for User {}

impl User {
    pub(super) fn new(pointer: *mut c_void) -> Self {
        Self(pointer)
    }

    /// A method, so that closures capture the wrapper and not the pointer in it.
    pub(super) fn pointer(&self) -> *mut c_void {
        self.0
    }
}

pub(super) fn password(function: btls_password_fn, user: *mut c_void) -> Result<PasswordCallback> {
    let function = function.ok_or_else(|| null("callback"))?;
    let user = User(user);
    Ok(Arc::new(move |request: &PasswordRequest<'_>| {
        let request = btls_password_request {
            usage: match request.usage {
                PasswordUse::Store => BTLS_PASSWORD_STORE,
                PasswordUse::Key => BTLS_PASSWORD_KEY,
            },
            label: c_string(request.label),
            alias: request.alias.map(c_string),
        };
        let mut buffer = Zeroizing::new(vec![0_u8; PASSWORD_CAPACITY]);
        let room = buffer.as_mut_ptr().cast();
        // SAFETY: the function is as its type describes; the request and the buffer outlive the call.
        let length = unsafe { function(user.pointer(), &raw const request, room, PASSWORD_CAPACITY) };
        let given = usize::try_from(length).ok().and_then(|length| buffer.get(..length));
        given.map(Secret::new)
    }))
}

pub(super) fn verify(function: btls_verify_fn, user: *mut c_void) -> Result<VerifyCallback> {
    let function = function.ok_or_else(|| null("callback"))?;
    let user = User(user);
    Ok(Arc::new(move |peer: &PeerCertificate<'_>| {
        let mut request = btls_verify_request::new(peer);
        // SAFETY: the function is as its type describes; the request outlives the call.
        match unsafe { function(user.pointer(), &raw mut request) } {
            BTLS_VERIFY_ACCEPT => Ok(()),
            ..BTLS_VERIFY_ACCEPT | BTLS_VERIFY_REFUSE.. => Err(request.into_reason()),
        }
    }))
}

pub(super) fn revoked(function: btls_revoked_fn, user: *mut c_void) -> Result<RevokedCallback> {
    let function = function.ok_or_else(|| null("callback"))?;
    let user = User(user);
    Ok(Arc::new(move |peer: &RevokedPeer| {
        let peer = btls_revoked_peer::new(peer);
        // SAFETY: the function is as its type describes; the peer outlives the call.
        match unsafe { function(user.pointer(), &raw const peer) } {
            BTLS_REVOKED_KEEP => RevokedAction::Keep,
            ..BTLS_REVOKED_KEEP | BTLS_REVOKED_CLOSE.. => RevokedAction::Close,
        }
    }))
}

pub(super) fn log(function: btls_log_fn, user: *mut c_void) -> Result<LogSink> {
    let function = function.ok_or_else(|| null("callback"))?;
    let user = User(user);
    Ok(Arc::new(move |line: &LogLine<'_>| {
        let line = btls_log_line {
            level: match line.level {
                Level::Error => BTLS_LOG_ERROR,
                Level::Warn => BTLS_LOG_WARN,
                Level::Info => BTLS_LOG_INFO,
            },
            text: c_string(line.text),
            conn_id: line.connection_id.unwrap_or_default(),
        };
        // SAFETY: the function is as its type describes; the line outlives the call.
        unsafe { function(user.pointer(), &raw const line) };
    }))
}

pub(super) fn read(function: btls_read_fn, user: *mut c_void) -> Result<ReadCallback> {
    let function = function.ok_or_else(|| null("read"))?;
    let user = User(user);
    Ok(Box::new(move |buffer: &mut [u8]| {
        // SAFETY: the function is as its type describes; the buffer is ours alone and outlives the call.
        let count = unsafe { function(user.pointer(), buffer.as_mut_ptr().cast(), buffer.len()) };
        // Nothing may come between the call and its errno.
        usize::try_from(count).map_err(|_| io::Error::last_os_error())
    }))
}

pub(super) fn write(function: btls_write_fn, user: *mut c_void) -> Result<WriteCallback> {
    let function = function.ok_or_else(|| null("write"))?;
    let user = User(user);
    Ok(Box::new(move |bytes: &[u8]| {
        // SAFETY: the function is as its type describes; the bytes outlive the call.
        let count = unsafe { function(user.pointer(), bytes.as_ptr().cast(), bytes.len()) };
        usize::try_from(count).map_err(|_| io::Error::last_os_error())
    }))
}

/// Returns the purpose of the password.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_password_request_usage(request: Option<&btls_password_request>) -> btls_password_usage {
    guard(BTLS_PASSWORD_STORE, || request.map_or(BTLS_PASSWORD_STORE, |request| request.usage))
}

/// Returns the file, or the label of the memory, that the password is for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_password_request_label(request: Option<&btls_password_request>) -> *const c_char {
    guard(ptr::null(), || request.map_or(ptr::null(), |request| request.label.as_ptr()))
}

/// Returns the alias of the private key, or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_password_request_alias(request: Option<&btls_password_request>) -> *const c_char {
    guard(ptr::null(), || {
        request.and_then(|request| request.alias.as_ref()).map_or(ptr::null(), |alias| alias.as_ptr())
    })
}

/// Returns the importance of the line.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_log_line_level(line: Option<&btls_log_line>) -> btls_log_level {
    guard(BTLS_LOG_ERROR, || line.map_or(BTLS_LOG_ERROR, |line| line.level))
}

/// Returns the text without a line break at its end.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_log_line_text(line: Option<&btls_log_line>) -> *const c_char {
    guard(ptr::null(), || line.map_or(ptr::null(), |line| line.text.as_ptr()))
}

/// Returns the number of the connection (btls_conn_id) that the line is about, or 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_log_line_conn_id(line: Option<&btls_log_line>) -> u64 {
    guard(0, || line.map_or(0, |line| line.conn_id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn password_longer_than_its_buffer_is_none() {
        unsafe extern "C" fn boast(
            _: *mut c_void,
            _: *const btls_password_request,
            _: *mut c_char,
            capacity: usize,
        ) -> isize {
            capacity as isize + 1
        }
        let ask = password(Some(boast), ptr::null_mut()).unwrap();
        let request = PasswordRequest { label: "broker.ks", alias: None, usage: PasswordUse::Store };
        assert!(ask(&request).is_none());
    }
}
