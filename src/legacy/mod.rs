//! The second TLS engine, for peers that rustls does not serve: older versions, CBC, finite-field Diffie-Hellman, RSA
//! key exchange and pre-shared keys.
//!
//! It is a library of its own (`libbrokertls_legacy.so`), on the OpenSSL of the system. [`loader`] loads it when a
//! context with `legacy-engine` is built. [`engine`] calls the functions of its table, and [`calls`] has those that it
//! may call. Only these three files have unsafe code. The ClientHello ([`offer`]) decides which engine serves a client
//! ([`choice`]). The settings of a client decide which engine it uses ([`client`]).
//!
//! The certificates of peers are judged by our own verification. No buffer of a connection outlives a call.

mod answers;
mod asked;
mod calls;
mod choice;
mod client;
mod engine;
mod fault;
mod key_log;
mod loader;
mod offer;
mod psk;
mod resumed;
mod server;
mod uses;

pub(crate) use choice::Choice;
pub(crate) use client::{Client, ClientParts};
pub(crate) use engine::{Chosen, Opened, Session};
pub(crate) use loader::{bring, is_brought};
pub(crate) use offer::{Damage, HelloReader, Offer, Reading};
pub(crate) use psk::{OwnKeys, PskReader, Psks, Separator};
pub use psk::{Psk, PskCallback, PskClientCallback, PskFormat, PskHash, PskHint, PskRequest, PskSummary};
pub(crate) use server::{First, FirstKeys, Parts, Server, key_kind, known_suites};
pub(crate) use uses::Uses;

/// The most bytes that a record of the second engine adds to its plaintext. In TLS 1.0 an empty record precedes each
/// (RFC 5246 appendix F.3 says why); each has a header, an IV, a MAC and padding.
pub(crate) const MAX_OVERHEAD_BYTES: usize = 2 * (5 + 16 + 48 + 16);

/// The least bytes that a record adds to its plaintext: the header and the tag of the shortest suite (CCM-8).
pub(crate) const MIN_OVERHEAD_BYTES: usize = 5 + 8;
