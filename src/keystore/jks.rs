//! Java's JKS and JCEKS to entries.
//!
//! Every length and count is checked against what is left; nothing is allocated by a number from the file.

use rustls::pki_types::CertificateDer;
use sha1::{Digest, Sha1};

use super::java_key::JavaKey;
use super::java_object;
use super::key::Material;
use super::store::{Content, Entry, EntryKind};
use super::{OpenOptions, Secret, password};
use crate::certificate::{fault, printable};
use crate::error::{Code, Error, Result};

/// What Java hashes between the password and the content.
const WHITENER: &[u8] = b"Mighty Aphrodite";
const DIGEST_BYTES: usize = 20;

/// The entries of a JKS or JCEKS store.
///
/// Without a password the entries are read and the integrity is not checked, as Java does, with a warning.
///
/// # Errors
/// `STORE_MALFORMED`, `STORE_PASSWORD_WRONG`; `CERTIFICATE_MALFORMED` if there is nothing but such entries.
pub(super) fn read(label: &str, bytes: &[u8], options: &OpenOptions) -> Result<Content> {
    let located = |error: Error| error.at(label);
    let mut reader = Reader { rest: bytes };
    reader.bytes(4, "magic number").map_err(located)?;
    let version = reader.u32("version").map_err(located)?;
    if !(1..=2).contains(&version) {
        return Err(Error::new(Code::StoreMalformed, format!("version {version}")).at(label));
    }
    let count = reader.u32("number of entries").map_err(located)?;
    let (mut entries, mut warnings) = (Vec::new(), Vec::new());
    for number in 1..=count {
        let in_entry = |error: Error| error.at(format_args!("{label}, entry {number} of {count}"));
        entries.push(read_entry(&mut reader, label, version).map_err(in_entry)?);
    }
    if reader.rest.len() != DIGEST_BYTES {
        let detail = format!("{} bytes after the last entry, where a digest of 20 belongs", reader.rest.len());
        return Err(Error::new(Code::StoreMalformed, detail).at(label));
    }
    let password = password::of_store(label, options);
    match &password {
        Some(password) => check_integrity(bytes, password).map_err(located)?,
        None => warnings.push(format!("{label}: opened without a password, its integrity was not checked")),
    }
    let content = Content::of(entries)?;
    Ok(Content { warnings: [warnings, content.warnings].concat(), used_password: password, ..content })
}

fn check_integrity(bytes: &[u8], password: &Secret) -> Result<()> {
    let (body, digest) = bytes.split_at(bytes.len().saturating_sub(DIGEST_BYTES));
    let key = password::utf16(password.reveal());
    let found = Sha1::new().chain_update(key.as_slice()).chain_update(WHITENER).chain_update(body).finalize();
    if found.as_slice() == digest { Ok(()) } else { Err(Code::StorePasswordWrong.into()) }
}

fn read_entry(reader: &mut Reader<'_>, label: &str, version: u32) -> Result<Entry> {
    let tag = reader.u32("tag")?;
    let alias = reader.text("alias")?;
    reader.bytes(8, "date")?;
    let named = format!("alias {}", printable(&alias));
    let place = format!("{label}, {named}");
    let entry = match tag {
        1 => {
            let key = reader.sized("encrypted key")?;
            let count = reader.u32("length of the chain")?;
            // A certificate that cannot be read spoils the entry, not the store.
            let mut chain = Vec::new();
            let mut fault = None;
            for number in 1..=count {
                match read_certificate(reader, version)? {
                    Ok(certificate) if fault.is_none() => chain.push(certificate),
                    Ok(_) => {}
                    Err(error) => fault = fault.or(Some(error.at(format_args!("certificate {number} of {count}")))),
                }
            }
            let material = fault.map_or_else(|| JavaKey::read(key).map(Material::Java), Err);
            Entry::key(Material::usable(material), chain, place)
        }
        2 => match read_certificate(reader, version)? {
            Ok(certificate) => Entry::certificate(EntryKind::Trusted, certificate, place),
            Err(fault) => Entry::unusable(fault, place),
        },
        3 => {
            let length = java_object::length(reader.rest)?;
            reader.bytes(length, "secret key")?;
            Entry { kind: EntryKind::SecretKey, ..Entry::other(place, Some("secret key: skipped".to_owned())) }
        }
        tag => return Err(Error::new(Code::StoreMalformed, format!("{named}: an entry of unknown kind {tag}"))),
    };
    Ok(Entry { alias: Some(alias), ..entry })
}

/// A certificate, or why it cannot be read though the store can.
fn read_certificate(reader: &mut Reader<'_>, version: u32) -> Result<Result<CertificateDer<'static>>> {
    let kind = if version == 2 { reader.text("kind of certificate")? } else { "X.509".to_owned() };
    let certificate = CertificateDer::from(reader.sized("certificate")?.to_vec());
    if kind != "X.509" && kind != "X509" {
        let detail = format!("a certificate of kind {}, not X.509", printable(&kind));
        return Ok(Err(Error::new(Code::CertificateMalformed, detail)));
    }
    Ok(fault::parse(&certificate).map(drop).map(|()| certificate))
}

/// What is left of a stream of Java's DataOutput.
pub(super) struct Reader<'a> {
    pub(super) rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn bytes(&mut self, count: usize, what: &str) -> Result<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or_else(|| {
            let detail = format!("{what} of {count} bytes, {} are left", self.rest.len());
            Error::new(Code::StoreMalformed, detail)
        })?;
        self.rest = rest;
        Ok(taken)
    }

    fn number(&mut self, bytes: usize, what: &str) -> Result<u64> {
        Ok(self.bytes(bytes, what)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    pub(super) fn u8(&mut self, what: &str) -> Result<u8> {
        Ok(self.bytes(1, what)?.first().copied().unwrap_or_default())
    }

    pub(super) fn u16(&mut self, what: &str) -> Result<u16> {
        Ok(u16::try_from(self.number(2, what)?).unwrap_or_default())
    }

    pub(super) fn u32(&mut self, what: &str) -> Result<u32> {
        Ok(u32::try_from(self.number(4, what)?).unwrap_or_default())
    }

    /// As many bytes as the four before them say.
    pub(super) fn sized(&mut self, what: &str) -> Result<&'a [u8]> {
        let count = usize::try_from(self.u32(what)?).unwrap_or(usize::MAX);
        self.bytes(count, what)
    }

    /// Text in Java's modified UTF-8: UTF-16 units in one to three bytes each, NUL in two.
    pub(super) fn text(&mut self, what: &str) -> Result<String> {
        let count = self.u16(what)?;
        let bytes = self.bytes(usize::from(count), what)?;
        let units =
            modified_utf8(bytes).ok_or_else(|| Error::new(Code::StoreMalformed, format!("{what} is not text")))?;
        Ok(char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
    }
}

fn modified_utf8(bytes: &[u8]) -> Option<Vec<u16>> {
    let (mut units, mut rest) = (Vec::with_capacity(bytes.len()), bytes.iter().map(|byte| u16::from(*byte)));
    let continued = |byte: u16| (byte & 0xc0 == 0x80).then_some(byte & 0x3f);
    while let Some(first) = rest.next() {
        units.push(match first {
            0..=0x7f => first,
            0xc0..=0xdf => (first & 0x1f) << 6 | continued(rest.next()?)?,
            0xe0..=0xef => (first & 0x0f) << 12 | continued(rest.next()?)? << 6 | continued(rest.next()?)?,
            _ => return None,
        });
    }
    Some(units)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modified_utf8_is_decoded_and_broken_text_refused() {
        let text = |bytes: &[u8]| Reader { rest: bytes }.text("alias").map_err(|error| error.code());
        assert_eq!(text(b"\0\x01a").unwrap(), "a");
        assert_eq!(text(b"\0\x02\xc3\xa4").unwrap(), "ä");
        assert_eq!(text(b"\0\x02\xc0\x80").unwrap(), "\0");
        assert_eq!(text(b"\0\x06\xed\xa0\xbd\xed\xb4\x91").unwrap(), "\u{1f511}");
        assert_eq!(text(b"\0\x03\xed\xa0\xbd").unwrap(), "\u{fffd}");
        assert_eq!(text(b"\0\x01\xc3"), Err(Code::StoreMalformed));
        assert_eq!(text(b"\0\x04\xf0\x9f\x94\x91"), Err(Code::StoreMalformed));
        assert_eq!(text(b"\0\x05a"), Err(Code::StoreMalformed));
    }
}
