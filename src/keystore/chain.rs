//! Putting certificates into the order that they are sent in: end entity, its issuer, and so on.
//!
//! Signatures are not verified here; peers do that. Names and key identifiers say who issued whom (RFC 5280 sections
//! 4.1.2.4 and 4.2.1.1).

use std::collections::{HashMap, HashSet};

use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, ParsedExtension, X509Certificate};

use crate::error::{Code, Error, Result};

/// More certificates than this do not go into a chain: real ones have two to five.
const MAX_CHAIN: usize = 32;

/// What says who issued a certificate.
struct Link<'a> {
    subject: &'a [u8],
    issuer: &'a [u8],
    subject_key: Option<&'a [u8]>,
    issuer_key: Option<&'a [u8]>,
}

/// A chain, and what became of the certificates that it was made from.
pub(super) struct Chain {
    /// Positions in what was given, end entity first.
    pub(super) order: Vec<usize>,
    /// The given order was another.
    pub(super) reordered: bool,
    /// Positions of those that issued nobody in the chain.
    pub(super) left_out: Vec<usize>,
}

/// Makes the chain of the certificate at `end_entity`, the first of its like. Of equal certificates the first is taken.
///
/// Where several certificates could have issued one (cross-signed CAs), all are kept: peers find their way by any.
///
/// # Errors
/// `CHAIN_BROKEN` where it has more than 32 certificates; `CERTIFICATE_MALFORMED`.
pub(super) fn order(certificates: &[CertificateDer<'_>], end_entity: usize) -> Result<Chain> {
    let parsed = certificates.iter().map(parse).collect::<Result<Vec<_>>>()?;
    let links = parsed.iter().map(link).collect::<Vec<_>>();
    let mut seen = HashSet::new();
    let unique = (0..links.len()).filter(|index| seen.insert(&certificates[*index])).collect::<Vec<_>>();
    let mut by_subject: HashMap<&[u8], Vec<usize>> = HashMap::new();
    for index in &unique {
        by_subject.entry(links[*index].subject).or_default().push(*index);
    }
    let issuers = |of: usize| {
        let (links, named) = (&links, by_subject.get(links[of].issuer).map(Vec::as_slice).unwrap_or_default());
        named.iter().copied().filter(move |index| links[of].may_be_issued_by(&links[*index]))
    };
    let mut order = vec![end_entity];
    while let Some(issuer) = order.last().and_then(|last| issuers(*last).find(|index| !order.contains(index))) {
        push(&mut order, issuer)?;
    }
    let path_is_in_order = order.is_sorted();
    let mut next = 0;
    while let Some(current) = order.get(next).copied() {
        for issuer in issuers(current) {
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
    let left_out = unique.into_iter().filter(|index| !order.contains(index)).collect();
    Ok(Chain { order, reordered, left_out })
}

fn push(order: &mut Vec<usize>, index: usize) -> Result<()> {
    if order.len() >= MAX_CHAIN {
        let detail = format!("more than {MAX_CHAIN} certificates that issued each other");
        return Err(Error::new(Code::ChainBroken, detail));
    }
    order.push(index);
    Ok(())
}

/// Parses one certificate and nothing after it.
///
/// # Errors
/// `CERTIFICATE_MALFORMED`.
pub(super) fn parse<'a>(der: &'a CertificateDer<'_>) -> Result<X509Certificate<'a>> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        Ok(_) => Err(Error::new(Code::CertificateMalformed, "bytes after its end")),
        Err(error) => Err(Error::new(Code::CertificateMalformed, format!("not X.509 DER ({error})"))),
    }
}

fn link<'a>(certificate: &'a X509Certificate<'_>) -> Link<'a> {
    let mut link = Link {
        subject: certificate.subject().as_raw(),
        issuer: certificate.issuer().as_raw(),
        subject_key: None,
        issuer_key: None,
    };
    for extension in certificate.extensions() {
        match extension.parsed_extension() {
            ParsedExtension::SubjectKeyIdentifier(id) => link.subject_key = Some(id.0),
            ParsedExtension::AuthorityKeyIdentifier(id) => link.issuer_key = id.key_identifier.as_ref().map(|id| id.0),
            _ => {}
        }
    }
    link
}

impl Link<'_> {
    /// Names are known to match: a self-signed certificate ends its chain, and key identifiers must not contradict.
    fn may_be_issued_by(&self, issuer: &Self) -> bool {
        let itself = self.issuer_key.is_none() || self.issuer_key == self.subject_key;
        let self_signed = self.subject == self.issuer && itself;
        let contradicted = matches!((self.issuer_key, issuer.subject_key), (Some(named), Some(own)) if named != own);
        !self_signed && !contradicted
    }
}
