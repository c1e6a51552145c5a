//! Two sides of a connection in memory, and certificates made for one test.

use brokertls::{
    Connection, Context, ContextBuilder, Error, IdentitySource, MAX_RECORD_BYTES, Next, Source, TrustSource,
};

/// A certificate authority and what it issues, as PEM.
pub(crate) struct Authority {
    certificate: rcgen::Certificate,
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = rcgen::CertificateParams::default();
        params.distinguished_name = named(name);
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { certificate, issuer: rcgen::Issuer::new(params, key) }
    }

    /// Another that this one certifies.
    pub(crate) fn below(&self, name: &str) -> Self {
        let mut params = rcgen::CertificateParams::default();
        params.distinguished_name = named(name);
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Self { certificate, issuer: rcgen::Issuer::new(params, key) }
    }

    /// An authority that this one certifies; `change` sees its certificate before.
    pub(crate) fn subordinate(&self, name: &str, change: impl FnOnce(&mut rcgen::CertificateParams)) -> Self {
        let mut params = rcgen::CertificateParams::default();
        params.distinguished_name = named(name);
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        change(&mut params);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Self { certificate, issuer: rcgen::Issuer::new(params, key) }
    }

    pub(crate) fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// The key that it signs with.
    pub(crate) fn key_pem(&self) -> String {
        self.issuer.key().serialize_pem()
    }

    pub(crate) fn trust(&self) -> TrustSource {
        TrustSource::store(Source::memory("ca.pem", self.pem().as_bytes()))
    }

    /// Certificate and key for these DNS names, the first of which is the common name too; `change` sees the rest.
    pub(crate) fn issue(&self, names: &[&str], change: impl FnOnce(&mut rcgen::CertificateParams)) -> String {
        let mut params =
            rcgen::CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
        params.distinguished_name = named(names[0]);
        change(&mut params);
        let key = rcgen::KeyPair::generate().unwrap();
        self.sign(&params, &key)
    }

    /// The same with a key of RSA.
    pub(crate) fn issue_rsa(&self, name: &str) -> String {
        let mut params = rcgen::CertificateParams::new([name.to_owned()]).unwrap();
        params.distinguished_name = named(name);
        let key = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048).unwrap();
        self.sign(&params, &key)
    }

    /// The same with a key of Ed25519.
    pub(crate) fn issue_ed25519(&self, name: &str) -> String {
        let mut params = rcgen::CertificateParams::new([name.to_owned()]).unwrap();
        params.distinguished_name = named(name);
        self.sign(&params, &rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap())
    }

    fn sign(&self, params: &rcgen::CertificateParams, key: &rcgen::KeyPair) -> String {
        let certificate = params.signed_by(key, &self.issuer).unwrap();
        format!("{}{}", certificate.pem(), key.serialize_pem())
    }

    /// The list that revokes these serial numbers, from 2020 to 2040.
    pub(crate) fn crl(&self, serials: &[&[u8]]) -> String {
        self.crl_between(serials, rcgen::date_time_ymd(2020, 1, 1), rcgen::date_time_ymd(2040, 1, 1)).pem().unwrap()
    }

    /// The same for certificates of one distribution point, in DER.
    pub(crate) fn crl_of_point(&self, serials: &[&[u8]], uri: &str) -> Vec<u8> {
        let point = rcgen::CrlIssuingDistributionPoint {
            distribution_point: rcgen::CrlDistributionPoint { uris: vec![uri.to_owned()] },
            scope: None,
        };
        let mut params = list(serials, rcgen::date_time_ymd(2020, 1, 1), rcgen::date_time_ymd(2040, 1, 1));
        params.issuing_distribution_point = Some(point);
        params.signed_by(&self.issuer).unwrap().der().to_vec()
    }

    /// The list that revokes these serial numbers, with these dates of its own.
    pub(crate) fn crl_between(
        &self,
        serials: &[&[u8]],
        this_update: time::OffsetDateTime,
        next_update: time::OffsetDateTime,
    ) -> rcgen::CertificateRevocationList {
        list(serials, this_update, next_update).signed_by(&self.issuer).unwrap()
    }

    pub(crate) fn identity(&self, names: &[&str]) -> IdentitySource {
        let pem = self.issue(names, |_| {});
        IdentitySource::new(Source::memory(format!("{}.pem", names[0]), pem.as_bytes()))
    }
}

/// A list that revokes these serial numbers.
fn list(
    serials: &[&[u8]],
    this_update: time::OffsetDateTime,
    next_update: time::OffsetDateTime,
) -> rcgen::CertificateRevocationListParams {
    let revoked = |serial: &&[u8]| rcgen::RevokedCertParams {
        serial_number: rcgen::SerialNumber::from_slice(serial),
        revocation_time: rcgen::date_time_ymd(2020, 1, 1),
        reason_code: Some(rcgen::RevocationReason::KeyCompromise),
        invalidity_date: None,
    };
    rcgen::CertificateRevocationListParams {
        this_update,
        next_update,
        crl_number: rcgen::SerialNumber::from_slice(&[1]),
        issuing_distribution_point: None,
        revoked_certs: serials.iter().map(revoked).collect(),
        key_identifier_method: rcgen::KeyIdMethod::Sha256,
    }
}

fn named(common_name: &str) -> rcgen::DistinguishedName {
    let mut name = rcgen::DistinguishedName::new();
    name.push(rcgen::DnType::CommonName, common_name);
    name
}

/// A context with what `set` sets.
pub(crate) fn context(set: impl FnOnce(&mut ContextBuilder) -> &mut ContextBuilder) -> Context {
    let mut builder = ContextBuilder::new();
    set(&mut builder);
    builder.build().unwrap()
}

/// Both sides of a connection.
pub(crate) struct Pair {
    pub(crate) server: Connection,
    pub(crate) client: Connection,
}

/// The end of a handshake on each side.
pub(crate) struct Ended {
    pub(crate) server: Result<(), Error>,
    pub(crate) client: Result<(), Error>,
}

impl Pair {
    pub(crate) fn new(server: &Context, client: &Context, host: &str) -> Self {
        Self { server: server.accept().unwrap(), client: client.connect(Some(host)).unwrap() }
    }

    /// Moves records both ways until neither side has any; gives each side's error.
    pub(crate) fn run(&mut self) -> Ended {
        let (mut server, mut client) = (Ok(()), Ok(()));
        loop {
            let to_server = move_records(&mut self.client, &mut self.server, &mut server);
            let to_client = move_records(&mut self.server, &mut self.client, &mut client);
            if !to_server && !to_client {
                return Ended { server, client };
            }
        }
    }

    /// Runs the handshake, which must succeed.
    pub(crate) fn connect(server: &Context, client: &Context, host: &str) -> Self {
        let mut pair = Self::new(server, client, host);
        let ended = pair.run();
        ended.client.unwrap();
        ended.server.unwrap();
        assert!(!pair.server.is_handshaking() && !pair.client.is_handshaking());
        pair
    }
}

/// Gives `to` the pending records of `from`; returns false if there are none.
fn move_records(from: &mut Connection, to: &mut Connection, outcome: &mut Result<(), Error>) -> bool {
    let mut wire = vec![0; MAX_RECORD_BYTES];
    let mut plain = vec![0; MAX_RECORD_BYTES];
    let sent = match from.wrap(&[], &mut wire) {
        Ok(sent) => sent.produced,
        Err(_) => 0,
    };
    let mut records = &mut wire[..sent];
    while !records.is_empty() && outcome.is_ok() {
        match to.unwrap(records, &mut plain) {
            Ok(taken) if taken.next == Next::Closed => break,
            Ok(taken) => {
                records = &mut records[taken.consumed..];
                if taken.next == Next::NeedTask {
                    to.run_task();
                }
            }
            Err(error) => *outcome = Err(error),
        }
    }
    if let (Ok(()), Some(failure)) = (&outcome, to.failure()) {
        *outcome = Err(failure.clone());
    }
    sent > 0
}
