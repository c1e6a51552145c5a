//! The five bytes before each record (RFC 8446 section 5.1), and what else may stand there.

use rustls::ContentType;

/// Length of a record's header.
pub(crate) const HEADER_BYTES: usize = 5;

/// Largest record on the wire: header, 16 KiB of plaintext and what encryption may add (RFC 5246 section 6.2.3).
pub const MAX_RECORD_BYTES: usize = HEADER_BYTES + 16 * 1024 + 2048;

/// The type of a record, or of what is encrypted in it (RFC 8446 section 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordType(pub(super) u8);

impl RecordType {
    pub(crate) const ALERT: Self = Self(21);
    pub(super) const HANDSHAKE: Self = Self(22);
    pub(super) const APPLICATION_DATA: Self = Self(23);
}

impl From<RecordType> for ContentType {
    fn from(kind: RecordType) -> Self {
        kind.0.into()
    }
}

/// The content at the start of a buffer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Header {
    /// Not yet a whole record.
    Incomplete,
    /// A whole record of `length` bytes, header included; or the start of one that is longer than any record may be.
    Whole { length: usize, is_application_data: bool },
    /// Something else; says what, in a clause.
    NotTls(String),
}

impl Header {
    /// Looks at the next record. Before the first record, other protocols are recognized by their first bytes.
    pub(crate) fn read(bytes: &[u8], seen_record: bool) -> Self {
        // The whole greeting of a broker that answers a hello like a CONNECT packet: shorter than a header.
        if let ([0x20, 2, _, _], false) = (bytes, seen_record) {
            return Self::NotTls(speaker(bytes).to_owned());
        }
        let Some((header, _)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
            return Self::Incomplete;
        };
        let [kind, major, _, high, low] = *header;
        let is_record = matches!(kind, 20..=23) && major == 3;
        if !seen_record && !is_record {
            return Self::NotTls(speaker(bytes).to_owned());
        }
        let length = HEADER_BYTES + usize::from(u16::from_be_bytes([high, low]));
        match length > MAX_RECORD_BYTES || bytes.len() >= length {
            true => Self::Whole { length, is_application_data: RecordType(kind) == RecordType::APPLICATION_DATA },
            false => Self::Incomplete,
        }
    }
}

/// The bytes that a peer has sent before there is a whole header.
#[derive(Debug, Default)]
pub(crate) struct Beginning {
    bytes: [u8; HEADER_BYTES - 1],
    length: usize,
}

impl Beginning {
    /// Takes the bytes of a header that is not whole.
    pub(crate) fn note(&mut self, bytes: &[u8]) {
        self.length = bytes.len().min(self.bytes.len());
        self.bytes[..self.length].copy_from_slice(&bytes[..self.length]);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Names a peer that leaves after these bytes; none if they may be the begin of a record.
    pub(crate) fn speaker(&self) -> Option<&'static str> {
        match &self.bytes[..self.length] {
            [] | [20..=23] | [20..=23, 3, ..] => None,
            bytes => Some(speaker(bytes)),
        }
    }
}

/// Returns the number of bytes of complete records at the start of `records` that fit into `room`.
pub(crate) fn whole_records(records: &[u8], room: usize) -> usize {
    let mut end = 0;
    while let Some((header, _)) = records[end..].split_first_chunk::<HEADER_BYTES>() {
        let next = end + HEADER_BYTES + usize::from(u16::from_be_bytes([header[3], header[4]]));
        if next > room || next > records.len() {
            break;
        }
        end = next;
    }
    end
}

/// Names a protocol by its first bytes. A name is given only if these bytes leave no other.
fn speaker(bytes: &[u8]) -> &'static str {
    if let Some((_, name)) = TEXTS.iter().find(|(start, _)| bytes.starts_with(start)) {
        return name;
    }
    match bytes {
        [0x10, rest @ ..] if is_mqtt_connect(rest) => "an MQTT CONNECT packet in plain text",
        [0x20, 0x02, _, _, ..] => "an MQTT CONNACK packet in plain text",
        // MQTT 5: the acknowledge flags after the remaining length.
        [0x20, 3..=0x7f, 0 | 1, ..] => "an MQTT CONNACK packet in plain text",
        // MQTT 5: the whole packet is the remaining length and its reason, if there is one.
        [0xe0, length, rest @ ..] if usize::from(*length) == rest.len() => "an MQTT DISCONNECT packet in plain text",
        // SSL 2.0 CLIENT-HELLO: length with the high bit, type 1, version 0.2 or 3.x.
        [0x80..=0xff, _, 1, 0, 2, ..] | [0x80..=0xff, _, 1, 3, 0..=4, ..] => SSL_2,
        [20..=23, 0xfe, 0xfd | 0xff, ..] => "DTLS, which is TLS over UDP",
        [1..=0xff, _, 0, 0, 10] | [1..=0xff, _, 0, 0, 10, b'0'..=b'9', ..] => "MySQL in plain text",
        // The answer to a request for TLS that the caller has made itself.
        [b'S', 20..=23, 3, ..] => "PostgreSQL's answer to a request for TLS; read it before the TLS handshake",
        [0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f, ..] => "a PostgreSQL request for TLS; answer it before the TLS handshake",
        [0, 0, _, _, 0, 3, 0, 0, rest @ ..] => match rest.first_chunk::<5>() {
            Some(b"user\0") => "PostgreSQL in plain text",
            Some(_) => "a Kafka request in plain text",
            None => "a request of Kafka or PostgreSQL in plain text",
        },
        // The settings of both sides come first (RFC 9113 section 3.4), in a frame of stream 0.
        [0, _, _, 4, 0 | 1, 0, 0, 0, 0, ..] => "HTTP/2 (gRPC) in plain text",
        // Length, protocol version 0 and no transaction yet.
        [0, 0, 0, 44 | 45, 0, 0, 0, 0, 0, 0, 0, 0, ..] => "a ZooKeeper request in plain text",
        // Length, kind of frame, and an error or an answer.
        [0, 0, _, _, 0, 0, 0, 0 | 1, b'E' | b'O', ..] => "NSQ in plain text",
        // Two lengths, that of the command the smaller by its own four bytes.
        [0, 0, outer_high, outer, 0, 0, high, inner, ..]
            if u16::from_be_bytes([*high, *inner]).checked_add(4)
                == Some(u16::from_be_bytes([*outer_high, *outer]))
                && (*high, *inner) > (0, 1) =>
        {
            "a Pulsar command in plain text"
        }
        // Length, number of the request below 100, its version; 17 has the same place in both protocols.
        [0, 0, _, _, 0, 17, 0, 1, ..] => "a request of Kafka or of RabbitMQ streams in plain text",
        [0, 0, _, _, 0, 1..100, 0, 0..20, ..] => "a Kafka request in plain text",
        [0xff, 0, 0, 0, 0, 0, 0, 0, _, 0x7f, ..] => "a ZMTP (ZeroMQ) greeting in plain text",
        // Length, kind of command, and its magic.
        [_, _, _, _, 1, magic @ ..] if magic.starts_with(b"Act") => "OpenWire in plain text",
        [0, b'S', b'P', 0, _, ..] => "an SP (nanomsg, nng) header in plain text",
        _ if bytes[..bytes.len().min(16)].iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace()) => {
            "text that is not TLS"
        }
        _ => "bytes that are not TLS",
    }
}

/// The hello that clients sent when they did not know if the server has SSL 3.0.
pub(super) const SSL_2: &str = "an SSL 2.0 hello";

/// Beginnings of texts and their protocols. A longer beginning stands before a shorter one.
const TEXTS: &[(&[u8], &str)] = &[
    (b"GET ", "an HTTP request in plain text"),
    (b"POST ", "an HTTP request in plain text"),
    (b"PUT ", "an HTTP request in plain text"),
    (b"HEAD ", "an HTTP request in plain text"),
    (b"DELET", "an HTTP request in plain text"),
    (b"OPTIO", "an HTTP request in plain text"),
    (b"PATCH", "an HTTP request in plain text"),
    (b"PRI *", "an HTTP/2 preface in plain text"),
    (b"HTTP/", "an HTTP answer in plain text"),
    (b"PROXY", "a PROXY protocol line; read it before the TLS handshake"),
    (b"\r\n\r\n\0", "a PROXY protocol version 2 header; read it before the TLS handshake"),
    (b"AMQP", "AMQP in plain text"),
    (b"CONNECT {", "NATS in plain text"),
    (b"CONNECT\n", "STOMP in plain text"),
    (b"CONNECT\r", "STOMP in plain text"),
    (b"CONNECTED", "STOMP in plain text"),
    (b"CONNECT ", "NATS or an HTTP CONNECT in plain text"),
    (b"CONNE", "STOMP, NATS or an HTTP CONNECT in plain text"),
    (b"STOMP", "STOMP in plain text"),
    (b"SSH-", "SSH"),
    (b"INFO {", "NATS in plain text"),
    (b"INFO ", "NATS or Redis in plain text"),
    (b"220 ", "SMTP or FTP in plain text"),
    (b"220-", "SMTP or FTP in plain text"),
    (b"554 ", "SMTP in plain text"),
    (b"JRMI", "Java RMI (JMX) in plain text"),
    (b"EHLO ", "SMTP in plain text"),
    (b"HELO ", "SMTP in plain text"),
    (b"* OK ", "IMAP in plain text"),
    (b"+OK", "POP3, NATS or Redis in plain text"),
    (b"-NOAU", "Redis in plain text"),
    (b"-ERR", "Redis, NATS or POP3 in plain text"),
    (b"+PONG", "Redis in plain text"),
    (b"*1\r\n$", "Redis in plain text"),
    (b"*2\r\n$", "Redis in plain text"),
    (b"*3\r\n$", "Redis in plain text"),
    (b"ERROR\n", "STOMP in plain text"),
    (b"ERROR", "STOMP or memcached in plain text"),
    (b"RECEI", "STOMP in plain text"),
    (b"PING\r", "NATS or Redis in plain text"),
];

/// Returns true if the remaining length, of up to four bytes, and then the protocol's name follow, as far as they are
/// there.
fn is_mqtt_connect(bytes: &[u8]) -> bool {
    const NAMES: [&[u8]; 2] = [b"\0\x04MQTT", b"\0\x06MQIsdp"];
    let Some(last) = bytes.iter().take(4).position(|byte| byte & 0x80 == 0) else { return false };
    let name = bytes.get(last + 1..).unwrap_or_default();
    !name.is_empty() && NAMES.iter().any(|known| name.iter().zip(*known).all(|(byte, known)| byte == known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_of_other_protocols_are_named() {
        let named: &[(&[u8], &str)] = &[
            (b"GET / HTTP/1.1\r\n", "an HTTP request in plain text"),
            (b"PROXY TCP4 1.2.3.4", "a PROXY protocol line; read it before the TLS handshake"),
            (b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00", "an MQTT CONNECT packet in plain text"),
            (b"\x10\x90\x01\x00\x04MQTT", "an MQTT CONNECT packet in plain text"),
            (b"AMQP\x00\x00\x09\x01", "AMQP in plain text"),
            (b"\x80\x2e\x01\x03\x01", SSL_2),
            (b"\x80\x2e\x01\x00\x02", SSL_2),
            (b"\x16\xfe\xfd\0\0\0\0\0\0\0\0", "DTLS, which is TLS over UDP"),
            (b"\x00SP\x00\x00\x10\x00\x00", "an SP (nanomsg, nng) header in plain text"),
            (b"AMQP\x00\x01\x00\x00", "AMQP in plain text"),
            (b"CONNECTED\nversion:1.2\n", "STOMP in plain text"),
            (b"CONNECT\naccept-version:1.2\n", "STOMP in plain text"),
            (b"CONNECT {\"verbose\":false}", "NATS in plain text"),
            (b"CONNECT broker.example:8883 HTTP/1.1", "NATS or an HTTP CONNECT in plain text"),
            (b"CONNE", "STOMP, NATS or an HTTP CONNECT in plain text"),
            (b"220-mx.example ESMTP", "SMTP or FTP in plain text"),
            (b"\x20\x03\x00\x84\x00", "an MQTT CONNACK packet in plain text"),
            (b"\x00\x00\x00\x0f\x00\x00\x00\x01E_INVALID", "NSQ in plain text"),
            (b"\x00\x00\x00\x20\x00\x11\x00\x01\x00\x00", "a request of Kafka or of RabbitMQ streams in plain text"),
            (b"\x00\x00\x00\x1b\x00\x00\x00\x17\x08\x02", "a Pulsar command in plain text"),
            (b"\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f", "a ZMTP (ZeroMQ) greeting in plain text"),
            (b"JRMI\x00\x02K", "Java RMI (JMX) in plain text"),
            (b"ERROR\nmessage:", "STOMP in plain text"),
            (b"HTTP/1.1 400 Bad Request", "an HTTP answer in plain text"),
            (b"-NOAUTH Authentication required.", "Redis in plain text"),
            (b"*1\r\n$4\r\nPING\r\n", "Redis in plain text"),
            (b"\x20\x02\x00\x01", "an MQTT CONNACK packet in plain text"),
            (b"\x00\x00\x00\x1e\x00\x12\x00\x03\x00\x00", "a Kafka request in plain text"),
            (b"\x4a\x00\x00\x00\x0a8.0.36", "MySQL in plain text"),
            (b"ERROR\r\n", "STOMP or memcached in plain text"),
            (b"INFO {\"server_id\":\"x\"}", "NATS in plain text"),
            (b"INFO server\r\n", "NATS or Redis in plain text"),
            (b"S\x16\x03\x03\0\x7a", "PostgreSQL's answer to a request for TLS; read it before the TLS handshake"),
            (b"\0\0\0\x08\x04\xd2\x16\x2f", "a PostgreSQL request for TLS; answer it before the TLS handshake"),
            (b"\0\0\0\x29\0\x03\0\0user\0x\0", "PostgreSQL in plain text"),
            (b"\0\0\0\x29\0\x03\0\0", "a request of Kafka or PostgreSQL in plain text"),
            (b"\0\0\0\x29\0\x03\0\0\0\0\0\x01\0\x07", "a Kafka request in plain text"),
            (b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0", "HTTP/2 (gRPC) in plain text"),
            (b"\0\0\0\x2d\0\0\0\0\0\0\0\0\0\0", "a ZooKeeper request in plain text"),
            (b"\0\0\x01\x3a\x01ActiveMQ\0", "OpenWire in plain text"),
            (b"hello world", "text that is not TLS"),
            (b"\xff\xfe\xfd\xfc\xfb", "bytes that are not TLS"),
        ];
        for (bytes, name) in named {
            assert_eq!(Header::read(bytes, false), Header::NotTls((*name).to_owned()), "{bytes:?}");
        }
    }

    #[test]
    fn first_bytes_that_fit_several_protocols_name_none_of_them() {
        let unnamed: [&[u8]; 9] = [
            b"\x10\0\0\0\0",
            b"\x10\x0c\0\x05OTHER",
            b"\x10\xff\xff\xff\xff\xff",
            b"\x80\x2e\x01\x05\x05",
            b"\0\0\0\x04\x01",
            b"\0\0\0\x20\x01\0\0\0",
            b"\0\0\0\x04\0\0\0\0\x01",
            b"\0\0\0\0\x0a",
            b"\x16\x02\0\0\x05",
        ];
        for bytes in unnamed {
            let expected = Header::NotTls("bytes that are not TLS".to_owned());
            assert_eq!(Header::read(bytes, false), expected, "{bytes:?}");
        }
    }

    fn begins(bytes: &[u8]) -> Option<&'static str> {
        let mut beginning = Beginning::default();
        beginning.note(bytes);
        beginning.speaker()
    }

    #[test]
    fn fewer_bytes_than_a_header_are_named_unless_a_record_may_begin_so() {
        for bytes in [&b""[..], b"\x16", b"\x16\x03", b"\x16\x03\x01", b"\x15\x03\x03\0", b"\x17"] {
            assert_eq!(begins(bytes), None, "{bytes:?}");
            assert_eq!(Header::read(bytes, false), Header::Incomplete, "{bytes:?}");
        }
        let named: [(&[u8], &str); 10] = [
            (b"\xe0\0", "an MQTT DISCONNECT packet in plain text"),
            (b"\xe0\x01\x82", "an MQTT DISCONNECT packet in plain text"),
            (b"\xe0\x02\x82\0", "an MQTT DISCONNECT packet in plain text"),
            (b"\xe0\x02\x82", "bytes that are not TLS"),
            (b"\x20", "text that is not TLS"),
            (b"N", "text that is not TLS"),
            (b"+OK", "POP3, NATS or Redis in plain text"),
            (b"AMQP", "AMQP in plain text"),
            (b"\0", "bytes that are not TLS"),
            (b"\x16\x02", "bytes that are not TLS"),
        ];
        for (bytes, name) in named {
            assert_eq!(begins(bytes), Some(name), "{bytes:?}");
        }
    }

    #[test]
    fn record_is_whole_only_with_its_last_byte() {
        let record = [22, 3, 1, 0, 3, 1, 2, 3];
        for end in 0..record.len() {
            assert_eq!(Header::read(&record[..end], false), Header::Incomplete, "{end}");
        }
        assert_eq!(Header::read(&record, false), Header::Whole { length: 8, is_application_data: false });
    }

    #[test]
    fn whole_records_stop_at_the_room_and_at_the_last_whole_one() {
        let records = [22, 3, 3, 0, 1, 9, 23, 3, 3, 0, 2, 9, 9, 22, 3];
        assert_eq!(whole_records(&records, usize::MAX), 13);
        assert_eq!(whole_records(&records, 12), 6);
        assert_eq!(whole_records(&records, 5), 0);
    }
}
