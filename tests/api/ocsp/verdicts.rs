//! A folder of OCSP responses, each in a file with its certificate, the issuer and the expected verdict.

use std::fs;
use std::path::Path;

use brokertls::error::Code;
use brokertls::revocation::{OcspResponse, OcspStanding, Reason};
use rustls::pki_types::CertificateDer;

/// The blocks of a file.
pub(crate) struct Case {
    pub(crate) response: Vec<u8>,
    pub(crate) certificate: CertificateDer<'static>,
    pub(crate) issuer: CertificateDer<'static>,
}

impl Case {
    pub(crate) fn read(folder: &Path, name: &str) -> Self {
        let text = fs::read_to_string(folder.join(format!("{name}.pem"))).unwrap();
        let certificate = |label| CertificateDer::from(block(&text, label));
        Self {
            response: block(&text, "OCSP RESPONSE"),
            certificate: certificate("CERTIFICATE"),
            issuer: certificate("CA CERTIFICATE"),
        }
    }

    /// Judges a response about the certificate; `Err` if the response cannot be read.
    pub(crate) fn judge(&self, response: &[u8], unix_s: i64, accepts_sha1: bool) -> Result<OcspStanding, Code> {
        let response = OcspResponse::from_der(response, "response").map_err(|error| error.code())?;
        let response = response.insecure_accept_sha1(accepts_sha1);
        Ok(response.standing(&self.certificate, &self.issuer, unix_s, 0))
    }
}

/// The first block of this label in a PEM file.
pub(crate) fn block(text: &str, label: &str) -> Vec<u8> {
    use base64::Engine as _;
    let after = text.split(&format!("-----BEGIN {label}-----")).nth(1).unwrap();
    let body: String = after.split("-----END").next().unwrap().split_whitespace().collect();
    base64::engine::general_purpose::STANDARD.decode(body).unwrap()
}

/// The names of the files of a folder, without their ending, in order.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter_map(|name| name.strip_suffix(".pem").map(str::to_owned)).collect();
    names.sort();
    names
}

/// The standing that a response gives its certificate; a revoked one with the time.
pub(crate) enum Verdict {
    Good,
    Revoked(Reason, u32),
    Unknown(&'static str),
    Stale,
    Invalid(&'static str),
    Refused(Code),
}

impl Verdict {
    /// Reports if the response was judged so.
    pub(crate) fn is(&self, told: &Result<OcspStanding, Code>) -> bool {
        match (self, told) {
            (Self::Good, Ok(OcspStanding::Good { .. })) | (Self::Stale, Ok(OcspStanding::Stale)) => true,
            (Self::Revoked(why, at), Ok(OcspStanding::Revoked { reason, revoked_unix_s })) => {
                (why, at) == (reason, revoked_unix_s)
            }
            (Self::Unknown(why), Ok(OcspStanding::Unknown(told)))
            | (Self::Invalid(why), Ok(OcspStanding::Invalid(told))) => told.contains(why),
            (Self::Refused(code), Err(told)) => code == told,
            _ => false,
        }
    }
}
