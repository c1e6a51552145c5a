//! Private keys: their encodings, what they say of themselves, and how they are decrypted.
//!
//! signing.rs checks that a key can sign.

use std::fmt;

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};
use zeroize::Zeroizing;

use super::crypto::cost::Cost;
use super::crypto::pbe::Scheme;
use super::dsa_form;
use super::java::key::JavaKey;
use super::key_form::Form;
use super::pkcs12::ber;
use super::traditional::Traditional;
use crate::certificate::oid::{curve_name, key_algorithm};
use crate::der::{CONTEXT_0, Cursor, INTEGER, OCTET_STRING, OID, SEQUENCE};
use crate::error::{Code, Error, Result};

/// RSA keys below this are signed with by [`SmallRsaKey`].
pub(super) const RSA_SMALL_BELOW_BITS: usize = 2048;
/// RSA keys below this are refused.
pub(super) const RSA_LEAST_BITS: usize = 1024;
/// Largest public exponent, bits.
pub(super) const RSA_MOST_EXPONENT_BITS: usize = 33;
const RSA: &str = "1.2.840.113549.1.1.1";
const EC: &str = "1.2.840.10045.2.1";
/// The algorithms that are served beside these two: Ed25519, and ML-DSA-44, -65 and -87.
const SERVED: [&str; 4] =
    ["1.3.101.112", "2.16.840.1.101.3.4.3.17", "2.16.840.1.101.3.4.3.18", "2.16.840.1.101.3.4.3.19"];

/// A key that is not, or no longer, encrypted. Wiped when dropped.
pub(super) struct PlainKey {
    form: Form,
    der: Zeroizing<Vec<u8>>,
}

impl PlainKey {
    /// # Errors
    /// `KEY_MALFORMED` if it has none of the encodings.
    pub(super) fn new(der: Zeroizing<Vec<u8>>) -> Result<Self> {
        match Form::of(&der) {
            Some(Form::Dsa) => Ok(Self { form: Form::Pkcs8, der: Zeroizing::new(dsa_form::to_pkcs8(&der)?) }),
            Some(form) => Ok(Self { form, der }),
            None => Err(Error::new(Code::KeyMalformed, "neither PKCS#8, PKCS#1 nor SEC1")),
        }
    }

    pub(super) fn algorithm(&self) -> Result<Algorithm> {
        Algorithm::of(self.form, &self.der)
    }

    pub(super) fn to_private_key(&self) -> Zeroizing<PrivateKeyDer<'static>> {
        let der = self.version_1().unwrap_or_else(|| self.der.to_vec());
        Zeroizing::new(match self.form {
            Form::Pkcs8 | Form::Dsa => PrivatePkcs8KeyDer::from(der).into(),
            Form::Pkcs1 => PrivatePkcs1KeyDer::from(der).into(),
            Form::Sec1 => PrivateSec1KeyDer::from(der).into(),
        })
    }

    fn version_1(&self) -> Option<Vec<u8>> {
        version_1(&self.der).filter(|_| self.form == Form::Pkcs8)
    }
}

/// A PKCS#8 key of RSA or EC without what version 2 may add, its public half and attributes (RFC 5958 section 2):
/// aws-lc-rs and older Java read version 1 only. `None` for a key that has nothing of this.
///
/// The caller wipes it.
pub(super) fn version_1(der: &[u8]) -> Option<Vec<u8>> {
    let mut content = Cursor::new(der, Code::KeyMalformed).enter(SEQUENCE, "PKCS#8 key").ok()?;
    let version = content.unsigned("version").ok()?;
    let algorithm = content.take(SEQUENCE, "algorithm").ok()?;
    let key = content.take(OCTET_STRING, "private key").ok()?;
    let oid = Cursor::new(algorithm.content, Code::KeyMalformed).oid("algorithm").ok()?;
    if !matches!(oid.as_str(), RSA | EC) || version > 1 || version == 0 && content.is_empty() {
        return None;
    }
    let parts = [&[INTEGER, 1, 0], algorithm.whole, key.whole];
    let content = Zeroizing::new(parts.concat());
    let mut out = Vec::with_capacity(content.len().saturating_add(ber::MAX_HEADER_BYTES));
    ber::write(SEQUENCE, &content, &mut out);
    Some(out)
}

/// The type of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Algorithm {
    /// Kind and size, e.g. `RSA 2048`, `EC P-256`.
    pub(super) name: String,
    /// The modulus' size, of an RSA key.
    pub(super) rsa_bits: Option<usize>,
    /// Returns true if keys of this type are supported.
    pub(super) served: bool,
}

impl Algorithm {
    /// Reads as much of the key as says what it is.
    ///
    /// # Errors
    /// `KEY_MALFORMED`.
    pub(super) fn of(form: Form, der: &[u8]) -> Result<Self> {
        match form {
            Form::Pkcs1 => rsa(der),
            Form::Dsa => Ok(named(dsa_form::NAME, false)),
            Form::Sec1 => sec1(der),
            Form::Pkcs8 => {
                let (oid, mut parameters, key) = pkcs8(der)?;
                match oid.as_str() {
                    RSA => rsa(key),
                    EC if parameters.peek() == Some(OID) => Ok(curve(&parameters.oid("curve")?)),
                    EC => Ok(named("EC, parameters written out", true)),
                    oid => Ok(match key_algorithm(oid) {
                        Some(name) => named(name, SERVED.contains(&oid)),
                        None => named(&format!("an unknown algorithm ({oid})"), false),
                    }),
                }
            }
        }
    }
}

fn named(name: &str, served: bool) -> Algorithm {
    Algorithm { name: name.to_owned(), rsa_bits: None, served }
}

/// Algorithm, its parameters and the key itself (RFC 5958 section 2).
pub(super) fn pkcs8(der: &[u8]) -> Result<(String, Cursor<'_>, &[u8])> {
    let mut content = Cursor::new(der, Code::KeyMalformed).enter(SEQUENCE, "PKCS#8 key")?;
    content.unsigned("version of the PKCS#8 key")?;
    let mut algorithm = content.enter(SEQUENCE, "algorithm of the PKCS#8 key")?;
    let oid = algorithm.oid("algorithm of the PKCS#8 key")?;
    Ok((oid, algorithm, content.take(OCTET_STRING, "private key")?.content))
}

/// Keys with several primes, or with a long public exponent, are read by other programs and not served here.
fn rsa(pkcs1: &[u8]) -> Result<Algorithm> {
    let mut content = Cursor::new(pkcs1, Code::KeyMalformed).enter(SEQUENCE, "RSA key")?;
    let version = content.unsigned("version of the RSA key")?;
    let size = bits(content.take(INTEGER, "modulus of the RSA key")?.content);
    let exponent = bits(content.take(INTEGER, "public exponent of the RSA key")?.content);
    let limit = match () {
        () if version == 1 => " with more than two primes".to_owned(),
        () if exponent > RSA_MOST_EXPONENT_BITS => format!(" with a public exponent of {exponent} bits"),
        () => String::new(),
    };
    let served = limit.is_empty() && (1024..=8192).contains(&size);
    Ok(Algorithm { name: format!("RSA {size}{limit}"), rsa_bits: Some(size), served })
}

/// The size of a big-endian number.
pub(super) fn bits(number: &[u8]) -> usize {
    match number.iter().position(|byte| *byte != 0).and_then(|start| number.get(start..)) {
        Some([first, rest @ ..]) => (8 - first.leading_zeros() as usize).saturating_add(rest.len().saturating_mul(8)),
        _ => 0,
    }
}

fn sec1(der: &[u8]) -> Result<Algorithm> {
    let mut content = Cursor::new(der, Code::KeyMalformed).enter(SEQUENCE, "EC key")?;
    content.unsigned("version of the EC key")?;
    content.take(OCTET_STRING, "private value of the EC key")?;
    match content.optional(CONTEXT_0, "parameters of the EC key")? {
        Some(parameters) if parameters.content.first() == Some(&OID) => {
            Ok(curve(&Cursor::new(parameters.content, Code::KeyMalformed).oid("curve")?))
        }
        Some(_) => Ok(named("EC, parameters written out", true)),
        None => Ok(named("EC, curve not named", true)),
    }
}

fn curve(oid: &str) -> Algorithm {
    match curve_name(oid) {
        Some(name) => named(&format!("EC {name}"), matches!(name, "P-256" | "P-384" | "P-521")),
        None => named(&format!("EC on curve {oid}"), false),
    }
}

/// A private key as it stands in a file.
pub(super) enum Material {
    /// Not encrypted.
    Plain(PlainKey),
    /// EncryptedPrivateKeyInfo (RFC 5958 section 3).
    Encrypted { scheme: Box<Scheme>, ciphertext: Vec<u8> },
    /// PEM encrypted as a whole (RFC 1421).
    Traditional(Traditional),
    /// As Java's own stores encrypt keys.
    Java(JavaKey),
    /// Known for a key, and why it cannot be used.
    Unusable(Error),
}

impl Material {
    /// A key in DER, encrypted or not.
    ///
    /// # Errors
    /// `KEY_MALFORMED`, `ENCRYPTION_UNSUPPORTED`, `PARAMETER_INVALID`.
    pub(super) fn from_der(der: Zeroizing<Vec<u8>>) -> Result<Self> {
        if !is_encrypted_pkcs8(&der) {
            return PlainKey::new(der).map(Self::Plain);
        }
        let mut content = Cursor::new(&der, Code::KeyMalformed).enter(SEQUENCE, "encrypted key")?;
        let scheme = Box::new(Scheme::read(&mut content, Code::KeyMalformed)?);
        Ok(Self::Encrypted { scheme, ciphertext: content.take(OCTET_STRING, "encrypted key")?.content.to_vec() })
    }

    /// A key that cannot be used is an entry all the same; using it is the error.
    pub(super) fn usable(material: Result<Self>) -> Self {
        material.unwrap_or_else(Self::Unusable)
    }

    pub(super) fn is_encrypted(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Unusable(error) => matches!(error.code(), Code::EncryptionUnsupported | Code::ParameterInvalid),
            Self::Encrypted { .. } | Self::Traditional(_) | Self::Java(_) => true,
        }
    }

    /// The error that keeps it from use, if that is known.
    pub(super) fn fault(&self) -> Option<&Error> {
        match self {
            Self::Unusable(error) => Some(error),
            _ => None,
        }
    }

    /// The cost of decrypting it with this password.
    pub(super) fn cost(&self, password: &[u8]) -> Cost {
        match self {
            Self::Encrypted { scheme, .. } => scheme.cost(password),
            Self::Java(key) => key.cost(),
            Self::Plain(_) | Self::Traditional(_) | Self::Unusable(_) => Cost::default(),
        }
    }

    /// The name of its encryption.
    pub(super) fn scheme(&self) -> Option<String> {
        match self {
            Self::Plain(_) => None,
            Self::Encrypted { scheme, .. } => Some(scheme.name()),
            Self::Traditional(traditional) => Some(traditional.name()),
            Self::Java(key) => Some(key.name()),
            Self::Unusable(error) => Some(error.detail().to_owned()).filter(|_| self.is_encrypted()),
        }
    }

    /// The type and size, if they are visible without a password.
    pub(super) fn algorithm(&self) -> Option<Algorithm> {
        match self {
            Self::Plain(key) => key.algorithm().ok(),
            _ => None,
        }
    }

    /// The key itself.
    ///
    /// # Errors
    /// `KEY_PASSWORD_MISSING`, `KEY_PASSWORD_WRONG`, `KEY_MALFORMED`, `ENCRYPTION_UNSUPPORTED`.
    pub(super) fn decrypt(&self, password: Option<&[u8]>) -> Result<Zeroizing<PrivateKeyDer<'static>>> {
        let plain = match (self, password) {
            (Self::Plain(key), _) => return Ok(key.to_private_key()),
            (Self::Unusable(error), _) => return Err(error.clone()),
            (_, None) => return Err(Code::KeyPasswordMissing.into()),
            (Self::Encrypted { scheme, ciphertext }, Some(password)) => {
                scheme.decrypt(password, ciphertext, |plain| Form::of(plain) == Some(Form::Pkcs8))?
            }
            (Self::Traditional(traditional), Some(password)) => traditional.decrypt(password),
            (Self::Java(key), Some(password)) => key.decrypt(password),
        };
        match plain {
            Some(plain) => Ok(PlainKey::new(plain)?.to_private_key()),
            None => Err(Code::KeyPasswordWrong.into()),
        }
    }
}

/// Says whether it is encrypted, and nothing of the key.
impl fmt::Debug for Material {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_encrypted() { "Material(encrypted)" } else { "Material(plain)" })
    }
}

/// A SEQUENCE of an AlgorithmIdentifier and an OCTET STRING.
pub(super) fn is_encrypted_pkcs8(der: &[u8]) -> bool {
    let read = || {
        let mut content = Cursor::new(der, Code::KeyMalformed).enter(SEQUENCE, "encrypted key")?;
        content.enter(SEQUENCE, "algorithm")?.oid("algorithm")?;
        content.take(OCTET_STRING, "encrypted key")
    };
    read().is_ok()
}
