//! The identity that a server shows: by the name that the client asks for, then by what the client can verify.

use brokertls::certificate::CertificateFacts;
use brokertls::{Code, Context, IdentitySource, Source};

use crate::rig::pair::{Authority, Pair, context};

/// The key's kind and the common name of the certificate that the server shows.
fn shown(server: &Context, client: &Context, host: &str) -> (String, String) {
    let pair = Pair::connect(server, client, host);
    let facts = CertificateFacts::from_der(&pair.client.peer_chain()[0]).unwrap();
    (facts.key.clone(), facts.common_name().unwrap_or_default().to_owned())
}

#[test]
fn server_name_chooses_the_identity_and_the_first_is_for_all_others() {
    let authority = Authority::new("ca");
    let server = context(|builder| {
        builder.identity(authority.identity(&["one.example.com", "shared.example.com"]));
        builder.identity(authority.identity(&["two.example.com", "shared.example.com"]));
        builder.identity(authority.identity(&["*.wild.example.com"]))
    });
    let client = context(|builder| builder.trust(authority.trust()).insecure_skip_server_name(true));
    let names = [
        ("one.example.com", "one.example.com"),
        ("two.example.com", "two.example.com"),
        ("TWO.example.com", "two.example.com"),
        ("shared.example.com", "one.example.com"),
        ("any.wild.example.com", "*.wild.example.com"),
        ("a.b.wild.example.com", "one.example.com"),
        ("unknown.example.com", "one.example.com"),
        ("192.0.2.1", "one.example.com"),
    ];
    for (host, common_name) in names {
        assert_eq!(shown(&server, &client, host).1, common_name, "{host}");
    }
}

#[test]
fn server_knows_the_name_that_was_asked_for() {
    let authority = Authority::new("ca");
    let server = context(|builder| builder.identity(authority.identity(&["broker"])));
    let client = context(|builder| builder.trust(authority.trust()).insecure_skip_server_name(true));
    assert_eq!(Pair::connect(&server, &client, "broker").server.server_name(), Some("broker"));
    assert_eq!(Pair::connect(&server, &client, "192.0.2.1").server.server_name(), None, "addresses are never sent");
}

#[test]
fn server_knows_the_name_that_a_refused_client_asked_for() {
    let authority = Authority::new("ca");
    let server = context(|builder| builder.identity(authority.identity(&["broker"])).versions("TLSv1.3"));
    let client = context(|builder| builder.trust(authority.trust()).versions("TLSv1.2"));
    let mut pair = Pair::new(&server, &client, "broker");
    assert_eq!(pair.run().server.unwrap_err().code(), Code::NoCommonVersion);
    assert_eq!(pair.server.server_name(), None, "the version is refused before the name is read");

    let server = context(|builder| builder.identity(authority.identity(&["broker"])).versions("TLSv1.2"));
    let client = context(|builder| builder.trust(authority.trust()).cipher_suites("ECDHE-RSA-AES128-GCM-SHA256"));
    let mut pair = Pair::new(&server, &client, "broker");
    assert_eq!(pair.run().server.unwrap_err().code(), Code::NoCommonCipherSuite);
    assert_eq!(pair.server.server_name(), Some("broker"));
}

/// An identity from this PEM text.
pub(crate) fn from_pem(pem: &str) -> IdentitySource {
    IdentitySource::new(Source::memory("identity.pem", pem.as_bytes()))
}

#[test]
fn rsa_beside_ecdsa_is_chosen_by_the_suites_of_the_client() {
    let authority = Authority::new("ca");
    let server = context(|builder| {
        builder
            .identity(authority.identity(&["broker"]))
            .identity(from_pem(&authority.issue_rsa("broker")))
            .versions("TLSv1.2")
    });
    let client = |suites| context(|builder| builder.trust(authority.trust()).versions("TLSv1.2").cipher_suites(suites));
    assert_eq!(shown(&server, &client("ECDHE-ECDSA-AES128-GCM-SHA256"), "broker").0, "EC P-256");
    assert_eq!(shown(&server, &client("ECDHE-RSA-AES128-GCM-SHA256"), "broker").0, "RSA 2048");
    assert_eq!(shown(&server, &client("HIGH"), "broker").0, "EC P-256", "the order of the configuration");
}
