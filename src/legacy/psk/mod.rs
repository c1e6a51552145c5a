//! Pre-shared keys by identity (RFC 4279, RFC 8446 section 4.2.11): from files, from memory, and from a callback.
//!
//! [`file`] reads a file into the block of [`table`], and [`keys`] gives the secrets out. [`offered`] finds the key for
//! the offer of a client of TLS 1.3. [`own`] has the key of this side as a client.

mod file;
mod key;
mod keys;
mod offered;
mod own;
mod table;

pub use file::PskSummary;
pub(crate) use file::{PskReader, Separator};
pub(super) use key::MAX_IDENTITY_BYTES;
pub use key::{Psk, PskCallback, PskFormat, PskHash, PskRequest};
pub(crate) use keys::Psks;
pub(super) use keys::{Given, MARK_BYTES, Mark};
pub(super) use offered::OfferedKey;
pub(crate) use own::OwnKeys;
pub use own::{PskClientCallback, PskHint};
