//! A cursor over DER: the one reader that keys, encryption parameters and PKCS#12 are taken apart with.
//!
//! It borrows, never allocates by a length it was told, and knows nothing of what it reads.

use crate::error::{Code, Error, Result};

pub(super) const INTEGER: u8 = 0x02;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const NULL: u8 = 0x05;
pub(super) const OID: u8 = 0x06;
pub(super) const GENERALIZED_TIME: u8 = 0x18;
pub(super) const BMP_STRING: u8 = 0x1e;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;
/// `[0]`, constructed and context-specific.
pub(super) const CONTEXT_0: u8 = 0xa0;

/// Longest object identifier that is turned into text, bytes.
const MAX_OID_BYTES: usize = 64;

/// One element: its value and the whole of its encoding.
#[derive(Clone, Copy)]
pub(super) struct Element<'a> {
    pub(super) value: &'a [u8],
    pub(super) whole: &'a [u8],
}

/// The unread bytes, and the code for a fault in them.
#[derive(Clone)]
pub(super) struct Der<'a> {
    rest: &'a [u8],
    code: Code,
}

impl<'a> Der<'a> {
    pub(super) fn new(bytes: &'a [u8], code: Code) -> Self {
        Self { rest: bytes, code }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// The next element, whatever it is. `what` names it in the error.
    pub(super) fn next(&mut self, what: &str) -> Result<Element<'a>> {
        let (_, header, length) = header(self.rest).ok_or_else(|| self.fault(what, "ends early"))?;
        let end = match length {
            Length::Definite(length) => header.checked_add(length),
            Length::Indefinite => return Err(self.fault(what, "has no definite length")),
        };
        let whole = end.and_then(|end| self.rest.get(..end)).ok_or_else(|| self.fault(what, "is cut off"))?;
        self.rest = self.rest.get(whole.len()..).unwrap_or_default();
        Ok(Element { value: whole.get(header..).unwrap_or_default(), whole })
    }

    /// The next element, which must have this tag.
    pub(super) fn take(&mut self, tag: u8, what: &str) -> Result<Element<'a>> {
        match self.peek() {
            Some(found) if found == tag => self.next(what),
            Some(found) => Err(self.fault(what, &format!("has tag {found:#04x} where {tag:#04x} belongs"))),
            None => Err(self.fault(what, "is missing")),
        }
    }

    /// The next element if it has this tag.
    pub(super) fn optional(&mut self, tag: u8, what: &str) -> Result<Option<Element<'a>>> {
        if self.peek() == Some(tag) { self.next(what).map(Some) } else { Ok(None) }
    }

    /// A cursor over the content of the next element, which must have this tag.
    pub(super) fn enter(&mut self, tag: u8, what: &str) -> Result<Self> {
        Ok(Self::new(self.take(tag, what)?.value, self.code))
    }

    /// Refuses anything that is left.
    pub(super) fn end(&self, what: &str) -> Result<()> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.fault(what, "is followed by more bytes")) }
    }

    /// A non-negative INTEGER; what does not fit is the largest number, for limits to refuse.
    pub(super) fn unsigned(&mut self, what: &str) -> Result<u64> {
        let value = self.take(INTEGER, what)?.value;
        match value.first() {
            None => Err(self.fault(what, "has no bytes")),
            Some(first) if first & 0x80 != 0 => Err(self.fault(what, "is negative")),
            Some(_) => {
                let digits = value.iter().position(|byte| *byte != 0).and_then(|start| value.get(start..));
                let digits = digits.unwrap_or_default();
                Ok(if digits.len() > 8 { u64::MAX } else { digits.iter().fold(0, |n, byte| n << 8 | u64::from(*byte)) })
            }
        }
    }

    /// An OBJECT IDENTIFIER in dotted form.
    pub(super) fn oid(&mut self, what: &str) -> Result<String> {
        let value = self.take(OID, what)?.value;
        dotted(value).ok_or_else(|| self.fault(what, "is not a valid object identifier"))
    }

    fn fault(&self, what: &str, how: &str) -> Error {
        Error::new(self.code, format!("{what} {how}"))
    }
}

/// A length octet's meaning.
pub(super) enum Length {
    Definite(usize),
    Indefinite,
}

/// Tag, length of the header and length of the value; `None` if the header is cut off, the tag has several bytes or
/// the length more than four.
pub(super) fn header(bytes: &[u8]) -> Option<(u8, usize, Length)> {
    let (tag, first) = (*bytes.first()?, *bytes.get(1)?);
    if tag & 0x1f == 0x1f {
        return None;
    }
    match first {
        0..=0x7f => Some((tag, 2, Length::Definite(usize::from(first)))),
        0x80 => Some((tag, 2, Length::Indefinite)),
        0x81..=0x84 => {
            let header = 2 + usize::from(first & 0x7f);
            let length = bytes.get(2..header)?.iter().fold(0u64, |n, byte| n << 8 | u64::from(*byte));
            Some((tag, header, Length::Definite(usize::try_from(length).ok()?)))
        }
        _ => None,
    }
}

/// X.690 section 8.19: base 128, the first two arcs in one number.
fn dotted(value: &[u8]) -> Option<String> {
    if value.is_empty() || value.len() > MAX_OID_BYTES || value.last()? & 0x80 != 0 {
        return None;
    }
    let (mut text, mut arc) = (String::new(), 0u64);
    for byte in value {
        arc = arc.checked_mul(128)?.checked_add(u64::from(byte & 0x7f))?;
        if byte & 0x80 != 0 {
            continue;
        }
        if text.is_empty() {
            let first = (arc / 40).min(2);
            text = format!("{first}.{}", arc - first * 40);
        } else {
            text.push_str(&format!(".{arc}"));
        }
        arc = 0;
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn object_identifiers_become_dotted_text() {
        let mut der = Der::new(&[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 0x0d], Code::StoreMalformed);
        assert_eq!(der.oid("scheme").unwrap(), "1.2.840.113549.1.5.13");
        let mut der = Der::new(&[6, 3, 0x55, 0x1d, 0x25], Code::StoreMalformed);
        assert_eq!(der.oid("usage").unwrap(), "2.5.29.37");
    }

    #[test]
    fn an_integer_of_any_size_is_read_without_wrapping() {
        let read = |bytes: &[u8]| Der::new(bytes, Code::StoreMalformed).unsigned("count");
        assert_eq!(read(&[2, 2, 0x00, 0xff]).unwrap(), 255);
        assert_eq!(read(&[2, 10, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]).unwrap(), u64::MAX);
        assert_eq!(read(&[2, 1, 0xff]).unwrap_err().code(), Code::StoreMalformed);
        assert_eq!(read(&[2, 0]).unwrap_err().code(), Code::StoreMalformed);
    }

    #[test]
    fn a_length_beyond_the_input_is_refused_without_allocating() {
        let mut der = Der::new(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0], Code::StoreMalformed);
        let error = der.next("store").err().unwrap();
        assert_eq!(error.code(), Code::StoreMalformed);
        assert_eq!(error.detail(), "store is cut off");
    }
}
