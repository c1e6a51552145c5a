//! ActiveMQ's "How do I use SSL": keytool's stores on both ends, and Java's own TLS configured by system properties.

use std::sync::OnceLock;

use brokertls::verify::Deviation;
use brokertls::{ClientAuth, Code, Context, ContextBuilder};

use crate::files::Files;
use crate::java::Jvm;
use crate::settings::{identity, trust};
use crate::{VERSIONS, openssl};

/// The document writes `password` for each password.
const PASSWORD: &str = "password";

/// keytool's questions for the subject. Clients of today check the host name, and Java takes it from the common name
/// if there is no alternative name. A reader of the document therefore answers the first question with the host name.
const BROKER: [&str; 9] = [PASSWORD, PASSWORD, "localhost", "Messaging", "Example", "Berlin", "Berlin", "DE", "yes"];
const CLIENT: [&str; 9] = [PASSWORD, PASSWORD, "client", "Messaging", "Example", "Berlin", "Berlin", "DE", "yes"];
/// A new store's password, twice, and whether to trust the certificate.
const IMPORT: [&str; 3] = [PASSWORD, PASSWORD, "yes"];

const BROKER_SUBJECT: &str = "CN=localhost,OU=Messaging,O=Example,L=Berlin,ST=Berlin,C=DE";
const CLIENT_SUBJECT: &str = "CN=client,OU=Messaging,O=Example,L=Berlin,ST=Berlin,C=DE";

/// Everything that the document makes.
fn files() -> &'static Files {
    static FILES: OnceLock<Files> = OnceLock::new();
    FILES.get_or_init(|| {
        let files = Files::new("activemq");
        // "Setting up the Key and Trust Stores", steps 1 to 4.
        files.run("keytool -genkey -alias broker -keyalg RSA -keystore broker.ks", &BROKER);
        files.run("keytool -export -alias broker -keystore broker.ks -file broker_cert", &[PASSWORD]);
        files.run("keytool -genkey -alias client -keyalg RSA -keystore client.ks", &CLIENT);
        files.run("keytool -import -alias broker -keystore client.ts -file broker_cert", &IMPORT);
        // "Client certificates", steps 1 and 2.
        files.run("keytool -export -alias client -keystore client.ks -file client_cert", &[PASSWORD]);
        files.run("keytool -import -alias client -keystore broker.ts -file client_cert", &IMPORT);
        // For openssl as the other end, which reads PEM.
        files.run("openssl x509 -in broker_cert -out broker_cert.pem", &[]);
        files.run("openssl x509 -in client_cert -out client_cert.pem", &[]);
        files.run("openssl pkcs12 -in client.ks -nodes -passin pass:password -out client.pem", &[]);
        files.run("openssl pkcs12 -in broker.ks -nodes -passin pass:password -out broker.pem", &[]);
        files
    })
}

/// The broker: its key store, and for mutual TLS the trust store.
fn broker(version: &str, is_mutual: bool) -> Context {
    let mut builder = ContextBuilder::new();
    builder.identity(identity(files(), "broker.ks", PASSWORD)).versions(version);
    if is_mutual {
        builder.trust(trust(files(), "broker.ts", PASSWORD)).client_auth(ClientAuth::Need);
    }
    builder.build().unwrap()
}

/// The client: its trust store, and for mutual TLS the key store. The certificate names its host in the common name
/// alone, which Java accepts and this library accepts by a switch.
fn client(version: &str, is_mutual: bool) -> ContextBuilder {
    let mut builder = ContextBuilder::new();
    builder.trust(trust(files(), "client.ts", PASSWORD)).versions(version).allow(Deviation::CommonName);
    if is_mutual {
        builder.identity(identity(files(), "client.ks", PASSWORD));
    }
    builder
}

/// "Starting the Client": the system properties of the client's VM. keytool writes PKCS#12 by now, of which Java reads
/// certificates only with the password, so one property more than the document has.
const CLIENT_PROPERTIES: &[&str] = &[
    "-Djavax.net.ssl.keyStore=client.ks",
    "-Djavax.net.ssl.keyStorePassword=password",
    "-Djavax.net.ssl.trustStore=client.ts",
    "-Djavax.net.ssl.trustStorePassword=password",
];
/// `ACTIVEMQ_SSL_OPTS`, with the trust store of the client certificates.
const BROKER_PROPERTIES: &[&str] = &[
    "-Djavax.net.ssl.keyStore=broker.ks",
    "-Djavax.net.ssl.keyStorePassword=password",
    "-Djavax.net.ssl.trustStore=broker.ts",
    "-Djavax.net.ssl.trustStorePassword=password",
];

#[test]
fn keytool_broker_serves_java_clients_one_way_and_mutual() {
    let mut java = Jvm::start(files(), CLIENT_PROPERTIES);
    for version in VERSIONS {
        let seen = java.client(&broker(version, false), &[]).went_well(version);
        assert_eq!(seen.subject, "");
        assert_eq!(seen.server_name, "");

        let seen = java.client(&broker(version, true), &[]).went_well(version);
        assert_eq!(seen.subject, CLIENT_SUBJECT);
        assert_eq!(seen.chain_length, 1);
        assert!(seen.deviations.is_empty());
    }
}

#[test]
fn keytool_client_reaches_java_brokers_one_way_and_mutual() {
    let mut java = Jvm::start(files(), BROKER_PROPERTIES);
    for version in VERSIONS {
        let meeting = java.server(&client(version, false).build().unwrap(), Some("localhost"), &[]);
        let seen = meeting.went_well(version);
        assert_eq!(seen.subject, BROKER_SUBJECT);
        assert_eq!(seen.deviations, [Deviation::CommonName]);
        meeting.assert_printed("\tnone\t");

        let meeting = java.server(&client(version, true).build().unwrap(), Some("localhost"), &["needClientAuth=yes"]);
        meeting.went_well(version);
        meeting.assert_printed("CN=client");
    }
}

#[test]
fn keytool_stores_work_with_openssl_at_the_other_end() {
    for version in VERSIONS {
        let only = openssl::only(version);
        let arguments = format!("-CAfile broker_cert.pem -verify_hostname localhost {only}");
        openssl::client(&broker(version, false), files(), &arguments).went_well(version);
        let arguments = format!("{arguments} -cert client.pem -key client.pem");
        let seen = openssl::client(&broker(version, true), files(), &arguments).went_well(version);
        assert_eq!(seen.subject, CLIENT_SUBJECT);

        let arguments = format!("-cert broker.pem -key broker.pem {only}");
        let context = client(version, false).build().unwrap();
        openssl::server(&context, Some("localhost"), files(), &arguments).went_well(version);
        let arguments = format!("{arguments} -Verify 1 -CAfile client_cert.pem");
        let context = client(version, true).build().unwrap();
        let meeting = openssl::server(&context, Some("localhost"), files(), &arguments);
        meeting.went_well(version);
        meeting.assert_printed("OU = Messaging, CN = client");
    }
}

#[test]
fn keytool_certificate_without_alternative_name_is_refused_with_the_switch_that_takes_it() {
    let mut builder = ContextBuilder::new();
    let context = builder.trust(trust(files(), "client.ts", PASSWORD)).build().unwrap();
    let meeting = openssl::server(&context, Some("localhost"), files(), "-cert broker.pem -key broker.pem");
    let error = meeting.failed(Code::CertNoName);
    assert!(error.hint().contains("insecure-common-name"), "{}", error.hint());
    meeting.assert_printed("alert bad certificate");

    // What the clients of the document's own time did: no check of the name (`socket.verifyHostName=false`).
    let context = builder.insecure_skip_server_name(true).build().unwrap();
    openssl::server(&context, None, files(), "-cert broker.pem -key broker.pem").went_well("TLSv1.3");
}

#[test]
fn keytool_trust_store_without_its_password_is_refused_and_not_taken_for_empty() {
    // What Java makes of it is a trust store with nothing in it.
    let mut builder = ContextBuilder::new();
    let error = builder.trust(trust(files(), "client.ts", "")).build().unwrap_err();
    assert_eq!(error.code(), Code::StorePasswordMissing, "{error}");
    assert!(error.detail().contains("client.ts"), "{error}");
}

#[test]
fn keytool_client_that_the_broker_does_not_trust_is_refused_in_java_s_words() {
    // The dummy credentials that the document warns of: the client has a key, and the broker trusts another.
    let mut builder = ContextBuilder::new();
    builder.identity(identity(files(), "broker.ks", PASSWORD)).client_auth(ClientAuth::Need);
    let context = builder.trust(trust(files(), "client.ts", PASSWORD)).build().unwrap();
    let meeting = Jvm::start(files(), CLIENT_PROPERTIES).client(&context, &[]);
    meeting.failed(Code::CertMissing);
    meeting.assert_printed("certificate_required");
}
