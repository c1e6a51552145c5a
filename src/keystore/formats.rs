//! Formats that are not read, recognized so that a message can name them and say how to convert them.

use memchr::memmem;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::prelude::FromDer;
use x509_parser::revocation_list::CertificateRevocationList;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::der::{Der, GENERALIZED_TIME, INTEGER, OCTET_STRING, SEQUENCE};
use super::java::reader::Reader;
use super::pem;
use crate::error::{Code, Error};

/// A format by the bytes that a file begins with, what it is, and what to do.
const BEGINNINGS: &[(&[u8], &str, &str)] = &[
    (b"\xff\xfe", "it is UTF-16 text", "Save it as UTF-8 or ASCII text."),
    (b"\xfe\xff", "it is UTF-16 text", "Save it as UTF-8 or ASCII text."),
    (b"SQLite format 3\0", "it is an SQLite database, as NSS keeps certificates in", "Export it with pk12util -o."),
    (b"PuTTY-User-Key-File", "it is a key file of PuTTY", "Keys of SSH have no certificate; use the key made for TLS."),
    (b"ssh-", "it is a public key of SSH", "Give the certificate or the private key made for TLS."),
    (b"ecdsa-sha2-", "it is a public key of SSH", "Give the certificate or the private key made for TLS."),
    (b"PK\x03\x04", "it is a ZIP archive", "Unpack it and give the file in it."),
    (b"\x1f\x8b", "it is compressed with gzip", "Unpack it and give the file in it."),
    (b"LS0tLS1CRUdJTi", "it is PEM text encoded in base64 once more", "Decode it once: base64 -d FILE > FILE.pem."),
    (b"<", "it is HTML or XML", "Download it again; this may be the page of an error."),
    (b"{", "it is JSON", "Give the certificate or key alone, as PEM with its line ends."),
];

/// The error for content that is in none of the formats that are read.
pub(super) fn unknown(bytes: &[u8]) -> Error {
    let text = bytes.trim_ascii_start();
    let beginning = BEGINNINGS.iter().find(|(beginning, _, _)| text.starts_with(beginning));
    match beginning {
        _ if bytes.is_empty() => named("it is empty", "Check that the file was written completely."),
        Some((_, what, hint)) => named(what, hint),
        None => bouncy_castle_stream(bytes).or_else(|| other_text(text)).unwrap_or_else(|| {
            named("it has no block of PEM and none of the formats' first bytes", "Check that this is the right file.")
        }),
    }
}

/// The error for DER of a known kind that holds neither certificate nor key by itself; `None` for any other.
pub(super) fn der(bytes: &[u8]) -> Option<Error> {
    if is_bcfks(bytes) {
        return Some(bouncy_castle("BCFKS"));
    }
    let (what, hint) = match () {
        () if is_content_info(bytes) => return Some(pkcs7()),
        () if matches!(CertificateRevocationList::from_der(bytes), Ok(([], _))) => {
            ("it is a revocation list (CRL)", "Give it with the option crl.")
        }
        () if matches!(X509CertificationRequest::from_der(bytes), Ok(([], _))) => {
            ("it is a request for a certificate (CSR)", "Give the certificate that the CA issued for it.")
        }
        () if matches!(SubjectPublicKeyInfo::from_der(bytes), Ok(([], _))) => {
            ("it is a public key", "Give the certificate, or the private key.")
        }
        () => return None,
    };
    Some(named(what, hint))
}

/// The error for PKCS#7 in DER or BER.
pub(super) fn pkcs7() -> Error {
    let hint = "Convert it: openssl pkcs7 -inform DER -in FILE -print_certs -out FILE.pem.";
    named("it is PKCS#7 (CMS), as files .p7b and .p7c are", hint)
}

fn named(what: &str, hint: &str) -> Error {
    Error::new(Code::StoreFormatUnknown, what).with_hint(hint)
}

fn bouncy_castle(kind: &str) -> Error {
    let hint = format!(
        "Convert it: keytool -importkeystore -srckeystore FILE -srcstoretype {kind} -destkeystore FILE.p12 \
         -deststoretype PKCS12 -provider org.bouncycastle.jce.provider.BouncyCastleProvider -providerpath bcprov.jar."
    );
    named(&format!("it is a keystore of Bouncy Castle ({kind})"), &hint)
}

/// Tells ContentInfo (RFC 5652 section 3): a sequence that begins with the identifier of one of PKCS#7's contents.
pub(super) fn is_content_info(bytes: &[u8]) -> bool {
    const CONTENTS: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07];
    match super::der::header(bytes) {
        Some((SEQUENCE, header, _)) => bytes.get(header..).is_some_and(|content| content.starts_with(CONTENTS)),
        _ => false,
    }
}

/// Tells Bouncy Castle's ObjectStore: encrypted, which begins with the encryption's algorithm, or plain, which has a
/// time third, and in both cases a check of its integrity behind it. Certificates have neither.
fn is_bcfks(bytes: &[u8]) -> bool {
    let read = || {
        let mut store = Der::new(bytes, Code::StoreMalformed).enter(SEQUENCE, "")?;
        let mut content = store.enter(SEQUENCE, "")?;
        store.take(SEQUENCE, "")?;
        if content.peek() == Some(SEQUENCE) {
            content.enter(SEQUENCE, "")?.oid("")?;
            return content.take(OCTET_STRING, "");
        }
        content.take(INTEGER, "")?;
        content.take(SEQUENCE, "")?;
        content.take(GENERALIZED_TIME, "")
    };
    read().is_ok()
}

/// Bouncy Castle's BKS and UBER begin alike: version 0 to 2, a salt of 20 bytes, an iteration count. BKS continues with
/// the kind of an entry and its name in clear text.
fn bouncy_castle_stream(bytes: &[u8]) -> Option<Error> {
    let mut reader = Reader::new(bytes);
    let version = reader.u32("").ok()?;
    let salt = reader.sized("").ok()?;
    let iterations = reader.u32("").ok()?;
    if version > 2 || salt.len() != 20 || !(1..=0xff_ffff).contains(&iterations) {
        return None;
    }
    let kind = reader.u8("").ok()?;
    let is_clear = kind == 0 && reader.rest.len() == 20
        || (1..=4).contains(&kind) && reader.text("").is_ok_and(|name| !name.chars().any(char::is_control));
    Some(bouncy_castle(if is_clear { "BKS" } else { "UBER" }))
}

/// Text that is nearly PEM: base64 of DER without the lines around it, or lines with other dashes.
fn other_text(text: &[u8]) -> Option<Error> {
    if text.starts_with(b"MI") && pem::is_base64(text) {
        let hint = "Put a line -----BEGIN CERTIFICATE----- (or what it is) before it and its END line behind it, or decode \
                    it: base64 -d FILE > FILE.der.";
        return Some(named("it is base64 without the BEGIN and END lines of PEM", hint));
    }
    let has_label = [&b"BEGIN CERTIFICATE"[..], b"PRIVATE KEY"].iter().any(|label| memmem::find(text, label).is_some());
    let hint = "Write the lines as -----BEGIN CERTIFICATE----- with plain hyphens; word processors replace them.";
    has_label.then(|| named("its BEGIN line does not have five hyphens on both sides", hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(bytes: &[u8]) -> String {
        let error = unknown(bytes);
        assert_eq!(error.code(), Code::StoreFormatUnknown);
        assert!(!error.hint().is_empty());
        error.detail().to_owned()
    }

    #[test]
    fn formats_are_told_by_their_first_bytes() {
        assert_eq!(told(b""), "it is empty");
        assert_eq!(told(b"\xff\xfe-\0"), "it is UTF-16 text");
        assert_eq!(told(b"LS0tLS1CRUdJTiBDRVJU"), "it is PEM text encoded in base64 once more");
        assert_eq!(told(b"\n<!DOCTYPE html>"), "it is HTML or XML");
        assert_eq!(told(b"MIIB\nAAAA"), "it is base64 without the BEGIN and END lines of PEM");
        assert_eq!(
            told("–––––BEGIN CERTIFICATE–––––\nMIIB".as_bytes()),
            "its BEGIN line does not have five hyphens on both sides"
        );
        assert_eq!(told(b"MIIB, she said"), "it has no block of PEM and none of the formats' first bytes");
    }

    #[test]
    fn stream_stores_of_bouncy_castle_are_told_apart() {
        let header = [&[0, 0, 0, 2, 0, 0, 0, 20][..], &[7; 20], &[0, 0, 4, 0]].concat();
        let bks = [&header[..], &[1, 0, 1, b'a', 9, 9]].concat();
        assert_eq!(told(&bks), "it is a keystore of Bouncy Castle (BKS)");
        assert_eq!(told(&[&header[..], &[0], &[1; 20]].concat()), "it is a keystore of Bouncy Castle (BKS)");
        assert_eq!(told(&[&header[..], &[0x93; 40]].concat()), "it is a keystore of Bouncy Castle (UBER)");
        assert_eq!(told(&header[..20]), "it has no block of PEM and none of the formats' first bytes");
    }
}
