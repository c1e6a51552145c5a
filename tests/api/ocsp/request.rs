//! Requests to responders, which `openssl ocsp` reads, and the responders that a certificate names.

use brokertls::revocation::CertIdHash;
use brokertls::revocation::ocsp::{CertId, demands_staple, get_url, request, responders_of};
use rcgen::CustomExtension;

use super::openssl::Folder;
use super::*;

#[test]
fn request_is_read_by_openssl_as_what_it_asks() {
    let pki = Pki::new();
    let folder = Folder::new("request");
    let cases = [(CertIdHash::Sha1, "sha1", None), (CertIdHash::Sha256, "sha256", Some([0xab; 32].as_slice()))];
    for (hash, name, nonce) in cases {
        folder.write("request.der", &request(&pki.server.der, &pki.root.der, hash, nonce).unwrap());
        let text = folder.run("openssl ocsp -reqin request.der -req_text -noverify").to_lowercase();
        assert!(text.contains(&format!("hash algorithm: {name}")) && text.contains("serial number: 112233"), "{text}");
        assert_eq!(text.contains(&format!("0420{}", "ab".repeat(32))), nonce.is_some(), "{text}");
        // And the same as openssl makes itself, if it adds no nonce of its own.
        folder.write("server.pem", pem("CERTIFICATE", &pki.server.der).as_bytes());
        folder.write("root.pem", pem("CERTIFICATE", &pki.root.der).as_bytes());
        folder.run(&format!("openssl ocsp -issuer root.pem -{name} -cert server.pem -no_nonce -reqout theirs.der"));
        let ours = request(&pki.server.der, &pki.root.der, hash, None).unwrap();
        assert_eq!(folder.read("theirs.der"), ours);
    }
}

#[test]
fn nonce_of_a_length_that_is_not_allowed_is_refused() {
    let pki = Pki::new();
    let ask = |nonce: &[u8]| request(&pki.server.der, &pki.root.der, CertIdHash::Sha1, Some(nonce));
    assert!(ask(&[0]).is_ok() && ask(&[0; 128]).is_ok());
    assert_eq!(ask(&[]).unwrap_err().code(), Code::InvalidArgument);
    assert_eq!(ask(&[0; 129]).unwrap_err().code(), Code::InvalidArgument);
    let nothing = CertificateDer::from(vec![0x30, 0]);
    let error = request(&nothing, &pki.root.der, CertIdHash::Sha1, None).unwrap_err();
    assert_eq!(error.code(), Code::CertificateMalformed);
}

#[test]
fn url_of_a_short_request_has_it_escaped_and_a_long_one_is_posted() {
    let bytes = [0xfb, 0xff, 0xfe, 0x00];
    let url = Some("http://ocsp.example/%2B%2F%2F%2BAA%3D%3D".to_owned());
    assert_eq!(get_url("http://ocsp.example", &bytes), url);
    assert_eq!(get_url("http://ocsp.example/", &bytes), url);
    assert_eq!(get_url("http://ocsp.example/?ca=1", &bytes), None);
    // "http://o/" and 246 characters.
    let longest = [0; 184];
    assert_eq!(get_url("http://o", &longest[..183]).map(|url| url.len()), Some(253));
    assert_eq!(get_url("http://o", &longest), None);
}

#[test]
fn cert_ids_are_equal_for_the_same_certificate_issuer_and_hash() {
    let pki = Pki::new();
    let response = read(&pki.answer(GOOD).signed_by(&pki.root)).unwrap();
    let id = |issuer: &Made, hash| CertId::new(&pki.server.der, &issuer.der, hash).unwrap();
    let told: Vec<&CertId> = response.cert_ids().collect();
    assert_eq!(told, [&id(&pki.root, CertIdHash::Sha1)]);
    assert_ne!(told, [&id(&pki.root, CertIdHash::Sha256)]);
    assert_ne!(told, [&id(&pki.namesake(), CertIdHash::Sha1)]);
    assert_eq!(told[0].serial(), SERIAL);
    for hash in [CertIdHash::Sha1, CertIdHash::Sha256] {
        assert_eq!(CertIdHash::from_name(hash.name()), Some(hash));
    }
    assert_eq!(CertIdHash::from_name("md5"), None);
}

#[test]
fn responders_are_taken_from_the_certificate_four_at_most() {
    let root = self_signed(ca("root"));
    let named = |urls: &[&str]| {
        // OCSP, and one of the issuer's certificate, which is another method.
        let access = |method: u8, url: &&str| {
            element(0x30, &[vec![6, 8, 0x2b, 6, 1, 5, 5, 7, 48, method], element(0x86, url.as_bytes())].concat())
        };
        let all: Vec<u8> = [access(2, &"http://ca.example/ca.cer")]
            .into_iter()
            .chain(urls.iter().map(|url| access(1, url)))
            .flatten()
            .collect();
        let mut params = host("broker.example");
        params.custom_extensions =
            vec![CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], element(0x30, &all))];
        responders_of(&root.issue(params).der)
    };
    assert_eq!(named(&[]), Vec::<String>::new());
    assert_eq!(named(&["http://a/", "ldap://b"]), ["http://a/", "ldap://b"]);
    assert_eq!(named(&["http://a"; 9]).len(), 4);
    assert_eq!(responders_of(&root.der), Vec::<String>::new());
    assert_eq!(responders_of(&CertificateDer::from(vec![0x30, 0])), Vec::<String>::new());
}

#[test]
fn certificate_demands_a_staple_by_its_tls_feature() {
    let root = self_signed(ca("root"));
    let demands = |features: Option<&[u8]>| {
        let mut params = host("broker.example");
        let identifier = [1, 3, 6, 1, 5, 5, 7, 1, 24];
        params.custom_extensions =
            features.iter().map(|value| CustomExtension::from_oid_content(&identifier, value.to_vec())).collect();
        demands_staple(&root.issue(params).der)
    };
    assert!(demands(Some(&[0x30, 3, 2, 1, 5])) && demands(Some(&[0x30, 6, 2, 1, 17, 2, 1, 5])));
    assert!(!demands(None) && !demands(Some(&[0x30, 0])) && !demands(Some(&[0x30, 3, 2, 1, 17])));
    // What cannot be read is not passed over.
    assert!(demands(Some(&[0x04, 0])) && demands(Some(&[0x30, 3, 2, 9, 5])));
}
