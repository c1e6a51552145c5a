//! TLS for message brokers.

pub mod certificate;
pub mod error;
pub mod keystore;
pub mod manual;
pub mod policy;
pub mod verify;
