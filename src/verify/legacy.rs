//! Every tolerated deviation from what webpki accepts, each by its name and off by default.
//!
//! A deviating end entity is recast (recast.rs), and only in the point that the deviation names. webpki then judges the
//! recast certificate by all its rules (dates, path, name constraints, purposes, names). Nothing else in this library
//! tolerates anything.

use std::net::IpAddr;

use rustls::pki_types::{CertificateDer, DnsName, ServerName};
use x509_parser::prelude::{FromDer, GeneralName, ParsedExtension, X509Certificate};

use super::deviation::Deviation;
use super::direct;
use super::presented::Presented;
use super::recast::{Change, Shown, is_version_1};
use crate::der::element;

/// A peer's end entity in the shape in which webpki is to judge it, and the deviations that it needed so far.
#[derive(Debug)]
pub(super) struct Leaf<'a> {
    pub(super) shown: Shown<'a>,
    pub(super) change: Change,
    pub(super) deviations: Vec<Deviation>,
}

impl<'a> Leaf<'a> {
    /// The end entity, recast if it deviates in a way that is tolerated here, from the shape of `change`.
    ///
    /// Only what webpki itself refuses for the very reason that a deviation names is recast. For a certificate that is
    /// trusted directly, version and CA flag mean nothing (direct.rs), so they need no deviation.
    pub(super) fn new(
        peer: &Presented<'a>,
        mut change: Change,
        direct: bool,
        name: Option<&ServerName<'_>>,
    ) -> Result<Self, webpki::Error> {
        let Presented { purpose, now, tolerated: allowed, .. } = *peer;
        let original = peer.chain.first().ok_or(webpki::Error::BadDer)?;
        let mut deviations = Vec::new();
        let refusal = Shown::new(original, &change).and_then(|shown| {
            let parsed = shown.parse()?;
            direct::verify(&parsed, purpose, now, original).map(|_| ())
        });
        let tolerated = match refusal {
            Err(webpki::Error::UnsupportedCertVersion) if is_version_1(original) => Some(Deviation::X509V1),
            Err(webpki::Error::CaUsedAsEndEntity) => Some(Deviation::CaAsEndEntity),
            _ => None,
        };
        match tolerated {
            Some(deviation) if direct || allowed.contains(deviation) => {
                change.add_version = deviation == Deviation::X509V1;
                change.drop_basic_constraints = deviation == Deviation::CaAsEndEntity;
                if !direct {
                    deviations.push(deviation);
                }
            }
            _ => {}
        }
        if name.is_some() && allowed.contains(Deviation::CommonName) {
            change.add_names = common_name_as_general_name(original).into_iter().collect();
            if !change.add_names.is_empty() {
                deviations.push(Deviation::CommonName);
            }
        }
        Ok(Self { shown: Shown::new(original, &change)?, change, deviations })
    }
}

pub(super) const DNS_NAME: u8 = 0x82;
const IP_ADDRESS: u8 = 0x87;

/// Returns true if there is a subject alternative name of type DNS or IP. The common name is then ignored (RFC 6125
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

/// The most specific common name as a `GeneralName`, if it is a host name, a wildcard or an IP address, and the
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
