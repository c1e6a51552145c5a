//! Keys of algorithms that are not served: each gets its own certificate, and none by its place in the file.

use brokertls::convert::Converted;
use brokertls::error::Code;

use super::super::tools::made;
use super::{assert_code, by_openssl, converted, refused};

const UNCHECKED: &str = "in, line 1: not checked if the key belongs to the certificate: its algorithm is unknown";

/// Options of openssl for a key of each algorithm.
const KEYS: [&str; 11] = [
    "rsa -pkeyopt rsa_keygen_bits:768",
    "rsa -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_primes:3",
    "rsa -pkeyopt rsa_keygen_bits:1024 -pkeyopt rsa_keygen_primes:3",
    "rsa -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:1099511627791",
    "rsa -pkeyopt rsa_keygen_bits:1024 -pkeyopt rsa_keygen_pubexp:1099511627791",
    "rsa-pss -pkeyopt rsa_keygen_bits:2048",
    "ec -pkeyopt ec_paramgen_curve:brainpoolP256r1",
    "ec -pkeyopt ec_paramgen_curve:secp256k1",
    "ec -pkeyopt ec_paramgen_curve:P-224",
    "ec -pkeyopt ec_paramgen_curve:SM2",
    "ed448",
];

/// A key of an algorithm, and two self-signed certificates of that algorithm: the order is that of the names.
fn made_of(algorithm: &str, order: &str) -> Vec<u8> {
    let digest = if algorithm.contains("SM2") { "-sm3" } else { "-sha256" };
    made(&format!(
        "for name in own other; do
            openssl genpkey -algorithm {algorithm} -out $name.key 2> /dev/null
            openssl req -x509 -new {digest} -key $name.key -subj /CN=$name -out $name.crt
        done
        cat {order} > out"
    ))
}

fn subject(done: &Converted) -> &str {
    done.entries[0].subject.as_deref().unwrap_or_default()
}

#[test]
fn key_gets_its_own_certificate_wherever_it_is_or_is_refused() {
    for algorithm in KEYS {
        let is_shown = algorithm != "ed448";
        let input = made_of(algorithm, "own.key other.crt own.crt");
        match is_shown {
            true => {
                let done = converted(&input, &[("to", "pem"), ("part", "identity")]);
                assert!(subject(&done).starts_with("subject \"CN=own\", "), "{algorithm}: {done:?}");
                assert!(!done.warnings.contains(&UNCHECKED.to_owned()), "{algorithm}: {:?}", done.warnings);
            }
            false => {
                let error = refused(&input, &[("to", "pem")]);
                assert_code(&error, Code::KeyMismatch, "several certificates have its algorithm");
                assert_eq!(error.hint(), "Leave one certificate of this algorithm in the file.");
            }
        }
        let stranger = made_of(algorithm, "own.key other.crt");
        match is_shown {
            true => assert_code(
                &refused(&stranger, &[("to", "pem")]),
                Code::KeyMismatch,
                "certificate subject \"CN=other\"",
            ),
            // Nothing shows that it is another one's.
            false => assert_eq!(converted(&stranger, &[("to", "pem")]).warnings[0], UNCHECKED),
        }
    }
}

#[test]
fn certificate_of_another_algorithm_is_never_that_of_the_key() {
    let input = made(
        "openssl genpkey -algorithm ed448 -out key
        cat key $pki/rsa.crt > out",
    );
    assert_code(&refused(&input, &[("to", "pem")]), Code::KeyMismatch, "in, line 1: certificate");
    let input = made(
        "openssl genpkey -algorithm ed448 -out key && openssl req -x509 -new -key key -subj /CN=own -out own
        cat key $pki/rsa.crt own > out",
    );
    let done = converted(&input, &[("to", "pem"), ("part", "identity")]);
    assert!(subject(&done).starts_with("subject \"CN=own\", "), "{done:?}");
    assert_eq!(done.warnings[0], UNCHECKED);
}

#[test]
fn key_in_a_keystore_is_checked_with_its_certificate() {
    let input = made_of("ec -pkeyopt ec_paramgen_curve:brainpoolP256r1", "own.key own.crt");
    let done = converted(&input, &[("to", "pkcs12"), ("out-password", "pass:new"), ("name", "a")]);
    let again = converted(done.content.reveal(), &[("to", "pem"), ("password", "pass:new")]);
    assert_eq!(again.warnings, ["the private key in the output is not encrypted"]);
    let public = by_openssl(again.content.reveal(), "openssl pkey -in in -pubout; openssl x509 -in in -noout -pubkey");
    let (of_key, of_certificate) = public.split_at(public.len() / 2);
    assert_eq!(of_key, of_certificate);
}

#[test]
fn rsa_key_that_is_not_served_is_named_in_a_context_with_its_reason() {
    for (options, reason) in [
        ("rsa_keygen_bits:2048 -pkeyopt rsa_keygen_primes:3", "RSA 2048 with more than two primes"),
        ("rsa_keygen_bits:1024 -pkeyopt rsa_keygen_primes:3", "RSA 1024 with more than two primes"),
        ("rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:1099511627791", "RSA 2048 with a public exponent of 41 bits"),
    ] {
        let input = made_of(&format!("rsa -pkeyopt {options}"), "own.key own.crt");
        let store = super::super::opened("in", &input, &super::OpenOptions::default());
        assert_code(&store.identities().unwrap_err(), Code::KeyAlgorithmUnsupported, reason);
        let done = converted(&input, &[("to", "pkcs12"), ("out-password", "pass:new"), ("name", "a")]);
        let script = "openssl pkcs12 -in in -passin pass:new -nodes -out all && openssl pkey -in all -check -noout";
        assert_eq!(by_openssl(done.content.reveal(), script).trim(), "Key is valid", "{reason}");
    }
}

#[test]
fn key_of_another_certificate_in_a_keystore_is_refused_if_its_algorithm_is_not_served() {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/api/keystore/Stores.java");
    for (algorithm, other, settings) in
        [("rsa -pkeyopt rsa_keygen_bits:768", "other", ""), ("ed448", "$pki/rsa", ""), ("ed448", "other", "not shown")]
    {
        for store_type in ["JKS", "PKCS12"] {
            let store = made(&format!(
                "for name in own other; do
                    openssl genpkey -algorithm {algorithm} -out $name.key 2> /dev/null
                    openssl req -x509 -new -key $name.key -subj /CN=$name -out $name.crt
                done
                openssl pkcs12 -export -inkey own.key -in own.crt -name broker -out one -passout pass:secret
                openssl pkcs12 -export -inkey {other}.key -in {other}.crt -name other -out two -passout pass:secret
                java -XX:TieredStopAtLevel=1 '{program}' {store_type} one out secret secret two"
            ));
            let from = [("to", "pkcs12"), ("out-password", "pass:new"), ("password", "pass:secret")];
            if settings.is_empty() {
                assert_code(&refused(&store, &from), Code::KeyMismatch, "in, alias broker: certificate subject ");
            } else {
                let told =
                    "in, alias broker: not checked if the key belongs to the certificate: its algorithm is unknown";
                assert_eq!(converted(&store, &from).warnings, [told]);
            }
        }
    }
}
