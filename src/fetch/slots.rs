//! The limits of fetches at a time, in all and from one server.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::fault::unreachable;
use crate::error::Result;

/// The turns of fetches. A waiting thread is woken when a turn is given back.
#[derive(Debug)]
pub(super) struct Slots {
    taken: Mutex<Taken>,
    returned: Condvar,
    max: usize,
    max_of_strangers: usize,
    max_of_server: usize,
}

/// The turns in use: in all, and by host and port.
#[derive(Debug, Default)]
struct Taken {
    all: usize,
    of_server: HashMap<String, usize>,
}

impl Slots {
    /// Makes `max` turns. A quarter is reserved for URLs of the operator, and one server gets at most half, so that a
    /// server that hangs does not delay the others.
    pub(super) fn new(max: usize) -> Self {
        let (taken, returned) = (Mutex::default(), Condvar::new());
        Self { taken, returned, max, max_of_strangers: max - max / 4, max_of_server: max - max / 2 }
    }

    /// Waits for a turn with a server. The drop of the result gives it back.
    ///
    /// # Errors
    /// `REVOCATION_UNREACHABLE` if there is none until `deadline`.
    pub(super) fn take(&self, server: &str, is_configured: bool, deadline: Instant) -> Result<Slot<'_>> {
        let max = if is_configured { self.max } else { self.max_of_strangers };
        let mut taken = self.lock();
        loop {
            let of_server = taken.of_server.get(server).copied().unwrap_or_default();
            if taken.all < max && of_server < self.max_of_server {
                break;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let others = match of_server < self.max_of_server {
                    true => format!("{max} other fetches are running"),
                    false => format!("{of_server} others from {server} are running"),
                };
                return Err(unreachable(format!("no turn in time: {others}")));
            }
            taken = self.returned.wait_timeout(taken, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        taken.all += 1;
        *taken.of_server.entry(server.to_owned()).or_default() += 1;
        Ok(Slot { slots: self, server: server.to_owned() })
    }

    /// Locks the counts. A panic cannot leave them half changed.
    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A turn.
#[derive(Debug)]
pub(super) struct Slot<'a> {
    slots: &'a Slots,
    server: String,
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        let mut taken = self.slots.lock();
        taken.all -= 1;
        if let Some(of_server) = taken.of_server.get_mut(&self.server) {
            *of_server -= 1;
            if *of_server == 0 {
                taken.of_server.remove(&self.server);
            }
        }
        drop(taken);
        // All threads, because some may not take this turn.
        self.slots.returned.notify_all();
    }
}
