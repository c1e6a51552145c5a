//! TBMQ's "MQTT over SSL": PEM files with the key beside or inside, a PKCS#12 key store, certificates imported by
//! keytool.

use std::sync::OnceLock;

use brokertls::keystore::{Password, Secret, StoreType};
use brokertls::verify::Deviation;
use brokertls::{ClientAuth, Code, Context, ContextBuilder, IdentitySource};

use crate::VERSIONS;
use crate::files::Files;
use crate::java::Jvm;
use crate::openssl::{self, only};
use crate::settings::{certificate_and_key, identity, trust};

/// LISTENER_SSL_PEM_KEY_PASSWORD.
const KEY_PASSWORD: &str = "secret";
/// LISTENER_SSL_KEY_STORE_PASSWORD and LISTENER_SSL_KEY_PASSWORD.
const STORE_PASSWORD: &str = "tbmq";

/// The files of the document, as TBMQ's pages on self-signed certificates and on PKCS#12 (which it includes) make them.
fn make(files: &Files, common_name: &str) {
    files.run("openssl ecparam -out server_key.pem -name secp256r1 -genkey", &[]);
    let line = "openssl req -new -key server_key.pem -x509 -nodes -days 365 -out server.pem";
    files.run(&format!("{line} -subj '/CN={common_name}'"), &[]);
    // "may also include server private key"
    files.run("cat server.pem server_key.pem > server_with_key.pem", &[]);
    // With a password, in the two forms that openssl writes.
    files.run("openssl pkcs8 -topk8 -in server_key.pem -passout pass:secret -out server_key_pkcs8.pem", &[]);
    files.run("openssl ec -in server_key.pem -aes256 -passout pass:secret -out server_key_sec1.pem", &[]);
    files.run("cat server.pem server_key_pkcs8.pem > server_with_locked_key.pem", &[]);
    let line =
        "openssl pkcs12 -export -in server.pem -inkey server_key.pem -out keystore.p12 -name tbmq -passout pass:tbmq";
    files.run(line, &[]);
}

/// The server's files; in `client`, those of a device that followed the same steps and trusts the server.
fn files() -> &'static Files {
    static FILES: OnceLock<Files> = OnceLock::new();
    FILES.get_or_init(|| {
        let files = Files::new("tbmq");
        make(&files, "localhost");
        let client = files.folder("client");
        make(&client, "device-1");
        // "Adding certificate into Java Truststore": into the key store that is there, and into a new one. keytool asks
        // whether to trust the certificate.
        let line = "keytool -importcert -file client/server.pem -alias device-1 -keystore keystore.p12 -storepass tbmq";
        files.run(line, &["yes"]);
        let line = "keytool -importcert -file ../server.pem -alias tbmq -keystore truststore.p12 -storepass changeit";
        client.run(line, &["yes"]);
        files
    })
}

/// The listener with this identity; for two-way TLS it trusts the device that was imported into its key store.
fn listener(identity: IdentitySource, protocol: &str, is_mutual: bool) -> Context {
    let mut builder = ContextBuilder::new();
    builder.identity(identity).versions(protocol);
    if is_mutual {
        builder.trust(trust(files(), "keystore.p12", STORE_PASSWORD)).client_auth(ClientAuth::Need);
    }
    builder.build().unwrap()
}

/// LISTENER_SSL_CREDENTIALS_TYPE=KEYSTORE, with the type and both passwords given as the document gives them.
fn key_store(name: &str) -> IdentitySource {
    let mut identity = identity(files(), name, STORE_PASSWORD);
    identity.options.store_type = Some(StoreType::Pkcs12);
    identity.options.key_password = Password::Bytes(Secret::new(STORE_PASSWORD));
    identity
}

/// LISTENER_SSL_CREDENTIALS_TYPE=PEM, each way to give the key.
fn pem_identities() -> [IdentitySource; 5] {
    let mut locked = identity(files(), "server_with_locked_key.pem", "");
    locked.options.key_password = Password::Bytes(Secret::new(KEY_PASSWORD));
    [
        certificate_and_key(files(), "server.pem", "server_key.pem", ""),
        certificate_and_key(files(), "server.pem", "server_key_pkcs8.pem", KEY_PASSWORD),
        certificate_and_key(files(), "server.pem", "server_key_sec1.pem", KEY_PASSWORD),
        identity(files(), "server_with_key.pem", ""),
        locked,
    ]
}

/// A device that trusts the server's certificate, which has its name in the common name.
fn device(protocol: &str, is_mutual: bool) -> Context {
    let mut builder = ContextBuilder::new();
    builder.trust(trust(files(), "client/truststore.p12", "changeit")).versions(protocol).allow(Deviation::CommonName);
    if is_mutual {
        builder.identity(key_store("client/keystore.p12"));
    }
    builder.build().unwrap()
}

const JAVA_TRUST: [&str; 2] = ["trustStore=client/truststore.p12", "trustStorePassword=changeit"];
const JAVA_DEVICE: [&str; 3] = ["keyStore=client/keystore.p12", "keyStorePassword=tbmq", "keyPassword=tbmq"];
const JAVA_LISTENER: [&str; 3] = ["keyStore=keystore.p12", "keyStorePassword=tbmq", "keyPassword=tbmq"];

#[test]
fn tbmq_keystore_serves_java_devices_one_way_and_mutual() {
    let mut java = Jvm::start(files(), &[]);
    for version in VERSIONS {
        // LISTENER_SSL_PROTOCOL is TLSv1.2 by default, and what SSLContext.getInstance is called with.
        let protocol = format!("protocol={version}");
        let one_way = [&JAVA_TRUST[..], &[&protocol]].concat();
        let context = listener(key_store("keystore.p12"), version, false);
        assert_eq!(java.client(&context, &one_way).went_well(version).subject, "");

        let two_way = [&one_way[..], &JAVA_DEVICE].concat();
        let context = listener(key_store("keystore.p12"), version, true);
        let seen = java.client(&context, &two_way).went_well(version);
        assert_eq!(seen.subject, "CN=device-1");
        // A certificate of `openssl req -x509` says CA:TRUE; trusted itself, it needs no switch.
        assert!(seen.deviations.is_empty());
    }
}

#[test]
fn tbmq_keystore_of_type_jks_serves_java_devices_with_a_key_password_of_its_own() {
    // "Type of the key store (JKS or PKCS12)"; the two passwords of the document, made to differ.
    let line = "keytool -importkeystore -srckeystore keystore.p12 -destkeystore keystore.jks -deststoretype JKS \
                -srcstorepass tbmq -deststorepass tbmq-store -srcalias tbmq -destalias tbmq -destkeypass tbmq-key";
    files().run(line, &[]);
    let mut store = identity(files(), "keystore.jks", "tbmq-store");
    store.options.store_type = Some(StoreType::Jks);
    store.options.key_password = Password::Bytes(Secret::new("tbmq-key"));
    let mut java = Jvm::start(files(), &[]);
    for version in VERSIONS {
        let protocol = format!("protocol={version}");
        let settings = [&JAVA_TRUST[..], &[&protocol]].concat();
        java.client(&listener(store.clone(), version, false), &settings).went_well(version);
    }
    store.options.key_password = Password::Bytes(Secret::new("tbmq"));
    assert_eq!(ContextBuilder::new().identity(store).build().unwrap_err().code(), Code::KeyPasswordWrong);
}

#[test]
fn tbmq_device_reaches_java_listeners_one_way_and_mutual() {
    let mut java = Jvm::start(files(), &[]);
    for version in VERSIONS {
        let protocol = format!("protocol={version}");
        let one_way = [&JAVA_LISTENER[..], &[&protocol]].concat();
        let seen = java.server(&device(version, false), Some("localhost"), &one_way).went_well(version);
        assert_eq!(seen.subject, "CN=localhost");
        assert_eq!(seen.deviations, [Deviation::CommonName]);

        let trusting = ["trustStore=keystore.p12", "trustStorePassword=tbmq", "needClientAuth=yes"];
        let two_way = [&one_way[..], &trusting].concat();
        let meeting = java.server(&device(version, true), Some("localhost"), &two_way);
        meeting.went_well(version);
        meeting.assert_printed("CN=device-1");
    }
}

#[test]
fn application_protocol_is_agreed_on_with_java_both_ways() {
    let mut java = Jvm::start(files(), &[]);
    let mut builder = ContextBuilder::new();
    builder.identity(key_store("keystore.p12")).trust(trust(files(), "client/truststore.p12", "changeit"));
    let context = builder.allow(Deviation::CommonName).alpn(b"mqtt").unwrap().build().unwrap();
    let meeting = java.client(&context, &[&JAVA_TRUST[..], &["alpn=mqtt"]].concat());
    assert_eq!(meeting.went_well("TLSv1.3").alpn, "mqtt");
    meeting.assert_printed("alpn=mqtt");
    let meeting = java.server(&context, Some("localhost"), &[&JAVA_LISTENER[..], &["alpn=mqtt"]].concat());
    assert_eq!(meeting.went_well("TLSv1.3").alpn, "mqtt");
    meeting.assert_printed("alpn=mqtt");
}

#[test]
fn tbmq_pem_files_serve_openssl_devices_however_the_key_is_given() {
    for (version, identity) in VERSIONS.into_iter().cycle().zip(pem_identities()) {
        let arguments = format!("-CAfile server.pem -verify_hostname localhost {}", only(version));
        openssl::client(&listener(identity.clone(), version, false), files(), &arguments).went_well(version);

        let arguments = format!("{arguments} -cert client/server.pem -key client/server_key.pem");
        let seen = openssl::client(&listener(identity, version, true), files(), &arguments).went_well(version);
        assert_eq!(seen.subject, "CN=device-1");
    }
}

#[test]
fn tbmq_device_reaches_openssl_listeners_with_every_form_of_pem() {
    for version in VERSIONS {
        let arguments = format!("-cert server.pem -key server_key_sec1.pem -pass pass:secret {}", only(version));
        openssl::server(&device(version, false), Some("localhost"), files(), &arguments).went_well(version);

        let arguments = format!("{arguments} -Verify 1 -CAfile client/server.pem");
        let meeting = openssl::server(&device(version, true), Some("localhost"), files(), &arguments);
        meeting.went_well(version);
        meeting.assert_printed("subject=CN = device-1");
    }
}

#[test]
fn tbmq_passwords_that_are_wrong_or_missing_are_told_apart() {
    let refused = |identity: IdentitySource| {
        let error = ContextBuilder::new().identity(identity).build().unwrap_err();
        (error.code(), error.to_string())
    };
    let (code, text) = refused(certificate_and_key(files(), "server.pem", "server_key_sec1.pem", "wrong"));
    assert_eq!(code, Code::KeyPasswordWrong);
    assert!(text.contains("server_key_sec1.pem"), "{text}");
    let (code, _) = refused(certificate_and_key(files(), "server.pem", "server_key_pkcs8.pem", ""));
    assert_eq!(code, Code::KeyPasswordMissing);
    let (code, text) = refused(identity(files(), "keystore.p12", "wrong"));
    assert_eq!(code, Code::StorePasswordWrong);
    assert!(text.contains("keystore.p12"), "{text}");
    let (code, _) = refused(identity(files(), "server.pem", ""));
    assert_eq!(code, Code::NoPrivateKey);
}
