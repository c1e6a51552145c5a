//! Lists from distribution points (RFC 5280 section 4.2.1.13).

use std::sync::Arc;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Remote;
use super::attempts::{more_telling, share};
use super::memory::{Renewal, place_of, renewal_unix_s};
use super::stored::RemoteList;
use crate::error::{Code, Error, Result};
use crate::fetch::cache::Stored;
use crate::fetch::{Content, FetchRequest, Fetched, Validators};
use crate::logging::Level;
use crate::revocation::authorities::{Signer, Signers};
use crate::revocation::crl::lists::{CrlQuery, List};
use crate::revocation::facts::{SourceFacts, SourceKind};
use crate::revocation::standing::Standing;
use crate::revocation::upkeep::Line;
use crate::signature::{Allowed, Refused};

/// The most places that are asked for lists about one certificate.
const MAX_ASKED: usize = 16;

impl Remote {
    /// Returns true if no list is cached.
    pub(crate) fn has_no_lists(&self) -> bool {
        self.lists.is_empty()
    }

    /// The status in these and the cached lists. It does not use the network.
    pub(crate) fn standing_by_lists(
        &self,
        query: &CrlQuery<'_>,
        own: &[List],
        now_unix_s: i64,
        max_stale_s: i64,
    ) -> Standing {
        let fetched = self.fetched(query, now_unix_s);
        let lists = own.iter().chain(fetched.iter().flat_map(|remote| remote.lists()));
        query.answer(lists, now_unix_s, max_stale_s)
    }

    /// Returns true if the known lists of the very key that signed the certificate say enough.
    pub(crate) fn is_settled_by_lists(
        &self,
        query: &CrlQuery<'_>,
        own: &[List],
        now_unix_s: i64,
        max_stale_s: i64,
    ) -> bool {
        let fetched = self.fetched(query, now_unix_s);
        let lists = own.iter().chain(fetched.iter().flat_map(|remote| remote.lists()));
        query.is_settled(lists, now_unix_s, max_stale_s)
    }

    fn fetched(&self, query: &CrlQuery<'_>, now_unix_s: i64) -> Vec<Arc<RemoteList>> {
        self.lists.those(now_unix_s, |remote| remote.list.crl.issuer_key() == query.issuer())
    }

    /// Fetches the lists that cover a certificate, one place after the other, until they and the known ones (`own`
    /// among them) say enough. A place that fails leaves the others, each with its share of the time.
    pub(crate) fn fetch_lists(
        &self,
        query: &CrlQuery<'_>,
        own: &[List],
        (now_unix_s, max_stale_s): (i64, i64),
        deadline: Instant,
    ) -> Result<()> {
        let points = query.places();
        if points.is_empty() {
            return Err(Error::new(
                Code::RevocationUnknown,
                "there is no list of its issuer, and it names no place of one",
            ));
        }
        let mut left = points.iter().map(Vec::len).sum::<usize>().min(MAX_ASKED);
        let mut failure: Option<Error> = None;
        for places in points {
            let mut places = places.into_iter();
            while let Some(url) = places.next().filter(|_| left > 0) {
                let deadline = share(deadline, left);
                left -= 1;
                let serves = |remote: &RemoteList| remote.is_current(now_unix_s, max_stale_s);
                let mut lines = Vec::new();
                let outcome = self.lists.get(&slot_of(url, query.key()), now_unix_s, deadline, serves, |old| {
                    let keys: Vec<&[u8]> = query.keys().collect();
                    self.fetch_list(url, &keys, old.as_ref(), now_unix_s, deadline, &mut lines)
                });
                // After the fetch: others wait for it, the log's callback among them if it makes a connection.
                lines.iter().for_each(|(level, line)| self.log.write(*level, line));
                let has_failed = outcome.error.is_some();
                failure = more_telling(failure, outcome.error);
                let Some(fetched) = outcome.value else { continue };
                if self.is_settled_by_lists(query, own, now_unix_s, max_stale_s) {
                    return Ok(());
                }
                // The other places of the point have the same list.
                if !has_failed && query.is_spoken_of_by(&fetched.list) {
                    left = left.saturating_sub(places.len());
                    break;
                }
            }
        }
        failure.map_or(Ok(()), Err)
    }

    pub(super) fn renew_list(&self, slot: &str, now_unix_s: i64, lines: &mut Vec<Line>) -> Option<Error> {
        let deadline = Instant::now() + self.settings.fetch.timeout;
        let renewed = self.lists.renew(slot, now_unix_s, |old| {
            let issuer_key = key_of(slot);
            let keys: Vec<&[u8]> = match &old {
                Some(old) => old.keys.iter().map(Box::as_ref).collect(),
                None => vec![&issuer_key],
            };
            self.fetch_list(place_of(slot), &keys, old.as_ref(), now_unix_s, deadline, lines)
        })?;
        renewed.error
    }

    /// A list from the cache directory if it is current and newer than the known one, otherwise from its place. It must
    /// be signed with one of the keys.
    fn fetch_list(
        &self,
        url: &str,
        keys: &[&[u8]],
        old: Option<&Arc<RemoteList>>,
        now_unix_s: i64,
        deadline: Instant,
        lines: &mut Vec<Line>,
    ) -> Result<Renewal<RemoteList>> {
        if let Some(found) = self.cached(url, keys, old, now_unix_s) {
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
            (Fetched::NotModified, Some(old)) => return Ok(self.fresh(promoted(old, now_unix_s), now_unix_s)),
            (Fetched::NotModified | Fetched::Refused { .. }, _) => {
                return Err(Error::new(
                    Code::RevocationUnreachable,
                    format!("{url}: not modified, but nothing was there"),
                ));
            }
        };
        let made = read(&bytes, url, keys, validators.clone(), self.allowed)?;
        if made.list.crl.is_ahead(now_unix_s) {
            return Ok(self.fresh(Arc::new(made.after(old)), now_unix_s));
        }
        if let Some(old) = old.filter(|old| old.list.crl.this_update_unix_s() > made.list.crl.this_update_unix_s())
            && !old.list.crl.is_ahead(now_unix_s)
        {
            let detail = format!("{url} serves a list that is older than the one at hand");
            let complaint = Some(Error::new(Code::RevocationResponseInvalid, detail));
            return Ok(Renewal { value: Arc::clone(old), next_unix_s: now_unix_s, complaint });
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

    fn cached(&self, url: &str, keys: &[&[u8]], old: Option<&Arc<RemoteList>>, now_unix_s: i64) -> Option<RemoteList> {
        let stored = self.cache.as_ref()?.read(url, self.settings.max_crl_bytes)?;
        // What is in the directory is believed no more than what comes from the network.
        let found = read(&stored.bytes, url, keys, stored.validators, self.allowed).ok()?;
        let made_unix_s = found.list.crl.this_update_unix_s();
        let is_newer = old.is_none_or(|old| old.list.crl.this_update_unix_s() < made_unix_s);
        (is_newer && found.is_current(now_unix_s, 0)).then(|| {
            self.note_arrival();
            found
        })
    }

    /// With the time of the next fetch, and a complaint if the list is out of date already.
    fn fresh(&self, value: Arc<RemoteList>, now_unix_s: i64) -> Renewal<RemoteList> {
        let next_unix_s = renewal_unix_s(now_unix_s, value.list.crl.next_update_unix_s(), self.settings.refresh_s);
        let place = &value.list.place;
        let complaint = if value.newest().crl.is_ahead(now_unix_s) {
            Some(Error::new(Code::RevocationUnknown, format!("{place} serves a list of the future")))
        } else if !value.is_current(now_unix_s, 0) {
            Some(Error::new(Code::RevocationStale, format!("{place} serves a list that is out of date")))
        } else {
            None
        };
        Renewal { value, next_unix_s, complaint }
    }

    pub(super) fn list_sources(&self) -> Vec<SourceFacts> {
        let facts = |(slot, list, schedule): (String, Option<Arc<RemoteList>>, _)| {
            let entries = list.map_or(0, |remote| remote.list.crl.entries());
            SourceFacts::new(SourceKind::Crl, place_of(&slot).to_owned(), entries, &schedule)
        };
        self.lists.all().into_iter().map(facts).collect()
    }
}

/// A list that has been kept, with the one after it in its place once that is in force.
fn promoted(old: &Arc<RemoteList>, now_unix_s: i64) -> Arc<RemoteList> {
    match old.ahead.as_ref().filter(|ahead| !ahead.crl.is_ahead(now_unix_s)) {
        Some(ahead) => Arc::new(RemoteList {
            list: Arc::clone(ahead),
            ahead: None,
            keys: old.keys.clone(),
            validators: old.validators.clone(),
        }),
        None => Arc::clone(old),
    }
}

/// The slot of a URL's list that must be signed with a key (SubjectPublicKeyInfo). A certificate that names the URL of
/// another CA's list fails alone: the pause after that failure does not affect that CA.
fn slot_of(url: &str, issuer_key: &[u8]) -> String {
    format!("{url} {}", STANDARD.encode(issuer_key))
}

/// The key that [`slot_of`] put into a slot.
fn key_of(slot: &str) -> Vec<u8> {
    let key = slot.rsplit_once(' ').and_then(|(_, key)| STANDARD.decode(key).ok());
    key.unwrap_or_default()
}

fn read(bytes: &[u8], url: &str, keys: &[&[u8]], validators: Validators, allowed: Allowed) -> Result<RemoteList> {
    let invalid = |why: &str| Error::new(Code::RevocationResponseInvalid, format!("{url}: {why}"));
    let mut lists = List::all_of(bytes, url)
        .map_err(|error| Error::new(Code::RevocationResponseInvalid, error.detail()).with_source(error))?;
    let list = lists.pop().filter(|_| lists.is_empty()).ok_or_else(|| invalid("more than one list"))?;
    let signers = Signers { keys: keys.iter().map(|key| Signer { key, key_id: None }).collect(), allowed };
    list.signer(&signers).map_err(|refused| match refused {
        Refused::Wrong => invalid("the list is not signed with the key of the certificate's issuer"),
        Refused::NotServed => invalid(
            "the signature of the list cannot be checked with the issuer's key, which has another type or length",
        ),
    })?;
    let keys = keys.iter().map(|key| Box::from(*key)).collect();
    Ok(RemoteList { list: Arc::new(list), ahead: None, keys, validators })
}
