//! Rules about an end entity that webpki does not know: its key must sign, and its common names are names too.

use rustls::pki_types::{CertificateDer, DnsName};
use x509_parser::prelude::{FromDer, GeneralName, ParsedExtension, X509Certificate};

use super::deviation::Deviation;
use super::legacy::{DNS_NAME, Leaf};
use super::presented::{Presented, Purpose};
use super::recast::{Reshaped, Shown};
use super::refusal::Refusal;
use crate::certificate::{CertificateFacts, printable};
use crate::der::element;
use crate::error::{Code, Error, Result};

/// commonName.
const COMMON_NAME: &str = "2.5.4.3";

/// Checks that the key may sign: every handshake of TLS 1.3, and of TLS 1.2 with ECDHE, asks it to (RFC 5280 section
/// 4.2.1.3, RFC 8446 section 4.4.2.2). Says whether [`Deviation::KeyUsage`] was needed.
pub(super) fn check_key_usage(peer: &Presented<'_>) -> Result<bool> {
    let Some(Ok((_, parsed))) = peer.chain.first().map(|der| X509Certificate::from_der(der)) else { return Ok(false) };
    let may_sign = match parsed.key_usage() {
        Ok(usage) => usage.is_none_or(|usage| usage.value.digital_signature()),
        Err(_) => false,
    };
    match (may_sign, peer.tolerated.contains(Deviation::KeyUsage)) {
        (true, _) => Ok(false),
        (false, true) => Ok(true),
        (false, false) => {
            let hint = format!(
                "{} To accept {}, allow {}.",
                Code::CertKeyUsage.hint(),
                Deviation::KeyUsage.meaning(),
                Deviation::KeyUsage.name()
            );
            Err(Error::new(Code::CertKeyUsage, peer.place(0)).with_hint(hint))
        }
    }
}

/// Checks that the common names that are host names are within the constraints on DNS names of the path's CAs.
///
/// Brokers take a client's user name from its common name, whatever alternative names it has. A server's counts if it
/// has no DNS name.
pub(super) fn check_common_names(
    refusal: &Refusal<'_>,
    leaf: &Leaf<'_>,
    reshaped: Option<&Reshaped>,
    path: &[CertificateDer<'_>],
) -> Result<()> {
    let Refusal { peer, trusted, anchors } = *refusal;
    let Some(end_entity) = peer.chain.first() else { return Ok(()) };
    if !path.iter().skip(1).any(constrains_dns_names) || (peer.purpose == Purpose::Server && has_dns_name(end_entity)) {
        return Ok(());
    }
    let Ok(facts) = CertificateFacts::from_der(end_entity) else { return Ok(()) };
    let texts = facts.subject.of_type(COMMON_NAME).filter_map(|name| name.text.as_deref());
    for text in texts {
        let Some(name) = host_name(text) else { continue };
        let mut change = leaf.change.clone();
        change.add_names.push(element(DNS_NAME, &[name.as_bytes()]));
        let asked = Shown::new(end_entity, &change).and_then(|shown| anchors.verify(&shown, reshaped, peer, trusted));
        match asked {
            Ok(_) => {}
            Err(webpki::Error::NameConstraintViolation) => {
                let detail = format!("the common name {} of {}", printable(text), peer.place(0));
                return Err(Error::new(Code::CertNameConstraint, detail));
            }
            Err(error) => return Err(refusal.of(error)),
        }
    }
    Ok(())
}

/// The host name that a text is, as a certificate would name it; a single label is no host's.
fn host_name(text: &str) -> Option<&str> {
    let name = text.strip_suffix('.').unwrap_or(text);
    let host = name.strip_prefix("*.").unwrap_or(name);
    (name.contains('.') && DnsName::try_from(host).is_ok()).then_some(name)
}

fn constrains_dns_names(certificate: &CertificateDer<'_>) -> bool {
    let Ok((_, parsed)) = X509Certificate::from_der(certificate) else { return true };
    let constraints = match parsed.name_constraints() {
        Ok(Some(constraints)) => constraints.value,
        Ok(None) => return false,
        Err(_) => return true,
    };
    let mut subtrees =
        [&constraints.permitted_subtrees, &constraints.excluded_subtrees].into_iter().flatten().flatten();
    subtrees.any(|subtree| matches!(subtree.base, GeneralName::DNSName(_)))
}

fn has_dns_name(certificate: &CertificateDer<'_>) -> bool {
    let Ok((_, parsed)) = X509Certificate::from_der(certificate) else { return false };
    parsed.extensions().iter().any(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectAlternativeName(names) => {
            names.general_names.iter().any(|name| matches!(name, GeneralName::DNSName(_)))
        }
        _ => false,
    })
}
