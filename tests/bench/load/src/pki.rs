//! The certificates of a run, in a folder that is removed at its end.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertificateRevocationListParams, DnType, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber,
};
use time::{Duration, OffsetDateTime};

/// The name of the server.
pub const HOST: &str = "broker.example";

/// The number of client certificates: `client0.pem` and so on, each with its intermediate.
const CLIENTS: usize = 64;

/// Entries of the revocation list, none of which is of a client.
const REVOKED: u64 = 1000;

/// A root (`ca.pem`) with a list (`ca.crl`), a server's certificate, and clients below an intermediate, all with keys
/// on P-256.
pub struct Pki {
    folder: PathBuf,
}

impl Pki {
    pub fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("brokertls-bench-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let root_key = KeyPair::generate().unwrap();
        let root_params = authority("Bench root");
        let root = root_params.self_signed(&root_key).unwrap();
        let root_issuer = Issuer::new(root_params, root_key);
        fs::write(folder.join("ca.pem"), root.pem()).unwrap();
        let middle_key = KeyPair::generate().unwrap();
        let middle_params = authority("Bench intermediate");
        let middle = middle_params.signed_by(&middle_key, &root_issuer).unwrap();
        let middle_issuer = Issuer::new(middle_params, middle_key);
        let lists = list(&root_issuer) + &list(&middle_issuer);
        fs::write(folder.join("ca.crl"), lists).unwrap();
        issue(&folder, "server", HOST, ExtendedKeyUsagePurpose::ServerAuth, &root_issuer, None);
        for number in 0..CLIENTS {
            let name = format!("device-{number}.example");
            let purpose = ExtendedKeyUsagePurpose::ClientAuth;
            issue(&folder, &format!("client{number}"), &name, purpose, &middle_issuer, Some(&middle));
        }
        Self { folder }
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Pki {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// Writes NAME.pem, with the issuer's certificate if it is given, and NAME.key.
fn issue(
    folder: &Path,
    name: &str,
    host: &str,
    purpose: ExtendedKeyUsagePurpose,
    issuer: &Issuer<'_, KeyPair>,
    above: Option<&Certificate>,
) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new([host.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, host);
    params.extended_key_usages = vec![purpose];
    params.use_authority_key_identifier_extension = true;
    let pem = params.signed_by(&key, issuer).unwrap().pem() + &above.map_or_else(String::new, Certificate::pem);
    fs::write(folder.join(format!("{name}.pem")), pem).unwrap();
    fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
}

fn list(issuer: &Issuer<'_, KeyPair>) -> String {
    let now = OffsetDateTime::now_utc();
    let revoked = |serial: u64| RevokedCertParams {
        serial_number: SerialNumber::from(serial),
        revocation_time: now - Duration::days(1),
        reason_code: None,
        invalidity_date: None,
    };
    let params = CertificateRevocationListParams {
        this_update: now - Duration::days(1),
        next_update: now + Duration::days(30),
        crl_number: SerialNumber::from(1_u64),
        issuing_distribution_point: None,
        revoked_certs: (1..=REVOKED).map(revoked).collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    params.signed_by(issuer).unwrap().pem().unwrap()
}
