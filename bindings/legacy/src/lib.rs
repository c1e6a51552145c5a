//! The second TLS engine: does by OpenSSL what rustls does not, as a server and as a client.
//!
//! The core loads this library and calls the functions of one table ([`brokertls_legacy_abi`]). Nothing here opens a
//! file or a socket, decides about a certificate, or keeps a buffer between two calls.

mod callbacks;
mod client;
mod connection;
mod context;
mod groups;
mod guard;
mod messages;
mod once;
mod psk;
mod sealed;
mod sent;
mod sessions;
mod signatures;
mod stored;
mod table;
mod ticket_keys;
mod traffic;

#[doc(hidden)]
pub use self::{
    sealed::{Record, Side},
    sent::Sent,
};
