//! Signature algorithms: `openssl` signs certificates, lists and responses with each, and each use accepts the same
//! ones.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use x509_parser::asn1_rs::Any;
use x509_parser::prelude::FromDer as _;

use crate::ocsp::verdicts::block;
use crate::rig::command::{Ran, folder, run};
use crate::rig::pki::{element, elements};

/// A CA with a good and a revoked client, a list and a response about each, all signed in one way.
struct Signer(PathBuf);

/// `$1` is how the key is made, `$2` the digest, if any, `$3` what else goes to each command that signs.
const PKI: &str = "
openssl genpkey -quiet $1 -out ca.key
openssl req -x509 -key ca.key -subj /CN=ca -days 30 ${2:+-$2} $3 -out ca.pem
openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out client.key
printf 'extendedKeyUsage=clientAuth' > client
issue() { openssl req -new -key client.key -subj /CN=$1 |
    openssl x509 -req -CA ca.pem -CAkey ca.key -set_serial $2 -extfile client -days 30 $3 -out $1.pem 2> $1.err; }
issue good 0x1001 \"${2:+-$2} $3\"; issue bad 0x1002 \"${2:+-$2} $3\"
printf 'V\\t400101000000Z\\t\\t1001\\tunknown\\t/CN=good
R\\t400101000000Z\\t250102030405Z,keyCompromise\\t1002\\tunknown\\t/CN=bad
' > index.txt
echo 01 > number
printf '[ca]\\ndefault_ca=x\\n[x]\\ndatabase=index.txt\\ncrlnumber=number\\ndefault_md='${2:-default}'\\ndefault_crl_days=30\\n' > ca.conf
openssl ca -config ca.conf -gencrl -keyfile ca.key -cert ca.pem $3 -out ca.crl 2> crl.err
for one in good bad; do
    openssl ocsp -index index.txt -CA ca.pem -rsigner ca.pem -rkey ca.key -issuer ca.pem -cert $one.pem -no_nonce -ndays 30 \\
        ${2:+-rmd $2} ${3//-sigopt/-rsigopt} -respout $one.der > ocsp.err 2>&1
done
";

impl Signer {
    /// `key` makes the CA's key, which signs with `digest` and the options of `more`.
    fn new(name: &str, key: &str, digest: &str, more: &str) -> Self {
        let folder = folder(&format!("signatures-{name}"));
        bash(&folder, &format!("set -- '{key}' '{digest}' '{more}'\n{PKI}"));
        Self(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    fn verify(&self, chain: &str, more: &[&str]) -> Ran {
        let (chain, ca) = (self.path(chain), self.path("ca.pem"));
        run(&[&["verify", "--chain", &chain, "--trust", &ca, "--purpose", "client"], more].concat())
    }

    #[track_caller]
    fn assert_told(&self, chain: &str, more: &[&str], told: &str) -> Ran {
        let ran = self.verify(chain, more);
        assert!(ran.first_line().starts_with(told), "{more:?}: {ran:?}");
        ran
    }

    /// Certificates, lists and responses signed in this way all count, with what is allowed in `more`.
    #[track_caller]
    fn assert_counts(&self, more: &[&str]) {
        let [list, good, bad] = ["ca.crl", "good.der", "bad.der"].map(|name| self.path(name));
        for mode in ["require", "prefer"] {
            for (source, of_good, of_bad) in [("--crl", &list, &list), ("--ocsp", &good, &bad)] {
                let with = |file| [more, &[source, file, "--revocation", mode]].concat();
                self.assert_told("good.pem", &with(of_good), "accepted");
                self.assert_told("bad.pem", &with(of_bad), "refused CERT_REVOKED: ");
            }
        }
    }
}

fn bash(folder: &Path, script: &str) {
    let script = format!("set -euo pipefail\n{script}");
    let output = Command::new("bash").args(["-c", &script]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
}

fn ec(curve: &str) -> String {
    format!("-algorithm EC -pkeyopt ec_paramgen_curve:{curve}")
}

fn rsa(bits: u32) -> String {
    format!("-algorithm RSA -pkeyopt rsa_keygen_bits:{bits}")
}

#[test]
fn every_curve_with_every_digest_counts_for_certificates_lists_and_responses() {
    for curve in ["P-256", "P-384", "P-521"] {
        for digest in ["sha256", "sha384", "sha512"] {
            Signer::new(&format!("{curve}-{digest}"), &ec(curve), digest, "").assert_counts(&[]);
        }
    }
}

#[test]
fn ed25519_counts_for_certificates_lists_and_responses() {
    Signer::new("ed25519", "-algorithm ED25519", "", "").assert_counts(&[]);
}

#[test]
fn small_rsa_keys_count_for_lists_and_responses_with_the_switch_that_names_them_and_without_it_for_nothing() {
    let small = Signer::new("rsa-1024", &rsa(1024), "sha256", "");
    small.assert_counts(&["--allow", "insecure-rsa-1024"]);
    small.assert_told("good.pem", &[], "refused CERT_KEY_TOO_SMALL: ");
}

/// PSS as OpenSSL makes it: the longest salt that fits by default.
fn pss(salt: &str) -> String {
    format!("-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:{salt}")
}

#[test]
fn rsa_counts_for_certificates_lists_and_responses_with_every_digest() {
    for (name, digest, more) in
        [("pkcs1-256", "sha256", ""), ("pkcs1-384", "sha384", ""), ("pss-512", "sha512", &pss("digest"))]
    {
        Signer::new(name, &rsa(2048), digest, more).assert_counts(&[]);
    }
}

#[test]
fn pss_counts_for_certificates_lists_and_responses_with_a_salt_of_any_length() {
    for (bits, digest, salt) in
        [(2048, "sha256", "max"), (3072, "sha384", "0"), (2048, "sha512", "20"), (1024, "sha256", "max")]
    {
        let switch: &[&str] = if bits == 1024 { &["--allow", "insecure-rsa-1024"] } else { &[] };
        Signer::new(&format!("pss-{bits}-{salt}"), &rsa(bits), digest, &pss(salt)).assert_counts(switch);
    }
}

#[test]
fn keys_for_pss_alone_count_for_certificates_lists_and_responses() {
    let key = "-algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048";
    Signer::new("pss-key", key, "sha256", &pss("digest")).assert_counts(&[]);
    let key = format!(
        "{key} -pkeyopt rsa_pss_keygen_md:sha256 -pkeyopt rsa_pss_keygen_mgf1_md:sha256 -pkeyopt rsa_pss_keygen_saltlen:32"
    );
    Signer::new("pss-key-with-parameters", &key, "sha256", &pss("40")).assert_counts(&[]);
}

/// RSASSA-PSS with SHA-256 and a salt of its length, without the NULL of either digest (RFC 4055 section 2.1).
fn pss_without_null() -> Vec<u8> {
    let sequence = |parts: &[&[u8]]| element(0x30, &parts.concat());
    let sha256 = sequence(&[&[6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1]]);
    let rsa = |last: u8| [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, last];
    let mask = sequence(&[&rsa(8), &sha256]);
    let parameters = sequence(&[&element(0xa0, &sha256), &element(0xa1, &mask), &element(0xa2, &[2, 1, 32])]);
    sequence(&[&rsa(10), &parameters])
}

impl Signer {
    /// Signs a certificate or list in DER once more with PSS, its algorithm without the NULL of either digest.
    fn signed_without_null(&self, der: &[u8]) -> Vec<u8> {
        let parts = |der: &[u8]| elements(Any::from_der(der).unwrap().1.data);
        let [signed, old, _] = parts(der).try_into().unwrap();
        let new = pss_without_null();
        assert_eq!(old.len(), new.len() + 4, "both had a NULL: {old:02x?}");
        let fields = parts(&signed).into_iter().map(|field| if field == old { new.clone() } else { field });
        let signed = element(0x30, &fields.collect::<Vec<_>>().concat());
        fs::write(self.path("signed"), &signed).unwrap();
        let options = "-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32";
        bash(&self.0, &format!("openssl dgst -sha256 {options} -sign ca.key -out signature signed"));
        let signature = [&[0], fs::read(self.path("signature")).unwrap().as_slice()].concat();
        element(0x30, &[signed, new, element(0x03, &signature)].concat())
    }
}

#[test]
fn pss_without_the_null_of_its_digests_counts_for_certificates_and_lists() {
    let signer = Signer::new("pss-without-null", &rsa(2048), "sha256", &pss("digest"));
    let made = |name: &str, label: &str| block(&fs::read_to_string(signer.path(name)).unwrap(), label);
    let other = Signer::new("pss-without-null-of-another-key", &rsa(2048), "sha256", &pss("digest"));
    fs::write(signer.path("forged.crl"), other.signed_without_null(&made("ca.crl", "X509 CRL"))).unwrap();
    for (name, label) in [("good.pem", "CERTIFICATE"), ("bad.pem", "CERTIFICATE"), ("ca.crl", "X509 CRL")] {
        let der = signer.signed_without_null(&made(name, label));
        fs::write(signer.path("new.der"), der).unwrap();
        let command = if label == "CERTIFICATE" { "x509" } else { "crl" };
        bash(&signer.0, &format!("openssl {command} -inform DER -in new.der -out {name}"));
    }
    bash(&signer.0, "openssl verify -CAfile ca.pem -CRLfile ca.crl -crl_check good.pem");
    let list = signer.path("ca.crl");
    let with_list = ["--crl", &list, "--revocation", "require"];
    signer.assert_told("good.pem", &with_list, "accepted");
    signer.assert_told("bad.pem", &with_list, "refused CERT_REVOKED: ");

    let forged = signer.path("forged.crl");
    let ran =
        signer.assert_told("good.pem", &["--crl", &forged, "--revocation", "require"], "refused REVOCATION_UNKNOWN: ");
    assert!(ran.first_line().ends_with("is not signed with its issuer's key"), "{ran:?}");
}

#[test]
fn list_with_a_forged_signature_does_not_count_and_is_named_as_such() {
    let signer = Signer::new("forged", &ec("P-384"), "sha512", "");
    let other = Signer::new("forger", &ec("P-384"), "sha512", "");
    let told = "refused REVOCATION_UNKNOWN: ";
    let ran = signer.assert_told("bad.pem", &["--crl", &other.path("ca.crl"), "--revocation", "require"], told);
    assert!(ran.first_line().ends_with("is not signed with its issuer's key"), "{ran:?}");
}

#[test]
fn list_with_an_algorithm_that_does_not_fit_the_key_is_not_named_as_forged() {
    let signer = Signer::new("curve", &ec("P-256"), "sha256", "");
    let other = Signer::new("edwards", "-algorithm ED25519", "", "");
    let told = "refused REVOCATION_UNKNOWN: ";
    let ran = signer.assert_told("bad.pem", &["--crl", &other.path("ca.crl"), "--revocation", "require"], told);
    assert!(ran.first_line().contains("cannot be checked with its issuer's key"), "{ran:?}");
}
