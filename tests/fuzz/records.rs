//! Records after a real handshake: altered ones, and any content that is sealed with the true keys.

use brokertls::error::Category;
use brokertls::{Code, MAX_RECORD_BYTES};

use super::mutation::{Random, mutate};
use super::records_api::keys::Header;
use super::records_api::scene::{ALERT, DATA, HANDSHAKE, KEY_UPDATE, KEY_UPDATE_REQUEST, Scene, Side, TLS12, TLS13};

/// Batches of records, unless the environment asks for more.
const BATCHES: usize = 8000;

/// The start of a ticket, a HelloRequest, a Finished message and a ClientHello.
const TICKET: &[u8] = &[4, 0, 0, 19, 0, 0, 28, 32, 1, 2, 3, 4, 1, 0, 0, 4, 5, 6, 7, 8, 0, 0, 0];
const MESSAGES: &[&[u8]] =
    &[&KEY_UPDATE, &KEY_UPDATE_REQUEST, TICKET, &[0, 0, 0, 0], &[20, 0, 0, 2, 7, 7], &[1, 0, 0, 1, 3]];

/// A batch of records, and the data that it holds if all of it is taken.
#[derive(Default)]
struct Batch {
    records: Vec<u8>,
    data: Vec<u8>,
}

fn scene(random: &mut Random) -> Scene {
    let suites = [TLS13, TLS12].concat();
    let (version, suite) = suites[random.below(suites.len())];
    let side = if random.below(2) == 0 { Side::Server } else { Side::Client };
    Scene::new(side, version, suite)
}

/// Adds handshake messages, altered or not, cut into records anywhere.
fn add_messages(batch: &mut Batch, scene: &mut Scene, random: &mut Random) {
    let mut bytes = Vec::new();
    for _ in 0..=random.below(3) {
        bytes.extend_from_slice(MESSAGES[random.below(MESSAGES.len())]);
    }
    if random.below(2) == 0 {
        bytes = mutate(&bytes, random);
    }
    while !bytes.is_empty() {
        let cut = if random.below(3) == 0 { 1 + random.below(bytes.len()) } else { bytes.len() };
        let part: Vec<u8> = bytes.drain(..cut).collect();
        batch.records.extend(scene.write.seal(HANDSHAKE, &part));
        if part == KEY_UPDATE || part == KEY_UPDATE_REQUEST {
            update(scene);
        }
    }
}

fn update(scene: &mut Scene) {
    if scene.is_tls13() {
        scene.write.update();
    }
}

/// Adds one more to the batch: mostly what is allowed, so that what follows is read too.
fn add(batch: &mut Batch, scene: &mut Scene, random: &mut Random) {
    let most = [4, 100, 20_000][random.below(3)];
    let content: Vec<u8> = (0..random.below(most)).map(|_| random.next() as u8).collect();
    match random.below(24) {
        0 => {
            let alert = [random.below(4) as u8, random.next() as u8];
            batch.records.extend(scene.write.seal(ALERT, &alert[..random.below(3)]));
        }
        1 => {
            let kind = random.next() as u8;
            if kind != DATA {
                batch.records.extend(scene.write.seal(kind, &content[..content.len().min(16_384)]));
            }
        }
        2 => {
            let mut header = Header::of(if random.below(2) == 0 && scene.is_tls13() { DATA } else { 24 });
            header.version = [3, 3 + random.below(2) as u8];
            header.length = (random.below(2) == 0).then(|| random.next() as u16);
            let inner = [&content[..], &[99], &vec![0; random.below(3)]].concat();
            batch.records.extend(scene.write.seal_inner(header, &inner));
        }
        3 => {
            let content = &content[..content.len().min(16_384)];
            let record = scene.write.seal(DATA, content);
            let altered = mutate(&record, random);
            if altered.starts_with(&record) {
                batch.data.extend_from_slice(content);
            }
            batch.records.extend(altered);
        }
        4 => batch.records.extend(content),
        5..=8 => add_messages(batch, scene, random),
        9..=11 if scene.is_tls13() => {
            let request = random.below(2) as u8;
            batch.records.extend(scene.write.seal(HANDSHAKE, &[24, 0, 0, 1, request]));
            update(scene);
        }
        12..=14 if scene.is_tls13() && content.len() < 16_000 => {
            batch.records.extend(scene.write.seal_padded(DATA, &content, random.below(384)));
            batch.data.extend(content);
        }
        _ => {
            let content = &content[..content.len().min(16_384)];
            batch.records.extend(scene.write.seal(DATA, content));
            batch.data.extend_from_slice(content);
        }
    }
}

/// Gives our side a batch, in pieces and rooms of any size. Returns the data and the code that ended the connection.
fn give(scene: &mut Scene, mut input: Vec<u8>, random: &mut Random) -> (Vec<u8>, Option<Code>) {
    let (mut received, mut shown) = (Vec::new(), 0);
    let mut room = MAX_RECORD_BYTES;
    loop {
        shown = (shown + random.below(input.len() + 1000)).min(input.len());
        let is_all = shown == input.len();
        let mut plain = vec![0; room];
        let taken = match random.below(2) {
            0 => scene.ours.unwrap(&mut input[..shown], &mut plain),
            _ => scene.ours.unwrap_records(&mut input[..shown], &mut plain),
        };
        let taken = match taken {
            Ok(taken) => taken,
            Err(error) => {
                assert_ne!(error.code(), Code::Internal, "{}: {error}", scene.name);
                assert!(matches!(error.code().category(), Category::Protocol | Category::Alert), "{error}");
                return (received, Some(error.code()));
            }
        };
        received.extend_from_slice(&plain[..taken.produced]);
        input.drain(..taken.consumed);
        shown -= taken.consumed;
        let was_small =
            std::mem::replace(&mut room, if random.below(2) == 0 { MAX_RECORD_BYTES } else { random.below(200) });
        if let brokertls::Next::DestinationTooSmall(needed) = taken.next {
            assert!(needed > was_small, "{}: {needed} for {was_small}", scene.name);
            room = needed;
        } else if taken.consumed == 0 && is_all {
            return (received, None);
        }
    }
}

#[test]
fn any_records_after_a_handshake_are_read_or_refused_without_a_panic() {
    let mut random = Random(0x005e_ed0f_7ec0_2d50);
    let mut current = scene(&mut random);
    let (mut bytes, mut refused) = (0, 0);
    let batches = std::env::var("BTLS_BATCHES").map_or(BATCHES, |number| number.parse().unwrap());
    for round in 0..batches {
        let mut batch = Batch::default();
        for _ in 0..=random.below(5) {
            add(&mut batch, &mut current, &mut random);
        }
        let (received, code) = give(&mut current, batch.records, &mut random);
        // Nothing but what the peer has sent, in its order.
        let is_start = batch.data.starts_with(&received);
        assert!(is_start, "round {round}: {}: {} of {} bytes", current.name, received.len(), batch.data.len());
        bytes += received.len();
        // Each answer opens with the true keys; an alert ends them.
        let sent = current.sent();
        assert!(sent.len() <= 40, "round {round}: {} answers", sent.len());
        let alert = code.and_then(|code| code.alert_in(Some(if current.is_tls13() { "TLSv1.3" } else { "TLSv1.2" })));
        if let Some(alert) = alert {
            assert_eq!(sent.last(), Some(&(ALERT, vec![2, alert])), "round {round}: {code:?}");
        }
        refused += usize::from(code.is_some());
        if code.is_some() || current.ours.is_peer_closed() {
            current = scene(&mut random);
            continue;
        }
        // It still sends.
        let mut record = vec![0; 200];
        let moved = current.ours.wrap(b"to the peer", &mut record).unwrap();
        let opened = current.opened(&record[..moved.produced]);
        assert_eq!(opened.last(), Some(&(DATA, b"to the peer".to_vec())), "round {round}");
    }
    // It is no test of refusals alone, nor of good records alone.
    assert!(bytes > 500 * batches && refused > batches / 10, "{bytes} bytes, {refused} refused");
}
