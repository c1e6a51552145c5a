//! The buffers of a thread, which connections share, and the bytes that a connection keeps between calls.

use std::cell::Cell;
use std::io::IoSlice;

use crate::connection::{MAX_PLAINTEXT_BYTES, MAX_RECORD_BYTES};

/// The number of records in a scratch buffer, which go to the transport in one system call.
const RECORDS: usize = 4;

/// The buffers of a thread, made at its first use and kept until it ends.
pub(super) struct Scratch {
    /// Ciphertext from the transport, decrypted in place.
    pub(super) incoming: Box<[u8]>,
    /// Records for the transport.
    pub(super) outgoing: Box<[u8]>,
    /// Small pieces of plaintext for one record.
    pub(super) gathered: Box<[u8]>,
    /// The number of bytes that the current call has received.
    pub(super) received: usize,
}

thread_local! {
    static SCRATCH: Cell<Option<Box<Scratch>>> = const { Cell::new(None) };
}

impl Scratch {
    fn new() -> Self {
        Self {
            incoming: vec![0; RECORDS * MAX_RECORD_BYTES].into(),
            outgoing: vec![0; RECORDS * MAX_RECORD_BYTES].into(),
            gathered: vec![0; MAX_PLAINTEXT_BYTES].into(),
            received: 0,
        }
    }

    /// Runs `call` with the buffers of the thread. A transport callback that uses another stream gets other buffers.
    pub(super) fn with<T>(call: impl FnOnce(&mut Self) -> T) -> T {
        let mut scratch = SCRATCH.take().unwrap_or_else(|| Box::new(Self::new()));
        scratch.received = 0;
        let outcome = call(&mut scratch);
        SCRATCH.set(Some(scratch));
        outcome
    }
}

/// Kept bytes. The allocation is dropped with the last of them; without any, there is only an empty pointer.
#[derive(Default)]
pub(super) struct Leftover(Option<Box<Kept>>);

struct Kept {
    bytes: Vec<u8>,
    /// The position of the first byte that is left.
    start: usize,
}

impl Leftover {
    pub(super) fn from_slice(bytes: &[u8]) -> Self {
        if bytes.is_empty() { Self::default() } else { Self::from_vec(bytes.to_vec()) }
    }

    /// Takes the bytes. Without any, there is no allocation.
    pub(super) fn from_vec(bytes: Vec<u8>) -> Self {
        Self((!bytes.is_empty()).then(|| Box::new(Kept { bytes, start: 0 })))
    }

    pub(super) fn len(&self) -> usize {
        self.as_slice().len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        self.0.as_ref().map_or(&[], |kept| &kept.bytes[kept.start..])
    }

    pub(super) fn as_mut_slice(&mut self) -> &mut [u8] {
        self.0.as_mut().map_or(&mut [], |kept| &mut kept.bytes[kept.start..])
    }

    /// Drops the first `count` bytes.
    pub(super) fn advance(&mut self, count: usize) {
        let Some(kept) = &mut self.0 else { return };
        kept.start = kept.start.saturating_add(count);
        if kept.start >= kept.bytes.len() {
            self.0 = None;
        }
    }

    /// Moves as much as fits into `buffer`. Returns the number of bytes.
    pub(super) fn take_into(&mut self, buffer: &mut [u8]) -> usize {
        let bytes = self.as_slice();
        let count = bytes.len().min(buffer.len());
        buffer[..count].copy_from_slice(&bytes[..count]);
        self.advance(count);
        count
    }
}

/// A position in the pieces of a vectored write.
#[derive(Clone, Copy)]
pub(super) struct Pieces<'a> {
    pieces: &'a [IoSlice<'a>],
    offset: usize,
}

impl<'a> Pieces<'a> {
    pub(super) fn new(pieces: &'a [IoSlice<'a>]) -> Self {
        Self { pieces, offset: 0 }.past_empty()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Returns the bytes to encrypt next. A piece that fills a record or is the last is given itself, up to `most`
    /// bytes. Smaller ones are gathered for one record.
    pub(super) fn next_bytes<'s>(&self, gathered: &'s mut [u8], most: usize) -> &'s [u8]
    where
        'a: 's,
    {
        let first = self.first();
        if first.len() >= gathered.len() || self.pieces.len() == 1 {
            return &first[..first.len().min(most)];
        }
        let mut rest = *self;
        let mut filled = 0;
        while !rest.is_empty() && filled < gathered.len() {
            let piece = rest.first();
            let count = piece.len().min(gathered.len() - filled);
            gathered[filled..filled + count].copy_from_slice(&piece[..count]);
            filled += count;
            rest.advance(count);
        }
        &gathered[..filled]
    }

    pub(super) fn advance(&mut self, mut count: usize) {
        while count > 0 && !self.is_empty() {
            let step = count.min(self.first().len());
            self.offset += step;
            count -= step;
            *self = self.past_empty();
        }
    }

    /// Gives the next `length` bytes to `take`. Returns false if there are fewer.
    pub(super) fn for_each(mut self, mut length: usize, mut take: impl FnMut(&[u8])) -> bool {
        while length > 0 && !self.is_empty() {
            let count = length.min(self.first().len());
            take(&self.first()[..count]);
            length -= count;
            self.advance(count);
        }
        length == 0
    }

    fn first(&self) -> &'a [u8] {
        self.pieces.first().map(|piece| &piece[self.offset..]).unwrap_or_default()
    }

    fn past_empty(mut self) -> Self {
        while self.pieces.first().is_some_and(|piece| piece.len() <= self.offset) {
            self.pieces = &self.pieces[1..];
            self.offset = 0;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leftover_drops_its_allocation_with_its_last_byte() {
        let mut leftover = Leftover::from_slice(b"abc");
        let mut buffer = [0; 2];
        assert_eq!(leftover.take_into(&mut buffer), 2);
        assert_eq!(leftover.as_slice(), b"c");
        assert_eq!(leftover.take_into(&mut buffer), 1);
        assert!(leftover.0.is_none());
    }

    #[test]
    fn leftover_of_no_bytes_keeps_no_allocation() {
        assert!(Leftover::from_vec(Vec::with_capacity(16)).0.is_none());
        assert!(Leftover::from_slice(b"").0.is_none());
    }

    #[test]
    fn small_pieces_share_a_record_and_large_ones_are_not_copied() {
        let large = [7; 20];
        let pieces = [IoSlice::new(b""), IoSlice::new(b"ab"), IoSlice::new(b"c"), IoSlice::new(&large)];
        let mut gathered = [0; 8];
        let mut cursor = Pieces::new(&pieces);
        assert_eq!(cursor.next_bytes(&mut gathered, 16), b"abc\x07\x07\x07\x07\x07");
        cursor.advance(3);
        let records = cursor.next_bytes(&mut gathered, 16);
        assert!(std::ptr::eq(records.as_ptr(), large.as_ptr()));
        assert_eq!(records.len(), 16);
        cursor.advance(20);
        assert!(cursor.is_empty());
    }

    #[test]
    fn reentrant_use_gets_buffers_of_its_own() {
        Scratch::with(|outer| {
            outer.incoming[0] = 1;
            Scratch::with(|inner| assert_eq!(inner.incoming[0], 0));
            assert_eq!(outer.incoming[0], 1);
        });
    }
}
