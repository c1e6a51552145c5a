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
const OLD_TLS: &str = "TLS 1.0 and 1.1 are deprecated (RFC 8996) and not implemented here";
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

/// Parses a list of versions. An unknown name is an error.
pub(super) fn parse(list: &str) -> Result<Versions> {
    if list.len() > MAX_LIST_BYTES {
        return Err(Error::new(Code::VersionNotSupported, "the list of versions is too long"));
    }
    let mut allowed: Vec<&'static SupportedProtocolVersion> = Vec::new();
    let mut not_served = Vec::new();
    for item in items(list) {
        let row = row(item)?;
        allowed.extend(row.served);
        if row.served.is_empty() {
            // A digit alone means nothing to the reader of the report.
            let name = match item.len() {
                1 => format!("{item} ({})", row.name),
                _ => item.to_owned(),
            };
            NotServed::add(&mut not_served, name, row.reason);
        }
    }
    if allowed.is_empty() && not_served.is_empty() {
        return Err(Error::new(Code::VersionNotSupported, "the list of versions is empty"));
    }
    let allowed = ALL.iter().copied().filter(|version| allowed.contains(version)).collect();
    Ok(Versions { allowed, not_served })
}

fn row(item: &str) -> Result<&'static Row> {
    let alias = item.to_ascii_lowercase().replace('_', ".");
    ROWS.iter().find(|row| row.aliases.contains(&alias.as_str())).ok_or_else(|| {
        let near = nearest(item, ROWS.iter().map(|row| row.name));
        Error::new(Code::VersionNotSupported, format!("no version is called {}", did_you_mean(item, &near)))
    })
}

/// The versions of a list as on the wire, the newest first: those of the second engine too.
pub(super) fn on_the_wire(list: &str) -> Result<Vec<u16>> {
    let mut found = Vec::new();
    for item in items(list) {
        match row(item)?.name {
            "TLS" => found.extend([0x0304, 0x0303]),
            name => found.extend(NAMES.iter().find(|(_, known)| *known == name).map(|(version, _)| *version)),
        }
    }
    found.sort_unstable_by(|a, b| b.cmp(a));
    found.dedup();
    Ok(found)
}

/// The versions on the wire, with their printed names.
const NAMES: [(u16, &str); 4] = [(0x0304, "TLSv1.3"), (0x0303, "TLSv1.2"), (0x0302, "TLSv1.1"), (0x0301, "TLSv1")];

/// The printed name of a version on the wire.
pub(super) fn name_on_the_wire(version: u16) -> &'static str {
    NAMES.iter().find(|(known, _)| *known == version).map_or("unknown", |(_, name)| name)
}

/// The printed name of a supported version.
pub(super) fn name(version: &SupportedProtocolVersion) -> &'static str {
    match version == &TLS13 {
        true => "TLSv1.3",
        false => "TLSv1.2",
    }
}
