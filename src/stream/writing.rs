//! Writing: pieces become records in batches, and the unsent rest is kept.
//!
//! ```text
//!   all sent                         Done(all)
//!   the transport took a part of several batches, and more is to be encrypted
//!                                    Done(what is encrypted); its rest is unsent, nothing is owed
//!   all is encrypted, its end unsent WantWrite; the caller owes the same bytes, which then count
//! ```
//!
//! A caller that repeats after `WantWrite` therefore knows that all is sent when it gets `Done` with all.

use std::io::IoSlice;

use crate::connection::{MAX_PLAINTEXT_BYTES, MAX_RECORD_BYTES};
use crate::error::{Code, Error, Result};

use super::owed::Owed;
use super::scratch::{Pieces, Scratch};
use super::sending::Sending;
use super::{Status, Stream};

impl Stream {
    pub(super) fn write_with(&mut self, pieces: &[IoSlice<'_>], scratch: &mut Scratch) -> Result<Status<usize>> {
        let start = Pieces::new(pieces);
        let mut cursor = start;
        let mut taken = 0;
        if let Some(owed) = self.sending.owed() {
            owed.check_start(&cursor)?;
            if self.flush_or_explain(scratch)? == Status::WantWrite {
                return Ok(Status::WantWrite);
            }
            owed.check_all(&cursor)?;
            self.sending = Sending::Clear;
            cursor.advance(owed.length);
            taken = owed.length;
        } else if self.flush_or_explain(scratch)? == Status::WantWrite {
            return Ok(Status::WantWrite);
        }
        while !cursor.is_empty() {
            let length = match self.send_batch(&mut cursor, scratch) {
                Ok(length) => length,
                // All that was taken before the fault is sent. The next write reports the fault.
                Err(_) if taken > 0 => break,
                Err(error) => return Err(self.explain(error, scratch)),
            };
            taken += length;
            if self.unsent.is_empty() {
                continue;
            }
            // A caller with more to write calls again. One with all bytes taken may not.
            if cursor.is_empty() {
                self.sending = Sending::Owed(Box::new(Owed::new(&start, taken)));
                return Ok(Status::WantWrite);
            }
            self.sending = Sending::Short;
            break;
        }
        Ok(Status::Done(taken))
    }

    /// Encrypts a batch and sends as much as the transport takes. Returns the plaintext taken.
    fn send_batch(&mut self, cursor: &mut Pieces<'_>, scratch: &mut Scratch) -> Result<usize> {
        let (length, filled) = self.encrypt_batch(cursor, scratch)?;
        self.unsent = self.send_some(&scratch.outgoing[..filled])?;
        Ok(length)
    }

    /// Encrypts as many records as the scratch buffer holds. Returns (plaintext taken, ciphertext made).
    fn encrypt_batch(&mut self, cursor: &mut Pieces<'_>, scratch: &mut Scratch) -> Result<(usize, usize)> {
        let (mut length, mut filled) = (0, 0);
        loop {
            let records = (scratch.outgoing.len() - filled) / MAX_RECORD_BYTES;
            if cursor.is_empty() || records == 0 {
                break;
            }
            let bytes = cursor.next_bytes(&mut scratch.gathered, records * MAX_PLAINTEXT_BYTES);
            let transfer = match self.connection.wrap(bytes, &mut scratch.outgoing[filled..]) {
                Ok(transfer) => transfer,
                // Records before the fault, e.g. a close_notify, are sent first. The next batch reports the fault.
                Err(_) if filled > 0 => break,
                Err(error) => return Err(error),
            };
            if transfer.produced == 0 {
                return Err(self.fail(Error::new(Code::Internal, "encryption makes no progress")));
            }
            cursor.advance(transfer.consumed);
            length += transfer.consumed;
            filled += transfer.produced;
        }
        Ok((length, filled))
    }
}
