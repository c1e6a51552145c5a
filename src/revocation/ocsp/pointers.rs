//! The responders that a certificate names, and its demand for a staple.

use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, GeneralName, ParsedExtension, X509Certificate};

use crate::der::{INTEGER, SEQUENCE, only};

/// The content of 1.3.6.1.5.5.7.48.1, the access method of responders (RFC 5280 section 4.2.2.1).
const OCSP: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 48, 1];
/// The content of 1.3.6.1.5.5.7.1.24, the extension TLS feature (RFC 7633 section 4).
const TLS_FEATURE: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1, 24];
/// The TLS extension status_request (RFC 6066 section 8).
const STATUS_REQUEST: [u8; 1] = [5];
/// The largest number of responders of a certificate that are used.
const MAX_RESPONDERS: usize = 4;

/// The URLs of the responders that a certificate names, the first four at most.
pub fn responders_of(certificate: &CertificateDer<'_>) -> Vec<String> {
    let Ok((_, certificate)) = X509Certificate::from_der(certificate) else { return Vec::new() };
    let access = certificate.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityInfoAccess(access) => Some(access),
        _ => None,
    });
    let responders = access.iter().flat_map(|access| &access.accessdescs);
    let urls = responders.filter_map(|responder| match responder.access_location {
        GeneralName::URI(url) if responder.access_method.as_bytes() == OCSP => Some(url.to_owned()),
        _ => None,
    });
    urls.take(MAX_RESPONDERS).collect()
}

/// Returns true if a certificate demands that its server staples a response (RFC 7633, "must-staple"). A malformed
/// extension demands it.
pub fn demands_staple(certificate: &CertificateDer<'_>) -> bool {
    let Ok((_, certificate)) = X509Certificate::from_der(certificate) else { return false };
    let mut extensions = certificate.extensions().iter();
    let features = extensions.find(|extension| extension.oid.as_bytes() == TLS_FEATURE);
    features.is_some_and(|features| has_status_request(features.value).unwrap_or(true))
}

fn has_status_request(features: &[u8]) -> Option<bool> {
    let mut features = only(SEQUENCE, features).ok()?.inside();
    while let Some(feature) = features.next().ok()? {
        if feature.tag == INTEGER && feature.content == STATUS_REQUEST {
            return Some(true);
        }
    }
    Some(false)
}
