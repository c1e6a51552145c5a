//! amqplib's "SSL guide": a CA of one's own, PEM files or one PKCS#12 file with a passphrase, and Node's `tls` options.

use std::sync::OnceLock;

use brokertls::keystore::{Password, Secret};
use brokertls::{ClientAuth, Code, Context, ContextBuilder, IdentitySource};

use crate::files::Files;
use crate::settings::{certificate_and_key, identity, trust};
use crate::{VERSIONS, node};

/// The document's passphrase.
const PASSPHRASE: &str = "MySecretPassword";

/// The extensions that RabbitMQ's guide to certificates gives each side; amqplib's document names that guide.
const EXTENSIONS: &str = "
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical,CA:true
keyUsage = keyCertSign, cRLSign
[server]
basicConstraints = CA:false
keyUsage = digitalSignature, keyEncipherment
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost
[elsewhere]
basicConstraints = CA:false
extendedKeyUsage = serverAuth
subjectAltName = DNS:rabbit.example.com
[client]
basicConstraints = CA:false
keyUsage = digitalSignature
extendedKeyUsage = clientAuth
";

/// A self-signed CA; a server's and a client's certificate signed with it. `elsewhere` is a server on another host.
pub(crate) fn files() -> &'static Files {
    static FILES: OnceLock<Files> = OnceLock::new();
    FILES.get_or_init(|| {
        let files = Files::new("amqplib");
        files.write("extensions.cnf", EXTENSIONS);
        make_ca(&files, "MyTestCA");
        make_signed(&files, "server", "localhost");
        make_signed(&files, "elsewhere", "rabbit.example.com");
        make_signed(&files, "client", "client");
        // "often the secret key will be protected by a passphrase"
        files.run("openssl pkcs8 -topk8 -in client.key -passout pass:MySecretPassword -out clientkey.pem", &[]);
        files.run("cp client.pem clientcert.pem", &[]);
        // "Sometimes the certificate and key are combined in a pkcs12 file instead"
        let line = "openssl pkcs12 -export -in client.pem -inkey client.key -out clientcertkey.p12";
        files.run(&format!("{line} -passout pass:MySecretPassword"), &[]);
        // What servers send with their certificate: the CA as well.
        files.run("cat server.pem cacert.pem > server_chain.pem", &[]);
        files.run("cat elsewhere.pem cacert.pem > elsewhere_chain.pem", &[]);
        let other = files.folder("other");
        other.write("extensions.cnf", EXTENSIONS);
        make_ca(&other, "AnotherCA");
        make_signed(&other, "client", "stranger");
        other.run("cat client.pem cacert.pem > client_chain.pem", &[]);
        files
    })
}

fn make_ca(files: &Files, common_name: &str) {
    let line = "openssl req -x509 -newkey rsa:2048 -nodes -days 365 -keyout ca.key -out cacert.pem";
    files.run(&format!("{line} -subj /CN={common_name} -extensions ca -config extensions.cnf"), &[]);
}

fn make_signed(files: &Files, name: &str, common_name: &str) {
    let line = format!("openssl req -new -newkey rsa:2048 -nodes -keyout {name}.key -out csr -subj /CN={common_name}");
    files.run(&line, &[]);
    let line =
        "openssl x509 -req -in csr -CA cacert.pem -CAkey ca.key -CAcreateserial -days 365 -extfile extensions.cnf";
    files.run(&format!("{line} -extensions {name} -out {name}.pem"), &[]);
}

/// RabbitMQ's place: the server's certificate, and with `verify_peer` and `fail_if_no_peer_cert` the CA.
pub(crate) fn broker(version: &str, is_mutual: bool) -> Context {
    let mut builder = ContextBuilder::new();
    builder.identity(certificate_and_key(files(), "server_chain.pem", "server.key", "")).versions(version);
    if is_mutual {
        builder.trust(trust(files(), "cacert.pem", "")).client_auth(ClientAuth::Need);
    }
    builder.build().unwrap()
}

/// The document's options for a client with a certificate.
pub(crate) const WITH_CERTIFICATE: &str = "
var opts = {
  cert: fs.readFileSync('clientcert.pem'),
  key: fs.readFileSync('clientkey.pem'),
  passphrase: 'MySecretPassword',
  ca: [fs.readFileSync('cacert.pem')]
};";

/// The document's options for a client with a PKCS#12 file.
const WITH_PFX: &str = "
var opts = {
  pfx: fs.readFileSync('clientcertkey.p12'),
  passphrase: 'MySecretPassword',
  ca: [fs.readFileSync('cacert.pem')]
};";

/// The document's options for a client without a certificate.
pub(crate) const WITHOUT_CERTIFICATE: &str = "
var opts = {
  ca: [fs.readFileSync('cacert.pem')]
};";

/// RabbitMQ's place taken by Node, and what it asks of clients for mutual TLS.
pub(crate) const SERVER: &str = "
var opts = { cert: fs.readFileSync('server_chain.pem'), key: fs.readFileSync('server.key') };";
pub(crate) const VERIFY_PEER: &str = "
opts.ca = [fs.readFileSync('cacert.pem')], opts.requestCert = true, opts.rejectUnauthorized = true;";

/// The same options as the document's, for our client.
fn client(version: &str, identity: Option<IdentitySource>) -> Context {
    let mut builder = ContextBuilder::new();
    builder.trust(trust(files(), "cacert.pem", "")).versions(version);
    identity.into_iter().for_each(|identity| {
        builder.identity(identity);
    });
    builder.build().unwrap()
}

/// `cert`, `key` and `passphrase`.
pub(crate) fn certificate() -> IdentitySource {
    certificate_and_key(files(), "clientcert.pem", "clientkey.pem", PASSPHRASE)
}

/// `pfx` and `passphrase`.
fn pfx() -> IdentitySource {
    identity(files(), "clientcertkey.p12", PASSPHRASE)
}

#[test]
fn broker_serves_amqplib_clients_with_certificate_with_pfx_and_without() {
    for version in VERSIONS {
        for options in [WITH_CERTIFICATE, WITH_PFX] {
            let seen = node::client(&broker(version, true), files(), options).went_well(version);
            assert_eq!(seen.subject, "CN=client");
            assert_eq!(seen.server_name, "localhost");
            assert!(seen.deviations.is_empty());
        }
        let seen = node::client(&broker(version, false), files(), WITHOUT_CERTIFICATE).went_well(version);
        assert_eq!(seen.subject, "");
    }
}

#[test]
fn amqplib_options_reach_node_servers_with_certificate_with_pfx_and_without() {
    for version in VERSIONS {
        for identity in [certificate(), pfx()] {
            let context = client(version, Some(identity));
            let meeting = node::server(&context, Some("localhost"), files(), &format!("{SERVER}{VERIFY_PEER}"));
            let seen = meeting.went_well(version);
            assert_eq!(seen.subject, "CN=localhost");
            assert!(seen.deviations.is_empty());
            meeting.assert_printed(&format!("done {version} {} client ", seen.suite));
        }
        let meeting = node::server(&client(version, None), Some("localhost"), files(), SERVER);
        assert_eq!(meeting.went_well(version).chain_length, 2);
        meeting.assert_printed(" none ");
    }
}

#[test]
fn application_protocol_is_agreed_on_with_node_both_ways() {
    let mut builder = ContextBuilder::new();
    builder.trust(trust(files(), "cacert.pem", "")).identity(certificate_and_key(
        files(),
        "server_chain.pem",
        "server.key",
        "",
    ));
    let context = builder.alpn(b"amqp").unwrap().build().unwrap();
    let offering = format!("{WITHOUT_CERTIFICATE}\nopts.ALPNProtocols = ['mqtt', 'amqp'];");
    let meeting = node::client(&context, files(), &offering);
    assert_eq!(meeting.went_well("TLSv1.3").alpn, "amqp");
    meeting.assert_printed("alpn=amqp");

    let accepting = format!("{SERVER}\nopts.ALPNProtocols = ['mqtt', 'amqp'];");
    let meeting = node::server(&context, Some("localhost"), files(), &accepting);
    assert_eq!(meeting.went_well("TLSv1.3").alpn, "amqp");
    meeting.assert_printed("alpn=amqp");
}

#[test]
fn passphrase_that_is_wrong_is_told_with_the_file() {
    let refused = |identity: IdentitySource| ContextBuilder::new().identity(identity).build().unwrap_err();
    let mut wrong = certificate();
    wrong.options.key_password = Password::Bytes(Secret::new("NotMyPassword"));
    let error = refused(wrong);
    assert_eq!(error.code(), Code::KeyPasswordWrong);
    assert!(error.detail().contains("clientkey.pem"), "{error}");
    let mut wrong = pfx();
    wrong.options.password = Password::Bytes(Secret::new("NotMyPassword"));
    let error = refused(wrong);
    assert_eq!(error.code(), Code::StorePasswordWrong);
    assert!(error.detail().contains("clientcertkey.p12"), "{error}");
}
