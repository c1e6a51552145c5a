//! The verifier as rustls wants it, and what it has to tell the connection beyond rustls' own words.
//!
//! rustls runs verification in the middle of processing a record and passes on only a kind of error and, from it, an
//! alert. What was found in detail is handed over through [`Notes`], which stay on the thread for the length of that one
//! call; connection/ clears them before and takes them after.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, OtherError, SignatureScheme};

use crate::certificate::describe;
use crate::error::{Code, Error, Result};
use crate::logging::{Level, Log};

use super::{PeerVerifier, Purpose, Switch, Verdict};

/// What happened inside rustls' call, for the connection that made it.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    /// Why the peer's certificate was refused.
    pub(crate) refusal: Option<Error>,
    /// The switches that were needed to accept it.
    pub(crate) deviations: Vec<Switch>,
    /// The server name in the ClientHello.
    pub(crate) server_name: Option<String>,
}

thread_local! {
    static NOTES: RefCell<Notes> = RefCell::default();
}

impl Notes {
    pub(crate) fn clear() {
        Self::take();
    }

    pub(crate) fn take() -> Self {
        NOTES.take()
    }

    pub(crate) fn add_server_name(name: &str) {
        NOTES.with_borrow_mut(|notes| notes.server_name = Some(name.to_owned()));
    }

    /// Keeps what will be wrong with the handshake, for where rustls does not say it.
    pub(crate) fn add_refusal(refusal: Error) {
        NOTES.with_borrow_mut(|notes| notes.refusal = Some(refusal));
    }

    /// Keeps the refusal for the connection; gives what rustls has to be told.
    fn refuse(refusal: Error) -> rustls::Error {
        let error = rustls::Error::InvalidCertificate(rustls_kind(&refusal));
        Self::add_refusal(refusal);
        error
    }
}

/// What the application is asked about a peer whose certificate has already been accepted.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct PeerCertificate<'a> {
    /// The certificates as the peer sent them, end entity first.
    pub chain: &'a [CertificateDer<'a>],
    /// The role of the peer.
    pub purpose: Purpose,
    /// The path that was verified and how.
    pub verdict: &'a Verdict,
}

/// Decides whether a peer whose certificate was accepted may go on; an `Err` says why not. It can refuse, never accept.
pub type VerifyCallback = Arc<dyn Fn(&PeerCertificate<'_>) -> Result<(), String> + Send + Sync>;

/// How one side of a context checks its peers.
pub(crate) struct RustlsVerifier {
    pub(crate) verifier: Arc<PeerVerifier>,
    pub(crate) callback: Option<VerifyCallback>,
    pub(crate) log: Log,
    /// Clients: whether the server's name counts.
    pub(crate) checks_name: bool,
    /// Clients: whether anything of the server's certificate counts.
    pub(crate) accepts_any: bool,
    /// Servers: whether a client must have a certificate.
    pub(crate) is_mandatory: bool,
    /// Servers: the CA names to send.
    pub(crate) subjects: Vec<DistinguishedName>,
}

impl RustlsVerifier {
    fn check(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        purpose: Purpose,
        name: Option<&ServerName<'_>>,
        now: UnixTime,
    ) -> Result<(), rustls::Error> {
        let borrowed = |der: &CertificateDer<'_>| CertificateDer::from(der.to_vec());
        let chain: Vec<_> = std::iter::once(end_entity).chain(intermediates).map(borrowed).collect();
        self.judge(&chain, purpose, name, now).map_err(Notes::refuse)
    }

    fn judge(
        &self,
        chain: &[CertificateDer<'_>],
        purpose: Purpose,
        name: Option<&ServerName<'_>>,
        now: UnixTime,
    ) -> Result<()> {
        let verdict = self.verifier.verify(chain, purpose, name, now)?;
        if let Some(callback) = &self.callback {
            let peer = PeerCertificate { chain, purpose, verdict: &verdict };
            callback(&peer).map_err(|why| Error::new(Code::CertRejectedByCallback, why))?;
        }
        for deviation in &verdict.deviations {
            let subject = chain.first().map(describe).unwrap_or_default();
            self.log.write(Level::Warn, &format!("accepted only by {}: {subject}", deviation.name()));
        }
        NOTES.with_borrow_mut(|notes| notes.deviations.extend(verdict.deviations));
        Ok(())
    }
}

impl fmt::Debug for RustlsVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RustlsVerifier").field("verifier", &self.verifier).finish_non_exhaustive()
    }
}

fn proof(outcome: Result<()>) -> Result<HandshakeSignatureValid, rustls::Error> {
    outcome.map(|()| HandshakeSignatureValid::assertion()).map_err(Notes::refuse)
}

/// The part that both of rustls' traits ask for in the same words.
macro_rules! handshake_signatures {
    () => {
        fn verify_tls12_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            dss: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            proof(self.verifier.verify_tls12_signature(message, cert, dss))
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            dss: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            proof(self.verifier.verify_tls13_signature(message, cert, dss))
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            self.verifier.signature_schemes()
        }
    };
}

impl ServerCertVerifier for RustlsVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if !self.accepts_any {
            let name = self.checks_name.then_some(server_name);
            self.check(end_entity, intermediates, Purpose::Server, name, now)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    handshake_signatures!();
}

impl ClientCertVerifier for RustlsVerifier {
    fn client_auth_mandatory(&self) -> bool {
        self.is_mandatory
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.subjects
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        self.check(end_entity, intermediates, Purpose::Client, None, now)?;
        Ok(ClientCertVerified::assertion())
    }

    handshake_signatures!();
}

/// The kind of refusal that makes rustls send the alert that the table gives for its code.
fn rustls_kind(refusal: &Error) -> CertificateError {
    match refusal.code().alert() {
        Some(42) => CertificateError::BadEncoding,
        Some(43) => CertificateError::InvalidPurpose,
        Some(44) => CertificateError::Revoked,
        Some(45) => CertificateError::Expired,
        Some(48) => CertificateError::UnknownIssuer,
        Some(49) => CertificateError::ApplicationVerificationFailure,
        Some(51) => CertificateError::BadSignature,
        Some(113) => CertificateError::InvalidOcspResponse,
        _ => CertificateError::Other(OtherError(Arc::new(refusal.clone()))),
    }
}

#[cfg(test)]
mod tests {
    use rustls::AlertDescription;

    use super::*;
    use crate::error::Category;

    #[test]
    fn every_refusal_is_told_to_the_peer_with_the_alert_of_its_row() {
        let refusals = Code::ALL.iter().filter(|code| code.category() == Category::Certificate);
        // The client's missing certificate is rustls' own finding, with its own alert.
        for code in refusals.filter(|code| **code != Code::CertMissing) {
            let alert = AlertDescription::from(rustls_kind(&Error::from(*code)));
            assert_eq!(Some(u8::from(alert)), code.alert(), "{code:?}");
        }
    }
}
