//! Private keys of DSA (FIPS 186-4), which the second engine signs with: their sizes, and their public half, which
//! certificates are found by.
//!
//! rustls never signs with them.

use std::fmt;

use rsa::BigUint;
use rsa::rand_core::{OsRng, RngCore};
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::sign::{Signer, SigningKey};
use rustls::{SignatureAlgorithm, SignatureScheme};
use zeroize::Zeroizing;

use super::dsa_form::{ALGORITHM, NAME};
use super::key::{bits, pkcs8};
use crate::der::{BIT_STRING, Cursor, INTEGER, SEQUENCE, element};
use crate::error::{Code, Error, Result};

/// The algorithm id-dsa (RFC 3279 section 2.3.2) as text.
const OID: &str = "1.2.840.10040.4.1";

/// The sizes that are served, in bits: of the prime, and of the order (FIPS 186-4 section 4.2).
const PRIME_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;
const ORDER_BITS: std::ops::RangeInclusive<usize> = 224..=256;

/// The public half of a key.
pub(super) struct DsaKey {
    prime_bits: usize,
    public: Vec<u8>,
}

impl DsaKey {
    /// Reads a key in PKCS#8.
    ///
    /// # Errors
    /// `KEY_ALGORITHM_UNSUPPORTED` for another size, `KEY_MALFORMED` if its numbers are no key.
    pub(super) fn new(der: &[u8]) -> Result<Self> {
        let (_, mut algorithm, key) = pkcs8(der)?;
        let mut parameters = algorithm.enter(SEQUENCE, "parameters of the DSA key")?;
        let [prime, order, base] = ["prime", "order", "base"].map(|what| parameters.take(INTEGER, what));
        let [prime, order, base] = [prime?, order?, base?];
        let secret = Cursor::new(key, Code::KeyMalformed).take(INTEGER, "private value of the DSA key")?;
        let (prime_bits, order_bits) = (bits(prime.content), bits(order.content));
        if !PRIME_BITS.contains(&prime_bits) || !ORDER_BITS.contains(&order_bits) {
            let size = format!("DSA with a prime of {prime_bits} bits and an order of {order_bits}");
            return Err(Error::new(Code::KeyAlgorithmUnsupported, size).with_hint(SIZES));
        }
        let numbers = Numbers::new(prime.content, order.content, base.content, secret.content)
            .ok_or_else(|| Error::new(Code::KeyMalformed, "its numbers are not a DSA key"))?;
        let mut value = numbers.public().to_bytes_be();
        if value.first().is_some_and(|byte| byte & 0x80 != 0) {
            value.insert(0, 0);
        }
        let parts = [prime.whole, order.whole, base.whole];
        let algorithm = element(SEQUENCE, &[ALGORITHM, &element(SEQUENCE, &parts)]);
        let value = element(INTEGER, &[&value]);
        Ok(Self { prime_bits, public: element(SEQUENCE, &[&algorithm, &element(BIT_STRING, &[&[0], &value])]) })
    }
}

/// The error for a key that is not for the second engine.
pub(super) fn unsupported() -> Error {
    Error::new(Code::KeyAlgorithmUnsupported, NAME).with_hint(
        "Use an RSA or ECDSA key. For old clients of DSS, set legacy-engine=yes and legacy-allow=legacy-dss.",
    )
}

/// The hint for a key of another size.
const SIZES: &str = "Use a DSA key with a prime of 2048 to 4096 bits and an order of 224 or 256.";

/// The numbers of a key, bounded and odd before they reach arithmetic that takes any number for what it is said to be.
struct Numbers {
    prime: BigUint,
    order: BigUint,
    base: BigUint,
    secret: Zeroizing<BigUint>,
}

impl Numbers {
    fn new(prime: &[u8], order: &[u8], base: &[u8], secret: &[u8]) -> Option<Self> {
        let is_odd = |number: &[u8]| number.last().is_some_and(|byte| byte & 1 == 1);
        let is_bounded = bits(base) <= bits(prime) && (1..=bits(order)).contains(&bits(secret));
        if !is_odd(prime) || !is_odd(order) || !is_bounded {
            return None;
        }
        let number = BigUint::from_bytes_be;
        let (prime, order, base) = (number(prime), number(order), number(base));
        let secret = Zeroizing::new(number(secret));
        let is_key = base > BigUint::from(1_u8) && base < prime && *secret < order;
        is_key.then_some(Self { prime, order, base, secret })
    }

    /// The public value: the base to the power of the secret. A random multiple of the order is added to the exponent,
    /// since the arithmetic is not constant time. It changes nothing: the order is that of the base.
    fn public(&self) -> BigUint {
        let blinding = Zeroizing::new(BigUint::from(OsRng.next_u64()) * &self.order);
        let exponent = Zeroizing::new(&*self.secret + &*blinding);
        self.base.modpow(&exponent, &self.prime)
    }
}

/// Returns true for a key of DSA in PKCS#8.
pub(super) fn is_dsa(der: &[u8]) -> bool {
    pkcs8(der).is_ok_and(|(oid, ..)| oid == OID)
}

impl SigningKey for DsaKey {
    fn choose_scheme(&self, _offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        None
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        Some(SubjectPublicKeyInfoDer::from(self.public.as_slice()))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::DSA
    }
}

impl fmt::Debug for DsaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DsaKey({} bits)", self.prime_bits)
    }
}
