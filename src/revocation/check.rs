//! The check of a verified path: what is known first, then what can be asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use rustls::pki_types::{CertificateDer, UnixTime};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::authorities::{Authorities, Signers, Surroundings};
use super::crl::lists::{CrlQuery, Crls};
use super::facts::{SourceFacts, SourceKind};
use super::link::{Link, links};
use super::ocsp::{OcspResponse, demands_staple};
use super::policy::{Decision, Depth, Mode, RevocationPolicy};
use super::remote::attempts::share;
use super::remote::{OcspQuery, Remote};
use super::standing::{Revoked, Standing};
use super::upkeep::unix_s;
use crate::certificate::describe;
use crate::certificate::matching::NameKey;
use crate::error::{Code, Error, Result};
use crate::keystore::TrustedCertificate;
use crate::signature::Allowed;

/// Checks verified paths for revocation, by what files say and what others say.
#[derive(Debug)]
pub struct Revocation {
    policy: RevocationPolicy,
    crls: Crls,
    /// The trusted certificates with keys that may sign lists too.
    authorities: Authorities,
    responses: Vec<(OcspResponse, String)>,
    remote: Option<Arc<Remote>>,
    read_unix_s: i64,
    unknown_accepted: AtomicU64,
}

/// A link under check.
struct LinkCheck<'a> {
    link: Link<'a>,
    around: Surroundings<'a>,
    /// The OCSP response that came with it: empty if there was none, and `None` if there can be none.
    staple: Option<&'a [u8]>,
    now_unix_s: i64,
    allowed: Allowed,
    may_wait: bool,
}

/// A path that has been verified.
#[derive(Clone, Copy)]
struct Path<'a> {
    /// End entity to anchor.
    certificates: &'a [CertificateDer<'a>],
    /// All that the peer sent, as far as that is known.
    chain: &'a [CertificateDer<'a>],
    staple: Option<&'a [u8]>,
    /// False if what is at hand must do.
    may_wait: bool,
}

impl Revocation {
    /// A check by these lists.
    pub fn new(policy: RevocationPolicy, crls: Crls) -> Self {
        Self {
            policy,
            crls,
            authorities: Authorities::default(),
            responses: Vec::new(),
            remote: None,
            read_unix_s: 0,
            unknown_accepted: AtomicU64::new(0),
        }
    }

    /// With the trusted certificates: an authority that has changed its key signs its lists with the other one, of
    /// another certificate of the same name.
    #[must_use]
    pub fn with_trusted(self, trusted: &[TrustedCertificate]) -> Self {
        let authorities = if self.is_on() { Authorities::new(trusted) } else { Authorities::default() };
        Self { authorities, ..self }
    }

    /// With responses that are there already, each with the name of its file.
    #[must_use]
    pub fn with_responses(self, responses: Vec<(OcspResponse, String)>) -> Self {
        Self { responses, ..self }
    }

    /// With what others say.
    pub(crate) fn with_remote(self, remote: Option<Arc<Remote>>) -> Self {
        Self { remote, ..self }
    }

    /// The time at which the files were read, in seconds since 1970.
    pub(crate) fn read_at(self, read_unix_s: i64) -> Self {
        Self { read_unix_s, ..self }
    }

    /// The warnings about the lists beside these trusted certificates. The signatures of the lists of trusted issuers
    /// are checked here, for all handshakes.
    pub fn warnings(&self, trusted: &[TrustedCertificate]) -> Vec<String> {
        match self.is_on() {
            true => self.crls.warnings(trusted, (self.read_unix_s, self.max_stale_s()), self.policy.allowed()),
            false => self.crls.notes().to_vec(),
        }
    }

    /// Returns true if peers are checked.
    pub(crate) fn is_on(&self) -> bool {
        self.policy.mode != Mode::Off
    }

    /// The number of certificates accepted with an unknown status.
    pub fn unknown_accepted(&self) -> u64 {
        self.unknown_accepted.load(Ordering::Relaxed)
    }

    /// The sources with their last results.
    pub(crate) fn sources(&self) -> Vec<SourceFacts> {
        let lists = self.crls.iter();
        let lists =
            lists.map(|(crl, place)| SourceFacts::file(SourceKind::Crl, place, crl.entries(), self.read_unix_s));
        let responses = self.responses.iter();
        let responses = responses.map(|(_, place)| SourceFacts::file(SourceKind::Ocsp, place, 1, self.read_unix_s));
        let remote = self.remote.iter().flat_map(|remote| remote.sources());
        lists.chain(responses).chain(remote).collect()
    }

    /// Checks a path that has been verified, end entity to anchor. An end entity that is trusted directly is its own
    /// anchor. `staple` is the OCSP response that came with the end entity, empty if none did; none if the peer
    /// has no way to send one. Waits for the network if fetching is on, and not longer than the policy's deadline.
    ///
    /// # Errors
    /// `CERT_REVOKED` with reason and date, or `STAPLE_MISSING`. If a status is required and unknown,
    /// `REVOCATION_UNKNOWN`, `REVOCATION_STALE`, `REVOCATION_UNREACHABLE`, `REVOCATION_RESPONSE_INVALID` or
    /// `FETCH_REFUSED`.
    pub fn check(&self, path: &[CertificateDer<'_>], staple: Option<&[u8]>, now: UnixTime) -> Result<()> {
        self.check_sent(path, &[], staple, now)
    }

    /// The same, with all the certificates that the peer sent: one of them may be of an issuer's other key, which signs
    /// its lists.
    ///
    /// # Errors
    /// As for [`Revocation::check`].
    pub fn check_sent(
        &self,
        path: &[CertificateDer<'_>],
        chain: &[CertificateDer<'_>],
        staple: Option<&[u8]>,
        now: UnixTime,
    ) -> Result<()> {
        let deadline = self.remote.is_some().then(|| Instant::now() + self.policy.deadline);
        self.check_until(Path { certificates: path, chain, staple, may_wait: true }, now, deadline)
    }

    /// As [`Revocation::check_sent`], by what is known, without a fetch. Lists that are missing are noted, so that
    /// maintenance fetches them.
    ///
    /// # Errors
    /// As for [`Revocation::check`].
    pub(crate) fn check_known(
        &self,
        path: &[CertificateDer<'_>],
        chain: &[CertificateDer<'_>],
        staple: Option<&[u8]>,
        now: UnixTime,
    ) -> Result<()> {
        // Without time left, a list gets its place among those that are renewed, and is not fetched here.
        let deadline = self.remote.is_some().then(Instant::now);
        self.check_until(Path { certificates: path, chain, staple, may_wait: false }, now, deadline)
    }

    /// Checks a path again by what is known, without a fetch. `staple` is the response that came with it, if one did.
    ///
    /// # Errors
    /// As for [`Revocation::check`].
    pub fn recheck(&self, path: &[CertificateDer<'_>], staple: Option<&[u8]>, now: UnixTime) -> Result<()> {
        self.check_until(Path { certificates: path, chain: &[], staple, may_wait: false }, now, None)
    }

    fn check_until(&self, path: Path<'_>, now: UnixTime, deadline: Option<Instant>) -> Result<()> {
        if !self.is_on() {
            return Ok(());
        }
        let now_unix_s = unix_s(now);
        let Path { certificates: path, chain, staple, may_wait } = path;
        let asked = links(path).take(self.asked_of(path));
        let mut refusal = None;
        // From the anchor down: what issuers are worth is known to most handshakes, so that the end entity gets the
        // time that they did not need, and none of them is passed over because the end entity took all of it.
        for (at, link) in asked.enumerate().rev() {
            let staple = staple.filter(|_| at == 0);
            // Who is refused already is asked no more about, but may still be known to be revoked.
            let deadline = deadline.filter(|_| refusal.is_none()).map(|deadline| share(deadline, at + 1));
            let around = Surroundings { above: path.get(at + 2..).unwrap_or_default(), chain, now_unix_s };
            let check = LinkCheck { link, around, staple, now_unix_s, allowed: self.policy.allowed(), may_wait };
            if let Err(error) = self.judge(&check, deadline) {
                let error = error.at(describe(link.certificate));
                match error.code() {
                    Code::CertRevoked => return Err(error),
                    _ => refusal = refusal.or(Some(error)),
                }
            }
        }
        refusal.map_or(Ok(()), Err)
    }

    /// The number of checked certificates of a path, from the end entity on.
    pub(crate) fn asked_of(&self, path: &[CertificateDer<'_>]) -> usize {
        match self.policy.depth {
            _ if !self.is_on() => 0,
            Depth::Leaf => 1,
            Depth::Chain => path.len(),
        }
    }

    /// Returns how a certificate was revoked, if that is known. Asks no one, and does not count as a check.
    pub(crate) fn revoked(&self, link: Link<'_>, now: UnixTime) -> Option<Revoked> {
        let now_unix_s = unix_s(now);
        let around = Surroundings { above: &[], chain: &[], now_unix_s };
        let allowed = self.policy.allowed();
        let asked = LinkCheck { link, around, staple: None, now_unix_s, allowed, may_wait: false };
        match self.by_lists(&asked).or(self.by_responses(&asked, None)) {
            Standing::Revoked(revoked) => Some(revoked),
            Standing::Good | Standing::Unknown(_) => None,
        }
    }

    fn judge(&self, asked: &LinkCheck<'_>, deadline: Option<Instant>) -> Result<()> {
        let stapled = self.by_staple(asked);
        self.judge_staple(asked, stapled.as_ref())?;
        let (mut crl, mut ocsp) = (self.by_lists(asked), self.by_responses(asked, stapled));
        let mut decision = self.policy.decide(&crl, &ocsp);
        if let (Some(remote), Some(deadline)) = (&self.remote, deadline) {
            // The list of another key of the issuer may be for the certificates of that key alone.
            let is_doubtful = matches!(crl, Standing::Good) && !ocsp.is_known() && !self.is_settled(remote, asked);
            let may_ask = asked.may_wait && self.policy.ocsp != Mode::Off;
            if (decision.may_change() || is_doubtful) && may_ask && !ocsp.is_known() {
                let is_open = !crl.is_known() || is_doubtful;
                let both = self.policy.crl != Mode::Off && is_open && asked.names_lists(&self.authorities);
                ocsp = self.ask_responders(remote, asked, ocsp, if both { share(deadline, 2) } else { deadline });
                decision = self.policy.decide(&crl, &ocsp);
            }
            let is_open = match is_doubtful {
                true => !ocsp.is_known(),
                false => decision.may_change() && !crl.is_known(),
            };
            if is_open && self.policy.crl != Mode::Off {
                crl = self.fetch_lists(remote, asked, crl, deadline);
                decision = self.policy.decide(&crl, &ocsp);
            }
        }
        match decision {
            Decision::Accept => Ok(()),
            Decision::AcceptUnknown => {
                self.unknown_accepted.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            Decision::Revoked(revoked) => Err(revoked.error()),
            Decision::Unknown(why) => Err(why),
        }
    }

    /// A certificate that demands a staple is accepted with one alone (RFC 7633), whatever else may be known.
    fn judge_staple(&self, asked: &LinkCheck<'_>, stapled: Option<&Standing>) -> Result<()> {
        if self.policy.ocsp == Mode::Off || asked.staple.is_none() || !demands_staple(asked.link.certificate) {
            return Ok(());
        }
        match stapled {
            None => Err(Error::from(Code::StapleMissing)),
            Some(Standing::Unknown(why)) => Err(why.clone()),
            Some(_) => Ok(()),
        }
    }

    /// The status in the staple of the certificate, if there is one.
    fn by_staple(&self, asked: &LinkCheck<'_>) -> Option<Standing> {
        let staple = asked.staple.filter(|staple| self.policy.ocsp != Mode::Off && !staple.is_empty())?;
        Some(self.ocsp_query(asked).standing_by_staple(staple))
    }

    fn by_lists(&self, asked: &LinkCheck<'_>) -> Standing {
        if self.policy.crl == Mode::Off {
            return Standing::unknown("lists are not asked");
        }
        // Saves reading the certificates if a responder knows all that there is to know.
        if self.crls.is_empty() && self.remote.as_ref().is_none_or(|remote| remote.has_no_lists()) {
            return Standing::unknown("there is no list of its issuer");
        }
        asked.with_crl_query(&self.authorities, |query| {
            let own = self.crls.of(query.issuer());
            match &self.remote {
                Some(remote) => remote.standing_by_lists(query, own, asked.now_unix_s, self.max_stale_s()),
                None => query.answer(own.iter(), asked.now_unix_s, self.max_stale_s()),
            }
        })
    }

    /// Returns true if the known lists of the very key that signed the certificate say enough.
    fn is_settled(&self, remote: &Remote, asked: &LinkCheck<'_>) -> bool {
        let is_settled = |query: &CrlQuery<'_>| {
            let own = self.crls.of(query.issuer());
            Ok(remote.is_settled_by_lists(query, own, asked.now_unix_s, self.max_stale_s()))
        };
        asked.crl_query(&self.authorities, is_settled).unwrap_or(true)
    }

    fn fetch_lists(&self, remote: &Remote, asked: &LinkCheck<'_>, known: Standing, deadline: Instant) -> Standing {
        let fetched = asked.crl_query(&self.authorities, |query| {
            let own = self.crls.of(query.issuer());
            remote.fetch_lists(query, own, (asked.now_unix_s, self.max_stale_s()), deadline)
        });
        match fetched {
            Ok(()) => self.by_lists(asked),
            Err(error) => self.by_lists(asked).or(known).after(Some(error).filter(|_| asked.may_wait)),
        }
    }

    /// The status in the staple, the files and the cache, in this order.
    fn by_responses(&self, asked: &LinkCheck<'_>, stapled: Option<Standing>) -> Standing {
        if self.policy.ocsp == Mode::Off {
            return Standing::unknown("OCSP is not asked");
        }
        let query = self.ocsp_query(asked);
        let mut standing = stapled.unwrap_or_else(|| Standing::unknown("there is no OCSP response about it"));
        for (response, place) in &self.responses {
            standing = standing.or(query.standing(response, place));
        }
        match &self.remote {
            Some(remote) => standing.or(remote.standing_by_answers(&query)),
            None => standing,
        }
    }

    fn ask_responders(&self, remote: &Remote, asked: &LinkCheck<'_>, known: Standing, deadline: Instant) -> Standing {
        match remote.ask_responders(&self.ocsp_query(asked), deadline) {
            Ok(standing) => known.or(standing),
            Err(error) => known.after(Some(error)),
        }
    }

    fn ocsp_query<'a>(&self, asked: &LinkCheck<'a>) -> OcspQuery<'a> {
        OcspQuery {
            link: asked.link,
            now_unix_s: asked.now_unix_s,
            max_stale_s: self.max_stale_s(),
            allowed: self.policy.allowed(),
        }
    }

    fn max_stale_s(&self) -> i64 {
        self.policy.max_stale_s.into()
    }
}

impl LinkCheck<'_> {
    /// Has lists asked about the certificate, once it has been read.
    ///
    /// # Errors
    /// `REVOCATION_UNKNOWN` for what no list can speak of.
    fn crl_query<T>(&self, trusted: &Authorities, ask: impl FnOnce(&CrlQuery<'_>) -> Result<T>) -> Result<T> {
        let read = (X509Certificate::from_der(self.link.certificate), X509Certificate::from_der(self.link.issuer));
        let (Ok((_, certificate)), Ok((_, issuer))) = read else {
            return Err(Error::new(Code::RevocationUnknown, "the certificate cannot be read"));
        };
        let signers = |name: &NameKey| Signers {
            keys: trusted.signers((self.link.issuer, &issuer), name, self.around),
            allowed: self.allowed,
        };
        ask(&CrlQuery::new(&certificate, &issuer, signers)?)
    }

    /// Returns true if the certificate names a distribution point.
    fn names_lists(&self, trusted: &Authorities) -> bool {
        self.crl_query(trusted, |query| Ok(!query.places().is_empty())).unwrap_or(false)
    }

    fn with_crl_query(&self, trusted: &Authorities, ask: impl FnOnce(&CrlQuery<'_>) -> Standing) -> Standing {
        self.crl_query(trusted, |query| Ok(ask(query))).unwrap_or_else(Standing::Unknown)
    }
}

impl Decision {
    /// Returns true if another source could change the status.
    fn may_change(&self) -> bool {
        matches!(self, Self::AcceptUnknown | Self::Unknown(_))
    }
}
