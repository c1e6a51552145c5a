//! BoringSSL's responses, judged as the names of their files say, at the time they were made for.
//!
//! All but one are signed with SHA-1, which is refused here whatever else is right unless a setting accepts it. So each is
//! judged three times: as it is; as it is, with SHA-1 accepted; and signed again with SHA-256 by the same key, where a key
//! of the folder signed it.

use std::fs;
use std::path::PathBuf;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{
    self, RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey,
};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;

use super::*;
use crate::verify_pki::elements;

/// 2017-03-05T00:00:00Z.
const THEN: i64 = 1_488_672_000;
const RSA_SHA256: &[u8] = &[0x30, 0x0d, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 0x0b, 5, 0];
const KEYS: [&str; 6] = ["intermediate", "ocsp_signer", "bad_ocsp_signer", "root", "cert", "cert2"];

fn folder() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data/boringssl-ocsp");
    assert!(folder.is_dir(), "the data is absent: {}", folder.display());
    folder
}

/// The blocks of a file.
struct Case {
    response: Vec<u8>,
    certificate: CertificateDer<'static>,
    issuer: CertificateDer<'static>,
}

impl Case {
    fn read(name: &str) -> Self {
        let text = fs::read_to_string(folder().join(format!("{name}.pem"))).unwrap();
        let certificate = |label| CertificateDer::from(block(&text, label));
        Self {
            response: block(&text, "OCSP RESPONSE"),
            certificate: certificate("CERTIFICATE"),
            issuer: certificate("CA CERTIFICATE"),
        }
    }

    /// `Err` where the response cannot be read.
    fn judge(&self, response: &[u8]) -> Result<OcspStanding, Code> {
        self.judge_with(response, false)
    }

    fn judge_with(&self, response: &[u8], accepts_sha1: bool) -> Result<OcspStanding, Code> {
        let response = read(response).map_err(|error| error.code())?.insecure_accept_sha1(accepts_sha1);
        Ok(response.standing(&self.certificate, &self.issuer, THEN, 0))
    }
}

fn block(text: &str, label: &str) -> Vec<u8> {
    use base64::Engine as _;
    let after = text.split(&format!("-----BEGIN {label}-----")).nth(1).unwrap();
    let body: String = after.split("-----END").next().unwrap().split_whitespace().collect();
    base64::engine::general_purpose::STANDARD.decode(body).unwrap()
}

fn content(element: &[u8]) -> &[u8] {
    x509_parser::asn1_rs::Any::from_der(element).unwrap().1.data
}

/// The response signed again with SHA-256 by whoever signed it; where nobody of the folder did, its signature is left.
fn signed_again(der: &[u8]) -> Vec<u8> {
    let bytes = elements(content(content(&elements(content(der))[1])));
    let basic = content(&bytes[1]);
    let mut parts = elements(content(basic));
    let old = content(&parts[2])[1..].to_vec();
    let keys = KEYS.map(|name| {
        let key = PrivateKeyDer::from_pem_file(folder().join(format!("{name}.key"))).unwrap();
        KeyPair::from_pkcs8(key.secret_der()).unwrap()
    });
    let signed = |key: &&KeyPair| {
        let algorithms: [&'static dyn signature::VerificationAlgorithm; 2] =
            [&RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, &RSA_PKCS1_2048_8192_SHA256];
        let public = signature::KeyPair::public_key(*key).as_ref();
        algorithms.into_iter().any(|with| UnparsedPublicKey::new(with, public).verify(&parts[0], &old).is_ok())
    };
    let signer = keys.iter().find(signed);
    let new = signer.map(|key| {
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), &parts[0], &mut signature).unwrap();
        signature
    });
    parts[1] = RSA_SHA256.to_vec();
    parts[2] = element(3, &[&[0], new.unwrap_or(old).as_slice()].concat());
    response(content(&bytes[0]), &element(0x30, &parts.concat()))
}

/// What a file's name says of the response in it.
enum Verdict {
    Good,
    Revoked(Reason),
    Unknown(&'static str),
    Stale,
    Invalid(&'static str),
    Refused(Code),
}

impl Verdict {
    fn is(&self, told: &Result<OcspStanding, Code>) -> bool {
        match (self, told) {
            (Good, Ok(OcspStanding::Good { .. })) | (Stale, Ok(OcspStanding::Stale)) => true,
            (Revoked(why), Ok(OcspStanding::Revoked { reason, revoked_unix_s: 1_485_907_200 })) => why == reason,
            (Unknown(why), Ok(OcspStanding::Unknown(told))) | (Invalid(why), Ok(OcspStanding::Invalid(told))) => {
                told.contains(why)
            }
            (Refused(code), Err(told)) => code == told,
            _ => false,
        }
    }
}

use Verdict::{Good, Invalid, Refused, Revoked, Stale, Unknown};

const VERDICTS: [(&str, Verdict); 36] = [
    ("bad_ocsp_type", Refused(Code::OcspUnusable)),
    ("bad_signature", Invalid("not signed with the issuer's key")),
    ("bad_status", Refused(Code::OcspMalformed)),
    ("future_response", Invalid("of the future")),
    ("good_response", Good),
    ("good_response_invalid_serial", Good),
    ("good_response_next_update", Good),
    ("good_response_sha256", Good),
    ("has_critical_ct_extension", Good),
    ("has_critical_response_extension", Invalid("the critical extension 1.2.3.4")),
    ("has_critical_single_extension", Invalid("the critical extension 1.2.3.4")),
    ("has_extension", Good),
    ("has_single_extension", Good),
    ("has_version", Good),
    ("invalid_response", Refused(Code::OcspMalformed)),
    ("invalid_response_data", Refused(Code::OcspMalformed)),
    ("malformed_request", Unknown("malformedRequest")),
    ("missing_response", Unknown("not about it")),
    // Good and unknown.
    ("multiple_response", Unknown("does not know it")),
    ("multiple_response_good_revoked", Revoked(Reason::Unspecified)),
    ("no_response", Unknown("not about it")),
    ("ocsp_extra_certs", Good),
    ("ocsp_sign_bad_indirect", Invalid("OCSPSigning")),
    ("ocsp_sign_direct", Good),
    ("ocsp_sign_indirect", Good),
    ("ocsp_sign_indirect_missing", Invalid("neither the issuer nor in the response")),
    ("old_response", Stale),
    ("other_response", Unknown("not about it")),
    ("produced_early_response", Invalid("before the certificate became valid")),
    ("produced_late_response", Invalid("signed in the future")),
    ("responder_id", Good),
    ("responder_name", Good),
    ("revoke_response", Revoked(Reason::Unspecified)),
    ("revoke_response_reason", Revoked(Reason::KeyCompromise)),
    ("stale_response", Stale),
    ("unknown_response", Unknown("does not know it")),
];

#[test]
fn every_published_response_is_judged_as_its_name_says() {
    for (name, verdict) in &VERDICTS {
        let case = Case::read(name);
        let as_it_is = case.judge_with(&case.response, true);
        assert!(verdict.is(&as_it_is), "{name}: {as_it_is:?}");
        let signed_again = match verdict {
            // Nothing in it to sign.
            Refused(_) | Unknown("malformedRequest") => case.judge(&case.response),
            _ => case.judge(&signed_again(&case.response)),
        };
        assert!(verdict.is(&signed_again), "{name}, signed again: {signed_again:?}");
    }
}

#[test]
fn every_published_file_has_its_verdict() {
    let names = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter_map(|name| name.strip_suffix(".pem").map(str::to_owned)).collect();
    names.sort();
    assert_eq!(names, VERDICTS.map(|(name, _)| name));
}

#[test]
fn published_responses_with_sha1_signatures_are_refused_as_they_are() {
    for (name, verdict) in VERDICTS {
        let case = Case::read(name);
        let told = case.judge(&case.response);
        match verdict {
            _ if name == "good_response_sha256" => assert!(matches!(told, Ok(OcspStanding::Good { .. })), "{told:?}"),
            Good | Stale | Revoked(_) | Invalid(_) => assert_invalid(told.unwrap(), "sha1WithRSAEncryption"),
            // Found out before the signature is looked at, or said without one.
            Unknown(_) | Refused(_) => assert!(!matches!(told, Ok(OcspStanding::Good { .. })), "{name}: {told:?}"),
        }
    }
}
