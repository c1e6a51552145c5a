//! OpenSSL's own encoding of a private key of DSA, and what it is in PKCS#8.

use zeroize::Zeroizing;

use super::pkcs12::ber;
use crate::der::{Cursor, INTEGER, OCTET_STRING, SEQUENCE, element};
use crate::error::{Code, Result};

/// The name of the algorithm in messages.
pub(super) const NAME: &str = "DSA";

/// The algorithm id-dsa in DER (RFC 3279 section 2.3.2).
pub(super) const ALGORITHM: &[u8] = &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01];

/// Puts the key of OpenSSL's own encoding (version, prime, order, base, public and private value) into PKCS#8. The
/// caller wipes it.
///
/// # Errors
/// `KEY_MALFORMED`.
pub(super) fn to_pkcs8(der: &[u8]) -> Result<Vec<u8>> {
    let mut content = Cursor::new(der, Code::KeyMalformed).enter(SEQUENCE, "DSA key")?;
    let version = content.take(INTEGER, "version of the DSA key")?.whole;
    let [prime, order, base] = ["prime", "order", "base"].map(|what| content.take(INTEGER, what));
    let parameters = [prime?.whole, order?.whole, base?.whole];
    content.take(INTEGER, "public value of the DSA key")?;
    let secret = content.take(INTEGER, "private value of the DSA key")?.whole;
    let algorithm = element(SEQUENCE, &[ALGORITHM, &element(SEQUENCE, &parameters)]);
    let mut key = Zeroizing::new(Vec::with_capacity(secret.len().saturating_add(ber::MAX_HEADER_BYTES)));
    ber::write(OCTET_STRING, secret, &mut key);
    let parts: [&[u8]; 3] = [version, &algorithm, &key];
    let content = Zeroizing::new(parts.concat());
    let mut out = Vec::with_capacity(content.len().saturating_add(ber::MAX_HEADER_BYTES));
    ber::write(SEQUENCE, &content, &mut out);
    Ok(out)
}

/// Returns true for OpenSSL's own encoding: six numbers and nothing else. An RSA key has nine.
pub(super) fn is_own_encoding(der: &[u8]) -> bool {
    const NUMBERS: usize = 6;
    let Ok(mut content) = Cursor::new(der, Code::KeyMalformed).enter(SEQUENCE, "DSA key") else { return false };
    (0..NUMBERS).all(|_| content.take(INTEGER, "number").is_ok()) && content.is_empty()
}
