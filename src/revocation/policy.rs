//! The rules: the certificates that are checked, and the answer to an unknown status.

use std::time::Duration;

use super::standing::{Revoked, Standing};
use crate::error::{Code, Error};
use crate::signature::Allowed;

/// The answer to an unknown status. A revoked certificate is refused in every mode but `Off`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// Nothing is asked.
    Off,
    /// An unknown status is accepted and counted.
    Prefer,
    /// An unknown status is refused.
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

/// The certificates of a path that are asked about. The anchor is not: what is trusted is taken out of the trust store.
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

/// The rules of the revocation check of a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RevocationPolicy {
    /// The answer if no source has the status.
    pub mode: Mode,
    /// The answer if no list has the status, also if OCSP has it.
    pub crl: Mode,
    /// The answer if OCSP does not have the status, also if a list has it.
    pub ocsp: Mode,
    /// The certificates that are asked about.
    pub depth: Depth,
    /// The number of seconds after its next update for which a list or response still serves.
    pub max_stale_s: u32,
    /// True to trust OCSP responses that are signed with SHA-1.
    pub insecure_ocsp_sha1: bool,
    /// True if lists and responses may be signed with RSA keys of 1024 to 2047 bits.
    pub insecure_rsa_1024: bool,
    /// The time that the check of a whole path may wait for the network.
    pub deadline: Duration,
}

impl Default for RevocationPolicy {
    fn default() -> Self {
        Self {
            mode: Mode::Require,
            crl: Mode::Prefer,
            ocsp: Mode::Prefer,
            depth: Depth::default(),
            max_stale_s: 0,
            insecure_ocsp_sha1: false,
            insecure_rsa_1024: false,
            deadline: Duration::from_secs(10),
        }
    }
}

/// The outcome for one certificate from its sources.
#[derive(Clone, Debug)]
pub(super) enum Decision {
    Accept,
    /// The status is unknown, and that is accepted.
    AcceptUnknown,
    /// It is revoked, whatever else may be known.
    Revoked(Revoked),
    /// A required status is unknown.
    Unknown(Error),
}

impl RevocationPolicy {
    /// The deviations that are allowed of signatures; SHA-1 of responses alone.
    pub(crate) fn allowed(&self) -> Allowed {
        Allowed { small_rsa: self.insecure_rsa_1024, sha1: self.insecure_ocsp_sha1 }
    }

    /// The one place where sources are weighed; a source that is off is not looked at.
    pub(super) fn decide(&self, crl: &Standing, ocsp: &Standing) -> Decision {
        let asked = [(self.ocsp, ocsp), (self.crl, crl)];
        let asked = || asked.iter().filter(|(mode, _)| *mode != Mode::Off);
        for (_, standing) in asked() {
            if let Standing::Revoked(revoked) = standing {
                return Decision::Revoked(revoked.clone());
            }
        }
        for (mode, standing) in asked() {
            if let (Mode::Require, Standing::Unknown(why)) = (mode, standing) {
                return Decision::Unknown(why.clone());
            }
        }
        if asked().any(|(_, standing)| matches!(standing, Standing::Good)) {
            return Decision::Accept;
        }
        match self.mode {
            Mode::Require => Decision::Unknown(self.why(crl, ocsp)),
            Mode::Off | Mode::Prefer => Decision::AcceptUnknown,
        }
    }

    /// The most informative reason of an unknown status: a false answer, then an old one, then none.
    fn why(&self, crl: &Standing, ocsp: &Standing) -> Error {
        let weight = |error: &Error| match error.code() {
            Code::RevocationResponseInvalid => 0,
            Code::RevocationStale => 1,
            Code::RevocationUnreachable => 2,
            Code::FetchRefused => 3,
            _ => 4,
        };
        let asked = [(self.crl, crl), (self.ocsp, ocsp)];
        let mut reasons: Vec<&Error> = asked
            .iter()
            .filter_map(|(mode, standing)| match standing {
                Standing::Unknown(why) if *mode != Mode::Off => Some(why),
                _ => None,
            })
            .collect();
        reasons.sort_by_key(|error| weight(error));
        let Some(first) = reasons.first() else { return Error::new(Code::RevocationUnknown, "no source is asked") };
        let details: Vec<&str> = reasons.iter().map(|error| error.detail()).collect();
        Error::new(first.code(), details.join("; "))
    }
}
