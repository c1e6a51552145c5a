//! One option: its name and help, how its text is read, and the setter that takes the value.

use std::path::PathBuf;

use crate::config::builder::ContextBuilder;
use crate::error::Result;
use crate::keystore::Password;

use super::stores::Stores;
use super::value;

/// The kind of text that an option takes. Commands ask for it accordingly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OptionKind {
    /// The path of a file, or of a directory if the help says so.
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

/// The subject of an option. Commands group their help by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OptionGroup {
    /// The own certificate and key.
    Identity,
    /// The trusted certificates.
    Trust,
    /// Versions, cipher suites and groups.
    Policy,
    /// The verification of the peer.
    Verification,
    /// The check of the peer for revocation.
    Revocation,
    /// The OCSP responses that are sent with the own certificates.
    Stapling,
    /// Application protocols, resumption, and what a connection keeps.
    Session,
    /// The limits on files.
    Limits,
}

impl OptionGroup {
    /// Returns the heading of the group, as it is printed.
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

/// A row of the table of options.
#[non_exhaustive]
pub struct OptionRow {
    /// The name, in lower case with hyphens.
    pub name: &'static str,
    /// The subject.
    pub group: OptionGroup,
    /// The kind of text.
    pub kind: OptionKind,
    /// The placeholder of the text in help, e.g. `FILE`.
    pub placeholder: &'static str,
    /// One line: what the option does, and its default.
    pub help: &'static str,
    /// True if it may be given several times.
    pub repeats: bool,
    pub(super) apply: Apply,
}

impl std::fmt::Debug for OptionRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OptionRow").field("name", &self.name).field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// The receiver of an option's value.
pub(super) enum Apply {
    Builder(Setter<ContextBuilder>),
    Stores(Setter<Stores>),
}

/// A typed setter: how the text is read, and the method that takes the value.
pub(super) enum Setter<T: 'static> {
    Switch(fn(&mut T, bool) -> &mut T),
    Number(fn(&mut T, u32) -> &mut T),
    /// A number of bytes or entries in memory.
    Size(fn(&mut T, usize) -> &mut T),
    /// A number that 32 bits may not hold.
    Count(fn(&mut T, u64) -> &mut T),
    /// A number that the setter itself may refuse.
    Limited(fn(&mut T, u32) -> Result<&mut T>),
    Text(for<'a> fn(&'a mut T, &str) -> &'a mut T),
    /// A text that the setter itself may refuse.
    CheckedText(for<'a> fn(&'a mut T, &str) -> Result<&'a mut T>),
    Path(fn(&mut T, PathBuf) -> &mut T),
    Password(fn(&mut T, Password) -> &mut T),
    /// One of several words, which the function reads itself.
    Choice(for<'a> fn(&'a mut T, &str) -> Result<&'a mut T>),
    /// A list of names, which the function reads itself.
    Names(for<'a> fn(&'a mut T, &str) -> Result<&'a mut T>),
}

impl<T> Setter<T> {
    pub(super) const fn kind(&self) -> OptionKind {
        match self {
            Self::Switch(_) => OptionKind::Switch,
            Self::Number(_) | Self::Size(_) | Self::Count(_) | Self::Limited(_) => OptionKind::Number,
            Self::Text(_) | Self::CheckedText(_) => OptionKind::Text,
            Self::Path(_) => OptionKind::Path,
            Self::Password(_) => OptionKind::Password,
            Self::Choice(_) => OptionKind::Choice,
            Self::Names(_) => OptionKind::Names,
        }
    }

    /// Reads the text and sets the value.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for a text of another kind; those of the setter, and of [`value::password`].
    pub(super) fn set(&self, target: &mut T, text: &str) -> Result<()> {
        match self {
            Self::Switch(set) => _ = set(target, value::switch(text)?),
            Self::Number(set) => _ = set(target, value::number(text)?),
            Self::Size(set) => _ = set(target, value::number(text)?),
            Self::Count(set) => _ = set(target, value::number(text)?),
            Self::Limited(set) => _ = set(target, value::number(text)?)?,
            Self::Text(set) => _ = set(target, text),
            Self::Path(set) => _ = set(target, value::path(text)?),
            Self::Password(set) => _ = set(target, value::password(text)?),
            Self::Choice(set) | Self::Names(set) | Self::CheckedText(set) => _ = set(target, text)?,
        }
        Ok(())
    }
}
