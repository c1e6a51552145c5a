//! The keys of a context in one block of memory, found by their identities.
//!
//! A million keys take little more memory than their bytes. The block never grows, so no copy of a secret is left
//! behind, and it is wiped as a whole.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use zeroize::Zeroizing;

use super::key::PskHash;

/// The place of a key in the block: the identity, then the secret.
#[derive(Clone, Copy)]
struct Place {
    start: u32,
    identity_length: u16,
    secret_length: u16,
    hash: PskHash,
}

impl Place {
    fn identity(self, block: &[u8]) -> &[u8] {
        let start = self.start as usize;
        &block[start..start + usize::from(self.identity_length)]
    }

    fn secret(self, block: &[u8]) -> &[u8] {
        let start = self.start as usize + usize::from(self.identity_length);
        &block[start..start + usize::from(self.secret_length)]
    }
}

/// The outcome of adding a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Added {
    New,
    /// The identity is known already.
    Repeated,
    /// There is no room, because the block was made too small.
    Full,
}

pub(super) struct Table {
    block: Zeroizing<Vec<u8>>,
    places: HashTable<Place>,
    hasher: RandomState,
    /// The number of keys by the length of their secrets.
    lengths: BTreeMap<u16, usize>,
    replaced: usize,
}

impl Table {
    /// Makes a table with room for this many bytes of identities and secrets.
    pub(super) fn with_room(bytes: usize) -> Self {
        Self {
            block: Zeroizing::new(Vec::with_capacity(bytes)),
            places: HashTable::new(),
            hasher: RandomState::new(),
            lengths: BTreeMap::new(),
            replaced: 0,
        }
    }

    /// Adds a key. Its identity and its secret are short. If `replaces`, a key of the same identity is replaced.
    pub(super) fn add(&mut self, identity: &[u8], secret: &[u8], hash: PskHash, replaces: bool) -> Added {
        let Self { block, places, hasher, lengths, replaced } = self;
        let lengths_of = (u16::try_from(identity.len()), u16::try_from(secret.len()));
        let (Ok(start), (Ok(identity_length), Ok(secret_length))) = (u32::try_from(block.len()), lengths_of) else {
            return Added::Full;
        };
        if block.capacity() - block.len() < identity.len() + secret.len() {
            return Added::Full;
        }
        let place = Place { start, identity_length, secret_length, hash };
        let known = block.as_slice();
        let found = places.entry(
            hasher.hash_one(identity),
            |place| place.identity(known) == identity,
            |place| hasher.hash_one(place.identity(known)),
        );
        match found {
            Entry::Occupied(_) if !replaces => return Added::Repeated,
            Entry::Occupied(mut known) => {
                let old = std::mem::replace(known.get_mut(), place);
                lengths.entry(old.secret_length).and_modify(|count| *count -= 1);
                *replaced += 1;
            }
            Entry::Vacant(vacant) => {
                vacant.insert(place);
            }
        }
        block.extend_from_slice(identity);
        block.extend_from_slice(secret);
        *lengths.entry(secret_length).or_insert(0) += 1;
        Added::New
    }

    /// The secret of an identity, and the hash of the key.
    pub(super) fn get(&self, identity: &[u8]) -> Option<(&[u8], PskHash)> {
        let is_it = |place: &Place| place.identity(&self.block) == identity;
        let place = self.places.find(self.hasher.hash_one(identity), is_it)?;
        Some((place.secret(&self.block), place.hash))
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// The number of keys that later ones have replaced.
    pub(super) fn replaced(&self) -> usize {
        self.replaced
    }

    /// The length in bytes that most secrets have.
    pub(super) fn usual_length(&self) -> Option<usize> {
        let used = self.lengths.iter().filter(|(_, count)| **count > 0);
        used.max_by_key(|(_, count)| **count).map(|(length, _)| usize::from(*length))
    }

    /// The number of secrets with less bytes.
    pub(super) fn shorter_than(&self, length: usize) -> usize {
        self.lengths.iter().filter(|(known, _)| usize::from(**known) < length).map(|(_, count)| count).sum()
    }

    /// The lengths of secrets in bytes, each with the number of keys.
    pub(super) fn lengths(&self) -> impl Iterator<Item = (usize, usize)> {
        self.lengths.iter().filter(|(_, count)| **count > 0).map(|(length, count)| (usize::from(*length), *count))
    }

    /// The shortest and the longest identity, in bytes.
    pub(super) fn identity_lengths(&self) -> Option<(usize, usize)> {
        let lengths = || self.places.iter().map(|place| usize::from(place.identity_length));
        lengths().min().zip(lengths().max())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_key_replaces_an_earlier_one_only_if_that_is_asked_for() {
        let mut table = Table::with_room(64);
        assert_eq!(table.add(b"one", b"first", PskHash::Sha256, false), Added::New);
        assert_eq!(table.add(b"one", b"2nd", PskHash::Sha256, false), Added::Repeated);
        assert_eq!(table.get(b"one"), Some((&b"first"[..], PskHash::Sha256)));
        assert_eq!(table.add(b"one", b"3rd", PskHash::Sha384, true), Added::New);
        assert_eq!(table.get(b"one"), Some((&b"3rd"[..], PskHash::Sha384)));
        assert_eq!((table.len(), table.replaced(), table.usual_length()), (1, 1, Some(3)));
    }

    #[test]
    fn block_never_grows_beyond_its_first_room() {
        let mut table = Table::with_room(8);
        let room = table.block.capacity();
        assert_eq!(table.add(b"one", &vec![1; room - 3], PskHash::Sha256, false), Added::New);
        assert_eq!(table.add(b"two", b"2", PskHash::Sha256, false), Added::Full);
        assert_eq!((table.block.capacity(), table.get(b"two")), (room, None));
    }
}
