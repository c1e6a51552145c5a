//! Reads the revocation lists and OCSP responses in a file of unknown content.

use super::content::{
    Part, begins_as_response, crl_parts, is_base64_of, is_response, lists_of_text, may_hold_list, response_parts,
    responses_of_text,
};
use super::crl::{Crl, CrlFacts};
use super::ocsp::{OcspFacts, OcspResponse};
use crate::error::Result;

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
    /// Parses the content of a file: DER, or PEM with any number of both. `None` if it has neither. Messages call it
    /// `place`.
    ///
    /// # Errors
    /// As for [`Crl::from_der`] and [`OcspResponse::from_der`], for what says that it is one and cannot be read;
    /// `PEM_MALFORMED`.
    pub fn read(content: &[u8], place: &str) -> Result<Option<Self>> {
        let crl = |part: &Part<'_>| Crl::from_der(&part.der, &part.place).map(|crl| crl.facts());
        let response =
            |part: &Part<'_>| OcspResponse::from_der(&part.der, &part.place).map(|response| response.facts());
        let (mut crls, mut responses) = (Vec::new(), Vec::new());
        if let Some(lists) = lists_of_text(content, place)? {
            crls = lists;
            responses = responses_of_text(content, place)?.unwrap_or_default();
        } else if may_hold_list(content) {
            crls = crl_parts(content, place)?;
        } else if is_response(content) || is_base64_of(content, begins_as_response) {
            responses = response_parts(content, place)?;
        }
        let crls = crls.iter().map(crl).collect::<Result<Vec<_>>>()?;
        let responses = responses.iter().map(response).collect::<Result<Vec<_>>>()?;
        Ok((!crls.is_empty() || !responses.is_empty()).then_some(Self { crls, responses }))
    }
}
