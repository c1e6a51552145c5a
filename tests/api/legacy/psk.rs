//! Pre-shared keys: devices with a secret in place of a certificate.

use brokertls::policy::LegacyAllowed;
use brokertls::{Code, Context, ContextBuilder, Source};

use super::world::{World, library};

const KEYS: &str = "myclient1:8c701116e9127c57a99d5563709af3de\nmyclient2:d1e617d3b963757bfc21dad3fea16971\n";
const SECRET: &str = "8c701116e9127c57a99d5563709af3de";

/// A context without a certificate, as in the recipe of EMQX.
fn keys_alone() -> Context {
    let mut builder = ContextBuilder::new();
    builder.legacy_engine(true).legacy_library(library()).psk_file(Source::memory("init.psk", KEYS.as_bytes()));
    builder.versions("tlsv1.2").build().unwrap()
}

#[test]
fn client_with_a_known_secret_is_served_and_its_identity_is_a_fact() {
    let world = World::new("psk");
    let context = keys_alone();
    for (offer, suite) in [
        ("PSK-AES128-CBC-SHA", "TLS_PSK_WITH_AES_128_CBC_SHA"),
        ("PSK-AES256-GCM-SHA384", "TLS_PSK_WITH_AES_256_GCM_SHA384"),
        ("ECDHE-PSK-AES128-CBC-SHA256", "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256"),
        ("DHE-PSK-AES256-GCM-SHA384", "TLS_DHE_PSK_WITH_AES_256_GCM_SHA384"),
    ] {
        let met = world.meet(&context, &format!("-tls1_2 -cipher {offer} -psk_identity myclient1 -psk {SECRET}"));
        let seen = met.went_well();
        assert_eq!((seen.suite.as_str(), seen.psk_identity.as_str()), (suite, "myclient1"));
    }
}

#[test]
fn wrong_secret_and_unknown_identity_look_alike_on_the_wire_and_not_in_the_log() {
    let world = World::new("psk-wrong");
    let context = keys_alone();
    let offer = "-tls1_2 -cipher PSK-AES128-CBC-SHA";
    let wrong = world.meet(&context, &format!("{offer} -psk_identity myclient1 -psk 00ff"));
    let unknown = world.meet(&context, &format!("{offer} -psk_identity stranger -psk {SECRET}"));
    let detail = wrong.failed(Code::PskRefused, 20).detail().to_owned();
    assert_eq!(detail, "\"myclient1\": its secret is another one");
    assert_eq!(unknown.failed(Code::PskRefused, 20).detail(), "\"stranger\": the identity is not known");
}

#[test]
fn context_with_a_certificate_and_secrets_serves_both_kinds_of_clients() {
    let world = World::new("psk-both");
    let mut builder = world.builder();
    builder.legacy_allow(LegacyAllowed { rsa_key_exchange: true, ..LegacyAllowed::default() });
    let context = builder.psk_file(Source::memory("init.psk", KEYS.as_bytes())).build().unwrap();
    let device = format!("-psk_identity myclient1 -psk {SECRET}");
    let met = world.meet(&context, &format!("-tls1_2 -cipher RSA-PSK-AES256-GCM-SHA384 {device}"));
    let seen = met.went_well();
    assert_eq!((seen.suite.as_str(), seen.psk_identity.as_str()), ("TLS_RSA_PSK_WITH_AES_256_GCM_SHA384", "myclient1"));
    let met = world.meet(&context, "-tls1_3");
    assert_eq!(met.went_well().psk_identity, "");
}

#[test]
fn list_of_suites_with_pre_shared_keys_alone_is_served_in_its_order() {
    let world = World::new("psk-list");
    let mut builder = ContextBuilder::new();
    builder.legacy_engine(true).legacy_library(library()).psk_file(Source::memory("init.psk", KEYS.as_bytes()));
    builder.versions("tlsv1.2").cipher_suites("PSK-AES256-GCM-SHA384,PSK-AES128-GCM-SHA256,RSA-PSK-RC4-SHA");
    let context = builder.build().unwrap();
    let names = ["TLS_PSK_WITH_AES_256_GCM_SHA384", "TLS_PSK_WITH_AES_128_GCM_SHA256"];
    assert_eq!(context.cipher_suites(), names);
    assert_eq!(context.versions(), ["TLSv1.2"]);
    let offer = "PSK-AES128-GCM-SHA256:PSK-AES256-GCM-SHA384";
    let met = world.meet(&context, &format!("-tls1_2 -cipher {offer} -psk_identity myclient1 -psk {SECRET}"));
    assert_eq!(met.went_well().suite, names[0]);
}
