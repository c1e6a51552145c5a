//! Maintenance of a context: it renews fetched lists, responses and staples when the caller asks for it.

use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::error::{Code, Error, Result};
use crate::revocation::{Line, Remote, Revocation, SourceFacts};

use super::Context;

/// The longest time between two calls of [`Context::maintain`]: a handshake may fetch content that is due earlier.
const LONGEST_REST: Duration = Duration::from_secs(60);
const SHORTEST_REST: Duration = Duration::from_secs(1);

/// The longest time between two sweeps of the connections without new content. A sweep also marks the fetched content
/// about their peers as used.
const SWEEP_EVERY_S: u64 = 600;

/// The thread of a context, and its end.
#[derive(Debug, Default)]
pub(super) struct Maintenance {
    is_over: AtomicBool,
    state: Mutex<State>,
    changed: Condvar,
    last_sweep: Mutex<Sweep>,
}

/// The state at the last sweep of the connections.
#[derive(Clone, Copy, Debug, Default)]
struct Sweep {
    arrivals: u64,
    unix_s: u64,
}

#[derive(Debug, Default)]
struct State {
    thread: Option<Thread>,
    /// Returns true if the rest may be interrupted.
    is_woken: bool,
}

/// The thread of maintenance and its process. A child process does not have the thread.
#[derive(Debug)]
struct Thread {
    handle: JoinHandle<()>,
    process: u32,
}

/// A share of the users of a context. Maintenance ends with the last one.
pub(super) struct Life(Arc<Maintenance>);

impl Life {
    pub(super) fn new(maintenance: Arc<Maintenance>) -> Self {
        Self(maintenance)
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Context {
    /// Does the due work: fetches the staples of the own identities, renews lists and responses before their next
    /// update, and reports connections with revoked peers ([`crate::ContextBuilder::on_revoked`]). Returns the time
    /// until the next call, at most a minute.
    ///
    /// The call takes as long as its fetches, so do not make it on a thread that serves connections. It starts a few
    /// threads, which have ended when it returns. Any thread may call it at any time; earlier calls do no harm. A
    /// context that fetches also works without it, but handshakes then wait for expired content. Staples are fetched
    /// here only.
    pub fn maintain(&self) -> Duration {
        // Staples come first: every peer may want one.
        let is_over = || self.shared.maintenance.is_over();
        let staples = self.generation().staples.maintain(&is_over);
        self.write(&staples.lines);
        let lists = self.shared.remote.as_ref().and_then(|remote| {
            let lists = remote.maintain(&is_over);
            self.write(&lists.lines);
            self.sweep_if_due(remote);
            lists.next
        });
        let staples = staples.next;
        let next = staples.into_iter().chain(lists).min();
        next.map_or(LONGEST_REST, |next| next.clamp(SHORTEST_REST, LONGEST_REST))
    }

    /// Logs the results of the upkeep without a lock, until the context ends.
    fn write(&self, lines: &[Line]) {
        for (level, line) in lines.iter().take_while(|_| !self.shared.maintenance.is_over()) {
            self.shared.spec.log.write(*level, line);
        }
    }

    fn sweep_if_due(&self, remote: &Remote) {
        let now = self.shared.spec.clock.current_time().map_or(0, |now| now.as_secs());
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
            .spawn(move || context.shared.maintenance.run(&context));
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

impl State {
    /// Returns true if this process has a thread. A thread of the parent process is forgotten without being touched.
    fn has_thread(&mut self) -> bool {
        let is_inherited = self.thread.as_ref().is_some_and(|thread| thread.process != process::id());
        if is_inherited {
            std::mem::forget(self.thread.take());
        }
        self.thread.is_some()
    }
}

impl Maintenance {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, context: &Context) {
        while !self.is_over() {
            let rest = context.maintain();
            let is_idle = |state: &mut State| !self.is_over() && !state.is_woken;
            let waited = self.changed.wait_timeout_while(self.lock(), rest, is_idle);
            waited.unwrap_or_else(PoisonError::into_inner).0.is_woken = false;
        }
    }

    /// Returns true if the context has ended. A callback of this thread may have dropped it.
    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    /// Wakes the thread, if there is one, to check for due work.
    pub(super) fn wake(&self) {
        self.lock().is_woken = true;
        self.changed.notify_all();
    }

    /// Ends the thread, if there is one, and waits for it. It does not wait on that thread itself or in a child
    /// process.
    fn end(&self) {
        let thread = {
            let mut state = self.lock();
            self.is_over.store(true, Ordering::Release);
            state.thread.take()
        };
        self.changed.notify_all();
        let Some(Thread { handle, process }) = thread else { return };
        if process != process::id() {
            // The thread belongs to the parent process and must not be touched.
            std::mem::forget(handle);
        } else if handle.thread().id() != thread::current().id() {
            // The thread has ended, also after a panic.
            let _ = handle.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thread_of_the_parent_is_not_taken_for_one_of_a_child() {
        let mut state = State::default();
        assert!(!state.has_thread());
        for (process, has_one) in [(process::id(), true), (process::id().wrapping_add(1), false)] {
            state.thread = Some(Thread { handle: thread::spawn(|| {}), process });
            assert_eq!(state.has_thread(), has_one);
            assert_eq!(state.thread.is_some(), has_one);
        }
    }
}
