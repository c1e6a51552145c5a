//! The certificates of a context, for operators that watch their expiry.

use crate::certificate::CertificateFacts;

use super::Context;

/// A certificate that a context uses: an own one, or a trust anchor.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContextCertificate {
    /// True for a trust anchor; false for a certificate that is shown to peers.
    pub is_trusted: bool,
    /// Its place, as in messages: `broker.ks, alias broker`.
    pub place: String,
    /// Its facts.
    pub facts: CertificateFacts,
}

impl Context {
    /// The certificates in use: the own ones, each with its issuers as they are sent, and then the trust anchors. Those
    /// that cannot be parsed are left out.
    pub fn certificates(&self) -> Vec<ContextCertificate> {
        let generation = self.generation();
        let own = generation.identities.iter().flat_map(|identity| {
            let place = identity.place.as_str();
            identity.chain.iter().map(move |der| (false, place, der))
        });
        let trusted = generation.parts.judge.trusted().iter().map(|one| (true, one.place.as_str(), &one.der));
        own.chain(trusted)
            .filter_map(|(is_trusted, place, der)| {
                let facts = CertificateFacts::from_der(der).ok()?;
                Some(ContextCertificate { is_trusted, place: place.to_owned(), facts })
            })
            .collect()
    }
}
