//! The attributes of a certificate's subject, its alternative names and the DER of its names, for C.
//!
//! Texts that hold a NUL, which C would take for their end, are not given; their DER is.

use std::ffi::{CString, c_char};
use std::mem::MaybeUninit;
use std::ptr;

use crate::certificate::{AlternativeName, AlternativeNameKind, NameAttribute};
use crate::error::{Code, Error, Result};

use super::arguments::{c_string, null, optional_text, required};
use super::certificate::{btls_certificate, text};
use super::guard::{guard, guard_status};
use super::{DONE, btls_status};

/// The kind of a subject alternative name. Later versions may add kinds.
pub type btls_san_kind = i32;

/// No name.
pub const BTLS_SAN_NONE: btls_san_kind = 0;
/// A DNS host name, possibly with a wildcard.
pub const BTLS_SAN_DNS: btls_san_kind = 1;
/// An IP address.
pub const BTLS_SAN_IP: btls_san_kind = 2;
/// An e-mail address.
pub const BTLS_SAN_EMAIL: btls_san_kind = 3;
/// A URI, e.g. a SPIFFE identity.
pub const BTLS_SAN_URI: btls_san_kind = 4;
/// A user principal name of Active Directory.
pub const BTLS_SAN_UPN: btls_san_kind = 5;
/// An otherName of another type.
pub const BTLS_SAN_OTHER: btls_san_kind = 6;
/// A distinguished name.
pub const BTLS_SAN_DIRECTORY: btls_san_kind = 7;
/// A registered object identifier.
pub const BTLS_SAN_REGISTERED_ID: btls_san_kind = 8;
/// Another kind, or a malformed name.
pub const BTLS_SAN_UNKNOWN: btls_san_kind = 9;

/// An attribute of a subject, with its texts for C.
pub(super) struct Attribute {
    oid: CString,
    text: Option<CString>,
    der: Vec<u8>,
    relative_name: usize,
}

impl Attribute {
    pub(super) fn new(attribute: &NameAttribute) -> Self {
        Self {
            oid: c_string(&attribute.oid),
            text: whole(attribute.text.as_deref()),
            der: attribute.der.clone(),
            relative_name: attribute.relative_name,
        }
    }
}

/// An alternative name, with its texts for C.
pub(super) struct Alternative {
    kind: btls_san_kind,
    shown: CString,
    value: Option<CString>,
    oid: Option<CString>,
    der: Vec<u8>,
}

impl Alternative {
    pub(super) fn new(name: &AlternativeName) -> Self {
        Self {
            kind: match name.kind {
                AlternativeNameKind::Dns => BTLS_SAN_DNS,
                AlternativeNameKind::Ip => BTLS_SAN_IP,
                AlternativeNameKind::Email => BTLS_SAN_EMAIL,
                AlternativeNameKind::Uri => BTLS_SAN_URI,
                AlternativeNameKind::UserPrincipal => BTLS_SAN_UPN,
                AlternativeNameKind::Other => BTLS_SAN_OTHER,
                AlternativeNameKind::Directory => BTLS_SAN_DIRECTORY,
                AlternativeNameKind::RegisteredId => BTLS_SAN_REGISTERED_ID,
                AlternativeNameKind::Unknown => BTLS_SAN_UNKNOWN,
            },
            shown: c_string(&name.to_string()),
            value: whole(name.value.as_deref()),
            oid: name.oid.as_deref().map(c_string),
            der: name.der.clone(),
        }
    }
}

/// Makes a text for C, or none if a NUL would hide a part of it.
pub(super) fn whole(text: Option<&str>) -> Option<CString> {
    text.and_then(|text| CString::new(text).ok())
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

/// Returns the index of the first attribute of type `oid` ("2.5.4.3": common name) from index `start` on, or the number
/// of attributes.
///
/// # Details
///
/// The number of attributes means that there is none. `oid` is in dotted form.
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
