//! The error for content in a format that is not read, and the archives that may be taken for text.

use crate::error::{Code, Error};

pub(super) const UNPACK: &str = "Unpack it and give the file in it.";

/// Returns the error that names a format and says how to convert it.
pub(super) fn named(what: &str, hint: &str) -> Error {
    Error::new(Code::StoreFormatUnknown, what).with_hint(hint)
}

/// The error for an archive that holds files as they are, blocks of PEM too.
pub(super) fn archive(bytes: &[u8]) -> Option<Error> {
    let is_tar = bytes.get(257..262).is_some_and(|magic| magic == b"ustar");
    is_tar.then(|| named("it is a tar archive", UNPACK))
}
