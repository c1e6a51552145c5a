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
/// A user principal name, as Active Directory writes it: an otherName of type
/// 1.3.6.1.4.1.311.20.2.3.
pub const BTLS_SAN_UPN: btls_san_kind = 5;
/// An otherName of any other type.
pub const BTLS_SAN_OTHER: btls_san_kind = 6;
/// A distinguished name.
pub const BTLS_SAN_DIRECTORY: btls_san_kind = 7;
/// A registered object identifier.
pub const BTLS_SAN_REGISTERED_ID: btls_san_kind = 8;
/// A name of a kind that has no text, or bytes that are no name.
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

/// Text for a caller, none if a NUL would hide a part of it.
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

/// Gives the DER encoding of the subject, a Name of X.501. It lives as long as the certificate.
///
/// Returns BTLS_OK or BTLS_NULL_POINTER.
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

/// Gives the DER encoding of the issuer, as btls_certificate_subject_der does.
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

/// The number of attributes of the subject; 0 for NULL.
///
/// They have indexes from 0 in the certificate's order, the reverse of that of
/// btls_certificate_subject.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_certificate_attribute_count(certificate: Option<&btls_certificate>) -> usize {
    guard(0, || certificate.map_or(0, |certificate| certificate.attributes.len()))
}

/// The index of the first attribute of a type, counted from `start`; the number of attributes if
/// there is none.
///
/// `oid` is the type's object identifier in dotted form, e.g. "2.5.4.3" for a common name.
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

/// The type of an attribute as an object identifier in dotted form; NULL for an index that is too
/// large.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_certificate_attribute_oid(
    certificate: Option<&btls_certificate>,
    index: usize,
) -> *const c_char {
    guard(ptr::null(), || text(certificate, |certificate| certificate.attributes.get(index).map(|one| &one.oid)))
}

/// The value of an attribute, not escaped. NULL if it has no text or holds a NUL character, and for
/// an index that is too large. It can hold other control characters: its issuer chose it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_certificate_attribute_text(
    certificate: Option<&btls_certificate>,
    index: usize,
) -> *const c_char {
    guard(ptr::null(), || {
        text(certificate, |certificate| certificate.attributes.get(index).and_then(|one| one.text.as_ref()))
    })
}

/// The position of an attribute's relative name, which the attributes of a relative name with
/// several share; 0 for an index that is too large.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_certificate_attribute_rdn(certificate: Option<&btls_certificate>, index: usize) -> usize {
    guard(0, || {
        certificate.and_then(|certificate| certificate.attributes.get(index)).map_or(0, |one| one.relative_name)
    })
}

/// Gives the DER encoding of an attribute's value, with its tag. It lives as long as the
/// certificate.
///
/// Returns BTLS_OK, BTLS_NULL_POINTER, or BTLS_INVALID_ARGUMENT for an index that is too large.
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

/// The number of subject alternative names; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_certificate_san_count(certificate: Option<&btls_certificate>) -> usize {
    guard(0, || certificate.map_or(0, |certificate| certificate.alternative_names.len()))
}

/// A subject alternative name with its kind, for people: "DNS:broker.example", "IP:192.0.2.1",
/// "email:a@example", "URI:...", "UPN:a@corp.example", "otherName:1.2.3.4;#0c0161",
/// "dirName:CN=a,O=Example", "registeredID:1.2.3.4". NULL for an index that is too large.
///
/// Control characters, the backslash and a leading "#" are escaped ("\00", "\\", "\#"). A value
/// that its kind does not allow is its DER in hexadecimal after "#".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_certificate_san(certificate: Option<&btls_certificate>, index: usize) -> *const c_char {
    guard(ptr::null(), || {
        text(certificate, |certificate| certificate.alternative_names.get(index).map(|one| &one.shown))
    })
}

/// Returns the kind of a subject alternative name; BTLS_SAN_NONE for an index that is too large.
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

/// The value of a subject alternative name, not escaped: the host, the address, the URI, the
/// distinguished name as in btls_certificate_subject, the object identifier.
///
/// NULL if it has no text, if its kind does not allow what it holds, or if it holds a NUL
/// character, and for an index that is too large. It can hold other control characters: its issuer
/// chose it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_certificate_san_value(
    certificate: Option<&btls_certificate>,
    index: usize,
) -> *const c_char {
    guard(ptr::null(), || {
        text(certificate, |certificate| certificate.alternative_names.get(index).and_then(|one| one.value.as_ref()))
    })
}

/// The type of an otherName as an object identifier in dotted form; NULL for other kinds.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_certificate_san_oid(
    certificate: Option<&btls_certificate>,
    index: usize,
) -> *const c_char {
    guard(ptr::null(), || {
        text(certificate, |certificate| certificate.alternative_names.get(index).and_then(|one| one.oid.as_ref()))
    })
}

/// Gives a DER encoding that lives as long as the certificate: of the value of an otherName and of
/// a distinguished name, of the whole GeneralName of other kinds.
///
/// Returns BTLS_OK, BTLS_NULL_POINTER, or BTLS_INVALID_ARGUMENT for an index that is too large.
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
