//! Handshake messages that OpenSSL shows as they are on the wire: the certificates of the peer, byte for byte, and the
//! choice of the server to encrypt before it authenticates.

use std::ffi::{c_int, c_void};

use brokertls_legacy_abi::Fields;
use openssl_sys as sys;

use crate::callbacks;
use crate::sealed::Secret;

/// Content types (RFC 5246 section 6.2.1).
const ALERT: c_int = 21;
const HANDSHAKE: c_int = 22;

/// Types of handshake messages.
const SERVER_HELLO: u8 = 2;
const CERTIFICATE: u8 = 11;
const KEY_UPDATE: u8 = 24;

/// TLS 1.3, as in the messages.
const TLS13: c_int = 0x0304;

/// The extension that chooses encryption before authentication (RFC 7366).
const ENCRYPT_THEN_MAC: u16 = 22;

/// The most bytes of the certificates that are kept of a message. OpenSSL's limit is lower.
const MAX_CERTIFICATES_BYTES: usize = 256 * 1024;

/// The facts that a call has heard.
#[derive(Default)]
pub(crate) struct Heard {
    certificates: Vec<Vec<u8>>,
    /// The server's choice in its ServerHello.
    pub(crate) encrypts_then_macs: Option<bool>,
    /// True if OpenSSL has sent a fatal alert.
    pub(crate) has_ended: bool,
    /// The first secret of this side for data in TLS 1.3.
    pub(crate) traffic_secret: Option<Secret>,
    /// True if this side has sent a key update.
    pub(crate) has_updated_key: bool,
}

impl Heard {
    pub(crate) fn take_certificates(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.certificates)
    }
}

/// The function that OpenSSL calls for each message.
///
/// # Safety
/// The message must be valid.
#[allow(unsafe_code)]
pub(crate) unsafe extern "C" fn listen(
    is_written: c_int,
    version: c_int,
    kind: c_int,
    message: *const c_void,
    length: usize,
    ssl: *mut sys::SSL,
    _: *mut c_void,
) {
    // SAFETY: OpenSSL calls this with a valid connection.
    let is_server = unsafe { sys::SSL_is_server(ssl) };
    let message: &[u8] = match message.is_null() || length == 0 {
        true => &[],
        // SAFETY: OpenSSL gives this many bytes.
        false => unsafe { std::slice::from_raw_parts(message.cast(), length) },
    };
    // A panic here must not unwind into OpenSSL. What is not heard is refused later.
    _ = std::panic::catch_unwind(|| match (is_written, kind, message) {
        (0, HANDSHAKE, [CERTIFICATE, ..]) => {
            let sent = certificates(message, version == TLS13).unwrap_or_default();
            callbacks::hear(|heard| heard.certificates = sent);
        }
        (_, HANDSHAKE, [SERVER_HELLO, ..]) if is_written == is_server => {
            let chosen = has_extension(message, ENCRYPT_THEN_MAC).unwrap_or_default();
            callbacks::hear(|heard| heard.encrypts_then_macs = Some(chosen));
        }
        (1, HANDSHAKE, [KEY_UPDATE, ..]) if version == TLS13 => callbacks::hear(|heard| heard.has_updated_key = true),
        (1, ALERT, [2, _]) => callbacks::hear(|heard| heard.has_ended = true),
        _ => {}
    });
}

/// Reads the certificates of a message (RFC 5246 section 7.4.2, RFC 8446 section 4.4.2).
fn certificates(message: &[u8], is_tls13: bool) -> Option<Vec<Vec<u8>>> {
    let mut message = Fields(message.get(4..)?);
    if is_tls13 {
        message.vector(1)?;
    }
    let mut list = Fields(message.vector(3)?);
    if list.0.len() > MAX_CERTIFICATES_BYTES {
        return None;
    }
    let mut sent = Vec::new();
    while !list.is_empty() {
        sent.push(list.vector(3)?.to_vec());
        if is_tls13 {
            list.vector(2)?;
        }
    }
    message.is_empty().then_some(sent)
}

/// Returns true if a ServerHello has this extension.
fn has_extension(message: &[u8], wanted: u16) -> Option<bool> {
    let mut hello = Fields(message.get(4 + 2 + 32..)?);
    hello.vector(1)?;
    hello.take(3)?;
    if hello.is_empty() {
        return Some(false);
    }
    let mut extensions = Fields(hello.vector(2)?);
    while !extensions.is_empty() {
        let kind: [u8; 2] = extensions.take(2)?.try_into().ok()?;
        extensions.vector(2)?;
        if u16::from_be_bytes(kind) == wanted {
            return Some(true);
        }
    }
    Some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_those_of_the_message_byte_for_byte() {
        let old = [11, 0, 0, 12, 0, 0, 9, 0, 0, 2, 0x30, 0x80, 0, 0, 1, 7];
        assert_eq!(certificates(&old, false), Some(vec![vec![0x30, 0x80], vec![7]]));
        let new = [11, 0, 0, 11, 0, 0, 0, 7, 0, 0, 2, 0x30, 0x80, 0, 0];
        assert_eq!(certificates(&new, true), Some(vec![vec![0x30, 0x80]]));
        assert_eq!(certificates(&[11, 0, 0, 3, 0, 0, 0], false), Some(Vec::new()));
    }

    #[test]
    fn message_with_a_certificate_that_is_cut_gives_none_of_them() {
        let whole = [11, 0, 0, 12, 0, 0, 9, 0, 0, 2, 0x30, 0x80, 0, 0, 1, 7];
        for length in 0..whole.len() {
            assert_eq!(certificates(&whole[..length], false), None, "{length}");
        }
        assert_eq!(certificates(&[&whole[..], &[0]].concat(), false), None);
    }

    #[test]
    fn choice_to_encrypt_before_authentication_is_read_from_the_hello_of_the_server() {
        let hello = |extensions: &[u8]| [&[2, 0, 0, 0, 3, 1][..], &[9; 32], &[0, 0, 47, 0], extensions].concat();
        assert_eq!(has_extension(&hello(&[]), ENCRYPT_THEN_MAC), Some(false));
        assert_eq!(has_extension(&hello(&[0, 4, 0, 23, 0, 0]), ENCRYPT_THEN_MAC), Some(false));
        assert_eq!(has_extension(&hello(&[0, 8, 0, 23, 0, 0, 0, 22, 0, 0]), ENCRYPT_THEN_MAC), Some(true));
        assert_eq!(has_extension(&hello(&[0, 9, 0, 23, 0, 0, 0, 22, 0, 0]), ENCRYPT_THEN_MAC), None);
    }
}
