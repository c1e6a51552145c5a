//! BER to DER: indefinite lengths get a length, strings in pieces become one (X.690 sections 8.1.3.6 and 8.7.3).
//!
//! Some writers of PKCS#12 use both. Values are not looked at, and the content of OCTET STRINGs stays as it is.

use zeroize::Zeroizing;

use crate::der::{Header, OCTET_STRING};
use crate::error::{Code, Error, Result};

/// Deepest nesting; PKCS#12 needs a dozen.
const MAX_DEPTH: usize = 32;
const CONSTRUCTED: u8 = 0x20;
const CONSTRUCTED_OCTET_STRING: u8 = OCTET_STRING | CONSTRUCTED;

/// The same elements in DER.
///
/// # Errors
/// `code` if an element is cut off, ends if none began, or nests deeper than 32.
pub(crate) fn to_der(bytes: &[u8], code: Code) -> Result<Zeroizing<Vec<u8>>> {
    let mut rest = bytes;
    let mut out = Zeroizing::new(Vec::with_capacity(bytes.len()));
    let converter = Converter { code };
    while !rest.is_empty() {
        converter.element(&mut rest, &mut out, 0)?;
    }
    Ok(out)
}

struct Converter {
    code: Code,
}

impl Converter {
    fn element(&self, rest: &mut &[u8], out: &mut Vec<u8>, depth: usize) -> Result<()> {
        let (tag, content) = self.content(rest, depth)?;
        write(if tag == CONSTRUCTED_OCTET_STRING { OCTET_STRING } else { tag }, &content, out);
        Ok(())
    }

    /// Tag and content of the next element, the content in DER.
    fn content(&self, rest: &mut &[u8], depth: usize) -> Result<(u8, Zeroizing<Vec<u8>>)> {
        if depth > MAX_DEPTH {
            return Err(Error::new(self.code, format!("elements nested deeper than {MAX_DEPTH}")));
        }
        let Header { tag, bytes, length, .. } = Header::of(rest).ok_or_else(|| self.cut_off())?;
        let constructed = tag & CONSTRUCTED != 0;
        let mut inner = rest.get(bytes..).ok_or_else(|| self.cut_off())?;
        match length {
            Some(length) => {
                let (value, after) = inner.split_at_checked(length).ok_or_else(|| self.cut_off())?;
                *rest = after;
                if !constructed {
                    return Ok((tag, Zeroizing::new(value.to_vec())));
                }
                inner = value;
                let mut content = Zeroizing::new(Vec::with_capacity(value.len()));
                while !inner.is_empty() {
                    self.piece(tag, &mut inner, &mut content, depth)?;
                }
                Ok((tag, content))
            }
            None if constructed => {
                let mut content = Zeroizing::new(Vec::new());
                while !inner.starts_with(&[0, 0]) {
                    self.piece(tag, &mut inner, &mut content, depth)?;
                }
                *rest = inner.get(2..).unwrap_or_default();
                Ok((tag, content))
            }
            None => Err(Error::new(self.code, "a primitive element of indefinite length")),
        }
    }

    /// One element within another; within an OCTET STRING only its content.
    fn piece(&self, outer: u8, rest: &mut &[u8], out: &mut Vec<u8>, depth: usize) -> Result<()> {
        if outer != CONSTRUCTED_OCTET_STRING {
            return self.element(rest, out, depth + 1);
        }
        match self.content(rest, depth + 1)? {
            (OCTET_STRING | CONSTRUCTED_OCTET_STRING, content) => {
                out.extend_from_slice(&content);
                Ok(())
            }
            (tag, _) => Err(Error::new(self.code, format!("a piece of an OCTET STRING has tag {tag:#04x}"))),
        }
    }

    fn cut_off(&self) -> Error {
        Error::new(self.code, "an element is cut off")
    }
}

/// The longest tag and length that [`write`] puts before a content.
pub(crate) const MAX_HEADER_BYTES: usize = 10;

/// Adds an element.
pub(crate) fn write(tag: u8, content: &[u8], out: &mut Vec<u8>) {
    out.push(tag);
    let length = content.len().to_be_bytes();
    let digits = length.iter().position(|byte| *byte != 0).and_then(|start| length.get(start..)).unwrap_or(&[0]);
    if content.len() >= 0x80 {
        out.push(0x80 | u8::try_from(digits.len()).unwrap_or_default());
    }
    out.extend_from_slice(digits);
    out.extend_from_slice(content);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(bytes: &[u8]) -> String {
        let error = to_der(bytes, Code::StoreMalformed).err().unwrap();
        assert_eq!(error.code(), Code::StoreMalformed);
        error.detail().to_owned()
    }

    #[test]
    fn der_stays_as_it_is() {
        let long = [&[0x30, 0x82, 0x01, 0x04, 0x04, 0x82, 0x01, 0x00][..], &[7; 256]].concat();
        for der in [&[0x30, 0x03, 0x02, 0x01, 0x05][..], &[0x05, 0x00], &long] {
            assert_eq!(*to_der(der, Code::StoreMalformed).unwrap(), der);
        }
    }

    #[test]
    fn indefinite_lengths_and_strings_in_pieces_become_definite_and_whole() {
        let ber =
            [0x30, 0x80, 0x24, 0x80, 0x04, 0x01, 1, 0x24, 0x03, 0x04, 0x01, 2, 0, 0, 0xa0, 0x80, 0x05, 0, 0, 0, 0, 0];
        let der = [0x30, 0x08, 0x04, 0x02, 1, 2, 0xa0, 0x02, 0x05, 0];
        assert_eq!(*to_der(&ber, Code::StoreMalformed).unwrap(), der);
        let minimal = [0x30, 0x84, 0, 0, 0, 2, 0x05, 0x81, 0];
        assert_eq!(refused(&minimal), "an element is cut off");
        let minimal = [0x30, 0x84, 0, 0, 0, 3, 0x05, 0x81, 0];
        assert_eq!(*to_der(&minimal, Code::StoreMalformed).unwrap(), [0x30, 0x02, 0x05, 0]);
    }

    #[test]
    fn hostile_encodings_are_refused() {
        assert_eq!(refused(&[0x30, 0x80].repeat(100_000)), "elements nested deeper than 32");
        assert_eq!(refused(&[0x30, 0x80, 0x05, 0]), "an element is cut off");
        assert_eq!(refused(&[0x04, 0x80, 0, 0]), "a primitive element of indefinite length");
        assert_eq!(refused(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), "an element is cut off");
        assert_eq!(refused(&[0x24, 0x02, 0x05, 0]), "a piece of an OCTET STRING has tag 0x05");
    }
}
