//! Keys that can fail: those of a host or a token. Their error becomes the error and the alert of the connection.

use std::sync::Arc;

use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::sign::{CertifiedKey, Signer, SigningKey};
use rustls::{SignatureAlgorithm, SignatureScheme};

use crate::error::{Code, Error};
use crate::verify::HandshakeNotes;

/// Ends the handshake with this error.
fn fail(error: Error) -> rustls::Error {
    HandshakeNotes::add_refusal(error);
    rustls::Error::General(String::new())
}

/// A key that may fail to sign.
#[derive(Debug)]
struct FallibleKey(Arc<dyn SigningKey>);

/// Wraps a key: a failure ends the handshake with [`Code::SigningFailed`] and an alert.
pub(super) fn fallible(key: Arc<dyn SigningKey>) -> Arc<dyn SigningKey> {
    Arc::new(FallibleKey(key))
}

impl SigningKey for FallibleKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        self.0.choose_scheme(offered).map(|signer| Box::new(FallibleSigner(signer)) as _)
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        self.0.public_key()
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.0.algorithm()
    }
}

#[derive(Debug)]
struct FallibleSigner(Box<dyn Signer>);

impl Signer for FallibleSigner {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        HandshakeNotes::aside(|| self.0.sign(message)).map_err(|error| {
            let detail = match error {
                rustls::Error::General(detail) => detail,
                _ => "the key gave no signature".to_owned(),
            };
            fail(Error::new(Code::SigningFailed, detail))
        })
    }

    fn scheme(&self) -> SignatureScheme {
        self.0.scheme()
    }
}

/// Stands in for an identity that the host of a client refused to choose. It ends the handshake instead of signing,
/// because rustls has no way for a client to refuse its answer.
#[derive(Clone, Debug)]
struct Refusing(Error);

/// Ends the handshake of a client with this error, and with an alert.
pub(super) fn refusing(error: Error) -> Arc<CertifiedKey> {
    Arc::new(CertifiedKey::new(Vec::new(), Arc::new(Refusing(error))))
}

/// Returns the error of an identity that stands in for a refusal; none for any other.
pub(crate) fn refusal_of(key: &CertifiedKey) -> Option<Error> {
    if !key.cert.is_empty() {
        return None;
    }
    let signer = key.key.choose_scheme(&[])?;
    signer.sign(&[]).err().and_then(|_| HandshakeNotes::take_refusal())
}

impl SigningKey for Refusing {
    fn choose_scheme(&self, _: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        Some(Box::new(self.clone()))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }
}

impl Signer for Refusing {
    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        Err(fail(self.0.clone()))
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ECDSA_NISTP256_SHA256
    }
}
