//! Requests to a responder (RFC 6960 section 4.1; RFC 5019 section 2.1), as the body of a POST or in the URL of a GET.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;

use super::cert_id::{CertId, CertIdHash};
use super::response::NONCE;
use crate::der::{OCTET_STRING, OID, SEQUENCE, element};
use crate::error::{Code, Error, Result};

/// `[2]`, which request extensions are tagged with.
const EXTENSIONS: u8 = 0xa2;
/// The most bytes of a nonce (RFC 9654 section 2.1).
const MAX_NONCE_BYTES: usize = 128;
/// The longest URL that is asked with GET (RFC 5019 section 5).
const MAX_URL_BYTES: usize = 255;

/// A request about one certificate: the body of a POST, of the type `application/ocsp-request`.
///
/// `issuer` is the next certificate of the path. A nonce has 1 to 128 random bytes. The response of a responder that
/// supports it must have the same (RFC 9654).
///
/// # Errors
/// `CERTIFICATE_MALFORMED`; `INVALID_ARGUMENT` for a nonce of a length that is not allowed.
pub fn request(
    certificate: &CertificateDer<'_>,
    issuer: &CertificateDer<'_>,
    hash: CertIdHash,
    nonce: Option<&[u8]>,
) -> Result<Vec<u8>> {
    let id = CertId::new(certificate, issuer, hash)?.to_der();
    let list = element(SEQUENCE, &[&element(SEQUENCE, &[&id])]);
    let extensions = nonce.map(extensions_with).transpose()?.unwrap_or_default();
    Ok(element(SEQUENCE, &[&element(SEQUENCE, &[&list, &extensions])]))
}

fn extensions_with(nonce: &[u8]) -> Result<Vec<u8>> {
    if nonce.is_empty() || nonce.len() > MAX_NONCE_BYTES {
        let detail = format!("a nonce of {} bytes, 1 to {MAX_NONCE_BYTES} are allowed", nonce.len());
        return Err(Error::new(Code::InvalidArgument, detail));
    }
    let value = element(OCTET_STRING, &[&element(OCTET_STRING, &[nonce])]);
    let extension = element(SEQUENCE, &[&element(OID, &[NONCE]), &value]);
    Ok(element(EXTENSIONS, &[&element(SEQUENCE, &[&extension])]))
}

/// Returns the URL of a GET, which caches serve (RFC 6960 appendix A.1). `None` requires a POST: the URL would be
/// longer than 255 bytes, or the responder's own URL has a query.
pub fn get_url(responder: &str, request: &[u8]) -> Option<String> {
    if responder.contains(['?', '#']) {
        return None;
    }
    let mut url = format!("{}/", responder.strip_suffix('/').unwrap_or(responder));
    for character in STANDARD.encode(request).chars() {
        match character {
            '+' => url.push_str("%2B"),
            '/' => url.push_str("%2F"),
            '=' => url.push_str("%3D"),
            other => url.push(other),
        }
    }
    (url.len() <= MAX_URL_BYTES).then_some(url)
}
