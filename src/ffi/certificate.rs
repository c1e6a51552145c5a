//! The facts of a certificate for C. They are parsed once and live as long as the object.

use std::ffi::{CString, c_char, c_void};
use std::mem::MaybeUninit;
use std::ptr;

use rustls::pki_types::CertificateDer;

use crate::certificate::CertificateFacts;
use crate::error::{Code, Result};

use super::arguments::{bytes, c_string, required};
use super::btls_status;
use super::guard::{guard, guard_status};
use super::names::{Alternative, Attribute, whole};

/// The facts of a certificate. They never change; several threads may read them.
pub struct btls_certificate {
    subject: CString,
    issuer: CString,
    common_name: Option<CString>,
    first_common_name: Option<CString>,
    serial: CString,
    sha256: CString,
    key: CString,
    pub(super) subject_der: Vec<u8>,
    pub(super) issuer_der: Vec<u8>,
    pub(super) attributes: Vec<Attribute>,
    pub(super) alternative_names: Vec<Alternative>,
    version: u32,
    not_before: i64,
    not_after: i64,
    is_ca: bool,
}

impl btls_certificate {
    pub(super) fn from_der(der: &CertificateDer<'_>) -> Result<Self> {
        let facts = CertificateFacts::from_der(der)?;
        Ok(Self {
            subject: c_string(facts.subject.as_str()),
            issuer: c_string(facts.issuer.as_str()),
            common_name: whole(facts.common_name()),
            first_common_name: whole(facts.first_common_name()),
            serial: c_string(&facts.serial),
            sha256: c_string(&facts.sha256_fingerprint),
            key: c_string(&facts.key),
            subject_der: facts.subject.der().to_vec(),
            issuer_der: facts.issuer.der().to_vec(),
            attributes: facts.subject.attributes().iter().map(Attribute::new).collect(),
            alternative_names: facts.subject_alternative_names.iter().map(Alternative::new).collect(),
            version: facts.version,
            not_before: facts.not_before_unix_s,
            not_after: facts.not_after_unix_s,
            is_ca: facts.is_ca,
        })
    }
}

/// Returns a text of a certificate, or NULL.
pub(super) fn text(
    certificate: Option<&btls_certificate>,
    of: impl FnOnce(&btls_certificate) -> Option<&CString>,
) -> *const c_char {
    certificate.and_then(of).map_or(ptr::null(), |text| text.as_ptr())
}

/// Parses one certificate in DER, unverified. Free the object with btls_certificate_free.
///
/// # Details
///
/// Returns BTLS_CERTIFICATE_MALFORMED if the bytes are not one certificate.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_certificate_parse(
    der: *const u8,
    length: usize,
    certificate: Option<&mut MaybeUninit<*mut btls_certificate>>,
) -> btls_status {
    guard_status(|| {
        let certificate = required(certificate, "certificate")?;
        // SAFETY: the header asks for NULL or `length` bytes.
        let der = unsafe { bytes("der", der.cast::<c_void>(), length) }?;
        let parsed = btls_certificate::from_der(&CertificateDer::from(der))?;
        certificate.write(Box::into_raw(Box::new(parsed)));
        Ok(Code::Ok.number())
    })
}

/// Frees an object of btls_certificate_parse. A connection frees its own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_certificate_free(certificate: Option<Box<btls_certificate>>) {
    guard((), || drop(certificate));
}

/// Returns the subject in the form of RFC 4514, the last relative name first: "CN=a,O=Example".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_certificate_subject(certificate: Option<&btls_certificate>) -> *const c_char {
    guard(ptr::null(), || text(certificate, |certificate| Some(&certificate.subject)))
}

/// Returns the issuer in the same form.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_certificate_issuer(certificate: Option<&btls_certificate>) -> *const c_char {
    guard(ptr::null(), || text(certificate, |certificate| Some(&certificate.issuer)))
}

/// Returns the last common name of the subject, the most specific. NULL if it is not a text.
///
/// # Details
///
/// The text has no escapes. It is NULL if there is no common name, it is not text, or it holds a NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_certificate_common_name(certificate: Option<&btls_certificate>) -> *const c_char {
    guard(ptr::null(), || text(certificate, |certificate| certificate.common_name.as_ref()))
}

/// Returns the first common name of the subject, which most programs use. NULL as above.
///
/// # Details
///
/// It is the first in the certificate's order. NULL as for btls_certificate_common_name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_certificate_first_common_name(certificate: Option<&btls_certificate>) -> *const c_char {
    guard(ptr::null(), || text(certificate, |certificate| certificate.first_common_name.as_ref()))
}

/// Returns the serial number in lower-case hexadecimal: "80ff", "-01".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_certificate_serial(certificate: Option<&btls_certificate>) -> *const c_char {
    guard(ptr::null(), || text(certificate, |certificate| Some(&certificate.serial)))
}

/// Returns the SHA-256 fingerprint of the certificate in lower-case hexadecimal.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_certificate_sha256(certificate: Option<&btls_certificate>) -> *const c_char {
    guard(ptr::null(), || text(certificate, |certificate| Some(&certificate.sha256)))
}

/// Returns the type and size of the key: "RSA 2048", "EC P-256", "Ed25519".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_certificate_key(certificate: Option<&btls_certificate>) -> *const c_char {
    guard(ptr::null(), || text(certificate, |certificate| Some(&certificate.key)))
}

/// Returns the X.509 version, 1 to 3.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_certificate_x509_version(certificate: Option<&btls_certificate>) -> u32 {
    guard(0, || certificate.map_or(0, |certificate| certificate.version))
}

/// Returns the first second of validity.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_certificate_not_before(certificate: Option<&btls_certificate>) -> i64 {
    guard(0, || certificate.map_or(0, |certificate| certificate.not_before))
}

/// Returns the last second of validity.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_certificate_not_after(certificate: Option<&btls_certificate>) -> i64 {
    guard(0, || certificate.map_or(0, |certificate| certificate.not_after))
}

/// Returns true for a CA, by the basic constraints.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_certificate_is_ca(certificate: Option<&btls_certificate>) -> bool {
    guard(false, || certificate.is_some_and(|certificate| certificate.is_ca))
}
