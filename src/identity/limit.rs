//! The signature schemes of a connection with its own.

use std::borrow::Cow;
use std::sync::Arc;

use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::sign::{CertifiedKey, Signer, SigningKey};
use rustls::{SignatureAlgorithm, SignatureScheme};

/// The only schemes that sign, in order of preference; by default all.
#[derive(Clone, Debug, Default)]
pub(super) struct Limit(Option<Arc<[SignatureScheme]>>);

impl Limit {
    pub(super) fn to(schemes: &[SignatureScheme]) -> Self {
        Self(Some(schemes.into()))
    }

    /// Those of the peer's schemes that may sign, in its order.
    pub(super) fn of<'a>(&self, offered: &'a [SignatureScheme]) -> Cow<'a, [SignatureScheme]> {
        match &self.0 {
            None => Cow::Borrowed(offered),
            Some(allowed) => offered.iter().copied().filter(|scheme| allowed.contains(scheme)).collect(),
        }
    }

    /// Restricts a key. One that stands in for a refusal stays as it is.
    pub(super) fn key(&self, key: Arc<CertifiedKey>) -> Arc<CertifiedKey> {
        match &self.0 {
            Some(allowed) if !key.cert.is_empty() => {
                let signing = LimitedKey { key: Arc::clone(&key.key), allowed: Arc::clone(allowed) };
                let mut limited = CertifiedKey::new(key.cert.clone(), Arc::new(signing));
                limited.ocsp.clone_from(&key.ocsp);
                Arc::new(limited)
            }
            _ => key,
        }
    }
}

#[derive(Debug)]
struct LimitedKey {
    key: Arc<dyn SigningKey>,
    allowed: Arc<[SignatureScheme]>,
}

impl SigningKey for LimitedKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let mut common = self.allowed.iter().filter(|scheme| offered.contains(scheme));
        common.find_map(|scheme| self.key.choose_scheme(&[*scheme]))
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        self.key.public_key()
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.key.algorithm()
    }
}
