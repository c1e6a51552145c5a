//! A proxy for plain HTTP. It takes the connection in place of the target, and the whole URL (RFC 9112 section 3.2.2).
//!
//! ureq would request a tunnel (CONNECT), which proxies commonly refuse for port 80.

use ureq::Error;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, Either, NextTimeout, Transport};

use super::address::special_kind;
use super::fault::refused;
use super::target::{Host, Target};
use crate::error::{Code, Result};

/// The address of the proxy.
#[derive(Clone, Debug)]
pub(super) struct Proxy {
    pub(super) host: Host,
    pub(super) port: u16,
}

impl Proxy {
    /// Reads `http://HOST:PORT`.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`, without the text, which may hold a password.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let malformed =
            |why: &str| crate::error::Error::new(Code::InvalidArgument, format!("the proxy to fetch by: {why}"));
        let target = Target::parse(text).map_err(|error| malformed(error.detail()))?;
        let has_port = target.authority().bytes().last().is_some_and(|last| last.is_ascii_digit())
            && target.uri().port().is_some();
        match has_port && !target.has_path() {
            true => Ok(Self { host: target.host().clone(), port: target.port() }),
            false => Err(malformed("it is to be http://HOST:PORT")),
        }
    }

    /// Refuses a target by its address or name. The proxy resolves the name.
    ///
    /// # Errors
    /// `FETCH_REFUSED`.
    pub(super) fn check(target: &Target) -> Result<()> {
        match target.host() {
            Host::Address(address) => match special_kind(*address) {
                Some(kind) => Err(refused(format!("{address} is {kind}"))),
                None => Ok(()),
            },
            Host::Name(name) => {
                let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
                match name == "localhost" || name.ends_with(".localhost") {
                    true => Err(refused(format!("{name} is this machine"))),
                    false => Ok(()),
                }
            }
        }
    }
}

/// Puts `start` (scheme and authority) before the path of the request. Each connection carries one request.
#[derive(Debug)]
pub(super) struct AbsoluteForm {
    pub(super) start: Option<String>,
}

impl<In: Transport> Connector<In> for AbsoluteForm {
    type Out = Either<In, Absolute<In>>;

    fn connect(&self, _: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        Ok(chained.map(|inner| match &self.start {
            None => Either::A(inner),
            Some(start) => Either::B(Absolute { inner, start: Some(start.clone()) }),
        }))
    }
}

/// A connection to a proxy.
#[derive(Debug)]
pub(super) struct Absolute<T> {
    inner: T,
    /// Set until the request line is sent.
    start: Option<String>,
}

impl<T: Transport> Transport for Absolute<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, mut amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        if let Some(start) = self.start.take() {
            let output = self.inner.buffers().output();
            let path = output.iter().take(amount).position(|byte| *byte == b' ').map(|space| space + 1);
            let room = path.and_then(|path| output.get_mut(path..amount + start.len()));
            let Some(room) = room else { return Err(Error::Other("the request does not fit".into())) };
            let moved = room.len() - start.len();
            room.copy_within(..moved, start.len());
            room[..start.len()].copy_from_slice(start.as_bytes());
            amount += start.len();
        }
        self.inner.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.inner.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }
}
