//! The system's roots, as the distribution keeps them, or as `SSL_CERT_FILE` and `SSL_CERT_DIR` say.

use rustls_native_certs::{CertificateResult, load_certs_from_paths, load_native_certs};

use crate::error::{Code, Error, Result};
use crate::keystore::TrustedCertificate;

const VARIABLES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// The system's roots; adds to `warnings` what an operator should know of them.
///
/// # Errors
/// `SYSTEM_ROOTS_UNAVAILABLE`.
pub(crate) fn system_roots(warnings: &mut Vec<String>) -> Result<Vec<TrustedCertificate>> {
    let found = if is_elevated() {
        let ignored: Vec<_> = VARIABLES.into_iter().filter(|name| std::env::var_os(name).is_some()).collect();
        if !ignored.is_empty() {
            warnings.push(format!(
                "{} ignored: this process has more rights than its parent (set-uid, set-gid, capabilities)",
                ignored.join(" and ")
            ));
        }
        roots_of_distribution()
    } else {
        load_native_certs()
    };
    if found.certs.is_empty() {
        let why = found.errors.first().map(ToString::to_string).unwrap_or_default();
        return Err(Error::new(Code::SystemRootsUnavailable, why));
    }
    Ok(found.certs.into_iter().map(|der| TrustedCertificate::new(der, "system roots")).collect())
}

/// The roots in the usual folders. A user that starts a process with more rights chooses its environment, and must not
/// choose its trust.
fn roots_of_distribution() -> CertificateResult {
    let mut all = CertificateResult::default();
    for folder in openssl_probe::candidate_cert_dirs() {
        let found = load_certs_from_paths(None, Some(folder));
        all.certs.extend(found.certs);
        all.errors.extend(found.errors);
    }
    all.certs.sort_unstable_by(|one, other| one.as_ref().cmp(other.as_ref()));
    all.certs.dedup();
    all
}

/// Returns true if the process has rights that the one that started it may not have, as secure_getenv(3) asks.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[allow(unsafe_code)]
fn is_elevated() -> bool {
    // SAFETY: getauxval(3) takes a number, and reads what the kernel gave the process when it started.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

/// Returns true if the process has rights that the one that started it may not have.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[allow(unsafe_code)]
fn is_elevated() -> bool {
    // SAFETY: issetugid(2) takes nothing, and asks the kernel about the process.
    unsafe { libc::issetugid() != 0 }
}
