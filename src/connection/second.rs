//! A connection that the second engine serves: its records after the handshake, and its end.

use crate::error::{Error, Result};
use crate::legacy::{MAX_OVERHEAD_BYTES, MIN_OVERHEAD_BYTES, Opened};

use super::record::{Header, MAX_PLAINTEXT_BYTES};
use super::state::{Event, Seen};
use super::{Connection, Next, Transfer, alert};

impl Connection {
    /// Opens whole records of `tls` into `plain`, `most` of them at the most. Stops at a record that is no data.
    pub(super) fn open_by_second(&mut self, most: usize, tls: &[u8], plain: &mut [u8]) -> Result<Transfer> {
        let (mut consumed, mut produced) = (0, 0);
        let mut stopped = None;
        for _ in 0..most {
            let Some(session) = self.engine.second() else { break };
            let Header::Whole { length, .. } = Header::read(&tls[consumed..], true) else {
                stopped = Some(Next::NeedRecord);
                break;
            };
            let needed = length.saturating_sub(MIN_OVERHEAD_BYTES).min(MAX_PLAINTEXT_BYTES);
            if needed > plain.len() - produced {
                stopped = Some(Next::DestinationTooSmall(needed));
                break;
            }
            let end = tls.len().min(consumed + length);
            let opened = session.open(&tls[consumed..end], &mut plain[produced..], &mut self.outgoing);
            consumed = end;
            match opened {
                Ok(Opened::Data(count)) => produced += count,
                Ok(Opened::Done) => break,
                Ok(Opened::PeerClosed) => {
                    self.change(Event::PeerClosed);
                    break;
                }
                Err(error) => {
                    self.fail(error);
                    break;
                }
            }
        }
        if produced > 0 {
            self.seen = Seen::Data;
        } else {
            // Data before a fault is given first. The next call reports the fault.
            self.state.check()?;
        }
        let next = match stopped {
            Some(stopped) if consumed == 0 => stopped,
            // The caller takes the data first.
            _ if produced > 0 && self.state.is_peer_closed() => Next::Continue,
            _ => self.next(),
        };
        Ok(Transfer { consumed, produced, next })
    }

    /// Seals `plain` into records, `most` of them at the most, as far as `tls` has room.
    pub(super) fn seal_by_second(&mut self, most: usize, plain: &[u8], tls: &mut [u8]) -> Result<Transfer> {
        let (mut consumed, mut produced) = (0, 0);
        let mut records = Vec::new();
        for _ in 0..most {
            let room = (tls.len() - produced).saturating_sub(MAX_OVERHEAD_BYTES);
            let piece = &plain[consumed..];
            let piece = &piece[..piece.len().min(MAX_PLAINTEXT_BYTES).min(room)];
            let Some(session) = self.engine.second().filter(|_| !piece.is_empty()) else { break };
            records.clear();
            if let Err(error) = session.seal(piece, &mut records) {
                return Err(self.fail(error));
            }
            tls[produced..produced + records.len()].copy_from_slice(&records);
            produced += records.len();
            consumed += piece.len();
        }
        let next = match produced {
            0 => Next::DestinationTooSmall(MAX_OVERHEAD_BYTES + 1),
            _ => self.next(),
        };
        Ok(Transfer { consumed, produced, next })
    }

    /// Queues close_notify.
    pub(super) fn close_second(&mut self) -> Result<()> {
        let Some(session) = self.engine.second() else { return Ok(()) };
        let closed = session.close(&mut self.outgoing);
        closed.map_err(|error| self.fail(error))
    }

    /// Ends the connection. The engine has queued its alert, if it knows one; it takes none from outside. In plain
    /// text, it gets the description of the failure's row.
    pub(super) fn end_second(&mut self, error: Error) -> Error {
        if let Some(description) = error.code().alert_in(self.engine.version()) {
            alert::describe_fatal(&mut self.outgoing, description);
        }
        self.engine.end();
        self.keep_failure(error)
    }
}
