//! Object identifiers as text, and the short names of the attributes of names.

/// The common name, `2.5.4.3`.
pub(crate) const COMMON_NAME: &str = "2.5.4.3";

/// The short names of attribute types in OpenSSL. The first nine are those of RFC 4514 section 3.
const SHORT_NAMES: &[(&str, &str)] = &[
    (COMMON_NAME, "CN"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.6", "C"),
    ("2.5.4.9", "STREET"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("2.5.4.4", "SN"),
    ("2.5.4.5", "serialNumber"),
    ("2.5.4.12", "title"),
    ("2.5.4.13", "description"),
    ("2.5.4.15", "businessCategory"),
    ("2.5.4.16", "postalAddress"),
    ("2.5.4.17", "postalCode"),
    ("2.5.4.18", "postOfficeBox"),
    ("2.5.4.20", "telephoneNumber"),
    ("2.5.4.41", "name"),
    ("2.5.4.42", "GN"),
    ("2.5.4.43", "initials"),
    ("2.5.4.44", "generationQualifier"),
    ("2.5.4.45", "x500UniqueIdentifier"),
    ("2.5.4.46", "dnQualifier"),
    ("2.5.4.51", "houseIdentifier"),
    ("2.5.4.65", "pseudonym"),
    ("2.5.4.97", "organizationIdentifier"),
    ("0.9.2342.19200300.100.1.3", "mail"),
    ("1.2.840.113549.1.9.1", "emailAddress"),
    ("1.2.840.113549.1.9.2", "unstructuredName"),
    ("1.2.840.113549.1.9.8", "unstructuredAddress"),
    ("1.3.6.1.4.1.311.60.2.1.1", "jurisdictionL"),
    ("1.3.6.1.4.1.311.60.2.1.2", "jurisdictionST"),
    ("1.3.6.1.4.1.311.60.2.1.3", "jurisdictionC"),
];

/// The algorithms of keys without RSA and elliptic curves, of which a key says more (RFC 8410, RFC 9881, RFC 9909,
/// RFC 9935).
const KEY_ALGORITHMS: &[(&str, &str)] = &[
    ("1.2.840.113549.1.1.7", "RSA-OAEP"),
    ("1.2.840.113549.1.1.10", "RSA-PSS"),
    ("1.2.840.113549.1.3.1", "DH"),
    ("1.2.840.10040.4.1", "DSA"),
    ("1.2.840.10046.2.1", "DH"),
    ("1.3.132.1.12", "ECDH"),
    ("1.3.101.110", "X25519"),
    ("1.3.101.111", "X448"),
    ("1.3.101.112", "Ed25519"),
    ("1.3.101.113", "Ed448"),
    ("1.2.643.2.2.19", "GOST R 34.10-2001"),
    ("1.2.643.7.1.1.1.1", "GOST R 34.10-2012 (256)"),
    ("1.2.643.7.1.1.1.2", "GOST R 34.10-2012 (512)"),
    ("1.2.840.113549.1.9.16.3.17", "HSS/LMS"),
    ("2.16.840.1.101.3.4.3.17", "ML-DSA-44"),
    ("2.16.840.1.101.3.4.3.18", "ML-DSA-65"),
    ("2.16.840.1.101.3.4.3.19", "ML-DSA-87"),
    ("2.16.840.1.101.3.4.3.20", "SLH-DSA-SHA2-128s"),
    ("2.16.840.1.101.3.4.3.21", "SLH-DSA-SHA2-128f"),
    ("2.16.840.1.101.3.4.3.22", "SLH-DSA-SHA2-192s"),
    ("2.16.840.1.101.3.4.3.23", "SLH-DSA-SHA2-192f"),
    ("2.16.840.1.101.3.4.3.24", "SLH-DSA-SHA2-256s"),
    ("2.16.840.1.101.3.4.3.25", "SLH-DSA-SHA2-256f"),
    ("2.16.840.1.101.3.4.3.26", "SLH-DSA-SHAKE-128s"),
    ("2.16.840.1.101.3.4.3.27", "SLH-DSA-SHAKE-128f"),
    ("2.16.840.1.101.3.4.3.28", "SLH-DSA-SHAKE-192s"),
    ("2.16.840.1.101.3.4.3.29", "SLH-DSA-SHAKE-192f"),
    ("2.16.840.1.101.3.4.3.30", "SLH-DSA-SHAKE-256s"),
    ("2.16.840.1.101.3.4.3.31", "SLH-DSA-SHAKE-256f"),
    ("2.16.840.1.101.3.4.4.1", "ML-KEM-512"),
    ("2.16.840.1.101.3.4.4.2", "ML-KEM-768"),
    ("2.16.840.1.101.3.4.4.3", "ML-KEM-1024"),
];

/// Named curves (RFC 5480, RFC 5639, GB/T 32918).
const CURVES: &[(&str, &str)] = &[
    ("1.2.840.10045.3.1.1", "P-192"),
    ("1.3.132.0.33", "P-224"),
    ("1.2.840.10045.3.1.7", "P-256"),
    ("1.3.132.0.34", "P-384"),
    ("1.3.132.0.35", "P-521"),
    ("1.3.132.0.10", "secp256k1"),
    ("1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1"),
    ("1.3.36.3.3.2.8.1.1.11", "brainpoolP384r1"),
    ("1.3.36.3.3.2.8.1.1.13", "brainpoolP512r1"),
    ("1.2.156.10197.1.301", "SM2"),
];

/// The name of an elliptic curve.
pub(crate) fn curve_name(oid: &str) -> Option<&'static str> {
    CURVES.iter().find_map(|(known, name)| (*known == oid).then_some(*name))
}

/// The name of a key's algorithm, also of its signatures if it has only one.
pub(crate) fn key_algorithm(oid: &str) -> Option<&'static str> {
    KEY_ALGORITHMS.iter().find_map(|(known, name)| (*known == oid).then_some(*name))
}

/// The short name of an attribute type.
pub(super) fn short_name(oid: &str) -> Option<&'static str> {
    SHORT_NAMES.iter().find_map(|(known, name)| (*known == oid).then_some(*name))
}

/// The dotted form of the content of an object identifier. `None` if it is not DER, or has a number over 128 bits.
pub(super) fn dotted(content: &[u8]) -> Option<String> {
    let mut numbers = Vec::new();
    let mut number = None;
    for byte in content {
        // A number starts with a byte of its shortest form.
        if number.is_none() && *byte == 0x80 {
            return None;
        }
        let so_far: u128 = number.unwrap_or(0);
        let next = so_far.checked_mul(0x80)? | u128::from(byte & 0x7f);
        number = Some(next);
        if byte & 0x80 == 0 {
            numbers.push(next);
            number = None;
        }
    }
    let (first, rest) = numbers.split_first().filter(|_| number.is_none())?;
    // The first two numbers share one: X.690 section 8.19.4.
    let root = (first / 40).min(2);
    let mut text = format!("{root}.{}", first - root * 40);
    for number in rest {
        text.push('.');
        text.push_str(&number.to_string());
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn algorithms_of_keys_and_curves_are_named_each_once() {
        for table in [KEY_ALGORITHMS, CURVES] {
            let oids: std::collections::BTreeSet<_> = table.iter().map(|(oid, _)| oid).collect();
            assert_eq!(oids.len(), table.len());
        }
        assert_eq!(key_algorithm("2.16.840.1.101.3.4.4.2"), Some("ML-KEM-768"));
        assert_eq!(key_algorithm("2.16.840.1.101.3.4.3.25"), Some("SLH-DSA-SHA2-256f"));
        assert_eq!((key_algorithm("1.2.3"), curve_name("1.2.3")), (None, None));
        assert_eq!(curve_name("1.3.36.3.3.2.8.1.1.7"), Some("brainpoolP256r1"));
    }

    #[test]
    fn object_identifiers_have_their_dotted_form() {
        for (content, text) in [
            (&[0x55, 4, 3][..], Some("2.5.4.3")),
            (&[0x2b, 6, 1, 4, 1, 0x82, 0x37, 20, 2, 3], Some("1.3.6.1.4.1.311.20.2.3")),
            (&[0x88, 0x37, 1], Some("2.999.1")),
            (&[0], Some("0.0")),
            (&[], None),
            (&[0x55, 0x80], None),
            (&[0x55, 0x80, 1], None),
            (&[0x55, 0x84], None),
        ] {
            assert_eq!(dotted(content).as_deref(), text, "{content:x?}");
        }
    }

    #[test]
    fn object_identifier_with_a_number_of_more_than_128_bits_has_no_text() {
        let mut uuid = vec![0x69, 0x83];
        uuid.extend([0xff; 17]);
        uuid.push(0x7f);
        assert_eq!(dotted(&uuid).as_deref(), Some("2.25.340282366920938463463374607431768211455"));
        uuid.insert(1, 0x81);
        assert_eq!(dotted(&uuid), None);
        assert_eq!(dotted(&[0xff; 100_000]), None);
    }
}
