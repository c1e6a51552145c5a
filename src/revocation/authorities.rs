//! Keys that may sign the lists of an issuer (RFC 5280 section 6.3.3 (f)): its own of the path, and those of other
//! certificates of the same name. These are trusted, or the peer sent them and a trusted key vouches for them.
//!
//! An authority that changes its key signs one list for the certificates of both.

use std::collections::HashMap;

use rustls::pki_types::CertificateDer;
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::ocsp::is_issuer;
use crate::certificate::matching::NameKey;
use crate::keystore::TrustedCertificate;
use crate::signature::Allowed;

/// The most certificates of the chain outside its path that are looked at for each issuer. A peer chooses them, and
/// each costs the check of its signature.
const MAX_OTHERS: usize = 4;
/// The most trusted certificates of a name that are asked whether they vouch for one of those.
const MAX_VOUCHERS: usize = 4;

/// The trusted certificates that may issue others, by their names.
#[derive(Debug, Default)]
pub(crate) struct Authorities {
    of_name: HashMap<NameKey, Vec<Authority>>,
}

/// A trusted certificate.
#[derive(Debug)]
pub(crate) struct Authority {
    der: CertificateDer<'static>,
    key: Box<[u8]>,
    key_id: Option<Box<[u8]>>,
    signs_lists: bool,
}

/// A key that lists may be signed with.
#[derive(Clone, Debug)]
pub(crate) struct Signer<'a> {
    /// The SubjectPublicKeyInfo.
    pub(crate) key: &'a [u8],
    /// The identifier that the certificate gives it.
    pub(crate) key_id: Option<Box<[u8]>>,
}

/// The keys that lists of one name may be signed with, the issuer's own first.
#[derive(Clone, Debug)]
pub(crate) struct Signers<'a> {
    pub(crate) keys: Vec<Signer<'a>>,
    pub(crate) allowed: Allowed,
}

/// A path, and what else the peer sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Surroundings<'a> {
    /// The path after the issuer.
    pub(crate) above: &'a [CertificateDer<'a>],
    /// All that the peer sent; empty if that is not known any more.
    pub(crate) chain: &'a [CertificateDer<'a>],
    pub(crate) now_unix_s: i64,
}

impl Authorities {
    /// Those of the trusted certificates.
    pub(crate) fn new(trusted: &[TrustedCertificate]) -> Self {
        let mut this = Self::default();
        for trusted in trusted {
            let Ok((_, certificate)) = X509Certificate::from_der(&trusted.der) else { continue };
            // A certificate of version 1 cannot say that it is one of an authority.
            if !certificate.is_ca() && certificate.version().0 > 0 {
                continue;
            }
            let authority = Authority {
                der: trusted.der.clone(),
                key: certificate.public_key().raw.into(),
                key_id: key_id(&certificate),
                signs_lists: may_sign_lists(&certificate),
            };
            this.of_name.entry(NameKey::new(certificate.subject().as_raw())).or_default().push(authority);
        }
        this
    }

    /// Those of this name.
    pub(crate) fn of(&self, name: &NameKey) -> &[Authority] {
        self.of_name.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// The signers of the lists of `issuer`, the next certificate of the path: its own key first, each key once.
    pub(crate) fn signers<'a>(
        &'a self,
        issuer: (&'a CertificateDer<'a>, &X509Certificate<'a>),
        name: &NameKey,
        around: Surroundings<'a>,
    ) -> Vec<Signer<'a>> {
        let (issuer_der, issuer) = issuer;
        let mut signers = Vec::new();
        let mut push = |signer: Signer<'a>| {
            if !signers.iter().any(|known: &Signer<'_>| known.key == signer.key) {
                signers.push(signer);
            }
        };
        if may_sign_lists(issuer) {
            push(Signer::of(issuer));
        }
        let is_of_name = |certificate: &X509Certificate<'_>| NameKey::new(certificate.subject().as_raw()) == *name;
        for der in around.above {
            let Ok((_, certificate)) = X509Certificate::from_der(der) else { continue };
            if may_sign_lists(&certificate) && is_of_name(&certificate) {
                push(Signer::of(&certificate));
            }
        }
        self.of(name).iter().filter(|trusted| trusted.signs_lists).for_each(|trusted| push(trusted.signer()));
        let is_of_path = |der: &CertificateDer<'_>| der == issuer_der || around.above.contains(der);
        let others = around.chain.iter().filter(|der| !is_of_path(der));
        let read = |der: &'a CertificateDer<'a>| Some((der, X509Certificate::from_der(der).ok()?.1));
        let others = others.filter_map(read).filter(|(_, other)| {
            let validity = other.validity();
            let (first, last) = (validity.not_before.timestamp(), validity.not_after.timestamp());
            let is_valid = (first..=last).contains(&around.now_unix_s);
            is_valid && other.is_ca() && may_sign_lists(other) && is_of_name(other)
        });
        for (der, other) in others.take(MAX_OTHERS) {
            let of_path = || std::iter::once(issuer_der).chain(around.above);
            // A trusted one of another name would be another anchor than that of the path.
            let voucher = NameKey::new(other.issuer().as_raw());
            let is_in_path = of_path().any(|der| is_of(der, &voucher));
            let trusted = self.of(&voucher).iter().take(if is_in_path { MAX_VOUCHERS } else { 0 });
            if of_path().take(2).chain(trusted.map(|trusted| &trusted.der)).any(|voucher| is_issuer(der, voucher)) {
                push(Signer::of(&other));
            }
        }
        signers
    }
}

impl Authority {
    pub(crate) fn signer(&self) -> Signer<'_> {
        Signer { key: &self.key, key_id: self.key_id.clone() }
    }

    /// Returns true if its key usage allows it to sign lists.
    pub(crate) fn signs_lists(&self) -> bool {
        self.signs_lists
    }
}

impl<'a> Signer<'a> {
    fn of(certificate: &X509Certificate<'a>) -> Self {
        Self { key: certificate.tbs_certificate.subject_pki.raw, key_id: key_id(certificate) }
    }
}

/// Returns true if a certificate has this name.
fn is_of(certificate: &CertificateDer<'_>, name: &NameKey) -> bool {
    X509Certificate::from_der(certificate).is_ok_and(|(_, read)| NameKey::new(read.subject().as_raw()) == *name)
}

fn key_id(certificate: &X509Certificate<'_>) -> Option<Box<[u8]>> {
    certificate.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectKeyIdentifier(identifier) => Some(identifier.0.into()),
        _ => None,
    })
}

/// RFC 5280 section 6.3.3 (f).
fn may_sign_lists(issuer: &X509Certificate<'_>) -> bool {
    match issuer.key_usage() {
        Ok(Some(usage)) => usage.value.crl_sign(),
        Ok(None) => true,
        Err(_) => false,
    }
}
