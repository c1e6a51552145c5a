//! Connections that fall asleep by themselves: the list that the maintenance of a context looks through.
//!
//! The way of a record is not touched. A look compares the count of moved records with that of the look before. A
//! connection belongs to the thread that uses it: its owner admits a look between two calls alone ([`IdleVisit`]).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::connection::Connection;
use crate::fork::Gate;

/// The most that a connection can be idle before it sleeps: a day.
pub(crate) const SLEEP_AFTER_MAX_S: u32 = 86_400;

/// The connections that are looked at before other threads get a turn: some tens of microseconds.
const BATCH: usize = 64;

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
    pub(crate) fn new(after_s: u32) -> Self {
        Self { after_s, entries: Mutex::default() }
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
            Gate::let_others_in();
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

#[cfg(test)]
mod tests {
    use std::cell::Cell;

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
        let list = Arc::new(IdleList::new(7));
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
    fn sweep_ends_early_when_its_context_is_over() {
        let list = Arc::new(IdleList::new(1));
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
