//! The string types of ASN.1 as text.
//!
//! TeletexString is read as Latin-1: that is what certificates hold, and what OpenSSL and Java read.

use crate::der::Element;

pub(super) const UTF8_STRING: u8 = 0x0c;
pub(super) const NUMERIC_STRING: u8 = 0x12;
pub(super) const PRINTABLE_STRING: u8 = 0x13;
pub(super) const TELETEX_STRING: u8 = 0x14;
pub(super) const IA5_STRING: u8 = 0x16;
pub(super) const VISIBLE_STRING: u8 = 0x1a;
pub(super) const UNIVERSAL_STRING: u8 = 0x1c;
pub(super) const BMP_STRING: u8 = 0x1e;

/// The text of a string of any type; none if it is no string, or its content is not what its type promises.
pub(super) fn text(value: Element<'_>) -> Option<String> {
    let content = value.content;
    match value.tag {
        UTF8_STRING => std::str::from_utf8(content).ok().map(str::to_owned),
        NUMERIC_STRING | PRINTABLE_STRING | IA5_STRING | VISIBLE_STRING if content.is_ascii() => {
            Some(content.iter().copied().map(char::from).collect())
        }
        TELETEX_STRING => Some(content.iter().copied().map(char::from).collect()),
        BMP_STRING => {
            let (units, rest) = content.as_chunks();
            let units = units.iter().map(|unit| u32::from(u16::from_be_bytes(*unit)));
            rest.is_empty().then(|| units.map(char::from_u32).collect()).flatten()
        }
        UNIVERSAL_STRING => {
            let (units, rest) = content.as_chunks();
            let units = units.iter().map(|unit| u32::from_be_bytes(*unit));
            rest.is_empty().then(|| units.map(char::from_u32).collect()).flatten()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(tag: u8, content: &[u8]) -> Option<String> {
        text(Element { tag, content, whole: content })
    }

    #[test]
    fn each_string_type_is_read_by_its_own_encoding() {
        for (tag, content) in [
            (UTF8_STRING, "gerät".as_bytes()),
            (TELETEX_STRING, b"ger\xe4t"),
            (BMP_STRING, b"\0g\0e\0r\0\xe4\0t"),
            (UNIVERSAL_STRING, b"\0\0\0g\0\0\0e\0\0\0r\0\0\0\xe4\0\0\0t"),
        ] {
            assert_eq!(read(tag, content).as_deref(), Some("gerät"), "{tag:#x}");
        }
        for tag in [NUMERIC_STRING, PRINTABLE_STRING, IA5_STRING, VISIBLE_STRING] {
            assert_eq!(read(tag, b"0 1").as_deref(), Some("0 1"), "{tag:#x}");
        }
    }

    #[test]
    fn string_that_breaks_the_rules_of_its_type_has_no_text() {
        for (tag, content) in [
            (UTF8_STRING, &b"ger\xe4t"[..]),
            (UTF8_STRING, b"\xed\xa0\x80"),
            (UTF8_STRING, b"\xc0\x80"),
            (PRINTABLE_STRING, b"ger\xe4t"),
            (IA5_STRING, b"\xff"),
            (BMP_STRING, b"\0g\0"),
            (BMP_STRING, b"\xd8\x3d\xde\0"),
            (UNIVERSAL_STRING, b"\0\0g"),
            (UNIVERSAL_STRING, b"\0\x11\0\0"),
            (crate::der::OCTET_STRING, b"text"),
        ] {
            assert_eq!(read(tag, content), None, "{tag:#x} {content:x?}");
        }
    }
}
