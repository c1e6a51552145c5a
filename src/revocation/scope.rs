//! Which certificates a list speaks of: its issuing distribution point beside the certificate's distribution points
//! (RFC 5280 sections 5.2.5 and 6.3.3 (b)).

use crate::der::{BOOLEAN, Element, Elements, Malformed, OCTET_STRING, OID, SEQUENCE, boolean, only};

/// Every reason of `ReasonFlags`, a bit for each but the unused one.
pub(super) const ALL_REASONS: u16 = 0b1_1111_1110;

const CONTEXT_0: u8 = 0xa0;
const CONTEXT_2: u8 = 0xa2;
const PRIMITIVE_1: u8 = 0x81;
const PRIMITIVE_2: u8 = 0x82;
const PRIMITIVE_3: u8 = 0x83;
const PRIMITIVE_4: u8 = 0x84;
const PRIMITIVE_5: u8 = 0x85;
/// A GeneralName of the form directoryName.
const DIRECTORY_NAME: u8 = 0xa4;
/// A GeneralName of the form uniformResourceIdentifier.
const URI: u8 = 0x86;
/// So many distribution points, and so many places of each, are looked at.
const MAX_PLACES: usize = 8;

/// Why an issuing distribution point is not honoured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    Malformed,
    Unsupported(&'static str),
}

impl From<Malformed> for Refused {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

/// What an issuing distribution point says; without one a list speaks of all certificates of its issuer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Scope {
    /// The names of the point, each as it is encoded; none where it has no name.
    names: Vec<Box<[u8]>>,
    subjects: Subjects,
    reasons: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subjects {
    All,
    EndEntities,
    Authorities,
}

impl Default for Scope {
    fn default() -> Self {
        Self { names: Vec::new(), subjects: Subjects::All, reasons: ALL_REASONS }
    }
}

impl Scope {
    /// Reads the extension's value.
    pub(super) fn from_der(value: &[u8]) -> Result<Self, Refused> {
        let mut scope = Self::default();
        let mut fields = only(SEQUENCE, value)?.inside();
        if let Some(name) = fields.optional(CONTEXT_0)? {
            let full = name.inside().expect(CONTEXT_0).map_err(|_| Refused::Unsupported("a relative name"))?;
            let mut names = full.inside();
            while let Some(name) = names.next()? {
                scope.names.push(name.whole.into());
            }
        }
        if flag(&mut fields, PRIMITIVE_1)? {
            scope.subjects = Subjects::EndEntities;
        }
        if flag(&mut fields, PRIMITIVE_2)? {
            if scope.subjects != Subjects::All {
                return Err(Refused::Malformed);
            }
            scope.subjects = Subjects::Authorities;
        }
        if let Some(reasons) = fields.optional(PRIMITIVE_3)? {
            scope.reasons = flags(reasons.content)?;
        }
        if flag(&mut fields, PRIMITIVE_4)? {
            return Err(Refused::Unsupported("an indirect list"));
        }
        if flag(&mut fields, PRIMITIVE_5)? {
            return Err(Refused::Unsupported("a list of attribute certificates"));
        }
        fields.end()?;
        Ok(scope)
    }

    /// The reasons for which the list tells whether this certificate is revoked; 0 where it does not speak of it.
    pub(super) fn reasons_for(&self, subject: &Subject<'_>) -> u16 {
        let is_in = match self.subjects {
            Subjects::All => true,
            Subjects::EndEntities => !subject.is_ca,
            Subjects::Authorities => subject.is_ca,
        };
        if !is_in {
            return 0;
        }
        if self.names.is_empty() {
            return self.reasons;
        }
        let named = subject.points.iter().filter(|point| point.names.iter().any(|name| self.has(name)));
        let of_points = named.fold(0, |reasons, point| reasons | point.reasons);
        // Without a distribution point, the issuer's name stands for one.
        let is_issuers = subject.points.is_empty() && self.names.iter().any(|name| is_directory(name, subject.issuer));
        self.reasons & if is_issuers { ALL_REASONS } else { of_points }
    }

    fn has(&self, name: &[u8]) -> bool {
        self.names.iter().any(|own| **own == *name)
    }
}

fn is_directory(name: &[u8], wanted: &[u8]) -> bool {
    only(DIRECTORY_NAME, name).is_ok_and(|directory| directory.content == wanted)
}

/// An implicitly tagged BOOLEAN DEFAULT FALSE.
fn flag(fields: &mut Elements<'_>, tag: u8) -> Result<bool, Malformed> {
    fields.optional(tag)?.map_or(Ok(false), |element| boolean(element.content))
}

/// The content of a ReasonFlags, a bit for each reason, that of number 1 first.
fn flags(content: &[u8]) -> Result<u16, Malformed> {
    let (unused, bytes) = content.split_first().ok_or(Malformed)?;
    if *unused > 7 || bytes.len() > 2 {
        return Err(Malformed);
    }
    let bits = (0u16..).zip(bytes.iter().flat_map(|byte| (0..8).rev().map(move |at| byte >> at & 1)));
    Ok(bits.filter(|(_, bit)| *bit == 1).fold(0, |reasons, (number, _)| reasons | 1 << number) & ALL_REASONS)
}

/// What of a certificate decides which lists speak of it.
#[derive(Debug)]
pub(super) struct Subject<'a> {
    /// Its issuer's name, with its header.
    pub(super) issuer: &'a [u8],
    pub(super) is_ca: bool,
    points: Vec<Point<'a>>,
}

/// One of a certificate's distribution points.
#[derive(Debug)]
struct Point<'a> {
    names: Vec<&'a [u8]>,
    reasons: u16,
}

impl<'a> Subject<'a> {
    /// `points` is the value of the extension cRLDistributionPoints (RFC 5280 section 4.2.1.13), where there is one.
    pub(super) fn new(issuer: &'a [u8], is_ca: bool, points: Option<&'a [u8]>) -> Result<Self, Malformed> {
        let mut subject = Self { issuer, is_ca, points: Vec::new() };
        if let Some(value) = points {
            let mut elements = only(SEQUENCE, value)?.inside();
            while let Some(element) = elements.next()? {
                subject.points.push(Point::new(element)?);
            }
        }
        Ok(subject)
    }

    /// Where lists are that speak of it: for each of its distribution points the places that say the same, at most
    /// eight of eight.
    pub(super) fn places(&self) -> Vec<Vec<&'a str>> {
        let uris = |point: &Point<'a>| point.names.iter().filter_map(|name| uri(name)).take(MAX_PLACES).collect();
        self.points.iter().take(MAX_PLACES).map(uris).filter(|uris: &Vec<_>| !uris.is_empty()).collect()
    }
}

fn uri(name: &[u8]) -> Option<&str> {
    std::str::from_utf8(only(URI, name).ok()?.content).ok()
}

impl<'a> Point<'a> {
    fn new(element: Element<'a>) -> Result<Self, Malformed> {
        let mut fields = element.inside();
        let mut point = Self { names: Vec::new(), reasons: ALL_REASONS };
        if let Some(name) = fields.optional(CONTEXT_0)? {
            // A relative name names no list that is honoured.
            if let Some(full) = name.inside().optional(CONTEXT_0)? {
                let mut names = full.inside();
                while let Some(name) = names.next()? {
                    point.names.push(name.whole);
                }
            }
        }
        if let Some(reasons) = fields.optional(PRIMITIVE_1)? {
            point.reasons = flags(reasons.content)?;
        }
        // A list of another issuer would be an indirect one.
        if fields.optional(CONTEXT_2)?.is_some() {
            point.names.clear();
        }
        fields.end()?;
        Ok(point)
    }
}

/// The value of an extension's OCTET STRING, and whether it is critical (RFC 5280 section 4.1).
pub(super) fn extension(element: Element<'_>) -> Result<(Element<'_>, bool, &[u8]), Malformed> {
    let mut fields = element.inside();
    let identifier = fields.expect(OID)?;
    let is_critical = fields.optional(BOOLEAN)?.map_or(Ok(false), |element| boolean(element.content))?;
    let value = fields.expect(OCTET_STRING)?;
    fields.end()?;
    Ok((identifier, is_critical, value.content))
}
