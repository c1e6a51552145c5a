//! Responses of the real responder, `openssl ocsp`. The clock of each test stands at its response's thisUpdate.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use brokertls::revocation::CertIdHash;
use brokertls::revocation::ocsp::request;
use rustls::pki_types::pem::PemObject;

use super::*;

/// A folder of one test, in which shell commands run.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ocsp").join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub(super) fn write(&self, name: &str, content: &[u8]) {
        fs::write(self.0.join(name), content).unwrap();
    }

    pub(super) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.join(name)).unwrap()
    }

    fn certificate(&self, name: &str) -> CertificateDer<'static> {
        CertificateDer::from_pem_file(self.0.join(name)).unwrap()
    }

    /// Runs a script and returns its output; fails if the script fails.
    pub(super) fn run(&self, script: &str) -> String {
        let script = format!("set -euo pipefail\n{script}");
        let output = Command::new("bash").args(["-c", &script]).current_dir(&self.0).output().unwrap();
        assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

/// A CA with a good, a revoked and a forgotten certificate, and those who sign for it: rightly, without the extended
/// key usage, and too late. `other` is another CA.
const PKI: &str = "
key() { openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out $1.key; }
for ca in ca other; do key $ca; openssl req -x509 -key $ca.key -subj /CN=$ca -days 3650 -out $ca.pem; done
printf 'extendedKeyUsage=OCSPSigning\\nnoCheck=ignored' > signing
printf 'extendedKeyUsage=serverAuth' > serving
issue() { key $1; openssl req -new -key $1.key -subj /CN=$1 |
    openssl x509 -req -CA ca.pem -CAkey ca.key -set_serial $2 -extfile $3 -days ${4:-30} -out $1.pem 2> /dev/null; }
issue good 0x1001 serving; issue bad 0x1002 serving; issue lost 0x1003 serving
issue signer 0x2001 signing; issue pretender 0x2002 serving; issue late 0x2003 signing 1
printf 'V\\t400101000000Z\\t\\t1001\\tunknown\\t/CN=good
R\\t400101000000Z\\t250102030405Z,keyCompromise\\t1002\\tunknown\\t/CN=bad
' > index.txt
";

static FOLDER: LazyLock<Folder> = LazyLock::new(|| {
    let folder = Folder::new("responder");
    folder.run(PKI);
    folder
});

/// The answer of the responder about one of the certificates, in a file of the test's own.
fn answer(test: &str, asked: &str, signer: &str, more: &str) -> OcspResponse {
    let (certificate, issuer) = (FOLDER.certificate(&format!("{asked}.pem")), FOLDER.certificate("ca.pem"));
    let nonce = [7; 32];
    FOLDER.write(&format!("{test}.req"), &request(&certificate, &issuer, CertIdHash::Sha1, Some(&nonce)).unwrap());
    FOLDER.run(&format!(
        "openssl ocsp -index index.txt -CA ca.pem -rsigner {signer}.pem -rkey {signer}.key -reqin {test}.req \
         -respout {test}.resp {more} 2> {test}.err"
    ));
    let response = read(&FOLDER.read(&format!("{test}.resp"))).unwrap();
    assert_eq!(response.nonce(), Some(&nonce[..]));
    response
}

fn standing_later(response: &OcspResponse, asked: &str, later_s: i64) -> OcspStanding {
    let (certificate, issuer) = (FOLDER.certificate(&format!("{asked}.pem")), FOLDER.certificate("ca.pem"));
    response.standing(&certificate, &issuer, response.this_update_unix_s().unwrap() + later_s, 0)
}

fn standing_then(response: &OcspResponse, asked: &str) -> OcspStanding {
    standing_later(response, asked, 0)
}

#[test]
fn responder_says_good_revoked_and_unknown() {
    for signer in ["ca", "signer"] {
        let test = |name: &str| format!("{signer}-{name}");
        let response = answer(&test("good"), "good", signer, "-ndays 1");
        let until_unix_s = response.this_update_unix_s().map(|start| start + 86_400);
        assert_eq!(standing_then(&response, "good"), OcspStanding::Good { until_unix_s });
        assert_unknown(standing_then(&response, "bad"), "not about it");
        let response = answer(&test("bad"), "bad", signer, "-ndays 1");
        let told = OcspStanding::Revoked { reason: Reason::KeyCompromise, revoked_unix_s: 1_735_787_045 };
        assert_eq!(standing_then(&response, "bad"), told);
        let response = answer(&test("lost"), "lost", signer, "-ndays 1");
        assert_unknown(standing_then(&response, "lost"), "the responder does not know it");
    }
}

#[test]
fn responder_that_says_no_next_update_is_believed_for_a_week() {
    let response = answer("endless", "good", "ca", "");
    assert_eq!(response.next_update_unix_s(), None);
    assert_eq!(standing_then(&response, "good"), OcspStanding::Good { until_unix_s: None });
    assert_eq!(standing_later(&response, "good", 8 * 86_400), OcspStanding::Stale);
}

#[test]
fn responder_by_key_is_believed_and_one_that_may_not_sign_is_not() {
    let response = answer("by-key", "good", "signer", "-resp_key_id -ndays 1");
    assert!(matches!(standing_then(&response, "good"), OcspStanding::Good { .. }));
    let response = answer("pretender", "good", "pretender", "-ndays 1");
    assert_invalid(standing_then(&response, "good"), "OCSPSigning");
    let response = answer("other", "good", "other", "-ndays 1");
    assert_invalid(standing_then(&response, "good"), "of another issuer");
    let response = answer("no-certs", "good", "signer", "-resp_no_certs -ndays 1");
    assert_invalid(standing_then(&response, "good"), "neither the issuer nor in the response");
}

#[test]
fn responder_is_not_believed_before_its_answer_after_its_answer_and_after_its_certificate() {
    let response = answer("dates", "good", "late", "-ndays 2");
    assert!(matches!(standing_then(&response, "good"), OcspStanding::Good { .. }));
    assert_invalid(standing_later(&response, "good", 86_400 + 600), "its signer's certificate is not valid now");
    let response = answer("old", "good", "ca", "-nmin 10");
    assert!(matches!(standing_later(&response, "good", 900), OcspStanding::Good { .. }));
    assert_eq!(standing_later(&response, "good", 901), OcspStanding::Stale);
    assert_invalid(standing_later(&response, "good", -302), "in the future");
}
