//! PEM blocks and single DER files to entries.

use std::collections::{HashMap, HashSet};

use rustls::pki_types::CertificateDer;
use zeroize::Zeroizing;

use super::key::Material;
use super::pem::{self, Block};
use super::store::{Content, Entry, EntryKind, Store};
use super::traditional::Traditional;
use super::{TrustedPeers, dsa, formats, pkcs7};
use crate::certificate::fault;
use crate::der::{CONTEXT_0, Cursor, SEQUENCE};
use crate::error::{Code, Error, Result};

/// The use by servers, by clients, and every use (RFC 5280 section 4.2.1.12).
const SERVERS: &str = "1.3.6.1.5.5.7.3.1";
const CLIENTS: &str = "1.3.6.1.5.5.7.3.2";
const EVERY_USE: &str = "2.5.29.37.0";

/// The entries of a PEM text, one for each block. A block that cannot be read is an entry that cannot be used.
///
/// # Errors
/// The first block's fault, with its line, if no block can be read.
pub(super) fn read_pem(label: &str, blocks: Vec<Block>, reads_dsa: bool) -> Result<Content> {
    let entries = blocks.into_iter().flat_map(|block| {
        let place = format!("{label}, line {}", block.line);
        read_block(block, place, reads_dsa)
    });
    Content::of(entries.collect())
}

/// The entries of a block; PKCS#7 has several.
fn read_block(block: Block, place: String, reads_dsa: bool) -> Vec<Entry> {
    let label = block.label.to_ascii_uppercase();
    let entry = match label.as_str() {
        label if pkcs7::LABELS.contains(&label) => return pkcs7_entries(&block.data, &place),
        // Windows' certutil -encode writes this label around whatever it encodes.
        "CERTIFICATE" if pkcs7::is_content_info(&block.data) => return pkcs7_entries(&block.data, &place),
        "CERTIFICATE" | "X509 CERTIFICATE" | "X.509 CERTIFICATE" => certificate(&block.data, place),
        "TRUSTED CERTIFICATE" => with_uses(&block.data, place),
        "DSA PRIVATE KEY" if !reads_dsa => Entry::key(Material::Unusable(dsa::unsupported()), Vec::new(), place),
        "OPENSSH PRIVATE KEY" => unsupported_key("OpenSSH's own format; ssh-keygen -p -m PEM converts it", place),
        // Some writers name the algorithm in the label of PKCS#8.
        label if label.ends_with("PRIVATE KEY") => {
            let material = match Traditional::is(&block) {
                true => Traditional::read(&block).map(Material::Traditional),
                false => Material::from_der(block.data).map_err(|error| error.at(&block.label)),
            };
            Entry::key(Material::usable(material), Vec::new(), place)
        }
        _ => Entry::other(place, Some(skipped(&block))),
    };
    vec![entry]
}

/// A certificate with the uses that OpenSSL has behind it.
fn with_uses(data: &[u8], place: String) -> Entry {
    let mut content = Cursor::new(data, Code::CertificateMalformed);
    let read = content.take(SEQUENCE, "certificate").and_then(|whole| Ok((whole.whole, Uses::read(content)?)));
    match read {
        Ok((der, Uses { is_rejected, peers })) => Entry { is_rejected, peers, ..certificate(der, place) },
        Err(fault) => Entry::unusable(fault, place),
    }
}

/// The uses of TLS that the data of OpenSSL behind a certificate (X509_CERT_AUX) leaves.
#[derive(Default)]
struct Uses {
    /// It rejects one of the uses of TLS, or trusts other uses alone.
    is_rejected: bool,
    peers: TrustedPeers,
}

impl Uses {
    fn read(mut content: Cursor<'_>) -> Result<Self> {
        if content.is_empty() {
            return Ok(Self::default());
        }
        let mut lists = content.enter(SEQUENCE, "list of uses behind the certificate")?;
        content.end("list of uses behind the certificate")?;
        let trusted = uses_of_tls(&mut lists, SEQUENCE)?;
        let rejected = uses_of_tls(&mut lists, CONTEXT_0)?.unwrap_or_default();
        let peers = match trusted {
            Some([true, false]) => TrustedPeers::Servers,
            Some([false, true]) => TrustedPeers::Clients,
            _ => TrustedPeers::All,
        };
        Ok(Self { is_rejected: rejected != [false; 2] || trusted == Some([false; 2]), peers })
    }
}

/// Tells whether a list names servers and clients of TLS; `None` if there is no list.
fn uses_of_tls(lists: &mut Cursor<'_>, tag: u8) -> Result<Option<[bool; 2]>> {
    let Some(list) = lists.optional(tag, "list of uses")? else { return Ok(None) };
    let (mut list, mut found) = (Cursor::new(list.content, Code::CertificateMalformed), [false; 2]);
    while !list.is_empty() {
        match list.oid("use")?.as_str() {
            SERVERS => found[0] = true,
            CLIENTS => found[1] = true,
            EVERY_USE => found = [true; 2],
            _ => {}
        }
    }
    Ok(Some(found))
}

impl Store {
    /// The certificates that the data of OpenSSL behind them rejects for TLS, or that are for servers alone at one
    /// place and for clients alone at another.
    pub(super) fn rejected(&self) -> HashSet<&CertificateDer<'static>> {
        let limited = self.limited();
        let contradicts = |entry: &&Entry| {
            let all = entry.chain.first().and_then(|der| limited.get(der));
            entry.peers != TrustedPeers::All && all.is_some_and(|peers| *peers != entry.peers)
        };
        let rejected = self.entries().iter().filter(|entry| entry.is_rejected || contradicts(entry));
        rejected.flat_map(|entry| &entry.chain).collect()
    }

    /// The certificates that are trusted for servers alone or for clients alone. The same certificate without this
    /// limit does not undo it.
    pub(super) fn limited(&self) -> HashMap<&CertificateDer<'static>, TrustedPeers> {
        let limited = self.entries().iter().filter(|entry| entry.peers != TrustedPeers::All);
        limited.flat_map(|entry| entry.chain.iter().map(|der| (der, entry.peers))).collect()
    }
}

/// The entries of PKCS#7: one for each certificate, and a note for the rest.
fn pkcs7_entries(bytes: &[u8], place: &str) -> Vec<Entry> {
    let carried = match pkcs7::read(bytes) {
        Ok(carried) => carried,
        Err(fault) => return vec![Entry::unusable(fault, place.to_owned())],
    };
    let numbered = (1..).zip(&carried.certificates);
    let mut entries: Vec<Entry> =
        numbered.map(|(number, der)| certificate(der, format!("{place}, certificate {number}"))).collect();
    let skipped = [(carried.lists.len(), "X509 CRL"), (carried.others, "certificate of another kind")];
    for (count, what) in skipped.into_iter().filter(|(count, _)| *count > 0) {
        entries.push(Entry::other(place.to_owned(), Some(format!("{what} ({count}): skipped"))));
    }
    entries
}

fn unsupported_key(what: &str, place: String) -> Entry {
    let material = Material::Unusable(Error::new(Code::KeyAlgorithmUnsupported, what));
    Entry::key(material, Vec::new(), place)
}

fn skipped(block: &Block) -> String {
    let label = &block.label;
    match label.as_str() {
        pem::PKCS12 => format!("{label}: not read; it must be the only block of the file"),
        _ if formats::is_certificate(&block.data) => {
            format!("{label}: skipped; it holds a certificate, which needs the label CERTIFICATE")
        }
        _ => format!("{label}: skipped"),
    }
}

fn certificate(der: &[u8], place: String) -> Entry {
    let der = CertificateDer::from(der.to_vec());
    match fault::parse(&der).map(drop) {
        Ok(()) => Entry::certificate(EntryKind::Certificate, der, place),
        Err(fault) => Entry::unusable(formats::der(&der).unwrap_or(fault), place),
    }
}

/// The entries of a DER file: one certificate, one private key, or the certificates of PKCS#7.
///
/// # Errors
/// `CERTIFICATE_MALFORMED`; `STORE_FORMAT_UNKNOWN` for what is of a kind that is not read.
pub(super) fn read_der(label: &str, bytes: &[u8]) -> Result<Content> {
    if pkcs7::is_content_info(bytes) {
        return Content::of(pkcs7_entries(bytes, label));
    }
    let entry = if is_der_key(bytes) {
        let material = Material::usable(Material::from_der(Zeroizing::new(bytes.to_vec())));
        Entry::key(material, Vec::new(), label.to_owned())
    } else {
        certificate(bytes, label.to_owned())
    };
    Content::of(vec![entry])
}

/// Tells a key from a certificate, which begins with two nested SEQUENCEs and has no OCTET STRING second.
pub(super) fn is_der_key(bytes: &[u8]) -> bool {
    super::key_form::Form::of(bytes).is_some() || super::key::is_encrypted_pkcs8(bytes)
}
