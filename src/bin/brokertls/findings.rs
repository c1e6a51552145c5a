//! The faults of a chain that peers would refuse, found from the chain alone.

use brokertls::certificate::{AlternativeName, CertificateFacts};
use brokertls::error::{Code, Error};
use brokertls::keystore::TrustedCertificate;
use brokertls::verify::{Deviations, PeerVerifier, Purpose};
use rustls::pki_types::{CertificateDer, UnixTime};

use crate::dates::rfc3339;

/// The verdict on a chain by peers that trust its last certificate.
pub(crate) struct Findings {
    /// The roles in which it is accepted, without a check of the host's name.
    pub(crate) accepted_as: Vec<&'static str>,
    /// The faults that strict peers refuse, with hints.
    pub(crate) refusals: Vec<Error>,
}

impl Findings {
    /// Checks a chain, end entity first.
    pub(crate) fn of_chain(chain: &[CertificateDer<'static>], now: UnixTime) -> Self {
        let facts: Vec<CertificateFacts> =
            chain.iter().filter_map(|certificate| CertificateFacts::from_der(certificate).ok()).collect();
        let mut refusals: Vec<Error> = facts.first().map(of_end_entity).unwrap_or_default();
        refusals.extend(facts.iter().flat_map(|facts| of_dates(facts, now)));
        let verdicts = [("server", Purpose::Server), ("client", Purpose::Client)]
            .map(|(role, purpose)| (role, verdict(chain, purpose, now)));
        let accepted_as: Vec<&str> =
            verdicts.iter().filter(|(_, verdict)| verdict.is_none()).map(|(role, _)| *role).collect();
        if accepted_as.is_empty() {
            // Both roles fail for the same reason, or the important one is in the list.
            let mut whys = verdicts.into_iter().filter_map(|(_, verdict)| verdict);
            let new = whys.find(|why| refusals.iter().all(|told| told.code() != why.code()));
            refusals.extend(new);
        }
        Self { accepted_as, refusals }
    }
}

/// The fault of a trusted certificate. Chains to it are accepted whatever its dates are.
pub(crate) fn of_trusted(certificate: &CertificateDer<'_>, now: UnixTime) -> Option<Error> {
    CertificateFacts::from_der(certificate).ok().and_then(|facts| of_dates(&facts, now))
}

/// The error of a peer that trusts the last certificate of the chain, or `None` if it accepts the chain.
fn verdict(chain: &[CertificateDer<'static>], purpose: Purpose, now: UnixTime) -> Option<Error> {
    let top = chain.last()?;
    let trusted = TrustedCertificate::new(top.clone(), "the chain's last certificate");
    let verifier = PeerVerifier::new(vec![trusted], Deviations::default());
    verifier.and_then(|verifier| verifier.verify(chain, purpose, None, now)).err()
}

/// The faults of the own certificate of a broker or client.
fn of_end_entity(facts: &CertificateFacts) -> Vec<Error> {
    let rsa_bits = facts.key.strip_prefix("RSA ").and_then(|bits| bits.parse::<u32>().ok());
    let checks = [
        (facts.version < 3, Code::CertVersionUnsupported, format!("version {}", facts.version)),
        (facts.is_ca, Code::CertCaAsEndEntity, "CA:TRUE".to_owned()),
        (
            !facts.subject_alternative_names.iter().any(AlternativeName::is_host),
            Code::CertNoName,
            "as a server".to_owned(),
        ),
        (rsa_bits.is_some_and(|bits| bits < 2048), Code::CertKeyTooSmall, facts.key.clone()),
    ];
    let failed = checks.into_iter().filter(|(is_wrong, ..)| *is_wrong);
    failed.map(|(_, code, detail)| Error::new(code, detail)).collect()
}

fn of_dates(facts: &CertificateFacts, now: UnixTime) -> Option<Error> {
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let subject = &facts.subject;
    if now > facts.not_after_unix_s {
        let detail = format!("\"{subject}\" ended at {}", rfc3339(facts.not_after_unix_s));
        return Some(Error::new(Code::CertExpired, detail));
    }
    let detail = || format!("\"{subject}\" starts at {}", rfc3339(facts.not_before_unix_s));
    (now < facts.not_before_unix_s).then(|| Error::new(Code::CertNotYetValid, detail()))
}
