//! Key exchange groups by their names in OpenSSL, Java and the IANA registry.

use rustls::crypto::SupportedKxGroup;
use rustls::crypto::aws_lc_rs::kx_group;

use super::names::{MAX_LIST_BYTES, did_you_mean, items, nearest};
use super::not_served::NotServed;
use crate::error::{Code, Error, Result};

/// A supported group.
pub(super) type Group = &'static dyn SupportedKxGroup;

/// The result of a list of groups.
#[derive(Debug)]
pub(super) struct Groups {
    /// The supported groups, in the order of the list; may be empty.
    pub(super) groups: Vec<Group>,
    /// The unsupported groups of the list.
    pub(super) not_served: Vec<NotServed>,
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

/// Parses a list of groups in OpenSSL's form.
///
/// `?` before a name ignores it if it is unknown, `-` removes a group, `DEFAULT` stands for the default list, and `/`
/// separates like `:`. `*` (send a key share for this group) has no effect: the first group gets one.
pub(super) fn parse(list: &str) -> Result<Groups> {
    if list.len() > MAX_LIST_BYTES {
        return Err(Error::new(Code::GroupNotSupported, "the list of groups is too long"));
    }
    let mut found = Groups { groups: Vec::new(), not_served: Vec::new() };
    for item in items(list).flat_map(|item| item.split('/')).filter(|item| !item.is_empty()) {
        found.apply(item)?;
    }
    if found.groups.is_empty() {
        let reasons = match found.not_served.as_slice() {
            [] => "the list of groups is empty".to_owned(),
            named => NotServed::list(named),
        };
        return Err(Error::new(Code::GroupNotSupported, reasons));
    }
    Ok(found)
}

impl Groups {
    fn apply(&mut self, item: &str) -> Result<()> {
        let name = item.trim_start_matches(['?', '*', '-']);
        let marks = &item[..item.len() - name.len()];
        if name.eq_ignore_ascii_case("DEFAULT") && marks.is_empty() {
            default_groups().into_iter().for_each(|group| self.add(group));
            return Ok(());
        }
        match named(name) {
            Named::Served(group) if marks.contains('-') => self.groups.retain(|kept| kept.name() != group.name()),
            Named::Served(group) => self.add(group),
            Named::NotServed(_) if marks.contains(['-', '?']) => {}
            Named::NotServed(reason) => NotServed::add(&mut self.not_served, name, reason),
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

    fn add(&mut self, group: Group) {
        if self.groups.iter().all(|kept| kept.name() != group.name()) {
            self.groups.push(group);
        }
    }
}

/// The printed name of a supported group.
pub(super) fn name(group: Group) -> &'static str {
    let row = SERVED.iter().find(|(_, served)| served.name() == group.name());
    row.and_then(|(names, _)| names.first().copied()).unwrap_or("unknown group")
}
