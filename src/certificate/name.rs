//! A Name (RFC 5280 section 4.1.2.4) taken apart: its relative names in order, and the attributes of each.

use crate::der::{Element, Elements, Malformed, OID, SEQUENCE, SET, only};

/// One attribute of a name: the content of its object identifier, and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attribute<'a> {
    pub(super) oid: &'a [u8],
    pub(super) value: Element<'a>,
}

/// The relative distinguished names of a whole Name, each with at least one attribute.
pub(super) fn relative_names(name: &[u8]) -> Result<Vec<Vec<Attribute<'_>>>, Malformed> {
    let mut names = Vec::new();
    let mut relative = only(SEQUENCE, name)?.inside();
    while relative.peek().is_some() {
        names.push(attributes(relative.expect(SET)?.inside())?);
    }
    Ok(names)
}

fn attributes(mut set: Elements<'_>) -> Result<Vec<Attribute<'_>>, Malformed> {
    let mut attributes = Vec::new();
    while set.peek().is_some() {
        let mut parts = set.expect(SEQUENCE)?.inside();
        let oid = parts.expect(OID)?.content;
        let value = parts.next()?.ok_or(Malformed)?;
        parts.end()?;
        attributes.push(Attribute { oid, value });
    }
    if attributes.is_empty() { Err(Malformed) } else { Ok(attributes) }
}
