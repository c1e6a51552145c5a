//! The lists that a context has, and what they know of one certificate (RFC 5280 section 6.3.3).

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::digest;
use x509_parser::prelude::X509Certificate;

use super::Crl;
use super::scope::{ALL_REASONS, Pointers, Subject};
use crate::certificate::date_text;
use crate::certificate::matching::NameKey;
use crate::error::{Code, Error, Result};
use crate::keystore::TrustedCertificate;
use crate::revocation::authorities::{Authorities, Signer, Signers};
use crate::revocation::content::{self, Part};
use crate::revocation::point::name_text;
use crate::revocation::standing::{Revoked, Standing};
use crate::signature::{Allowed, Refused};

// The contents of the object identifiers 2.5.29.18 and 31.
const ISSUER_ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1d, 18];
const CRL_DISTRIBUTION_POINTS: &[u8] = &[0x55, 0x1d, 31];
/// The most keys that are remembered for each list: an issuer that changes its key has two for a while.
const MAX_KEYS: usize = 8;
/// The most keys that are tried for each list; its own hint is tried early.
const MAX_TRIED: usize = 4;

type Checked = std::result::Result<(), Refused>;

/// Lists by their issuers.
#[derive(Debug, Default)]
pub struct Crls {
    of_issuer: HashMap<NameKey, Vec<List>>,
    /// SHA-256 of each: directories have files under several names.
    fingerprints: HashSet<String>,
    /// Notes for the operator about files and lists that were passed over.
    notes: Vec<String>,
}

/// A list and its verified issuer.
#[derive(Debug)]
pub(crate) struct List {
    pub(crate) crl: Crl,
    pub(crate) place: String,
    /// SHA-256 of keys, and the check of the list's signature with each.
    keys: Mutex<Vec<([u8; digest::SHA256_OUTPUT_LEN], Checked)>>,
}

impl Crls {
    /// Adds every list of a file's content: DER, or PEM with any number of them; `place` is what messages call it.
    ///
    /// # Errors
    /// As for [`Crl::from_der`]; `CRL_MALFORMED` if there is none; `PEM_MALFORMED`.
    pub fn add(&mut self, content: &[u8], place: &str) -> Result<()> {
        List::all_of(content, place)?.into_iter().for_each(|list| self.push(list));
        Ok(())
    }

    /// The same for a file of a directory, which may hold other files too: what is passed over becomes a warning. Delta
    /// lists are: the complete list beside them says what they say.
    ///
    /// # Errors
    /// As for [`Crls::add`], for what is a list and cannot be used, or is none though its name says so.
    pub fn add_from_directory(&mut self, content: &[u8], place: &str) -> Result<()> {
        let parts = if content::may_hold_list(content) { content::crl_parts(content, place)? } else { Vec::new() };
        if parts.is_empty() {
            // A list that was lost on its way, or cut off, must not end as none.
            if content::is_named_as_list(place) {
                return Err(content::no_list(content, "no list can be read in it").at(place));
            }
            self.pass_over(place, content::no_list(content, "there is no list in it").detail());
        }
        for Part { der, place } in parts {
            match Crl::from_der_unless_delta(&der, &place)? {
                Some(crl) => self.push(List::new(crl, place)),
                None => self.pass_over(&place, "a delta list; only complete ones are used"),
            }
        }
        Ok(())
    }

    /// Adds the warning for a file of a directory that is not used.
    pub(crate) fn pass_over(&mut self, place: &str, why: &str) {
        self.note(format!("{place}: passed over among the lists (CRL): {why}"));
    }

    /// Adds a warning, once.
    pub(crate) fn note(&mut self, warning: String) {
        if !self.notes.contains(&warning) {
            self.notes.push(warning);
        }
    }

    /// The warnings that do not depend on the context's trust anchors.
    pub(crate) fn notes(&self) -> &[String] {
        &self.notes
    }

    fn push(&mut self, list: List) {
        if self.fingerprints.insert(list.crl.fingerprint().to_owned()) {
            self.of_issuer.entry(list.crl.issuer_key().clone()).or_default().push(list);
        }
    }

    /// The lists, in no order, each with the name of its file.
    pub fn iter(&self) -> impl Iterator<Item = (&Crl, &str)> {
        self.of_issuer.values().flatten().map(|list| (&list.crl, list.place.as_str()))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.of_issuer.is_empty()
    }

    /// Warnings for the operator: what was passed over, which lists are not in force, and which no trusted certificate
    /// has issued. Also lists that are not signed with a key of a trusted certificate of their issuer's name.
    pub(crate) fn warnings(
        &self,
        trusted: &[TrustedCertificate],
        (now_unix_s, max_stale_s): (i64, i64),
        allowed: Allowed,
    ) -> Vec<String> {
        let authorities = Authorities::new(trusted);
        let mut lists: Vec<&List> = self.of_issuer.values().flatten().collect();
        lists.sort_by(|one, other| one.place.cmp(&other.place));
        let of_list = |list: &&List| {
            let why = [list.warning_of_issuer(&authorities, allowed), list.warning_of_dates(now_unix_s, max_stale_s)];
            let place = list.place.clone();
            why.into_iter().flatten().map(move |why| format!("{place}: this list (CRL) {why}"))
        };
        self.notes.iter().cloned().chain(lists.iter().flat_map(of_list)).collect()
    }

    /// Those of this issuer.
    pub(crate) fn of(&self, issuer: &NameKey) -> &[List] {
        self.of_issuer.get(issuer).map(Vec::as_slice).unwrap_or_default()
    }
}

/// A certificate of a verified path that is checked against lists.
pub(crate) struct CrlQuery<'a> {
    serial: &'a [u8],
    subject: Subject<'a>,
    /// The issuer's SubjectPublicKeyInfo.
    key: &'a [u8],
    /// The name of its issuer.
    issuer: NameKey,
    /// The keys that its lists may be signed with.
    signers: Signers<'a>,
}

impl<'a> CrlQuery<'a> {
    /// `issuer` is the next certificate of the path; `signers` finds the keys that lists of a name may be signed with.
    ///
    /// # Errors
    /// `REVOCATION_UNKNOWN` for what no list can speak of.
    pub(crate) fn new(
        certificate: &'a X509Certificate<'_>,
        issuer: &'a X509Certificate<'_>,
        signers: impl FnOnce(&NameKey) -> Signers<'a>,
    ) -> Result<Self> {
        let unknown = |why: &str| Error::new(Code::RevocationUnknown, why);
        let subject = subject(certificate);
        let name = NameKey::new(certificate.issuer().as_raw());
        let signers = signers(&name);
        if signers.keys.is_empty() {
            return Err(unknown("its issuer's key usage is not to sign lists (cRLSign)"));
        }
        let key = issuer.public_key().raw;
        Ok(Self { serial: certificate.raw_serial(), subject, key, issuer: name, signers })
    }

    /// The distribution points of the certificate, each with its equivalent URLs.
    pub(crate) fn places(&self) -> Vec<Vec<&'a str>> {
        self.subject.places()
    }

    /// The name of its issuer.
    pub(crate) fn issuer(&self) -> &NameKey {
        &self.issuer
    }

    /// The SubjectPublicKeyInfo of its issuer.
    pub(crate) fn key(&self) -> &'a [u8] {
        self.key
    }

    /// Every SubjectPublicKeyInfo that its lists may be signed with.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &'a [u8]> {
        self.signers.keys.iter().map(|signer| signer.key)
    }

    /// Returns true if a list covers it, and is signed by an authority that may sign it.
    pub(crate) fn is_spoken_of_by(&self, list: &List) -> bool {
        list.crl.reasons_for(&self.subject) != 0 && list.signer(&self.signers).is_ok()
    }

    /// The combined status of these lists, which all have the name of its issuer.
    pub(crate) fn answer<'b>(
        &self,
        lists: impl Iterator<Item = &'b List>,
        now_unix_s: i64,
        max_stale_s: i64,
    ) -> Standing {
        self.answer_by(&self.signers, lists, (now_unix_s, max_stale_s))
    }

    /// Returns true if the lists of the very key that signed it say enough. An issuer with two keys may have a list for
    /// each, of the certificates that this key has signed.
    pub(crate) fn is_settled<'b>(
        &self,
        lists: impl Iterator<Item = &'b List>,
        now_unix_s: i64,
        max_stale_s: i64,
    ) -> bool {
        let own = self.signers.keys.iter().filter(|signer| signer.key == self.key).cloned().collect();
        let signers = Signers { keys: own, ..self.signers };
        self.answer_by(&signers, lists, (now_unix_s, max_stale_s)).is_known()
    }

    fn answer_by<'b>(
        &self,
        signers: &Signers<'a>,
        lists: impl Iterator<Item = &'b List>,
        (now_unix_s, max_stale_s): (i64, i64),
    ) -> Standing {
        let mut lists: Vec<&List> = lists.collect();
        lists.sort_by_key(|list| std::cmp::Reverse(list.crl.this_update_unix_s()));
        let mut known = 0;
        let mut reasons_why: Vec<Standing> = Vec::new();
        let mut answered: Vec<(&Crl, &[u8])> = Vec::new();
        for list in lists {
            let reasons = list.crl.reasons_for(&self.subject);
            if reasons == 0 {
                reasons_why.push(list.is_silent());
                continue;
            }
            let signer = match list.signer(signers) {
                Ok(signer) => signer,
                Err(refused) => {
                    reasons_why.push(list.is_not_checked(refused));
                    continue;
                }
            };
            // An older list says nothing beside a newer one of the same key and scope. Of two keys, each may have lists
            // of its own for the certificates that it signed.
            let made_unix_s = list.crl.this_update_unix_s();
            let is_newer = |(other, key): &(&Crl, &[u8])| {
                *key == signer && other.has_scope_of(&list.crl) && other.this_update_unix_s() > made_unix_s
            };
            if answered.iter().any(is_newer) {
                continue;
            }
            if let Some((reason, revoked_unix_s)) = list.crl.find(self.serial) {
                return Standing::Revoked(Revoked { reason, revoked_unix_s, place: list.place.clone() });
            }
            // One that is not in force yet leaves the one that is.
            if list.crl.is_ahead(now_unix_s) {
                reasons_why.push(Standing::unknown(format!("{} is of the future", list.place)));
                continue;
            }
            answered.push((&list.crl, signer));
            match list.crl.next_update_unix_s() {
                Some(next) if next.saturating_add(max_stale_s) < now_unix_s => {
                    reasons_why.push(Standing::stale(&list.place));
                }
                _ => known |= reasons,
            }
        }
        if known == ALL_REASONS {
            return Standing::Good;
        }
        let some = || Standing::unknown("the lists of its issuer do not speak of all reasons to revoke it");
        let none = || Standing::unknown("there is no list of its issuer");
        let why = reasons_why.into_iter().reduce(Standing::or);
        why.unwrap_or_else(|| if known == 0 { none() } else { some() })
    }
}

impl List {
    fn new(crl: Crl, place: String) -> Self {
        Self { crl, place, keys: Mutex::default() }
    }

    /// Every list of a file's content: DER, or PEM with any number of them; `place` is what messages call it.
    ///
    /// # Errors
    /// As for [`Crl::from_der`]; `CRL_MALFORMED` if there is none; `PEM_MALFORMED`.
    pub(crate) fn all_of(content: &[u8], place: &str) -> Result<Vec<Self>> {
        let parts = content::crl_parts(content, place)?;
        if parts.is_empty() {
            return Err(content::no_list(content, "no X509 CRL in the PEM file").at(place));
        }
        parts.into_iter().map(|Part { der, place }| Ok(Self::new(Crl::from_der(&der, &place)?, place))).collect()
    }

    /// The one of these keys that it was signed with.
    ///
    /// # Errors
    /// The fault of its signature.
    pub(crate) fn signer<'a>(&self, signers: &Signers<'a>) -> std::result::Result<&'a [u8], Refused> {
        let hint = self.crl.authority_key();
        let is_hinted = |signer: &&Signer<'_>| hint.is_some() && signer.key_id.as_deref() == hint;
        let (own, others) = signers.keys.split_at(signers.keys.len().min(1));
        let hinted = others.iter().filter(is_hinted);
        let in_order = own.iter().chain(hinted).chain(others.iter().filter(|signer| !is_hinted(signer)));
        let mut refused = None;
        for signer in in_order.take(MAX_TRIED) {
            match self.check(signer.key, signers.allowed) {
                Ok(()) => return Ok(signer.key),
                Err(why) => refused = Some(refused.filter(|_| why == Refused::Wrong).unwrap_or(why)),
            }
        }
        Err(refused.unwrap_or(Refused::Wrong))
    }

    /// Checks that it was signed with this key, once for each key.
    fn check(&self, key: &[u8], allowed: Allowed) -> Checked {
        let mut fingerprint = [0; digest::SHA256_OUTPUT_LEN];
        fingerprint.copy_from_slice(digest::digest(&digest::SHA256, key).as_ref());
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, checked)) = keys.iter().find(|(known, _)| *known == fingerprint) {
            return *checked;
        }
        let checked = self.crl.check(key, allowed);
        keys.truncate(MAX_KEYS - 1);
        keys.insert(0, (fingerprint, checked));
        checked
    }

    /// That it does not speak of a certificate, and of which it does.
    fn is_silent(&self) -> Standing {
        let scope = self.crl.scope_text().unwrap_or_default();
        Standing::unknown(format!("{} does not speak of it: its issuing distribution point is for {scope}", self.place))
    }

    /// That its signature does not count.
    fn is_not_checked(&self, refused: Refused) -> Standing {
        Standing::unknown(match refused {
            Refused::Wrong => format!("{} is not signed with its issuer's key", self.place),
            Refused::NotServed => format!(
                "the signature of {}, {}, cannot be checked with its issuer's key, a key of another kind or length",
                self.place,
                self.crl.signature_algorithm()
            ),
        })
    }

    /// The fault of its issuer, as the rest of a sentence.
    fn warning_of_issuer(&self, authorities: &Authorities, allowed: Allowed) -> Option<String> {
        let of_name = authorities.of(self.crl.issuer_key());
        let name = name_text(self.crl.issuer());
        if of_name.is_empty() {
            let detail = "it counts only for peers that send a certificate of that issuer";
            return Some(format!("is of \"{name}\", and no trusted CA certificate has that name: {detail}"));
        }
        let keys = of_name.iter().map(|authority| authority.signer()).collect();
        let is_authority = |key: &[u8]| of_name.iter().any(|one| one.signer().key == key && one.signs_lists());
        match self.signer(&Signers { keys, allowed }) {
            Err(Refused::Wrong) => {
                Some("is not signed with the key of the trusted certificate of its issuer's name".to_owned())
            }
            Err(Refused::NotServed) => Some(format!(
                "has a signature, {}, that cannot be checked with the key of the trusted certificate of its issuer's \
                 name, a key of another kind or length",
                self.crl.signature_algorithm()
            )),
            Ok(key) if is_authority(key) => None,
            Ok(_) => Some("counts for nothing: its issuer's key usage is not to sign lists (cRLSign)".to_owned()),
        }
    }

    /// The fault of its dates, as the rest of a sentence.
    fn warning_of_dates(&self, now_unix_s: i64, max_stale_s: i64) -> Option<String> {
        let next_unix_s = self.crl.next_update_unix_s();
        if next_unix_s.is_some_and(|next| next.saturating_add(max_stale_s) < now_unix_s) {
            return Some("is out of date: it still revokes, and says nothing else".to_owned());
        }
        let date = date_text(self.crl.this_update_unix_s());
        let is_ahead = self.crl.is_ahead(now_unix_s);
        is_ahead.then(|| format!("begins at {date}: until then it revokes, and says nothing else"))
    }
}

fn subject<'a>(certificate: &'a X509Certificate<'_>) -> Subject<'a> {
    let value = |identifier: &[u8]| {
        let mut extensions = certificate.extensions().iter();
        extensions.find(|extension| extension.oid.as_bytes() == identifier).map(|extension| extension.value)
    };
    let (points, issuer_names) = (value(CRL_DISTRIBUTION_POINTS), value(ISSUER_ALTERNATIVE_NAME));
    Subject::new(certificate.issuer().as_raw(), certificate.is_ca(), &Pointers { points, issuer_names })
}
