//! Password-based encryption: its parameters, what they cost, and decryption.
//!
//! PBES2 (RFC 8018 section 6.2) with PBKDF2 or scrypt (RFC 7914), and the schemes of RFC 7292 appendix C. Parameters
//! are read apart from their use, so that the cost is known, and refused, before anything is derived.

use zeroize::Zeroizing;

use super::cipher::{self, Cipher};
use super::cost::Cost;
use super::kdf::{self, Hash};
use crate::der::{Cursor, INTEGER, NULL, OCTET_STRING, SEQUENCE};
use crate::error::{Code, Error, Result};
use crate::keystore::password;

/// The key derivation of RFC 8018 section 5.2.
pub(crate) const PBKDF2: &str = "1.2.840.113549.1.5.12";

/// The encryption of a key or of a part of a store.
pub(crate) struct Scheme {
    kdf: Kdf,
    cipher: Cipher,
    /// Empty if the key derivation gives it.
    iv: Vec<u8>,
    salt: Vec<u8>,
    /// The code for malformed content.
    code: Code,
}

enum Kdf {
    Pbkdf2 { hash: Hash, iterations: u64 },
    Scrypt { n: u64, r: u64, p: u64 },
    Pkcs12 { iterations: u64 },
}

impl Scheme {
    /// Reads an AlgorithmIdentifier. `code` is what malformed parameters are reported with.
    ///
    /// # Errors
    /// `code`; `ENCRYPTION_UNSUPPORTED` with the algorithm's name; `PARAMETER_INVALID`.
    pub(crate) fn read(der: &mut Cursor<'_>, code: Code) -> Result<Self> {
        let mut algorithm = der.enter(SEQUENCE, "encryption algorithm")?;
        let oid = algorithm.oid("encryption algorithm")?;
        let cipher = match oid.as_str() {
            "1.2.840.113549.1.5.13" => return Self::read_pbes2(&mut algorithm, code),
            "1.2.840.113549.1.12.1.3" => Cipher::TripleDes,
            "1.2.840.113549.1.12.1.5" => Cipher::Rc2 { key_bytes: 16 },
            "1.2.840.113549.1.12.1.6" => Cipher::Rc2 { key_bytes: 5 },
            oid => return Err(unsupported(oid)),
        };
        let mut parameters = algorithm.enter(SEQUENCE, "PKCS#12 encryption parameters")?;
        let salt = parameters.take(OCTET_STRING, "salt")?.content.to_vec();
        let iterations = count(&mut parameters, "iteration count")?;
        Ok(Self { kdf: Kdf::Pkcs12 { iterations }, cipher, iv: Vec::new(), salt, code })
    }

    fn read_pbes2(algorithm: &mut Cursor<'_>, code: Code) -> Result<Self> {
        let mut parameters = algorithm.enter(SEQUENCE, "PBES2 parameters")?;
        let mut derivation = parameters.enter(SEQUENCE, "key derivation")?;
        let mut encryption = parameters.enter(SEQUENCE, "encryption scheme")?;
        let cipher = match encryption.oid("encryption scheme")?.as_str() {
            "2.16.840.1.101.3.4.1.2" => Cipher::Aes128,
            "2.16.840.1.101.3.4.1.22" => Cipher::Aes192,
            "2.16.840.1.101.3.4.1.42" => Cipher::Aes256,
            "1.2.840.113549.3.7" => Cipher::TripleDes,
            oid => return Err(unsupported(oid)),
        };
        let iv = encryption.take(OCTET_STRING, "initialization vector")?.content.to_vec();
        if iv.len() != cipher.block_bytes() {
            let detail = format!("an initialization vector of {} bytes for {}", iv.len(), cipher.name());
            return Err(Error::new(Code::ParameterInvalid, detail));
        }
        let oid = derivation.oid("key derivation")?;
        let mut parameters = derivation.enter(SEQUENCE, "key derivation parameters")?;
        let salt = parameters.take(OCTET_STRING, "salt")?.content.to_vec();
        let (kdf, key_bytes) = match oid.as_str() {
            PBKDF2 => {
                let (hash, iterations, key_bytes) = read_pbkdf2(&mut parameters)?;
                (Kdf::Pbkdf2 { hash, iterations }, key_bytes)
            }
            "1.3.6.1.4.1.11591.4.11" => read_scrypt(&mut parameters)?,
            oid => return Err(unsupported(oid)),
        };
        parameters.end("key derivation parameters")?;
        match key_bytes {
            Some(bytes) if bytes != cipher.key_bytes() as u64 => {
                Err(Error::new(Code::ParameterInvalid, format!("a key of {bytes} bytes for {}", cipher.name())))
            }
            _ => Ok(Self { kdf, cipher, iv, salt, code }),
        }
    }

    /// The cost of a decryption with this password, whichever of its forms is the right one.
    pub(crate) fn cost(&self, password: &[u8]) -> Cost {
        match &self.kdf {
            Kdf::Pbkdf2 { hash, iterations } => {
                Cost::of(*iterations, self.cipher.key_bytes().div_ceil(hash.output_bytes()) as u64, hash.weight())
            }
            // One step of scrypt's mixing takes about as long as three iterations of PBKDF2.
            Kdf::Scrypt { n, r, p } => Cost {
                memory: n.saturating_add(*p).saturating_mul(*r).saturating_mul(128),
                ..Cost::of(n.saturating_mul(*r), *p, 3)
            },
            Kdf::Pkcs12 { iterations } => {
                let hash = Hash::Sha1;
                let blocks = self.cipher.key_bytes().div_ceil(hash.output_bytes()) as u64 + 1;
                Cost::of(*iterations, blocks, hash.weight() * password::pkcs12_forms(password))
            }
        }
    }

    /// The scheme in words, e.g. `PBES2 (PBKDF2 HMAC-SHA-256, 10000 iterations; AES-256-CBC)`.
    pub(crate) fn name(&self) -> String {
        let cipher = self.cipher.name();
        match &self.kdf {
            Kdf::Pbkdf2 { hash, iterations } => {
                format!("PBES2 (PBKDF2 HMAC-{}, {iterations} iterations; {cipher})", hash.name())
            }
            Kdf::Scrypt { n, r, p } => format!("PBES2 (scrypt N={n} r={r} p={p}; {cipher})"),
            Kdf::Pkcs12 { iterations } => format!("PKCS#12 PBE (SHA-1, {iterations} iterations; {cipher})"),
        }
    }

    /// Decrypts, and returns the first plaintext that `accept` takes; `None` means that the password is wrong.
    ///
    /// The cost must have been taken from a budget before.
    pub(crate) fn decrypt(
        &self,
        password: &[u8],
        ciphertext: &[u8],
        accept: fn(&[u8]) -> bool,
    ) -> Result<Option<Zeroizing<Vec<u8>>>> {
        if ciphertext.is_empty() || !ciphertext.len().is_multiple_of(self.cipher.block_bytes()) {
            let detail = format!("{} encrypted bytes are not whole blocks of {}", ciphertext.len(), self.cipher.name());
            return Err(Error::new(self.code, detail));
        }
        let open =
            |key: &[u8], iv: &[u8]| cipher::decrypt(self.cipher, key, iv, ciphertext).filter(|plain| accept(plain));
        match &self.kdf {
            Kdf::Pkcs12 { iterations } => {
                let hash = Hash::Sha1;
                Ok(password::pkcs12(password).iter().find_map(|form| {
                    let derive = |id, bytes| kdf::pkcs12(hash, form, &self.salt, *iterations, id, bytes);
                    let key = derive(kdf::PKCS12_KEY, self.cipher.key_bytes());
                    open(&key, &derive(kdf::PKCS12_IV, self.cipher.block_bytes()))
                }))
            }
            Kdf::Pbkdf2 { hash, iterations } => {
                let key = kdf::pbkdf2(*hash, password, &self.salt, *iterations, self.cipher.key_bytes())?;
                Ok(open(&key, &self.iv))
            }
            Kdf::Scrypt { n, r, p } => {
                let key = kdf::scrypt(password, &self.salt, (*n, *r, *p), self.cipher.key_bytes())?;
                Ok(open(&key, &self.iv))
            }
        }
    }
}

/// The rest of PBKDF2's parameters behind the salt (RFC 8018 appendix A.2): hash, iterations and length of the key in
/// bytes. The hash is SHA-1 if none is named.
pub(crate) fn read_pbkdf2(parameters: &mut Cursor<'_>) -> Result<(Hash, u64, Option<u64>)> {
    let iterations = count(parameters, "iteration count")?;
    let key_bytes = match parameters.peek() {
        Some(INTEGER) => Some(parameters.unsigned("key length")?),
        _ => None,
    };
    let hash = match parameters.is_empty() {
        true => Hash::Sha1,
        false => {
            let mut prf = parameters.enter(SEQUENCE, "pseudo-random function")?;
            let oid = prf.oid("pseudo-random function")?;
            prf.optional(NULL, "parameters of the pseudo-random function")?;
            Hash::of_hmac(&oid).ok_or_else(|| unsupported(&oid))?
        }
    };
    Ok((hash, iterations, key_bytes))
}

/// RFC 7914 section 7.
fn read_scrypt(parameters: &mut Cursor<'_>) -> Result<(Kdf, Option<u64>)> {
    let n = count(parameters, "scrypt cost")?;
    let r = count(parameters, "scrypt block size")?;
    let p = count(parameters, "scrypt parallelization")?;
    let key_bytes = match parameters.is_empty() {
        true => None,
        false => Some(parameters.unsigned("key length")?),
    };
    if n < 2 || !n.is_power_of_two() {
        return Err(Error::new(Code::ParameterInvalid, format!("a scrypt cost of {n}, which is no power of two")));
    }
    Ok((Kdf::Scrypt { n, r, p }, key_bytes))
}

/// A number from 1.
pub(crate) fn count(der: &mut Cursor<'_>, what: &str) -> Result<u64> {
    match der.unsigned(what)? {
        0 => Err(Error::new(Code::ParameterInvalid, format!("{what} is 0"))),
        count => Ok(count),
    }
}

/// The name of an unsupported algorithm, or its object identifier.
fn unsupported(oid: &str) -> Error {
    let name = match oid {
        "1.2.840.113549.1.5.1" => "PBES1 MD2 DES",
        "1.2.840.113549.1.5.3" => "PBES1 MD5 DES",
        "1.2.840.113549.1.5.4" => "PBES1 MD2 RC2",
        "1.2.840.113549.1.5.6" => "PBES1 MD5 RC2",
        "1.2.840.113549.1.5.10" => "PBES1 SHA-1 DES",
        "1.2.840.113549.1.5.11" => "PBES1 SHA-1 RC2",
        "1.2.840.113549.1.12.1.1" => "PKCS#12 PBE RC4-128",
        "1.2.840.113549.1.12.1.2" => "PKCS#12 PBE RC4-40",
        "1.2.840.113549.1.12.1.4" => "PKCS#12 PBE 2-key 3DES",
        "1.3.14.3.2.7" => "DES-CBC",
        "1.2.840.113549.3.2" => "RC2-CBC",
        "2.16.840.1.101.3.4.1.6" => "AES-128-GCM",
        "2.16.840.1.101.3.4.1.7" => "AES-128-CCM",
        "2.16.840.1.101.3.4.1.26" => "AES-192-GCM",
        "2.16.840.1.101.3.4.1.27" => "AES-192-CCM",
        "2.16.840.1.101.3.4.1.46" => "AES-256-GCM",
        "2.16.840.1.101.3.4.1.47" => "AES-256-CCM",
        "2.16.840.1.101.3.4.1.1" | "2.16.840.1.101.3.4.1.21" | "2.16.840.1.101.3.4.1.41" => "AES-ECB",
        "1.2.392.200011.61.1.1.1.2" => "Camellia-128-CBC",
        "1.2.392.200011.61.1.1.1.3" => "Camellia-192-CBC",
        "1.2.392.200011.61.1.1.1.4" => "Camellia-256-CBC",
        "1.2.410.200004.1.4" => "SEED-CBC",
        "1.2.410.200046.1.1.2" => "ARIA-128-CBC",
        "1.2.410.200046.1.1.7" => "ARIA-192-CBC",
        "1.2.410.200046.1.1.12" => "ARIA-256-CBC",
        "1.2.156.10197.1.104.2" => "SM4-CBC",
        "1.2.840.113549.1.9.16.3.18" => "ChaCha20-Poly1305",
        "1.2.643.2.2.21" => "GOST 28147-89",
        _ => "an unknown algorithm",
    };
    Error::new(Code::EncryptionUnsupported, format!("{name} ({oid})"))
}
