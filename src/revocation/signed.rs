//! A signature over a structure of RFC 5280, checked when the signer's key is there, without keeping the structure.

use aws_lc_rs::digest::{Digest, digest};
use x509_parser::asn1_rs::Oid;

use crate::der::{BIT_STRING, Element, Malformed};
use crate::signature::{Allowed, Content, Refused, Scheme};

/// A message by its digest, which is all that most signatures need of it.
#[derive(Debug)]
pub(super) struct Signed {
    scheme: Scheme,
    content: SignedContent,
    signature: Box<[u8]>,
}

#[derive(Debug)]
enum SignedContent {
    Digest(Digest),
    /// Ed25519 and ML-DSA hash the key with the message.
    Message(Box<[u8]>),
}

impl Signed {
    /// Makes the signature of `message` from a BIT STRING. `None` if the AlgorithmIdentifier `algorithm` is not
    /// supported.
    pub(super) fn new(
        algorithm: Element<'_>,
        message: &[u8],
        signature: Element<'_>,
        allowed: Allowed,
    ) -> Result<Option<Self>, Malformed> {
        debug_assert_eq!(signature.tag, BIT_STRING);
        let Some(scheme) = Scheme::of(algorithm.content, allowed) else { return Ok(None) };
        let content = match scheme.digest() {
            Some(algorithm) => SignedContent::Digest(digest(algorithm, message)),
            None => SignedContent::Message(message.into()),
        };
        let [0, signature @ ..] = signature.content else { return Err(Malformed) };
        Ok(Some(Self { scheme, content, signature: signature.into() }))
    }

    /// Checks that it was made with the key of this SubjectPublicKeyInfo.
    pub(super) fn check(&self, key: &[u8], allowed: Allowed) -> Result<(), Refused> {
        let content = match &self.content {
            SignedContent::Digest(digest) => Content::Digest(digest),
            SignedContent::Message(message) => Content::Message(message),
        };
        self.scheme.verify(key, content, &self.signature, allowed)
    }
}

/// An object identifier in dotted form, for messages.
pub(super) fn oid_text(identifier: Element<'_>) -> String {
    Oid::new(identifier.content.into()).to_id_string()
}
