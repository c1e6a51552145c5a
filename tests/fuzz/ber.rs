//! BER made DER, for a corpus that OpenSSL's liberal reader has grown. As it is, nearly all of it is refused at its
//! second byte, and the deeper parts are never reached.

use x509_parser::asn1_rs::Any;
use x509_parser::prelude::FromDer;

/// Deeper than anything that is read here.
const MAX_DEPTH: usize = 32;

/// The same element with definite lengths, strings in one piece and times that can be read; none where there is no
/// element at all.
pub(crate) fn as_der(ber: &[u8]) -> Option<Vec<u8>> {
    one(ber, 0).map(|(der, _)| der)
}

/// The first element as DER, and what follows it.
fn one(input: &[u8], depth: usize) -> Option<(Vec<u8>, &[u8])> {
    let [tag, length, ref rest @ ..] = *input else { return None };
    if depth > MAX_DEPTH || tag & 0x1f == 0x1f {
        return None;
    }
    let is_constructed = tag & 0x20 != 0;
    let (content, rest) = match length {
        0x80 => {
            let (mut content, mut rest) = (Vec::new(), rest);
            while !rest.starts_with(&[0, 0]) {
                let (element, after) = one(rest, depth + 1)?;
                content.extend(element);
                rest = after;
            }
            (content, &rest[2..])
        }
        _ => {
            let count = if length < 0x80 { 0 } else { usize::from(length & 0x7f) };
            let long = rest.get(..count).filter(|_| count <= 4)?;
            let length = match count {
                0 => usize::from(length),
                _ => long.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)),
            };
            let (content, after) = rest[count..].split_at_checked(length)?;
            (if is_constructed { all(content, depth + 1)? } else { content.to_vec() }, after)
        }
    };
    let element = match tag & !0x20 {
        0x17 => element(0x17, b"251115103000Z"),
        0x18 => element(0x18, b"20251115103000Z"),
        // A string in pieces.
        primitive @ 0x01..=0x0f if is_constructed => element(primitive, &contents(&content)),
        _ => element(tag, &content),
    };
    Some((element, rest))
}

/// Elements that follow one another.
fn all(mut input: &[u8], depth: usize) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    while !input.is_empty() {
        let (element, rest) = one(input, depth)?;
        out.extend(element);
        input = rest;
    }
    Some(out)
}

/// The contents of DER elements, one after the other.
fn contents(mut der: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    while let Ok((rest, element)) = Any::from_der(der) {
        out.extend(element.data);
        der = rest;
    }
    out
}

/// The elements in one of DER, each with its header.
pub(crate) fn inside(der: &[u8]) -> Vec<&[u8]> {
    let mut rest = Any::from_der(der).map(|(_, element)| element.data).unwrap_or_default();
    let mut found = Vec::new();
    while let Ok((after, _)) = Any::from_der(rest) {
        found.push(&rest[..rest.len() - after.len()]);
        rest = after;
    }
    found
}

/// An element of DER.
pub(crate) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let significant = length.iter().position(|byte| *byte != 0).unwrap_or(length.len());
    let header = match content.len() {
        short @ 0..=0x7f => vec![tag, short as u8],
        _ => [&[tag, 0x80 | (length.len() - significant) as u8], &length[significant..]].concat(),
    };
    [header.as_slice(), content].concat()
}
