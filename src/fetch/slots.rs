//! How many fetches run at once.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::unreachable;
use crate::error::Result;

/// Turns, given out until there are none; who waits is woken when one comes back.
#[derive(Debug)]
pub(super) struct Slots {
    taken: Mutex<usize>,
    returned: Condvar,
    max: usize,
    max_of_strangers: usize,
}

impl Slots {
    /// `max` turns, a quarter of which is kept for URLs that the operator named.
    pub(super) fn new(max: usize) -> Self {
        Self { taken: Mutex::default(), returned: Condvar::new(), max, max_of_strangers: max - max / 4 }
    }

    /// Waits for a turn, which is given back when the result is dropped.
    ///
    /// # Errors
    /// `REVOCATION_UNREACHABLE` where there is none at `deadline`.
    pub(super) fn take(&self, is_configured: bool, deadline: Instant) -> Result<Slot<'_>> {
        let max = if is_configured { self.max } else { self.max_of_strangers };
        let mut taken = self.lock();
        while *taken >= max {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(unreachable(format!("no turn in time: {max} other fetches are running")));
            }
            taken = self.returned.wait_timeout(taken, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        *taken += 1;
        Ok(Slot(self))
    }

    /// A number cannot be left half changed, so a panic elsewhere does not matter.
    fn lock(&self) -> MutexGuard<'_, usize> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One turn.
#[derive(Debug)]
pub(super) struct Slot<'a>(&'a Slots);

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        *self.0.lock() -= 1;
        // All, because not everyone may take this one.
        self.0.returned.notify_all();
    }
}
