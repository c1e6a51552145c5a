//! Subject alternative names (RFC 5280 section 4.2.1.6), each with its kind.

use std::fmt;
use std::net::IpAddr;

use super::name::DistinguishedName;
use super::oid;
use super::strings::{IA5_STRING, escape_unseen_into, text};
use super::text::hex;
use crate::der::{Element, Malformed, OID, SEQUENCE, only};

/// The kind of a subject alternative name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AlternativeNameKind {
    /// A DNS host name, possibly with a wildcard.
    Dns,
    /// An IP address.
    Ip,
    /// An e-mail address.
    Email,
    /// A URI, e.g. a SPIFFE identity.
    Uri,
    /// A user principal name, as Active Directory writes it: an otherName of type `1.3.6.1.4.1.311.20.2.3`.
    UserPrincipal,
    /// An otherName of any other type.
    Other,
    /// A distinguished name.
    Directory,
    /// A registered object identifier.
    RegisteredId,
    /// An x400Address, an ediPartyName, or bytes that are not a GeneralName.
    Unknown,
}

impl AlternativeNameKind {
    /// Its name in JSON: `dns`, `ip`, `email`, `uri`, `upn`, `other`, `directory`, `registered-id`, `unknown`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Ip => "ip",
            Self::Email => "email",
            Self::Uri => "uri",
            Self::UserPrincipal => "upn",
            Self::Other => "other",
            Self::Directory => "directory",
            Self::RegisteredId => "registered-id",
            Self::Unknown => "unknown",
        }
    }
}

/// A subject alternative name. Displayed with its kind: `DNS:host`, `IP:192.0.2.1`, `email:a@example`, `URI:…`,
/// `UPN:a@corp.example`, `otherName:1.2.3.4;#0c0161`, `dirName:CN=a,O=Example`, `registeredID:1.2.3.4`.
///
/// In the displayed form, control characters, the backslash and a leading `#` are escaped (`\00`, `\\`, `\#`). A value
/// that is not valid for its kind is its DER in hexadecimal after `#`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AlternativeName {
    /// The kind of the name.
    pub kind: AlternativeNameKind,
    /// The name without escapes: the host, the address in its usual notation, the URI, the distinguished name of RFC
    /// 4514, the object identifier. `None` for an otherName without a known form, and for a value that is not valid for
    /// its kind.
    ///
    /// The issuer chose the value: control characters and NUL are possible.
    pub value: Option<String>,
    /// The type of an otherName in dotted form; none for other kinds.
    pub oid: Option<String>,
    /// The DER encoding: of the value for an otherName and for a distinguished name, of the GeneralName for other
    /// kinds.
    pub der: Vec<u8>,
}

/// The content of the extension's object identifier, `2.5.29.17`.
pub(super) const SUBJECT_ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1d, 0x11];

const USER_PRINCIPAL: &str = "1.3.6.1.4.1.311.20.2.3";

/// Tags of a GeneralName.
const OTHER_NAME: u8 = 0xa0;
const RFC822_NAME: u8 = 0x81;
const DNS_NAME: u8 = 0x82;
const DIRECTORY_NAME: u8 = 0xa4;
const URI: u8 = 0x86;
const IP_ADDRESS: u8 = 0x87;
const REGISTERED_ID: u8 = 0x88;
/// `[0] EXPLICIT`, around the value of an otherName.
const OTHER_VALUE: u8 = 0xa0;

/// The names of the extension's value. The part that cannot be parsed is one name of unknown kind, the last.
pub(super) fn alternative_names(extension: &[u8]) -> Vec<AlternativeName> {
    let unknown = |der: &[u8]| AlternativeName::new(AlternativeNameKind::Unknown, None, der);
    let Ok(names) = only(SEQUENCE, extension) else { return vec![unknown(extension)] };
    let (mut elements, mut names) = (names.inside(), Vec::new());
    loop {
        let rest = elements;
        match elements.next() {
            Ok(Some(element)) => names.push(name(element).unwrap_or_else(|Malformed| unknown(element.whole))),
            Ok(None) => return names,
            Err(Malformed) => {
                names.push(unknown(rest.rest()));
                return names;
            }
        }
    }
}

impl AlternativeName {
    /// Returns true for the name of a host: a DNS name or an IP address.
    #[must_use]
    pub fn is_host(&self) -> bool {
        matches!(self.kind, AlternativeNameKind::Dns | AlternativeNameKind::Ip)
    }

    fn new(kind: AlternativeNameKind, value: Option<String>, der: &[u8]) -> Self {
        Self { kind, value, oid: None, der: der.to_vec() }
    }
}

fn name(element: Element<'_>) -> Result<AlternativeName, Malformed> {
    use AlternativeNameKind as Kind;
    let ia5 = |kind| {
        let value = text(Element { tag: IA5_STRING, ..element });
        Ok(AlternativeName::new(kind, value, element.whole))
    };
    match element.tag {
        DNS_NAME => ia5(Kind::Dns),
        RFC822_NAME => ia5(Kind::Email),
        URI => ia5(Kind::Uri),
        IP_ADDRESS => {
            let four = <[u8; 4]>::try_from(element.content).map(IpAddr::from);
            let address = four.or_else(|_| <[u8; 16]>::try_from(element.content).map(IpAddr::from));
            Ok(AlternativeName::new(Kind::Ip, address.ok().map(|address| address.to_string()), element.whole))
        }
        REGISTERED_ID => Ok(AlternativeName::new(Kind::RegisteredId, oid::dotted(element.content), element.whole)),
        DIRECTORY_NAME => {
            let directory = only(SEQUENCE, element.content)?.whole;
            let text = DistinguishedName::new(directory).to_string();
            Ok(AlternativeName::new(Kind::Directory, Some(text), directory))
        }
        OTHER_NAME => other_name(element),
        _ => Err(Malformed),
    }
}

fn other_name(element: Element<'_>) -> Result<AlternativeName, Malformed> {
    let mut parts = element.inside();
    let oid = oid::dotted(parts.expect(OID)?.content).ok_or(Malformed)?;
    let mut inner = parts.expect(OTHER_VALUE)?.inside();
    let value = inner.next()?.ok_or(Malformed)?;
    inner.end()?;
    parts.end()?;
    let (kind, shown) = match oid.as_str() {
        USER_PRINCIPAL => (AlternativeNameKind::UserPrincipal, text(value)),
        _ => (AlternativeNameKind::Other, None),
    };
    Ok(AlternativeName { kind, value: shown, oid: Some(oid), der: value.whole.to_vec() })
}

impl fmt::Display for AlternativeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            AlternativeNameKind::Dns => "DNS",
            AlternativeNameKind::Ip => "IP",
            AlternativeNameKind::Email => "email",
            AlternativeNameKind::Uri => "URI",
            AlternativeNameKind::UserPrincipal => "UPN",
            AlternativeNameKind::Other => "otherName",
            AlternativeNameKind::Directory => "dirName",
            AlternativeNameKind::RegisteredId => "registeredID",
            AlternativeNameKind::Unknown => "unknown",
        };
        write!(f, "{kind}:")?;
        match (&self.value, &self.oid) {
            // Escaped already.
            (Some(value), _) if self.kind == AlternativeNameKind::Directory => f.write_str(value),
            (Some(value), _) => {
                let mut escaped = String::new();
                escape_unseen_into(&mut escaped, value);
                f.write_str(&escaped)
            }
            (None, Some(oid)) if self.kind == AlternativeNameKind::Other => write!(f, "{oid};#{}", hex(&self.der)),
            (None, _) => write!(f, "#{}", hex(&self.der)),
        }
    }
}
