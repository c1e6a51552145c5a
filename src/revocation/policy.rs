//! What follows from what is known: which certificates are asked about, and whether not knowing refuses.

use std::sync::atomic::{AtomicU64, Ordering};

use rustls::pki_types::{CertificateDer, UnixTime};
use x509_parser::time::ASN1Time;

use super::Reason;
use super::crls::{Crls, Standing};
use crate::certificate::describe;
use crate::error::{Code, Error, Result};

/// What not knowing leads to. A certificate that is known to be revoked is refused in any case but `Off`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Nothing is asked.
    Off,
    /// What is not known is accepted, and counted.
    Prefer,
    /// What is not known is refused.
    #[default]
    Require,
}

impl Mode {
    const ALL: [Self; 3] = [Self::Off, Self::Prefer, Self::Require];

    /// The name in options.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Prefer => "prefer",
            Self::Require => "require",
        }
    }

    /// The mode of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }
}

/// Which certificates of a path are asked about. The anchor is not: what is trusted is taken out of the trust store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Depth {
    /// The end entity.
    Leaf,
    /// The end entity and the issuers between it and the anchor.
    #[default]
    Chain,
}

impl Depth {
    const ALL: [Self; 2] = [Self::Leaf, Self::Chain];

    /// The name in options.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Leaf => "leaf",
            Self::Chain => "chain",
        }
    }

    /// The depth of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|depth| depth.name() == name)
    }
}

/// How the peers of a context are checked for revocation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RevocationPolicy {
    /// What not knowing leads to.
    pub mode: Mode,
    /// Which certificates are asked about.
    pub depth: Depth,
    /// For how many seconds after its next update a list still serves.
    pub max_stale_s: u32,
}

/// Checks verified paths against the lists of a context.
#[derive(Debug)]
pub struct Revocation {
    policy: RevocationPolicy,
    crls: Crls,
    unknown_accepted: AtomicU64,
}

impl Revocation {
    /// A check by these lists.
    pub fn new(policy: RevocationPolicy, crls: Crls) -> Self {
        Self { policy, crls, unknown_accepted: AtomicU64::new(0) }
    }

    /// Whether anything is asked.
    pub(crate) fn is_on(&self) -> bool {
        self.policy.mode != Mode::Off
    }

    /// How many certificates were accepted though nothing was known of them.
    pub fn unknown_accepted(&self) -> u64 {
        self.unknown_accepted.load(Ordering::Relaxed)
    }

    /// Checks a path that has been verified, end entity to anchor. An end entity that is trusted directly is its own
    /// anchor.
    ///
    /// # Errors
    /// `CERT_REVOKED` with reason and date; where the policy requires to know, `REVOCATION_UNKNOWN` and
    /// `REVOCATION_STALE`.
    pub fn check(&self, path: &[CertificateDer<'_>], now: UnixTime) -> Result<()> {
        if self.policy.mode == Mode::Off {
            return Ok(());
        }
        let now_unix_s = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let asked = match self.policy.depth {
            Depth::Leaf => 1,
            Depth::Chain => path.len(),
        };
        for (certificate, issuer) in path.iter().zip(path.iter().skip(1)).take(asked) {
            let standing = self.crls.standing(certificate, issuer, now_unix_s, self.policy.max_stale_s.into());
            self.judge(certificate, standing)?;
        }
        Ok(())
    }

    /// Checks a path again that was accepted before, by what is known: it never waits. It counts as a check.
    ///
    /// # Errors
    /// As for [`Revocation::check`].
    pub(crate) fn recheck(&self, path: &[CertificateDer<'_>], now: UnixTime) -> Result<()> {
        self.check(path, now)
    }

    fn judge(&self, certificate: &CertificateDer<'_>, standing: Standing) -> Result<()> {
        let error = match standing {
            Standing::Good => return Ok(()),
            Standing::Revoked { reason, revoked_unix_s, place } => {
                return Err(revoked(certificate, reason, revoked_unix_s, &place));
            }
            Standing::Unknown(why) => Error::new(Code::RevocationUnknown, format!("{}: {why}", describe(certificate))),
            Standing::Stale(place) => {
                Error::new(Code::RevocationStale, format!("{}: {place} is out of date", describe(certificate)))
            }
        };
        match self.policy.mode {
            Mode::Require => Err(error),
            Mode::Off | Mode::Prefer => {
                self.unknown_accepted.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
        }
    }
}

fn revoked(certificate: &CertificateDer<'_>, reason: Reason, revoked_unix_s: u32, place: &str) -> Error {
    let date = ASN1Time::from_timestamp(revoked_unix_s.into()).map(|date| date.to_string()).unwrap_or_default();
    let detail = format!("{}: revoked {date}, reason {}, says {place}", describe(certificate), reason.name());
    Error::new(Code::CertRevoked, detail)
}
