//! The choice of a server's engine, once the ClientHello is whole.

use std::sync::Arc;

use rustls::{InvalidMessage, ServerConfig};

use crate::error::{Code, Error, Result};
use crate::legacy::{Choice, HelloReader, Reading, Server, Session};
use crate::verify::host::{HelloFacts, Settled};

use super::hello::server_name_fault;
use super::settled;

/// The engines of a server. One of them may serve nothing with the settings of a connection.
#[derive(Clone)]
pub(crate) struct Engines {
    pub(crate) first: Option<Arc<ServerConfig>>,
    pub(crate) second: Option<Arc<Server>>,
}

/// Chooses the settings of both engines for a ClientHello.
pub(crate) type DecideBoth = Box<dyn FnOnce(&HelloFacts<'_>) -> Result<Engines> + Send + Sync>;

/// A server with two engines before its ClientHello is whole.
pub(super) struct Choosing {
    engines: Engines,
    decide: Option<DecideBoth>,
    reader: HelloReader,
}

/// The engine that is chosen.
pub(super) enum ServerEngine {
    First(Arc<ServerConfig>, Settled),
    Second(Box<Session>),
}

impl Choosing {
    pub(super) fn new(engines: Engines, decide: Option<DecideBoth>) -> Self {
        Self { engines, decide, reader: HelloReader::default() }
    }

    /// Chooses an engine, once the ClientHello is whole in `tls`.
    pub(super) fn choose(&mut self, tls: &[u8]) -> Result<Option<ServerEngine>, Fault> {
        let reading = self.reader.read(tls);
        let offer = match &reading {
            Reading::Incomplete => return Ok(None),
            Reading::Whole(offer) => Some(offer),
            Reading::Malformed => None,
            Reading::EmptyRecord => return Err(rustls::Error::from(InvalidMessage::InvalidEmptyPayload).into()),
            Reading::TooLong => return Err(Error::new(Code::HandshakeTooLarge, "a ClientHello over 64 KiB").into()),
        };
        if let Some((offer, decide)) = offer.zip(self.decide.take()) {
            let server_name = offer.server_name.as_deref();
            let protocols = offer.protocols.iter().map(Vec::as_slice).collect();
            // The engine is not chosen yet.
            let settled =
                &Settled { certificate_schemes: settled::schemes(offer.in_certificates()), ..Settled::default() };
            self.engines = decide(&HelloFacts { server_name, protocols, settled })?;
        }
        let Engines { first, second } = &self.engines;
        let choice = match second {
            Some(second) => second.choose(offer, first.is_some())?,
            None => Choice::Rustls,
        };
        match (choice, first, second) {
            (Choice::Rustls, Some(first), _) => {
                let settled = offer.map(|offer| settled::of_offer(first, offer)).unwrap_or_default();
                Ok(Some(ServerEngine::First(Arc::clone(first), settled)))
            }
            (Choice::Second(key), _, Some(second)) => {
                if let Some(fault) = server_name_fault(tls) {
                    return Err(Error::new(Code::ServerNameInvalid, fault).into());
                }
                Ok(Some(ServerEngine::Second(Box::new(second.session(offer, key.as_ref())?))))
            }
            _ => Err(Error::new(Code::Internal, "no engine serves").into()),
        }
    }
}

/// An error before an engine is chosen.
pub(super) enum Fault {
    Ours(Error),
    Rustls(rustls::Error),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

impl From<rustls::Error> for Fault {
    fn from(error: rustls::Error) -> Self {
        Self::Rustls(error)
    }
}
