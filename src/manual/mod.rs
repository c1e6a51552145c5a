//! The manual: pages about the library as a whole, for readers of the C API as well as the Rust API.
//!
//! Only text stands here; the reference of each function is with the function.

#[doc = include_str!("architecture.md")]
pub mod architecture {}

#[doc = include_str!("howto.md")]
pub mod howto {}

#[doc = include_str!("defaults.md")]
pub mod defaults {}

#[doc = include_str!("verification.md")]
pub mod verification {}

#[doc = include_str!("revocation.md")]
pub mod revocation {}

#[doc = include_str!("sessions.md")]
pub mod sessions {}

#[doc = include_str!("threading.md")]
pub mod threading {}

#[doc = include_str!("users.md")]
pub mod users {}

#[doc = include_str!("performance.md")]
pub mod performance {}

#[doc = include_str!("peers.md")]
pub mod peers {}
