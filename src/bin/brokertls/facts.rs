//! Facts of certificates and connections, as lines and as JSON.

use brokertls::Connection;
use brokertls::certificate::{AlternativeName, CertificateFacts, DistinguishedName, NameAttribute};
use rustls::pki_types::CertificateDer;
use serde_json::{Value, json};

use crate::dates::rfc3339;

/// The lines that describe a certificate, without indentation.
pub(crate) fn certificate_lines(facts: &CertificateFacts) -> Vec<String> {
    let mut lines = vec![
        format!("subject      {}", facts.subject),
        format!("issuer       {}", facts.issuer),
        format!("valid        {} to {}", rfc3339(facts.not_before_unix_s), rfc3339(facts.not_after_unix_s)),
    ];
    if !facts.subject_alternative_names.is_empty() {
        let names: Vec<_> = facts.subject_alternative_names.iter().map(ToString::to_string).collect();
        lines.push(format!("names        {}", names.join(", ")));
    }
    let role = if facts.is_ca { ", CA" } else { "" };
    lines.push(format!("key          {} (X.509 version {}{role})", facts.key, facts.version));
    lines.push(format!("serial       {}", facts.serial));
    lines.push(format!("SHA-256      {}", facts.sha256_fingerprint));
    lines
}

/// The attributes of a name as JSON, in the certificate's order.
fn attributes_json(name: &DistinguishedName) -> Value {
    let attribute = |one: &NameAttribute| {
        let NameAttribute { oid, text, .. } = one;
        json!({ "oid": oid, "text": text, "der": hex(&one.der), "rdn": one.relative_name })
    };
    name.attributes().iter().map(attribute).collect()
}

fn alternative_json(name: &AlternativeName) -> Value {
    json!({ "kind": name.kind.name(), "value": name.value, "oid": name.oid, "der": hex(&name.der) })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A certificate as JSON.
pub(crate) fn certificate_json(der: &CertificateDer<'_>) -> Value {
    match CertificateFacts::from_der(der) {
        Err(error) => json!({ "error": crate::report::error_json(&error) }),
        Ok(facts) => json!({
            "subject": facts.subject.as_str(),
            "issuer": facts.issuer.as_str(),
            "subject_der": hex(facts.subject.der()),
            "issuer_der": hex(facts.issuer.der()),
            "subject_attributes": attributes_json(&facts.subject),
            "first_common_name": facts.first_common_name(),
            "last_common_name": facts.common_name(),
            "serial": facts.serial,
            "version": facts.version,
            "not_before": rfc3339(facts.not_before_unix_s),
            "not_after": rfc3339(facts.not_after_unix_s),
            "names": facts.subject_alternative_names.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "alternative_names": facts.subject_alternative_names.iter().map(alternative_json).collect::<Vec<_>>(),
            "key": facts.key,
            "is_ca": facts.is_ca,
            "sha256": facts.sha256_fingerprint,
        }),
    }
}

/// The agreed version, suite, group and protocol in one line.
pub(crate) fn agreement_line(connection: &Connection) -> String {
    let mut parts: Vec<String> = Vec::new();
    parts.extend(connection.version().map(str::to_owned));
    parts.extend(connection.cipher_suite().map(str::to_owned));
    parts.extend(connection.group().map(str::to_owned));
    parts.extend(connection.alpn().map(|protocol| format!("ALPN {}", printable(protocol))));
    if connection.is_resumed() == Some(true) {
        parts.push("resumed".to_owned());
    }
    parts.join(", ")
}

/// The lines that describe a connection and its peer.
pub(crate) fn connection_lines(connection: &Connection) -> Vec<String> {
    let mut lines: Vec<String> = match connection.peer_facts() {
        None => vec!["subject      (no certificate)".to_owned()],
        Some(Err(error)) => vec![format!("subject      (unreadable: {error})")],
        Some(Ok(facts)) => certificate_lines(&facts),
    };
    lines.push(format!("version      {}", connection.version().unwrap_or("unknown")));
    lines.push(format!("cipher suite {}", connection.cipher_suite().unwrap_or("unknown")));
    lines.push(format!("group        {}", connection.group().unwrap_or("none")));
    lines.push(format!("ALPN         {}", connection.alpn().map_or_else(|| "none".to_owned(), printable)));
    lines.extend(psk_identity(connection).map(|identity| format!("PSK identity \"{identity}\"")));
    lines.push(format!("resumed      {}", if connection.is_resumed() == Some(true) { "yes" } else { "no" }));
    for switch in connection.deviations() {
        lines.push(format!("tolerated    {}: {}", switch.name(), switch.meaning()));
    }
    lines
}

/// A connection and its peer as JSON.
pub(crate) fn connection_json(connection: &Connection) -> Value {
    json!({
        "version": connection.version(),
        "cipher_suite": connection.cipher_suite(),
        "group": connection.group(),
        "alpn": connection.alpn().map(printable),
        "server_name": connection.server_name(),
        "psk_identity": psk_identity(connection),
        "resumed": connection.is_resumed(),
        "tolerated": connection.deviations().iter().map(|switch| switch.name()).collect::<Vec<_>>(),
        "peer_chain": connection.peer_chain().iter().map(|der| certificate_json(der)).collect::<Vec<_>>(),
    })
}

/// The identity of the client's pre-shared key as text that is safe for a terminal.
pub(crate) fn psk_identity(connection: &Connection) -> Option<String> {
    connection.psk_identity().or_else(|| connection.own_psk_identity()).map(printable)
}

/// The bytes of a peer as text that is safe for a terminal.
fn printable(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}
