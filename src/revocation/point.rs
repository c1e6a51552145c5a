//! The names of distribution points, compared as RFC 5280 section 7 says.

use crate::certificate::matching::NameKey;
use crate::certificate::{DistinguishedName, cut, hex, printable};
use crate::der::only;

/// A GeneralName of the form directoryName.
pub(super) const DIRECTORY_NAME: u8 = 0xa4;
/// A GeneralName of the form uniformResourceIdentifier.
const URI: u8 = 0x86;

/// A name that is equal to another one if both name the same point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PointName {
    /// By its canonical form, and with its encoding for messages, which is not compared.
    Directory(NameKey, Shown),
    /// Scheme and host in lower case.
    Uri(Box<str>),
    /// As it is encoded.
    Other(Box<[u8]>),
}

/// The encoding of a name that is shown; two of them never differ.
#[derive(Clone, Debug)]
pub(super) struct Shown(Box<[u8]>);

impl PartialEq for Shown {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Shown {}

impl PointName {
    /// The name that this GeneralName is.
    pub(super) fn new(name: &[u8]) -> Self {
        if let Ok(directory) = only(DIRECTORY_NAME, name) {
            return Self::Directory(NameKey::new(directory.content), Shown(directory.content.into()));
        }
        uri(name).map_or_else(|| Self::Other(name.into()), |uri| Self::Uri(normal(uri).into()))
    }

    /// The name for messages.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Directory(_, Shown(name)) => format!("dirName:{}", name_text(name)),
            Self::Uri(uri) => format!("URI:{}", printable(uri)),
            Self::Other(name) => format!("other:{}", hex(name.get(..MAX_SHOWN_BYTES).unwrap_or(name))),
        }
    }
}

/// The most bytes that are shown of a name of another form.
const MAX_SHOWN_BYTES: usize = 64;

/// The URI that a GeneralName is.
pub(super) fn uri(name: &[u8]) -> Option<&str> {
    std::str::from_utf8(only(URI, name).ok()?.content).ok()
}

/// RFC 5280 section 7.4: scheme and host are the same in either case.
fn normal(uri: &str) -> String {
    let scheme = uri.find("://").map_or(0, |at| at + "://".len());
    let (start, rest) = uri.split_at(scheme);
    let (host, rest) = rest.split_at(rest.find('/').unwrap_or(if scheme == 0 { 0 } else { rest.len() }));
    [start.to_ascii_lowercase(), host.to_ascii_lowercase(), rest.to_owned()].concat()
}

/// A name, with its header, as certificates' names are shown in messages.
pub(super) fn name_text(name: &[u8]) -> String {
    cut(DistinguishedName::new(name).as_str()).into_owned()
}
