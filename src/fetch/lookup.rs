//! Resolves a host to the addresses for a connection, within a deadline, and refuses addresses that are not allowed.
//!
//! The connector gets the checked addresses themselves. A name that resolves to another address later gains nothing.

use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use super::address::special_kind;
use super::fault::{refused, unreachable};
use super::target::Host;
use crate::error::Result;

/// The number of look-ups at a time. It includes abandoned ones, which end when the system's resolver gives up.
const MAX_LOOKUPS: usize = 64;

/// The number of addresses of a name that are tried.
const MAX_ADDRESSES: usize = 4;

type LookUp = dyn Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync;

/// Resolves names, each on a thread of its own.
#[derive(Clone)]
pub(super) struct Names {
    look_up: Arc<LookUp>,
    running: Arc<AtomicUsize>,
}

impl Names {
    /// Makes a resolver that uses the system's.
    pub(super) fn of_system() -> Self {
        Self::new(|host, port| Ok((host, port).to_socket_addrs()?.collect()))
    }

    /// Makes a resolver that uses `look_up`.
    pub(super) fn new(look_up: impl Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static) -> Self {
        Self { look_up: Arc::new(look_up), running: Arc::default() }
    }

    /// # Errors
    /// `REVOCATION_UNREACHABLE`.
    fn addresses(&self, host: &Host, port: u16, deadline: Instant) -> Result<Vec<SocketAddr>> {
        let name = match host {
            Host::Address(address) => return Ok(vec![SocketAddr::new(*address, port)]),
            Host::Name(name) => name.clone(),
        };
        let running = Running(Arc::clone(&self.running));
        if self.running.fetch_add(1, Ordering::Relaxed) >= MAX_LOOKUPS {
            return Err(unreachable(format!("{MAX_LOOKUPS} other look-ups of names are running")));
        }
        let (sender, receiver) = mpsc::sync_channel(1);
        let look_up = Arc::clone(&self.look_up);
        let work = move || {
            let _running = running;
            let _ = sender.send(look_up(&name, port));
        };
        let thread = thread::Builder::new().name("brokertls-lookup".to_owned()).spawn(work);
        thread.map_err(|error| unreachable(format!("no thread to look {host} up: {error}")))?;
        match receiver.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(found) => found.map_err(|error| unreachable(format!("{host} cannot be looked up: {error}"))),
            Err(mpsc::RecvTimeoutError::Timeout) => Err(unreachable(format!("{host} was not looked up in time"))),
            Err(mpsc::RecvTimeoutError::Disconnected) => Err(unreachable(format!("looking {host} up failed"))),
        }
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Names({} running)", self.running.load(Ordering::Relaxed))
    }
}

/// A running look-up; it is counted until it is dropped.
struct Running(Arc<AtomicUsize>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The resolver of one exchange. For any URL, it returns the addresses of the host of the exchange.
#[derive(Debug)]
pub(super) struct Guard {
    pub(super) names: Names,
    pub(super) host: Host,
    pub(super) port: u16,
    pub(super) deadline: Instant,
    pub(super) allows_private: bool,
}

impl Guard {
    fn allowed(&self) -> Result<Vec<SocketAddr>> {
        let mut addresses = self.names.addresses(&self.host, self.port, self.deadline)?;
        if !self.allows_private {
            let special = addresses.first().copied();
            addresses.retain(|address| special_kind(address.ip()).is_none());
            if let (true, Some(special)) = (addresses.is_empty(), special) {
                return Err(private(&self.host, special));
            }
        }
        addresses.truncate(MAX_ADDRESSES);
        match addresses.is_empty() {
            true => Err(unreachable(format!("{} has no address", self.host))),
            false => Ok(addresses),
        }
    }
}

fn private(host: &Host, address: SocketAddr) -> crate::error::Error {
    let kind = special_kind(address.ip()).unwrap_or_default();
    match host {
        Host::Address(address) => refused(format!("{address} is {kind}")),
        Host::Name(name) => refused(format!("{name} is at {}, {kind}", address.ip())),
    }
}

impl Resolver for Guard {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let allowed = self.allowed().map_err(|error| ureq::Error::Other(Box::new(error)))?;
        let mut addresses = self.empty();
        for address in allowed {
            addresses.push(address);
        }
        Ok(addresses)
    }
}
