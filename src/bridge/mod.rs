//! Configurations of a context for programs that drive connections of rustls themselves: in Rust, or in C through
//! rustls-ffi.
//!
//! rustls calls the verifier, the choice of identities and the store of sessions without saying for which connection.
//! Connections of this library hand the facts of one call to the next by notes of the thread. Here each call has notes
//! of its own. The facts of a client are found again by its certificates, and count for one configuration alone.

mod client;
mod clients;
mod made;
mod refusal;
mod server;
mod session_value;

use crate::connection::Refusals;
use crate::verify::{HandshakeInput, HandshakeNotes};

pub(crate) use client::{ServerVerifier, Servers, for_client};
pub(crate) use clients::Clients;
pub(crate) use made::Made;
pub use refusal::{RustlsRefusal, error_of, take_refusal};
pub(crate) use server::{ClientVerifier, for_server};

/// The answer to a check of revocation that would have to wait for the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RustlsFetch {
    /// A context that fetches gives no configuration.
    Refused,
    /// Peers are checked by the lists and responses that are at hand. Maintenance fetches the lists that they name, and
    /// asks no responder about them.
    KnownOnly,
}

/// Judges a peer in one call of rustls. Gives what was found, and keeps and logs why it is refused.
fn judged<T>(
    log: Option<&Refusals>,
    call: impl FnOnce() -> Result<T, rustls::Error>,
) -> (Result<T, rustls::Error>, HandshakeNotes) {
    let (outcome, mut notes) = with_notes(HandshakeInput::default(), call);
    let refusal = notes.refusal.take();
    (refusal::told(outcome, refusal, log), notes)
}

/// Runs one call of rustls with notes of its own.
fn with_notes<T>(input: HandshakeInput, call: impl FnOnce() -> T) -> (T, HandshakeNotes) {
    HandshakeNotes::aside(|| {
        HandshakeNotes::begin(input);
        let outcome = call();
        (outcome, HandshakeNotes::take())
    })
}
