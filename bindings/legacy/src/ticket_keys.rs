//! The keys of tickets, which are replaced by the clock of the process. A ticket is sealed by AES-256-CBC and
//! HMAC-SHA256 (RFC 5077 section 4). Its name is the tag of its context, a byte for the hash of its session, and the
//! name of the key.

use std::ffi::{c_char, c_int, c_uchar, c_void};
use std::ptr;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use brokertls_legacy_abi::{TICKET_OF_SHA384, TICKET_TAG_BYTES};
use foreign_types::ForeignTypeRef;
use openssl::cipher::Cipher;
use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::ssl::SslRef;
use openssl_sys as sys;
use zeroize::Zeroizing;

use crate::context::algorithms;
use crate::once::made_once;
use crate::sessions;

/// A key seals tickets for so long, and opens them for so long again.
const KEY_LIFETIME: Duration = Duration::from_secs(6 * 60 * 60);

const NAME_BYTES: usize = 16;
const ID_BYTES: usize = NAME_BYTES - TICKET_TAG_BYTES - 1;
const KEY_BYTES: usize = 32;
const IV_BYTES: usize = 16;

#[allow(unsafe_code)]
mod more {
    use super::*;

    unsafe extern "C" {
        pub(super) fn OSSL_PARAM_construct_utf8_string(
            key: *const c_char,
            text: *mut c_char,
            length: usize,
        ) -> sys::OSSL_PARAM;
        pub(super) fn EVP_MAC_CTX_set_params(context: *mut c_void, parameters: *const sys::OSSL_PARAM) -> c_int;
    }
}

/// A key of tickets.
struct Key {
    id: [u8; ID_BYTES],
    cipher: Zeroizing<[u8; KEY_BYTES]>,
    mac: Zeroizing<[u8; KEY_BYTES]>,
    made: Instant,
}

impl Key {
    fn new(now: Instant) -> Result<Self, ErrorStack> {
        let mut key = Self { id: [0; ID_BYTES], cipher: Zeroizing::default(), mac: Zeroizing::default(), made: now };
        openssl::rand::rand_bytes(&mut key.id)?;
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

    fn opening(&mut self, id: &[u8], now: Instant) -> Option<&Key> {
        self.turn(now);
        [&self.present, &self.before].into_iter().flatten().find(|key| key.id == id)
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
    made_once(&ALGORITHM, || Cipher::fetch(Some(algorithms()?), "AES-256-CBC", None))
}

/// Sets the keys of one ticket. Returns 1, or 0 for no ticket, or a negative number for a failure.
///
/// # Safety
/// OpenSSL calls this, with a valid connection and room for the name and the IV.
#[allow(unsafe_code)]
pub(crate) unsafe extern "C" fn protect(
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
        // SAFETY: OpenSSL gives a valid connection.
        let ssl = unsafe { SslRef::from_ptr(ssl) };
        let Some(tag) = sessions::tag(ssl) else { return Ok(0) };
        let (own_tag, [hash, id @ ..]) = name.split_at_mut(tag.len()) else { return Ok(0) };
        let key = if is_sealing == 0 {
            match keys.opening(id, Instant::now()).filter(|_| *own_tag == tag) {
                Some(key) => key,
                None => return Ok(0),
            }
        } else {
            if !sessions::has_ticket(ssl) {
                return Ok(0);
            }
            let key = keys.sealing(Instant::now())?;
            own_tag.copy_from_slice(&tag);
            *hash = if is_of_sha384(ssl) { TICKET_OF_SHA384 } else { 0 };
            id.copy_from_slice(&key.id);
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

fn is_of_sha384(ssl: &SslRef) -> bool {
    let digest = ssl.current_cipher().and_then(|suite| suite.handshake_digest());
    digest.is_some_and(|digest| digest.type_() == Nid::SHA384)
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
        let first = keys.sealing(start).unwrap().id;
        assert_eq!(keys.sealing(start + KEY_LIFETIME - Duration::from_secs(1)).unwrap().id, first);
        let second = keys.sealing(start + KEY_LIFETIME).unwrap().id;
        assert_ne!(second, first);
        let almost = start + KEY_LIFETIME * 2 - Duration::from_secs(1);
        assert!(keys.opening(&first, almost).is_some() && keys.opening(&second, almost).is_some());
        assert!(keys.opening(&first, start + KEY_LIFETIME * 2).is_none());
        assert!(keys.opening(&[0; ID_BYTES], almost).is_none());
    }
}
