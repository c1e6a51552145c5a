//! A cursor over the DER of keys, encryption parameters and stores.
//!
//! It borrows, never allocates by a length it was told, and knows nothing of what it reads.

use super::{Element, Header, INTEGER, OID};
use crate::error::{Code, Error, Result};

/// Longest object identifier that is turned into text, bytes.
const MAX_OID_BYTES: usize = 64;

/// The unread bytes, and the code for a fault in them.
#[derive(Clone)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
    code: Code,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8], code: Code) -> Self {
        Self { rest: bytes, code }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// The next element, whatever it is. `what` names it in the error.
    pub(crate) fn next(&mut self, what: &str) -> Result<Element<'a>> {
        let header = Header::of(self.rest).ok_or_else(|| self.fault(what, "ends early"))?;
        let length = header.length.ok_or_else(|| self.fault(what, "has no definite length"))?;
        let end = header.bytes.checked_add(length);
        let whole = end.and_then(|end| self.rest.get(..end)).ok_or_else(|| self.fault(what, "is cut off"))?;
        self.rest = self.rest.get(whole.len()..).unwrap_or_default();
        Ok(Element { tag: header.tag, content: whole.get(header.bytes..).unwrap_or_default(), whole })
    }

    /// The next element, which must have this tag.
    pub(crate) fn take(&mut self, tag: u8, what: &str) -> Result<Element<'a>> {
        match self.peek() {
            Some(found) if found == tag => self.next(what),
            Some(found) => Err(self.fault(what, &format!("has tag {found:#04x} where {tag:#04x} belongs"))),
            None => Err(self.fault(what, "is missing")),
        }
    }

    /// The next element if it has this tag.
    pub(crate) fn optional(&mut self, tag: u8, what: &str) -> Result<Option<Element<'a>>> {
        if self.peek() == Some(tag) { self.next(what).map(Some) } else { Ok(None) }
    }

    /// A cursor over the content of the next element, which must have this tag.
    pub(crate) fn enter(&mut self, tag: u8, what: &str) -> Result<Self> {
        Ok(Self::new(self.take(tag, what)?.content, self.code))
    }

    /// Refuses anything that is left.
    pub(crate) fn end(&self, what: &str) -> Result<()> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.fault(what, "is followed by more bytes")) }
    }

    /// A non-negative INTEGER; what does not fit is the largest number, for limits to refuse.
    pub(crate) fn unsigned(&mut self, what: &str) -> Result<u64> {
        let value = self.take(INTEGER, what)?.content;
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
    pub(crate) fn oid(&mut self, what: &str) -> Result<String> {
        let value = self.take(OID, what)?.content;
        dotted(value).ok_or_else(|| self.fault(what, "is not a valid object identifier"))
    }

    fn fault(&self, what: &str, how: &str) -> Error {
        Error::new(self.code, format!("{what} {how}"))
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
        let mut der = Cursor::new(&[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 0x0d], Code::StoreMalformed);
        assert_eq!(der.oid("scheme").unwrap(), "1.2.840.113549.1.5.13");
        let mut der = Cursor::new(&[6, 3, 0x55, 0x1d, 0x25], Code::StoreMalformed);
        assert_eq!(der.oid("usage").unwrap(), "2.5.29.37");
    }

    #[test]
    fn an_integer_of_any_size_is_read_without_wrapping() {
        let read = |bytes: &[u8]| Cursor::new(bytes, Code::StoreMalformed).unsigned("count");
        assert_eq!(read(&[2, 2, 0x00, 0xff]).unwrap(), 255);
        assert_eq!(read(&[2, 10, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]).unwrap(), u64::MAX);
        assert_eq!(read(&[2, 1, 0xff]).unwrap_err().code(), Code::StoreMalformed);
        assert_eq!(read(&[2, 0]).unwrap_err().code(), Code::StoreMalformed);
    }

    #[test]
    fn a_length_beyond_the_input_is_refused_without_allocating() {
        let mut der = Cursor::new(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0], Code::StoreMalformed);
        let error = der.next("store").err().unwrap();
        assert_eq!(error.code(), Code::StoreMalformed);
        assert_eq!(error.detail(), "store is cut off");
    }
}
