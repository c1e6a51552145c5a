//! Entries that cannot be in an output, or cannot be read: each is told, and an error if it was asked for.

use brokertls::Source;
use brokertls::error::Code;
use brokertls::keystore::{OpenOptions, TrustedPeers};
use brokertls::verify::{Deviations, PeerVerifier, Purpose};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, UnixTime};

use super::super::opened;
use super::super::tools::{KEYTOOL, made, pki};
use super::{assert_code, conversion, converted, identity, refused};

const FROM: (&str, &str) = ("password", "pass:secret");
const OPEN: &str = "the private key in the output is not encrypted";

/// A store with a key and its chain, and another certificate that nothing trusts.
fn with_other() -> Vec<u8> {
    made(
        "cat $pki/rsa-chain.crt $pki/other.crt > all
        openssl pkcs12 -export -inkey $pki/rsa.key -in all -name srv -caname mid -caname root -caname extra \
            -out out -passout pass:secret",
    )
}

/// A store of Java's with a key and a trusted certificate.
fn with_trusted() -> Vec<u8> {
    made(&format!(
        "openssl pkcs12 -export -inkey $pki/rsa.key -in $pki/rsa-chain.crt -name srv -out out -passout pass:secret
        {KEYTOOL} -importcert -noprompt -alias ca -file $pki/other.crt -keystore out -storepass secret"
    ))
}

#[test]
fn certificate_beside_a_key_that_pem_leaves_out_is_warned_about_and_refused_if_asked_for() {
    let done = converted(&with_other(), &[FROM, ("to", "pem")]);
    assert_eq!(done.entries.len(), 1);
    let [lost, open] = &done.warnings[..] else { panic!("{:?}", done.warnings) };
    assert!(lost.starts_with("in, alias extra: not in the output: a certificate of no key: "), "{lost}");
    assert_eq!(open, OPEN);
    let asked = [FROM, ("to", "pem"), ("alias", "srv"), ("alias", "extra")];
    let error = refused(&with_other(), &asked);
    let detail = "in, alias extra: an entry that is asked for cannot be in this output: a certificate of no key: ";
    assert_code(&error, Code::OptionConflict, detail);
    assert_eq!(converted(&with_other(), &[FROM, ("to", "pem"), ("alias", "extra")]).entries.len(), 1);
    // PKCS#12 holds both.
    let settings = [FROM, ("to", "pkcs12"), ("out-password", "pass:new"), ("alias", "srv"), ("alias", "extra")];
    assert_eq!(converted(&with_other(), &settings).entries.len(), 2);
    // A text has the same certificate at no place of its own.
    let warnings = converted(&[identity(), pki("other.crt")].concat(), &[("to", "pem")]).warnings;
    assert!(warnings.iter().any(|warning| warning.starts_with("in: not in the output: ")), "{warnings:?}");
}

#[test]
fn entry_that_is_asked_for_and_is_of_another_part_is_refused() {
    for (to, part, what) in [
        ("pem", "identity", "a certificate of no key"),
        ("pem", "key", "a certificate of no key"),
        ("pem", "chain", "a certificate of no key"),
        ("pem", "trust", "a private key"),
        ("pkcs12", "identity", "a certificate of no key"),
        ("pkcs12", "trust", "a private key"),
    ] {
        let is_encrypted = to == "pkcs12" || part == "identity" || part == "key";
        let settings = [FROM, ("to", to), ("part", part), ("out-password", "pass:new")];
        let settings = &settings[..if is_encrypted { 4 } else { 3 }];
        let error = refused(&with_trusted(), &[settings, &[("alias", "srv"), ("alias", "ca")]].concat());
        assert_code(&error, Code::OptionConflict, what);
        // A part alone is asked for without its entries by name.
        let done = converted(&with_trusted(), settings);
        assert!(!done.warnings.iter().any(|warning| warning.contains("not in the output")), "{:?}", done.warnings);
    }
}

#[test]
fn entry_of_a_text_is_selected_beside_others_that_cannot_be_read() {
    let broken = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    let stranger = "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n";
    let input = [identity(), stranger.into(), broken.into()].concat();
    let line = |before: &[u8]| before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let (key, certificate) = (line(&identity()), line(&[identity(), stranger.into()].concat()));
    assert_code(&refused(&input, &[("to", "pem")]), Code::KeyMalformed, &format!("in, line {key}"));
    let done = converted(&input, &[("to", "pem"), ("alias", "1")]);
    assert_eq!((done.entries.len(), done.entries[0].certificates), (1, 3));
    let [of_key, of_certificate, open] = &done.warnings[..] else { panic!("{:?}", done.warnings) };
    assert!(of_key.starts_with(&format!("in, line {key}: not used: the private key is malformed")), "{of_key}");
    assert!(of_certificate.starts_with(&format!("in, line {certificate}: not used: ")), "{of_certificate}");
    assert_eq!(open, OPEN);
    assert_code(&refused(&input, &[("to", "pem"), ("alias", "2")]), Code::KeyMalformed, "");
    // The first key is whole, and the certificate of the second is another one's.
    let mismatched = [pki("rsa.key"), pki("p256.key"), pki("p256.crt")].concat();
    assert_code(&refused(&mismatched, &[("to", "pem")]), Code::KeyMismatch, "no certificate fits the key");
    let done = converted(&mismatched, &[("to", "pem"), ("alias", "2")]);
    assert_eq!(done.entries[0].certificates, 1);
    let warning =
        "in, line 1: not used: the private key does not belong to the certificate: no certificate fits the key";
    assert_eq!(done.warnings[0], warning);
}

#[test]
fn certificates_beside_the_key_of_another_file_are_warned_about() {
    let mut conversion = conversion(&[("to", "pem")]);
    conversion.key(Source::memory("key", &[pki("rsa.key"), pki("rsa.crt"), pki("other.crt")].concat()));
    let done = conversion.convert(&Source::memory("in", &pki("rsa-chain.crt"))).unwrap();
    let [beside, open] = &done.warnings[..] else { panic!("{:?}", done.warnings) };
    assert!(beside.starts_with("key: a certificate beside the key is not used: "), "{beside}");
    assert_eq!(open, OPEN);
}

#[test]
fn cost_of_the_output_is_lowered_by_options_that_it_names() {
    let keys = ["rsa", "p256", "p384", "p521"].map(|name| pki(&format!("{name}.key"))).concat();
    for to in ["pkcs12", "pem"] {
        let settings = [("to", to), ("out-password", "pass:new"), ("iterations", "5000000")];
        let keys = if to == "pem" { [&keys[..], &pki("ed25519.key")].concat() } else { keys.clone() };
        let error = refused(&keys, &settings);
        assert_code(&error, Code::CostTooHigh, "25000000 iterations");
        assert_eq!(error.hint(), "Lower the option iterations, or write fewer keys with alias.");
    }
}

#[test]
fn certificates_that_nothing_trusted_are_named_if_they_are_alone_in_the_output() {
    let start = "the output has certificates alone, which a program trusts if it is given the file as a trust store; \
                 the input does not trust these: subject \"CN=";
    for (settings, first, rest) in [
        (&[("to", "pem"), ("alias", "extra")][..], "other,", ""),
        (&[("to", "pkcs12"), ("out-password", "pass:new"), ("alias", "extra")], "other,", ""),
        (&[("to", "pem"), ("part", "chain")], "rsa,", "; subject \"CN=root,"),
    ] {
        let done = converted(&with_other(), &[&[FROM], settings].concat());
        let [told] = &done.warnings[..] else { panic!("{:?}", done.warnings) };
        assert!(told.starts_with(&format!("{start}{first}")) && told.contains(rest), "{told}");
    }
    // A long chain is named in part.
    let all = ["rsa", "mid", "root"].map(|name| pki(&format!("{name}.crt"))).concat();
    let input = [pki("rsa.key"), all, pki("p256.key"), pki("p256.crt")].concat();
    let warnings = converted(&input, &[("to", "pem"), ("part", "chain")]).warnings;
    assert_eq!(warnings[0], "the output has the chains of 2 keys; many programs read only the first");
    assert!(warnings[1].ends_with(", and 3 more"), "{warnings:?}");
    // Trusted ones, and a store that says which are trusted, have no such warning.
    assert!(converted(&with_trusted(), &[FROM, ("to", "pem"), ("part", "trust")]).warnings.is_empty());
    assert!(converted(&pki("other.crt"), &[("to", "pem")]).warnings.is_empty());
}

#[test]
fn warnings_are_bounded_and_those_of_the_whole_output_stay() {
    let others = (0..80).map(|number| {
        let key = rcgen::KeyPair::generate().unwrap();
        rcgen::CertificateParams::new(vec![format!("n{number}")]).unwrap().self_signed(&key).unwrap().pem()
    });
    let input = [identity(), others.collect::<String>().into_bytes()].concat();
    let warnings = converted(&input, &[("to", "pem")]).warnings;
    assert_eq!(warnings.len(), 52);
    assert_eq!(warnings[50..], ["110 more warnings are not shown", OPEN]);
}

/// The CA `other` with these settings of `openssl x509 -trustout` behind it.
fn with_uses(settings: &str) -> Vec<u8> {
    made(&format!("openssl x509 -in $pki/other.crt -trustout {settings} -out out"))
}

#[test]
fn certificate_that_openssl_rejects_for_tls_is_trusted_by_no_output_and_no_context() {
    let rejected = [
        "-addreject serverAuth",
        "-addreject clientAuth -addtrust serverAuth",
        "-addreject anyExtendedKeyUsage",
        "-addreject emailProtection -addreject serverAuth",
        "-addtrust emailProtection",
    ];
    for settings in rejected {
        let input = with_uses(settings);
        let told = "in, line 1: not trusted, as the uses behind the certificate reject it for TLS";
        for to in [&[("to", "pem")][..], &[("to", "pkcs12"), ("out-password", "pass:new")]] {
            assert_code(&refused(&input, to), Code::NoCertificate, "there is nothing to write");
            let error = refused(&input, &[to, &[("alias", "1")]].concat());
            assert_code(&error, Code::NoTrustedCertificate, "in: a certificate that is rejected for TLS");
            let beside = [input.clone(), pki("root.crt")].concat();
            let done = converted(&beside, to);
            assert_eq!((done.entries.len(), done.warnings.len()), (1, 2), "{done:?}");
            assert_eq!(done.warnings[0], told);
            assert!(done.warnings[1].contains("is rejected for TLS is not in the output: subject "), "{done:?}");
        }
        let store = opened("in", &input, &OpenOptions::default());
        assert_eq!(store.warnings(), [told], "{settings}");
        assert_eq!(store.trusted().unwrap_err().code(), Code::NoTrustedCertificate, "{settings}");
        // The same certificate without these uses does not undo them.
        let both = [input, pki("other.crt")].concat();
        let store = opened("in", &both, &OpenOptions::default());
        assert_eq!(store.trusted().unwrap_err().code(), Code::NoTrustedCertificate, "{settings}");
    }
    for settings in [
        "-setalias name",
        "-addtrust serverAuth -addtrust clientAuth -addreject emailProtection",
        "-addtrust anyExtendedKeyUsage",
        "-addreject codeSigning",
    ] {
        let done = converted(&with_uses(settings), &[("to", "pkcs12"), ("out-password", "pass:new")]);
        assert!(done.entries[0].is_trusted && done.warnings.is_empty(), "{settings}: {done:?}");
    }
}

#[test]
fn certificate_that_openssl_trusts_for_one_role_is_trusted_for_that_role_alone_and_by_no_output() {
    let chain = [pki("other.crt"), pki("mid.crt")].concat();
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&chain).map(Result::unwrap).collect();
    for (of, settings, peers) in [
        ("other", "-addtrust serverAuth", TrustedPeers::Servers),
        ("other", "-addtrust clientAuth -addtrust emailProtection", TrustedPeers::Clients),
        ("root", "-addtrust serverAuth -addreject emailProtection", TrustedPeers::Servers),
        ("root", "-addtrust clientAuth", TrustedPeers::Clients),
    ] {
        let name = if peers == TrustedPeers::Servers { "servers alone" } else { "clients alone" };
        let input = made(&format!("openssl x509 -in $pki/{of}.crt -trustout {settings} -out out"));
        // The same certificate without these uses does not undo them.
        for input in [input.clone(), [input.clone(), pki(&format!("{of}.crt"))].concat()] {
            let store = opened("in", &input, &OpenOptions::default());
            assert_eq!(
                store.warnings(),
                [format!("in, line 1: trusted for {name}, by the uses behind the certificate")]
            );
            let trusted = store.trusted().unwrap();
            assert_eq!((trusted.len(), trusted[0].peers), (1, peers), "{settings}");
            let verifier = PeerVerifier::new(trusted, Deviations::default()).unwrap();
            for purpose in [Purpose::Server, Purpose::Client] {
                let verdict = verifier.verify(&chain, purpose, None, UnixTime::now());
                match (purpose == Purpose::Server) == (peers == TrustedPeers::Servers) {
                    true => assert_eq!(verdict.unwrap().direct, of == "other"),
                    false => assert_eq!(verdict.unwrap_err().code(), Code::CertUnknownIssuer, "{of} {settings}"),
                }
            }
            let has_names = !verifier.subjects().is_empty();
            assert_eq!(has_names, peers == TrustedPeers::Clients, "the names of CAs for clients");
            assert_code(&refused(&input, &[("to", "pem")]), Code::NoCertificate, "there is nothing to write");
            let error = refused(&input, &[("to", "pem"), ("alias", "1")]);
            assert_code(&error, Code::NoTrustedCertificate, &format!("in: a certificate that is trusted for {name}"));
        }
    }
    // Both at once is a contradiction, which trusts it for nothing.
    let uses = ["serverAuth", "clientAuth"]
        .map(|use_of| made(&format!("openssl x509 -in $pki/other.crt -trustout -addtrust {use_of} -out out")));
    let store = opened("in", &uses.concat(), &OpenOptions::default());
    assert_eq!(store.trusted().unwrap_err().code(), Code::NoTrustedCertificate);
}

#[test]
fn certificate_with_uses_that_cannot_be_read_is_refused() {
    let input = made(
        "{ openssl x509 -in $pki/other.crt -outform DER; printf '\\x30\\x04\\x30\\x05\\x06\\x01'; } > der
        { echo '-----BEGIN TRUSTED CERTIFICATE-----'; base64 der; echo '-----END TRUSTED CERTIFICATE-----'; } > out",
    );
    let error = refused(&input, &[("to", "pem")]);
    assert_code(&error, Code::CertificateMalformed, "in, line 1: list of uses is cut off");
}
