//! The staples of a context's identities, kept fresh: the responders that are asked, how often, and by when.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use rustls::time_provider::TimeProvider;

use super::{Asking, Staple};
use crate::error::Result;
use crate::fetch::{FetchPolicy, Fetcher};
use crate::revocation::facts::SourceFacts;
use crate::revocation::remote::OcspSettings;
use crate::revocation::upkeep::{Line, Upkeep, now_unix_s, renew_all, until};

/// The settings of staples.
#[derive(Clone, Debug)]
pub(crate) struct StapleSettings {
    /// The bounds of each fetch.
    pub(crate) fetch: FetchPolicy,
    /// The form of OCSP requests.
    pub(crate) ocsp: OcspSettings,
    /// The period of requests, unless the next update of a staple is sooner.
    pub(crate) refresh_s: u32,
}

/// The staples of all identities. Shared by threads.
pub(crate) struct Staples {
    /// `None` if there are no requests.
    asked: Option<(StapleSettings, Fetcher)>,
    staples: Vec<Arc<Staple>>,
    clock: Arc<dyn TimeProvider>,
    /// Held by the thread that asks, so that others find it done.
    turn: Mutex<()>,
}

impl fmt::Debug for Staples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Staples").field("staples", &self.staples).finish_non_exhaustive()
    }
}

impl Staples {
    /// Makes the staples without a request. Without settings, there is never one.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for a wrong time or proxy.
    pub(crate) fn new(
        settings: Option<StapleSettings>,
        staples: Vec<Arc<Staple>>,
        clock: Arc<dyn TimeProvider>,
    ) -> Result<Self> {
        let with_fetcher =
            |settings: StapleSettings| Fetcher::new(settings.fetch.clone()).map(|fetcher| (settings, fetcher));
        let asked = settings.map(with_fetcher).transpose()?;
        Ok(Self { asked, staples, clock, turn: Mutex::default() })
    }

    /// Takes over the status from before a reload for the certificates that remain.
    pub(crate) fn take_over(&self, old: &Self) {
        for staple in &self.staples {
            old.staples.iter().for_each(|old| staple.take_over(old));
        }
    }

    /// Asks for what is due, a few at a time until it `is_over`, and drops what has ended; gives how long there is
    /// until something is due. Takes as long as fetches do, within their bounds.
    pub(crate) fn maintain(&self, is_over: &dyn Fn() -> bool) -> Upkeep {
        if self.staples.is_empty() {
            return Upkeep { next: None, lines: Vec::new() };
        }
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let now_unix_s = now_unix_s(self.clock.as_ref());
        let mut lines: Vec<Line> = self.staples.iter().filter_map(|staple| staple.drop_outdated(now_unix_s)).collect();
        let due: Vec<_> = self.staples.iter().filter(|staple| staple.is_due(now_unix_s)).collect();
        lines.extend(renew_all(&due, is_over, |staple| self.renew(staple, now_unix_s).into_iter().collect()));
        let next_unix_s = self.staples.iter().filter_map(|staple| staple.next_unix_s()).min();
        Upkeep { next: next_unix_s.map(|next| until(next, self.clock.as_ref())), lines }
    }

    fn renew(&self, staple: &Staple, now_unix_s: i64) -> Option<Line> {
        let (settings, fetcher) = self.asked.as_ref()?;
        let asking = Asking {
            fetcher,
            ocsp: &settings.ocsp,
            refresh_s: settings.refresh_s,
            deadline: Instant::now() + settings.fetch.timeout,
        };
        staple.renew(&asking, now_unix_s)
    }

    /// The staple of each certificate, with the results of its requests.
    pub(crate) fn sources(&self) -> Vec<SourceFacts> {
        self.staples.iter().map(|staple| staple.facts()).collect()
    }
}
