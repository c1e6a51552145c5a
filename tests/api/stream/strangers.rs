//! Peers that do not speak TLS: named by their protocol, at any split of their bytes.

use brokertls::{Code, Status};

use super::Sides;
use super::wire::{Pace, Wire};

/// First bytes that a server may receive, and its name for each protocol.
const TO_SERVER: &[(&[u8], &str)] = &[
    (b"GET / HTTP/1.1\r\nHost: broker\r\n\r\n", "HTTP request"),
    (b"OPTIONS * HTTP/1.1\r\n\r\n", "HTTP request"),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/2"),
    (b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n", "PROXY protocol line"),
    (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c", "PROXY protocol version 2"),
    (b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00", "MQTT CONNECT"),
    (b"\x10\x80\x01\x00\x04MQTT\x05\x02\x00\x3c", "MQTT CONNECT"),
    (b"AMQP\x00\x00\x09\x01", "AMQP"),
    (b"CONNECT\naccept-version:1.2\n\n\0", "STOMP"),
    (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH"),
    (b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10", "SSL 2.0"),
    (b"hello, is anybody there?", "text"),
    (b"\xde\xad\xbe\xef\xde\xad\xbe\xef", "bytes that are not TLS"),
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
        for (bytes, name) in TO_SERVER {
            let (mut server, _) = Sides::new("TLSv1.3").streams();
            let wire = Wire::of_server(&mut server, pace);
            wire.to_server.lock().unwrap().send(bytes);
            let error = (0..100).find_map(|_| server.handshake().err()).unwrap();
            assert_eq!(error.code(), Code::PeerNotTls, "{pace:?} {name}");
            assert!(error.detail().contains(name), "{name}: {error}");
            // A PROXY header has a hint of its own, which does not speak of the client.
            let hint = if name.starts_with("PROXY") { "PROXY" } else { "turn TLS on in the client" };
            assert!(error.hint().contains(hint), "{}", error.hint());
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
