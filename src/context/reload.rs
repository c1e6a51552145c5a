//! Reloads. Several may run at once and do not wait for each other, and the active content never becomes older.
//!
//! No lock is held while sources are read, because that calls the password callback and the log.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::Result;
use crate::logging::Level;

use super::Context;
use super::generation::Generation;

/// The readings of the sources, numbered by their start.
#[derive(Debug, Default)]
pub(super) struct Readings {
    begun: AtomicU64,
    /// The number of the active reading.
    in_use: Mutex<u64>,
}

/// The outcome of a reading.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    InUse,
    /// A later reading is active.
    Overtaken,
    /// An earlier reading became active meanwhile, and may have read later.
    Doubtful,
}

impl Outcome {
    /// Returns the outcome of a reading that began when `before` was active, now that `in_use` is.
    fn of(number: u64, before: u64, in_use: u64) -> Self {
        match in_use {
            _ if in_use > number => Self::Overtaken,
            _ if in_use != before => Self::Doubtful,
            _ => Self::InUse,
        }
    }
}

impl Context {
    /// Reads every source again. New connections use the result. Existing connections do not change; those with revoked
    /// peers are reported ([`Context::sweep_revoked`]). Reloads at the same time do not wait for each other, and the
    /// result of an earlier one never replaces that of a later one.
    ///
    /// # Errors
    /// As for the build. The context then keeps what it had.
    pub fn reload(&self) -> Result<()> {
        loop {
            let shared = &self.shared;
            let (number, before) = shared.readings.begin();
            let read = Generation::load(&shared.spec, &shared.sessions, shared.remote.clone());
            let generation = read.inspect_err(|error| {
                let line = format!("reload failed, the last good files stay in use: {error}");
                shared.spec.log.write(Level::Error, &line);
            })?;
            match self.put_in_use(generation, number, before) {
                Outcome::InUse => break,
                Outcome::Overtaken => return Ok(()),
                // At most once for each reading that began before this one.
                Outcome::Doubtful => {}
            }
        }
        // New identities may need staples.
        self.shared.maintenance.wake();
        self.sweep_revoked();
        Ok(())
    }

    fn put_in_use(&self, generation: Generation, number: u64, before: u64) -> Outcome {
        let mut in_use = self.shared.readings.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = Outcome::of(number, before, *in_use);
        if outcome == Outcome::InUse {
            generation.staples.take_over(&self.generation().staples);
            *self.shared.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(generation);
            *in_use = number;
        }
        outcome
    }
}

impl Readings {
    /// Begins a reading. Returns its number and that of the active one.
    fn begin(&self) -> (u64, u64) {
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
