//! The records that have gone to the peer, as far as the next one depends on them.

/// Content type of the record after which this side encrypts.
const CHANGE_CIPHER_SPEC: u8 = 20;

const HEADER_BYTES: usize = 5;

/// The largest block of a cipher and the largest MAC after it, in bytes.
const TAIL_BYTES: usize = 16 + 48;

/// Reads the records of this side as they go out, in pieces of any size.
#[derive(Debug)]
pub struct Sent {
    header: [u8; HEADER_BYTES],
    /// Bytes of the present header that are there.
    header_length: usize,
    /// Bytes of the present record that are still to come.
    left: usize,
    /// The first bytes of the content of the present record.
    start: [u8; 8],
    start_length: usize,
    /// The last bytes of everything.
    tail: [u8; TAIL_BYTES],
    is_encrypted: bool,
    /// Encrypted records.
    number: u64,
    /// All records.
    count: u64,
}

impl Default for Sent {
    fn default() -> Self {
        Self {
            header: [0; HEADER_BYTES],
            header_length: 0,
            left: 0,
            start: [0; 8],
            start_length: 0,
            tail: [0; TAIL_BYTES],
            is_encrypted: false,
            number: 0,
            count: 0,
        }
    }
}

impl Sent {
    /// Reads the next piece.
    pub fn note(&mut self, mut bytes: &[u8]) {
        let kept = bytes.len().min(TAIL_BYTES);
        self.tail.rotate_left(kept);
        self.tail[TAIL_BYTES - kept..].copy_from_slice(&bytes[bytes.len() - kept..]);
        while let Some((first, rest)) = bytes.split_first() {
            if self.header_length < HEADER_BYTES {
                self.header[self.header_length] = *first;
                self.header_length += 1;
                bytes = rest;
                if self.header_length == HEADER_BYTES {
                    let [kind, _, _, high, low] = self.header;
                    (self.left, self.start_length) = (usize::from(u16::from_be_bytes([high, low])), 0);
                    self.begin(kind);
                }
                continue;
            }
            let (content, rest) = bytes.split_at(self.left.min(bytes.len()));
            let kept = content.len().min(self.start.len() - self.start_length);
            self.start[self.start_length..][..kept].copy_from_slice(&content[..kept]);
            self.start_length += kept;
            self.left -= content.len();
            self.end();
            bytes = rest;
        }
    }

    fn begin(&mut self, kind: u8) {
        self.count += 1;
        if kind == CHANGE_CIPHER_SPEC {
            (self.is_encrypted, self.number) = (true, 0);
        } else if self.is_encrypted {
            self.number += 1;
        }
        self.end();
    }

    fn end(&mut self) {
        if self.left == 0 {
            self.header_length = 0;
        }
    }

    /// The number of records, each counted as soon as its header has gone.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// The number of the next encrypted record; none if this side does not encrypt yet.
    pub(crate) fn next_number(&self) -> Option<u64> {
        self.is_encrypted.then_some(self.number)
    }

    /// The last block of this size before this many bytes of a MAC, which is the next IV in TLS 1.0.
    pub(crate) fn block(&self, size: usize, mac_bytes: usize) -> Option<&[u8]> {
        let end = TAIL_BYTES.checked_sub(mac_bytes)?;
        self.tail.get(end.checked_sub(size)?..end)
    }

    /// The nonce in front of the last record.
    pub(crate) fn nonce(&self) -> [u8; 8] {
        self.start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encrypted_records_are_counted_from_the_change_of_ciphers_in_pieces_of_any_size() {
        let flight: Vec<u8> = [
            &[22, 3, 3, 0, 3, 1, 2, 3][..],
            &[20, 3, 3, 0, 1, 1],
            &[22, 3, 3, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9],
            &[23, 3, 3, 0, 0],
            &[23, 3, 3, 0, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20],
        ]
        .concat();
        for size in 1..=flight.len() {
            let mut sent = Sent::default();
            assert_eq!(sent.next_number(), None);
            flight.chunks(size).for_each(|piece| sent.note(piece));
            assert_eq!((sent.next_number(), sent.count()), (Some(3), 5), "{size}");
            assert_eq!(sent.nonce(), [11, 12, 13, 14, 15, 16, 17, 18]);
            let end = flight.len() - 20;
            assert_eq!(sent.block(16, 20), Some(&flight[end - 16..end]));
        }
    }
}
