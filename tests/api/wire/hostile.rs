//! Peers that send what no peer should: altered flights, odd records, floods. No panic, a code for each, bounded
//! memory.

use brokertls::{ClientAuth, Code, Connection, ConnectionSettings, Context, MAX_RECORD_BYTES, Next};

use crate::rig::pair::{Authority, Pair, context};

/// Altered flights for each side; each is one handshake.
const ALTERED: usize = 3_000;

/// xorshift64*: the same sequence on every machine.
pub(crate) struct Sequence(pub(crate) u64);

impl Sequence {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}

fn contexts() -> (Context, Context) {
    let authority = Authority::new("ca");
    let server = context(|builder| {
        builder.identity(authority.identity(&["broker"])).trust(authority.trust()).client_auth(ClientAuth::Need)
    });
    let client = context(|builder| builder.identity(authority.identity(&["device"])).trust(authority.trust()));
    (server, client)
}

/// All pending records of a side.
fn flight(from: &mut Connection) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut wire = vec![0; MAX_RECORD_BYTES];
    while let Ok(sent) = from.wrap(&[], &mut wire) {
        if sent.produced == 0 {
            break;
        }
        bytes.extend_from_slice(&wire[..sent.produced]);
    }
    bytes
}

/// Feeds bytes until they are used up, wait for more, or are refused.
fn feed(to: &mut Connection, mut bytes: &mut [u8]) -> Result<(), brokertls::Error> {
    let mut plain = vec![0; MAX_RECORD_BYTES];
    loop {
        let taken = to.unwrap(bytes, &mut plain)?;
        bytes = &mut bytes[taken.consumed..];
        if taken.consumed == 0 || taken.next == Next::Closed {
            return Ok(());
        }
    }
}

/// Changes bytes, cuts, doubles or inserts; somewhere, and up to four times.
fn alter(bytes: &mut Vec<u8>, sequence: &mut Sequence) {
    for _ in 0..=sequence.below(4) {
        let place = sequence.below(bytes.len());
        match sequence.below(6) {
            0 => bytes.truncate(place),
            1 => bytes.insert(place, sequence.next() as u8),
            2 => drop(bytes.drain(place..(place + 1 + sequence.below(40)).min(bytes.len()))),
            3 => bytes.extend_from_within(place..),
            _ => {
                if let Some(byte) = bytes.get_mut(place) {
                    *byte ^= sequence.next() as u8 | 1;
                }
            }
        }
    }
}

#[test]
fn altered_flights_are_refused_with_a_code_or_wait_for_more() {
    let (server, client) = contexts();
    let mut sequence = Sequence(0x5eed);
    let mut refused = 0;
    for round in 0..ALTERED {
        let mut pair = Pair::new(&server, &client, "broker");
        let mut to_server = flight(&mut pair.client);
        if round % 3 == 0 {
            alter(&mut to_server, &mut sequence);
        }
        let mut outcome = feed(&mut pair.server, &mut to_server);
        let mut to_client = flight(&mut pair.server);
        if round % 3 == 1 {
            alter(&mut to_client, &mut sequence);
        }
        outcome = outcome.and_then(|()| feed(&mut pair.client, &mut to_client));
        let mut to_server = flight(&mut pair.client);
        if round % 3 == 2 {
            alter(&mut to_server, &mut sequence);
        }
        outcome = outcome.and_then(|()| feed(&mut pair.server, &mut to_server));
        if let Err(error) = outcome {
            refused += 1;
            assert!((300..1256).contains(&error.code().number()), "round {round}: {error}");
            assert_ne!(error.code(), Code::Internal, "round {round}: {error}");
        }
    }
    // Most alterations break something; a test that alters nothing would refuse nothing.
    assert!(refused > ALTERED / 2, "{refused}");
}

#[test]
fn connection_keeps_the_error_that_ended_it() {
    let (server, client) = contexts();
    let mut pair = Pair::connect(&server, &client, "broker");
    let mut record = vec![23, 3, 3, 0, 32];
    record.extend([7; 32]);
    let error = feed(&mut pair.server, &mut record.clone()).unwrap_err();
    assert_eq!(error.code(), Code::DecryptFailed);
    assert!(!flight(&mut pair.server).is_empty(), "the alert for the peer");
    assert_eq!(feed(&mut pair.server, &mut record).unwrap_err().code(), Code::DecryptFailed);
    assert_eq!(pair.server.wrap(b"data", &mut vec![0; MAX_RECORD_BYTES]).unwrap_err().code(), Code::DecryptFailed);
    assert_eq!(pair.server.close_write().unwrap_err().code(), Code::DecryptFailed);
}

#[test]
fn record_longer_than_the_protocol_allows_is_refused_from_its_header() {
    let (server, client) = contexts();
    let mut fresh = server.accept().unwrap();
    assert_eq!(feed(&mut fresh, &mut [22, 3, 1, 0xff, 0xff]).unwrap_err().code(), Code::RecordTooLarge);
    let mut pair = Pair::connect(&server, &client, "broker");
    let error = feed(&mut pair.server, &mut [23, 3, 3, 0xff, 0xff]).unwrap_err();
    assert_eq!(error.code(), Code::RecordTooLarge);
}

#[test]
fn endless_handshake_message_in_tiny_records_is_cut_off() {
    let (server, _) = contexts();
    let mut fresh = server.accept().unwrap();
    // A ClientHello that says it has 16 MiB, a byte a record.
    let start = [1, 0xff, 0xff, 0xff];
    let mut outcome = Ok(());
    let mut fed = 0_usize;
    for byte in start.into_iter().chain(std::iter::repeat(0)).take(1 << 20) {
        outcome = feed(&mut fresh, &mut [22, 3, 1, 0, 1, byte]);
        fed += 6;
        if outcome.is_err() {
            break;
        }
    }
    assert_eq!(outcome.unwrap_err().code(), Code::HandshakeTooLarge);
    assert!(fed <= 256 * 1024 + 6, "{fed} bytes were kept");
}

#[test]
fn client_hello_in_records_of_one_byte_is_served() {
    let (server, client) = contexts();
    let mut pair = Pair::new(&server, &client, "broker");
    let hello = flight(&mut pair.client);
    for byte in &hello[5..] {
        feed(&mut pair.server, &mut [22, 3, 1, 0, 1, *byte]).unwrap();
    }
    let ended = pair.run();
    ended.server.unwrap();
    ended.client.unwrap();
    assert_eq!(pair.server.peer_chain().len(), 1);
}

#[test]
fn flood_of_empty_records_ends_the_connection() {
    let (server, _) = contexts();
    let mut fresh = server.accept().unwrap();
    let outcome = (0..100_000).try_for_each(|_| feed(&mut fresh, &mut [22, 3, 1, 0, 0]));
    assert_eq!(outcome.unwrap_err().code(), Code::UnexpectedMessage);
}

/// A record of TLS 1.2 with this content.
fn record(kind: u8, content: &[u8]) -> Vec<u8> {
    [&[kind, 3, 3][..], &(content.len() as u16).to_be_bytes(), content].concat()
}

/// A ServerHelloDone, which no side may send first.
const HELLO_DONE: [u8; 4] = [14, 0, 0, 0];

#[test]
fn fault_with_handshake_bytes_before_or_behind_it_is_told_by_its_alert() {
    let (server, client) = contexts();
    let hello = flight(&mut client.connect(Some("broker")).unwrap());
    let part_of_hello = record(22, &hello[5..105]);
    let odd_type = record(99, b"x");
    let two_bad = record(22, &HELLO_DONE.repeat(2));
    let oversized = [&[22, 3, 3, 0xff, 0xff][..], &[0; 20]].concat();
    let part_of_answer = record(22, &[2, 0, 1, 0]);
    let to_server = [
        (vec![part_of_hello.clone(), odd_type.clone()], Code::UnexpectedMessage),
        (vec![record(22, &[&hello[5..], &[11, 0]].concat())], Code::UnexpectedMessage),
        (vec![two_bad.clone()], Code::UnexpectedMessage),
        (vec![part_of_hello, oversized.clone()], Code::RecordTooLarge),
    ];
    let to_client = [
        (vec![two_bad], Code::UnexpectedMessage),
        (vec![record(22, &[&HELLO_DONE[..], &[2, 0]].concat())], Code::UnexpectedMessage),
        (vec![part_of_answer.clone(), odd_type], Code::UnexpectedMessage),
        (vec![part_of_answer, oversized], Code::RecordTooLarge),
    ];
    let cases = to_server.into_iter().map(|case| (true, case)).chain(to_client.into_iter().map(|case| (false, case)));
    for (is_server, (records, code)) in cases {
        for uses_tasks in [false, true] {
            let settings = ConnectionSettings { uses_tasks, ..ConnectionSettings::default() };
            let mut side = match is_server {
                true => server.accept_with(&settings).unwrap(),
                false => client.connect_with(Some("broker"), &settings).unwrap(),
            };
            while flight(&mut side).is_empty() && !is_server {
                side.run_task();
            }
            for mut bytes in records.clone() {
                let _ = feed(&mut side, &mut bytes);
                side.run_task();
            }
            let name = format!("server {is_server}, tasks {uses_tasks}, {records:?}");
            assert_eq!(side.failure().map(brokertls::Error::code), Some(code), "{name}");
            let alert = code.alert_in(None).unwrap();
            assert_eq!(flight(&mut side), record(21, &[2, alert]), "{name}");
        }
    }
}
