//! Names (RFC 5280 section 4.1.2.4): their attributes, and their text of RFC 4514.
//!
//! Two different names never have the same text, unless they differ only in the string types of their values.

use std::fmt;

use super::oid;
use super::strings::{escape_into, text};
use super::text::hex;
use crate::der::{Element, Elements, Malformed, OID, SEQUENCE, SET, only};

/// The subject or the issuer of a certificate. Displayed as RFC 4514 says, the last relative name first:
/// `CN=broker,O=Example`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DistinguishedName {
    der: Vec<u8>,
    text: String,
    attributes: Vec<NameAttribute>,
}

/// One attribute of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NameAttribute {
    /// The object identifier of its type in dotted form, e.g. `2.5.4.3` for a common name.
    pub oid: String,
    /// The value without escapes. `None` if it is not a string, or breaks the rules of its string type.
    ///
    /// The issuer chose the value: control characters and NUL are possible.
    pub text: Option<String>,
    /// The DER encoding of the value, with its tag.
    pub der: Vec<u8>,
    /// The position of its relative name, from 0 in the certificate's order. Attributes of one relative name share it.
    pub relative_name: usize,
}

impl DistinguishedName {
    /// Parses a whole Name. If it is not DER, it has no attributes, and its text is its bytes in hexadecimal after `#`.
    pub(crate) fn new(name: &[u8]) -> Self {
        let (text, attributes) = match read(name) {
            Ok(relative) => (rfc4514(&relative), relative.into_iter().flatten().collect()),
            Err(Malformed) => (format!("#{}", hex(name)), Vec::new()),
        };
        Self { der: name.to_vec(), text, attributes }
    }

    /// The DER encoding of the name.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The text of RFC 4514, as `Display` has it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The attributes in the certificate's order: the most general usually comes first.
    #[must_use]
    pub fn attributes(&self) -> &[NameAttribute] {
        &self.attributes
    }

    /// The attributes of one type, by its object identifier in dotted form, in the certificate's order.
    pub fn of_type<'a>(&'a self, oid: &'a str) -> impl DoubleEndedIterator<Item = &'a NameAttribute> {
        self.attributes.iter().filter(move |attribute| attribute.oid == oid)
    }
}

impl fmt::Display for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// An attribute of a name: the content of its object identifier, and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RawAttribute<'a> {
    pub(super) oid: &'a [u8],
    pub(super) value: Element<'a>,
}

/// The relative distinguished names of a whole Name, each with at least one attribute.
pub(super) fn relative_names(name: &[u8]) -> Result<Vec<Vec<RawAttribute<'_>>>, Malformed> {
    let mut names = Vec::new();
    let mut relative = only(SEQUENCE, name)?.inside();
    while relative.peek().is_some() {
        names.push(raw_attributes(relative.expect(SET)?.inside())?);
    }
    Ok(names)
}

fn raw_attributes(mut set: Elements<'_>) -> Result<Vec<RawAttribute<'_>>, Malformed> {
    let mut attributes = Vec::new();
    while set.peek().is_some() {
        let mut parts = set.expect(SEQUENCE)?.inside();
        let oid = parts.expect(OID)?.content;
        let value = parts.next()?.ok_or(Malformed)?;
        parts.end()?;
        attributes.push(RawAttribute { oid, value });
    }
    if attributes.is_empty() { Err(Malformed) } else { Ok(attributes) }
}

fn read(name: &[u8]) -> Result<Vec<Vec<NameAttribute>>, Malformed> {
    let relative = relative_names(name)?.into_iter().enumerate();
    let read = |(position, attributes): (usize, Vec<RawAttribute<'_>>)| {
        attributes.into_iter().map(|attribute| attribute.read(position)).collect()
    };
    relative.map(read).collect()
}

impl RawAttribute<'_> {
    fn read(self, relative_name: usize) -> Result<NameAttribute, Malformed> {
        let oid = oid::dotted(self.oid).ok_or(Malformed)?;
        Ok(NameAttribute { oid, text: text(self.value), der: self.value.whole.to_vec(), relative_name })
    }
}

/// The text of RFC 4514 section 2: relative names from the last to the first, and attributes of each in the same
/// direction, as OpenSSL's RFC2253 form has them.
fn rfc4514(relative: &[Vec<NameAttribute>]) -> String {
    let mut out = String::new();
    for attributes in relative.iter().rev() {
        let mut separator = if out.is_empty() { "" } else { "," };
        for attribute in attributes.iter().rev() {
            out.push_str(separator);
            separator = "+";
            push_attribute(&mut out, attribute);
        }
    }
    out
}

/// Section 2.4: a value is its DER in hexadecimal if its type has no short name, or it is not text.
fn push_attribute(out: &mut String, attribute: &NameAttribute) {
    let short = oid::short_name(&attribute.oid);
    out.push_str(short.unwrap_or(&attribute.oid));
    out.push('=');
    match attribute.text.as_ref().filter(|_| short.is_some()) {
        Some(text) => escape_into(out, text),
        None => {
            out.push('#');
            out.push_str(&hex(&attribute.der));
        }
    }
}
