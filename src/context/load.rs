//! What a context reads when it is built and when it is reloaded: identities, trust, lists.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use crate::error::{Code, Error, Result};
use crate::keystore::{self, Identity, Limits, OpenOptions, TrustedCertificate};
use crate::revocation::{Crls, Remote, RemoteSettings, Revocation, RevocationPolicy, now_unix_s, ocsp};
use crate::settings::{CrlSource, IdentitySource, Spec, TrustSource};
use crate::source::{self, Source};
use crate::verify::{Judge, PeerVerifier, Switch, Switches};

pub(super) fn judge(spec: &Spec, remote: Option<Arc<Remote>>, warnings: &mut Vec<String>) -> Result<Judge> {
    match &spec.hosts.trust {
        None => {
            let verifier = PeerVerifier::new(trust(spec, warnings)?, spec.switches)?;
            let revocation = revocation(spec, remote)?;
            warnings.extend(revocation.warnings(verifier.trusted()));
            Ok(Judge::Own(Arc::new(verifier.with_revocation(revocation))))
        }
        Some(host) => {
            let mut switches = Switches::default();
            switches.insert(Switch::SmallRsa);
            Ok(Judge::Host(Arc::clone(host), Arc::new(PeerVerifier::new(Vec::new(), switches)?)))
        }
    }
}

pub(super) fn identities(spec: &Spec, warnings: &mut Vec<String>) -> Result<Vec<Arc<Identity>>> {
    let mut identities = Vec::new();
    for source in &spec.identities {
        identities.extend(open_identity(source, warnings)?);
    }
    let now = spec.clock.current_time().ok_or_else(|| Error::new(Code::Internal, "the clock gives no time"))?;
    for identity in &identities {
        warnings.extend(identity.warnings_at(now));
    }
    Ok(identities)
}

fn open_identity(source: &IdentitySource, warnings: &mut Vec<String>) -> Result<Vec<Arc<Identity>>> {
    if let Some(identity) = &source.ready {
        return Ok(vec![Arc::clone(identity)]);
    }
    let store = source.open()?;
    warnings.extend_from_slice(store.warnings());
    let identities = match (&source.key, &source.alias) {
        (Some(key), _) => vec![keystore::pair(&store, &open(key, &source.options)?)?],
        (None, Some(alias)) => vec![store.identity(alias)?],
        (None, None) => store.identities()?,
    };
    Ok(identities.into_iter().map(Arc::new).collect())
}

fn trust(spec: &Spec, warnings: &mut Vec<String>) -> Result<Vec<TrustedCertificate>> {
    let loaded = spec.trust.iter().map(|source| source.load(warnings)).collect::<Result<Vec<_>>>()?;
    Ok(loaded.into_iter().flatten().collect())
}

/// The longest file of OCSP responses.
pub(super) const MAX_RESPONSES_BYTES: usize = 1 << 20;

/// Who is asked over the network, where that is wanted; one for all generations of a context.
pub(super) fn remote(spec: &Spec) -> Result<Option<Arc<Remote>>> {
    let revocation = &spec.revocation;
    if !revocation.asks_others() {
        return Ok(None);
    }
    let settings = RemoteSettings {
        fetch: revocation.fetch.policy(),
        cache: revocation.fetch.cache.clone(),
        refresh_s: revocation.fetch.refresh_s,
        max_crl_bytes: revocation.max_crl_bytes,
        ocsp_responder: revocation.ocsp_responder.clone(),
        ocsp_nonce: revocation.ocsp_nonce,
        ocsp_hash: revocation.ocsp_hash,
        allowed: policy(spec).allowed(),
    };
    Remote::new(settings, Arc::clone(&spec.clock), spec.log.clone()).map(|remote| Some(Arc::new(remote)))
}

/// The rules, with what the switches of verification say of signatures.
fn policy(spec: &Spec) -> RevocationPolicy {
    spec.revocation.policy(spec.switches.contains(Switch::SmallRsa))
}

/// Reads every list and response.
///
/// # Errors
/// `OPTION_CONFLICT` for rules without a source; the first list or response that cannot be used, by name.
pub(super) fn revocation(spec: &Spec, remote: Option<Arc<Remote>>) -> Result<Revocation> {
    let revocation = &spec.revocation;
    revocation.check()?;
    let limits = Limits { max_content_bytes: revocation.max_crl_bytes, ..Limits::default() };
    let mut crls = Crls::default();
    for source in &revocation.crls {
        match source {
            CrlSource::Source(file) => crls.add(&file.read(&limits)?, &file.label())?,
            CrlSource::Directory(path) => {
                let before = crls.iter().count();
                for file in source::files_of(path)? {
                    crls.add_from_directory(&file.read(&limits)?, &file.label())?;
                }
                if crls.iter().count() == before {
                    crls.note(format!("{}: no revocation list (CRL) is in this directory", path.display()));
                }
            }
        }
    }
    let allowed = policy(spec).allowed();
    let mut responses = Vec::new();
    let limits = Limits { max_content_bytes: MAX_RESPONSES_BYTES, ..Limits::default() };
    for file in &revocation.ocsp_responses {
        let found = ocsp::ocsp_responses_of(&file.read(&limits)?, &file.label())?;
        responses.extend(found.into_iter().map(|response| (response.allow(allowed), file.label())));
    }
    let check = Revocation::new(policy(spec), crls).with_responses(responses);
    Ok(check.with_remote(remote).read_at(now_unix_s(spec.clock.as_ref())))
}

impl TrustSource {
    /// Reads the certificates, and adds to `warnings` what an operator should know of them.
    ///
    /// # Errors
    /// The first file that cannot be used, by name; `NO_TRUSTED_CERTIFICATE`, `SYSTEM_ROOTS_UNAVAILABLE`.
    pub fn load(&self, warnings: &mut Vec<String>) -> Result<Vec<TrustedCertificate>> {
        match self {
            Self::Store { source, options } => {
                let store = open(source, options)?;
                warnings.extend_from_slice(store.warnings());
                store.trusted()
            }
            Self::Directory(path) => trusted_of_directory(path, warnings),
            Self::System => source::system_roots(warnings),
        }
    }
}

/// The certificates of all files of a directory, each once. Directories of CAs hold other files too: a README, lists.
/// What holds no certificate is skipped with a warning.
fn trusted_of_directory(path: &Path, warnings: &mut Vec<String>) -> Result<Vec<TrustedCertificate>> {
    let (mut trusted, mut seen) = (Vec::new(), HashSet::new());
    let mut first_fault = None;
    for file in source::files_of(path)? {
        let found = open(&file, &OpenOptions::default()).and_then(|store| {
            let found = store.trusted()?;
            warnings.extend_from_slice(store.warnings());
            Ok(found)
        });
        match found {
            Ok(found) => trusted.extend(found.into_iter().filter(|one| seen.insert(one.der.clone()))),
            Err(fault) => {
                warnings.push(format!("skipped among the trusted certificates: {}", fault.message()));
                first_fault.get_or_insert(fault);
            }
        }
    }
    match (trusted.is_empty(), first_fault) {
        (false, _) => Ok(trusted),
        (true, Some(fault)) => Err(fault),
        (true, None) => Err(Error::new(Code::NoTrustedCertificate, "no files").at(path.display())),
    }
}

impl IdentitySource {
    /// Opens the store, or the certificate file, without decrypting keys.
    ///
    /// # Errors
    /// As for [`keystore::open`], with the file's name.
    pub fn open(&self) -> Result<keystore::Store> {
        open(&self.certificates, &self.options)
    }
}

pub(super) fn open(source: &Source, options: &OpenOptions) -> Result<keystore::Store> {
    keystore::open(&source.label(), &source.read(&options.limits)?, options)
}

/// The settings that weaken a context, named so that its log shows them.
pub(super) fn insecure_settings(spec: &Spec) -> Vec<String> {
    let settings = [
        (spec.skips_server_name, "insecure: server names are not checked"),
        (spec.accepts_any_server, "insecure: any server certificate is accepted"),
        (spec.revocation.insecure_ocsp_sha1, "insecure: OCSP responses are believed that are signed with SHA-1"),
        (spec.key_log.is_some(), "insecure: the secrets of all connections are written to the key log"),
    ];
    let switches = spec.switches.iter().map(|switch| format!("{}: {}", switch.name(), switch.meaning()));
    settings.iter().filter(|(is_set, _)| *is_set).map(|(_, text)| (*text).to_owned()).chain(switches).collect()
}
