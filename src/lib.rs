//! TLS for message brokers.

pub mod certificate;
pub mod error;
#[cfg(feature = "capi")]
pub mod ffi;
pub mod keystore;
pub mod manual;
pub mod policy;
pub mod verify;
