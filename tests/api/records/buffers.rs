//! Buffers of the caller: input that is cut anywhere, and destinations of any size.

use brokertls::{Code, MAX_PLAINTEXT_BYTES, MAX_RECORD_BYTES, Next, Status, Stream};

use super::scene::{ALERT, DATA, HANDSHAKE, KEY_UPDATE, Scene, TLS12, TLS13, UNTOUCHED, everywhere};

/// Takes what there is of whole records from the front of the input.
fn take(scene: &mut Scene, input: &mut Vec<u8>, plain: &mut Vec<u8>) {
    let mut room = vec![0; MAX_RECORD_BYTES];
    loop {
        let taken = scene.ours.unwrap(input, &mut room).unwrap();
        plain.extend_from_slice(&room[..taken.produced]);
        input.drain(..taken.consumed);
        if taken.consumed == 0 {
            assert_eq!(taken.next, Next::NeedRecord, "{}", scene.name);
            return;
        }
    }
}

#[test]
fn records_that_are_cut_at_any_byte_are_taken_when_they_are_whole() {
    everywhere(&[TLS13, TLS12], |mut scene| {
        let parts: [&[u8]; 3] = [&[1; 60], &[2], &[3; 100]];
        let length: usize = parts.iter().map(|part| part.len() + scene.write.overhead()).sum();
        for cut in 0..=length {
            let records: Vec<u8> = parts.iter().flat_map(|part| scene.write.seal(DATA, part)).collect();
            let (mut input, mut plain) = (records[..cut].to_vec(), Vec::new());
            take(&mut scene, &mut input, &mut plain);
            input.extend_from_slice(&records[cut..]);
            take(&mut scene, &mut input, &mut plain);
            assert_eq!(plain, parts.concat(), "{}: {cut}", scene.name);
            assert!(input.is_empty(), "{}: {cut}", scene.name);
        }
    });
}

#[test]
fn records_that_come_byte_by_byte_are_taken_with_their_last() {
    everywhere(&[TLS13, TLS12], |mut scene| {
        let mut records = scene.write.seal(DATA, b"first");
        if scene.is_tls13() {
            records.extend(scene.write.seal(HANDSHAKE, &KEY_UPDATE));
            scene.write.update();
        }
        records.extend(scene.write.seal(DATA, &[9; 300]));
        let (mut input, mut plain) = (Vec::new(), Vec::new());
        for byte in records {
            input.push(byte);
            take(&mut scene, &mut input, &mut plain);
        }
        assert_eq!(plain, [&b"first"[..], &[9; 300]].concat(), "{}", scene.name);
        assert!(input.is_empty(), "{}", scene.name);
    });
}

#[test]
fn destination_of_exactly_the_plaintext_is_enough_and_a_smaller_one_loses_nothing() {
    for length in [0, 1, 2, 15, 16, 17, 100, 5000, MAX_PLAINTEXT_BYTES] {
        everywhere(&[TLS13, TLS12], |mut scene| {
            let content: Vec<u8> = (0..length).map(|place| (place % 251) as u8).collect();
            for room in
                [0, 1, length / 2, length.saturating_sub(1), length, length + 1, length + 16, 3 * MAX_RECORD_BYTES]
            {
                let mut record = scene.write.seal(DATA, &content);
                let mut plain = vec![UNTOUCHED; room];
                let mut taken = scene.ours.unwrap(&mut record, &mut plain).unwrap();
                if let Next::DestinationTooSmall(needed) = taken.next {
                    assert!(room < length && needed == length, "{}: {needed} for {length}", scene.name);
                    assert_eq!((taken.consumed, taken.produced), (0, 0), "{}", scene.name);
                    assert!(plain.iter().all(|byte| *byte == UNTOUCHED), "{}", scene.name);
                    plain = vec![UNTOUCHED; needed];
                    taken = scene.ours.unwrap(&mut record, &mut plain).unwrap();
                }
                assert_eq!((taken.consumed, taken.produced), (record.len(), length), "{}: {room}", scene.name);
                assert!(plain[..length] == content, "{}: {room}", scene.name);
            }
        });
    }
}

#[test]
fn padded_record_is_taken_with_the_room_that_is_asked_for() {
    for padding in [1, 15, 1000, MAX_PLAINTEXT_BYTES - 10] {
        everywhere(&[TLS13], |mut scene| {
            for room in [0, 1, 9, 10, 11, 10 + padding, 11 + padding] {
                let mut record = scene.write.seal_padded(DATA, b"0123456789", padding);
                let mut plain = vec![0; room];
                let mut taken = scene.ours.unwrap(&mut record, &mut plain).unwrap();
                if let Next::DestinationTooSmall(needed) = taken.next {
                    assert!(room < needed && needed <= 10 + padding, "{}: {needed} for {room}", scene.name);
                    plain = vec![0; needed];
                    taken = scene.ours.unwrap(&mut record, &mut plain).unwrap();
                }
                assert_eq!((taken.consumed, taken.produced), (record.len(), 10), "{}: {room}", scene.name);
                assert_eq!(&plain[..10], b"0123456789", "{}: {room}", scene.name);
            }
        });
    }
}

#[test]
fn stream_gives_records_to_buffers_of_any_size() {
    let lengths = [1, 0, 100, MAX_PLAINTEXT_BYTES, 5, 0, MAX_PLAINTEXT_BYTES, 3, 2000];
    let content: Vec<u8> = (0..lengths.iter().sum::<usize>()).map(|place| (place % 253) as u8).collect();
    // All the input in one call, and a few bytes a call.
    for most in [usize::MAX, 1000] {
        for size in [1, 2, 100, 101, MAX_PLAINTEXT_BYTES, MAX_PLAINTEXT_BYTES + 1, 100_000] {
            everywhere(&[TLS13, TLS12], |mut scene| {
                let mut start = 0;
                let mut input = Vec::new();
                for length in lengths {
                    input.extend(scene.write.seal(DATA, &content[start..start + length]));
                    start += length;
                }
                let mut stream = Stream::new(scene.ours);
                let read = move |buffer: &mut [u8]| {
                    let count = input.len().min(buffer.len()).min(most);
                    buffer[..count].copy_from_slice(&input[..count]);
                    input.drain(..count);
                    if count > 0 { Ok(count) } else { Err(std::io::ErrorKind::WouldBlock.into()) }
                };
                stream.set_callbacks(Box::new(read), Box::new(|bytes: &[u8]| Ok(bytes.len()))).unwrap();
                let (mut received, mut buffer) = (Vec::new(), vec![0; size]);
                while let Status::Done(count) = stream.read(&mut buffer).unwrap() {
                    assert!(count > 0, "{}: {size}", scene.name);
                    received.extend_from_slice(&buffer[..count]);
                }
                assert!(received == content, "{}: {size}: {} bytes", scene.name, received.len());
            });
        }
    }
}

#[test]
fn several_records_a_call_come_as_far_as_the_destination_goes() {
    let parts: [&[u8]; 4] = [&[1; 100], &[2; 7], &[3; 1], &[4; 300]];
    for room in [0, 1, 99, 100, 101, 106, 107, 108, 109, 407, 408, 409, 100_000] {
        everywhere(&[TLS13, TLS12], |mut scene| {
            let mut records: Vec<u8> = parts.iter().flat_map(|part| scene.write.seal(DATA, part)).collect();
            let mut plain = vec![UNTOUCHED; room];
            let taken = scene.ours.unwrap_records(&mut records, &mut plain).unwrap();
            let ends = [0, 100, 107, 108, 408];
            let count = ends.iter().rposition(|end| *end <= room).unwrap();
            assert_eq!(taken.produced, ends[count], "{}: {room}", scene.name);
            assert!(plain[..taken.produced] == parts[..count].concat(), "{}: {room}", scene.name);
            if count == 0 {
                assert_eq!((taken.consumed, taken.next), (0, Next::DestinationTooSmall(100)), "{}", scene.name);
            }
            // The rest is still there.
            let rest = records[taken.consumed..].to_vec();
            scene.accepts(&rest, &parts[count..].concat());
        });
    }
}

#[test]
fn several_records_a_call_are_cut_anywhere() {
    everywhere(&[TLS13, TLS12], |mut scene| {
        let length = 3 * (20 + scene.write.overhead());
        for cut in 0..=length {
            let records: Vec<u8> = (0..3).flat_map(|part| scene.write.seal(DATA, &[part; 20])).collect();
            let mut plain = [0; 100];
            let taken = scene.ours.unwrap_records(&mut records[..cut].to_vec(), &mut plain).unwrap();
            let whole = cut / (length / 3);
            assert_eq!((taken.consumed, taken.produced), (whole * length / 3, whole * 20), "{}: {cut}", scene.name);
            let taken = scene.ours.unwrap_records(&mut records[taken.consumed..].to_vec(), &mut plain).unwrap();
            assert_eq!(taken.produced, 60 - whole * 20, "{}: {cut}", scene.name);
        }
    });
}

#[test]
fn data_before_a_record_that_is_refused_is_given_and_nothing_of_that_record() {
    everywhere(&[TLS13, TLS12], |mut scene| {
        let [first, second, mut third] =
            [b"first...", b"second..", b"third..."].map(|data| scene.write.seal(DATA, data));
        *third.last_mut().unwrap() ^= 1;
        let mut records = [first, second, third].concat();
        let mut plain = vec![UNTOUCHED; 1000];
        let taken = scene.ours.unwrap_records(&mut records, &mut plain).unwrap();
        assert_eq!(&plain[..taken.produced], b"first...second..", "{}", scene.name);
        for buffer in [&plain, &records] {
            assert!(!buffer.windows(5).any(|bytes| bytes == b"third"), "{}", scene.name);
        }
        let error = scene.ours.unwrap_records(&mut [], &mut plain).unwrap_err();
        assert_eq!(error.code(), Code::DecryptFailed, "{}", scene.name);
        assert_eq!(scene.sent(), [(ALERT, vec![2, 20])], "{}", scene.name);
    });
}

#[test]
fn close_notify_among_several_records_ends_them() {
    everywhere(&[TLS13, TLS12], |mut scene| {
        let parts = [(DATA, &b"last"[..]), (ALERT, &[1, 0]), (DATA, b"more")];
        let mut records: Vec<u8> = parts.iter().flat_map(|(kind, bytes)| scene.write.seal(*kind, bytes)).collect();
        let mut plain = vec![UNTOUCHED; 1000];
        let taken = scene.ours.unwrap_records(&mut records, &mut plain).unwrap();
        assert_eq!(&plain[..taken.produced], b"last", "{}", scene.name);
        let taken = scene.ours.unwrap_records(&mut records[taken.consumed..], &mut plain).unwrap();
        assert_eq!((taken.consumed, taken.produced, taken.next), (0, 0, Next::Closed), "{}", scene.name);
        assert!(scene.ours.is_peer_closed(), "{}", scene.name);
    });
}

#[test]
fn several_records_of_this_side_fill_the_destination_and_no_more() {
    everywhere(&[TLS13, TLS12], |mut scene| {
        let overhead = scene.read.overhead();
        let plain: Vec<u8> = (0..100_000_u32).map(|place| (place % 249) as u8).collect();
        let rooms =
            [overhead, overhead + 1, 1000, MAX_RECORD_BYTES, 2 * MAX_PLAINTEXT_BYTES + 2 * overhead + 1, 200_000];
        for room in rooms {
            let mut tls = vec![0; room];
            let sent = scene.ours.wrap_records(&plain, &mut tls).unwrap();
            let opened = scene.opened(&tls[..sent.produced]);
            assert!(opened.iter().all(|(kind, content)| *kind == DATA && content.len() <= MAX_PLAINTEXT_BYTES));
            let received: Vec<u8> = opened.into_iter().flat_map(|(_, content)| content).collect();
            assert!(received == plain[..sent.consumed], "{}: {room}", scene.name);
            let records = sent.consumed.div_ceil(MAX_PLAINTEXT_BYTES);
            assert_eq!(sent.produced, sent.consumed + records * overhead, "{}: {room}", scene.name);
            match room {
                _ if room == overhead => assert_eq!(sent.next, Next::DestinationTooSmall(overhead + 1)),
                200_000 => assert_eq!(sent.consumed, plain.len(), "{}", scene.name),
                _ => assert!(room - sent.produced <= overhead, "{}: {room}: {sent:?}", scene.name),
            }
        }
    });
}

#[test]
fn connection_that_sleeps_before_each_record_reads_and_sends_as_before() {
    everywhere(&[TLS13, TLS12], |mut scene| {
        for round in 0..10 {
            scene.ours.sleep();
            scene.works();
            scene.ours.sleep();
            scene.ours.sleep();
            if scene.is_tls13() {
                let update = scene.write.seal(HANDSHAKE, &[24, 0, 0, 1, round % 2]);
                scene.write.update();
                scene.accepts(&update, b"");
            }
        }
        // And reports a fault.
        scene.ours.sleep();
        let mut record = scene.write.seal(DATA, b"data");
        *record.last_mut().unwrap() ^= 1;
        scene.refuses(&record, Code::DecryptFailed);
    });
}
