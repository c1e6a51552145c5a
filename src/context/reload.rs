//! Reloads. Several may run at once and do not wait for each other, and the active content never becomes older.
//!
//! No lock is held while sources are read, because that calls the password callback and the log.

use std::sync::{Arc, PoisonError};

use crate::error::Result;
use crate::logging::Level;

use super::Context;
use super::generation::Generation;
use super::readings::Outcome;

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

    /// The number of the generation in use. It grows with each reload that succeeds. A configuration by
    /// [`Context::rustls_server_config`] is of the generation at that time: ask for the number before.
    pub fn generation_number(&self) -> u64 {
        *self.shared.readings.in_use.lock().unwrap_or_else(PoisonError::into_inner)
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
