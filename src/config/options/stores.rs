//! Identities and trust stores while their options arrive one by one.

use std::path::PathBuf;

use crate::config::Source;
use crate::config::{IdentitySource, TrustSource};
use crate::error::{Code, Error, Result};
use crate::keystore::{Limits, OpenOptions, Password, StoreType};

use super::value;

/// The identities and trust stores so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Stores {
    identities: Vec<Draft>,
    trust: Vec<Draft>,
    uses_system_trust: bool,
    insecure_allow_missing_mac: bool,
    limits: Limits,
}

/// An identity or a trust store. Each field has the name of its option.
#[derive(Clone, Debug, Default)]
struct Draft {
    path: Option<PathBuf>,
    key: Option<PathBuf>,
    alias: Option<String>,
    store_type: Option<StoreType>,
    password: Option<Password>,
    key_password: Option<Password>,
}

/// Sets a field of the last draft, or of a new one if the last has it already.
fn set<T>(drafts: &mut Vec<Draft>, field: fn(&mut Draft) -> &mut Option<T>, value: T) {
    if drafts.last_mut().is_none_or(|last| field(last).is_some()) {
        drafts.push(Draft::default());
    }
    if let Some(last) = drafts.last_mut() {
        *field(last) = Some(value);
    }
}

impl Stores {
    pub(super) fn cert(&mut self, path: PathBuf) -> &mut Self {
        self.of_identity(|draft| &mut draft.path, path)
    }

    pub(super) fn key(&mut self, path: PathBuf) -> &mut Self {
        self.of_identity(|draft| &mut draft.key, path)
    }

    pub(super) fn alias(&mut self, alias: &str) -> &mut Self {
        self.of_identity(|draft| &mut draft.alias, alias.to_owned())
    }

    pub(super) fn store_type(&mut self, text: &str) -> Result<&mut Self> {
        Ok(self.of_identity(|draft| &mut draft.store_type, value::store_type(text)?))
    }

    pub(super) fn password(&mut self, password: Password) -> &mut Self {
        self.of_identity(|draft| &mut draft.password, password)
    }

    pub(super) fn key_password(&mut self, password: Password) -> &mut Self {
        self.of_identity(|draft| &mut draft.key_password, password)
    }

    pub(super) fn trust(&mut self, path: PathBuf) -> &mut Self {
        self.of_trust(|draft| &mut draft.path, path)
    }

    pub(super) fn trust_type(&mut self, text: &str) -> Result<&mut Self> {
        Ok(self.of_trust(|draft| &mut draft.store_type, value::store_type(text)?))
    }

    pub(super) fn trust_password(&mut self, password: Password) -> &mut Self {
        self.of_trust(|draft| &mut draft.password, password)
    }

    pub(super) fn system_trust(&mut self, trusts: bool) -> &mut Self {
        self.uses_system_trust = trusts;
        self
    }

    pub(super) fn insecure_allow_missing_mac(&mut self, allows: bool) -> &mut Self {
        self.insecure_allow_missing_mac = allows;
        self
    }

    pub(super) fn max_content_bytes(&mut self, bytes: usize) -> &mut Self {
        self.limits.max_content_bytes = bytes;
        self
    }

    pub(super) fn max_kdf_iterations(&mut self, iterations: u64) -> &mut Self {
        self.limits.max_kdf_iterations = iterations;
        self
    }

    pub(super) fn max_kdf_memory_bytes(&mut self, bytes: u64) -> &mut Self {
        self.limits.max_kdf_memory_bytes = bytes;
        self
    }

    fn of_identity<T>(&mut self, field: fn(&mut Draft) -> &mut Option<T>, value: T) -> &mut Self {
        set(&mut self.identities, field, value);
        self
    }

    fn of_trust<T>(&mut self, field: fn(&mut Draft) -> &mut Option<T>, value: T) -> &mut Self {
        set(&mut self.trust, field, value);
        self
    }

    pub(super) fn identity_sources(&self) -> Result<Vec<IdentitySource>> {
        let mut sources = Vec::new();
        for draft in &self.identities {
            let Some(path) = &draft.path else {
                return Err(Error::new(Code::OptionConflict, "key, alias, type or password without the option cert"));
            };
            let mut source = IdentitySource::new(Source::file(path));
            source.key = draft.key.clone().map(Source::file);
            source.alias.clone_from(&draft.alias);
            source.options = self.open_options(draft);
            sources.push(source);
        }
        Ok(sources)
    }

    pub(super) fn trust_sources(&self) -> Result<Vec<TrustSource>> {
        let mut sources = Vec::new();
        for draft in &self.trust {
            let Some(path) = &draft.path else {
                return Err(Error::new(
                    Code::OptionConflict,
                    "type or password of a trust store without the option trust",
                ));
            };
            sources.push(match path.is_dir() {
                true => TrustSource::Directory { path: path.clone(), options: self.open_options(draft) },
                false => TrustSource::Store { source: Source::file(path), options: self.open_options(draft) },
            });
        }
        sources.extend(self.uses_system_trust.then_some(TrustSource::System));
        Ok(sources)
    }

    pub(super) fn common_options(&self) -> OpenOptions {
        self.open_options(&Draft::default())
    }

    fn open_options(&self, draft: &Draft) -> OpenOptions {
        OpenOptions {
            store_type: draft.store_type,
            password: draft.password.clone().unwrap_or_default(),
            key_password: draft.key_password.clone().unwrap_or_default(),
            insecure_allow_missing_mac: self.insecure_allow_missing_mac,
            limits: self.limits,
            ..OpenOptions::default()
        }
    }
}
