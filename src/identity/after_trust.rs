//! The choice of a client's identity after its server has been judged.

use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::client::danger::ServerCertVerifier;
use rustls::sign::CertifiedKey;
use rustls::time_provider::TimeProvider;

use crate::error::{Code, Error};
use crate::verify::{EarlyVerdict, HandshakeNotes};

use super::HostIdentities;

/// Asks a host for an identity only if the server is trusted. rustls asks before it verifies the server, so the server
/// is judged here, and the verifier repeats the verdict to rustls.
#[derive(Debug)]
pub(crate) struct AfterTrust {
    identities: Arc<HostIdentities>,
    verifier: Arc<dyn ServerCertVerifier>,
    clock: Arc<dyn TimeProvider>,
}

impl AfterTrust {
    pub(crate) fn new(
        identities: Arc<HostIdentities>,
        verifier: Arc<dyn ServerCertVerifier>,
        clock: Arc<dyn TimeProvider>,
    ) -> Self {
        Self { identities, verifier, clock }
    }
}

impl ResolvesClientCert for AfterTrust {
    fn resolve(&self, hints: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let now = self.clock.current_time()?;
        let verdict = HandshakeNotes::judge_foreseen(|server| {
            let (end_entity, intermediates) =
                server.chain.split_first().ok_or(rustls::Error::NoCertificatesPresented)?;
            let verdict =
                self.verifier.verify_server_cert(end_entity, intermediates, &server.name, &server.staple, now);
            verdict.map(|_| ())
        });
        match verdict {
            EarlyVerdict::Accepted(server) => return self.identities.show(&server.chain, hints, schemes),
            EarlyVerdict::Refused => HandshakeNotes::add_withheld("the server is not trusted".to_owned()),
            // The host would have chosen, and rustls has no way to wait for it.
            EarlyVerdict::NotRead => {
                let detail = "its request for a certificate, or what comes with it, cannot be read";
                HandshakeNotes::add_refusal(Error::new(Code::MessageMalformed, detail));
            }
        }
        None
    }

    fn has_certs(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::DigitallySignedStruct;
    use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified};
    use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
    use rustls::time_provider::DefaultTimeProvider;

    use crate::error::Result;
    use crate::keystore::Identity;
    use crate::verify::Foreseen;
    use crate::verify::host::{HandshakeHost, HelloFacts, IdentityRequest, PeerToJudge};

    use super::*;

    /// Refuses every server, and must not be asked for an identity.
    #[derive(Debug)]
    struct Refusing;

    impl HandshakeHost for Refusing {
        fn client_hello(&self, _: &HelloFacts<'_>) -> Result<Option<Vec<u8>>> {
            panic!("a client has no ClientHello to judge");
        }

        fn choose_identity(&self, _: &IdentityRequest<'_>) -> Result<Option<Arc<Identity>>> {
            panic!("no identity is chosen for a server that is not trusted");
        }

        fn check_peer(&self, _: &PeerToJudge<'_>) -> Result<()> {
            panic!("the verifier decides");
        }

        fn check_proof(&self, _: &CertificateDer<'_>, _: SignatureScheme, _: &[u8], _: &[u8]) -> Result<()> {
            panic!("the verifier decides");
        }
    }

    impl ServerCertVerifier for Refusing {
        fn verify_server_cert(
            &self,
            _: &CertificateDer<'_>,
            _: &[CertificateDer<'_>],
            _: &ServerName<'_>,
            _: &[u8],
            _: UnixTime,
        ) -> Result<ServerCertVerified, rustls::Error> {
            Err(rustls::Error::General("refused".to_owned()))
        }

        fn verify_tls12_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            panic!("no signature is checked")
        }

        fn verify_tls13_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            panic!("no signature is checked")
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            Vec::new()
        }
    }

    /// The notes of a request of a server, to which no identity is shown.
    fn asked_by(server: Option<Foreseen>) -> HandshakeNotes {
        let identities = Arc::new(HostIdentities::new(Arc::new(Refusing), &[]));
        let resolver = AfterTrust::new(identities, Arc::new(Refusing), Arc::new(DefaultTimeProvider));
        HandshakeNotes::begin(Default::default());
        HandshakeNotes::foresee(server);
        assert!(resolver.resolve(&[], &[SignatureScheme::ED25519]).is_none());
        HandshakeNotes::take()
    }

    #[test]
    fn server_that_is_refused_is_shown_no_identity_and_one_that_cannot_be_judged_is_refused() {
        let name = ServerName::try_from("broker.example").unwrap();
        let chain = vec![CertificateDer::from(vec![1, 2, 3])];
        let refused = asked_by(Some(Foreseen { chain, staple: Vec::new(), name }));
        assert_eq!(refused.withheld.as_deref(), Some("the server is not trusted"));
        assert!(refused.refusal.is_none());
        let unread = asked_by(None).refusal.unwrap();
        assert_eq!(unread.code(), Code::MessageMalformed);
        assert_eq!(unread.detail(), "its request for a certificate, or what comes with it, cannot be read");
    }
}
