//! Mosquitto as a peer, its clients and its broker, and as much of MQTT 3.1.1 as one message takes on our side.

use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;

use brokertls::{Context, Result};

use crate::files::Files;
use crate::ours::{self, Meeting, Talk};
use crate::process::Running;

const TOPIC: &str = "emqx/recipe";
const MESSAGE: &str = "hello over MQTT";

const CONNECT: u8 = 0x10;
const CONNACK: u8 = 0x20;
const PUBLISH: u8 = 0x30;
const SUBSCRIBE: u8 = 0x82;
const SUBACK: u8 = 0x90;
const DISCONNECT: u8 = 0xe0;

/// `mosquitto_pub` with these options, run where the files are, publishes one message to our server.
pub(crate) fn publisher(context: &Context, files: &Files, options: &str) -> Meeting {
    let (listener, port) = ours::listener();
    let mut command = Command::new("mosquitto_pub");
    command.args(["-d", "-h", "localhost", "-p", &port.to_string(), "-t", TOPIC, "-m", MESSAGE]);
    command.args(options.split_whitespace()).current_dir(files.path());
    let peer = Running::start(&mut command);
    let ours = ours::serve(context, &listener, &peer, |talk| {
        let mut packets = Packets::default();
        let connect = packets.next(talk, CONNECT)?;
        assert_eq!(connect[..6], *b"\x00\x04MQTT");
        talk.write(&[CONNACK, 2, 0, 0])?;
        assert_eq!(packets.next(talk, PUBLISH)?, publication());
        assert_eq!(packets.next(talk, DISCONNECT)?, b"");
        talk.hear_close()?;
        talk.close()
    });
    Meeting {
        ours,
        theirs: peer.finish().text,
        marks: &["received CONNACK (0)", "sending DISCONNECT"],
        names_suite: false,
    }
}

/// Our client subscribes at a broker with these settings, publishes, and gets its own message.
pub(crate) fn broker(context: &Context, host: Option<&str>, files: &Files, settings: &str) -> Meeting {
    let (peer, port) = start_broker(files, settings);
    let ours = ours::connect(context, host, port, exchange_message);
    // The last line of a connection, whichever way it went.
    peer.line(0, &["Client "]);
    Meeting {
        ours,
        theirs: peer.printed(),
        marks: &["New client connected", "Received DISCONNECT from recipe"],
        names_suite: false,
    }
}

/// A broker on a free port. It cannot choose one itself, so another program may take the port first; then again.
fn start_broker(files: &Files, settings: &str) -> (Running, u16) {
    for _ in 0..10 {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        // `user root` only keeps a broker that root starts from changing its user.
        let fixed = format!("listener {port} 127.0.0.1\nallow_anonymous true\nuser root\nlog_timestamp false\n");
        files.write("mosquitto.conf", &(fixed + settings));
        let mut command = Command::new("mosquitto");
        // Debian puts the broker where only root's PATH looks.
        let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
        command.args(["-v", "-c", "mosquitto.conf"]).current_dir(files.path()).env("PATH", path);
        let peer = Running::start(&mut command);
        if peer.prints(" running") {
            return (peer, port);
        }
    }
    panic!("no port was free for the broker");
}

fn exchange_message(talk: &mut Talk) -> Result<()> {
    let mut packets = Packets::default();
    let connect = [&text("MQTT")[..], &[4, 2, 0, 60], &text("recipe")].concat();
    talk.write(&packet(CONNECT, &connect))?;
    assert_eq!(packets.next(talk, CONNACK)?, [0, 0]);
    talk.write(&packet(SUBSCRIBE, &[&[0, 1][..], &text(TOPIC), &[0]].concat()))?;
    assert_eq!(packets.next(talk, SUBACK)?, [0, 1, 0]);
    talk.write(&packet(PUBLISH, &publication()))?;
    assert_eq!(packets.next(talk, PUBLISH)?, publication());
    talk.write(&packet(DISCONNECT, &[]))?;
    // The broker closes both ways at once, so that nothing can be sent any more.
    talk.hear_close()
}

/// The content of a PUBLISH of quality 0.
fn publication() -> Vec<u8> {
    [&text(TOPIC)[..], MESSAGE.as_bytes()].concat()
}

/// A text with its length before it.
fn text(text: &str) -> Vec<u8> {
    [&u16::try_from(text.len()).unwrap().to_be_bytes()[..], text.as_bytes()].concat()
}

/// A packet of less than 128 bytes; its length takes one byte.
fn packet(kind: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).ok().filter(|length| *length < 128).unwrap();
    [&[kind, length], content].concat()
}

/// The packets that a peer sends, each of less than 128 bytes.
#[derive(Default)]
struct Packets {
    received: Vec<u8>,
}

impl Packets {
    /// The content of the next packet, which must be of this kind.
    fn next(&mut self, talk: &mut Talk, kind: u8) -> Result<Vec<u8>> {
        let is_whole = |bytes: &[u8]| bytes.get(1).is_some_and(|length| bytes.len() >= 2 + usize::from(*length));
        while !is_whole(&self.received) {
            let more = talk.read_until(|heard| !heard.is_empty())?;
            assert!(!more.is_empty(), "the peer closed");
            self.received.extend(more);
        }
        let rest = self.received.split_off(2 + usize::from(self.received[1]));
        let packet = std::mem::replace(&mut self.received, rest);
        assert_eq!(packet[0], kind, "{packet:?}");
        Ok(packet[2..].to_vec())
    }
}
