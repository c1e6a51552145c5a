//! The entries between a store that was read and a file that is written.

use std::collections::{HashMap, HashSet};

use rustls::pki_types::CertificateDer;
use zeroize::Zeroizing;

use crate::certificate::printable;
use crate::error::{Code, Error, Result};
use crate::keystore::chain::Pool;

/// The part of the entries that is needed. Keys are decrypted only if they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needed {
    /// Keys and certificates.
    Keys,
    /// The chains of the keys: a key is decrypted only if nothing else shows its certificate.
    Chains,
    /// The trusted certificates; no key is decrypted.
    Trust,
}

/// A private key with its certificate chain.
pub(crate) struct KeyEntry {
    pub(crate) alias: Option<String>,
    /// The number that selects it, if it has no name.
    pub(crate) number: Option<usize>,
    /// Its place in the input, for messages.
    pub(crate) place: String,
    /// PKCS#8, version 1; empty if it is not needed.
    pub(crate) key: Zeroizing<Vec<u8>>,
    /// The chain, end entity first; empty if the store has none for the key.
    pub(crate) chain: Vec<CertificateDer<'static>>,
}

/// A certificate that is in no chain.
pub(crate) struct CertificateEntry {
    pub(crate) alias: Option<String>,
    /// The number that selects it, if it has no name.
    pub(crate) number: Option<usize>,
    /// Its place in the input, for messages.
    pub(crate) place: String,
    pub(crate) der: CertificateDer<'static>,
    /// True if the store says, or its type means, that it is trusted.
    pub(crate) trusted: bool,
}

/// The entries that are carried, and what is said about the others.
#[derive(Default)]
pub(crate) struct Entries {
    pub(crate) keys: Vec<KeyEntry>,
    pub(crate) certificates: Vec<CertificateEntry>,
    /// The names of certificates that are in a chain alone.
    pub(crate) names: HashMap<CertificateDer<'static>, String>,
    pub(crate) warnings: Vec<String>,
}

impl Entries {
    /// Leaves the certificates of the chains alone, in their order.
    pub(crate) fn only_chains(&mut self) {
        let chains = std::mem::take(&mut self.keys).into_iter().flat_map(|entry| entry.chain);
        let entry = |der| CertificateEntry { alias: None, number: None, place: String::new(), der, trusted: false };
        self.certificates = chains.map(entry).collect();
    }

    /// Refuses keys that PKCS#12 could give another issuer. Java takes the first certificate of a name, in the order
    /// that they are written in.
    ///
    /// # Errors
    /// `OPTION_CONFLICT`; `CERTIFICATE_MALFORMED`.
    pub(crate) fn check_issuers(&self) -> Result<()> {
        let pool = self.as_written()?;
        let mut halves = HashMap::new();
        for entry in &self.keys {
            if pool.confuses(&entry.chain, &mut halves)? {
                let detail = "PKCS#12 does not keep chains, and another certificate has the name of its issuer";
                let hint = "Write one file for each alias, and trusted certificates into another one.";
                return Err(Error::new(Code::OptionConflict, detail).with_hint(hint).at(&entry.place));
            }
        }
        Ok(())
    }

    /// The issuers in chains, but those that are trusted as well.
    pub(super) fn issuers(&self) -> Vec<&CertificateDer<'static>> {
        let trusted = self.certificates.iter().filter(|entry| entry.trusted).map(|entry| &entry.der);
        let trusted: HashSet<_> = trusted.collect();
        let issuers = self.keys.iter().flat_map(|entry| entry.chain.iter().skip(1));
        issuers.filter(|issuer| !trusted.contains(issuer)).collect()
    }

    /// All certificates, in the order that PKCS#12 has them in.
    fn as_written(&self) -> Result<Pool> {
        let own = self.keys.iter().filter_map(|entry| entry.chain.first());
        let issuers = self.issuers().into_iter();
        let (trusted, others): (Vec<_>, Vec<_>) = self.certificates.iter().partition(|entry| entry.trusted);
        let beside = others.into_iter().chain(trusted).map(|entry| &entry.der);
        Pool::new(own.chain(issuers).chain(beside).cloned())
    }

    /// A warning for each key that PKCS#12 gives another chain. The format does not say which certificates make a
    /// chain, so that programs look for issuers among all certificates of the store. Java takes one issuer of each
    /// name, and others take all.
    ///
    /// # Errors
    /// `CERTIFICATE_MALFORMED`.
    pub(crate) fn other_chains(&self) -> Result<Vec<String>> {
        let pool = self.as_written()?;
        let mut warnings = Vec::new();
        for entry in &self.keys {
            let Some(first) = entry.chain.first() else { continue };
            let (found, of_java) = (pool.chain_of(first), pool.chain_by_names(first));
            let mut warn = |programs: &str, after: usize| {
                let (alias, before) = (printable(entry.alias.as_deref().unwrap_or_default()), entry.chain.len());
                warnings.push(format!(
                    "alias {alias}: PKCS#12 does not keep chains; {programs} one of {after} certificates of the \
                     {before} that it has"
                ));
            };
            match (found != entry.chain, of_java != entry.chain) {
                (true, true) if found == of_java => warn("programs make", found.len()),
                (others, java) => {
                    if others {
                        warn("programs make", found.len());
                    }
                    if java {
                        warn("Java, which takes one issuer of each name, makes", of_java.len());
                    }
                }
            }
        }
        Ok(warnings)
    }
}
