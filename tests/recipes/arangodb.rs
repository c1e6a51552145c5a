//! ArangoDB's "SSL Configuration": an RSA-1024 key, an X.509 version 1 certificate signed by itself, one PEM file.
//!
//! OpenSSL 3 refuses such keys unless the security level is 0, which `@SECLEVEL=0` sets.

use std::sync::OnceLock;

use brokertls::verify::Deviation;
use brokertls::{ClientAuth, Code, Context, ContextBuilder};

use crate::files::Files;
use crate::openssl::{self, only};
use crate::settings::{certificate_and_key, identity, trust};

/// The passphrase that `genrsa -des3` asks for.
const PASSPHRASE: &str = "secret";

/// `--ssl.protocol` as the document has it, and the digit of later ArangoDB versions for TLS 1.3.
const PROTOCOLS: [(&str, &str); 2] = [("5", "TLSv1.2"), ("6", "TLSv1.3")];

/// The document's commands. Two file names were lost from it on its way: the copy of the key is `server.key.org`.
fn make(files: &Files, common_name: &str) {
    files.run("openssl genrsa -des3 -out server.key 1024", &[PASSPHRASE, PASSPHRASE]);
    // Country, state, city, organisation, unit, name, e-mail; challenge password, company.
    let subject = [PASSPHRASE, "DE", "NRW", "Cologne", "Example", "", common_name, "", "", ""];
    files.run("openssl req -new -key server.key -out server.csr", &subject);
    files.run("cp server.key server.key.org", &[]);
    files.run("openssl rsa -in server.key.org -out server.key", &[PASSPHRASE]);
    files.run("openssl x509 -req -days 365 -in server.csr -signkey server.key -out server.crt", &[]);
    files.run("cat server.crt server.key > server.pem", &[]);
}

/// The server's files; in `client`, those of a client that followed the same steps.
fn files() -> &'static Files {
    static FILES: OnceLock<Files> = OnceLock::new();
    FILES.get_or_init(|| {
        let files = Files::new("arangodb");
        make(&files, "localhost");
        make(&files.folder("client"), "client");
        files
    })
}

/// `--ssl.keyfile server.pem --ssl.protocol … --ssl.cipher-list ALL --ssl.session-cache false`, and `--ssl.cafile`.
fn server(protocol: &str, cafile: Option<&str>) -> Context {
    let mut builder = ContextBuilder::new();
    builder.identity(identity(files(), "server.pem", "")).versions(protocol).cipher_suites("ALL").resumption(false);
    if let Some(cafile) = cafile {
        // "The server will only accept client requests with certificates issued by these CAs."
        builder.trust(trust(files(), cafile, "")).client_auth(ClientAuth::Need).allow(Deviation::SmallRsa);
    }
    builder.build().unwrap()
}

/// A client that was given the server's certificate. Its name stands in the common name.
fn client(protocol: &str, is_mutual: bool) -> ContextBuilder {
    let mut builder = ContextBuilder::new();
    builder.trust(trust(files(), "server.crt", "")).versions(protocol).cipher_suites("ALL");
    builder.allow(Deviation::SmallRsa).allow(Deviation::CommonName);
    if is_mutual {
        builder.identity(identity(files(), "client/server.pem", ""));
    }
    builder
}

#[test]
fn arangodb_keyfile_serves_openssl_clients_one_way_and_mutual() {
    for (protocol, version) in PROTOCOLS {
        let arguments =
            format!("-CAfile server.crt -verify_hostname localhost -cipher DEFAULT@SECLEVEL=0 {}", only(version));
        let meeting = openssl::client(&server(protocol, None), files(), &arguments);
        assert_eq!(meeting.went_well(version).subject, "");
        meeting.assert_printed("Server public key is 1024 bit");

        let arguments = format!("{arguments} -cert client/server.crt -key client/server.key");
        let meeting = openssl::client(&server(protocol, Some("client/server.crt")), files(), &arguments);
        let seen = meeting.went_well(version);
        assert_eq!(seen.subject, "CN=client,O=Example,L=Cologne,ST=NRW,C=DE");
        assert_eq!(seen.deviations, [Deviation::SmallRsa]);
        let names = meeting.theirs.split("Acceptable client certificate CA names\n").nth(1).unwrap_or_default();
        assert!(names.starts_with("C = DE, ST = NRW, L = Cologne, O = Example, CN = client\n"), "{}", meeting.theirs);
    }
}

#[test]
fn arangodb_client_reaches_openssl_servers_one_way_and_mutual() {
    for (protocol, version) in PROTOCOLS {
        let arguments = format!("-cert server.pem -key server.pem -cipher ALL@SECLEVEL=0 {}", only(version));
        let context = client(protocol, false).build().unwrap();
        let seen = openssl::server(&context, Some("localhost"), files(), &arguments).went_well(version);
        assert_eq!(seen.subject, "CN=localhost,O=Example,L=Cologne,ST=NRW,C=DE");
        // Version 1 and the missing CA flag need no switch: the certificate itself is trusted.
        assert_eq!(seen.deviations, [Deviation::CommonName, Deviation::SmallRsa]);

        let arguments = format!("{arguments} -Verify 1 -CAfile client/server.crt");
        let context = client(protocol, true).build().unwrap();
        let meeting = openssl::server(&context, Some("localhost"), files(), &arguments);
        meeting.went_well(version);
        meeting.assert_printed("subject=C = DE, ST = NRW, L = Cologne, O = Example, CN = client");
    }
}

#[test]
fn arangodb_certificates_are_refused_with_their_reason_when_no_switch_is_set() {
    let mut builder = ContextBuilder::new();
    let context = builder.trust(trust(files(), "server.crt", "")).build().unwrap();
    let arguments = "-cert server.pem -key server.pem -cipher ALL@SECLEVEL=0";
    let meeting = openssl::server(&context, Some("localhost"), files(), arguments);
    let error = meeting.failed(Code::CertKeyTooSmall);
    assert!(error.hint().contains("insecure-rsa-1024"), "{}", error.hint());
    meeting.assert_printed("alert bad certificate");

    let context = builder.allow(Deviation::SmallRsa).build().unwrap();
    let error = openssl::server(&context, Some("localhost"), files(), arguments).ours.unwrap_err();
    assert_eq!(error.code(), Code::CertNoName, "{error}");
    assert!(error.hint().contains("insecure-common-name"), "{}", error.hint());
}

#[test]
fn key_with_its_passphrase_still_on_it_serves_as_well() {
    let mut builder = ContextBuilder::new();
    builder.identity(certificate_and_key(files(), "server.crt", "server.key.org", PASSPHRASE));
    let arguments = "-CAfile server.crt -cipher DEFAULT@SECLEVEL=0";
    openssl::client(&builder.build().unwrap(), files(), arguments).went_well("TLSv1.3");

    let mut builder = ContextBuilder::new();
    builder.identity(certificate_and_key(files(), "server.crt", "server.key.org", ""));
    assert_eq!(builder.build().unwrap_err().code(), Code::KeyPasswordMissing);
}

#[test]
fn protocols_before_tls_1_2_are_refused_by_name_when_the_context_is_built() {
    for (protocol, name) in [("1", "SSLv2"), ("2", "SSLv2 or SSLv3"), ("3", "SSLv3"), ("4", "TLSv1")] {
        let mut builder = ContextBuilder::new();
        builder.identity(identity(files(), "server.pem", "")).versions(protocol);
        let error = builder.build().unwrap_err();
        assert_eq!(error.code(), Code::VersionNotSupported, "{protocol}");
        assert!(error.detail().contains(&format!("({name})")), "{error}");
    }
}
