//! Alerts of the peer: reported with their name and number, for all alerts and at any time.

use brokertls::error::Category;
use brokertls::{Code, Status};

use super::Sides;
use super::wire::{Pace, Wire};

/// Numbers and names of RFC 8446 section 6, and those of RFC 6066, RFC 7301 and RFC 7507 that are still sent.
const NAMED: [(u8, &str); 24] = [
    (10, "unexpected_message"),
    (20, "bad_record_mac"),
    (22, "record_overflow"),
    (40, "handshake_failure"),
    (42, "bad_certificate"),
    (43, "unsupported_certificate"),
    (44, "certificate_revoked"),
    (45, "certificate_expired"),
    (46, "certificate_unknown"),
    (47, "illegal_parameter"),
    (48, "unknown_ca"),
    (49, "access_denied"),
    (50, "decode_error"),
    (51, "decrypt_error"),
    (70, "protocol_version"),
    (71, "insufficient_security"),
    (80, "internal_error"),
    (86, "inappropriate_fallback"),
    (109, "missing_extension"),
    (110, "unsupported_extension"),
    (112, "unrecognized_name"),
    (113, "bad_certificate_status_response"),
    (116, "certificate_required"),
    (120, "no_application_protocol"),
];

/// The error of a client with this alert as the answer to its hello.
fn told(sides: &Sides, number: u8) -> brokertls::Error {
    let (_, mut client) = sides.streams();
    let wire = Wire::of_client(&mut client, Pace::Free);
    assert_eq!(client.handshake().unwrap(), Status::WantRead);
    wire.to_client.lock().unwrap().send(&[21, 3, 3, 0, 2, 2, number]);
    client.handshake().unwrap_err()
}

#[test]
fn every_alert_with_a_name_is_told_with_name_and_number() {
    let sides = Sides::new("TLSv1.3");
    for (number, name) in NAMED {
        let error = told(&sides, number);
        assert_eq!(error.code(), Code::from_received_alert(number), "{error}");
        assert_ne!(error.code(), Code::AlertOther);
        assert!(error.to_string().contains(&format!("{name} ({number})")), "{error}");
    }
}

#[test]
fn alert_without_a_name_is_told_with_its_number() {
    let sides = Sides::new("TLSv1.3");
    for number in [1, 99, 200, 255] {
        let error = told(&sides, number);
        assert_eq!(error.code(), Code::AlertOther, "{error}");
        assert!(error.detail().contains(&number.to_string()), "{error}");
        assert_eq!(error.code().category(), Category::Alert);
    }
}

#[test]
fn alert_after_the_handshake_is_told_as_well_and_ends_the_connection() {
    for (version, client_error) in [("TLSv1.2", Code::DecryptFailed), ("TLSv1.3", Code::DecryptFailed)] {
        let (mut server, mut client, wire) = Sides::new(version).connected();
        // The client is sent a record that it cannot decrypt, and tells the server so.
        wire.to_client.lock().unwrap().send(&[&[23, 3, 3, 0, 40][..], &[0; 40]].concat());
        assert_eq!(client.read(&mut [0; 10]).unwrap_err().code(), client_error);
        let error = server.read(&mut [0; 10]).unwrap_err();
        assert_eq!(error.code(), Code::AlertBadRecordMac, "{version}: {error}");
        assert_eq!(server.write(b"x").unwrap_err().code(), Code::AlertBadRecordMac);
    }
}
