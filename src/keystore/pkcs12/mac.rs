//! The MAC of a PKCS#12 store: its own (RFC 7292 section 4) or PBMAC1 (RFC 9579).

use crate::der::{Cursor, INTEGER, NULL, OCTET_STRING, SEQUENCE};
use crate::error::{Code, Error, Result};
use crate::keystore::crypto::cost::Cost;
use crate::keystore::crypto::kdf::{self, Hash};
use crate::keystore::crypto::pbe;
use crate::keystore::password;

const PBMAC1: &str = "1.2.840.113549.1.5.14";

/// The fewest bytes of a key that PBMAC1 derives; a shorter one could be found by trying (RFC 9579 section 4).
const PBMAC1_LEAST_KEY_BYTES: u64 = 20;
/// The most; every HMAC shortens a longer one to its block.
const PBMAC1_MOST_KEY_BYTES: u64 = 1024;

/// The parameters and the value of a MAC.
pub(super) struct Mac<'a> {
    derivation: Derivation<'a>,
    hash: Hash,
    expected: &'a [u8],
}

enum Derivation<'a> {
    Pkcs12 { salt: &'a [u8], iterations: u64 },
    Pbkdf2 { hash: Hash, salt: &'a [u8], iterations: u64, key_bytes: usize },
}

impl<'a> Mac<'a> {
    /// Reads MacData. With PBMAC1 its own salt and iteration count say nothing, and are often empty and 0.
    ///
    /// # Errors
    /// `STORE_MALFORMED`, `ENCRYPTION_UNSUPPORTED`, `PARAMETER_INVALID`.
    pub(super) fn read(mac: &mut Cursor<'a>) -> Result<Self> {
        let mut digest = mac.enter(SEQUENCE, "MAC")?;
        let mut algorithm = digest.enter(SEQUENCE, "algorithm of the MAC")?;
        let oid = algorithm.oid("algorithm of the MAC")?;
        let expected = digest.take(OCTET_STRING, "value of the MAC")?.content;
        if oid == PBMAC1 {
            return Self::read_pbmac1(&mut algorithm, expected);
        }
        let hash = Hash::of_digest(&oid).ok_or_else(|| unsupported("a MAC", &oid))?;
        algorithm.optional(NULL, "parameters of the MAC")?;
        let salt = mac.take(OCTET_STRING, "salt of the MAC")?.content;
        let iterations = match mac.peek() {
            Some(INTEGER) => pbe::count(mac, "iteration count of the MAC")?,
            _ => 1,
        };
        Ok(Self { derivation: Derivation::Pkcs12 { salt, iterations }, hash, expected })
    }

    /// PBMAC1-params (RFC 8018 appendix A.5).
    fn read_pbmac1(algorithm: &mut Cursor<'a>, expected: &'a [u8]) -> Result<Self> {
        let mut parameters = algorithm.enter(SEQUENCE, "parameters of PBMAC1")?;
        let mut derivation = parameters.enter(SEQUENCE, "key derivation of PBMAC1")?;
        let mut scheme = parameters.enter(SEQUENCE, "authentication scheme of PBMAC1")?;
        let oid = scheme.oid("authentication scheme of PBMAC1")?;
        let hash = Hash::of_hmac(&oid).ok_or_else(|| unsupported("PBMAC1", &oid))?;
        let oid = derivation.oid("key derivation of PBMAC1")?;
        if oid != pbe::PBKDF2 {
            return Err(unsupported("PBMAC1 with a key derivation", &oid));
        }
        let mut parameters = derivation.enter(SEQUENCE, "key derivation of PBMAC1")?;
        let salt = parameters.take(OCTET_STRING, "salt of PBMAC1")?.content;
        let (derivation_hash, iterations, key_bytes) = pbe::read_pbkdf2(&mut parameters)?;
        let allowed = PBMAC1_LEAST_KEY_BYTES..=PBMAC1_MOST_KEY_BYTES;
        let key_bytes = key_bytes.filter(|bytes| allowed.contains(bytes)).ok_or_else(|| {
            let length = key_bytes.map_or_else(|| "no length".to_owned(), |bytes| format!("{bytes} bytes"));
            let detail = format!("PBMAC1 with a key of {length}; 20 to 1024 bytes are allowed");
            Error::new(Code::ParameterInvalid, detail)
        })?;
        let key_bytes = usize::try_from(key_bytes).unwrap_or_default();
        let derivation = Derivation::Pbkdf2 { hash: derivation_hash, salt, iterations, key_bytes };
        Ok(Self { derivation, hash, expected })
    }

    /// The cost of a check with this password.
    pub(super) fn cost(&self, password: &[u8]) -> Cost {
        match &self.derivation {
            Derivation::Pkcs12 { iterations, .. } => {
                Cost::of(*iterations, password::pkcs12_forms(password), self.hash.weight())
            }
            Derivation::Pbkdf2 { hash, iterations, key_bytes, .. } => {
                Cost::of(*iterations, key_bytes.div_ceil(hash.output_bytes()) as u64, hash.weight())
            }
        }
    }

    /// Tells whether the password makes this MAC of the content.
    ///
    /// The cost must have been taken from a budget before.
    pub(super) fn matches(&self, password: &[u8], content: &[u8]) -> Result<bool> {
        match &self.derivation {
            Derivation::Pkcs12 { salt, iterations } => Ok(password::pkcs12(password).iter().any(|form| {
                let bytes = self.hash.output_bytes();
                let key = kdf::pkcs12(self.hash, form, salt, *iterations, kdf::PKCS12_MAC, bytes);
                kdf::hmac_matches(self.hash, &key, content, self.expected)
            })),
            Derivation::Pbkdf2 { hash, salt, iterations, key_bytes } => {
                let key = kdf::pbkdf2(*hash, password, salt, *iterations, *key_bytes)?;
                Ok(kdf::hmac_matches(self.hash, &key, content, self.expected))
            }
        }
    }
}

/// Algorithms that writers offer for a MAC and that are not served, by name: digests, then HMAC with them.
const NAMES: &[(&str, &str)] = &[
    ("2.16.840.1.101.3.4.2.7", "SHA3-224"),
    ("2.16.840.1.101.3.4.2.8", "SHA3-256"),
    ("2.16.840.1.101.3.4.2.9", "SHA3-384"),
    ("2.16.840.1.101.3.4.2.10", "SHA3-512"),
    ("2.16.840.1.101.3.4.2.13", "HMAC-SHA3-224"),
    ("2.16.840.1.101.3.4.2.14", "HMAC-SHA3-256"),
    ("2.16.840.1.101.3.4.2.15", "HMAC-SHA3-384"),
    ("2.16.840.1.101.3.4.2.16", "HMAC-SHA3-512"),
    ("1.2.840.113549.2.5", "MD5"),
    ("1.3.36.3.2.1", "RIPEMD-160"),
    ("1.2.156.10197.1.401", "SM3"),
    ("1.2.643.7.1.1.2.2", "GOST R 34.11-2012 (256 bits)"),
    ("1.2.643.7.1.1.2.3", "GOST R 34.11-2012 (512 bits)"),
];

fn unsupported(what: &str, oid: &str) -> Error {
    let name = NAMES.iter().find(|(known, _)| *known == oid).map_or("an unknown algorithm", |(_, name)| name);
    let error = Error::new(Code::EncryptionUnsupported, format!("{what} by {name} ({oid})"));
    error.with_hint("Export it with a MAC of SHA-256: openssl pkcs12 -export -macalg sha256.")
}
