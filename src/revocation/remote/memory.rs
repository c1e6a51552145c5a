//! The cache of fetched content: slots by key, with a schedule. Each value is fetched once for all that wait for it.
//!
//! Times of the schedule are of the context's clock; deadlines are of this machine's.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::error::{Code, Error, Result};

/// The first pause after a failure, which doubles with each further one up to the longest.
const FIRST_PAUSE_S: i64 = 5;
const LONGEST_PAUSE_S: i64 = 300;
/// The period of fetches for content without a next update.
const DEFAULT_PERIOD_S: i64 = 3600;
/// The shortest time until a value is renewed.
const SHORTEST_PERIOD_S: i64 = 10;
/// The time after which unused content is dropped.
const KEEP_UNUSED_S: i64 = 24 * 3600;

/// Values by key; a bounded number, those unused for longest go first.
pub(crate) struct MemoryCache<T> {
    slots: Mutex<HashMap<String, Slot<T>>>,
    arrived: Condvar,
    most: usize,
    renews: Renews,
}

/// The values that are renewed before a request for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Renews {
    /// All that are kept, and those too that could not be had yet: what takes longer than a handshake may wait.
    All,
    /// Those that were asked for since they were had.
    Used,
}

struct Slot<T> {
    value: Option<Arc<T>>,
    is_fetching: bool,
    last_used_unix_s: i64,
    schedule: Schedule,
}

/// The times of the last success and of the next request, and the failures.
#[derive(Clone, Debug, Default)]
pub(crate) struct Schedule {
    pub(crate) last_success_unix_s: Option<i64>,
    pub(crate) next_unix_s: i64,
    /// All failures there were.
    pub(crate) failures: u64,
    pub(crate) last_error: Option<Error>,
    failures_in_row: u32,
}

/// The result of a fetch.
pub(crate) struct Renewal<T> {
    pub(crate) value: Arc<T>,
    /// The time of the next request.
    pub(crate) next_unix_s: i64,
    /// The fault of a kept value, e.g. that it is out of date. It counts as a failure.
    pub(crate) complaint: Option<Error>,
}

/// The value after all attempts, and the error.
pub(crate) struct Outcome<T> {
    pub(crate) value: Option<Arc<T>>,
    pub(crate) error: Option<Error>,
}

impl<T> fmt::Debug for MemoryCache<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryCache").field("slots", &self.lock().len()).finish_non_exhaustive()
    }
}

impl<T> MemoryCache<T> {
    /// At most so many values.
    pub(crate) fn new(most: usize, renews: Renews) -> Self {
        Self { slots: Mutex::default(), arrived: Condvar::new(), most, renews }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Slot<T>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns true if a value is cached or being fetched.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// The cached value, usable or not. It never waits.
    pub(crate) fn known(&self, key: &str, now_unix_s: i64) -> Option<Arc<T>> {
        let mut slots = self.lock();
        let slot = slots.get_mut(key)?;
        slot.last_used_unix_s = now_unix_s;
        slot.value.clone()
    }

    /// Every cached value that fits. It never waits.
    pub(crate) fn those(&self, now_unix_s: i64, is_wanted: impl Fn(&T) -> bool) -> Vec<Arc<T>> {
        let mut slots = self.lock();
        let wanted = slots.values_mut().filter_map(|slot| {
            let value = slot.value.as_ref().filter(|value| is_wanted(value))?;
            slot.last_used_unix_s = now_unix_s;
            Some(Arc::clone(value))
        });
        wanted.collect()
    }

    /// Every key with its value and schedule.
    pub(crate) fn all(&self) -> Vec<(String, Option<Arc<T>>, Schedule)> {
        let slots = self.lock();
        slots.iter().map(|(key, slot)| (key.clone(), slot.value.clone(), slot.schedule.clone())).collect()
    }

    /// Returns the cached value if it can be used, and otherwise the result of `fetch`, which gets the cached value.
    /// While one caller fetches, others wait until their deadline. After a failure, there is no fetch until its pause
    /// is over.
    pub(crate) fn get(
        &self,
        key: &str,
        now_unix_s: i64,
        deadline: Instant,
        serves: impl Fn(&T) -> bool,
        fetch: impl FnOnce(Option<Arc<T>>) -> Result<Renewal<T>>,
    ) -> Outcome<T> {
        let mut slots = self.lock();
        loop {
            if let Err(error) = self.make_room(&mut slots, key) {
                return Outcome { value: None, error: Some(error) };
            }
            let slot = slots.entry(key.to_owned()).or_insert_with(|| Slot::new(now_unix_s));
            slot.last_used_unix_s = now_unix_s;
            if slot.value.as_deref().is_some_and(&serves) {
                return Outcome { value: slot.value.clone(), error: None };
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if !slot.is_fetching {
                if let Some(error) = slot.schedule.pause(now_unix_s) {
                    return Outcome { value: slot.value.clone(), error: Some(error) };
                }
                if !left.is_zero() {
                    slot.is_fetching = true;
                    break;
                }
            }
            // Without time left, there is no fetch: its failure would delay the fetches of others.
            if left.is_zero() {
                let error = Error::new(
                    Code::RevocationUnreachable,
                    format!("{}: no answer before the deadline", place_of(key)),
                );
                return Outcome { value: slot.value.clone(), error: Some(error) };
            }
            slots = self.arrived.wait_timeout(slots, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(slots);
        self.fly(key, now_unix_s, fetch)
    }

    /// Renews a cached value, or fetches a missing one. It does nothing if another thread fetches it.
    pub(crate) fn renew(
        &self,
        key: &str,
        now_unix_s: i64,
        fetch: impl FnOnce(Option<Arc<T>>) -> Result<Renewal<T>>,
    ) -> Option<Outcome<T>> {
        {
            let mut slots = self.lock();
            let slot = slots.get_mut(key).filter(|slot| !slot.is_fetching)?;
            slot.is_fetching = true;
        }
        Some(self.fly(key, now_unix_s, fetch))
    }

    /// Runs a fetch for a marked slot. The mark ends with it, also after a failure.
    fn fly(&self, key: &str, now_unix_s: i64, fetch: impl FnOnce(Option<Arc<T>>) -> Result<Renewal<T>>) -> Outcome<T> {
        let flight = Flight { kept: self, key };
        let old = self.lock().get(key).and_then(|slot| slot.value.clone());
        let fetched = fetch(old);
        let outcome = match self.lock().get_mut(key) {
            Some(slot) => slot.settle(fetched, now_unix_s),
            None => Outcome { value: None, error: None },
        };
        drop(flight);
        outcome
    }

    /// The keys of the values to renew.
    pub(crate) fn due(&self, now_unix_s: i64) -> Vec<String> {
        let slots = self.lock();
        let due =
            slots.iter().filter(|(_, slot)| slot.is_renewed(self.renews) && slot.schedule.next_unix_s <= now_unix_s);
        due.map(|(key, _)| key.clone()).collect()
    }

    /// The time of the next renewal.
    pub(crate) fn next_unix_s(&self) -> Option<i64> {
        let slots = self.lock();
        slots.values().filter(|slot| slot.is_renewed(self.renews)).map(|slot| slot.schedule.next_unix_s).min()
    }

    /// Drops values that were not used for a day.
    pub(crate) fn drop_unused(&self, now_unix_s: i64) {
        self.lock()
            .retain(|_, slot| slot.is_fetching || now_unix_s.saturating_sub(slot.last_used_unix_s) < KEEP_UNUSED_S);
    }

    fn make_room(&self, slots: &mut HashMap<String, Slot<T>>, key: &str) -> Result<()> {
        if slots.contains_key(key) || slots.len() < self.most {
            return Ok(());
        }
        let idle = slots.iter().filter(|(_, slot)| !slot.is_fetching);
        // What could not be had gives way before what was.
        let oldest = idle.min_by_key(|(_, slot)| (slot.value.is_some(), slot.last_used_unix_s));
        let oldest = oldest.map(|(key, _)| key.clone());
        let refusal = || {
            Error::new(
                Code::RevocationUnreachable,
                format!("{}: {} others are asked already", place_of(key), self.most),
            )
        };
        slots.remove(&oldest.ok_or_else(refusal)?);
        Ok(())
    }
}

/// The mark of a fetch in progress, which ends with its scope.
struct Flight<'a, T> {
    kept: &'a MemoryCache<T>,
    key: &'a str,
}

impl<T> Drop for Flight<'_, T> {
    fn drop(&mut self) {
        if let Some(slot) = self.kept.lock().get_mut(self.key) {
            slot.is_fetching = false;
        }
        self.kept.arrived.notify_all();
    }
}

impl<T> Slot<T> {
    fn new(now_unix_s: i64) -> Self {
        Self { value: None, is_fetching: false, last_used_unix_s: now_unix_s, schedule: Schedule::default() }
    }

    fn is_renewed(&self, renews: Renews) -> bool {
        let is_used = self.schedule.last_success_unix_s.is_none_or(|success| success <= self.last_used_unix_s);
        let is_wanted = match renews {
            Renews::All => true,
            Renews::Used => self.value.is_some() && is_used,
        };
        is_wanted && !self.is_fetching
    }

    fn settle(&mut self, fetched: Result<Renewal<T>>, now_unix_s: i64) -> Outcome<T> {
        let error = match fetched {
            Ok(Renewal { value, next_unix_s, complaint }) => {
                self.value = Some(value);
                match &complaint {
                    None => self.schedule.succeed(now_unix_s, next_unix_s),
                    Some(complaint) => self.schedule.fail(now_unix_s, complaint),
                }
                complaint
            }
            Err(error) => {
                self.schedule.fail(now_unix_s, &error);
                Some(error)
            }
        };
        Outcome { value: self.value.clone(), error }
    }
}

impl Schedule {
    /// The last error, while it is too early to try again.
    fn pause(&self, now_unix_s: i64) -> Option<Error> {
        if self.failures_in_row == 0 || now_unix_s >= self.next_unix_s {
            return None;
        }
        self.last_error.clone()
    }

    /// Takes in another one: the last success, the first refresh, all failures.
    pub(crate) fn join(&mut self, other: &Self) {
        let is_first = self.next_unix_s == 0;
        self.next_unix_s = if is_first { other.next_unix_s } else { self.next_unix_s.min(other.next_unix_s) };
        self.last_success_unix_s = self.last_success_unix_s.max(other.last_success_unix_s);
        self.failures = self.failures.saturating_add(other.failures);
        self.last_error = self.last_error.take().or_else(|| other.last_error.clone());
    }

    pub(crate) fn succeed(&mut self, now_unix_s: i64, next_unix_s: i64) {
        self.last_success_unix_s = Some(now_unix_s);
        self.next_unix_s = next_unix_s;
        self.failures_in_row = 0;
        self.last_error = None;
    }

    pub(crate) fn fail(&mut self, now_unix_s: i64, error: &Error) {
        let doublings = self.failures_in_row.min(16);
        let pause_s = (FIRST_PAUSE_S << doublings).min(LONGEST_PAUSE_S);
        self.next_unix_s = now_unix_s.saturating_add(pause_s).saturating_add(jitter_s(pause_s / 4));
        self.failures_in_row = self.failures_in_row.saturating_add(1);
        self.failures = self.failures.saturating_add(1);
        self.last_error = Some(error.clone());
    }
}

/// The time to renew a value that was fetched now: well before its next update, and once in the configured period. The
/// times are spread.
pub(crate) fn renewal_unix_s(now_unix_s: i64, next_update_unix_s: Option<i64>, period_s: Option<u32>) -> i64 {
    let by_update = next_update_unix_s.map(|next_update| {
        let window_s = next_update.saturating_sub(now_unix_s).max(0);
        window_s - window_s / 4 + jitter_s(window_s / 8)
    });
    let by_period = period_s.map(|period_s| i64::from(period_s) + jitter_s(i64::from(period_s) / 8));
    let rest_s = by_update.into_iter().chain(by_period).min().unwrap_or(DEFAULT_PERIOD_S);
    now_unix_s.saturating_add(rest_s.max(SHORTEST_PERIOD_S))
}

/// The URL of a key. A space and the owner of the answer follow it.
pub(crate) fn place_of(key: &str) -> &str {
    key.rsplit_once(' ').map_or(key, |(place, _)| place)
}

/// A random number of seconds up to `most_s`, so that not all processes ask at once.
fn jitter_s(most_s: i64) -> i64 {
    let mut random = [0; 4];
    // Without randomness all ask at once, which does no other harm.
    let _ = crate::random::fill(&mut random);
    i64::from(u32::from_le_bytes(random)) % most_s.max(1)
}
