//! Explains a refusal: the code, the certificate of the chain, its fault, and the hint.
//!
//! Nothing here decides; by the time this file is asked, the certificate is refused.

use std::cmp::Ordering;

use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::chain::{Anchors, may_issue};
use super::culprit::{self, Algorithm, End, writes_out_parameters};
use super::deviation::Deviation;
use super::presented::{Presented, Purpose};
use super::signature::{self, RefusedKey, signature_algorithm};
use crate::certificate::matching::same_name;
use crate::certificate::{CertificateFacts, algorithm_text, cut, date_text, describe};
use crate::error::{Code, Error};
use crate::keystore::TrustedCertificate;

/// The row of the table for a refusal of webpki's.
pub(super) fn code(error: &webpki::Error) -> Code {
    use webpki::Error as E;
    #[allow(deprecated)] // webpki still has the variants, so they still are mapped.
    match error {
        E::BadDer
        | E::BadDerTime
        | E::EmptyEkuExtension
        | E::ExtensionValueInvalid
        | E::InvalidCertValidity
        | E::InvalidNetworkMaskConstraint
        | E::InvalidSerialNumber
        | E::MalformedDnsIdentifier
        | E::MalformedExtensions
        | E::MalformedNameConstraint
        | E::SignatureAlgorithmMismatch
        | E::TrailingData(_) => Code::CertMalformed,
        E::CaUsedAsEndEntity => Code::CertCaAsEndEntity,
        E::CertExpired { .. } => Code::CertExpired,
        E::CertNotValidYet { .. } => Code::CertNotYetValid,
        E::CertNotValidForName(_) => Code::CertNameMismatch,
        E::EndEntityUsedAsCa => Code::CertIssuerNotCa,
        E::InvalidSignatureForPublicKey => Code::CertSignatureInvalid,
        E::MaximumNameConstraintComparisonsExceeded
        | E::MaximumPathBuildCallsExceeded
        | E::MaximumPathDepthExceeded
        | E::MaximumSignatureChecksExceeded => Code::CertTooComplex,
        E::NameConstraintViolation => Code::CertNameConstraint,
        E::PathLenConstraintViolated => Code::CertPathLength,
        E::RequiredEkuNotFound | E::RequiredEkuNotFoundContext(_) => Code::CertPurposeMismatch,
        E::UnknownIssuer => Code::CertUnknownIssuer,
        E::UnsupportedCertVersion => Code::CertVersionUnsupported,
        E::UnsupportedCriticalExtension => Code::CertCriticalExtension,
        E::UnsupportedSignatureAlgorithm
        | E::UnsupportedSignatureAlgorithmContext(_)
        | E::UnsupportedSignatureAlgorithmForPublicKey
        | E::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => Code::CertAlgorithmUnsupported,
        _ => Code::CertOther,
    }
}

const NAMED_CURVE: &str =
    "Reissue the certificate with a key of a named curve (openssl genpkey -pkeyopt ec_param_enc:named_curve).";

/// The texts of a refusal.
struct Explanation {
    code: Code,
    detail: String,
    hint: Option<String>,
}

impl Explanation {
    fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), hint: None }
    }

    fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// With a hint that names the deviation that would accept it.
    fn hint_of(self, deviation: Deviation) -> Self {
        let hint = format!("{} To accept {}, allow {}.", self.code.hint(), deviation.meaning(), deviation.name());
        self.hint(hint)
    }
}

/// Explains the refusals of one peer.
pub(super) struct Refusal<'a> {
    pub(super) peer: &'a Presented<'a>,
    pub(super) trusted: &'a [TrustedCertificate],
    pub(super) anchors: &'a Anchors,
}

impl Refusal<'_> {
    /// Returns the error for a refusal of webpki's.
    pub(super) fn of(&self, error: webpki::Error) -> Error {
        let explanation = Reading::new(self).explain(&error);
        let refused = Error::new(explanation.code, explanation.detail).with_source(error);
        match explanation.hint {
            Some(hint) => refused.with_hint(hint),
            None => refused,
        }
    }

    /// Returns the error for a key that is too short or too long.
    pub(super) fn of_key(&self, key: &RefusedKey<'_>) -> Error {
        let position = self.peer.chain.iter().position(|der| der == key.certificate);
        key.error(&position.map_or_else(|| self.trusted_place(key.certificate), |position| self.peer.place(position)))
    }

    /// Returns the error for a key of the end entity that no served signature scheme uses.
    pub(super) fn of_key_algorithm(&self) -> Error {
        if self.peer.key(0).is_some_and(|key| writes_out_parameters(&key)) {
            let detail = format!("the parameters of the key's curve are written out in {}", self.peer.place(0));
            return Error::new(Code::CertAlgorithmUnsupported, detail).with_hint(NAMED_CURVE);
        }
        let key = self.peer.facts(0).map(|facts| facts.key).unwrap_or_default();
        Error::new(Code::CertAlgorithmUnsupported, format!("a key of kind {key} at {}", self.peer.place(0)))
            .with_hint(signature::SERVED_KEYS)
    }

    fn trusted_place(&self, wanted: &CertificateDer<'_>) -> String {
        let place = self.trusted.iter().find(|trusted| trusted.der == *wanted).map(|trusted| trusted.place.as_str());
        format!("the trusted certificate {} ({})", place.unwrap_or_default(), describe(wanted))
    }
}

/// A refused peer's chain, read once.
struct Reading<'a> {
    refusal: &'a Refusal<'a>,
    peer: &'a Presented<'a>,
    /// `None` for what cannot be read.
    chain: Vec<Option<X509Certificate<'a>>>,
}

impl<'a> Reading<'a> {
    fn new(refusal: &'a Refusal<'a>) -> Self {
        let peer = refusal.peer;
        let read =
            |der: &'a CertificateDer<'a>| X509Certificate::from_der(der).ok().map(|(_, certificate)| certificate);
        Self { refusal, peer, chain: peer.chain.iter().map(read).collect() }
    }

    fn get(&self, position: usize) -> Option<&X509Certificate<'a>> {
        self.chain.get(position)?.as_ref()
    }

    fn place(&self, position: usize) -> String {
        self.peer.place(position)
    }

    /// The first certificate from `start` on that `ask` is true of; the end entity if there is none.
    fn find(&self, ask: impl Fn(&X509Certificate<'_>) -> bool, start: usize) -> usize {
        (start..self.chain.len()).find(|position| self.get(*position).is_some_and(&ask)).unwrap_or_default()
    }

    fn is_self_signed(&self, position: usize) -> bool {
        self.issued(position, position)
    }

    fn issued(&self, issuer: usize, subject: usize) -> bool {
        match (self.get(issuer), self.get(subject)) {
            (Some(issuer), Some(subject)) => same_name(issuer.subject().as_raw(), subject.issuer().as_raw()),
            _ => false,
        }
    }

    /// A trusted certificate of this subject, and whether it may vouch for others.
    fn namesake(&self, subject: &[u8]) -> Option<(&'a TrustedCertificate, bool)> {
        let (position, vouches) = self.refusal.anchors.find(subject)?;
        Some((self.refusal.trusted.get(position)?, vouches))
    }

    fn explain(&self, error: &webpki::Error) -> Explanation {
        let code = code(error);
        match code {
            Code::CertExpired => {
                self.explain_date(code, "is valid until", |facts| facts.not_after_unix_s, Ordering::Less)
            }
            Code::CertNotYetValid => {
                self.explain_date(code, "is valid from", |facts| facts.not_before_unix_s, Ordering::Greater)
            }
            Code::CertUnknownIssuer | Code::CertCaAsEndEntity | Code::CertVersionUnsupported
                if self.is_self_signed(0) =>
            {
                self.explain_self_signed()
            }
            Code::CertUnknownIssuer => self.explain_unknown_issuer(),
            Code::CertCaAsEndEntity => Explanation::new(code, self.place(0)).hint_of(Deviation::CaAsEndEntity),
            Code::CertVersionUnsupported => self.explain_version(),
            Code::CertSignatureInvalid => self.explain_signature(),
            Code::CertPurposeMismatch => self.explain_purpose(),
            Code::CertAlgorithmUnsupported => self.explain_algorithm(),
            Code::CertIssuerNotCa => {
                let culprit = self.find(|certificate| !may_issue(certificate), 1);
                Explanation::new(code, self.place(culprit))
            }
            Code::CertTooComplex => {
                Explanation::new(code, format!("{} certificates, of {}", self.chain.len(), self.place(0)))
            }
            Code::CertNameConstraint => self.explain_constraint(),
            Code::CertPathLength => self.explain_path_length(),
            Code::CertCriticalExtension => self.explain_critical_extension(),
            _ => Explanation::new(code, format!("in the chain of {}", self.place(0))),
        }
    }

    fn explain_date(&self, code: Code, says: &str, date: fn(&CertificateFacts) -> i64, wrong: Ordering) -> Explanation {
        let now = i64::try_from(self.peer.now.as_secs()).unwrap_or(i64::MAX);
        let culprits = (0..self.chain.len()).filter_map(|position| Some((position, date(&self.peer.facts(position)?))));
        match culprits.into_iter().find(|(_, date)| date.cmp(&now) == wrong) {
            Some((position, date)) => {
                let detail = format!("{} {says} {}, it is {}", self.place(position), date_text(date), date_text(now));
                Explanation::new(code, detail)
            }
            None => Explanation::new(code, self.place(0)),
        }
    }

    fn explain_self_signed(&self) -> Explanation {
        let explanation = Explanation::new(Code::CertSelfSigned, self.place(0));
        match self.get(0).and_then(|leaf| self.namesake(leaf.subject().as_raw())) {
            Some((other, _)) => explanation.hint(format!(
                "{} has another certificate of this subject; import the peer's current one if it is the right one.",
                other.place
            )),
            None => explanation,
        }
    }

    /// Follows the issuers' names from the end entity to the one that is missing.
    fn explain_unknown_issuer(&self) -> Explanation {
        let mut position = 0;
        let mut seen = vec![position];
        while let Some(next) = (0..self.chain.len()).find(|next| !seen.contains(next) && self.issued(*next, position)) {
            position = next;
            seen.push(position);
        }
        if self.is_self_signed(position) {
            return Explanation::new(Code::CertSelfSignedInChain, self.place(position));
        }
        let namesake = self.get(position).and_then(|certificate| self.namesake(certificate.issuer().as_raw()));
        if let Some((issuer, false)) = namesake {
            let detail =
                format!("{} was issued by {}, which is trusted for itself only", self.place(position), issuer.place);
            return Explanation::new(Code::CertIssuerNotCa, detail).hint(
                "Reissue that certificate with CA:TRUE, or import the peer's own certificate into the trust store.",
            );
        }
        if let Some((issuer, _)) = namesake.filter(|(issuer, _)| !self.peer.purpose.is_among(issuer.peers)) {
            let (place, peers) = (self.place(position), issuer.peers.name());
            let detail = format!("{place} was issued by {}, which is trusted for {peers}", issuer.place);
            return Explanation::new(Code::CertUnknownIssuer, detail);
        }
        let issuer = self.peer.facts(position).map(|facts| facts.issuer.to_string()).unwrap_or_default();
        Explanation::new(
            Code::CertUnknownIssuer,
            format!("\"{}\", the issuer of {}, is not known", cut(&issuer), self.place(position)),
        )
    }

    fn explain_version(&self) -> Explanation {
        let culprit = self.find(|certificate| certificate.version().0 != 2, 0);
        let version = self.peer.facts(culprit).map(|facts| facts.version).unwrap_or_default();
        let explanation =
            Explanation::new(Code::CertVersionUnsupported, format!("version {version} of {}", self.place(culprit)));
        match (culprit, version) {
            (0, 1) if !self.peer.tolerated.contains(Deviation::X509V1) => explanation.hint_of(Deviation::X509V1),
            _ => explanation,
        }
    }

    /// The keys of trusted certificates of this name that may vouch for others.
    fn trusted_keys(&self, name: &[u8]) -> Vec<Vec<u8>> {
        let named = self.refusal.anchors.named(name).filter_map(|(position, _)| self.refusal.trusted.get(position));
        let named = named.filter_map(|trusted| X509Certificate::from_der(&trusted.der).ok());
        named.map(|(_, certificate)| certificate.public_key().raw.to_vec()).collect()
    }

    fn explain_signature(&self) -> Explanation {
        let issuers = self.chain.iter().flatten().map(|certificate| certificate.issuer().as_raw());
        let namesakes: Vec<_> = issuers.filter_map(|issuer| self.namesake(issuer)).collect();
        let trusted = namesakes.iter().map(|(namesake, _)| &namesake.der);
        let mut keys = self.peer.chain.iter().skip(1).chain(trusted);
        if let Some(key) = keys.find_map(|der| signature::refused_key(der, self.peer.tolerated)) {
            let refused = self.refusal.of_key(&key);
            return Explanation::new(refused.code(), refused.detail()).hint(refused.hint());
        }
        let allowed = self.peer.tolerated.allowed();
        match culprit::end(self.peer.chain, &self.chain, |name| self.trusted_keys(name), allowed) {
            End::SelfSigned(position) => self.explain_other_key(position),
            End::Foreign(position) => self.explain_foreign(position),
            End::Unknown => Explanation::new(Code::CertSignatureInvalid, format!("in the chain of {}", self.place(0))),
        }
    }

    /// A self-signed certificate of a trusted one's name, with another key.
    fn explain_other_key(&self, position: usize) -> Explanation {
        let code = if position == 0 { Code::CertSelfSigned } else { Code::CertSelfSignedInChain };
        let explanation = Explanation::new(code, self.place(position));
        match self.get(position).and_then(|certificate| self.namesake(certificate.subject().as_raw())) {
            Some((namesake, _)) => explanation.hint(format!(
                "{} has another certificate of this subject with another key; import the peer's if it is right.",
                namesake.place
            )),
            None => explanation,
        }
    }

    /// A certificate that none of those signed that have its issuer's name.
    fn explain_foreign(&self, position: usize) -> Explanation {
        let issuer = self.get(position).map(|certificate| certificate.issuer().as_raw()).unwrap_or_default();
        let place = self.place(position);
        match self.namesake(issuer) {
            Some((namesake, _)) => Explanation::new(
                Code::CertSignatureInvalid,
                format!("{place} is not signed with the key of {}, which has its issuer's name", namesake.place),
            )
            .hint(format!(
                "{} has the issuer's name; if its key is not the issuer's, import the CA's current certificate.",
                namesake.place
            )),
            None => {
                let detail = format!("{place} is not signed with the key of the certificate of its issuer's name");
                Explanation::new(Code::CertSignatureInvalid, detail)
            }
        }
    }

    /// The trusted certificates that have the name of an issuer in the chain.
    fn trusted_issuers(&self) -> impl Iterator<Item = (&'a TrustedCertificate, X509Certificate<'a>)> {
        let issuers = self.chain.iter().flatten().map(|certificate| certificate.issuer().as_raw());
        let named = issuers.filter_map(|issuer| self.namesake(issuer)).map(|(namesake, _)| namesake);
        named.filter_map(|namesake| Some((namesake, X509Certificate::from_der(&namesake.der).ok()?.1)))
    }

    fn explain_constraint(&self) -> Explanation {
        let Some(leaf) = self.get(0) else { return Explanation::new(Code::CertNameConstraint, self.place(0)) };
        let of = |certificate: &X509Certificate<'_>| {
            culprit::constraint_not_compared(certificate).filter(|kind| culprit::has_name_of(leaf, kind))
        };
        let in_chain =
            (1..self.chain.len()).find_map(|position| Some((self.place(position), of(self.get(position)?)?)));
        let trusted = || {
            self.trusted_issuers()
                .find_map(|(trusted, read)| Some((self.refusal.trusted_place(&trusted.der), of(&read)?)))
        };
        match in_chain.or_else(trusted) {
            Some((place, kind)) => Explanation::new(
                Code::CertConstraintUnsupported,
                format!("{kind}, by {place}, so that {} is not accepted under it", self.place(0)),
            ),
            None => Explanation::new(Code::CertNameConstraint, self.place(0)),
        }
    }

    fn explain_path_length(&self) -> Explanation {
        let limit = |certificate: &X509Certificate<'_>| {
            certificate.basic_constraints().ok()?.and_then(|constraints| constraints.value.path_len_constraint)
        };
        let issuers = |before: usize| {
            let counted = self.peer.chain.iter().take(before).skip(1).filter(|der| !culprit::is_self_issued(der));
            u32::try_from(counted.count()).unwrap_or(u32::MAX)
        };
        let explanation = |place: String, limit: u32, count: u32| {
            let detail = format!("{place} allows {limit} issuers below it, there are {count} above {}", self.place(0));
            Explanation::new(Code::CertPathLength, detail)
        };
        let in_chain = (1..self.chain.len()).find_map(|position| {
            let limit = limit(self.get(position)?).filter(|limit| *limit < issuers(position))?;
            Some(explanation(self.place(position), limit, issuers(position)))
        });
        let all = issuers(self.chain.len());
        let trusted = || {
            self.trusted_issuers().find_map(|(trusted, read)| {
                let limit = limit(&read).filter(|limit| *limit < all)?;
                Some(explanation(self.refusal.trusted_place(&trusted.der), limit, all))
            })
        };
        in_chain.or_else(trusted).unwrap_or_else(|| Explanation::new(Code::CertPathLength, self.place(0)))
    }

    fn explain_critical_extension(&self) -> Explanation {
        let mut found = (0..self.chain.len())
            .filter_map(|position| Some((position, culprit::critical_extension(self.get(position)?)?)));
        match found.next() {
            Some((position, extension)) => {
                Explanation::new(Code::CertCriticalExtension, format!("{extension} of {}", self.place(position)))
            }
            None => Explanation::new(Code::CertCriticalExtension, format!("in the chain of {}", self.place(0))),
        }
    }

    fn explain_purpose(&self) -> Explanation {
        let (role, wanted) = match self.peer.purpose {
            Purpose::Server => ("server", "serverAuth"),
            Purpose::Client => ("client", "clientAuth"),
        };
        let lacks = |certificate: &X509Certificate<'_>| match certificate.extended_key_usage() {
            Ok(Some(usage)) => !match self.peer.purpose {
                Purpose::Server => usage.value.server_auth,
                Purpose::Client => usage.value.client_auth,
            },
            _ => false,
        };
        let culprit = self.find(lacks, 0);
        let has_any = self
            .get(culprit)
            .is_some_and(|certificate| matches!(certificate.extended_key_usage(), Ok(Some(usage)) if usage.value.any));
        let any = if has_any { "; anyExtendedKeyUsage does not count" } else { "" };
        let detail = format!("the extended key usage of {} does not name {wanted}{any}", self.place(culprit));
        Explanation::new(Code::CertPurposeMismatch, detail).hint(match culprit {
            0 => format!("Reissue it with the extended key usage {wanted}, as it belongs to a {role}."),
            _ => format!(
                "Reissue this CA's certificate without an extended key usage, or with {wanted}: it issues to a {role}."
            ),
        })
    }

    fn explain_algorithm(&self) -> Explanation {
        let algorithm_of = |position: usize| Some(signature_algorithm(self.peer.chain.get(position)?).ok()?.to_vec());
        let keys_of = |position: usize| {
            let Some(certificate) = self.get(position) else { return Vec::new() };
            let issuers = self.chain.iter().flatten();
            let issuers = issuers.filter(|issuer| same_name(issuer.subject().as_raw(), certificate.issuer().as_raw()));
            let keys = issuers.map(|issuer| issuer.public_key().raw.to_vec());
            keys.chain(self.trusted_keys(certificate.issuer().as_raw())).collect()
        };
        let name = |position| algorithm_of(position).map(|one| algorithm_text(&one)).unwrap_or_default();
        let explanation = |detail: String| Explanation::new(Code::CertAlgorithmUnsupported, detail);
        match culprit::algorithm(&self.chain, algorithm_of, keys_of) {
            Some(Algorithm::NotServed(position)) => {
                let explanation = explanation(format!("{} is signed with {}", self.place(position), name(position)));
                match name(position).contains("pss") {
                    true => explanation
                        .hint("Reissue it with one of SHA-256, SHA-384 and SHA-512, for the PSS mask (MGF1) too."),
                    false => explanation,
                }
            }
            Some(Algorithm::WrittenOut(position)) => explanation(format!(
                "the parameters of the curve are written out in the key of the issuer of {}",
                self.place(position)
            ))
            .hint(NAMED_CURVE),
            Some(Algorithm::OtherKey(position)) => explanation(format!(
                "{} is signed with {}, which does not go with its issuer's key",
                self.place(position),
                name(position)
            ))
            .hint("Give the certificate of the CA that signed it."),
            None => explanation(format!("in the chain of {}", self.place(0))),
        }
    }
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::ServerName;
    use webpki::{
        DerTypeId, Error as E, InvalidNameContext, KeyUsage, RequiredEkuNotFoundContext,
        UnsupportedSignatureAlgorithmContext, UnsupportedSignatureAlgorithmForPublicKeyContext,
    };

    use super::*;

    /// webpki's refusals that concern certificates, by the code they become.
    #[allow(deprecated)]
    fn certificate_refusals() -> Vec<(Code, Vec<E>)> {
        let time = rustls::pki_types::UnixTime::since_unix_epoch(std::time::Duration::ZERO);
        let expected = ServerName::try_from("localhost").unwrap();
        let for_key = UnsupportedSignatureAlgorithmForPublicKeyContext {
            signature_algorithm_id: vec![],
            public_key_algorithm_id: vec![],
        };
        let unsupported =
            UnsupportedSignatureAlgorithmContext { signature_algorithm_id: vec![], supported_algorithms: vec![] };
        let usage = RequiredEkuNotFoundContext { required: KeyUsage::server_auth(), present: vec![] };
        vec![
            (Code::CertCaAsEndEntity, vec![E::CaUsedAsEndEntity]),
            (Code::CertExpired, vec![E::CertExpired { time, not_after: time }]),
            (Code::CertNotYetValid, vec![E::CertNotValidYet { time, not_before: time }]),
            (Code::CertNameMismatch, vec![E::CertNotValidForName(InvalidNameContext { expected, presented: vec![] })]),
            (Code::CertIssuerNotCa, vec![E::EndEntityUsedAsCa]),
            (Code::CertSignatureInvalid, vec![E::InvalidSignatureForPublicKey]),
            (Code::CertNameConstraint, vec![E::NameConstraintViolation]),
            (Code::CertPathLength, vec![E::PathLenConstraintViolated]),
            (Code::CertPurposeMismatch, vec![E::RequiredEkuNotFound, E::RequiredEkuNotFoundContext(usage)]),
            (Code::CertUnknownIssuer, vec![E::UnknownIssuer]),
            (Code::CertVersionUnsupported, vec![E::UnsupportedCertVersion]),
            (Code::CertCriticalExtension, vec![E::UnsupportedCriticalExtension]),
            (
                Code::CertAlgorithmUnsupported,
                vec![
                    E::UnsupportedSignatureAlgorithm,
                    E::UnsupportedSignatureAlgorithmContext(unsupported),
                    E::UnsupportedSignatureAlgorithmForPublicKey,
                    E::UnsupportedSignatureAlgorithmForPublicKeyContext(for_key),
                ],
            ),
            (
                Code::CertTooComplex,
                vec![
                    E::MaximumNameConstraintComparisonsExceeded,
                    E::MaximumPathBuildCallsExceeded,
                    E::MaximumPathDepthExceeded,
                    E::MaximumSignatureChecksExceeded,
                ],
            ),
            (
                Code::CertMalformed,
                vec![
                    E::BadDer,
                    E::BadDerTime,
                    E::EmptyEkuExtension,
                    E::ExtensionValueInvalid,
                    E::InvalidCertValidity,
                    E::InvalidNetworkMaskConstraint,
                    E::InvalidSerialNumber,
                    E::MalformedDnsIdentifier,
                    E::MalformedExtensions,
                    E::MalformedNameConstraint,
                    E::SignatureAlgorithmMismatch,
                    E::TrailingData(DerTypeId::Certificate),
                ],
            ),
        ]
    }

    /// Those that speak of CRLs and names of other kinds, which webpki is not asked about here, and one for a blocked
    /// key.
    fn other_refusals() -> Vec<E> {
        let time = rustls::pki_types::UnixTime::since_unix_epoch(std::time::Duration::ZERO);
        vec![
            E::CertDistrusted,
            E::CertRevoked,
            E::CrlExpired { time, next_update: time },
            E::InvalidCrlNumber,
            E::InvalidCrlSignatureForPublicKey,
            E::IssuerNotCrlSigner,
            E::UnknownRevocationStatus,
            E::UnsupportedCrlIssuingDistributionPoint,
            E::UnsupportedCrlVersion,
            E::UnsupportedDeltaCrl,
            E::UnsupportedIndirectCrl,
            E::UnsupportedNameType,
            E::UnsupportedRevocationReason,
            E::UnsupportedRevocationReasonsPartitioning,
        ]
    }

    #[test]
    fn every_refusal_of_webpki_becomes_its_code_and_its_text_stays_a_source() {
        let anchors = Anchors::new(&[]).unwrap();
        let chain = [CertificateDer::from(vec![0x30, 0x00])];
        let now = rustls::pki_types::UnixTime::since_unix_epoch(std::time::Duration::ZERO);
        let tolerated = Default::default();
        let peer = Presented { chain: &chain, purpose: Purpose::Server, now, tolerated };
        let refusal = Refusal { peer: &peer, trusted: &[], anchors: &anchors };
        for (expected, errors) in certificate_refusals() {
            for error in errors {
                assert_eq!(code(&error), expected, "{error}");
                assert_eq!(refusal.of(error).code(), expected);
            }
        }
        for error in other_refusals() {
            let refused = refusal.of(error.clone());
            assert_eq!(refused.code(), Code::CertOther, "{error}");
            assert!(!refused.detail().contains(&error.to_string()), "{refused}");
            let source = std::error::Error::source(&refused).map(ToString::to_string);
            assert_eq!(source, Some(error.to_string()));
        }
    }
}
