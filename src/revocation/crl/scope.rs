//! The certificates that a list covers: its issuing distribution point beside the certificate's distribution points
//! (RFC 5280 sections 5.2.5 and 6.3.3 (b)).

use std::borrow::Cow;

use crate::der::{BOOLEAN, Element, Elements, Malformed, OCTET_STRING, OID, SEQUENCE, SET, boolean, element, only};
use crate::revocation::Reason;
use crate::revocation::point::{DIRECTORY_NAME, PointName, uri};

/// Every reason of `ReasonFlags`, a bit for each but the unused one.
pub(crate) const ALL_REASONS: u16 = 0b1_1111_1110;

const CONTEXT_0: u8 = 0xa0;
const CONTEXT_1: u8 = 0xa1;
const CONTEXT_2: u8 = 0xa2;
const PRIMITIVE_1: u8 = 0x81;
const PRIMITIVE_2: u8 = 0x82;
const PRIMITIVE_3: u8 = 0x83;
const PRIMITIVE_4: u8 = 0x84;
const PRIMITIVE_5: u8 = 0x85;
/// The most distribution points, and the most places of each, that are looked at.
const MAX_PLACES: usize = 8;

/// The reason why an issuing distribution point is not supported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    Malformed,
    Unsupported(&'static str),
}

impl From<Malformed> for Refused {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

/// The content of an issuing distribution point. Without one, a list covers all certificates of its issuer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Scope {
    /// The names of the point; none if it has no name.
    names: Vec<PointName>,
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
    /// Reads the extension's value. `issuer` is the name of the list's issuer, with its header.
    pub(crate) fn from_der(value: &[u8], issuer: &[u8]) -> Result<Self, Refused> {
        let mut scope = Self::default();
        let mut fields = only(SEQUENCE, value)?.inside();
        if let Some(name) = fields.optional(CONTEXT_0)? {
            scope.names = point_names(name, issuer)?.iter().map(|name| PointName::new(name)).collect();
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

    /// The revocation reasons that the list covers for this certificate, or 0 if it does not cover it.
    pub(crate) fn reasons_for(&self, subject: &Subject<'_>) -> u16 {
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
        let is_named = |names: &[PointName]| names.iter().any(|name| self.names.contains(name));
        let named = subject.points.iter().filter(|point| is_named(&point.names));
        let of_points = named.fold(0, |reasons, point| reasons | point.reasons);
        // A list that is from no distribution point has the issuer's names for one.
        self.reasons & if is_named(&subject.issuers) { ALL_REASONS } else { of_points }
    }

    /// The certificates that the list covers, as the rest of a sentence; `None` if it covers all.
    pub(crate) fn text(&self) -> Option<String> {
        let mut parts = Vec::new();
        match self.subjects {
            Subjects::All => {}
            Subjects::EndEntities => parts.push("end-entity certificates alone".to_owned()),
            Subjects::Authorities => parts.push("CA certificates alone".to_owned()),
        }
        if !self.names.is_empty() {
            let names: Vec<String> = self.names.iter().take(MAX_PLACES).map(PointName::text).collect();
            parts.push(format!("certificates with the distribution point {}", names.join(" or ")));
        }
        if self.reasons != ALL_REASONS {
            let has = |reason: &Reason| self.reasons >> flag_of(*reason) & 1 == 1;
            let reasons: Vec<&str> = Reason::ALL.into_iter().filter(has).map(Reason::name).collect();
            parts.push(format!("the reasons {} alone", reasons.join(", ")));
        }
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

/// The bit of ReasonFlags for a reason (RFC 5280 section 4.2.1.13); the numbers differ from those of CRLReason.
fn flag_of(reason: Reason) -> u32 {
    match reason {
        Reason::PrivilegeWithdrawn => 7,
        Reason::AaCompromise => 8,
        other => u32::from(other.number()),
    }
}

/// The full names of a DistributionPointName, each encoded. One that is relative to an issuer follows its name.
fn point_names<'a>(name: Element<'a>, issuer: &[u8]) -> Result<Vec<Cow<'a, [u8]>>, Malformed> {
    let mut choice = name.inside();
    let one = choice.next()?.ok_or(Malformed)?;
    choice.end()?;
    match one.tag {
        CONTEXT_0 => Ok(one.parts()?.into_iter().map(Cow::Borrowed).collect()),
        CONTEXT_1 => {
            let above = only(SEQUENCE, issuer)?.content;
            let full = element(SEQUENCE, &[above, &element(SET, &[one.content])]);
            Ok(vec![Cow::Owned(element(DIRECTORY_NAME, &[&full]))])
        }
        _ => Err(Malformed),
    }
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

/// The parts of a certificate that select its lists.
#[derive(Debug)]
pub(crate) struct Subject<'a> {
    /// The names of its issuer, which stand for a distribution point.
    issuers: Vec<PointName>,
    is_ca: bool,
    points: Vec<Point<'a>>,
}

/// One of a certificate's distribution points.
#[derive(Debug)]
struct Point<'a> {
    names: Vec<PointName>,
    /// Those of the names that a list can be fetched from.
    uris: Vec<&'a str>,
    reasons: u16,
}

/// The extensions of a certificate that decide which lists speak of it, each by its value.
#[derive(Debug, Default)]
pub(crate) struct Pointers<'a> {
    /// cRLDistributionPoints (RFC 5280 section 4.2.1.13).
    pub(crate) points: Option<&'a [u8]>,
    /// issuerAltName (section 4.2.1.7).
    pub(crate) issuer_names: Option<&'a [u8]>,
}

impl<'a> Subject<'a> {
    /// `issuer` is the name of its issuer, with its header.
    pub(crate) fn new(issuer: &[u8], is_ca: bool, pointers: &Pointers<'a>) -> Self {
        let mut issuers = vec![PointName::new(&element(DIRECTORY_NAME, &[issuer]))];
        // One that cannot be read names no list.
        let others = pointers.issuer_names.and_then(|value| only(SEQUENCE, value).ok()?.parts().ok());
        issuers.extend(others.into_iter().flatten().map(PointName::new));
        let mut subject = Self { issuers, is_ca, points: Vec::new() };
        // A point that cannot be read names no list, and hides none that speaks of all certificates.
        let points = pointers.points.and_then(|value| only(SEQUENCE, value).ok());
        let mut elements = points.map(Element::inside);
        while let Some(Ok(Some(element))) = elements.as_mut().map(Elements::next) {
            subject.points.extend(Point::new(element, issuer));
        }
        subject
    }

    /// The distribution points, each with its equivalent URLs, at most eight of eight.
    pub(crate) fn places(&self) -> Vec<Vec<&'a str>> {
        let uris = |point: &Point<'a>| point.uris.iter().copied().take(MAX_PLACES).collect();
        self.points.iter().take(MAX_PLACES).map(uris).filter(|uris: &Vec<_>| !uris.is_empty()).collect()
    }
}

impl<'a> Point<'a> {
    fn new(point: Element<'a>, issuer: &[u8]) -> Result<Self, Malformed> {
        let mut fields = point.inside();
        let name = fields.optional(CONTEXT_0)?;
        let reasons = fields.optional(PRIMITIVE_1)?.map_or(Ok(ALL_REASONS), |reasons| flags(reasons.content))?;
        let authorities = fields.optional(CONTEXT_2)?.map(Element::parts).transpose()?;
        fields.end()?;
        let mut point = Self { names: Vec::new(), uris: Vec::new(), reasons };
        if let Some(authorities) = &authorities {
            let own = PointName::new(&element(DIRECTORY_NAME, &[issuer]));
            // A list of another issuer would be an indirect one.
            if !authorities.iter().any(|name| PointName::new(name) == own) {
                return Ok(point);
            }
        }
        match name {
            Some(name) => {
                for name in point_names(name, issuer)? {
                    point.names.push(PointName::new(&name));
                    if let Cow::Borrowed(name) = name {
                        point.uris.extend(uri(name));
                    }
                }
            }
            // RFC 5280 section 6.3.3 (b) (2) (i): the names of cRLIssuer stand for those of the point.
            None => point.names.extend(authorities.iter().flatten().map(|name| PointName::new(name))),
        }
        Ok(point)
    }
}

/// The value of an extension's OCTET STRING, and whether it is critical (RFC 5280 section 4.1).
pub(crate) fn extension(element: Element<'_>) -> Result<(Element<'_>, bool, &[u8]), Malformed> {
    let mut fields = element.inside();
    let identifier = fields.expect(OID)?;
    let is_critical = fields.optional(BOOLEAN)?.map_or(Ok(false), |element| boolean(element.content))?;
    let value = fields.expect(OCTET_STRING)?;
    fields.end()?;
    Ok((identifier, is_critical, value.content))
}
