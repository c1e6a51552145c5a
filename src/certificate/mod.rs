//! The facts of a certificate, as text and numbers: for messages, facts of a peer and `inspect`.
//!
//! verify/ decides if a certificate is accepted.

mod alternative;
mod facts;
pub(crate) mod fault;
mod kept;
pub(crate) mod matching;
mod name;
pub(crate) mod oid;
mod strings;
mod text;

use std::fmt;

use rustls::pki_types::CertificateDer;
use x509_parser::asn1_rs::Oid;
use x509_parser::objects::{oid_registry, oid2sn};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;
use x509_parser::time::ASN1Time;

pub use self::alternative::{AlternativeName, AlternativeNameKind};
pub(crate) use self::facts::KeptFacts;
pub(crate) use self::kept::{IssuerTable, KeptChain, KeptPeer};
pub use self::name::{DistinguishedName, NameAttribute};
use self::strings::is_unseen;
use self::text::MAX_TEXT_CHARS;
pub(crate) use self::text::{cut, hex};

/// The facts of one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CertificateFacts {
    /// The subject.
    pub subject: DistinguishedName,
    /// The issuer.
    pub issuer: DistinguishedName,
    /// The serial number in hexadecimal, lower case, two digits a byte, without leading zeros: `80ff`, `00`, `-01`.
    pub serial: String,
    /// X.509 version, 1 to 3.
    pub version: u32,
    /// Start of validity, seconds since 1970 in UTC.
    pub not_before_unix_s: i64,
    /// End of validity (inclusive), seconds since 1970 in UTC.
    pub not_after_unix_s: i64,
    /// Subject alternative names, in the certificate's order.
    pub subject_alternative_names: Vec<AlternativeName>,
    /// The key's kind and size, e.g. `RSA 2048`, `EC P-256`, `Ed25519`.
    pub key: String,
    /// True if the basic constraints say that it is a CA.
    pub is_ca: bool,
    /// Subject and issuer are the same name (RFC 5280 section 7.1).
    pub is_self_issued: bool,
    /// SHA-256 of the whole DER encoding, hexadecimal, lower case.
    pub sha256_fingerprint: String,
}

impl CertificateFacts {
    /// The first common name of the subject in the certificate's order. Most programs use it, e.g. those with OpenSSL's
    /// `X509_NAME_get_text_by_NID`. `None` if there is none, or it is not text.
    #[must_use]
    pub fn first_common_name(&self) -> Option<&str> {
        self.subject.of_type(oid::COMMON_NAME).next()?.text.as_deref()
    }

    /// The last common name of the subject, the most specific. `None` if there is none, or it is not text.
    #[must_use]
    pub fn common_name(&self) -> Option<&str> {
        self.subject.of_type(oid::COMMON_NAME).next_back()?.text.as_deref()
    }
}

/// The name of a certificate in a message: subject, issuer and serial, safe to be printed.
impl fmt::Display for CertificateFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [subject, issuer, serial] = [self.subject.as_str(), self.issuer.as_str(), &self.serial].map(cut);
        write!(f, "subject \"{subject}\", issuer \"{issuer}\", serial {serial}")
    }
}

/// Names a certificate in a message, even if it cannot be parsed.
pub(crate) fn describe(der: &CertificateDer<'_>) -> String {
    match CertificateFacts::from_der(der) {
        Ok(facts) => facts.to_string(),
        Err(_) => match fault::subject_of(der) {
            Some(subject) => format!("an unreadable certificate, subject \"{}\"", cut(subject.as_str())),
            None => format!("an unreadable certificate of {} bytes", der.len()),
        },
    }
}

/// Makes text of a certificate safe for a message. Peers choose it, so it is cut, and control characters and quotes do
/// not get into logs and terminals.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars().take(MAX_TEXT_CHARS) {
        match character {
            '"' | '\\' => shown.extend(['\\', character]),
            _ if is_unseen(character) => shown.extend(character.escape_unicode()),
            _ => shown.push(character),
        }
    }
    if text.chars().nth(MAX_TEXT_CHARS).is_some() {
        shown.push('…');
    }
    shown
}

/// Cuts a safe line to `most` characters, and escapes invisible ones again, as a last check before a log.
pub(crate) fn visible(line: &str, most: usize) -> String {
    let mut shown = String::new();
    for character in line.chars().take(most) {
        match is_unseen(character) {
            true => shown.extend(character.escape_unicode()),
            false => shown.push(character),
        }
    }
    if line.chars().nth(most).is_some() {
        shown.push('…');
    }
    shown
}

/// The largest number of names in a message.
const MAX_NAMES: usize = 5;

/// Lists distinguished names (DER) for a message: the first few, and the number of the others.
pub(crate) fn names_text<N: AsRef<[u8]>>(names: &[N]) -> String {
    let text = |name: &N| format!("\"{}\"", cut(DistinguishedName::new(name.as_ref()).as_str()));
    let shown: Vec<String> = names.iter().take(MAX_NAMES).map(text).collect();
    match names.len().saturating_sub(MAX_NAMES) {
        0 => shown.join(", "),
        others => format!("{} and {others} more", shown.join(", ")),
    }
}

/// A time in RFC 3339 form.
pub(crate) fn date_text(unix_s: i64) -> String {
    match ASN1Time::from_timestamp(unix_s).map(|time| time.to_datetime()) {
        Ok(time) => format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
            time.year(),
            u8::from(time.month()),
            time.day(),
            time.hour(),
            time.minute(),
            time.second()
        ),
        Err(_) => format!("{unix_s} seconds after 1970"),
    }
}

/// The name of a signature algorithm by the content of its AlgorithmIdentifier, or its object identifier.
pub(crate) fn algorithm_text(identifier: &[u8]) -> String {
    match Oid::from_der(identifier) {
        Ok((_, oid)) if oid.to_id_string() == "1.2.840.10045.4.1" => "ecdsa-with-SHA1".to_owned(),
        Ok((_, oid)) => {
            let text = oid.to_id_string();
            let name = oid2sn(&oid, oid_registry()).ok().or_else(|| oid::key_algorithm(&text));
            name.map_or(text, str::to_owned)
        }
        Err(_) => "an algorithm without a name".to_owned(),
    }
}

/// A serial number, the content of an INTEGER, in the form of OpenSSL and in lower case.
pub(crate) fn serial_text(content: &[u8]) -> String {
    let is_negative = content.first().is_some_and(|byte| byte & 0x80 != 0);
    let mut magnitude = content.to_vec();
    if is_negative {
        // Two's complement: the inverted bits plus one.
        let mut carry = true;
        for byte in magnitude.iter_mut().rev() {
            (*byte, carry) = (!*byte).overflowing_add(u8::from(carry));
        }
    }
    let start = magnitude.iter().position(|byte| *byte != 0);
    let digits = start.and_then(|start| magnitude.get(start..)).map_or_else(|| "00".to_owned(), hex);
    if is_negative { format!("-{digits}") } else { digits }
}

fn key_text(certificate: &X509Certificate<'_>) -> String {
    match certificate.public_key().parsed() {
        Ok(PublicKey::RSA(key)) => format!("RSA {}", key.key_size()),
        Ok(PublicKey::EC(_)) => format!("EC {}", curve_text(certificate)),
        Ok(PublicKey::DSA(_)) => "DSA".to_owned(),
        _ => {
            let oid = certificate.public_key().algorithm.algorithm.to_id_string();
            oid::key_algorithm(&oid).map_or_else(|| format!("unknown ({oid})"), str::to_owned)
        }
    }
}

fn curve_text(certificate: &X509Certificate<'_>) -> String {
    let parameters = certificate.public_key().algorithm.parameters.as_ref();
    let curve = parameters.and_then(|any| any.as_oid().ok()).map(|oid| oid.to_id_string());
    match curve {
        Some(oid) => oid::curve_name(&oid).map_or(oid, str::to_owned),
        None => "explicit parameters".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_told_in_one_form_whatever_they_are() {
        assert_eq!(date_text(1_763_202_600), "2025-11-15T10:30:00Z");
        assert_eq!(date_text(-1), "1969-12-31T23:59:59Z");
        assert_eq!(date_text(i64::MAX), "9223372036854775807 seconds after 1970");
    }

    #[test]
    fn signature_algorithms_are_told_by_name() {
        assert_eq!(algorithm_text(&[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]), "ecdsa-with-SHA256");
        assert_eq!(algorithm_text(&[6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1]), "ecdsa-with-SHA1");
        assert_eq!(algorithm_text(&[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5, 5, 0]), "sha1WithRSAEncryption");
        assert_eq!(algorithm_text(&[6, 3, 0x2b, 0x65, 0x70]), "ed25519");
        assert_eq!(algorithm_text(&[6, 2, 0x2a, 3]), "1.2.3");
        assert_eq!(algorithm_text(&[]), "an algorithm without a name");
    }

    #[test]
    fn printable_text_of_a_peer_is_cut_and_has_no_control_characters() {
        assert_eq!(printable("CN=broker, O=Bücher"), "CN=broker, O=Bücher");
        assert_eq!(printable("a\nb\u{1b}[2J\"\u{202e}"), "a\\u{a}b\\u{1b}[2J\\\"\\u{202e}");
        let long = printable(&"x".repeat(100_000));
        assert_eq!(long, format!("{}…", "x".repeat(MAX_TEXT_CHARS)));
    }
}
