//! The records of a connection after its handshake: data, alerts, tickets and key updates.
//!
//! ```text
//!   unwrap: record of the peer --> Layer::open --> plaintext in the caller's buffer
//!                                      |---------> an alert, a key update, a ticket
//!   wrap:   plaintext          --> Layer::seal --> record in the caller's buffer
//! ```
//!
//! A record is decrypted from the caller's buffer into the caller's buffer, without an allocation. It is copied only if
//! the byte of its type has no room there, and its cipher is ChaCha20-Poly1305.

use rustls::client::ClientConnectionData;
use rustls::kernel::KernelConnection;
use rustls::{AlertDescription, InvalidMessage, PeerMisbehaved};

use crate::error::{Code, Error, Result};

use super::cipher::{Cipher, Content, Direction, MAX_PLAINTEXT_BYTES};
use super::fault::{exhausted, malformed, misbehaved, no_secrets, of_record, of_rustls, received, unexpected};
use super::header::RecordType;
use super::messages::{KEY_UPDATE_NOT_REQUESTED, Message, Messages};
use super::secret::Secret;

/// Levels of alerts (RFC 8446 section 6).
const WARNING: u8 = 1;
const FATAL: u8 = 2;

/// Records without data that may follow one another: each costs work and moves nothing.
const MAX_EMPTY_RECORDS: u8 = 32;
const MAX_KEY_UPDATES: u8 = 32;
const MAX_WARNINGS: u8 = 4;

/// Requests to renegotiate that are answered with a warning (RFC 5246 section 7.2.2); the next one ends the connection.
const MAX_RENEGOTIATIONS: u8 = 1;

/// The traffic secrets of a connection of TLS 1.3.
pub(crate) struct TrafficSecrets {
    pub(super) write: Secret,
    pub(super) read: Secret,
}

/// The part of rustls that takes the tickets of a server.
pub(crate) type Tickets = KernelConnection<ClientConnectionData>;

/// The outcome of one record.
#[derive(Debug)]
pub(crate) enum Opened {
    /// Application data: this many bytes, which may be none.
    Data(usize),
    /// Nothing for the application.
    Done,
    /// The peer's close_notify.
    PeerClosed,
    /// The messages of new session tickets, which a client takes with [`Layer::take_ticket`].
    Tickets(Vec<Vec<u8>>),
}

/// The bytes that a call moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sealed {
    pub(crate) consumed: usize,
    pub(crate) produced: usize,
}

/// Both directions after the handshake.
pub(crate) struct Layer {
    write: Cipher,
    read: Cipher,
    /// TLS 1.3 alone.
    secrets: Option<TrafficSecrets>,
    /// Clients of TLS 1.3.
    tickets: Option<Box<Tickets>>,
    messages: Messages,
    /// An answer to a key update goes out before the next data (RFC 8446 section 4.6.3).
    owes_key_update: bool,
    /// This side has sent close_notify.
    is_closed: bool,
    floods: Floods,
    /// The most plaintext of a record that is sent.
    most_plaintext: u16,
}

/// Counts of what a peer may send without end.
#[derive(Default)]
pub(crate) struct Floods {
    empty_records: u8,
    key_updates: u8,
    warnings: u8,
    renegotiations: u8,
}

impl Floods {
    /// Counts a record of the second engine that gave no data: a warning, an empty record or a key update.
    ///
    /// # Errors
    /// `UNEXPECTED_MESSAGE` for more of them than may follow one another.
    pub(crate) fn add_quiet(&mut self, is_alert: bool) -> Result<()> {
        match is_alert {
            true => count(&mut self.warnings, MAX_WARNINGS, PeerMisbehaved::TooManyWarningAlertsReceived),
            false => count(&mut self.empty_records, MAX_EMPTY_RECORDS, PeerMisbehaved::TooManyEmptyFragments),
        }
    }

    /// Begins to count anew after data. Requests to renegotiate count for the life of the connection.
    pub(crate) fn end_by_data(&mut self) {
        *self = Self { renegotiations: self.renegotiations, ..Self::default() };
    }
}

impl Layer {
    pub(super) fn new(
        (write, read): (Cipher, Cipher),
        secrets: Option<TrafficSecrets>,
        tickets: Option<Box<Tickets>>,
        is_client: bool,
    ) -> Self {
        let messages = Messages::new(write.kind().is_tls13(), is_client);
        Self {
            write,
            read,
            secrets,
            tickets,
            messages,
            owes_key_update: false,
            is_closed: false,
            floods: Floods::default(),
            most_plaintext: MAX_PLAINTEXT_BYTES as u16,
        }
    }

    /// Limits the data records that are sent to this many bytes, header included.
    pub(crate) fn limit_records(&mut self, most: usize) {
        let plaintext = most.saturating_sub(self.overhead()).clamp(1, MAX_PLAINTEXT_BYTES);
        self.most_plaintext = plaintext as u16;
    }

    /// Bytes that a record adds to its plaintext.
    pub(crate) fn overhead(&self) -> usize {
        self.write.kind().overhead()
    }

    /// The most plaintext that a record of `length` bytes can hold, header included.
    #[inline]
    pub(crate) fn plaintext_of(&self, length: usize) -> usize {
        length.saturating_sub(self.read.kind().overhead()).min(MAX_PLAINTEXT_BYTES)
    }

    /// The records of the present keys, both directions together. It stays as it is while no record moves.
    pub(crate) fn records(&self) -> u64 {
        self.write.number().wrapping_add(self.read.number())
    }

    /// Drops the expanded keys. The next record makes them again.
    pub(crate) fn sleep(&mut self) {
        self.write.sleep();
        self.read.sleep();
    }

    /// Gives up the layer, for the alert that ends the connection.
    pub(crate) fn into_write(self) -> Cipher {
        self.write
    }

    /// Opens one record of the given length, which its header gives; `record` may be cut if that is too long. Puts
    /// application data into `plain`, which has room for [`Layer::plaintext_of`], and appends answers to `outgoing`.
    ///
    /// # Errors
    /// The error that ends the connection. Nothing of the record is in `plain`.
    #[inline]
    pub(crate) fn open(
        &mut self,
        length: usize,
        record: &mut [u8],
        plain: &mut [u8],
        outgoing: &mut Vec<u8>,
    ) -> Result<Opened> {
        self.read.check_length(length).map_err(of_record)?;
        let outer = RecordType(record[0]);
        if self.read.kind().is_tls13() && outer != RecordType::APPLICATION_DATA {
            return Err(unexpected(outer.into()));
        }
        if self.read.room_for(length) > plain.len() || outer != RecordType::APPLICATION_DATA {
            let (kind, place) = self.read.open_in_place(record).map_err(of_record)?;
            let content = &mut record[place];
            let opened = self.accept(kind, content, outgoing)?;
            if let Opened::Data(count) = opened {
                // Only the inner type has no room, or the padding.
                let room = plain.get_mut(..count).ok_or_else(|| Error::new(Code::Internal, "no room for a record"))?;
                room.copy_from_slice(content);
            }
            return Ok(opened);
        }
        let Content { kind, length: content } = self.read.open_into(record, plain).map_err(of_record)?;
        if kind == RecordType::APPLICATION_DATA && content > 0 && self.messages.is_whole() {
            self.floods.end_by_data();
            return Ok(Opened::Data(content));
        }
        let opened = self.accept(kind, &plain[..content], outgoing);
        // It is not for the application.
        plain[..content].fill(0);
        opened
    }

    /// Accepts the content of a record, whatever its type.
    fn accept(&mut self, kind: RecordType, content: &[u8], outgoing: &mut Vec<u8>) -> Result<Opened> {
        if kind != RecordType::HANDSHAKE && !self.messages.is_whole() {
            return Err(misbehaved(PeerMisbehaved::MessageInterleavedWithHandshakeMessage));
        }
        match kind {
            RecordType::APPLICATION_DATA if content.is_empty() => {
                count(&mut self.floods.empty_records, MAX_EMPTY_RECORDS, PeerMisbehaved::TooManyEmptyFragments)?;
                Ok(Opened::Data(0))
            }
            RecordType::APPLICATION_DATA => {
                self.floods.end_by_data();
                Ok(Opened::Data(content.len()))
            }
            RecordType::ALERT => self.accept_alert(content),
            RecordType::HANDSHAKE => self.accept_handshake(content, outgoing),
            other => Err(unexpected(other.into())),
        }
    }

    /// An alert of the peer (RFC 8446 section 6, RFC 5246 section 7.2).
    fn accept_alert(&mut self, content: &[u8]) -> Result<Opened> {
        let (level, description) = match *content {
            [] => return Err(malformed(InvalidMessage::InvalidEmptyPayload)),
            [_] => return Err(malformed(InvalidMessage::MissingData("Alert"))),
            [level, description] => (level, AlertDescription::from(description)),
            _ => return Err(malformed(InvalidMessage::TrailingData("Alert"))),
        };
        if !matches!(level, WARNING | FATAL) {
            return Err(Error::new(
                Code::PeerMisbehaved,
                format!("an alert of level {level}, which TLS does not have"),
            ));
        }
        if description == AlertDescription::CloseNotify {
            return Ok(Opened::PeerClosed);
        }
        // In TLS 1.3 the level counts for nothing.
        let is_warning = match self.read.kind().is_tls13() {
            true => description == AlertDescription::UserCanceled,
            false => level == WARNING,
        };
        if is_warning {
            count(&mut self.floods.warnings, MAX_WARNINGS, PeerMisbehaved::TooManyWarningAlertsReceived)?;
            return Ok(Opened::Done);
        }
        Err(received(description))
    }

    /// Handshake messages after the handshake (RFC 8446 section 4.6).
    fn accept_handshake(&mut self, content: &[u8], outgoing: &mut Vec<u8>) -> Result<Opened> {
        if content.is_empty() {
            return Err(malformed(InvalidMessage::InvalidEmptyPayload));
        }
        let mut tickets = Vec::new();
        self.messages.append(content);
        while let Some(message) = self.messages.next()? {
            match message {
                Message::Ticket(body) => tickets.push(body),
                Message::KeyUpdate { is_requested } => {
                    if !self.messages.is_whole() {
                        return Err(misbehaved(PeerMisbehaved::KeyEpochWithPendingFragment));
                    }
                    count(&mut self.floods.key_updates, MAX_KEY_UPDATES, PeerMisbehaved::TooManyKeyUpdateRequests)?;
                    let secrets = self.secrets.as_mut().ok_or_else(no_secrets)?;
                    self.read = secrets.read.update(Direction::Read, self.read.kind().aead()).ok_or_else(no_secrets)?;
                    // It has a copy of the old secret, which must go (RFC 8446 section 7.2).
                    if let Some(tickets) = &mut self.tickets {
                        tickets.update_rx_secret().map_err(of_rustls)?;
                    }
                    self.owes_key_update |= is_requested;
                }
                Message::Renegotiation => {
                    let refused = PeerMisbehaved::TooManyRenegotiationRequests;
                    count(&mut self.floods.renegotiations, MAX_RENEGOTIATIONS, refused)?;
                    // Nothing follows a close_notify (RFC 5246 section 7.2.1).
                    if !self.is_closed {
                        self.alert(WARNING, AlertDescription::NoRenegotiation.into(), outgoing)?;
                    }
                }
            }
        }
        Ok(if tickets.is_empty() { Opened::Done } else { Opened::Tickets(tickets) })
    }

    /// Takes a ticket of a server for later connections.
    ///
    /// # Errors
    /// `MESSAGE_MALFORMED` and others for a message that is wrong.
    pub(crate) fn take_ticket(&mut self, body: &[u8]) -> Result<()> {
        let tickets = self.tickets.as_mut().ok_or_else(|| Error::new(Code::Internal, "a ticket without a taker"))?;
        tickets.handle_new_session_ticket(body).map_err(of_rustls)
    }

    /// Seals `plain`, at most `most` records of it, into `tls`. Nothing is produced if there is no room for a byte.
    ///
    /// # Errors
    /// `KEYS_EXHAUSTED` in TLS 1.2.
    #[inline]
    pub(crate) fn seal(&mut self, plain: &[u8], tls: &mut [u8], most: usize) -> Result<Sealed> {
        let overhead = self.overhead();
        let mut sealed = Sealed::default();
        for _ in 0..most {
            let rest = &plain[sealed.consumed..];
            if rest.is_empty() {
                break;
            }
            if self.owes_key_update || self.write.is_worn_out() {
                match self.update_write(&mut tls[sealed.produced..]) {
                    Ok(Some(update)) => sealed.produced += update,
                    Ok(None) => break,
                    // The next call reports it.
                    Err(_) if sealed.consumed > 0 => break,
                    Err(error) => return Err(error),
                }
            }
            let room = (tls.len() - sealed.produced).saturating_sub(overhead);
            let chunk = &rest[..rest.len().min(room).min(usize::from(self.most_plaintext))];
            if chunk.is_empty() {
                break;
            }
            let record = &mut tls[sealed.produced..];
            let length = match self.write.seal(RecordType::APPLICATION_DATA, chunk, record) {
                Some(length) => length,
                // The next call reports it.
                None if sealed.produced > 0 => break,
                None => return Err(exhausted()),
            };
            sealed.consumed += chunk.len();
            sealed.produced += length;
        }
        Ok(sealed)
    }

    /// The bytes that `tls` must have for a byte of plaintext.
    pub(crate) fn least_room(&self) -> usize {
        let update = if self.owes_key_update || self.write.is_worn_out() {
            self.overhead() + KEY_UPDATE_NOT_REQUESTED.len()
        } else {
            0
        };
        update + self.overhead() + 1
    }

    /// Seals a key update and takes the next keys. None if there is no room for it and a byte of data.
    #[cold]
    fn update_write(&mut self, tls: &mut [u8]) -> Result<Option<usize>> {
        let Some(secrets) = &mut self.secrets else { return Err(exhausted()) };
        if tls.len() <= 2 * self.write.kind().overhead() + KEY_UPDATE_NOT_REQUESTED.len() {
            return Ok(None);
        }
        let next = secrets.write.update(Direction::Write, self.write.kind().aead()).ok_or_else(no_secrets)?;
        if let Some(tickets) = &mut self.tickets {
            tickets.update_tx_secret().map_err(of_rustls)?;
        }
        let sealed = self.write.seal(RecordType::HANDSHAKE, &KEY_UPDATE_NOT_REQUESTED, tls).ok_or_else(exhausted)?;
        self.write = next;
        self.owes_key_update = false;
        Ok(Some(sealed))
    }

    /// Appends close_notify to `outgoing` (RFC 8446 section 6.1).
    ///
    /// # Errors
    /// `KEYS_EXHAUSTED`.
    pub(crate) fn close_notify(&mut self, outgoing: &mut Vec<u8>) -> Result<()> {
        self.is_closed = true;
        self.alert(WARNING, AlertDescription::CloseNotify.into(), outgoing)
    }

    fn alert(&mut self, level: u8, description: u8, outgoing: &mut Vec<u8>) -> Result<()> {
        outgoing.extend(sealed_alert(&mut self.write, level, description).ok_or_else(exhausted)?);
        Ok(())
    }
}

/// An alert as a record of this cipher. None if the keys are used up.
pub(crate) fn sealed_alert(cipher: &mut Cipher, level: u8, description: u8) -> Option<Vec<u8>> {
    let content = [level, description];
    let mut record = vec![0; content.len() + cipher.kind().overhead()];
    cipher.seal(RecordType::ALERT, &content, &mut record).map(|_| record)
}

/// Counts one more of something that moves nothing, and refuses what is too much.
fn count(counter: &mut u8, most: u8, refused: PeerMisbehaved) -> Result<()> {
    if *counter >= most {
        return Err(misbehaved(refused));
    }
    *counter += 1;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::kind::{Aead, Kind};
    use super::super::secret::Secrets;

    use super::*;

    /// A client and a server of the same keys.
    fn pair(kind: Kind) -> (Layer, Layer) {
        let side = |is_client: bool| {
            let cipher =
                |direction, byte| Cipher::new(direction, kind, &vec![byte; kind.aead().key_bytes()], &[byte; 12]);
            let mut secrets = Secrets::default();
            secrets.note("CLIENT_TRAFFIC_SECRET_0", &[1; 32]);
            secrets.note("SERVER_TRAFFIC_SECRET_0", &[2; 32]);
            let (client, server) = (secrets.client.unwrap(), secrets.server.unwrap());
            let (ciphers, secrets) = match is_client {
                true => (
                    (cipher(Direction::Write, 1), cipher(Direction::Read, 2)),
                    TrafficSecrets { write: client, read: server },
                ),
                false => (
                    (cipher(Direction::Write, 2), cipher(Direction::Read, 1)),
                    TrafficSecrets { write: server, read: client },
                ),
            };
            Layer::new(ciphers, Some(secrets).filter(|_| kind.is_tls13()), None, is_client)
        };
        (side(true), side(false))
    }

    const TLS13: Kind = Kind::tls13(Aead::Aes128Gcm);
    const TLS12: Kind = Kind::tls12(Aead::Aes128Gcm);

    /// Opens each record of `tls`. Returns the data.
    fn open_all(layer: &mut Layer, tls: &mut [u8]) -> Result<Vec<u8>> {
        let (mut start, mut data) = (0, Vec::new());
        while start < tls.len() {
            let length = 5 + usize::from(u16::from_be_bytes([tls[start + 3], tls[start + 4]]));
            let mut plain = vec![0; length];
            if let Opened::Data(count) =
                layer.open(length, &mut tls[start..start + length], &mut plain, &mut Vec::new())?
            {
                data.extend_from_slice(&plain[..count]);
            }
            start += length;
        }
        Ok(data)
    }

    fn exchange(from: &mut Layer, to: &mut Layer, data: &[u8]) -> usize {
        let mut tls = vec![0; data.len() + 200];
        let sealed = from.seal(data, &mut tls, usize::MAX).unwrap();
        assert_eq!(sealed.consumed, data.len());
        assert_eq!(open_all(to, &mut tls[..sealed.produced]).unwrap(), data);
        sealed.produced
    }

    #[test]
    fn keys_of_tls13_are_updated_with_the_last_number_that_they_may_use() {
        let (mut client, mut server) = pair(TLS13);
        let plain = exchange(&mut client, &mut server, b"abc");
        // The limit of RFC 8446 section 5.5 is 2^24.5 records; 2^24 are used.
        for layer in [&mut client.write, &mut server.read] {
            layer.set_number((1 << 24) - 2);
        }
        assert_eq!(exchange(&mut client, &mut server, b"abc"), plain);
        let with_update = exchange(&mut client, &mut server, b"abc");
        assert_eq!(with_update, plain + client.overhead() + 5, "a key update before the data");
        assert_eq!(exchange(&mut client, &mut server, b"abc"), plain);
        assert_eq!(exchange(&mut server, &mut client, b"abc"), plain, "it asks for none in return");
    }

    #[test]
    fn keys_of_tls12_are_exhausted_and_say_so() {
        let (mut client, mut server) = pair(TLS12);
        exchange(&mut client, &mut server, b"abc");
        client.write.set_number((1 << 24) - 2);
        server.read.set_number((1 << 24) - 2);
        exchange(&mut client, &mut server, b"abc");
        let error = client.seal(b"abc", &mut [0; 100], 1).unwrap_err();
        assert_eq!(error.code(), Code::KeysExhausted);
        let mut alert = sealed_alert(&mut client.into_write(), FATAL, 80).expect("an alert may still go out");
        let length = alert.len();
        let ended = server.open(length, &mut alert, &mut [], &mut Vec::new()).unwrap_err();
        assert_eq!(ended.code(), Code::from_received_alert(80));
    }

    #[test]
    fn records_before_the_end_of_the_keys_of_tls12_are_given() {
        let (mut client, _) = pair(TLS12);
        client.write.set_number((1 << 24) - 3);
        let mut tls = vec![0; 5 * (MAX_PLAINTEXT_BYTES + 100)];
        let sealed = client.seal(&vec![7; 4 * MAX_PLAINTEXT_BYTES], &mut tls, usize::MAX).unwrap();
        assert_eq!(sealed.consumed, 2 * MAX_PLAINTEXT_BYTES);
        let code = client.seal(b"abc", &mut tls, 1).unwrap_err().code();
        assert_eq!(code, Code::KeysExhausted);
    }

    #[test]
    fn requested_key_updates_are_answered_once_before_the_next_data() {
        let (mut client, mut server) = pair(TLS13);
        for _ in 0..3 {
            let mut update = vec![0; 5 + client.overhead()];
            client.write.seal(RecordType::HANDSHAKE, &[24, 0, 0, 1, 1], &mut update).unwrap();
            client.write = client.secrets.as_mut().unwrap().write.update(Direction::Write, Aead::Aes128Gcm).unwrap();
            assert_eq!(open_all(&mut server, &mut update).unwrap(), b"");
        }
        assert_eq!(server.least_room(), 2 * server.overhead() + 6);
        let mut small = vec![0; server.least_room() - 1];
        assert_eq!(server.seal(b"abc", &mut small, 1).unwrap(), Sealed::default(), "no room for the answer");
        let plain = exchange(&mut client, &mut server, b"abc");
        assert_eq!(exchange(&mut server, &mut client, b"abc"), plain + server.overhead() + 5);
        assert_eq!(exchange(&mut server, &mut client, b"abc"), plain);
        assert_eq!(server.least_room(), server.overhead() + 1);
    }

    #[test]
    fn data_that_fits_without_its_inner_type_is_given() {
        let (mut client, mut server) = pair(TLS13);
        for length in [1, 100, MAX_PLAINTEXT_BYTES] {
            let data = vec![7; length];
            let mut tls = vec![0; length + client.overhead()];
            client.seal(&data, &mut tls, 1).unwrap();
            let mut plain = vec![0; server.plaintext_of(tls.len())];
            assert_eq!(plain.len(), length);
            let bytes = tls.len();
            let opened = server.open(bytes, &mut tls, &mut plain, &mut Vec::new());
            assert!(matches!(opened, Ok(Opened::Data(count)) if count == length));
            assert_eq!(plain, data);
        }
    }
}
