//! The fault of a signature that does not count.

/// The fault of a signature that does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It was made with another key, or over another content.
    Wrong,
    /// Its algorithm is not supported with a key of this type or length. The signature itself was not checked.
    NotServed,
}
