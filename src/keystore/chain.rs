//! Putting certificates into the order that they are sent in: end entity, its issuer, and so on.
//!
//! Signatures are not verified here; peers do that. Names and key identifiers say which certificate issued which (RFC
//! 5280 sections 4.1.2.4 and 4.2.1.1).

use std::collections::{HashMap, hash_map};

use rustls::pki_types::CertificateDer;
use rustls::sign::SigningKey;
use x509_parser::prelude::{ParsedExtension, X509Certificate};

use super::signing::PublicHalf;
use crate::certificate::fault;
use crate::certificate::matching::NameKey;
use crate::error::{Code, Error, Result};

/// More certificates than this do not go into a chain: real ones have two to five.
const MAX_CHAIN: usize = 32;

/// The certificates that chains are made from, each once.
///
/// Every look-up goes through an index: a file of 16 MiB holds tens of thousands of certificates and of keys.
#[derive(Debug, Default)]
pub(super) struct Pool {
    certificates: Vec<CertificateDer<'static>>,
    names: Vec<Names>,
    positions: HashMap<CertificateDer<'static>, usize>,
    by_key: HashMap<PublicHalf, usize>,
    by_subject: HashMap<NameKey, Vec<usize>>,
    by_subject_and_key: HashMap<NamedKey, Vec<usize>>,
}

/// A subject and its key identifier.
type NamedKey = (NameKey, Option<Vec<u8>>);

/// The parts of a certificate that name its subject and its issuer.
#[derive(Debug)]
struct Names {
    subject: NameKey,
    issuer: NameKey,
    subject_key: Option<Vec<u8>>,
    issuer_key: Option<Vec<u8>>,
    has_compressed_point: bool,
}

/// A chain, as places in its pool.
pub(super) struct Chain {
    /// End entity first.
    order: Vec<usize>,
    /// The order of the pool was another.
    pub(super) reordered: bool,
}

impl Pool {
    /// # Errors
    /// `CERTIFICATE_MALFORMED`.
    pub(super) fn new(certificates: impl IntoIterator<Item = CertificateDer<'static>>) -> Result<Self> {
        let mut pool = Self::default();
        for certificate in certificates {
            let position = pool.certificates.len();
            match pool.positions.entry(certificate) {
                hash_map::Entry::Occupied(_) => continue,
                hash_map::Entry::Vacant(vacant) => {
                    pool.certificates.push(vacant.key().clone());
                    vacant.insert(position);
                }
            }
            let Some(certificate) = pool.certificates.last() else { continue };
            let (names, public) = Names::new(&fault::parse(certificate)?);
            pool.by_key.entry(public).or_insert(position);
            pool.by_subject.entry(names.subject.clone()).or_default().push(position);
            let named = (names.subject.clone(), names.subject_key.clone());
            pool.by_subject_and_key.entry(named).or_default().push(position);
            pool.names.push(names);
        }
        Ok(pool)
    }

    pub(super) fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.certificates
    }

    /// The chain of this certificate, or itself alone if there is none.
    pub(super) fn chain_of(&self, certificate: &CertificateDer<'static>) -> Vec<CertificateDer<'static>> {
        match self.positions.get(certificate).map(|position| self.chain(*position)) {
            Some(Ok(chain)) => self.certificates_of(&chain).cloned().collect(),
            _ => vec![certificate.clone()],
        }
    }

    /// The chain that Java's PKCS#12 makes: of each issuer's name the first certificate, up to one that names itself.
    pub(super) fn chain_by_names(&self, certificate: &CertificateDer<'static>) -> Vec<CertificateDer<'static>> {
        let mut order: Vec<usize> = self.positions.get(certificate).copied().into_iter().collect();
        while let Some(names) = order.last().and_then(|last| self.names.get(*last)) {
            // One more than a chain may have shows that it is another chain.
            if names.subject == names.issuer || order.len() > MAX_CHAIN {
                break;
            }
            let issuer = self.by_subject.get(&names.issuer).and_then(|named| named.first());
            let Some(issuer) = issuer.filter(|issuer| !order.contains(issuer)) else { break };
            order.push(*issuer);
        }
        order.iter().filter_map(|position| self.certificates.get(*position)).cloned().collect()
    }

    /// The first certificate that the key belongs to.
    ///
    /// # Errors
    /// `KEY_ALGORITHM_UNSUPPORTED` if the key does not contain its public half.
    pub(super) fn certificate_of(&self, key: &dyn SigningKey) -> Result<Option<usize>> {
        Ok(self.certificate_with(&PublicHalf::of_key(key)?))
    }

    /// The first certificate with this public half.
    pub(super) fn certificate_with(&self, half: &PublicHalf) -> Option<usize> {
        self.by_key.get(half).copied()
    }

    /// Tells whether the certificate's public key is a compressed point of a curve.
    pub(super) fn has_compressed_point(&self, position: usize) -> bool {
        self.names.get(position).is_some_and(|names| names.has_compressed_point)
    }

    /// The certificates of a chain, end entity first.
    pub(super) fn certificates_of(&self, chain: &Chain) -> impl Iterator<Item = &CertificateDer<'static>> {
        chain.order.iter().filter_map(|position| self.certificates.get(*position))
    }

    /// Tells whether a program could take another issuer for a certificate of this chain: one of the same name with
    /// another key. Java takes the first of a name. Other programs look at key identifiers, where there are any.
    ///
    /// `halves` keeps the public halves that were read.
    ///
    /// # Errors
    /// `CERTIFICATE_MALFORMED`.
    pub(super) fn confuses(
        &self,
        chain: &[CertificateDer<'static>],
        halves: &mut HashMap<usize, PublicHalf>,
    ) -> Result<bool> {
        let positions: Vec<usize> = chain.iter().filter_map(|der| self.positions.get(der).copied()).collect();
        for names in positions.iter().filter_map(|position| self.names.get(*position)) {
            let named = self.by_subject.get(&names.issuer).map(Vec::as_slice).unwrap_or_default();
            if names.subject == names.issuer || named.len() < 2 {
                continue;
            }
            for position in named {
                if let (hash_map::Entry::Vacant(vacant), Some(der)) =
                    (halves.entry(*position), self.certificates.get(*position))
                {
                    vacant.insert(PublicHalf::new(fault::parse(der)?.public_key()));
                }
            }
            let own: Vec<_> =
                named.iter().filter(|one| positions.contains(one)).filter_map(|one| halves.get(one)).collect();
            let mut numbered = named.iter().enumerate();
            let is_confused = numbered.any(|(number, rival)| {
                let is_own = halves.get(rival).is_some_and(|half| own.contains(&half));
                let key = self.names.get(*rival).and_then(|names| names.subject_key.as_ref());
                let is_told_apart = key.is_some() && names.issuer_key.is_some() && key != names.issuer_key.as_ref();
                !is_own && (number == 0 || !is_told_apart)
            });
            // A chain that ends before its issuer has none to be confused with.
            if is_confused && !own.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The certificates that are not in the chain.
    pub(super) fn left_out(&self, chain: &Chain) -> impl Iterator<Item = &CertificateDer<'static>> {
        let numbered = self.certificates.iter().enumerate();
        numbered.filter(|(position, _)| !chain.order.contains(position)).map(|(_, certificate)| certificate)
    }

    /// The chain of the certificate at `end_entity`.
    ///
    /// If several certificates may have issued one (cross-signed CAs), all are kept: peers can use any of them.
    ///
    /// # Errors
    /// `CHAIN_BROKEN` for more than 32 certificates.
    pub(super) fn chain(&self, end_entity: usize) -> Result<Chain> {
        let mut order = vec![end_entity];
        loop {
            let issuers = order.last().map(|last| self.issuers(*last)).unwrap_or_default();
            let Some(issuer) = issuers.into_iter().find(|index| !order.contains(index)) else { break };
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
        Ok(Chain { order, reordered })
    }

    /// The certificates that may have issued this one, in the order of the pool; of very many, more than a chain may
    /// have.
    ///
    /// A self-signed certificate ends its chain. Key identifiers must not contradict each other.
    fn issuers(&self, of: usize) -> Vec<usize> {
        let Some(names) = self.names.get(of).filter(|names| !names.is_self_signed()) else { return Vec::new() };
        let first =
            |found: Option<&Vec<usize>>| found.into_iter().flatten().copied().take(MAX_CHAIN + 1).collect::<Vec<_>>();
        if names.issuer_key.is_none() {
            return first(self.by_subject.get(&names.issuer));
        }
        let named = |key: Option<Vec<u8>>| first(self.by_subject_and_key.get(&(names.issuer.clone(), key)));
        let mut issuers = [named(names.issuer_key.clone()), named(None)].concat();
        issuers.sort_unstable();
        issuers
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

impl Names {
    fn new(certificate: &X509Certificate<'_>) -> (Self, PublicHalf) {
        let mut names = Self {
            subject: NameKey::new(certificate.subject().as_raw()),
            issuer: NameKey::new(certificate.issuer().as_raw()),
            subject_key: None,
            issuer_key: None,
            has_compressed_point: PublicHalf::is_compressed(certificate.public_key()),
        };
        for extension in certificate.extensions() {
            match extension.parsed_extension() {
                ParsedExtension::SubjectKeyIdentifier(id) => names.subject_key = Some(id.0.to_vec()),
                ParsedExtension::AuthorityKeyIdentifier(id) => {
                    names.issuer_key = id.key_identifier.as_ref().map(|id| id.0.to_vec());
                }
                _ => {}
            }
        }
        (names, PublicHalf::new(certificate.public_key()))
    }

    fn is_self_signed(&self) -> bool {
        self.subject == self.issuer && (self.issuer_key.is_none() || self.issuer_key == self.subject_key)
    }
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::pem::PemObject;

    use super::*;

    #[test]
    fn issuer_is_found_though_its_name_is_of_another_string_type() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/cases/03-issuer-name-other-string-type/");
        let [leaf, ca] =
            ["chain.pem", "trust.pem"].map(|name| CertificateDer::from_pem_file([folder, name].concat()).unwrap());
        let pool = Pool::new([ca.clone(), leaf.clone()]).unwrap();
        assert_eq!(pool.chain_of(&leaf), [leaf, ca]);
    }
}
