//! One list of revoked certificates (RFC 5280 section 5): read once, kept as what a look-up needs.

pub(super) mod entries;
pub(super) mod lists;
pub(super) mod scope;

use crate::certificate::matching::NameKey;
use crate::certificate::{DistinguishedName, algorithm_text, hex, printable};
use crate::der::{
    BIT_STRING, ENUMERATED, Element, Elements, GENERALIZED_TIME, INTEGER, Malformed, SEQUENCE, UTC_TIME, only, unix_s,
};
use crate::error::{Code, Error, Result};
use crate::revocation::Reason;
use crate::revocation::signed::{Signed, oid_text};
use crate::revocation::upkeep::SKEW_S;
use crate::signature::{Allowed, Refused as RefusedSignature};

use entries::{Entries, Entry};
use scope::{Refused, Scope, Subject, extension};

const EXTENSIONS: u8 = 0xa0;
/// The field keyIdentifier of an AuthorityKeyIdentifier.
const KEY_IDENTIFIER: u8 = 0x80;
/// Fewer bytes than this no entry has: the headers of a sequence, a number and a time, and what those two need.
const SHORTEST_ENTRY: usize = 20;
/// The most bytes of an issuer's name, and of an issuing distribution point. Certificates that they could fit are
/// shorter, and comparing names takes time in proportion to their length.
const MAX_NAME_BYTES: usize = 64 << 10;
/// The most bytes that are shown of a time that cannot be read.
const MAX_TIME_BYTES: usize = 40;

// Contents of the object identifiers 2.5.29.x.
const CRL_NUMBER: &[u8] = &[0x55, 0x1d, 20];
const REASON_CODE: &[u8] = &[0x55, 0x1d, 21];
const DELTA_CRL_INDICATOR: &[u8] = &[0x55, 0x1d, 27];
const ISSUING_DISTRIBUTION_POINT: &[u8] = &[0x55, 0x1d, 28];
const CERTIFICATE_ISSUER: &[u8] = &[0x55, 0x1d, 29];
const AUTHORITY_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 35];

/// A list that has been read. That its signature is right is asked for with the issuer's key, [`Crl::is_by`].
#[derive(Debug)]
pub struct Crl {
    issuer: Box<[u8]>,
    issuer_key: NameKey,
    this_update_unix_s: i64,
    next_update_unix_s: Option<i64>,
    number: Option<Box<[u8]>>,
    /// The identifier of the key that it says it is signed with.
    authority_key: Option<Box<[u8]>>,
    scope: Scope,
    entries: Entries,
    signed: Signed,
    signature_algorithm: String,
    sha256_fingerprint: String,
}

/// The facts of a list, to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CrlFacts {
    /// The issuer, as certificates' names are shown.
    pub issuer: String,
    /// The time of its issue, in seconds since 1970 in UTC.
    pub this_update_unix_s: i64,
    /// The time by which a newer one is issued; `None` if the issuer states none.
    pub next_update_unix_s: Option<i64>,
    /// The number in hexadecimal, if it has one.
    pub number: Option<String>,
    /// The certificates that it covers (the issuing distribution point); `None` if it covers all.
    pub scope: Option<String>,
    /// The number of revoked certificates.
    pub entries: usize,
    /// The name of its signature's algorithm, or the object identifier of one without.
    pub signature_algorithm: String,
    /// SHA-256 of the whole DER encoding, hexadecimal, lower case.
    pub sha256_fingerprint: String,
}

/// The reason why a list cannot be used.
enum Unusable {
    /// The part that cannot be read, if more is known than that one cannot.
    Malformed(Option<String>),
    Delta,
    Unsupported(String),
}

impl From<Malformed> for Unusable {
    fn from(_: Malformed) -> Self {
        Self::Malformed(None)
    }
}

type Read<T> = std::result::Result<T, Unusable>;

fn unsupported<T>(what: impl Into<String>) -> Read<T> {
    Err(Unusable::Unsupported(what.into()))
}

/// The error for a part that cannot be read, by its name.
fn unreadable(part: impl Into<String>) -> Unusable {
    Unusable::Malformed(Some(part.into()))
}

impl Crl {
    /// Reads a DER list; `place` is what messages call it.
    ///
    /// # Errors
    /// `CRL_MALFORMED`; `CRL_UNSUPPORTED` for what RFC 5280 forbids to pass over: an indirect or delta list, an unknown
    /// critical extension, a signature algorithm that is not served.
    pub fn from_der(der: &[u8], place: &str) -> Result<Self> {
        Self::from_der_unless_delta(der, place)?
            .ok_or_else(|| Error::new(Code::CrlUnsupported, "a delta list; give the complete one").at(place))
    }

    /// The same; none for a delta list, which says nothing that the complete list of the same time does not.
    ///
    /// # Errors
    /// As for [`Crl::from_der`].
    pub(super) fn from_der_unless_delta(der: &[u8], place: &str) -> Result<Option<Self>> {
        let error = match Self::read(der) {
            Ok(list) => return Ok(Some(list)),
            Err(Unusable::Delta) => return Ok(None),
            Err(Unusable::Malformed(None)) => Error::new(Code::CrlMalformed, "not the DER of a CRL"),
            Err(Unusable::Malformed(Some(part))) => {
                Error::new(Code::CrlMalformed, format!("{part} of the list cannot be read"))
            }
            Err(Unusable::Unsupported(what)) => Error::new(Code::CrlUnsupported, what),
        };
        Err(error.at(place))
    }

    fn read(der: &[u8]) -> Read<Self> {
        let mut outer = only(SEQUENCE, der)?.inside();
        let list = outer.expect(SEQUENCE)?;
        let algorithm = outer.expect(SEQUENCE)?;
        let signature = outer.expect(BIT_STRING)?;
        outer.end()?;

        let mut fields = list.inside();
        // Version 1 is the default, and there are writers that write it.
        if fields.optional(INTEGER)?.is_some_and(|version| !matches!(version.content, [0 | 1])) {
            return unsupported("a version other than 1 and 2");
        }
        if fields.expect(SEQUENCE)?.whole != algorithm.whole {
            return Err(unreadable("the signature algorithm, which is given twice and differs,"));
        }
        let issuer = fields.expect(SEQUENCE)?.whole;
        if issuer.len() > MAX_NAME_BYTES {
            return unsupported("an issuer's name of more than 64 KiB");
        }
        let this_update_unix_s = time(&mut fields, "thisUpdate")?.ok_or_else(|| unreadable("thisUpdate"))?;
        let next_update_unix_s = time(&mut fields, "nextUpdate")?;
        let entries = match fields.optional(SEQUENCE)? {
            Some(revoked) => read_entries(revoked)?,
            None => Entries::default(),
        };
        let mut list_extensions = Extensions::default();
        if let Some(extensions) = fields.optional(EXTENSIONS)? {
            list_extensions.read(only(SEQUENCE, extensions.content)?, issuer)?;
        }
        fields.end()?;
        let signature_algorithm = algorithm_text(algorithm.content);
        let Some(signed) = Signed::new(algorithm, list.whole, signature, Allowed::default())? else {
            return unsupported(format!("the signature algorithm {signature_algorithm}"));
        };
        Ok(Self {
            issuer: issuer.into(),
            issuer_key: NameKey::new(issuer),
            this_update_unix_s,
            next_update_unix_s,
            number: list_extensions.number,
            authority_key: list_extensions.authority_key,
            scope: list_extensions.scope,
            entries,
            signed,
            signature_algorithm,
            sha256_fingerprint: hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, der).as_ref()),
        })
    }

    /// The issuer's name, as it is encoded, with its header.
    pub fn issuer(&self) -> &[u8] {
        &self.issuer
    }

    /// The issuer's name in the form that is compared.
    pub(super) fn issuer_key(&self) -> &NameKey {
        &self.issuer_key
    }

    /// The identifier of the key that it says it is signed with.
    pub(super) fn authority_key(&self) -> Option<&[u8]> {
        self.authority_key.as_deref()
    }

    /// SHA-256 of its DER, hexadecimal.
    pub(super) fn fingerprint(&self) -> &str {
        &self.sha256_fingerprint
    }

    /// The certificates that it covers; `None` if it covers all.
    pub(super) fn scope_text(&self) -> Option<String> {
        self.scope.text()
    }

    /// The time of its issue, in seconds since 1970 in UTC.
    pub(super) fn this_update_unix_s(&self) -> i64 {
        self.this_update_unix_s
    }

    /// Returns true if it is of the future, as far as clocks may differ.
    pub(super) fn is_ahead(&self, now_unix_s: i64) -> bool {
        self.this_update_unix_s > now_unix_s.saturating_add(SKEW_S)
    }

    /// The time by which a newer one is issued; `None` if the issuer states none.
    pub(super) fn next_update_unix_s(&self) -> Option<i64> {
        self.next_update_unix_s
    }

    /// The number of revoked certificates.
    pub(super) fn entries(&self) -> usize {
        self.entries.len()
    }

    /// The revocation reasons that the list covers for this certificate, or 0 if it does not cover it.
    pub(super) fn reasons_for(&self, subject: &Subject<'_>) -> u16 {
        self.scope.reasons_for(subject)
    }

    /// Returns true if it covers the same certificates and reasons as another list.
    pub(super) fn has_scope_of(&self, other: &Self) -> bool {
        self.scope == other.scope
    }

    /// Returns true if it was signed with the key of this SubjectPublicKeyInfo.
    pub fn is_by(&self, key: &[u8]) -> bool {
        self.check(key, Allowed::default()).is_ok()
    }

    /// Checks that it was signed with the key of this SubjectPublicKeyInfo.
    pub(super) fn check(&self, key: &[u8], allowed: Allowed) -> std::result::Result<(), RefusedSignature> {
        self.signed.check(key, allowed)
    }

    /// The name of its signature's algorithm.
    pub(super) fn signature_algorithm(&self) -> &str {
        &self.signature_algorithm
    }

    /// The facts of the list.
    pub fn facts(&self) -> CrlFacts {
        CrlFacts {
            issuer: DistinguishedName::new(&self.issuer).to_string(),
            this_update_unix_s: self.this_update_unix_s,
            next_update_unix_s: self.next_update_unix_s,
            number: self.number.as_deref().map(hex),
            scope: self.scope_text(),
            entries: self.entries.len(),
            signature_algorithm: self.signature_algorithm.clone(),
            sha256_fingerprint: self.sha256_fingerprint.clone(),
        }
    }

    /// The reason and time (seconds since 1970) of the revocation of a serial number, or `None` if it is not revoked.
    pub fn find(&self, serial: &[u8]) -> Option<(Reason, u32)> {
        self.entries.find(serial).map(|entry| (entry.reason, entry.revoked_unix_s))
    }
}

/// The next element if it is a time; `name` is that of its field.
fn time(fields: &mut Elements<'_>, name: &str) -> Read<Option<i64>> {
    let Some(UTC_TIME | GENERALIZED_TIME) = fields.peek() else { return Ok(None) };
    let time = fields.next()?.ok_or(Malformed)?;
    let text = || printable(&String::from_utf8_lossy(time.content.get(..MAX_TIME_BYTES).unwrap_or(time.content)));
    unix_s(time).map(Some).map_err(|Malformed| unreadable(format!("{name} ({})", text())))
}

fn read_entries(revoked: Element<'_>) -> Read<Entries> {
    // Counted first, because a table that grows is there twice for a while.
    let most = revoked.content.len() / SHORTEST_ENTRY;
    let mut entries = Entries::with_capacity(revoked.inside().count()?.min(most));
    let mut elements = revoked.inside();
    while let Some(element) = elements.next()? {
        let mut fields = element.inside();
        let serial = fields.expect(INTEGER)?;
        let revoked = time(&mut fields, "a date of revocation")?.ok_or(Malformed)?;
        let reason = match fields.optional(SEQUENCE)? {
            Some(extensions) => read_reason(extensions)?,
            None => Reason::Unspecified,
        };
        fields.end()?;
        let revoked_unix_s = u32::try_from(revoked.max(0)).unwrap_or(u32::MAX);
        entries.push(serial.content, Entry { revoked_unix_s, reason });
    }
    entries.sort();
    Ok(entries)
}

/// RFC 5280 section 5.3: an entry with an unsupported critical extension makes the whole list unusable.
fn read_reason(extensions: Element<'_>) -> Read<Reason> {
    let mut reason = Reason::Unspecified;
    let mut elements = extensions.inside();
    while let Some(element) = elements.next()? {
        let (identifier, is_critical, value) = extension(element)?;
        match identifier.content {
            REASON_CODE => match only(ENUMERATED, value).map(|number| number.content) {
                Ok([number]) => reason = Reason::from_number(*number).unwrap_or(Reason::Unspecified),
                _ if is_critical => return Err(unreadable("a reason code")),
                // NSS writes the number alone. Why a certificate is revoked changes nothing.
                _ => reason = Reason::Unspecified,
            },
            CERTIFICATE_ISSUER => return unsupported("an indirect list"),
            _ if is_critical => return unsupported(format!("the critical entry extension {}", oid_text(identifier))),
            _ => {}
        }
    }
    Ok(reason)
}

/// The content of the extensions of a list.
#[derive(Default)]
struct Extensions {
    number: Option<Box<[u8]>>,
    authority_key: Option<Box<[u8]>>,
    scope: Scope,
}

impl Extensions {
    fn read(&mut self, extensions: Element<'_>, issuer: &[u8]) -> Read<()> {
        let mut elements = extensions.inside();
        while let Some(element) = elements.next()? {
            let (identifier, is_critical, value) = extension(element)?;
            match identifier.content {
                CRL_NUMBER => match only(INTEGER, value) {
                    Ok(number) => self.number = Some(number.content.into()),
                    Err(Malformed) if is_critical => return Err(unreadable("the CRL number")),
                    // NSS writes the number alone. Lists are distinguished by their dates.
                    Err(Malformed) => {}
                },
                ISSUING_DISTRIBUTION_POINT if value.len() > MAX_NAME_BYTES => {
                    return unsupported("an issuing distribution point of more than 64 KiB");
                }
                ISSUING_DISTRIBUTION_POINT => {
                    self.scope = Scope::from_der(value, issuer).map_err(|refused| match refused {
                        Refused::Malformed => unreadable("the issuing distribution point"),
                        Refused::Unsupported(what) => Unusable::Unsupported(what.to_owned()),
                    })?;
                }
                DELTA_CRL_INDICATOR => return Err(Unusable::Delta),
                // A hint: the key that signed it is found by trying.
                AUTHORITY_KEY_IDENTIFIER => self.authority_key = key_identifier(value).map(Box::from),
                _ if is_critical => return unsupported(format!("the critical extension {}", oid_text(identifier))),
                _ => {}
            }
        }
        Ok(())
    }
}

/// The key identifier of an AuthorityKeyIdentifier.
fn key_identifier(value: &[u8]) -> Option<&[u8]> {
    let key = only(SEQUENCE, value).ok()?.inside().optional(KEY_IDENTIFIER).ok()??;
    Some(key.content)
}
