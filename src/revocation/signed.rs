//! A signature over a structure of RFC 5280, checked when the signer's key is there, without keeping the structure.

use aws_lc_rs::digest::{self, Digest};
use aws_lc_rs::signature::{self as keys, UnparsedPublicKey, VerificationAlgorithm};
use rustls::pki_types::{AlgorithmIdentifier, alg_id};
use x509_parser::asn1_rs::Oid;

use crate::der::{BIT_STRING, Element, Malformed, NULL, SEQUENCE, only};

/// A message by its digest, which is all that most signatures need of it.
#[derive(Debug)]
pub(super) struct Signed {
    scheme: &'static Scheme,
    content: Content,
    signature: Box<[u8]>,
}

#[derive(Debug)]
enum Content {
    Digest(Digest),
    /// Ed25519 hashes the key with the message.
    Message(Box<[u8]>),
}

/// A signature algorithm, and which verifies it for each kind of key.
struct Scheme {
    signature: AlgorithmIdentifier,
    digest: Option<&'static digest::Algorithm>,
    verifiers: &'static [(AlgorithmIdentifier, &'static dyn VerificationAlgorithm)],
}

impl Scheme {
    /// Whether this is the content of its AlgorithmIdentifier. RFC 4055 section 5: where NULL is the parameter, it may be
    /// absent.
    fn is_named(&self, content: &[u8]) -> bool {
        let name: &[u8] = self.signature.as_ref();
        name == content || name.strip_suffix(&[NULL, 0]).is_some_and(|name| name == content)
    }
}

impl std::fmt::Debug for Scheme {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scheme").finish_non_exhaustive()
    }
}

#[rustfmt::skip]
static SCHEMES: &[Scheme] = &[
    Scheme { signature: alg_id::RSA_PKCS1_SHA256, digest: Some(&digest::SHA256),
        verifiers: &[(alg_id::RSA_ENCRYPTION, &keys::RSA_PKCS1_2048_8192_SHA256)] },
    Scheme { signature: alg_id::RSA_PKCS1_SHA384, digest: Some(&digest::SHA384),
        verifiers: &[(alg_id::RSA_ENCRYPTION, &keys::RSA_PKCS1_2048_8192_SHA384)] },
    Scheme { signature: alg_id::RSA_PKCS1_SHA512, digest: Some(&digest::SHA512),
        verifiers: &[(alg_id::RSA_ENCRYPTION, &keys::RSA_PKCS1_2048_8192_SHA512)] },
    Scheme { signature: alg_id::RSA_PSS_SHA256, digest: Some(&digest::SHA256),
        verifiers: &[(alg_id::RSA_ENCRYPTION, &keys::RSA_PSS_2048_8192_SHA256)] },
    Scheme { signature: alg_id::RSA_PSS_SHA384, digest: Some(&digest::SHA384),
        verifiers: &[(alg_id::RSA_ENCRYPTION, &keys::RSA_PSS_2048_8192_SHA384)] },
    Scheme { signature: alg_id::RSA_PSS_SHA512, digest: Some(&digest::SHA512),
        verifiers: &[(alg_id::RSA_ENCRYPTION, &keys::RSA_PSS_2048_8192_SHA512)] },
    Scheme { signature: alg_id::ECDSA_SHA256, digest: Some(&digest::SHA256),
        verifiers: &[(alg_id::ECDSA_P256, &keys::ECDSA_P256_SHA256_ASN1), (alg_id::ECDSA_P384, &keys::ECDSA_P384_SHA256_ASN1),
            (alg_id::ECDSA_P521, &keys::ECDSA_P521_SHA256_ASN1)] },
    Scheme { signature: alg_id::ECDSA_SHA384, digest: Some(&digest::SHA384),
        verifiers: &[(alg_id::ECDSA_P256, &keys::ECDSA_P256_SHA384_ASN1), (alg_id::ECDSA_P384, &keys::ECDSA_P384_SHA384_ASN1),
            (alg_id::ECDSA_P521, &keys::ECDSA_P521_SHA384_ASN1)] },
    Scheme { signature: alg_id::ECDSA_SHA512, digest: Some(&digest::SHA512),
        verifiers: &[(alg_id::ECDSA_P521, &keys::ECDSA_P521_SHA512_ASN1)] },
    Scheme { signature: alg_id::ED25519, digest: None, verifiers: &[(alg_id::ED25519, &keys::ED25519)] },
];

/// Whoever can have a chosen text signed with these may be able to have another text signed (RFC 6194).
#[rustfmt::skip]
static SHA1_SCHEMES: &[Scheme] = &[
    // sha1WithRSAEncryption, 1.2.840.113549.1.1.5, with NULL.
    Scheme { signature: AlgorithmIdentifier::from_slice(&[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5, NULL, 0]),
        digest: Some(&digest::SHA1_FOR_LEGACY_USE_ONLY),
        verifiers: &[(alg_id::RSA_ENCRYPTION, &keys::RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY)] },
];

impl Signed {
    /// What `signature`, a BIT STRING, says of `message`; none where `algorithm`, an AlgorithmIdentifier, is not served.
    pub(super) fn new(
        algorithm: Element<'_>,
        message: &[u8],
        signature: Element<'_>,
    ) -> Result<Option<Self>, Malformed> {
        Self::with(SCHEMES.iter(), algorithm, message, signature)
    }

    /// The same with RSA and SHA-1 served too.
    pub(super) fn new_insecure_sha1(
        algorithm: Element<'_>,
        message: &[u8],
        signature: Element<'_>,
    ) -> Result<Option<Self>, Malformed> {
        Self::with(SCHEMES.iter().chain(SHA1_SCHEMES), algorithm, message, signature)
    }

    fn with(
        mut schemes: impl Iterator<Item = &'static Scheme>,
        algorithm: Element<'_>,
        message: &[u8],
        signature: Element<'_>,
    ) -> Result<Option<Self>, Malformed> {
        let Some(scheme) = schemes.find(|scheme| scheme.is_named(algorithm.content)) else {
            return Ok(None);
        };
        let content = match scheme.digest {
            Some(algorithm) => Content::Digest(digest::digest(algorithm, message)),
            None => Content::Message(message.into()),
        };
        Ok(Some(Self { scheme, content, signature: bits(signature)?.into() }))
    }

    /// Whether it was made with the key of this SubjectPublicKeyInfo.
    pub(super) fn is_by(&self, key: &[u8]) -> bool {
        let Ok((algorithm, point)) = key_parts(key) else { return false };
        let verifier = self.scheme.verifiers.iter().find(|(served, _)| served.as_ref() == algorithm);
        verifier.is_some_and(|(_, verifier)| {
            let key = UnparsedPublicKey::new(*verifier, point);
            match &self.content {
                Content::Digest(digest) => key.verify_digest(digest, &self.signature),
                Content::Message(message) => key.verify(message, &self.signature),
            }
            .is_ok()
        })
    }
}

/// The algorithm's content and the key's bits.
fn key_parts(key: &[u8]) -> Result<(&[u8], &[u8]), Malformed> {
    let mut parts = only(SEQUENCE, key)?.inside();
    let algorithm = parts.expect(SEQUENCE)?;
    let point = parts.expect(BIT_STRING)?;
    parts.end()?;
    Ok((algorithm.content, bits(point)?))
}

/// The bytes of a BIT STRING that ends with a whole byte.
fn bits(element: Element<'_>) -> Result<&[u8], Malformed> {
    match element.content {
        [0, bytes @ ..] => Ok(bytes),
        _ => Err(Malformed),
    }
}

/// An object identifier in dotted form, for messages.
pub(super) fn oid_text(identifier: Element<'_>) -> String {
    Oid::new(identifier.content.into()).to_id_string()
}
