//! The entries of opened stores, decrypted and checked, for another file.

use std::collections::HashSet;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::SigningKey;
use zeroize::Zeroizing;

use super::carried::{CertificateEntry, Entries, KeyEntry, Needed};
use super::pkcs8::pkcs8;
use super::public::Public;
use crate::certificate::describe;
use crate::error::{Code, Error, Result};
use crate::keystore::chain::Pool;
use crate::keystore::crypto::cost::Allowance;
use crate::keystore::signing::belongs_to;
use crate::keystore::{Entry, EntryKind, Password, Store, StoreType};

const NOT_CHECKED: &str = "not checked if the key belongs to the certificate: its algorithm is unknown";

/// The entries to take from a store.
pub(crate) struct Request<'a> {
    /// The names of the entries; all of them if there are none.
    pub(crate) aliases: &'a [String],
    /// The passwords of keys, each tried for each key, and then that of the store.
    pub(crate) passwords: &'a [Password],
    pub(crate) needed: Needed,
}

/// The entries of a store, with the keys of `keys`, which may be the same store.
///
/// # Errors
/// `STORE_PASSWORD_MISSING` if the integrity of a store of Java's was not checked; `ALIAS_NOT_FOUND`; `KEY_MISMATCH`;
/// the fault of an entry that cannot be read; and what [`Store::private_key`] reports.
pub(crate) fn take(store: &Store, keys: &Store, request: &Request<'_>) -> Result<Entries> {
    let aliases = request.aliases;
    let is_checked = |store: &Store| match store.store_type() {
        StoreType::Jks | StoreType::Jceks => store.has_used_password(),
        _ => true,
    };
    if let Some(store) = [store, keys].into_iter().find(|store| !is_checked(store)) {
        let hint = "Give the store password: without it, nothing shows that the store was not altered.";
        return Err(Error::from(Code::StorePasswordMissing).with_hint(hint).at(store.label()));
    }
    let mut taker = Taker {
        found: vec![false; aliases.len()],
        request,
        unnamed: 0,
        chains: Allowance::new(store.limits),
        entries: Entries::default(),
    };
    match store.store_type() {
        StoreType::Pem | StoreType::Der => taker.take_text(store, keys)?,
        _ => taker.take_store(store)?,
    }
    let missing = aliases.iter().zip(&taker.found).find(|(_, found)| !**found);
    if let Some((alias, _)) = missing {
        return Err(store.alias_not_found(alias, taker.unnamed));
    }
    // The faults of entries are errors here, and no warnings.
    let warnings = store.warnings().iter().filter(|warning| !warning.contains(": not used: "));
    let beside = if std::ptr::eq(store, keys) { &[][..] } else { keys.warnings() };
    taker.entries.warnings.splice(0..0, warnings.chain(beside).cloned());
    Ok(taker.entries)
}

/// The entries so far.
struct Taker<'a> {
    request: &'a Request<'a>,
    /// True for each alias that an entry has.
    found: Vec<bool>,
    /// The number of entries without a name so far.
    unnamed: usize,
    chains: Allowance,
    entries: Entries,
}

impl Taker<'_> {
    /// The number of the next entry, if it has no name.
    fn number(&mut self, alias: Option<&str>) -> Option<usize> {
        alias.is_none().then(|| {
            self.unnamed += 1;
            self.unnamed
        })
    }

    /// Tells whether an entry is asked for. One without a name is known by its number, as for Java.
    fn is_wanted(&mut self, alias: Option<&str>, number: Option<usize>) -> bool {
        let alias = match alias {
            Some(alias) => alias.to_lowercase(),
            None => number.unwrap_or_default().to_string(),
        };
        let mut wanted = self.request.aliases.is_empty();
        for (asked, found) in self.request.aliases.iter().zip(&mut self.found) {
            if asked.to_lowercase() == alias {
                (wanted, *found) = (true, true);
            }
        }
        wanted
    }

    fn warn(&mut self, place: &str, what: &str) {
        self.entries.warnings.push(format!("{place}: {what}"));
    }

    /// The entries of PKCS#12, JKS and JCEKS.
    fn take_store(&mut self, store: &Store) -> Result<()> {
        let marked = store.entries().iter().any(|entry| matches!(entry.kind, EntryKind::Key | EntryKind::Trusted));
        for entry in store.entries() {
            let number = self.number(entry.alias.as_deref());
            if !self.is_wanted(entry.alias.as_deref(), number) {
                continue;
            }
            match entry.kind {
                EntryKind::Key => {
                    let taken = self.take_key(store, entry).map_err(|error| error.at(&entry.place))?;
                    let named =
                        |der: &CertificateDer<'static>| Some((der.clone(), store.name_in_chain(der)?.to_owned()));
                    self.entries.names.extend(taken.chain.iter().filter_map(named));
                    self.entries.keys.push(KeyEntry { number, ..taken });
                }
                EntryKind::Trusted | EntryKind::Certificate => {
                    let trusted = entry.kind == EntryKind::Trusted || !marked;
                    self.take_certificates(entry, number, trusted);
                }
                EntryKind::SecretKey | EntryKind::Other => self.skip(entry)?,
            }
        }
        Ok(())
    }

    fn take_certificates(&mut self, entry: &Entry, number: Option<usize>, trusted: bool) {
        let taken = entry.chain.iter().map(|der| CertificateEntry {
            alias: entry.alias.clone(),
            number,
            place: entry.place.clone(),
            der: der.clone(),
            trusted,
        });
        self.entries.certificates.extend(taken);
    }

    /// An entry without a key and a certificate: a warning, unless it cannot be read or is asked for by name.
    fn skip(&mut self, entry: &Entry) -> Result<()> {
        match &entry.fault {
            Some(fault) => Err(fault.clone().at(&entry.place)),
            None if self.request.aliases.is_empty() => {
                let note = entry.note.as_deref().unwrap_or("skipped");
                self.warn(&entry.place, &format!("{note}; it is not in the output"));
                Ok(())
            }
            None => {
                let note = entry.note.clone().unwrap_or_default();
                Err(Error::new(Code::NoPrivateKey, note).at(&entry.place))
            }
        }
    }

    /// The private key of an entry, decrypted.
    fn decrypt(&self, store: &Store, entry: &Entry) -> Result<Zeroizing<PrivateKeyDer<'static>>> {
        store.decrypt_with_any(entry, self.request.passwords).map_err(|error| match error.code() {
            Code::KeyPasswordWrong => {
                let hint = "Give the password of this key with the option key-password, which may be given several \
                            times, or select other entries with alias.";
                error.with_hint(hint)
            }
            _ => error,
        })
    }

    fn take_key(&mut self, store: &Store, entry: &Entry) -> Result<KeyEntry> {
        let (alias, place) = (entry.alias.clone(), entry.place.clone());
        let shows_chain = match self.request.needed {
            Needed::Keys => false,
            Needed::Chains => !entry.chain.is_empty(),
            Needed::Trust => true,
        };
        if shows_chain {
            if let Some(fault) = entry.fault().filter(|_| self.request.needed == Needed::Chains) {
                return Err(fault.clone());
            }
            self.chains.take(&entry.chain)?;
            let (key, chain) = (Zeroizing::default(), entry.chain.clone());
            return Ok(KeyEntry { alias, number: None, place, key, chain });
        }
        let key = self.decrypt(store, entry)?;
        let mut chain = entry.chain.clone();
        match self.signer(store, entry, &key)? {
            Some(signer) => match chain.first() {
                Some(first) if belongs_to(signer.as_ref(), first)? => {}
                Some(first) => return Err(Error::new(Code::KeyMismatch, format!("certificate {}", describe(first)))),
                None => {
                    let pool = store.pool()?;
                    chain = chain_in(pool, pool.certificate_of(signer.as_ref())?)?;
                }
            },
            None => {
                let public = Public::of(&key)?;
                match chain.first() {
                    None => {
                        let pool = store.pool()?;
                        chain = chain_in(pool, public.certificate_in(pool))?;
                    }
                    Some(first) => match public.belongs_to(first)? {
                        Some(true) => {}
                        Some(false) => {
                            return Err(Error::new(Code::KeyMismatch, format!("certificate {}", describe(first))));
                        }
                        None => self.warn(&entry.place, NOT_CHECKED),
                    },
                }
            }
        }
        if chain.is_empty() {
            self.warn(&entry.place, "the key has no certificate; Java does not show such an entry");
        }
        self.chains.take(&chain)?;
        Ok(KeyEntry { alias, number: None, place, key: pkcs8(&key)?, chain })
    }

    /// The key ready to sign; `None` for an algorithm that is not served.
    fn signer(
        &self,
        store: &Store,
        entry: &Entry,
        key: &PrivateKeyDer<'static>,
    ) -> Result<Option<Arc<dyn SigningKey>>> {
        match store.signing_key(entry, key) {
            Ok(signer) => Ok(Some(signer)),
            Err(error) if error.code() == Code::KeyAlgorithmUnsupported => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The keys of a PEM or DER file with their certificates, then the certificates of no key.
    fn take_text(&mut self, store: &Store, keys: &Store) -> Result<()> {
        let pool = store.pool()?;
        let (mut in_chains, mut has_keys) = (HashSet::new(), false);
        let is_alone = keys.keys().nth(1).is_none();
        if self.request.needed == Needed::Trust && keys.keys().next().is_some() {
            let detail = "a text with a private key does not say which certificates are trusted";
            return Err(Error::new(Code::NoTrustedCertificate, detail).at(store.label()));
        }
        for (_, entry) in keys.keys() {
            has_keys = true;
            let number = self.number(None);
            let is_wanted = self.is_wanted(None, number);
            let warnings = self.entries.warnings.len();
            match self.take_text_key(pool, keys, entry, is_alone) {
                Ok(taken) => {
                    in_chains.extend(taken.chain.iter().cloned());
                    match is_wanted {
                        true => self.entries.keys.push(KeyEntry { number, ..taken }),
                        false => self.entries.warnings.truncate(warnings),
                    }
                }
                Err(error) if is_wanted => return Err(error.at(&entry.place)),
                Err(error) => {
                    self.entries.warnings.truncate(warnings);
                    self.warn(&entry.place, &format!("not used: {}", error.message()));
                }
            }
        }
        let (rejected, limited) = (store.rejected(), store.limited());
        for certificate in pool.certificates().iter().filter(|der| !in_chains.contains(*der)) {
            let number = self.number(None);
            if self.is_wanted(None, number) {
                let why = match limited.get(certificate) {
                    _ if rejected.contains(certificate) => Some("rejected for TLS".to_owned()),
                    Some(peers) if !has_keys => Some(format!("trusted for {}", peers.name())),
                    _ => None,
                };
                if let Some(why) = why {
                    self.leave_out(store, certificate, &why)?;
                    continue;
                }
                if has_keys {
                    let what = format!("a certificate is in the chain of no key: {}", describe(certificate));
                    self.warn(store.label(), &what);
                }
                let (der, place) = (certificate.clone(), store.label().to_owned());
                let entry = CertificateEntry { alias: None, number, place, der, trusted: !has_keys };
                self.entries.certificates.push(entry);
            }
        }
        self.tell_others(store)?;
        if !std::ptr::eq(store, keys) {
            self.tell_beside(store, keys)?;
        }
        Ok(())
    }

    /// A certificate that OpenSSL rejects for TLS, or trusts for servers or clients alone: no output says so, and other
    /// programs would trust it for every peer.
    fn leave_out(&mut self, store: &Store, certificate: &CertificateDer<'static>, why: &str) -> Result<()> {
        let what = format!("a certificate that is {why} is not in the output: {}", describe(certificate));
        if !self.request.aliases.is_empty() {
            return Err(Error::new(Code::NoTrustedCertificate, what).at(store.label()));
        }
        self.warn(store.label(), &what);
        Ok(())
    }

    /// The blocks of a text that hold neither a key nor a certificate. One that cannot be read is an error, unless
    /// other entries are asked for.
    fn tell_others(&mut self, store: &Store) -> Result<()> {
        let is_other = |entry: &&Entry| matches!(entry.kind, EntryKind::Other | EntryKind::SecretKey);
        for entry in store.entries().iter().filter(is_other) {
            match &entry.fault {
                Some(fault) if self.request.aliases.is_empty() => return Err(fault.clone().at(&entry.place)),
                Some(fault) => self.warn(&entry.place, &format!("not used: {}", fault.message())),
                None => self.warn(&entry.place, entry.note.as_deref().unwrap_or("skipped")),
            }
        }
        Ok(())
    }

    /// A warning for each thing that is not used because keys are in another file.
    fn tell_beside(&mut self, store: &Store, keys: &Store) -> Result<()> {
        if store.keys().next().is_some() {
            self.warn(store.label(), "its private key is not used, as another file has the key");
        }
        let used: HashSet<_> = store.pool()?.certificates().iter().collect();
        for certificate in keys.pool()?.certificates().iter().filter(|der| !used.contains(der)) {
            let what = format!("a certificate beside the key is not used: {}", describe(certificate));
            self.warn(keys.label(), &what);
        }
        Ok(())
    }

    fn take_text_key(&mut self, pool: &Pool, keys: &Store, entry: &Entry, is_alone: bool) -> Result<KeyEntry> {
        let key = self.decrypt(keys, entry)?;
        let chain = match self.signer(keys, entry, &key)? {
            _ if pool.certificates().is_empty() => Vec::new(),
            Some(signer) => match pool.certificate_of(signer.as_ref())? {
                None => return Err(no_certificate_fits(pool, is_alone)),
                found => chain_in(pool, found)?,
            },
            None => {
                let public = Public::of(&key)?;
                match public.certificate_in(pool) {
                    None if public.is_known() => return Err(no_certificate_fits(pool, is_alone)),
                    None if is_alone => {
                        let only = public.only_candidate(pool)?.ok_or_else(|| no_certificate_fits(pool, true))?;
                        self.warn(&entry.place, NOT_CHECKED);
                        chain_in(pool, Some(only))?
                    }
                    None => return Err(entry.unserved().unwrap_or_else(|| Code::KeyAlgorithmUnsupported.into())),
                    found => chain_in(pool, found)?,
                }
            }
        };
        if chain.is_empty() {
            self.warn(&entry.place, "the key has no certificate; Java does not show such an entry");
        }
        self.chains.take(&chain)?;
        Ok(KeyEntry { alias: None, number: None, place: entry.place.clone(), key: pkcs8(&key)?, chain })
    }
}

fn no_certificate_fits(pool: &Pool, is_alone: bool) -> Error {
    let first = pool.certificates().first().filter(|_| is_alone);
    let none = || "no certificate fits the key".to_owned();
    Error::new(Code::KeyMismatch, first.map_or_else(none, |first| format!("certificate {}", describe(first))))
}

/// The chain of the certificate at this place of the pool.
fn chain_in(pool: &Pool, position: Option<usize>) -> Result<Vec<CertificateDer<'static>>> {
    let Some(position) = position else { return Ok(Vec::new()) };
    let chain = pool.chain(position)?;
    Ok(pool.certificates_of(&chain).cloned().collect())
}
