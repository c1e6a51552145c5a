//! Reads what Java's DataOutput writes: numbers, sized bytes, text in modified UTF-8.

use crate::error::{Code, Error, Result};

/// The unread bytes of a stream of Java's DataOutput.
pub(crate) struct Reader<'a> {
    pub(crate) rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn bytes(&mut self, count: usize, what: &str) -> Result<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or_else(|| {
            let detail = format!("{what} of {count} bytes, {} are left", self.rest.len());
            Error::new(Code::StoreMalformed, detail)
        })?;
        self.rest = rest;
        Ok(taken)
    }

    fn number(&mut self, bytes: usize, what: &str) -> Result<u64> {
        Ok(self.bytes(bytes, what)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    pub(crate) fn u8(&mut self, what: &str) -> Result<u8> {
        Ok(self.bytes(1, what)?.first().copied().unwrap_or_default())
    }

    pub(crate) fn u16(&mut self, what: &str) -> Result<u16> {
        Ok(u16::try_from(self.number(2, what)?).unwrap_or_default())
    }

    pub(crate) fn u32(&mut self, what: &str) -> Result<u32> {
        Ok(u32::try_from(self.number(4, what)?).unwrap_or_default())
    }

    /// As many bytes as the four before them say.
    pub(crate) fn sized(&mut self, what: &str) -> Result<&'a [u8]> {
        let count = usize::try_from(self.u32(what)?).unwrap_or(usize::MAX);
        self.bytes(count, what)
    }

    /// Text in Java's modified UTF-8: UTF-16 units in one to three bytes each, NUL in two.
    pub(crate) fn text(&mut self, what: &str) -> Result<String> {
        let count = self.u16(what)?;
        let bytes = self.bytes(usize::from(count), what)?;
        let units =
            modified_utf8(bytes).ok_or_else(|| Error::new(Code::StoreMalformed, format!("{what} is not text")))?;
        Ok(char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
    }
}

fn modified_utf8(bytes: &[u8]) -> Option<Vec<u16>> {
    let (mut units, mut rest) = (Vec::with_capacity(bytes.len()), bytes.iter().map(|byte| u16::from(*byte)));
    let continued = |byte: u16| (byte & 0xc0 == 0x80).then_some(byte & 0x3f);
    while let Some(first) = rest.next() {
        units.push(match first {
            0..=0x7f => first,
            0xc0..=0xdf => (first & 0x1f) << 6 | continued(rest.next()?)?,
            0xe0..=0xef => (first & 0x0f) << 12 | continued(rest.next()?)? << 6 | continued(rest.next()?)?,
            _ => return None,
        });
    }
    Some(units)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modified_utf8_is_decoded_and_broken_text_refused() {
        let text = |bytes: &[u8]| Reader { rest: bytes }.text("alias").map_err(|error| error.code());
        assert_eq!(text(b"\0\x01a").unwrap(), "a");
        assert_eq!(text(b"\0\x02\xc3\xa4").unwrap(), "ä");
        assert_eq!(text(b"\0\x02\xc0\x80").unwrap(), "\0");
        assert_eq!(text(b"\0\x06\xed\xa0\xbd\xed\xb4\x91").unwrap(), "\u{1f511}");
        assert_eq!(text(b"\0\x03\xed\xa0\xbd").unwrap(), "\u{fffd}");
        assert_eq!(text(b"\0\x01\xc3"), Err(Code::StoreMalformed));
        assert_eq!(text(b"\0\x04\xf0\x9f\x94\x91"), Err(Code::StoreMalformed));
        assert_eq!(text(b"\0\x05a"), Err(Code::StoreMalformed));
    }
}
