//! What a file holds that tells of revocation, for who looks into files without knowing what they are.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::crl::{Crl, CrlFacts};
use super::ocsp::{self, OcspFacts, OcspResponse};
use crate::der::{ENUMERATED, Elements, GENERALIZED_TIME, INTEGER, SEQUENCE, UTC_TIME, only};
use crate::error::{Code, Error, Result};
use crate::keystore::blocks_of_pem;

/// Labels of a list in PEM: the first is that of RFC 7468 section 5.3, and some programs write the others.
const CRL_LABELS: [&str; 3] = [CRL_LABEL, "CRL", "X.509 CRL"];
const CRL_LABEL: &str = "X509 CRL";
/// So many characters of a text are decoded to see what it begins as.
const BASE64_LOOKED_AT: usize = 4096;

fn is_crl_label(label: &str) -> bool {
    CRL_LABELS.contains(&label)
}

/// The lists and OCSP responses of a file, each by what it says of itself: nothing of it is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RevocationFile {
    /// The lists, in the order of the file.
    pub crls: Vec<CrlFacts>,
    /// The OCSP responses, in the order of the file.
    pub responses: Vec<OcspFacts>,
}

impl RevocationFile {
    /// Reads a file's content: DER, or PEM with any number of both; none where it holds neither. `place` is what messages
    /// call it.
    ///
    /// # Errors
    /// As for [`Crl::from_der`] and [`OcspResponse::from_der`], for what says that it is one and cannot be read;
    /// `PEM_MALFORMED`.
    pub fn read(content: &[u8], place: &str) -> Result<Option<Self>> {
        let blocks = |is_wanted: fn(&str) -> bool| blocks_of_pem(content, is_wanted).map_err(|error| error.at(place));
        let crl = |der: &[u8], place: &str| Crl::from_der(der, place).map(|crl| crl.facts());
        let response = |der: &[u8], place: &str| OcspResponse::from_der(der, place).map(|response| response.facts());
        let at = |line| format!("{place}, line {line}");
        let (crls, responses) = match (blocks(is_crl_label)?, blocks(ocsp::is_label)?) {
            (Some(crls), Some(responses)) => (
                crls.iter().map(|(line, der)| crl(der, &at(*line))).collect::<Result<_>>()?,
                responses.iter().map(|(line, der)| response(der, &at(*line))).collect::<Result<_>>()?,
            ),
            _ if begins_as_list(content) && is_whole(content) => (vec![crl(content, place)?], Vec::new()),
            _ if begins_as_response(content) && is_whole(content) => (Vec::new(), vec![response(content, place)?]),
            _ if is_base64_of(content, begins_as_list) => {
                return Err(without_armour(Code::CrlMalformed, CRL_LABEL).at(place));
            }
            _ if is_base64_of(content, begins_as_response) => {
                return Err(without_armour(Code::OcspMalformed, ocsp::LABEL).at(place));
            }
            _ => return Ok(None),
        };
        let file = Self { crls, responses };
        Ok((!file.crls.is_empty() || !file.responses.is_empty()).then_some(file))
    }
}

/// The encoding of one list, and its place for messages.
pub(super) struct Part<'a> {
    pub(super) der: Cow<'a, [u8]>,
    pub(super) place: String,
}

/// The lists of a file's content: DER, or PEM with any number of them, none included.
///
/// # Errors
/// `PEM_MALFORMED`; `CRL_MALFORMED` for a list in base64 without the lines of PEM.
pub(super) fn crl_parts<'a>(content: &'a [u8], place: &str) -> Result<Vec<Part<'a>>> {
    if let Some(blocks) = blocks_of_pem(content, is_crl_label).map_err(|error| error.at(place))? {
        let part = |(line, mut der): (usize, Zeroizing<Vec<u8>>)| {
            let der = Cow::Owned(std::mem::take(&mut *der));
            Part { der, place: format!("{place}, line {line}") }
        };
        return Ok(blocks.into_iter().map(part).collect());
    }
    if is_base64_of(content, begins_as_list) {
        return Err(without_armour(Code::CrlMalformed, CRL_LABEL).at(place));
    }
    Ok(vec![Part { der: Cow::Borrowed(content), place: place.to_owned() }])
}

/// The responses of a file's content, in the same way.
///
/// # Errors
/// `PEM_MALFORMED`; `OCSP_MALFORMED` for a response in base64 without the lines of PEM.
pub(super) fn response_parts<'a>(content: &'a [u8], place: &str) -> Result<Vec<Part<'a>>> {
    if let Some(blocks) = blocks_of_pem(content, ocsp::is_label).map_err(|error| error.at(place))? {
        let part = |(line, mut der): (usize, Zeroizing<Vec<u8>>)| {
            let der = Cow::Owned(std::mem::take(&mut *der));
            Part { der, place: format!("{place}, line {line}") }
        };
        return Ok(blocks.into_iter().map(part).collect());
    }
    if is_base64_of(content, begins_as_response) {
        return Err(without_armour(Code::OcspMalformed, ocsp::LABEL).at(place));
    }
    Ok(vec![Part { der: Cow::Borrowed(content), place: place.to_owned() }])
}

/// Returns true if content is one or more lists, damaged ones included.
pub(crate) fn may_hold_list(content: &[u8]) -> bool {
    let has = |label: &str| content.windows(label.len()).any(|window| window == label.as_bytes());
    CRL_LABELS.iter().any(|label| has(&format!("{label}-----")))
        || begins_as_list(content)
        || is_base64_of(content, begins_as_list)
}

/// Returns true if a file has the name of a list: `.crl`, `.crl.pem` or `.crl.der`. Copies of the links that
/// `openssl rehash` makes (`.r0`) are not meant: without links they hold the name of a file.
pub(super) fn is_named_as_list(place: &str) -> bool {
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
fn is_base64_of(content: &[u8], begins_so: fn(&[u8]) -> bool) -> bool {
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
fn begins_as_response(content: &[u8]) -> bool {
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

/// Returns true if it is one element and nothing more.
fn is_whole(content: &[u8]) -> bool {
    only(SEQUENCE, content).is_ok()
}
