//! The client's side: what it asks of a server, and the callbacks that a server has no use for.
//!
//! Up to TLS 1.2, the staple comes after the certificates, so the core judges them when the first flight of the server
//! is complete. Nothing is sent in between.

use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::OnceLock;

use brokertls_legacy_abi::{Bytes, ContextParts, IdentityParts, IdentityRequest};
use foreign_types::ForeignTypeRef;
use openssl::error::ErrorStack;
use openssl::ex_data::Index;
use openssl::ssl::{Ssl, SslContextBuilder, SslRef, SslVerifyMode, SslVersion, StatusType};
use openssl::stack::StackRef;
use openssl::x509::X509Name;
use openssl_sys as sys;

use crate::connection::pending_suite;
use crate::context::{all, bytes, certificate, key, version_of};
use crate::once::made_once;
use crate::{callbacks, psk};

/// Functions that the crate does not declare.
#[allow(unsafe_code)]
mod more {
    use super::*;

    pub(super) type Judge = unsafe extern "C" fn(
        *const sys::SSL,
        *const sys::SSL_CTX,
        c_int,
        c_int,
        c_int,
        *mut c_void,
        *mut c_void,
    ) -> c_int;
    pub(super) type UseSession = unsafe extern "C" fn(
        *mut sys::SSL,
        *const sys::EVP_MD,
        *mut *const u8,
        *mut usize,
        *mut *mut sys::SSL_SESSION,
    ) -> c_int;

    unsafe extern "C" {
        pub(super) fn SSL_CTX_set_security_callback(context: *mut sys::SSL_CTX, callback: Judge);
        pub(super) fn SSL_CTX_set_psk_use_session_callback(context: *mut sys::SSL_CTX, callback: UseSession);
        pub(super) fn SSL_CTX_set_cert_cb(
            context: *mut sys::SSL_CTX,
            callback: unsafe extern "C" fn(*mut sys::SSL, *mut c_void) -> c_int,
            data: *mut c_void,
        );
        pub(super) fn SSL_get0_peer_CA_list(ssl: *const sys::SSL) -> *mut sys::stack_st_X509_NAME;
        pub(super) fn SSL_get_sigalgs(
            ssl: *mut sys::SSL,
            at: c_int,
            key: *mut c_int,
            hash: *mut c_int,
            both: *mut c_int,
            low: *mut u8,
            high: *mut u8,
        ) -> c_int;
        pub(super) fn EVP_PKEY_get_bits(key: *const sys::EVP_PKEY) -> c_int;
    }
}

/// The bits of a group of finite fields that a server may choose. A larger one costs seconds.
const GROUP_BITS: std::ops::RangeInclusive<c_int> = 2048..=8192;

const INTERNAL_ERROR: u8 = 80;

/// The certificates of a server that has not been judged yet.
struct Pending(Vec<Vec<u8>>);

/// Sets what concerns the server of a client.
pub(crate) fn set(builder: &mut SslContextBuilder, parts: &ContextParts, protocols: &[u8]) -> Result<(), ErrorStack> {
    // OpenSSL then ends the connection if the core refuses the certificates.
    builder.set_verify(SslVerifyMode::PEER);
    builder.set_status_callback(|ssl| Ok(judge_pending(ssl)))?;
    if !protocols.is_empty() {
        builder.set_alpn_protos(protocols)?;
    }
    set_hooks(builder, parts.has_psk != 0);
    if parts.has_psk != 0 {
        builder.set_psk_client_callback(|ssl, hint, identity, room| {
            // For TLS 1.3, OpenSSL asks here too, before a suite is chosen.
            let is_chosen = pending_suite(ssl).is_some_and(psk::has_key);
            Ok(if is_chosen { callbacks::own_secret(hint.unwrap_or_default(), identity, room) } else { 0 })
        });
    }
    Ok(())
}

#[allow(unsafe_code)]
fn set_hooks(builder: &mut SslContextBuilder, has_psk: bool) {
    // SAFETY: the context is the builder's, and the functions fit.
    unsafe {
        more::SSL_CTX_set_security_callback(builder.as_ptr(), judge_group);
        more::SSL_CTX_set_cert_cb(builder.as_ptr(), present, ptr::null_mut());
        if has_psk {
            more::SSL_CTX_set_psk_use_session_callback(builder.as_ptr(), use_key);
        }
    }
}

/// Prepares a connection.
pub(crate) fn begin(ssl: &mut SslRef, server_name: &[u8]) -> Result<(), ErrorStack> {
    if !server_name.is_empty() {
        ssl.set_hostname(std::str::from_utf8(server_name).unwrap_or_default())?;
    }
    ssl.set_status_type(StatusType::OCSP)
}

/// Judges the certificates of a server, or keeps them until its first flight is complete. OpenSSL must have read this
/// many.
///
/// # Errors
/// The alert that refuses them.
pub(crate) fn judge(ssl: &mut SslRef, sent: Vec<Vec<u8>>, count: usize) -> Result<(), u8> {
    if ssl.version2() == Some(SslVersion::TLS1_3) {
        return callbacks::verify(&sent, count, ssl.ocsp_status().unwrap_or_default(), version_of(ssl));
    }
    if sent.len() != count || sent.is_empty() {
        return Err(INTERNAL_ERROR);
    }
    ssl.set_ex_data(pending_index().map_err(|_| INTERNAL_ERROR)?, Pending(sent));
    Ok(())
}

/// Judges certificates that are kept. True if there are none.
fn judge_pending(ssl: &mut SslRef) -> bool {
    let Ok(index) = pending_index() else { return false };
    let Some(Pending(sent)) = ssl.ex_data_mut(index) else { return true };
    // They count once.
    let sent = std::mem::take(sent);
    let staple = ssl.ocsp_status().unwrap_or_default();
    sent.is_empty() || callbacks::verify(&sent, sent.len(), staple, version_of(ssl)).is_ok()
}

fn pending_index() -> Result<Index<Ssl, Pending>, ErrorStack> {
    static INDEX: OnceLock<Index<Ssl, Pending>> = OnceLock::new();
    made_once(&INDEX, Ssl::new_ex_index).copied()
}

/// Refuses a group of finite fields that is too small or too large. The core decides about everything else.
#[allow(unsafe_code)]
unsafe extern "C" fn judge_group(
    _: *const sys::SSL,
    _: *const sys::SSL_CTX,
    operation: c_int,
    _: c_int,
    _: c_int,
    other: *mut c_void,
    _: *mut c_void,
) -> c_int {
    const TMP_DH: c_int = 7 | 4 << 16;
    if operation != TMP_DH {
        return 1;
    }
    // SAFETY: OpenSSL gives the key of the server for this operation, or NULL.
    let bits = if other.is_null() { 0 } else { unsafe { more::EVP_PKEY_get_bits(other.cast()) } };
    GROUP_BITS.contains(&bits).into()
}

/// Gives OpenSSL the key of the connection for TLS 1.3.
#[allow(unsafe_code)]
unsafe extern "C" fn use_key(
    ssl: *mut sys::SSL,
    _: *const sys::EVP_MD,
    identity: *mut *const u8,
    length: *mut usize,
    session: *mut *mut sys::SSL_SESSION,
) -> c_int {
    let found = std::panic::catch_unwind(|| {
        // SAFETY: OpenSSL calls this with a valid connection, which keeps its key as long as it lives.
        let key = psk::key_of(unsafe { SslRef::from_ptr(ssl) })?;
        Some((key.identity.as_ptr(), key.identity.len(), psk::owned_by_openssl(key.session.clone())))
    });
    let (first, count, made) = found.ok().flatten().unwrap_or((ptr::null(), 0, ptr::null_mut()));
    // SAFETY: OpenSSL gives valid pointers.
    unsafe { (*identity, *length, *session) = (first, count, made) };
    1
}

/// Shows the server the identity that the core chooses for it, once it is accepted. Without an identity, no certificate
/// is sent. One without a certificate ends the handshake. Up to TLS 1.2, OpenSSL asks before the flight is complete,
/// but after the staple.
#[allow(unsafe_code)]
unsafe extern "C" fn present(ssl: *mut sys::SSL, _: *mut c_void) -> c_int {
    let presented = std::panic::catch_unwind(|| {
        // SAFETY: OpenSSL calls this with a valid connection.
        let ssl = unsafe { SslRef::from_ptr_mut(ssl) };
        if !judge_pending(ssl) {
            return Err(ErrorStack::get());
        }
        let issuers = issuers_of(ssl)?;
        let issuers: Vec<Bytes> = issuers.iter().map(|name| Bytes::of(name)).collect();
        let schemes = schemes_of(ssl);
        let request = IdentityRequest {
            issuers: issuers.as_ptr(),
            issuers_length: issuers.len(),
            schemes: schemes.as_ptr(),
            schemes_length: schemes.len(),
            version: version_of(ssl),
        };
        callbacks::identity(&request).map_or(Ok(()), |identity| set_identity(ssl, &identity))
    });
    presented.is_ok_and(|set: Result<(), ErrorStack>| set.is_ok()).into()
}

fn set_identity(ssl: &mut SslRef, identity: &IdentityParts) -> Result<(), ErrorStack> {
    let mut chain = all(identity.chain, identity.chain_length);
    let Some(end_entity) = chain.next() else { return Err(ErrorStack::get()) };
    ssl.set_certificate(&*certificate(end_entity)?)?;
    for issuer in chain {
        ssl.add_chain_cert(certificate(issuer)?)?;
    }
    ssl.set_private_key(&*key(bytes(identity.key))?)
}

/// The names (DER) of the CAs that the server takes.
#[allow(unsafe_code)]
fn issuers_of(ssl: &SslRef) -> Result<Vec<Vec<u8>>, ErrorStack> {
    // SAFETY: the connection is valid, and the names live as long as it.
    let names: Option<&StackRef<X509Name>> = unsafe {
        let names = more::SSL_get0_peer_CA_list(ssl.as_ptr());
        (!names.is_null()).then(|| StackRef::from_ptr(names))
    };
    names.into_iter().flatten().map(|name| name.to_der()).collect()
}

/// The signature algorithms that the server takes, as on the wire. Before TLS 1.2 there are none.
#[allow(unsafe_code)]
fn schemes_of(ssl: &SslRef) -> Vec<u16> {
    let none = ptr::null_mut();
    let read = |at: c_int| {
        let (mut low, mut high) = (0, 0);
        // SAFETY: the connection is valid, and the other pointers are valid or NULL.
        let count = unsafe { more::SSL_get_sigalgs(ssl.as_ptr(), at, none, none, none, &mut low, &mut high) };
        (count, u16::from_be_bytes([high, low]))
    };
    let count = read(-1).0;
    (0..count).map(|at| read(at).1).collect()
}
