//! Fields of handshake messages.

/// A reader of fields from the front of a handshake message (RFC 8446 section 3).
///
/// It never panics: each function returns `None` where the message ends before the field does.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    /// Takes this many bytes.
    pub fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    /// Takes a number of two bytes.
    pub fn number(&mut self) -> Option<u16> {
        self.take(2).and_then(|bytes| bytes.try_into().ok()).map(u16::from_be_bytes)
    }

    /// Takes bytes after their length, which has this many bytes, at most four.
    pub fn vector(&mut self, length_bytes: usize) -> Option<&'a [u8]> {
        let length = self.take(length_bytes)?.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
        self.take(length)
    }

    /// Returns true if nothing is left.
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::Fields;

    #[test]
    fn fields_end_where_the_message_ends() {
        let mut fields = Fields(&[3, 1, 2, b'a', b'b', 0, 1, b'c', 9]);
        assert_eq!(fields.number(), Some(0x0301));
        assert_eq!(fields.vector(1), Some(&b"ab"[..]));
        assert_eq!(fields.vector(2), Some(&b"c"[..]));
        assert_eq!((fields.vector(1), fields.is_empty()), (None, true));
        assert_eq!((fields.take(0), fields.take(1), fields.number()), (Some(&[][..]), None, None));
    }
}
