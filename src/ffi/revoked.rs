//! Peers that are revoked while they are connected.

use std::ffi::{CString, c_char, c_void};
use std::ptr;

use crate::revoked::RevokedPeer;

use super::arguments::c_string;
use super::guard::guard;

/// A connected peer with a revoked certificate in its chain. Valid during btls_revoked_fn.
pub struct btls_revoked_peer {
    conn_id: u64,
    user: usize,
    subject: CString,
    issuer: CString,
    serial: CString,
    reason: CString,
    revoked_unix_s: i64,
}

impl btls_revoked_peer {
    pub(super) fn new(peer: &RevokedPeer) -> Self {
        Self {
            conn_id: peer.connection_id,
            user: peer.user,
            subject: c_string(peer.subject.as_str()),
            issuer: c_string(peer.issuer.as_str()),
            serial: c_string(&peer.serial),
            reason: c_string(peer.reason.name()),
            revoked_unix_s: peer.revoked_unix_s.into(),
        }
    }
}

/// Returns the number of the connection, see btls_conn_id.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_revoked_peer_conn_id(peer: Option<&btls_revoked_peer>) -> u64 {
    guard(0, || peer.map_or(0, |peer| peer.conn_id))
}

/// Returns the user pointer of the connection (btls_conn_options_user).
///
/// # Details
///
/// The thread of the connection can free the connection during the call of the function. Use the pointer as a key, or
/// let it point to memory that outlives the connection.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_revoked_peer_conn_user(peer: Option<&btls_revoked_peer>) -> *mut c_void {
    guard(ptr::null_mut(), || peer.map_or(ptr::null_mut(), |peer| ptr::with_exposed_provenance_mut(peer.user)))
}

/// Returns the subject of the revoked certificate, as btls_certificate_subject does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_revoked_peer_subject(peer: Option<&btls_revoked_peer>) -> *const c_char {
    guard(ptr::null(), || peer.map_or(ptr::null(), |peer| peer.subject.as_ptr()))
}

/// Returns the issuer of the revoked certificate.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_revoked_peer_issuer(peer: Option<&btls_revoked_peer>) -> *const c_char {
    guard(ptr::null(), || peer.map_or(ptr::null(), |peer| peer.issuer.as_ptr()))
}

/// Returns the serial number of the revoked certificate, as btls_certificate_serial does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_revoked_peer_serial(peer: Option<&btls_revoked_peer>) -> *const c_char {
    guard(ptr::null(), || peer.map_or(ptr::null(), |peer| peer.serial.as_ptr()))
}

/// Returns the reason by its name in RFC 5280 section 5.3.1: "keyCompromise", "unspecified".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_revoked_peer_reason(peer: Option<&btls_revoked_peer>) -> *const c_char {
    guard(ptr::null(), || peer.map_or(ptr::null(), |peer| peer.reason.as_ptr()))
}

/// Returns the time of the revocation.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_revoked_peer_time(peer: Option<&btls_revoked_peer>) -> i64 {
    guard(0, || peer.map_or(0, |peer| peer.revoked_unix_s))
}
