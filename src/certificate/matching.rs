//! Compares names (RFC 5280 section 7.1): string types, case and white space do not matter.
//!
//! A name is reduced to a key once; keys are compared, and found in maps, as bytes.

use super::name::{RawAttribute, relative_names};
use super::strings;

/// The canonical form of a Name: two names are the same exactly if their keys are.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct NameKey(Vec<u8>);

/// The first byte of a key: a name, or malformed bytes, which match only themselves.
const NAME: u8 = 1;
const NO_NAME: u8 = 0;

/// First byte of a value in a key: the prepared text, the text as it is, the DER encoding.
const PREPARED: u8 = 2;
const TEXT: u8 = 1;
const DER: u8 = 0;

impl NameKey {
    /// The key of a whole Name in DER.
    ///
    /// Takes time and memory in proportion to its length (attributes of one relative name are sorted).
    pub(crate) fn new(name: &[u8]) -> Self {
        let Ok(relative) = relative_names(name) else {
            return Self([&[NO_NAME], name].concat());
        };
        let mut key = vec![NAME];
        for attributes in relative {
            let mut parts: Vec<_> = attributes.into_iter().map(attribute_key).collect();
            // A relative name is a set: the order of its attributes means nothing.
            parts.sort_unstable();
            push_length(&mut key, parts.len());
            for part in parts {
                push_with_length(&mut key, &part);
            }
        }
        Self(key)
    }
}

/// Returns true if two whole Names in DER are the same name.
pub(crate) fn same_name(one: &[u8], other: &[u8]) -> bool {
    one == other || NameKey::new(one) == NameKey::new(other)
}

fn attribute_key(attribute: RawAttribute<'_>) -> Vec<u8> {
    let mut key = Vec::new();
    push_with_length(&mut key, attribute.oid);
    let value = attribute.value;
    // The types that RFC 5280 section 7.1 and OpenSSL compare as text. A NumericString is not among them.
    let is_compared_as_text = value.tag != strings::NUMERIC_STRING;
    match strings::text(value).filter(|_| is_compared_as_text) {
        Some(text) => match prepared(&text) {
            Some(prepared) => {
                key.push(PREPARED);
                key.extend(prepared.into_bytes());
            }
            None => {
                key.push(TEXT);
                key.extend(text.into_bytes());
            }
        },
        None => {
            key.push(DER);
            key.extend(value.whole);
        }
    }
    key
}

/// A text by the string preparation of RFC 4518: case folded, white space at the ends removed and collapsed within.
///
/// None if RFC 4518 forbids one of its characters, or it has a NUL, which preparation would make invisible.
fn prepared(text: &str) -> Option<String> {
    if text.is_empty() {
        return Some(String::new());
    }
    if text.contains('\0') {
        return None;
    }
    let folded = stringprep::x520prep(text, true).ok()?;
    if folded.is_empty() {
        return Some(String::new());
    }
    // Folding alone leaves compatibility forms as they are; the second run composes them.
    let normal = stringprep::x520prep(&folded, false).ok()?;
    let mut prepared = String::with_capacity(normal.len());
    for word in normal.split(' ').filter(|word| !word.is_empty()) {
        if !prepared.is_empty() {
            prepared.push(' ');
        }
        prepared.push_str(word);
    }
    Some(prepared)
}

fn push_with_length(key: &mut Vec<u8>, part: &[u8]) {
    push_length(key, part.len());
    key.extend(part);
}

fn push_length(key: &mut Vec<u8>, length: usize) {
    key.extend(length.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::der::{OID, SEQUENCE, SET, element};

    const COMMON_NAME: &[u8] = &[0x55, 4, 3];
    const ORGANISATION: &[u8] = &[0x55, 4, 10];

    fn attribute(oid: &[u8], tag: u8, content: &[u8]) -> Vec<u8> {
        element(SEQUENCE, &[&element(OID, &[oid]), &element(tag, &[content])])
    }

    fn name(relative: &[&[&[u8]]]) -> Vec<u8> {
        let sets: Vec<_> = relative.iter().map(|attributes| element(SET, attributes)).collect();
        element(SEQUENCE, &sets.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }

    fn common_name(tag: u8, content: &[u8]) -> Vec<u8> {
        name(&[&[&attribute(COMMON_NAME, tag, content)]])
    }

    fn utf8(text: &str) -> Vec<u8> {
        common_name(strings::UTF8_STRING, text.as_bytes())
    }

    #[test]
    fn names_that_differ_in_string_type_case_and_spaces_are_the_same() {
        let device_ca = utf8("Device CA");
        for same in [
            common_name(strings::PRINTABLE_STRING, b"Device CA"),
            common_name(strings::TELETEX_STRING, b"DEVICE CA"),
            common_name(strings::IA5_STRING, b"  device \t ca "),
            common_name(strings::BMP_STRING, b"\0D\0e\0v\0i\0c\0e\0 \0 \0C\0A"),
            common_name(
                strings::UNIVERSAL_STRING,
                &"Device CA".chars().flat_map(|c| u32::from(c).to_be_bytes()).collect::<Vec<_>>(),
            ),
            utf8("ＤＥＶＩＣＥ\u{a0}ＣＡ"),
            utf8("Device\u{ad} CA"),
        ] {
            assert!(same_name(&device_ca, &same), "{same:x?}");
        }
        assert!(same_name(&common_name(strings::TELETEX_STRING, b"GER\xc4T"), &utf8("gera\u{308}t")));
        assert!(same_name(&utf8("Straße"), &utf8("STRASSE")));
        assert!(same_name(&utf8(""), &utf8("  ")));
        assert!(same_name(&utf8("\u{ad}"), &utf8("")));
        assert!(same_name(&element(SEQUENCE, &[]), &element(SEQUENCE, &[])));
    }

    #[test]
    fn names_with_another_text_type_or_number_of_attributes_differ() {
        let one = utf8("Device CA");
        let device = attribute(COMMON_NAME, strings::UTF8_STRING, b"Device CA");
        for other in [
            utf8("DeviceCA"),
            utf8("Device CA 2"),
            utf8("Device CA\0"),
            utf8("Devıce CA"),
            common_name(strings::UTF8_STRING, b"Device CA\xff"),
            common_name(crate::der::OCTET_STRING, b"Device CA"),
            common_name(strings::NUMERIC_STRING, b"Device CA"),
            name(&[&[&attribute(ORGANISATION, strings::UTF8_STRING, b"Device CA")]]),
            name(&[&[&device], &[&device]]),
            element(SEQUENCE, &[]),
            Vec::new(),
        ] {
            assert!(!same_name(&one, &other), "{other:x?}");
        }
        assert!(!same_name(
            &common_name(strings::NUMERIC_STRING, b"1 2"),
            &common_name(strings::NUMERIC_STRING, b"1  2")
        ));
    }

    #[test]
    fn relative_names_keep_their_order_and_their_attributes_have_none() {
        let organisation = attribute(ORGANISATION, strings::UTF8_STRING, b"Example");
        let device = attribute(COMMON_NAME, strings::UTF8_STRING, b"Device");
        let in_order = name(&[&[&organisation], &[&device]]);
        let reversed = name(&[&[&device], &[&organisation]]);
        let both = name(&[&[&organisation, &device]]);
        let both_reversed = name(&[&[&device, &organisation]]);
        let twice = name(&[&[&device, &device, &organisation]]);
        assert!(same_name(&both, &both_reversed));
        for (one, other) in [(&in_order, &reversed), (&in_order, &both), (&both, &twice)] {
            assert!(!same_name(one, other));
        }
    }

    #[test]
    fn bytes_that_are_no_name_match_only_themselves() {
        let good = utf8("Device CA");
        let mut trailing = good.clone();
        trailing.push(0);
        let no_attributes = name(&[&[]]);
        let no_value = element(SEQUENCE, &[&element(SET, &[&element(SEQUENCE, &[&element(OID, &[COMMON_NAME])])])]);
        let key_of_good = NameKey::new(&good).0;
        for malformed in [&good[1..], &good[..good.len() - 1], &trailing, &no_attributes, &no_value, &key_of_good] {
            assert!(same_name(malformed, malformed));
            assert!(!same_name(malformed, &good), "{malformed:x?}");
        }
        assert!(!same_name(&no_attributes, &no_value));
    }

    #[test]
    fn key_of_a_huge_name_is_of_its_size() {
        let attributes: Vec<_> =
            (0..20_000u32).map(|n| attribute(COMMON_NAME, strings::UTF8_STRING, n.to_string().as_bytes())).collect();
        let huge = name(&[&attributes.iter().map(Vec::as_slice).collect::<Vec<_>>()]);
        assert!(NameKey::new(&huge).0.len() < 4 * huge.len());
        // The character of the longest compatibility form: 18 characters of at most two bytes from one of three.
        let long = utf8(&"\u{fdfa}".repeat(10_000));
        assert!(NameKey::new(&long).0.len() < 12 * long.len());
        assert!(!same_name(&long, &huge));
    }
}
