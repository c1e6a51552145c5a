//! PKCS#7 of certificates and revocation lists alone, as files .p7b and .p7c are (RFC 5652 sections 3 and 5).
//!
//! Nothing in such a file is signed. It is a container, trusted as a PEM file with the same content is. A message with
//! a signer is refused, because it is not made to be trusted.

use std::borrow::Cow;

use super::pkcs12::ber;
use super::unread::named;
use crate::der::{CONTEXT_0, Cursor, Element, Header, INTEGER, SEQUENCE, SET};
use crate::error::{Code, Error, Result};

/// The labels of PKCS#7 in PEM (RFC 7468 sections 8 and 9).
pub(super) const LABELS: [&str; 3] = ["PKCS7", "CMS", "PKCS #7 SIGNED DATA"];

/// `[1]`, constructed and context-specific.
const CONTEXT_1: u8 = 0xa1;
/// The identifiers of the contents of PKCS#7, and of those that CMS has added, without their last number.
const CONTENTS: &[&[u8]] = &[
    &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07],
    &[0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01],
];
const SIGNED_DATA: &str = "1.2.840.113549.1.7.2";
/// Enveloped, encrypted, and authenticated enveloped data.
const ENCRYPTED: [&str; 3] = ["1.2.840.113549.1.7.3", "1.2.840.113549.1.7.6", "1.2.840.113549.1.9.16.1.23"];

/// Fewer bytes than this no certificate and no list has. It bounds the entries that a file can ask for.
const SHORTEST: usize = 64;

/// The content of a message.
#[derive(Debug, Default)]
pub(super) struct Carried {
    pub(super) certificates: Vec<Vec<u8>>,
    pub(super) lists: Vec<Vec<u8>>,
    /// Certificates of another kind, such as attribute certificates.
    pub(super) others: usize,
}

/// Returns true for ContentInfo: a sequence that begins with the identifier of one of the contents of PKCS#7.
pub(super) fn is_content_info(bytes: &[u8]) -> bool {
    let header = Header::of(bytes).filter(|header| header.tag == SEQUENCE);
    let content = header.and_then(|header| bytes.get(header.bytes..)).unwrap_or_default();
    CONTENTS.iter().any(|identifier| content.starts_with(identifier))
}

/// Certificates and lists of a message in DER or BER.
///
/// # Errors
/// `STORE_MALFORMED`; `STORE_FORMAT_UNKNOWN` for a message that is signed, encrypted, or carries neither.
pub(super) fn read(bytes: &[u8]) -> Result<Carried> {
    let is_indefinite = Header::of(bytes).is_some_and(|header| header.length.is_none());
    let der = match is_indefinite {
        true => Cow::Owned(ber::to_der(without_line_ends(bytes), Code::StoreMalformed)?.to_vec()),
        false => Cow::Borrowed(bytes),
    };
    let mut outer = Cursor::new(&der, Code::StoreMalformed);
    let mut info = outer.enter(SEQUENCE, "PKCS#7")?;
    outer.end("PKCS#7")?;
    match info.oid("content type of PKCS#7")?.as_str() {
        SIGNED_DATA => {}
        content if ENCRYPTED.contains(&content) => return Err(other("it is an encrypted message of PKCS#7 (CMS)")),
        _ => return Err(other("it is PKCS#7 (CMS) that carries no certificates")),
    }
    let mut data = info.enter(CONTEXT_0, "content of PKCS#7")?.enter(SEQUENCE, "signed data")?;
    data.take(INTEGER, "version of the signed data")?;
    data.take(SET, "digest algorithms")?;
    data.take(SEQUENCE, "encapsulated content")?;
    let mut carried = Carried::default();
    if let Some(certificates) = data.optional(CONTEXT_0, "certificates")? {
        carried.others += elements(certificates, "certificate", &mut carried.certificates)?;
    }
    if let Some(lists) = data.optional(CONTEXT_1, "revocation lists")? {
        carried.others += elements(lists, "revocation list", &mut carried.lists)?;
    }
    if !data.take(SET, "signers")?.content.is_empty() {
        let hint = "If its certificates are the right ones, write them to a file: \
                    openssl cms -cmsout -inform DER -in FILE -noout -certsout FILE.pem (-inform PEM for text).";
        return Err(named("it is a signed message of PKCS#7 (CMS)", hint));
    }
    match carried.certificates.is_empty() && carried.lists.is_empty() {
        true => Err(other("it is PKCS#7 (CMS) without a certificate or a revocation list")),
        false => Ok(carried),
    }
}

/// Content without the line ends that editors and shells add. BER of indefinite length ends with two zeros.
fn without_line_ends(mut bytes: &[u8]) -> &[u8] {
    while let [before @ .., b'\r' | b'\n'] = bytes {
        bytes = before;
    }
    bytes
}

/// A message in words, for the error of a file that was to be something else.
pub(super) fn in_words(bytes: &[u8]) -> String {
    match read(bytes) {
        Ok(Carried { certificates, lists, .. }) => {
            let (certificates, lists) = (certificates.len(), lists.len());
            format!("it is PKCS#7 (CMS) with certificates: {certificates}, revocation lists: {lists}")
        }
        Err(error) if error.code() == Code::StoreMalformed => {
            format!("it is PKCS#7 (CMS) that cannot be read: {}", error.detail())
        }
        Err(error) => error.detail().to_owned(),
    }
}

/// Adds each SEQUENCE of a set to `found`, and counts elements of other kinds.
fn elements(set: Element<'_>, what: &str, found: &mut Vec<Vec<u8>>) -> Result<usize> {
    let mut rest = Cursor::new(set.content, Code::StoreMalformed);
    let mut others = 0;
    while let Some(tag) = rest.peek() {
        let element = rest.next(what)?;
        match tag {
            _ if element.whole.len() < SHORTEST => {
                let detail = format!("a {what} in PKCS#7 has {} bytes", element.whole.len());
                return Err(Error::new(Code::StoreMalformed, detail));
            }
            SEQUENCE => found.push(element.whole.to_vec()),
            _ => others += 1,
        }
    }
    Ok(others)
}

fn other(what: &str) -> Error {
    named(what, "Give the certificates themselves: PEM, or PKCS#7 that has only them (.p7b).")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::der::element;

    const DATA: &[u8] = &[0x30, 0x0b, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];

    fn message(kind: u8, fields: &[&[u8]]) -> Vec<u8> {
        let data = element(SEQUENCE, &[&[INTEGER, 1, 1, SET, 0], DATA, &fields.concat()]);
        element(SEQUENCE, &[CONTENTS[0], &[kind], &element(CONTEXT_0, &[&data])])
    }

    fn refused(message: &[u8]) -> (Code, String) {
        let error = read(message).unwrap_err();
        (error.code(), error.detail().to_owned())
    }

    fn set(tag: u8, tags: &[u8]) -> Vec<u8> {
        element(tag, &[&tags.iter().flat_map(|tag| element(*tag, &[&[0; SHORTEST]])).collect::<Vec<_>>()])
    }

    #[test]
    fn certificates_and_lists_of_a_message_without_signers_are_taken_out() {
        let certificates = set(CONTEXT_0, &[SEQUENCE, CONTEXT_1, SEQUENCE]);
        let carried = read(&message(2, &[&certificates, &set(CONTEXT_1, &[SEQUENCE]), &[SET, 0]])).unwrap();
        assert_eq!((carried.certificates.len(), carried.lists.len(), carried.others), (2, 1, 1));
    }

    #[test]
    fn messages_that_are_signed_or_encrypted_or_carry_nothing_are_named() {
        let unknown = |what: &str| (Code::StoreFormatUnknown, what.to_owned());
        let signed = message(2, &[&set(CONTEXT_0, &[SEQUENCE]), &[SET, 2, SEQUENCE, 0]]);
        assert_eq!(refused(&signed), unknown("it is a signed message of PKCS#7 (CMS)"));
        let encrypted = message(3, &[&[SET, 0]]);
        assert_eq!(refused(&encrypted), unknown("it is an encrypted message of PKCS#7 (CMS)"));
        assert_eq!(refused(&message(1, &[])), unknown("it is PKCS#7 (CMS) that carries no certificates"));
        let bare = message(2, &[&[SET, 0]]);
        assert_eq!(refused(&bare), unknown("it is PKCS#7 (CMS) without a certificate or a revocation list"));
    }

    #[test]
    fn message_is_told_by_what_it_carries() {
        let lists = set(CONTEXT_1, &[SEQUENCE, SEQUENCE]);
        let both = message(2, &[&set(CONTEXT_0, &[SEQUENCE]), &lists, &[SET, 0]]);
        assert_eq!(in_words(&both), "it is PKCS#7 (CMS) with certificates: 1, revocation lists: 2");
        let cut = in_words(&both[..both.len() - 1]);
        assert!(cut.starts_with("it is PKCS#7 (CMS) that cannot be read: "), "{cut}");
        assert_eq!(in_words(&message(3, &[])), "it is an encrypted message of PKCS#7 (CMS)");
    }

    #[test]
    fn damaged_messages_are_malformed() {
        let whole = message(2, &[&set(CONTEXT_0, &[SEQUENCE]), &[SET, 0]]);
        for length in 0..whole.len() {
            assert_eq!(refused(&whole[..length]).0, Code::StoreMalformed, "{length}");
        }
        let short = message(2, &[&[CONTEXT_0, 2, SEQUENCE, 0], &[SET, 0]]);
        assert_eq!(refused(&short), (Code::StoreMalformed, "a certificate in PKCS#7 has 2 bytes".to_owned()));
        assert_eq!(refused(&[&[SEQUENCE, 0x80][..], CONTENTS[0], &[2, 0, 0]].concat()).0, Code::StoreMalformed);
    }
}
