//! Encryption with a password, for what is written: PBES2 as current programs write it, or the form that old programs
//! read.

use super::cipher::{self, Cipher};
use super::cost::Cost;
use super::kdf::{self, Hash};
use crate::der::{INTEGER, NULL, OCTET_STRING, OID, SEQUENCE, element};
use crate::error::{Code, Error, Result};
use crate::keystore::password;
use crate::random;

const SALT_BYTES: usize = 20;
const IV_BYTES: usize = 16;

const PBES2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d];
const PBKDF2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0c];
const HMAC_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x09];
const AES_256_CBC: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2a];
/// RFC 7292 appendix C.
const PBE_SHA1_TRIPLE_DES: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x01, 0x03];
const SHA1: &[u8] = &[0x2b, 0x0e, 0x03, 0x02, 0x1a];
const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];

/// The algorithms of what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strength {
    /// PBES2 with PBKDF2 by HMAC-SHA-256 and AES-256-CBC; a MAC by SHA-256.
    Current,
    /// PKCS#12's own derivation with triple DES; a MAC by SHA-1. Java before 8u301 and Windows before 1709 read no
    /// other.
    Legacy,
}

/// A password with the algorithms that it is used with.
pub(crate) struct Seal<'a> {
    pub(crate) password: &'a [u8],
    pub(crate) strength: Strength,
    pub(crate) iterations: u32,
}

impl Seal<'_> {
    /// The cost of one encryption, for the program that reads it.
    pub(crate) fn cost(&self) -> Cost {
        let iterations = u64::from(self.iterations);
        match self.strength {
            Strength::Current => Cost::of(iterations, 1, Hash::Sha256.weight()),
            Strength::Legacy => Cost::of(iterations, 3, Hash::Sha1.weight() * password::pkcs12_forms(self.password)),
        }
    }

    /// The cost of the MAC, for the program that checks it.
    pub(crate) fn mac_cost(&self) -> Cost {
        Cost::of(u64::from(self.iterations), password::pkcs12_forms(self.password), 1)
    }

    /// Encrypts. Returns the AlgorithmIdentifier and the ciphertext.
    ///
    /// # Errors
    /// `INTERNAL` if the system has no random numbers.
    pub(crate) fn seal(&self, plain: &[u8]) -> Result<(Vec<u8>, Vec<u8>)> {
        let salt: [u8; SALT_BYTES] = random_bytes()?;
        match self.strength {
            Strength::Current => self.seal_pbes2(&salt, plain),
            Strength::Legacy => self.seal_pkcs12(&salt, plain),
        }
    }

    /// RFC 8018 section 6.2 and appendix A.4.
    fn seal_pbes2(&self, salt: &[u8], plain: &[u8]) -> Result<(Vec<u8>, Vec<u8>)> {
        let iv: [u8; IV_BYTES] = random_bytes()?;
        let iterations = u64::from(self.iterations);
        let key = kdf::pbkdf2(Hash::Sha256, self.password, salt, iterations, Cipher::Aes256.key_bytes())?;
        let ciphertext = cipher::encrypt_aes_256(&key, iv, plain).ok_or_else(no_cipher)?;
        let prf = element(SEQUENCE, &[&element(OID, &[HMAC_SHA256]), &element(NULL, &[])]);
        // The length of the key is left out: RFC 8018 makes it optional, and the cipher says it.
        let parameters = element(SEQUENCE, &[&element(OCTET_STRING, &[salt]), &integer(self.iterations), &prf]);
        let derivation = element(SEQUENCE, &[&element(OID, &[PBKDF2]), &parameters]);
        let scheme = element(SEQUENCE, &[&element(OID, &[AES_256_CBC]), &element(OCTET_STRING, &[&iv])]);
        let parameters = element(SEQUENCE, &[&derivation, &scheme]);
        Ok((element(SEQUENCE, &[&element(OID, &[PBES2]), &parameters]), ciphertext))
    }

    /// RFC 7292 appendix C.
    fn seal_pkcs12(&self, salt: &[u8], plain: &[u8]) -> Result<(Vec<u8>, Vec<u8>)> {
        let form = password::pkcs12_written(self.password);
        let derive = |id, bytes| kdf::pkcs12(Hash::Sha1, &form, salt, u64::from(self.iterations), id, bytes);
        let key = derive(kdf::PKCS12_KEY, Cipher::TripleDes.key_bytes());
        let iv = derive(kdf::PKCS12_IV, Cipher::TripleDes.block_bytes());
        let ciphertext = cipher::encrypt_triple_des(&key, &iv, plain).ok_or_else(no_cipher)?;
        let parameters = element(SEQUENCE, &[&element(OCTET_STRING, &[salt]), &integer(self.iterations)]);
        Ok((element(SEQUENCE, &[&element(OID, &[PBE_SHA1_TRIPLE_DES]), &parameters]), ciphertext))
    }

    /// MacData of this content (RFC 7292 section 4).
    ///
    /// # Errors
    /// `INTERNAL` if the system has no random numbers.
    pub(crate) fn mac(&self, content: &[u8]) -> Result<Vec<u8>> {
        let (hash, oid) = match self.strength {
            Strength::Current => (Hash::Sha256, SHA256),
            Strength::Legacy => (Hash::Sha1, SHA1),
        };
        let salt: [u8; SALT_BYTES] = random_bytes()?;
        let form = password::pkcs12_written(self.password);
        let iterations = u64::from(self.iterations);
        let key = kdf::pkcs12(hash, &form, &salt, iterations, kdf::PKCS12_MAC, hash.output_bytes());
        let value = kdf::hmac(hash, &key, content);
        let algorithm = element(SEQUENCE, &[&element(OID, &[oid]), &element(NULL, &[])]);
        let digest = element(SEQUENCE, &[&algorithm, &element(OCTET_STRING, &[&value])]);
        Ok(element(SEQUENCE, &[&digest, &element(OCTET_STRING, &[&salt]), &integer(self.iterations)]))
    }
}

fn random_bytes<const BYTES: usize>() -> Result<[u8; BYTES]> {
    let mut random = [0; BYTES];
    random::fill(&mut random).map_err(|_| Error::new(Code::Internal, "no random numbers"))?;
    Ok(random)
}

fn no_cipher() -> Error {
    Error::new(Code::Internal, "a cipher refused its own key")
}

/// An INTEGER that is not negative.
fn integer(number: u32) -> Vec<u8> {
    let bytes = u64::from(number).to_be_bytes();
    // One byte of zeros stays before a first bit that is set.
    let start = bytes.windows(2).position(|pair| pair[0] != 0 || pair[1] >= 0x80).unwrap_or(bytes.len() - 1);
    element(INTEGER, &[bytes.get(start..).unwrap_or_default()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_never_negative_and_have_their_shortest_form() {
        let cases: [(u32, &[u8]); 5] =
            [(0, &[0]), (127, &[127]), (128, &[0, 128]), (10_000, &[0x27, 0x10]), (u32::MAX, &[0, 255, 255, 255, 255])];
        for (number, content) in cases {
            assert_eq!(integer(number), element(INTEGER, &[content]), "{number}");
        }
    }
}
