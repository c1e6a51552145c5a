//! An opened store: its entries, and the identities and trust that are made from them.
//!
//! Keys are decrypted here, when an identity is asked for. What the bytes of each format mean is known elsewhere.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::SigningKey;
use zeroize::Zeroizing;

use super::chain::Pool;
use super::crypto::cost::{Budget, Cost};
use super::key::Material;
use super::pairing::{assemble, pair_all, usable, warnings_of_unused};
use super::signing::{self, signing_key_with};
use super::{
    Identity, Limits, OpenOptions, Password, PasswordRequest, PasswordUse, Secret, StoreType, TrustedCertificate,
    TrustedPeers,
};
use crate::certificate::{CertificateFacts, describe, printable};
use crate::error::{Code, Error, Result};

/// The most aliases that a message lists.
const MAX_LISTED: usize = 50;

/// The kind of an entry.
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

/// The facts of a private key that are visible without its password.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyFacts {
    /// Kind and size, e.g. `RSA 2048`, `EC P-256`; of an encrypted key, what its certificate says; `None` if unknown.
    pub algorithm: Option<String>,
    /// True if the key itself needs a password.
    pub encrypted: bool,
    /// The name of its encryption.
    pub scheme: Option<String>,
}

/// One entry of a store; in a PEM file, one block.
#[derive(Debug)]
#[non_exhaustive]
pub struct Entry {
    /// Its name; PEM, DER and some PKCS#12 entries have none.
    pub alias: Option<String>,
    /// The kind.
    pub kind: EntryKind,
    /// The certificates of the entry, end entity first; in a PEM file, keys and certificates are entries of their own.
    pub chain: Vec<CertificateDer<'static>>,
    /// The facts about the key of an entry of kind [`EntryKind::Key`].
    pub key: Option<KeyFacts>,
    /// The place of the entry, for messages: `broker.ks, alias broker`.
    pub place: String,
    /// The warning about the entry, e.g. the reason why it is skipped.
    pub note: Option<String>,
    /// True for a certificate that the data of OpenSSL behind it rejects for TLS.
    pub(super) is_rejected: bool,
    /// The peers that this data trusts it for.
    pub(super) peers: TrustedPeers,
    pub(super) material: Option<Material>,
    /// The error that keeps it from use, if there is one.
    pub(super) fault: Option<Error>,
    /// The costs of its key that have been taken from the store's budget, each once.
    pub(super) paid: Paid,
}

/// The part of a key's cost that has been counted.
#[derive(Debug, Default)]
pub(super) struct Paid {
    decryption: AtomicBool,
    signing: AtomicBool,
}

impl Entry {
    pub(super) fn certificate(kind: EntryKind, der: CertificateDer<'static>, place: String) -> Self {
        Self { kind, chain: vec![der], ..Self::other(place, None) }
    }

    pub(super) fn key(material: Material, chain: Vec<CertificateDer<'static>>, place: String) -> Self {
        let certified = chain.first().and_then(|der| CertificateFacts::from_der(der).ok());
        let own = material.algorithm().map(|algorithm| algorithm.name);
        let facts = KeyFacts {
            algorithm: own.or_else(|| certified.map(|facts| facts.key)),
            encrypted: material.is_encrypted(),
            scheme: material.scheme(),
        };
        let (kind, fault) = (EntryKind::Key, material.fault().cloned());
        Self { kind, chain, key: Some(facts), material: Some(material), ..Self::faulty(place, fault) }
    }

    /// An entry that is skipped.
    pub(super) fn other(place: String, note: Option<String>) -> Self {
        Self { note, ..Self::faulty(place, None) }
    }

    /// An entry, or several, that cannot be used.
    pub(super) fn unusable(fault: Error, place: String) -> Self {
        Self::faulty(place, Some(fault))
    }

    fn faulty(place: String, fault: Option<Error>) -> Self {
        let note = fault.as_ref().map(|fault| format!("not used: {}", fault.message()));
        let (kind, paid) = (EntryKind::Other, Paid::default());
        let (alias, chain, key, is_rejected, material) = (None, Vec::new(), None, false, None);
        let peers = TrustedPeers::All;
        Self { alias, kind, chain, key, place, note, is_rejected, peers, material, fault, paid }
    }

    /// Its place without the name of the file before it, which a message names already.
    fn place_within(&self, label: &str) -> &str {
        self.place.strip_prefix(label).map_or(self.place.as_str(), |rest| rest.trim_start_matches([',', ' ']))
    }

    /// The error for a key of an algorithm that is not served, with or without a certificate.
    pub(super) fn unserved(&self) -> Option<Error> {
        let algorithm = self.material.as_ref()?.algorithm().filter(|algorithm| !algorithm.served)?;
        Some(Error::new(Code::KeyAlgorithmUnsupported, algorithm.name))
    }

    /// The error that keeps it from use, if that is known before its key is decrypted.
    pub fn fault(&self) -> Option<&Error> {
        self.fault.as_ref()
    }
}

/// An opened store.
///
/// It keeps the passwords it was opened with until it is dropped, and wipes them then.
#[derive(Debug)]
pub struct Store {
    pub(super) label: String,
    store_type: StoreType,
    entries: Vec<Entry>,
    warnings: Vec<String>,
    password: Password,
    key_password: Password,
    /// The store password as it was used, of formats that have one.
    used_password: Option<Secret>,
    pub(super) limits: Limits,
    reads_dsa: bool,
    /// The names of certificates that are in the chain of a key, and no entries of their own.
    names: HashMap<CertificateDer<'static>, String>,
    /// The budget that is left for the decryption of keys.
    budget: Mutex<Budget>,
    /// All certificates, to make chains of; made when it is first needed.
    pool: OnceLock<Result<Pool>>,
    aliases: OnceLock<Aliases>,
}

/// The places of entries by their names.
#[derive(Debug, Default)]
struct Aliases {
    /// By the name in lower case, as Java compares: the first key, and the first entry of any kind.
    named: HashMap<String, (Option<usize>, usize)>,
    /// The keys that have no name, in order.
    unnamed_keys: Vec<usize>,
}

impl Aliases {
    fn of(entries: &[Entry]) -> Self {
        let mut aliases = Self::default();
        for (position, entry) in entries.iter().enumerate() {
            let key = (entry.kind == EntryKind::Key).then_some(position);
            match &entry.alias {
                Some(alias) => {
                    let (first_key, _) = aliases.named.entry(alias.to_lowercase()).or_insert((key, position));
                    *first_key = first_key.or(key);
                }
                None => aliases.unnamed_keys.extend(key),
            }
        }
        aliases
    }
}

/// The result of the reader of a format.
#[derive(Default)]
pub(super) struct Content {
    pub(super) entries: Vec<Entry>,
    pub(super) warnings: Vec<String>,
    pub(super) used_password: Option<Secret>,
    pub(super) names: HashMap<CertificateDer<'static>, String>,
}

impl Content {
    /// These entries, with a warning for each that cannot be used. Keys are excepted: the code that uses them warns.
    ///
    /// # Errors
    /// The first fault, if there is nothing but such entries.
    pub(super) fn of(entries: Vec<Entry>) -> Result<Self> {
        let is_lost = |entry: &&Entry| entry.kind == EntryKind::Other && entry.fault.is_some();
        let mut lost = entries.iter().filter(is_lost).peekable();
        if let Some(Entry { place, fault: Some(fault), .. }) = lost.peek()
            && entries.iter().all(|entry| is_lost(&entry))
        {
            return Err(fault.clone().at(place));
        }
        let warnings = lost.filter_map(|entry| Some((entry.place.clone(), entry.fault.clone()?)));
        let mut warnings = warnings_of_unused(warnings.collect());
        let mut warn = |is_one: fn(&&Entry) -> bool, what: &str| {
            let mut found = entries.iter().filter(is_one);
            let Some(first) = found.next() else { return };
            let more = match found.count() {
                0 => String::new(),
                more => format!(", and {more} more"),
            };
            warnings.push(format!("{}{more}: {what}", first.place));
        };
        warn(|one| one.is_rejected, "not trusted, as the uses behind the certificate reject it for TLS");
        let is_for = |peers: TrustedPeers| format!("trusted for {}, by the uses behind the certificate", peers.name());
        warn(|one| one.peers == TrustedPeers::Servers && !one.is_rejected, &is_for(TrustedPeers::Servers));
        warn(|one| one.peers == TrustedPeers::Clients && !one.is_rejected, &is_for(TrustedPeers::Clients));
        Ok(Self { entries, warnings, ..Self::default() })
    }
}

impl Store {
    pub(super) fn new(
        label: &str,
        store_type: StoreType,
        content: Content,
        options: &OpenOptions,
        budget: Budget,
    ) -> Self {
        Self {
            label: label.to_owned(),
            store_type,
            entries: content.entries,
            warnings: content.warnings,
            password: options.password.clone(),
            key_password: options.key_password.clone(),
            used_password: content.used_password,
            names: content.names,
            limits: options.limits,
            reads_dsa: options.legacy_dsa,
            budget: Mutex::new(budget),
            pool: OnceLock::new(),
            aliases: OnceLock::new(),
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

    /// Returns true if a password was given for the store as a whole.
    pub(super) fn has_used_password(&self) -> bool {
        self.used_password.is_some()
    }

    /// The name of a certificate that is in the chain of a key, if the store has one.
    pub(super) fn name_in_chain(&self, der: &CertificateDer<'static>) -> Option<&str> {
        self.names.get(der).map(String::as_str)
    }

    /// The warnings about an opened store.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The identity of this alias, its key decrypted. Aliases are compared as Java does, without regard to case; keys
    /// without a name are `1`, `2` and so on, as for Java.
    ///
    /// # Errors
    /// `ALIAS_NOT_FOUND` with the aliases there are, `NO_PRIVATE_KEY` if the alias is only a certificate, and what
    /// [`identities`](Self::identities) reports.
    pub fn identity(&self, alias: &str) -> Result<Identity> {
        let aliases = self.aliases.get_or_init(|| Aliases::of(&self.entries));
        let (key, any) = match aliases.named.get(&alias.to_lowercase()) {
            Some((key, any)) => (*key, Some(*any)),
            None => (None, None),
        };
        let number = alias.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        let numbered = number.filter(|_| self.store_type == StoreType::Pkcs12);
        let numbered = numbered.and_then(|number| aliases.unnamed_keys.get(number).copied());
        let entry = |position: Option<usize>| position.and_then(|position| self.entries.get(position));
        match (entry(key.or(numbered)), entry(any)) {
            (Some(entry), _) => self.identity_of(entry).map_err(|error| error.at(&entry.place)),
            (None, Some(entry)) => {
                Err(Error::new(Code::NoPrivateKey, "the entry holds a certificate only").at(&entry.place))
            }
            (None, None) => {
                let numbered = if self.store_type == StoreType::Pkcs12 { aliases.unnamed_keys.len() } else { 0 };
                Err(self.alias_not_found(alias, numbered))
            }
        }
    }

    /// All identities, their keys decrypted: one for each key entry, in the order of the content.
    ///
    /// In a PEM or DER file each key is paired with the certificate it belongs to. An entry that cannot be used is left
    /// out if another can, and named in the warnings of the first identity.
    ///
    /// # Errors
    /// `KEY_PASSWORD_MISSING`, `KEY_PASSWORD_WRONG` and `PASSWORD_UNAVAILABLE` for any entry. If no entry can be used,
    /// the first one's reason: `NO_PRIVATE_KEY`, `NO_CERTIFICATE`, `KEY_MISMATCH`, `KEY_MALFORMED`,
    /// `KEY_ALGORITHM_UNSUPPORTED`, `ENCRYPTION_UNSUPPORTED`, `PARAMETER_INVALID`, `COST_TOO_HIGH`, `CHAIN_BROKEN`,
    /// `CERTIFICATE_MALFORMED`; all with file and alias. `STORE_TOO_LARGE`.
    pub fn identities(&self) -> Result<Vec<Identity>> {
        Ok(self.identities_by_entry()?.into_iter().map(|(_, identity)| identity).collect())
    }

    /// [`identities`](Self::identities), each with the place of its key in [`entries`](Self::entries).
    ///
    /// # Errors
    /// As for `identities`.
    pub fn identities_by_entry(&self) -> Result<Vec<(usize, Identity)>> {
        if matches!(self.store_type, StoreType::Pem | StoreType::Der) {
            return pair_all(self, self);
        }
        let keys = self.keys().map(|(position, entry)| {
            let identity = self.identity_of(entry);
            (position, entry.place.clone(), identity)
        });
        usable(self, keys)
    }

    /// The certificates that are trusted, each once.
    ///
    /// In a PEM or DER file these are all certificates; in a key store the trusted entries and, as in Java, the end
    /// entity of each key entry. A PKCS#12 store of certificates only, none of them marked as trusted, counts as all
    /// trusted. A certificate that OpenSSL's data behind it rejects for TLS is not trusted, and one that it trusts for
    /// servers or clients alone is trusted for these.
    ///
    /// # Errors
    /// `NO_TRUSTED_CERTIFICATE`.
    pub fn trusted(&self) -> Result<Vec<TrustedCertificate>> {
        let marked = self.entries.iter().any(|entry| matches!(entry.kind, EntryKind::Key | EntryKind::Trusted));
        let text = matches!(self.store_type, StoreType::Pem | StoreType::Der);
        let (rejected, limited) = (self.rejected(), self.limited());
        let mut seen = HashSet::new();
        let trusted = self.entries.iter().filter_map(|entry| {
            let counts = match entry.kind {
                EntryKind::Trusted => true,
                EntryKind::Key => !text,
                EntryKind::Certificate => text || !marked,
                EntryKind::SecretKey | EntryKind::Other => false,
            };
            let der = entry.chain.first().filter(|der| counts && !rejected.contains(der) && seen.insert(*der))?;
            let peers = limited.get(der).copied().unwrap_or_default();
            Some(TrustedCertificate { der: der.clone(), place: entry.place.clone(), peers })
        });
        let trusted = trusted.collect::<Vec<_>>();
        if trusted.is_empty() {
            return Err(self.for_lack(Code::NoTrustedCertificate, &self.summary()).at(&self.label));
        }
        Ok(trusted)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = (usize, &Entry)> {
        self.entries.iter().enumerate().filter(|(_, entry)| entry.kind == EntryKind::Key)
    }

    /// All certificates, to make chains of.
    pub(super) fn pool(&self) -> Result<&Pool> {
        let certificates = || self.entries.iter().flat_map(|entry| entry.chain.iter().cloned());
        self.pool.get_or_init(|| Pool::new(certificates())).as_ref().map_err(|error| error.clone().at(&self.label))
    }

    /// The identity of a key entry of a key store. A PKCS#12 store does not say which certificates make a chain: all
    /// of them may.
    fn identity_of(&self, entry: &Entry) -> Result<Identity> {
        let own;
        let pool = if self.store_type == StoreType::Pkcs12 {
            self.pool()?
        } else {
            own = Pool::new(entry.chain.iter().cloned())?;
            &own
        };
        if let Some(fault) = &entry.fault {
            return Err(fault.clone());
        }
        if pool.certificates().is_empty() {
            return Err(entry.unserved().unwrap_or_else(|| self.for_lack(Code::NoCertificate, "the key has none")));
        }
        let key = self.decrypt(entry)?;
        let signing_key = self.signing_key(entry, &key)?;
        let tells_extra = self.store_type != StoreType::Pkcs12;
        assemble(&key, signing_key, pool, &entry.place, tells_extra)?.ok_or_else(|| match entry.chain.first() {
            Some(certificate) => Error::new(Code::KeyMismatch, format!("certificate {}", describe(certificate))),
            None => self.for_lack(Code::KeyMismatch, "no certificate fits it"),
        })
    }

    /// The key of an entry made ready, at the cost of this.
    pub(super) fn signing_key(&self, entry: &Entry, key: &PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>> {
        self.pay(&entry.paid.signing, signing::cost(key))?;
        signing_key_with(key, self.reads_dsa)
    }

    /// Takes a cost from the budget, unless it has been taken before.
    fn pay(&self, is_paid: &AtomicBool, cost: Cost) -> Result<()> {
        let mut budget = self.budget();
        if !is_paid.load(Ordering::Relaxed) {
            budget.spend(cost)?;
            is_paid.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    fn budget(&self) -> MutexGuard<'_, Budget> {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The private key of an entry of this store, decrypted with this password, or with what the store was opened with.
    ///
    /// Its cost counts once, however often it is asked for.
    ///
    /// # Errors
    /// `NO_PRIVATE_KEY`, `KEY_PASSWORD_MISSING`, `KEY_PASSWORD_WRONG`, `PASSWORD_UNAVAILABLE`, `KEY_MALFORMED`,
    /// `ENCRYPTION_UNSUPPORTED`, `COST_TOO_HIGH`, with file and alias.
    pub fn private_key(&self, entry: &Entry, password: Option<&Secret>) -> Result<Zeroizing<PrivateKeyDer<'static>>> {
        let key = match (password, &entry.material) {
            (Some(password), Some(material)) => self.decrypt_with(entry, material, Some(password)),
            _ => self.decrypt(entry),
        };
        key.map_err(|error| error.at(&entry.place))
    }

    pub(super) fn decrypt(&self, entry: &Entry) -> Result<Zeroizing<PrivateKeyDer<'static>>> {
        let material = entry.material.as_ref().ok_or(Code::NoPrivateKey)?;
        if let Some(fault) = &entry.fault {
            return Err(fault.clone());
        }
        let password = if material.is_encrypted() { self.password_of(entry)? } else { None };
        self.decrypt_with(entry, material, password.as_ref())
    }

    /// The key of an entry with the first of these passwords that opens it, and then with the store's own.
    ///
    /// Each password that is tried has its cost.
    ///
    /// # Errors
    /// As for [`private_key`](Self::private_key), without the place.
    pub(super) fn decrypt_with_any(
        &self,
        entry: &Entry,
        passwords: &[Password],
    ) -> Result<Zeroizing<PrivateKeyDer<'static>>> {
        let material = entry.material.as_ref().ok_or(Code::NoPrivateKey)?;
        if !material.is_encrypted() || entry.fault.is_some() || passwords.is_empty() {
            return self.decrypt(entry);
        }
        let request = PasswordRequest { label: &self.label, alias: entry.alias.as_deref(), usage: PasswordUse::Key };
        let unavailable = || Error::new(Code::PasswordUnavailable, "for the private key");
        let mut all = Vec::new();
        for password in passwords {
            all.push(password.resolve(&request).ok_or_else(unavailable)?);
        }
        all.extend(match self.store_type {
            StoreType::Pem | StoreType::Der => self.password.resolve(&request),
            _ => self.used_password.clone(),
        });
        let mut seen = HashSet::new();
        for password in all.iter().map(Secret::reveal).filter(|password| seen.insert(*password)) {
            self.budget().spend(material.cost(password))?;
            match material.decrypt(Some(password)) {
                Err(error) if error.code() == Code::KeyPasswordWrong => {}
                done => return done,
            }
        }
        Err(Code::KeyPasswordWrong.into())
    }

    fn decrypt_with(
        &self,
        entry: &Entry,
        material: &Material,
        password: Option<&Secret>,
    ) -> Result<Zeroizing<PrivateKeyDer<'static>>> {
        let password = password.map(Secret::reveal);
        if let Some(password) = password {
            self.pay(&entry.paid.decryption, material.cost(password))?;
        }
        material.decrypt(password).map_err(|error| self.with_alias_hint(error))
    }

    /// Adds to the hint that one entry of several can be chosen.
    fn with_alias_hint(&self, error: Error) -> Error {
        let is_password = matches!(error.code(), Code::KeyPasswordWrong | Code::KeyPasswordMissing);
        let has_aliases = self.keys().filter(|(_, entry)| entry.alias.is_some()).nth(1).is_some();
        match is_password && has_aliases {
            true => {
                let hint = format!("{} To use one entry of several, give its alias.", error.hint());
                error.with_hint(hint)
            }
            false => error,
        }
    }

    /// The key's password, or the store's if the key has none of its own.
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
            None if asked => Err(Error::new(Code::PasswordUnavailable, "for the private key")),
            given => Ok(given),
        }
    }

    pub(super) fn no_private_key(&self) -> Error {
        self.for_lack(Code::NoPrivateKey, &self.summary()).at(&self.label)
    }

    /// The error for something that the store lacks. An entry that cannot be used may have been it, or one that is
    /// skipped: its fault is the cause then, or its note a help.
    pub(super) fn for_lack(&self, code: Code, detail: &str) -> Error {
        self.lost().unwrap_or_else(|| {
            let mut others = self.entries.iter().filter(|entry| entry.kind == EntryKind::Other);
            match others.find_map(|entry| Some((entry, entry.note.as_deref()?))) {
                Some((entry, note)) => {
                    Error::new(code, format!("{detail}; {}: {note}", entry.place_within(&self.label)))
                }
                None => Error::new(code, detail),
            }
        })
    }

    /// The fault of the first entry, but keys, that cannot be used.
    pub(super) fn lost(&self) -> Option<Error> {
        let mut others = self.entries.iter().filter(|entry| entry.kind == EntryKind::Other);
        others.find_map(|entry| Some(entry.fault.clone()?.at(entry.place_within(&self.label))))
    }

    /// The error for an alias that no entry has. So many entries without a name have numbers.
    pub(super) fn alias_not_found(&self, alias: &str, numbered: usize) -> Error {
        let aliases = self.entries.iter().filter_map(|entry| entry.alias.as_deref());
        let mut listed = aliases.clone().take(MAX_LISTED).map(printable).collect::<Vec<_>>();
        let more = aliases.count().saturating_sub(MAX_LISTED);
        listed.extend((more > 0).then(|| format!("{more} more")));
        match numbered {
            0 if listed.is_empty() => listed.push("none".to_owned()),
            0 => {}
            1 => listed.push("1 (an entry without a name)".to_owned()),
            count => listed.push(format!("1 to {count} (entries without a name)")),
        }
        let detail = format!("alias {}; there are: {}", printable(alias), listed.join(", "));
        Error::new(Code::AliasNotFound, detail).at(&self.label)
    }

    /// The numbers of entries by kind, for errors about a missing one.
    pub(super) fn summary(&self) -> String {
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
