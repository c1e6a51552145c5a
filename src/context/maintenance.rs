//! What a context does beside its connections: it keeps what was fetched fresh. Only when it is told to.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use crate::error::{Code, Error, Result};
use crate::revocation::{Remote, Revocation, SourceFacts};

use super::{Context, Shared};

/// The longest time until [`Context::maintain`] wants to be called again: handshakes may have fetched something by then
/// that is due earlier than what there was.
const LONGEST_REST: Duration = Duration::from_secs(60);
const SHORTEST_REST: Duration = Duration::from_secs(1);

/// How long a sweep of the connections may wait where nothing new has come. It also tells what was fetched about their
/// peers that somebody still asks for it.
const SWEEP_EVERY_S: u64 = 600;

/// Whether the thread of a context has been started, and when it ends.
#[derive(Debug, Default)]
pub(super) struct Maintenance {
    state: Mutex<State>,
    changed: Condvar,
    last_sweep: Mutex<Sweep>,
}

/// As of when the connections were swept.
#[derive(Clone, Copy, Debug, Default)]
struct Sweep {
    arrivals: u64,
    unix_s: u64,
}

#[derive(Debug, Default)]
struct State {
    is_started: bool,
    is_over: bool,
    /// Whether there may be something to do before the rest is over.
    is_woken: bool,
}

impl Context {
    /// Does what is due: asks for the staples of the own identities, fetches lists and responses anew before their next
    /// update, and tells of connections whose peers are revoked by what came ([`crate::ContextBuilder::on_revoked`]). Takes
    /// as long as the fetches do, within their bounds, so that it is not for a thread that serves connections; a few
    /// threads are started for the fetches and have ended when it returns. May be called by any thread and at any time,
    /// earlier than necessary too.
    ///
    /// Gives how long there is until it wants to be called again, at most a minute. A context that fetches works without
    /// it, but handshakes then wait for what is out of date; staples are asked for here alone.
    pub fn maintain(&self) -> Duration {
        // What every peer may want to see comes before what a few may need.
        let staples = self.generation().staples.maintain();
        let lists = self.0.remote.as_ref().and_then(|remote| {
            let next = remote.maintain();
            self.sweep_if_due(remote);
            next
        });
        let next = staples.into_iter().chain(lists).min();
        next.map_or(LONGEST_REST, |next| next.clamp(SHORTEST_REST, LONGEST_REST))
    }

    fn sweep_if_due(&self, remote: &Remote) {
        let now = self.0.spec.clock.current_time().map_or(0, |now| now.as_secs());
        let sweep = Sweep { arrivals: remote.arrivals(), unix_s: now };
        {
            let mut last = self.0.maintenance.last_sweep.lock().unwrap_or_else(PoisonError::into_inner);
            if last.arrivals == sweep.arrivals && now.saturating_sub(last.unix_s) < SWEEP_EVERY_S {
                return;
            }
            *last = sweep;
        }
        self.sweep_revoked();
    }

    /// Starts one thread that calls [`Context::maintain`] when it is due, and ends with the context. A second call does
    /// nothing. A process that forks calls it after the fork: threads stay with the parent.
    ///
    /// # Errors
    /// `INTERNAL` where the system gives no thread.
    pub fn start_maintenance(&self) -> Result<()> {
        let mut state = self.0.maintenance.lock();
        if state.is_started {
            return Ok(());
        }
        let (shared, maintenance) = (Arc::downgrade(&self.0), Arc::clone(&self.0.maintenance));
        let started = thread::Builder::new().name("brokertls-renew".to_owned()).spawn(move || maintenance.run(&shared));
        started.map_err(|error| Error::new(Code::Internal, "no thread for maintenance").with_source(error))?;
        state.is_started = true;
        Ok(())
    }

    /// Where knowledge of revocation comes from, and how asking went: the files, what was fetched, who was asked, about
    /// peers and for staples.
    pub fn revocation_sources(&self) -> Vec<SourceFacts> {
        let generation = self.generation();
        let mut sources = generation.materials.judge.revocation().map(Revocation::sources).unwrap_or_default();
        sources.extend(generation.staples.sources());
        sources
    }

    /// How many certificates were accepted since the last reload though nobody knew whether they are revoked.
    pub fn revocation_unknown_accepted(&self) -> u64 {
        let generation = self.generation();
        generation.materials.judge.revocation().map_or(0, Revocation::unknown_accepted)
    }
}

impl Maintenance {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, shared: &Weak<Shared>) {
        loop {
            // The context must not be kept alive by its own thread.
            let Some(context) = shared.upgrade().map(Context) else { return };
            let rest = context.maintain();
            drop(context);
            let state = self.lock();
            let is_idle = |state: &mut State| !state.is_over && !state.is_woken;
            let mut state =
                self.changed.wait_timeout_while(state, rest, is_idle).unwrap_or_else(PoisonError::into_inner).0;
            if state.is_over {
                return;
            }
            state.is_woken = false;
        }
    }

    /// Has the thread look at once whether something is due, if there is one.
    pub(super) fn wake(&self) {
        self.lock().is_woken = true;
        self.changed.notify_all();
    }

    /// Has the thread end, if there is one.
    pub(super) fn end(&self) {
        self.lock().is_over = true;
        self.changed.notify_all();
    }
}
