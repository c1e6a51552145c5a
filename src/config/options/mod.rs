//! The one table of options: every setting of a context by a name and a text, as configuration files, the command and
//! the C API give them.
//!
//! A row says what the text means and does. The table sets nothing that the builder could not be told directly.

mod revocation;
mod session;
mod stores;
mod table;
mod value;

use crate::config::ContextBuilder;
use crate::config::{IdentitySource, TrustSource};
use crate::error::{Code, Error, Result};
use crate::keystore::OpenOptions;
use crate::policy::names::{did_you_mean, nearest};

use stores::Stores;
pub use table::OPTIONS;
pub use value::{password, store_type, switch};

/// What the text of an option is; commands ask for it accordingly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OptionKind {
    /// The path of a file, or where the help says so of a directory.
    Path,
    /// `pass:TEXT`, `env:VARIABLE` or `file:PATH` (the first line).
    Password,
    /// `yes` or `no`, also `true`, `false`, `on`, `off`, `1`, `0`.
    Switch,
    /// One of the words that the help lists.
    Choice,
    /// A list of names.
    Names,
    /// A whole number.
    Number,
    /// Any text.
    Text,
}

/// What an option is about; commands group their help by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OptionGroup {
    /// The certificate and key of one's own.
    Identity,
    /// The certificates that are trusted.
    Trust,
    /// Versions, cipher suites and groups.
    Policy,
    /// How the peer is judged.
    Verification,
    /// Whether the peer's certificate has been revoked.
    Revocation,
    /// The OCSP responses that are sent with one's own certificates.
    Stapling,
    /// What a connection negotiates or keeps beyond that.
    Session,
    /// What a file may cost.
    Limits,
}

impl OptionGroup {
    /// The heading of the group, as it is printed.
    pub const fn heading(self) -> &'static str {
        match self {
            Self::Identity => "Own certificate and key",
            Self::Trust => "Trusted certificates",
            Self::Policy => "Versions, cipher suites and groups",
            Self::Verification => "Verification of the peer",
            Self::Revocation => "Revocation",
            Self::Stapling => "Stapled OCSP responses",
            Self::Session => "Session",
            Self::Limits => "Limits on files",
        }
    }
}

/// A row of the table.
#[non_exhaustive]
pub struct OptionRow {
    /// The name, in lower case with hyphens.
    pub name: &'static str,
    /// What it is about.
    pub group: OptionGroup,
    /// What its text is.
    pub kind: OptionKind,
    /// The placeholder of the text in help, e.g. `FILE`.
    pub placeholder: &'static str,
    /// One line: what it does, and its default.
    pub help: &'static str,
    /// Whether it may be given several times.
    pub repeats: bool,
    apply: Apply,
}

/// Where the text of an option goes.
enum Apply {
    Builder(fn(&mut ContextBuilder, &str) -> Result<()>),
    Stores(fn(&mut Stores, &str) -> Result<()>),
}

impl std::fmt::Debug for OptionRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OptionRow").field("name", &self.name).field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl OptionRow {
    /// The row of a name.
    ///
    /// # Errors
    /// `UNKNOWN_OPTION`, with the names that are nearest.
    pub fn by_name(name: &str) -> Result<&'static Self> {
        OPTIONS.iter().find(|row| row.name == name).ok_or_else(|| {
            let near = nearest(name, OPTIONS.iter().map(|row| row.name));
            Error::new(Code::UnknownOption, did_you_mean(name, &near))
        })
    }
}

/// A builder that is told its settings by name.
///
/// Options of one identity (`cert`, `key`, `alias`, `password` and so on) belong together in any order; one that is
/// given again starts the next identity. So do those of a trust store.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub(crate) builder: ContextBuilder,
    stores: Stores,
}

impl Options {
    /// No option set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets an option.
    ///
    /// # Errors
    /// `UNKNOWN_OPTION`; `INVALID_ARGUMENT` for a text that the option does not take; what the text itself leads to,
    /// e.g. `FILE_UNREADABLE` for a password's file. The option's name stands in the detail, its text only where it is no
    /// password.
    pub fn set(&mut self, name: &str, text: &str) -> Result<()> {
        let row = OptionRow::by_name(name)?;
        let outcome = match row.apply {
            Apply::Builder(apply) => apply(&mut self.builder, text),
            Apply::Stores(apply) => apply(&mut self.stores, text),
        };
        outcome.map_err(|error| error.at(format!("option {name}")))
    }

    /// The builder, for settings that are no text.
    pub fn builder_mut(&mut self) -> &mut ContextBuilder {
        &mut self.builder
    }

    /// How a store is opened of which the options say nothing by themselves: their limits on files, and whether a MAC may
    /// be missing.
    pub fn open_options(&self) -> OpenOptions {
        self.stores.common_options()
    }

    /// The identities that the options name.
    ///
    /// # Errors
    /// `OPTION_CONFLICT` for options of an identity without the file they belong to.
    pub fn identity_sources(&self) -> Result<Vec<IdentitySource>> {
        self.stores.identity_sources()
    }

    /// The trusted certificates that the options name.
    ///
    /// # Errors
    /// `OPTION_CONFLICT` for options of a trust store without the file they belong to.
    pub fn trust_sources(&self) -> Result<Vec<TrustSource>> {
        self.stores.trust_sources()
    }

    /// The builder with everything that was set.
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
