//! The content of a file that was expected to hold something else, in words.

use super::formats::{der, indefinite, is_certificate, known};
use super::pem::{self, Block};
use super::unread::archive;
use super::{StoreType, open, pkcs7, plain};
use crate::der::{Header, SEQUENCE};
use crate::error::{Code, Error};

/// The content of a file that was expected to be something else, in words for its error, and a hint if there is a
/// better one than the error's own. Nothing if the content is not known either.
pub(crate) fn recognized(bytes: &[u8]) -> Option<(String, Option<String>)> {
    let in_words = |error: Error| (error.detail().to_owned(), Some(error.hint().to_owned()));
    if let Some(error) = archive(bytes) {
        return Some(in_words(error));
    }
    if pem::has_block(bytes) {
        return Some(match pem::blocks(bytes) {
            Ok(blocks) => (format!("it is PEM text with {}", labels(&blocks)), None),
            Err(error) => {
                (format!("it is PEM text that cannot be read: {}", error.detail()), Some(error.hint().to_owned()))
            }
        });
    }
    let bytes = open::whole(bytes, Code::StoreMalformed).unwrap_or(bytes);
    let what = match open::find_type(bytes) {
        Ok(StoreType::Jks) => "it is a JKS keystore",
        Ok(StoreType::Jceks) => "it is a JCEKS keystore",
        Ok(StoreType::Pkcs12) => "it is a PKCS#12 keystore",
        Ok(StoreType::Der) if pkcs7::is_content_info(bytes) => {
            return Some((pkcs7::in_words(bytes), None));
        }
        Ok(StoreType::Der) if is_certificate(bytes) => "it is a certificate",
        Ok(StoreType::Der) if plain::is_der_key(bytes) => "it is a private key",
        Ok(_) => return der(bytes).map(in_words),
        Err(error) if error.code() == Code::StoreMalformed => return Some(in_words(error)),
        Err(_) => return known(bytes).or_else(|| is_indefinite(bytes).then(indefinite)).map(in_words),
    };
    Some((what.to_owned(), None))
}

fn is_indefinite(bytes: &[u8]) -> bool {
    Header::of(bytes).is_some_and(|header| header.tag == SEQUENCE && header.length.is_none())
}

/// The labels of a text, each once, with their number.
fn labels(blocks: &[Block]) -> String {
    const MOST: usize = 5;
    let mut counted: Vec<(&str, usize)> = Vec::new();
    for block in blocks {
        let is_full = counted.len() == MOST;
        match counted.iter_mut().find(|(label, _)| *label == block.label) {
            Some((_, count)) => *count += 1,
            None if is_full => {}
            None => counted.push((&block.label, 1)),
        }
    }
    let parts = counted.into_iter().map(|(label, count)| format!("{label} ({count})"));
    parts.collect::<Vec<_>>().join(", ")
}
