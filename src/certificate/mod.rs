//! What a certificate says of itself, as text and numbers: for messages, facts of a peer and `inspect`.
//!
//! Nothing here decides whether a certificate is good; verify/ does.

pub(crate) mod matching;
mod name;
mod strings;

use std::fmt;
use std::net::IpAddr;

use rustls::pki_types::CertificateDer;
use x509_parser::asn1_rs::Oid;
use x509_parser::objects::{oid_registry, oid2sn};
use x509_parser::prelude::{FromDer, GeneralName, ParsedExtension, X509Certificate};
use x509_parser::public_key::PublicKey;
use x509_parser::time::ASN1Time;

use crate::error::{Code, Error, Result};

use self::matching::same_name;

/// The facts of one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CertificateFacts {
    /// The subject as RFC 4514 would order it in OpenSSL's one-line form, e.g. `CN=broker, O=Example`.
    pub subject: String,
    /// The issuer, in the same form.
    pub issuer: String,
    /// The subject's most specific common name, if it has one.
    pub common_name: Option<String>,
    /// The serial number in hexadecimal, lower case, without separators.
    pub serial: String,
    /// X.509 version, 1 to 3.
    pub version: u32,
    /// Start of validity, seconds since 1970 in UTC.
    pub not_before_unix_s: i64,
    /// End of validity (inclusive), seconds since 1970 in UTC.
    pub not_after_unix_s: i64,
    /// Subject alternative names: `DNS:host`, `IP:address`, `URI:…`, `email:…`, in the certificate's order.
    pub subject_alternative_names: Vec<String>,
    /// The key's kind and size, e.g. `RSA 2048`, `EC P-256`, `Ed25519`.
    pub key: String,
    /// Whether basic constraints say that it is a CA.
    pub is_ca: bool,
    /// Subject and issuer are the same name (RFC 5280 section 7.1).
    pub is_self_issued: bool,
    /// SHA-256 of the whole DER encoding, hexadecimal, lower case.
    pub sha256_fingerprint: String,
}

impl CertificateFacts {
    /// Reads the facts of a DER certificate.
    ///
    /// # Errors
    /// `CERTIFICATE_MALFORMED` where it is not one certificate and nothing more.
    pub fn from_der(der: &CertificateDer<'_>) -> Result<Self> {
        let malformed = |what: &str| Error::new(Code::CertificateMalformed, what);
        let (rest, certificate) =
            X509Certificate::from_der(der).map_err(|error| malformed(&format!("not X.509 DER ({error})")))?;
        if !rest.is_empty() {
            return Err(malformed("bytes after its end"));
        }
        Ok(Self {
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            common_name: (certificate.subject().iter_common_name().last())
                .and_then(|name| name.as_str().ok())
                .map(str::to_owned),
            serial: hex(certificate.raw_serial()),
            version: certificate.version().0.saturating_add(1),
            not_before_unix_s: certificate.validity().not_before.timestamp(),
            not_after_unix_s: certificate.validity().not_after.timestamp(),
            subject_alternative_names: alternative_names(&certificate),
            key: key_text(&certificate),
            is_ca: matches!(certificate.basic_constraints(), Ok(Some(constraints)) if constraints.value.ca),
            is_self_issued: same_name(certificate.subject().as_raw(), certificate.issuer().as_raw()),
            sha256_fingerprint: hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, der).as_ref()),
        })
    }
}

/// Which certificate a message speaks of: subject, issuer and serial, fit to be printed.
impl fmt::Display for CertificateFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [subject, issuer, serial] = [&self.subject, &self.issuer, &self.serial].map(|text| printable(text));
        write!(f, "subject \"{subject}\", issuer \"{issuer}\", serial {serial}")
    }
}

/// Names a certificate in a message, also where it cannot be parsed.
pub(crate) fn describe(der: &CertificateDer<'_>) -> String {
    match CertificateFacts::from_der(der) {
        Ok(facts) => facts.to_string(),
        Err(_) => format!("an unreadable certificate of {} bytes", der.len()),
    }
}

/// The most characters of a peer's own text that a message repeats.
const MAX_TEXT_CHARS: usize = 200;

/// Text out of a certificate as a message may repeat it: peers choose it, so it is cut, and no control characters or
/// quotes get into logs and terminals.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars().take(MAX_TEXT_CHARS) {
        match character {
            '"' | '\\' => shown.extend(['\\', character]),
            _ if character.is_control() || is_invisible(character) => shown.extend(character.escape_unicode()),
            _ => shown.push(character),
        }
    }
    if text.chars().nth(MAX_TEXT_CHARS).is_some() {
        shown.push('…');
    }
    shown
}

/// Characters that turn or hide the text around them (Unicode's bidirectional and zero-width formatting).
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Lower-case hexadecimal without separators.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    text.extend(digits.filter_map(|digit| char::from_digit(digit.into(), 16)));
    text
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

/// The name of a signature algorithm, by the content of its AlgorithmIdentifier; the object identifier of one without.
pub(crate) fn algorithm_text(identifier: &[u8]) -> String {
    match Oid::from_der(identifier) {
        Ok((_, oid)) if oid.to_id_string() == "1.2.840.10045.4.1" => "ecdsa-with-SHA1".to_owned(),
        Ok((_, oid)) => oid2sn(&oid, oid_registry()).map_or_else(|_| oid.to_id_string(), str::to_owned),
        Err(_) => "an algorithm without a name".to_owned(),
    }
}

fn alternative_names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let names = certificate.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectAlternativeName(names) => Some(names),
        _ => None,
    });
    names.map(|names| names.general_names.iter().map(name_text).collect()).unwrap_or_default()
}

fn name_text(name: &GeneralName<'_>) -> String {
    match name {
        GeneralName::DNSName(host) => format!("DNS:{host}"),
        GeneralName::URI(uri) => format!("URI:{uri}"),
        GeneralName::RFC822Name(address) => format!("email:{address}"),
        GeneralName::DirectoryName(name) => format!("dirName:{name}"),
        GeneralName::IPAddress(bytes) => match (<[u8; 4]>::try_from(*bytes), <[u8; 16]>::try_from(*bytes)) {
            (Ok(octets), _) => format!("IP:{}", IpAddr::from(octets)),
            (_, Ok(octets)) => format!("IP:{}", IpAddr::from(octets)),
            _ => format!("IP:{}", hex(bytes)),
        },
        other => format!("other:{other:?}"),
    }
}

fn key_text(certificate: &X509Certificate<'_>) -> String {
    match certificate.public_key().parsed() {
        Ok(PublicKey::RSA(key)) => format!("RSA {}", key.key_size()),
        Ok(PublicKey::EC(_)) => format!("EC {}", curve_text(certificate)),
        Ok(PublicKey::DSA(_)) => "DSA".to_owned(),
        _ => match certificate.public_key().algorithm.algorithm.to_id_string().as_str() {
            "1.2.840.113549.1.1.10" => "RSA-PSS".to_owned(),
            "1.3.101.112" => "Ed25519".to_owned(),
            "1.3.101.113" => "Ed448".to_owned(),
            oid => format!("unknown ({oid})"),
        },
    }
}

fn curve_text(certificate: &X509Certificate<'_>) -> String {
    let parameters = certificate.public_key().algorithm.parameters.as_ref();
    let curve = parameters.and_then(|any| any.as_oid().ok()).map(|oid| oid.to_id_string());
    match curve.as_deref() {
        Some("1.2.840.10045.3.1.7") => "P-256".to_owned(),
        Some("1.3.132.0.34") => "P-384".to_owned(),
        Some("1.3.132.0.35") => "P-521".to_owned(),
        Some("1.3.132.0.10") => "secp256k1".to_owned(),
        Some(oid) => oid.to_owned(),
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
