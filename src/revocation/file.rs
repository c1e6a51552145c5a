//! What a file holds that tells of revocation, for who looks into files without knowing what they are.

use super::crl::{Crl, CrlFacts};
use super::crls;
use super::ocsp::{self, OcspFacts, OcspResponse};
use crate::der::{ENUMERATED, Element, GENERALIZED_TIME, INTEGER, Malformed, SEQUENCE, UTC_TIME, only};
use crate::error::Result;
use crate::keystore::blocks_of_pem;

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
        let blocks = |label| blocks_of_pem(content, label).map_err(|error| error.at(place));
        let crl = |der: &[u8], place: &str| Crl::from_der(der, place).map(|crl| crl.facts());
        let response = |der: &[u8], place: &str| OcspResponse::from_der(der, place).map(|response| response.facts());
        let at = |line| format!("{place}, line {line}");
        let (crls, responses) = match (blocks(crls::LABEL)?, blocks(ocsp::LABEL)?) {
            (Some(crls), Some(responses)) => (
                crls.iter().map(|(line, der)| crl(der, &at(*line))).collect::<Result<_>>()?,
                responses.iter().map(|(line, der)| response(der, &at(*line))).collect::<Result<_>>()?,
            ),
            _ if is_crl(content) == Ok(true) => (vec![crl(content, place)?], Vec::new()),
            _ if is_response(content) == Ok(true) => (Vec::new(), vec![response(content, place)?]),
            _ => return Ok(None),
        };
        let file = Self { crls, responses };
        Ok((!file.crls.is_empty() || !file.responses.is_empty()).then_some(file))
    }
}

/// Whether it begins as lists do and certificates do not: with the issuer and a date behind it.
fn is_crl(content: &[u8]) -> std::result::Result<bool, Malformed> {
    let mut fields = first_of(content)?.inside();
    fields.optional(INTEGER)?;
    fields.expect(SEQUENCE)?;
    fields.expect(SEQUENCE)?;
    Ok(matches!(fields.peek(), Some(UTC_TIME | GENERALIZED_TIME)))
}

/// Whether it begins with a status.
fn is_response(content: &[u8]) -> std::result::Result<bool, Malformed> {
    Ok(first_of(content)?.tag == ENUMERATED)
}

/// The first element in the sequence that the content is.
fn first_of(content: &[u8]) -> std::result::Result<Element<'_>, Malformed> {
    only(SEQUENCE, content)?.inside().next()?.ok_or(Malformed)
}
