//! The interface through which every side is measured.

use crate::cases::Version;
use crate::identity::Identity;

/// A TLS library.
pub trait Side {
    fn name(&self) -> &'static str;

    fn version(&self) -> String;

    /// A server context for one version of TLS, with session tickets, made once.
    fn context(&self, identity: &Identity, version: Version) -> Box<dyn Context>;
}

/// State that the connections of a listener share.
pub trait Context {
    fn accept(&self) -> Box<dyn Connection>;
}

/// The server's end of one connection. Bytes come and go in memory.
pub trait Connection {
    /// Takes the peer's bytes, leaves the unused ones, appends the answer; true once the handshake is complete.
    fn handshake(&mut self, input: &mut Vec<u8>, output: &mut Vec<u8>) -> bool;

    /// Makes `plaintext` one record, which stays in memory of the connection's own until the next call.
    fn write(&mut self, plaintext: &[u8]) -> &[u8];

    /// Reads all records of `input`, with as many calls as the library needs. Each call puts plaintext into
    /// `plaintext` from its start. Returns the sum of its lengths.
    fn read(&mut self, input: &mut Vec<u8>, plaintext: &mut [u8]) -> usize;
}
