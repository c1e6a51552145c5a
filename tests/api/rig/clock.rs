//! A clock that a test sets.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;

/// Shows the time it is set to.
#[derive(Debug)]
pub(crate) struct Clock(AtomicU64);

impl Clock {
    /// Starts at the time of this machine.
    pub(crate) fn new() -> Arc<Self> {
        Self::at(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs())
    }

    /// Starts at a time in seconds since 1970.
    pub(crate) fn at(unix_s: u64) -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(unix_s)))
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::Relaxed);
    }
}

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(self.0.load(Ordering::Relaxed))))
    }
}
