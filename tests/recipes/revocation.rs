//! Revoked certificates, judged by Mosquitto's own test data: a CA, what it has signed, and its list.
//!
//! The data lies beside the project, in `../shared/data`; where it is absent these tests say so and run nothing.

use std::fs;
use std::path::Path;

use brokertls::revocation::Depth;
use brokertls::{ClientAuth, Code, Context, ContextBuilder, CrlSource, Source};

use crate::VERSIONS;
use crate::files::Files;
use crate::mosquitto;
use crate::openssl::{self, only};
use crate::settings::{certificate_and_key, trust};

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/mosquitto-ssl");
/// What is taken of it: the roots with the CA that issues, its lists, a broker and two clients.
const TAKEN: [&str; 9] = [
    "all-ca.crt",
    "crl.pem",
    "crl-empty.pem",
    "server.crt",
    "server.key",
    "client.crt",
    "client.key",
    "client-revoked.crt",
    "client-revoked.key",
];

/// The settings of a broker of Mosquitto that asks clients for a certificate and goes by the list.
const MOSQUITTO: &str = "cafile all-ca.crt\ncertfile server.crt\nkeyfile server.key\nrequire_certificate true\n";

/// A folder of a test's own with the data.
fn files(test: &str) -> Option<Files> {
    if !Path::new(DATA).is_dir() {
        eprintln!("revocation: ../shared/data/mosquitto-ssl absent, nothing is run");
        return None;
    }
    let files = Files::new(test);
    for name in TAKEN {
        // Not `fs::copy`, which would keep the data read-only.
        fs::write(files.file(name), fs::read(Path::new(DATA).join(name)).unwrap()).unwrap();
    }
    Some(files)
}

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
    let Some(files) = &files("revocation-publisher") else { return };
    for version in VERSIONS {
        let broker = side(files, version, "server", "crl.pem");
        let meeting = mosquitto::publisher(&broker, files, &client_options(version, "client-revoked"));
        let error = meeting.failed(Code::CertRevoked);
        for part in ["test client revoked", "serial 06", "2025-07-07T22:27:29Z", "unspecified", "crl.pem"] {
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
    let Some(files) = &files("revocation-s_client") else { return };
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
    let Some(files) = &files("revocation-broker") else { return };
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
    let Some(files) = &files("revocation-shown") else { return };
    // The data revokes no broker; nothing in the client's certificate keeps it from being shown by one.
    let settings = "certfile client-revoked.crt\nkeyfile client-revoked.key\n";
    for version in VERSIONS {
        let client = side(files, version, "client", "crl.pem");
        let meeting = mosquitto::broker(&client, None, files, settings);
        meeting.failed(Code::CertRevoked);
        meeting.assert_printed("alert certificate revoked");
        mosquitto::broker(&client, None, files, "certfile server.crt\nkeyfile server.key\n").went_well(version);
    }
}
