//! Revoked certificates, judged by a CA's list on both sides, with Mosquitto and OpenSSL as peers.
//!
//! The files come from `broker_pki`, which has the names that Mosquitto's own test data has.

use brokertls::revocation::Depth;
use brokertls::{ClientAuth, Code, Context, ContextBuilder, CrlSource, Source};

use crate::VERSIONS;
use crate::broker_pki::{REVOKED, files};
use crate::files::Files;
use crate::mosquitto;
use crate::openssl::{self, only};
use crate::settings::{certificate_and_key, trust};

/// The settings of a broker of Mosquitto that asks clients for a certificate and goes by the list.
const MOSQUITTO: &str = "cafile all-ca.crt\ncertfile server.crt\nkeyfile server.key\nrequire_certificate true\n";

/// One side with the certificate of this name, which checks its peers by a list.
fn side(files: &Files, version: &str, name: &str, list: &str) -> Context {
    let mut builder = ContextBuilder::new();
    builder.identity(certificate_and_key(files, &format!("{name}.crt"), &format!("{name}.key"), ""));
    builder.trust(trust(files, "all-ca.crt", "")).client_auth(ClientAuth::Need).versions(version);
    builder.crl(CrlSource::Source(Source::file(files.file(list)))).revocation_depth(Depth::Leaf);
    // The broker's certificate has its name in the subject alone, a client's has none.
    builder.insecure_skip_server_name(true).build().unwrap()
}

fn client_options(version: &str, name: &str) -> String {
    let version = version.to_lowercase();
    format!("--cafile all-ca.crt --tls-version {version} --cert {name}.crt --key {name}.key")
}

#[test]
fn mosquitto_client_that_a_list_revokes_is_refused_in_the_handshake_and_told_so() {
    let files = &files("revocation-publisher");
    for version in VERSIONS {
        let broker = side(files, version, "server", "crl.pem");
        let meeting = mosquitto::publisher(&broker, files, &client_options(version, "client-revoked"));
        let error = meeting.failed(Code::CertRevoked);
        for part in REVOKED.into_iter().chain(["unspecified", "crl.pem"]) {
            assert!(error.detail().contains(part), "{part}: {error}");
        }
        meeting.assert_printed("alert certificate revoked");

        let seen = mosquitto::publisher(&broker, files, &client_options(version, "client")).went_well(version);
        assert!(seen.subject.contains("CN=test client"), "{}", seen.subject);
        // It is the list that refuses: by one that does not have the client, it comes in.
        let broker = side(files, version, "server", "crl-empty.pem");
        mosquitto::publisher(&broker, files, &client_options(version, "client-revoked")).went_well(version);
    }
}

#[test]
fn openssl_client_that_a_list_revokes_gets_the_alert_certificate_revoked() {
    let files = &files("revocation-s_client");
    for version in VERSIONS {
        let broker = side(files, version, "server", "crl.pem");
        let arguments = |name: &str| format!("-CAfile all-ca.crt -cert {name}.crt -key {name}.key {}", only(version));
        let meeting = openssl::client(&broker, files, &arguments("client-revoked"));
        meeting.failed(Code::CertRevoked);
        meeting.assert_printed("fatal certificate_revoked");
        openssl::client(&broker, files, &arguments("client")).went_well(version);
    }
}

#[test]
fn mosquitto_broker_judges_the_same_clients_by_the_same_list_alike() {
    let files = &files("revocation-broker");
    for version in VERSIONS {
        let client = |name| side(files, version, name, "crl.pem");
        let settings = format!("{MOSQUITTO}crlfile crl.pem\n");
        let meeting = mosquitto::broker(&client("client-revoked"), None, files, &settings);
        meeting.failed(Code::AlertCertificateRevoked);
        mosquitto::broker(&client("client"), None, files, &settings).went_well(version);
    }
}

#[test]
fn broker_that_shows_a_revoked_certificate_is_refused_and_told_so() {
    let files = &files("revocation-shown");
    // The CA revokes no broker; nothing in the client's certificate keeps it from being shown by one.
    let settings = "certfile client-revoked.crt\nkeyfile client-revoked.key\n";
    for version in VERSIONS {
        let client = side(files, version, "client", "crl.pem");
        let meeting = mosquitto::broker(&client, None, files, settings);
        meeting.failed(Code::CertRevoked);
        meeting.assert_printed("alert certificate revoked");
        mosquitto::broker(&client, None, files, "certfile server.crt\nkeyfile server.key\n").went_well(version);
    }
}
