//! Certificates with any names, serial numbers and alternative names, byte by byte. Their signatures are none.

use brokertls::certificate::CertificateFacts;
use rustls::pki_types::CertificateDer;

pub(super) const COMMON_NAME: &str = "2.5.4.3";
pub(super) const ORGANISATION: &str = "2.5.4.10";
pub(super) const UNIT: &str = "2.5.4.11";
pub(super) const COUNTRY: &str = "2.5.4.6";
pub(super) const MAIL: &str = "1.2.840.113549.1.9.1";

pub(super) const UTF8: u8 = 0x0c;
pub(super) const NUMERIC: u8 = 0x12;
pub(super) const PRINTABLE: u8 = 0x13;
pub(super) const TELETEX: u8 = 0x14;
pub(super) const IA5: u8 = 0x16;
pub(super) const VISIBLE: u8 = 0x1a;
pub(super) const UNIVERSAL: u8 = 0x1c;
pub(super) const BMP: u8 = 0x1e;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;

const BOOLEAN: u8 = 0x01;
const INTEGER: u8 = 0x02;
const OID: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;

/// An element with the parts one after the other as its content.
pub(super) fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut out = vec![tag];
    match u8::try_from(content.len()) {
        Ok(short @ 0..=0x7f) => out.push(short),
        _ => {
            out.push(0x84);
            out.extend(u32::try_from(content.len()).unwrap().to_be_bytes());
            while out[2] == 0 {
                out.remove(2);
                out[1] -= 1;
            }
        }
    }
    out.extend(content);
    out
}

/// An object identifier of its dotted form.
pub(super) fn oid(dotted: &str) -> Vec<u8> {
    let numbers: Vec<u64> = dotted.split('.').map(|number| number.parse().unwrap()).collect();
    let mut content = Vec::new();
    for number in std::iter::once(numbers[0] * 40 + numbers[1]).chain(numbers[2..].iter().copied()) {
        let groups = (0..9).rev().map(|group| (number >> (7 * group)) as u8 & 0x7f).skip_while(|group| *group == 0);
        let mut groups: Vec<u8> = groups.map(|group| group | 0x80).collect();
        groups.pop();
        groups.push(number as u8 & 0x7f);
        content.extend(groups);
    }
    element(OID, &[&content])
}

/// An attribute of a name.
pub(super) fn attribute(kind: &str, tag: u8, value: &[u8]) -> Vec<u8> {
    element(SEQUENCE, &[&oid(kind), &element(tag, &[value])])
}

/// A name of relative names, each of attributes.
pub(super) fn name(relative: &[&[Vec<u8>]]) -> Vec<u8> {
    let relative = relative.iter().map(|attributes| {
        let attributes: Vec<&[u8]> = attributes.iter().map(Vec::as_slice).collect();
        element(SET, &attributes)
    });
    let relative: Vec<Vec<u8>> = relative.collect();
    element(SEQUENCE, &relative.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

/// A name of one common name.
pub(super) fn common_name(tag: u8, value: &[u8]) -> Vec<u8> {
    name(&[&[attribute(COMMON_NAME, tag, value)]])
}

/// A certificate with this subject.
pub(super) fn with_subject(subject: &[u8]) -> CertificateDer<'static> {
    certificate(subject, &[1], None)
}

/// A certificate with these GeneralNames as its subject alternative names.
pub(super) fn with_alternative_names(names: &[Vec<u8>]) -> CertificateDer<'static> {
    let names: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
    certificate(&common_name(UTF8, b"device"), &[1], Some(&element(SEQUENCE, &names)))
}

/// A certificate with this serial number, the content of an INTEGER.
pub(super) fn with_serial(serial: &[u8]) -> CertificateDer<'static> {
    certificate(&common_name(UTF8, b"device"), serial, None)
}

/// The facts that are read of a certificate.
pub(super) fn facts(certificate: &CertificateDer<'_>) -> CertificateFacts {
    CertificateFacts::from_der(certificate).unwrap()
}

pub(super) fn certificate(subject: &[u8], serial: &[u8], alternative: Option<&[u8]>) -> CertificateDer<'static> {
    let algorithm = element(SEQUENCE, &[&oid("1.3.101.112")]);
    let time = |text: &[u8]| element(UTC_TIME, &[text]);
    let validity = element(SEQUENCE, &[&time(b"200101000000Z"), &time(b"400101000000Z")]);
    let key = element(SEQUENCE, &[&algorithm, &element(BIT_STRING, &[&[0], &[7; 32]])]);
    let extension = alternative.map(|names| {
        let value = element(OCTET_STRING, &[names]);
        let extension = element(SEQUENCE, &[&oid("2.5.29.17"), &element(BOOLEAN, &[&[0xff]]), &value]);
        element(0xa3, &[&element(SEQUENCE, &[&extension])])
    });
    let to_be_signed = element(
        SEQUENCE,
        &[
            &element(0xa0, &[&element(INTEGER, &[&[2]])]),
            &element(INTEGER, &[serial]),
            &algorithm,
            &common_name(UTF8, b"ca"),
            &validity,
            subject,
            &key,
            extension.as_deref().unwrap_or_default(),
        ],
    );
    let whole = element(SEQUENCE, &[&to_be_signed, &algorithm, &element(BIT_STRING, &[&[0], &[9; 64]])]);
    CertificateDer::from(whole)
}
