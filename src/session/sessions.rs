//! The sessions of one context: their bounds, and what its clients remember.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::pki_types::ServerName;
use rustls::time_provider::TimeProvider;

use crate::verify::{Authenticated, Recheck};

use super::remembered::Remembered;
use super::spec::SessionSpec;

/// The default number of servers with stored sessions in a client context. The oldest is removed first.
const CLIENT_SESSIONS: usize = 256;

/// The largest number of servers with stored sessions in a client context.
const CLIENT_SESSIONS_MAX: usize = 20_480;

/// The sessions of one context with their limits. Each configuration has its own sessions, and all count.
pub(crate) struct Sessions {
    pub(super) max_age_s: u32,
    pub(super) client_sessions: AtomicUsize,
    /// 0 leaves the age to the lifetime of the server's tickets.
    pub(super) client_timeout_s: AtomicU32,
    /// 0 leaves the age to the rotation of the ticket keys.
    pub(super) server_timeout_s: AtomicU32,
    pub(super) remembered: Mutex<Remembered>,
    pub(super) configurations: AtomicU64,
    pub(super) clock: Arc<dyn TimeProvider>,
    ended: Mutex<Ended>,
}

/// The number of sessions that a context remembers as ended.
const ENDED_MAX: usize = 4096;

/// The sessions that have ended, by the numbers of their first connections.
#[derive(Debug, Default)]
struct Ended {
    /// Those that the application has ended.
    origins: BTreeSet<u64>,
    /// Those that an alert has ended. Peers can send many alerts: the oldest is forgotten, and ends no other session.
    failed: BTreeSet<u64>,
    /// All before this one have ended, because no more can be remembered.
    first_kept: u64,
}

impl Ended {
    fn add(&mut self, origin: u64) {
        self.origins.insert(origin);
        if self.origins.len() > ENDED_MAX {
            let oldest = self.origins.pop_first().unwrap_or_default();
            self.first_kept = self.first_kept.max(oldest.saturating_add(1));
        }
    }

    fn add_failed(&mut self, origin: u64) {
        self.failed.insert(origin);
        if self.failed.len() > ENDED_MAX {
            self.failed.pop_first();
        }
    }

    fn has(&self, origin: u64) -> bool {
        origin < self.first_kept || self.origins.contains(&origin) || self.failed.contains(&origin)
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").field("client_sessions", &self.client_sessions).finish_non_exhaustive()
    }
}

impl Sessions {
    pub(crate) fn new(clock: Arc<dyn TimeProvider>, spec: &SessionSpec) -> Self {
        Self {
            max_age_s: spec.max_age_s,
            client_sessions: AtomicUsize::new(CLIENT_SESSIONS),
            client_timeout_s: AtomicU32::new(0),
            server_timeout_s: AtomicU32::new(0),
            remembered: Mutex::default(),
            configurations: AtomicU64::new(0),
            clock,
            ended: Mutex::default(),
        }
    }

    /// Ends the session of a connection: it is not resumed any more.
    pub(crate) fn end(&self, origin: u64) {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner).add(origin);
    }

    /// Ends the session of a connection that an alert has ended (RFC 5246 section 7.2.2).
    pub(crate) fn fail(&self, origin: u64) {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner).add_failed(origin);
    }

    /// Limits the number of servers with stored sessions. 0 selects the largest.
    pub(crate) fn limit_clients(&self, servers: usize, timeout_s: u32) {
        let most = if servers == 0 { CLIENT_SESSIONS_MAX } else { servers.min(CLIENT_SESSIONS_MAX) };
        self.client_sessions.store(most, Ordering::Relaxed);
        self.client_timeout_s.store(timeout_s, Ordering::Relaxed);
        self.lock().drop_oldest(most);
    }

    /// Limits the age of the sessions that servers resume. 0 sets no limit.
    pub(crate) fn limit_servers(&self, timeout_s: u32) {
        self.server_timeout_s.store(timeout_s, Ordering::Relaxed);
    }

    /// Removes the sessions with a server in this scope.
    pub(crate) fn forget(&self, name: &ServerName<'_>, scope: &str) {
        self.lock().forget(name, scope);
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Remembered> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the seconds since 1970, or `None` if the clock has no time.
    pub(super) fn now_s(&self) -> Option<u64> {
        self.clock.current_time().map(|now| now.as_secs())
    }

    /// Returns true if a session has not ended, its age allows to resume it, and its peer is still accepted. Without a
    /// time, or with one before the handshake, nothing is resumed.
    pub(super) fn accepts(&self, recheck: &Recheck, authenticated: &Authenticated, version: &'static str) -> bool {
        if self.ended.lock().unwrap_or_else(PoisonError::into_inner).has(authenticated.origin) {
            return false;
        }
        let Some(now) = self.clock.current_time() else { return false };
        let age_s = now.as_secs().checked_sub(authenticated.at_s);
        age_s.is_some_and(|age_s| age_s < u64::from(self.max_age_s))
            && recheck.check(authenticated, version, now).is_ok()
    }

    pub(super) fn is_fresh(&self, made_s: u64, timeout_s: &AtomicU32) -> bool {
        let timeout_s = u64::from(timeout_s.load(Ordering::Relaxed));
        timeout_s == 0 || self.now_s().is_some_and(|now_s| now_s.saturating_sub(made_s) < timeout_s)
    }

    /// The largest age of a session that a server resumes.
    pub(super) fn server_lifetime_s(&self) -> u32 {
        match self.server_timeout_s.load(Ordering::Relaxed) {
            0 => self.max_age_s,
            timeout_s => timeout_s.min(self.max_age_s),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_that_ended_stay_ended_when_too_many_are_to_be_remembered() {
        let mut ended = Ended::default();
        assert!(!ended.has(1));
        for origin in 10..10 + ENDED_MAX as u64 {
            ended.add(origin);
        }
        assert!(!ended.has(9) && ended.has(10) && ended.origins.len() == ENDED_MAX);
        ended.add(1_000_000);
        assert!(ended.has(9) && ended.has(10) && ended.has(1_000_000) && !ended.has(999_999));
        assert_eq!(ended.origins.len(), ENDED_MAX);
    }

    #[test]
    fn sessions_that_alerts_have_ended_displace_only_each_other() {
        let mut ended = Ended::default();
        ended.add(20);
        for origin in 100..=100 + ENDED_MAX as u64 {
            ended.add_failed(origin);
        }
        assert!(!ended.has(100) && ended.has(101) && ended.has(20) && !ended.has(19));
        assert_eq!((ended.failed.len(), ended.origins.len()), (ENDED_MAX, 1));
    }
}
