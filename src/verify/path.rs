//! A verified path that outlives its handshake, so that its certificates can be asked about again, and its form in a
//! ticket. Nothing here decides; a path is only what verification found.

use std::sync::OnceLock;

use aws_lc_rs::digest::{Context, Digest, SHA256, SHA256_OUTPUT_LEN, digest};
use rustls::pki_types::CertificateDer;

use crate::keystore::TrustedCertificate;

/// SHA-256 of a certificate's encoding, or of a path's.
pub(crate) type Fingerprint = [u8; SHA256_OUTPUT_LEN];

/// First byte of what a ticket says of its peer's path.
const NO_CERTIFICATE: u8 = 0;
const PATH: u8 = 1;

/// Bytes of a certificate's length.
const LENGTH_BYTES: usize = 3;

/// The certificates of a peer that was accepted, end entity to anchor; the end entity alone where it is trusted directly.
#[derive(Debug)]
pub(crate) struct VerifiedPath {
    certificates: Vec<CertificateDer<'static>>,
    /// The OCSP response that a server sent with its certificate; empty where there is none.
    staple: Box<[u8]>,
    fingerprint: OnceLock<Fingerprint>,
}

impl VerifiedPath {
    pub(crate) fn new(certificates: Vec<CertificateDer<'static>>) -> Self {
        Self { certificates, staple: Box::default(), fingerprint: OnceLock::new() }
    }

    /// With what came with it: what was known by that alone is known by it again.
    pub(super) fn with_staple(self, staple: &[u8]) -> Self {
        Self { staple: staple.into(), ..self }
    }

    /// The OCSP response that came with it.
    pub(super) fn staple(&self) -> Option<&[u8]> {
        (!self.staple.is_empty()).then_some(&self.staple)
    }

    pub(crate) fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.certificates
    }

    /// SHA-256 of the certificates and the staple, one after the other, each with its length.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        *self.fingerprint.get_or_init(|| {
            let mut context = Context::new(&SHA256);
            for part in self.certificates.iter().map(AsRef::as_ref).chain([&*self.staple]) {
                context.update(&(part.len() as u64).to_be_bytes());
                context.update(part);
            }
            fingerprint_of(&context.finish())
        })
    }

    /// What a ticket says of a peer with this path, or without a certificate. The anchor is named by its fingerprint: it
    /// counts only where it is still trusted.
    pub(crate) fn encode(path: Option<&Self>) -> Vec<u8> {
        let Some((anchor, others)) = path.and_then(|path| path.certificates.split_last()) else {
            return vec![NO_CERTIFICATE];
        };
        let mut encoded = vec![PATH];
        encoded.extend(fingerprint(anchor));
        // Fewer than the most that a peer may send, MAX_CHAIN_LENGTH.
        encoded.push(others.len() as u8);
        for certificate in others {
            // A certificate of a handshake message has less than 2^24 bytes (RFC 8446 section 4.4.2).
            encoded.extend_from_slice(&(certificate.len() as u32).to_be_bytes()[size_of::<u32>() - LENGTH_BYTES..]);
            encoded.extend_from_slice(certificate);
        }
        encoded
    }
}

fn fingerprint(bytes: &[u8]) -> Fingerprint {
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

    fn position(&self, wanted: &[u8]) -> Option<usize> {
        let found = self.0.binary_search_by(|(fingerprint, _)| fingerprint.as_slice().cmp(wanted)).ok()?;
        self.0.get(found).map(|(_, position)| *position)
    }

    /// Reads what [`VerifiedPath::encode`] gave; gives the path, if the peer had one, and the rest of the bytes. Nothing
    /// where they are something else, or where the anchor is not trusted.
    pub(super) fn decode<'a>(
        &self,
        bytes: &'a [u8],
        trusted: &[TrustedCertificate],
    ) -> Option<(Option<VerifiedPath>, &'a [u8])> {
        let (kind, rest) = bytes.split_first()?;
        match *kind {
            NO_CERTIFICATE => return Some((None, rest)),
            PATH => {}
            _ => return None,
        }
        let (anchor, rest) = rest.split_at_checked(SHA256_OUTPUT_LEN)?;
        let (count, mut rest) = rest.split_first()?;
        let mut certificates = Vec::with_capacity(usize::from(*count) + 1);
        for _ in 0..*count {
            let ([high, middle, low], after) = rest.split_first_chunk::<LENGTH_BYTES>()?;
            let (certificate, after) = after.split_at_checked(u32::from_be_bytes([0, *high, *middle, *low]) as usize)?;
            certificates.push(CertificateDer::from(certificate.to_vec()));
            rest = after;
        }
        certificates.push(trusted.get(self.position(anchor)?)?.der.clone());
        Some((Some(VerifiedPath::new(certificates)), rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusted(der: &[u8]) -> TrustedCertificate {
        TrustedCertificate { der: CertificateDer::from(der.to_vec()), place: "ca.pem".to_owned() }
    }

    fn path(certificates: &[&[u8]]) -> VerifiedPath {
        VerifiedPath::new(certificates.iter().map(|der| CertificateDer::from(der.to_vec())).collect())
    }

    impl PartialEq for VerifiedPath {
        fn eq(&self, other: &Self) -> bool {
            self.certificates == other.certificates
        }
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
    fn path_of_a_ticket_is_the_path_that_was_put_in() {
        let trust = [trusted(b"one"), trusted(b"root"), trusted(b"self")];
        let fingerprints = Fingerprints::of(&trust);
        let long = [7; 300];
        for path in [path(&[b"leaf", &long, b"root"]), path(&[b"self"])] {
            let encoded = [VerifiedPath::encode(Some(&path)), b"rest".to_vec()].concat();
            assert_eq!(fingerprints.decode(&encoded, &trust), Some((Some(path), b"rest".as_slice())));
        }
        let encoded = [VerifiedPath::encode(None), b"rest".to_vec()].concat();
        assert_eq!(fingerprints.decode(&encoded, &trust), Some((None, b"rest".as_slice())));
    }

    #[test]
    fn path_to_an_anchor_that_is_not_trusted_any_more_is_none() {
        let encoded = VerifiedPath::encode(Some(&path(&[b"leaf", b"root"])));
        let trust = [trusted(b"other")];
        assert_eq!(Fingerprints::of(&trust).decode(&encoded, &trust), None);
    }

    #[test]
    fn no_cut_and_no_other_form_of_a_path_is_read() {
        let trust = [trusted(b"root")];
        let fingerprints = Fingerprints::of(&trust);
        let encoded = VerifiedPath::encode(Some(&path(&[b"leaf", b"root"])));
        for end in 0..encoded.len() {
            assert_eq!(fingerprints.decode(&encoded[..end], &trust), None, "{end}");
        }
        assert_eq!(fingerprints.decode(&[2], &trust), None);
    }
}
