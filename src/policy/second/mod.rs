//! The policy of the second engine: older versions, and suites without one of rustls' parts.

mod advice;
mod both;
mod verdict;

use super::groups::{self, SecondGroup};
use super::not_served::NotServed;
use super::suite_table::SUITES;
use super::suites::{Auth, Enc, Kx, Since, Suite};
use super::{Policy, PolicySpec, Preset, cipher_string, version};
use crate::error::{Code, Error, Result};

pub(crate) use advice::{Standing, StandingKeys};
pub(crate) use both::{Policies, of_both, restricted_both};
pub use verdict::LegacyAllowed;
use verdict::verdict_of_second;
pub(crate) use verdict::{SecondMeans, settings_of_suite};
pub(super) use verdict::{Verdict, verdict};

/// The key of an identity, as a suite asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyKind {
    Rsa,
    /// With the number of its curve.
    Ecdsa(u16),
    Ed25519,
    /// DSA, which rustls has not.
    Dss,
}

/// The parts of a ClientHello that decide. `None` for an extension that the client has not sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OfferedParts<'a> {
    pub(crate) versions: &'a [u16],
    pub(crate) suites: &'a [u16],
    pub(crate) groups: Option<&'a [u16]>,
    pub(crate) signatures: Option<&'a [u16]>,
}

/// A signature algorithm of the handshake.
struct Signature {
    id: u16,
    /// OpenSSL's name.
    name: &'static str,
    signs: Signs,
}

/// The key that makes a signature.
#[derive(PartialEq, Eq)]
enum Signs {
    /// RSA with PKCS#1, which TLS 1.3 does not take.
    Rsa,
    RsaPss,
    /// A key for PSS alone, which peers may have.
    PssKey,
    /// ECDSA; TLS 1.3 takes this curve alone.
    Ecdsa(u16),
    Ed25519,
    /// DSA, which TLS 1.3 does not take.
    Dsa,
}

const fn signature(id: u16, name: &'static str, signs: Signs) -> Signature {
    Signature { id, name, signs }
}

/// The signature algorithms, those of the other engine and DSA, in the same order. The last three are over SHA-1.
static SIGNATURES: &[Signature] = &[
    signature(0x0503, "ECDSA+SHA384", Signs::Ecdsa(24)),
    signature(0x0403, "ECDSA+SHA256", Signs::Ecdsa(23)),
    signature(0x0603, "ECDSA+SHA512", Signs::Ecdsa(25)),
    signature(0x0807, "ed25519", Signs::Ed25519),
    signature(0x0806, "rsa_pss_rsae_sha512", Signs::RsaPss),
    signature(0x0805, "rsa_pss_rsae_sha384", Signs::RsaPss),
    signature(0x0804, "rsa_pss_rsae_sha256", Signs::RsaPss),
    signature(0x080b, "rsa_pss_pss_sha512", Signs::PssKey),
    signature(0x080a, "rsa_pss_pss_sha384", Signs::PssKey),
    signature(0x0809, "rsa_pss_pss_sha256", Signs::PssKey),
    signature(0x0601, "RSA+SHA512", Signs::Rsa),
    signature(0x0501, "RSA+SHA384", Signs::Rsa),
    signature(0x0401, "RSA+SHA256", Signs::Rsa),
    signature(0x0602, "DSA+SHA512", Signs::Dsa),
    signature(0x0502, "DSA+SHA384", Signs::Dsa),
    signature(0x0402, "DSA+SHA256", Signs::Dsa),
    signature(0x0203, "ECDSA+SHA1", Signs::Ecdsa(0)),
    signature(0x0201, "RSA+SHA1", Signs::Rsa),
    signature(0x0202, "DSA+SHA1", Signs::Dsa),
];

/// The signatures of a client of TLS 1.2 that names none (RFC 5246 section 7.4.1.4.1).
const UNNAMED: &[u16] = &[0x0201, 0x0202, 0x0203];

/// The versions and suites of the second engine.
#[derive(Clone, Debug)]
pub(crate) struct SecondPolicy {
    /// As on the wire, the newest first.
    versions: Vec<u16>,
    suites: Vec<&'static Suite>,
    groups: Vec<&'static SecondGroup>,
    sha1_signatures: bool,
    dss: bool,
    /// True if the list of groups names one that rustls does not have.
    names_other_groups: bool,
    /// True if the suites are those of a list.
    names_suites: bool,
    /// True if rustls serves TLS 1.3 on the same port. The engine must know it, to mark a downgrade.
    is_beside_tls13: bool,
}

impl SecondPolicy {
    /// Parses the settings. The result may serve nothing.
    ///
    /// # Errors
    /// As for [`Policy::from_spec`], for unknown names.
    pub(super) fn from_spec(spec: &PolicySpec, means: &SecondMeans) -> Result<Self> {
        let mut versions = match &spec.versions {
            None => vec![0x0304, 0x0303],
            Some(list) => version::on_the_wire(list)?,
        };
        if spec.preset == Preset::Modern {
            versions.retain(|version| *version == TLS13);
        }
        let mut names_other_groups = false;
        let groups = match &spec.groups {
            Some(list) => {
                let named = groups::parse(list)?;
                if named.groups.is_empty() && named.of_second.is_empty() {
                    return Err(Error::new(Code::GroupNotSupported, NotServed::list(&named.of_neither)));
                }
                names_other_groups = named.names_other();
                named.of_second
            }
            None => groups::default_of_second(),
        };
        let mut suites: Vec<&'static Suite> = match &spec.cipher_suites {
            Some(text) => {
                let selection = cipher_string::select(text)?;
                // A string that names none of TLS 1.3 leaves those that rustls has.
                let is_meant =
                    |suite: &&Suite| selection.names_tls13 || suite.since != Since::Tls13 || is_default(suite);
                selection.active.iter().copied().filter(is_meant).collect()
            }
            None => SUITES.iter().filter(|suite| is_default(suite) || is_switched(suite)).collect(),
        };
        suites.retain(|suite| verdict_of_second(suite, Some(means)).is_served());
        let LegacyAllowed { sha1_signatures, dss, .. } = means.allowed;
        let names_suites = spec.cipher_suites.is_some();
        let is_beside_tls13 = false;
        let mut policy =
            Self { versions, suites, groups, sha1_signatures, dss, names_other_groups, names_suites, is_beside_tls13 };
        policy.settle();
        Ok(policy)
    }

    /// Removes suites without a group or a version, and versions without a suite.
    fn settle(&mut self) {
        let (tls12, tls13) =
            (self.groups.iter().any(|group| group.is_of_tls12), self.groups.iter().any(|group| group.is_of_tls13));
        self.suites.retain(|suite| match suite.kx {
            Kx::Any => tls13,
            Kx::Ecdhe | Kx::EcdhePsk => tls12,
            _ => true,
        });
        let versions = &self.versions;
        self.suites.retain(|suite| versions.iter().any(|version| is_of(suite, *version)));
        let suites = &self.suites;
        self.versions.retain(|version| suites.iter().any(|suite| is_of(suite, *version)));
    }

    /// Restricts the suites to those that these keys, or pre-shared keys, serve.
    pub(crate) fn keep_keys(&mut self, kinds: &[KeyKind], has_psk: bool) {
        let has_rsa = kinds.contains(&KeyKind::Rsa);
        let has_dss = kinds.contains(&KeyKind::Dss);
        let has_other = kinds.iter().any(|kind| matches!(kind, KeyKind::Ecdsa(_) | KeyKind::Ed25519));
        // Ed25519 has no signature before TLS 1.2.
        let has_only_new = !kinds.is_empty() && kinds.iter().all(|kind| *kind == KeyKind::Ed25519);
        self.suites.retain(|suite| has_psk || !suite.kx.is_psk());
        self.suites.retain(|suite| match suite.auth {
            Auth::Any => has_rsa || has_other || has_psk,
            Auth::Rsa => has_rsa,
            Auth::Ecdsa => has_other,
            Auth::Dss => has_dss,
            _ => has_psk,
        });
        if has_only_new && !has_psk {
            self.versions.retain(|version| *version >= TLS12);
        }
        self.settle();
    }

    /// Restricts the policy to what a client offers: suites with a certificate if it can verify one, and with a
    /// pre-shared key if it has one. Of versions with a gap between them it offers the newest ones up to the gap: it
    /// cannot leave one out.
    #[must_use]
    pub(crate) fn of_client(&self, verifies: bool, has_psk: bool) -> Self {
        const ANY: [KeyKind; 3] = [KeyKind::Rsa, KeyKind::Ecdsa(0), KeyKind::Ed25519];
        let mut policy = Self { is_beside_tls13: false, ..self.clone() };
        policy.keep_keys(if verifies { &ANY } else { &[] }, has_psk);
        let newest = policy.versions.first().copied().unwrap_or_default();
        let run = (0..=newest).rev().zip(&policy.versions).take_while(|(next, version)| next == *version).count();
        policy.versions.truncate(run);
        policy.settle();
        policy
    }

    /// Returns true if a client that asks for this needs the second engine. It has a key, or the settings name a
    /// version, a group or a suite that rustls does not have. Suites of the default are for clients of this side.
    ///
    /// rustls is not left if it has TLS 1.3 and the second engine has not.
    pub(crate) fn needs_second(&self, first: Option<&Policy>, has_psk: bool) -> bool {
        let Some(first) = first.filter(|_| !has_psk) else { return true };
        let is_newer = first.version_names().contains(&"TLSv1.3") && !self.versions.contains(&TLS13);
        let names_old = self.versions.iter().any(|version| *version < TLS12);
        let names_suite = self.names_suites && self.suites.iter().any(|suite| suite.served().is_none());
        !is_newer && (names_old || self.names_other_groups || names_suite)
    }

    /// Restricts the policy to the suites of a list, by name.
    ///
    /// # Errors
    /// `CIPHER_NOT_SUPPORTED` for an unknown name.
    fn keep_suites(&mut self, list: &str) -> Result<()> {
        let mut named = cipher_string::select(list)?.named;
        named.retain(|suite| self.suites.iter().any(|one| one.id == suite.id));
        self.suites = named;
        self.names_suites = true;
        self.settle();
        Ok(())
    }

    /// Returns true if there is a version and a suite.
    pub(crate) fn serves_any(&self) -> bool {
        !self.versions.is_empty() && !self.suites.is_empty()
    }

    /// Returns true if rustls serves all of it.
    pub(crate) fn adds_nothing(&self, has_psk: bool) -> bool {
        !has_psk
            && self.versions.iter().all(|version| *version >= TLS12)
            && self.suites.iter().all(|suite| suite.served().is_some())
    }

    /// Returns true if a pre-shared key can authenticate a client.
    pub(crate) fn takes_psk(&self) -> bool {
        let takes = |kx| matches!(kx, Kx::Any | Kx::Psk | Kx::DhePsk | Kx::EcdhePsk | Kx::RsaPsk);
        self.suites.iter().any(|suite| takes(suite.kx))
    }

    /// The versions as bits: TLS 1.0 is bit 0.
    pub(crate) fn version_bits(&self) -> u8 {
        let own = self.versions.iter().fold(0, |bits, version| bits | 1 << (version & 0xf).saturating_sub(1));
        // A server that knows TLS 1.3 marks each older handshake as a downgrade (RFC 8446 section 4.1.3).
        own | u8::from(self.is_beside_tls13) << 3
    }

    /// The names of the versions, the newest first.
    pub(crate) fn version_names(&self) -> Vec<&'static str> {
        self.versions.iter().map(|version| version::name_on_the_wire(*version)).collect()
    }

    /// The IANA names of the suites.
    pub(crate) fn cipher_suite_names(&self) -> Vec<&'static str> {
        self.suites.iter().map(|suite| suite.iana).collect()
    }

    /// The policy beside what rustls serves of the same context.
    pub(crate) fn beside(&self, first: Option<&Policy>) -> Self {
        let is_beside_tls13 = first.is_some_and(|first| first.version_names().contains(&"TLSv1.3"));
        Self { is_beside_tls13, ..self.clone() }
    }

    /// Returns true for a client of TLS 1.3 if rustls alone serves that version. The second engine would have to
    /// choose an older one behind its back.
    pub(crate) fn leaves_to_rustls(&self, offered: OfferedParts<'_>) -> bool {
        self.is_beside_tls13 && !self.versions.contains(&TLS13) && offered.versions.contains(&TLS13)
    }

    /// OpenSSL's list of the suites of TLS 1.3, or of the older ones. The latter may be empty.
    pub(crate) fn suite_list(&self, of_tls13: bool) -> String {
        let suites = self.suites.iter().filter(|suite| (suite.since == Since::Tls13) == of_tls13);
        let names: Vec<&str> = suites.map(|suite| suite.openssl).collect();
        match names.is_empty() && of_tls13 && self.is_beside_tls13 {
            // OpenSSL refuses a version without a suite. No client of TLS 1.3 reaches it.
            true => "TLS_AES_128_GCM_SHA256".to_owned(),
            false => names.join(":"),
        }
    }

    /// OpenSSL's list of the suites of TLS 1.3 with this hash, and the first one of them that the client offers.
    pub(crate) fn suites_of_hash(&self, is_sha384: bool, offered: OfferedParts<'_>) -> Option<(String, u16)> {
        self.suites_of_hash_among(is_sha384, |suite| offered.suites.contains(&suite))
    }

    /// OpenSSL's list of the suites of TLS 1.3 with this hash, and the first one of them.
    pub(crate) fn own_suites_of_hash(&self, is_sha384: bool) -> Option<(String, u16)> {
        self.suites_of_hash_among(is_sha384, |_| true)
    }

    fn suites_of_hash_among(&self, is_sha384: bool, is_taken: impl Fn(u16) -> bool) -> Option<(String, u16)> {
        let end = if is_sha384 { "_SHA384" } else { "_SHA256" };
        let of_hash = || self.suites.iter().filter(|suite| suite.since == Since::Tls13 && suite.iana.ends_with(end));
        let names: Vec<&str> = of_hash().map(|suite| suite.openssl).collect();
        of_hash().find(|suite| is_taken(suite.id)).map(|suite| (names.join(":"), suite.id))
    }

    /// Returns true if a suite with a pre-shared key is the first of TLS 1.2 that both sides have. The order is that of
    /// this side if it `is_ordered`, otherwise the client's.
    pub(crate) fn prefers_psk(&self, offered: OfferedParts<'_>, keys: &[KeyKind], is_ordered: bool) -> bool {
        let has_tls13 = self.is_beside_tls13 || self.versions.contains(&TLS13);
        if has_tls13 && offered.versions.contains(&TLS13) || !offered.versions.contains(&TLS12) {
            return false;
        }
        let is_usable = |suite: &Suite| {
            let alone = OfferedParts { suites: &[suite.id], ..offered };
            match suite.kx {
                _ if !is_of(suite, TLS12) => false,
                Kx::RsaPsk => keys.contains(&KeyKind::Rsa),
                kx if kx.is_psk() => self.has_group(suite, offered),
                // A host that chooses identities has keys that are not known here.
                _ if keys.is_empty() => suite.served().is_some(),
                _ => keys.iter().any(|key| self.fits(alone, *key)),
            }
        };
        let usable = |id: u16| self.suites.iter().find(|suite| suite.id == id && is_usable(suite));
        let first = match is_ordered {
            true => self.suites.iter().find(|suite| offered.suites.contains(&suite.id) && is_usable(suite)),
            false => offered.suites.iter().find_map(|id| usable(*id)),
        };
        first.is_some_and(|suite| suite.kx.is_psk())
    }

    /// Returns true if one of the versions is served.
    pub(crate) fn serves_version(&self, is_wanted: impl Fn(u16) -> bool) -> bool {
        self.versions.iter().any(|version| is_wanted(*version))
    }

    /// Returns true if both sides have TLS 1.3, a suite of it with this hash, and a group.
    pub(crate) fn serves_tls13(&self, offered: OfferedParts<'_>, is_sha384: bool) -> bool {
        let of_tls13 = || self.suites.iter().filter(|suite| suite.since == Since::Tls13);
        self.versions.contains(&TLS13)
            && offered.versions.contains(&TLS13)
            && self.suites_of_hash(is_sha384, offered).is_some()
            && of_tls13().any(|suite| self.has_group(suite, offered))
    }

    /// OpenSSL's list of the groups. It may be empty.
    pub(crate) fn group_list(&self) -> String {
        self.group_names().join(":")
    }

    /// OpenSSL's names of the groups.
    pub(crate) fn group_names(&self) -> Vec<&'static str> {
        self.groups.iter().map(|group| group.name()).collect()
    }

    /// OpenSSL's list of the signature algorithms.
    pub(crate) fn signature_list(&self) -> String {
        let signatures = signatures(self.sha1_signatures).filter(|one| self.dss || one.signs != Signs::Dsa);
        signatures.map(|one| one.name).collect::<Vec<_>>().join(":")
    }

    /// Returns true if a handshake with this key serves the offer.
    pub(crate) fn fits(&self, offered: OfferedParts<'_>, key: KeyKind) -> bool {
        let Some(version) = self.versions.iter().copied().find(|version| offered.versions.contains(version)) else {
            return false;
        };
        let signs = can_sign(version, offered.signatures.unwrap_or(UNNAMED), key, self.sha1_signatures);
        let is_of_curve = is_of_curve(key, version, offered);
        let suites = self.suites.iter().filter(|suite| offered.suites.contains(&suite.id) && is_of(suite, version));
        suites.filter(|suite| self.has_group(suite, offered)).any(|suite| match (suite.kx, suite.auth) {
            (Kx::Any, _) => signs,
            (Kx::Rsa | Kx::RsaPsk, _) => key == KeyKind::Rsa,
            (_, Auth::Rsa) => key == KeyKind::Rsa && signs,
            (_, Auth::Ecdsa) => matches!(key, KeyKind::Ecdsa(_) | KeyKind::Ed25519) && signs && is_of_curve,
            (_, Auth::Dss) => key == KeyKind::Dss && signs,
            _ => false,
        })
    }

    /// Returns true if the suite needs no group, or both sides have one.
    fn has_group(&self, suite: &Suite, offered: OfferedParts<'_>) -> bool {
        let is_usable = |group: &SecondGroup| match suite.kx {
            Kx::Any => group.is_of_tls13,
            Kx::Ecdhe | Kx::EcdhePsk => group.is_of_tls12,
            _ => true,
        };
        // OpenSSL chooses no curve for a client that names none, though RFC 8422 section 4 lets it.
        let theirs = |group: &SecondGroup| offered.groups.is_some_and(|groups| groups.contains(&group.id));
        !matches!(suite.kx, Kx::Any | Kx::Ecdhe | Kx::EcdhePsk)
            || self.groups.iter().any(|group| is_usable(group) && theirs(group))
    }

    /// Returns true if the suites of an offer that are served all need a group, and both sides have none.
    pub(crate) fn lacks_groups(&self, offered: OfferedParts<'_>) -> bool {
        let mut common = self.suites.iter().filter(|suite| offered.suites.contains(&suite.id)).peekable();
        common.peek().is_some() && common.all(|suite| !self.has_group(suite, offered))
    }

    /// The lines of the log about what is old in this policy.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let old: Vec<&str> =
            self.versions.iter().filter(|one| **one < TLS12).map(|one| version::name_on_the_wire(*one)).collect();
        if !old.is_empty() {
            lines.push(format!(
                "legacy: deprecated versions are on (RFC 8996): {}. Their signatures are over SHA-1 and MD5 by the \
                 protocol.",
                old.join(", ")
            ));
        }
        let of_static_keys: Vec<&str> =
            self.suites.iter().filter(|suite| suite.kx == Kx::Psk).map(|suite| suite.openssl).take(1).collect();
        if let [suite] = of_static_keys[..] {
            lines.push(format!(
                "legacy: suites with a pre-shared key and no key exchange are on, such as {suite}. They have no \
                 forward secrecy: with the secret of a client, its recorded connections can be read."
            ));
        }
        lines
    }
}

/// The signature algorithms, with those over SHA-1 or without.
fn signatures(with_sha1: bool) -> impl Iterator<Item = &'static Signature> {
    SIGNATURES.iter().filter(move |one| with_sha1 || !UNNAMED.contains(&one.id))
}

/// Returns true if the key can sign a handshake of this version in a way that is among `theirs`.
fn can_sign(version: u16, theirs: &[u16], key: KeyKind, with_sha1: bool) -> bool {
    if version < TLS12 {
        return key != KeyKind::Ed25519;
    }
    signatures(with_sha1).filter(|one| theirs.contains(&one.id)).any(|one| match (&one.signs, key) {
        (Signs::Rsa, KeyKind::Rsa) | (Signs::Dsa, KeyKind::Dss) => version == TLS12,
        (Signs::RsaPss, KeyKind::Rsa) | (Signs::Ed25519, KeyKind::Ed25519) => true,
        (Signs::Ecdsa(curve), KeyKind::Ecdsa(own)) => version == TLS12 || *curve == own,
        _ => false,
    })
}

/// Returns true if the client takes the curve of the key's certificate. RFC 8422 section 5.1: the extension names the
/// curves of certificates too.
fn is_of_curve(key: KeyKind, version: u16, offered: OfferedParts<'_>) -> bool {
    match key {
        KeyKind::Ecdsa(curve) => version == TLS13 || offered.groups.is_none_or(|groups| groups.contains(&curve)),
        KeyKind::Rsa | KeyKind::Ed25519 | KeyKind::Dss => true,
    }
}

const TLS12: u16 = 0x0303;
const TLS13: u16 = 0x0304;

/// Returns true if a suite is selected without a list.
fn is_default(suite: &Suite) -> bool {
    !suite.is_outside_default()
}

/// Returns true if the switch of a suite selects it too, without a list.
fn is_switched(suite: &Suite) -> bool {
    suite.enc == Enc::TripleDes || suite.auth == Auth::Dss
}

fn is_of(suite: &Suite, version: u16) -> bool {
    match suite.since {
        Since::Tls13 => version == TLS13,
        Since::Tls12 => version == TLS12,
        Since::Tls10 | Since::Ssl3 => version < TLS13,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(versions: &str) -> SecondPolicy {
        let known = SUITES.iter().map(|suite| suite.id).collect();
        let spec = PolicySpec { versions: Some(versions.to_owned()), ..PolicySpec::default() };
        let spec = PolicySpec { cipher_suites: Some("ALL".to_owned()), ..spec };
        SecondPolicy::from_spec(&spec, &SecondMeans { known, ..SecondMeans::default() }).unwrap()
    }

    const P256: u16 = 23;

    #[test]
    fn key_fits_by_suite_and_signature_and_curve() {
        let second = policy("TLSv1.3 TLSv1.2 TLSv1.1 TLSv1");
        let suites: &[u16] = &[0xC009, 0xC013];
        let fits = |versions: &[u16], groups: Option<&[u16]>, signatures: Option<&[u16]>, key| {
            second.fits(OfferedParts { versions, suites, groups, signatures }, key)
        };
        let ec = KeyKind::Ecdsa(P256);
        assert!(fits(&[0x0301], Some(&[P256]), None, ec));
        // A curve that the client lacks.
        assert!(!fits(&[0x0301], Some(&[24]), None, ec));
        assert!(fits(&[0x0301], Some(&[24]), None, KeyKind::Rsa));
        assert!(!fits(&[0x0301], Some(&[29]), None, KeyKind::Ed25519));
        // Signatures over SHA-1 alone, in TLS 1.2.
        assert!(!fits(&[0x0303], Some(&[P256]), Some(&[0x0201, 0x0203]), KeyKind::Rsa));
        assert!(!fits(&[0x0303], Some(&[P256]), None, KeyKind::Rsa));
        assert!(fits(&[0x0303], Some(&[P256]), Some(&[0x0401]), KeyKind::Rsa));
        assert!(!fits(&[0x0303], None, Some(&[0x0401]), KeyKind::Rsa));
        assert!(!fits(&[0x0303], Some(&[P256]), Some(&[0x0401]), ec));
        // No group for ECDHE.
        assert!(!fits(&[0x0303], Some(&[256]), Some(&[0x0401]), KeyKind::Rsa));
        // A suite with a pre-shared key alone needs no certificate.
        let psk = OfferedParts { versions: &[0x0303], suites: &[0x008C], groups: None, signatures: None };
        assert!(!second.fits(psk, KeyKind::Rsa));
    }

    #[test]
    fn suites_that_no_key_serves_are_not_listed() {
        let mut second = policy("TLSv1.2 TLSv1");
        second.keep_keys(&[KeyKind::Ecdsa(P256)], false);
        assert!(second.cipher_suite_names().iter().all(|name| name.contains("_ECDSA_")), "{second:?}");
        second.keep_keys(&[], false);
        assert!(!second.serves_any());
        let mut second = policy("TLSv1.2 TLSv1");
        second.keep_keys(&[KeyKind::Ed25519], false);
        assert_eq!(second.version_names(), ["TLSv1.2"]);
    }
}
