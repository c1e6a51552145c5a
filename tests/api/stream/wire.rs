//! A wire in memory between two streams, which passes bytes at a pace of the test's choice, and a conversation over it.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex};

use brokertls::{ReadCallback, Status, Stream, WriteCallback};

/// The pace at which one direction of a wire passes bytes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pace {
    /// All that there is.
    Free,
    /// At most so many bytes a call, and nothing at every other call.
    Chunks(usize),
    /// All that there is, but never across this byte: there, one read and one write come back with nothing.
    StopAt(usize),
}

/// One direction.
#[derive(Default)]
pub(super) struct Direction {
    waiting: VecDeque<u8>,
    /// Everything that was ever written.
    pub(super) written: Vec<u8>,
    /// The writer has left: what waits can be read, then the end.
    pub(super) is_ended: bool,
    /// The error of reads and writes.
    pub(super) fault: Option<ErrorKind>,
    /// The number of bytes that are still taken before writes must wait.
    pub(super) room: Option<usize>,
    /// Writes fail with this, in place of waiting for room.
    pub(super) fault_without_room: Option<ErrorKind>,
}

/// Both directions, shared with the streams' callbacks.
#[derive(Clone)]
pub(super) struct Wire {
    pub(super) to_server: Arc<Mutex<Direction>>,
    pub(super) to_client: Arc<Mutex<Direction>>,
}

/// The state of one end of a direction: the bytes that passed it, and true after a call that waited.
struct Passage {
    pace: Pace,
    passed: usize,
    has_waited: bool,
}

impl Passage {
    fn new(pace: Pace) -> Self {
        Self { pace, passed: 0, has_waited: false }
    }

    /// The number of `offered` bytes that pass now.
    fn admit(&mut self, offered: usize) -> io::Result<usize> {
        let most = match self.pace {
            Pace::Free => offered,
            Pace::Chunks(most) => most,
            Pace::StopAt(stop) if self.passed < stop => stop - self.passed,
            Pace::StopAt(stop) if self.passed > stop => offered,
            Pace::StopAt(_) if self.has_waited => offered,
            Pace::StopAt(_) => 0,
        };
        let waits = match self.pace {
            Pace::Chunks(_) => !self.has_waited,
            _ => most == 0,
        };
        self.has_waited = waits;
        if waits {
            return Err(ErrorKind::WouldBlock.into());
        }
        let count = most.min(offered);
        self.passed += count;
        Ok(count)
    }
}

impl Wire {
    /// Connects two streams; the paces are those of the bytes to the server and to the client, for writer and reader.
    pub(super) fn between(server: &mut Stream, client: &mut Stream, [to_server, to_client]: [Pace; 2]) -> Self {
        let wire = Self { to_server: Arc::default(), to_client: Arc::default() };
        server.set_callbacks(reader(&wire.to_server, to_server), writer(&wire.to_client, to_client)).unwrap();
        client.set_callbacks(reader(&wire.to_client, to_client), writer(&wire.to_server, to_server)).unwrap();
        wire
    }

    /// Connects one stream; the test is the other side.
    pub(super) fn of_server(server: &mut Stream, pace: Pace) -> Self {
        let wire = Self { to_server: Arc::default(), to_client: Arc::default() };
        server.set_callbacks(reader(&wire.to_server, pace), writer(&wire.to_client, pace)).unwrap();
        wire
    }

    /// The same for a client.
    pub(super) fn of_client(client: &mut Stream, pace: Pace) -> Self {
        let wire = Self { to_server: Arc::default(), to_client: Arc::default() };
        client.set_callbacks(reader(&wire.to_client, pace), writer(&wire.to_server, pace)).unwrap();
        wire
    }
}

impl Direction {
    /// Writes as the test.
    pub(super) fn send(&mut self, bytes: &[u8]) {
        self.written.extend_from_slice(bytes);
        self.waiting.extend(bytes);
    }

    /// Counts the bytes that have not been read.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Reads as the test: all that waits.
    pub(super) fn take(&mut self) -> Vec<u8> {
        self.waiting.drain(..).collect()
    }
}

fn reader(direction: &Arc<Mutex<Direction>>, pace: Pace) -> ReadCallback {
    let (direction, mut passage) = (Arc::clone(direction), Passage::new(pace));
    Box::new(move |buffer| {
        let mut direction = direction.lock().unwrap();
        let offered = direction.waiting.len().min(buffer.len());
        if offered == 0 {
            let nothing = direction.fault.unwrap_or(ErrorKind::WouldBlock);
            return if direction.is_ended { Ok(0) } else { Err(nothing.into()) };
        }
        let count = passage.admit(offered)?;
        for (place, byte) in buffer.iter_mut().zip(direction.waiting.drain(..count)) {
            *place = byte;
        }
        Ok(count)
    })
}

fn writer(direction: &Arc<Mutex<Direction>>, pace: Pace) -> WriteCallback {
    let (direction, mut passage) = (Arc::clone(direction), Passage::new(pace));
    Box::new(move |bytes| {
        let mut direction = direction.lock().unwrap();
        if let Some(fault) = direction.fault {
            return Err(fault.into());
        }
        let room = direction.room.unwrap_or(usize::MAX);
        if room == 0 {
            return Err(direction.fault_without_room.unwrap_or(ErrorKind::WouldBlock).into());
        }
        let count = passage.admit(bytes.len().min(room))?;
        direction.room = direction.room.map(|room| room - count);
        direction.send(&bytes[..count]);
        Ok(count)
    })
}

/// One side of a conversation: says something, hears something, closes both ways.
pub(super) struct Speaker<'a> {
    stream: &'a mut Stream,
    says: &'a [u8],
    said: usize,
    hears: &'a [u8],
    heard: Vec<u8>,
    listens_first: bool,
    is_closed: bool,
}

impl<'a> Speaker<'a> {
    pub(super) fn new(stream: &'a mut Stream, says: &'a [u8], hears: &'a [u8]) -> Self {
        Self { stream, says, said: 0, hears, heard: Vec::new(), listens_first: false, is_closed: false }
    }

    /// Hears all before it says anything, and leaves the handshake to its reads.
    pub(super) fn listening_first(self) -> Self {
        Self { listens_first: true, ..self }
    }

    /// Does what it can without waiting; true where that was all.
    fn step(&mut self) -> bool {
        let is_done = match self.listens_first {
            true => self.hear() && self.say(),
            false => self.stream.handshake().unwrap() == Status::Done(()) && self.say() && self.hear(),
        };
        if is_done && !self.is_closed {
            self.is_closed = self.stream.shutdown().unwrap() == Status::Done(());
        }
        self.is_closed
    }

    fn say(&mut self) -> bool {
        while self.said < self.says.len() {
            match self.stream.write(&self.says[self.said..]).unwrap() {
                Status::Done(count) => self.said += count,
                _ => return false,
            }
        }
        true
    }

    fn hear(&mut self) -> bool {
        let mut buffer = [0; 700];
        while self.heard.len() < self.hears.len() {
            match self.stream.read(&mut buffer).unwrap() {
                Status::Done(count) => self.heard.extend_from_slice(&buffer[..count]),
                _ => return false,
            }
        }
        true
    }
}

/// Lets both sides speak until both have closed, and compares what was heard with what was said.
pub(super) fn converse(mut one: Speaker<'_>, mut other: Speaker<'_>) {
    for _ in 0..1_000_000 {
        let is_done = one.step();
        if other.step() && is_done {
            assert!(one.heard == one.hears && other.heard == other.hears, "what was heard is not what was said");
            return;
        }
    }
    panic!("the conversation makes no progress");
}
