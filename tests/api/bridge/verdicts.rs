//! Peers are judged as those of this library's own connections are.

use std::sync::{Arc, Mutex};

use brokertls::revocation::Depth;
use brokertls::{ClientAuth, Code, CrlSource, IdentitySource, Source};
use rustls::AlertDescription;

use super::{Plain, assert_refused, context};
use crate::rig::pair::Authority;
use crate::rig::web::{Play, Web};

fn identity(pem: &str) -> IdentitySource {
    IdentitySource::new(Source::memory("identity.pem", pem.as_bytes()))
}

#[test]
fn each_name_gets_its_identity_and_the_application_protocol_is_selected() {
    let authority = Authority::new("ca");
    let server = context(|builder| {
        builder.identity(authority.identity(&["one"])).identity(authority.identity(&["two"])).alpn(b"mqtt").unwrap()
    });
    let client = context(|builder| builder.trust(authority.trust()).alpn(b"h2").unwrap().alpn(b"mqtt").unwrap());
    for host in ["one", "two"] {
        let mut plain = Plain::new(&server, &client, host);
        let (of_server, of_client) = plain.run();
        of_server.unwrap();
        of_client.unwrap();
        assert_eq!(plain.client.alpn_protocol(), Some(&b"mqtt"[..]));
        assert_eq!(plain.server.server_name(), Some(host));
    }
}

#[test]
fn server_for_another_name_is_refused_with_bad_certificate() {
    let authority = Authority::new("ca");
    let server = context(|builder| builder.identity(authority.identity(&["other"])));
    let client = context(|builder| builder.trust(authority.trust()));
    let (of_server, of_client) = Plain::new(&server, &client, "broker").run();
    assert_refused(of_client, of_server, Code::CertNameMismatch, AlertDescription::BadCertificate);
}

#[test]
fn stranger_is_refused_by_either_side_with_unknown_ca() {
    let (authority, other) = (Authority::new("ca"), Authority::new("other"));
    let server = |client_auth| {
        context(|builder| {
            builder.identity(authority.identity(&["broker"])).trust(authority.trust()).client_auth(client_auth)
        })
    };
    let stranger = context(|builder| builder.trust(other.trust()));
    let (of_server, of_client) = Plain::new(&server(ClientAuth::None), &stranger, "broker").run();
    assert_refused(of_client, of_server, Code::CertUnknownIssuer, AlertDescription::UnknownCA);
    let client = context(|builder| builder.trust(authority.trust()).identity(other.identity(&["device"])));
    for version in ["TLSv1.2", "TLSv1.3"] {
        let client =
            context(|builder| builder.trust(authority.trust()).identity(other.identity(&["device"])).versions(version));
        let (of_server, of_client) = Plain::new(&server(ClientAuth::Need), &client, "broker").run();
        assert_refused(of_server, of_client, Code::CertUnknownIssuer, AlertDescription::UnknownCA);
    }
    let (of_server, of_client) = Plain::new(&server(ClientAuth::Want), &client, "broker").run();
    assert_refused(of_server, of_client, Code::CertUnknownIssuer, AlertDescription::UnknownCA);
}

#[test]
fn client_without_a_certificate_is_refused_if_one_is_needed() {
    let authority = Authority::new("ca");
    let server = context(|builder| {
        builder.identity(authority.identity(&["broker"])).trust(authority.trust()).client_auth(ClientAuth::Need)
    });
    let client = context(|builder| builder.trust(authority.trust()));
    let (of_server, of_client) = Plain::new(&server, &client, "broker").run();
    assert_refused(of_server, of_client, Code::CertMissing, AlertDescription::CertificateRequired);
}

#[test]
fn revoked_client_is_refused_with_certificate_revoked_and_logged() {
    let authority = Authority::new("ca");
    let serial = [7_u8];
    let pem =
        authority.issue(&["device"], |params| params.serial_number = Some(rcgen::SerialNumber::from_slice(&serial)));
    let lines: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = Arc::clone(&lines);
    let list = authority.crl(&[&serial]);
    let server = crate::rig::pair::context(|builder| {
        builder
            .identity(authority.identity(&["broker"]))
            .trust(authority.trust())
            .client_auth(ClientAuth::Need)
            .crl(CrlSource::Source(Source::memory("crl.pem", list.as_bytes())))
            .log(Arc::new(move |line| kept.lock().unwrap().push(line.text.to_owned())))
    });
    let client = |pem: &str| context(|builder| builder.trust(authority.trust()).identity(identity(pem)));
    let (of_server, of_client) = Plain::new(&server, &client(&pem), "broker").run();
    assert_refused(of_server, of_client, Code::CertRevoked, AlertDescription::CertificateRevoked);
    let lines = lines.lock().unwrap();
    assert!(lines.iter().any(|line| line.starts_with("a connection of rustls: BTLS_CERT_REVOKED")), "{lines:?}");
    let good = authority.issue(&["device"], |_| {});
    Plain::connect(&server, &client(&good));
}

#[test]
fn list_that_a_refused_client_names_is_fetched_by_maintenance() {
    let authority = Authority::new("ca");
    let web = Web::playing(Play::Content(
        authority.crl_between(&[], rcgen::date_time_ymd(2020, 1, 1), rcgen::date_time_ymd(2040, 1, 1)).der().to_vec(),
    ));
    let pem = authority.issue(&["device"], |params| {
        params.crl_distribution_points = vec![rcgen::CrlDistributionPoint { uris: vec![web.url("/ca.crl")] }];
    });
    let server = context(|builder| {
        builder
            .identity(authority.identity(&["broker"]))
            .trust(authority.trust())
            .client_auth(ClientAuth::Need)
            .fetch(true)
            .fetch_private_addresses(true)
            .revocation_depth(Depth::Leaf)
    });
    let client = context(|builder| builder.trust(authority.trust()).identity(identity(&pem)));
    let (of_server, of_client) = Plain::new(&server, &client, "broker").run();
    assert_refused(of_server, of_client, Code::RevocationUnknown, AlertDescription::CertificateUnknown);
    assert!(web.asked().is_empty());
    server.maintain();
    Plain::connect(&server, &client);
    assert_eq!(web.asked().len(), 1);
}

#[test]
fn client_without_a_common_suite_is_not_told_of_signatures() {
    let authority = Authority::new("ca");
    let server = context(|builder| {
        builder
            .identity(authority.identity(&["broker"]))
            .versions("TLSv1.2")
            .cipher_suites("ECDHE-RSA-AES128-GCM-SHA256")
    });
    let client = context(|builder| {
        builder.trust(authority.trust()).versions("TLSv1.2").cipher_suites("ECDHE-ECDSA-AES256-GCM-SHA384")
    });
    let (of_server, of_client) = Plain::new(&server, &client, "broker").run();
    assert_refused(of_server, of_client, Code::NoCommonCipherSuite, AlertDescription::HandshakeFailure);
}

#[test]
fn certificate_that_is_trusted_itself_is_accepted() {
    let mut params = rcgen::CertificateParams::new(["device".to_owned()]).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, "device");
    let key = rcgen::KeyPair::generate().unwrap();
    let pem = params.self_signed(&key).unwrap().pem();
    let authority = Authority::new("ca");
    let server = context(|builder| {
        builder
            .identity(authority.identity(&["broker"]))
            .trust(brokertls::TrustSource::store(Source::memory("device.pem", pem.as_bytes())))
            .client_auth(ClientAuth::Need)
    });
    let whole = format!("{pem}{}", key.serialize_pem());
    let client = context(|builder| builder.trust(authority.trust()).identity(identity(&whole)));
    Plain::connect(&server, &client);
}
