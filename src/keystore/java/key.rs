//! Private keys as Java's own stores encrypt them: JKS with a stream made by SHA-1, JCEKS with triple DES by MD5.
//!
//! Both are what sun.security.provider.KeyProtector and com.sun.crypto.provider.KeyProtector do; neither is documented
//! elsewhere.

use md5::Md5;
use sha1::{Digest, Sha1};
use zeroize::Zeroizing;

use crate::der::{Cursor, OCTET_STRING, SEQUENCE};
use crate::error::{Code, Error, Result};
use crate::keystore::crypto::cipher::{self, Cipher};
use crate::keystore::crypto::cost::Cost;
use crate::keystore::crypto::pbe;
use crate::keystore::key_form::Form;
use crate::keystore::password;

const SHA1_BYTES: usize = 20;
const SALT_BYTES: usize = 8;

/// An encrypted key and its parameters.
pub(crate) enum JavaKey {
    /// Salt, ciphertext, check.
    Jks(Vec<u8>),
    Jceks {
        salt: [u8; SALT_BYTES],
        iterations: u64,
        ciphertext: Vec<u8>,
    },
}

impl JavaKey {
    /// Reads an EncryptedPrivateKeyInfo with one of Java's own algorithms.
    ///
    /// # Errors
    /// `KEY_MALFORMED`, `ENCRYPTION_UNSUPPORTED`, `PARAMETER_INVALID`.
    pub(crate) fn read(der: &[u8]) -> Result<Self> {
        let mut content = Cursor::new(der, Code::KeyMalformed).enter(SEQUENCE, "encrypted key")?;
        let mut algorithm = content.enter(SEQUENCE, "encryption algorithm")?;
        let oid = algorithm.oid("encryption algorithm")?;
        let ciphertext = content.take(OCTET_STRING, "encrypted key")?.content.to_vec();
        match oid.as_str() {
            "1.3.6.1.4.1.42.2.17.1.1" if ciphertext.len() < 2 * SHA1_BYTES => {
                Err(Error::new(Code::KeyMalformed, format!("{} encrypted bytes", ciphertext.len())))
            }
            "1.3.6.1.4.1.42.2.17.1.1" => Ok(Self::Jks(ciphertext)),
            "1.3.6.1.4.1.42.2.19.1" => {
                let mut parameters = algorithm.enter(SEQUENCE, "encryption parameters")?;
                let salt = <[u8; SALT_BYTES]>::try_from(parameters.take(OCTET_STRING, "salt")?.content);
                let salt = salt.map_err(|_| Error::new(Code::ParameterInvalid, "a salt that has not 8 bytes"))?;
                let iterations = pbe::count(&mut parameters, "iteration count")?;
                if ciphertext.is_empty() || !ciphertext.len().is_multiple_of(Cipher::TripleDes.block_bytes()) {
                    let detail = format!("{} encrypted bytes are not whole blocks", ciphertext.len());
                    return Err(Error::new(Code::KeyMalformed, detail));
                }
                Ok(Self::Jceks { salt, iterations, ciphertext })
            }
            oid => Err(Error::new(Code::EncryptionUnsupported, format!("an unknown algorithm ({oid})"))),
        }
    }

    pub(crate) fn cost(&self) -> Cost {
        match self {
            Self::Jks(_) => Cost::default(),
            // No processor has instructions for MD5.
            Self::Jceks { iterations, .. } => Cost::of(*iterations, 2, 2),
        }
    }

    pub(crate) fn name(&self) -> String {
        match self {
            Self::Jks(_) => "JKS (SHA-1, 1 iteration)".to_owned(),
            Self::Jceks { iterations, .. } => format!("JCEKS (MD5, {iterations} iterations; DES-EDE3-CBC)"),
        }
    }

    /// `None` if the password is wrong.
    pub(crate) fn decrypt(&self, password: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        match self {
            Self::Jks(protected) => decrypt_jks(protected, &password::utf16(password)),
            Self::Jceks { salt, iterations, ciphertext } => {
                let material = derive_jceks(password, *salt, *iterations);
                let (key, iv) = material.split_at_checked(Cipher::TripleDes.key_bytes())?;
                cipher::decrypt(Cipher::TripleDes, key, iv, ciphertext)
                    .filter(|plain| Form::of(plain) == Some(Form::Pkcs8))
            }
        }
    }
}

fn decrypt_jks(protected: &[u8], password: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (salt, rest) = protected.split_at_checked(SHA1_BYTES)?;
    let (ciphertext, check) = rest.split_at_checked(rest.len().checked_sub(SHA1_BYTES)?)?;
    let mut plain = Zeroizing::new(Vec::with_capacity(ciphertext.len()));
    let mut stream = Zeroizing::new(salt.to_vec());
    for block in ciphertext.chunks(SHA1_BYTES) {
        let next = Sha1::new().chain_update(password).chain_update(stream.as_slice()).finalize();
        stream.copy_from_slice(&next);
        plain.extend(block.iter().zip(stream.iter()).map(|(byte, key)| byte ^ key));
    }
    let digest = Sha1::new().chain_update(password).chain_update(plain.as_slice()).finalize();
    (digest.as_slice() == check).then_some(plain)
}

/// Key and initialization vector: each half of the salt hashed with the password as often as is said; if the halves
/// are equal, the first is reversed.
fn derive_jceks(password: &[u8], mut salt: [u8; SALT_BYTES], iterations: u64) -> Zeroizing<Vec<u8>> {
    let (first, second) = salt.split_at_mut(SALT_BYTES / 2);
    if first == second {
        first.reverse();
    }
    let mut material = Zeroizing::new(Vec::with_capacity(32));
    for half in salt.chunks(SALT_BYTES / 2) {
        let mut hash = Md5::new().chain_update(half).chain_update(password).finalize();
        for _ in 1..iterations {
            hash = Md5::new().chain_update(hash).chain_update(password).finalize();
        }
        material.extend_from_slice(&hash);
    }
    material
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A minimal PKCS#8 structure, encrypted with Java's PBEWithMD5AndTripleDES and this salt.
    fn decrypted(salt: [u8; SALT_BYTES], ciphertext: [u8; 8]) -> Option<Vec<u8>> {
        let key = JavaKey::Jceks { salt, iterations: 10, ciphertext: ciphertext.to_vec() };
        key.decrypt(b"secret").map(|plain| plain.to_vec())
    }

    #[test]
    fn jceks_derivation_is_javas_also_where_the_halves_of_the_salt_are_equal() {
        let plain = Some(vec![0x30, 5, 2, 1, 0, 0x30, 0]);
        assert_eq!(decrypted([1, 2, 3, 4, 5, 6, 7, 8], 0x1086_7933_a419_5c53u64.to_be_bytes()), plain);
        assert_eq!(decrypted([1, 2, 3, 4, 1, 2, 3, 4], 0xb9c9_b47f_560f_2c19u64.to_be_bytes()), plain);
        assert_eq!(decrypted([1, 2, 3, 4, 1, 2, 3, 5], 0xb9c9_b47f_560f_2c19u64.to_be_bytes()), None);
    }

    #[test]
    fn jks_key_shorter_than_its_salt_and_check_is_malformed() {
        let oid = [6, 10, 0x2b, 6, 1, 4, 1, 0x2a, 2, 17, 1, 1];
        let der = [&[0x30, 18, 0x30, 12][..], &oid, &[4, 2, 0, 0]].concat();
        assert_eq!(JavaKey::read(&der).err().unwrap().code(), Code::KeyMalformed);
    }
}
