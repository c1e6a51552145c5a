//! The staples of the own identities: their issuers, the responses of files, and the responders.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;

use crate::certificate::describe;
use crate::config::Source;
use crate::config::{Spec, TrustSource};
use crate::error::{Code, Error, Result};
use crate::identity::certified;
use crate::keystore::{Identity, TrustedCertificate};
use crate::revocation::ocsp::{demands_staple, is_issuer, ocsp_responses_of, responders_of};
use crate::revocation::{OcspResponse, OcspSettings, Staple, StapleSettings, Stapled, Staples, now_unix_s};

use super::load;

/// The staples, and the staple of each identity.
pub(super) struct Loaded {
    pub(super) staples: Arc<Staples>,
    /// The staple of each identity, if any.
    pub(super) of_identities: Vec<Option<Arc<Staple>>>,
}

/// Reads the responses and finds the issuers. Adds a warning for each certificate without the staple that it should
/// have.
///
/// # Errors
/// `NO_CERTIFICATE` for an unknown issuer, `OCSP_UNUSABLE` and `OCSP_MALFORMED` for a response that cannot be used, and
/// the errors of files, by name.
pub(super) fn load(
    spec: &Spec,
    identities: &[Arc<Identity>],
    trusted: &[TrustedCertificate],
    warnings: &mut Vec<String>,
) -> Result<Loaded> {
    let named = match &spec.staple.issuer {
        Some(source) => issuers(source, warnings)?,
        None => Vec::new(),
    };
    let known: Vec<&CertificateDer<'static>> = trusted.iter().chain(&named).map(|trusted| &trusted.der).collect();
    let mut stapled = identities.iter().map(|identity| stapled(spec, identity, &known)).collect::<Result<Vec<_>>>()?;
    read_files(spec, &mut stapled)?;
    let mut of_identities = Vec::new();
    for (identity, stapled) in identities.iter().zip(stapled) {
        let staple = stapled.filter(|stapled| spec.staple.is_on || stapled.file.is_some());
        warnings.extend(warning(identity, staple.as_ref()));
        of_identities
            .push(staple.map(|staple| Arc::new(Staple::new(certified(identity), staple, Arc::clone(&spec.clock)))));
    }
    let all = of_identities.iter().flatten().cloned().collect();
    let settings = spec.staple.is_on.then(|| settings(spec));
    let staples = Staples::new(settings, all, Arc::clone(&spec.clock))?;
    Ok(Loaded { staples: Arc::new(staples), of_identities })
}

/// The certificates of the configured issuer file.
fn issuers(source: &Source, warnings: &mut Vec<String>) -> Result<Vec<TrustedCertificate>> {
    let loaded = TrustSource::store(source.clone()).load(warnings);
    loaded.map_err(|error| match error.code() {
        Code::StoreTooLarge => {
            error.with_hint("Give the issuer's certificate alone; for this file there is no option.")
        }
        _ => error,
    })
}

fn settings(spec: &Spec) -> StapleSettings {
    StapleSettings {
        fetch: spec.staple.fetch_policy(&spec.revocation.remote.fetch),
        ocsp: OcspSettings { hash: spec.revocation.remote.ocsp.hash, ..OcspSettings::default() },
        refresh_s: spec.staple.refresh_s(),
    }
}

/// The staple of an identity's certificate. `None` without a response or a responder, and for an unknown issuer that is
/// not needed.
fn stapled(spec: &Spec, identity: &Identity, known: &[&CertificateDer<'static>]) -> Result<Option<Stapled>> {
    let Some((certificate, issuers)) = identity.chain.split_first().filter(|_| spec.staple.is_used()) else {
        return Ok(None);
    };
    let Some(issuer) = issuers.iter().chain(known.iter().copied()).find(|issuer| is_issuer(certificate, issuer)) else {
        let detail = format!("of the issuer of {}, which staples are asked for with", describe(certificate));
        let missing = || Error::new(Code::NoCertificate, detail).at(&identity.place);
        return match spec.staple.is_on {
            true => Err(missing().with_hint("Name the issuer's certificate (staple-issuer), or add it to the chain.")),
            false => Ok(None),
        };
    };
    let responders = match (spec.staple.is_on, &spec.staple.responder) {
        (true, Some(responder)) => vec![responder.clone()],
        (true, None) => responders_of(certificate),
        (false, _) => Vec::new(),
    };
    Ok(Some(Stapled { certificate: certificate.clone(), issuer: issuer.clone(), responders, file: None }))
}

/// Assigns each response to its certificates, and keeps the latest of several.
fn read_files(spec: &Spec, stapled: &mut [Option<Stapled>]) -> Result<()> {
    let now_unix_s = now_unix_s(spec.clock.as_ref());
    for file in &spec.staple.files {
        for response in ocsp_responses_of(&load::read_responses(file)?, &file.label())? {
            let response = Arc::new(response);
            let meant = stapled.iter_mut().flatten().filter(|stapled| stapled.is_meant_by(&response));
            let mut is_anybodys = false;
            for stapled in meant {
                is_anybodys = true;
                stapled.check(&response, now_unix_s).map_err(|error| error.at(file.label()))?;
                let before = stapled.file.as_ref().and_then(|(before, _)| before.this_update_unix_s());
                if before <= response.this_update_unix_s() {
                    stapled.file = Some((Arc::clone(&response), file.label()));
                }
            }
            if !is_anybodys {
                return Err(of_no_identity(&response, stapled.iter().any(Option::is_none)).at(file.label()));
            }
        }
    }
    Ok(())
}

fn of_no_identity(response: &OcspResponse, has_unknown_issuers: bool) -> Error {
    let detail = match response.cert_ids().next() {
        None => format!("the responder answers {}", response.status().name()),
        Some(_) => "it is about no certificate of the identities here".to_owned(),
    };
    let error = Error::new(Code::OcspUnusable, detail);
    match has_unknown_issuers {
        true => error.with_hint("An identity's issuer is not known: name its certificate (staple-issuer)."),
        false => error,
    }
}

/// The warning that peers will miss a response.
fn warning(identity: &Identity, stapled: Option<&Stapled>) -> Option<String> {
    let certificate = identity.chain.first()?;
    match stapled {
        Some(stapled) if stapled.responders.is_empty() && stapled.file.is_none() => {
            let what = "no OCSP responder to ask for staples: the certificate names none, and none is configured";
            Some(format!("{}: {what} (staple-responder)", identity.place))
        }
        None if demands_staple(certificate) => {
            let what = "the certificate demands that a response is stapled to it, and none is (staple, staple-file)";
            Some(format!("{}: {what}", identity.place))
        }
        _ => None,
    }
}
