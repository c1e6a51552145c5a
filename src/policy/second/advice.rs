//! Advice about a client that is refused: the settings that would serve it, or why none does.

use super::verdict::{LegacyAllowed, RSA_KEY_EXCHANGE, SHA1_SIGNATURES, needs, refusal};
use super::{
    KeyKind, OfferedParts, SecondMeans, SecondPolicy, TLS12, TLS13, UNNAMED, can_sign, is_default, is_of, is_of_curve,
    is_switched,
};
use crate::policy::suites::{Auth, Kx, Suite};
use crate::policy::{Policy, PolicySpec, Preset, cipher_string, groups, version};

/// The settings of a server that decide which clients it serves.
#[derive(Debug)]
pub(crate) struct Standing {
    spec: PolicySpec,
    /// `None` if the second engine is off.
    means: Option<SecondMeans>,
    /// The kinds of the keys in bytes, which both engines can use.
    keys: Vec<KeyKind>,
    /// True if there are keys for rustls alone: in a token, or with a host that chooses.
    has_other_keys: bool,
    versions: Vec<u16>,
    groups: Vec<u16>,
}

/// The keys of a server.
pub(crate) struct StandingKeys {
    pub(crate) kinds: Vec<KeyKind>,
    pub(crate) has_other: bool,
}

/// A setting that is missing for a client, the cheapest and least dangerous first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Missing {
    Engine,
    Preset,
    Version(u16),
    /// OpenSSL's name of a suite.
    Suite(&'static str),
    Group(&'static str),
    /// The kind of a key.
    Key(&'static str),
    /// A value of `legacy-allow`.
    Switch(&'static str),
    Psk,
    /// OpenSSL's name of a suite that it does not have.
    OfOpenSsl(&'static str),
}

impl Missing {
    fn cost(self) -> u32 {
        match self {
            Self::Engine => 1,
            Self::Preset | Self::Suite(_) | Self::Group(_) => 2,
            Self::Version(version) if version >= TLS12 => 1,
            Self::Version(version) => 6 - u32::from(version & 0xf),
            Self::Key(_) => 3,
            Self::Psk => 4,
            Self::Switch(SHA1_SIGNATURES) => 6,
            Self::Switch(RSA_KEY_EXCHANGE) => 10,
            Self::Switch(_) => 20,
            Self::OfOpenSsl(_) => 100,
        }
    }
}

/// The settings that are missing, or the reason why none helps.
type Lack = Result<Vec<Missing>, &'static str>;

/// The most reasons in a hint.
const MAX_REASONS: usize = 3;

impl Standing {
    /// Reads what a context serves.
    pub(crate) fn new(
        spec: &PolicySpec,
        means: Option<&SecondMeans>,
        keys: StandingKeys,
        first: Option<&Policy>,
        second: Option<&SecondPolicy>,
    ) -> Self {
        let of_second = second.map(|second| second.versions.as_slice()).unwrap_or_default();
        let of_first = first.map(Policy::versions).unwrap_or_default().iter().map(|one| u16::from(one.version));
        let mut versions: Vec<u16> = of_first.chain(of_second.iter().copied()).collect();
        versions.sort_unstable_by(|a, b| b.cmp(a));
        versions.dedup();
        let groups = first.map(Policy::groups).unwrap_or_default().iter().map(|group| u16::from(group.name()));
        let groups = groups.chain(second.into_iter().flat_map(|second| second.groups.iter().map(|one| one.id)));
        let StandingKeys { kinds, has_other } = keys;
        Self {
            spec: spec.clone(),
            means: means.cloned(),
            keys: kinds,
            has_other_keys: has_other,
            versions,
            groups: groups.collect(),
        }
    }

    /// The hint for a client with this offer that has nothing in common with the server: the settings that would serve
    /// it, or that none does. None if these settings serve it, or nothing of the offer is known.
    pub(crate) fn advice(&self, offered: OfferedParts<'_>) -> Option<String> {
        if offered.versions.is_empty() {
            return Some(never(&["SSL 3.0 is broken and prohibited (RFC 7568)"]));
        }
        // The newest version that both sides have is chosen, so an older one is no help.
        let common = self.versions.iter().filter(|version| offered.versions.contains(version)).max();
        let versions = offered.versions.iter().filter(|version| common.is_none_or(|common| *version >= common));
        let suites = || offered.suites.iter().filter_map(|id| Suite::by_id(*id));
        let lacks: Vec<Lack> = versions
            .flat_map(|version| suites().map(move |suite| (suite, *version)))
            .filter(|(suite, version)| is_of(suite, *version))
            .map(|(suite, version)| self.lack(suite, version, offered))
            .collect();
        let cost = |missing: &&Vec<Missing>| missing.iter().map(|one| one.cost()).sum::<u32>();
        match lacks.iter().flatten().min_by_key(cost) {
            Some(missing) if missing.is_empty() => None,
            Some(missing) => Some(self.served_with(missing)),
            None => {
                let mut reasons: Vec<&str> = Vec::new();
                for reason in lacks.iter().filter_map(|lack| lack.as_ref().err()) {
                    if !reasons.contains(reason) && reasons.len() < MAX_REASONS {
                        reasons.push(reason);
                    }
                }
                (!reasons.is_empty()).then(|| never(&reasons))
            }
        }
    }

    /// The settings that a suite of an offer misses in a version.
    fn lack(&self, suite: &'static Suite, version: u16, offered: OfferedParts<'_>) -> Lack {
        if let Some(why) = refusal(suite) {
            return Err(why);
        }
        let mut missing = self.switches(suite);
        if !self.versions.contains(&version) {
            missing.push(Missing::Version(version));
        }
        if self.spec.preset == Preset::Modern && version != TLS13 {
            missing.push(Missing::Preset);
        }
        let has_group = self.group(suite, version, offered, &mut missing)?;
        let has_key = self.key(suite, version, offered, &mut missing)?;
        let is_of_rustls = version >= TLS12 && suite.served().is_some() && has_group && has_key;
        if !is_of_rustls && self.means.is_none() {
            missing.push(Missing::Engine);
        }
        missing.sort_unstable();
        missing.dedup();
        Ok(missing)
    }

    /// The switches and the place in the list that a suite misses.
    fn switches(&self, suite: &'static Suite) -> Vec<Missing> {
        let allowed = self.means.as_ref().map(|means| means.allowed).unwrap_or_default();
        let has_psk = self.means.as_ref().is_some_and(|means| means.has_psk);
        let switches = needs(suite).filter(|switch| !allowed.allows(switch));
        let mut missing: Vec<Missing> = switches
            .filter_map(|switch| match switch {
                super::verdict::PSK => (!has_psk).then_some(Missing::Psk),
                switch => Some(Missing::Switch(switch)),
            })
            .collect();
        let is_listed = match self.spec.cipher_suites.as_deref().map(cipher_string::select) {
            None => is_default(suite) || is_switched(suite),
            Some(Ok(selection)) => {
                selection.active.iter().any(|one| one.id == suite.id)
                    || suite.kx == Kx::Any && !selection.names_tls13 && is_default(suite)
            }
            Some(Err(_)) => true,
        };
        if !is_listed {
            missing.push(Missing::Suite(suite.openssl));
        }
        let is_known = |means: &SecondMeans| suite.served().is_some() || means.known.contains(&suite.id);
        if !self.means.as_ref().is_none_or(is_known) {
            missing.push(Missing::OfOpenSsl(suite.openssl));
        }
        missing
    }

    /// Adds the group that a suite misses. Returns true if rustls has it, or none is needed.
    fn group(
        &self,
        suite: &Suite,
        version: u16,
        offered: OfferedParts<'_>,
        missing: &mut Vec<Missing>,
    ) -> Result<bool, &'static str> {
        if !matches!(suite.kx, Kx::Any | Kx::Ecdhe | Kx::EcdhePsk) {
            return Ok(true);
        }
        let theirs = offered.groups.ok_or("it names no key exchange groups")?;
        let known = theirs.iter().filter_map(|id| groups::known(*id, version == TLS13));
        let is_active = |group: &groups::Known| self.groups.contains(&group.id);
        if let Some(group) = known.clone().filter(is_active).max_by_key(|group| group.is_of_rustls) {
            return Ok(group.is_of_rustls);
        }
        let group = known.max_by_key(|group| group.is_of_rustls).ok_or("none of its key exchange groups is served")?;
        missing.push(Missing::Group(group.name));
        Ok(group.is_of_rustls)
    }

    /// Adds the key or the signature that a suite misses. Returns true if rustls can serve with the key.
    fn key(
        &self,
        suite: &Suite,
        version: u16,
        offered: OfferedParts<'_>,
        missing: &mut Vec<Missing>,
    ) -> Result<bool, &'static str> {
        let takes = |key: &KeyKind| match (suite.kx, suite.auth) {
            (Kx::Any, _) => *key != KeyKind::Dss,
            (Kx::Rsa | Kx::RsaPsk, _) | (_, Auth::Rsa) => *key == KeyKind::Rsa,
            (_, Auth::Dss) => *key == KeyKind::Dss,
            (_, Auth::Ecdsa) => !matches!(key, KeyKind::Rsa | KeyKind::Dss) && is_of_curve(*key, version, offered),
            _ => false,
        };
        if matches!(suite.kx, Kx::Psk | Kx::DhePsk | Kx::EcdhePsk) {
            return Ok(false);
        }
        if self.has_other_keys && suite.served().is_some() && version >= TLS12 {
            return Ok(true);
        }
        let own = self.keys.iter().filter(|key| takes(key));
        let other = [(KeyKind::Rsa, "RSA"), (KeyKind::Ecdsa(23), "ECDSA (P-256)"), (KeyKind::Dss, "DSA")];
        let other = other.iter().filter(|(key, _)| takes(key));
        if matches!(suite.kx, Kx::Rsa | Kx::RsaPsk) {
            missing.extend(self.keys.iter().all(|key| !takes(key)).then_some(Missing::Key("RSA")));
            return Ok(false);
        }
        let theirs = offered.signatures.unwrap_or(UNNAMED);
        let signs = |key: KeyKind, with_sha1: bool| can_sign(version, theirs, key, with_sha1);
        if own.clone().any(|key| signs(*key, false)) {
            return Ok(true);
        }
        if let Some((_, kind)) = other.clone().find(|(key, _)| signs(*key, false)) {
            missing.push(Missing::Key(kind));
            return Ok(true);
        }
        let allows_sha1 = self.means.as_ref().is_some_and(|means| means.allowed.sha1_signatures);
        missing.extend((!allows_sha1).then_some(Missing::Switch(SHA1_SIGNATURES)));
        match other.clone().find(|(key, _)| signs(*key, true)) {
            _ if own.clone().any(|key| signs(*key, true)) => Ok(false),
            Some((_, kind)) => {
                missing.push(Missing::Key(kind));
                Ok(false)
            }
            None => Err("none of its signature algorithms is served"),
        }
    }

    /// The hint with the settings that serve a client.
    fn served_with(&self, missing: &[Missing]) -> String {
        let mut settings: Vec<String> = Vec::new();
        let mut switches = self.means.as_ref().map(|means| means.allowed.names()).unwrap_or_default();
        let had = switches.len();
        for one in missing {
            match *one {
                Missing::Engine => settings.push("legacy-engine=yes".to_owned()),
                Missing::Preset => settings.push("preset=intermediate".to_owned()),
                Missing::Version(version) => settings.push(format!("versions={}", self.versions_with(version))),
                Missing::Suite(name) => settings.push(with("cipher-suites", self.spec.cipher_suites.as_deref(), name)),
                Missing::Group(name) => settings.push(with("groups", self.spec.groups.as_deref(), name)),
                Missing::Key(kind) => settings.push(format!("an identity with a key of {kind}")),
                Missing::Switch(name) => switches.push(name),
                Missing::Psk => settings.push("psk-file with its key".to_owned()),
                Missing::OfOpenSsl(name) => settings.push(format!("an OpenSSL that has {name}")),
            }
        }
        if switches.len() > had {
            let in_order = LegacyAllowed::NAMES.into_iter().filter(|name| switches.contains(name));
            settings.push(format!("legacy-allow={}", in_order.collect::<Vec<_>>().join(",")));
        }
        let list = match settings.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, before)) => format!("{} and {last}", before.join(", ")),
            None => String::new(),
        };
        format!("This client is served with {list}. {PAGE}")
    }

    /// The versions with one more, and with TLS 1.2 between TLS 1.3 and an older one.
    fn versions_with(&self, version: u16) -> String {
        let mut versions = self.versions.clone();
        versions.push(version);
        if version < TLS12 && versions.contains(&TLS13) {
            versions.push(TLS12);
        }
        versions.sort_unstable_by(|a, b| b.cmp(a));
        versions.dedup();
        versions.into_iter().map(version::name_on_the_wire).collect::<Vec<_>>().join(",")
    }
}

/// The page of the manual about such clients.
const PAGE: &str = "See the page \"Old and PSK clients\".";

/// The longest list that a hint repeats, in bytes.
const MAX_LIST_BYTES: usize = 80;

/// The setting with one more name at its end.
fn with(setting: &str, list: Option<&str>, name: &str) -> String {
    match list.map(str::trim) {
        Some(list) if list.len() > MAX_LIST_BYTES => format!("{name} at the end of {setting}"),
        Some(list) if list.contains(',') => format!("{setting}={list},{name}"),
        list => format!("{setting}={}:{name}", list.unwrap_or("DEFAULT")),
    }
}

/// The hint for a client that no setting serves.
fn never(reasons: &[&str]) -> String {
    format!(
        "No setting serves this client: {}. Update the device or replace it, or put a gateway beside it. {PAGE}",
        reasons.join("; ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::of_both;
    use crate::policy::suite_table::SUITES;
    use crate::policy::suites::Enc;

    const P256: u16 = 23;
    const TLS10: &[u16] = &[0x0301];
    const TLS12_ONLY: &[u16] = &[0x0303];

    /// The settings of a row: versions, suites, groups, and the second engine with switches and pre-shared keys.
    #[derive(Clone, Copy, Default)]
    struct Settings {
        versions: &'static str,
        suites: &'static str,
        groups: &'static str,
        engine: Option<(LegacyAllowed, bool)>,
    }

    /// A server with an RSA key, and an OpenSSL without triple-DES.
    fn standing(settings: Settings) -> Standing {
        let set = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let Settings { versions, suites, groups, engine } = settings;
        let spec = PolicySpec {
            versions: set(versions),
            cipher_suites: set(suites),
            groups: set(groups),
            ..Default::default()
        };
        let known = SUITES.iter().filter(|suite| suite.enc != Enc::TripleDes).map(|suite| suite.id).collect();
        let means = engine.map(|(allowed, has_psk)| SecondMeans { allowed, has_psk, known });
        let policies = of_both(&spec, means.as_ref()).unwrap();
        let keys = StandingKeys { kinds: vec![KeyKind::Rsa], has_other: false };
        Standing::new(&spec, means.as_ref(), keys, policies.first.as_ref(), policies.second.as_ref())
    }

    fn advice(settings: Settings, offered: OfferedParts<'_>) -> Option<String> {
        standing(settings).advice(offered)
    }

    fn offer(versions: &'static [u16], suites: &'static [u16]) -> OfferedParts<'static> {
        OfferedParts { versions, suites, groups: Some(&[P256]), signatures: Some(&[0x0401]) }
    }

    fn serves(settings: Settings, offered: OfferedParts<'_>, expected: &str) {
        let expected = format!("This client is served with {expected}. {PAGE}");
        assert_eq!(advice(settings, offered).as_deref(), Some(expected.as_str()), "{offered:?}");
    }

    fn never_serves(settings: Settings, offered: OfferedParts<'_>, reason: &str) {
        assert_eq!(advice(settings, offered), Some(never(&[reason])), "{offered:?}");
    }

    #[test]
    fn client_that_the_second_engine_would_serve_is_told_with_the_settings_that_are_missing() {
        let rustls = Settings::default();
        let engine = Settings { engine: Some(Default::default()), ..rustls };
        let rsa = LegacyAllowed { rsa_key_exchange: true, ..LegacyAllowed::default() };
        let with_rsa = Settings { engine: Some((rsa, false)), ..rustls };
        let old = "versions=TLSv1.3,TLSv1.2,TLSv1";
        let (cbc, static_rsa, triple_des, psk) = (&[0xC013], &[0x002F], &[0x000A], &[0x00A8]);
        let sha1 = OfferedParts { signatures: Some(&[0x0201]), ..offer(TLS12_ONLY, &[0xC02F]) };
        let unnamed = OfferedParts { signatures: None, ..offer(TLS12_ONLY, &[0xC02F]) };
        let p521 = OfferedParts { groups: Some(&[25]), ..offer(TLS12_ONLY, &[0xC02F]) };
        for (settings, offered, expected) in [
            (rustls, offer(TLS12_ONLY, cbc), "legacy-engine=yes"),
            (rustls, offer(TLS12_ONLY, &[0x0067]), "legacy-engine=yes"),
            (rustls, offer(TLS10, cbc), &format!("legacy-engine=yes and {old}")),
            (engine, offer(TLS10, cbc), old),
            (engine, offer(TLS12_ONLY, static_rsa), "legacy-allow=legacy-rsa-key-exchange"),
            (
                rustls,
                offer(TLS10, static_rsa),
                &format!("legacy-engine=yes, {old} and legacy-allow=legacy-rsa-key-exchange"),
            ),
            (
                rustls,
                offer(TLS12_ONLY, triple_des),
                "legacy-engine=yes and legacy-allow=legacy-rsa-key-exchange,legacy-3des",
            ),
            (
                with_rsa,
                offer(TLS12_ONLY, triple_des),
                "an OpenSSL that has DES-CBC3-SHA and legacy-allow=legacy-rsa-key-exchange,legacy-3des",
            ),
            (rustls, offer(TLS12_ONLY, psk), "legacy-engine=yes and psk-file with its key"),
            (engine, offer(TLS12_ONLY, psk), "psk-file with its key"),
            (rustls, sha1, "legacy-engine=yes and legacy-allow=legacy-sha1-signatures"),
            (engine, unnamed, "legacy-allow=legacy-sha1-signatures"),
            (with_rsa, sha1, "legacy-allow=legacy-rsa-key-exchange,legacy-sha1-signatures"),
            (rustls, p521, "legacy-engine=yes and groups=DEFAULT:secp521r1"),
            (Settings { groups: "X25519", ..engine }, p521, "groups=X25519:secp521r1"),
            (Settings { groups: "X25519", ..rustls }, offer(TLS12_ONLY, &[0xC02F]), "groups=X25519:secp256r1"),
        ] {
            serves(settings, offered, expected);
        }
    }

    #[test]
    fn client_that_a_list_or_a_key_keeps_away_is_told_with_them() {
        let engine = Settings { engine: Some(Default::default()), ..Settings::default() };
        let aes256 = Settings { suites: "ECDHE-RSA-AES256-GCM-SHA384,ECDHE-RSA-AES256-SHA384", ..engine };
        serves(
            aes256,
            offer(TLS12_ONLY, &[0xC027]),
            "cipher-suites=ECDHE-RSA-AES256-GCM-SHA384,ECDHE-RSA-AES256-SHA384,ECDHE-RSA-AES128-SHA256",
        );
        let dss = OfferedParts { signatures: Some(&[0x0402]), ..offer(TLS12_ONLY, &[0x0040]) };
        serves(engine, dss, "an identity with a key of DSA and legacy-allow=legacy-dss");
        serves(engine, offer(TLS12_ONLY, &[0xC09E]), "cipher-suites=DEFAULT:DHE-RSA-AES128-CCM");
        let long = "ECDHE-RSA-AES256-GCM-SHA384:DHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-SHA384:ECDHE-RSA-AES256-SHA";
        let long = Settings { suites: long, ..engine };
        serves(long, offer(TLS12_ONLY, &[0xC027]), "ECDHE-RSA-AES128-SHA256 at the end of cipher-suites");
        let ecdsa = OfferedParts { signatures: Some(&[0x0403]), ..offer(TLS12_ONLY, &[0xC02B]) };
        serves(Settings::default(), ecdsa, "an identity with a key of ECDSA (P-256)");
        serves(
            Settings { versions: "TLSv1.3", ..Settings::default() },
            offer(TLS12_ONLY, &[0xC02F]),
            "versions=TLSv1.3,TLSv1.2",
        );
    }

    #[test]
    fn client_that_offers_only_what_is_never_served_is_told_the_reason() {
        for engine in [None, Some((LegacyAllowed::default(), true))] {
            let settings = Settings { engine, ..Settings::default() };
            for (suites, reason) in [
                (&[0x0004, 0x0005], "RC4 is broken and prohibited (RFC 7465)"),
                (&[0x003B, 0x0002], "no encryption (NULL)"),
                (&[0x0003, 0x0006], "export-grade encryption is broken"),
                (&[0x0034, 0xC018], "no authentication (anonymous)"),
                (&[0x0009, 0x0015], "DES encryption is broken"),
                (&[0x0030, 0x0036], "static Diffie-Hellman key exchange: not in OpenSSL since 1.1.0"),
                (&[0xC004, 0xC00E], "static ECDH key exchange: not in OpenSSL since 1.1.0"),
            ] as [(&'static [u16], &str); 7]
            {
                never_serves(settings, offer(TLS12_ONLY, suites), reason);
            }
            never_serves(settings, offer(&[], &[0x002F]), "SSL 3.0 is broken and prohibited (RFC 7568)");
            let md5 = OfferedParts { signatures: Some(&[0x0101]), ..offer(TLS12_ONLY, &[0xC013]) };
            never_serves(settings, md5, "none of its signature algorithms is served");
            let weak = OfferedParts { groups: Some(&[1, 19]), ..offer(TLS12_ONLY, &[0xC013]) };
            never_serves(settings, weak, "none of its key exchange groups is served");
        }
    }

    #[test]
    fn client_that_is_served_or_offers_nothing_known_gets_no_advice() {
        let engine = Settings { engine: Some(Default::default()), ..Settings::default() };
        assert_eq!(advice(engine, offer(TLS12_ONLY, &[0xC013, 0x0004])), None);
        assert_eq!(advice(engine, offer(TLS12_ONLY, &[0x0A0A, 0x00FF, 0x5600])), None);
        assert_eq!(advice(engine, offer(TLS12_ONLY, &[])), None);
        // TLS 1.2 is chosen, so that an older version is no help.
        let both = offer(&[0x0303, 0x0301], &[0x002F]);
        serves(engine, both, "legacy-allow=legacy-rsa-key-exchange");
    }
}
