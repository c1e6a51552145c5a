//! Entries as PKCS#12 (RFC 7292): certificates in one encrypted part, keys each encrypted in another.
//!
//! A part without a bag is left out, because some programs count the parts. The certificate of a key has its name and
//! key identifier, so that every program shows the same name. Other certificates of a chain have a name only if the
//! input has one: a program can show them as entries. A trusted certificate has Oracle's attribute, without which Java
//! does not show it.
//!
//! The tests read every output with the crate p12-keystore. It does not write the output, and does not wipe keys. It
//! names each certificate of a chain by its subject: Python shows no alias then, and Bouncy Castle false entries. It
//! writes an empty part into a trust store, which go-pkcs12 refuses. It takes no character beyond the basic plane.

use std::collections::{HashMap, HashSet};

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use rustls::pki_types::CertificateDer;
use zeroize::Zeroizing;

use super::carried::{Entries, KeyEntry};
use crate::der::{BMP_STRING, CONTEXT_0, INTEGER, OCTET_STRING, OID, SEQUENCE, SET, element};
use crate::error::Result;
use crate::keystore::Limits;
use crate::keystore::crypto::cost::Budget;
use crate::keystore::crypto::seal::Seal;
use crate::keystore::pkcs12::CONTEXT_0_PRIMITIVE;

const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
const ENCRYPTED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x06];
const SHROUDED_KEY_BAG: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01, 0x02];
const CERTIFICATE_BAG: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01, 0x03];
const X509_CERTIFICATE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x16, 0x01];
const FRIENDLY_NAME: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x14];
const LOCAL_KEY_ID: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x15];
/// Oracle's attribute of a trusted certificate, 2.16.840.1.113894.746875.1.1.
const TRUSTED_KEY_USAGE: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x86, 0xf9, 0x66, 0xad, 0xca, 0x7b, 0x01, 0x01];
/// Its value: every purpose.
const ANY_EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25, 0x00];

/// Writes the entries.
///
/// # Errors
/// `COST_TOO_HIGH` if no program with these limits could open it: many keys, or many iterations.
pub(crate) fn write(entries: &Entries, seal: &Seal<'_>, limits: Limits) -> Result<Zeroizing<Vec<u8>>> {
    let ids = key_ids(&entries.keys);
    let certificates = certificate_bags(entries, &ids);
    // Known before any of it is done.
    let mut budget = Budget::new(limits);
    budget.spend(seal.mac_cost())?;
    for _ in 0..entries.keys.len().saturating_add(usize::from(!certificates.is_empty())) {
        budget.spend(seal.cost())?;
    }
    let mut parts = Vec::new();
    if !certificates.is_empty() {
        parts.push(encrypted_part(&certificates, seal)?);
    }
    let mut keys = Vec::new();
    for (entry, id) in entries.keys.iter().zip(&ids) {
        let (algorithm, ciphertext) = seal.seal(&entry.key)?;
        let key = element(SEQUENCE, &[&algorithm, &element(OCTET_STRING, &[&ciphertext])]);
        keys.push(bag(SHROUDED_KEY_BAG, &key, &attributes(entry.alias.as_deref(), Some(id), false)));
    }
    if !keys.is_empty() {
        parts.push(content_info(DATA, &element(OCTET_STRING, &[&sequence(&keys)])));
    }
    let safe = sequence(&parts);
    let mac = seal.mac(&safe)?;
    let version = [INTEGER, 1, 3];
    let safe = content_info(DATA, &element(OCTET_STRING, &[&safe]));
    Ok(Zeroizing::new(element(SEQUENCE, &[&version, &safe, &mac])))
}

/// The certificates of keys with their names, the rest of the chains once each, then those of no key. A trusted
/// certificate that is in a chain is written once, with its name: NSS keeps the name of the first.
///
/// Java builds a chain from the certificates of the whole store, the first of each subject.
fn certificate_bags(entries: &Entries, ids: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut bags = Vec::new();
    let mut written: HashSet<&CertificateDer<'_>> = HashSet::new();
    for (entry, id) in entries.keys.iter().zip(ids) {
        if let Some(certificate) = entry.chain.first() {
            written.insert(certificate);
            bags.push(certificate_bag(certificate, &attributes(entry.alias.as_deref(), Some(id), false)));
        }
    }
    let issuers = entries.issuers().into_iter();
    let issuers = issuers.map(|certificate| (certificate, entries.names.get(certificate)));
    let others = entries.certificates.iter().filter(|entry| !entry.trusted);
    for (certificate, alias) in issuers.chain(others.map(|entry| (&entry.der, entry.alias.as_ref()))) {
        if written.insert(certificate) {
            bags.push(certificate_bag(certificate, &attributes(alias.map(String::as_str), None, false)));
        }
    }
    for entry in entries.certificates.iter().filter(|entry| entry.trusted) {
        bags.push(certificate_bag(&entry.der, &attributes(entry.alias.as_deref(), None, true)));
    }
    bags
}

/// The identifier of each key, which its certificate has too: the hash of the certificate, as most programs write it.
/// Two keys with one certificate, or with none, have different ones.
fn key_ids(keys: &[KeyEntry]) -> Vec<Vec<u8>> {
    let mut numbers: HashMap<&[u8], u32> = HashMap::new();
    let ids = keys.iter().map(|entry| {
        let certificate = entry.chain.first().map_or(&[][..], |certificate| certificate.as_ref());
        let number = numbers.entry(certificate).and_modify(|number| *number += 1).or_insert(0);
        let number = (*number > 0).then(|| number.to_be_bytes());
        let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, certificate);
        [hash.as_ref(), number.as_ref().map_or(&[], |number| number)].concat()
    });
    ids.collect()
}

fn certificate_bag(certificate: &CertificateDer<'_>, attributes: &[u8]) -> Vec<u8> {
    let value = element(CONTEXT_0, &[&element(OCTET_STRING, &[certificate])]);
    bag(CERTIFICATE_BAG, &element(SEQUENCE, &[&element(OID, &[X509_CERTIFICATE]), &value]), attributes)
}

fn bag(kind: &[u8], value: &[u8], attributes: &[u8]) -> Vec<u8> {
    element(SEQUENCE, &[&element(OID, &[kind]), &element(CONTEXT_0, &[value]), attributes])
}

/// The attributes of a bag, or nothing. DER sorts the elements of a SET (X.690 section 11.6).
fn attributes(name: Option<&str>, id: Option<&Vec<u8>>, trusted: bool) -> Vec<u8> {
    let attribute = |kind, value: Vec<u8>| element(SEQUENCE, &[&element(OID, &[kind]), &element(SET, &[&value])]);
    let utf16 = |name: &str| name.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>();
    let name = name.map(|name| attribute(FRIENDLY_NAME, element(BMP_STRING, &[&utf16(name)])));
    let id = id.map(|id| attribute(LOCAL_KEY_ID, element(OCTET_STRING, &[id])));
    let trusted = trusted.then(|| attribute(TRUSTED_KEY_USAGE, element(OID, &[ANY_EXTENDED_KEY_USAGE])));
    let mut all: Vec<Vec<u8>> = [name, id, trusted].into_iter().flatten().collect();
    all.sort();
    if all.is_empty() { Vec::new() } else { element(SET, &[&all.concat()]) }
}

/// EncryptedData (RFC 5652 section 8) of these bags.
fn encrypted_part(bags: &[Vec<u8>], seal: &Seal<'_>) -> Result<Vec<u8>> {
    let (algorithm, ciphertext) = seal.seal(&sequence(bags))?;
    let ciphertext = element(CONTEXT_0_PRIMITIVE, &[&ciphertext]);
    let content = element(SEQUENCE, &[&element(OID, &[DATA]), &algorithm, &ciphertext]);
    Ok(content_info(ENCRYPTED_DATA, &element(SEQUENCE, &[&[INTEGER, 1, 0], &content])))
}

fn content_info(kind: &[u8], content: &[u8]) -> Vec<u8> {
    element(SEQUENCE, &[&element(OID, &[kind]), &element(CONTEXT_0, &[content])])
}

fn sequence(elements: &[Vec<u8>]) -> Vec<u8> {
    element(SEQUENCE, &[&elements.concat()])
}
