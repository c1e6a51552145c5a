//! Every tolerated deviation from what webpki accepts, one switch each, off unless asked for.
//!
//! A deviating end entity is recast: written again in the shape that webpki wants, from the very bytes that were signed,
//! and only in the point that the switch names. webpki then judges the recast certificate by all its rules (dates,
//! path, name constraints, purposes, names); where it comes to check the signature over the recast certificate, the
//! signature is checked over the original one. Nothing else in this library tolerates anything.

use std::net::IpAddr;

use rustls::pki_types::{
    AlgorithmIdentifier, CertificateDer, DnsName, InvalidSignature, ServerName, SignatureVerificationAlgorithm,
};
use webpki::EndEntityCert;
use x509_parser::prelude::{FromDer, GeneralName, ParsedExtension, X509Certificate};

use super::direct;
use super::refusal::Peer;
use crate::der::{Element, Malformed, OCTET_STRING, SEQUENCE, element, only};
use crate::signature::{Algorithm, Allowed, algorithms};

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
}

impl Switch {
    /// Every switch.
    pub const ALL: &'static [Self] = &[Self::X509V1, Self::CaAsEndEntity, Self::CommonName, Self::SmallRsa];

    /// The switch's name in configuration and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::X509V1 => "insecure-x509-v1",
            Self::CaAsEndEntity => "insecure-ca-as-end-entity",
            Self::CommonName => "insecure-common-name",
            Self::SmallRsa => "insecure-rsa-1024",
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

/// A peer's end entity in the shape in which webpki is to judge it.
#[derive(Debug)]
pub(super) struct Leaf<'a> {
    der: CertificateDer<'a>,
    /// The to-be-signed part as webpki sees it, and as it was signed, where the two differ.
    recast: Option<(Vec<u8>, &'a [u8])>,
    deviations: Vec<Switch>,
}

impl<'a> Leaf<'a> {
    /// The end entity, recast where it deviates in a way that is tolerated here.
    ///
    /// Only what webpki itself refuses for the very reason that a switch names is recast. For a certificate that is
    /// trusted directly, version and CA flag mean nothing (direct.rs), so they need no switch.
    pub(super) fn new(peer: &Peer<'a>, direct: bool, name: Option<&ServerName<'_>>) -> Result<Self, webpki::Error> {
        let Peer { purpose, now, switches, .. } = *peer;
        let original = peer.chain.first().ok_or(webpki::Error::BadDer)?;
        let mut change = Change::default();
        let mut deviations = Vec::new();
        let refusal = EndEntityCert::try_from(original)
            .and_then(|end_entity| direct::verify(&end_entity, purpose, now, original).map(|_| ()));
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
            change.add_name = common_name_as_general_name(original);
            if change.add_name.is_some() {
                deviations.push(Switch::CommonName);
            }
        }
        Self::recast(original, &change, deviations)
    }

    fn recast(
        original: &'a CertificateDer<'a>,
        change: &Change,
        deviations: Vec<Switch>,
    ) -> Result<Self, webpki::Error> {
        if *change == Change::default() {
            return Ok(Self { der: CertificateDer::from(original.as_ref()), recast: None, deviations });
        }
        let parts = only(SEQUENCE, original)?.parts()?;
        let (signed, rest) = parts.split_first().ok_or(webpki::Error::BadDer)?;
        let shown = change.apply(signed)?;
        let der = element(SEQUENCE, &[&[shown.as_slice()], rest].concat());
        Ok(Self { der: CertificateDer::from(der), recast: Some((shown, *signed)), deviations })
    }

    /// What webpki makes of it.
    pub(super) fn parse(&self) -> Result<EndEntityCert<'_>, webpki::Error> {
        EndEntityCert::try_from(&self.der)
    }

    /// The switches that it needed so far.
    pub(super) fn deviations(&self) -> &[Switch] {
        &self.deviations
    }

    /// The algorithms with which the signatures of its path are checked.
    pub(super) fn algorithms(&self, switches: Switches) -> Vec<TolerantAlgorithm<'_>> {
        let recast = self.recast.as_ref().map(|(shown, signed)| (shown.as_slice(), *signed));
        let allowed = switches.allowed();
        algorithms().iter().map(|row| TolerantAlgorithm { row, recast, allowed }).collect()
    }
}

impl From<Malformed> for webpki::Error {
    fn from(_: Malformed) -> Self {
        Self::BadDer
    }
}

/// How a certificate is recast.
#[derive(Debug, Default, PartialEq, Eq)]
struct Change {
    add_version: bool,
    drop_basic_constraints: bool,
    /// A DER `GeneralName` to add to the subject alternative names.
    add_name: Option<Vec<u8>>,
}

const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const DNS_NAME: u8 = 0x82;
const IP_ADDRESS: u8 = 0x87;
/// `version [0] EXPLICIT INTEGER`, version 3 (RFC 5280 section 4.1).
const VERSION_3: &[u8] = &[0xa0, 0x03, 0x02, 0x01, 0x02];
/// id-ce-basicConstraints, 2.5.29.19.
const BASIC_CONSTRAINTS: &[u8] = &[0x06, 0x03, 0x55, 0x1d, 0x13];
/// id-ce-subjectAltName, 2.5.29.17.
const SUBJECT_ALTERNATIVE_NAME: &[u8] = &[0x06, 0x03, 0x55, 0x1d, 0x11];

impl Change {
    /// The to-be-signed part with this change; all that the change does not name is copied.
    fn apply(&self, signed: &[u8]) -> Result<Vec<u8>, webpki::Error> {
        let mut fields = only(SEQUENCE, signed)?.parts()?;
        let mut extensions = match fields.pop_if(|field| field.first() == Some(&EXTENSIONS)) {
            Some(field) => only(SEQUENCE, only(EXTENSIONS, field)?.content)?.parts()?,
            None => Vec::new(),
        };
        if self.add_version {
            fields.insert(0, VERSION_3);
        }
        if self.drop_basic_constraints {
            extensions.retain(|extension| !is_extension(extension, BASIC_CONSTRAINTS));
        }
        let named = match &self.add_name {
            Some(name) => {
                let old = extensions.iter().position(|extension| is_extension(extension, SUBJECT_ALTERNATIVE_NAME));
                Some(with_name(old.map(|position| extensions.remove(position)), name)?)
            }
            None => None,
        };
        extensions.extend(named.as_deref());
        let extensions = element(EXTENSIONS, &[&element(SEQUENCE, &extensions)]);
        fields.push(&extensions);
        Ok(element(SEQUENCE, &fields))
    }
}

/// A subject alternative name extension with the old one's names and one more.
fn with_name(old: Option<&[u8]>, name: &[u8]) -> Result<Vec<u8>, webpki::Error> {
    let old_names = match old {
        Some(extension) => {
            let value = only(SEQUENCE, extension)?.parts()?.pop().ok_or(webpki::Error::BadDer)?;
            only(SEQUENCE, only(OCTET_STRING, value)?.content)?.content
        }
        None => &[],
    };
    let value = element(OCTET_STRING, &[&element(SEQUENCE, &[old_names, name])]);
    Ok(element(SEQUENCE, &[SUBJECT_ALTERNATIVE_NAME, &value]))
}

fn is_extension(extension: &[u8], oid: &[u8]) -> bool {
    only(SEQUENCE, extension).is_ok_and(|extension| extension.content.starts_with(oid))
}

/// Version 1 as DER writes it: no version and no extensions. Anything else that is not version 3 is malformed.
fn is_version_1(certificate: &CertificateDer<'_>) -> bool {
    let parts = |der| only(SEQUENCE, der).and_then(Element::parts).unwrap_or_default();
    let fields = parts(certificate).first().map(|signed| parts(signed));
    let tags = fields
        .map(|fields| [fields.first(), fields.last()].map(|field| field.and_then(|field| field.first()).copied()));
    tags.is_some_and(|[first, last]| first != Some(VERSION) && last != Some(EXTENSIONS))
}

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

/// A row of the table of algorithms that knows of recast certificates, as webpki asks it.
#[derive(Debug)]
pub(super) struct TolerantAlgorithm<'a> {
    row: &'static Algorithm,
    recast: Option<(&'a [u8], &'a [u8])>,
    allowed: Allowed,
}

impl SignatureVerificationAlgorithm for TolerantAlgorithm<'_> {
    fn verify_signature(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let message = match self.recast {
            Some((shown, signed)) if message == shown => signed,
            _ => message,
        };
        self.row.check(key, message, signature, self.allowed).map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.row.key_id()
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.row.signature_id()
    }
}
