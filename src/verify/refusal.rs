//! How a refusal is told: which code, which certificate of the chain, what was found, what would mend it.
//!
//! Nothing here decides; by the time this file is asked, the certificate is refused.

use rustls::pki_types::{CertificateDer, UnixTime};

use super::signature::RefusedKey;
use super::{Purpose, Switches};
use crate::certificate::describe;
use crate::error::{Code, Error};
use crate::keystore::TrustedCertificate;

/// A peer under judgement.
pub(super) struct Peer<'a> {
    pub(super) chain: &'a [CertificateDer<'a>],
    pub(super) purpose: Purpose,
    pub(super) now: UnixTime,
    pub(super) trusted: &'a [TrustedCertificate],
    pub(super) switches: Switches,
}

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

impl Peer<'_> {
    /// The error for a refusal of webpki's.
    pub(super) fn refuse(&self, error: webpki::Error) -> Error {
        Error::new(code(&error), format!("{error}: {}", self.place(0))).with_source(error)
    }

    /// The error for a key that is too short or too long.
    pub(super) fn refuse_key(&self, key: &RefusedKey<'_>) -> Error {
        key.error(&describe(key.certificate))
    }

    /// Names a certificate of the chain by its position.
    fn place(&self, position: usize) -> String {
        match self.chain.get(position) {
            Some(der) => format!("certificate {} of {} ({})", position + 1, self.chain.len(), describe(der)),
            None => "no certificate".to_owned(),
        }
    }
}
