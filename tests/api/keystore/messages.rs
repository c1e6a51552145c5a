//! Messages of PKCS#7 (CMS) of every kind, hostile ones too: read for their certificates alone, or named.

use brokertls::error::Code;
use brokertls::keystore::{OpenOptions, Store};

use super::der::Node;
use super::tools::{made, pki};
use super::{assert_code, opened, refused};

fn none() -> OpenOptions {
    OpenOptions::default()
}

/// Root and intermediate in a message without signers, in DER.
fn certificates() -> Vec<u8> {
    made("openssl crl2pkcs7 -nocrl -certfile $pki/root.crt -certfile $pki/mid.crt -outform DER -out out")
}

fn notes(store: &Store) -> Vec<&str> {
    store.entries().iter().filter_map(|entry| entry.note.as_deref()).collect()
}

#[test]
fn messages_of_other_kinds_are_named_and_trust_nothing() {
    let signed = "it is a signed message of PKCS#7 (CMS)";
    let encrypted = "it is an encrypted message of PKCS#7 (CMS)";
    let other = "it is PKCS#7 (CMS) that carries no certificates";
    let sign = "-sign -signer $pki/rsa.crt -inkey $pki/rsa.key -certfile $pki/root.crt";
    for (arguments, detail) in [
        (sign, signed),
        (&format!("{sign} -nodetach"), signed),
        (&format!("{sign} -nocerts"), signed),
        ("-encrypt -recip $pki/rsa.crt", encrypted),
        ("-encrypt -aes-256-gcm -recip $pki/rsa.crt", encrypted),
        ("-EncryptedData_encrypt -aes128 -secretkey 00112233445566778899aabbccddeeff", encrypted),
        ("-digest_create", other),
        ("-data_create", other),
    ] {
        for form in ["DER", "PEM"] {
            let script = format!("echo x > text; openssl cms {arguments} -in text -out out -outform {form}");
            let error = refused(&made(&script), &none());
            assert_code(&error, Code::StoreFormatUnknown, detail);
            assert!(!error.hint().is_empty(), "{arguments}");
        }
    }
}

#[test]
fn lists_beside_certificates_are_noted_and_not_trusted() {
    let list = made(
        "mkdir ca; touch ca/index; printf '[ca]\\ndefault_ca=c\\n[c]\\ndatabase=ca/index\\ndefault_md=sha256\\n\
         default_crl_days=9\\n' > ca/c
        openssl ca -config ca/c -gencrl -cert $pki/root.crt -keyfile $pki/root.key -out l.crl 2> /dev/null
        openssl crl2pkcs7 -in l.crl -certfile $pki/root.crt -outform DER -out out",
    );
    let store = opened("ca.p7b", &list, &none());
    assert_eq!(store.trusted().unwrap().len(), 1);
    assert_eq!(notes(&store), ["X509 CRL (1): skipped"]);
}

#[test]
fn message_with_thousands_of_certificates_is_read_and_each_counts_once() {
    let mut tree = Node::parse(&certificates());
    let set = &mut tree.at(&[1, 0, 3]).children;
    let one = set[0].clone();
    set.extend(std::iter::repeat_n(one, 5_000));
    let store = opened("ca.p7b", &tree.encode_der(), &none());
    assert_eq!((store.entries().len(), store.trusted().unwrap().len()), (5_002, 2));
}

#[test]
fn lengths_and_depths_that_lie_are_malformed() {
    let whole = certificates();
    let start = vec![0x30, 0x80, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];
    for (behind, detail) in [
        ([0xa0, 0x80].repeat(200_000), "elements nested deeper than 32"),
        (vec![0xa0, 0x84, 0xff, 0xff, 0xff, 0xf0, 0], "an element is cut off"),
        (vec![0xa0, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], "an element is cut off"),
        (vec![], "an element is cut off"),
    ] {
        assert_code(&refused(&[start.clone(), behind].concat(), &none()), Code::StoreMalformed, detail);
    }
    let indefinite = Node::parse(&whole).encode_indefinite();
    for line_end in [&b"\n"[..], b"\r\n\r\n"] {
        assert_eq!(opened("ca.p7b", &[&indefinite, line_end].concat(), &none()).trusted().unwrap().len(), 2);
    }
    for behind in [&b"\0"[..], b" text", &whole, &[0; 5]] {
        assert_eq!(refused(&[&indefinite, behind].concat(), &none()).code(), Code::StoreMalformed, "{behind:?}");
        assert_eq!(refused(&[&whole, behind].concat(), &none()).code(), Code::StoreMalformed, "{behind:?}");
    }
}

#[test]
fn signed_message_among_certificates_in_pem_is_warned_about_and_not_trusted() {
    let signed = made(
        "echo x > text; openssl cms -sign -in text -signer $pki/rsa.crt -inkey $pki/rsa.key -certfile $pki/root.crt \
         -outform PEM -out out",
    );
    let store = opened("ca.pem", &[signed, pki("mid.crt")].concat(), &none());
    let trusted = store.trusted().unwrap();
    assert_eq!(trusted.len(), 1);
    assert!(store.warnings()[0].contains("a signed message of PKCS#7"), "{:?}", store.warnings());
}
