//! The thread of maintenance: when it runs, rests and ends.

use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// The thread of a context, and its end.
#[derive(Debug, Default)]
pub(super) struct Maintenance {
    is_over: AtomicBool,
    state: Mutex<State>,
    changed: Condvar,
    pub(super) last_sweep: Mutex<Sweep>,
}

/// The state at the last sweep of the connections.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sweep {
    pub(super) arrivals: u64,
    pub(super) unix_s: u64,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) thread: Option<Thread>,
    /// True if the rest may be interrupted.
    is_woken: bool,
}

/// The thread of maintenance and its process. A child process does not have the thread.
#[derive(Debug)]
pub(super) struct Thread {
    pub(super) handle: JoinHandle<()>,
    pub(super) process: u32,
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

impl State {
    /// Returns true if this process has a thread. A thread of the parent process is forgotten without being touched.
    pub(super) fn has_thread(&mut self) -> bool {
        let is_inherited = self.thread.as_ref().is_some_and(|thread| thread.process != process::id());
        if is_inherited {
            std::mem::forget(self.thread.take());
        }
        self.thread.is_some()
    }
}

impl Maintenance {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Maintains on this thread until the context is over. `maintain` returns how long to rest.
    pub(super) fn run(&self, maintain: impl Fn() -> Duration) {
        while !self.is_over() {
            let rest = maintain();
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
    pub(super) fn end(&self) {
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
