//! The shared parts of the upkeep of lists, responses and staples: the clock, and a few fetches at a time.

use std::thread;
use std::time::Duration;

use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;

use crate::logging::Level;

/// The most renewals that run at a time.
const RENEWALS_AT_ONCE: usize = 4;

/// The allowed difference between the clocks of the responder and this machine, in seconds.
pub(super) const SKEW_S: i64 = 300;

/// A line for the log. Upkeep hands its lines back, so that the log is written by its caller's thread, under no lock.
pub(crate) type Line = (Level, String);

/// The outcome of upkeep.
#[derive(Debug)]
pub(crate) struct Upkeep {
    /// The time until something is due, if anything is kept.
    pub(crate) next: Option<Duration>,
    pub(crate) lines: Vec<Line>,
}

/// Renews what is due, a few at a time, on threads that have ended when this returns; gives their lines for the log.
/// Begins nothing more once it `is_over`.
pub(super) fn renew_all<T: Sync>(
    due: &[T],
    is_over: &dyn Fn() -> bool,
    renew: impl Fn(&T) -> Vec<Line> + Sync,
) -> Vec<Line> {
    let mut lines = Vec::new();
    for some in due.chunks(RENEWALS_AT_ONCE).take_while(|_| !is_over()) {
        thread::scope(|scope| {
            let mut threads = Vec::new();
            for one in some {
                let renew = || renew(one);
                // Where the system gives no thread, one after the other will do.
                match thread::Builder::new().spawn_scoped(scope, renew) {
                    Ok(thread) => threads.push(thread),
                    Err(_) => lines.extend(renew()),
                }
            }
            for thread in threads {
                lines.extend(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            }
        });
    }
    lines
}

/// Returns the time until then.
pub(super) fn until(unix_s: i64, clock: &dyn TimeProvider) -> Duration {
    Duration::from_secs(u64::try_from(unix_s.saturating_sub(now_unix_s(clock))).unwrap_or(0))
}

/// Returns the time of a clock in seconds since 1970, or zero if it has none.
pub(crate) fn now_unix_s(clock: &dyn TimeProvider) -> i64 {
    clock.current_time().map_or(0, unix_s)
}

/// A time, in seconds since 1970.
pub(super) fn unix_s(time: UnixTime) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}
