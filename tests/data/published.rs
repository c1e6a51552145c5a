//! BoringSSL's responses, judged as the names of their files say, at the time they were made for.
//!
//! All but one are signed with SHA-1, which is always refused here unless a setting accepts it. So each is judged three
//! times: as it is, with SHA-1 accepted, and with a new signature. That one uses SHA-256 and the same key, if a key of
//! the folder signed the response.

use std::path::PathBuf;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{
    self, RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey,
};
use brokertls::error::Code;
use brokertls::revocation::{OcspStanding, Reason};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use x509_parser::asn1_rs::{Any, FromDer};

use crate::ber::{element, inside};
use crate::outside;
use crate::verdicts::Verdict::{Good, Invalid, Refused, Revoked, Stale, Unknown};
use crate::verdicts::{Case, Verdict, names};

/// 2017-03-05T00:00:00Z, and 2017-02-01.
const THEN: i64 = 1_488_672_000;
const REVOKED_AT: u32 = 1_485_907_200;
const RSA_SHA256: &[u8] = &[0x30, 0x0d, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 0x0b, 5, 0];
/// The type of a basic response, id-pkix-ocsp-basic.
const BASIC: &[u8] = &[6, 9, 0x2b, 6, 1, 5, 5, 7, 48, 1, 1];
const KEYS: [&str; 6] = ["intermediate", "ocsp_signer", "bad_ocsp_signer", "root", "cert", "cert2"];

fn folder() -> PathBuf {
    outside::path("boringssl-ocsp")
}

fn content(element: &[u8]) -> &[u8] {
    Any::from_der(element).unwrap().1.data
}

/// The response signed again with SHA-256 by the key that signed it; if the folder has no such key, its signature is
/// left.
fn signed_again(der: &[u8]) -> Vec<u8> {
    let bytes = inside(inside(inside(der)[1])[0]);
    let mut parts: Vec<Vec<u8>> = inside(content(bytes[1])).into_iter().map(<[u8]>::to_vec).collect();
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
    let basic = element(4, &element(0x30, &parts.concat()));
    element(0x30, &[vec![0x0a, 1, 0], element(0xa0, &element(0x30, &[BASIC, &basic].concat()))].concat())
}

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
    ("multiple_response_good_revoked", Revoked(Reason::Unspecified, REVOKED_AT)),
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
    ("revoke_response", Revoked(Reason::Unspecified, REVOKED_AT)),
    ("revoke_response_reason", Revoked(Reason::KeyCompromise, REVOKED_AT)),
    ("stale_response", Stale),
    ("unknown_response", Unknown("does not know it")),
];

#[test]
fn every_published_response_is_judged_as_its_name_says() {
    for (name, verdict) in &VERDICTS {
        let case = Case::read(&folder(), name);
        let as_it_is = case.judge(&case.response, THEN, true);
        assert!(verdict.is(&as_it_is), "{name}: {as_it_is:?}");
        let again = match verdict {
            // Nothing in it to sign.
            Refused(_) | Unknown("malformedRequest") => case.response.clone(),
            _ => signed_again(&case.response),
        };
        let told = case.judge(&again, THEN, false);
        assert!(verdict.is(&told), "{name}, signed again: {told:?}");
    }
}

#[test]
fn every_published_file_has_its_verdict() {
    assert_eq!(names(&folder()), VERDICTS.map(|(name, _)| name));
}

#[test]
fn published_responses_with_sha1_signatures_are_refused_as_they_are() {
    for (name, verdict) in VERDICTS {
        let case = Case::read(&folder(), name);
        let told = case.judge(&case.response, THEN, false);
        match verdict {
            _ if name == "good_response_sha256" => assert!(Good.is(&told), "{told:?}"),
            Good | Stale | Revoked(..) | Invalid(_) => {
                assert!(Invalid("sha1WithRSAEncryption").is(&told), "{name}: {told:?}");
            }
            // Found out before the signature is looked at, or said without one.
            Unknown(_) | Refused(_) => assert!(!matches!(told, Ok(OcspStanding::Good { .. })), "{name}: {told:?}"),
        }
    }
}
