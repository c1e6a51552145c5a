//! The bags of PKCS#12 (RFC 7292 section 4.2): keys, certificates and what is skipped, with their names.

use rustls::pki_types::CertificateDer;
use zeroize::Zeroizing;

use super::ber;
use crate::certificate::{fault, printable};
use crate::der::{BMP_STRING, CONTEXT_0, Cursor, OCTET_STRING, SEQUENCE, SET};
use crate::error::{Code, Error, Result};
use crate::keystore::key::Material;
use crate::keystore::store::EntryKind;

const FRIENDLY_NAME: &str = "1.2.840.113549.1.9.20";
const LOCAL_KEY_ID: &str = "1.2.840.113549.1.9.21";
const X509_CERTIFICATE: &str = "1.2.840.113549.1.9.22.1";
/// Oracle's attribute: which purposes the certificate is trusted for. Java trusts it whatever they are.
const TRUSTED_KEY_USAGE: &str = "2.16.840.1.113894.746875.1.1";

/// The largest depth of nested bags. No known writer nests them.
const MAX_DEPTH: usize = 4;

/// One bag that is no other bags.
pub(super) struct Bag {
    pub(super) held: Held,
    pub(super) alias: Option<String>,
    /// Ties a key to its certificate.
    pub(super) local_key_id: Option<Vec<u8>>,
    /// For messages: `broker.p12, alias broker`.
    pub(super) place: String,
}

pub(super) enum Held {
    Key(Material),
    Certificate { der: CertificateDer<'static>, trusted: bool },
    Skipped { kind: EntryKind, note: String },
    Unusable(Error),
}

impl Bag {
    /// A bag, or several, that cannot be read.
    pub(super) fn unusable(fault: Error, place: String) -> Self {
        Self { held: Held::Unusable(fault), alias: None, local_key_id: None, place }
    }
}

#[derive(Default)]
struct Attributes {
    name: Option<String>,
    local_key_id: Option<Vec<u8>>,
    trusted: bool,
}

/// Adds the bags of one SafeContents, which may be BER.
///
/// # Errors
/// `STORE_MALFORMED` for what is no list of bags. A bag that cannot be read is one that cannot be used.
pub(super) fn read(label: &str, contents: &[u8], bags: &mut Vec<Bag>) -> Result<()> {
    let contents = ber::to_der(contents, Code::StoreMalformed)?;
    let mut contents = Cursor::new(&contents, Code::StoreMalformed);
    read_at(label, &mut contents, bags, 0)
}

fn read_at(label: &str, contents: &mut Cursor<'_>, bags: &mut Vec<Bag>, depth: usize) -> Result<()> {
    if depth > MAX_DEPTH {
        return Err(Error::new(Code::StoreMalformed, "bags nested too deep"));
    }
    let mut list = contents.enter(SEQUENCE, "bags")?;
    while !list.is_empty() {
        let mut bag = list.enter(SEQUENCE, "bag")?;
        let oid = bag.oid("kind of a bag")?;
        let mut value = bag.enter(CONTEXT_0, "content of a bag")?;
        if oid == "1.2.840.113549.1.12.10.1.6" {
            read_at(label, &mut value, bags, depth + 1)?;
            continue;
        }
        let attributes = read_attributes(&mut bag)?;
        let place = match &attributes.name {
            Some(name) => format!("alias {}", printable(name)),
            None => format!("bag {} without a name", bags.len() + 1),
        };
        let held = read_value(&oid, &mut value, attributes.trusted).unwrap_or_else(Held::Unusable);
        let place = format!("{label}, {place}");
        bags.push(Bag { held, alias: attributes.name, local_key_id: attributes.local_key_id, place });
    }
    Ok(())
}

fn read_value(oid: &str, value: &mut Cursor<'_>, trusted: bool) -> Result<Held> {
    let skipped = |kind, what: &str| Held::Skipped { kind, note: format!("{what}: skipped") };
    match oid {
        "1.2.840.113549.1.12.10.1.1" | "1.2.840.113549.1.12.10.1.2" => {
            let key = Zeroizing::new(value.take(SEQUENCE, "key")?.whole.to_vec());
            Ok(Held::Key(Material::usable(Material::from_der(key))))
        }
        "1.2.840.113549.1.12.10.1.3" => {
            let mut certificate = value.enter(SEQUENCE, "certificate")?;
            if certificate.oid("kind of a certificate")? != X509_CERTIFICATE {
                return Ok(skipped(EntryKind::Other, "a certificate that is not X.509"));
            }
            let mut content = certificate.enter(CONTEXT_0, "certificate")?;
            let der = CertificateDer::from(content.take(OCTET_STRING, "certificate")?.content.to_vec());
            fault::parse(&der)?;
            Ok(Held::Certificate { der, trusted })
        }
        "1.2.840.113549.1.12.10.1.4" => Ok(skipped(EntryKind::Other, "a revocation list")),
        "1.2.840.113549.1.12.10.1.5" => Ok(skipped(EntryKind::SecretKey, "secret key")),
        oid => Ok(skipped(EntryKind::Other, &format!("a bag of unknown kind ({oid})"))),
    }
}

fn read_attributes(bag: &mut Cursor<'_>) -> Result<Attributes> {
    let mut attributes = Attributes::default();
    if bag.is_empty() {
        return Ok(attributes);
    }
    let mut list = bag.enter(SET, "attributes of a bag")?;
    while !list.is_empty() {
        let mut attribute = list.enter(SEQUENCE, "attribute of a bag")?;
        let oid = attribute.oid("attribute of a bag")?;
        let mut values = attribute.enter(SET, "values of an attribute")?;
        match oid.as_str() {
            FRIENDLY_NAME => attributes.name = values.optional(BMP_STRING, "name")?.map(|name| utf16(name.content)),
            LOCAL_KEY_ID => {
                attributes.local_key_id = values.optional(OCTET_STRING, "key id")?.map(|id| id.content.to_vec())
            }
            TRUSTED_KEY_USAGE => attributes.trusted = true,
            _ => {}
        }
    }
    Ok(attributes)
}

fn utf16(bytes: &[u8]) -> String {
    let units = bytes.chunks_exact(2).map(|pair| pair.iter().fold(0, |unit, byte| unit << 8 | u16::from(*byte)));
    char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}
