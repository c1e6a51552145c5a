//! The argument of the verify callback: the peer that it decides about, and its connection.

use std::ffi::{CString, c_char, c_void};
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::OnceLock;

use rustls::pki_types::CertificateDer;

use crate::error::{Code, Error};
use crate::verify::{PeerCertificate, Purpose};

use super::arguments::{c_string, required, text};
use super::certificate::btls_certificate;
use super::guard::{guard, guard_status};
use super::{DONE, btls_status};

/// The role of a peer.
pub type btls_peer_role = i32;

/// The peer is a server.
pub const BTLS_PEER_SERVER: btls_peer_role = 0;
/// The peer is a client.
pub const BTLS_PEER_CLIENT: btls_peer_role = 1;

/// A peer with an accepted certificate. Valid during btls_verify_fn.
pub struct btls_verify_request {
    role: btls_peer_role,
    conn_id: u64,
    user: usize,
    version: CString,
    server_name: Option<CString>,
    is_resumed: bool,
    chain: Vec<CertificateDer<'static>>,
    /// The facts of the first certificate, once they were asked for.
    peer: OnceLock<Option<Box<btls_certificate>>>,
    reason: String,
}

impl btls_verify_request {
    pub(super) fn new(peer: &PeerCertificate<'_>) -> Self {
        let connection = peer.connection;
        Self {
            role: match peer.purpose {
                Purpose::Server => BTLS_PEER_SERVER,
                Purpose::Client => BTLS_PEER_CLIENT,
            },
            conn_id: connection.id,
            user: connection.user,
            version: c_string(connection.version),
            server_name: connection.server_name.as_deref().map(c_string),
            is_resumed: peer.is_resumed,
            chain: peer.chain.iter().map(|der| der.clone().into_owned()).collect(),
            peer: OnceLock::new(),
            reason: String::new(),
        }
    }

    /// The reason that the function has given for its refusal.
    pub(super) fn into_reason(self) -> String {
        self.reason
    }

    fn peer(&self) -> *const btls_certificate {
        let facts = || self.chain.first().and_then(|der| btls_certificate::from_der(der).ok()).map(Box::new);
        self.peer.get_or_init(facts).as_deref().map_or(ptr::null(), ptr::from_ref)
    }
}

/// Returns the role of the peer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_verify_request_role(request: Option<&btls_verify_request>) -> btls_peer_role {
    guard(BTLS_PEER_SERVER, || request.map_or(BTLS_PEER_SERVER, |request| request.role))
}

/// Returns the number of the connection (btls_conn_id).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_verify_request_conn_id(request: Option<&btls_verify_request>) -> u64 {
    guard(0, || request.map_or(0, |request| request.conn_id))
}

/// Returns the user pointer of the connection (btls_conn_options_user).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_verify_request_conn_user(request: Option<&btls_verify_request>) -> *mut c_void {
    guard(ptr::null_mut(), || request.map_or(ptr::null_mut(), |request| ptr::with_exposed_provenance_mut(request.user)))
}

/// Returns the protocol version, e.g. "TLSv1.3", as btls_conn_version does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_verify_request_version(request: Option<&btls_verify_request>) -> *const c_char {
    guard(ptr::null(), || request.map_or(ptr::null(), |request| request.version.as_ptr()))
}

/// Returns the name that the client sent (SNI), or on a client the host, or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_verify_request_server_name(request: Option<&btls_verify_request>) -> *const c_char {
    guard(ptr::null(), || {
        request.and_then(|request| request.server_name.as_ref()).map_or(ptr::null(), |name| name.as_ptr())
    })
}

/// Returns true if the call is about the resumption of an earlier session.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_verify_request_is_resumed(request: Option<&btls_verify_request>) -> bool {
    guard(false, || request.is_some_and(|request| request.is_resumed))
}

/// Returns the peer's own certificate.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_verify_request_certificate(
    request: Option<&btls_verify_request>,
) -> *const btls_certificate {
    guard(ptr::null(), || request.map_or(ptr::null(), btls_verify_request::peer))
}

/// Returns the number of certificates that the peer sent.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_verify_request_chain_count(request: Option<&btls_verify_request>) -> usize {
    guard(0, || request.map_or(0, |request| request.chain.len()))
}

/// Gives one of these certificates in DER; 0 is the peer's own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_verify_request_chain(
    request: Option<&btls_verify_request>,
    index: usize,
    der: Option<&mut MaybeUninit<*const u8>>,
    length: Option<&mut MaybeUninit<usize>>,
) -> btls_status {
    guard_status(|| {
        let request = request.ok_or(Code::NullPointer)?;
        let (der, length) = (required(der, "der")?, required(length, "length")?);
        let certificate = request.chain.get(index).ok_or_else(|| {
            Error::new(Code::InvalidArgument, format!("certificate {index} of {}", request.chain.len()))
        })?;
        der.write(certificate.as_ptr());
        length.write(certificate.len());
        DONE
    })
}

/// Sets the reason of a refusal, for the error and the log.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_verify_request_set_reason(
    request: Option<&mut btls_verify_request>,
    reason: *const c_char,
) -> btls_status {
    guard_status(|| {
        let request = request.ok_or(Code::NullPointer)?;
        // SAFETY: the header asks for text.
        let given = unsafe { text("reason", reason) }?;
        request.reason = given.chars().take(MAX_REASON_CHARS).collect();
        DONE
    })
}

/// The longest reason that is kept.
const MAX_REASON_CHARS: usize = 1024;
