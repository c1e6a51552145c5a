//! The verdict on a suite: which engine serves it, which setting would, or why none does.

use crate::policy::suite_table::SUITES;
use crate::policy::suites::{Auth, Enc, Kx, Mac, Suite};

/// Weak parts that an operator allows by name, for peers that have nothing better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LegacyAllowed {
    /// RSA key exchange, which has no forward secrecy, also with a pre-shared key: `legacy-rsa-key-exchange`.
    pub rsa_key_exchange: bool,
    /// Signatures over SHA-1 in TLS 1.2: `legacy-sha1-signatures`.
    pub sha1_signatures: bool,
    /// Triple-DES: `legacy-3des`.
    pub triple_des: bool,
    /// DSS: certificates with a DSA key of the server: `legacy-dss`.
    pub dss: bool,
}

pub(super) const RSA_KEY_EXCHANGE: &str = "legacy-rsa-key-exchange";
pub(super) const SHA1_SIGNATURES: &str = "legacy-sha1-signatures";
const TRIPLE_DES: &str = "legacy-3des";
const DSS: &str = "legacy-dss";

impl LegacyAllowed {
    /// The names of all switches.
    pub(crate) const NAMES: [&'static str; 4] = [RSA_KEY_EXCHANGE, SHA1_SIGNATURES, TRIPLE_DES, DSS];

    /// Allows a part by the name of its switch. Returns false for an unknown name.
    pub(crate) fn allow(&mut self, name: &str) -> bool {
        match name {
            RSA_KEY_EXCHANGE => self.rsa_key_exchange = true,
            SHA1_SIGNATURES => self.sha1_signatures = true,
            TRIPLE_DES => self.triple_des = true,
            DSS => self.dss = true,
            _ => return false,
        }
        true
    }

    /// Returns true if a switch is on. Other settings are not switches.
    pub(super) fn allows(self, name: &str) -> bool {
        self.names().contains(&name)
    }

    /// The names of the switches that are on.
    pub(super) fn names(self) -> Vec<&'static str> {
        let are_on = [self.rsa_key_exchange, self.sha1_signatures, self.triple_des, self.dss];
        Self::NAMES.into_iter().zip(are_on).filter(|(_, is_on)| *is_on).map(|(name, _)| name).collect()
    }

    /// The lines of the log about the switches that are on.
    pub(crate) fn warnings(self) -> impl Iterator<Item = &'static str> {
        let lines = [
            (
                self.rsa_key_exchange,
                "legacy-rsa-key-exchange: RSA key exchange is allowed. It has no forward secrecy: with the key of the \
                 server, recorded connections can be read.",
            ),
            (
                self.sha1_signatures,
                "legacy-sha1-signatures: signatures over SHA-1 are allowed in TLS 1.2. SHA-1 has collisions.",
            ),
            (
                self.triple_des,
                "legacy-3des: triple-DES is allowed. Its blocks are short: long connections can be read (RFC 8429).",
            ),
            (
                self.dss,
                "legacy-dss: certificates with DSA keys are allowed. A weak random number in a signature gives the key \
                 away.",
            ),
        ];
        lines.into_iter().filter(|(is_on, _)| *is_on).map(|(_, line)| line)
    }
}

/// The means of the second engine.
#[derive(Clone, Debug, Default)]
pub(crate) struct SecondMeans {
    pub(crate) allowed: LegacyAllowed,
    /// True if there are pre-shared keys.
    pub(crate) has_psk: bool,
    /// The suites of the OpenSSL that is loaded, as on the wire.
    pub(crate) known: Vec<u16>,
}

impl SecondMeans {
    /// The lines of the log about what weakens a context.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.allowed.warnings().map(str::to_owned).collect();
        let is_triple_des = |suite: &&Suite| suite.enc == Enc::TripleDes && self.known.contains(&suite.id);
        if self.allowed.triple_des && !SUITES.iter().any(|suite| is_triple_des(&suite)) {
            lines.push("legacy-3des: the OpenSSL of this system has no suite with triple-DES".to_owned());
        }
        let is_dss = |suite: &&Suite| suite.auth == Auth::Dss && self.known.contains(&suite.id);
        if self.allowed.dss && !SUITES.iter().any(|suite| is_dss(&suite)) {
            lines.push("legacy-dss: the OpenSSL of this system has no suite with DSS".to_owned());
        }
        lines
    }
}

/// The reasons why no engine serves a suite; none if one does.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    obstacles: Vec<&'static str>,
    /// The settings that would serve it.
    switches: Vec<&'static str>,
}

impl Verdict {
    pub(crate) fn is_served(&self) -> bool {
        self.obstacles.is_empty() && self.switches.is_empty()
    }

    /// The reason for a rule with these suites: each obstacle once, and the fewest settings that serve one of them.
    pub(crate) fn reason(verdicts: &[Self]) -> String {
        let mut obstacles: Vec<&str> = Vec::new();
        for obstacle in verdicts.iter().flat_map(|verdict| &verdict.obstacles) {
            if !obstacles.contains(obstacle) {
                obstacles.push(obstacle);
            }
        }
        let switches = verdicts.iter().map(|verdict| &verdict.switches).filter(|switches| !switches.is_empty());
        match switches.min_by_key(|switches| switches.len()) {
            Some(switches) => format!("{}; needs {}", obstacles.join(", "), switches.join(" and ")),
            None => obstacles.join(", "),
        }
    }
}

/// Judges a suite. Without means, rustls is alone.
pub(crate) fn verdict(suite: &Suite, means: Option<&SecondMeans>) -> Verdict {
    match suite.served() {
        Some(_) => Verdict::default(),
        None => verdict_of_second(suite, means),
    }
}

pub(super) fn verdict_of_second(suite: &Suite, means: Option<&SecondMeans>) -> Verdict {
    let never = refusal(suite);
    let Some(means) = means else {
        let switches =
            if never.is_none() { Some("legacy-engine").into_iter().chain(needs(suite)).collect() } else { vec![] };
        return Verdict { obstacles: suite.obstacles(), switches };
    };
    if let Some(why) = never {
        return Verdict { obstacles: vec![why], switches: Vec::new() };
    }
    let lacking = |switch: &&str| match *switch {
        PSK => !means.has_psk,
        switch => !means.allowed.allows(switch),
    };
    let switches: Vec<&'static str> = needs(suite).filter(lacking).collect();
    let mut obstacles: Vec<&'static str> = switches.iter().map(|switch| meaning(switch)).collect();
    if !means.known.contains(&suite.id) {
        obstacles.push("the OpenSSL of this system does not have it");
    }
    Verdict { obstacles, switches }
}

/// The setting that gives pre-shared keys.
pub(super) const PSK: &str = "psk-file";

/// The settings without which the second engine does not serve a suite.
pub(super) fn needs(suite: &Suite) -> impl Iterator<Item = &'static str> {
    let settings = [
        (matches!(suite.kx, Kx::Psk | Kx::DhePsk | Kx::EcdhePsk | Kx::RsaPsk), PSK),
        (matches!(suite.kx, Kx::Rsa | Kx::RsaPsk), RSA_KEY_EXCHANGE),
        (suite.enc == Enc::TripleDes, TRIPLE_DES),
        (suite.auth == Auth::Dss, DSS),
    ];
    settings.into_iter().filter(|(is_needed, _)| *is_needed).map(|(_, setting)| setting)
}

/// The settings that a context needs to serve a suite by the second engine, by the suite's number.
pub(crate) fn settings_of_suite(id: u16) -> impl Iterator<Item = &'static str> {
    Suite::by_id(id).into_iter().flat_map(needs)
}

/// The part of a suite that a setting allows.
fn meaning(setting: &str) -> &'static str {
    match setting {
        RSA_KEY_EXCHANGE => "RSA key exchange (no forward secrecy)",
        TRIPLE_DES => "triple-DES encryption",
        DSS => "DSS certificates",
        _ => "pre-shared keys",
    }
}

/// The reason why a suite is never served, whatever the settings.
pub(super) fn refusal(suite: &Suite) -> Option<&'static str> {
    match suite.enc {
        Enc::Rc4 => return Some("RC4 is broken and prohibited (RFC 7465)"),
        Enc::Export => return Some("export-grade encryption is broken"),
        Enc::Des => return Some("DES encryption is broken"),
        Enc::Null => return Some("no encryption (NULL)"),
        Enc::Seed => return Some("SEED encryption is not served"),
        Enc::Idea => return Some("IDEA encryption is not served"),
        Enc::Sm4 => return Some("SM4 encryption is not served"),
        Enc::Gost => return Some("GOST encryption is not served"),
        _ => {}
    }
    if suite.auth == Auth::Null {
        return Some("no authentication (anonymous)");
    }
    match suite.kx {
        Kx::Dh => return Some("static Diffie-Hellman key exchange: not in OpenSSL since 1.1.0"),
        Kx::Ecdh => return Some("static ECDH key exchange: not in OpenSSL since 1.1.0"),
        Kx::Srp => return Some("SRP passwords are not served"),
        Kx::Krb5 => return Some("Kerberos is not served"),
        Kx::Gost => return Some("GOST key exchange is not served"),
        _ => {}
    }
    match (suite.mac, suite.openssl) {
        (Mac::Md5, _) => Some("MD5 is broken"),
        (_, "") => Some("OpenSSL never had it"),
        _ => None,
    }
}
