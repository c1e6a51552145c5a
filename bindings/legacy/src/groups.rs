//! Groups of the key exchange: those of finite fields that this side chooses, and the one of a connection.

use std::ffi::{c_char, c_int, c_long};
use std::ptr;

use foreign_types::ForeignTypeRef;
use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Params};
use openssl::ssl::{SslCipherRef, SslRef};
use openssl_sys as sys;

use crate::context::algorithms;

/// The group of finite-field Diffie-Hellman up to TLS 1.2 (RFC 7919): the largest that Java 8 takes.
const FINITE_FIELD: (&std::ffi::CStr, u16) = (c"ffdhe2048", 0x0100);

/// OpenSSL's numbers of groups, and those on the wire.
const GROUPS: &[(c_int, u16)] = &[
    (sys::NID_X9_62_prime256v1, 23),
    (sys::NID_secp384r1, 24),
    (sys::NID_secp521r1, 25),
    (sys::NID_X25519, 29),
    (NID_BRAINPOOL_P256R1, 26),
    (NID_BRAINPOOL_P384R1, 27),
    (NID_BRAINPOOL_P512R1, 28),
    (sys::NID_X448, 30),
    (NID_FFDHE2048, 0x0100),
    (NID_FFDHE3072, 0x0101),
    (NID_FFDHE4096, 0x0102),
    (NID_FFDHE6144, 0x0103),
    (NID_FFDHE8192, 0x0104),
];

const NID_BRAINPOOL_P256R1: c_int = 927;
const NID_BRAINPOOL_P384R1: c_int = 931;
const NID_BRAINPOOL_P512R1: c_int = 933;
const NID_FFDHE2048: c_int = 1126;
const NID_FFDHE3072: c_int = 1127;
const NID_FFDHE4096: c_int = 1128;
const NID_FFDHE6144: c_int = 1129;
const NID_FFDHE8192: c_int = 1130;
const NID_KX_DHE: c_int = 1039;
const NID_KX_DHE_PSK: c_int = 1041;

/// OpenSSL marks a group without a number of its own so, and adds that of the wire.
const ONLY_ON_THE_WIRE: c_long = 0x0100_0000;

#[allow(unsafe_code)]
unsafe extern "C" {
    fn EVP_PKEY_CTX_set_group_name(context: *mut sys::EVP_PKEY_CTX, name: *const c_char) -> c_int;
    fn SSL_CIPHER_get_kx_nid(suite: *const sys::SSL_CIPHER) -> c_int;
}

/// OpenSSL from this version on selects finite-field Diffie-Hellman only if a group of a client's is in the list too
/// (RFC 7919 section 4). Before it, the list was for TLS 1.3 alone.
const LISTS_FINITE_FIELDS: i64 = 0x4000_0000;

/// Adds the groups of finite fields to a list of names.
pub(crate) fn with_finite_fields(names: &str) -> String {
    let mut names = names.to_owned();
    if openssl::version::number() >= LISTS_FINITE_FIELDS {
        for group in ["ffdhe2048", "ffdhe3072"] {
            if !names.split(':').any(|name| name.eq_ignore_ascii_case(group)) {
                names = [&names, group].join(":");
            }
        }
    }
    names
}

/// Makes the parameters of the group of finite fields.
#[allow(unsafe_code)]
pub(crate) fn finite_field() -> Result<PKey<Params>, ErrorStack> {
    use foreign_types::ForeignType;
    let library = algorithms()?;
    // SAFETY: all pointers are valid or NULL, and the context is freed once.
    unsafe {
        let context = sys::EVP_PKEY_CTX_new_from_name(library.as_ptr(), c"DH".as_ptr(), ptr::null());
        let mut made = ptr::null_mut();
        let is_made = !context.is_null()
            && sys::EVP_PKEY_paramgen_init(context) == 1
            && EVP_PKEY_CTX_set_group_name(context, FINITE_FIELD.0.as_ptr()) == 1
            && sys::EVP_PKEY_paramgen(context, &mut made) == 1;
        sys::EVP_PKEY_CTX_free(context);
        match is_made && !made.is_null() {
            true => Ok(PKey::from_ptr(made)),
            false => Err(ErrorStack::get()),
        }
    }
}

/// The group of a connection with this suite, as on the wire; none if it has none.
#[allow(unsafe_code)]
pub(crate) fn of(ssl: &SslRef, suite: &SslCipherRef) -> Option<u16> {
    const GET_NEGOTIATED_GROUP: c_int = 134;
    const FINITE_FIELDS: std::ops::RangeInclusive<u16> = 0x0100..=0x01ff;
    // SAFETY: the suite is valid.
    let is_finite = matches!(unsafe { SSL_CIPHER_get_kx_nid(suite.as_ptr()) }, NID_KX_DHE | NID_KX_DHE_PSK);
    // OpenSSL looks into the session without a check that there is one. A binder that is refused leaves none.
    ssl.session()?;
    // SAFETY: the connection is valid and has a session, and this command takes nothing.
    let group = unsafe { sys::SSL_ctrl(ssl.as_ptr(), GET_NEGOTIATED_GROUP, 0, ptr::null_mut()) };
    let group = match GROUPS.iter().find(|(known, _)| c_long::from(*known) == group) {
        Some((_, wire)) => Some(*wire),
        None if group & ONLY_ON_THE_WIRE != 0 => u16::try_from(group & 0xffff).ok(),
        None => None,
    };
    match is_finite {
        // OpenSSL before 4.0 reports none: it is the one of this side, and not known if the peer has chosen it.
        true => {
            (group.filter(|group| FINITE_FIELDS.contains(group))).or_else(|| ssl.is_server().then_some(FINITE_FIELD.1))
        }
        false => group,
    }
}
