//! A server's connection before its configuration is chosen: it reads the ClientHello from a copy of the bytes, and asks.

use std::fmt;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::server::Acceptor;

use crate::error::Result;
use crate::verify::host::HelloFacts;

/// Chooses the configuration for a ClientHello.
pub(crate) type Decide = Box<dyn FnOnce(&HelloFacts<'_>) -> Result<Arc<ServerConfig>> + Send + Sync>;

/// What the bytes so far came to.
pub(super) enum Decision {
    /// The ClientHello is not whole yet.
    Incomplete,
    /// Go on with this configuration, from the first byte.
    Chosen(Arc<ServerConfig>),
    /// The application refuses the client.
    Refused(crate::error::Error),
    /// It is no ClientHello.
    Malformed(rustls::Error),
}

/// A connection that waits for its ClientHello.
pub(super) struct Undecided {
    acceptor: Acceptor,
    /// Bytes that the acceptor has been given.
    fed: usize,
    decide: Option<Decide>,
}

impl fmt::Debug for Undecided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Undecided").field("fed", &self.fed).finish_non_exhaustive()
    }
}

impl Undecided {
    pub(super) fn new(decide: Decide) -> Self {
        Self { acceptor: Acceptor::default(), fed: 0, decide: Some(decide) }
    }

    /// Reads on in `tls`, which holds every byte of the connection so far.
    pub(super) fn read(&mut self, tls: &[u8]) -> Decision {
        let mut fresh = tls.get(self.fed..).unwrap_or_default();
        while !fresh.is_empty() {
            match self.acceptor.read_tls(&mut fresh) {
                Ok(1..) => {}
                Ok(0) => break,
                Err(error) => return Decision::Malformed(rustls::Error::General(error.to_string())),
            }
            self.fed = tls.len() - fresh.len();
            match self.acceptor.accept() {
                Ok(None) => {}
                Ok(Some(accepted)) => {
                    let hello = accepted.client_hello();
                    let facts = HelloFacts {
                        server_name: hello.server_name(),
                        protocols: hello.alpn().map(Iterator::collect).unwrap_or_default(),
                    };
                    return match self.decide.take().map(|decide| decide(&facts)) {
                        Some(Ok(config)) => Decision::Chosen(config),
                        Some(Err(refusal)) => Decision::Refused(refusal),
                        None => Decision::Incomplete,
                    };
                }
                Err((error, _)) => return Decision::Malformed(error),
            }
        }
        Decision::Incomplete
    }
}
