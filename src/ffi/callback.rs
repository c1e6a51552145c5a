//! Functions of the caller: their types, and their translation into closures of the core.

use std::ffi::{c_char, c_void};
use std::io;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::error::Result;
use crate::keystore::{PasswordCallback, PasswordRequest, PasswordUse, Secret};
use crate::logging::{Level, LogSink};
use crate::revoked::{RevokedAction, RevokedCallback, RevokedPeer};
use crate::stream::{ReadCallback, WriteCallback};
use crate::verify::{PeerCertificate, Purpose, VerifyCallback};

use super::arguments::{c_string, null};
use super::revoked::btls_revoked_peer;

/// The purpose of a password.
pub type btls_password_usage = i32;

/// Opens a store.
pub const BTLS_PASSWORD_STORE: btls_password_usage = 0;
/// Decrypts one private key.
pub const BTLS_PASSWORD_KEY: btls_password_usage = 1;

/// The role of a peer.
pub type btls_peer_role = i32;

/// The peer is a server.
pub const BTLS_PEER_SERVER: btls_peer_role = 0;
/// The peer is a client.
pub const BTLS_PEER_CLIENT: btls_peer_role = 1;

/// The importance of a line of the log.
pub type btls_log_level = i32;

/// Something was refused or failed.
pub const BTLS_LOG_ERROR: btls_log_level = 1;
/// Something works and should be changed.
pub const BTLS_LOG_WARN: btls_log_level = 2;
/// A fact worth knowing.
pub const BTLS_LOG_INFO: btls_log_level = 3;

/// The action for a connection with a revoked peer.
pub type btls_revoked_action = i32;

/// The connection continues and is not reported again.
pub const BTLS_REVOKED_KEEP: btls_revoked_action = 0;
/// The connection ends: its next call gives BTLS_CERT_REVOKED, and the peer is sent the alert.
pub const BTLS_REVOKED_CLOSE: btls_revoked_action = 1;

/// A view of bytes.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct btls_bytes {
    /// The first byte.
    pub data: *const u8,
    /// The number of bytes.
    pub length: usize,
}

/// Writes a password of at most `capacity` bytes into `buffer`. Returns its length without a NUL, or a negative number
/// for no password. `label` is the file or the label of the memory. `alias` is that of the key, or NULL.
///
/// # Details
///
/// Called on the thread that builds or reloads a context. The function may use the context, and may reload it. The
/// library wipes the buffer.
pub type btls_password_fn = Option<
    unsafe extern "C" fn(
        user: *mut c_void,
        usage: btls_password_usage,
        label: *const c_char,
        alias: *const c_char,
        buffer: *mut c_char,
        capacity: usize,
    ) -> isize,
>;

/// Decides if a peer with an accepted certificate may continue.
///
/// `peer` is BTLS_PEER_SERVER or BTLS_PEER_CLIENT. `chain` has the `count` certificates that the peer sent in DER, its
/// own first; they are valid during the call only (btls_certificate_parse makes facts of them). Returns 0 to go on. Any
/// other number refuses the peer with BTLS_CERT_REJECTED_BY_CALLBACK; the function may then write a reason of at most
/// `capacity` bytes, ended by a NUL, into `reason`.
///
/// Called on the thread that moves the connection on or runs its task, and on several threads at a time for several
/// connections. No lock is held: it may use the context and other connections. Must return: it may neither throw nor
/// longjmp. The connection that it was called for answers BTLS_BUSY meanwhile.
pub type btls_verify_fn = Option<
    unsafe extern "C" fn(
        user: *mut c_void,
        peer: btls_peer_role,
        chain: *const btls_bytes,
        count: usize,
        reason: *mut c_char,
        capacity: usize,
    ) -> i32,
>;

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

/// Takes a line of the log without a line break. `line` is valid during the call.
///
/// # Details
///
/// Called on any thread that uses the context or its connections, and on that of btls_context_start_maintenance, on
/// several at a time. The function may use the context and give back its last reference.
pub type btls_log_fn = Option<unsafe extern "C" fn(user: *mut c_void, level: btls_log_level, line: *const c_char)>;

/// Reads ciphertext as read(2) does. Returns the number of bytes, 0 at the end, or -1 with errno set: EAGAIN if there
/// is nothing now. The connection gives BTLS_BUSY meanwhile.
pub type btls_read_fn = Option<unsafe extern "C" fn(user: *mut c_void, buffer: *mut c_void, length: usize) -> isize>;

/// Writes ciphertext as write(2) does. Returns the number of bytes taken, or -1 with errno set: EAGAIN if none can be
/// taken now.
pub type btls_write_fn = Option<unsafe extern "C" fn(user: *mut c_void, buffer: *const c_void, length: usize) -> isize>;

/// The largest length of a password, in bytes.
const PASSWORD_CAPACITY: usize = 1024;

/// The largest length of a reason, in bytes with its NUL.
const REASON_CAPACITY: usize = 512;

/// A pointer of the caller that its function gets back.
#[derive(Clone, Copy)]
struct User(*mut c_void);

// SAFETY: the pointer is only handed back, never read. The header says on which threads the functions are called.
unsafe impl Send for User {}
// SAFETY: as for `Send`.
unsafe impl Sync for User {}

impl User {
    /// A method, so that closures capture the wrapper and not the pointer in it.
    fn pointer(&self) -> *mut c_void {
        self.0
    }
}

pub(super) fn password(function: btls_password_fn, user: *mut c_void) -> Result<PasswordCallback> {
    let function = function.ok_or_else(|| null("callback"))?;
    let user = User(user);
    Ok(Arc::new(move |request: &PasswordRequest<'_>| {
        let usage = match request.usage {
            PasswordUse::Store => BTLS_PASSWORD_STORE,
            PasswordUse::Key => BTLS_PASSWORD_KEY,
        };
        let label = c_string(request.label);
        let alias = request.alias.map(c_string);
        let alias = alias.as_ref().map_or(std::ptr::null(), |alias| alias.as_ptr());
        let mut buffer = Zeroizing::new(vec![0_u8; PASSWORD_CAPACITY]);
        let room = buffer.as_mut_ptr().cast();
        // SAFETY: the function is as its type describes; the texts and the buffer outlive the call.
        let length = unsafe { function(user.pointer(), usage, label.as_ptr(), alias, room, PASSWORD_CAPACITY) };
        let given = usize::try_from(length).ok().and_then(|length| buffer.get(..length));
        given.map(Secret::new)
    }))
}

pub(super) fn verify(function: btls_verify_fn, user: *mut c_void) -> Result<VerifyCallback> {
    let function = function.ok_or_else(|| null("callback"))?;
    let user = User(user);
    Ok(Arc::new(move |peer: &PeerCertificate<'_>| {
        let purpose = match peer.purpose {
            Purpose::Server => BTLS_PEER_SERVER,
            Purpose::Client => BTLS_PEER_CLIENT,
        };
        let chain: Vec<btls_bytes> =
            peer.chain.iter().map(|der| btls_bytes { data: der.as_ptr(), length: der.len() }).collect();
        let mut reason = [0_u8; REASON_CAPACITY];
        let room = reason.as_mut_ptr().cast();
        // SAFETY: the function is as its type describes; the chain and the buffer outlive the call.
        let verdict = unsafe { function(user.pointer(), purpose, chain.as_ptr(), chain.len(), room, REASON_CAPACITY) };
        match verdict {
            0 => Ok(()),
            _ => Err(reason_text(&reason)),
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

fn reason_text(reason: &[u8]) -> String {
    let text = reason.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(text).into_owned()
}

pub(super) fn log(function: btls_log_fn, user: *mut c_void) -> Result<LogSink> {
    let function = function.ok_or_else(|| null("callback"))?;
    let user = User(user);
    Ok(Arc::new(move |level: Level, line: &str| {
        let level = match level {
            Level::Error => BTLS_LOG_ERROR,
            Level::Warn => BTLS_LOG_WARN,
            Level::Info => BTLS_LOG_INFO,
        };
        let line = c_string(line);
        // SAFETY: the function is as its type describes; the line outlives the call.
        unsafe { function(user.pointer(), level, line.as_ptr()) };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reason_ends_at_its_nul_or_with_the_buffer() {
        assert_eq!(reason_text(b"no such device\0rest"), "no such device");
        assert_eq!(reason_text(&[b'x'; REASON_CAPACITY]).len(), REASON_CAPACITY);
        assert_eq!(reason_text(b"\xff\0"), "\u{fffd}");
    }

    #[test]
    fn password_longer_than_its_buffer_is_none() {
        unsafe extern "C" fn boast(
            _: *mut c_void,
            _: i32,
            _: *const c_char,
            _: *const c_char,
            _: *mut c_char,
            capacity: usize,
        ) -> isize {
            capacity as isize + 1
        }
        let ask = password(Some(boast), std::ptr::null_mut()).unwrap();
        let request = PasswordRequest { label: "broker.ks", alias: None, usage: PasswordUse::Store };
        assert!(ask(&request).is_none());
    }
}
