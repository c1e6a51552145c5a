//! Connections that fall asleep by themselves: the list that the maintenance of a context looks through.
//!
//! The way of a record is not touched. A look compares the count of moved records with that of the look before. A
//! connection belongs to the thread that uses it: its owner admits a look between two calls alone ([`IdleVisit`]).

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::connection::Connection;
use crate::error::{Code, Error, Result};

/// The most that a connection can be idle before it sleeps: a day.
pub(crate) const SLEEP_AFTER_MAX_S: u32 = 86_400;

/// The connections that are looked at before other threads get a turn: some tens of microseconds.
const BATCH: usize = 64;

/// The most tries of [`pause`] that a sweep spends between two batches on threads that wait: about two milliseconds.
const TRIES_BETWEEN_BATCHES: u32 = 220;

/// Passes the connection of a key to the function if no call is under way on it, and does nothing otherwise.
///
/// Calls that begin meanwhile must wait for the end of the visit, about a microsecond. The visit must not wait for a
/// call, and takes locks by `try_lock` only. It must not fork, or call [`watch_idle`](crate::Context::watch_idle) or
/// [`maintain`](crate::Context::maintain). It must not drop an [`IdlePlace`], or make or free a connection of the C
/// interface, which has one.
pub type IdleVisit = fn(u64, &mut dyn FnMut(&mut Connection));

/// The connections of one context that fall asleep by themselves.
pub(crate) struct IdleList {
    after_s: u32,
    /// By the numbers of the connections. Locked inside the [`Gate`] alone.
    entries: Mutex<BTreeMap<u64, Entry>>,
}

struct Entry {
    key: u64,
    visit: IdleVisit,
    seen: Seen,
}

/// The state of a connection as the last looks have found it.
#[derive(Clone, Copy)]
struct Seen {
    /// The count of moved records.
    records: u32,
    /// The time of the first look that found this count.
    since_s: u32,
}

/// The place of a connection in the list of its context. Its visits have ended when the place has been dropped.
///
/// Drop it under no lock that a visit takes, and not in a visit.
pub struct IdlePlace {
    list: Arc<IdleList>,
    number: u64,
}

impl fmt::Debug for IdlePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdlePlace").field("number", &self.number).finish_non_exhaustive()
    }
}

impl Drop for IdlePlace {
    fn drop(&mut self) {
        let _gate = Gate::enter();
        self.list.lock().remove(&self.number);
    }
}

impl IdleList {
    /// Makes a list of connections that sleep after this time without a record.
    ///
    /// # Errors
    /// `INTERNAL` if the system has no memory for the hooks of fork(2).
    pub(crate) fn new(after_s: u32) -> Result<Self> {
        Gate::prepare_for_fork()?;
        Ok(Self { after_s, entries: Mutex::default() })
    }

    /// Enters the connection of this number.
    pub(crate) fn enter(self: &Arc<Self>, number: u64, key: u64, visit: IdleVisit) -> IdlePlace {
        let _gate = Gate::enter();
        self.lock().insert(number, Entry { key, visit, seen: Seen::NOTHING });
        IdlePlace { list: Arc::clone(self), number }
    }

    /// Looks at each connection once, and lets those sleep that are idle. Returns the time until the next sweep.
    pub(crate) fn sweep(&self, now_s: u64, is_over: &dyn Fn() -> bool) -> Duration {
        let mut from = 0;
        while let Some(next) = self.look_from(from, now_s as u32) {
            if is_over() {
                break;
            }
            from = next;
            let_others_in();
        }
        Duration::from_secs(u64::from(self.after_s / 2).max(1))
    }

    /// Looks at some connections from this number on. Returns the number to continue with; none at the end.
    fn look_from(&self, from: u64, now_s: u32) -> Option<u64> {
        let _gate = Gate::enter();
        let mut entries = self.lock();
        let looked = entries.range_mut(from..).take(BATCH).map(|(number, entry)| {
            entry.look(now_s, self.after_s);
            *number
        });
        looked.last()?.checked_add(1)
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn look(&mut self, now_s: u32, after_s: u32) {
        let (seen, mut is_seen) = (&mut self.seen, false);
        (self.visit)(self.key, &mut |connection| {
            is_seen = true;
            if seen.is_idle(connection.records_moved(), now_s, after_s) {
                connection.sleep();
            }
        });
        if !is_seen {
            // A connection in a call is in use.
            self.seen.since_s = now_s;
        }
    }
}

impl Seen {
    /// A connection that no look has found.
    const NOTHING: Self = Self { records: u32::MAX, since_s: 0 };

    /// Takes the count of a look. Returns true if it has been the same for this time.
    fn is_idle(&mut self, records: u32, now_s: u32, after_s: u32) -> bool {
        if self.records != records {
            *self = Self { records, since_s: now_s };
        }
        // A clock that is set back makes the time long, which lets a connection sleep too early and does no harm.
        now_s.wrapping_sub(self.since_s) >= after_s
    }
}

/// The right to use the lists and to visit connections, of one thread at a time. fork(2) waits for it: a child has no
/// list that is half changed and no connection that another thread visits.
struct Gate {
    /// False in the hooks of fork(2) that others have registered: this thread keeps the gate shut until they have run.
    opens: bool,
}

static IS_SHUT: AtomicBool = AtomicBool::new(false);

/// The threads that wait for the gate. A sweep lets them in between two batches.
static WAITING: AtomicU32 = AtomicU32::new(0);

thread_local! {
    /// The calls of [`before_fork`] on this thread without their [`after_fork`]. The gate is shut while there are any.
    static FORKS: Cell<u32> = const { Cell::new(0) };
}

impl Gate {
    fn enter() -> Self {
        let opens = FORKS.get() == 0;
        if opens {
            shut();
        }
        Self { opens }
    }

    #[allow(unsafe_code)]
    fn prepare_for_fork() -> Result<()> {
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
}

impl Drop for Gate {
    fn drop(&mut self) {
        if self.opens {
            open();
        }
    }
}

fn shut() {
    if !IS_SHUT.swap(true, Ordering::Acquire) {
        return;
    }
    WAITING.fetch_add(1, Ordering::Relaxed);
    let mut tries = 0;
    while IS_SHUT.swap(true, Ordering::Acquire) {
        pause(&mut tries);
    }
    WAITING.fetch_sub(1, Ordering::Relaxed);
}

fn open() {
    IS_SHUT.store(false, Ordering::Release);
}

/// Gives the threads that wait for the gate a turn. A waiting thread may sleep, and a sweep would overtake it.
fn let_others_in() {
    thread::yield_now();
    let mut tries = 0;
    while tries < TRIES_BETWEEN_BATCHES && WAITING.load(Ordering::Relaxed) > 0 {
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
        shut();
    }
    FORKS.set(forks.saturating_add(1));
}

extern "C" fn after_fork() {
    match FORKS.get() {
        // The hooks were registered during this fork: their first part has not run.
        0 => {}
        1 => {
            FORKS.set(0);
            open();
        }
        forks => FORKS.set(forks - 1),
    }
}

extern "C" fn after_fork_in_child() {
    // The child does not have the threads that wait.
    WAITING.store(0, Ordering::Relaxed);
    after_fork();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connection_is_idle_after_its_time_without_a_record_and_not_before() {
        let mut seen = Seen::NOTHING;
        for (records, now_s, is_idle) in [
            (0, 1000, false),
            (0, 1059, false),
            (0, 1060, true),
            (0, 1090, true),
            // A record moves, and the time begins anew.
            (1, 1120, false),
            (2, 1180, false),
            (2, 1239, false),
            (2, 1240, true),
        ] {
            assert_eq!(seen.is_idle(records, now_s, 60), is_idle, "{records} records at {now_s}");
        }
    }

    #[test]
    fn count_and_clock_that_begin_again_let_a_connection_sleep_early_at_worst() {
        let mut seen = Seen { records: u32::MAX - 1, since_s: u32::MAX - 10 };
        assert!(!seen.is_idle(3, u32::MAX, 60));
        assert!(!seen.is_idle(3, 10, 60) && seen.is_idle(3, 59, 60));
        assert!(seen.is_idle(3, u32::MAX - 100, 60));
    }

    #[test]
    fn each_connection_is_visited_once_in_a_sweep_and_none_after_its_place_was_dropped() {
        static VISITS: Mutex<Vec<u64>> = Mutex::new(Vec::new());
        fn visits() -> Vec<u64> {
            std::mem::take(&mut VISITS.lock().unwrap())
        }
        let list = Arc::new(IdleList::new(7).unwrap());
        let visit: IdleVisit = |key, _| VISITS.lock().unwrap().push(key);
        let count = 3 * BATCH as u64 + 1;
        let mut places: Vec<_> = (1..=count).map(|number| list.enter(number, 10 * number, visit)).collect();
        assert_eq!(list.sweep(1000, &|| false), Duration::from_secs(3));
        assert_eq!(visits(), (1..=count).map(|number| 10 * number).collect::<Vec<_>>());
        places.retain(|place| place.number % 100 == 0);
        list.sweep(1000, &|| false);
        assert_eq!(visits(), [1000]);
        drop(places);
        list.sweep(1000, &|| false);
        assert!(visits().is_empty() && list.is_empty());
        // The highest number is the last.
        let _last = list.enter(u64::MAX, 1, visit);
        list.sweep(1000, &|| false);
        assert_eq!(visits(), [1]);
    }

    #[test]
    fn thread_in_a_fork_can_enter_the_gate_and_keeps_others_out_until_the_last_hook() {
        static IS_IN: AtomicBool = AtomicBool::new(false);
        let list = Arc::new(IdleList::new(1).unwrap());
        let place = list.enter(1, 1, |_, _| {});
        before_fork();
        // Hooks that were registered twice run twice.
        before_fork();
        let other = thread::spawn(|| {
            let _gate = Gate::enter();
            IS_IN.store(true, Ordering::SeqCst);
        });
        let mut tries = 0;
        while WAITING.load(Ordering::Relaxed) == 0 {
            pause(&mut tries);
        }
        drop(place);
        let places = [2, 3].map(|number| list.enter(number, number, |_, _| {}));
        assert_eq!(list.sweep(0, &|| false), Duration::from_secs(1));
        after_fork();
        drop(places);
        drop(Gate::enter());
        assert!(IS_SHUT.load(Ordering::SeqCst) && !IS_IN.load(Ordering::SeqCst));
        after_fork();
        other.join().unwrap();
        assert!(IS_IN.load(Ordering::SeqCst) && list.is_empty());
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
    fn sweep_ends_although_a_thread_waits_that_never_gets_its_turn() {
        let list = Arc::new(IdleList::new(1).unwrap());
        let places: Vec<_> = (1..=3 * BATCH as u64).map(|number| list.enter(number, number, |_, _| {})).collect();
        WAITING.fetch_add(1, Ordering::Relaxed);
        list.sweep(0, &|| false);
        WAITING.fetch_sub(1, Ordering::Relaxed);
        drop(places);
    }

    #[test]
    fn sweep_ends_early_when_its_context_is_over() {
        let list = Arc::new(IdleList::new(1).unwrap());
        let places: Vec<_> = (1..=5 * BATCH as u64).map(|number| list.enter(number, number, |_, _| {})).collect();
        let asked = Cell::new(0);
        let is_over = || {
            asked.set(asked.get() + 1);
            asked.get() == 2
        };
        assert_eq!(list.sweep(0, &is_over), Duration::from_secs(1));
        assert_eq!(asked.get(), 2);
        drop(places);
    }
}
