//! The responses of `tests/fixtures/ocsp`, which real programs could have sent, at the time they were made for.

use std::path::PathBuf;

use brokertls::error::Code;
use brokertls::revocation::Reason;

use super::now;
use super::verdicts::Verdict::{Good, Invalid, Refused, Revoked, Stale, Unknown};
use super::verdicts::{Case, Verdict, names};

/// 2025-11-15T10:30:00Z.
const REVOKED_AT: u32 = 1_763_202_600;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/ocsp")
}

const VERDICTS: [(&str, Verdict); 38] = [
    ("about-another-issuer", Unknown("not about it")),
    ("about-another-serial", Unknown("not about it")),
    ("about-nothing", Unknown("not about it")),
    ("another-type", Refused(Code::OcspUnusable)),
    ("bad-signature", Invalid("not signed with the issuer's key")),
    ("bad-status", Refused(Code::OcspMalformed)),
    ("critical-response-extension", Invalid("the critical extension 1.2.3.4")),
    ("critical-sct-extension", Good),
    ("critical-single-extension", Invalid("the critical extension 1.2.3.4")),
    ("extra-certificates", Good),
    ("from-the-future", Invalid("of the future")),
    ("good", Good),
    ("good-and-revoked", Revoked(Reason::Unspecified, REVOKED_AT)),
    ("good-and-unknown", Unknown("does not know it")),
    ("good-signed-with-sha1", Invalid("sha1WithRSAEncryption")),
    ("good-signed-with-sha384", Good),
    ("good-with-a-long-serial", Good),
    ("good-with-next-update", Good),
    ("malformed", Refused(Code::OcspMalformed)),
    ("malformed-data", Refused(Code::OcspMalformed)),
    ("malformed-request", Unknown("malformedRequest")),
    ("old-without-next-update", Stale),
    ("produced-before-the-certificate", Invalid("before the certificate became valid")),
    ("produced-in-the-future", Invalid("signed in the future")),
    ("responder-by-key", Good),
    ("responder-by-name", Good),
    ("response-extension", Good),
    ("revoked", Revoked(Reason::Unspecified, REVOKED_AT)),
    ("revoked-signed-with-sha1", Invalid("sha1WithRSAEncryption")),
    ("revoked-with-reason", Revoked(Reason::KeyCompromise, REVOKED_AT)),
    ("signed-by-a-certificate-for-other-use", Invalid("OCSPSigning")),
    ("signed-by-a-delegate", Good),
    ("signed-by-a-delegate-that-is-missing", Invalid("neither the issuer nor in the response")),
    ("signed-by-the-issuer-with-its-certificate", Good),
    ("single-extension", Good),
    ("stale", Stale),
    ("unknown", Unknown("does not know it")),
    ("version-written-out", Good),
];

#[test]
fn every_kept_response_is_judged_as_its_name_says() {
    assert_eq!(names(&folder()), VERDICTS.each_ref().map(|(name, _)| *name));
    for (name, verdict) in &VERDICTS {
        let case = Case::read(&folder(), name);
        let told = case.judge(&case.response, now().as_secs() as i64, false);
        assert!(verdict.is(&told), "{name}: {told:?}");
    }
}

#[test]
fn kept_response_with_a_sha1_signature_is_believed_when_the_setting_accepts_it() {
    let verdicts =
        [("good-signed-with-sha1", Good), ("revoked-signed-with-sha1", Revoked(Reason::Unspecified, REVOKED_AT))];
    for (name, verdict) in verdicts {
        let case = Case::read(&folder(), name);
        let told = case.judge(&case.response, now().as_secs() as i64, true);
        assert!(verdict.is(&told), "{name}: {told:?}");
        // Of another certificate it says nothing, by any signer.
        let other = Case::read(&folder(), "good");
        let told = other.judge(&case.response, now().as_secs() as i64, true);
        assert!(Unknown("not about it").is(&told), "{name}: {told:?}");
    }
}
