//! A verified path that outlives its handshake, so that its certificates can be asked about again, and the fingerprints
//! that name certificates. Nothing here decides; a path is only what verification found.

use std::sync::{Arc, OnceLock};

use aws_lc_rs::digest::{Context, Digest, SHA256, SHA256_OUTPUT_LEN, digest};
use rustls::pki_types::CertificateDer;

use crate::certificate::{IssuerTable, KeptChain};
use crate::keystore::TrustedCertificate;

/// SHA-256 of a certificate's encoding, or of a path's.
pub(crate) type Fingerprint = [u8; SHA256_OUTPUT_LEN];

/// The path of an accepted peer, from the end entity to the anchor, or the end entity alone if it is trusted directly.
#[derive(Debug)]
pub(crate) struct VerifiedPath {
    certificates: KeptChain,
    /// The OCSP response that a server sent with its certificate; empty if there is none.
    staple: Box<[u8]>,
    fingerprint: OnceLock<Fingerprint>,
}

impl VerifiedPath {
    pub(crate) fn new(certificates: &[CertificateDer<'_>]) -> Self {
        Self { certificates: KeptChain::of(certificates), staple: Box::default(), fingerprint: OnceLock::new() }
    }

    /// With what came with it: what was known by that alone is known by it again.
    pub(super) fn with_staple(self, staple: &[u8]) -> Self {
        Self { staple: staple.into(), ..self }
    }

    /// The OCSP response that came with it.
    pub(super) fn staple(&self) -> Option<&[u8]> {
        (!self.staple.is_empty()).then_some(&self.staple)
    }

    pub(crate) fn certificates(&self) -> Vec<CertificateDer<'_>> {
        self.certificates.certificates()
    }

    /// The encodings of the certificates.
    pub(crate) fn encodings(&self) -> impl Iterator<Item = &[u8]> {
        self.certificates.encodings()
    }

    /// The same path, which shares its certificates with a chain that is kept and with the others of `table`.
    pub(super) fn sharing(&self, chain: &KeptChain, table: &Arc<IssuerTable>) -> Self {
        Self {
            certificates: self.certificates.sharing(chain, table),
            staple: self.staple.clone(),
            fingerprint: self.fingerprint.clone(),
        }
    }

    /// SHA-256 of the certificates and the staple, one after the other, each with its length.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        *self.fingerprint.get_or_init(|| {
            let mut context = Context::new(&SHA256);
            for part in self.encodings().chain([&*self.staple]) {
                context.update(&(part.len() as u64).to_be_bytes());
                context.update(part);
            }
            fingerprint_of(&context.finish())
        })
    }
}

/// SHA-256 of a certificate's encoding.
pub(crate) fn fingerprint(bytes: &[u8]) -> Fingerprint {
    fingerprint_of(&digest(&SHA256, bytes))
}

fn fingerprint_of(digest: &Digest) -> Fingerprint {
    let mut fingerprint = Fingerprint::default();
    fingerprint.copy_from_slice(digest.as_ref());
    fingerprint
}

/// Finds trusted certificates by their fingerprints: each with its position, sorted.
#[derive(Debug, Default)]
pub(super) struct Fingerprints(Vec<(Fingerprint, usize)>);

impl Fingerprints {
    pub(super) fn of(trusted: &[TrustedCertificate]) -> Self {
        let mut fingerprints: Vec<_> =
            trusted.iter().enumerate().map(|(position, one)| (fingerprint(&one.der), position)).collect();
        fingerprints.sort_unstable();
        Self(fingerprints)
    }

    /// The position of the certificate with this fingerprint.
    pub(super) fn position(&self, wanted: &Fingerprint) -> Option<usize> {
        let found = self.0.binary_search_by(|(fingerprint, _)| fingerprint.cmp(wanted)).ok()?;
        self.0.get(found).map(|(_, position)| *position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusted(der: &[u8]) -> TrustedCertificate {
        TrustedCertificate::new(CertificateDer::from(der.to_vec()), "ca.pem")
    }

    fn path(certificates: &[&[u8]]) -> VerifiedPath {
        VerifiedPath::new(&certificates.iter().map(|der| CertificateDer::from(*der)).collect::<Vec<_>>())
    }

    #[test]
    fn paths_of_other_certificates_or_staples_have_another_fingerprint() {
        let one = path(&[b"leaf", b"root"]);
        assert_eq!(one.fingerprint(), path(&[b"leaf", b"root"]).fingerprint());
        let stapled = path(&[b"leaf", b"root"]).with_staple(b"good");
        for other in [path(&[b"leafr", b"oot"]), path(&[b"leaf"]), path(&[b"root", b"leaf"]), stapled] {
            assert_ne!(one.fingerprint(), other.fingerprint());
        }
    }

    #[test]
    fn trusted_certificates_are_found_by_their_fingerprints_alone() {
        let trust = [trusted(b"one"), trusted(b"root"), trusted(b"self")];
        let fingerprints = Fingerprints::of(&trust);
        for (at, one) in trust.iter().enumerate() {
            assert_eq!(fingerprints.position(&fingerprint(&one.der)), Some(at));
        }
        assert_eq!(fingerprints.position(&fingerprint(b"other")), None);
    }
}
