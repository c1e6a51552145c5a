//! The certificates that a peer presents, and what they are verified for.

use rustls::pki_types::{CertificateDer, UnixTime};
use webpki::KeyUsage;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::deviation::Deviations;
use crate::certificate::{CertificateFacts, describe};
use crate::keystore::TrustedPeers;

/// The role of the verified peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// The peer is a server: an extended key usage, if there is one, must name `serverAuth`.
    Server,
    /// The peer is a client: an extended key usage, if there is one, must name `clientAuth`.
    Client,
}

impl Purpose {
    /// Tells whether a certificate that is trusted for these peers is trusted for one of this role.
    pub(super) fn is_among(self, peers: TrustedPeers) -> bool {
        match peers {
            TrustedPeers::All => true,
            TrustedPeers::Servers => self == Self::Server,
            TrustedPeers::Clients => self == Self::Client,
        }
    }
}

/// Returns what an extended key usage must name, if there is one.
pub(super) fn usage(purpose: Purpose) -> KeyUsage {
    match purpose {
        Purpose::Server => KeyUsage::server_auth(),
        Purpose::Client => KeyUsage::client_auth(),
    }
}

/// A peer's certificates with the conditions that they are verified under.
pub(super) struct Presented<'a> {
    /// As the peer sent them, end entity first.
    pub(super) chain: &'a [CertificateDer<'a>],
    pub(super) purpose: Purpose,
    pub(super) now: UnixTime,
    pub(super) tolerated: Deviations,
}

impl Presented<'_> {
    /// Names a certificate of the chain by its position.
    pub(super) fn place(&self, position: usize) -> String {
        match self.chain.get(position) {
            Some(der) => format!("certificate {} of {} ({})", position + 1, self.chain.len(), describe(der)),
            None => "no certificate".to_owned(),
        }
    }

    /// Returns the SubjectPublicKeyInfo of a certificate of the chain.
    pub(super) fn key(&self, position: usize) -> Option<Vec<u8>> {
        let (_, certificate) = X509Certificate::from_der(self.chain.get(position)?).ok()?;
        Some(certificate.public_key().raw.to_vec())
    }

    /// Reads a certificate of the chain.
    pub(super) fn facts(&self, position: usize) -> Option<CertificateFacts> {
        CertificateFacts::from_der(self.chain.get(position)?).ok()
    }
}
