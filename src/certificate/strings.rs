//! The string types of ASN.1 as text.
//!
//! A TeletexString is Latin-1, as certificates, OpenSSL and Java have it.

use super::text::hex;
use crate::der::Element;

pub(super) const UTF8_STRING: u8 = 0x0c;
pub(super) const NUMERIC_STRING: u8 = 0x12;
pub(super) const PRINTABLE_STRING: u8 = 0x13;
pub(super) const TELETEX_STRING: u8 = 0x14;
pub(super) const IA5_STRING: u8 = 0x16;
pub(super) const VISIBLE_STRING: u8 = 0x1a;
pub(super) const UNIVERSAL_STRING: u8 = 0x1c;
pub(super) const BMP_STRING: u8 = 0x1e;

/// The text of a string of any type. `None` if it is not a string, or its content is not valid for its type.
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

/// Appends a value with the escapes of RFC 4514 section 2.4.
///
/// Also escapes `=`, so that no value looks like an attribute, and invisible characters: control characters and those
/// that turn or hide the text around them.
pub(super) fn escape_into(out: &mut String, text: &str) {
    let last = text.chars().count().saturating_sub(1);
    for (position, character) in text.chars().enumerate() {
        match character {
            ',' | '+' | '"' | '\\' | '<' | '>' | ';' | '=' => out.extend(['\\', character]),
            ' ' if position == 0 || position == last => out.push_str("\\ "),
            '#' if position == 0 => out.push_str("\\#"),
            _ if is_unseen(character) => escape_bytes_into(out, character),
            _ => out.push(character),
        }
    }
}

/// Appends a text with hexadecimal escapes for invisible characters, and a backslash before a backslash and a leading
/// `#`.
pub(super) fn escape_unseen_into(out: &mut String, text: &str) {
    for (position, character) in text.chars().enumerate() {
        match character {
            '\\' => out.push_str("\\\\"),
            '#' if position == 0 => out.push_str("\\#"),
            _ if is_unseen(character) => escape_bytes_into(out, character),
            _ => out.push(character),
        }
    }
}

fn escape_bytes_into(out: &mut String, character: char) {
    for byte in character.encode_utf8(&mut [0; 4]).bytes() {
        out.push('\\');
        out.push_str(&hex(&[byte]).to_ascii_uppercase());
    }
}

/// Control characters, and those that turn or hide the text around them (Unicode's bidirectional and zero-width
/// formatting).
pub(super) fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}'
                | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
                | '\u{fe00}'..='\u{fe0f}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
        )
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
