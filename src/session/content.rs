//! The format of a server's session in a ticket or in the cache: the facts of the client and the state of rustls.
//!
//! Known certificates are replaced by their fingerprints, so that an issuer takes 33 bytes. Every reader here treats
//! its input as hostile, although only this library can have sealed it.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use memchr::memmem;
use rustls::pki_types::CertificateDer;
use zeroize::Zeroizing;

use crate::certificate::KeptChain;
use crate::policy::{version_name, version_number};
use crate::verify::{Authenticated, Deviation, Fingerprint, Peer, PeerVerifier, VerifiedPath, fingerprint};

/// The number of issuers that one configuration knows beside the trusted ones. Further ones are stored complete.
const MAX_ISSUERS: usize = 256;

/// The size of all of them, in bytes.
const MAX_ISSUER_BYTES: usize = 512 * 1024;

/// The first byte of a certificate: complete, or by its fingerprint.
const WHOLE: u8 = 0;
const NAMED: u8 = 1;

/// The oldest version on the wire. Its byte is 0, and each newer one has the next.
const OLDEST: u16 = 0x0301;

/// The size of three times, the number of a connection, the version and the number of certificates.
const FIRST_BYTES: usize = 4 * size_of::<u64>() + 2;

/// The largest size of the rest before the content without certificates, in bytes: counts and positions of 40
/// certificates.
const HEADER_BYTES: usize = 1024;

/// The issuers of verified clients, each kept once for all its tickets.
#[derive(Debug, Default)]
pub(super) struct Issuers(RwLock<Known>);

#[derive(Debug, Default)]
struct Known {
    certificates: HashMap<Fingerprint, CertificateDer<'static>>,
    bytes: usize,
}

impl Issuers {
    /// Keeps a certificate if there is room. Returns true if it is known now.
    fn learn(&self, name: &Fingerprint, certificate: &CertificateDer<'_>) -> bool {
        if self.0.read().unwrap_or_else(PoisonError::into_inner).certificates.contains_key(name) {
            return true;
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let bytes = known.bytes + certificate.len();
        if known.certificates.len() >= MAX_ISSUERS || bytes > MAX_ISSUER_BYTES {
            return false;
        }
        if known.certificates.insert(*name, certificate.clone().into_owned()).is_none() {
            known.bytes = bytes;
        }
        true
    }

    fn find(&self, name: &Fingerprint) -> Option<CertificateDer<'static>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).certificates.get(name).cloned()
    }
}

/// The sealed content of a session.
#[derive(Debug)]
pub(super) struct Content {
    /// The time of this ticket or entry, in seconds since 1970.
    pub(super) made_s: u64,
    pub(super) version: &'static str,
    pub(super) authenticated: Authenticated,
    /// The state of rustls.
    pub(super) plain: Zeroizing<Vec<u8>>,
}

/// The certificates of one session, each once.
#[derive(Default)]
struct Dictionary<'a>(Vec<&'a CertificateDer<'a>>);

impl<'a> Dictionary<'a> {
    /// Encodes the number and positions of these certificates. `None` if a number does not fit into a byte.
    fn positions(&mut self, certificates: &'a [CertificateDer<'a>]) -> Option<Vec<u8>> {
        let mut position = |certificate| {
            let found = self.0.iter().position(|known| *known == certificate);
            found.unwrap_or_else(|| {
                self.0.push(certificate);
                self.0.len() - 1
            })
        };
        let count = u8::try_from(certificates.len()).ok()?;
        let positions = certificates.iter().map(|certificate| u8::try_from(position(certificate)).ok());
        std::iter::once(Some(count)).chain(positions).collect()
    }
}

/// Encodes a session. `None` if the client has more certificates than the format allows.
pub(super) fn encode(
    made_s: u64,
    version: &str,
    authenticated: &Authenticated,
    plain: &[u8],
    (issuers, verifier): (&Issuers, &PeerVerifier),
) -> Option<Zeroizing<Vec<u8>>> {
    let of_peer = authenticated.peer.as_ref().map_or(0, |peer| {
        let certificates = peer.chain.encodings().chain(peer.path.encodings());
        2 * certificates.map(<[u8]>::len).sum::<usize>() + HEADER_BYTES
    });
    // A vector that grows would leave a copy of the secrets.
    let mut encoded = Zeroizing::new(Vec::with_capacity(FIRST_BYTES + plain.len() + of_peer));
    for number in [made_s, authenticated.origin, authenticated.at_s, authenticated.expires_s] {
        encoded.extend(number.to_be_bytes());
    }
    encoded.push(u8::try_from(version_number(version)?.checked_sub(OLDEST)?).ok()?);
    let Some(peer) = &authenticated.peer else {
        encoded.push(0);
        encoded.extend_from_slice(plain);
        return Some(encoded);
    };
    let (of_path, of_chain) = (peer.path.certificates(), peer.chain.certificates());
    let mut dictionary = Dictionary::default();
    let (path, chain) = (dictionary.positions(&of_path)?, dictionary.positions(&of_chain)?);
    encoded.push(u8::try_from(dictionary.0.len()).ok()?);
    for certificate in &dictionary.0 {
        let is_issuer = of_path.iter().skip(1).any(|issuer| issuer == *certificate);
        let name = fingerprint(certificate);
        if verifier.trusted_of(&name).is_some() || is_issuer && issuers.learn(&name, certificate) {
            encoded.push(NAMED);
            encoded.extend(name);
        } else {
            encoded.push(WHOLE);
            encoded.extend((certificate.len() as u32).to_be_bytes());
            encoded.extend_from_slice(certificate);
        }
    }
    encoded.extend(&path);
    encoded.extend(&chain);
    encoded.push(u8::from(peer.is_direct));
    let deviations = Deviation::ALL.iter().enumerate().filter(|(_, deviation)| peer.deviations.contains(**deviation));
    encoded.push(deviations.fold(0, |bits, (at, _)| bits | 1 << at));
    cut(plain, peer, &chain[1..], &mut encoded);
    Some(encoded)
}

/// Appends the content without the certificates of the chain: their number, their positions, and the rest.
fn cut(plain: &[u8], peer: &Peer, chain: &[u8], encoded: &mut Vec<u8>) {
    let mut cuts = Vec::new();
    let mut from = 0;
    for (certificate, position) in peer.chain.encodings().zip(chain) {
        let Some(at) = memmem::find(&plain[from..], certificate) else { break };
        cuts.push((from + at, certificate.len(), *position));
        from += at + certificate.len();
    }
    encoded.push(cuts.len() as u8);
    for (at, _, position) in &cuts {
        encoded.extend((*at as u32).to_be_bytes());
        encoded.push(*position);
    }
    from = 0;
    for (at, length, _) in cuts {
        encoded.extend_from_slice(&plain[from..at]);
        from = at + length;
    }
    encoded.extend_from_slice(&plain[from..]);
}

/// Decodes the result of [`encode`]. `None` for other input, and if a certificate is not known any more.
pub(super) fn decode(bytes: &[u8], (issuers, verifier): (&Issuers, &PeerVerifier)) -> Option<Content> {
    let mut reader = Reader(bytes);
    let (made_s, origin) = (reader.number()?, reader.number()?);
    let (at_s, expires_s) = (reader.number()?, reader.number()?);
    let version = version_name(OLDEST + u16::from(reader.byte()?))?;
    let count = reader.byte()?;
    if count == 0 {
        let authenticated = Authenticated { origin, at_s, expires_s, peer: None };
        return Some(Content { made_s, version, authenticated, plain: Zeroizing::new(reader.0.to_vec()) });
    }
    let known = |name: &Fingerprint| verifier.trusted_of(name).cloned().or_else(|| issuers.find(name));
    let mut dictionary = Vec::with_capacity(usize::from(count));
    for _ in 0..count {
        dictionary.push(match reader.byte()? {
            NAMED => known(reader.take(size_of::<Fingerprint>())?.first_chunk()?)?,
            WHOLE => {
                let length = reader.length()?;
                CertificateDer::from(reader.take(length)?.to_vec())
            }
            _ => return None,
        });
    }
    let (path, chain) = (reader.certificates(&dictionary)?, reader.certificates(&dictionary)?);
    let (is_direct, deviations) = (reader.byte()? != 0, reader.byte()?);
    let deviations = Deviation::ALL.iter().enumerate().filter(|(at, _)| deviations & 1 << at != 0);
    let deviations = deviations.map(|(_, deviation)| *deviation).collect();
    let plain = reader.uncut(&dictionary)?;
    let (path, chain) = (VerifiedPath::new(&path).into(), KeptChain::of(&chain));
    let authenticated =
        Authenticated { origin, at_s, expires_s, peer: Some(Peer { chain, path, is_direct, deviations }) };
    Some(Content { made_s, version, authenticated, plain })
}

/// The unread bytes.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn number(&mut self) -> Option<u64> {
        self.take(size_of::<u64>())?.try_into().ok().map(u64::from_be_bytes)
    }

    fn length(&mut self) -> Option<usize> {
        self.take(size_of::<u32>())?.try_into().ok().map(|bytes| u32::from_be_bytes(bytes) as usize)
    }

    fn certificates(&mut self, dictionary: &[CertificateDer<'static>]) -> Option<Vec<CertificateDer<'static>>> {
        let count = self.byte()?;
        self.take(usize::from(count))?.iter().map(|at| dictionary.get(usize::from(*at)).cloned()).collect()
    }

    /// Puts the certificates back into the content.
    fn uncut(&mut self, dictionary: &[CertificateDer<'static>]) -> Option<Zeroizing<Vec<u8>>> {
        let mut cuts = Vec::new();
        for _ in 0..self.byte()? {
            cuts.push((self.length()?, dictionary.get(usize::from(self.byte()?))?));
        }
        let bytes = self.0.len() + cuts.iter().map(|(_, certificate)| certificate.len()).sum::<usize>();
        let mut plain = Zeroizing::new(Vec::with_capacity(bytes));
        for (at, certificate) in cuts {
            let between = at.checked_sub(plain.len())?;
            plain.extend_from_slice(self.take(between)?);
            plain.extend_from_slice(certificate);
        }
        plain.extend_from_slice(self.0);
        Some(plain)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::verify::Deviations;

    const SECRET: &[u8] = b"what rustls puts into a ticket";

    fn der(byte: u8, bytes: usize) -> CertificateDer<'static> {
        CertificateDer::from(vec![byte; bytes])
    }

    fn verifier() -> PeerVerifier {
        PeerVerifier::new(Vec::new(), Deviations::default()).unwrap()
    }

    /// A client that sent its certificate and an issuer. The path also has a root.
    fn client() -> Authenticated {
        let chain = vec![der(1, 900), der(2, 1200)];
        let path = VerifiedPath::new(&[chain.as_slice(), &[der(3, 1300)]].concat());
        let deviations = [Deviation::CommonName].into_iter().collect();
        let peer = Peer { chain: KeptChain::of(&chain), path: Arc::new(path), is_direct: false, deviations };
        Authenticated { origin: 3, at_s: 10, expires_s: 20, peer: Some(peer) }
    }

    /// The form of rustls: the chain, each certificate with its length, between other data.
    fn plain(client: &Authenticated) -> Vec<u8> {
        let mut plain = SECRET.to_vec();
        for certificate in client.peer.as_ref().unwrap().chain.encodings() {
            plain.extend(&(certificate.len() as u32).to_be_bytes()[1..]);
            plain.extend_from_slice(certificate);
        }
        [plain.as_slice(), SECRET].concat()
    }

    fn encoded(client: &Authenticated, plain: &[u8], issuers: &Issuers) -> Zeroizing<Vec<u8>> {
        encode(5, "TLSv1.3", client, plain, (issuers, &verifier())).unwrap()
    }

    #[test]
    fn content_gives_back_what_was_put_in_and_carries_no_issuer() {
        let (client, issuers) = (client(), Issuers::default());
        let plain = plain(&client);
        let encoded = encoded(&client, &plain, &issuers);
        assert!(encoded.len() < 900 + 300, "{}", encoded.len());
        let read = decode(&encoded, (&issuers, &verifier())).unwrap();
        assert_eq!(read.plain.as_slice(), plain);
        assert_eq!((read.made_s, read.version), (5, "TLSv1.3"));
        assert_eq!((read.authenticated.at_s, read.authenticated.expires_s), (10, 20));
        let (got, put) = (read.authenticated.peer.unwrap(), client.peer.unwrap());
        assert_eq!((got.chain, got.path.fingerprint()), (put.chain, put.path.fingerprint()));
        assert_eq!((got.is_direct, got.deviations), (put.is_direct, put.deviations));
    }

    #[test]
    fn client_without_a_certificate_is_one_again() {
        let issuers = Issuers::default();
        let encoded = encoded(&Authenticated::anonymous(7), SECRET, &issuers);
        let read = decode(&encoded, (&issuers, &verifier())).unwrap();
        assert_eq!(read.plain.as_slice(), SECRET);
        assert!(read.authenticated.peer.is_none());
        assert_eq!((read.authenticated.at_s, read.authenticated.expires_s), (7, u64::MAX));
    }

    #[test]
    fn certificates_are_carried_whole_where_they_do_not_stand_in_the_content_or_there_is_no_room_for_them() {
        let (client, issuers) = (client(), Issuers::default());
        for at in 0..MAX_ISSUERS as u32 {
            let issuer = CertificateDer::from(at.to_be_bytes().to_vec());
            assert!(issuers.learn(&fingerprint(&issuer), &issuer));
        }
        let plain = plain(&client);
        for plain in [SECRET, &plain] {
            let encoded = encoded(&client, plain, &issuers);
            assert!(encoded.len() > 900 + 1200 + 1300);
            assert_eq!(decode(&encoded, (&issuers, &verifier())).unwrap().plain.as_slice(), plain);
        }
        let (large, issuers) = (der(9, MAX_ISSUER_BYTES + 1), Issuers::default());
        assert!(!issuers.learn(&fingerprint(&large), &large));
    }

    #[test]
    fn nothing_is_made_of_more_certificates_than_there_are_numbers_for() {
        let with = |certificates: u32, kinds: u32| {
            let certificate = |at: u32| CertificateDer::from((at % kinds).to_be_bytes().to_vec());
            let chain: Vec<_> = (0..certificates).map(certificate).collect();
            let (path, chain) = (VerifiedPath::new(&chain).into(), KeptChain::of(&chain));
            let peer = Peer { chain, path, is_direct: false, deviations: Deviations::default() };
            Authenticated { origin: 3, at_s: 10, expires_s: 20, peer: Some(peer) }
        };
        let issuers = Issuers::default();
        let made = |client: &Authenticated| encode(5, "TLSv1.2", client, SECRET, (&issuers, &verifier()));
        for (certificates, kinds, is_made) in [(255, 255, true), (256, 256, false), (256, 1, false), (1000, 7, false)] {
            let encoded = made(&with(certificates, kinds));
            assert_eq!(encoded.is_some(), is_made, "{certificates} of {kinds}");
            if let Some(encoded) = encoded {
                let read = decode(&encoded, (&issuers, &verifier())).unwrap();
                assert_eq!(read.authenticated.peer.unwrap().chain.encodings().count(), 255);
                assert_eq!(read.plain.as_slice(), SECRET);
            }
        }
    }

    #[test]
    fn content_of_another_configuration_names_issuers_that_are_not_known() {
        let client = client();
        let encoded = encoded(&client, &plain(&client), &Issuers::default());
        assert!(decode(&encoded, (&Issuers::default(), &verifier())).is_none());
    }

    #[test]
    fn no_other_form_makes_the_reader_fail_otherwise_than_by_reading_nothing() {
        let (client, issuers) = (client(), Issuers::default());
        let encoded = encoded(&client, &plain(&client), &issuers);
        for at in 0..encoded.len() {
            let _ = decode(&encoded[..at], (&issuers, &verifier()));
            for byte in [0, 1, 0x7f, 0xff] {
                let mut altered = encoded.to_vec();
                altered[at] = byte;
                let _ = decode(&altered, (&issuers, &verifier()));
            }
        }
        assert!(decode(&[], (&issuers, &verifier())).is_none());
    }
}
