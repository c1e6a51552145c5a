//! Short texts for messages: bytes in hexadecimal, and texts that are cut.

use std::borrow::Cow;

/// The largest number of characters of a peer's text in a message.
pub(super) const MAX_TEXT_CHARS: usize = 200;

/// Cuts an escaped text, a distinguished name of RFC 4514, for a message.
pub(crate) fn cut(escaped: &str) -> Cow<'_, str> {
    match escaped.char_indices().nth(MAX_TEXT_CHARS) {
        Some((end, _)) => Cow::Owned(format!("{}…", &escaped[..end])),
        None => Cow::Borrowed(escaped),
    }
}

/// Lower-case hexadecimal without separators.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    text.extend(digits.filter_map(|digit| char::from_digit(digit.into(), 16)));
    text
}
