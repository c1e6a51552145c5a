//! Handshake messages that come after the handshake (RFC 8446 section 4.6, RFC 5246 section 7.4.1).

use rustls::{HandshakeType, InvalidMessage};

use crate::error::Result;

use super::fault::{malformed, of_rustls};

/// A key update that asks for none in return (RFC 8446 section 4.6.3).
pub(super) const KEY_UPDATE_NOT_REQUESTED: [u8; 5] = [24, 0, 0, 1, 0];

/// Type and length before each message.
const HEADER_BYTES: usize = 4;

/// Most bytes of a message, as during the handshake.
const MAX_MESSAGE_BYTES: usize = 0xffff;

/// A message that may come after the handshake.
pub(super) enum Message {
    /// The body of a NewSessionTicket.
    Ticket(Vec<u8>),
    KeyUpdate {
        is_requested: bool,
    },
    /// TLS 1.2: a HelloRequest to a client, or a ClientHello to a server.
    Renegotiation,
}

/// The messages of the peer, and the start of the one that is not whole.
pub(super) struct Messages {
    bytes: Vec<u8>,
    /// The messages before it have been given.
    start: usize,
    is_tls13: bool,
    is_client: bool,
}

impl Messages {
    pub(super) fn new(is_tls13: bool, is_client: bool) -> Self {
        Self { bytes: Vec::new(), start: 0, is_tls13, is_client }
    }

    /// Returns true if no part of a message waits for its rest.
    #[inline]
    pub(super) fn is_whole(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Takes the content of a record.
    pub(super) fn append(&mut self, content: &[u8]) {
        self.bytes.drain(..std::mem::take(&mut self.start));
        self.bytes.extend_from_slice(content);
    }

    /// The next whole message, which is removed; none if there is no more. The allocation goes with the last byte.
    ///
    /// # Errors
    /// `UNEXPECTED_MESSAGE` for one that may not come, as soon as its type is known; `MESSAGE_MALFORMED`,
    /// `PEER_MISBEHAVED` or `HANDSHAKE_TOO_LARGE` for one that is wrong.
    pub(super) fn next(&mut self) -> Result<Option<Message>> {
        let bytes = &self.bytes[self.start..];
        let Some(kind) = bytes.first().copied().map(HandshakeType::from) else { return Ok(None) };
        match (kind, self.is_tls13, self.is_client) {
            (HandshakeType::KeyUpdate, true, _)
            | (HandshakeType::NewSessionTicket, true, true)
            | (HandshakeType::HelloRequest, false, true)
            | (HandshakeType::ClientHello, false, false) => {}
            _ => {
                let got_type = kind;
                let error = rustls::Error::InappropriateHandshakeMessage { expect_types: Vec::new(), got_type };
                return Err(of_rustls(error));
            }
        }
        let [_, high, middle, low, ..] = *bytes else { return Ok(None) };
        let length = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        match (kind, length) {
            (HandshakeType::KeyUpdate, 0) => return Err(malformed(InvalidMessage::MissingData("KeyUpdate"))),
            (HandshakeType::KeyUpdate, 2..) => return Err(malformed(InvalidMessage::TrailingData("KeyUpdate"))),
            (HandshakeType::HelloRequest, 1..) => return Err(malformed(InvalidMessage::TrailingData("HelloRequest"))),
            (_, length) if length > MAX_MESSAGE_BYTES => {
                return Err(malformed(InvalidMessage::HandshakePayloadTooLarge));
            }
            _ => {}
        }
        let end = HEADER_BYTES + length;
        let Some(body) = bytes.get(HEADER_BYTES..end) else { return Ok(None) };
        let message = match (kind, body) {
            (HandshakeType::KeyUpdate, [request @ (0 | 1)]) => Message::KeyUpdate { is_requested: *request == 1 },
            (HandshakeType::KeyUpdate, _) => return Err(malformed(InvalidMessage::InvalidKeyUpdate)),
            (HandshakeType::NewSessionTicket, body) => Message::Ticket(body.to_vec()),
            _ => Message::Renegotiation,
        };
        self.start += end;
        if self.start == self.bytes.len() {
            (self.bytes, self.start) = (Vec::new(), 0);
        }
        Ok(Some(message))
    }
}
