//! Java's JKS and JCEKS to entries.
//!
//! Every length and count is checked against what is left; nothing is allocated by a number from the file.

use rustls::pki_types::CertificateDer;
use sha1::{Digest, Sha1};

use super::key::JavaKey;
use super::object;
use super::reader::Reader;
use crate::certificate::{fault, printable};
use crate::error::{Code, Error, Result};
use crate::keystore::key::Material;
use crate::keystore::store::{Content, Entry, EntryKind};
use crate::keystore::{OpenOptions, Secret, password};

/// The text that Java hashes between the password and the content.
const WHITENER: &[u8] = b"Mighty Aphrodite";
const DIGEST_BYTES: usize = 20;

/// The entries of a JKS or JCEKS store.
///
/// Without a password the entries are read and the integrity is not checked, as Java does, with a warning.
///
/// # Errors
/// `STORE_MALFORMED`, `STORE_PASSWORD_WRONG`; `CERTIFICATE_MALFORMED` if there is nothing but such entries.
pub(crate) fn read(label: &str, bytes: &[u8], options: &OpenOptions) -> Result<Content> {
    let located = |error: Error| error.at(label);
    let mut reader = Reader::new(bytes);
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
            let length = object::length(reader.rest)?;
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
