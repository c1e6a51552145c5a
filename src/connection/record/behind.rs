//! The bytes behind a plaintext in the buffer of a caller, which stay as they were.

/// The last bytes of a buffer before a record is decrypted into it: some of them may stand behind the content.
pub(super) struct Behind {
    bytes: [u8; Self::MOST],
}

impl Behind {
    /// The inner type, the sixteen zeros of Java, and some more.
    pub(super) const MOST: usize = 32;

    #[inline]
    pub(super) fn of(plain: &[u8]) -> Self {
        if let Some(bytes) = plain.last_chunk() {
            return Self { bytes: *bytes };
        }
        let mut bytes = [0; Self::MOST];
        bytes[Self::MOST - plain.len()..].copy_from_slice(plain);
        Self { bytes }
    }

    /// Puts back those behind `length` bytes of content.
    #[inline]
    pub(super) fn restore(&self, plain: &mut [u8], length: usize) {
        let count = (plain.len() - length).min(Self::MOST);
        let end = plain.len() - count;
        plain[length..end].fill(0);
        for (place, byte) in plain.iter_mut().rev().zip(self.bytes.iter().rev()).take(count) {
            *place = *byte;
        }
    }
}
