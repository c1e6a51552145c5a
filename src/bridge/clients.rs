//! The clients that a thread has accepted lately, and the rest of what one call of a handshake leaves to the next.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustls::pki_types::CertificateDer;

use crate::verify::{Authenticated, MAX_OFFERED};

/// The number of clients of a thread that are kept to be found again.
const MOST_KEPT: usize = 32;

/// One configuration, as the owner of what is kept.
#[derive(Debug)]
pub(crate) struct Clients {
    number: u64,
}

/// A client of one configuration.
struct Kept {
    configuration: u64,
    client: Arc<Authenticated>,
}

/// The state of a thread.
#[derive(Default)]
struct Thread {
    /// The client that has shown its certificates, and has not proven that it has their key.
    shown: Option<Kept>,
    /// The accepted ones, the newest first.
    accepted: VecDeque<Kept>,
    /// The ID of the session that was stored last, with its configuration and secret.
    stored: Option<(u64, Box<[u8]>, Vec<u8>)>,
    /// The sessions that the client of the last ClientHello has offered.
    offered: u8,
}

thread_local! {
    static THREAD: RefCell<Thread> = RefCell::default();
}

fn is_of(client: &Authenticated, chain: &[CertificateDer<'_>]) -> bool {
    client.peer.as_ref().is_some_and(|peer| peer.chain.encodings().eq(chain.iter().map(AsRef::as_ref)))
}

impl Clients {
    pub(crate) fn new() -> Arc<Self> {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        Arc::new(Self { number: NUMBERS.fetch_add(1, Ordering::Relaxed) })
    }

    /// Begins with a ClientHello.
    pub(super) fn begin(&self) {
        THREAD.with_borrow_mut(|thread| thread.offered = 0);
    }

    /// Counts a session that a client offers. Returns false for one too many.
    pub(super) fn may_offer(&self) -> bool {
        THREAD.with_borrow_mut(|thread| {
            thread.offered = thread.offered.saturating_add(1);
            thread.offered <= MAX_OFFERED
        })
    }

    /// Keeps a client that has shown its certificates, until it proves that it has their key.
    pub(super) fn show(&self, client: Option<Arc<Authenticated>>) {
        let kept = client.map(|client| Kept { configuration: self.number, client });
        THREAD.with_borrow_mut(|thread| thread.shown = kept);
    }

    /// Accepts the client with this certificate, which has proven that it has the key.
    pub(super) fn prove(&self, end_entity: &CertificateDer<'_>) {
        THREAD.with_borrow_mut(|thread| {
            let is_shown = |kept: &mut Kept| {
                let peer = kept.client.peer.as_ref();
                kept.configuration == self.number
                    && peer.is_some_and(|peer| peer.chain.encodings().next() == Some(end_entity))
            };
            if let Some(kept) = thread.shown.take_if(is_shown) {
                thread.accept(kept);
            }
        });
    }

    /// Accepts the client of a session.
    pub(super) fn accept(&self, client: Arc<Authenticated>) {
        THREAD.with_borrow_mut(|thread| thread.accept(Kept { configuration: self.number, client }));
    }

    /// The newest client with these certificates.
    pub(super) fn find(&self, chain: &[CertificateDer<'_>]) -> Option<Arc<Authenticated>> {
        THREAD.with_borrow(|thread| {
            let mut own = thread.accepted.iter().filter(|kept| kept.configuration == self.number);
            own.find(|kept| is_of(&kept.client, chain)).map(|kept| Arc::clone(&kept.client))
        })
    }

    /// Keeps the ID of a stored session, for the ticket that may take its place.
    pub(super) fn store(&self, secret: &[u8], id: Vec<u8>) {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, secret);
        THREAD.with_borrow_mut(|thread| thread.stored = Some((self.number, Box::from(digest.as_ref()), id)));
    }

    /// Takes the ID of the stored session with this secret.
    pub(super) fn take_stored(&self, secret: &[u8]) -> Option<Vec<u8>> {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, secret);
        let is_own =
            |(number, of, _): &mut (u64, Box<[u8]>, Vec<u8>)| *number == self.number && **of == *digest.as_ref();
        THREAD.with_borrow_mut(|thread| thread.stored.take_if(is_own).map(|(_, _, id)| id))
    }
}

impl Thread {
    fn accept(&mut self, kept: Kept) {
        self.accepted.truncate(MOST_KEPT - 1);
        self.accepted.push_front(kept);
    }
}
