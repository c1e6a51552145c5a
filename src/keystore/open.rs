//! Opening a store: its size, its type from its content, and the reader of that type.

use super::crypto::cost::Budget;
use super::java::jks;
use super::pem::Block;
use super::store::Store;
use super::{OpenOptions, StoreType, formats, pem, pkcs7, pkcs12, plain, unread};
use crate::der::{Cursor, Header, INTEGER, SEQUENCE};
use crate::error::{Code, Error, Result};

const JKS_MAGIC: [u8; 4] = [0xfe, 0xed, 0xfe, 0xed];
const JCEKS_MAGIC: [u8; 4] = [0xce, 0xce, 0xce, 0xce];

/// Opens a store, trust store, certificate or key from its bytes. `label` is what messages call it, mostly its path.
///
/// The type is detected from the content. A given type must match, except that JKS may be given for PKCS#12 and PKCS#12
/// for JKS, as Java allows. Keys stay encrypted until an identity is requested. [`OpenOptions::limits`] limits the
/// cost, and is checked before the work is done.
///
/// # Errors
/// `STORE_TOO_LARGE`, `STORE_FORMAT_UNKNOWN`, `STORE_TYPE_MISMATCH`, `STORE_PASSWORD_MISSING`, `STORE_PASSWORD_WRONG`,
/// `PASSWORD_UNAVAILABLE`, `STORE_MAC_MISSING`, `STORE_MALFORMED`, `PEM_MALFORMED`, `KEY_MALFORMED`,
/// `CERTIFICATE_MALFORMED`, `ENCRYPTION_UNSUPPORTED`, `PARAMETER_INVALID`, `COST_TOO_HIGH`, all with the label.
pub fn open(label: &str, bytes: &[u8], options: &OpenOptions) -> Result<Store> {
    if bytes.len() > options.limits.max_content_bytes {
        let detail = format!("{} bytes, {} are allowed", bytes.len(), options.limits.max_content_bytes);
        return Err(Error::new(Code::StoreTooLarge, detail).at(label));
    }
    let found = find_type(bytes).map_err(|error| error.at(label))?;
    let bytes = match found {
        StoreType::Der | StoreType::Pkcs12 => whole(bytes, Code::StoreMalformed).map_err(|error| error.at(label))?,
        _ => bytes,
    };
    let blocks = match found {
        StoreType::Pem => pem::blocks(bytes).map_err(|error| error.at(label))?,
        _ => Vec::new(),
    };
    if let [block] = blocks.as_slice()
        && block.label == pem::PKCS12
        && options.store_type != Some(StoreType::Der)
    {
        let options = OpenOptions { store_type: None, ..options.clone() };
        return open_as(StoreType::Pkcs12, label, &block.data, Vec::new(), &options);
    }
    check_type(options.store_type, found).map_err(|error| error.at(label))?;
    open_as(found, label, bytes, blocks, options)
}

fn open_as(found: StoreType, label: &str, bytes: &[u8], blocks: Vec<Block>, options: &OpenOptions) -> Result<Store> {
    let mut budget = Budget::new(options.limits);
    let mut content = match found {
        StoreType::Pem => plain::read_pem(label, blocks, options.legacy_dsa)?,
        StoreType::Der => plain::read_der(label, bytes)?,
        StoreType::Pkcs12 => pkcs12::read(label, bytes, options, &mut budget)?,
        StoreType::Jks | StoreType::Jceks => jks::read(label, bytes, options)?,
    };
    if options.store_type.is_some_and(|given| given != found) {
        content.warnings.push(format!("{label}: it is {} and was given as another type", name(found)));
    }
    Ok(Store::new(label, found, content, options, budget))
}

fn name(store_type: StoreType) -> &'static str {
    match store_type {
        StoreType::Pem => "PEM",
        StoreType::Der => "DER",
        StoreType::Pkcs12 => "PKCS#12",
        StoreType::Jks => "JKS",
        StoreType::Jceks => "JCEKS",
    }
}

/// Java opens PKCS#12 and JKS under either name (its property `keystore.type.compat`), and documents rely on it.
fn check_type(given: Option<StoreType>, found: StoreType) -> Result<()> {
    let java = [StoreType::Jks, StoreType::Pkcs12];
    match given {
        Some(given) if given != found && !(java.contains(&given) && java.contains(&found)) => {
            let detail = format!("{} was given, and it is {}", name(given), name(found));
            Err(Error::new(Code::StoreTypeMismatch, detail))
        }
        _ => Ok(()),
    }
}

pub(super) fn find_type(bytes: &[u8]) -> Result<StoreType> {
    if bytes.starts_with(&JKS_MAGIC) {
        return Ok(StoreType::Jks);
    }
    if bytes.starts_with(&JCEKS_MAGIC) {
        return Ok(StoreType::Jceks);
    }
    if let Some(archive) = unread::archive(bytes) {
        return Err(archive);
    }
    // Text may begin with 0, the byte that DER begins with.
    let text = pem::has_block(bytes);
    match Header::of(bytes).filter(|header| header.tag == SEQUENCE) {
        Some(Header { length: None, .. }) if pkcs7::is_content_info(bytes) => Ok(StoreType::Der),
        Some(Header { length: None, bytes: header, .. }) => match bytes.get(header) {
            Some(&INTEGER) => Ok(StoreType::Pkcs12),
            _ => Err(formats::indefinite()),
        },
        Some(_) => match whole(bytes, Code::StoreMalformed) {
            Ok(whole) => Ok(find_der_type(whole)),
            Err(_) if text => Ok(StoreType::Pem),
            Err(error) => Err(error),
        },
        _ if text => Ok(StoreType::Pem),
        _ => Err(formats::unknown(bytes)),
    }
}

/// The end of the SEQUENCE of definite length that the bytes begin with.
fn end_of_sequence(bytes: &[u8]) -> Option<usize> {
    let header = Header::of(bytes).filter(|header| header.tag == SEQUENCE)?;
    Some(header.bytes.saturating_add(header.length?))
}

/// The one DER element of a content, without the line ends that follow it: editors and shells add them. Anything that
/// does not begin as a SEQUENCE of definite length is returned as it is.
///
/// # Errors
/// `code` for an element that is cut off, and for one with anything but line ends behind it.
pub(crate) fn whole(bytes: &[u8], code: Code) -> Result<&[u8]> {
    let Some(end) = end_of_sequence(bytes) else { return Ok(bytes) };
    let Some((whole, rest)) = bytes.split_at_checked(end) else {
        let detail = format!("it is cut off: DER of {end} bytes, of which {} are there", bytes.len());
        return Err(Error::new(code, detail).with_hint("Copy the file again, as binary."));
    };
    if rest.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
        return Ok(whole);
    }
    let (detail, hint) = match end_of_sequence(rest) {
        Some(end) if end <= rest.len() => (
            "several elements of DER follow one another".to_owned(),
            "Put each into a file of its own, or all into one file as PEM.",
        ),
        _ => {
            (format!("DER of {end} bytes is followed by {} more", rest.len()), "Remove what follows, or copy it again.")
        }
    };
    Err(Error::new(code, detail).with_hint(hint))
}

/// RFC 7292 section 4: PKCS#12 is a version and a ContentInfo, which begins with an object identifier.
fn find_der_type(bytes: &[u8]) -> StoreType {
    let read = || {
        let mut content = Cursor::new(bytes, Code::StoreMalformed).enter(SEQUENCE, "PKCS#12 store")?;
        content.take(INTEGER, "version")?;
        content.take(SEQUENCE, "content")?;
        // A PKCS#8 key has a SEQUENCE there too, and after it an OCTET STRING with the key.
        Ok::<_, Error>(matches!(content.peek(), None | Some(SEQUENCE)))
    };
    if read().unwrap_or(false) { StoreType::Pkcs12 } else { StoreType::Der }
}
