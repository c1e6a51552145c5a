//! Streams: our own two sides over transports that pass any number of bytes at any time, and OpenSSL at either end.

mod alerts;
mod boundaries;
mod bounds;
mod closing;
mod descriptors;
mod faults;
pub(crate) mod identities;
pub(crate) mod openssl;
mod reads;
mod records;
mod strangers;
mod tasks;
mod wire;
mod writes;

use brokertls::{Context, Status, Stream};

use crate::rig::pair::{Authority, context};
use wire::{Pace, Wire};

const VERSIONS: [&str; 2] = ["TLSv1.2", "TLSv1.3"];

/// A server and a client that trusts it.
struct Sides {
    server: Context,
    client: Context,
}

impl Sides {
    /// Both of one version.
    fn new(version: &str) -> Self {
        let authority = Authority::new("ca");
        Self {
            server: context(|builder| builder.identity(authority.identity(&["broker"])).versions(version)),
            client: context(|builder| builder.trust(authority.trust()).versions(version)),
        }
    }

    /// A stream of each, without a transport.
    fn streams(&self) -> (Stream, Stream) {
        let server = Stream::new(self.server.accept().unwrap());
        let client = Stream::new(self.client.connect(Some("broker")).unwrap());
        (server, client)
    }

    /// A server, a client, and the wire between them that lets everything pass. The handshake is done.
    fn connected(&self) -> (Stream, Stream, Wire) {
        let (mut server, mut client) = self.streams();
        let wire = Wire::between(&mut server, &mut client, [Pace::Free; 2]);
        shake_hands(&mut server, &mut client);
        (server, client, wire)
    }
}

/// Completes a handshake over a wire, one side after the other.
fn shake_hands(server: &mut Stream, client: &mut Stream) {
    for _ in 0..100_000 {
        let client_done = client.handshake().unwrap() == Status::Done(());
        if server.handshake().unwrap() == Status::Done(()) && client_done {
            return;
        }
    }
    panic!("the handshake makes no progress");
}

/// Reads in pieces of `room` bytes until `length` bytes have arrived.
fn read_exactly(stream: &mut Stream, length: usize, room: usize) -> Vec<u8> {
    let (mut heard, mut buffer) = (Vec::new(), vec![0; room]);
    for _ in 0..100_000 {
        if heard.len() >= length {
            break;
        }
        if let Status::Done(count) = stream.read(&mut buffer).unwrap() {
            heard.extend_from_slice(&buffer[..count]);
        }
    }
    assert_eq!(heard.len(), length);
    heard
}
