//! Certificates that outlive their handshake. The peers of a context have few issuers, so that each list of issuers is
//! kept once for all its connections.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use aws_lc_rs::digest::{Context, SHA256, SHA256_OUTPUT_LEN};
use rustls::pki_types::CertificateDer;

use super::facts::KeptFacts;

/// SHA-256 of a list of certificates. Peers choose the lists, so that a shorter hash could be led to collide.
type Name = [u8; SHA256_OUTPUT_LEN];

/// The certificates of a peer, or of its path, end entity first.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct KeptChain {
    end_entity: Option<Arc<[u8]>>,
    issuers: Option<Arc<Issuers>>,
}

/// The part of its peer's certificates that a connection keeps.
#[derive(Debug)]
pub(crate) enum KeptPeer {
    Chain(KeptChain),
    /// Of the peer's own certificate.
    Facts(KeptFacts),
    /// The identity of the pre-shared key of a peer without a certificate.
    Key(Box<[u8]>),
}

/// The certificates above an end entity.
struct Issuers {
    certificates: Box<[Box<[u8]>]>,
    /// The table that has them, with their name in it.
    place: Option<(Arc<IssuerTable>, Name)>,
}

/// The issuers of the peers of one context, as long as a connection or a session of a client keeps them. Each keeps two
/// lists at the most, that of the chain and that of the path, whatever peers send. The table shrinks with their number.
#[derive(Default)]
pub(crate) struct IssuerTable(Mutex<HashMap<Name, Weak<Issuers>>>);

impl KeptChain {
    /// Copies a chain, end entity first.
    pub(crate) fn of(chain: &[CertificateDer<'_>]) -> Self {
        let end_entity = chain.first().map(|der| Arc::from(der.as_ref()));
        let issuers = chain.get(1..).filter(|issuers| !issuers.is_empty());
        let copied = |issuers: &[CertificateDer<'_>]| issuers.iter().map(|der| Box::from(der.as_ref())).collect();
        Self {
            end_entity,
            issuers: issuers.map(|issuers| Arc::new(Issuers { certificates: copied(issuers), place: None })),
        }
    }

    /// The same chain, which shares its issuers with the others of `table`, and its end entity with `other` if both
    /// have the same.
    pub(crate) fn sharing(&self, other: &Self, table: &Arc<IssuerTable>) -> Self {
        let end_entity = if self.end_entity == other.end_entity { &other.end_entity } else { &self.end_entity };
        Self {
            end_entity: end_entity.as_ref().map(Arc::clone),
            issuers: self.issuers.as_ref().map(|issuers| table.shared(issuers)),
        }
    }

    /// The encodings, end entity first.
    pub(crate) fn encodings(&self) -> impl Iterator<Item = &[u8]> {
        let issuers = self.issuers.iter().flat_map(|issuers| issuers.certificates.iter());
        self.end_entity.as_deref().into_iter().chain(issuers.map(|der| &**der))
    }

    /// The certificates, end entity first.
    pub(crate) fn certificates(&self) -> Vec<CertificateDer<'_>> {
        self.encodings().map(CertificateDer::from).collect()
    }
}

impl Default for KeptPeer {
    fn default() -> Self {
        Self::Chain(KeptChain::default())
    }
}

impl KeptPeer {
    /// The certificates, end entity first; empty if they are not kept.
    pub(crate) fn certificates(&self) -> Vec<CertificateDer<'_>> {
        match self {
            Self::Chain(chain) => chain.certificates(),
            Self::Facts(_) | Self::Key(_) => Vec::new(),
        }
    }

    /// The facts that are kept in place of the chain.
    pub(crate) fn facts(&self) -> Option<&KeptFacts> {
        match self {
            Self::Chain(_) | Self::Key(_) => None,
            Self::Facts(facts) => Some(facts),
        }
    }

    /// The identity of the pre-shared key.
    pub(crate) fn psk_identity(&self) -> Option<&[u8]> {
        match self {
            Self::Key(identity) => Some(identity),
            Self::Chain(_) | Self::Facts(_) => None,
        }
    }
}

impl fmt::Debug for KeptChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.encodings().map(<[u8]>::len)).finish()
    }
}

impl PartialEq for Issuers {
    fn eq(&self, other: &Self) -> bool {
        self.certificates == other.certificates
    }
}

impl Eq for Issuers {}

impl Drop for Issuers {
    fn drop(&mut self) {
        let Some((table, name)) = self.place.take() else { return };
        let mut lists = table.lock();
        // Another thread may have found these dead and put the same list in their place.
        if lists.get(&name).is_some_and(|list| list.strong_count() == 0) {
            lists.remove(&name);
        }
        if lists.len() < lists.capacity() / 4 {
            let room = 2 * lists.len();
            lists.shrink_to(room);
        }
    }
}

impl IssuerTable {
    /// The one list that is equal to this one.
    fn shared(self: &Arc<Self>, issuers: &Arc<Issuers>) -> Arc<Issuers> {
        if issuers.place.as_ref().is_some_and(|(table, _)| Arc::ptr_eq(table, self)) {
            return Arc::clone(issuers);
        }
        let name = name(&issuers.certificates);
        let mut lists = self.lock();
        if let Some(known) = lists.get(&name).and_then(Weak::upgrade) {
            return known;
        }
        let place = Some((Arc::clone(self), name));
        let own = Arc::new(Issuers { certificates: issuers.certificates.clone(), place });
        lists.insert(name, Arc::downgrade(&own));
        own
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Name, Weak<Issuers>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for IssuerTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("IssuerTable").field(&self.lock().len()).finish()
    }
}

/// SHA-256 of the certificates, one after the other, each with its length.
fn name(certificates: &[Box<[u8]>]) -> Name {
    let mut context = Context::new(&SHA256);
    for der in certificates {
        context.update(&(der.len() as u64).to_be_bytes());
        context.update(der);
    }
    let mut name = Name::default();
    name.copy_from_slice(context.finish().as_ref());
    name
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn chain(certificates: &[&[u8]]) -> KeptChain {
        KeptChain::of(&certificates.iter().map(|der| CertificateDer::from(*der)).collect::<Vec<_>>())
    }

    fn is_same_list(one: &KeptChain, other: &KeptChain) -> bool {
        Arc::ptr_eq(one.issuers.as_ref().unwrap(), other.issuers.as_ref().unwrap())
    }

    #[test]
    fn chain_gives_back_the_certificates_in_their_order() {
        let all: [&[u8]; 4] = [b"leaf", b"issuer", b"", b"root"];
        for certificates in [0, 1, 2, 4].map(|count| &all[..count]) {
            let (kept, table) = (chain(certificates), Arc::default());
            for kept in [kept.sharing(&kept, &table), kept] {
                assert_eq!(kept.encodings().collect::<Vec<_>>(), certificates);
                assert_eq!(kept.certificates().len(), certificates.len());
            }
        }
    }

    #[test]
    fn chains_share_equal_issuers_and_no_others() {
        let (table, none) = (Arc::new(IssuerTable::default()), KeptChain::default());
        let one = chain(&[b"one", b"issuer", b"root"]).sharing(&none, &table);
        assert!(is_same_list(&one, &chain(&[b"two", b"issuer", b"root"]).sharing(&none, &table)));
        assert!(is_same_list(&one, &one.sharing(&none, &table)));
        for other in [&[&b"one"[..], b"issue", b"rroot"][..], &[b"one", b"issuer"], &[b"one", b"root", b"issuer"]] {
            let other = chain(other).sharing(&none, &table);
            assert!(!is_same_list(&one, &other));
            assert_ne!(one, other);
        }
        assert!(!is_same_list(&one, &one.sharing(&none, &Arc::default())));
    }

    #[test]
    fn chain_and_path_of_one_peer_share_its_end_entity() {
        let table = Arc::default();
        let (sent, path) = (chain(&[b"leaf", b"issuer"]), chain(&[b"leaf", b"issuer", b"root"]));
        let shared = path.sharing(&sent, &table);
        assert_eq!(shared, path);
        assert!(Arc::ptr_eq(shared.end_entity.as_ref().unwrap(), sent.end_entity.as_ref().unwrap()));
        let other = chain(&[b"other", b"issuer"]).sharing(&sent, &table);
        assert_eq!(other.encodings().next(), Some(&b"other"[..]));
    }

    #[test]
    fn table_holds_no_list_that_no_chain_keeps() {
        let (table, none) = (Arc::new(IssuerTable::default()), KeptChain::default());
        let mut kept = Vec::new();
        for at in 0..10_000_u32 {
            // Peers that send other issuers each time, of which most are gone at once.
            let one = chain(&[b"leaf", &at.to_be_bytes()]).sharing(&none, &table);
            if at % 100 == 0 {
                kept.push(one);
            } else {
                drop(one);
            }
            assert_eq!(table.lock().len(), kept.len());
        }
        drop(kept);
        assert!(table.lock().is_empty());
        assert_eq!(Arc::strong_count(&table), 1);
    }

    #[test]
    fn table_shrinks_as_chains_go() {
        let (table, none) = (Arc::new(IssuerTable::default()), KeptChain::default());
        let chain_of = |at: u32| chain(&[b"leaf", &at.to_be_bytes()]).sharing(&none, &table);
        let mut kept: Vec<_> = (0..10_000).map(chain_of).collect();
        let most = table.lock().capacity();
        for left in [1000, 100, 1] {
            kept.truncate(left);
            let room = table.lock().capacity();
            assert!(room <= 8 * left && room >= left && room < most, "{room} for {left}");
        }
        drop(kept);
        assert_eq!(table.lock().capacity(), 0);
    }

    #[test]
    fn threads_that_keep_and_drop_the_same_issuers_leave_nothing_behind() {
        let (table, none) = (Arc::new(IssuerTable::default()), KeptChain::default());
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for at in 0..2000_u32 {
                        let kept = chain(&[b"leaf", &(at % 3).to_be_bytes()]).sharing(&none, &table);
                        assert_eq!(kept.encodings().last(), Some(&(at % 3).to_be_bytes()[..]));
                    }
                });
            }
        });
        assert!(table.lock().is_empty());
        assert_eq!(Arc::strong_count(&table), 1);
    }
}
