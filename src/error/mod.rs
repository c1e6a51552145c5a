//! Errors as values: a code of the table, the details of the case, and a hint.
//!
//! Details name files, aliases and certificates, and never hold a secret. This room depends on no other.

mod codes;

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

pub use codes::{Category, Code};

/// An error of this library.
///
/// It is cheap to clone, and is displayed as `BTLS_CERT_EXPIRED (302): the peer certificate has expired: <detail>`.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

struct Inner {
    code: Code,
    detail: String,
    hint: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The result of a function of this library that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Makes an error of `code`. `detail` names the file, alias or certificate, and may be empty.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self(Arc::new(Inner { code, detail: detail.into(), hint: None, source: None }))
    }

    /// Replaces the hint of the table with one for this case.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        let mut inner = self.into_inner();
        inner.hint = Some(hint.into());
        Self(Arc::new(inner))
    }

    /// Adds the error that caused this one.
    #[must_use]
    pub fn with_source(self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        let mut inner = self.into_inner();
        inner.source = Some(source.into());
        Self(Arc::new(inner))
    }

    /// Puts `place` (a file or an alias) before the detail.
    #[must_use]
    pub fn at(self, place: impl fmt::Display) -> Self {
        let mut inner = self.into_inner();
        inner.detail = match inner.detail.is_empty() {
            true => place.to_string(),
            false => format!("{place}: {}", inner.detail),
        };
        Self(Arc::new(inner))
    }

    /// The code: a row of the table.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The details of the case; may be empty.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The hint: a sentence that says what to do. May be empty.
    pub fn hint(&self) -> &str {
        self.0.hint.as_deref().unwrap_or_else(|| self.0.code.hint())
    }

    /// Returns true if [`Error::with_hint`] replaced the hint of the table.
    pub(crate) fn has_own_hint(&self) -> bool {
        self.0.hint.is_some()
    }

    /// The message without the name and number of the code: the clause of the table, then the detail.
    pub fn message(&self) -> String {
        match self.detail() {
            "" => self.code().message().to_owned(),
            detail => format!("{}: {detail}", self.code().message()),
        }
    }

    /// Takes the content of an error with one holder. A shared error is copied, with its source as text.
    fn into_inner(self) -> Inner {
        Arc::try_unwrap(self.0).unwrap_or_else(|shared| Inner {
            code: shared.code,
            detail: shared.detail.clone(),
            hint: shared.hint.clone(),
            source: shared.source.as_ref().map(|source| source.to_string().into()),
        })
    }
}

impl From<Code> for Error {
    fn from(code: Code) -> Self {
        Self::new(code, "")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BTLS_{} ({}): {}", self.code().name(), self.code().number(), self.message())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        if let Some(source) = self.source() {
            write!(f, " (from: {source})")?;
        }
        Ok(())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_sits_in_the_range_of_its_category() {
        for code in Code::ALL {
            let range = match code.category() {
                Category::Progress => 0..100,
                Category::Usage => 100..200,
                Category::Keystore => 200..300,
                Category::Certificate => 300..400,
                Category::Revocation => 400..500,
                Category::Protocol => 500..600,
                Category::Io => 700..800,
                Category::Internal => 900..1000,
                Category::Alert => 1000..1256,
            };
            assert!(range.contains(&code.number()), "{code:?}");
        }
    }

    #[test]
    fn numbers_and_names_are_unique_and_ascending() {
        for pair in Code::ALL.windows(2) {
            assert!(pair[0].number() < pair[1].number(), "{:?} before {:?}", pair[0], pair[1]);
        }
        let mut names: Vec<_> = Code::ALL.iter().map(|code| code.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Code::ALL.len());
    }

    #[test]
    fn refused_certificates_always_tell_the_peer() {
        for code in Code::ALL.iter().filter(|code| code.category() == Category::Certificate) {
            assert!(code.alert().is_some(), "{code:?}");
        }
    }

    #[test]
    fn received_alert_maps_to_its_row_and_unknown_ones_to_other() {
        assert_eq!(Code::from_received_alert(48), Code::AlertUnknownCa);
        assert_eq!(Code::from_received_alert(200), Code::AlertOther);
    }

    #[test]
    fn display_has_name_number_message_place_and_detail() {
        let error = Error::new(Code::StorePasswordWrong, "alias broker").at("broker.ks");
        assert_eq!(
            error.to_string(),
            "BTLS_STORE_PASSWORD_WRONG (203): the store password is wrong, or the store was altered: broker.ks: \
             alias broker"
        );
        assert_eq!(error.hint(), "Check the store password.");
    }
}
