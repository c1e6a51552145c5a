//! A connection that the second engine serves: its records after the handshake, and its end.

use crate::error::{Code, Error, Result};
use crate::legacy::{MAX_OVERHEAD_BYTES, MIN_OVERHEAD_BYTES, Opened};

use super::record::{Header, MAX_PLAINTEXT_BYTES};
use super::state::Event;
use super::{Connection, Next, Transfer, alert};

/// Content type of an alert.
const ALERT: u8 = 21;

impl Connection {
    /// Opens whole records of `tls` into `plain`, `most` of them at the most. Stops at a record that is no data.
    pub(super) fn open_by_second(&mut self, most: usize, tls: &[u8], plain: &mut [u8]) -> Result<Transfer> {
        let (mut consumed, mut produced) = (0, 0);
        let mut stopped = None;
        for _ in 0..most {
            let Header::Whole { length, is_application_data } = Header::read(&tls[consumed..], true) else {
                stopped = Some(Next::NeedRecord);
                break;
            };
            let needed = length.saturating_sub(MIN_OVERHEAD_BYTES).min(MAX_PLAINTEXT_BYTES);
            if is_application_data && needed > plain.len() - produced {
                stopped = Some(Next::DestinationTooSmall(needed));
                break;
            }
            let record = &tls[consumed..tls.len().min(consumed + length)];
            consumed += record.len();
            match self.open_one_by_second(record, &mut plain[produced..]) {
                Ok(Opened::Data(count)) if count > 0 => produced += count,
                Ok(Opened::PeerClosed) => {
                    self.change(Event::PeerClosed);
                    break;
                }
                Ok(Opened::Data(_) | Opened::Done) => break,
                Err(error) => {
                    self.fail(error);
                    break;
                }
            }
        }
        self.end_of_opening(stopped, consumed, produced)
    }

    fn open_one_by_second(&mut self, record: &[u8], plain: &mut [u8]) -> Result<Opened> {
        let waiting = self.outgoing.len();
        let ended = || Error::new(Code::Internal, "the second engine has ended");
        let opened = self.engine.second().ok_or_else(ended)?.open(record, plain, &mut self.outgoing);
        if self.state.is_write_closed() {
            // Nothing follows a close_notify (RFC 5246 section 7.2.1).
            self.outgoing.truncate(waiting);
        }
        let opened = opened?;
        if let Some(floods) = self.engine.floods_of_second() {
            match opened {
                Opened::Data(1..) => floods.end_by_data(),
                Opened::Data(_) | Opened::Done => floods.add_quiet(record.first() == Some(&ALERT))?,
                Opened::PeerClosed => {}
            }
        }
        Ok(opened)
    }

    /// Seals `plain` into records, `most` of them at the most, as far as `tls` has room. A client may have asked for
    /// shorter records than `plain` has bytes.
    pub(super) fn seal_by_second(&mut self, most: usize, plain: &[u8], tls: &mut [u8]) -> Result<Transfer> {
        let (mut consumed, mut produced) = (0, 0);
        let mut records = Vec::new();
        for _ in 0..most {
            let room = (tls.len() - produced).saturating_sub(MAX_OVERHEAD_BYTES);
            let piece = &plain[consumed..];
            let piece = &piece[..piece.len().min(MAX_PLAINTEXT_BYTES).min(room)];
            let Some(session) = self.engine.second().filter(|_| !piece.is_empty()) else { break };
            records.clear();
            let used = match session.seal(piece, &mut records) {
                Ok(used) => used,
                Err(error) => return Err(self.fail(error)),
            };
            let Some(place) = tls.get_mut(produced..produced + records.len()) else {
                return Err(self.fail(Error::new(Code::Internal, "a record of the second engine is too long")));
            };
            place.copy_from_slice(&records);
            produced += records.len();
            consumed += used;
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

    /// Ends the connection with the alert of the failure's row, if it has one. The engine may have queued its own: in
    /// plain text, that gets the description of the row.
    pub(super) fn end_second(&mut self, error: Error) -> Error {
        // Nothing follows a close_notify, and none is sent during the handshake.
        let is_closed = self.state.is_write_closed() && !self.state.is_handshaking();
        if let Some(description) = error.code().alert_in(self.engine.version())
            && let Some(session) = self.engine.second().filter(|_| !is_closed)
        {
            session.alert(description, &mut self.outgoing);
            alert::describe_fatal(&mut self.outgoing, description);
        }
        self.engine.end();
        self.keep_failure(error)
    }
}
