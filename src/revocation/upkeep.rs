//! What the upkeep of lists, responses and staples has in common: the clock, and a few fetches at a time.

use std::thread;
use std::time::Duration;

use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;

/// So many renewals run at a time.
const RENEWALS_AT_ONCE: usize = 4;

/// Renews what is due, a few at a time, on threads that have ended when this returns.
pub(super) fn renew_all<T: Sync>(due: &[T], renew: impl Fn(&T) + Sync) {
    for some in due.chunks(RENEWALS_AT_ONCE) {
        thread::scope(|scope| {
            for one in some {
                let renew = || renew(one);
                // Where the system gives no thread, one after the other will do.
                if thread::Builder::new().spawn_scoped(scope, renew).is_err() {
                    renew();
                }
            }
        });
    }
}

/// How long there is until then.
pub(super) fn until(unix_s: i64, clock: &dyn TimeProvider) -> Duration {
    Duration::from_secs(u64::try_from(unix_s.saturating_sub(now_unix_s(clock))).unwrap_or(0))
}

/// The time of a clock, in seconds since 1970; zero where it gives none.
pub(crate) fn now_unix_s(clock: &dyn TimeProvider) -> i64 {
    clock.current_time().map_or(0, unix_s)
}

/// A time, in seconds since 1970.
pub(super) fn unix_s(time: UnixTime) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}
