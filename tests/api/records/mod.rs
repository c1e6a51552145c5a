//! Records after the handshake, by the sections of RFC 8446 and RFC 5246: each against a peer that owns the keys.

mod alerts;
mod buffers;
mod content;
mod differential;
mod key_updates;
pub(crate) mod keys;
mod lengths;
mod library;
mod messages;
mod openssl;
mod reports;
pub(crate) mod scene;
mod tickets;
