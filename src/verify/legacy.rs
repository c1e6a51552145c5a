//! Every tolerated deviation from what webpki accepts, one switch each, off unless asked for.
//!
//! A deviating end entity is recast (recast.rs), and only in the point that the switch names. webpki then judges the
//! recast certificate by all its rules (dates, path, name constraints, purposes, names). Nothing else in this library
//! tolerates anything.

use std::net::IpAddr;

use rustls::pki_types::{CertificateDer, DnsName, ServerName};
use x509_parser::prelude::{FromDer, GeneralName, ParsedExtension, X509Certificate};

use super::direct;
use super::recast::{Change, Shown, is_version_1};
use super::refusal::Peer;
use crate::der::element;
use crate::signature::Allowed;

/// A deviation that can be tolerated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Switch {
    /// An end entity of X.509 version 1, issued by a trusted CA.
    X509V1,
    /// An end entity whose basic constraints say CA:TRUE, issued by a trusted CA.
    CaAsEndEntity,
    /// A common name in place of the subject alternative names that a certificate does not have.
    CommonName,
    /// RSA keys of 1024 to 2047 bits, of the peer and of its issuers.
    SmallRsa,
    /// An end entity with a key usage without digitalSignature.
    KeyUsage,
}

impl Switch {
    /// Every switch.
    pub const ALL: &'static [Self] =
        &[Self::X509V1, Self::CaAsEndEntity, Self::CommonName, Self::SmallRsa, Self::KeyUsage];

    /// The switch's name in configuration and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::X509V1 => "insecure-x509-v1",
            Self::CaAsEndEntity => "insecure-ca-as-end-entity",
            Self::CommonName => "insecure-common-name",
            Self::SmallRsa => "insecure-rsa-1024",
            Self::KeyUsage => "insecure-key-usage",
        }
    }

    /// The switch of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|switch| switch.name() == name)
    }

    /// What it accepts, in one clause.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::X509V1 => {
                "a peer certificate of X.509 version 1 (openssl x509 -req without extensions) under a trusted CA"
            }
            Self::CaAsEndEntity => "a CA certificate (CA:TRUE) as the peer's own, under a trusted CA",
            Self::CommonName => {
                "the common name as host name where a certificate has no DNS or IP subject alternative name"
            }
            Self::SmallRsa => "RSA keys of 1024 to 2047 bits, of the peer and of its issuers",
            Self::KeyUsage => "a peer certificate with a key usage without digitalSignature",
        }
    }

    const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// A set of switches; none by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Switches(u32);

impl Switches {
    /// Whether the switch is on.
    pub const fn contains(self, switch: Switch) -> bool {
        self.0 & switch.bit() != 0
    }

    /// Turns the switch on.
    pub const fn insert(&mut self, switch: Switch) {
        self.0 |= switch.bit();
    }

    /// Turns the switch off.
    pub const fn remove(&mut self, switch: Switch) {
        self.0 &= !switch.bit();
    }

    /// The deviations of signatures among them.
    pub(crate) const fn allowed(self) -> Allowed {
        Allowed { small_rsa: self.contains(Switch::SmallRsa), sha1: false }
    }

    /// The switches that are on.
    pub fn iter(self) -> impl Iterator<Item = Switch> {
        Switch::ALL.iter().copied().filter(move |switch| self.contains(*switch))
    }
}

impl FromIterator<Switch> for Switches {
    fn from_iter<I: IntoIterator<Item = Switch>>(switches: I) -> Self {
        switches.into_iter().fold(Self::default(), |mut set, switch| {
            set.insert(switch);
            set
        })
    }
}

/// A peer's end entity in the shape in which webpki is to judge it, and the switches that it needed so far.
#[derive(Debug)]
pub(super) struct Leaf<'a> {
    pub(super) shown: Shown<'a>,
    pub(super) change: Change,
    pub(super) deviations: Vec<Switch>,
}

impl<'a> Leaf<'a> {
    /// The end entity, recast if it deviates in a way that is tolerated here, from the shape of `change`.
    ///
    /// Only what webpki itself refuses for the very reason that a switch names is recast. For a certificate that is
    /// trusted directly, version and CA flag mean nothing (direct.rs), so they need no switch.
    pub(super) fn new(
        peer: &Peer<'a>,
        mut change: Change,
        direct: bool,
        name: Option<&ServerName<'_>>,
    ) -> Result<Self, webpki::Error> {
        let Peer { purpose, now, switches, .. } = *peer;
        let original = peer.chain.first().ok_or(webpki::Error::BadDer)?;
        let mut deviations = Vec::new();
        let refusal = Shown::new(original, &change).and_then(|shown| {
            let parsed = shown.parse()?;
            direct::verify(&parsed, purpose, now, original).map(|_| ())
        });
        let tolerated = match refusal {
            Err(webpki::Error::UnsupportedCertVersion) if is_version_1(original) => Some(Switch::X509V1),
            Err(webpki::Error::CaUsedAsEndEntity) => Some(Switch::CaAsEndEntity),
            _ => None,
        };
        match tolerated {
            Some(switch) if direct || switches.contains(switch) => {
                change.add_version = switch == Switch::X509V1;
                change.drop_basic_constraints = switch == Switch::CaAsEndEntity;
                if !direct {
                    deviations.push(switch);
                }
            }
            _ => {}
        }
        if name.is_some() && switches.contains(Switch::CommonName) {
            change.add_names = common_name_as_general_name(original).into_iter().collect();
            if !change.add_names.is_empty() {
                deviations.push(Switch::CommonName);
            }
        }
        Ok(Self { shown: Shown::new(original, &change)?, change, deviations })
    }
}

pub(super) const DNS_NAME: u8 = 0x82;
const IP_ADDRESS: u8 = 0x87;

/// Whether there is a subject alternative name of DNS or IP kind, so that the common name does not count (RFC 6125
/// section 6.4.4).
fn has_host_name(certificate: &X509Certificate<'_>) -> bool {
    certificate.extensions().iter().any(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectAlternativeName(names) => names
            .general_names
            .iter()
            .any(|name| matches!(name, GeneralName::DNSName(_) | GeneralName::IPAddress(_) | GeneralName::Invalid(..))),
        ParsedExtension::ParseError { .. } => extension.oid.as_bytes() == [0x55, 0x1d, 0x11],
        _ => false,
    })
}

/// The most specific common name as a `GeneralName`, where it is a host name, a wildcard or an IP address, and the
/// certificate has no other.
fn common_name_as_general_name(certificate: &CertificateDer<'_>) -> Option<Vec<u8>> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    if has_host_name(&certificate) {
        return None;
    }
    let name = certificate.subject().iter_common_name().last()?.as_str().ok()?;
    if let Ok(address) = name.parse::<IpAddr>() {
        return Some(match address {
            IpAddr::V4(address) => element(IP_ADDRESS, &[&address.octets()]),
            IpAddr::V6(address) => element(IP_ADDRESS, &[&address.octets()]),
        });
    }
    let is_host = DnsName::try_from(name.strip_prefix("*.").unwrap_or(name)).is_ok();
    is_host.then(|| element(DNS_NAME, &[name.as_bytes()]))
}
