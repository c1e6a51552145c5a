//! Random numbers, and what draws them: key exchange, signatures, the check of a private key.
//!
//! The generator of AWS-LC notices a fork, and takes a lock then that other threads share for each number. A child
//! could not take it if another thread of its parent had it at that moment. So all of its uses are [`Work`] that a fork
//! waits for, and no other room calls it.

use std::sync::Arc;

use aws_lc_rs::rand;
use rustls::crypto::{
    ActiveKeyExchange, CompletedKeyExchange, GetRandomFailed, SecureRandom, SupportedKxGroup, aws_lc_rs as aws_lc,
};
use rustls::ffdhe_groups::FfdheGroup;
use rustls::pki_types::{PrivateKeyDer, SubjectPublicKeyInfoDer};
use rustls::sign::{Signer, SigningKey};
use rustls::{Error, NamedGroup, ProtocolVersion, SignatureAlgorithm, SignatureScheme};

use crate::fork::Work;

/// Fills the buffer with random bytes.
///
/// # Errors
/// If the system has none.
pub(crate) fn fill(buffer: &mut [u8]) -> Result<(), GetRandomFailed> {
    let _work = Work::begin();
    rand::fill(buffer).map_err(|_| GetRandomFailed)
}

/// The generator, as rustls takes it.
pub(crate) static GENERATOR: &dyn SecureRandom = &Generator;

#[derive(Debug)]
struct Generator;

impl SecureRandom for Generator {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), GetRandomFailed> {
        fill(buffer)
    }
}

/// The key exchange groups of AWS-LC.
pub(crate) mod kx_group {
    use super::aws_lc::kx_group as plain;
    use super::{Group, SupportedKxGroup};

    macro_rules! groups {
        ($($name:ident)*) => {
            $(pub(crate) static $name: &dyn SupportedKxGroup = &Group(plain::$name);)*
        };
    }
    groups!(X25519MLKEM768 X25519 SECP256R1 SECP384R1 SECP256R1MLKEM768 MLKEM768 MLKEM1024);
}

#[derive(Debug)]
struct Group(&'static dyn SupportedKxGroup);

impl SupportedKxGroup for Group {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        let _work = Work::begin();
        self.0.start()
    }

    fn start_and_complete(&self, peer_public_key: &[u8]) -> Result<CompletedKeyExchange, Error> {
        let _work = Work::begin();
        self.0.start_and_complete(peer_public_key)
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        self.0.ffdhe_group()
    }

    fn name(&self) -> NamedGroup {
        self.0.name()
    }

    fn fips(&self) -> bool {
        self.0.fips()
    }

    fn usable_for_version(&self, version: ProtocolVersion) -> bool {
        self.0.usable_for_version(version)
    }
}

/// Makes a private key that AWS-LC knows ready to sign.
///
/// # Errors
/// If it does not know the key.
pub(crate) fn signing_key(key: &PrivateKeyDer<'_>) -> Result<Arc<dyn SigningKey>, Error> {
    let _work = Work::begin();
    Ok(Arc::new(Key(aws_lc::sign::any_supported_type(key)?)))
}

#[derive(Debug)]
struct Key(Arc<dyn SigningKey>);

impl SigningKey for Key {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        Some(Box::new(KeySigner(self.0.choose_scheme(offered)?)))
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        self.0.public_key()
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.0.algorithm()
    }
}

#[derive(Debug)]
struct KeySigner(Box<dyn Signer>);

impl Signer for KeySigner {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let _work = Work::begin();
        self.0.sign(message)
    }

    fn scheme(&self) -> SignatureScheme {
        self.0.scheme()
    }
}
