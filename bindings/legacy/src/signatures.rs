//! The hashes of the signatures in a handshake.

use std::ffi::c_int;
use std::ptr;

use foreign_types::ForeignTypeRef;
use openssl::nid::Nid;
use openssl::ssl::SslRef;
use openssl_sys as sys;

use crate::psk;

/// The commands for the hash of this side's signature, and of the peer's.
const GET_SIGNATURE_NID: c_int = 132;
const GET_PEER_SIGNATURE_NID: c_int = 108;

/// OpenSSL's numbers of the key exchanges that this side signs: ECDHE and DHE.
const SIGNED: [c_int; 2] = [1038, 1039];

/// Returns true if a signature of this handshake, of either side, is over SHA-1 or over MD5 and SHA-1.
pub(crate) fn use_sha1(ssl: &SslRef) -> bool {
    // OpenSSL chooses an algorithm for RSA key exchange too, and signs nothing.
    let signs = ssl.current_cipher().is_some_and(|suite| SIGNED.contains(&psk::exchange_of(suite)));
    !ssl.session_reused() && (signs && is_old(ssl, GET_SIGNATURE_NID) || is_old(ssl, GET_PEER_SIGNATURE_NID))
}

#[allow(unsafe_code)]
fn is_old(ssl: &SslRef, command: c_int) -> bool {
    let mut hash: c_int = 0;
    // SAFETY: the connection is valid, and the command puts a number there.
    let is_set = unsafe { sys::SSL_ctrl(ssl.as_ptr(), command, 0, ptr::from_mut(&mut hash).cast()) } == 1;
    is_set && [Nid::SHA1, Nid::MD5_SHA1].contains(&Nid::from_raw(hash))
}
