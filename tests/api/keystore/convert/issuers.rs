//! Keys with issuers that PKCS#12 does not tell apart.

use brokertls::error::Code;

use super::super::tools::{KEYTOOL, made};
use super::{assert_code, converted, refused};

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
