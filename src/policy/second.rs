//! The policy of the second engine: older versions, and suites without one of rustls' parts.

use super::cipher_string;
use super::not_served::NotServed;
use super::suite_table::SUITES;
use super::suites::{Auth, Enc, Kx, Mac, Since, Suite};
use super::{Policy, PolicySpec, Preset, version};
use crate::error::{Code, Error, Result};

/// Weak parts that an operator allows by name, for peers that have nothing better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LegacyAllowed {
    /// RSA key exchange, which has no forward secrecy: `legacy-rsa-key-exchange`.
    pub rsa_key_exchange: bool,
    /// Signatures over SHA-1 in TLS 1.2: `legacy-sha1-signatures`.
    pub sha1_signatures: bool,
    /// Triple-DES: `legacy-3des`.
    pub triple_des: bool,
}

impl LegacyAllowed {
    /// The names of all switches.
    pub(crate) const NAMES: [&'static str; 3] = ["legacy-rsa-key-exchange", "legacy-sha1-signatures", "legacy-3des"];

    /// Allows a part by the name of its switch. Returns false for an unknown name.
    pub(crate) fn allow(&mut self, name: &str) -> bool {
        let [rsa, sha1, triple_des] = Self::NAMES;
        match name {
            name if name == rsa => self.rsa_key_exchange = true,
            name if name == sha1 => self.sha1_signatures = true,
            name if name == triple_des => self.triple_des = true,
            _ => return false,
        }
        true
    }

    /// The names of the switches that are on.
    pub(crate) fn names(self) -> impl Iterator<Item = &'static str> {
        let are_on = [self.rsa_key_exchange, self.sha1_signatures, self.triple_des];
        Self::NAMES.into_iter().zip(are_on).filter(|(_, is_on)| *is_on).map(|(name, _)| name)
    }
}

/// The key that a suite asks of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyKind {
    Rsa,
    Ecdsa,
}

/// The versions and suites of the second engine.
#[derive(Clone, Debug)]
pub(crate) struct SecondPolicy {
    /// As on the wire, the newest first.
    versions: Vec<u16>,
    suites: Vec<&'static Suite>,
    groups: Vec<&'static str>,
    sha1_signatures: bool,
    /// True if a list of the operator says the order of the suites.
    is_ordered: bool,
}

impl SecondPolicy {
    /// Parses the settings. The result may serve nothing.
    ///
    /// # Errors
    /// As for [`Policy::from_spec`], for unknown names.
    pub(crate) fn from_spec(spec: &PolicySpec, allowed: LegacyAllowed, has_psk: bool) -> Result<Self> {
        let versions = match (&spec.versions, spec.preset) {
            (_, Preset::Modern) => vec![0x0304],
            (None, Preset::Intermediate) => vec![0x0304, 0x0303],
            (Some(list), Preset::Intermediate) => version::on_the_wire(list)?,
        };
        let groups = match &spec.groups {
            Some(list) => super::groups::parse(list)?.groups,
            None => super::groups::default_groups(),
        };
        let groups = groups.into_iter().map(super::groups::name).filter(|name| !name.contains("MLKEM")).collect();
        let selected = match &spec.cipher_suites {
            Some(text) => cipher_string::select(text)?.active,
            None => SUITES.iter().filter(|suite| !suite.is_outside_default()).collect(),
        };
        let suites = selected.into_iter().filter(|suite| obstacle(suite, allowed, has_psk).is_none());
        let suites = suites.filter(|suite| versions.iter().any(|version| is_of(suite, *version))).collect();
        let is_ordered = spec.cipher_suites.is_some();
        Ok(Self { versions, suites, groups, sha1_signatures: allowed.sha1_signatures, is_ordered })
    }

    /// Returns true if there is a version and a suite.
    pub(crate) fn serves_any(&self) -> bool {
        !self.versions.is_empty() && !self.suites.is_empty()
    }

    /// Returns true if the order of the suites here decides, not the client's.
    pub(crate) fn is_ordered(&self) -> bool {
        self.is_ordered
    }

    /// The versions as bits: TLS 1.0 is bit 0.
    pub(crate) fn version_bits(&self) -> u8 {
        self.versions.iter().fold(0, |bits, version| bits | 1 << (version & 0xf).saturating_sub(1))
    }

    /// The names of the versions, the newest first.
    pub(crate) fn version_names(&self) -> Vec<&'static str> {
        self.versions.iter().map(|version| version::name_on_the_wire(*version)).collect()
    }

    /// The IANA names of the suites.
    pub(crate) fn cipher_suite_names(&self) -> Vec<&'static str> {
        self.suites.iter().map(|suite| suite.iana).collect()
    }

    /// OpenSSL's list of the suites of TLS 1.3, or of the older ones.
    pub(crate) fn suite_list(&self, of_tls13: bool) -> String {
        let suites = self.suites.iter().filter(|suite| (suite.since == Since::Tls13) == of_tls13);
        let names: Vec<&str> = suites.map(|suite| suite.openssl).filter(|name| !name.is_empty()).collect();
        names.join(":")
    }

    /// OpenSSL's list of the groups.
    pub(crate) fn group_list(&self) -> String {
        self.groups.join(":")
    }

    /// OpenSSL's list of the signature algorithms.
    pub(crate) fn signature_list(&self) -> String {
        const SIGNATURES: &str = "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ed25519:\
            rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:RSA+SHA256:RSA+SHA384:RSA+SHA512";
        match self.sha1_signatures {
            true => format!("{SIGNATURES}:ECDSA+SHA1:RSA+SHA1"),
            false => SIGNATURES.to_owned(),
        }
    }

    /// Returns true if a suite of the offer takes this kind of key.
    pub(crate) fn fits(&self, offered: &[u16], kind: KeyKind) -> bool {
        self.suites.iter().filter(|suite| offered.contains(&suite.id)).any(|suite| match suite.auth {
            Auth::Any => true,
            Auth::Ecdsa => kind == KeyKind::Ecdsa,
            _ => kind == KeyKind::Rsa,
        })
    }

    /// Removes from the names that are not served those that this engine serves.
    pub(crate) fn without_served(&self, not_served: &[NotServed]) -> Vec<NotServed> {
        let serves = |name: &str| {
            // A digit of ArangoDB's has the name of its version after it.
            let name = name.split(' ').next().unwrap_or_default();
            let versions = version::on_the_wire(name).unwrap_or_default();
            let is_version = versions.iter().any(|version| self.versions.contains(version));
            is_version || Suite::by_name(name).is_some_and(|named| self.suites.iter().any(|suite| suite.id == named.id))
        };
        not_served.iter().filter(|line| !serves(&line.name)).cloned().collect()
    }
}

/// The settings of rustls, if it serves a part of what is asked for.
///
/// # Errors
/// As for [`Policy::from_spec`], but not for a lack of versions, suites or groups that the second engine makes up for.
pub(crate) fn of_both(spec: &PolicySpec, second: Option<&SecondPolicy>) -> Result<Option<Policy>> {
    match (Policy::from_spec(spec), second) {
        (Ok(policy), _) => Ok(Some(policy)),
        (Err(error), Some(second)) if second.serves_any() && is_lack(&error) => Ok(None),
        (Err(error), _) => Err(error),
    }
}

fn is_lack(error: &Error) -> bool {
    matches!(error.code(), Code::NoCipherSuite | Code::VersionNotSupported | Code::GroupNotSupported)
}

fn is_of(suite: &Suite, version: u16) -> bool {
    match suite.since {
        Since::Tls13 => version == 0x0304,
        Since::Tls12 => version == 0x0303,
        Since::Tls10 | Since::Ssl3 => version < 0x0304,
    }
}

/// The reason why the second engine does not serve a suite.
pub(super) fn obstacle(suite: &Suite, allowed: LegacyAllowed, has_psk: bool) -> Option<&'static str> {
    if suite.openssl.is_empty() {
        return Some("not in OpenSSL");
    }
    match suite.enc {
        Enc::Rc4 => return Some("RC4 is broken and prohibited (RFC 7465)"),
        Enc::Export | Enc::Des | Enc::Null => return Some("no encryption that holds"),
        Enc::Seed | Enc::Idea | Enc::Sm4 | Enc::Gost => return Some("encryption that is not in use"),
        Enc::TripleDes if !allowed.triple_des => return Some("needs legacy-3des"),
        _ => {}
    }
    if suite.mac == Mac::Md5 || matches!(suite.auth, Auth::Null | Auth::Dss) {
        return Some("no authentication that holds");
    }
    match suite.kx {
        Kx::Any | Kx::Ecdhe | Kx::Dhe => None,
        Kx::Rsa if allowed.rsa_key_exchange => None,
        Kx::Rsa => Some("needs legacy-rsa-key-exchange"),
        Kx::Psk | Kx::DhePsk | Kx::EcdhePsk | Kx::RsaPsk if has_psk => None,
        Kx::Psk | Kx::DhePsk | Kx::EcdhePsk | Kx::RsaPsk => Some("needs pre-shared keys"),
        Kx::Dh | Kx::Ecdh | Kx::Srp | Kx::Krb5 | Kx::Gost => Some("a key exchange that is not served"),
    }
}
