//! fork(2) beside threads. A child has the thread that forks alone, and waits forever for what another one holds.
//!
//! Two kinds of work are over before a process forks: what one thread does at a time inside the [`Gate`], and the
//! [`Work`] of many threads at a time.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use crate::error::{Code, Error, Result};

/// The most tries of [`pause`] that a thread in the gate spends on threads that wait: about two milliseconds.
const TRIES_FOR_OTHERS: u32 = 220;

static IS_SHUT: AtomicBool = AtomicBool::new(false);

/// The threads that wait for the gate. A sweep lets them in between two batches.
static WAITING: AtomicU32 = AtomicU32::new(0);

/// True while a thread waits for the end of all work, and then forks.
static IS_WORK_HELD: AtomicBool = AtomicBool::new(false);

/// The threads with work under way.
static WORKING: AtomicU32 = AtomicU32::new(0);

thread_local! {
    /// The calls of [`before_fork`] on this thread without their [`after_fork`]. The gate is shut while there are any.
    static FORKS: Cell<u32> = const { Cell::new(0) };

    /// The work under way on this thread.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Makes every later fork(2) of the process wait for the gate and for work. Calls after the first do nothing.
///
/// # Errors
/// `INTERNAL` if the system has no memory for the hooks.
#[allow(unsafe_code)]
pub(crate) fn prepare() -> Result<()> {
    static IS_PREPARED: AtomicBool = AtomicBool::new(false);
    if IS_PREPARED.load(Ordering::Acquire) {
        return Ok(());
    }
    // Two threads can register the hooks at the same time. Hooks that run twice do no harm: they count.
    // SAFETY: the hooks only change variables without a destructor, and wait.
    match unsafe { libc::pthread_atfork(Some(before_fork), Some(after_fork), Some(after_fork_in_child)) } {
        0 => {
            IS_PREPARED.store(true, Ordering::Release);
            Ok(())
        }
        _ => Err(Error::new(Code::Internal, "no memory for the hooks of fork")),
    }
}

/// The right to use what one thread at a time may change. A fork waits for it.
pub(crate) struct Gate {
    /// False in the hooks of fork(2) that others have registered: this thread keeps the gate shut until they have run.
    opens: bool,
}

impl Gate {
    /// Waits for the gate. A thread in a fork has it already.
    pub(crate) fn enter() -> Self {
        let opens = FORKS.get() == 0;
        if opens {
            shut();
        }
        Self { opens }
    }

    /// Gives the threads that wait for the gate a turn. A waiting thread may sleep, and this one would overtake it.
    pub(crate) fn let_others_in() {
        thread::yield_now();
        let mut tries = 0;
        while tries < TRIES_FOR_OTHERS && WAITING.load(Ordering::Relaxed) > 0 {
            pause(&mut tries);
        }
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        if self.opens {
            open();
        }
    }
}

/// Short work that takes a lock of an outside library, of many threads at a time. A fork waits for its end.
///
/// It must not call back, wait for another thread, or enter the [`Gate`].
pub(crate) struct Work(());

impl Work {
    /// Waits while another thread forks. Inside other work of this thread it does not wait.
    pub(crate) fn begin() -> Self {
        let depth = DEPTH.get();
        DEPTH.set(depth + 1);
        if depth == 0 {
            WORKING.fetch_add(1, Ordering::SeqCst);
            while IS_WORK_HELD.load(Ordering::SeqCst) && FORKS.get() == 0 {
                WORKING.fetch_sub(1, Ordering::SeqCst);
                wait_while(|| IS_WORK_HELD.load(Ordering::Relaxed));
                WORKING.fetch_add(1, Ordering::SeqCst);
            }
        }
        Self(())
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        let depth = DEPTH.get() - 1;
        if depth == 0 {
            WORKING.fetch_sub(1, Ordering::SeqCst);
        }
        // Last: a signal handler that forks here must not wait for this thread.
        DEPTH.set(depth);
    }
}

fn shut() {
    if !IS_SHUT.swap(true, Ordering::Acquire) {
        return;
    }
    WAITING.fetch_add(1, Ordering::Relaxed);
    wait_while(|| IS_SHUT.swap(true, Ordering::Acquire));
    WAITING.fetch_sub(1, Ordering::Relaxed);
}

fn open() {
    IS_SHUT.store(false, Ordering::Release);
}

/// Waits for the work of other threads. A signal handler may fork in the middle of work of this one.
fn hold_work() {
    IS_WORK_HELD.store(true, Ordering::SeqCst);
    wait_while(|| WORKING.load(Ordering::SeqCst) > own_work());
}

/// The part of this thread in [`WORKING`].
fn own_work() -> u32 {
    u32::from(DEPTH.get() > 0)
}

fn wait_while(is_so: impl Fn() -> bool) {
    let mut tries = 0;
    while is_so() {
        pause(&mut tries);
    }
}

/// Waits for a thread that needs some microseconds, if it has a core.
pub(crate) fn pause(tries: &mut u32) {
    match *tries {
        0..100 => std::hint::spin_loop(),
        100..200 => thread::yield_now(),
        _ => thread::sleep(Duration::from_micros(50)),
    }
    *tries = tries.saturating_add(1);
}

extern "C" fn before_fork() {
    let forks = FORKS.get();
    if forks == 0 {
        // In this order: a thread in the gate may have work to do.
        shut();
        hold_work();
    }
    FORKS.set(forks.saturating_add(1));
}

extern "C" fn after_fork() {
    match FORKS.get() {
        // The hooks were registered during this fork: their first part has not run.
        0 => {}
        1 => {
            FORKS.set(0);
            IS_WORK_HELD.store(false, Ordering::SeqCst);
            open();
        }
        forks => FORKS.set(forks - 1),
    }
}

extern "C" fn after_fork_in_child() {
    // The child does not have the threads that wait, nor those that were about to work.
    WAITING.store(0, Ordering::Relaxed);
    WORKING.store(own_work(), Ordering::Relaxed);
    after_fork();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thread_in_a_fork_can_enter_the_gate_and_keeps_others_out_until_the_last_hook() {
        static IS_IN: AtomicBool = AtomicBool::new(false);
        before_fork();
        // Hooks that were registered twice run twice.
        before_fork();
        let other = thread::spawn(|| {
            let _gate = Gate::enter();
            IS_IN.store(true, Ordering::SeqCst);
        });
        wait_while(|| WAITING.load(Ordering::Relaxed) == 0);
        drop(Gate::enter());
        after_fork();
        drop(Gate::enter());
        assert!(IS_SHUT.load(Ordering::SeqCst) && !IS_IN.load(Ordering::SeqCst));
        after_fork();
        other.join().unwrap();
        assert!(IS_IN.load(Ordering::SeqCst));
    }

    #[test]
    fn second_part_of_a_hook_without_the_first_does_not_open_the_gate() {
        let gate = Gate::enter();
        after_fork();
        assert!(gate.opens && IS_SHUT.load(Ordering::SeqCst));
        drop(gate);
        before_fork();
        assert!(!Gate::enter().opens && IS_SHUT.load(Ordering::SeqCst));
        after_fork();
        assert!(Gate::enter().opens);
    }

    #[test]
    fn thread_in_the_gate_stops_waiting_for_one_that_never_gets_its_turn() {
        WAITING.fetch_add(1, Ordering::Relaxed);
        Gate::let_others_in();
        WAITING.fetch_sub(1, Ordering::Relaxed);
    }

    #[test]
    fn fork_waits_for_work_and_work_that_begins_meanwhile_waits_for_the_fork() {
        static IS_FORKING: AtomicBool = AtomicBool::new(false);
        static HAS_WORKED: AtomicBool = AtomicBool::new(false);
        let (outer, inner) = (Work::begin(), Work::begin());
        let forking = thread::spawn(|| {
            before_fork();
            IS_FORKING.store(true, Ordering::SeqCst);
            // The hooks of others may work on this thread.
            drop(Work::begin());
            let other = thread::spawn(|| {
                drop(Work::begin());
                HAS_WORKED.store(true, Ordering::SeqCst);
            });
            thread::sleep(Duration::from_millis(20));
            assert!(!HAS_WORKED.load(Ordering::SeqCst));
            after_fork();
            other.join().unwrap();
        });
        wait_while(|| !IS_WORK_HELD.load(Ordering::SeqCst));
        drop(inner);
        thread::sleep(Duration::from_millis(20));
        assert!(!IS_FORKING.load(Ordering::SeqCst));
        drop(outer);
        forking.join().unwrap();
        assert!(HAS_WORKED.load(Ordering::SeqCst));
    }

    #[test]
    fn thread_that_forks_in_the_middle_of_its_own_work_does_not_wait_for_itself() {
        let work = Work::begin();
        before_fork();
        after_fork();
        drop(work);
        drop(Work::begin());
    }
}
