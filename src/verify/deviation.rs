//! The deviations that an operator can tolerate, each by its name and off by default.

use crate::signature::Allowed;

/// A deviation from the rules that can be tolerated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Deviation {
    /// An end entity of X.509 version 1, issued by a trusted CA.
    X509V1,
    /// An end entity with CA:TRUE in its basic constraints, issued by a trusted CA.
    CaAsEndEntity,
    /// A common name in place of the subject alternative names that a certificate does not have.
    CommonName,
    /// RSA keys of 1024 to 2047 bits, of the peer and of its issuers.
    SmallRsa,
    /// An end entity with a key usage without digitalSignature.
    KeyUsage,
}

impl Deviation {
    /// Every deviation.
    pub const ALL: &'static [Self] =
        &[Self::X509V1, Self::CaAsEndEntity, Self::CommonName, Self::SmallRsa, Self::KeyUsage];

    /// Returns the name in configuration and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::X509V1 => "insecure-x509-v1",
            Self::CaAsEndEntity => "insecure-ca-as-end-entity",
            Self::CommonName => "insecure-common-name",
            Self::SmallRsa => "insecure-rsa-1024",
            Self::KeyUsage => "insecure-key-usage",
        }
    }

    /// Returns the deviation of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|deviation| deviation.name() == name)
    }

    /// Returns what it accepts, in one clause.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::X509V1 => {
                "a peer certificate of X.509 version 1 (openssl x509 -req without extensions) under a trusted CA"
            }
            Self::CaAsEndEntity => "a CA certificate (CA:TRUE) as the peer's own, under a trusted CA",
            Self::CommonName => {
                "the common name as host name if a certificate has no DNS or IP subject alternative name"
            }
            Self::SmallRsa => "RSA keys of 1024 to 2047 bits, of the peer and of its issuers",
            Self::KeyUsage => "a peer certificate with a key usage without digitalSignature",
        }
    }

    const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// A set of deviations; empty by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Deviations(u32);

impl Deviations {
    /// Returns true if the deviation is in the set.
    pub const fn contains(self, deviation: Deviation) -> bool {
        self.0 & deviation.bit() != 0
    }

    /// Adds the deviation.
    pub const fn insert(&mut self, deviation: Deviation) {
        self.0 |= deviation.bit();
    }

    /// Removes the deviation.
    pub const fn remove(&mut self, deviation: Deviation) {
        self.0 &= !deviation.bit();
    }

    /// Returns the deviations of signatures in the set.
    pub(crate) const fn allowed(self) -> Allowed {
        Allowed { small_rsa: self.contains(Deviation::SmallRsa), sha1: false }
    }

    /// Returns the deviations in the set.
    pub fn iter(self) -> impl Iterator<Item = Deviation> {
        Deviation::ALL.iter().copied().filter(move |deviation| self.contains(*deviation))
    }
}

impl FromIterator<Deviation> for Deviations {
    fn from_iter<I: IntoIterator<Item = Deviation>>(deviations: I) -> Self {
        deviations.into_iter().fold(Self::default(), |mut set, deviation| {
            set.insert(deviation);
            set
        })
    }
}
