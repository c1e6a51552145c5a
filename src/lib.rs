//! TLS for message brokers.
//!
//! One [`Context`] per broker or listener, made by a [`ContextBuilder`] from the keystores and PEM files that operators
//! already have, replaces process-wide settings. From a context come [`Connection`]s, which move no bytes themselves, and
//! [`Stream`]s, which move them over descriptors or callbacks. Every failure is an [`Error`] with a [`Code`] of one table.
//!
//! The [`manual`] has the map of the rooms, how-tos, defaults and the rules for threads.

pub mod certificate;
mod config;
mod connection;
mod context;
mod der;
pub mod error;
pub mod fetch;
#[cfg(feature = "capi")]
pub mod ffi;
mod identity;
pub mod keystore;
mod logging;
pub mod manual;
pub mod policy;
pub mod revocation;
mod revoked;
mod session;
mod signature;
mod stream;
pub mod verify;

pub use config::{
    ClientAuth, ConnectionSettings, ContextBuilder, CrlSource, IdentitySource, Source, TrustSource, options,
};
pub use connection::{Connection, MAX_PLAINTEXT_BYTES, MAX_RECORD_BYTES, Next, Transfer};
pub use context::Context;
pub use error::{Code, Error, Result};
pub use logging::{Level, LogLine, LogSink};
pub use revoked::{RevokedAction, RevokedCallback, RevokedPeer};
pub use stream::{ReadCallback, Status, Stream, WriteCallback};
pub use verify::host;
