//! What a context does beside its connections: it keeps what was fetched fresh. Only when it is told to.

use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::error::{Code, Error, Result};
use crate::revocation::{Line, Remote, Revocation, SourceFacts};

use super::Context;

/// The longest time until [`Context::maintain`] wants to be called again: handshakes may have fetched something by then
/// that is due earlier than what there was.
const LONGEST_REST: Duration = Duration::from_secs(60);
const SHORTEST_REST: Duration = Duration::from_secs(1);

/// How long a sweep of the connections may wait where nothing new has come. It also tells what was fetched about their
/// peers that somebody still asks for it.
const SWEEP_EVERY_S: u64 = 600;

/// The thread of a context, and when it ends.
#[derive(Debug, Default)]
pub(super) struct Maintenance {
    is_over: AtomicBool,
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
    thread: Option<Thread>,
    /// Whether there may be something to do before the rest is over.
    is_woken: bool,
}

/// The thread that maintains, and the process that has it: a child of that process does not.
#[derive(Debug)]
struct Thread {
    handle: JoinHandle<()>,
    process: u32,
}

/// Held by the users of a context. Its maintenance ends with the last of them.
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

    /// Writes what upkeep has found, with nothing locked, until the context is over.
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

    /// Starts one thread that calls [`Context::maintain`] when it is due, and ends with the last clone of the context.
    /// A second call does nothing. A process that forks calls it after the fork, even if its parent did: threads stay
    /// with the parent.
    ///
    /// # Errors
    /// `INTERNAL` where the system gives no thread.
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

    /// Ends the thread of maintenance before the last clone is dropped, and waits for it as that does.
    #[cfg(feature = "capi")]
    pub(crate) fn end_maintenance(&self) {
        self.shared.maintenance.end();
    }

    /// Where knowledge of revocation comes from, and how asking went: the files, what was fetched, who was asked, about
    /// peers and for staples.
    pub fn revocation_sources(&self) -> Vec<SourceFacts> {
        let generation = self.generation();
        let mut sources = generation.parts.judge.revocation().map(Revocation::sources).unwrap_or_default();
        sources.extend(generation.staples.sources());
        sources
    }

    /// How many certificates were accepted since the last reload though nobody knew whether they are revoked.
    pub fn revocation_unknown_accepted(&self) -> u64 {
        let generation = self.generation();
        generation.parts.judge.revocation().map_or(0, Revocation::unknown_accepted)
    }
}

impl State {
    /// Returns true if this process has a thread. One of the parent's is forgotten: nothing of it may be touched here.
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

    /// Returns true if the context is no longer in use. A callback of this thread may have dropped it.
    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    /// Has the thread look at once whether something is due, if there is one.
    pub(super) fn wake(&self) {
        self.lock().is_woken = true;
        self.changed.notify_all();
    }

    /// Has the thread end, if there is one, and waits for it; not on that thread itself, nor in a child process.
    fn end(&self) {
        let thread = {
            let mut state = self.lock();
            self.is_over.store(true, Ordering::Release);
            state.thread.take()
        };
        self.changed.notify_all();
        let Some(Thread { handle, process }) = thread else { return };
        if process != process::id() {
            // The parent has this thread. Nothing of it may be touched here.
            std::mem::forget(handle);
        } else if handle.thread().id() != thread::current().id() {
            // A panic has ended it as much as a return.
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
