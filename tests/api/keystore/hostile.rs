//! Stores that ask for more than they should, or hold tens of thousands of entries that fit each other.

use brokertls::error::Code;
use brokertls::keystore::{EntryKind, OpenOptions, open};

use super::der::{Node, der_integer};
use super::tools::{made, made_from, pki};
use super::{assert_code, password, refused};

/// An element of DER.
fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = match content.len() {
        short @ 0..=0x7f => vec![short as u8],
        long @ 0x80..=0xffff => [&[0x82][..], &(long as u16).to_be_bytes()].concat(),
        long => [&[0x84][..], &(long as u32).to_be_bytes()].concat(),
    };
    [&[tag][..], &length, &content].concat()
}

/// An object identifier of PKCS, from 1.2.840.113549.1 on.
fn oid(arcs: &[u8]) -> Vec<u8> {
    element(6, &[&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1], arcs])
}

/// A bag with the name `k` and a number, and this number as its key identifier.
fn bag(kind: u8, value: &[u8], number: u32) -> Vec<u8> {
    let name: Vec<u8> = format!("k{number}").encode_utf16().flat_map(u16::to_be_bytes).collect();
    let attribute = |kind: u8, tag: u8, value: &[u8]| {
        element(0x30, &[&oid(&[9, kind]), &element(0x31, &[&element(tag, &[value])])])
    };
    let attributes = [attribute(20, 0x1e, &name), attribute(21, 4, &number.to_be_bytes())].concat();
    element(0x30, &[&oid(&[12, 10, 1, kind]), &element(0xa0, &[value]), &element(0x31, &[&attributes])])
}

/// A PKCS#12 store of these bags without encryption and MAC.
fn store(bags: &[u8]) -> Vec<u8> {
    let data = |content: &[u8]| element(0x30, &[&oid(&[7, 1]), &element(0xa0, &[&element(4, &[content])])]);
    let safe = element(0x30, &[&data(&element(0x30, &[bags]))]);
    element(0x30, &[&[2, 1, 3], &data(&safe)])
}

fn certificate_bag(certificate: &[u8], number: u32) -> Vec<u8> {
    let value = element(0x30, &[&oid(&[9, 22, 1]), &element(0xa0, &[&element(4, &[certificate])])]);
    bag(3, &value, number)
}

fn without_mac() -> OpenOptions {
    OpenOptions { insecure_allow_missing_mac: true, ..OpenOptions::default() }
}

/// The certificate with another serial number: another certificate for the same key.
fn renumbered(certificate: &[u8], number: u32) -> Vec<u8> {
    let mut node = Node::parse(certificate);
    node.at(&[0, 1]).content = der_integer(0x0100_0000_0000 + u64::from(number));
    node.encode_der()
}

/// 40,000 keys and 12,000 certificates that fit them by key identifier, name and public key, all with one issuer.
#[test]
fn store_of_16_mib_with_keys_and_certificates_that_all_fit_each_other_is_matched_through_indexes() {
    const KEYS: u32 = 40_000;
    const CERTIFICATES: u32 = 12_000;
    let key = made("openssl pkcs8 -topk8 -nocrypt -in $pki/p256.key -outform DER -out out");
    let der = |name: &str| made_from(&pki(name), "openssl x509 -in in -outform DER -out out");
    let (leaf, issuer) = (der("p256.crt"), der("mid.crt"));
    let mut bags = certificate_bag(&issuer, u32::MAX);
    (0..CERTIFICATES).for_each(|number| bags.extend(certificate_bag(&renumbered(&leaf, number), number)));
    (0..KEYS).for_each(|number| bags.extend(bag(1, &key, number % CERTIFICATES)));
    let bytes = store(&bags);
    assert!((12 << 20..16 << 20).contains(&bytes.len()), "{} bytes", bytes.len());
    let store = open("file", &bytes, &without_mac()).unwrap();
    let keys = store.entries().iter().filter(|entry| entry.kind == EntryKind::Key);
    assert_eq!(keys.filter(|entry| entry.chain.len() == 2).count(), KEYS as usize);
    for number in (0..CERTIFICATES).step_by(100) {
        assert_eq!(store.identity(&format!("K{number}")).unwrap().chain.len(), 2);
    }
}

/// The cost of making a key ready is counted, so that a file of keys alone ends too.
#[test]
fn file_of_tens_of_thousands_of_keys_serves_those_that_its_limit_allows() {
    let text = [pki("p256.key").repeat(25_000), pki("p256.crt")].concat();
    let identities = open("file", &text, &OpenOptions::default()).unwrap().identities().unwrap();
    assert_eq!(identities.len(), 20_000);
    let warnings = &identities[0].warnings;
    assert_eq!(warnings.len(), 21, "{warnings:?}");
    assert!(warnings[0].contains("max-kdf-iterations to 20001000 or more"), "{warnings:?}");
    assert_eq!(warnings[20], "4980 more entries are not used");
}

#[test]
fn chains_that_would_be_copied_a_thousand_times_are_refused_by_their_size() {
    let key = made("openssl pkcs8 -topk8 -nocrypt -in $pki/p256.key -outform DER -out out");
    let leaf = made_from(&pki("p256.crt"), "openssl x509 -in in -outform DER -out out");
    // One certificate of 2 MiB, which 100 keys say is theirs.
    let mut large = Node::parse(&leaf);
    large.at(&[2]).content = vec![0; 2 << 20];
    let mut bags = certificate_bag(&large.encode_der(), 7);
    (0..100).for_each(|_| bags.extend(bag(1, &key, 7)));
    assert_code(&refused(&store(&bags), &without_mac()), Code::StoreTooLarge, "the chains of its keys");
}

#[test]
fn pbmac1_with_parameters_that_ask_too_much_or_prove_too_little_is_refused() {
    let bytes = std::fs::read(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/cases/stores/openssl403-pbmac1.p12"),
    );
    let bytes = bytes.unwrap();
    // MacData, DigestInfo, the algorithm's parameters, PBKDF2, its parameters: salt, count, length, function.
    const PBKDF2: [usize; 5] = [2, 0, 0, 1, 0];
    let with = |change: &dyn Fn(&mut Node)| {
        let mut node = Node::parse(&bytes);
        change(node.at(&PBKDF2));
        refused(&node.encode(), &password("secret"))
    };
    let count = |number| with(&move |pbkdf2| pbkdf2.at(&[1, 1]).content = der_integer(number));
    assert_code(&count(u64::MAX / 2), Code::CostTooHigh, "MAC: with this the file asks for the work of");
    assert_code(&count(20_000_001), Code::CostTooHigh, "MAC: ");
    assert_code(&count(0), Code::ParameterInvalid, "iteration count is 0");
    assert_code(&count(2), Code::StorePasswordWrong, "file");
    let length = |number| with(&move |pbkdf2| pbkdf2.at(&[1, 2]).content = der_integer(number));
    assert_code(&length(19), Code::ParameterInvalid, "PBMAC1 with a key of 19 bytes");
    assert_code(&length(1 << 30), Code::ParameterInvalid, "PBMAC1 with a key of 1073741824 bytes");
    let missing = with(&|pbkdf2| _ = pbkdf2.at(&[1]).children.remove(2));
    assert_code(&missing, Code::ParameterInvalid, "PBMAC1 with a key of no length");
    let scrypt = with(&|pbkdf2| pbkdf2.at(&[0]).content = vec![0x2b, 6, 1, 4, 1, 0xda, 0x47, 4, 11]);
    assert_code(&scrypt, Code::EncryptionUnsupported, "PBMAC1 with a key derivation by an unknown algorithm");
}

#[test]
fn mac_of_an_algorithm_that_is_not_served_is_named_and_the_hint_is_about_the_mac() {
    let cases = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/cases/stores");
    let bytes = std::fs::read(cases.join("openssl403-pbmac1.p12")).unwrap();
    // As `openssl pkcs12 -export -macalg` of sha3-256, md5 and sm3 writes them, and one that no program uses.
    for (oid, name) in [
        (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 8][..], "a MAC by SHA3-256 (2.16.840.1.101.3.4.2.8)"),
        (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, 5], "a MAC by MD5 (1.2.840.113549.2.5)"),
        (&[0x2a, 0x81, 0x1c, 0xcf, 0x55, 1, 0x83, 0x11], "a MAC by SM3 (1.2.156.10197.1.401)"),
        (&[0x2a, 3, 4], "a MAC by an unknown algorithm (1.2.3.4)"),
    ] {
        let mut node = Node::parse(&bytes);
        node.at(&[2, 0, 0, 0]).content = oid.to_vec();
        let error = refused(&node.encode(), &password("secret"));
        assert_code(&error, Code::EncryptionUnsupported, name);
        assert_eq!(error.hint(), "Export it with a MAC of SHA-256: openssl pkcs12 -export -macalg sha256.");
    }
}
