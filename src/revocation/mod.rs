//! Revocation: lists (RFC 5280 section 5), each verified once and kept as an index, and OCSP responses (RFC 6960). Both
//! are fetched if the local ones are not enough.
//!
//! verify/ asks this room about the paths that it has verified. It opens no sockets itself: fetch/ does.

mod authorities;
mod check;
mod content;
mod crl;
mod facts;
mod file;
mod link;
pub mod ocsp;
mod point;
mod policy;
mod remote;
mod signed;
mod standing;
mod staple;
mod upkeep;

pub use check::Revocation;
pub(crate) use content::{is_named_as_list, may_hold_list};
pub use crl::lists::Crls;
pub use crl::{Crl, CrlFacts};
pub use facts::{SourceFacts, SourceKind};
pub use file::RevocationFile;
pub(crate) use link::{Link, links};
pub use ocsp::{CertIdHash, OcspFacts, OcspResponse, OcspStanding, OcspStatus, ocsp_responses_of};
pub use policy::{Depth, Mode, RevocationPolicy};
pub(crate) use remote::{OcspSettings, Remote, RemoteSettings};
pub(crate) use standing::Revoked;
pub(crate) use staple::upkeep::{StapleSettings, Staples};
pub(crate) use staple::{Staple, Stapled};
pub(crate) use upkeep::{Line, now_unix_s};

/// The reason of a revocation (RFC 5280 section 5.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Reason {
    /// None was given, or one that has no name.
    Unspecified = 0,
    /// The subject's key is known to another party.
    KeyCompromise = 1,
    /// The issuer's key is known to another party.
    CaCompromise = 2,
    /// The subject is another now, or has another name.
    AffiliationChanged = 3,
    /// There is a newer certificate.
    Superseded = 4,
    /// The certificate is not needed any more.
    CessationOfOperation = 5,
    /// It is suspended, and may become good again.
    CertificateHold = 6,
    /// The rights in the certificate are withdrawn.
    PrivilegeWithdrawn = 9,
    /// As `CaCompromise`, for attribute authorities.
    AaCompromise = 10,
}

impl Reason {
    const ALL: [Self; 9] = [
        Self::Unspecified,
        Self::KeyCompromise,
        Self::CaCompromise,
        Self::AffiliationChanged,
        Self::Superseded,
        Self::CessationOfOperation,
        Self::CertificateHold,
        Self::PrivilegeWithdrawn,
        Self::AaCompromise,
    ];

    /// The number of the enumeration; none for 7, which is not used, and 8, which is not for complete lists.
    pub(crate) fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| *reason as u8 == number)
    }

    /// The number of the enumeration.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The name of the RFC.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::KeyCompromise => "keyCompromise",
            Self::CaCompromise => "cACompromise",
            Self::AffiliationChanged => "affiliationChanged",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessationOfOperation",
            Self::CertificateHold => "certificateHold",
            Self::PrivilegeWithdrawn => "privilegeWithdrawn",
            Self::AaCompromise => "aACompromise",
        }
    }
}
