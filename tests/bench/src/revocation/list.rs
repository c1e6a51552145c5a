//! A list of revoked certificates of any length, its DER put together here and signed with a CA's key.

use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rand::rand_bytes;
use openssl::sign::Signer;
use openssl::x509::X509;

/// The length of a serial number, as public CAs give them.
pub const SERIAL_LENGTH: usize = 16;
pub type Serial = [u8; SERIAL_LENGTH];

pub const SEQUENCE: u8 = 0x30;
pub const BIT_STRING: u8 = 0x03;
const UTC_TIME: u8 = 0x17;
const EXTENSIONS: u8 = 0xa0;
const VERSION_2: &[u8] = &[2, 1, 1];
/// The AlgorithmIdentifier of ECDSA with SHA-256.
pub const ECDSA_SHA256: &[u8] = &[0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
/// A date of revocation, and the entry extension reasonCode that says keyCompromise.
const AFTER_SERIAL: &[u8] = b"\x17\x0d250102030405Z\x30\x0c\x30\x0a\x06\x03\x55\x1d\x15\x04\x03\x0a\x01\x01";
/// The extension cRLNumber.
const CRL_NUMBER: &[u8] = b"\x30\x0a\x06\x03\x55\x1d\x14\x04\x03\x02\x01\x07";

pub struct List {
    pub der: Vec<u8>,
    /// In the order of the list, which is none.
    pub serials: Vec<Serial>,
}

impl List {
    /// Revokes `count` random serial numbers in the name of the CA, which has an ECDSA key.
    pub fn new(ca: &X509, key: &PKey<Private>, count: usize) -> Self {
        let serials = random_serials(count);
        let mut entries = Vec::with_capacity(count * 49);
        for serial in &serials {
            let length = (2 + SERIAL_LENGTH + AFTER_SERIAL.len()) as u8;
            entries.extend_from_slice(&[SEQUENCE, length, 2, SERIAL_LENGTH as u8]);
            entries.extend_from_slice(serial);
            entries.extend_from_slice(AFTER_SERIAL);
        }
        let fields = [
            VERSION_2,
            ECDSA_SHA256,
            &ca.subject_name().to_der().unwrap(),
            &element(UTC_TIME, &[b"250102030405Z"]),
            &element(UTC_TIME, &[b"450102030405Z"]),
            &element(SEQUENCE, &[&entries]),
            &element(EXTENSIONS, &[&element(SEQUENCE, &[CRL_NUMBER])]),
        ];
        let list = element(SEQUENCE, &fields);
        let mut signer = Signer::new(MessageDigest::sha256(), key).unwrap();
        let signature = signer.sign_oneshot_to_vec(&list).unwrap();
        let der = element(SEQUENCE, &[&list, ECDSA_SHA256, &element(BIT_STRING, &[&[0], &signature])]);
        Self { der, serials }
    }
}

/// Positive numbers of the full length.
pub fn random_serials(count: usize) -> Vec<Serial> {
    let mut serials = vec![Serial::default(); count];
    rand_bytes(serials.as_flattened_mut()).unwrap();
    serials.iter_mut().for_each(|serial| serial[0] = serial[0] & 0x3f | 0x40);
    serials
}

/// A DER element of these parts.
pub fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let bytes = length.to_be_bytes();
    let significant = &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..];
    let mut element = Vec::with_capacity(length + 10);
    element.push(tag);
    match length {
        0..=0x7f => element.push(length as u8),
        _ => {
            element.push(0x80 | significant.len() as u8);
            element.extend_from_slice(significant);
        }
    }
    parts.iter().for_each(|part| element.extend_from_slice(part));
    element
}
