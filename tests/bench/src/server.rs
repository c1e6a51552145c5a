//! The interface through which every side is measured.

use std::path::Path;

use crate::pki::Identity;

/// A TLS library.
pub trait Side {
    fn name(&self) -> &'static str;

    fn version(&self) -> String;

    /// A server context for TLS 1.3 with stateless session tickets, made once.
    fn context(&self, identity: &Identity) -> Box<dyn Context>;
}

/// A side that can check its clients by a list of revoked certificates.
pub trait ListSide: Side {
    /// As [`Side::context`], for clients that show a certificate of the identity's CA, which is checked by the list, a
    /// PEM file, where there is one.
    fn context_with_clients(&self, identity: &Identity, list: Option<&Path>) -> Box<dyn Context>;
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

    /// Reads all records of `input`, one a call of the library, each into `plaintext` from its start; returns the sum
    /// of their lengths.
    fn read(&mut self, input: &mut Vec<u8>, plaintext: &mut [u8]) -> usize;
}
