//! An opened store: its entries, and the identities and trust that are made from them.
//!
//! Keys are decrypted here, when an identity is asked for. What the bytes of each format mean is known elsewhere.

use std::collections::HashSet;
use std::sync::OnceLock;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

use super::chain::Pool;
use super::cost::Budget;
use super::key::Material;
use super::signing::{self, signing_key};
use super::{Identity, OpenOptions, Password, PasswordRequest, PasswordUse, Secret, StoreType, TrustedCertificate};
use crate::certificate::{describe, printable};
use crate::error::{Code, Error, Result};

/// The most aliases that a message lists.
const MAX_LISTED: usize = 50;

/// What an entry of a store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EntryKind {
    /// A private key, in key stores with its certificate chain.
    Key,
    /// A certificate that the store says is trusted.
    Trusted,
    /// A certificate that the store says nothing of.
    Certificate,
    /// A secret key; skipped.
    SecretKey,
    /// Something else; skipped. The note says what it is.
    Other,
}

/// What is known of a private key without its password.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyFacts {
    /// Kind and size, e.g. `RSA 2048`, `EC P-256`; of an encrypted key, what its certificate says; `None` if unknown.
    pub algorithm: Option<String>,
    /// Whether a password is needed for the key itself.
    pub encrypted: bool,
    /// How it is encrypted, in words.
    pub scheme: Option<String>,
}

/// One entry of a store; in a PEM file, one block.
#[derive(Debug)]
#[non_exhaustive]
pub struct Entry {
    /// Its name; PEM, DER and some PKCS#12 entries have none.
    pub alias: Option<String>,
    /// What it is.
    pub kind: EntryKind,
    /// The certificates of the entry, end entity first; in a PEM file, keys and certificates are entries of their own.
    pub chain: Vec<CertificateDer<'static>>,
    /// Of an entry of kind [`EntryKind::Key`]: what the key is.
    pub key: Option<KeyFacts>,
    /// Where it stands, for messages: `broker.ks, alias broker`.
    pub place: String,
    /// What an operator should know of it, e.g. why it is skipped.
    pub note: Option<String>,
    pub(super) material: Option<Material>,
}

impl Entry {
    pub(super) fn certificate(kind: EntryKind, der: CertificateDer<'static>, place: String) -> Self {
        Self { kind, chain: vec![der], ..Self::other(place, None) }
    }

    pub(super) fn key(material: Material, chain: Vec<CertificateDer<'static>>, place: String) -> Self {
        let certified = chain.first().and_then(|der| crate::certificate::CertificateFacts::from_der(der).ok());
        let own = material.algorithm().map(|algorithm| algorithm.name);
        let facts = KeyFacts {
            algorithm: own.or_else(|| certified.map(|facts| facts.key)),
            encrypted: material.is_encrypted(),
            scheme: material.scheme(),
        };
        let kind = EntryKind::Key;
        Self { kind, chain, key: Some(facts), material: Some(material), ..Self::other(place, None) }
    }

    /// An entry that is skipped.
    pub(super) fn other(place: String, note: Option<String>) -> Self {
        let (alias, material) = (None, None);
        Self { alias, kind: EntryKind::Other, chain: Vec::new(), key: None, place, note, material }
    }
}

/// An opened store.
///
/// It keeps the passwords it was opened with until it is dropped, and wipes them then.
#[derive(Debug)]
pub struct Store {
    label: String,
    store_type: StoreType,
    entries: Vec<Entry>,
    warnings: Vec<String>,
    password: Password,
    key_password: Password,
    /// The store password as it was used, of formats that have one.
    used_password: Option<Secret>,
}

/// What a format's reader found.
#[derive(Default)]
pub(super) struct Content {
    pub(super) entries: Vec<Entry>,
    pub(super) warnings: Vec<String>,
    pub(super) used_password: Option<Secret>,
}

impl Content {
    /// These entries, the cost of every key taken from the budget.
    ///
    /// # Errors
    /// `COST_TOO_HIGH`.
    pub(super) fn of(entries: Vec<Entry>, budget: &mut Budget) -> Result<Self> {
        for entry in &entries {
            if let Some(material) = &entry.material {
                budget.spend(material.cost(), &entry.place)?;
            }
        }
        Ok(Self { entries, ..Self::default() })
    }
}

impl Store {
    pub(super) fn new(label: &str, store_type: StoreType, content: Content, options: &OpenOptions) -> Self {
        Self {
            label: label.to_owned(),
            store_type,
            entries: content.entries,
            warnings: content.warnings,
            password: options.password.clone(),
            key_password: options.key_password.clone(),
            used_password: content.used_password,
        }
    }

    /// The name that it was opened with.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The type that its content has.
    pub fn store_type(&self) -> StoreType {
        self.store_type
    }

    /// Its entries, in the order of the content.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// What an operator should know though the store was opened.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The identity of this alias, its key decrypted. Aliases are compared as Java does, without regard to case; keys
    /// without a name are `1`, `2` and so on, as for Java.
    ///
    /// # Errors
    /// `ALIAS_NOT_FOUND` with the aliases there are, `NO_PRIVATE_KEY` where the alias is only a certificate, and what
    /// [`identities`](Self::identities) reports.
    pub fn identity(&self, alias: &str) -> Result<Identity> {
        let named = |entry: &&Entry| entry.alias.as_ref().is_some_and(|name| same_alias(name, alias));
        let key = |entry: &&Entry| entry.kind == EntryKind::Key;
        let mut unnamed = self.keys().filter(|entry| entry.alias.is_none());
        let number = alias.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        let numbered = number.filter(|_| self.store_type == StoreType::Pkcs12).and_then(|number| unnamed.nth(number));
        if let Some(entry) = self.entries.iter().filter(named).find(key).or(numbered) {
            return self.identity_of(entry, &self.pool()?);
        }
        match self.entries.iter().find(named) {
            Some(entry) => Err(Error::new(Code::NoPrivateKey, "the entry holds a certificate only").at(&entry.place)),
            None => Err(self.alias_not_found(alias)),
        }
    }

    /// All identities, their keys decrypted: one for each key entry, in the order of the content.
    ///
    /// In a PEM or DER file each key is paired with the certificate it belongs to.
    ///
    /// # Errors
    /// `NO_PRIVATE_KEY`, `NO_CERTIFICATE`, `KEY_PASSWORD_MISSING`, `KEY_PASSWORD_WRONG`, `PASSWORD_UNAVAILABLE`,
    /// `KEY_MISMATCH`, `KEY_MALFORMED`, `KEY_ALGORITHM_UNSUPPORTED`, `ENCRYPTION_UNSUPPORTED`, `CHAIN_BROKEN`, with file
    /// and alias.
    pub fn identities(&self) -> Result<Vec<Identity>> {
        if matches!(self.store_type, StoreType::Pem | StoreType::Der) {
            return pair_all(self, self);
        }
        let pool = self.pool()?;
        let keys = self.keys().map(|entry| self.identity_of(entry, &pool)).collect::<Result<Vec<_>>>()?;
        if keys.is_empty() { Err(self.no_private_key()) } else { Ok(keys) }
    }

    /// The certificates that are trusted, each once.
    ///
    /// In a PEM or DER file these are all certificates; in a key store the trusted entries and, as in Java, the end
    /// entity of each key entry. A PKCS#12 store of certificates only, none of them marked as trusted, counts as all
    /// trusted.
    ///
    /// # Errors
    /// `NO_TRUSTED_CERTIFICATE`.
    pub fn trusted(&self) -> Result<Vec<TrustedCertificate>> {
        let marked = self.entries.iter().any(|entry| matches!(entry.kind, EntryKind::Key | EntryKind::Trusted));
        let text = matches!(self.store_type, StoreType::Pem | StoreType::Der);
        let mut seen = HashSet::new();
        let trusted = self.entries.iter().filter_map(|entry| {
            let counts = match entry.kind {
                EntryKind::Trusted => true,
                EntryKind::Key => !text,
                EntryKind::Certificate => text || !marked,
                EntryKind::SecretKey | EntryKind::Other => false,
            };
            let der = entry.chain.first().filter(|der| counts && seen.insert(*der))?;
            Some(TrustedCertificate { der: der.clone(), place: entry.place.clone() })
        });
        let trusted = trusted.collect::<Vec<_>>();
        if trusted.is_empty() {
            return Err(Error::new(Code::NoTrustedCertificate, self.summary()).at(&self.label));
        }
        Ok(trusted)
    }

    fn keys(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.kind == EntryKind::Key)
    }

    /// All certificates, to make chains of.
    fn pool(&self) -> Result<Pool> {
        let certificates = self.entries.iter().flat_map(|entry| entry.chain.iter().cloned());
        Pool::new(certificates).map_err(|error| error.at(&self.label))
    }

    /// The identity of a key entry of a key store. A PKCS#12 store does not say which certificates make a chain: all
    /// of `pool` may.
    fn identity_of(&self, entry: &Entry, pool: &Pool) -> Result<Identity> {
        let own;
        let pool = if self.store_type == StoreType::Pkcs12 {
            pool
        } else {
            own = Pool::new(entry.chain.iter().cloned()).map_err(|error| error.at(&entry.place))?;
            &own
        };
        if pool.certificates().is_empty() {
            return Err(Error::new(Code::NoCertificate, "the key has none").at(&entry.place));
        }
        let key = self.decrypt(entry)?;
        assemble(&key, pool, &entry.place, self.store_type != StoreType::Pkcs12)?.ok_or_else(|| {
            let certificate = entry.chain.first().map(describe);
            let none = || "no certificate fits it".to_owned();
            let detail = certificate.map_or_else(none, |text| format!("certificate {text}"));
            Error::new(Code::KeyMismatch, detail).at(&entry.place)
        })
    }

    /// The private key of an entry of this store, decrypted with this password, or with what the store was opened with.
    ///
    /// # Errors
    /// `NO_PRIVATE_KEY`, `KEY_PASSWORD_MISSING`, `KEY_PASSWORD_WRONG`, `PASSWORD_UNAVAILABLE`, `KEY_MALFORMED`,
    /// `ENCRYPTION_UNSUPPORTED`, with file and alias.
    pub fn private_key(&self, entry: &Entry, password: Option<&Secret>) -> Result<Zeroizing<PrivateKeyDer<'static>>> {
        match (password, &entry.material) {
            (Some(password), Some(material)) => {
                material.decrypt(Some(password.reveal())).map_err(|error| error.at(&entry.place))
            }
            _ => self.decrypt(entry),
        }
    }

    fn decrypt(&self, entry: &Entry) -> Result<Zeroizing<PrivateKeyDer<'static>>> {
        let material = entry.material.as_ref().ok_or_else(|| self.no_private_key())?;
        let password = if material.is_encrypted() { self.password_of(entry)? } else { None };
        material.decrypt(password.as_ref().map(Secret::reveal)).map_err(|error| error.at(&entry.place))
    }

    /// The key's password, or the store's where the key has none of its own.
    fn password_of(&self, entry: &Entry) -> Result<Option<Secret>> {
        let request = PasswordRequest { label: &self.label, alias: entry.alias.as_deref(), usage: PasswordUse::Key };
        let own = self.key_password.resolve(&request).filter(|secret| !secret.reveal().is_empty());
        if own.is_some() {
            return Ok(own);
        }
        let given = match self.store_type {
            StoreType::Pem | StoreType::Der => self.password.resolve(&request),
            _ => self.used_password.clone(),
        };
        let asked = [&self.key_password, &self.password].iter().any(|source| matches!(source, Password::Callback(_)));
        match given {
            None if asked => Err(Error::new(Code::PasswordUnavailable, "for the private key").at(&entry.place)),
            given => Ok(given),
        }
    }

    fn no_private_key(&self) -> Error {
        Error::new(Code::NoPrivateKey, self.summary()).at(&self.label)
    }

    fn alias_not_found(&self, alias: &str) -> Error {
        let aliases = self.entries.iter().filter_map(|entry| entry.alias.as_deref());
        let mut listed = aliases.clone().take(MAX_LISTED).map(printable).collect::<Vec<_>>();
        match aliases.count() {
            0 => listed.push("none".to_owned()),
            count if count > MAX_LISTED => listed.push(format!("{} more", count - MAX_LISTED)),
            _ => {}
        }
        let detail = format!("alias {}; there are: {}", printable(alias), listed.join(", "));
        Error::new(Code::AliasNotFound, detail).at(&self.label)
    }

    /// How many entries there are of what kind, for errors that say what is not there.
    fn summary(&self) -> String {
        let kinds = [
            (EntryKind::Key, "private keys"),
            (EntryKind::Trusted, "trusted certificates"),
            (EntryKind::Certificate, "certificates"),
            (EntryKind::SecretKey, "secret keys"),
            (EntryKind::Other, "other entries"),
        ];
        let count = |kind| self.entries.iter().filter(|entry| entry.kind == kind).count();
        let parts = kinds.into_iter().map(|(kind, name)| (count(kind), name)).filter(|(count, _)| *count > 0);
        let parts = parts.map(|(count, name)| format!("{name}: {count}")).collect::<Vec<_>>();
        if parts.is_empty() { "it is empty".to_owned() } else { format!("it holds {}", parts.join(", ")) }
    }
}

/// The identity of a certificate file and a key file; each may also hold both.
///
/// # Errors
/// As [`Store::identities`]; the places of both files are named.
pub fn pair(certificates: &Store, key: &Store) -> Result<Identity> {
    let mut identities = pair_all(certificates, key)?.into_iter();
    identities.next().ok_or_else(|| key.no_private_key())
}

/// An identity for each key of one file with the certificates of the other.
fn pair_all(certificates: &Store, keys: &Store) -> Result<Vec<Identity>> {
    if keys.keys().next().is_none() {
        return Err(keys.no_private_key());
    }
    let pool = certificates.pool()?;
    if pool.certificates().is_empty() {
        return Err(Error::new(Code::NoCertificate, certificates.summary()).at(&certificates.label));
    }
    let (mut identities, mut unpaired) = (Vec::new(), Vec::new());
    for entry in keys.keys() {
        let place = match certificates.label == keys.label {
            true => entry.place.clone(),
            false => format!("{} with the key in {}", certificates.label, entry.place),
        };
        match assemble(&*keys.decrypt(entry)?, &pool, &place, keys.keys().count() == 1)? {
            Some(identity) => identities.push(identity),
            None => unpaired.push(place),
        }
    }
    let Some(first) = identities.first_mut() else {
        let detail = format!(
            "{} against certificate {}",
            unpaired.join(", "),
            pool.certificates().first().map(describe).unwrap_or_default()
        );
        return Err(Error::new(Code::KeyMismatch, detail));
    };
    first
        .warnings
        .extend(unpaired.into_iter().map(|place| format!("{place}: no certificate fits the key, it is not used")));
    Ok(identities)
}

/// Finds the certificate of the key, and its chain; `None` where no certificate fits.
fn assemble(key: &PrivateKeyDer<'static>, pool: &Pool, place: &str, tell_extra: bool) -> Result<Option<Identity>> {
    let signing_key = signing_key(key).map_err(|error| error.at(place))?;
    let end_entity = pool.certificate_of(signing_key.as_ref()).map_err(|error| error.at(place))?;
    let Some(end_entity) = end_entity else { return Ok(None) };
    let chain = pool.chain(end_entity).map_err(|error| error.at(place))?;
    let mut warnings = Vec::new();
    if tell_extra && chain.reordered {
        warnings
            .push(format!("{place}: the certificates were not in the order of the chain and have been put into it"));
    }
    if tell_extra {
        warnings.extend(chain.left_out.iter().map(|certificate| {
            let certificate = describe(certificate);
            format!("{place}: a certificate does not belong to the chain and is not sent: {certificate}")
        }));
    }
    if let Some(bits) = signing::small_rsa_bits(signing_key.as_ref()) {
        warnings.push(format!("{place}: the key is RSA {bits}, below 2048 bits; current peers refuse it"));
    }
    let chain = chain.certificates;
    let (key, place, certified) = (Some(key.clone_key()), place.to_owned(), OnceLock::new());
    Ok(Some(Identity { chain, key, signing_key, place, warnings, is_foreign: false, certified }))
}

/// Java lowers the case of aliases.
fn same_alias(one: &str, other: &str) -> bool {
    one == other || one.to_lowercase() == other.to_lowercase()
}
