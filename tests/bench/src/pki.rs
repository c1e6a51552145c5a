//! A CA and a server certificate for each kind of key, made anew in each run.

use brokertls_bench_side::identity::{HOST, Identity, KeyKind};
use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509Name};

/// Since when all certificates are valid: before what the benchmarks say of them.
const NOT_BEFORE: &str = "20250101000000Z";

/// A server's certificate and key, and the CA that a client trusts.
pub struct Pki {
    pub certificate: X509,
    pub key: PKey<Private>,
    pub ca: X509,
    pub ca_key: PKey<Private>,
}

impl Pki {
    /// A certificate with a key of `kind`, issued by a CA of the same kind.
    pub fn new(kind: KeyKind) -> Self {
        let ca_key = generate(kind);
        let ca = issue("Bench CA", &ca_key, 1, None);
        let key = generate(kind);
        let certificate = issue(HOST, &key, 2, Some((&ca, &ca_key)));
        Self { certificate, key, ca, ca_key }
    }

    /// Another certificate of the same CA, for the same key.
    pub fn with_serial(&self, serial: u32) -> Self {
        let certificate = issue(HOST, &self.key, serial, Some((&self.ca, &self.ca_key)));
        Self { certificate, key: self.key.clone(), ca: self.ca.clone(), ca_key: self.ca_key.clone() }
    }

    pub fn identity(&self) -> Identity {
        let text = |pem: Vec<u8>| String::from_utf8(pem).unwrap();
        Identity {
            certificate: text(self.certificate.to_pem().unwrap()),
            key: text(self.key.private_key_to_pem_pkcs8().unwrap()),
            ca: text(self.ca.to_pem().unwrap()),
        }
    }
}

fn generate(kind: KeyKind) -> PKey<Private> {
    match kind {
        KeyKind::EcdsaP256 => {
            let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
            PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
        }
        KeyKind::Rsa2048 => PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap(),
    }
}

/// A certificate of `name`, issued by itself as a CA where no issuer is given.
fn issue(name: &str, key: &PKey<Private>, serial: u32, issuer: Option<(&X509, &PKey<Private>)>) -> X509 {
    let mut subject = X509Name::builder().unwrap();
    subject.append_entry_by_nid(Nid::COMMONNAME, name).unwrap();
    let subject = subject.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_serial_number(&BigNum::from_u32(serial).unwrap().to_asn1_integer().unwrap()).unwrap();
    builder.set_not_before(&Asn1Time::from_str_x509(NOT_BEFORE).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::days_from_now(30).unwrap()).unwrap();
    builder.set_subject_name(&subject).unwrap();
    builder.set_issuer_name(issuer.map_or(&subject, |(issuer, _)| issuer.subject_name())).unwrap();
    builder.set_pubkey(key).unwrap();
    match issuer {
        None => builder.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap(),
        Some(_) => {
            let context = builder.x509v3_context(None, None);
            let names = SubjectAlternativeName::new().dns(name).build(&context).unwrap();
            builder.append_extension(names).unwrap();
        }
    }
    builder.sign(issuer.map_or(key, |(_, key)| key), MessageDigest::sha256()).unwrap();
    builder.build()
}
