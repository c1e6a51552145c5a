//! One request to a responder (RFC 6960; RFC 5019 for those by GET), and what came back.

use std::time::Instant;

use rustls::pki_types::CertificateDer;

use super::super::ocsp::{CertIdHash, OcspResponse, get_url, request};
use crate::error::{Code, Error, Result};
use crate::fetch::{FetchRequest, Fetched, Fetcher, Post};

/// The longest response: RFC 5019 has responders keep them short, and a delegated signer's chain fits many times.
const MAX_RESPONSE_BYTES: usize = 128 << 10;
/// The longest nonce that responders have to take (RFC 9654 section 2.1).
const NONCE_BYTES: usize = 32;

/// What is asked, of whom.
pub(in super::super) struct OcspRequest<'a> {
    pub(in super::super) responder: &'a str,
    /// Whether the responder may be at any address, because it is not a stranger who named it.
    pub(in super::super) is_configured: bool,
    pub(in super::super) certificate: &'a CertificateDer<'a>,
    pub(in super::super) issuer: &'a CertificateDer<'a>,
    pub(in super::super) hash: CertIdHash,
    /// Whether the response has to repeat a nonce.
    pub(in super::super) has_nonce: bool,
    pub(in super::super) deadline: Instant,
}

impl OcspRequest<'_> {
    /// Asks. Nothing of the response has been verified but its nonce.
    ///
    /// # Errors
    /// `REVOCATION_RESPONSE_INVALID` for what is no response; those of [`Fetcher::fetch`].
    pub(in super::super) fn send(&self, fetcher: &Fetcher) -> Result<OcspResponse> {
        let nonce = self.has_nonce.then(nonce).transpose()?;
        let asked = request(self.certificate, self.issuer, self.hash, nonce.as_ref().map(|n| &n[..]))?;
        // An answer to a nonce is for one asker, so that a cache on the way must not keep it.
        let by_get = nonce.is_none().then(|| get_url(self.responder, &asked)).flatten();
        let fetched = fetcher.fetch(&FetchRequest {
            url: by_get.as_deref().unwrap_or(self.responder),
            is_configured: self.is_configured,
            post: by_get.is_none().then_some(Post { content_type: "application/ocsp-request", body: &asked }),
            accept: "application/ocsp-response",
            max_bytes: MAX_RESPONSE_BYTES,
            deadline: self.deadline,
            validators: None,
        });
        let fetched = fetched.map_err(|error| match &by_get {
            // The request in its URL says nothing to a reader.
            Some(url) => Error::new(error.code(), error.detail().replace(url.as_str(), self.responder)),
            None => error,
        })?;
        let invalid = |why: &str| Error::new(Code::RevocationResponseInvalid, format!("{}: {why}", self.responder));
        let Fetched::Content(content) = fetched else {
            return Err(invalid("not modified, though nothing was at hand"));
        };
        let response = OcspResponse::from_der(&content.bytes, self.responder)
            .map_err(|error| Error::new(Code::RevocationResponseInvalid, error.detail()).with_source(error))?;
        if nonce.is_some_and(|nonce| response.nonce() != Some(&nonce)) {
            return Err(invalid("the response does not repeat the nonce that was sent"));
        }
        Ok(response)
    }
}

fn nonce() -> Result<[u8; NONCE_BYTES]> {
    let mut nonce = [0; NONCE_BYTES];
    aws_lc_rs::rand::fill(&mut nonce).map_err(|_| Error::new(Code::Internal, "no randomness for a nonce"))?;
    Ok(nonce)
}
