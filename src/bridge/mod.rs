//! Configurations of a context for programs that drive connections of rustls themselves: in Rust, or in C through
//! rustls-ffi.
//!
//! rustls calls the verifier, the choice of identities and the store of sessions without saying for which connection.
//! Connections of this library hand the facts of one call to the next by [`HandshakeNotes`]. Here each call has notes
//! of its own, and the facts are found again by the certificates of the peer.

mod client;
mod made;
mod refusal;
mod server;
mod session_value;

use std::collections::VecDeque;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;

use crate::verify::{Authenticated, HandshakeInput, HandshakeNotes};

pub(crate) use client::{ServerVerifier, Servers, for_client};
pub(crate) use made::Made;
pub use refusal::{RustlsRefusal, error_of, take_refusal};
pub(crate) use server::{ClientVerifier, for_server};

/// The answer to a check of revocation that would have to wait for the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RustlsFetch {
    /// A context that fetches gives no configuration.
    Refused,
    /// Peers are checked by the lists and responses that are at hand. Maintenance fetches those that are known to be
    /// needed.
    KnownOnly,
}

/// Runs one call of rustls with notes of its own.
fn with_notes<T>(input: HandshakeInput, call: impl FnOnce() -> T) -> (T, HandshakeNotes) {
    HandshakeNotes::aside(|| {
        HandshakeNotes::begin(input);
        let outcome = call();
        (outcome, HandshakeNotes::take())
    })
}

/// The number of peers that are kept to be found again.
const MOST_KEPT: usize = 32;

/// Peers that were accepted lately, the newest first.
#[derive(Debug, Default)]
struct Lately(VecDeque<Arc<Authenticated>>);

impl Lately {
    fn add(&mut self, peer: Arc<Authenticated>) {
        self.0.truncate(MOST_KEPT - 1);
        self.0.push_front(peer);
    }

    /// The newest one with these certificates.
    fn find(&self, chain: &[CertificateDer<'_>]) -> Option<Arc<Authenticated>> {
        let is_of_chain = |known: &&Arc<Authenticated>| {
            known.peer.as_ref().is_some_and(|peer| peer.chain.encodings().eq(chain.iter().map(AsRef::as_ref)))
        };
        self.0.iter().find(is_of_chain).map(Arc::clone)
    }
}
