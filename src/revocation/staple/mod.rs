//! The response that goes with one certificate of our own (RFC 6066 section 8), and what there is to do about it.
//!
//! Handshakes read it under a lock that is held for no longer than it takes to clone or swap a pointer. Only a response
//! that verifies and says good is ever shown, and none past its nextUpdate.

pub(super) mod upkeep;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

use rustls::pki_types::CertificateDer;
use rustls::sign::CertifiedKey;
use rustls::time_provider::TimeProvider;

use crate::certificate::{date_text, describe};
use crate::error::{Code, Error, Result};
use crate::fetch::Fetcher;
use crate::logging::Level;
use crate::revocation::facts::{SourceFacts, SourceKind};
use crate::revocation::link::Link;
use crate::revocation::ocsp::{MAX_AGE_S, OcspResponse, OcspStanding};
use crate::revocation::remote::attempts::first_of;
use crate::revocation::remote::memory::{Schedule, renewal_unix_s};
use crate::revocation::remote::{OcspRequest, OcspSettings};
use crate::revocation::standing::Revoked;
use crate::revocation::upkeep::{Line, now_unix_s};
use crate::signature::Allowed;

/// The certificate of a staple, and its source.
#[derive(Debug)]
pub(crate) struct Stapled {
    pub(crate) certificate: CertificateDer<'static>,
    pub(crate) issuer: CertificateDer<'static>,
    /// The responders, in this order; empty for none.
    pub(crate) responders: Vec<String>,
    /// A response that is there already, and the name of its file.
    pub(crate) file: Option<(Arc<OcspResponse>, String)>,
}

/// The settings of requests.
pub(super) struct Asking<'a> {
    pub(super) fetcher: &'a Fetcher,
    pub(super) ocsp: &'a OcspSettings,
    pub(super) refresh_s: u32,
    pub(super) deadline: Instant,
}

/// The staple of one identity.
pub(crate) struct Staple {
    /// Chain and key, without a response.
    plain: Arc<CertifiedKey>,
    stapled: Stapled,
    /// The name of the certificate in messages.
    name: String,
    clock: Arc<dyn TimeProvider>,
    shown: RwLock<Option<Shown>>,
    state: Mutex<State>,
}

/// The staple for handshakes.
struct Shown {
    key: Arc<CertifiedKey>,
    /// The first second that it is not shown in any more.
    end_unix_s: i64,
}

/// The known status of the certificate.
#[derive(Clone, Default)]
struct State {
    /// The current staple, with its end.
    good: Option<Arc<OcspResponse>>,
    /// The time as of which the latest response spoke: none that speaks of an earlier time counts any more.
    latest_unix_s: Option<i64>,
    /// True if the latest response said that the certificate is revoked.
    is_revoked: bool,
    schedule: Schedule,
}

/// The content of a trusted response.
enum Said {
    Good { end_unix_s: i64 },
    Revoked(Error),
}

impl fmt::Debug for Staple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Staple").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Stapled {
    /// Returns true if a response has a status of this certificate.
    pub(crate) fn is_meant_by(&self, response: &OcspResponse) -> bool {
        response.is_about(&self.certificate, &self.issuer)
    }

    /// That a response serves as the staple of this certificate.
    ///
    /// # Errors
    /// `OCSP_UNUSABLE`, with what is wrong with it.
    pub(crate) fn check(&self, response: &OcspResponse, now_unix_s: i64) -> Result<()> {
        let unusable = |error: &Error| Error::new(Code::OcspUnusable, error.detail());
        match self.judge(response, now_unix_s) {
            Ok(Said::Good { .. }) => Ok(()),
            Ok(Said::Revoked(error)) | Err(error) => Err(unusable(&error).at(describe(&self.certificate))),
        }
    }

    /// The content of a response at this time.
    ///
    /// # Errors
    /// The reason why it is not trusted, or has no status.
    fn judge(&self, response: &OcspResponse, now_unix_s: i64) -> Result<Said> {
        let stale = || Error::new(Code::RevocationStale, "the response is out of date");
        match response.standing(&self.certificate, &self.issuer, now_unix_s, 0) {
            OcspStanding::Good { until_unix_s } => {
                let since_unix_s = response.this_update_unix_s().unwrap_or(now_unix_s);
                let end_unix_s = until_unix_s.unwrap_or_else(|| since_unix_s.saturating_add(MAX_AGE_S));
                // Who looks at it need not allow for clocks that differ, as the check of peers does.
                if now_unix_s < end_unix_s { Ok(Said::Good { end_unix_s }) } else { Err(stale()) }
            }
            OcspStanding::Revoked { reason, revoked_unix_s } => {
                Ok(Said::Revoked(Revoked { reason, revoked_unix_s, place: "the responder".to_owned() }.error()))
            }
            OcspStanding::Unknown(why) => Err(Error::new(Code::RevocationUnknown, why)),
            OcspStanding::Stale => Err(stale()),
            OcspStanding::Invalid(why) => Err(Error::new(Code::RevocationResponseInvalid, why)),
        }
    }

    fn is_asked(&self) -> bool {
        !self.responders.is_empty()
    }

    fn place(&self) -> &str {
        let file = self.file.as_ref().map(|(_, file)| file);
        self.responders.first().or(file).map_or("no responder", String::as_str)
    }
}

impl Staple {
    /// Makes the staple of an identity with this chain and key. A response of a file is used from the start.
    pub(crate) fn new(plain: Arc<CertifiedKey>, stapled: Stapled, clock: Arc<dyn TimeProvider>) -> Self {
        let name = describe(&stapled.certificate);
        let (shown, mut state) = (RwLock::default(), State::default());
        let now_unix_s = now_unix_s(clock.as_ref());
        match &stapled.file {
            _ if stapled.is_asked() => {}
            Some(_) => state.schedule.succeed(now_unix_s, i64::MAX),
            None => {
                let missing = "the certificate names no OCSP responder, and none is configured (staple-responder)";
                state.schedule.fail(now_unix_s, &Error::new(Code::RevocationUnknown, missing));
            }
        }
        let staple = Self { plain, stapled, name, clock, shown, state: Mutex::new(state) };
        if let Some((response, _)) = &staple.stapled.file {
            staple.take(response, now_unix_s);
        }
        staple
    }

    /// Returns the chain and key with the current response, if there is one. It never waits.
    pub(crate) fn key(&self) -> Option<Arc<CertifiedKey>> {
        let shown = self.shown.read().unwrap_or_else(PoisonError::into_inner);
        shown.as_ref().filter(|shown| self.now_unix_s() < shown.end_unix_s).map(|shown| Arc::clone(&shown.key))
    }

    /// Takes over the status from before a reload, if the certificate is the same.
    pub(super) fn take_over(&self, old: &Self) {
        if !self.stapled.is_asked() || self.stapled.certificate != old.stapled.certificate {
            return;
        }
        let learnt = old.lock().clone();
        let file = self.stapled.file.as_ref().map(|(response, _)| response);
        let newest = learnt.good.iter().chain(file).max_by_key(|response| response.this_update_unix_s()).cloned();
        let counts = |response: &Arc<OcspResponse>| match learnt.is_revoked {
            true => response.this_update_unix_s() > learnt.latest_unix_s,
            false => response.this_update_unix_s() >= learnt.latest_unix_s,
        };
        let newest = newest.filter(counts);
        self.hide();
        *self.lock() = State { good: None, ..learnt };
        if let Some(response) = newest {
            self.take(&response, self.now_unix_s());
        }
    }

    /// Returns true if a request is due.
    pub(super) fn is_due(&self, now_unix_s: i64) -> bool {
        self.stapled.is_asked() && self.lock().schedule.next_unix_s <= now_unix_s
    }

    /// The time of the next work: to ask, or to see that what is shown has ended.
    pub(super) fn next_unix_s(&self) -> Option<i64> {
        let asked_unix_s = self.stapled.is_asked().then(|| self.lock().schedule.next_unix_s);
        let shown = self.shown.read().unwrap_or_else(PoisonError::into_inner);
        asked_unix_s.into_iter().chain(shown.as_ref().map(|shown| shown.end_unix_s)).min()
    }

    /// Stops showing what is not to be believed any more: it has ended, or its signer's certificate has.
    pub(super) fn drop_outdated(&self, now_unix_s: i64) -> Option<Line> {
        let good = self.lock().good.clone();
        let Some(Err(why)) = good.map(|good| self.stapled.judge(&good, now_unix_s)) else { return None };
        self.hide();
        let name = &self.name;
        Some((Level::Warn, format!("staple: {name}: none is shown until there is a new one: {}", why.detail())))
    }

    /// Asks the responders; gives what an operator should know of it.
    pub(super) fn renew(&self, asking: &Asking<'_>, now_unix_s: i64) -> Option<Line> {
        let places: Vec<&str> = self.stapled.responders.iter().map(String::as_str).collect();
        let asked = first_of(&places, asking.deadline, "no responder is asked", |responder, deadline| {
            let request = OcspRequest {
                responder,
                // Only the operator chooses the own certificate.
                is_configured: true,
                link: Link { certificate: &self.stapled.certificate, issuer: &self.stapled.issuer },
                settings: asking.ocsp,
                allowed: Allowed::default(),
                now_unix_s,
                deadline,
            };
            let response = request.send(asking.fetcher)?;
            let said = self.stapled.judge(&response, now_unix_s).map_err(|error| error.at(responder))?;
            if response.this_update_unix_s() < self.lock().latest_unix_s {
                let detail = format!("{responder}: the response is older than the one before");
                return Err(Error::new(Code::RevocationResponseInvalid, detail));
            }
            Ok((Arc::new(response), said))
        });
        let line = match asked {
            Ok((response, Said::Good { end_unix_s })) => {
                self.settle_good(&response, end_unix_s, asking.refresh_s, now_unix_s)
            }
            Ok((response, Said::Revoked(error))) => self.settle_revoked(&response, &error, now_unix_s),
            Err(error) => Some(self.settle_failure(&error, now_unix_s)),
        };
        line.map(|(level, line)| (level, format!("staple: {}: {line}", self.name)))
    }

    fn settle_good(
        &self,
        response: &Arc<OcspResponse>,
        end_unix_s: i64,
        refresh_s: u32,
        now_unix_s: i64,
    ) -> Option<Line> {
        let was_there = self.lock().good.is_some();
        self.take(response, now_unix_s);
        let mut state = self.lock();
        state.schedule.succeed(now_unix_s, renewal_unix_s(now_unix_s, Some(end_unix_s), Some(refresh_s)));
        (!was_there).then(|| (Level::Info, format!("a response is shown, good until {}", date_text(end_unix_s))))
    }

    /// Drops an earlier good response: a server that knows better must not send it.
    fn settle_revoked(&self, response: &OcspResponse, error: &Error, now_unix_s: i64) -> Option<Line> {
        self.hide();
        let mut state = self.lock();
        state.latest_unix_s = state.latest_unix_s.max(response.this_update_unix_s());
        state.schedule.fail(now_unix_s, error);
        let is_news = !std::mem::replace(&mut state.is_revoked, true);
        is_news.then(|| (Level::Warn, format!("this certificate IS REVOKED, none is shown: {}", error.detail())))
    }

    fn settle_failure(&self, error: &Error, now_unix_s: i64) -> Line {
        let mut state = self.lock();
        state.schedule.fail(now_unix_s, error);
        let what = match state.good {
            Some(_) => "no new response, the last one is shown until its end",
            None => "no response",
        };
        (Level::Warn, format!("{what}: {}", error.detail()))
    }

    /// Shows a response, if it is good now.
    fn take(&self, response: &Arc<OcspResponse>, now_unix_s: i64) {
        let Ok(Said::Good { end_unix_s }) = self.stapled.judge(response, now_unix_s) else { return };
        let mut state = self.lock();
        let key = Arc::new(CertifiedKey { ocsp: Some(response.der().to_vec()), ..CertifiedKey::clone(&self.plain) });
        *self.shown.write().unwrap_or_else(PoisonError::into_inner) = Some(Shown { key, end_unix_s });
        state.latest_unix_s = state.latest_unix_s.max(response.this_update_unix_s());
        state.good = Some(Arc::clone(response));
        state.is_revoked = false;
    }

    fn hide(&self) {
        let mut state = self.lock();
        *self.shown.write().unwrap_or_else(PoisonError::into_inner) = None;
        state.good = None;
    }

    /// The results of the requests.
    pub(super) fn facts(&self) -> SourceFacts {
        let entries = usize::from(self.key().is_some());
        let place = format!("{} for {}", self.stapled.place(), self.name);
        let schedule = self.lock().schedule.clone();
        let facts = SourceFacts::new(SourceKind::Staple, place, entries, &schedule);
        SourceFacts {
            next_refresh_unix_s: facts.next_refresh_unix_s.filter(|_| self.stapled.is_asked()),
            // The words of its code are about peers.
            last_error: schedule.last_error.map(|error| error.detail().to_owned()),
            ..facts
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now_unix_s(&self) -> i64 {
        now_unix_s(self.clock.as_ref())
    }
}
