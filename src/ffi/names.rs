//! The attributes of a certificate's subject and its alternative names, with their texts for C.
//!
//! Texts that hold a NUL, which C would take for their end, are not given; their DER is.

use std::ffi::CString;

use crate::certificate::{AlternativeName, AlternativeNameKind, NameAttribute};

use super::arguments::c_string;

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
    pub(super) oid: CString,
    pub(super) text: Option<CString>,
    pub(super) der: Vec<u8>,
    pub(super) relative_name: usize,
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
    pub(super) kind: btls_san_kind,
    pub(super) shown: CString,
    pub(super) value: Option<CString>,
    pub(super) oid: Option<CString>,
    pub(super) der: Vec<u8>,
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
