//! The status of one certificate from a responder (OCSP: RFC 6960, and its profiles RFC 5019 and RFC 9654).
//!
//! A response is parsed once and kept as its DER and its content. Its signature is checked once for each issuer, when
//! the certificate of the issuer is known. This room fetches nothing: it makes requests and judges responses.

mod cert_id;
mod facts;
mod pointers;
mod request;
mod response;
mod signer;

use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest::{self, SHA256};
use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, X509Certificate};

pub use cert_id::{CertId, CertIdHash};
pub use facts::{OcspCertificateFacts, OcspFacts};
pub use pointers::{demands_staple, responders_of};
pub use request::{get_url, request};
pub use response::OcspStatus;
pub(crate) use signer::is_issuer;

use crate::certificate::{algorithm_text, hex};
use crate::error::{Code, Error, Result};
use crate::revocation::Reason;
use crate::revocation::content::{OCSP_LABEL, response_parts};
use crate::revocation::upkeep::SKEW_S;
use crate::signature::Allowed;
use cert_id::serial_of;
use response::{Data, Envelope, Single, Status, Unusable};
use signer::Terms;

/// The validity of a response without nextUpdate, in seconds from its thisUpdate: a week, as in browsers.
///
/// RFC 6960 section 2.4 has the responder say with it that there is always something newer, and leaves open how old an
/// answer may be. Without a bound, whoever kept an answer from before the revocation could show it for ever; a week is
/// what public CAs give the answers that do have a nextUpdate.
pub(super) const MAX_AGE_S: i64 = 7 * 86_400;
/// The most issuers that are remembered for each response: one is usual, and there are cross-signed ones.
const MAX_ISSUERS: usize = 4;
/// The most certificates that are remembered for each response: a responder's answer is about one.
const MAX_CERTIFICATES: usize = 4;

/// A response that has been read. Whether it is true of a certificate is asked for with its issuer's,
/// [`OcspResponse::standing`].
#[derive(Debug)]
pub struct OcspResponse {
    der: Box<[u8]>,
    status: OcspStatus,
    /// The content, for the status `Successful` only.
    data: Option<Data>,
    allowed: Allowed,
    /// The SHA-256 of the names and keys of issuers, with the validity of their signers or the reason of a refusal.
    issuers: Mutex<Vec<(Fingerprint, Believed)>>,
    /// SHA-256 of certificates with their issuers, and what of the response is about each.
    certificates: Mutex<Vec<(Fingerprint, Arc<About>)>>,
}

type Fingerprint = [u8; digest::SHA256_OUTPUT_LEN];
type Believed = std::result::Result<Terms, String>;

/// The status of one certificate in a response, without a check of the time.
#[derive(Debug)]
struct About {
    /// The places of the statements about it; at least one.
    said: Vec<usize>,
    believed: Believed,
    /// The beginning of the certificate.
    earliest_unix_s: i64,
}

/// The verified status of one certificate in a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OcspStanding {
    /// It is not revoked.
    Good {
        /// The response's nextUpdate, seconds since 1970 in UTC; none if the responder always has something newer.
        until_unix_s: Option<i64>,
    },
    /// It is revoked; a response that is out of date revokes too.
    Revoked {
        /// The reason.
        reason: Reason,
        /// The time of the revocation, in seconds since 1970 in UTC.
        revoked_unix_s: u32,
    },
    /// The responder does not know, has not answered, or speaks of other certificates; the text says which.
    Unknown(String),
    /// It is out of date.
    Stale,
    /// It is not to be believed: the text says why, as the rest of a sentence about the response.
    Invalid(String),
}

impl OcspResponse {
    /// Reads a DER response; `place` is what messages call it. One that tells an error of the responder is read too.
    ///
    /// # Errors
    /// `OCSP_MALFORMED`; `OCSP_UNUSABLE` for a response that is not a basic one of version 1, brings more than 16
    /// certificates along, or speaks of more than 128.
    pub fn from_der(der: &[u8], place: &str) -> Result<Self> {
        let read = || -> std::result::Result<Self, Unusable> {
            let Envelope { status, basic } = Envelope::read(der)?;
            let data = basic.map(|basic| Data::read(basic.data)).transpose()?;
            let (issuers, certificates) = (Mutex::default(), Mutex::default());
            Ok(Self { der: der.into(), status, data, allowed: Allowed::default(), issuers, certificates })
        };
        read().map_err(|why| match why {
            Unusable::Malformed => Error::new(Code::OcspMalformed, "not the DER of an OCSP response").at(place),
            Unusable::Unsupported(what) => Error::new(Code::OcspUnusable, what).at(place),
        })
    }

    /// The same response, believed or not with a signature of RSA and SHA-1. An attacker that can have the responder
    /// sign chosen bytes may be able to forge others. For responders that know nothing better.
    #[must_use]
    pub fn insecure_accept_sha1(self, accepts: bool) -> Self {
        let allowed = Allowed { sha1: accepts, ..self.allowed };
        self.allow(allowed)
    }

    /// The same response, believed with these deviations of its signature.
    #[must_use]
    pub(crate) fn allow(self, allowed: Allowed) -> Self {
        Self { allowed, issuers: Mutex::default(), certificates: Mutex::default(), ..self }
    }

    /// The DER that it was read from.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The status of the responder.
    pub fn status(&self) -> OcspStatus {
        self.status
    }

    /// The facts of the response.
    pub fn facts(&self) -> OcspFacts {
        let basic = Envelope::read(&self.der).ok().and_then(|envelope| envelope.basic);
        let algorithm = basic.map(|basic| algorithm_text(basic.algorithm.content)).unwrap_or_default();
        let fingerprint = hex(digest::digest(&SHA256, &self.der).as_ref());
        OcspFacts::new(self.status, self.data.as_ref().map(|data| (data, algorithm)), fingerprint)
    }

    /// The nonce that came back, if one did. The sender of the request compares it.
    pub fn nonce(&self) -> Option<&[u8]> {
        self.data.as_ref()?.nonce.as_deref()
    }

    /// The certificates that it covers.
    pub fn cert_ids(&self) -> impl Iterator<Item = &CertId> {
        self.singles().iter().map(|single| &single.id)
    }

    /// Returns true if it has a status of a certificate that `issuer` issued, trusted or not.
    pub fn is_about(&self, certificate: &CertificateDer<'_>, issuer: &CertificateDer<'_>) -> bool {
        match (X509Certificate::from_der(certificate), X509Certificate::from_der(issuer)) {
            (Ok((_, certificate)), Ok((_, issuer))) => self.cert_ids().any(|id| id.is_of(&certificate, &issuer)),
            _ => false,
        }
    }

    /// The time by which a statement about one of its certificates is replaced, in seconds since 1970 in UTC: the
    /// first nextUpdate.
    pub fn next_update_unix_s(&self) -> Option<i64> {
        self.singles().iter().filter_map(|single| single.next_update_unix_s).min()
    }

    /// The time as of which it speaks, in seconds since 1970 in UTC: the last thisUpdate. Of two responses about a
    /// certificate the later one counts.
    pub fn this_update_unix_s(&self) -> Option<i64> {
        self.singles().iter().map(|single| single.this_update_unix_s).max()
    }

    fn singles(&self) -> &[Single] {
        self.data.as_ref().map(|data| data.singles.as_slice()).unwrap_or_default()
    }

    /// Returns the status of a certificate of a verified path. `issuer` is the next certificate of the path.
    ///
    /// It is trusted if the issuer itself signed it, or the owner of a certificate in the response. The issuer must
    /// have issued that certificate with the same key, it must allow to sign responses (id-kp-OCSPSigning), and be
    /// valid at `now`. Its own revocation is not checked, with id-pkix-ocsp-nocheck or without. RFC 6960 section
    /// 4.2.2.2.1 leaves the latter to local policy, and issuers make such certificates valid for days.
    ///
    /// A response that is out of date by `max_stale_s` seconds serves still. Clocks may differ by five minutes. Of
    /// several statements about the certificate the strictest counts.
    pub fn standing(
        &self,
        certificate: &CertificateDer<'_>,
        issuer: &CertificateDer<'_>,
        now_unix_s: i64,
        max_stale_s: i64,
    ) -> OcspStanding {
        let Some(data) = &self.data else {
            return OcspStanding::Unknown(format!("the responder answers {}", self.status.name()));
        };
        let about = match self.about(data, certificate, issuer) {
            Err(why) => return OcspStanding::Unknown(why.to_owned()),
            Ok(about) => about,
        };
        match &about.believed {
            Err(why) => return OcspStanding::Invalid(why.clone()),
            Ok(terms) if !terms.iter().any(|term| term.contains(&now_unix_s)) => {
                return OcspStanding::Invalid("its signer's certificate is not valid now".to_owned());
            }
            Ok(_) => {}
        }
        let said: Vec<&Single> = about.said.iter().filter_map(|at| data.singles.get(*at)).collect();
        let mut criticals =
            said.iter().map(|single| &single.unknown_critical).chain([&data.unknown_critical]).flatten();
        if let Some(identifier) = criticals.next() {
            return OcspStanding::Invalid(format!("it has the critical extension {identifier}"));
        }
        let earliest_unix_s = about.earliest_unix_s;
        Clock { now_unix_s, max_stale_s, earliest_unix_s }.strictest(data.produced_at_unix_s, &said)
    }

    /// The status of a certificate. It is kept, so that the next handshake does not parse the certificates.
    ///
    /// # Errors
    /// The reason why there is no status.
    fn about(
        &self,
        data: &Data,
        certificate: &CertificateDer<'_>,
        issuer: &CertificateDer<'_>,
    ) -> std::result::Result<Arc<About>, &'static str> {
        const NOT_ABOUT_IT: &str = "the response is not about it";
        // Where there are many responses, nearly all of them are about others.
        let is_named = |serial| data.singles.iter().any(|single| single.id.has_serial(serial));
        if !serial_of(certificate).is_ok_and(is_named) {
            return Err(NOT_ABOUT_IT);
        }
        let fingerprint = fingerprint(&[&certificate.len().to_be_bytes(), certificate, issuer]);
        let known = || self.certificates.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, about)) = known().iter().find(|(known, _)| *known == fingerprint) {
            return Ok(Arc::clone(about));
        }
        let read = (X509Certificate::from_der(certificate), X509Certificate::from_der(issuer));
        let (Ok((_, certificate)), Ok((_, issuer))) = read else { return Err("the certificate cannot be read") };
        let is_said = |(at, single): (usize, &Single)| single.id.is_of(&certificate, &issuer).then_some(at);
        let said: Vec<usize> = data.singles.iter().enumerate().filter_map(is_said).collect();
        if said.is_empty() {
            return Err(NOT_ABOUT_IT);
        }
        let earliest_unix_s = certificate.validity().not_before.timestamp();
        let about = Arc::new(About { said, believed: self.terms(data, &issuer), earliest_unix_s });
        let mut known = known();
        known.truncate(MAX_CERTIFICATES - 1);
        known.insert(0, (fingerprint, Arc::clone(&about)));
        Ok(about)
    }

    /// The periods in which its signers for this issuer may be believed; checked once for each issuer.
    fn terms(&self, data: &Data, issuer: &X509Certificate<'_>) -> Believed {
        // Both are DER, so that no other two put together are the same.
        let fingerprint = fingerprint(&[issuer.subject().as_raw(), issuer.public_key().raw]);
        let mut issuers = self.issuers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, terms)) = issuers.iter().find(|(known, _)| *known == fingerprint) {
            return terms.clone();
        }
        let basic = Envelope::read(&self.der).ok().and_then(|envelope| envelope.basic);
        let basic = basic.ok_or_else(|| "it cannot be read".to_owned())?;
        let terms = signer::terms(&basic, &data.responder, issuer, self.allowed);
        issuers.truncate(MAX_ISSUERS - 1);
        issuers.insert(0, (fingerprint, terms.clone()));
        terms
    }
}

/// SHA-256 of parts that follow one another.
fn fingerprint(parts: &[&[u8]]) -> Fingerprint {
    let mut context = digest::Context::new(&SHA256);
    parts.iter().for_each(|part| context.update(part));
    let mut fingerprint = Fingerprint::default();
    fingerprint.copy_from_slice(context.finish().as_ref());
    fingerprint
}

/// The dates that a statement is held against.
struct Clock {
    now_unix_s: i64,
    max_stale_s: i64,
    /// The beginning of the certificate: a responder that spoke of it earlier did not know it.
    earliest_unix_s: i64,
}

impl Clock {
    /// RFC 6960 section 3.2, points 5 and 6. There is at least one statement.
    fn strictest(&self, produced_at_unix_s: i64, said: &[&Single]) -> OcspStanding {
        for single in said {
            if let Status::Revoked { reason, revoked_unix_s } = single.status {
                return OcspStanding::Revoked { reason, revoked_unix_s };
            }
        }
        if said.iter().any(|single| single.status == Status::Unknown) {
            return OcspStanding::Unknown("the responder does not know it".to_owned());
        }
        let latest_unix_s = self.now_unix_s.saturating_add(SKEW_S);
        if produced_at_unix_s > latest_unix_s {
            return OcspStanding::Invalid("it was signed in the future".to_owned());
        }
        if produced_at_unix_s.saturating_add(SKEW_S) < self.earliest_unix_s {
            return OcspStanding::Invalid("it was signed before the certificate became valid".to_owned());
        }
        let mut standing = OcspStanding::Stale;
        for single in said {
            let next_update_unix_s = single.next_update_unix_s;
            let end = next_update_unix_s.unwrap_or_else(|| single.this_update_unix_s.saturating_add(MAX_AGE_S));
            if single.this_update_unix_s > latest_unix_s {
                standing = OcspStanding::Invalid("it is of the future".to_owned());
            } else if next_update_unix_s.is_some_and(|next| next < single.this_update_unix_s) {
                standing = OcspStanding::Invalid("it ends before it begins".to_owned());
            } else if end.saturating_add(self.max_stale_s).saturating_add(SKEW_S) >= self.now_unix_s {
                return OcspStanding::Good { until_unix_s: next_update_unix_s };
            }
        }
        standing
    }
}

/// Every response of a file's content: DER, or PEM with any number of them; `place` is what messages call it.
///
/// # Errors
/// As for [`OcspResponse::from_der`]; `OCSP_MALFORMED` if there is none; `PEM_MALFORMED`.
pub fn ocsp_responses_of(content: &[u8], place: &str) -> Result<Vec<OcspResponse>> {
    let parts = response_parts(content, place)?;
    if parts.is_empty() {
        return Err(Error::new(Code::OcspMalformed, format!("no {OCSP_LABEL} in the PEM file")).at(place));
    }
    parts.iter().map(|part| OcspResponse::from_der(&part.der, &part.place)).collect()
}
