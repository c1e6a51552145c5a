//! The lists that a context has, and what they know of one certificate (RFC 5280 section 6.3.3).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::digest;
use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::Reason;
use super::crl::Crl;
use super::der::Malformed;
use super::scope::{ALL_REASONS, Subject};
use crate::error::{Code, Error, Result};
use crate::keystore::blocks_of_pem;

/// What PEM calls a list (RFC 7468 section 5.3).
const LABEL: &str = "X509 CRL";
// The content of the object identifier 2.5.29.31.
const CRL_DISTRIBUTION_POINTS: &[u8] = &[0x55, 0x1d, 31];
/// So many keys are remembered for each list: an issuer that changes its key has two for a while.
const MAX_KEYS: usize = 8;

/// What is known of one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// A list of its issuer that is current does not have it.
    Good,
    /// A list of its issuer has it; a list that is out of date revokes too.
    Revoked { reason: Reason, revoked_unix_s: u32, place: String },
    /// There is no list of its issuer, or the lists do not speak of it.
    Unknown(String),
    /// The list of its issuer is out of date.
    Stale(String),
}

/// Lists by their issuers.
#[derive(Debug, Default)]
pub struct Crls {
    of_issuer: HashMap<Box<[u8]>, Vec<List>>,
}

/// A list, and whose it has turned out to be.
#[derive(Debug)]
struct List {
    crl: Crl,
    place: String,
    /// SHA-256 of keys, and whether the list was signed with each.
    keys: Mutex<Vec<([u8; digest::SHA256_OUTPUT_LEN], bool)>>,
}

impl Crls {
    /// Adds every list of a file's content: DER, or PEM with any number of them; `place` is what messages call it.
    ///
    /// # Errors
    /// As for [`Crl::from_der`]; `CRL_MALFORMED` where there is none; `PEM_MALFORMED`.
    pub fn add(&mut self, content: &[u8], place: &str) -> Result<()> {
        let Some(blocks) = blocks_of_pem(content, LABEL).map_err(|error| error.at(place))? else {
            self.insert(Crl::from_der(content, place)?, place.to_owned());
            return Ok(());
        };
        if blocks.is_empty() {
            return Err(Error::new(Code::CrlMalformed, format!("no {LABEL} in the PEM file")).at(place));
        }
        for (line, der) in blocks {
            let place = format!("{place}, line {line}");
            self.insert(Crl::from_der(&der, &place)?, place);
        }
        Ok(())
    }

    /// The newest of an issuer first.
    fn insert(&mut self, crl: Crl, place: String) {
        let lists = self.of_issuer.entry(crl.issuer().into()).or_default();
        let at = lists.partition_point(|list| list.crl.this_update_unix_s() > crl.this_update_unix_s());
        lists.insert(at, List { crl, place, keys: Mutex::default() });
    }

    /// The lists, in no order, each with the name of its file.
    pub fn iter(&self) -> impl Iterator<Item = (&Crl, &str)> {
        self.of_issuer.values().flatten().map(|list| (&list.crl, list.place.as_str()))
    }

    /// What the lists know of a certificate whose path has been verified; `issuer` is the next certificate of the path.
    pub(crate) fn standing(
        &self,
        certificate: &CertificateDer<'_>,
        issuer: &CertificateDer<'_>,
        now_unix_s: i64,
        max_stale_s: i64,
    ) -> Standing {
        let read = (X509Certificate::from_der(certificate), X509Certificate::from_der(issuer));
        let (Ok((_, certificate)), Ok((_, issuer))) = read else {
            return Standing::Unknown("the certificate cannot be read".to_owned());
        };
        let Some(lists) = self.of_issuer.get(certificate.issuer().as_raw()) else {
            return Standing::Unknown("there is no list of its issuer".to_owned());
        };
        let Ok(subject) = subject(&certificate) else {
            return Standing::Unknown("its distribution points cannot be read".to_owned());
        };
        if !may_sign_lists(&issuer) {
            return Standing::Unknown("its issuer's key usage is not to sign lists (cRLSign)".to_owned());
        }
        let asked = Asked { serial: certificate.raw_serial(), subject, key: issuer.public_key().raw };
        asked.of(lists, now_unix_s, max_stale_s)
    }
}

/// A certificate that lists are asked about.
struct Asked<'a> {
    serial: &'a [u8],
    subject: Subject<'a>,
    /// The issuer's SubjectPublicKeyInfo.
    key: &'a [u8],
}

impl Asked<'_> {
    /// What the lists of its issuer say together.
    fn of(&self, lists: &[List], now_unix_s: i64, max_stale_s: i64) -> Standing {
        let mut known = 0;
        let mut why = Standing::Unknown("the lists of its issuer do not speak of it".to_owned());
        let mut answered: Vec<&Crl> = Vec::new();
        for list in lists {
            let reasons = list.crl.reasons_for(&self.subject);
            // An older list says nothing beside a newer one of the same scope.
            if reasons == 0 || answered.iter().any(|newer| newer.has_scope_of(&list.crl)) {
                continue;
            }
            if !list.is_by(self.key) {
                why = Standing::Unknown(format!("{} is not signed with its issuer's key", list.place));
                continue;
            }
            answered.push(&list.crl);
            if let Some((reason, revoked_unix_s)) = list.crl.find(self.serial) {
                return Standing::Revoked { reason, revoked_unix_s, place: list.place.clone() };
            }
            match list.crl.next_update_unix_s() {
                _ if list.crl.this_update_unix_s() > now_unix_s => {
                    why = Standing::Unknown(format!("{} is of the future", list.place));
                }
                Some(next) if next.saturating_add(max_stale_s) < now_unix_s => {
                    why = Standing::Stale(list.place.clone())
                }
                _ => known |= reasons,
            }
        }
        if known == ALL_REASONS { Standing::Good } else { why }
    }
}

impl List {
    /// Whether it was signed with this key; checked once for each key.
    fn is_by(&self, key: &[u8]) -> bool {
        let mut fingerprint = [0; digest::SHA256_OUTPUT_LEN];
        fingerprint.copy_from_slice(digest::digest(&digest::SHA256, key).as_ref());
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, is_by)) = keys.iter().find(|(known, _)| *known == fingerprint) {
            return *is_by;
        }
        let is_by = self.crl.is_by(key);
        keys.truncate(MAX_KEYS - 1);
        keys.insert(0, (fingerprint, is_by));
        is_by
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
