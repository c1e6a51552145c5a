//! PKCS#7 as a container of certificates, and DER with something behind it.

use brokertls::error::Code;
use brokertls::keystore::{EntryKind, OpenOptions, StoreType, open};

use super::der::Node;
use super::tools::{made, pki};
use super::{assert_code, assert_signs, identity, opened, refused, subjects};

const OTHERS_FIRST: &str =
    "openssl crl2pkcs7 -nocrl -certfile $pki/root.crt -certfile $pki/mid.crt -certfile $pki/rsa.crt";

fn none() -> OpenOptions {
    OpenOptions::default()
}

#[test]
fn certificates_of_pkcs7_are_trusted_whatever_its_encoding_and_label() {
    let text = String::from_utf8(made(&format!("{OTHERS_FIRST} -out out"))).unwrap();
    let der = made(&format!("{OTHERS_FIRST} -outform DER -out out"));
    let indefinite = Node::parse(&der).encode_indefinite();
    let label = |label: &str| text.replace("PKCS7", label).into_bytes();
    let line_end = [der.as_slice(), b"\r\n"].concat();
    let texts = [label("PKCS7"), label("CMS"), label("CERTIFICATE"), label("PKCS #7 SIGNED DATA")];
    for (bytes, store_type) in [der, indefinite, line_end]
        .map(|der| (der, StoreType::Der))
        .into_iter()
        .chain(texts.map(|text| (text, StoreType::Pem)))
    {
        let store = opened("ca.p7b", &bytes, &none());
        assert_eq!(store.store_type(), store_type);
        assert_eq!(store.trusted().unwrap().len(), 3);
        assert!(store.entries().iter().all(|entry| entry.kind == EntryKind::Certificate));
    }
}

#[test]
fn chain_of_pkcs7_beside_a_key_is_put_in_order() {
    let mut text = made(&format!("{OTHERS_FIRST} -out out"));
    text.extend(pki("rsa.key"));
    let identity = identity(&text, &none());
    assert_signs(&identity);
    let subjects = subjects(&identity.chain);
    assert_eq!(subjects[..2], ["CN=rsa,O=Example", "CN=mid,O=Example"]);
}

#[test]
fn signed_message_of_pkcs7_is_not_taken_for_certificates() {
    let script = "echo text | openssl cms -sign -signer $pki/rsa.crt -inkey $pki/rsa.key -nodetach -out out -outform";
    for form in ["DER", "PEM"] {
        let error = refused(&made(&format!("{script} {form}")), &none());
        assert_code(&error, Code::StoreFormatUnknown, "it is a signed message of PKCS#7 (CMS)");
        assert!(error.hint().contains("openssl cms -cmsout"), "{}", error.hint());
    }
}

#[test]
fn pkcs7_with_a_certificate_that_cannot_be_read_trusts_the_others() {
    let mut tree = Node::parse(&made(&format!("{OTHERS_FIRST} -outform DER -out out")));
    // ContentInfo, content, SignedData, certificates, the second one's tbsCertificate.
    *tree.at(&[1, 0, 3, 1, 0]) = Node::octets(vec![0; 100]);
    let store = opened("ca.p7b", &tree.encode_der(), &none());
    assert_eq!(store.trusted().unwrap().len(), 2);
    assert!(store.warnings()[0].contains("ca.p7b, certificate 2: not used"), "{:?}", store.warnings());
}

#[test]
fn pkcs7_that_is_cut_off_is_malformed() {
    let whole = made(&format!("{OTHERS_FIRST} -outform DER -out out"));
    for length in [40, whole.len() / 2, whole.len() - 1] {
        assert_code(&refused(&whole[..length], &none()), Code::StoreMalformed, "it is cut off");
    }
    let indefinite = Node::parse(&whole).encode_indefinite();
    let cut = &indefinite[..indefinite.len() - 40];
    assert_code(&refused(cut, &none()), Code::StoreMalformed, "an element is cut off");
}

#[test]
fn line_ends_behind_der_are_passed_over_and_nothing_else_is() {
    let der = made("openssl x509 -in $pki/root.crt -outform DER -out out");
    let length = der.len();
    for line_end in [&b"\n"[..], b"\r\n", b"\n\n"] {
        let store = opened("ca.der", &[&der, line_end].concat(), &none());
        assert_eq!(store.trusted().unwrap()[0].der.as_ref(), der);
    }
    for (behind, detail) in [
        (&b"\0"[..], format!("DER of {length} bytes is followed by 1 more")),
        (b" text", format!("DER of {length} bytes is followed by 5 more")),
        (&der, "several elements of DER follow one another".to_owned()),
    ] {
        let error = refused(&[&der, behind].concat(), &none());
        assert_code(&error, Code::StoreMalformed, &detail);
        assert!(!error.hint().is_empty());
    }
    let detail = format!("it is cut off: DER of {length} bytes, of which {} are there", length - 1);
    assert_code(&refused(&der[..length - 1], &none()), Code::StoreMalformed, &detail);
    let store = made("openssl pkcs12 -export -in $pki/rsa.crt -inkey $pki/rsa.key -passout pass:secret -out out");
    // The other reader of the differential test takes no line end.
    let store = open("key.p12", &[&store[..], b"\n"].concat(), &super::password("secret")).unwrap();
    assert_eq!(store.identities().unwrap().len(), 1);
}

#[test]
fn certificate_under_another_label_is_read_or_named() {
    let text = String::from_utf8(pki("root.crt")).unwrap();
    for label in ["certificate", "X.509 CERTIFICATE", "x509 Certificate"] {
        let store = opened("ca.pem", text.replace("CERTIFICATE", label).as_bytes(), &none());
        assert_eq!(store.trusted().unwrap().len(), 1, "{label}");
    }
    let error = opened("ca.pem", text.replace("CERTIFICATE", "NEW CERTIFICATE").as_bytes(), &none()).trusted();
    let detail = "NEW CERTIFICATE: skipped; it holds a certificate, which needs the label CERTIFICATE";
    assert_code(&error.unwrap_err(), Code::NoTrustedCertificate, detail);
}

#[test]
fn text_that_other_programs_have_changed_is_refused_with_what_it_has_become() {
    let text = String::from_utf8(pki("root.crt")).unwrap();
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let mut tar = vec![b'a'; 257];
    tar.extend([b"ustar".as_slice(), &[0; 250], text.as_bytes()].concat());
    let lines = |prefix: &str| text.lines().map(|line| format!("{prefix}{line}\n")).collect::<String>();
    let base64url = "-----BEGIN CERTIFICATE-----\nAQ_-AQ==\n-----END CERTIFICATE-----\n";
    for (bytes, code, detail) in [
        (utf16, Code::StoreFormatUnknown, "it is UTF-16 text"),
        (tar, Code::StoreFormatUnknown, "it is a tar archive"),
        (text.to_lowercase().into_bytes(), Code::StoreFormatUnknown, "its BEGIN line is in lower case"),
        (text.replace(' ', "%20").into_bytes(), Code::StoreFormatUnknown, "it is PEM text encoded as a URL"),
        (format!("\"{text}\"").into_bytes(), Code::PemMalformed, "line 1: there is text before -----BEGIN"),
        (format!("<pre>{text}</pre>").into_bytes(), Code::PemMalformed, "line 1: there is text before -----BEGIN"),
        (lines("> ").into_bytes(), Code::PemMalformed, "line 1: there is text before -----BEGIN"),
        (text.replace('\n', "\\r\\n").into_bytes(), Code::PemMalformed, "line ends have become the characters \\n"),
        (base64url.as_bytes().to_vec(), Code::PemMalformed, "line 2: CERTIFICATE is in base64url"),
        (b"\n \n".to_vec(), Code::StoreFormatUnknown, "it holds white space alone"),
    ] {
        let error = refused(&bytes, &none());
        assert_code(&error, code, detail);
        assert!(!error.hint().is_empty(), "{error}");
    }
    let indented = opened("ca.pem", format!("ca: |\n{}", lines("    ")).as_bytes(), &none());
    assert_eq!(indented.trusted().unwrap().len(), 1);
    let pgp = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQ==\n=aaaa\n-----END PGP PUBLIC KEY BLOCK-----\n";
    let store = opened("ca.pem", format!("{pgp}{text}").as_bytes(), &none());
    assert_eq!(store.entries()[0].note.as_deref(), Some("PGP PUBLIC KEY BLOCK: skipped"));
    assert_eq!(store.trusted().unwrap().len(), 1);
}
