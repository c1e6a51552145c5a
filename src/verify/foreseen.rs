//! A server's certificates that a client has seen before rustls verifies them: they are judged once, and early.

use std::sync::Arc;

use rustls::pki_types::{CertificateDer, ServerName};

use crate::error::{Code, Error, Result};

/// The certificates in the flight of a server.
#[derive(Debug)]
pub(crate) struct Foreseen {
    /// End entity first; never empty.
    pub(crate) chain: Vec<CertificateDer<'static>>,
    /// The OCSP response; may be empty.
    pub(crate) staple: Vec<u8>,
    /// The name of the server that rustls verifies.
    pub(crate) name: ServerName<'static>,
}

/// The verdict about them.
pub(super) type Outcome = std::result::Result<(), rustls::Error>;

/// The verdict about a server before rustls verifies it.
pub(crate) enum EarlyVerdict {
    Accepted(Arc<Foreseen>),
    Refused,
    /// The certificates have not been read ahead.
    NotRead,
}

/// The server of a call of rustls, and the verdict about it.
#[derive(Debug, Default)]
pub(crate) struct Foresight {
    server: Option<Arc<Foreseen>>,
    outcome: Option<Outcome>,
}

impl Foresight {
    pub(super) fn of(server: Option<Foreseen>) -> Self {
        Self { server: server.map(Arc::new), outcome: None }
    }

    pub(super) fn server(&self) -> Option<Arc<Foreseen>> {
        self.server.clone()
    }

    /// Keeps the verdict about the server.
    pub(super) fn keep(&mut self, outcome: Outcome) {
        self.outcome = Some(outcome);
    }

    /// Returns the verdict about these certificates, if there is one.
    ///
    /// # Errors
    /// `PEER_MISBEHAVED` if they are others than those that were judged.
    pub(super) fn verdict(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        staple: &[u8],
    ) -> Result<Option<Outcome>> {
        let (Some(server), Some(outcome)) = (&self.server, &self.outcome) else { return Ok(None) };
        let shown = std::iter::once(end_entity).chain(intermediates);
        match shown.eq(server.chain.iter()) && staple == server.staple {
            true => Ok(Some(outcome.clone())),
            false => Err(Error::new(Code::PeerMisbehaved, "its certificates are not those that were judged")),
        }
    }
}

#[cfg(test)]
mod tests {
    use rustls::CertificateError;

    use super::*;

    #[test]
    fn verdict_is_that_of_exactly_the_certificates_that_were_judged() {
        let [one, other] = [[1u8; 3], [2; 3]].map(|bytes| CertificateDer::from(bytes.to_vec()));
        let name = ServerName::try_from("broker.example").unwrap();
        let chain = vec![one.clone(), other.clone()];
        let mut foresight = Foresight::of(Some(Foreseen { chain, staple: vec![7], name }));
        let intermediates = [other.clone()];
        assert_eq!(foresight.verdict(&one, &intermediates, &[7]).unwrap(), None);
        for outcome in [Ok(()), Err(rustls::Error::from(CertificateError::Expired))] {
            foresight.keep(outcome.clone());
            assert_eq!(foresight.verdict(&one, &intermediates, &[7]).unwrap(), Some(outcome));
            let others: [(&CertificateDer<'_>, &[CertificateDer<'_>], &[u8]); 4] = [
                (&other, &intermediates, &[7]),
                (&one, &[], &[7]),
                (&one, &intermediates, &[]),
                (&one, std::slice::from_ref(&one), &[7]),
            ];
            for (end_entity, intermediates, staple) in others {
                let refused = foresight.verdict(end_entity, intermediates, staple).unwrap_err();
                assert_eq!(refused.code(), Code::PeerMisbehaved);
            }
        }
    }
}
