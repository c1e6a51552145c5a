//! The things to know about a conversion: settings without effect, which are refused, and warnings.

use crate::certificate::describe;
use crate::error::{Code, Error, Result};
use crate::keystore::export::Entries;
use crate::keystore::{Password, Secret, Store, StoreType};

/// The most warnings about entries.
const MAX_WARNINGS: usize = 50;
/// The most certificates that one warning names.
const MAX_NAMED: usize = 3;

/// The error for a setting that changes nothing: its user expects something of it.
pub(super) fn no_effect(name: &str, why: &str) -> Error {
    Error::new(Code::OptionConflict, format!("the option {name} has no effect: {why}")).with_hint("Leave it out.")
}

/// Leaves the first warnings, and says how many more there are.
pub(super) fn cap(warnings: &mut Vec<String>) {
    let more = warnings.len().saturating_sub(MAX_WARNINGS);
    if more > 0 {
        warnings.truncate(MAX_WARNINGS);
        warnings.push(format!("{more} more warnings are not shown"));
    }
}

/// The settings that an output may leave without effect.
pub(super) struct Settings<'a> {
    pub(super) is_pem: bool,
    pub(super) has_name: bool,
    pub(super) has_password: bool,
    pub(super) has_iterations: bool,
    pub(super) is_legacy: bool,
    /// The passwords of the input, and of the keys in it.
    pub(super) password: &'a Password,
    pub(super) key_passwords: &'a [Password],
}

impl Settings<'_> {
    /// Refuses settings that change nothing of this output.
    ///
    /// # Errors
    /// `OPTION_CONFLICT` with the name of the setting.
    pub(super) fn check_effects(&self, entries: &Entries) -> Result<()> {
        if !self.is_pem {
            return Ok(());
        }
        if self.has_name {
            return Err(no_effect("name", "PEM has no names"));
        }
        if self.has_password && entries.keys.is_empty() {
            return Err(no_effect("out-password", "the output has no private key, and PEM encrypts nothing else"));
        }
        let unused = [("iterations", self.has_iterations), ("legacy-encryption", self.is_legacy)];
        match unused.into_iter().find(|(_, is_set)| *is_set && !self.has_password) {
            Some((name, _)) => Err(no_effect(name, "nothing in the output is encrypted")),
            None => Ok(()),
        }
    }

    /// A warning for each password of the input that opens nothing in it.
    pub(super) fn unused_passwords(&self, stores: &[&Store]) -> Option<String> {
        let is_text = |store: &&Store| matches!(store.store_type(), StoreType::Pem | StoreType::Der);
        let mut keys = stores.iter().flat_map(|store| store.entries()).filter_map(|entry| entry.key.as_ref());
        if keys.any(|key| key.encrypted) {
            return None;
        }
        let is_given = |password: &Password| !matches!(password, Password::None);
        let name = match () {
            () if self.key_passwords.iter().any(is_given) => "key-password",
            () if is_given(self.password) && stores.iter().all(is_text) => "password",
            () => return None,
        };
        Some(format!("the option {name} has no effect: nothing that it could open is encrypted"))
    }

    /// The things to know about what was written.
    pub(super) fn warnings(&self, entries: &Entries, password: Option<&Secret>) -> Vec<String> {
        let mut warnings: Vec<String> = newly_trusted(entries, self.is_pem).into_iter().collect();
        if self.is_pem && !entries.keys.is_empty() && password.is_none() {
            warnings.push("the private key in the output is not encrypted".to_owned());
        }
        if self.is_pem && entries.keys.len() > 1 {
            let count = entries.keys.len();
            warnings.push(format!("the output has {count} keys; many programs read only the first"));
        }
        let Some(password) = password else { return warnings };
        if self.is_legacy {
            warnings.push("the output is encrypted with triple DES and SHA-1, for old programs alone".to_owned());
        }
        if !entries.keys.is_empty() && password.reveal().is_empty() {
            warnings.push("the password is empty: anyone can read the private key".to_owned());
        }
        if !self.is_pem && password.reveal().is_empty() {
            let what = "the password is empty; Java shows no entries to a program that gives it no password at all";
            warnings.push(what.to_owned());
        }
        if !self.is_pem && !password.reveal().is_ascii() {
            let which = if self.is_legacy { "Java" } else { "Java 17 and older" };
            warnings.push(format!("{which} cannot open PKCS#12 with a password that has characters beyond ASCII"));
        }
        warnings
    }
}

/// A warning about certificates that nothing trusts in the input, and that are alone in the output. No format says
/// that they are not trusted: a program that is given the file as its trust store trusts them.
fn newly_trusted(entries: &Entries, is_pem: bool) -> Option<String> {
    let says_trust = !is_pem && entries.certificates.iter().any(|entry| entry.trusted);
    if !entries.keys.is_empty() || says_trust {
        return None;
    }
    let mut alone = entries.certificates.iter().filter(|entry| !entry.trusted).map(|entry| describe(&entry.der));
    let named: Vec<_> = alone.by_ref().take(MAX_NAMED).collect();
    let more = match alone.count() {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let named = (!named.is_empty()).then(|| named.join("; "))?;
    Some(format!(
        "the output has certificates alone, which a program trusts if it is given the file as a trust store; the \
         input does not trust these: {named}{more}"
    ))
}
