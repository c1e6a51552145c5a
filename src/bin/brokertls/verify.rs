//! `brokertls verify`: verifies a chain without a connection.

use brokertls::certificate::CertificateFacts;
use brokertls::error::{Category, Result};
use brokertls::options::Options;
use brokertls::verify::{Deviation, Deviations, PeerVerifier, Purpose, Verdict};
use clap::ArgMatches;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use serde_json::json;

use crate::arguments::{is_set, options};
use crate::dates;
use crate::facts::certificate_json;
use crate::report::{EXIT_OK, EXIT_REFUSED, Failure, Outcome, complain, error_json, print, print_json};

/// The chain to verify, with its circumstances.
struct Question {
    options: Options,
    switches: Deviations,
    purpose: Purpose,
    name: Option<ServerName<'static>>,
    now: UnixTime,
}

pub(crate) fn run(matches: &ArgMatches) -> Outcome {
    let question = Question::from_matches(matches)?;
    if question.options.trust_sources()?.is_empty() {
        return Err(Failure::usage("nothing to trust: give --trust FILE or --system-trust"));
    }
    let mut warnings = Vec::new();
    let verdict = match question.answer(&mut warnings) {
        Err(error) if error.code().category() == Category::Usage => return Err(error.into()),
        verdict => verdict,
    };
    match is_set(matches, "json") {
        true => show_json(&verdict)?,
        false => show(&verdict)?,
    }
    // After the verdict: scripts read it from the first line.
    warnings.iter().for_each(|warning| complain(format_args!("warning: {warning}")));
    Ok(if verdict.is_ok() { EXIT_OK } else { EXIT_REFUSED })
}

impl Question {
    fn from_matches(matches: &ArgMatches) -> std::result::Result<Self, Failure> {
        let text = |name: &str| matches.get_one::<String>(name).map(String::as_str);
        let mut options = options(matches)?;
        options.set("cert", text("chain").unwrap_or_default())?;
        let switches = matches.get_many::<String>("allow").into_iter().flatten();
        let name = text("name").map(|name| {
            let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
            ServerName::try_from(bare.to_owned())
                .map_err(|_| Failure::usage(format!("--name {name:?} is neither a DNS name nor an IP address")))
        });
        Ok(Self {
            options,
            switches: switches.filter_map(|name| Deviation::from_name(name)).collect(),
            purpose: if text("purpose") == Some("client") { Purpose::Client } else { Purpose::Server },
            name: name.transpose()?,
            now: text("time").map_or_else(|| Ok(dates::now()), dates::parse)?,
        })
    }

    fn answer(&self, warnings: &mut Vec<String>) -> Result<Verdict> {
        let mut trusted = Vec::new();
        for source in self.options.trust_sources()? {
            trusted.extend(source.load(warnings)?);
        }
        let revocation = self.options.revocation()?;
        warnings.extend(revocation.warnings(&trusted));
        let verifier = PeerVerifier::new(trusted, self.switches)?.with_revocation(revocation);
        verifier.verify(&self.chain()?, self.purpose, self.name.as_ref(), self.now)
    }

    /// The certificates of the file in their order, as a peer sends them.
    fn chain(&self) -> Result<Vec<CertificateDer<'static>>> {
        let mut chain = Vec::new();
        for source in self.options.identity_sources()? {
            let store = source.open()?;
            // Without this, a certificate that is left out would shift the others.
            let unusable = store.entries().iter().filter(|entry| entry.key.is_none());
            if let Some((entry, fault)) = unusable.filter_map(|entry| Some((entry, entry.fault()?))).next() {
                return Err(fault.clone().at(&entry.place));
            }
            chain.extend(store.entries().iter().flat_map(|entry| entry.chain.iter().cloned()));
        }
        Ok(chain)
    }
}

fn show(verdict: &Result<Verdict>) -> std::result::Result<(), Failure> {
    match verdict {
        Err(error) => {
            print(format_args!("refused {}: {}", error.code().name(), error.message()))?;
            if !error.hint().is_empty() {
                print(format_args!("hint: {}", error.hint()))?;
            }
        }
        Ok(verdict) => {
            print(format_args!("accepted"))?;
            if verdict.direct {
                print(format_args!("trusted directly: the trust store has the certificate itself"))?;
            }
            for (position, certificate) in verdict.path.iter().enumerate() {
                print(format_args!("path {position}: {}", describe(certificate)))?;
            }
            for switch in &verdict.deviations {
                print(format_args!("tolerated: {}: {}", switch.name(), switch.meaning()))?;
            }
        }
    }
    Ok(())
}

fn describe(certificate: &CertificateDer<'_>) -> String {
    CertificateFacts::from_der(certificate).map_or_else(|error| error.to_string(), |facts| facts.to_string())
}

fn show_json(verdict: &Result<Verdict>) -> std::result::Result<(), Failure> {
    print_json(&match verdict {
        Err(error) => json!({ "verdict": "refused", "error": error_json(error) }),
        Ok(verdict) => json!({
            "verdict": "accepted",
            "direct": verdict.direct,
            "tolerated": verdict.deviations.iter().map(|switch| switch.name()).collect::<Vec<_>>(),
            "path": verdict.path.iter().map(|der| certificate_json(der)).collect::<Vec<_>>(),
        }),
    })
}
