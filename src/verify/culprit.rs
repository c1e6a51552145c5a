//! The certificate, and the point in it, for which webpki refused a chain: webpki says neither.
//!
//! Nothing here decides; the chain is refused already.

use rustls::pki_types::CertificateDer;
use x509_parser::extensions::X509Extension;
use x509_parser::objects::{oid_registry, oid2sn};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use super::signature::check_issued;
use crate::certificate::matching::same_name;
use crate::signature::{Allowed, KeyParts, Refused, Scheme};

/// The contents of the object identifiers 2.5.29.x of the extensions that webpki understands: keyUsage, subjectAltName,
/// basicConstraints, nameConstraints, cRLDistributionPoints and extKeyUsage.
const UNDERSTOOD: [&[u8]; 6] =
    [&[0x55, 0x1d, 15], &[0x55, 0x1d, 17], &[0x55, 0x1d, 19], &[0x55, 0x1d, 30], &[0x55, 0x1d, 31], &[0x55, 0x1d, 37]];
/// id-ecPublicKey, 1.2.840.10045.2.1, with parameters that are no name but a SEQUENCE.
const EC_PARAMETERS: &[u8] = &[6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 0x30];
/// The most signatures that are checked to tell why one is wrong.
const MAX_SIGNATURES: usize = 16;

/// The name and the object identifier of the first critical extension that is not understood.
pub(super) fn critical_extension(certificate: &X509Certificate<'_>) -> Option<String> {
    let is_foreign =
        |extension: &&X509Extension<'_>| extension.critical && !UNDERSTOOD.contains(&extension.oid.as_bytes());
    let extension = certificate.extensions().iter().find(is_foreign)?;
    let number = extension.oid.to_id_string();
    Some(match oid2sn(&extension.oid, oid_registry()) {
        Ok(name) => format!("{name} ({number})"),
        Err(_) => number,
    })
}

/// A kind of names that a certificate limits, and that webpki does not compare.
pub(super) fn constraint_not_compared(certificate: &X509Certificate<'_>) -> Option<&'static str> {
    let constraints = certificate.name_constraints().ok()??.value;
    let mut subtrees =
        [&constraints.permitted_subtrees, &constraints.excluded_subtrees].into_iter().flatten().flatten();
    subtrees.find_map(|subtree| match subtree.base {
        GeneralName::DNSName(_) | GeneralName::IPAddress(_) => None,
        GeneralName::DirectoryName(_) => Some("directory names"),
        GeneralName::RFC822Name(_) => Some("e-mail addresses"),
        GeneralName::URI(_) => Some("URIs"),
        _ => Some("names of another kind"),
    })
}

/// Returns true if an end entity has a name of the kind that such a constraint is about.
pub(super) fn has_name_of(certificate: &X509Certificate<'_>, kind: &str) -> bool {
    // Every certificate has a subject.
    if kind == "directory names" {
        return true;
    }
    let Ok(Some(names)) = certificate.subject_alternative_name() else { return false };
    names.value.general_names.iter().any(|name| match name {
        GeneralName::RFC822Name(_) => kind == "e-mail addresses",
        GeneralName::URI(_) => kind == "URIs",
        GeneralName::DNSName(_) | GeneralName::IPAddress(_) | GeneralName::DirectoryName(_) => false,
        _ => kind == "names of another kind",
    })
}

/// Returns true if a key's curve is written out in numbers in place of its name (RFC 5480 section 2.1.1).
pub(super) fn writes_out_parameters(key: &[u8]) -> bool {
    KeyParts::of(key).is_ok_and(|key| key.algorithm.starts_with(EC_PARAMETERS))
}

/// The fault of the algorithm of a chain's signatures.
pub(super) enum Algorithm {
    /// The algorithm of this certificate's signature is not served.
    NotServed(usize),
    /// The algorithm of this certificate's signature does not go with its issuer's key.
    OtherKey(usize),
    /// The curve of the key of this certificate's issuer is written out.
    WrittenOut(usize),
}

/// Finds the first certificate with a signature algorithm, or an issuer's key, that is not served. `issuers` gives the
/// keys of those that have its issuer's name.
pub(super) fn algorithm(
    chain: &[Option<X509Certificate<'_>>],
    algorithm_of: impl Fn(usize) -> Option<Vec<u8>>,
    keys_of: impl Fn(usize) -> Vec<Vec<u8>>,
) -> Option<Algorithm> {
    (0..chain.len()).find_map(|position| {
        let Some(scheme) = Scheme::of(&algorithm_of(position)?, Allowed::default()) else {
            return Some(Algorithm::NotServed(position));
        };
        let keys = keys_of(position);
        let goes = |key: &Vec<u8>| KeyParts::of(key).is_ok_and(|key| scheme.goes_with(&key));
        match keys.is_empty() || keys.iter().any(goes) {
            true => None,
            false if keys.iter().any(|key| writes_out_parameters(key)) => Some(Algorithm::WrittenOut(position)),
            false => Some(Algorithm::OtherKey(position)),
        }
    })
}

/// The end of a chain that is followed by its signatures.
pub(super) enum End {
    /// At this certificate, which signed itself.
    SelfSigned(usize),
    /// At this one: none of those that have its issuer's name signed it.
    Foreign(usize),
    /// It does not: every signature is right, or there is too much to look at.
    Unknown,
}

/// Follows a chain by signatures, from the end entity on.
pub(super) fn end(
    ders: &[CertificateDer<'_>],
    chain: &[Option<X509Certificate<'_>>],
    trusted_keys: impl Fn(&[u8]) -> Vec<Vec<u8>>,
    allowed: Allowed,
) -> End {
    let mut left = MAX_SIGNATURES;
    let mut seen = Vec::new();
    let mut position = 0;
    loop {
        seen.push(position);
        let (Some(der), Some(Some(subject))) = (ders.get(position), chain.get(position)) else { return End::Unknown };
        let mut signed = |key: &[u8]| {
            left = left.checked_sub(1)?;
            Some(check_issued(der, key, allowed) != Err(Refused::Wrong))
        };
        let issuer = subject.issuer().as_raw();
        for key in trusted_keys(issuer) {
            match signed(&key) {
                Some(false) => {}
                Some(true) | None => return End::Unknown,
            }
        }
        let mut next = None;
        for (at, certificate) in chain.iter().enumerate() {
            let Some(certificate) = certificate else { continue };
            if seen.contains(&at) || !same_name(certificate.subject().as_raw(), issuer) {
                continue;
            }
            match signed(certificate.public_key().raw) {
                Some(true) => next = Some(at),
                Some(false) => {}
                None => return End::Unknown,
            }
        }
        match next {
            Some(at) => position = at,
            None if same_name(subject.subject().as_raw(), issuer) && signed(subject.public_key().raw) == Some(true) => {
                return End::SelfSigned(position);
            }
            None => return End::Foreign(position),
        }
    }
}

/// Returns true if a certificate can be read, and its name is its issuer's too.
pub(super) fn is_self_issued(der: &CertificateDer<'_>) -> bool {
    X509Certificate::from_der(der)
        .is_ok_and(|(_, certificate)| same_name(certificate.subject().as_raw(), certificate.issuer().as_raw()))
}
