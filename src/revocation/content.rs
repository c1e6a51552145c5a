//! The forms of a file's content: DER, PKCS#7, PEM, or base64 by itself; lists or OCSP responses. Nothing of them is
//! checked.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::der::{ENUMERATED, Elements, GENERALIZED_TIME, INTEGER, SEQUENCE, UTC_TIME};
use crate::error::{Code, Error, Result};
use crate::keystore::{blocks_of_pem, lists_of_pem, lists_of_pkcs7, recognized, whole};

/// Labels of a list in PEM: the first is that of RFC 7468 section 5.3, and some programs write the others.
const CRL_LABELS: [&str; 3] = [CRL_LABEL, "CRL", "X.509 CRL"];
const CRL_LABEL: &str = "X509 CRL";
/// The number of characters of a text that are decoded to see what it begins as.
const BASE64_LOOKED_AT: usize = 4096;

fn is_crl_label(label: &str) -> bool {
    CRL_LABELS.contains(&label)
}

/// The label of a response in PEM. `openssl ocsp` writes DER only.
pub(super) const OCSP_LABEL: &str = "OCSP RESPONSE";

pub(super) fn is_ocsp_label(label: &str) -> bool {
    label == OCSP_LABEL
}

/// The encoding of one list, and its place for messages.
pub(super) struct Part<'a> {
    pub(super) der: Cow<'a, [u8]>,
    pub(super) place: String,
}

impl Part<'_> {
    fn of_block((line, mut der): (usize, Zeroizing<Vec<u8>>), place: &str) -> Self {
        Self { der: Cow::Owned(std::mem::take(&mut *der)), place: format!("{place}, line {line}") }
    }
}

/// The lists of a file's content: DER, PKCS#7, or PEM with any number of them, none included.
///
/// # Errors
/// `PEM_MALFORMED`, or `CRL_MALFORMED` for a list in base64 without the lines of PEM, and for content that does not
/// start as a list. Also for DER that is truncated or has more than line ends behind it, and for damaged PKCS#7 beside
/// lists.
pub(super) fn crl_parts<'a>(content: &'a [u8], place: &str) -> Result<Vec<Part<'a>>> {
    if let Some(parts) = lists_of_text(content, place)? {
        return Ok(parts);
    }
    let carried = lists_carried_by(content);
    if !carried.is_empty() {
        let part = |(number, der)| Part { der: Cow::Owned(der), place: format!("{place}, list {number}") };
        return Ok((1..).zip(carried).map(part).collect());
    }
    if is_base64_of(content, begins_as_list) {
        return Err(without_armour(Code::CrlMalformed, CRL_LABEL).at(place));
    }
    let der = whole(content, Code::CrlMalformed).map_err(|error| error.at(place))?;
    match begins_as_list(der) {
        true => Ok(vec![Part { der: Cow::Borrowed(der), place: place.to_owned() }]),
        false => Err(no_list(content, "not the DER of a CRL").at(place)),
    }
}

/// The lists of PEM text; nothing for what is no PEM.
pub(super) fn lists_of_text(content: &[u8], place: &str) -> Result<Option<Vec<Part<'static>>>> {
    let blocks = lists_of_pem(content, is_crl_label, begins_as_list).map_err(|error| error.at(place))?;
    let part = |block| {
        let part = Part::of_block(block, place);
        match begins_as_list(&part.der) {
            true => Ok(part),
            false => Err(no_list(&part.der, "not the DER of a CRL").at(&part.place)),
        }
    };
    blocks.map(|blocks| blocks.into_iter().map(part).collect()).transpose()
}

/// The OCSP responses of PEM text; nothing for what is no PEM.
pub(super) fn responses_of_text(content: &[u8], place: &str) -> Result<Option<Vec<Part<'static>>>> {
    let blocks = blocks_of_pem(content, is_ocsp_label).map_err(|error| error.at(place))?;
    Ok(blocks.map(|blocks| blocks.into_iter().map(|block| Part::of_block(block, place)).collect()))
}

/// The responses of a file's content, in the same way.
///
/// # Errors
/// `PEM_MALFORMED`, or `OCSP_MALFORMED` for a response in base64 without the lines of PEM, and for content that does
/// not start as a response. Also for DER that is truncated or has more than line ends behind it.
pub(super) fn response_parts<'a>(content: &'a [u8], place: &str) -> Result<Vec<Part<'a>>> {
    if let Some(parts) = responses_of_text(content, place)? {
        return Ok(parts);
    }
    if is_base64_of(content, begins_as_response) {
        return Err(without_armour(Code::OcspMalformed, OCSP_LABEL).at(place));
    }
    let der = whole(content, Code::OcspMalformed).map_err(|error| error.at(place))?;
    match begins_as_response(der) {
        true => Ok(vec![Part { der: Cow::Borrowed(der), place: place.to_owned() }]),
        false => Err(named(Code::OcspMalformed, content, "not the DER of an OCSP response").at(place)),
    }
}

/// The error for content without a list: its format if that is known, `otherwise` if not.
pub(super) fn no_list(content: &[u8], otherwise: &str) -> Error {
    named(Code::CrlMalformed, content, otherwise)
}

fn named(code: Code, content: &[u8], otherwise: &str) -> Error {
    match recognized(content) {
        Some((what, Some(hint))) => Error::new(code, what).with_hint(hint),
        Some((what, None)) => Error::new(code, what),
        None => Error::new(code, otherwise),
    }
}

/// Returns true if content is one or more lists, damaged ones included.
pub(crate) fn may_hold_list(content: &[u8]) -> bool {
    let has = |label: &str| content.windows(label.len()).any(|window| window == label.as_bytes());
    CRL_LABELS.iter().any(|label| has(&format!("{label}-----")))
        || begins_as_list(content)
        || is_base64_of(content, begins_as_list)
        || !lists_carried_by(content).is_empty()
        || match lists_of_pem(content, is_crl_label, begins_as_list) {
            Ok(lists) => lists.is_some_and(|lists| !lists.is_empty()),
            // There are lists, beside a message that may hold another one.
            Err(error) => error.code() == Code::CrlMalformed,
        }
}

/// The lists of PKCS#7, with or without line ends behind it.
fn lists_carried_by(content: &[u8]) -> Vec<Vec<u8>> {
    lists_of_pkcs7(whole(content, Code::CrlMalformed).unwrap_or(content))
}

/// Returns true if a file has the name of a list: `.crl`, `.crl.pem` or `.crl.der`. Copies of the links that
/// `openssl rehash` makes (`.r0`) are not meant: without links they hold the name of a file.
pub(crate) fn is_named_as_list(place: &str) -> bool {
    let name = place.to_ascii_lowercase();
    let name = name.strip_suffix(".pem").or_else(|| name.strip_suffix(".der")).unwrap_or(&name);
    name.ends_with(".crl")
}

/// The refusal of base64 that stands by itself.
fn without_armour(code: Code, label: &str) -> Error {
    let hint = format!("Decode it (base64 -d), or put -----BEGIN {label}----- and -----END {label}----- around it.");
    Error::new(code, "base64 without the lines of PEM around it").with_hint(hint)
}

/// Returns true if content is base64 alone, of something that begins so.
pub(super) fn is_base64_of(content: &[u8], begins_so: fn(&[u8]) -> bool) -> bool {
    let is_of_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    if !content.iter().all(|byte| is_of_base64(byte) || byte.is_ascii_whitespace()) {
        return false;
    }
    let digits = content.iter().copied().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=');
    let mut digits: Vec<u8> = digits.take(BASE64_LOOKED_AT).collect();
    digits.truncate(digits.len() / 4 * 4);
    STANDARD.decode(digits).is_ok_and(|start| begins_so(&start))
}

/// Returns true if it begins as lists do, whole or not.
fn begins_as_list(content: &[u8]) -> bool {
    let fields = || -> Option<Elements<'_>> {
        let mut fields = Elements::new(after_header(after_header(content)?)?);
        fields.optional(INTEGER).ok()?;
        fields.expect(SEQUENCE).ok()?;
        fields.expect(SEQUENCE).ok()?;
        Some(fields)
    };
    fields().is_some_and(|fields| matches!(fields.peek(), Some(UTC_TIME | GENERALIZED_TIME)))
}

/// Returns true if it begins with a status, whole or not.
pub(super) fn begins_as_response(content: &[u8]) -> bool {
    after_header(content).is_some_and(|inside| matches!(inside, [ENUMERATED, 1, ..]))
}

/// The bytes after the header of a SEQUENCE, at any length that the header gives.
fn after_header(content: &[u8]) -> Option<&[u8]> {
    match content {
        [SEQUENCE, 0..=0x7f, inside @ ..] => Some(inside),
        [SEQUENCE, long @ 0x81..=0x84, inside @ ..] => inside.get(usize::from(long & 0x7f)..),
        _ => None,
    }
}

/// Returns true for one response, and perhaps line ends after it.
pub(super) fn is_response(content: &[u8]) -> bool {
    begins_as_response(content) && whole(content, Code::OcspMalformed).is_ok()
}
