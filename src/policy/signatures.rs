//! Signature algorithms of the handshake by name, and the type of key of each.

use rustls::SignatureScheme;

use super::names::{MAX_LIST_BYTES, quoted};
use crate::error::{Code, Error, Result};
use crate::signature::schemes;

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

/// Returns the supported algorithms of a list of names with commas between, in its order. A name that is not known or
/// not supported is left out.
///
/// # Errors
/// `INVALID_ARGUMENT` if no algorithm is left.
pub(crate) fn signatures_named(list: &str) -> Result<Vec<SignatureScheme>> {
    if list.len() > MAX_LIST_BYTES {
        return Err(Error::new(Code::InvalidArgument, "the list of signature schemes is too long"));
    }
    let mut found = Vec::new();
    for scheme in list.split(',').filter_map(|name| served_named(name.trim())) {
        if !found.contains(&scheme) {
            found.push(scheme);
        }
    }
    match found.is_empty() {
        true => Err(none_served(list)),
        false => Ok(found),
    }
}

/// Returns those of the names that are of supported algorithms.
///
/// # Errors
/// `INVALID_ARGUMENT` if no name is left.
pub(crate) fn served_signatures(names: &[String]) -> Result<Vec<String>> {
    let served: Vec<String> = names.iter().filter(|name| served_named(name).is_some()).cloned().collect();
    match served.is_empty() {
        true => Err(none_served(&names.join(", "))),
        false => Ok(served),
    }
}

fn served_named(name: &str) -> Option<SignatureScheme> {
    let (number, ..) = SCHEMES.iter().find(|(_, known, _)| known.eq_ignore_ascii_case(name))?;
    schemes().into_iter().find(|scheme| u16::from(*scheme) == *number)
}

fn none_served(list: &str) -> Error {
    let all: Vec<&str> = schemes().iter().filter_map(|scheme| row(*scheme)).map(|(_, name, _)| *name).collect();
    let detail = format!("none of the signature schemes is supported: {}; there are {}", quoted(list), all.join(", "));
    Error::new(Code::InvalidArgument, detail)
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
    fn list_of_names_selects_supported_algorithms_in_its_order_and_must_select_one() {
        let named = signatures_named("rsa_pkcs1_sha1,ED25519, rsa_pss_rsae_sha256,nosuch,ed25519").unwrap();
        assert_eq!(named, [SignatureScheme::ED25519, SignatureScheme::RSA_PSS_SHA256]);
        for list in ["", "nosuch", "rsa_pkcs1_sha1,ed448", "ed25519:ed25519"] {
            assert_eq!(signatures_named(list).unwrap_err().code(), Code::InvalidArgument, "{list}");
        }
        let long = signatures_named(&"ed25519,".repeat(10_000)).unwrap_err();
        assert_eq!(long.detail(), "the list of signature schemes is too long");
        let all: Vec<String> = schemes().iter().map(|scheme| row(*scheme).unwrap().1.to_owned()).collect();
        assert_eq!(served_signatures(&all).unwrap(), all);
        let some = ["ed448", "Ed25519"].map(str::to_owned);
        assert_eq!(served_signatures(&some).unwrap(), ["Ed25519"]);
    }

    #[test]
    fn sha1_alone_is_told_from_sha1_beside_others() {
        assert!(are_sha1_alone(&[SignatureScheme::RSA_PKCS1_SHA1, SignatureScheme::ECDSA_SHA1_Legacy]));
        assert!(!are_sha1_alone(&[SignatureScheme::RSA_PKCS1_SHA1, SignatureScheme::RSA_PKCS1_SHA256]));
        assert!(!are_sha1_alone(&[]));
    }
}
