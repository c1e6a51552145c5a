//! Fetches over the network: lists of distribution points, and responses of responders.
//!
//! All generations of a context share the fetched content in memory. Processes may share lists in a directory. All
//! content is verified before it replaces older content.

mod answers;
pub(super) mod attempts;
mod lists;
pub(super) mod memory;
mod request;
mod stored;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustls::time_provider::TimeProvider;

use crate::error::Result;
use crate::fetch::cache::DiskCache;
use crate::fetch::{FetchPolicy, Fetcher};
use crate::logging::{Level, Log};
use crate::revocation::facts::SourceFacts;
use crate::revocation::upkeep::{Line, Upkeep, now_unix_s, renew_all, until};
use crate::signature::Allowed;

pub(super) use answers::OcspQuery;
use memory::{MemoryCache, Renews};
pub(super) use request::OcspRequest;
pub(crate) use request::OcspSettings;
use stored::{Answer, RemoteList};

/// The most lists that are kept: each is of a CA that is trusted, or of one that it certified.
const MAX_LISTS: usize = 64;
/// The most responses that are kept, a few KiB each.
const MAX_ANSWERS: usize = 4096;

/// The longest revocation list that is read unless the settings say otherwise: about two million entries.
const MAX_CRL_BYTES: usize = 128 << 20;

/// The settings of what is asked over the network.
#[derive(Clone, Debug)]
pub(crate) struct RemoteSettings {
    /// The bounds of each fetch.
    pub(crate) fetch: FetchPolicy,
    /// The directory that keeps fetched lists, beside memory.
    pub(crate) cache: Option<PathBuf>,
    /// The period after which what was fetched is fetched again. None fetches before the next update.
    pub(crate) refresh_s: Option<u32>,
    /// The longest list, in bytes.
    pub(crate) max_crl_bytes: usize,
    /// The responder that is asked in place of those that certificates name.
    pub(crate) ocsp_responder: Option<String>,
    /// The form of OCSP requests.
    pub(crate) ocsp: OcspSettings,
}

impl Default for RemoteSettings {
    fn default() -> Self {
        Self {
            fetch: FetchPolicy::default(),
            cache: None,
            refresh_s: None,
            max_crl_bytes: MAX_CRL_BYTES,
            ocsp_responder: None,
            ocsp: OcspSettings::default(),
        }
    }
}

/// Asks, and keeps the answers. Shared by threads.
pub(crate) struct Remote {
    settings: RemoteSettings,
    /// The deviations that are allowed of the signatures of lists and responses; SHA-1 of responses alone.
    allowed: Allowed,
    fetcher: Fetcher,
    cache: Option<DiskCache>,
    clock: Arc<dyn TimeProvider>,
    log: Log,
    lists: MemoryCache<RemoteList>,
    answers: MemoryCache<Answer>,
    /// Counts what came and differs from what was there.
    arrivals: AtomicU64,
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").field("lists", &self.lists).field("answers", &self.answers).finish_non_exhaustive()
    }
}

impl Remote {
    /// Asks no one yet.
    ///
    /// # Errors
    /// The errors of the proxy and of the cache directory.
    pub(crate) fn new(
        settings: RemoteSettings,
        allowed: Allowed,
        clock: Arc<dyn TimeProvider>,
        log: Log,
    ) -> Result<Self> {
        Ok(Self {
            fetcher: Fetcher::new(settings.fetch.clone())?,
            cache: settings.cache.as_deref().map(DiskCache::open).transpose()?,
            settings,
            allowed,
            clock,
            log,
            lists: MemoryCache::new(MAX_LISTS, Renews::All),
            answers: MemoryCache::new(MAX_ANSWERS, Renews::Used),
            arrivals: AtomicU64::new(0),
        })
    }

    /// A number that grows with everything new that came.
    pub(crate) fn arrivals(&self) -> u64 {
        self.arrivals.load(Ordering::Acquire)
    }

    /// Renews the due content, a few at a time until it `is_over`, and drops unused content. Returns the time
    /// until something is due, if anything is kept. Takes as long as fetches do, within their bounds.
    pub(crate) fn maintain(&self, is_over: &dyn Fn() -> bool) -> Upkeep {
        let now_unix_s = now_unix_s(self.clock.as_ref());
        self.lists.drop_unused(now_unix_s);
        self.answers.drop_unused(now_unix_s);
        let lists = self.lists.due(now_unix_s).into_iter().map(Due::List);
        let due: Vec<Due> = lists.chain(self.answers.due(now_unix_s).into_iter().map(Due::Answer)).collect();
        let lines = renew_all(&due, is_over, |one| self.renew(one, now_unix_s));
        let next_unix_s = self.lists.next_unix_s().into_iter().chain(self.answers.next_unix_s()).min();
        Upkeep { next: next_unix_s.map(|next| until(next, self.clock.as_ref())), lines }
    }

    fn renew(&self, due: &Due, now_unix_s: i64) -> Vec<Line> {
        let mut lines = Vec::new();
        let error = match due {
            Due::List(url) => self.renew_list(url, now_unix_s, &mut lines),
            Due::Answer(key) => self.renew_answer(key, now_unix_s),
        };
        let line = |error| format!("revocation: not fetched, what is there stays in use: {error}");
        lines.extend(error.map(|error| (Level::Warn, line(error))));
        lines
    }

    /// The cached content with the last results.
    pub(crate) fn sources(&self) -> Vec<SourceFacts> {
        let mut sources = self.list_sources();
        sources.extend(self.answer_sources());
        sources
    }

    fn note_arrival(&self) {
        self.arrivals.fetch_add(1, Ordering::Release);
    }
}

/// The content to renew, by its key.
enum Due {
    List(String),
    Answer(String),
}
