//! The configurations that one generation of a context has made.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::{ClientConfig, ServerConfig};

use super::RustlsFetch;
use crate::error::Result;

/// A configuration for each answer to fetches.
type Kept<Config> = Mutex<Vec<(RustlsFetch, Arc<Config>)>>;

/// The configurations, each made at its first use, so that all connections of a generation share their sessions.
#[derive(Default)]
pub(crate) struct Made {
    servers: Kept<ServerConfig>,
    clients: Kept<ClientConfig>,
}

impl Made {
    pub(crate) fn server(
        &self,
        fetch: RustlsFetch,
        make: impl FnOnce() -> Result<Arc<ServerConfig>>,
    ) -> Result<Arc<ServerConfig>> {
        kept_or(&self.servers, fetch, make)
    }

    pub(crate) fn client(
        &self,
        fetch: RustlsFetch,
        make: impl FnOnce() -> Result<Arc<ClientConfig>>,
    ) -> Result<Arc<ClientConfig>> {
        kept_or(&self.clients, fetch, make)
    }
}

fn kept_or<Config>(
    kept: &Kept<Config>,
    fetch: RustlsFetch,
    make: impl FnOnce() -> Result<Arc<Config>>,
) -> Result<Arc<Config>> {
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, config)) = kept.iter().find(|(of, _)| *of == fetch) {
        return Ok(Arc::clone(config));
    }
    let config = make()?;
    kept.push((fetch, Arc::clone(&config)));
    Ok(config)
}
