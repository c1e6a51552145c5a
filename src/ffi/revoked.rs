//! Peers that are revoked while they are connected.

use std::ffi::{CString, c_char};
use std::ptr;

use crate::revoked::RevokedPeer;

use super::arguments::c_string;
use super::guard::guard;

/// A peer that is connected, and whose certificate, or that of one of its issuers, has been revoked since. Lives as long as
/// the call of btls_revoked_fn that it is given to, with all its texts.
pub struct btls_revoked_peer {
    conn_id: u64,
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
            subject: c_string(peer.subject.as_str()),
            issuer: c_string(peer.issuer.as_str()),
            serial: c_string(&peer.serial),
            reason: c_string(peer.reason.name()),
            revoked_unix_s: peer.revoked_unix_s.into(),
        }
    }
}

/// The number of the connection, btls_conn_id; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_revoked_peer_conn_id(peer: Option<&btls_revoked_peer>) -> u64 {
    guard(0, || peer.map_or(0, |peer| peer.conn_id))
}

/// The subject of the revoked certificate, written as btls_certificate_subject does; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_revoked_peer_subject(peer: Option<&btls_revoked_peer>) -> *const c_char {
    guard(ptr::null(), || peer.map_or(ptr::null(), |peer| peer.subject.as_ptr()))
}

/// The issuer of the revoked certificate, written as its subject is; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_revoked_peer_issuer(peer: Option<&btls_revoked_peer>) -> *const c_char {
    guard(ptr::null(), || peer.map_or(ptr::null(), |peer| peer.issuer.as_ptr()))
}

/// The serial number of the revoked certificate, written as btls_certificate_serial does; NULL for
/// NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_revoked_peer_serial(peer: Option<&btls_revoked_peer>) -> *const c_char {
    guard(ptr::null(), || peer.map_or(ptr::null(), |peer| peer.serial.as_ptr()))
}

/// Why it was revoked, by the names of RFC 5280 section 5.3.1, e.g. "keyCompromise", "unspecified"; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_revoked_peer_reason(peer: Option<&btls_revoked_peer>) -> *const c_char {
    guard(ptr::null(), || peer.map_or(ptr::null(), |peer| peer.reason.as_ptr()))
}

/// When it was revoked, seconds since 1970 in UTC; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_revoked_peer_time(peer: Option<&btls_revoked_peer>) -> i64 {
    guard(0, || peer.map_or(0, |peer| peer.revoked_unix_s))
}
