//! TLS for message brokers.
//!
//! One [`Context`] per broker or listener, made by a [`ContextBuilder`] from the keystores and PEM files that operators
//! already have, replaces process-wide settings. From a context come [`Connection`]s, which move no bytes themselves, and
//! [`Stream`]s, which move them over descriptors or callbacks. Every failure is an [`Error`] with a [`Code`] of one table.
//!
//! The [`manual`] has the map of the rooms, how-tos, defaults and the rules for threads.

mod builder;
pub mod certificate;
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
pub mod options;
pub mod policy;
pub mod revocation;
mod revoked;
mod session;
mod settings;
mod signature;
mod source;
mod stream;
pub mod verify;

pub use builder::ContextBuilder;
pub use connection::{Connection, MAX_PLAINTEXT_BYTES, MAX_RECORD_BYTES, Next, Transfer};
pub use context::Context;
pub use error::{Code, Error, Result};
pub use logging::{Level, LogSink};
pub use revoked::{RevokedAction, RevokedCallback, RevokedPeer};
pub use settings::{ClientAuth, ConnectionSettings, CrlSource, IdentitySource, TrustSource};
pub use source::Source;
pub use stream::{ReadCallback, Status, Stream, WriteCallback};
pub use verify::host;
