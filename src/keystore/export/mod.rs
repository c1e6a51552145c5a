//! The entries of a store as other programs take them, and the formats that are written: PKCS#12 and PEM.
//!
//! An entry that a format cannot carry is an error or a warning, and never missing in silence.

mod carried;
mod entries;
mod naming;
mod pem;
mod pkcs12;
mod pkcs8;
mod public;

pub(crate) use carried::{Entries, Needed};
pub(crate) use entries::{Request, take};
pub(crate) use naming::name;
pub(crate) use pem::write as pem;
pub use pkcs8::pkcs8;
pub(crate) use pkcs12::write as pkcs12;

pub(crate) use super::crypto::seal::{Seal, Strength};
