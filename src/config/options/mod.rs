//! The options: every setting of a context by a name and a text, as configuration files, the command and the C API give
//! them. The one table of them sets nothing that the builder has no method for.

mod row;
mod stores;
mod table;
mod value;

use crate::config::ContextBuilder;
use crate::config::{IdentitySource, TrustSource};
use crate::error::Result;
use crate::keystore::OpenOptions;

pub use super::{OPENSSL_OPTIONS, OpensslEffect, OpensslOption};
use row::Apply;
pub use row::{OptionGroup, OptionKind, OptionRow};
use stores::Stores;
pub use table::OPTIONS;
pub use value::{password, store_type, switch};

/// A builder of contexts that takes its settings by name.
///
/// Options of one identity (`cert`, `key`, `alias`, `password` and so on) belong together in any order. One that is
/// given again starts the next identity. The options of a trust store follow the same rule.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub(crate) builder: ContextBuilder,
    stores: Stores,
}

impl Options {
    /// Returns a builder without any option set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets an option.
    ///
    /// # Errors
    /// `UNKNOWN_OPTION`; `INVALID_ARGUMENT` for a text that the option does not take; the errors of a file that the
    /// text names, e.g. `FILE_UNREADABLE` for a password's file. The detail has the option's name, and its text unless
    /// that is a password.
    pub fn set(&mut self, name: &str, text: &str) -> Result<()> {
        let row = OptionRow::by_name(name)?;
        let outcome = match &row.apply {
            Apply::Builder(setter) => setter.set(&mut self.builder, text),
            Apply::Stores(setter) => setter.set(&mut self.stores, text),
        };
        outcome.map_err(|error| error.at(format!("option {name}")))
    }

    /// Returns the builder, for settings that no text can express.
    pub fn builder_mut(&mut self) -> &mut ContextBuilder {
        &mut self.builder
    }

    /// Returns how to open a store that no option names: the limits on files, and if a MAC may be missing.
    pub fn open_options(&self) -> OpenOptions {
        self.stores.common_options()
    }

    /// Returns the identities that the options name.
    ///
    /// # Errors
    /// `OPTION_CONFLICT` for options of an identity without the file they belong to.
    pub fn identity_sources(&self) -> Result<Vec<IdentitySource>> {
        self.stores.identity_sources()
    }

    /// Returns the trusted certificates that the options name.
    ///
    /// # Errors
    /// `OPTION_CONFLICT` for options of a trust store without the file they belong to.
    pub fn trust_sources(&self) -> Result<Vec<TrustSource>> {
        self.stores.trust_sources()
    }

    /// Returns a builder with everything that was set.
    ///
    /// # Errors
    /// `OPTION_CONFLICT` for options of an identity or a trust store without the file they belong to.
    pub fn to_builder(&self) -> Result<ContextBuilder> {
        let mut builder = self.builder.clone();
        self.identity_sources()?.into_iter().for_each(|source| _ = builder.identity(source));
        self.trust_sources()?.into_iter().for_each(|source| _ = builder.trust(source));
        Ok(builder)
    }
}
