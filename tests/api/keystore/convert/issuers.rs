//! Keys with issuers that PKCS#12 does not tell apart.

use brokertls::error::Code;

use super::super::tools::{KEYTOOL, made};
use super::{assert_code, by_openssl, converted, refused};

const NEW: [(&str, &str); 3] = [("to", "pkcs12"), ("out-password", "pass:new"), ("password", "pass:secret")];

/// A store of Java's with the keys `n1` and `n2` below two CAs of these names; `extensions` are those of the leaves.
fn two_keys(names: [&str; 2], extensions: &str) -> Vec<u8> {
    let [first, second] = names;
    made(&format!(
        "echo '{extensions}' > extensions
        make() {{
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -subj \"/CN=$2\" \
                -out ca.crt 2> /dev/null
            openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key -subj \"/CN=$1\" \
                -out request 2> /dev/null
            openssl x509 -req -in request -CA ca.crt -CAkey ca.key -extfile extensions -out leaf 2> /dev/null
            cat leaf ca.crt > chain
            openssl pkcs12 -export -inkey key -in chain -name $1 -out one -passout pass:secret
            {KEYTOOL} -importkeystore -srckeystore one -srcstorepass secret -destkeystore out -deststoretype JKS \
                -deststorepass secret
        }}
        make n1 '{first}'
        make n2 '{second}'"
    ))
}

#[test]
fn keys_below_different_issuers_of_one_name_are_refused_together_and_written_one_by_one() {
    // By key identifiers other programs tell them apart, and Java does not.
    for extensions in ["authorityKeyIdentifier=none", "authorityKeyIdentifier=keyid"] {
        let store = two_keys(["CA", "CA"], extensions);
        let error = refused(&store, &NEW);
        let detail = "PKCS#12 does not keep chains, and another certificate has the name of its issuer";
        assert_code(&error, Code::OptionConflict, detail);
        assert_eq!(error.hint(), "Write one file for each alias, and trusted certificates into another one.");
        for alias in ["n1", "n2"] {
            let done = converted(&store, &[&NEW[..], &[("alias", alias)]].concat());
            assert_eq!((done.entries[0].certificates, done.warnings.len()), (2, 0), "{done:?}");
        }
        let done = converted(&store, &[("to", "pem"), ("password", "pass:secret")]);
        assert_eq!(done.entries.len(), 2);
    }
}

#[test]
fn keys_below_issuers_of_different_names_are_written_together() {
    let done = converted(&two_keys(["one", "two"], "authorityKeyIdentifier=none"), &NEW);
    assert_eq!((done.entries.len(), done.warnings.len()), (2, 0), "{done:?}");
}

/// A store of Java's with one key, its chain [leaf, CA by one root, CA by another root, both roots].
fn cross_signed() -> Vec<u8> {
    made(
        "new() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $1.key -subj /CN=$1 \
            -out $1.request 2> /dev/null; }
        echo 'basicConstraints=critical,CA:TRUE' > ca
        for root in one two; do
            new $root && openssl x509 -req -in $root.request -signkey $root.key -extfile ca -out $root.crt 2> /dev/null
        done
        new mid && new leaf
        for root in one two; do
            openssl x509 -req -in mid.request -CA $root.crt -CAkey $root.key -extfile ca -out mid-$root.crt 2> /dev/null
        done
        openssl x509 -req -in leaf.request -CA mid-one.crt -CAkey mid.key -out leaf.crt 2> /dev/null
        cat leaf.key leaf.crt mid-one.crt mid-two.crt one.crt two.crt > out",
    )
}

#[test]
fn chain_of_a_cross_signed_issuer_that_java_makes_shorter_is_told() {
    let settings = [("to", "pkcs12"), ("out-password", "pass:new"), ("name", "n")];
    let done = converted(&cross_signed(), &settings);
    assert_eq!(done.entries[0].certificates, 5);
    let warning = "alias n: PKCS#12 does not keep chains; Java, which takes one issuer of each name, makes one of 3 \
                   certificates of the 5 that it has";
    assert_eq!(done.warnings, [warning]);
    // What keytool shows is what the warning says.
    let script = format!("{KEYTOOL} -list -v -keystore in -storepass new | sed -n 's/^Certificate chain length: //p'");
    assert_eq!(by_openssl(done.content.reveal(), &script).trim(), "3");
    assert!(converted(&cross_signed(), &[("to", "pem"), ("part", "key")]).warnings.len() == 1);
}
