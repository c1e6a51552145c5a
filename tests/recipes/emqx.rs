//! EMQX's "Enable SSL/TLS Connection": PEM files of a private CA, verify_peer, lists of versions and ciphers.

use std::sync::OnceLock;

use brokertls::verify::Deviation;
use brokertls::{ClientAuth, Code, Context, ContextBuilder};

use crate::VERSIONS;
use crate::files::Files;
use crate::mosquitto;
use crate::openssl::{self, only};
use crate::settings::{certificate_and_key, trust};

/// `ssl_options.versions`, as it stands in the document.
const DOCUMENT_VERSIONS: &str = r#"["tlsv1.3", "tlsv1.2", "tlsv1.1", "tlsv1"]"#;

/// "Ciphers", as they stand in the document.
const DOCUMENT_CIPHERS: &str = "
TLS_AES_256_GCM_SHA384
TLS_AES_128_GCM_SHA256
TLS_CHACHA20_POLY1305_SHA256
TLS_AES_128_CCM_SHA256
TLS_AES_128_CCM_8_SHA256

ECDHE-ECDSA-AES256-GCM-SHA384
ECDHE-RSA-AES256-GCM-SHA384
ECDHE-ECDSA-AES256-SHA384
ECDHE-RSA-AES256-SHA384
ECDH-ECDSA-AES256-GCM-SHA384
ECDH-RSA-AES256-GCM-SHA384
ECDH-ECDSA-AES256-SHA384
ECDH-RSA-AES256-SHA384
DHE-DSS-AES256-GCM-SHA384
DHE-DSS-AES256-SHA256
AES256-GCM-SHA384
AES256-SHA256
ECDHE-ECDSA-AES128-GCM-SHA256
ECDHE-RSA-AES128-GCM-SHA256
ECDHE-ECDSA-AES128-SHA256
ECDHE-RSA-AES128-SHA256
ECDH-ECDSA-AES128-GCM-SHA256
ECDH-RSA-AES128-GCM-SHA256
ECDH-ECDSA-AES128-SHA256
ECDH-RSA-AES128-SHA256
DHE-DSS-AES128-GCM-SHA256
DHE-DSS-AES128-SHA256
AES128-GCM-SHA256
AES128-SHA256
ECDHE-ECDSA-AES256-SHA
ECDHE-RSA-AES256-SHA
DHE-DSS-AES256-SHA
ECDH-ECDSA-AES256-SHA
ECDH-RSA-AES256-SHA
ECDHE-ECDSA-AES128-SHA
ECDHE-RSA-AES128-SHA
DHE-DSS-AES128-SHA
ECDH-ECDSA-AES128-SHA
ECDH-RSA-AES128-SHA

RSA-PSK-AES256-GCM-SHA384
RSA-PSK-AES256-CBC-SHA384
RSA-PSK-AES128-GCM-SHA256
RSA-PSK-AES128-CBC-SHA256
RSA-PSK-AES256-CBC-SHA
RSA-PSK-AES128-CBC-SHA
";

/// "PSK Authentication": the listener's ciphers.
const PSK_CIPHERS: &str = "PSK-AES256-GCM-SHA384,PSK-AES128-GCM-SHA256,PSK-AES256-CBC-SHA384,PSK-AES256-CBC-SHA,\
                           PSK-AES128-CBC-SHA256,PSK-AES128-CBC-SHA,RSA-PSK-AES256-GCM-SHA384,\
                           RSA-PSK-AES256-CBC-SHA384,RSA-PSK-AES128-GCM-SHA256,RSA-PSK-AES128-CBC-SHA256,\
                           RSA-PSK-AES256-CBC-SHA,RSA-PSK-AES128-CBC-SHA,RSA-PSK-RC4-SHA";

/// The document's `etc/certs`: a CA and what it has signed, by the steps of EMQX's page on certificates. `openssl x509
/// -req` without extensions makes X.509 version 1, the host only in the common name.
fn files() -> &'static Files {
    static FILES: OnceLock<Files> = OnceLock::new();
    FILES.get_or_init(|| {
        let files = Files::new("emqx");
        files.run("openssl genrsa -des3 -out ca.key 2048", &["secret", "secret"]);
        let line =
            "openssl req -x509 -new -nodes -key ca.key -sha256 -days 3650 -out cacert.pem -subj /O=EMQX/CN=RootCA";
        files.run(line, &["secret"]);
        for (name, common_name) in [("", "localhost"), ("client-", "client-1")] {
            let subject = format!("-subj /O=EMQX/CN={common_name}");
            files.run(
                &format!("openssl req -new -newkey rsa:2048 -nodes -keyout {name}key.pem -out csr {subject}"),
                &[],
            );
            let line = "openssl x509 -req -in csr -CA cacert.pem -CAkey ca.key -CAcreateserial -days 3650";
            files.run(&format!("{line} -out {name}cert.pem"), &["secret"]);
        }
        files
    })
}

/// `listeners.ssl.default` with the versions and ciphers of the document; the peer chooses among them.
fn listener(is_mutual: bool) -> Context {
    listener_of(DOCUMENT_VERSIONS, is_mutual)
}

fn listener_of(versions: &str, is_mutual: bool) -> Context {
    let mut builder = ContextBuilder::new();
    builder.identity(certificate_and_key(files(), "cert.pem", "key.pem", ""));
    builder.versions(versions).cipher_suites(DOCUMENT_CIPHERS);
    if is_mutual {
        builder.trust(trust(files(), "cacert.pem", "")).client_auth(ClientAuth::Need).allow(Deviation::X509V1);
    }
    builder.build().unwrap()
}

/// "SSL Client for External Resources", with "TLS Verify" and a name for SNI.
fn client(version: &str, is_mutual: bool) -> ContextBuilder {
    let mut builder = ContextBuilder::new();
    builder.trust(trust(files(), "cacert.pem", "")).versions(version).cipher_suites(DOCUMENT_CIPHERS);
    builder.allow(Deviation::X509V1).allow(Deviation::CommonName);
    if is_mutual {
        builder.identity(certificate_and_key(files(), "client-cert.pem", "client-key.pem", ""));
    }
    builder
}

#[test]
fn emqx_listener_serves_mosquitto_clients_one_way_and_mutual() {
    // To Mosquitto a version is the least that it accepts.
    for (version, versions) in [("TLSv1.2", r#"["tlsv1.2"]"#), ("TLSv1.3", DOCUMENT_VERSIONS)] {
        let options = format!("--cafile cacert.pem --tls-version {}", version.to_lowercase());
        let seen = mosquitto::publisher(&listener_of(versions, false), files(), &options).went_well(version);
        assert_eq!(seen.server_name, "localhost");
        assert_eq!(seen.subject, "");

        let options = format!("{options} --cert client-cert.pem --key client-key.pem");
        let seen = mosquitto::publisher(&listener_of(versions, true), files(), &options).went_well(version);
        assert_eq!(seen.subject, "CN=client-1,O=EMQX");
        assert_eq!(seen.deviations, [Deviation::X509V1]);
    }
}

#[test]
fn emqx_client_reaches_mosquitto_brokers_one_way_and_mutual() {
    for version in VERSIONS {
        let settings = "certfile cert.pem\nkeyfile key.pem\n";
        let context = client(version, false).build().unwrap();
        let seen = mosquitto::broker(&context, Some("localhost"), files(), settings).went_well(version);
        assert_eq!(seen.subject, "CN=localhost,O=EMQX");
        assert_eq!(seen.deviations, [Deviation::X509V1, Deviation::CommonName]);

        let asking = "cafile cacert.pem\nrequire_certificate true\nuse_identity_as_username true\n";
        let context = client(version, true).build().unwrap();
        let meeting = mosquitto::broker(&context, Some("localhost"), files(), &format!("{settings}{asking}"));
        meeting.went_well(version);
        meeting.assert_printed("as recipe (p2, c1, k60, u'client-1')");
    }
}

#[test]
fn emqx_listener_serves_openssl_clients_one_way_and_mutual() {
    for (version, suite) in
        [("TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"), ("TLSv1.3", "TLS_AES_256_GCM_SHA384")]
    {
        let arguments = format!("-CAfile cacert.pem -verify_hostname localhost {}", only(version));
        let seen = openssl::client(&listener(false), files(), &arguments).went_well(version);
        // The server's list is the order of preference.
        assert_eq!(seen.suite, suite);

        let arguments = format!("{arguments} -cert client-cert.pem -key client-key.pem");
        let seen = openssl::client(&listener(true), files(), &arguments).went_well(version);
        assert_eq!(seen.subject, "CN=client-1,O=EMQX");
    }
}

#[test]
fn emqx_client_reaches_openssl_servers_one_way_and_mutual() {
    for version in VERSIONS {
        let arguments = format!("-cert cert.pem -key key.pem {}", only(version));
        let context = client(version, false).build().unwrap();
        openssl::server(&context, Some("localhost"), files(), &arguments).went_well(version);

        let arguments = format!("{arguments} -Verify 1 -CAfile cacert.pem");
        let context = client(version, true).build().unwrap();
        let meeting = openssl::server(&context, Some("localhost"), files(), &arguments);
        meeting.went_well(version);
        meeting.assert_printed("subject=O = EMQX, CN = client-1");
    }
}

#[test]
fn emqx_lists_leave_what_is_served_and_say_why_the_rest_is_not() {
    let context = listener(false);
    let suites = [
        "TLS_AES_256_GCM_SHA384",
        "TLS_AES_128_GCM_SHA256",
        "TLS_CHACHA20_POLY1305_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    ];
    assert_eq!(context.cipher_suites(), suites);
    let named = DOCUMENT_CIPHERS.split_whitespace().count();
    // The two old versions and every other suite.
    assert_eq!(context.not_served().len(), named - suites.len() + 2);
    assert!(context.not_served().iter().all(|line| !line.reason.is_empty()));
    assert_eq!(
        context.not_served()[..2].iter().map(|line| line.name.as_str()).collect::<Vec<_>>(),
        ["tlsv1.1", "tlsv1"]
    );
}

#[test]
fn emqx_psk_listener_is_refused_by_name_when_the_context_is_built() {
    let mut builder = ContextBuilder::new();
    builder.identity(certificate_and_key(files(), "cert.pem", "key.pem", ""));
    let error = builder.versions(r#"["tlsv1.2"]"#).cipher_suites(PSK_CIPHERS).build().unwrap_err();
    assert_eq!(error.code(), Code::NoCipherSuite);
    for name in PSK_CIPHERS.split(',') {
        assert!(error.detail().contains(name), "{name}: {error}");
    }
}

#[test]
fn emqx_certificates_are_refused_with_their_reason_when_no_switch_is_set() {
    let mut builder = ContextBuilder::new();
    let context = builder.trust(trust(files(), "cacert.pem", "")).build().unwrap();
    let meeting = openssl::server(&context, Some("localhost"), files(), "-cert cert.pem -key key.pem");
    let error = meeting.failed(Code::CertVersionUnsupported);
    assert!(!error.hint().is_empty());
    meeting.assert_printed("alert unsupported certificate");
}

#[test]
fn emqx_sni_of_null_means_that_the_name_is_not_checked() {
    let mut builder = client("TLSv1.3", false);
    let arguments = "-cert cert.pem -key key.pem";
    let meeting = openssl::server(&builder.build().unwrap(), Some("emqx.example.com"), files(), arguments);
    meeting.failed(Code::CertNameMismatch);
    meeting.assert_printed("alert bad certificate");

    let context = builder.insecure_skip_server_name(true).build().unwrap();
    openssl::server(&context, None, files(), arguments).went_well("TLSv1.3");
}
