//! A verified path that outlives its handshake, so that its certificates can be asked about again, and its form in a
//! ticket. Nothing here decides; a path is only what verification found.

use std::ops::Range;
use std::sync::OnceLock;

use aws_lc_rs::digest::{Context, Digest, SHA256, SHA256_OUTPUT_LEN, digest};
use memchr::memmem;
use rustls::pki_types::CertificateDer;

use crate::keystore::TrustedCertificate;

/// SHA-256 of a certificate's encoding, or of a path's.
pub(crate) type Fingerprint = [u8; SHA256_OUTPUT_LEN];

/// First byte of what a ticket says of its peer's path.
const NO_CERTIFICATE: u8 = 0;
const PATH: u8 = 1;

/// In place of where a certificate stands in the content: it does not, and follows.
const APART: u32 = u32::MAX;

/// Bytes of a length, and of a place.
const NUMBER_BYTES: usize = size_of::<u32>();

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

    /// What a ticket with this content says of a peer with this path, or without a certificate. The anchor is named by its
    /// fingerprint: it counts only where it is still trusted. The others mostly stand in the content already, as the
    /// chain that the peer sent, and are named by where.
    pub(crate) fn encode(path: Option<&Self>, content: &[u8]) -> Vec<u8> {
        let Some((anchor, others)) = path.and_then(|path| path.certificates.split_last()) else {
            return vec![NO_CERTIFICATE];
        };
        let mut encoded = vec![PATH];
        encoded.extend(fingerprint(anchor));
        // Fewer than the most that a peer may send, MAX_CHAIN_LENGTH; and each came in a message of less than 2^24 bytes.
        encoded.push(others.len() as u8);
        for certificate in others {
            let place = memmem::find(content, certificate).and_then(|place| u32::try_from(place).ok()).unwrap_or(APART);
            encoded.extend((certificate.len() as u32).to_be_bytes());
            encoded.extend(place.to_be_bytes());
            if place == APART {
                encoded.extend_from_slice(certificate);
            }
        }
        encoded
    }
}

/// Where a ticket has a certificate.
enum Place<'a> {
    Apart(&'a [u8]),
    Content(Range<usize>),
}

impl<'a> Place<'a> {
    fn read(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (length, rest) = bytes.split_first_chunk::<NUMBER_BYTES>()?;
        let (start, rest) = rest.split_first_chunk::<NUMBER_BYTES>()?;
        let (length, start) = (u32::from_be_bytes(*length) as usize, u32::from_be_bytes(*start));
        if start == APART {
            let (certificate, rest) = rest.split_at_checked(length)?;
            return Some((Self::Apart(certificate), rest));
        }
        let start = start as usize;
        Some((Self::Content(start..start.checked_add(length)?), rest))
    }

    fn certificate(self, content: &[u8]) -> Option<CertificateDer<'static>> {
        let certificate = match self {
            Self::Apart(certificate) => certificate,
            Self::Content(range) => content.get(range)?,
        };
        Some(CertificateDer::from(certificate.to_vec()))
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

    /// Reads what [`VerifiedPath::encode`] gave, and the content after it; gives the path, if the peer had one, and the
    /// content. Nothing where they are something else, or where the anchor is not trusted.
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
        let (count, mut content) = rest.split_first()?;
        let mut places = Vec::with_capacity(usize::from(*count));
        for _ in 0..*count {
            let (place, rest) = Place::read(content)?;
            places.push(place);
            content = rest;
        }
        let others = places.into_iter().map(|place| place.certificate(content));
        let mut certificates = others.collect::<Option<Vec<_>>>()?;
        certificates.push(trusted.get(self.position(anchor)?)?.der.clone());
        Some((Some(VerifiedPath::new(certificates)), content))
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

    /// The form of a path before this content.
    fn ticket(path: Option<&VerifiedPath>, content: &[u8]) -> Vec<u8> {
        [VerifiedPath::encode(path, content), content.to_vec()].concat()
    }

    #[test]
    fn path_of_a_ticket_is_the_path_that_was_put_in() {
        let trust = [trusted(b"one"), trusted(b"root"), trusted(b"self")];
        let fingerprints = Fingerprints::of(&trust);
        let long = [7; 300];
        for content in [b"rest".to_vec(), [b"rest leaf", long.as_slice(), b"rest"].concat()] {
            for path in [path(&[b"leaf", &long, b"root"]), path(&[b"self"])] {
                let ticket = ticket(Some(&path), &content);
                assert_eq!(fingerprints.decode(&ticket, &trust), Some((Some(path), content.as_slice())));
            }
            assert_eq!(fingerprints.decode(&ticket(None, &content), &trust), Some((None, content.as_slice())));
        }
    }

    #[test]
    fn certificates_that_the_content_has_are_not_put_in_twice() {
        let long = [7; 3000];
        let path = path(&[&long, b"root"]);
        assert!(VerifiedPath::encode(Some(&path), &[b"more", long.as_slice()].concat()).len() < 100);
        assert!(VerifiedPath::encode(Some(&path), b"less").len() > long.len());
    }

    #[test]
    fn path_to_an_anchor_that_is_not_trusted_any_more_is_none() {
        let encoded = VerifiedPath::encode(Some(&path(&[b"leaf", b"root"])), b"");
        let trust = [trusted(b"other")];
        assert_eq!(Fingerprints::of(&trust).decode(&encoded, &trust), None);
    }

    #[test]
    fn no_cut_and_no_other_form_of_a_path_is_read() {
        let trust = [trusted(b"root")];
        let fingerprints = Fingerprints::of(&trust);
        for content in [b"".as_slice(), b"leaf"] {
            let ticket = ticket(Some(&path(&[b"leaf", b"root"])), content);
            for end in 0..ticket.len() {
                assert_eq!(fingerprints.decode(&ticket[..end], &trust), None, "{end}");
            }
        }
        assert_eq!(fingerprints.decode(&[2], &trust), None);
        // A place beyond any content.
        let mut ticket = ticket(Some(&path(&[b"leaf", b"root"])), b"leaf");
        let place = 1 + SHA256_OUTPUT_LEN + 1 + NUMBER_BYTES;
        for byte in [0, 0xfe] {
            ticket[place] = byte;
            ticket[place + 3] = 0xff;
            assert_eq!(fingerprints.decode(&ticket, &trust), None);
        }
    }
}
