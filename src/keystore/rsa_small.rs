//! Signing with RSA keys of 1024 to 2047 bits, which aws-lc-rs refuses and users of old recipes have.
//!
//! Nothing else in the project may use the private keys of the `rsa` crate: its arithmetic is not constant time. Here
//! signatures are blinded with random numbers, and checked before they leave.

use std::fmt;
use std::sync::Arc;

use rsa::pkcs1::EncodeRsaPublicKey;
use rsa::rand_core::OsRng;
use rsa::sha2::{Digest, Sha256, Sha384, Sha512};
use rsa::traits::PublicKeyParts;
use rsa::{BigUint, Pkcs1v15Sign, Pss, RsaPrivateKey};
use rustls::pki_types::{SubjectPublicKeyInfoDer, alg_id};
use rustls::sign::{Signer, SigningKey, public_key_to_spki};
use rustls::{SignatureAlgorithm, SignatureScheme};

use super::key::{RSA_LEAST_BITS, RSA_MOST_EXPONENT_BITS, RSA_SMALL_BELOW_BITS, bits, pkcs8};
use super::key_form::Form;
use crate::der::{Cursor, INTEGER, SEQUENCE};
use crate::error::{Code, Error, Result};

/// The signature schemes, best first. A key of 1024 bits is too small for PSS with SHA-512 (RFC 8017 section 9.1.1).
const SCHEMES: [SignatureScheme; 5] = [
    SignatureScheme::RSA_PSS_SHA256,
    SignatureScheme::RSA_PSS_SHA384,
    SignatureScheme::RSA_PKCS1_SHA256,
    SignatureScheme::RSA_PKCS1_SHA384,
    SignatureScheme::RSA_PKCS1_SHA512,
];

/// An RSA key of 1024 to 2047 bits.
pub(super) struct SmallRsaKey {
    key: Arc<RsaPrivateKey>,
    /// The public key in PKCS#1.
    public: Vec<u8>,
}

impl SmallRsaKey {
    /// # Errors
    /// `KEY_MALFORMED` if the numbers are no key, `KEY_ALGORITHM_UNSUPPORTED` for another size.
    pub(super) fn new(form: Form, der: &[u8]) -> Result<Self> {
        let pkcs1 = if form == Form::Pkcs8 { pkcs8(der)?.2 } else { der };
        let mut content = Cursor::new(pkcs1, Code::KeyMalformed).enter(SEQUENCE, "RSA key")?;
        if content.unsigned("version of the RSA key")? != 0 {
            return Err(Error::new(Code::KeyAlgorithmUnsupported, "RSA with more than two primes"));
        }
        let modulus = content.take(INTEGER, "modulus of the RSA key")?.content;
        let exponent = content.take(INTEGER, "public exponent of the RSA key")?.content;
        let [private, p, q] =
            ["private exponent", "first prime", "second prime"].map(|what| content.take(INTEGER, what));
        let [private, p, q] = [private?.content, p?.content, q?.content];
        let size = bits(modulus);
        if !(RSA_LEAST_BITS..RSA_SMALL_BELOW_BITS).contains(&size) {
            return Err(Error::new(Code::KeyAlgorithmUnsupported, format!("RSA {size}")));
        }
        // Bounded and odd before they reach arithmetic that takes any number for what it is said to be.
        let odd = [modulus, exponent, p, q].iter().all(|number| number.last().is_some_and(|byte| byte & 1 == 1));
        let bounded = [private, p, q].iter().all(|number| (2..=size).contains(&bits(number)));
        if !odd || !bounded || bits(exponent) > RSA_MOST_EXPONENT_BITS {
            return Err(Error::new(Code::KeyMalformed, "its numbers are not an RSA key"));
        }
        let number = BigUint::from_bytes_be;
        let primes = vec![number(p), number(q)];
        let key = RsaPrivateKey::from_components(number(modulus), number(exponent), number(private), primes)
            .map_err(|_| Error::new(Code::KeyMalformed, "its numbers are not an RSA key"))?;
        let public = key.to_public_key().to_pkcs1_der();
        let public = public.map_err(|_| Error::new(Code::KeyMalformed, "its public half"))?;
        Ok(Self { key: Arc::new(key), public: public.into_vec() })
    }
}

impl SigningKey for SmallRsaKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let scheme = SCHEMES.into_iter().find(|scheme| offered.contains(scheme))?;
        Some(Box::new(SmallRsaSigner { key: Arc::clone(&self.key), scheme }))
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        Some(public_key_to_spki(&alg_id::RSA_ENCRYPTION, &self.public))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::RSA
    }
}

impl fmt::Debug for SmallRsaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SmallRsaKey({} bits)", self.key.n().bits())
    }
}

struct SmallRsaSigner {
    key: Arc<RsaPrivateKey>,
    scheme: SignatureScheme,
}

impl Signer for SmallRsaSigner {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        let (key, rng) = (&self.key, &mut OsRng);
        let signature = match self.scheme {
            SignatureScheme::RSA_PSS_SHA256 => key.sign_with_rng(rng, Pss::new::<Sha256>(), &Sha256::digest(message)),
            SignatureScheme::RSA_PSS_SHA384 => key.sign_with_rng(rng, Pss::new::<Sha384>(), &Sha384::digest(message)),
            SignatureScheme::RSA_PKCS1_SHA256 => {
                key.sign_with_rng(rng, Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(message))
            }
            SignatureScheme::RSA_PKCS1_SHA384 => {
                key.sign_with_rng(rng, Pkcs1v15Sign::new::<Sha384>(), &Sha384::digest(message))
            }
            _ => key.sign_with_rng(rng, Pkcs1v15Sign::new::<Sha512>(), &Sha512::digest(message)),
        };
        signature.map_err(|_| rustls::Error::General("an RSA key below 2048 bits gave no signature".to_owned()))
    }

    fn scheme(&self) -> SignatureScheme {
        self.scheme
    }
}

impl fmt::Debug for SmallRsaSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SmallRsaSigner({:?})", self.scheme)
    }
}
