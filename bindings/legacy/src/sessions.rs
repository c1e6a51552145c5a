//! Resumption by tickets (RFC 5077): OpenSSL's session under keys that are replaced, and in it what the core seals.
//!
//! The core decides if a session is resumed. OpenSSL keeps none.

use std::ffi::{c_char, c_int, c_long, c_uchar, c_void};
use std::ptr;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use brokertls_legacy_abi::{ContextParts, SessionParts};
use foreign_types::ForeignTypeRef;
use openssl::cipher::Cipher;
use openssl::error::ErrorStack;
use openssl::ssl::{SslContextBuilder, SslOptions, SslRef};
use openssl_sys as sys;
use zeroize::Zeroizing;

use crate::context::algorithms;
use crate::{callbacks, psk};

/// A key seals tickets for so long, and opens them for so long again.
const KEY_LIFETIME: Duration = Duration::from_secs(6 * 60 * 60);

const NAME_BYTES: usize = 16;
const KEY_BYTES: usize = 32;
const IV_BYTES: usize = 16;

/// The most that the core may add to a session.
const MAX_SEALED_BYTES: usize = 16 * 1024;

/// The sessions of servers here are of one kind: the core tells contexts apart.
const ID_CONTEXT: &[u8] = b"brokertls";

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
        pub(super) fn OSSL_PARAM_construct_utf8_string(
            key: *const c_char,
            text: *mut c_char,
            length: usize,
        ) -> sys::OSSL_PARAM;
        pub(super) fn EVP_MAC_CTX_set_params(context: *mut c_void, parameters: *const sys::OSSL_PARAM) -> c_int;
    }
}

/// Turns tickets on, if the core wants them.
#[allow(unsafe_code)]
pub(crate) fn set(builder: &mut SslContextBuilder, parts: &ContextParts) -> Result<(), ErrorStack> {
    if parts.session_lifetime_s == 0 {
        return Ok(());
    }
    builder.clear_options(SslOptions::NO_TICKET);
    builder.set_session_id_context(ID_CONTEXT)?;
    let context = builder.as_ptr();
    // SAFETY: the context is the builder's, and the functions fit.
    unsafe {
        more::SSL_CTX_set_timeout(context, c_long::from(parts.session_lifetime_s));
        more::SSL_CTX_set_session_ticket_cb(context, generate, decrypt, ptr::null_mut());
        more::SSL_CTX_set_tlsext_ticket_key_evp_cb(context, protect);
    }
    Ok(())
}

/// Puts what the core seals into the session, before its ticket is made. A session without it gets no ticket.
#[allow(unsafe_code)]
unsafe extern "C" fn generate(ssl: *mut sys::SSL, _: *mut c_void) -> c_int {
    let made = std::panic::catch_unwind(|| {
        // SAFETY: OpenSSL gives a valid connection, which has a session by now.
        unsafe {
            let session = sys::SSL_get_session(ssl);
            let parts = SessionParts { version: version_of(ssl), is_resumed: is_resumed(ssl).into() };
            let own = usize::try_from(sys::i2d_SSL_SESSION(session, ptr::null_mut())).unwrap_or(usize::MAX);
            let mut room = Zeroizing::new(vec![0; MAX_SEALED_BYTES]);
            let length = callbacks::seal_session(parts, own, &mut room);
            more::SSL_SESSION_set1_ticket_appdata(session, room.as_ptr().cast(), length)
        }
    });
    made.unwrap_or_default()
}

/// The version of a connection, once it is chosen.
///
/// # Safety
/// The connection must be valid.
#[allow(unsafe_code)]
unsafe fn version_of(ssl: *const sys::SSL) -> u16 {
    // SAFETY: the caller promises a valid connection.
    u16::try_from(unsafe { sys::SSL_version(ssl) }).unwrap_or_default()
}

/// Returns true if a connection has resumed an earlier session, and no pre-shared key of TLS 1.3 stands for it.
///
/// # Safety
/// The connection must be valid.
#[allow(unsafe_code)]
unsafe fn is_resumed(ssl: *mut sys::SSL) -> bool {
    // SAFETY: the caller promises a valid connection.
    let ssl = unsafe { SslRef::from_ptr(ssl) };
    ssl.session_reused() && !psk::is_external(ssl)
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

/// Asks the core about the session of a ticket. No ticket is of TLS 1.3, but OpenSSL takes each identity of a
/// pre-shared key for one that it cannot find.
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
    const TLS1_3: u16 = 0x0304;
    // SAFETY: OpenSSL gives a valid connection, and has chosen its version.
    let version = unsafe { version_of(ssl) };
    let is_open = version < TLS1_3 && matches!(status, SUCCESS | SUCCESS_RENEW) && !session.is_null();
    // SAFETY: OpenSSL gives the session of the ticket.
    let ask = || is_open && callbacks::open_session(version, unsafe { sealed(session) });
    let is_resumed = std::panic::catch_unwind(ask).unwrap_or(false);
    if is_resumed { USE_RENEW } else { IGNORE_RENEW }
}

/// A key of tickets.
struct Key {
    name: [u8; NAME_BYTES],
    cipher: Zeroizing<[u8; KEY_BYTES]>,
    mac: Zeroizing<[u8; KEY_BYTES]>,
    made: Instant,
}

impl Key {
    fn new(now: Instant) -> Result<Self, ErrorStack> {
        let mut key =
            Self { name: [0; NAME_BYTES], cipher: Zeroizing::default(), mac: Zeroizing::default(), made: now };
        openssl::rand::rand_bytes(&mut key.name)?;
        openssl::rand::rand_bytes(&mut *key.cipher)?;
        openssl::rand::rand_bytes(&mut *key.mac)?;
        Ok(key)
    }
}

/// The key that seals, and the one before it.
#[derive(Default)]
struct Keys {
    present: Option<Key>,
    before: Option<Key>,
}

impl Keys {
    const fn new() -> Self {
        Self { present: None, before: None }
    }

    fn sealing(&mut self, now: Instant) -> Result<&Key, ErrorStack> {
        self.turn(now);
        match &mut self.present {
            Some(key) => Ok(key),
            none => Ok(none.insert(Key::new(now)?)),
        }
    }

    fn opening(&mut self, name: &[u8], now: Instant) -> Option<&Key> {
        self.turn(now);
        [&self.present, &self.before].into_iter().flatten().find(|key| key.name == name)
    }

    fn turn(&mut self, now: Instant) {
        let is_over = |key: &Key, lifetimes: u32| now.saturating_duration_since(key.made) >= KEY_LIFETIME * lifetimes;
        if self.present.as_ref().is_some_and(|key| is_over(key, 1)) {
            self.before = self.present.take();
        }
        if self.before.as_ref().is_some_and(|key| is_over(key, 2)) {
            self.before = None;
        }
    }
}

/// The cipher of tickets, fetched once.
fn algorithm() -> Result<&'static Cipher, ErrorStack> {
    static ALGORITHM: OnceLock<Cipher> = OnceLock::new();
    match ALGORITHM.get() {
        Some(algorithm) => Ok(algorithm),
        None => {
            let fetched = Cipher::fetch(Some(algorithms()?), "AES-256-CBC", None)?;
            Ok(ALGORITHM.get_or_init(|| fetched))
        }
    }
}

/// Sets the keys of one ticket. Returns 1, or 0 for no ticket, or a negative number for a failure.
#[allow(unsafe_code)]
unsafe extern "C" fn protect(
    ssl: *mut sys::SSL,
    name: *mut c_uchar,
    iv: *mut c_uchar,
    cipher: *mut sys::EVP_CIPHER_CTX,
    mac: *mut c_void,
    is_sealing: c_int,
) -> c_int {
    static KEYS: Mutex<Keys> = Mutex::new(Keys::new());
    const FAILED: c_int = -1;
    let done = std::panic::catch_unwind(|| {
        let algorithm = algorithm()?;
        let mut keys = KEYS.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: OpenSSL gives this much room for both.
        let (name, iv) =
            unsafe { (std::slice::from_raw_parts_mut(name, NAME_BYTES), std::slice::from_raw_parts_mut(iv, IV_BYTES)) };
        let key = if is_sealing == 0 {
            match keys.opening(name, Instant::now()) {
                Some(key) => key,
                None => return Ok(0),
            }
        } else {
            // SAFETY: OpenSSL gives a valid connection, which has a session by now.
            if unsafe { sealed(sys::SSL_get_session(ssl)) }.is_empty() {
                return Ok(0);
            }
            let key = keys.sealing(Instant::now())?;
            name.copy_from_slice(&key.name);
            openssl::rand::rand_bytes(iv)?;
            key
        };
        // SAFETY: all pointers are valid during the calls, and OpenSSL copies the keys.
        let is_set = unsafe { init(key, algorithm, iv, (cipher, mac), is_sealing) };
        if is_set { Ok(1) } else { Err(ErrorStack::get()) }
    });
    match done {
        Ok(Ok(done)) => done,
        _ => FAILED,
    }
}

/// # Safety
/// Both contexts must be valid.
#[allow(unsafe_code)]
unsafe fn init(
    key: &Key,
    algorithm: &Cipher,
    iv: &[u8],
    (cipher, mac): (*mut sys::EVP_CIPHER_CTX, *mut c_void),
    is_sealing: c_int,
) -> bool {
    use foreign_types::ForeignType;
    // SAFETY: the caller promises valid contexts; the rest is valid during the calls.
    unsafe {
        let parameters = [
            sys::OSSL_PARAM_construct_octet_string(c"key".as_ptr(), key.mac.as_ptr().cast_mut().cast(), KEY_BYTES),
            more::OSSL_PARAM_construct_utf8_string(c"digest".as_ptr(), c"SHA256".as_ptr().cast_mut(), 0),
            sys::OSSL_PARAM_construct_end(),
        ];
        let begin = if is_sealing == 0 { sys::EVP_DecryptInit_ex } else { sys::EVP_EncryptInit_ex };
        more::EVP_MAC_CTX_set_params(mac, parameters.as_ptr()) == 1
            && begin(cipher, algorithm.as_ptr(), ptr::null_mut(), key.cipher.as_ptr(), iv.as_ptr()) == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_of_tickets_is_replaced_and_opens_for_one_more_lifetime() {
        let mut keys = Keys::new();
        let start = Instant::now();
        let first = keys.sealing(start).unwrap().name;
        assert_eq!(keys.sealing(start + KEY_LIFETIME - Duration::from_secs(1)).unwrap().name, first);
        let second = keys.sealing(start + KEY_LIFETIME).unwrap().name;
        assert_ne!(second, first);
        let almost = start + KEY_LIFETIME * 2 - Duration::from_secs(1);
        assert!(keys.opening(&first, almost).is_some() && keys.opening(&second, almost).is_some());
        assert!(keys.opening(&first, start + KEY_LIFETIME * 2).is_none());
        assert!(keys.opening(&[0; NAME_BYTES], almost).is_none());
    }
}
