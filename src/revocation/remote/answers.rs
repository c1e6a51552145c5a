//! Fetched OCSP responses about the certificates of peers (RFC 6960).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use rustls::pki_types::CertificateDer;

use super::Remote;
use super::attempts::first_of;
use super::memory::{Renewal, Schedule, place_of, renewal_unix_s};
use super::request::OcspRequest;
use super::stored::Answer;
use crate::certificate::hex;
use crate::error::{Code, Error, Result};
use crate::revocation::facts::{SourceFacts, SourceKind};
use crate::revocation::link::Link;
use crate::revocation::ocsp::{OcspResponse, OcspStanding, responders_of};
use crate::revocation::standing::{Revoked, Standing};
use crate::signature::Allowed;

/// A link that responders are asked about.
pub(crate) struct OcspQuery<'a> {
    pub(crate) link: Link<'a>,
    pub(crate) now_unix_s: i64,
    pub(crate) max_stale_s: i64,
    pub(crate) allowed: Allowed,
}

impl OcspQuery<'_> {
    /// The content of a response.
    pub(crate) fn standing(&self, response: &OcspResponse, place: &str) -> Standing {
        match response.standing(self.link.certificate, self.link.issuer, self.now_unix_s, self.max_stale_s) {
            OcspStanding::Good { .. } => Standing::Good,
            OcspStanding::Revoked { reason, revoked_unix_s } => {
                Standing::Revoked(Revoked { reason, revoked_unix_s, place: place.to_owned() })
            }
            OcspStanding::Unknown(why) => Standing::unknown(format!("{place}: {why}")),
            OcspStanding::Stale => Standing::stale(place),
            OcspStanding::Invalid(why) => {
                Standing::Unknown(Error::new(Code::RevocationResponseInvalid, format!("{place}: {why}")))
            }
        }
    }

    /// The status in the staple of the certificate.
    pub(crate) fn standing_by_staple(&self, staple: &[u8]) -> Standing {
        const PLACE: &str = "the stapled response";
        match OcspResponse::from_der(staple, PLACE) {
            Ok(response) => self.standing(&response.allow(self.allowed), PLACE),
            Err(error) => Standing::Unknown(Error::new(Code::RevocationResponseInvalid, error.detail())),
        }
    }

    /// The slot of this certificate's answers from a responder.
    fn key(&self, responder: &str) -> String {
        let both = [self.link.issuer.as_ref(), self.link.certificate.as_ref()].concat();
        format!("{responder} {}", hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &both).as_ref()))
    }
}

impl Remote {
    fn responders(&self, certificate: &CertificateDer<'_>) -> Vec<String> {
        match &self.settings.ocsp_responder {
            Some(configured) => vec![configured.clone()],
            None => responders_of(certificate),
        }
    }

    /// The status in the cached responses. It does not use the network.
    pub(crate) fn standing_by_answers(&self, query: &OcspQuery<'_>) -> Standing {
        let unknown = Standing::unknown("no responder has been asked about it");
        self.responders(query.link.certificate).iter().fold(unknown, |standing, responder| {
            let Some(answer) = self.answers.known(&query.key(responder), query.now_unix_s) else { return standing };
            let said = query.standing(&answer.response, responder);
            match (&standing, &said) {
                (Standing::Unknown(_), _) | (_, Standing::Revoked(_)) => said,
                _ => standing,
            }
        })
    }

    /// Asks the responders of a certificate if no current response of theirs is cached.
    pub(crate) fn ask_responders(&self, query: &OcspQuery<'_>, deadline: Instant) -> Result<Standing> {
        let responders = self.responders(query.link.certificate);
        let places: Vec<&str> = responders.iter().map(String::as_str).collect();
        first_of(&places, deadline, "it names no OCSP responder, and none is configured", |responder, deadline| {
            let serves = |answer: &Answer| query.standing(&answer.response, responder).is_known();
            let outcome = self.answers.get(&query.key(responder), query.now_unix_s, deadline, serves, |old| {
                self.ask(responder, query, old, deadline)
            });
            match (outcome.value, outcome.error) {
                (_, Some(error)) => Err(error),
                (Some(answer), None) => Ok(query.standing(&answer.response, responder)),
                (None, None) => Err(Error::new(Code::RevocationUnreachable, format!("{responder}: no answer"))),
            }
        })
    }

    pub(super) fn renew_answer(&self, key: &str, now_unix_s: i64) -> Option<Error> {
        let deadline = Instant::now() + self.settings.fetch.timeout;
        let renewed = self.answers.renew(key, now_unix_s, |old| {
            let old = old.ok_or_else(|| Error::new(Code::RevocationUnreachable, "nothing to renew"))?;
            let link = Link { certificate: &old.certificate, issuer: &old.issuer };
            let query = OcspQuery { link, now_unix_s, max_stale_s: 0, allowed: self.allowed };
            self.ask(&old.responder, &query, Some(Arc::clone(&old)), deadline)
        })?;
        renewed.error
    }

    fn ask(
        &self,
        responder: &str,
        query: &OcspQuery<'_>,
        old: Option<Arc<Answer>>,
        deadline: Instant,
    ) -> Result<Renewal<Answer>> {
        let response = OcspRequest {
            responder,
            is_configured: self.settings.ocsp_responder.is_some(),
            link: query.link,
            settings: &self.settings.ocsp,
            allowed: query.allowed,
            now_unix_s: query.now_unix_s,
            deadline,
        }
        .send(&self.fetcher)?;
        let invalid = |why: &str| Error::new(Code::RevocationResponseInvalid, format!("{responder}: {why}"));
        let standing = query.standing(&response, responder);
        let at_hand = old.as_ref().map(|old| query.standing(&old.response, responder));
        if let (Standing::Unknown(why), Some(true)) = (&standing, at_hand.map(|at_hand| at_hand.is_known())) {
            // The last good one serves until its own end.
            return Err(why.clone());
        }
        if old.as_ref().is_some_and(|old| old.response.this_update_unix_s() > response.this_update_unix_s()) {
            return Err(invalid("the response is older than the one at hand"));
        }
        let next_unix_s = renewal_unix_s(query.now_unix_s, response.next_update_unix_s(), self.settings.refresh_s);
        if old.is_none_or(|old| old.response.der() != response.der()) {
            self.note_arrival();
        }
        let complaint = match standing {
            Standing::Unknown(why) => Some(why),
            _ => None,
        };
        let (certificate, issuer) =
            (query.link.certificate.clone().into_owned(), query.link.issuer.clone().into_owned());
        let value = Arc::new(Answer { response, certificate, issuer, responder: responder.to_owned() });
        Ok(Renewal { value, next_unix_s, complaint })
    }

    /// Responders, each with all that it was asked.
    pub(super) fn answer_sources(&self) -> Vec<SourceFacts> {
        let mut responders: BTreeMap<String, (usize, Schedule)> = BTreeMap::new();
        for (key, answer, schedule) in self.answers.all() {
            let (answers, all) = responders.entry(place_of(&key).to_owned()).or_default();
            *answers += usize::from(answer.is_some());
            all.join(&schedule);
        }
        let facts =
            |(responder, (answers, schedule))| SourceFacts::new(SourceKind::Ocsp, responder, answers, &schedule);
        responders.into_iter().map(facts).collect()
    }
}
