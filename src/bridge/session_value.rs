//! The session of a server as rustls writes it: the version, and the certificates of the client.

use brokertls_legacy_abi::Fields;
use rustls::pki_types::CertificateDer;

/// The facts in a session of a server.
#[derive(PartialEq, Eq)]
pub(super) struct SessionValue<'a> {
    /// The version as on the wire.
    pub(super) version: u16,
    /// The secret. In TLS 1.2, all sessions from one full handshake have the same.
    pub(super) secret: &'a [u8],
    /// The certificates of the client, end entity first; empty if it has shown none.
    pub(super) chain: Vec<CertificateDer<'a>>,
}

impl<'a> SessionValue<'a> {
    /// Reads a session. None for what is none of this release of rustls: no session is kept of it.
    pub(super) fn read(plain: &'a [u8]) -> Option<Self> {
        let mut fields = Fields(plain);
        _ = optional(&mut fields, 1)?;
        let version = fields.number()?;
        _ = fields.number()?;
        let secret = fields.vector(1)?;
        // Whether it is an extended one.
        fields.take(1)?;
        let mut list = Fields(optional(&mut fields, 3)?);
        let mut chain = Vec::new();
        while !list.is_empty() {
            chain.push(CertificateDer::from(list.vector(3)?));
        }
        _ = optional(&mut fields, 1)?;
        // Data of the application, the time of eight bytes, and the offset of the age.
        fields.vector(2)?;
        fields.take(8 + 4)?;
        fields.is_empty().then_some(Self { version, secret, chain })
    }
}

/// A field that a byte of 1 announces; empty for 0.
fn optional<'a>(fields: &mut Fields<'a>, length_bytes: usize) -> Option<&'a [u8]> {
    match fields.take(1)? {
        [0] => Some(&[]),
        [1] => fields.vector(length_bytes),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(chain: &[u8]) -> Vec<u8> {
        let name = [&[1, 6][..], b"broker"].concat();
        let after = [&[1, 4][..], b"mqtt", &[0, 0], &[9; 12]].concat();
        [&name[..], &[3, 4, 0x13, 1, 3, 7, 7, 7, 1], chain, &after].concat()
    }

    #[test]
    fn certificates_and_version_are_read_whole() {
        let plain = session(&[1, 0, 0, 9, 0, 0, 2, 0x30, 0, 0, 0, 1, 5]);
        let read = SessionValue::read(&plain).unwrap();
        assert_eq!((read.version, read.secret), (0x0304, &[7, 7, 7][..]));
        assert_eq!(read.chain, [CertificateDer::from(vec![0x30, 0]), CertificateDer::from(vec![5])]);
        assert_eq!(SessionValue::read(&session(&[0])).unwrap().chain, []);
    }

    #[test]
    fn session_that_is_cut_or_longer_is_none() {
        let plain = session(&[1, 0, 0, 9, 0, 0, 2, 0x30, 0, 0, 0, 1, 5]);
        for end in 0..plain.len() {
            assert!(SessionValue::read(&plain[..end]).is_none(), "{end}");
        }
        assert!(SessionValue::read(&[&plain[..], &[0]].concat()).is_none());
        assert!(SessionValue::read(&session(&[2])).is_none());
    }
}
