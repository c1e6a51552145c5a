//! `brokertls inspect`: the content of a keystore and the verdict of peers on it, or the content of a revocation list
//! or OCSP response.

use brokertls::Source;
use brokertls::certificate::CertificateFacts;
use brokertls::error::{Error, Result};
use brokertls::keystore::{Entry, EntryKind, Identity, Limits, Store, StoreType};
use brokertls::revocation::RevocationFile;
use clap::ArgMatches;
use rustls::pki_types::CertificateDer;
use serde_json::{Value, json};

use crate::arguments::{is_set, options};
use crate::dates::now;
use crate::facts::{certificate_json, certificate_lines};
use crate::findings::{Findings, of_trusted};
use crate::report::{EXIT_OK, EXIT_REFUSED, Failure, Outcome, error_json, print, print_json};
use crate::{psk, revocation};

/// The size of the largest file that is read for lists, in bytes: about two million entries.
const MAX_REVOCATION_BYTES: usize = 128 << 20;

pub(crate) fn run(matches: &ArgMatches) -> Outcome {
    let file = matches.get_one::<String>("file").map(String::as_str).unwrap_or_default();
    let is_json = is_set(matches, "json");
    if let Some(outcome) = psk::inspect_as_said(matches, file, is_json) {
        return outcome;
    }
    let is_keystore = matches.contains_id("type");
    let mut options = options(matches)?;
    options.set("cert", file)?;
    let refused = |error: Error| -> Outcome {
        if !is_json {
            return Err(error.into());
        }
        print_json(&json!({ "file": file, "error": error_json(&error) }))?;
        Ok(EXIT_REFUSED)
    };
    // The content is read as keys only if it is nothing else, and not with --type.
    let refused_or_keys = |error: Error| match is_keystore {
        true => refused(error),
        false => psk::inspect_if_keys(file, is_json).unwrap_or_else(|| refused(error)),
    };
    // With --type, the file is a keystore.
    let told = if is_keystore { Ok(None) } else { revocation_of(file) };
    let revocation = match told {
        Ok(revocation) => revocation,
        Err(error) => return refused_or_keys(error),
    };
    for source in options.identity_sources()? {
        match source.open() {
            Ok(store) if revocation.is_some() && !has_certificates(&store) => {}
            Ok(store) if is_json => print_json(&store_json(&store))?,
            Ok(store) => show(&store)?,
            Err(_) if revocation.is_some() => {}
            Err(error) => return refused_or_keys(error),
        }
    }
    match &revocation {
        Some(content) if is_json => print_json(&revocation::revocation_json(file, content))?,
        Some(content) => revocation::show(file, content)?,
        None => {}
    }
    Ok(EXIT_OK)
}

/// Returns the lists and OCSP responses of the file. A file that cannot be opened has none here; the keystore reports
/// it.
fn revocation_of(file: &str) -> Result<Option<RevocationFile>> {
    let mut limits = Limits::default();
    limits.max_content_bytes = MAX_REVOCATION_BYTES;
    match Source::file(file).read(&limits) {
        Ok(content) => RevocationFile::read(&content, file),
        Err(_) => Ok(None),
    }
}

/// Returns true if the store has a certificate or a key.
fn has_certificates(store: &Store) -> bool {
    store.entries().iter().any(|entry| !entry.chain.is_empty() || entry.key.is_some())
}

/// The verdict on a key with its chain, or on the chain of a file of certificates.
struct Judged {
    place: String,
    outcome: Result<Findings>,
    warnings: Vec<String>,
}

/// Checks each identity of the store as a context uses it, or the chain of a file of certificates.
fn judge(store: &Store) -> Vec<Judged> {
    let keys: Vec<&Entry> = store.entries().iter().filter(|entry| entry.kind == EntryKind::Key).collect();
    match keys.is_empty() {
        true => judge_certificates(store).into_iter().collect(),
        false => judge_keys(store, &keys),
    }
}

fn judge_keys(store: &Store, keys: &[&Entry]) -> Vec<Judged> {
    let failed = |place: &str, error| Judged { place: place.to_owned(), outcome: Err(error), warnings: Vec::new() };
    let judged = |identity: Identity| Judged {
        outcome: Ok(Findings::of_chain(&identity.chain, now())),
        place: identity.place.clone(),
        warnings: identity.warnings.clone(),
    };
    if keys.iter().all(|entry| entry.alias.is_some()) {
        // One at a time, so that a wrong key password does not hide the others.
        let aliases = keys.iter().filter_map(|entry| entry.alias.as_deref().map(|alias| (entry, alias)));
        return aliases
            .map(|(entry, alias)| store.identity(alias).map_or_else(|error| failed(&entry.place, error), judged))
            .collect();
    }
    match store.identities() {
        Ok(identities) => identities.into_iter().map(judged).collect(),
        Err(error) => vec![failed(store.label(), error)],
    }
}

/// A file of certificates that does not start with a CA is a chain to present. Others are trusted certificates.
fn judge_certificates(store: &Store) -> Option<Judged> {
    let is_shown = |entry: &Entry| entry.kind == EntryKind::Certificate;
    let chain: Vec<CertificateDer<'static>> =
        store.entries().iter().filter(|entry| is_shown(entry)).flat_map(|entry| entry.chain.iter().cloned()).collect();
    let first = CertificateFacts::from_der(chain.first()?).ok()?;
    (!first.is_ca).then(|| Judged {
        place: store.label().to_owned(),
        outcome: Ok(Findings::of_chain(&chain, now())),
        warnings: Vec::new(),
    })
}

fn kind_text(entry: &Entry) -> String {
    match entry.kind {
        EntryKind::Key => {
            let algorithm = entry.key.as_ref().and_then(|key| key.algorithm.as_deref()).unwrap_or("of unknown kind");
            let scheme = entry.key.as_ref().and_then(|key| key.scheme.as_deref());
            let protection = scheme.map(|scheme| format!(", encrypted ({scheme})")).unwrap_or_default();
            format!("private key {algorithm}{protection}")
        }
        EntryKind::Trusted => "trusted certificate".to_owned(),
        EntryKind::Certificate => "certificate".to_owned(),
        EntryKind::SecretKey => "secret key".to_owned(),
        _ => "other".to_owned(),
    }
}

fn show(store: &Store) -> std::result::Result<(), Failure> {
    let count = store.entries().len();
    let entries = if count == 1 { "entry" } else { "entries" };
    print(format_args!("{}: {}, {count} {entries}", store.label(), type_name(store)))?;
    for warning in store.warnings() {
        print(format_args!("  warning: {warning}"))?;
    }
    for (number, entry) in (1..).zip(store.entries()) {
        let alias = entry.alias.as_ref().map(|alias| format!(" \"{}\"", alias.escape_debug())).unwrap_or_default();
        print(format_args!(""))?;
        print(format_args!("{number}.{alias} {}", kind_text(entry)))?;
        if let Some(note) = &entry.note {
            print(format_args!("   note: {note}"))?;
        }
        for (position, certificate) in (1..).zip(&entry.chain) {
            if entry.chain.len() > 1 {
                print(format_args!("   certificate {position} of {}", entry.chain.len()))?;
            }
            for line in lines_of(certificate) {
                print(format_args!("   {line}"))?;
            }
        }
        if let Some(error) = problem_of_trusted(entry) {
            show_problem("as a peer's own it would be refused", &error)?;
        }
    }
    judge(store).iter().try_for_each(show_judged)
}

fn problem_of_trusted(entry: &Entry) -> Option<Error> {
    let certificate = entry.chain.first().filter(|_| entry.kind == EntryKind::Trusted);
    certificate.and_then(|certificate| of_trusted(certificate, now()))
}

fn lines_of(certificate: &CertificateDer<'_>) -> Vec<String> {
    CertificateFacts::from_der(certificate)
        .map_or_else(|error| vec![format!("unreadable: {error}")], |facts| certificate_lines(&facts))
}

fn show_judged(judged: &Judged) -> std::result::Result<(), Failure> {
    print(format_args!(""))?;
    print(format_args!("judged: {}", judged.place))?;
    for warning in &judged.warnings {
        print(format_args!("   warning: {warning}"))?;
    }
    match &judged.outcome {
        Err(error) => show_problem("cannot be used", error),
        Ok(findings) => {
            let roles =
                if findings.accepted_as.is_empty() { "none".to_owned() } else { findings.accepted_as.join(" and ") };
            print(format_args!("   accepted as  {roles}, by peers that trust the chain's last certificate"))?;
            findings.refusals.iter().try_for_each(|error| show_problem("refused by strict peers", error))
        }
    }
}

fn show_problem(what: &str, error: &Error) -> std::result::Result<(), Failure> {
    print(format_args!("   {what}: {}: {}", error.code().name(), error.message()))?;
    match error.hint() {
        "" => Ok(()),
        hint => print(format_args!("      hint: {hint}")),
    }
}

fn type_name(store: &Store) -> &'static str {
    match store.store_type() {
        StoreType::Pem => "PEM",
        StoreType::Der => "DER",
        StoreType::Pkcs12 => "PKCS#12",
        StoreType::Jks => "JKS",
        StoreType::Jceks => "JCEKS",
    }
}

fn store_json(store: &Store) -> Value {
    json!({
        "file": store.label(),
        "type": type_name(store),
        "warnings": store.warnings(),
        "entries": store.entries().iter().map(entry_json).collect::<Vec<_>>(),
        "judged": judge(store).iter().map(judged_json).collect::<Vec<_>>(),
    })
}

fn entry_json(entry: &Entry) -> Value {
    let kind = match entry.kind {
        EntryKind::Key => "key",
        EntryKind::Trusted => "trusted",
        EntryKind::Certificate => "certificate",
        EntryKind::SecretKey => "secret key",
        _ => "other",
    };
    json!({
        "alias": entry.alias,
        "kind": kind,
        "note": entry.note,
        "problem": problem_of_trusted(entry).as_ref().map(error_json),
        "key": entry.key.as_ref().map(|key| json!({
            "algorithm": key.algorithm,
            "encrypted": key.encrypted,
            "scheme": key.scheme,
        })),
        "certificates": entry.chain.iter().map(|der| certificate_json(der)).collect::<Vec<_>>(),
    })
}

fn judged_json(judged: &Judged) -> Value {
    match &judged.outcome {
        Err(error) => json!({ "place": judged.place, "error": error_json(error) }),
        Ok(findings) => json!({
            "place": judged.place,
            "warnings": judged.warnings,
            "accepted_as": findings.accepted_as,
            "refusals": findings.refusals.iter().map(error_json).collect::<Vec<_>>(),
        }),
    }
}
