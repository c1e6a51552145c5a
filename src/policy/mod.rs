//! Policy: the protocol versions, cipher suites and key exchange groups of a context, parsed from texts of the user.
//!
//! Names of OpenSSL, Java, Erlang and the IANA registry are accepted. A known name that is not supported is reported
//! with the reason. An unknown name is an error. This room opens no files and does not use certificates.
//!
//! Settings combine as follows:
//! - A missing setting takes the default of the preset.
//! - A version without a suite or a group is removed and reported. It is an error if no other version remains, or
//!   nothing that the user named.
//! - As in OpenSSL, a cipher string does not change the suites of TLS 1.3 unless it names some of them. A cipher string
//!   that leaves no suite of TLS 1.2 is an error.

mod cipher_string;
mod groups;
mod keywords;
pub(crate) mod names;
mod not_served;
mod second;
mod signatures;
mod suite_table;
mod suites;
mod version;

use rustls::crypto::aws_lc_rs::{DEFAULT_CIPHER_SUITES, default_provider};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::version::{TLS12, TLS13};
use rustls::{SupportedCipherSuite, SupportedProtocolVersion};

use crate::error::{Code, Error, Result};
use crate::random;
pub(crate) use groups::{name_on_the_wire as group_name_on_the_wire, served as served_groups};
pub use not_served::NotServed;
pub use second::LegacyAllowed;
pub(crate) use second::{
    KeyKind, OfferedParts, Policies, SecondMeans, SecondPolicy, Standing, StandingKeys, of_both, restricted_both,
    settings_of_suite,
};
pub(crate) use signatures::{are_sha1_alone, key_kind, served_signatures, signature_names, signatures_named};
use suites::{Since, Suite};
pub(crate) use version::{name_of as version_name, number_of as version_number};

/// A starting point that the other settings refine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preset {
    /// TLS 1.3 only.
    Modern,
    /// TLS 1.2 and 1.3.
    #[default]
    Intermediate,
}

impl Preset {
    /// Returns the preset of a name, in any case.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for an unknown name.
    pub fn from_name(name: &str) -> Result<Self> {
        let presets = [Self::Modern, Self::Intermediate];
        presets.into_iter().find(|preset| preset.name().eq_ignore_ascii_case(name.trim())).ok_or_else(|| {
            let detail = format!("no preset is called {}; there are modern and intermediate", names::quoted(name));
            Error::new(Code::InvalidArgument, detail)
        })
    }

    /// The name in a configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Modern => "modern",
            Self::Intermediate => "intermediate",
        }
    }
}

/// The settings as texts of the user. `None` selects the default of the preset.
#[derive(Clone, Debug, Default)]
pub struct PolicySpec {
    /// The preset. Versions that it does not allow are removed, even if they are named.
    pub preset: Preset,
    /// Protocol versions, e.g. `TLSv1.2,TLSv1.3`, `["tlsv1.3"]`, `TLS` for all, or a digit of ArangoDB's.
    pub versions: Option<String>,
    /// An OpenSSL cipher string, or OpenSSL, Java or IANA names with commas, colons or spaces between.
    pub cipher_suites: Option<String>,
    /// Key exchange groups, e.g. `X25519MLKEM768:X25519:P-256`.
    pub groups: Option<String>,
}

/// The versions, suites and groups of a context. None is empty, and each version has a suite and a group.
#[derive(Clone, Debug)]
pub struct Policy {
    versions: Vec<&'static SupportedProtocolVersion>,
    cipher_suites: Vec<SupportedCipherSuite>,
    groups: Vec<&'static dyn SupportedKxGroup>,
    not_served: Vec<NotServed>,
}

impl Default for Policy {
    /// TLS 1.2 and 1.3 with all supported suites, and the hybrid group X25519MLKEM768 first.
    fn default() -> Self {
        Self {
            versions: version::ALL.to_vec(),
            cipher_suites: DEFAULT_CIPHER_SUITES.to_vec(),
            groups: groups::default_groups(),
            not_served: Vec::new(),
        }
    }
}

impl Policy {
    /// Parses the settings.
    ///
    /// # Errors
    /// - `VERSION_NOT_SUPPORTED`: a version is unknown, or none of the list is supported.
    /// - `CIPHER_NOT_SUPPORTED`: a word of the cipher string is unknown, or its form is wrong.
    /// - `NO_CIPHER_SUITE`: no suite is left; the detail lists each name and its reason.
    /// - `GROUP_NOT_SUPPORTED`: a group is unknown, or none is left for any version.
    /// - `OPTION_CONFLICT`: the preset allows none of the named versions.
    pub fn from_spec(spec: &PolicySpec) -> Result<Self> {
        Self::parse(spec, false)
    }

    /// Parses the settings for rustls beside the second engine, which may serve TLS 1.2 alone.
    ///
    /// # Errors
    /// As for [`Policy::from_spec`].
    fn beside_second(spec: &PolicySpec) -> Result<Self> {
        Self::parse(spec, true)
    }

    fn parse(spec: &PolicySpec, is_beside_second: bool) -> Result<Self> {
        let mut policy = Self::default();
        policy.set_versions(spec)?;
        if let Some(list) = &spec.groups {
            policy.set_groups(list)?;
        }
        match &spec.cipher_suites {
            Some(text) => policy.set_cipher_suites(text, is_beside_second)?,
            None => policy.keep_suites_of_versions(),
        }
        Ok(policy)
    }

    /// Restricts the policy to the given versions and suites. As in Java, a list of suites without one of TLS 1.3
    /// allows no TLS 1.3.
    ///
    /// # Errors
    /// As for [`Policy::from_spec`].
    pub(crate) fn restricted(spec: &PolicySpec, versions: Option<&str>, suites: Option<&str>) -> Result<Self> {
        let mut spec = spec.clone();
        if let Some(versions) = versions {
            spec.versions = Some(versions.to_owned());
        }
        let Some(suites) = suites else { return Self::from_spec(&spec) };
        spec.cipher_suites = None;
        let mut policy = Self::from_spec(&spec)?;
        let named = served_suites(suites)?;
        policy.cipher_suites = named.into_iter().filter(|suite| policy.versions.contains(&suite.version())).collect();
        policy.versions.retain(|version| policy.cipher_suites.iter().any(|suite| suite.version() == *version));
        match policy.versions.is_empty() {
            true => Err(Error::new(Code::NoCipherSuite, "none of the suites is one of the versions")),
            false => Ok(policy),
        }
    }

    /// The protocol versions, the newest first.
    pub fn versions(&self) -> &[&'static SupportedProtocolVersion] {
        &self.versions
    }

    /// The cipher suites of the allowed versions, in order of preference.
    pub fn cipher_suites(&self) -> &[SupportedCipherSuite] {
        &self.cipher_suites
    }

    /// The key exchange groups in order of preference; a client sends a key share for the first.
    pub fn groups(&self) -> &[&'static dyn SupportedKxGroup] {
        &self.groups
    }

    /// The configured names that are not supported, with reasons.
    pub fn not_served(&self) -> &[NotServed] {
        &self.not_served
    }

    /// The provider of cryptography with these suites and groups.
    pub fn provider(&self) -> CryptoProvider {
        CryptoProvider {
            cipher_suites: self.cipher_suites.clone(),
            kx_groups: self.groups.clone(),
            secure_random: random::GENERATOR,
            ..default_provider()
        }
    }

    /// The names of the versions, e.g. `TLSv1.3`.
    pub fn version_names(&self) -> Vec<&'static str> {
        self.versions.iter().map(|version| version::name(version)).collect()
    }

    /// The IANA names of the cipher suites.
    pub fn cipher_suite_names(&self) -> Vec<&'static str> {
        names_of(self.cipher_suites.iter().copied())
    }

    /// The names of the groups, e.g. `X25519MLKEM768`.
    pub fn group_names(&self) -> Vec<&'static str> {
        self.groups.iter().map(|group| groups::name(*group)).collect()
    }

    fn set_versions(&mut self, spec: &PolicySpec) -> Result<()> {
        let Some(list) = &spec.versions else {
            if spec.preset == Preset::Modern {
                self.versions = vec![&TLS13];
            }
            return Ok(());
        };
        let named = version::parse(list)?;
        if named.allowed.is_empty() {
            return Err(Error::new(Code::VersionNotSupported, NotServed::list(&named.not_served)));
        }
        self.versions = named.allowed;
        self.not_served = named.not_served;
        if spec.preset == Preset::Modern && self.versions.contains(&&TLS12) {
            self.versions.retain(|version| *version == &TLS13);
            NotServed::add(&mut self.not_served, "TLSv1.2", "the preset modern allows TLS 1.3 only");
            if self.versions.is_empty() {
                return Err(Error::new(Code::OptionConflict, NotServed::list(&self.not_served)));
            }
        }
        Ok(())
    }

    fn set_groups(&mut self, list: &str) -> Result<()> {
        let named = groups::parse(list)?;
        self.groups = named.groups;
        self.not_served.extend(named.not_served);
        if self.groups.is_empty() {
            return Err(Error::new(Code::GroupNotSupported, NotServed::list(&self.not_served)));
        }
        let groups = &self.groups;
        let has_group =
            |version: &SupportedProtocolVersion| groups.iter().any(|group| group.usable_for_version(version.version));
        let (kept, dropped): (Vec<_>, Vec<_>) = self.versions.iter().copied().partition(|version| has_group(version));
        for version in dropped {
            NotServed::add(&mut self.not_served, version::name(version), "none of the groups is one of this version");
        }
        self.versions = kept;
        match self.versions.is_empty() {
            true => {
                let error = Error::new(Code::GroupNotSupported, NotServed::list(&self.not_served));
                Err(error.with_hint("Allow TLSv1.3 too, or a group of TLSv1.2: X25519, secp256r1 or secp384r1."))
            }
            false => Ok(()),
        }
    }

    fn set_cipher_suites(&mut self, text: &str, is_beside_second: bool) -> Result<()> {
        let selection = cipher_string::select(text)?;
        self.not_served.extend(selection.not_served);
        let allows = |version| self.versions.contains(&version);
        let (tls12, tls13) = (allows(&TLS12), allows(&TLS13));
        for suite in selection.named.into_iter().filter(|suite| suite.served().is_some()) {
            let (is_allowed, version) = match suite.since {
                Since::Tls13 => (tls13, "TLSv1.3"),
                Since::Tls12 | Since::Tls10 | Since::Ssl3 => (tls12, "TLSv1.2"),
            };
            if !is_allowed {
                NotServed::add(&mut self.not_served, suite.iana, format!("{version} is not allowed"));
            }
        }
        let tls13_suites = if tls13 { selection.tls13 } else { Vec::new() };
        let tls12_suites = if tls12 { selection.tls12 } else { Vec::new() };
        // A string for TLS 1.2 that leaves no suite of it is a mistake, although the suites of TLS 1.3 remain.
        let is_mistake = tls12 && tls12_suites.is_empty() && selection.speaks_of_tls12 && !selection.names_tls13;
        let is_mistake = is_mistake && !is_beside_second;
        if is_mistake || (tls12_suites.is_empty() && tls13_suites.is_empty()) {
            let detail = match self.not_served.as_slice() {
                [] => "the cipher string selects none".to_owned(),
                lines => NotServed::list(lines),
            };
            return Err(Error::new(Code::NoCipherSuite, detail));
        }
        for (version, suites) in [(&TLS13, &tls13_suites), (&TLS12, &tls12_suites)] {
            if self.versions.contains(&version) && suites.is_empty() {
                let reason = "the cipher suites leave none of this version";
                NotServed::add(&mut self.not_served, version::name(version), reason);
                self.versions.retain(|kept| *kept != version);
            }
        }
        self.cipher_suites = tls13_suites.into_iter().chain(tls12_suites).filter_map(Suite::served).collect();
        Ok(())
    }

    fn keep_suites_of_versions(&mut self) {
        let versions = &self.versions;
        self.cipher_suites.retain(|suite| versions.contains(&suite.version()));
    }
}

/// The supported suites of a list, in its order.
fn served_suites(names: &str) -> Result<Vec<SupportedCipherSuite>> {
    let selection = cipher_string::select(names)?;
    let served: Vec<_> = selection.named.into_iter().filter_map(Suite::served).collect();
    match served.is_empty() {
        true => Err(Error::new(Code::NoCipherSuite, NotServed::list(&selection.not_served))),
        false => Ok(served),
    }
}

fn names_of(suites: impl IntoIterator<Item = SupportedCipherSuite>) -> Vec<&'static str> {
    suites.into_iter().map(|suite| cipher_suite_name(u16::from(suite.suite()))).collect()
}

/// Returns the IANA names of the supported suites of a list, in its order.
///
/// # Errors
/// `CIPHER_NOT_SUPPORTED` for an unknown name, and `NO_CIPHER_SUITE`, with reasons, if no suite is left.
pub fn served_cipher_suites(names: &str) -> Result<Vec<&'static str>> {
    served_suites(names).map(names_of)
}

/// Returns what [`served_cipher_suites`] does, and also the suites of the list that `more` has by their IANA names:
/// those of a context with a second engine.
///
/// # Errors
/// As for [`served_cipher_suites`].
pub fn served_cipher_suites_beside(names: &str, more: &[String]) -> Result<Vec<&'static str>> {
    let selection = cipher_string::select(names)?;
    let is_known = |suite: &&Suite| suite.served().is_some() || more.iter().any(|known| known == suite.iana);
    let served: Vec<_> = selection.named.iter().copied().filter(is_known).map(|suite| suite.iana).collect();
    match served.is_empty() {
        true => Err(Error::new(Code::NoCipherSuite, NotServed::list(&selection.not_served))),
        false => Ok(served),
    }
}

/// Returns what [`served_versions`] does, and also the versions of the list that `more` has: those of a context with a
/// second engine.
///
/// # Errors
/// As for [`served_versions`].
pub fn served_versions_beside(names: &str, more: &[String]) -> Result<Vec<&'static str>> {
    let named = version::on_the_wire(names)?.into_iter().map(version::name_on_the_wire);
    let is_known = |name: &&str| supported_versions().contains(name) || more.iter().any(|known| known == name);
    let served: Vec<_> = named.filter(is_known).collect();
    if served.is_empty() { served_versions(names) } else { Ok(served) }
}

/// Returns the names of the supported versions of a list, the newest first.
///
/// # Errors
/// `VERSION_NOT_SUPPORTED` for an unknown name and, with reasons, if no version is left.
pub fn served_versions(names: &str) -> Result<Vec<&'static str>> {
    let spec = PolicySpec { versions: Some(names.to_owned()), ..PolicySpec::default() };
    Policy::from_spec(&spec).map(|policy| policy.version_names())
}

/// The list of versions of these settings without those of `off`, as on the wire; `None` if it stays as it is.
///
/// # Errors
/// `VERSION_NOT_SUPPORTED` for an unknown name, and if no version is left.
pub(crate) fn versions_without(spec: &PolicySpec, off: &[u16]) -> Result<Option<String>> {
    if off.is_empty() {
        return Ok(None);
    }
    let default = if spec.preset == Preset::Modern { "TLSv1.3" } else { "TLSv1.3,TLSv1.2" };
    let list = spec.versions.as_deref().unwrap_or(default);
    match version::on_the_wire(list)?.iter().any(|version| off.contains(version)) {
        true => version::without(list, off).map(Some),
        false => Ok(None),
    }
}

/// The IANA names of all supported suites, in order of preference.
pub fn supported_cipher_suites() -> Vec<&'static str> {
    names_of(DEFAULT_CIPHER_SUITES.iter().copied())
}

/// All supported protocol versions, the newest first.
pub fn supported_versions() -> Vec<&'static str> {
    version::ALL.iter().map(|version| version::name(version)).collect()
}

/// Returns the IANA name of a cipher suite by its number on the wire, or `unknown`.
pub fn cipher_suite_name(id: u16) -> &'static str {
    Suite::by_id(id).map_or("unknown", |suite| suite.iana)
}

/// Returns OpenSSL's name of a cipher suite by its number on the wire, if there is one.
pub fn cipher_suite_openssl_name(id: u16) -> Option<&'static str> {
    Suite::by_id(id).map(|suite| suite.openssl).filter(|name| !name.is_empty())
}
