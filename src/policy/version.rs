//! Protocol versions by the names in texts of the user.

use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};

use super::names::{MAX_LIST_BYTES, did_you_mean, items, nearest};
use super::not_served::NotServed;
use crate::error::{Code, Error, Result};

/// The result of a list of versions.
#[derive(Debug)]
pub(super) struct Versions {
    /// The supported versions, the newest first; may be empty.
    pub(super) allowed: Vec<&'static SupportedProtocolVersion>,
    /// The unsupported versions of the list.
    pub(super) not_served: Vec<NotServed>,
}

/// The supported versions, the newest first.
pub(super) const ALL: &[&SupportedProtocolVersion] = &[&TLS13, &TLS12];

/// A version, or several, with all names.
struct Row {
    name: &'static str,
    /// The names in lower case, with dots for underscores.
    aliases: &'static [&'static str],
    served: &'static [&'static SupportedProtocolVersion],
    /// The reason why it is not supported; empty if it is.
    reason: &'static str,
}

const SSL2: &str = "SSL 2.0 is broken and prohibited (RFC 6176)";
const SSL3: &str = "SSL 3.0 is broken and prohibited (RFC 7568)";
const OLD_TLS: &str = "TLS 1.0 and 1.1 are deprecated (RFC 8996); needs legacy-engine";
const DTLS: &str = "connections run over streams only";

/// The single digits are ArangoDB's `--ssl.protocol`.
const ROWS: &[Row] = &[
    Row {
        name: "TLS",
        aliases: &["tls", "all", "default", "ssl", "sslv23", "9"],
        served: &[&TLS13, &TLS12],
        reason: "",
    },
    Row { name: "TLSv1.3", aliases: &["tlsv1.3", "tls1.3", "1.3", "6"], served: &[&TLS13], reason: "" },
    Row { name: "TLSv1.2", aliases: &["tlsv1.2", "tls1.2", "1.2", "5"], served: &[&TLS12], reason: "" },
    Row { name: "TLSv1.1", aliases: &["tlsv1.1", "tls1.1", "1.1"], served: &[], reason: OLD_TLS },
    Row { name: "TLSv1", aliases: &["tlsv1", "tlsv1.0", "tls1", "tls1.0", "1.0", "4"], served: &[], reason: OLD_TLS },
    Row { name: "SSLv3", aliases: &["sslv3", "ssl3", "ssl3.0", "3"], served: &[], reason: SSL3 },
    Row { name: "SSLv2 or SSLv3", aliases: &["2"], served: &[], reason: "SSL 2.0 and 3.0 are broken and prohibited" },
    Row { name: "SSLv2", aliases: &["sslv2", "ssl2", "ssl2.0", "sslv2hello", "1"], served: &[], reason: SSL2 },
    Row { name: "DTLS", aliases: &["dtls", "dtlsv1", "dtlsv1.0", "dtlsv1.2", "dtlsv1.3"], served: &[], reason: DTLS },
];

fn check_length(list: &str) -> Result<()> {
    match list.len() > MAX_LIST_BYTES {
        true => Err(Error::new(Code::VersionNotSupported, "the list of versions is too long")),
        false => Ok(()),
    }
}

/// The versions of a row as on the wire; none for those that no engine serves.
fn wire_of(row: &Row) -> Vec<u16> {
    match row.name {
        "TLS" => vec![0x0304, 0x0303],
        name => NAMES.iter().filter(|(_, known)| *known == name).map(|(version, _)| *version).collect(),
    }
}

/// The list without the versions of `off`, as on the wire.
///
/// # Errors
/// As for [`on_the_wire`].
pub(super) fn without(list: &str, off: &[u16]) -> Result<String> {
    check_length(list)?;
    let mut kept: Vec<&str> = Vec::new();
    for item in items(list) {
        let row = row(item)?;
        let versions = wire_of(row);
        match versions.iter().any(|version| off.contains(version)) {
            true => kept.extend(versions.iter().filter(|one| !off.contains(one)).map(|one| name_on_the_wire(*one))),
            false => kept.push(item),
        }
    }
    match kept.is_empty() {
        true => Err(Error::new(Code::VersionNotSupported, "openssl-options switches off each version of the list")),
        false => Ok(kept.join(",")),
    }
}

/// Parses a list of versions. An unknown name is an error.
pub(super) fn parse(list: &str) -> Result<Versions> {
    check_length(list)?;
    let mut allowed: Vec<&'static SupportedProtocolVersion> = Vec::new();
    let mut not_served = Vec::new();
    for item in items(list) {
        let row = row(item)?;
        allowed.extend(row.served);
        if row.served.is_empty() {
            NotServed::add(&mut not_served, shown(item, row), row.reason);
        }
    }
    if allowed.is_empty() && not_served.is_empty() {
        return Err(Error::new(Code::VersionNotSupported, "the list of versions is empty"));
    }
    let allowed = ALL.iter().copied().filter(|version| allowed.contains(version)).collect();
    Ok(Versions { allowed, not_served })
}

/// Reports the versions of a list that no engine serves. `serves` knows the versions as on the wire.
pub(super) fn report(
    list: &str,
    serves: impl Fn(u16) -> bool,
    is_modern: bool,
    lines: &mut Vec<NotServed>,
) -> Result<()> {
    for item in items(list) {
        let row = row(item)?;
        let versions = wire_of(row);
        if versions.iter().any(|version| serves(*version)) {
            continue;
        }
        let reason = match versions.as_slice() {
            [] => row.reason,
            _ if is_modern => "the preset modern allows TLS 1.3 only",
            _ => "the cipher suites and groups leave none of this version",
        };
        NotServed::add(lines, shown(item, row), reason);
    }
    Ok(())
}

/// The name for a report. A digit alone means nothing to its reader.
fn shown(item: &str, row: &Row) -> String {
    match item.len() {
        1 => format!("{item} ({})", row.name),
        _ => item.to_owned(),
    }
}

fn row(item: &str) -> Result<&'static Row> {
    let alias = item.to_ascii_lowercase().replace('_', ".");
    ROWS.iter().find(|row| row.aliases.contains(&alias.as_str())).ok_or_else(|| {
        let near = nearest(item, ROWS.iter().map(|row| row.name));
        Error::new(Code::VersionNotSupported, format!("no version is called {}", did_you_mean(item, &near)))
    })
}

/// The versions of a list as on the wire, the newest first: those of the second engine too.
///
/// # Errors
/// `VERSION_NOT_SUPPORTED` for an unknown name, and for a list that is too long.
pub(super) fn on_the_wire(list: &str) -> Result<Vec<u16>> {
    check_length(list)?;
    let mut found = Vec::new();
    for item in items(list) {
        found.extend(wire_of(row(item)?));
    }
    found.sort_unstable_by(|a, b| b.cmp(a));
    found.dedup();
    Ok(found)
}

/// The versions on the wire, with their printed names.
const NAMES: [(u16, &str); 4] = [(0x0304, "TLSv1.3"), (0x0303, "TLSv1.2"), (0x0302, "TLSv1.1"), (0x0301, "TLSv1")];

/// The printed name of a version on the wire, if an engine knows it.
pub(crate) fn name_of(version: u16) -> Option<&'static str> {
    NAMES.iter().find(|(known, _)| *known == version).map(|(_, name)| *name)
}

/// The version on the wire with this printed name.
pub(crate) fn number_of(name: &str) -> Option<u16> {
    NAMES.iter().find(|(_, known)| *known == name).map(|(version, _)| *version)
}

/// The printed name of a version of a policy.
pub(super) fn name_on_the_wire(version: u16) -> &'static str {
    name_of(version).unwrap_or("unknown")
}

/// The printed name of a supported version.
pub(super) fn name(version: &SupportedProtocolVersion) -> &'static str {
    match version == &TLS13 {
        true => "TLSv1.3",
        false => "TLSv1.2",
    }
}
