//! Trusted certificates, and the revocation lists among them.

use std::collections::HashSet;
use std::path::Path;

use memchr::memmem;
use zeroize::Zeroizing;

use crate::config::source::{self, Source};
use crate::config::{RevocationSpec, Spec, TrustSource, system_roots};
use crate::error::{Code, Error, Result};
use crate::keystore::{self, Limits, OpenOptions, TrustedCertificate};
use crate::revocation::{Crls, Mode, is_named_as_list, may_hold_list};

pub(super) const RAISE_MAX_CRL_BYTES: &str = "If the file is what it should be, raise the option max-crl-bytes.";

impl TrustSource {
    /// Reads the certificates, and adds their warnings. Revocation lists (CRL) among them are for the revocation check.
    ///
    /// # Errors
    /// The first file that cannot be used, by name, `NO_TRUSTED_CERTIFICATE` or `SYSTEM_ROOTS_UNAVAILABLE`.
    pub fn load(&self, warnings: &mut Vec<String>) -> Result<Vec<TrustedCertificate>> {
        match self {
            Self::Store { source, options } => {
                let store = source.open(options)?;
                warnings.extend_from_slice(store.warnings());
                store.trusted()
            }
            Self::Directory { path, options } => trusted_of_directory(path, options, warnings),
            Self::System => system_roots(warnings),
        }
    }
}

/// The certificates of all files of a directory, each once. Directories of CAs hold other files too: a README, lists.
/// A file without a certificate is skipped, with a warning if it holds no list either.
fn trusted_of_directory(
    path: &Path,
    options: &OpenOptions,
    warnings: &mut Vec<String>,
) -> Result<Vec<TrustedCertificate>> {
    let (mut trusted, mut seen) = (Vec::new(), HashSet::new());
    let mut first_fault = None;
    for file in source::files_of(path)? {
        let content = file.read(&options.limits);
        let holds_lists_alone = content.as_ref().is_ok_and(|content| holds_lists_alone(content));
        match content.and_then(|content| trusted_of_file(&file.label(), &content, options, warnings)) {
            Ok(found) => trusted.extend(found.into_iter().filter(|one| seen.insert(one.der.clone()))),
            Err(fault) => {
                if !holds_lists_alone {
                    warnings.push(format!("skipped among the trusted certificates: {}", fault.message()));
                }
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

fn trusted_of_file(
    label: &str,
    content: &Zeroizing<Vec<u8>>,
    options: &OpenOptions,
    warnings: &mut Vec<String>,
) -> Result<Vec<TrustedCertificate>> {
    let store = keystore::open(label, content, options)?;
    let found = store.trusted()?;
    warnings.extend_from_slice(store.warnings());
    Ok(found)
}

fn holds_lists_alone(content: &[u8]) -> bool {
    may_hold_list(content) && memmem::find(content, b"CERTIFICATE-----").is_none()
}

/// Adds the lists among the trusted certificates, from directories and PEM files. If they are not used, a warning says
/// so.
///
/// # Errors
/// As for [`Crls::add_from_directory`]; `STORE_TOO_LARGE`.
pub(super) fn add_lists(spec: &Spec, crls: &mut Crls) -> Result<()> {
    for source in &spec.trust {
        match source {
            TrustSource::Store { source, options } => add_lists_of(source, options.limits, &spec.revocation, crls)?,
            TrustSource::Directory { path, options } => {
                for file in source::files_of(path)? {
                    add_lists_of(&file, options.limits, &spec.revocation, crls)?;
                }
            }
            TrustSource::System => {}
        }
    }
    Ok(())
}

fn add_lists_of(file: &Source, limits: Limits, revocation: &RevocationSpec, crls: &mut Crls) -> Result<()> {
    let unused = match revocation.crl_mode {
        _ if !revocation.is_on() => Some("revocation is off"),
        Some(Mode::Off) => Some("lists are not asked (crl-mode off)"),
        _ => None,
    };
    let most = if unused.is_none() { revocation.remote.max_crl_bytes } else { 0 };
    let limits = Limits { max_content_bytes: limits.max_content_bytes.max(most), ..limits };
    let label = file.label();
    let content = match file.read(&limits) {
        Ok(content) if may_hold_list(&content) => content,
        Err(error) if unused.is_none() && error.code() == Code::StoreTooLarge && is_named_as_list(&label) => {
            return Err(error.with_hint(RAISE_MAX_CRL_BYTES));
        }
        // A file that cannot be read was reported when the certificates were read.
        _ => return Ok(()),
    };
    if let Some(why) = unused {
        crls.note(format!("{label}: a revocation list (CRL) that is not used, because {why}"));
        return Ok(());
    }
    if content.len() > most {
        let error = Error::new(Code::StoreTooLarge, format!("more than {most} bytes")).at(label);
        return Err(error.with_hint(RAISE_MAX_CRL_BYTES));
    }
    crls.add_from_directory(&content, &label)
}
