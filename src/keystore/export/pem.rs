//! Entries as PEM (RFC 7468): each key as PKCS#8, then its chain, then other certificates.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::carried::Entries;
use crate::der::{OCTET_STRING, SEQUENCE, element};
use crate::error::Result;
use crate::keystore::Limits;
use crate::keystore::crypto::cost::Budget;
use crate::keystore::crypto::seal::Seal;

/// The characters of a line (RFC 7468 section 2).
const LINE: usize = 64;

/// Writes the entries. Keys are encrypted if there is a password.
///
/// # Errors
/// `COST_TOO_HIGH` if no program with these limits could open it: many keys, or many iterations.
pub(crate) fn write(entries: &Entries, seal: Option<&Seal<'_>>, limits: Limits) -> Result<Zeroizing<Vec<u8>>> {
    // Known before any of it is done.
    let mut budget = Budget::new(limits);
    if let Some(seal) = seal {
        entries.keys.iter().try_for_each(|_| budget.spend(seal.cost()))?;
    }
    let certificates: usize = entries.keys.iter().flat_map(|entry| &entry.chain).map(|der| text_bytes(der.len())).sum();
    let others: usize = entries.certificates.iter().map(|entry| text_bytes(entry.der.len())).sum();
    // An encrypted key has its parameters with it.
    let keys: usize = entries.keys.iter().map(|entry| text_bytes(entry.key.len().saturating_add(256))).sum();
    // Room for all of it, so that no copy of a key is left behind.
    let mut text = Zeroizing::new(Vec::with_capacity(certificates.saturating_add(others).saturating_add(keys)));
    for entry in &entries.keys {
        match seal {
            Some(seal) => {
                let (algorithm, ciphertext) = seal.seal(&entry.key)?;
                let key = element(SEQUENCE, &[&algorithm, &element(OCTET_STRING, &[&ciphertext])]);
                block("ENCRYPTED PRIVATE KEY", &key, &mut text);
            }
            None => block("PRIVATE KEY", &entry.key, &mut text),
        }
        entry.chain.iter().for_each(|certificate| block("CERTIFICATE", certificate, &mut text));
    }
    entries.certificates.iter().for_each(|entry| block("CERTIFICATE", &entry.der, &mut text));
    Ok(text)
}

/// The most bytes of a block with this content.
const fn text_bytes(content: usize) -> usize {
    let base64 = content.div_ceil(3).saturating_mul(4);
    base64.saturating_add(base64.div_ceil(LINE)).saturating_add(96)
}

fn block(label: &str, der: &[u8], text: &mut Vec<u8>) {
    let mut base64 = Zeroizing::new(String::with_capacity(text_bytes(der.len())));
    STANDARD.encode_string(der, &mut base64);
    text.extend_from_slice(format!("-----BEGIN {label}-----\n").as_bytes());
    for line in base64.as_bytes().chunks(LINE) {
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    text.extend_from_slice(format!("-----END {label}-----\n").as_bytes());
}
