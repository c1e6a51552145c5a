//! Revocation lists and OCSP responses, as lines and as JSON.

use brokertls::revocation::ocsp::OcspCertificateFacts;
use brokertls::revocation::{CrlFacts, OcspFacts, RevocationFile};
use serde_json::{Value, json};

use crate::dates::{now, rfc3339};
use crate::report::{Failure, print};

/// Prints the content of a file, unchecked.
pub(crate) fn show(file: &str, content: &RevocationFile) -> Result<(), Failure> {
    let counts = [(content.crls.len(), "revocation list"), (content.responses.len(), "OCSP response")];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    let counts: Vec<String> =
        counts.map(|(count, what)| format!("{count} {what}{}", if count == 1 { "" } else { "s" })).collect();
    print(format_args!("{file}: {}", counts.join(", ")))?;
    let crls = content.crls.iter().map(|crl| ("revocation list", crl_lines(crl)));
    let responses = content.responses.iter().map(|response| ("OCSP response", response_lines(response)));
    for (number, (what, lines)) in (1..).zip(crls.chain(responses)) {
        print(format_args!(""))?;
        print(format_args!("{number}. {what}"))?;
        lines.iter().try_for_each(|line| print(format_args!("   {line}")))?;
    }
    Ok(())
}

fn crl_lines(crl: &CrlFacts) -> Vec<String> {
    let mut lines = vec![
        format!("issuer       {}", crl.issuer),
        format!("this update  {}", rfc3339(crl.this_update_unix_s)),
        format!("next update  {}", next_update_text(crl.next_update_unix_s)),
    ];
    lines.extend(crl.number.as_ref().map(|number| format!("number       {number}")));
    lines.extend(crl.scope.as_ref().map(|scope| format!("scope        {scope}")));
    lines.push(format!("entries      {}", crl.entries));
    lines.push(format!("signature    {}", crl.signature_algorithm));
    lines.push(format!("SHA-256      {}", crl.sha256_fingerprint));
    lines
}

fn response_lines(response: &OcspFacts) -> Vec<String> {
    let mut lines = vec![format!("status       {}", response.status.name())];
    lines.extend(response.responder.as_ref().map(|responder| format!("responder    {responder}")));
    lines.extend(response.produced_at_unix_s.map(|time| format!("produced at  {}", rfc3339(time))));
    for certificate in &response.certificates {
        lines.push(format!("certificate  {}: {}", certificate.serial, status_text(certificate)));
        lines.push(format!("this update  {}", rfc3339(certificate.this_update_unix_s)));
        lines.push(format!("next update  {}", next_update_text(certificate.next_update_unix_s)));
    }
    lines.extend(response.signature_algorithm.as_ref().map(|algorithm| format!("signature    {algorithm}")));
    lines.push(format!("SHA-256      {}", response.sha256_fingerprint));
    lines
}

fn status_text(certificate: &OcspCertificateFacts) -> String {
    match (certificate.revoked_unix_s, certificate.reason) {
        (Some(date), Some(reason)) => {
            format!("{} {}, reason {}", certificate.status, rfc3339(date.into()), reason.name())
        }
        _ => certificate.status.to_owned(),
    }
}

fn next_update_text(next_update_unix_s: Option<i64>) -> String {
    match next_update_unix_s {
        None => "not stated".to_owned(),
        Some(next) if u64::try_from(next).is_ok_and(|next| next >= now().as_secs()) => rfc3339(next),
        Some(next) => format!("{} (out of date)", rfc3339(next)),
    }
}

/// The content of a file as JSON.
pub(crate) fn revocation_json(file: &str, content: &RevocationFile) -> Value {
    json!({
        "file": file,
        "crls": content.crls.iter().map(crl_json).collect::<Vec<_>>(),
        "ocsp_responses": content.responses.iter().map(response_json).collect::<Vec<_>>(),
    })
}

fn crl_json(crl: &CrlFacts) -> Value {
    json!({
        "issuer": crl.issuer,
        "this_update": rfc3339(crl.this_update_unix_s),
        "next_update": crl.next_update_unix_s.map(rfc3339),
        "number": crl.number,
        "scope": crl.scope,
        "entries": crl.entries,
        "signature_algorithm": crl.signature_algorithm,
        "sha256": crl.sha256_fingerprint,
    })
}

fn response_json(response: &OcspFacts) -> Value {
    let certificate = |certificate: &OcspCertificateFacts| {
        json!({
            "serial": certificate.serial,
            "status": certificate.status,
            "reason": certificate.reason.map(|reason| reason.name()),
            "revoked": certificate.revoked_unix_s.map(|date| rfc3339(date.into())),
            "this_update": rfc3339(certificate.this_update_unix_s),
            "next_update": certificate.next_update_unix_s.map(rfc3339),
        })
    };
    json!({
        "status": response.status.name(),
        "responder": response.responder,
        "produced_at": response.produced_at_unix_s.map(rfc3339),
        "certificates": response.certificates.iter().map(certificate).collect::<Vec<_>>(),
        "signature_algorithm": response.signature_algorithm,
        "sha256": response.sha256_fingerprint,
    })
}
