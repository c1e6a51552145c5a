//! One list of revoked certificates (RFC 5280 section 5): read once, kept as what a look-up needs.

use super::Reason;
use super::entries::{Entries, Entry};
use super::scope::{Refused, Scope, Subject, extension};
use super::signed::{Signed, oid_text};
use crate::certificate::{DistinguishedName, algorithm_text, hex};
use crate::der::{
    BIT_STRING, ENUMERATED, Element, Elements, GENERALIZED_TIME, INTEGER, Malformed, SEQUENCE, UTC_TIME, only, unix_s,
};
use crate::error::{Code, Error, Result};
use crate::signature::{Allowed, Refused as RefusedSignature};

const EXTENSIONS: u8 = 0xa0;
/// Fewer bytes than this no entry has: the headers of a sequence, a number and a time, and what those two need.
const SHORTEST_ENTRY: usize = 20;

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
    this_update_unix_s: i64,
    next_update_unix_s: Option<i64>,
    number: Option<Box<[u8]>>,
    scope: Scope,
    entries: Entries,
    signed: Signed,
    signature_algorithm: String,
    sha256_fingerprint: String,
}

/// What a list says of itself, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CrlFacts {
    /// The issuer, as certificates' names are shown.
    pub issuer: String,
    /// When it was made, in seconds since 1970 in UTC.
    pub this_update_unix_s: i64,
    /// When a newer one will be there at the latest; not every issuer says.
    pub next_update_unix_s: Option<i64>,
    /// Its number in hexadecimal, where it has one.
    pub number: Option<String>,
    /// How many certificates it revokes.
    pub entries: usize,
    /// The name of its signature's algorithm, or the object identifier of one without.
    pub signature_algorithm: String,
    /// SHA-256 of the whole DER encoding, hexadecimal, lower case.
    pub sha256_fingerprint: String,
}

/// Why a list cannot be used.
enum Unusable {
    Malformed,
    Unsupported(String),
}

impl From<Malformed> for Unusable {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

type Read<T> = std::result::Result<T, Unusable>;

fn unsupported<T>(what: impl Into<String>) -> Read<T> {
    Err(Unusable::Unsupported(what.into()))
}

impl Crl {
    /// Reads a DER list; `place` is what messages call it.
    ///
    /// # Errors
    /// `CRL_MALFORMED`; `CRL_UNSUPPORTED` for what RFC 5280 forbids to pass over: an indirect or delta list, an unknown
    /// critical extension, a signature algorithm that is not served.
    pub fn from_der(der: &[u8], place: &str) -> Result<Self> {
        Self::read(der).map_err(|why| match why {
            Unusable::Malformed => Error::new(Code::CrlMalformed, "not the DER of a CRL").at(place),
            Unusable::Unsupported(what) => Error::new(Code::CrlUnsupported, what).at(place),
        })
    }

    fn read(der: &[u8]) -> Read<Self> {
        let mut outer = only(SEQUENCE, der)?.inside();
        let list = outer.expect(SEQUENCE)?;
        let algorithm = outer.expect(SEQUENCE)?;
        let signature = outer.expect(BIT_STRING)?;
        outer.end()?;

        let mut fields = list.inside();
        let is_v2 = fields.optional(INTEGER)?.map(|version| version.content == [1]);
        if is_v2 == Some(false) {
            return unsupported("a version other than 1 and 2");
        }
        if fields.expect(SEQUENCE)?.whole != algorithm.whole {
            return Err(Unusable::Malformed);
        }
        let issuer = fields.expect(SEQUENCE)?.whole.into();
        let this_update_unix_s = time(&mut fields)?.ok_or(Malformed)?;
        let next_update_unix_s = time(&mut fields)?;
        let entries = match fields.optional(SEQUENCE)? {
            Some(revoked) => read_entries(revoked)?,
            None => Entries::default(),
        };
        let mut list_extensions = Extensions::default();
        if let Some(extensions) = fields.optional(EXTENSIONS)? {
            list_extensions.read(only(SEQUENCE, extensions.content)?)?;
        }
        fields.end()?;
        let signature_algorithm = algorithm_text(algorithm.content);
        let Some(signed) = Signed::new(algorithm, list.whole, signature, Allowed::default())? else {
            return unsupported(format!("the signature algorithm {signature_algorithm}"));
        };
        Ok(Self {
            issuer,
            this_update_unix_s,
            next_update_unix_s,
            number: list_extensions.number,
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

    /// When it was made, in seconds since 1970 in UTC.
    pub(super) fn this_update_unix_s(&self) -> i64 {
        self.this_update_unix_s
    }

    /// When a newer one will be there at the latest; not every issuer says.
    pub(super) fn next_update_unix_s(&self) -> Option<i64> {
        self.next_update_unix_s
    }

    /// How many certificates it revokes.
    pub(super) fn entries(&self) -> usize {
        self.entries.len()
    }

    /// The reasons for which it tells whether this certificate is revoked; 0 where it does not speak of it.
    pub(super) fn reasons_for(&self, subject: &Subject<'_>) -> u16 {
        self.scope.reasons_for(subject)
    }

    /// Whether it speaks of the same certificates and reasons as another list.
    pub(super) fn has_scope_of(&self, other: &Self) -> bool {
        self.scope == other.scope
    }

    /// Whether it was signed with the key of this SubjectPublicKeyInfo.
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

    /// What the list says of itself.
    pub fn facts(&self) -> CrlFacts {
        CrlFacts {
            issuer: DistinguishedName::new(&self.issuer).to_string(),
            this_update_unix_s: self.this_update_unix_s,
            next_update_unix_s: self.next_update_unix_s,
            number: self.number.as_deref().map(hex),
            entries: self.entries.len(),
            signature_algorithm: self.signature_algorithm.clone(),
            sha256_fingerprint: self.sha256_fingerprint.clone(),
        }
    }

    /// Why and when (seconds since 1970) a serial number, the content of its INTEGER, was revoked; none where it was not.
    pub fn find(&self, serial: &[u8]) -> Option<(Reason, u32)> {
        self.entries.find(serial).map(|entry| (entry.reason, entry.revoked_unix_s))
    }
}

/// The next element where it is a time.
fn time(fields: &mut Elements<'_>) -> std::result::Result<Option<i64>, Malformed> {
    match fields.peek() {
        Some(UTC_TIME | GENERALIZED_TIME) => fields.next()?.map(unix_s).transpose(),
        _ => Ok(None),
    }
}

fn read_entries(revoked: Element<'_>) -> Read<Entries> {
    // Counted first, because a table that grows is there twice for a while.
    let most = revoked.content.len() / SHORTEST_ENTRY;
    let mut entries = Entries::with_capacity(revoked.inside().count()?.min(most));
    let mut elements = revoked.inside();
    while let Some(element) = elements.next()? {
        let mut fields = element.inside();
        let serial = fields.expect(INTEGER)?;
        let revoked = time(&mut fields)?.ok_or(Malformed)?;
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

/// RFC 5280 section 5.3: an entry whose critical extension is not understood makes the whole list useless.
fn read_reason(extensions: Element<'_>) -> Read<Reason> {
    let mut reason = Reason::Unspecified;
    let mut elements = extensions.inside();
    while let Some(element) = elements.next()? {
        let (identifier, is_critical, value) = extension(element)?;
        match identifier.content {
            REASON_CODE => {
                let [number] = *only(ENUMERATED, value)?.content else { return Err(Unusable::Malformed) };
                reason = Reason::from_number(number).unwrap_or(Reason::Unspecified);
            }
            CERTIFICATE_ISSUER => return unsupported("an indirect list"),
            _ if is_critical => return unsupported(format!("the critical entry extension {}", oid_text(identifier))),
            _ => {}
        }
    }
    Ok(reason)
}

/// What the extensions of a list say.
#[derive(Default)]
struct Extensions {
    number: Option<Box<[u8]>>,
    scope: Scope,
}

impl Extensions {
    fn read(&mut self, extensions: Element<'_>) -> Read<()> {
        let mut elements = extensions.inside();
        while let Some(element) = elements.next()? {
            let (identifier, is_critical, value) = extension(element)?;
            match identifier.content {
                CRL_NUMBER => self.number = Some(only(INTEGER, value)?.content.into()),
                ISSUING_DISTRIBUTION_POINT => {
                    self.scope = Scope::from_der(value).map_err(|refused| match refused {
                        Refused::Malformed => Unusable::Malformed,
                        Refused::Unsupported(what) => Unusable::Unsupported(what.to_owned()),
                    })?;
                }
                DELTA_CRL_INDICATOR => return unsupported("a delta list; give the complete one"),
                // Which of an issuer's keys signed is found by trying.
                AUTHORITY_KEY_IDENTIFIER => {}
                _ if is_critical => return unsupported(format!("the critical extension {}", oid_text(identifier))),
                _ => {}
            }
        }
        Ok(())
    }
}
