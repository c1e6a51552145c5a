//! PEM blocks and single DER files to entries.

use rustls::pki_types::CertificateDer;
use zeroize::Zeroizing;

use super::cost::Budget;
use super::der::{Der, SEQUENCE};
use super::key::Material;
use super::pem::{self, Block};
use super::store::{Content, Entry, EntryKind};
use super::traditional::Traditional;
use crate::certificate::fault;
use crate::error::{Code, Error, Result};

/// The entries of a PEM text, one for each block.
///
/// # Errors
/// `PEM_MALFORMED`, `CERTIFICATE_MALFORMED`, `KEY_MALFORMED`, with the line.
pub(super) fn read_pem(label: &str, bytes: &[u8], budget: &mut Budget) -> Result<Content> {
    let blocks = pem::blocks(bytes).map_err(|error| error.at(label))?;
    let entries = blocks.into_iter().map(|block| {
        let place = format!("{label}, line {}", block.line);
        read_block(block, &place).map_err(|error| error.at(&place))
    });
    Content::of(entries.collect::<Result<_>>()?, budget)
}

fn read_block(block: Block, place: &str) -> Result<Entry> {
    match block.label.as_str() {
        "CERTIFICATE" | "X509 CERTIFICATE" => certificate(&block.data, place),
        // OpenSSL puts what it trusts the certificate for behind it; only the certificate is read.
        "TRUSTED CERTIFICATE" => {
            let whole = Der::new(&block.data, Code::CertificateMalformed).take(SEQUENCE, "certificate")?.whole;
            certificate(whole, place)
        }
        "PRIVATE KEY" | "ENCRYPTED PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY" | "ANY PRIVATE KEY" => {
            let material = match Traditional::is(&block) {
                true => Traditional::read(&block).map(Material::Traditional),
                false => Material::from_der(block.data),
            };
            Ok(Entry::key(Material::usable(material)?, Vec::new(), place.to_owned()))
        }
        "DSA PRIVATE KEY" => Ok(unsupported_key("DSA", place)),
        "OPENSSH PRIVATE KEY" => Ok(unsupported_key("OpenSSH's own format; ssh-keygen -p -m PEM converts it", place)),
        _ => Ok(Entry::other(place.to_owned(), Some(skipped(&block.label)))),
    }
}

fn unsupported_key(what: &str, place: &str) -> Entry {
    let material = Material::Unusable(Error::new(Code::KeyAlgorithmUnsupported, what));
    Entry::key(material, Vec::new(), place.to_owned())
}

fn skipped(label: &str) -> String {
    match label {
        "PKCS7" | "CMS" => format!("{label}: not read; openssl pkcs7 -print_certs turns it into certificates"),
        _ => format!("{label}: skipped"),
    }
}

fn certificate(der: &[u8], place: &str) -> Result<Entry> {
    let der = CertificateDer::from(der.to_vec());
    fault::parse(&der)?;
    Ok(Entry::certificate(EntryKind::Certificate, der, place.to_owned()))
}

/// The entry of a DER file: one certificate or one private key.
///
/// # Errors
/// `CERTIFICATE_MALFORMED`, `KEY_MALFORMED`.
pub(super) fn read_der(label: &str, bytes: &[u8], budget: &mut Budget) -> Result<Content> {
    let entry = if is_der_key(bytes) {
        Material::usable(Material::from_der(Zeroizing::new(bytes.to_vec())))
            .map(|key| Entry::key(key, Vec::new(), label.to_owned()))
    } else {
        certificate(bytes, label)
    };
    Content::of(vec![entry.map_err(|error| error.at(label))?], budget)
}

/// Tells a key from a certificate, which begins with two nested SEQUENCEs and has no OCTET STRING second.
fn is_der_key(bytes: &[u8]) -> bool {
    super::key::Form::of(bytes).is_some() || super::key::is_encrypted_pkcs8(bytes)
}
