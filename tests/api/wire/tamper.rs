//! Suites of a peer that alters what it encrypts, so that a test can send anything under the keys of a real handshake.

use std::cell::RefCell;
use std::sync::{Arc, LazyLock};

use rustls::crypto::aws_lc_rs::{ALL_CIPHER_SUITES, default_provider};
use rustls::crypto::cipher::{
    AeadKey, Iv, KeyBlockShape, MessageDecrypter, MessageEncrypter, OutboundChunks, OutboundOpaqueMessage,
    OutboundPlainMessage, Tls12AeadAlgorithm, Tls13AeadAlgorithm, UnsupportedOperationError,
};
use rustls::crypto::{CipherSuiteCommon, CryptoProvider};
use rustls::{ConnectionTrafficSecrets, ContentType, SupportedCipherSuite, Tls12CipherSuite, Tls13CipherSuite};

/// Alters the content of a record: its type and its bytes.
pub(super) type Alter = Box<dyn FnMut(&mut ContentType, &mut Vec<u8>)>;

thread_local! {
    static ALTER: RefCell<Option<Alter>> = RefCell::default();
}

/// Alters every record that the peer encrypts on this thread from now on.
pub(super) fn alter(alter: impl FnMut(&mut ContentType, &mut Vec<u8>) + 'static) {
    ALTER.set(Some(Box::new(alter)));
}

pub(super) fn alter_nothing() {
    ALTER.set(None);
}

/// rustls' own provider, with suites that encrypt what [`alter`] makes of it.
pub(super) fn provider() -> Arc<CryptoProvider> {
    static SUITES: LazyLock<Vec<SupportedCipherSuite>> =
        LazyLock::new(|| ALL_CIPHER_SUITES.iter().map(altering).collect());
    Arc::new(CryptoProvider { cipher_suites: SUITES.clone(), ..default_provider() })
}

fn altering(suite: &SupportedCipherSuite) -> SupportedCipherSuite {
    match suite {
        SupportedCipherSuite::Tls13(suite) => SupportedCipherSuite::Tls13(Box::leak(Box::new(Tls13CipherSuite {
            common: CipherSuiteCommon { ..suite.common },
            hkdf_provider: suite.hkdf_provider,
            aead_alg: Box::leak(Box::new(Aead(suite.aead_alg))),
            quic: None,
        }))),
        SupportedCipherSuite::Tls12(suite) => SupportedCipherSuite::Tls12(Box::leak(Box::new(Tls12CipherSuite {
            common: CipherSuiteCommon { ..suite.common },
            prf_provider: suite.prf_provider,
            kx: suite.kx,
            sign: suite.sign,
            aead_alg: Box::leak(Box::new(Aead(suite.aead_alg))),
        }))),
    }
}

struct Encrypter(Box<dyn MessageEncrypter>);

impl MessageEncrypter for Encrypter {
    fn encrypt(&mut self, message: OutboundPlainMessage<'_>, seq: u64) -> Result<OutboundOpaqueMessage, rustls::Error> {
        let (mut typ, mut content) = (message.typ, message.payload.to_vec());
        ALTER.with_borrow_mut(|alter| alter.iter_mut().for_each(|alter| alter(&mut typ, &mut content)));
        let payload = OutboundChunks::Single(&content);
        self.0.encrypt(OutboundPlainMessage { typ, version: message.version, payload }, seq)
    }

    fn encrypted_payload_len(&self, payload_len: usize) -> usize {
        self.0.encrypted_payload_len(payload_len)
    }
}

struct Aead<Algorithm: ?Sized + 'static>(&'static Algorithm);

impl Tls13AeadAlgorithm for Aead<dyn Tls13AeadAlgorithm> {
    fn encrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageEncrypter> {
        Box::new(Encrypter(self.0.encrypter(key, iv)))
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
}

impl Tls12AeadAlgorithm for Aead<dyn Tls12AeadAlgorithm> {
    fn encrypter(&self, key: AeadKey, iv: &[u8], extra: &[u8]) -> Box<dyn MessageEncrypter> {
        Box::new(Encrypter(self.0.encrypter(key, iv, extra)))
    }

    fn decrypter(&self, key: AeadKey, iv: &[u8]) -> Box<dyn MessageDecrypter> {
        self.0.decrypter(key, iv)
    }

    fn key_block_shape(&self) -> KeyBlockShape {
        self.0.key_block_shape()
    }

    fn extract_keys(
        &self,
        key: AeadKey,
        iv: &[u8],
        explicit: &[u8],
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        self.0.extract_keys(key, iv, explicit)
    }
}
