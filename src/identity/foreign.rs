//! Keys that can fail: those of a host or a token. What they fail with becomes the connection's error, and an alert.
//!
//! rustls sends no alert for a signature that could not be made. It sends one for a message out of place, so that is what
//! it is told here; the alert then gets the words of the failure: in plain text by connection/, under the keys of TLS 1.3
//! by the suites of this file, which contexts with such keys use.

use std::fmt;
use std::sync::{Arc, LazyLock};

use rustls::crypto::CipherSuiteCommon;
use rustls::crypto::aws_lc_rs::cipher_suite::{
    TLS13_AES_128_GCM_SHA256, TLS13_AES_256_GCM_SHA384, TLS13_CHACHA20_POLY1305_SHA256,
};
use rustls::crypto::cipher::{
    AeadKey, Iv, MessageDecrypter, MessageEncrypter, OutboundChunks, OutboundOpaqueMessage, OutboundPlainMessage,
    Tls13AeadAlgorithm, UnsupportedOperationError,
};
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::sign::{CertifiedKey, Signer, SigningKey};
use rustls::{
    AlertDescription, ConnectionTrafficSecrets, ContentType, SignatureAlgorithm, SignatureScheme, SupportedCipherSuite,
    Tls13CipherSuite,
};

use crate::error::{Code, Error};
use crate::verify::Notes;

/// Ends the handshake with this error, and lets rustls send an alert.
fn fail(error: Error) -> rustls::Error {
    Notes::add_refusal(error);
    rustls::Error::InappropriateMessage { expect_types: Vec::new(), got_type: ContentType::Handshake }
}

/// A key that may fail to sign.
#[derive(Debug)]
struct FallibleKey(Arc<dyn SigningKey>);

/// The same key, whose failures end the handshake as [`Code::SigningFailed`] and with an alert.
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
        Notes::aside(|| self.0.sign(message)).map_err(|error| {
            let detail = match error {
                rustls::Error::General(detail) => detail,
                error => error.to_string(),
            };
            fail(Error::new(Code::SigningFailed, detail))
        })
    }

    fn scheme(&self) -> SignatureScheme {
        self.0.scheme()
    }
}

/// In place of an identity that a client's host refused to choose: ends the handshake where it would sign, for rustls has
/// no words for a client that must not answer.
#[derive(Clone, Debug)]
struct Refusing(Error);

/// Ends the handshake of a client with this error, and with an alert.
pub(super) fn refusing(error: Error) -> Arc<CertifiedKey> {
    Arc::new(CertifiedKey::new(Vec::new(), Arc::new(Refusing(error))))
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

/// The suites of TLS 1.3 whose alerts say what a [`fallible`] key failed with.
static WORDED: LazyLock<[Tls13CipherSuite; 3]> = LazyLock::new(|| {
    [&TLS13_AES_128_GCM_SHA256, &TLS13_AES_256_GCM_SHA384, &TLS13_CHACHA20_POLY1305_SHA256].map(|suite| {
        let suite = suite.tls13().expect("the three suites are of TLS 1.3");
        Tls13CipherSuite {
            common: CipherSuiteCommon { ..suite.common },
            hkdf_provider: suite.hkdf_provider,
            // Once for the process: a suite refers to what lives as long.
            aead_alg: Box::leak(Box::new(WordedAead(suite.aead_alg))),
            quic: None,
        }
    })
});

/// The same suites, those of TLS 1.3 with alerts in the words of the failure.
pub(crate) fn with_worded_alerts(suites: &[SupportedCipherSuite]) -> Vec<SupportedCipherSuite> {
    let worded = |suite: &SupportedCipherSuite| WORDED.iter().find(|worded| worded.common.suite == suite.suite());
    suites.iter().map(|suite| worded(suite).map_or(*suite, SupportedCipherSuite::Tls13)).collect()
}

struct WordedAead(&'static dyn Tls13AeadAlgorithm);

impl fmt::Debug for WordedAead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WordedAead")
    }
}

impl Tls13AeadAlgorithm for WordedAead {
    fn encrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageEncrypter> {
        Box::new(WordedEncrypter(self.0.encrypter(key, iv)))
    }

    fn decrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageDecrypter> {
        self.0.decrypter(key, iv)
    }

    fn key_len(&self) -> usize {
        self.0.key_len()
    }

    fn extract_keys(&self, key: AeadKey, iv: Iv) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        self.0.extract_keys(key, iv)
    }

    fn fips(&self) -> bool {
        self.0.fips()
    }
}

struct WordedEncrypter(Box<dyn MessageEncrypter>);

impl MessageEncrypter for WordedEncrypter {
    fn encrypt(&mut self, message: OutboundPlainMessage<'_>, seq: u64) -> Result<OutboundOpaqueMessage, rustls::Error> {
        if message.typ != ContentType::Alert {
            return self.0.encrypt(message, seq);
        }
        let mut alert = message.payload.to_vec();
        if let [_, number] = &mut alert[..]
            && *number == u8::from(AlertDescription::UnexpectedMessage)
        {
            *number = Notes::refusal_alert().unwrap_or(*number);
        }
        self.0.encrypt(OutboundPlainMessage { payload: OutboundChunks::Single(&alert), ..message }, seq)
    }

    fn encrypted_payload_len(&self, payload_len: usize) -> usize {
        self.0.encrypted_payload_len(payload_len)
    }
}
