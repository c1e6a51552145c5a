//! The facts of a certificate for C, with its names. They are parsed once and live as long as the object.

use std::ffi::{CString, c_char, c_void};
use std::mem::MaybeUninit;
use std::ptr;

use rustls::pki_types::CertificateDer;

use crate::certificate::CertificateFacts;
use crate::error::{Code, Error, Result};

use super::arguments::{bytes, c_string, null, optional_text, required};
use super::guard::{guard, guard_status};
use super::names::{Alternative, Attribute, BTLS_SAN_NONE, btls_san_kind, whole};
use super::{DONE, btls_status};

/// The facts of a certificate. They never change; several threads may read them.
pub struct btls_certificate {
    subject: CString,
    issuer: CString,
    common_name: Option<CString>,
    first_common_name: Option<CString>,
    serial: CString,
    sha256: CString,
    key: CString,
    subject_der: Vec<u8>,
    issuer_der: Vec<u8>,
    attributes: Vec<Attribute>,
    alternative_names: Vec<Alternative>,
    version: u32,
    not_before: i64,
    not_after: i64,
    is_ca: bool,
}

impl btls_certificate {
    pub(super) fn from_der(der: &CertificateDer<'_>) -> Result<Self> {
        CertificateFacts::from_der(der).map(|facts| Self::new(&facts))
    }

    pub(super) fn new(facts: &CertificateFacts) -> Self {
        Self {
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
        }
    }
}

/// Returns a text of a certificate, or NULL.
fn text(
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

/// Gives bytes that live as long as the certificate.
fn give(
    bytes: Result<&[u8]>,
    der: Option<&mut MaybeUninit<*const u8>>,
    length: Option<&mut MaybeUninit<usize>>,
) -> Result<btls_status> {
    let (der, length) = (required(der, "der")?, required(length, "length")?);
    let bytes = bytes?;
    der.write(bytes.as_ptr());
    length.write(bytes.len());
    DONE
}

fn at<'a, T>(all: Option<&'a [T]>, index: usize, what: &str) -> Result<&'a T> {
    let all = all.ok_or_else(|| null("certificate"))?;
    let wrong = || Error::new(Code::InvalidArgument, format!("{what} {index} of {}", all.len()));
    all.get(index).ok_or_else(wrong)
}

/// Gives the DER encoding of the subject, an X.501 Name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_certificate_subject_der(
    certificate: Option<&btls_certificate>,
    der: Option<&mut MaybeUninit<*const u8>>,
    length: Option<&mut MaybeUninit<usize>>,
) -> btls_status {
    guard_status(|| {
        let name = certificate.map(|certificate| &certificate.subject_der[..]);
        give(name.ok_or_else(|| null("certificate")), der, length)
    })
}

/// Gives the DER encoding of the issuer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_certificate_issuer_der(
    certificate: Option<&btls_certificate>,
    der: Option<&mut MaybeUninit<*const u8>>,
    length: Option<&mut MaybeUninit<usize>>,
) -> btls_status {
    guard_status(|| {
        let name = certificate.map(|certificate| &certificate.issuer_der[..]);
        give(name.ok_or_else(|| null("certificate")), der, length)
    })
}

/// Returns the number of attributes of the subject. Index 0 is the first in the certificate.
///
/// # Details
///
/// The certificate's order is the reverse of that of btls_certificate_subject.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_certificate_attribute_count(certificate: Option<&btls_certificate>) -> usize {
    guard(0, || certificate.map_or(0, |certificate| certificate.attributes.len()))
}

/// Returns the index of the first attribute of type `oid` from `start` on; the count if none is.
///
/// # Details
///
/// The type is an object identifier in dotted form, such as "2.5.4.3" for a common name. If there is none from that
/// index on, the result is the number of attributes of the subject.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_certificate_attribute_find(
    certificate: Option<&btls_certificate>,
    oid: *const c_char,
    start: usize,
) -> usize {
    guard(0, || {
        let attributes = certificate.map_or(&[][..], |certificate| &certificate.attributes);
        // SAFETY: the header asks for NULL or text that ends with a NUL.
        let oid = unsafe { optional_text("oid", oid) }.ok().flatten();
        let mut rest = attributes.iter().enumerate().skip(start);
        let found = rest.find(|(_, attribute)| attribute.oid.to_str().ok() == oid);
        found.map_or(attributes.len(), |(index, _)| index)
    })
}

/// Returns the type of an attribute: an object identifier in dotted form.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_certificate_attribute_oid(
    certificate: Option<&btls_certificate>,
    index: usize,
) -> *const c_char {
    guard(ptr::null(), || text(certificate, |certificate| certificate.attributes.get(index).map(|one| &one.oid)))
}

/// Returns the value of an attribute without escapes. NULL if it is not text or holds a NUL.
///
/// # Details
///
/// Other control characters are possible: the issuer chose the value.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_certificate_attribute_text(
    certificate: Option<&btls_certificate>,
    index: usize,
) -> *const c_char {
    guard(ptr::null(), || {
        text(certificate, |certificate| certificate.attributes.get(index).and_then(|one| one.text.as_ref()))
    })
}

/// Returns the position of the relative name of an attribute. Several attributes may share it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_certificate_attribute_rdn(certificate: Option<&btls_certificate>, index: usize) -> usize {
    guard(0, || {
        certificate.and_then(|certificate| certificate.attributes.get(index)).map_or(0, |one| one.relative_name)
    })
}

/// Gives the DER encoding of the value of an attribute, with its tag.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_certificate_attribute_der(
    certificate: Option<&btls_certificate>,
    index: usize,
    der: Option<&mut MaybeUninit<*const u8>>,
    length: Option<&mut MaybeUninit<usize>>,
) -> btls_status {
    guard_status(|| {
        let bytes = at(certificate.map(|certificate| &certificate.attributes[..]), index, "attribute");
        give(bytes.map(|one| &one.der[..]), der, length)
    })
}

/// Returns the number of subject alternative names.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_certificate_san_count(certificate: Option<&btls_certificate>) -> usize {
    guard(0, || certificate.map_or(0, |certificate| certificate.alternative_names.len()))
}

/// Returns an alternative name with its kind, to be shown: "DNS:a.example", "IP:192.0.2.1".
///
/// # Details
///
/// The other forms are "email:a@example", "URI:...", "UPN:a@corp.example", "otherName:1.2.3.4;#0c0161",
/// "dirName:CN=a,O=Example" and "registeredID:1.2.3.4". Control characters, the backslash and a leading "#" are escaped
/// ("\00", "\\", "\#"). A value that is not valid for its kind is its DER encoding in hexadecimal after "#".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_certificate_san(certificate: Option<&btls_certificate>, index: usize) -> *const c_char {
    guard(ptr::null(), || {
        text(certificate, |certificate| certificate.alternative_names.get(index).map(|one| &one.shown))
    })
}

/// Returns the kind of a subject alternative name, or BTLS_SAN_NONE for an index out of range.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_certificate_san_kind(
    certificate: Option<&btls_certificate>,
    index: usize,
) -> btls_san_kind {
    guard(BTLS_SAN_NONE, || {
        let name = certificate.and_then(|certificate| certificate.alternative_names.get(index));
        name.map_or(BTLS_SAN_NONE, |one| one.kind)
    })
}

/// Returns the value without escapes: host, address, URI, name or identifier. NULL if not text.
///
/// # Details
///
/// The value is the host, the address, the URI, the distinguished name in the form of btls_certificate_subject, or the
/// object identifier. It is NULL if it is not text, not valid for its kind, or holds a NUL. Other control characters
/// are possible: the issuer chose the value. A user principal name is an otherName of type 1.3.6.1.4.1.311.20.2.3.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_certificate_san_value(
    certificate: Option<&btls_certificate>,
    index: usize,
) -> *const c_char {
    guard(ptr::null(), || {
        text(certificate, |certificate| certificate.alternative_names.get(index).and_then(|one| one.value.as_ref()))
    })
}

/// Returns the type of an otherName in dotted form, or NULL for other kinds.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_certificate_san_oid(
    certificate: Option<&btls_certificate>,
    index: usize,
) -> *const c_char {
    guard(ptr::null(), || {
        text(certificate, |certificate| certificate.alternative_names.get(index).and_then(|one| one.oid.as_ref()))
    })
}

/// Gives the DER encoding of the name.
///
/// # Details
///
/// For an otherName and a distinguished name, it is the encoding of the value. For other kinds, it is that of the whole
/// GeneralName.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_certificate_san_der(
    certificate: Option<&btls_certificate>,
    index: usize,
    der: Option<&mut MaybeUninit<*const u8>>,
    length: Option<&mut MaybeUninit<usize>>,
) -> btls_status {
    guard_status(|| {
        let bytes = at(certificate.map(|certificate| &certificate.alternative_names[..]), index, "name");
        give(bytes.map(|one| &one.der[..]), der, length)
    })
}
