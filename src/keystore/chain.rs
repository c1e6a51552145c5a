//! Putting certificates into the order that they are sent in: end entity, its issuer, and so on.
//!
//! Signatures are not verified here; peers do that. Names and key identifiers say who issued whom (RFC 5280 sections
//! 4.1.2.4 and 4.2.1.1).

use std::collections::{HashMap, HashSet};

use rustls::pki_types::CertificateDer;
use rustls::sign::SigningKey;
use x509_parser::prelude::{ParsedExtension, X509Certificate};

use super::signing::PublicHalf;
use crate::certificate::fault;
use crate::error::{Code, Error, Result};

/// More certificates than this do not go into a chain: real ones have two to five.
const MAX_CHAIN: usize = 32;

/// The certificates that chains are made from, each once.
#[derive(Debug, Default)]
pub(super) struct Pool {
    certificates: Vec<CertificateDer<'static>>,
    links: Vec<Link>,
    by_subject: HashMap<Vec<u8>, Vec<usize>>,
}

/// What says who issued a certificate, and whose it is.
#[derive(Debug)]
struct Link {
    subject: Vec<u8>,
    issuer: Vec<u8>,
    subject_key: Option<Vec<u8>>,
    issuer_key: Option<Vec<u8>>,
    public: PublicHalf,
}

/// A chain, and what became of the certificates that it was made from.
pub(super) struct Chain {
    /// End entity first.
    pub(super) certificates: Vec<CertificateDer<'static>>,
    /// The order of the pool was another.
    pub(super) reordered: bool,
    /// Those that issued nobody in the chain.
    pub(super) left_out: Vec<CertificateDer<'static>>,
}

impl Pool {
    /// # Errors
    /// `CERTIFICATE_MALFORMED`.
    pub(super) fn new(certificates: impl IntoIterator<Item = CertificateDer<'static>>) -> Result<Self> {
        let (mut pool, mut seen) = (Self::default(), HashSet::new());
        for certificate in certificates {
            if !seen.insert(certificate.clone()) {
                continue;
            }
            let link = Link::new(&fault::parse(&certificate)?);
            pool.by_subject.entry(link.subject.clone()).or_default().push(pool.links.len());
            pool.links.push(link);
            pool.certificates.push(certificate);
        }
        Ok(pool)
    }

    pub(super) fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.certificates
    }

    /// The chain of this certificate; itself alone where that cannot be made.
    pub(super) fn chain_of(&self, certificate: &CertificateDer<'static>) -> Vec<CertificateDer<'static>> {
        let chain = self.certificates.iter().position(|other| other == certificate).map(|index| self.chain(index));
        match chain {
            Some(Ok(chain)) => chain.certificates,
            _ => vec![certificate.clone()],
        }
    }

    /// The first certificate that the key belongs to.
    ///
    /// # Errors
    /// `KEY_ALGORITHM_UNSUPPORTED` where the key does not tell its public half.
    pub(super) fn certificate_of(&self, key: &dyn SigningKey) -> Result<Option<usize>> {
        let public = PublicHalf::of_key(key)?;
        Ok(self.links.iter().position(|link| link.public == public))
    }

    /// The chain of the certificate at `end_entity`.
    ///
    /// Where several certificates could have issued one (cross-signed CAs), all are kept: peers find their way by any.
    ///
    /// # Errors
    /// `CHAIN_BROKEN` where it has more than 32 certificates.
    pub(super) fn chain(&self, end_entity: usize) -> Result<Chain> {
        let mut order = vec![end_entity];
        while let Some(issuer) = order.last().and_then(|last| self.issuers(*last).find(|index| !order.contains(index)))
        {
            push(&mut order, issuer)?;
        }
        let path_is_in_order = order.is_sorted();
        let mut next = 0;
        while let Some(current) = order.get(next).copied() {
            for issuer in self.issuers(current) {
                if !order.contains(&issuer) {
                    push(&mut order, issuer)?;
                }
            }
            next += 1;
        }
        let reordered = !path_is_in_order || order.iter().min() != Some(&end_entity);
        if !reordered {
            order.sort_unstable();
        }
        let left_out = (0..self.certificates.len()).filter(|index| !order.contains(index));
        let pick = |index: usize| self.certificates.get(index).cloned();
        Ok(Chain {
            left_out: left_out.filter_map(pick).collect(),
            certificates: order.into_iter().filter_map(pick).collect(),
            reordered,
        })
    }

    fn issuers(&self, of: usize) -> impl Iterator<Item = usize> {
        let link = self.links.get(of);
        let named = link.and_then(|link| self.by_subject.get(&link.issuer)).map(Vec::as_slice).unwrap_or_default();
        named.iter().copied().filter(move |index| {
            matches!((link, self.links.get(*index)), (Some(link), Some(issuer)) if link.may_be_issued_by(issuer))
        })
    }
}

fn push(order: &mut Vec<usize>, index: usize) -> Result<()> {
    if order.len() >= MAX_CHAIN {
        let detail = format!("more than {MAX_CHAIN} certificates that issued each other");
        return Err(Error::new(Code::ChainBroken, detail));
    }
    order.push(index);
    Ok(())
}

impl Link {
    fn new(certificate: &X509Certificate<'_>) -> Self {
        let mut link = Self {
            subject: certificate.subject().as_raw().to_vec(),
            issuer: certificate.issuer().as_raw().to_vec(),
            subject_key: None,
            issuer_key: None,
            public: PublicHalf::new(certificate.public_key()),
        };
        for extension in certificate.extensions() {
            match extension.parsed_extension() {
                ParsedExtension::SubjectKeyIdentifier(id) => link.subject_key = Some(id.0.to_vec()),
                ParsedExtension::AuthorityKeyIdentifier(id) => {
                    link.issuer_key = id.key_identifier.as_ref().map(|id| id.0.to_vec());
                }
                _ => {}
            }
        }
        link
    }

    /// Names are known to match: a self-signed certificate ends its chain, and key identifiers must not contradict.
    fn may_be_issued_by(&self, issuer: &Self) -> bool {
        let itself = self.issuer_key.is_none() || self.issuer_key == self.subject_key;
        let self_signed = self.subject == self.issuer && itself;
        let contradicted = matches!((&self.issuer_key, &issuer.subject_key), (Some(named), Some(own)) if named != own);
        !self_signed && !contradicted
    }
}
