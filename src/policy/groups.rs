//! Key exchange groups by their names in OpenSSL, Java and the IANA registry.

use rustls::crypto::SupportedKxGroup;
use rustls::{NamedGroup, ProtocolVersion};

use super::names::{MAX_LIST_BYTES, did_you_mean, items, nearest, quoted};
use super::not_served::NotServed;
use crate::error::{Code, Error, Result};
use crate::random::kx_group;

/// A supported group.
pub(super) type Group = &'static dyn SupportedKxGroup;

/// The result of a list of groups.
#[derive(Debug, Default)]
pub(super) struct Groups {
    /// The groups of rustls, in the order of the list; may be empty.
    pub(super) groups: Vec<Group>,
    /// The groups of the second engine, likewise.
    pub(super) of_second: Vec<&'static SecondGroup>,
    /// The groups of the list that rustls does not serve.
    pub(super) not_served: Vec<NotServed>,
    /// The groups of the list that neither engine serves.
    pub(super) of_neither: Vec<NotServed>,
}

/// A group of the second engine.
#[derive(Debug)]
pub(super) struct SecondGroup {
    /// All names, the first of which is OpenSSL's.
    names: &'static [&'static str],
    /// The value on the wire.
    pub(super) id: u16,
    /// True for a curve of ECDHE up to TLS 1.2.
    pub(super) is_of_tls12: bool,
    pub(super) is_of_tls13: bool,
}

impl SecondGroup {
    /// OpenSSL's name.
    pub(super) fn name(&self) -> &'static str {
        self.names.first().copied().unwrap_or_default()
    }
}

const fn of_second(names: &'static [&'static str], id: u16, is_of_tls12: bool, is_of_tls13: bool) -> SecondGroup {
    SecondGroup { names, id, is_of_tls12, is_of_tls13 }
}

/// The groups of the second engine. The first three are its default.
static SECOND: &[SecondGroup] = &[
    of_second(&["X25519"], 29, true, true),
    of_second(&["secp256r1"], 23, true, true),
    of_second(&["secp384r1"], 24, true, true),
    of_second(&["secp521r1", "p-521", "p521", "nistp521"], 25, true, true),
    of_second(&["X448", "ecdh_x448", "curve448"], 30, true, true),
    of_second(&["brainpoolP256r1"], 26, true, false),
    of_second(&["brainpoolP384r1"], 27, true, false),
    of_second(&["brainpoolP512r1"], 28, true, false),
    of_second(&["ffdhe2048"], 256, false, true),
    of_second(&["ffdhe3072"], 257, false, true),
    of_second(&["ffdhe4096"], 258, false, true),
    of_second(&["ffdhe6144"], 259, false, true),
    of_second(&["ffdhe8192"], 260, false, true),
];

/// The default of the second engine: that of rustls, as far as both know the groups.
pub(super) fn default_of_second() -> Vec<&'static SecondGroup> {
    SECOND.iter().take(3).collect()
}

/// The group of the second engine with this name, in any spelling that rustls' groups have too.
fn second_named(name: &str) -> Option<&'static SecondGroup> {
    let printed = SERVED.iter().find(|(names, _)| is_one_of(name, names)).and_then(|(names, _)| names.first().copied());
    let name = printed.unwrap_or(name);
    SECOND.iter().find(|group| is_one_of(name, group.names))
}

/// The default: the hybrid of X25519 and ML-KEM first.
pub(super) fn default_groups() -> Vec<Group> {
    vec![kx_group::X25519MLKEM768, kx_group::X25519, kx_group::SECP256R1, kx_group::SECP384R1]
}

/// The supported groups: the printed name, then the others. Case is ignored.
static SERVED: &[(&[&str], Group)] = &[
    (&["X25519MLKEM768"], kx_group::X25519MLKEM768),
    (&["X25519", "ecdh_x25519", "curve25519"], kx_group::X25519),
    (&["secp256r1", "p-256", "p256", "prime256v1", "nistp256"], kx_group::SECP256R1),
    (&["secp384r1", "p-384", "p384", "nistp384"], kx_group::SECP384R1),
    (&["SecP256r1MLKEM768"], kx_group::SECP256R1MLKEM768),
    (&["MLKEM768"], kx_group::MLKEM768),
    (&["MLKEM1024"], kx_group::MLKEM1024),
];

const NIST: &str = "of the NIST curves, P-256 and P-384 are served";
const FFDHE: &str = "finite-field Diffie-Hellman key exchange is not served";
const OLD_CURVE: &str = "the curve is not one of TLS 1.3 (RFC 8446 section 4.2.7)";
const WITH_SECOND: &str = "; needs legacy-engine";
const NO_CODE: &str = "it is not implemented here";
const DRAFT: &str = "the draft was replaced by X25519MLKEM768";

/// The known groups that are not supported, with the reason.
const NOT_SERVED: &[(&[&str], &str)] = &[
    (&["secp521r1", "p-521", "p521", "nistp521"], NIST),
    (&["x448", "ecdh_x448", "curve448"], NO_CODE),
    (&["mlkem512", "secp384r1mlkem1024", "curvesm2mlkem768", "curvesm2", "sm2"], NO_CODE),
    (&["x25519kyber768draft00", "x25519_kyber768", "p256_kyber768", "secp256r1kyber768draft00"], DRAFT),
    (&["ffdhe2048", "ffdhe3072", "ffdhe4096", "ffdhe6144", "ffdhe8192"], FFDHE),
    (&["secp160k1", "secp160r1", "secp160r2", "secp192k1", "secp192r1", "prime192v1", "p-192"], OLD_CURVE),
    (&["secp224k1", "secp224r1", "p-224", "secp256k1"], OLD_CURVE),
    (&["brainpoolp256r1", "brainpoolp384r1", "brainpoolp512r1"], OLD_CURVE),
    (&["brainpoolp256r1tls13", "brainpoolp384r1tls13", "brainpoolp512r1tls13"], NO_CODE),
    (&["sect163k1", "sect163r1", "sect163r2", "sect193r1", "sect193r2", "sect233k1", "sect233r1"], OLD_CURVE),
    (&["sect239k1", "sect283k1", "sect283r1", "sect409k1", "sect409r1", "sect571k1", "sect571r1"], OLD_CURVE),
    (&["gc256a", "gc256b", "gc256c", "gc256d", "gc512a", "gc512b", "gc512c"], NO_CODE),
];

/// The meaning of a name in the list.
enum Named {
    Served(Group),
    NotServed(&'static str),
    Unknown,
}

fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|alias| alias.eq_ignore_ascii_case(name))
}

fn named(name: &str) -> Named {
    if let Some((_, group)) = SERVED.iter().find(|(names, _)| is_one_of(name, names)) {
        return Named::Served(*group);
    }
    match NOT_SERVED.iter().find(|(names, _)| is_one_of(name, names)) {
        Some((_, reason)) => Named::NotServed(reason),
        None => Named::Unknown,
    }
}

/// The largest number of names in a message.
const MAX_NAMES: usize = 16;

/// Parses a list of groups in OpenSSL's form.
///
/// `?` before a name ignores it if it is unknown, `-` removes a group, `DEFAULT` stands for the default list, and `/`
/// separates like `:`. `*` (send a key share for this group) has no effect: the first group gets one.
///
/// # Errors
/// `GROUP_NOT_SUPPORTED` for an unknown name and for a list without any. A list of which an engine serves nothing is no
/// error here.
pub(super) fn parse(list: &str) -> Result<Groups> {
    if list.len() > MAX_LIST_BYTES {
        return Err(Error::new(Code::GroupNotSupported, "the list of groups is too long"));
    }
    let mut found = Groups::default();
    for item in items(list).flat_map(|item| item.split('/')).filter(|item| !item.is_empty()) {
        found.apply(item)?;
    }
    if found.groups.is_empty() && found.of_second.is_empty() && found.not_served.is_empty() {
        return Err(Error::new(Code::GroupNotSupported, "the list of groups is empty"));
    }
    Ok(found)
}

impl Groups {
    fn apply(&mut self, item: &str) -> Result<()> {
        let name = item.trim_start_matches(['?', '*', '-']);
        let marks = &item[..item.len() - name.len()];
        if name.eq_ignore_ascii_case("DEFAULT") && marks.is_empty() {
            default_groups().into_iter().for_each(|group| self.add(group));
            default_of_second().into_iter().for_each(|group| self.add_of_second(group));
            return Ok(());
        }
        let second = second_named(name);
        match second {
            Some(group) if marks.contains('-') => self.of_second.retain(|kept| kept.id != group.id),
            Some(group) => self.add_of_second(group),
            None => {}
        }
        match named(name) {
            Named::Served(group) if marks.contains('-') => self.groups.retain(|kept| kept.name() != group.name()),
            Named::Served(group) => self.add(group),
            Named::NotServed(_) if marks.contains(['-', '?']) => {}
            Named::NotServed(reason) => match second {
                Some(_) => NotServed::add(&mut self.not_served, name, format!("{reason}{WITH_SECOND}")),
                None => {
                    NotServed::add(&mut self.not_served, name, reason);
                    NotServed::add(&mut self.of_neither, name, reason);
                }
            },
            Named::Unknown if marks.contains('?') => {}
            Named::Unknown => {
                let known = SERVED.iter().flat_map(|(names, _)| names.iter().copied());
                let near = nearest(name, known);
                let detail = format!("no group is called {}", did_you_mean(name, &near));
                return Err(Error::new(Code::GroupNotSupported, detail));
            }
        }
        Ok(())
    }

    /// Returns true if a group is of the second engine alone.
    pub(super) fn names_other(&self) -> bool {
        self.of_second.iter().any(|group| matches!(named(group.name()), Named::NotServed(_) | Named::Unknown))
    }

    fn add_of_second(&mut self, group: &'static SecondGroup) {
        if self.of_second.iter().all(|kept| kept.id != group.id) {
            self.of_second.push(group);
        }
    }

    fn add(&mut self, group: Group) {
        if self.groups.iter().all(|kept| kept.name() != group.name()) {
            self.groups.push(group);
        }
    }
}

/// Returns those of the names that are of groups with an engine: of rustls, or of the second one if there is one.
///
/// # Errors
/// `GROUP_NOT_SUPPORTED` if no name is left.
pub(crate) fn served(names: &[String], has_second: bool) -> Result<Vec<String>> {
    let is_served =
        |name: &&String| matches!(named(name), Named::Served(_)) || has_second && second_named(name).is_some();
    let served: Vec<String> = names.iter().filter(is_served).cloned().collect();
    if !served.is_empty() {
        return Ok(served);
    }
    let mut lines = Vec::new();
    for name in names.iter().take(MAX_NAMES) {
        let reason = match named(name) {
            Named::NotServed(reason) => reason,
            _ => "no group is called so",
        };
        NotServed::add(&mut lines, quoted(name), reason);
    }
    Err(Error::new(Code::GroupNotSupported, NotServed::list(&lines)))
}

/// A group that an engine has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub(super) id: u16,
    pub(super) name: &'static str,
    pub(super) is_of_rustls: bool,
}

/// Returns the group of a value on the wire, if an engine has it in TLS 1.3, or in the versions before.
pub(super) fn known(id: u16, is_of_tls13: bool) -> Option<Known> {
    let version = if is_of_tls13 { ProtocolVersion::TLSv1_3 } else { ProtocolVersion::TLSv1_2 };
    let is_usable = |group: &Group| u16::from(group.name()) == id && group.usable_for_version(version);
    if let Some((_, group)) = SERVED.iter().find(|(_, group)| is_usable(group)) {
        return Some(Known { id, name: name(*group), is_of_rustls: true });
    }
    let is_usable = |group: &SecondGroup| if is_of_tls13 { group.is_of_tls13 } else { group.is_of_tls12 };
    let group = SECOND.iter().find(|group| group.id == id && is_usable(group))?;
    Some(Known { id, name: group.name(), is_of_rustls: false })
}

/// The name of a group of a connection. rustls has none for the curves of brainpool.
pub(crate) fn name_on_the_wire(group: NamedGroup) -> Option<&'static str> {
    let of_second = SECOND.iter().find(|known| known.id == u16::from(group));
    of_second.map(SecondGroup::name).or_else(|| group.as_str())
}

/// The printed name of a supported group.
pub(super) fn name(group: Group) -> &'static str {
    let row = SERVED.iter().find(|(_, served)| served.name() == group.name());
    row.and_then(|(names, _)| names.first().copied()).unwrap_or("unknown group")
}
