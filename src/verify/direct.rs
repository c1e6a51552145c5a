//! Direct trust: the trust store has the peer's certificate itself.
//!
//! The recipes of keytool and ArangoDB use it, and so do Java's trust managers. The certificate needs no issuer, so
//! that issuer, signature, version and basic constraints do not matter. Dates, purpose, critical extensions and name
//! do. chain.rs looks for issuers.

use rustls::pki_types::{CertificateDer, UnixTime};
use webpki::EndEntityCert;

use super::presented::{Purpose, usage};
use crate::keystore::TrustedCertificate;

/// Finds a certificate among the trusted ones: their positions, sorted by encoding.
#[derive(Debug)]
pub(super) struct Index(Vec<usize>);

impl Index {
    /// The index of these certificates.
    pub(super) fn new(trusted: &[TrustedCertificate]) -> Self {
        let mut positions: Vec<_> = (0..trusted.len()).collect();
        positions.sort_by(|a, b| encoding(trusted, *a).cmp(encoding(trusted, *b)));
        Self(positions)
    }

    /// The place of this certificate in the trust store, byte for byte.
    pub(super) fn position(&self, trusted: &[TrustedCertificate], wanted: &CertificateDer<'_>) -> Option<usize> {
        let found = self.0.binary_search_by(|position| encoding(trusted, *position).cmp(wanted.as_ref())).ok()?;
        self.0.get(found).copied()
    }
}

fn encoding(trusted: &[TrustedCertificate], position: usize) -> &[u8] {
    trusted.get(position).map(|certificate| certificate.der.as_ref()).unwrap_or_default()
}

/// Checks a directly trusted certificate. Its path is itself.
///
/// With no anchor to find, webpki checks all that does not depend on an issuer, then misses the issuer.
pub(super) fn verify(
    parsed: &EndEntityCert<'_>,
    purpose: Purpose,
    now: UnixTime,
    original: &CertificateDer<'_>,
) -> Result<Vec<CertificateDer<'static>>, webpki::Error> {
    match parsed.verify_for_usage(&[], &[], &[], now, usage(purpose), None, None) {
        Ok(_) | Err(webpki::Error::UnknownIssuer) => Ok(vec![original.clone().into_owned()]),
        Err(error) => Err(error),
    }
}
