//! Identities and trust stores while their options arrive one by one.

use std::path::PathBuf;

use crate::config::Source;
use crate::config::{IdentitySource, TrustSource};
use crate::error::{Code, Error, Result};
use crate::keystore::{Limits, OpenOptions, Password, StoreType};

use super::value::{self, password};

/// What is known so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Stores {
    identities: Vec<Draft>,
    trust: Vec<Draft>,
    uses_system_trust: bool,
    insecure_allow_missing_mac: bool,
    limits: Limits,
}

/// An identity or a trust store; the option that names each field is the field's name.
#[derive(Clone, Debug, Default)]
struct Draft {
    path: Option<PathBuf>,
    key: Option<PathBuf>,
    alias: Option<String>,
    store_type: Option<StoreType>,
    password: Option<Password>,
    key_password: Option<Password>,
}

/// Sets a field of the last draft, or of a new one where that has it already.
fn set<T>(drafts: &mut Vec<Draft>, field: fn(&mut Draft) -> &mut Option<T>, value: T) {
    if drafts.last_mut().is_none_or(|last| field(last).is_some()) {
        drafts.push(Draft::default());
    }
    if let Some(last) = drafts.last_mut() {
        *field(last) = Some(value);
    }
}

impl Stores {
    pub(super) fn cert(&mut self, text: &str) -> Result<()> {
        set(&mut self.identities, |draft| &mut draft.path, value::path(text)?);
        Ok(())
    }

    pub(super) fn key(&mut self, text: &str) -> Result<()> {
        set(&mut self.identities, |draft| &mut draft.key, value::path(text)?);
        Ok(())
    }

    pub(super) fn alias(&mut self, text: &str) -> Result<()> {
        set(&mut self.identities, |draft| &mut draft.alias, text.to_owned());
        Ok(())
    }

    pub(super) fn store_type(&mut self, text: &str) -> Result<()> {
        set(&mut self.identities, |draft| &mut draft.store_type, value::store_type(text)?);
        Ok(())
    }

    pub(super) fn password(&mut self, text: &str) -> Result<()> {
        set(&mut self.identities, |draft| &mut draft.password, password(text)?);
        Ok(())
    }

    pub(super) fn key_password(&mut self, text: &str) -> Result<()> {
        set(&mut self.identities, |draft| &mut draft.key_password, password(text)?);
        Ok(())
    }

    pub(super) fn trust(&mut self, text: &str) -> Result<()> {
        set(&mut self.trust, |draft| &mut draft.path, value::path(text)?);
        Ok(())
    }

    pub(super) fn trust_type(&mut self, text: &str) -> Result<()> {
        set(&mut self.trust, |draft| &mut draft.store_type, value::store_type(text)?);
        Ok(())
    }

    pub(super) fn trust_password(&mut self, text: &str) -> Result<()> {
        set(&mut self.trust, |draft| &mut draft.password, password(text)?);
        Ok(())
    }

    pub(super) fn system_trust(&mut self, text: &str) -> Result<()> {
        self.uses_system_trust = value::switch(text)?;
        Ok(())
    }

    pub(super) fn insecure_allow_missing_mac(&mut self, text: &str) -> Result<()> {
        self.insecure_allow_missing_mac = value::switch(text)?;
        Ok(())
    }

    pub(super) fn max_content_bytes(&mut self, text: &str) -> Result<()> {
        self.limits.max_content_bytes = value::number(text)?;
        Ok(())
    }

    pub(super) fn max_kdf_iterations(&mut self, text: &str) -> Result<()> {
        self.limits.max_kdf_iterations = value::number(text)?;
        Ok(())
    }

    pub(super) fn max_kdf_memory_bytes(&mut self, text: &str) -> Result<()> {
        self.limits.max_kdf_memory_bytes = value::number(text)?;
        Ok(())
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
                true => TrustSource::Directory(path.clone()),
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
        }
    }
}
