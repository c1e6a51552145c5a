//! amqplib's "Common problems": what each end says when a connection of the guide goes wrong, in both directions.

use std::process::Command;

use brokertls::{ClientAuth, Code, Context, ContextBuilder};

use crate::amqplib::{SERVER, VERIFY_PEER, WITH_CERTIFICATE, WITHOUT_CERTIFICATE, broker, certificate, files};
use crate::ours::{self, Meeting};
use crate::process::Running;
use crate::settings::{certificate_and_key, trust};
use crate::{VERSIONS, node, openssl};

/// A client of ours that trusts the CA.
fn client(version: &str) -> ContextBuilder {
    let mut builder = ContextBuilder::new();
    builder.trust(trust(files(), "cacert.pem", "")).versions(version);
    builder
}

/// A broker of ours with the certificate of another host.
fn broker_elsewhere(version: &str) -> Context {
    let mut builder = ContextBuilder::new();
    builder.identity(certificate_and_key(files(), "elsewhere_chain.pem", "elsewhere.key", "")).versions(version);
    builder.build().unwrap()
}

/// Node looks at the certificate when its side of the handshake is complete, and then leaves without an alert or a
/// close_notify.
#[track_caller]
fn assert_left_without_a_word(meeting: &Meeting) {
    let code = meeting.ours.as_ref().expect_err("the conversation went well").code();
    // Which of them depends on the version, and on whether something of ours was on its way to it.
    assert!(matches!(code, Code::HandshakeEof | Code::Truncated | Code::ConnectionReset), "{code:?}");
    let error = meeting.failed(code);
    assert!(error.hint().contains("this side's certificate"), "{}", error.hint());
}

#[test]
fn self_signed_cert_in_chain_is_what_clients_without_the_ca_say() {
    for version in VERSIONS {
        // "Check that you're supplying the right CA certificate in the ca option": here, none.
        let meeting = node::client(&broker(version, false), files(), "var opts = {};");
        meeting.assert_printed("code: 'SELF_SIGNED_CERT_IN_CHAIN'");
        assert_left_without_a_word(&meeting);

        let mut builder = ContextBuilder::new();
        let context = builder.trust(trust(files(), "other/cacert.pem", "")).versions(version).build().unwrap();
        let meeting = node::server(&context, Some("localhost"), files(), SERVER);
        let error = meeting.failed(Code::CertSelfSignedInChain);
        assert!(error.detail().contains("CN=MyTestCA"), "{error}");
        meeting.assert_printed("alert unknown ca");
    }
}

#[test]
fn name_that_does_not_match_is_refused_with_the_names_that_are_there() {
    for version in VERSIONS {
        let meeting = node::client(&broker_elsewhere(version), files(), WITHOUT_CERTIFICATE);
        meeting.assert_printed("Hostname/IP does not match certificate's altnames");
        meeting.assert_printed("DNS:rabbit.example.com");
        assert_left_without_a_word(&meeting);

        let server = SERVER.replace("server", "elsewhere");
        let meeting = node::server(&client(version).build().unwrap(), Some("localhost"), files(), &server);
        let error = meeting.failed(Code::CertNameMismatch);
        assert!(error.detail().contains("localhost is not among its names, DNS:rabbit.example.com"), "{error}");
        meeting.assert_printed("alert bad certificate");
    }
}

#[test]
fn s_client_shows_the_certificate_that_a_client_refuses() {
    // The document's tool for looking at what the server says.
    let meeting = openssl::client(&broker_elsewhere("TLSv1.3"), files(), "-CAfile cacert.pem");
    meeting.went_well("TLSv1.3");
    meeting.assert_printed("subject=CN = rabbit.example.com");
}

#[test]
fn missing_client_certificate_is_a_handshake_failure_in_the_words_of_the_version() {
    for (version, words) in [("TLSv1.2", "handshake failure"), ("TLSv1.3", "certificate required")] {
        let meeting = node::client(&broker(version, true), files(), WITHOUT_CERTIFICATE);
        meeting.failed(Code::CertMissing);
        meeting.assert_printed(words);
    }
    let alerts = [("TLSv1.2", Code::AlertHandshakeFailure), ("TLSv1.3", Code::AlertCertificateRequired)];
    for (version, alert) in alerts {
        let context = client(version).build().unwrap();
        let meeting = node::server(&context, Some("localhost"), files(), &format!("{SERVER}{VERIFY_PEER}"));
        meeting.failed(alert);
        meeting.assert_printed("peer did not return a certificate");
    }
}

#[test]
fn client_certificate_of_an_unknown_ca_is_refused_with_unknown_ca() {
    for version in VERSIONS {
        let stranger = "
var opts = {
  cert: fs.readFileSync('other/client.pem'),
  key: fs.readFileSync('other/client.key'),
  ca: [fs.readFileSync('cacert.pem')]
};";
        let meeting = node::client(&broker(version, true), files(), stranger);
        let error = meeting.failed(Code::CertUnknownIssuer);
        assert!(error.detail().contains("CN=stranger"), "{error}");
        assert!(error.detail().contains("CN=AnotherCA"), "{error}");
        meeting.assert_printed("alert unknown ca");

        let chain = stranger.replace("other/client.pem", "other/client_chain.pem");
        let meeting = node::client(&broker(version, true), files(), &chain);
        meeting.failed(Code::CertSelfSignedInChain);
        meeting.assert_printed("alert unknown ca");

        // Our client's CA is unknown to the server.
        let server = "-cert server_chain.pem -key server.key -Verify 1 -CAfile other/cacert.pem";
        let context = client(version).identity(certificate()).build().unwrap();
        let meeting = openssl::server(&context, Some("localhost"), files(), server);
        meeting.failed(Code::AlertUnknownCa);
        meeting.assert_printed("certificate verify failed");
    }
}

#[test]
fn connection_that_is_refused_is_told_with_what_to_check() {
    // No process listens on a port that was just given up.
    let port = ours::listener().1;
    let mut command = Command::new(env!("CARGO_BIN_EXE_brokertls"));
    command.args(["connect", &format!("127.0.0.1:{port}"), "--trust", "cacert.pem"]).current_dir(files().path());
    let finished = Running::start(&mut command).finish();
    assert_eq!(finished.status.code(), Some(1));
    assert!(finished.text.contains("BTLS_CONNECTION_REFUSED (706)"), "{}", finished.text);
    assert!(finished.text.contains(Code::ConnectionRefused.hint()), "{}", finished.text);

    let peer = node::start(files(), &format!("{WITH_CERTIFICATE}\npeer.connect('amqps://127.0.0.1:{port}', opts);"));
    let text = peer.finish().text;
    assert!(text.contains("Error: connect ECONNREFUSED"), "{text}");
}

#[test]
fn broker_that_only_wants_a_certificate_lets_clients_in_without() {
    // `verify_peer` without `fail_if_no_peer_cert`.
    let mut builder = ContextBuilder::new();
    builder.identity(certificate_and_key(files(), "server_chain.pem", "server.key", ""));
    builder.trust(trust(files(), "cacert.pem", "")).client_auth(ClientAuth::Want);
    let context = builder.build().unwrap();
    assert_eq!(node::client(&context, files(), WITHOUT_CERTIFICATE).went_well("TLSv1.3").subject, "");
    assert_eq!(node::client(&context, files(), WITH_CERTIFICATE).went_well("TLSv1.3").subject, "CN=client");
}
