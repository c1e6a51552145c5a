//! The readings of a context's sources, several of which may run at once: which of them may be put in use.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// The readings of the sources, numbered by their start.
#[derive(Debug, Default)]
pub(super) struct Readings {
    begun: AtomicU64,
    /// The number of the active reading.
    pub(super) in_use: Mutex<u64>,
}

/// The outcome of a reading.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    InUse,
    /// A later reading is active.
    Overtaken,
    /// An earlier reading became active meanwhile, and may have read later.
    Doubtful,
}

impl Outcome {
    /// Returns the outcome of a reading that began when `before` was active, now that `in_use` is.
    pub(super) fn of(number: u64, before: u64, in_use: u64) -> Self {
        match in_use {
            _ if in_use > number => Self::Overtaken,
            _ if in_use != before => Self::Doubtful,
            _ => Self::InUse,
        }
    }
}

impl Readings {
    /// Begins a reading. Returns its number and that of the active one.
    pub(super) fn begin(&self) -> (u64, u64) {
        let in_use = self.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        (self.begun.fetch_add(1, Ordering::Relaxed) + 1, *in_use)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_alone_is_put_in_use() {
        let readings = Readings::default();
        assert_eq!(readings.begin(), (1, 0));
        assert_eq!(Outcome::of(1, 0, 0), Outcome::InUse);
    }

    #[test]
    fn reading_that_a_later_one_has_overtaken_is_dropped() {
        assert_eq!(Outcome::of(1, 0, 2), Outcome::Overtaken);
    }

    #[test]
    fn reading_beside_which_an_earlier_one_came_into_use_is_made_again() {
        let readings = Readings::default();
        let ((first, _), (second, before)) = (readings.begin(), readings.begin());
        *readings.in_use.lock().unwrap() = first;
        assert_eq!(Outcome::of(second, before, first), Outcome::Doubtful);
        let (again, before) = readings.begin();
        assert_eq!(Outcome::of(again, before, first), Outcome::InUse);
    }
}
