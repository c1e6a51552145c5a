//! Checks that a certificate is for the host of the connection (RFC 9525, RFC 6125).
//!
//! The matching is webpki's: DNS names without regard to case, a wildcard as the whole left-most label only and with
//! two labels behind it, IP addresses by their octets. Common names do not count; if they are asked to, legacy.rs
//! has made alternative names of them before.

use rustls::pki_types::{CertificateDer, ServerName};
use webpki::EndEntityCert;

use super::Deviation;
use crate::certificate::{CertificateFacts, cut, describe};
use crate::error::{Code, Error, Result};

/// The most names that a message lists.
const MAX_LISTED_NAMES: usize = 8;

/// Accepts a certificate that names the host; `by_common_name` says that its common name has been made one of its
/// names.
pub(super) fn verify(
    parsed: &EndEntityCert<'_>,
    original: &CertificateDer<'_>,
    name: &ServerName<'_>,
    by_common_name: bool,
) -> Result<()> {
    let wanted = name.to_str();
    parsed.verify_is_valid_for_subject_name(name).map_err(|error| match error {
        webpki::Error::CertNotValidForName(_) if by_common_name => {
            let detail = format!("{wanted} is not its common name ({})", describe(original));
            Error::new(Code::CertNameMismatch, detail)
        }
        webpki::Error::CertNotValidForName(_) => mismatch(original, &wanted),
        other => Error::new(Code::CertMalformed, format!("its names cannot be compared with {wanted}"))
            .at(describe(original))
            .with_source(other),
    })
}

fn mismatch(original: &CertificateDer<'_>, wanted: &str) -> Error {
    let Ok(facts) = CertificateFacts::from_der(original) else {
        return Error::new(Code::CertNameMismatch, format!("{wanted} ({})", describe(original)));
    };
    let names: Vec<_> = facts.subject_alternative_names.iter().filter(|name| name.is_host()).collect();
    if names.is_empty() {
        return no_name(&facts, wanted);
    }
    let listed = names
        .iter()
        .take(MAX_LISTED_NAMES)
        .map(|name| cut(&name.to_string()).into_owned())
        .collect::<Vec<_>>()
        .join(", ");
    let more = match names.len().saturating_sub(MAX_LISTED_NAMES) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let detail = format!("{wanted} is not among its names, {listed}{more} ({facts})");
    Error::new(Code::CertNameMismatch, detail)
}

fn no_name(facts: &CertificateFacts, wanted: &str) -> Error {
    let detail = format!("{wanted} was connected to ({facts})");
    let error = Error::new(Code::CertNoName, detail);
    match facts.common_name() {
        Some(common_name) if common_name.eq_ignore_ascii_case(wanted) => error.with_hint(format!(
            "{} To accept its common name instead, allow {}.",
            Code::CertNoName.hint(),
            Deviation::CommonName.name()
        )),
        _ => error,
    }
}
