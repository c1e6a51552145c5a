//! The choice of a server's engine, once the ClientHello is whole.

use std::sync::Arc;

use rustls::{Error as Tls, InvalidMessage, ServerConfig};

use crate::error::{Code, Error, Result};
use crate::legacy::{Choice, Damage, HelloReader, Offer, Reading, Server, Session};
use crate::verify::host::{HelloFacts, Settled};

use super::hello::{Fault, Judge, ask, server_name_fault, unread};
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
    judge: Judge,
}

/// The engine that is chosen.
pub(super) enum ServerEngine {
    First(Arc<ServerConfig>, Settled),
    Second(Box<Session>),
}

impl Choosing {
    pub(super) fn new(engines: Engines, decide: Option<DecideBoth>) -> Self {
        Self { engines, decide, reader: HelloReader::default(), judge: Judge::default() }
    }

    /// Chooses an engine, once the ClientHello is whole in `tls`.
    pub(super) fn choose(&mut self, tls: &[u8]) -> Result<Option<ServerEngine>, Fault> {
        let reading = self.reader.read(tls);
        let hello = self.reader.hello(tls);
        let offer = match reading {
            Reading::Whole(offer) => offer,
            Reading::Incomplete => return Ok(None),
            Reading::Malformed(damage) => return self.refuse(hello, damage).map(|()| None),
            Reading::Alert(description) => return Err(Tls::AlertReceived(description.into()).into()),
            Reading::EmptyRecord => return Err(Tls::from(InvalidMessage::InvalidEmptyPayload).into()),
            Reading::TooLong => return Err(Error::new(Code::HandshakeTooLarge, "a ClientHello over 64 KiB").into()),
        };
        if let Some(decide) = self.decide.take() {
            self.engines = self.ask(decide, &offer, hello)?;
        }
        let Engines { first, second } = &self.engines;
        let choice = match second {
            Some(second) => second.choose(&offer, first.is_some())?,
            None => Choice::Rustls,
        };
        match (choice, first, second) {
            (Choice::Rustls, Some(first), _) => {
                Ok(Some(ServerEngine::First(Arc::clone(first), settled::of_offer(first, &offer))))
            }
            (Choice::Second(key), _, Some(second)) => {
                if let Some(fault) = server_name_fault(hello) {
                    return Err(Error::new(Code::ServerNameInvalid, fault).into());
                }
                Ok(Some(ServerEngine::Second(Box::new(second.session(&offer, key.as_ref())?))))
            }
            _ => Err(Error::new(Code::Internal, "no engine serves").into()),
        }
    }

    /// Asks the host about the hello as rustls reads it. The second engine may serve a hello that rustls refuses.
    fn ask(&mut self, decide: DecideBoth, offer: &Offer, hello: &[u8]) -> Result<Engines> {
        // The engine is not chosen yet.
        let settled = &Settled { certificate_schemes: settled::schemes(offer.in_certificates()), ..Settled::default() };
        if let Ok(Some(accepted)) = self.judge.accept(hello) {
            return ask(decide, &accepted, settled);
        }
        let protocols = offer.protocols.iter().map(Vec::as_slice).collect();
        decide(&HelloFacts { server_name: offer.server_name.as_deref(), protocols, settled })
    }

    /// Judges a hello that cannot be read here. Returns if rustls waits for more of it.
    fn refuse(&mut self, hello: &[u8], damage: Damage) -> Result<(), Fault> {
        self.judge.refuse(hello, damage).map_err(|fault| match fault {
            // What rustls lacks, the second engine may have.
            Fault::Rustls(Tls::PeerIncompatible(_)) => unread(damage).into(),
            fault => fault,
        })
    }
}
