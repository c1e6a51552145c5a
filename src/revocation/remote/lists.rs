//! Lists from distribution points (RFC 5280 section 4.2.1.13).

use std::sync::Arc;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::crls::{List, Question};
use super::super::facts::{SourceFacts, SourceKind};
use super::super::kept::{Fresh, place_of, renewal_unix_s};
use super::super::standing::Standing;
use super::super::upkeep::Line;
use super::{Remote, first_of, share};
use crate::error::{Code, Error, Result};
use crate::fetch::cache::Stored;
use crate::fetch::{Content, FetchRequest, Fetched, Validators};
use crate::logging::Level;
use crate::signature::{Allowed, Refused};

/// A list that was fetched, its signature checked.
pub(super) struct RemoteList {
    list: List,
    validators: Validators,
}

impl RemoteList {
    fn is_current(&self, now_unix_s: i64, max_stale_s: i64) -> bool {
        let next = self.list.crl.next_update_unix_s();
        next.is_none_or(|next| next.saturating_add(max_stale_s) >= now_unix_s)
    }
}

impl Remote {
    /// Whether there is none at hand.
    pub(in super::super) fn has_no_lists(&self) -> bool {
        self.lists.is_empty()
    }

    /// What the lists at hand, these and those that were fetched, say; asks nobody.
    pub(in super::super) fn standing_by_lists(
        &self,
        question: &Question<'_>,
        own: &[List],
        now_unix_s: i64,
        max_stale_s: i64,
    ) -> Standing {
        let fetched = self.lists.those(now_unix_s, |remote| remote.list.crl.issuer() == question.issuer);
        let lists = own.iter().chain(fetched.iter().map(|remote| &remote.list));
        question.answer(lists, now_unix_s, max_stale_s)
    }

    /// Fetches the lists that speak of a certificate, where they are not at hand and current.
    pub(in super::super) fn fetch_lists(
        &self,
        question: &Question<'_>,
        now_unix_s: i64,
        max_stale_s: i64,
        deadline: Instant,
    ) -> Result<()> {
        let points = question.places();
        if points.is_empty() {
            return Err(Error::new(
                Code::RevocationUnknown,
                "there is no list of its issuer, and it names no place of one",
            ));
        }
        for (at, places) in points.iter().enumerate() {
            let deadline = share(deadline, points.len() - at);
            first_of(places, deadline, "it names no place of a list", |url, deadline| {
                let serves = |remote: &RemoteList| remote.is_current(now_unix_s, max_stale_s);
                let key = slot_of(url, question.key());
                let mut lines = Vec::new();
                let outcome = self.lists.get(&key, now_unix_s, deadline, serves, |old| {
                    self.fetch_list(url, question.key(), old.as_ref(), now_unix_s, deadline, &mut lines)
                });
                // After the fetch: others wait for it, the log's callback among them if it makes a connection.
                lines.iter().for_each(|(level, line)| self.log.write(*level, line));
                outcome.error.map_or(Ok(()), Err)
            })?;
        }
        Ok(())
    }

    pub(super) fn renew_list(&self, slot: &str, now_unix_s: i64, lines: &mut Vec<Line>) -> Option<Error> {
        let deadline = Instant::now() + self.settings.fetch.timeout;
        let renewed = self.lists.renew(slot, now_unix_s, |old| {
            self.fetch_list(place_of(slot), &key_of(slot), old.as_ref(), now_unix_s, deadline, lines)
        })?;
        renewed.error
    }

    /// A list from the cache directory where it is current and newer than the one at hand, otherwise from its place.
    fn fetch_list(
        &self,
        url: &str,
        issuer_key: &[u8],
        old: Option<&Arc<RemoteList>>,
        now_unix_s: i64,
        deadline: Instant,
        lines: &mut Vec<Line>,
    ) -> Result<Fresh<RemoteList>> {
        if let Some(found) = self.cached(url, issuer_key, old, now_unix_s) {
            return Ok(self.fresh(Arc::new(found), now_unix_s));
        }
        let fetched = self.fetcher.fetch(&FetchRequest {
            url,
            is_configured: false,
            post: None,
            accept: "application/pkix-crl",
            max_bytes: self.settings.max_crl_bytes,
            deadline,
            validators: old.map(|old| &old.validators),
            takes_refusals: false,
        })?;
        let Content { bytes, validators, .. } = match (fetched, old) {
            (Fetched::Content(content), _) => content,
            (Fetched::NotModified, Some(old)) => return Ok(self.fresh(Arc::clone(old), now_unix_s)),
            (Fetched::NotModified | Fetched::Refused { .. }, _) => {
                return Err(Error::new(
                    Code::RevocationUnreachable,
                    format!("{url}: not modified, but nothing was there"),
                ));
            }
        };
        let made = read(&bytes, url, issuer_key, validators.clone(), self.settings.allowed)?;
        if let Some(old) = old.filter(|old| old.list.crl.this_update_unix_s() > made.list.crl.this_update_unix_s()) {
            let detail = format!("{url} serves a list that is older than the one at hand");
            let complaint = Some(Error::new(Code::RevocationResponseInvalid, detail));
            return Ok(Fresh { value: Arc::clone(old), next_unix_s: now_unix_s, complaint });
        }
        if let Some(cache) = &self.cache {
            let stored = Stored { bytes, validators, fetched_unix_s: now_unix_s };
            if let Err(error) = cache.write(url, &stored) {
                let line = format!("revocation: {url} is not kept in the cache directory: {error}");
                lines.push((Level::Warn, line));
            }
        }
        self.note_arrival();
        Ok(self.fresh(Arc::new(made), now_unix_s))
    }

    fn cached(
        &self,
        url: &str,
        issuer_key: &[u8],
        old: Option<&Arc<RemoteList>>,
        now_unix_s: i64,
    ) -> Option<RemoteList> {
        let stored = self.cache.as_ref()?.read(url, self.settings.max_crl_bytes)?;
        // What is in the directory is believed no more than what comes from the network.
        let found = read(&stored.bytes, url, issuer_key, stored.validators, self.settings.allowed).ok()?;
        let made_unix_s = found.list.crl.this_update_unix_s();
        let is_newer = old.is_none_or(|old| old.list.crl.this_update_unix_s() < made_unix_s);
        (is_newer && found.is_current(now_unix_s, 0)).then(|| {
            self.note_arrival();
            found
        })
    }

    /// With the time of the next fetch, and a complaint where the list is out of date already.
    fn fresh(&self, value: Arc<RemoteList>, now_unix_s: i64) -> Fresh<RemoteList> {
        let next_unix_s = renewal_unix_s(now_unix_s, value.list.crl.next_update_unix_s(), self.settings.refresh_s);
        let is_late = !value.is_current(now_unix_s, 0);
        let complaint = is_late.then(|| {
            Error::new(Code::RevocationStale, format!("{} serves a list that is out of date", value.list.place))
        });
        Fresh { value, next_unix_s, complaint }
    }

    pub(super) fn list_sources(&self) -> Vec<SourceFacts> {
        let facts = |(slot, list, schedule): (String, Option<Arc<RemoteList>>, _)| {
            let entries = list.map_or(0, |remote| remote.list.crl.entries());
            SourceFacts::new(SourceKind::Crl, place_of(&slot).to_owned(), entries, &schedule)
        };
        self.lists.all().into_iter().map(facts).collect()
    }
}

/// The slot of a place's list that has to be signed with a key (SubjectPublicKeyInfo). One who names the place of
/// another's list fails alone: the pause after that failure is not for those whose list it is.
fn slot_of(url: &str, issuer_key: &[u8]) -> String {
    format!("{url} {}", STANDARD.encode(issuer_key))
}

/// The key that [`slot_of`] put into a slot.
fn key_of(slot: &str) -> Vec<u8> {
    let key = slot.rsplit_once(' ').and_then(|(_, key)| STANDARD.decode(key).ok());
    key.unwrap_or_default()
}

fn read(bytes: &[u8], url: &str, issuer_key: &[u8], validators: Validators, allowed: Allowed) -> Result<RemoteList> {
    let invalid = |why: &str| Error::new(Code::RevocationResponseInvalid, format!("{url}: {why}"));
    let mut lists = List::all_of(bytes, url)
        .map_err(|error| Error::new(Code::RevocationResponseInvalid, error.detail()).with_source(error))?;
    let list = lists.pop().filter(|_| lists.is_empty()).ok_or_else(|| invalid("more than one list"))?;
    match list.check(issuer_key, allowed) {
        Ok(()) => {}
        Err(Refused::Wrong) => return Err(invalid("the list is not signed with the key of the certificate's issuer")),
        Err(Refused::NotServed) => {
            return Err(invalid(
                "the list's signature cannot be checked with the key of the certificate's issuer, of another kind or length",
            ));
        }
    }
    Ok(RemoteList { list, validators })
}
