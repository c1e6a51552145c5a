//! Peers that do not speak TLS: named by their protocol, at any split of their bytes.

use brokertls::{Code, Status};

use super::Sides;
use super::wire::{Pace, Wire};

const PLAIN: &str = "The client speaks without TLS";

/// First bytes that a server may receive, its name for each protocol, and the begin of its hint.
const TO_SERVER: &[(&[u8], &str, &str)] = &[
    (b"GET / HTTP/1.1\r\nHost: broker\r\n\r\n", "HTTP request", PLAIN),
    (b"OPTIONS * HTTP/1.1\r\n\r\n", "HTTP request", PLAIN),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/2", PLAIN),
    (
        b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n",
        "PROXY protocol line",
        "A load balancer sends the PROXY protocol",
    ),
    (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c", "PROXY protocol version 2", "A load balancer sends the PROXY protocol"),
    (b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00", "MQTT CONNECT", PLAIN),
    (b"\x10\x80\x01\x00\x04MQTT\x05\x02\x00\x3c", "MQTT CONNECT", PLAIN),
    (b"AMQP\x00\x00\x09\x01", "AMQP", PLAIN),
    (b"CONNECT\naccept-version:1.2\n\n\0", "STOMP", PLAIN),
    (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH", PLAIN),
    (b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10", "SSL 2.0", "Turn the SSL 2.0 hello off"),
    (b"\x16\xfe\xff\0\0\0\0\0\0\0\0\0\x10", "DTLS", "Let the peer use TLS over TCP"),
    (b"hello, is anybody there?", "text", PLAIN),
    (b"\xde\xad\xbe\xef\xde\xad\xbe\xef", "bytes that are not TLS", PLAIN),
];

/// First bytes that a client may receive, and its name for each protocol.
const TO_CLIENT: &[(&[u8], &str)] = &[
    (b"HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP answer"),
    (b"\x20\x02\x00\x00\x30\x00", "MQTT CONNACK"),
    (b"AMQP\x00\x00\x09\x01", "AMQP"),
    (b"220 mail.example.com ESMTP\r\n", "SMTP or FTP"),
    (b"INFO {\"server_id\":\"x\"}\r\n", "NATS"),
];

#[test]
fn server_names_a_peer_that_speaks_in_plain_text_and_answers_with_an_alert() {
    for pace in [Pace::Free, Pace::Chunks(1), Pace::Chunks(3)] {
        for (bytes, name, hint) in TO_SERVER {
            let (mut server, _) = Sides::new("TLSv1.3").streams();
            let wire = Wire::of_server(&mut server, pace);
            wire.to_server.lock().unwrap().send(bytes);
            let error = (0..100).find_map(|_| server.handshake().err()).unwrap();
            assert_eq!(error.code(), Code::PeerNotTls, "{pace:?} {name}");
            assert!(error.detail().contains(name), "{name}: {error}");
            assert!(error.hint().starts_with(hint), "{name}: {}", error.hint());
            // The transport may not take all of the answer at once.
            (0..100).for_each(|_| drop(server.handshake()));
            let answer = wire.to_client.lock().unwrap().take();
            // An alert in plain text, which a TLS client that was cut short could still read.
            assert!(matches!(answer[..], [21, 3, 1..=3, 0, 2, 2, _]), "{pace:?} {name}: {answer:?}");
            assert_eq!(server.read(&mut [0; 9]).unwrap_err().code(), Code::PeerNotTls, "and again");
        }
    }
}

#[test]
fn client_names_a_server_that_answers_in_plain_text() {
    for pace in [Pace::Free, Pace::Chunks(1), Pace::Chunks(3)] {
        for (bytes, name) in TO_CLIENT {
            let (_, mut client) = Sides::new("TLSv1.3").streams();
            let wire = Wire::of_client(&mut client, pace);
            wire.to_client.lock().unwrap().send(bytes);
            let error = (0..10_000).find_map(|_| client.handshake().err()).unwrap();
            assert_eq!(error.code(), Code::PeerNotTls, "{pace:?} {name}");
            assert!(error.detail().contains(name), "{name}: {error}");
        }
    }
}

#[test]
fn peer_that_leaves_after_fewer_bytes_than_a_header_is_told_by_them() {
    let not_tls =
        [(&b"\xe0\x02\x82\0"[..], "MQTT DISCONNECT"), (b"N", "text that is not TLS"), (b"\0\0", "bytes that are")];
    for (bytes, name) in not_tls {
        for is_server in [true, false] {
            let error = end_after(bytes, is_server);
            assert_eq!(error.code(), Code::PeerNotTls, "{error}");
            assert!(error.detail().contains(name), "{error}");
        }
    }
    for bytes in [&b"\x16"[..], b"\x16\x03\x01", b"\x15\x03\x03\0"] {
        for is_server in [true, false] {
            let error = end_after(bytes, is_server);
            assert_eq!(error.code(), Code::HandshakeEof, "{error}");
            assert!(error.hint().starts_with("The peer left after the first bytes"), "{}", error.hint());
        }
    }
    for (is_server, hint) in [(true, "The client left before it was answered"), (false, "The server left without an")] {
        let error = end_after(b"", is_server);
        assert_eq!(error.code(), Code::HandshakeEof, "{error}");
        assert!(error.hint().starts_with(hint), "{}", error.hint());
    }
}

/// The error of a side that gets these bytes, one at a time, and then the end.
fn end_after(bytes: &[u8], is_server: bool) -> brokertls::Error {
    let sides = Sides::new("TLSv1.3");
    let mut connection = match is_server {
        true => sides.server.accept().unwrap(),
        false => sides.client.connect(Some("broker")).unwrap(),
    };
    for end in 0..=bytes.len() {
        assert_eq!(connection.unwrap(&mut bytes[..end].to_vec(), &mut []).unwrap().consumed, 0);
    }
    connection.end_of_input().unwrap_err()
}

#[test]
fn hello_is_awaited_where_the_first_bytes_could_be_one() {
    let (mut server, _) = Sides::new("TLSv1.3").streams();
    let wire = Wire::of_server(&mut server, Pace::Free);
    for byte in [22, 3, 1, 2] {
        wire.to_server.lock().unwrap().send(&[byte]);
        assert_eq!(server.handshake().unwrap(), Status::WantRead);
    }
}

#[test]
fn proxy_line_that_was_read_before_does_not_disturb_the_handshake() {
    let (mut server, mut client) = Sides::new("TLSv1.3").streams();
    let wire = Wire::between(&mut server, &mut client, [Pace::Free; 2]);
    let line = b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n";
    wire.to_server.lock().unwrap().send(line);
    assert_eq!(client.handshake().unwrap(), Status::WantRead);
    // The broker takes the line from the transport itself.
    let sent = wire.to_server.lock().unwrap().take();
    wire.to_server.lock().unwrap().send(sent.strip_prefix(line).unwrap());
    super::shake_hands(&mut server, &mut client);
}

#[test]
fn first_bytes_of_old_versions_are_refused_as_no_common_version() {
    // A hello of TLS 1.0, from before supported_versions: what a client of 2005 sends.
    let mut hello = vec![22, 3, 1, 0, 45, 1, 0, 0, 41, 3, 1];
    hello.extend([7; 32]);
    hello.extend([0, 0, 2, 0, 0x2f, 1, 0]);
    let (mut server, _) = Sides::new("TLSv1.3").streams();
    let wire = Wire::of_server(&mut server, Pace::Free);
    wire.to_server.lock().unwrap().send(&hello);
    let error = server.handshake().unwrap_err();
    assert_eq!(error.code(), Code::NoCommonVersion, "{error}");
    assert_eq!(wire.to_client.lock().unwrap().take()[6], 70, "protocol_version");
}
