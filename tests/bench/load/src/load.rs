//! Many clients of one server in one epoll loop.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_setaffinity};
use rustls::{ClientConfig, SupportedProtocolVersion};

use crate::client::{self, Client};
use crate::programs::Clients;

/// The processor of this process. A machine with one processor cannot run the benchmark.
const PROCESSOR: usize = 1;

/// Handshakes at a time: below the length of a listener's queue, in which Linux drops what is too much.
const IN_FLIGHT: usize = 1000;

/// The first message of a client.
const GREETING_BYTES: usize = 64;

/// Moves this process to its processor.
pub fn pin() {
    let mut processors = CpuSet::new();
    processors.set(PROCESSOR);
    sched_setaffinity(None, &processors).expect("the machine has two processors");
}

/// Raises the limit of descriptors as far as it goes: the number of connections that a process can have.
pub fn raise_descriptors() -> usize {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).unwrap();
    usize::try_from(limit.maximum.unwrap_or(1 << 20)).unwrap().saturating_sub(64)
}

struct Slot {
    client: Option<Client>,
    /// Has the answer to its greeting.
    is_open: bool,
    /// Bytes of the current message that are missing, and when it was sent.
    missing: usize,
    sent: Instant,
    waits_to_write: bool,
}

pub struct Load {
    epoll: OwnedFd,
    config: Arc<ClientConfig>,
    port: u16,
    slots: Vec<Slot>,
    buffer: Vec<u8>,
}

/// A wave of clients that have connected.
pub struct Wave {
    pub time: Duration,
    pub resumed: usize,
}

/// The answers of one phase of echoes.
#[derive(Default)]
pub struct Echoes {
    pub time: Duration,
    /// Of each message, in its order of arrival.
    pub latencies: Vec<Duration>,
}

impl Load {
    pub fn new(
        folder: &Path,
        version: &'static SupportedProtocolVersion,
        clients: Clients,
        count: usize,
        port: u16,
    ) -> Self {
        let slot = || Slot { client: None, is_open: false, missing: 0, sent: Instant::now(), waits_to_write: false };
        Self {
            epoll: epoll::create(CreateFlags::CLOEXEC).unwrap(),
            config: client::config(folder, version, clients, count),
            port,
            slots: (0..count).map(|_| slot()).collect(),
            buffer: vec![0; 64 * 1024],
        }
    }

    /// Connects all clients from `first` on, each until it has the answer to its first message.
    pub fn connect(&mut self, first: usize, end: usize) -> Wave {
        let begin = Instant::now();
        let (mut next, mut open, mut resumed) = (first, 0, 0);
        let mut ready = Vec::new();
        while open < end - first {
            while next < end && next - first - open < IN_FLIGHT {
                self.add(next);
                next += 1;
            }
            self.wait(&mut ready);
            for &number in &ready {
                if self.greets(number).unwrap() {
                    open += 1;
                    resumed += usize::from(self.client(number).is_resumed());
                }
            }
        }
        Wave { time: begin.elapsed(), resumed }
    }

    /// Drops all clients. Their sessions stay.
    pub fn forget(&mut self) {
        for slot in &mut self.slots {
            slot.client = None;
        }
    }

    /// Lets each client send its next message when it has the answer to the last one.
    pub fn echo(&mut self, bytes: usize, time: Duration) -> Echoes {
        let message = vec![7; bytes];
        let begin = Instant::now();
        for number in 0..self.slots.len() {
            self.say(number, &message).unwrap();
        }
        let (mut echoes, mut ready) = (Echoes::default(), Vec::new());
        let mut outstanding = self.slots.len();
        while outstanding > 0 {
            let continues = begin.elapsed() < time;
            self.wait(&mut ready);
            for &number in &ready {
                let answered = self.takes(number).unwrap();
                if answered && continues {
                    echoes.latencies.push(self.slots[number].sent.elapsed());
                    self.say(number, &message).unwrap();
                } else if answered {
                    outstanding -= 1;
                }
            }
            if continues {
                echoes.time = begin.elapsed();
            }
        }
        echoes
    }

    fn client(&mut self, number: usize) -> &mut Client {
        self.slots[number].client.as_mut().unwrap()
    }

    fn add(&mut self, number: usize) {
        let client = Client::connect(&self.config, number, self.port).unwrap();
        epoll::add(&self.epoll, &client.stream, EventData::new_u64(number as u64), EventFlags::IN).unwrap();
        let slot = &mut self.slots[number];
        slot.client = Some(client);
        slot.is_open = false;
        slot.missing = 0;
        slot.waits_to_write = false;
    }

    /// The numbers of the clients with something to do.
    fn wait(&self, ready: &mut Vec<usize>) {
        let mut events = [MaybeUninit::<Event>::uninit(); 512];
        let (events, _) = epoll::wait(&self.epoll, &mut events, None).unwrap();
        ready.clear();
        ready.extend(events.iter().map(|event| { event.data }.u64() as usize));
    }

    fn watch(&mut self, number: usize) {
        let slot = &mut self.slots[number];
        let client = slot.client.as_ref().unwrap();
        if slot.waits_to_write != client.wants_write() {
            slot.waits_to_write = client.wants_write();
            let also = if slot.waits_to_write { EventFlags::OUT } else { EventFlags::empty() };
            let data = EventData::new_u64(number as u64);
            epoll::modify(&self.epoll, &client.stream, data, EventFlags::IN | also).unwrap();
        }
    }

    fn say(&mut self, number: usize, message: &[u8]) -> io::Result<()> {
        self.slots[number].missing = message.len();
        self.slots[number].sent = Instant::now();
        self.client(number).send(message)?;
        self.watch(number);
        Ok(())
    }

    /// True with the last byte of an answer.
    fn takes(&mut self, number: usize) -> io::Result<bool> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let client = self.client(number);
        client.flush()?;
        let progress = client.receive(&mut buffer)?;
        self.buffer = buffer;
        assert!(!progress.ended, "the server has ended a connection");
        self.watch(number);
        let slot = &mut self.slots[number];
        slot.missing -= progress.got;
        Ok(progress.got > 0 && slot.missing == 0)
    }

    /// Continues a new client. True when it has its first answer.
    fn greets(&mut self, number: usize) -> io::Result<bool> {
        let is_answered = self.takes(number)?;
        let slot = &mut self.slots[number];
        slot.is_open |= is_answered;
        if !slot.is_open && slot.missing == 0 && !self.client(number).is_handshaking() {
            self.say(number, &[7; GREETING_BYTES])?;
        }
        Ok(is_answered)
    }
}
