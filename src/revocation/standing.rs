//! The status of one certificate in one source.

use super::Reason;
use crate::certificate::date_text;
use crate::error::{Code, Error};

/// The status of a certificate in a source.
#[derive(Clone, Debug)]
pub(crate) enum Standing {
    /// It is not revoked.
    Good,
    /// It is revoked. Knowledge that is out of date revokes too.
    Revoked(Revoked),
    /// The source does not know, and why: `REVOCATION_UNKNOWN`, `REVOCATION_STALE`, or what asking led to.
    Unknown(Error),
}

/// That a certificate is known to be revoked.
#[derive(Clone, Debug)]
pub(crate) struct Revoked {
    pub(crate) reason: Reason,
    pub(crate) revoked_unix_s: u32,
    /// The source.
    pub(crate) place: String,
}

impl Revoked {
    /// The refusal; of which certificate, the caller says.
    pub(crate) fn error(&self) -> Error {
        let (date, reason) = (date_text(self.revoked_unix_s.into()), self.reason.name());
        Error::new(Code::CertRevoked, format!("revoked {date}, reason {reason}, says {}", self.place))
    }
}

impl Standing {
    /// Nothing is known.
    pub(crate) fn unknown(why: impl Into<String>) -> Self {
        Self::Unknown(Error::new(Code::RevocationUnknown, why))
    }

    /// The status is out of date.
    pub(crate) fn stale(place: &str) -> Self {
        Self::Unknown(Error::new(Code::RevocationStale, format!("{place} is out of date")))
    }

    pub(crate) fn is_known(&self) -> bool {
        !matches!(self, Self::Unknown(_))
    }

    /// The one of two that decides: revoked before good before unknown; of two unknown the one that says more than
    /// that nothing is there; `self` if they are alike.
    pub(crate) fn or(self, other: Self) -> Self {
        match (&self, &other) {
            (Self::Revoked(_), _) => self,
            (_, Self::Revoked(_)) | (Self::Unknown(_), Self::Good) => other,
            (Self::Unknown(mine), Self::Unknown(theirs))
                if mine.code() == Code::RevocationUnknown && theirs.code() != Code::RevocationUnknown =>
            {
                other
            }
            _ => self,
        }
    }

    /// Adds the result of a fetch that did not help.
    pub(crate) fn after(self, failure: Option<Error>) -> Self {
        match (self, failure) {
            (Self::Unknown(why), Some(failure)) if why.code() == Code::RevocationStale => {
                let detail = format!("{}, and asking anew failed: {}", why.detail(), failure.detail());
                Self::Unknown(Error::new(Code::RevocationStale, detail))
            }
            (Self::Unknown(_), Some(failure)) => Self::Unknown(failure),
            (standing, _) => standing,
        }
    }
}
