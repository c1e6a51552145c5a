//! Upkeep of a context beside its connections: it renews what was fetched, and sweeps connections. Only when asked to.

use std::process;
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::Duration;

use crate::error::{Code, Error, Result};
use crate::idle::{IdlePlace, IdleVisit};
use crate::revocation::{Line, Remote, Revocation, SourceFacts};

use super::Context;
use super::maintenance::{Sweep, Thread};

/// The longest time between two calls of [`Context::maintain`]: a handshake may fetch content that is due earlier.
const LONGEST_REST: Duration = Duration::from_secs(60);
const SHORTEST_REST: Duration = Duration::from_secs(1);

/// The longest time between two sweeps of the connections without new content. A sweep also marks the fetched content
/// about their peers as used.
const SWEEP_EVERY_S: u64 = 600;

impl Context {
    /// Does the due work: fetches the staples of the own identities, renews lists and responses before their next
    /// update, and reports connections with revoked peers ([`crate::ContextBuilder::on_revoked`]). Puts idle
    /// connections to sleep ([`crate::ContextBuilder::sleep_after_s`]). Returns the time until the next call, at most a
    /// minute.
    ///
    /// The call takes as long as its fetches, so do not make it on a thread that serves connections. It starts a few
    /// threads, which have ended when it returns. Any thread may call it at any time; earlier calls do no harm. A
    /// context that fetches also works without it, but handshakes then wait for expired content. Staples are fetched
    /// here only.
    pub fn maintain(&self) -> Duration {
        let is_over = || self.shared.maintenance.is_over();
        let idle = self.shared.idle.as_ref().map(|idle| idle.sweep(self.now_s(), &is_over));
        // Staples come before lists: every peer may want one.
        let staples = self.generation().staples.maintain(&is_over);
        self.write(&staples.lines);
        let lists = self.shared.remote.as_ref().and_then(|remote| {
            let lists = remote.maintain(&is_over);
            self.write(&lists.lines);
            self.sweep_if_due(remote);
            lists.next
        });
        let staples = staples.next;
        let next = staples.into_iter().chain(lists).chain(idle).min();
        next.map_or(LONGEST_REST, |next| next.clamp(SHORTEST_REST, LONGEST_REST))
    }

    /// Lets [`Context::maintain`] put a connection of this context to sleep when it is idle
    /// ([`crate::ContextBuilder::sleep_after_s`]): `visit` admits it by `key`. None if connections do not sleep by
    /// themselves. The owner drops the place before the key loses its meaning, and under no lock that a visit takes.
    ///
    /// A visit takes locks by `try_lock` only. It must not fork, or call this function or [`Context::maintain`]. It
    /// must not drop a place, or make or free a connection of the C interface.
    pub fn watch_idle(&self, connection_id: u64, key: u64, visit: IdleVisit) -> Option<IdlePlace> {
        self.shared.idle.as_ref().map(|idle| idle.enter(connection_id, key, visit))
    }

    /// Returns true if no connection is left in the list of those that sleep by themselves.
    #[cfg(test)]
    pub(crate) fn watches_nothing(&self) -> bool {
        self.shared.idle.as_ref().is_none_or(|idle| idle.is_empty())
    }

    /// Logs the results of the upkeep without a lock, until the context ends.
    fn write(&self, lines: &[Line]) {
        for (level, line) in lines.iter().take_while(|_| !self.shared.maintenance.is_over()) {
            self.shared.spec.log.write(*level, line);
        }
    }

    fn now_s(&self) -> u64 {
        self.shared.spec.clock.current_time().map_or(0, |now| now.as_secs())
    }

    fn sweep_if_due(&self, remote: &Remote) {
        let now = self.now_s();
        let sweep = Sweep { arrivals: remote.arrivals(), unix_s: now };
        {
            let mut last = self.shared.maintenance.last_sweep.lock().unwrap_or_else(PoisonError::into_inner);
            if last.arrivals == sweep.arrivals && now.saturating_sub(last.unix_s) < SWEEP_EVERY_S {
                return;
            }
            *last = sweep;
        }
        self.sweep_revoked();
    }

    /// Starts a thread that calls [`Context::maintain`] when it is due. It ends with the last clone of the context. A
    /// second call does nothing. Threads do not survive a fork: the child process calls it again.
    ///
    /// # Errors
    /// `INTERNAL` if the system has no thread.
    pub fn start_maintenance(&self) -> Result<()> {
        let mut state = self.shared.maintenance.lock();
        if state.has_thread() {
            return Ok(());
        }
        let context = Self { shared: Arc::clone(&self.shared), _life: None };
        let started = thread::Builder::new()
            .name("brokertls-renew".to_owned())
            .spawn(move || context.shared.maintenance.run(|| context.maintain()));
        let handle =
            started.map_err(|error| Error::new(Code::Internal, "no thread for maintenance").with_source(error))?;
        state.thread = Some(Thread { handle, process: process::id() });
        Ok(())
    }

    /// Ends the thread of maintenance now, and waits for it.
    #[cfg(feature = "capi")]
    pub(crate) fn end_maintenance(&self) {
        self.shared.maintenance.end();
    }

    /// The revocation sources with their last results: files, fetched lists and responders, for peers and for staples.
    pub fn revocation_sources(&self) -> Vec<SourceFacts> {
        let generation = self.generation();
        let mut sources = generation.parts.judge.revocation().map(Revocation::sources).unwrap_or_default();
        sources.extend(generation.staples.sources());
        sources
    }

    /// The number of certificates accepted with an unknown revocation status since the last reload.
    pub fn revocation_unknown_accepted(&self) -> u64 {
        let generation = self.generation();
        generation.parts.judge.revocation().map_or(0, Revocation::unknown_accepted)
    }
}
