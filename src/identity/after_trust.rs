//! The choice of a client's identity after its server has been judged.

use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::client::danger::ServerCertVerifier;
use rustls::sign::CertifiedKey;
use rustls::time_provider::TimeProvider;

use crate::verify::HandshakeNotes;

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
        let trusted = HandshakeNotes::judge_foreseen(|server| {
            let (end_entity, intermediates) =
                server.chain.split_first().ok_or(rustls::Error::NoCertificatesPresented)?;
            let verdict =
                self.verifier.verify_server_cert(end_entity, intermediates, &server.name, &server.staple, now);
            verdict.map(|_| ())
        });
        match trusted {
            Some(server) => self.identities.show(&server.chain, hints, schemes),
            None => {
                HandshakeNotes::add_withheld("the server is not trusted".to_owned());
                None
            }
        }
    }

    fn has_certs(&self) -> bool {
        true
    }
}
