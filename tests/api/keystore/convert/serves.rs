//! Contexts that are made from what a conversion wrote, and connections between them.

use brokertls::{ClientAuth, Context, IdentitySource, Source, TrustSource};

use super::super::password;
use super::converted;
use crate::rig::pair::{Authority, Pair, context};

/// An identity from a converted PKCS#12 store, in one of the forms that operators have.
type Form<'a> = dyn Fn(&[u8]) -> IdentitySource + 'a;

/// A server that wants the certificates of clients, and its client: each has an identity and the trust store.
fn sides(identities: [IdentitySource; 2], trust: &TrustSource) -> [Context; 2] {
    let [server, client] = identities;
    let server = context(|builder| builder.identity(server).trust(trust.clone()).client_auth(ClientAuth::Need));
    [server, context(|builder| builder.identity(client).trust(trust.clone()))]
}

#[test]
fn broker_and_client_with_converted_stores_accept_each_other_and_refuse_strangers() {
    let (ca, other) = (Authority::new("ca"), Authority::new("other"));
    let new = [("to", "pkcs12"), ("out-password", "pass:new")];
    let from = ("password", "pass:new");
    let server = converted(ca.issue(&["broker.example"], |_| {}).as_bytes(), &new).content;
    let client = converted(ca.issue(&["client.example"], |_| {}).as_bytes(), &new).content;
    let stranger = converted(other.issue(&["client.example"], |_| {}).as_bytes(), &new).content;
    let trust = converted(ca.pem().as_bytes(), &new).content;
    let in_pkcs12 = |content: &[u8]| {
        let mut source = IdentitySource::new(Source::memory("identity.p12", content));
        source.options = password("new");
        source
    };
    let in_pem = |content: &[u8]| {
        let text = converted(content, &[from, ("to", "pem")]);
        IdentitySource::new(Source::memory("identity.pem", text.content.reveal()))
    };
    let in_two_files = |content: &[u8]| {
        let [key, chain] =
            ["key", "chain"].map(|part| converted(content, &[from, ("to", "pem"), ("part", part)]).content);
        let mut source = IdentitySource::new(Source::memory("chain.pem", chain.reveal()));
        source.key = Some(Source::memory("key.pem", key.reveal()));
        source
    };
    let trust_in_pkcs12 =
        TrustSource::Store { source: Source::memory("trust.p12", trust.reveal()), options: password("new") };
    let text = converted(trust.reveal(), &[from, ("to", "pem")]).content;
    let trust_in_pem = TrustSource::store(Source::memory("trust.pem", text.reveal()));
    let forms: [&Form<'_>; 3] = [&in_pkcs12, &in_pem, &in_two_files];
    for form in forms {
        for trust in [&trust_in_pkcs12, &trust_in_pem] {
            let [broker, peer] = sides([form(server.reveal()), form(client.reveal())], trust);
            Pair::connect(&broker, &peer, "broker.example");
            let [broker, peer] = sides([form(server.reveal()), form(stranger.reveal())], trust);
            let ended = Pair::new(&broker, &peer, "broker.example").run();
            let error = ended.server.unwrap_err();
            assert_eq!(error.code(), brokertls::error::Code::CertUnknownIssuer, "{error:?}");
        }
    }
}
