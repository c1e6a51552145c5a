//! Signature algorithms of the handshake by name, and the type of key of each.

use rustls::SignatureScheme;

/// The name in the IANA registry and the type of key, by the names of OpenSSL and Java.
const SCHEMES: &[(u16, &str, &str)] = &[
    (0x0201, "rsa_pkcs1_sha1", "RSA"),
    (0x0203, "ecdsa_sha1", "EC"),
    (0x0401, "rsa_pkcs1_sha256", "RSA"),
    (0x0403, "ecdsa_secp256r1_sha256", "EC (P-256)"),
    (0x0501, "rsa_pkcs1_sha384", "RSA"),
    (0x0503, "ecdsa_secp384r1_sha384", "EC (P-384)"),
    (0x0601, "rsa_pkcs1_sha512", "RSA"),
    (0x0603, "ecdsa_secp521r1_sha512", "EC (P-521)"),
    (0x0804, "rsa_pss_rsae_sha256", "RSA"),
    (0x0805, "rsa_pss_rsae_sha384", "RSA"),
    (0x0806, "rsa_pss_rsae_sha512", "RSA"),
    (0x0807, "ed25519", "Ed25519"),
    (0x0808, "ed448", "Ed448"),
    (0x0809, "rsa_pss_pss_sha256", "RSA-PSS"),
    (0x080a, "rsa_pss_pss_sha384", "RSA-PSS"),
    (0x080b, "rsa_pss_pss_sha512", "RSA-PSS"),
    (0x0904, "mldsa44", "ML-DSA-44"),
    (0x0905, "mldsa65", "ML-DSA-65"),
    (0x0906, "mldsa87", "ML-DSA-87"),
];

/// The largest number of names in a message.
const LISTED_MAX: usize = 6;

/// The names of these algorithms for a message. A long list is cut.
pub(crate) fn signature_names(schemes: &[SignatureScheme]) -> String {
    let name = |scheme: &SignatureScheme| match row(*scheme) {
        Some((_, name, _)) => (*name).to_owned(),
        None => format!("{:#06x}", u16::from(*scheme)),
    };
    let mut names: Vec<String> = schemes.iter().take(LISTED_MAX).map(name).collect();
    if schemes.len() > LISTED_MAX {
        names.push(format!("{} more", schemes.len() - LISTED_MAX));
    }
    match names.is_empty() {
        true => "none that is known".to_owned(),
        false => names.join(", "),
    }
}

/// The type of key of an algorithm.
pub(crate) fn key_kind(scheme: SignatureScheme) -> Option<&'static str> {
    row(scheme).map(|(_, _, kind)| *kind)
}

/// Returns true if each of these algorithms uses SHA-1, and there is one.
pub(crate) fn are_sha1_alone(schemes: &[SignatureScheme]) -> bool {
    !schemes.is_empty() && schemes.iter().all(|scheme| u16::from(*scheme) >> 8 <= 2)
}

fn row(scheme: SignatureScheme) -> Option<&'static (u16, &'static str, &'static str)> {
    SCHEMES.iter().find(|(number, ..)| *number == u16::from(scheme))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn algorithms_are_listed_by_their_registered_names_and_a_long_list_is_cut() {
        let odd = SignatureScheme::Unknown(0xfefe);
        assert_eq!(signature_names(&[SignatureScheme::ED25519, odd]), "ed25519, 0xfefe");
        assert_eq!(signature_names(&[]), "none that is known");
        let many = [SignatureScheme::ED25519; 10];
        assert!(signature_names(&many).ends_with(", 4 more"));
    }

    #[test]
    fn sha1_alone_is_told_from_sha1_beside_others() {
        assert!(are_sha1_alone(&[SignatureScheme::RSA_PKCS1_SHA1, SignatureScheme::ECDSA_SHA1_Legacy]));
        assert!(!are_sha1_alone(&[SignatureScheme::RSA_PKCS1_SHA1, SignatureScheme::RSA_PKCS1_SHA256]));
        assert!(!are_sha1_alone(&[]));
    }
}
