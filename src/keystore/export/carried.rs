//! The entries between a store that was read and a file that is written.

use std::collections::HashMap;

use rustls::pki_types::CertificateDer;
use zeroize::Zeroizing;

use crate::certificate::printable;
use crate::error::{Code, Error, Result};
use crate::keystore::chain::Pool;

/// A private key with its certificate chain.
pub(crate) struct KeyEntry {
    pub(crate) alias: Option<String>,
    /// Its place in the input, for messages.
    pub(crate) place: String,
    /// PKCS#8, version 1.
    pub(crate) key: Zeroizing<Vec<u8>>,
    /// The chain, end entity first; empty if the store has none for the key.
    pub(crate) chain: Vec<CertificateDer<'static>>,
}

/// A certificate that is in no chain.
pub(crate) struct CertificateEntry {
    pub(crate) alias: Option<String>,
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
    pub(crate) warnings: Vec<String>,
}

impl Entries {
    /// Leaves the certificates of the chains alone, in their order.
    pub(crate) fn only_chains(&mut self) {
        let chains = std::mem::take(&mut self.keys).into_iter().flat_map(|entry| entry.chain);
        let entry = |der| CertificateEntry { alias: None, place: String::new(), der, trusted: false };
        self.certificates = chains.map(entry).collect();
    }

    /// Refuses keys that PKCS#12 could give another issuer. Java takes the first certificate of a name, in the order
    /// that they are written in.
    ///
    /// # Errors
    /// `OPTION_CONFLICT`; `CERTIFICATE_MALFORMED`.
    pub(crate) fn check_issuers(&self) -> Result<()> {
        let own = self.keys.iter().filter_map(|entry| entry.chain.first());
        let issuers = self.keys.iter().flat_map(|entry| entry.chain.iter().skip(1));
        let (trusted, others): (Vec<_>, Vec<_>) = self.certificates.iter().partition(|entry| entry.trusted);
        let beside = others.into_iter().chain(trusted).map(|entry| &entry.der);
        let pool = Pool::new(own.chain(issuers).chain(beside).cloned())?;
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

    /// A warning for each key that PKCS#12 gives another chain. The format does not say which certificates make a
    /// chain, so that programs look for issuers among all certificates of the store.
    ///
    /// # Errors
    /// `CERTIFICATE_MALFORMED`.
    pub(crate) fn other_chains(&self) -> Result<Vec<String>> {
        let of_keys = self.keys.iter().flat_map(|entry| entry.chain.iter().cloned());
        let pool = Pool::new(of_keys.chain(self.certificates.iter().map(|entry| entry.der.clone())))?;
        let others = self.keys.iter().filter_map(|entry| {
            let found = pool.chain_of(entry.chain.first()?);
            let alias = printable(entry.alias.as_deref().unwrap_or_default());
            let (before, after) = (entry.chain.len(), found.len());
            (found != entry.chain).then(|| {
                format!(
                    "alias {alias}: PKCS#12 does not keep chains; programs make one of {after} certificates of the \
                     {before} that it has"
                )
            })
        });
        Ok(others.collect())
    }
}
