//! Reads the sources of a context, at the build and at each reload: identities, trust, lists.

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::config::source::{self, Source};
use crate::config::{CrlSource, IdentitySource, Spec};
use crate::error::{Code, Error, Result};
use crate::keystore::{self, Identity, OpenOptions, TrustedCertificate};
use crate::revocation::{Crls, Remote, Revocation, RevocationPolicy, now_unix_s, ocsp};
use crate::verify::{Deviation, Deviations, Judge, PeerVerifier};

use super::trust;

pub(super) fn judge(spec: &Spec, remote: Option<Arc<Remote>>, warnings: &mut Vec<String>) -> Result<Judge> {
    match &spec.hosts.trust {
        None => {
            let verifier = PeerVerifier::new(trust(spec, warnings)?, spec.deviations)?;
            let revocation = revocation(spec, remote)?;
            warnings.extend(revocation.warnings(verifier.trusted()));
            Ok(Judge::Own(Arc::new(verifier.with_revocation(revocation))))
        }
        Some(host) => {
            let mut tolerated = Deviations::default();
            tolerated.insert(Deviation::SmallRsa);
            Ok(Judge::Host(Arc::clone(host), Arc::new(PeerVerifier::new(Vec::new(), tolerated)?)))
        }
    }
}

pub(super) fn identities(spec: &Spec, warnings: &mut Vec<String>) -> Result<Vec<Arc<Identity>>> {
    let mut identities = Vec::new();
    let reads_dsa = spec.legacy.is_on && spec.legacy.allowed.dss;
    for source in &spec.identities {
        identities.extend(open_identity(source, reads_dsa, warnings)?);
    }
    let now = spec.clock.current_time().ok_or_else(|| Error::new(Code::Internal, "the clock gives no time"))?;
    for identity in &identities {
        warnings.extend(identity.warnings_at(now));
    }
    Ok(identities)
}

/// The identities of a source. Keys of DSA are for a context of which the second engine may use them.
pub(super) fn open_identity(
    source: &IdentitySource,
    reads_dsa: bool,
    warnings: &mut Vec<String>,
) -> Result<Vec<Arc<Identity>>> {
    if let Some(identity) = &source.ready {
        return Ok(vec![Arc::clone(identity)]);
    }
    let options = OpenOptions { legacy_dsa: reads_dsa, ..source.options.clone() };
    let store = source.certificates.open(&options)?;
    warnings.extend_from_slice(store.warnings());
    let identities = match (&source.key, &source.alias) {
        (Some(key), _) => vec![keystore::pair(&store, &key.open(&options)?)?],
        (None, Some(alias)) => vec![store.identity(alias)?],
        (None, None) => store.identities()?,
    };
    Ok(identities.into_iter().map(Arc::new).collect())
}

fn trust(spec: &Spec, warnings: &mut Vec<String>) -> Result<Vec<TrustedCertificate>> {
    let loaded = spec.trust.iter().map(|source| source.load(warnings)).collect::<Result<Vec<_>>>()?;
    Ok(loaded.into_iter().flatten().collect())
}

/// The largest size of a file of OCSP responses, in bytes.
const MAX_RESPONSES_BYTES: usize = 1 << 20;

/// The content of a file of OCSP responses.
///
/// # Errors
/// `FILE_UNREADABLE`, `STORE_TOO_LARGE`.
pub(super) fn read_responses(file: &Source) -> Result<Zeroizing<Vec<u8>>> {
    file.read_at_most(MAX_RESPONSES_BYTES, "Give the responses in several files; for one there is no option.")
}

/// The content of a file of lists.
fn read_lists(file: &Source, limit: usize) -> Result<Zeroizing<Vec<u8>>> {
    file.read_at_most(limit, trust::RAISE_MAX_CRL_BYTES)
}

/// The fetches over the network, if they are on. All generations of a context share them.
pub(super) fn remote(spec: &Spec) -> Result<Option<Arc<Remote>>> {
    let revocation = &spec.revocation;
    if !revocation.asks_others() {
        return Ok(None);
    }
    let allowed = policy(spec).allowed();
    let remote = Remote::new(revocation.remote.clone(), allowed, Arc::clone(&spec.clock), spec.log.clone())?;
    Ok(Some(Arc::new(remote)))
}

/// The rules of revocation, with the signatures that the tolerated deviations allow.
fn policy(spec: &Spec) -> RevocationPolicy {
    policy_with(spec, false)
}

/// The rules if there are lists among the trusted certificates.
fn policy_with(spec: &Spec, has_more_lists: bool) -> RevocationPolicy {
    spec.revocation.policy(spec.deviations.contains(Deviation::SmallRsa), has_more_lists)
}

/// Reads the lists of a source.
///
/// # Errors
/// `FILE_UNREADABLE`, `STORE_TOO_LARGE`; the first list that cannot be used, by name.
pub(super) fn add_crls(source: &CrlSource, limit: usize, crls: &mut Crls) -> Result<()> {
    match source {
        CrlSource::Source(file) => crls.add(&read_lists(file, limit)?, &file.label()),
        CrlSource::Directory(path) => {
            let before = crls.iter().count();
            for file in source::files_of(path)? {
                if file.is_special() {
                    crls.pass_over(&file.label(), "not a regular file");
                    continue;
                }
                crls.add_from_directory(&read_lists(&file, limit)?, &file.label())?;
            }
            if crls.iter().count() == before {
                crls.note(format!("{}: no revocation list (CRL) is in this directory", path.display()));
            }
            Ok(())
        }
    }
}

/// Reads all lists and responses, also the lists among the trusted certificates.
///
/// # Errors
/// `OPTION_CONFLICT` for rules without a source, or the first list or response that cannot be used, by name.
pub(super) fn revocation(spec: &Spec, remote: Option<Arc<Remote>>) -> Result<Revocation> {
    let revocation = &spec.revocation;
    let limit = revocation.remote.max_crl_bytes;
    let mut crls = Crls::default();
    for source in &revocation.crls {
        add_crls(source, limit, &mut crls)?;
    }
    trust::add_lists(spec, &mut crls)?;
    let has_lists = !crls.is_empty();
    revocation.check(has_lists)?;
    let policy = policy_with(spec, has_lists);
    let allowed = policy.allowed();
    let mut responses = Vec::new();
    for file in &revocation.ocsp_responses {
        let found = ocsp::ocsp_responses_of(&read_responses(file)?, &file.label())?;
        responses.extend(found.into_iter().map(|response| (response.allow(allowed), file.label())));
    }
    let check = Revocation::new(policy, crls).with_responses(responses);
    Ok(check.with_remote(remote).read_at(now_unix_s(spec.clock.as_ref())))
}

/// The names of the settings that weaken a context, for its log.
pub(super) fn insecure_settings(spec: &Spec) -> Vec<String> {
    let settings = [
        (spec.skips_server_name, "insecure: server names are not checked"),
        (spec.accepts_any_server, "insecure: any server certificate is accepted"),
        (spec.revocation.insecure_ocsp_sha1, "insecure: OCSP responses are believed that are signed with SHA-1"),
        (spec.key_log.is_some(), "insecure: the secrets of all connections are written to the key log"),
    ];
    let deviations = spec.deviations.iter().map(|one| format!("{}: {}", one.name(), one.meaning()));
    let set = settings.iter().filter(|(is_set, _)| *is_set).map(|(_, text)| (*text).to_owned());
    set.chain(deviations).collect()
}
