//! The lists that a context has, and what they know of one certificate (RFC 5280 section 6.3.3).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::digest;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::crl::Crl;
use super::scope::{ALL_REASONS, Subject};
use super::standing::{Revoked, Standing};
use crate::der::Malformed;
use crate::error::{Code, Error, Result};
use crate::keystore::{TrustedCertificate, blocks_of_pem};
use crate::signature::{Allowed, Refused};

/// What PEM calls a list (RFC 7468 section 5.3).
pub(super) const LABEL: &str = "X509 CRL";
// The content of the object identifier 2.5.29.31.
const CRL_DISTRIBUTION_POINTS: &[u8] = &[0x55, 0x1d, 31];
/// So many keys are remembered for each list: an issuer that changes its key has two for a while.
const MAX_KEYS: usize = 8;

type Checked = std::result::Result<(), Refused>;

/// Lists by their issuers.
#[derive(Debug, Default)]
pub struct Crls {
    of_issuer: HashMap<Box<[u8]>, Vec<List>>,
}

/// A list, and whose it has turned out to be.
#[derive(Debug)]
pub(super) struct List {
    pub(super) crl: Crl,
    pub(super) place: String,
    /// SHA-256 of keys, and the check of the list's signature with each.
    keys: Mutex<Vec<([u8; digest::SHA256_OUTPUT_LEN], Checked)>>,
}

impl Crls {
    /// Adds every list of a file's content: DER, or PEM with any number of them; `place` is what messages call it.
    ///
    /// # Errors
    /// As for [`Crl::from_der`]; `CRL_MALFORMED` where there is none; `PEM_MALFORMED`.
    pub fn add(&mut self, content: &[u8], place: &str) -> Result<()> {
        for list in List::all_of(content, place)? {
            self.of_issuer.entry(list.crl.issuer().into()).or_default().push(list);
        }
        Ok(())
    }

    /// The lists, in no order, each with the name of its file.
    pub fn iter(&self) -> impl Iterator<Item = (&Crl, &str)> {
        self.of_issuer.values().flatten().map(|list| (&list.crl, list.place.as_str()))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.of_issuer.is_empty()
    }

    /// What an operator should know of them: which are out of date, and which are not signed with a key of the trusted
    /// certificates of their issuer's name. A list of an issuer that is not trusted itself waits for its first peer.
    pub(super) fn warnings(
        &self,
        trusted: &[TrustedCertificate],
        now_unix_s: i64,
        max_stale_s: i64,
        allowed: Allowed,
    ) -> Vec<String> {
        let mut checked: HashMap<&str, (&List, Checked)> = HashMap::new();
        for trusted in trusted {
            let Ok((_, issuer)) = X509Certificate::from_der(&trusted.der) else { continue };
            for list in self.of(issuer.subject().as_raw()) {
                let outcome = list.check(issuer.public_key().raw, allowed);
                let known = checked.entry(&list.place).or_insert((list, outcome));
                if known.1.is_err() && outcome != Err(Refused::Wrong) {
                    known.1 = outcome;
                }
            }
        }
        let foreign = checked.into_iter().filter_map(|(place, (list, outcome))| match outcome {
            Ok(()) => None,
            Err(Refused::Wrong) => Some(format!(
                "{place}: this list (CRL) is not signed with the key of the trusted certificate of its issuer's name"
            )),
            Err(Refused::NotServed) => Some(format!(
                "{place}: the signature of this list (CRL), {}, cannot be checked with the key of the trusted \
                 certificate of its issuer's name, a key of another kind or length",
                list.crl.signature_algorithm()
            )),
        });
        let is_late =
            |crl: &Crl| crl.next_update_unix_s().is_some_and(|next| next.saturating_add(max_stale_s) < now_unix_s);
        let late = self.iter().filter(|(crl, _)| is_late(crl));
        let late = late.map(|(_, place)| {
            format!("{place}: this list (CRL) is out of date: it still revokes, and says nothing else")
        });
        foreign.chain(late).collect()
    }

    /// Those of this issuer, a name as it is encoded.
    pub(super) fn of(&self, issuer: &[u8]) -> &[List] {
        self.of_issuer.get(issuer).map(Vec::as_slice).unwrap_or_default()
    }
}

/// A certificate whose path has been verified, which lists are asked about.
pub(super) struct Question<'a> {
    serial: &'a [u8],
    subject: Subject<'a>,
    /// The issuer's SubjectPublicKeyInfo.
    key: &'a [u8],
    pub(super) issuer: &'a [u8],
    allowed: Allowed,
}

impl<'a> Question<'a> {
    /// `issuer` is the next certificate of the path.
    ///
    /// # Errors
    /// `REVOCATION_UNKNOWN` for what no list can speak of.
    pub(super) fn new(
        certificate: &'a X509Certificate<'_>,
        issuer: &'a X509Certificate<'_>,
        allowed: Allowed,
    ) -> Result<Self> {
        let unknown = |why: &str| Error::new(Code::RevocationUnknown, why);
        let subject = subject(certificate).map_err(|_| unknown("its distribution points cannot be read"))?;
        if !may_sign_lists(issuer) {
            return Err(unknown("its issuer's key usage is not to sign lists (cRLSign)"));
        }
        let key = issuer.public_key().raw;
        Ok(Self { serial: certificate.raw_serial(), subject, key, issuer: certificate.issuer().as_raw(), allowed })
    }

    /// Where lists are that speak of it: for each of its distribution points the places that say the same.
    pub(super) fn places(&self) -> Vec<Vec<&'a str>> {
        self.subject.places()
    }

    /// The SubjectPublicKeyInfo that its lists have to be signed with.
    pub(super) fn key(&self) -> &'a [u8] {
        self.key
    }

    /// What these lists, all of its issuer's name, say together.
    pub(super) fn answer<'b>(
        &self,
        lists: impl Iterator<Item = &'b List>,
        now_unix_s: i64,
        max_stale_s: i64,
    ) -> Standing {
        let mut lists: Vec<&List> = lists.collect();
        if lists.is_empty() {
            return Standing::unknown("there is no list of its issuer");
        }
        lists.sort_by_key(|list| std::cmp::Reverse(list.crl.this_update_unix_s()));
        let mut known = 0;
        let mut why = Standing::unknown("the lists of its issuer do not speak of it");
        let mut answered: Vec<&Crl> = Vec::new();
        for list in lists {
            let reasons = list.crl.reasons_for(&self.subject);
            // An older list says nothing beside a newer one of the same scope.
            if reasons == 0 || answered.iter().any(|newer| newer.has_scope_of(&list.crl)) {
                continue;
            }
            if let Err(refused) = list.check(self.key, self.allowed) {
                why = Standing::unknown(match refused {
                    Refused::Wrong => format!("{} is not signed with its issuer's key", list.place),
                    Refused::NotServed => format!(
                        "the signature of {}, {}, cannot be checked with its issuer's key, a key of another kind or length",
                        list.place,
                        list.crl.signature_algorithm()
                    ),
                });
                continue;
            }
            answered.push(&list.crl);
            if let Some((reason, revoked_unix_s)) = list.crl.find(self.serial) {
                return Standing::Revoked(Revoked { reason, revoked_unix_s, place: list.place.clone() });
            }
            match list.crl.next_update_unix_s() {
                _ if list.crl.this_update_unix_s() > now_unix_s => {
                    why = Standing::unknown(format!("{} is of the future", list.place));
                }
                Some(next) if next.saturating_add(max_stale_s) < now_unix_s => why = Standing::stale(&list.place),
                _ => known |= reasons,
            }
        }
        if known == ALL_REASONS { Standing::Good } else { why }
    }
}

impl List {
    /// Every list of a file's content: DER, or PEM with any number of them; `place` is what messages call it.
    ///
    /// # Errors
    /// As for [`Crl::from_der`]; `CRL_MALFORMED` where there is none; `PEM_MALFORMED`.
    pub(super) fn all_of(content: &[u8], place: &str) -> Result<Vec<Self>> {
        let list =
            |der: &[u8], place: String| Ok(Self { crl: Crl::from_der(der, &place)?, place, keys: Mutex::default() });
        let Some(blocks) = blocks_of_pem(content, LABEL).map_err(|error| error.at(place))? else {
            return Ok(vec![list(content, place.to_owned())?]);
        };
        if blocks.is_empty() {
            return Err(Error::new(Code::CrlMalformed, format!("no {LABEL} in the PEM file")).at(place));
        }
        blocks.into_iter().map(|(line, der)| list(&der, format!("{place}, line {line}"))).collect()
    }

    /// Checks that it was signed with this key, once for each key.
    pub(super) fn check(&self, key: &[u8], allowed: Allowed) -> Checked {
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
}

fn subject<'a>(certificate: &'a X509Certificate<'_>) -> std::result::Result<Subject<'a>, Malformed> {
    let mut extensions = certificate.extensions().iter();
    let points = extensions.find(|extension| extension.oid.as_bytes() == CRL_DISTRIBUTION_POINTS);
    Subject::new(certificate.issuer().as_raw(), certificate.is_ca(), points.map(|points| points.value))
}

/// RFC 5280 section 6.3.3 (f).
fn may_sign_lists(issuer: &X509Certificate<'_>) -> bool {
    match issuer.key_usage() {
        Ok(Some(usage)) => usage.value.crl_sign(),
        Ok(None) => true,
        Err(_) => false,
    }
}
