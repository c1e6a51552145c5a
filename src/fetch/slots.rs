//! How many fetches run at once, and how many of them from one server.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::unreachable;
use crate::error::Result;

/// Turns, given out until there are none; who waits is woken when one comes back.
#[derive(Debug)]
pub(super) struct Slots {
    taken: Mutex<Taken>,
    returned: Condvar,
    max: usize,
    max_of_strangers: usize,
    max_of_server: usize,
}

/// What is given out: in all, and by host and port.
#[derive(Debug, Default)]
struct Taken {
    all: usize,
    of_server: HashMap<String, usize>,
}

impl Slots {
    /// `max` turns. A quarter of them is kept for URLs that the operator named, and one server gets half of them, so that
    /// one that hangs keeps nobody else waiting.
    pub(super) fn new(max: usize) -> Self {
        let (taken, returned) = (Mutex::default(), Condvar::new());
        Self { taken, returned, max, max_of_strangers: max - max / 4, max_of_server: max - max / 2 }
    }

    /// Waits for a turn with a server, which is given back when the result is dropped.
    ///
    /// # Errors
    /// `REVOCATION_UNREACHABLE` where there is none at `deadline`.
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

    /// Nothing in here can be left half changed by a panic.
    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One turn.
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
        // All, because not everyone may take this one.
        self.slots.returned.notify_all();
    }
}
