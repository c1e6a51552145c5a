//! The facts of a client in a session of the second engine, beside those that every session has.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use rustls::pki_types::CertificateDer;
use zeroize::Zeroizing;

use super::answers::AnswersClient;
use super::psk::{MARK_BYTES, Mark};

/// The longest secret that OpenSSL takes, in bytes.
const MAX_SECRET_BYTES: usize = 512;

/// The facts that a resumed connection has from the one before.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Resumed {
    /// The version as on the wire.
    pub(super) version: u16,
    pub(super) server_name: Option<Box<str>>,
    /// The identity of a pre-shared key, and the mark of its secret.
    pub(super) identity: Option<(Box<[u8]>, Mark)>,
    pub(super) chain: Vec<CertificateDer<'static>>,
}

impl Resumed {
    /// Returns true if the identity has the same secret still, or if there is none.
    pub(super) fn has_secret(&self, server: &dyn AnswersClient) -> bool {
        let Some((identity, mark)) = &self.identity else { return true };
        let mut room = Zeroizing::new([0; MAX_SECRET_BYTES]);
        let given = server.secret(identity, &mut *room);
        given.is_ok_and(|given| given.is_known && verify_slices_are_equal(&given.mark, mark).is_ok())
    }

    /// The version, and each field after its length in four bytes. None of a name or an identity is a length of all
    /// ones.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut encoded = self.version.to_be_bytes().to_vec();
        let identity = self.identity.as_ref().map(|(identity, mark)| [mark, &**identity].concat());
        let fields = [self.server_name.as_deref().map(str::as_bytes), identity.as_deref()].into_iter();
        for field in fields.chain(self.chain.iter().map(|der| Some(der.as_ref()))) {
            let length = field.map_or(u32::MAX, |field| u32::try_from(field.len()).unwrap_or(u32::MAX));
            encoded.extend(length.to_be_bytes());
            encoded.extend_from_slice(field.unwrap_or_default());
        }
        encoded
    }

    /// Reads the result of [`Resumed::encode`]. None for other input.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (version, mut rest) = bytes.split_first_chunk::<2>()?;
        let server_name = match next(&mut rest)? {
            Some(name) => Some(Box::from(std::str::from_utf8(name).ok()?)),
            None => None,
        };
        let identity = match next(&mut rest)? {
            Some(field) => {
                let (mark, identity) = field.split_first_chunk::<MARK_BYTES>()?;
                Some((Box::from(identity), *mark))
            }
            None => None,
        };
        let mut chain = Vec::new();
        while !rest.is_empty() {
            chain.push(CertificateDer::from(next(&mut rest)??.to_vec()));
        }
        Some(Self { version: u16::from_be_bytes(*version), server_name, identity, chain })
    }
}

/// Takes the next field from the front.
#[allow(clippy::option_option, reason = "a field that cannot be read, and one that is absent")]
fn next<'a>(rest: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    let (length, content) = rest.split_first_chunk::<4>()?;
    let length = u32::from_be_bytes(*length);
    if length == u32::MAX {
        *rest = content;
        return Some(None);
    }
    let (field, after) = content.split_at_checked(usize::try_from(length).ok()?)?;
    *rest = after;
    Some(Some(field))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_of_a_session_read_as_they_were_written_and_cut_ones_do_not() {
        let chain = vec![CertificateDer::from(vec![1, 2, 3]), CertificateDer::from(vec![4])];
        for (name, identity, chain) in [
            (Some("broker"), None, chain),
            (None, Some(&b"device"[..]), Vec::new()),
            (Some(""), Some(&b""[..]), Vec::new()),
            (None, None, Vec::new()),
        ] {
            let whole = chain.len();
            let (server_name, identity) = (name.map(Box::from), identity.map(|one| (Box::from(one), [7; MARK_BYTES])));
            let written = Resumed { version: 0x0301, server_name, identity, chain };
            let encoded = written.encode();
            assert_eq!(Resumed::decode(&encoded), Some(written));
            for length in 0..encoded.len() {
                // Only at the end of a certificate, which no sealed content has.
                let cut = Resumed::decode(&encoded[..length]);
                assert!(cut.is_none_or(|cut| cut.chain.len() < whole), "{length}");
            }
        }
    }
}
