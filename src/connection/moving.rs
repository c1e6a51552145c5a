//! Bytes through a connection: records to plaintext, and plaintext to records.

use crate::error::{Code, Error, Result};
use crate::verify::HandshakeNotes;

use super::hello;
use super::record::{self, Header, MAX_RECORD_BYTES, Opened};
use super::state::{Event, Seen};
use super::{Connection, Next, Transfer, write_after_close};

impl Connection {
    /// Takes at most one whole record from `tls`, which it may change, and puts its plaintext into `plain`. It may
    /// write to all of `plain`; the plaintext is the first `produced` bytes.
    ///
    /// # Errors
    /// The error that ended the connection, again on each later call. [`Connection::wrap`] gives the alert for the
    /// peer.
    pub fn unwrap(&mut self, tls: &mut [u8], plain: &mut [u8]) -> Result<Transfer> {
        self.unwrap_at_most(1, tls, plain)
    }

    /// Takes as many whole records as `tls` holds and `plain` has room for. Otherwise as [`Connection::unwrap`].
    ///
    /// A record that ends the connection is reported by the next call if records before it gave plaintext.
    ///
    /// # Errors
    /// As for [`Connection::unwrap`].
    pub fn unwrap_records(&mut self, tls: &mut [u8], plain: &mut [u8]) -> Result<Transfer> {
        self.unwrap_at_most(usize::MAX, tls, plain)
    }

    #[inline]
    fn unwrap_at_most(&mut self, most: usize, tls: &mut [u8], plain: &mut [u8]) -> Result<Transfer> {
        self.end_if_revoked();
        self.state.check()?;
        if self.state.is_peer_closed() || self.state.needs_task() {
            let next = if self.state.is_peer_closed() { Next::Closed } else { Next::NeedTask };
            return Ok(Transfer { consumed: 0, produced: 0, next });
        }
        match self.state.is_traffic() {
            true => self.open_records(most, tls, plain),
            false => self.take_handshake_record(tls),
        }
    }

    /// Gives records for the peer: what waits of handshake and alerts first, otherwise one record of `plain`.
    ///
    /// With empty `plain`, only what waits. Before the handshake is complete no plaintext is taken.
    ///
    /// # Errors
    /// The error that ended the connection, after its alert was given. `WRONG_STATE` for plaintext after this side
    /// closed.
    pub fn wrap(&mut self, plain: &[u8], tls: &mut [u8]) -> Result<Transfer> {
        self.wrap_at_most(1, plain, tls)
    }

    /// Gives as many records of `plain` as `tls` has room for. Otherwise as [`Connection::wrap`].
    ///
    /// # Errors
    /// As for [`Connection::wrap`].
    pub fn wrap_records(&mut self, plain: &[u8], tls: &mut [u8]) -> Result<Transfer> {
        self.wrap_at_most(usize::MAX, plain, tls)
    }

    #[inline]
    fn wrap_at_most(&mut self, most: usize, plain: &[u8], tls: &mut [u8]) -> Result<Transfer> {
        self.end_if_revoked();
        if self.has_outgoing() {
            return Ok(self.drain_outgoing(tls));
        }
        self.state.check()?;
        match self.state.is_traffic() {
            true if !plain.is_empty() && self.state.is_write_closed() => Err(write_after_close()),
            true if !plain.is_empty() => self.seal_records(most, plain, tls),
            _ => Ok(Transfer { consumed: 0, produced: 0, next: self.next() }),
        }
    }

    /// Drops the expanded keys, most of the memory of an idle connection. The next record makes them again, which takes
    /// less than a microsecond. Before the handshake is complete nothing is dropped.
    pub fn sleep(&mut self) {
        if let Some(layer) = self.engine.layer() {
            layer.sleep();
        }
    }

    /// A count that stays as it is while no record moves; 0 before the handshake is complete.
    pub(crate) fn records_moved(&mut self) -> u32 {
        self.engine.layer().map_or(0, |layer| layer.records() as u32)
    }

    /// Takes at most one record of the handshake.
    fn take_handshake_record(&mut self, tls: &[u8]) -> Result<Transfer> {
        let length = match Header::read(tls, self.seen >= Seen::Record) {
            Header::Incomplete => {
                if self.seen < Seen::Record {
                    self.beginning.note(tls);
                }
                return Ok(Transfer { consumed: 0, produced: 0, next: Next::NeedRecord });
            }
            Header::NotTls(what) => return Err(self.fail(Error::new(Code::PeerNotTls, what))),
            // rustls refuses the oversized from its header; it is given what there is of it.
            Header::Whole { length, .. } => length.min(tls.len()),
        };
        // A change_cipher_spec is followed by another record of the same flight (RFC 8446 section 5, RFC 5246 section
        // 7.1). It waits for that, for one step of the engine or one task can process both.
        let waits = self.seen >= Seen::Record && self.stash.is_empty() && hello::is_change_cipher_spec(&tls[..length]);
        self.seen = self.seen.max(Seen::Record);
        self.stash_record(&tls[..length])?;
        match self.uses_tasks {
            _ if waits => {}
            true => self.change(Event::TaskNeeded),
            false => {
                self.process_stash();
                self.settle_peer();
            }
        }
        self.state.check()?;
        Ok(Transfer { consumed: length, produced: 0, next: self.next() })
    }

    /// Opens whole records of `tls` into `plain`, `most` of them at the most. Stops at a record that is no data.
    #[inline]
    fn open_records(&mut self, most: usize, tls: &mut [u8], plain: &mut [u8]) -> Result<Transfer> {
        let (mut consumed, mut produced) = (0, 0);
        let mut stopped = None;
        for _ in 0..most {
            let Some(layer) = self.engine.layer() else {
                return match self.engine.second() {
                    Some(_) => self.open_by_second(most, tls, plain),
                    None => Err(self.fail(Error::new(Code::Internal, "no engine opens records"))),
                };
            };
            let Header::Whole { length, is_application_data } = Header::read(&tls[consumed..], true) else {
                stopped = Some(Next::NeedRecord);
                break;
            };
            let room = &mut plain[produced..];
            let needed = layer.plaintext_of(length);
            if is_application_data && needed > room.len() {
                stopped = Some(Next::DestinationTooSmall(needed));
                break;
            }
            let end = tls.len().min(consumed + length);
            let opened = layer.open(length, &mut tls[consumed..end], room, &mut self.outgoing);
            consumed = end;
            match opened {
                Ok(Opened::Data(count)) => produced += count,
                other => {
                    self.finish_record(other);
                    break;
                }
            }
        }
        self.end_of_opening(stopped, consumed, produced)
    }

    /// Returns the result of a call that has opened records, of either engine, until `stopped`.
    #[inline]
    pub(super) fn end_of_opening(
        &mut self,
        stopped: Option<Next>,
        consumed: usize,
        produced: usize,
    ) -> Result<Transfer> {
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

    /// Does what a record asks for that is no data.
    #[cold]
    fn finish_record(&mut self, opened: Result<Opened>) {
        match opened {
            Ok(Opened::Data(_) | Opened::Done) => {}
            Ok(Opened::PeerClosed) => self.change(Event::PeerClosed),
            Ok(Opened::Tickets(tickets)) => {
                // What is known of the server is kept with each.
                HandshakeNotes::begin(self.input());
                let layer = self.engine.layer();
                let taken = layer.map_or(Ok(()), |layer| tickets.iter().try_for_each(|body| layer.take_ticket(body)));
                HandshakeNotes::take();
                if let Err(error) = taken {
                    self.fail(error);
                }
            }
            Err(error) => {
                self.fail(error);
            }
        }
    }

    #[inline]
    fn seal_records(&mut self, most: usize, plain: &[u8], tls: &mut [u8]) -> Result<Transfer> {
        let Some(layer) = self.engine.layer() else {
            return match self.engine.second() {
                Some(_) => self.seal_by_second(most, plain, tls),
                None => Err(self.fail(Error::new(Code::Internal, "no engine seals records"))),
            };
        };
        match layer.seal(plain, tls, most) {
            Ok(sealed) if sealed.produced == 0 => {
                let needed = layer.least_room();
                Ok(Transfer { consumed: 0, produced: 0, next: Next::DestinationTooSmall(needed) })
            }
            Ok(sealed) => Ok(Transfer { consumed: sealed.consumed, produced: sealed.produced, next: self.next() }),
            Err(error) => Err(self.fail(error)),
        }
    }

    fn drain_outgoing(&mut self, tls: &mut [u8]) -> Transfer {
        let waiting = &self.outgoing[self.outgoing_start..];
        let fits = record::whole_records(waiting, tls.len());
        if fits == 0 {
            let needed = record::whole_records(waiting, usize::MAX).min(MAX_RECORD_BYTES);
            return Transfer { consumed: 0, produced: 0, next: Next::DestinationTooSmall(needed) };
        }
        tls[..fits].copy_from_slice(&waiting[..fits]);
        self.outgoing_start += fits;
        if !self.has_outgoing() {
            self.outgoing = Vec::new();
            self.outgoing_start = 0;
        }
        Transfer { consumed: 0, produced: fits, next: self.next() }
    }
}
