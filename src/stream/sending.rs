//! The state of the sending side of a stream.

use crate::error::Error;

use super::owed::Owed;

/// The state of the sending side.
///
/// ```text
///           taken in part, the rest unsent        the rest is sent
///   Clear --------------------------------> Short ----------------> Clear
///   Clear --------------------------------> Owed  ----------------> Clear
///           all taken, the end unsent             the same bytes are offered, and all is sent
///
///   each, by an error of the transport ---> Failed
/// ```
pub(super) enum Sending {
    /// No write is unfinished.
    Clear,
    /// The caller knows of unsent bytes: its last write was taken in part.
    Short,
    /// The caller offers the same bytes again.
    Owed(Box<Owed>),
    /// The transport takes no more. Reading continues.
    Failed(Error),
}

impl Sending {
    pub(super) fn owed(&self) -> Option<Owed> {
        if let Self::Owed(owed) = self { Some(**owed) } else { None }
    }
}
