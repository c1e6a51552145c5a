//! The facts of a response, to be shown.

use super::response::{Data, OcspStatus, Responder, Single, Status};
use crate::certificate::{DistinguishedName, hex, serial_text};
use crate::revocation::Reason;

/// The facts of a response, unchecked: anyone can write them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OcspFacts {
    /// The status of the responder. All but the fingerprint is empty if it did not answer.
    pub status: OcspStatus,
    /// The claimed signer: a name in the form of RFC 4514, or `key` and the SHA-1 of the key in hexadecimal.
    pub responder: Option<String>,
    /// The time of its signature, in seconds since 1970 in UTC.
    pub produced_at_unix_s: Option<i64>,
    /// The status of each certificate.
    pub certificates: Vec<OcspCertificateFacts>,
    /// The name of its signature's algorithm, or the object identifier of one without.
    pub signature_algorithm: Option<String>,
    /// SHA-256 of the whole DER encoding, hexadecimal, lower case.
    pub sha256_fingerprint: String,
}

/// The status of one certificate in a response.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OcspCertificateFacts {
    /// The serial number in hexadecimal, lower case.
    pub serial: String,
    /// `good`, `revoked` or `unknown`.
    pub status: &'static str,
    /// The reason of the revocation.
    pub reason: Option<Reason>,
    /// The time of the revocation, in seconds since 1970 in UTC.
    pub revoked_unix_s: Option<u32>,
    /// The time as of which this is known, in seconds since 1970 in UTC.
    pub this_update_unix_s: i64,
    /// The time by which there is newer information; `None` if the responder states none.
    pub next_update_unix_s: Option<i64>,
}

impl OcspFacts {
    pub(super) fn new(status: OcspStatus, signed: Option<(&Data, String)>, sha256_fingerprint: String) -> Self {
        let Some((data, signature_algorithm)) = signed else {
            return Self {
                status,
                responder: None,
                produced_at_unix_s: None,
                certificates: Vec::new(),
                signature_algorithm: None,
                sha256_fingerprint,
            };
        };
        Self {
            status,
            responder: Some(responder_text(&data.responder)),
            produced_at_unix_s: Some(data.produced_at_unix_s),
            certificates: data.singles.iter().map(certificate_facts).collect(),
            signature_algorithm: Some(signature_algorithm),
            sha256_fingerprint,
        }
    }
}

fn responder_text(responder: &Responder) -> String {
    match responder {
        Responder::Name(name) => DistinguishedName::new(name).to_string(),
        Responder::KeyHash(hash) => format!("key {}", hex(hash)),
    }
}

fn certificate_facts(single: &Single) -> OcspCertificateFacts {
    let (status, revoked) = match single.status {
        Status::Good => ("good", None),
        Status::Revoked { reason, revoked_unix_s } => ("revoked", Some((reason, revoked_unix_s))),
        Status::Unknown => ("unknown", None),
    };
    OcspCertificateFacts {
        serial: serial_text(single.id.serial()),
        status,
        reason: revoked.map(|(reason, _)| reason),
        revoked_unix_s: revoked.map(|(_, revoked_unix_s)| revoked_unix_s),
        this_update_unix_s: single.this_update_unix_s,
        next_update_unix_s: single.next_update_unix_s,
    }
}
