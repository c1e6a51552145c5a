//! TLS for message brokers.
//!
//! A [`ContextBuilder`] makes one [`Context`] for each broker or listener, from existing keystores and PEM files. There
//! are no process-wide settings. A context makes [`Connection`]s, which move no bytes themselves. A [`Stream`] moves
//! the bytes of a connection over descriptors or callbacks. Every failure is an [`Error`] with a [`Code`] of one table.
//!
//! The [`manual`] has the map of the rooms, how-tos, defaults and the rules for threads.

pub mod bridge;
pub mod certificate;
mod config;
mod connection;
mod context;
pub mod convert;
mod der;
pub mod error;
pub mod fetch;
#[cfg(feature = "capi")]
pub mod ffi;
mod fork;
mod identity;
mod idle;
pub mod keystore;
mod legacy;
mod logging;
pub mod manual;
pub mod policy;
mod random;
pub mod revocation;
mod revoked;
mod session;
mod signature;
mod stream;
pub mod verify;

pub use config::{
    ClientAuth, ConnectionSettings, ContextBuilder, CrlSource, IdentitySource, Source, SourceReader, TrustSource,
    options,
};
pub use connection::{Connection, MAX_PLAINTEXT_BYTES, MAX_RECORD_BYTES, Next, Transfer};
pub use context::{Context, ContextCertificate};
pub use error::{Code, Error, Result};
pub use idle::{IdlePlace, IdleVisit};
pub use legacy::{Psk, PskCallback, PskClientCallback, PskFormat, PskHash, PskHint, PskRequest, PskSummary};
pub use logging::{Level, LogLine, LogSink};
pub use revoked::{RevokedAction, RevokedCallback, RevokedPeer};
pub use stream::{ReadCallback, Status, Stream, WriteCallback};
pub use verify::host;
