//! Signature algorithms: the one table by which certificates, handshakes, revocation lists and OCSP responses are
//! checked.
//!
//! A row is a signature algorithm with one type of key. The table supports an algorithm for all uses or for none, with
//! the deviations that the operator allowed. A missing row is a different answer than a wrong signature.

mod handshake;
mod key;
mod pss;
mod refused;

use aws_lc_rs::digest::{self, Digest};
use aws_lc_rs::signature::{self as keys, UnparsedPublicKey, VerificationAlgorithm};
use rustls::pki_types::{AlgorithmIdentifier, alg_id};

pub(crate) use handshake::{HandshakeScheme, Unproven, Unusable, is_of_handshakes, scheme_name, schemes};
pub(crate) use key::{KeyParts, MAX_RSA_BITS, RSA_BITS, SMALL_RSA_BITS, rsa_bits};
pub(crate) use refused::Refused;

use crate::der::NULL;

/// The signatures that the operator allows beyond the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Allowed {
    /// RSA keys of 1024 to 2047 bits.
    pub(crate) small_rsa: bool,
    /// RSA with SHA-1. INSECURE: signatures can be forged (RFC 6194).
    pub(crate) sha1: bool,
}

/// The object that was signed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Content<'a> {
    Message(&'a [u8]),
    /// The digest, for an algorithm that signs one.
    Digest(&'a Digest),
}

/// A signature algorithm with one kind of key.
pub(crate) struct Algorithm {
    signature: AlgorithmIdentifier,
    key: AlgorithmIdentifier,
    digest: Option<&'static digest::Algorithm>,
    verifier: &'static dyn VerificationAlgorithm,
    kind: Kind,
}

/// The kinds of signatures with different checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Pkcs1,
    Pss,
    /// The key is a point.
    Ecdsa,
    /// The whole message is signed.
    Plain,
}

/// id-RSASSA-PSS, 1.2.840.113549.1.1.10, without parameters: a key for PSS alone (RFC 4055 section 1.2).
const PSS_KEY: AlgorithmIdentifier = AlgorithmIdentifier::from_slice(key::PSS_OID);
/// sha1WithRSAEncryption, 1.2.840.113549.1.1.5, with NULL.
const RSA_PKCS1_SHA1: AlgorithmIdentifier =
    AlgorithmIdentifier::from_slice(&[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5, NULL, 0]);
/// sha256WithRSAEncryption and its siblings without NULL (RFC 4055 section 5).
const RSA_PKCS1_SHA256_ABSENT: AlgorithmIdentifier =
    AlgorithmIdentifier::from_slice(&[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11]);
const RSA_PKCS1_SHA384_ABSENT: AlgorithmIdentifier =
    AlgorithmIdentifier::from_slice(&[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 12]);
const RSA_PKCS1_SHA512_ABSENT: AlgorithmIdentifier =
    AlgorithmIdentifier::from_slice(&[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 13]);

const fn ecdsa(
    signature: AlgorithmIdentifier,
    key: AlgorithmIdentifier,
    digest: &'static digest::Algorithm,
    verifier: &'static dyn VerificationAlgorithm,
) -> Algorithm {
    Algorithm { signature, key, digest: Some(digest), verifier, kind: Kind::Ecdsa }
}

const fn pkcs1(
    signature: AlgorithmIdentifier,
    digest: &'static digest::Algorithm,
    verifier: &'static dyn VerificationAlgorithm,
) -> Algorithm {
    Algorithm { signature, key: alg_id::RSA_ENCRYPTION, digest: Some(digest), verifier, kind: Kind::Pkcs1 }
}

const fn pss(
    signature: AlgorithmIdentifier,
    key: AlgorithmIdentifier,
    digest: &'static digest::Algorithm,
    verifier: &'static dyn VerificationAlgorithm,
) -> Algorithm {
    Algorithm { signature, key, digest: Some(digest), verifier, kind: Kind::Pss }
}

const fn plain(signature: AlgorithmIdentifier, verifier: &'static dyn VerificationAlgorithm) -> Algorithm {
    Algorithm { signature, key: signature, digest: None, verifier, kind: Kind::Plain }
}

/// The table.
static ALGORITHMS: &[Algorithm] = &[
    ecdsa(alg_id::ECDSA_SHA256, alg_id::ECDSA_P256, &digest::SHA256, &keys::ECDSA_P256_SHA256_ASN1),
    ecdsa(alg_id::ECDSA_SHA384, alg_id::ECDSA_P256, &digest::SHA384, &keys::ECDSA_P256_SHA384_ASN1),
    ecdsa(alg_id::ECDSA_SHA512, alg_id::ECDSA_P256, &digest::SHA512, &keys::ECDSA_P256_SHA512_ASN1),
    ecdsa(alg_id::ECDSA_SHA256, alg_id::ECDSA_P384, &digest::SHA256, &keys::ECDSA_P384_SHA256_ASN1),
    ecdsa(alg_id::ECDSA_SHA384, alg_id::ECDSA_P384, &digest::SHA384, &keys::ECDSA_P384_SHA384_ASN1),
    ecdsa(alg_id::ECDSA_SHA512, alg_id::ECDSA_P384, &digest::SHA512, &keys::ECDSA_P384_SHA512_ASN1),
    ecdsa(alg_id::ECDSA_SHA256, alg_id::ECDSA_P521, &digest::SHA256, &keys::ECDSA_P521_SHA256_ASN1),
    ecdsa(alg_id::ECDSA_SHA384, alg_id::ECDSA_P521, &digest::SHA384, &keys::ECDSA_P521_SHA384_ASN1),
    ecdsa(alg_id::ECDSA_SHA512, alg_id::ECDSA_P521, &digest::SHA512, &keys::ECDSA_P521_SHA512_ASN1),
    plain(alg_id::ED25519, &keys::ED25519),
    pkcs1(alg_id::RSA_PKCS1_SHA256, &digest::SHA256, &keys::RSA_PKCS1_2048_8192_SHA256),
    pkcs1(alg_id::RSA_PKCS1_SHA384, &digest::SHA384, &keys::RSA_PKCS1_2048_8192_SHA384),
    pkcs1(alg_id::RSA_PKCS1_SHA512, &digest::SHA512, &keys::RSA_PKCS1_2048_8192_SHA512),
    pkcs1(RSA_PKCS1_SHA256_ABSENT, &digest::SHA256, &keys::RSA_PKCS1_2048_8192_SHA256),
    pkcs1(RSA_PKCS1_SHA384_ABSENT, &digest::SHA384, &keys::RSA_PKCS1_2048_8192_SHA384),
    pkcs1(RSA_PKCS1_SHA512_ABSENT, &digest::SHA512, &keys::RSA_PKCS1_2048_8192_SHA512),
    pss(alg_id::RSA_PSS_SHA256, alg_id::RSA_ENCRYPTION, &digest::SHA256, &keys::RSA_PSS_2048_8192_SHA256),
    pss(alg_id::RSA_PSS_SHA384, alg_id::RSA_ENCRYPTION, &digest::SHA384, &keys::RSA_PSS_2048_8192_SHA384),
    pss(alg_id::RSA_PSS_SHA512, alg_id::RSA_ENCRYPTION, &digest::SHA512, &keys::RSA_PSS_2048_8192_SHA512),
    pss(alg_id::RSA_PSS_SHA256, PSS_KEY, &digest::SHA256, &keys::RSA_PSS_2048_8192_SHA256),
    pss(alg_id::RSA_PSS_SHA384, PSS_KEY, &digest::SHA384, &keys::RSA_PSS_2048_8192_SHA384),
    pss(alg_id::RSA_PSS_SHA512, PSS_KEY, &digest::SHA512, &keys::RSA_PSS_2048_8192_SHA512),
    plain(alg_id::ML_DSA_44, &keys::ML_DSA_44),
    plain(alg_id::ML_DSA_65, &keys::ML_DSA_65),
    plain(alg_id::ML_DSA_87, &keys::ML_DSA_87),
];

/// The algorithms that [`Allowed::sha1`] adds.
static SHA1_ALGORITHMS: &[Algorithm] =
    &[pkcs1(RSA_PKCS1_SHA1, &digest::SHA1_FOR_LEGACY_USE_ONLY, &keys::RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY)];

/// Every row by which a certificate's signature may be checked.
pub(crate) fn algorithms() -> &'static [Algorithm] {
    ALGORITHMS
}

impl Algorithm {
    /// Checks a signature with the bits of a key of this row's kind; `salt` is the length of a PSS salt, if it is not
    /// the digest's.
    fn verify(
        &self,
        key: &[u8],
        content: Content<'_>,
        signature: &[u8],
        salt: Option<usize>,
        allowed: Allowed,
    ) -> Result<(), Refused> {
        match self.kind {
            Kind::Pkcs1 | Kind::Pss => {
                let bits = rsa_bits(key).ok_or(Refused::Wrong)?;
                match bits {
                    SMALL_RSA_BITS..RSA_BITS if !allowed.small_rsa => return Err(Refused::NotServed),
                    SMALL_RSA_BITS..RSA_BITS => return self.verify_apart(key, content, signature, salt),
                    RSA_BITS..=MAX_RSA_BITS if salt.is_some() => {
                        return self.verify_apart(key, content, signature, salt);
                    }
                    RSA_BITS..=MAX_RSA_BITS => {}
                    _ => return Err(Refused::NotServed),
                }
            }
            // RFC 5480 section 2.2: uncompressed or compressed, and nothing else.
            Kind::Ecdsa if !matches!(key.first(), Some(2..=4)) => return Err(Refused::Wrong),
            Kind::Ecdsa | Kind::Plain => {}
        }
        let key = UnparsedPublicKey::new(self.verifier, key);
        match content {
            Content::Message(message) => key.verify(message, signature),
            Content::Digest(digest) => key.verify_digest(digest, signature),
        }
        .map_err(|_| Refused::Wrong)
    }

    /// Checks an RSA signature that aws-lc-rs does not support: by a small key, or with a PSS salt of another length.
    fn verify_apart(
        &self,
        key: &[u8],
        content: Content<'_>,
        signature: &[u8],
        salt: Option<usize>,
    ) -> Result<(), Refused> {
        let algorithm = self.digest.ok_or(Refused::NotServed)?;
        let made;
        let digest = match content {
            Content::Digest(digest) => digest,
            Content::Message(message) => {
                made = digest::digest(algorithm, message);
                &made
            }
        };
        let salt = (self.kind == Kind::Pss).then(|| salt.unwrap_or_else(|| algorithm.output_len()));
        pss::verify_rsa(key, algorithm, digest.as_ref(), signature, salt)
    }

    /// The scheme of its signatures.
    pub(crate) fn scheme(&self) -> Scheme {
        Scheme { rows: self.signature, digest: self.digest, salt: None }
    }

    /// The content of the AlgorithmIdentifier of its signatures.
    pub(crate) fn signature_id(&self) -> AlgorithmIdentifier {
        self.signature
    }

    /// The content of the AlgorithmIdentifier of its keys.
    pub(crate) fn key_id(&self) -> AlgorithmIdentifier {
        self.key
    }
}

impl std::fmt::Debug for Algorithm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Algorithm").field("signature", &self.signature).field("key", &self.key).finish_non_exhaustive()
    }
}

/// A signature algorithm as an AlgorithmIdentifier names it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scheme {
    /// The name of its rows in the table.
    rows: AlgorithmIdentifier,
    digest: Option<&'static digest::Algorithm>,
    /// The length of a PSS salt, if it is not the digest's.
    salt: Option<usize>,
}

impl Scheme {
    /// The scheme of this content of an AlgorithmIdentifier, or `None` if it is not supported.
    pub(crate) fn of(identifier: &[u8], allowed: Allowed) -> Option<Self> {
        let sha1: &[Algorithm] = if allowed.sha1 { SHA1_ALGORITHMS } else { &[] };
        if let Some(row) = ALGORITHMS.iter().chain(sha1).find(|row| row.is_named(identifier)) {
            return Some(Self { rows: row.signature, digest: row.digest, salt: None });
        }
        let parameters = pss::Parameters::of(identifier)?;
        let is_of = |row: &&Algorithm| row.kind == Kind::Pss && row.digest == Some(parameters.digest);
        let row = ALGORITHMS.iter().find(is_of)?;
        let salt = (parameters.salt != parameters.digest.output_len()).then_some(parameters.salt);
        Some(Self { rows: row.signature, digest: row.digest, salt })
    }

    /// The digest that is signed; none if the whole message is.
    pub(crate) fn digest(&self) -> Option<&'static digest::Algorithm> {
        self.digest
    }

    /// Checks a signature with the key of a SubjectPublicKeyInfo.
    pub(crate) fn verify(
        &self,
        key: &[u8],
        content: Content<'_>,
        signature: &[u8],
        allowed: Allowed,
    ) -> Result<(), Refused> {
        let key = KeyParts::of(key).map_err(|_| Refused::NotServed)?;
        self.verify_with(&key, content, signature, allowed)
    }

    /// Checks a signature with a key.
    pub(crate) fn verify_with(
        &self,
        key: &KeyParts<'_>,
        content: Content<'_>,
        signature: &[u8],
        allowed: Allowed,
    ) -> Result<(), Refused> {
        let row = self.row(key.algorithm).ok_or(Refused::NotServed)?;
        row.verify(key.bits, content, signature, self.salt, allowed)
    }

    /// The identifier of its rows in the table, without its parameters.
    pub(crate) fn plain_id(&self) -> AlgorithmIdentifier {
        self.rows
    }

    /// Returns true if there is a row for this kind of key.
    pub(crate) fn goes_with(&self, key: &KeyParts<'_>) -> bool {
        self.row(key.algorithm).is_some()
    }

    /// The row for this kind of key.
    fn row(&self, key_algorithm: &[u8]) -> Option<&'static Algorithm> {
        let mut rows = ALGORITHMS.iter().chain(SHA1_ALGORITHMS).filter(|row| row.signature == self.rows);
        rows.find(|row| self.fits(row, key_algorithm))
    }

    /// Returns true if a row is for this type of key. The parameters of a PSS key must allow the signature (RFC 4055
    /// section 3.3).
    fn fits(&self, row: &Algorithm, key_algorithm: &[u8]) -> bool {
        if row.key.as_ref() == key_algorithm {
            return true;
        }
        let (true, Some(digest)) = (row.key == PSS_KEY, self.digest) else { return false };
        pss::Parameters::of(key_algorithm).is_some_and(|parameters| {
            parameters.digest == digest && self.salt.unwrap_or_else(|| digest.output_len()) >= parameters.salt
        })
    }
}

impl Algorithm {
    /// Returns true if this is the content of its AlgorithmIdentifier. RFC 4055 section 5: NULL as the parameter may be
    /// absent.
    fn is_named(&self, content: &[u8]) -> bool {
        let name: &[u8] = self.signature.as_ref();
        name == content || name.strip_suffix(&[NULL, 0]).is_some_and(|name| name == content)
    }
}
