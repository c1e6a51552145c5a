//! Signature schemes of TLS (RFC 8446 section 4.2.3), by the rows of the table.

use rustls::SignatureScheme;
use rustls::pki_types::{AlgorithmIdentifier, alg_id};

use super::{Algorithm, Allowed, Content, KeyParts, PSS_KEY, Refused, Scheme};

/// A supported signature scheme.
#[derive(Debug)]
pub(crate) struct HandshakeScheme {
    pub(crate) scheme: SignatureScheme,
    name: &'static str,
    signature: AlgorithmIdentifier,
    keys: Keys,
    versions: Versions,
}

/// The keys of a scheme.
#[derive(Debug)]
enum Keys {
    Only(AlgorithmIdentifier),
    /// TLS 1.3 fixes the curve; in TLS 1.2 the scheme names the digest alone (RFC 8422 section 5.10).
    Curve(AlgorithmIdentifier),
}

/// The versions that sign handshakes with a scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Versions {
    Both,
    Tls12,
    Tls13,
}

/// The rule that forbids a signature scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// It was not offered to the peer.
    Unoffered,
    /// The version of the connection does not allow it.
    Version,
    /// It does not fit the certificate's key.
    Key,
}

/// The fault for which a signature over a handshake proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unproven {
    /// The peer broke the protocol.
    Illegal(Unusable),
    /// The scheme is allowed, but not supported with a key of this curve, length or parameters.
    NotServed,
    /// The signature is wrong.
    Wrong,
}

const fn scheme(
    scheme: SignatureScheme,
    name: &'static str,
    signature: AlgorithmIdentifier,
    keys: Keys,
    versions: Versions,
) -> HandshakeScheme {
    HandshakeScheme { scheme, name, signature, keys, versions }
}

/// id-ecPublicKey, 1.2.840.10045.2.1.
const EC_KEY: &[u8] = &[6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const RSA: Keys = Keys::Only(alg_id::RSA_ENCRYPTION);
const PSS: Keys = Keys::Only(PSS_KEY);
const RSA_PSS_PSS_SHA256: SignatureScheme = SignatureScheme::Unknown(0x0809);
const RSA_PSS_PSS_SHA384: SignatureScheme = SignatureScheme::Unknown(0x080a);
const RSA_PSS_PSS_SHA512: SignatureScheme = SignatureScheme::Unknown(0x080b);

/// The supported schemes, best first.
#[rustfmt::skip]
static SCHEMES: &[HandshakeScheme] = &[
    scheme(SignatureScheme::ECDSA_NISTP384_SHA384, "ecdsa_secp384r1_sha384", alg_id::ECDSA_SHA384,
        Keys::Curve(alg_id::ECDSA_P384), Versions::Both),
    scheme(SignatureScheme::ECDSA_NISTP256_SHA256, "ecdsa_secp256r1_sha256", alg_id::ECDSA_SHA256,
        Keys::Curve(alg_id::ECDSA_P256), Versions::Both),
    scheme(SignatureScheme::ECDSA_NISTP521_SHA512, "ecdsa_secp521r1_sha512", alg_id::ECDSA_SHA512,
        Keys::Curve(alg_id::ECDSA_P521), Versions::Both),
    scheme(SignatureScheme::ED25519, "ed25519", alg_id::ED25519, Keys::Only(alg_id::ED25519), Versions::Both),
    scheme(SignatureScheme::RSA_PSS_SHA512, "rsa_pss_rsae_sha512", alg_id::RSA_PSS_SHA512, RSA, Versions::Both),
    scheme(SignatureScheme::RSA_PSS_SHA384, "rsa_pss_rsae_sha384", alg_id::RSA_PSS_SHA384, RSA, Versions::Both),
    scheme(SignatureScheme::RSA_PSS_SHA256, "rsa_pss_rsae_sha256", alg_id::RSA_PSS_SHA256, RSA, Versions::Both),
    scheme(RSA_PSS_PSS_SHA512, "rsa_pss_pss_sha512", alg_id::RSA_PSS_SHA512, PSS, Versions::Both),
    scheme(RSA_PSS_PSS_SHA384, "rsa_pss_pss_sha384", alg_id::RSA_PSS_SHA384, PSS, Versions::Both),
    scheme(RSA_PSS_PSS_SHA256, "rsa_pss_pss_sha256", alg_id::RSA_PSS_SHA256, PSS, Versions::Both),
    scheme(SignatureScheme::RSA_PKCS1_SHA512, "rsa_pkcs1_sha512", alg_id::RSA_PKCS1_SHA512, RSA, Versions::Tls12),
    scheme(SignatureScheme::RSA_PKCS1_SHA384, "rsa_pkcs1_sha384", alg_id::RSA_PKCS1_SHA384, RSA, Versions::Tls12),
    scheme(SignatureScheme::RSA_PKCS1_SHA256, "rsa_pkcs1_sha256", alg_id::RSA_PKCS1_SHA256, RSA, Versions::Tls12),
    scheme(SignatureScheme::ML_DSA_44, "mldsa44", alg_id::ML_DSA_44, Keys::Only(alg_id::ML_DSA_44), Versions::Tls13),
    scheme(SignatureScheme::ML_DSA_65, "mldsa65", alg_id::ML_DSA_65, Keys::Only(alg_id::ML_DSA_65), Versions::Tls13),
    scheme(SignatureScheme::ML_DSA_87, "mldsa87", alg_id::ML_DSA_87, Keys::Only(alg_id::ML_DSA_87), Versions::Tls13),
];

/// The schemes to offer, best first.
pub(crate) fn schemes() -> Vec<SignatureScheme> {
    SCHEMES.iter().map(|one| one.scheme).collect()
}

/// Returns true if any scheme could check a proof of this key.
pub(crate) fn is_of_handshakes(key: &KeyParts<'_>) -> bool {
    SCHEMES.iter().any(|scheme| scheme.row(key.algorithm, true).is_ok())
}

impl HandshakeScheme {
    /// The row of a scheme for a connection of this version.
    ///
    /// # Errors
    /// The rule that forbids the scheme.
    pub(crate) fn of(scheme: SignatureScheme, is_tls13: bool) -> Result<&'static Self, Unusable> {
        let row = SCHEMES.iter().find(|row| row.scheme == scheme);
        let row = row.ok_or_else(|| match is_tls13 && is_of_tls12(scheme) {
            true => Unusable::Version,
            false => Unusable::Unoffered,
        })?;
        match (row.versions, is_tls13) {
            (Versions::Both, _) | (Versions::Tls12, false) | (Versions::Tls13, true) => Ok(row),
            _ => Err(Unusable::Version),
        }
    }

    /// Checks a signature over a handshake with a key.
    pub(crate) fn verify(
        &self,
        key: &KeyParts<'_>,
        message: &[u8],
        signature: &[u8],
        is_tls13: bool,
        allowed: Allowed,
    ) -> Result<(), Unproven> {
        let row = self.row(key.algorithm, is_tls13)?;
        row.verify(key.bits, Content::Message(message), signature, None, allowed).map_err(|refused| match refused {
            Refused::Wrong => Unproven::Wrong,
            Refused::NotServed => Unproven::NotServed,
        })
    }

    fn row(&self, key_algorithm: &[u8], is_tls13: bool) -> Result<&'static Algorithm, Unproven> {
        let goes_with_key = match self.keys {
            Keys::Curve(curve) if is_tls13 => key_algorithm == curve.as_ref(),
            Keys::Curve(_) => key_algorithm.starts_with(EC_KEY),
            Keys::Only(PSS_KEY) => key_algorithm.starts_with(PSS_KEY.as_ref()),
            Keys::Only(key) => key_algorithm == key.as_ref(),
        };
        if !goes_with_key {
            return Err(Unproven::Illegal(Unusable::Key));
        }
        let scheme = Scheme::of(&self.signature, Allowed::default()).ok_or(Unproven::NotServed)?;
        scheme.row(key_algorithm).ok_or(Unproven::NotServed)
    }
}

/// Returns true if TLS 1.3 forbids an unsupported scheme: with SHA-1, SHA-224, MD5, or DSA.
fn is_of_tls12(scheme: SignatureScheme) -> bool {
    matches!(u16::from(scheme), 0x0101..=0x0303 | 0x0402 | 0x0502 | 0x0602)
}

/// The name of a scheme in the registry of TLS, or its number.
pub(crate) fn scheme_name(scheme: SignatureScheme) -> String {
    match SCHEMES.iter().find(|row| row.scheme == scheme) {
        Some(row) => row.name.to_owned(),
        None => match u16::from(scheme) {
            0x0101 => "rsa_pkcs1_md5".to_owned(),
            0x0201 => "rsa_pkcs1_sha1".to_owned(),
            0x0202 => "dsa_sha1".to_owned(),
            0x0203 => "ecdsa_sha1".to_owned(),
            0x0402 => "dsa_sha256".to_owned(),
            0x0502 => "dsa_sha384".to_owned(),
            0x0602 => "dsa_sha512".to_owned(),
            0x0808 => "ed448".to_owned(),
            number => format!("scheme 0x{number:04x}"),
        },
    }
}
