//! DER elements taken apart and put together, for what neither webpki nor x509-parser hand out.
//!
//! Nothing here knows what an element means.

use x509_parser::asn1_rs::Any;
use x509_parser::prelude::FromDer;

pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const OCTET_STRING: u8 = 0x04;

type Result<T> = std::result::Result<T, webpki::Error>;

/// The content of an element of this tag that is followed by nothing.
pub(super) fn only_element(tag: u8, input: &[u8]) -> Result<&[u8]> {
    match (input.first(), Any::from_der(input)) {
        (Some(found), Ok(([], any))) if *found == tag => Ok(any.data),
        _ => Err(webpki::Error::BadDer),
    }
}

/// The elements that follow one another, each with its header.
pub(super) fn elements(mut input: &[u8]) -> Result<Vec<&[u8]>> {
    let mut found = Vec::new();
    while !input.is_empty() {
        let (rest, _) = Any::from_der(input).map_err(|_| webpki::Error::BadDer)?;
        let length = input.len().saturating_sub(rest.len());
        let (head, _) = input.split_at_checked(length).ok_or(webpki::Error::BadDer)?;
        found.push(head);
        input = rest;
    }
    Ok(found)
}

/// An element of this tag with these parts as its content.
pub(super) fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut out = vec![tag];
    match u8::try_from(content.len()) {
        Ok(short @ 0..=0x7f) => out.push(short),
        _ => {
            let significant: Vec<_> = content.len().to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
            // At most the eight bytes of a usize.
            out.push(0x80 | significant.len() as u8);
            out.extend(significant);
        }
    }
    out.extend(content);
    out
}

/// The content of the algorithm identifier of a SubjectPublicKeyInfo (RFC 5280 section 4.1).
pub(super) fn key_algorithm(spki: &[u8]) -> Result<&[u8]> {
    only_element(SEQUENCE, elements(only_element(SEQUENCE, spki)?)?.first().ok_or(webpki::Error::BadDer)?)
}

/// The content of the algorithm identifier of a certificate's signature.
pub(super) fn signature_algorithm(certificate: &[u8]) -> Result<&[u8]> {
    only_element(SEQUENCE, elements(only_element(SEQUENCE, certificate)?)?.get(1).ok_or(webpki::Error::BadDer)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn element_of_each_length_form_is_taken_apart_again() {
        for length in [0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x1_0000] {
            let content = vec![7; length];
            let encoded = element(OCTET_STRING, &[&content]);
            assert_eq!(only_element(OCTET_STRING, &encoded).unwrap(), content);
            assert_eq!(elements(&[encoded.as_slice(), &encoded].concat()).unwrap(), [&encoded, &encoded]);
        }
    }

    #[test]
    fn truncated_trailing_and_other_elements_are_refused_as_bad_der() {
        let encoded = element(SEQUENCE, &[b"abc"]);
        assert_eq!(only_element(SEQUENCE, &encoded[..4]), Err(webpki::Error::BadDer));
        assert_eq!(only_element(SEQUENCE, &[encoded.as_slice(), b"\0"].concat()), Err(webpki::Error::BadDer));
        assert_eq!(only_element(OCTET_STRING, &encoded), Err(webpki::Error::BadDer));
        assert_eq!(elements(&[encoded.as_slice(), b"\x30\x84\xff\xff\xff\xff"].concat()), Err(webpki::Error::BadDer));
    }
}
