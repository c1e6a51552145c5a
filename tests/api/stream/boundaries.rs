//! Transports that stop anywhere: at each byte of a whole connection, and after every few bytes.

use super::wire::{Pace, Speaker, Wire, converse};
use super::{Sides, VERSIONS};

const CLIENT_SAYS: &[u8] = b"a line from the client";
const SERVER_SAYS: &[u8] = b"a somewhat longer line from the server";

/// A whole connection: handshake, a line each way, close_notify each way. Gives the bytes that went each way.
fn connection(sides: &Sides, paces: [Pace; 2], client_says: &[u8], server_says: &[u8]) -> [usize; 2] {
    let (mut server, mut client) = sides.streams();
    let wire = Wire::between(&mut server, &mut client, paces);
    let server = Speaker::new(&mut server, server_says, client_says).listening_first();
    converse(server, Speaker::new(&mut client, client_says, server_says));
    let length = |direction: &std::sync::Mutex<super::wire::Direction>| direction.lock().unwrap().written.len();
    [length(&wire.to_server), length(&wire.to_client)]
}

/// Stops both directions at each byte, for the writer and for the reader of each.
fn stops_at_every_byte(version: &str) {
    let sides = Sides::new(version);
    let lengths = connection(&sides, [Pace::Free; 2], CLIENT_SAYS, SERVER_SAYS);
    let most = lengths.into_iter().max().unwrap();
    assert!(most > 200);
    // A handshake's messages differ by a few bytes from run to run (signatures).
    for stop in 0..most + 8 {
        connection(&sides, [Pace::StopAt(stop); 2], CLIENT_SAYS, SERVER_SAYS);
    }
}

#[test]
fn tls_1_2_connection_survives_a_stop_at_every_byte() {
    stops_at_every_byte("TLSv1.2");
}

#[test]
fn tls_1_3_connection_survives_a_stop_at_every_byte() {
    stops_at_every_byte("TLSv1.3");
}

#[test]
fn connection_survives_any_number_of_bytes_a_call() {
    for version in VERSIONS {
        let sides = Sides::new(version);
        for most in (1..64).chain([100, 255, 256, 1000, 4096, 5000, 16_384, 16_401, 20_000]) {
            connection(&sides, [Pace::Chunks(most); 2], CLIENT_SAYS, SERVER_SAYS);
        }
    }
}

#[test]
fn large_messages_survive_any_number_of_bytes_a_call() {
    let large: Vec<u8> = (0..100_000_u32).map(|number| number as u8).collect();
    for version in VERSIONS {
        let sides = Sides::new(version);
        for most in [1, 2, 3, 5, 7, 1000, 16_384, 16_389, 65_536] {
            connection(&sides, [Pace::Chunks(most), Pace::Free], &large, SERVER_SAYS);
            connection(&sides, [Pace::Free, Pace::Chunks(most)], CLIENT_SAYS, &large);
            connection(&sides, [Pace::Chunks(most); 2], &large, &large);
        }
    }
}
