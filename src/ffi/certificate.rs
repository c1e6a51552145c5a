//! What a certificate says of itself, for C: parsed once, texts that live as long as the object.

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

/// What a certificate says of itself. It does not change, and may be read by several threads at a time.
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

/// A text of a certificate, NULL for none.
pub(super) fn text(
    certificate: Option<&btls_certificate>,
    of: impl FnOnce(&btls_certificate) -> Option<&CString>,
) -> *const c_char {
    certificate.and_then(of).map_or(ptr::null(), |text| text.as_ptr())
}

/// Reads the facts of one certificate in DER. Nothing is verified.
///
/// The object belongs to the caller, who frees it with btls_certificate_free. May be called from any thread.
///
/// Returns BTLS_OK, BTLS_NULL_POINTER or BTLS_CERTIFICATE_MALFORMED.
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

/// Frees what btls_certificate_parse gave. A certificate of a connection is freed with the connection.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_certificate_free(certificate: Option<Box<btls_certificate>>) {
    guard((), || drop(certificate));
}

/// The subject as RFC 4514 writes it, the last relative name first, special characters escaped:
/// "CN=broker,O=Example". NULL for NULL. Lives as long as the certificate, as all its texts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_certificate_subject(certificate: Option<&btls_certificate>) -> *const c_char {
    guard(ptr::null(), || text(certificate, |certificate| Some(&certificate.subject)))
}

/// The issuer, written as the subject is; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_certificate_issuer(certificate: Option<&btls_certificate>) -> *const c_char {
    guard(ptr::null(), || text(certificate, |certificate| Some(&certificate.issuer)))
}

/// The last common name of the subject, the most specific, not escaped. NULL if there is none, it
/// has no text, or it holds a NUL character.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_certificate_common_name(certificate: Option<&btls_certificate>) -> *const c_char {
    guard(ptr::null(), || text(certificate, |certificate| certificate.common_name.as_ref()))
}

/// The first common name of the subject in the certificate's order, not escaped: the one that most
/// programs take. NULL as for btls_certificate_common_name. A subject with one common name has the
/// same first and last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_certificate_first_common_name(certificate: Option<&btls_certificate>) -> *const c_char {
    guard(ptr::null(), || text(certificate, |certificate| certificate.first_common_name.as_ref()))
}

/// The serial number in hexadecimal, lower case, two digits a byte, without leading zeros: "80ff",
/// "-01"; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_certificate_serial(certificate: Option<&btls_certificate>) -> *const c_char {
    guard(ptr::null(), || text(certificate, |certificate| Some(&certificate.serial)))
}

/// The SHA-256 of the whole certificate in hexadecimal, lower case; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_certificate_sha256(certificate: Option<&btls_certificate>) -> *const c_char {
    guard(ptr::null(), || text(certificate, |certificate| Some(&certificate.sha256)))
}

/// The kind and size of the key, e.g. "RSA 2048", "EC P-256", "Ed25519"; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_certificate_key(certificate: Option<&btls_certificate>) -> *const c_char {
    guard(ptr::null(), || text(certificate, |certificate| Some(&certificate.key)))
}

/// The version of X.509, 1 to 3; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_certificate_x509_version(certificate: Option<&btls_certificate>) -> u32 {
    guard(0, || certificate.map_or(0, |certificate| certificate.version))
}

/// From when it is valid, seconds since 1970 in UTC; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_certificate_not_before(certificate: Option<&btls_certificate>) -> i64 {
    guard(0, || certificate.map_or(0, |certificate| certificate.not_before))
}

/// Until when it is valid, the last second with it, seconds since 1970 in UTC; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_certificate_not_after(certificate: Option<&btls_certificate>) -> i64 {
    guard(0, || certificate.map_or(0, |certificate| certificate.not_after))
}

/// Whether its basic constraints say that it is a CA; false for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_certificate_is_ca(certificate: Option<&btls_certificate>) -> bool {
    guard(false, || certificate.is_some_and(|certificate| certificate.is_ca))
}
