//! Pre-shared keys in TLS 1.2 (RFC 4279, RFC 5489).

use brokertls::{Code, PskFormat, Source};

use super::super::world::World;
use super::{DEVICE, KEYS, RSA, SECRET, hex, keys_alone, keys_of};

/// The suites of EMQX's document with a pre-shared key, but for RSA-PSK-RC4-SHA.
const EMQX: [(&str, &str); 12] = [
    ("PSK-AES256-GCM-SHA384", "TLS_PSK_WITH_AES_256_GCM_SHA384"),
    ("PSK-AES128-GCM-SHA256", "TLS_PSK_WITH_AES_128_GCM_SHA256"),
    ("PSK-AES256-CBC-SHA384", "TLS_PSK_WITH_AES_256_CBC_SHA384"),
    ("PSK-AES256-CBC-SHA", "TLS_PSK_WITH_AES_256_CBC_SHA"),
    ("PSK-AES128-CBC-SHA256", "TLS_PSK_WITH_AES_128_CBC_SHA256"),
    ("PSK-AES128-CBC-SHA", "TLS_PSK_WITH_AES_128_CBC_SHA"),
    ("RSA-PSK-AES256-GCM-SHA384", "TLS_RSA_PSK_WITH_AES_256_GCM_SHA384"),
    ("RSA-PSK-AES256-CBC-SHA384", "TLS_RSA_PSK_WITH_AES_256_CBC_SHA384"),
    ("RSA-PSK-AES128-GCM-SHA256", "TLS_RSA_PSK_WITH_AES_128_GCM_SHA256"),
    ("RSA-PSK-AES128-CBC-SHA256", "TLS_RSA_PSK_WITH_AES_128_CBC_SHA256"),
    ("RSA-PSK-AES256-CBC-SHA", "TLS_RSA_PSK_WITH_AES_256_CBC_SHA"),
    ("RSA-PSK-AES128-CBC-SHA", "TLS_RSA_PSK_WITH_AES_128_CBC_SHA"),
];

/// The list and the file of EMQX's document.
const EMQX_LIST: &str = "PSK-AES256-GCM-SHA384,PSK-AES128-GCM-SHA256,PSK-AES256-CBC-SHA384,PSK-AES256-CBC-SHA,\
    PSK-AES128-CBC-SHA256,PSK-AES128-CBC-SHA,RSA-PSK-AES256-GCM-SHA384,RSA-PSK-AES256-CBC-SHA384,\
    RSA-PSK-AES128-GCM-SHA256,RSA-PSK-AES128-CBC-SHA256,RSA-PSK-AES256-CBC-SHA,RSA-PSK-AES128-CBC-SHA,RSA-PSK-RC4-SHA";
const EMQX_FILE: &str = "myclient1:8c701116e9127c57a99d5563709af3deaca75563e2c4dd0865701ae839fb6d79\n\
    myclient2:d1e617d3b963757bfc21dad3fea169716c3a2f053f23decaea5cdfaabd04bfc4\n";
const EMQX_SECRET: &str = "8c701116e9127c57a99d5563709af3deaca75563e2c4dd0865701ae839fb6d79";

#[test]
fn recipe_of_emqx_serves_each_of_its_suites_and_the_secret_is_the_text_of_the_line() {
    let world = World::new("psk-emqx");
    let mut builder = world.builder();
    builder
        .legacy_allow(RSA)
        .psk_file(keys_of(EMQX_FILE))
        .psk_format(PskFormat::Text)
        .versions("tlsv1.2")
        .cipher_suites(EMQX_LIST);
    let context = builder.build().unwrap();
    assert_eq!(context.cipher_suites(), EMQX.map(|(_, name)| name));
    for (offer, suite) in EMQX {
        let device = format!("-psk_identity myclient1 -psk {}", hex(EMQX_SECRET));
        let met = world.meet(&context, &format!("-tls1_2 -cipher {offer}:@SECLEVEL=0 {device}"));
        let seen = met.went_well();
        assert_eq!((seen.suite.as_str(), seen.psk_identity.as_str()), (suite, "myclient1"));
    }
}

#[test]
fn client_is_served_by_every_kind_of_exchange_with_a_key_and_its_identity_is_a_fact() {
    let world = World::new("psk");
    let context = keys_alone(KEYS).versions("tlsv1.2").build().unwrap();
    for (offer, suite) in [
        ("PSK-AES128-CBC-SHA", "TLS_PSK_WITH_AES_128_CBC_SHA"),
        ("PSK-CHACHA20-POLY1305", "TLS_PSK_WITH_CHACHA20_POLY1305_SHA256"),
        ("ECDHE-PSK-AES128-CBC-SHA256", "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256"),
        ("ECDHE-PSK-CHACHA20-POLY1305", "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256"),
        ("DHE-PSK-AES256-GCM-SHA384", "TLS_DHE_PSK_WITH_AES_256_GCM_SHA384"),
    ] {
        let met = world.meet(&context, &format!("-tls1_2 -cipher {offer} {DEVICE}"));
        let seen = met.went_well();
        assert_eq!((seen.suite.as_str(), seen.psk_identity.as_str()), (suite, "myclient1"));
    }
}

#[test]
fn group_of_dhe_psk_has_at_least_2048_bits() {
    let world = World::new("psk-dhe");
    let context = keys_alone(KEYS).versions("tlsv1.2").build().unwrap();
    for (offer, bits) in [("DHE-PSK-AES128-CBC-SHA", 2048), ("DHE-PSK-AES256-GCM-SHA384", 2048)] {
        let met = world.meet(&context, &format!("-tls1_2 -cipher {offer} {DEVICE}"));
        met.went_well();
        assert!(met.theirs.contains(&format!("Server Temp Key: DH, {bits} bits\n")), "{}", met.theirs);
    }
}

#[test]
fn wrong_secret_and_unknown_identity_get_the_same_alert_and_differ_in_the_error_alone() {
    let world = World::new("psk-wrong");
    let context = keys_alone(KEYS).versions("tlsv1.2").build().unwrap();
    for offer in ["PSK-AES128-CBC-SHA", "PSK-AES256-GCM-SHA384", "DHE-PSK-AES128-GCM-SHA256"] {
        let offer = format!("-tls1_2 -cipher {offer}");
        let wrong = world.meet(&context, &format!("{offer} -psk_identity myclient1 -psk 00ff"));
        let unknown = world.meet(&context, &format!("{offer} -psk_identity stranger -psk {SECRET}"));
        assert_eq!(wrong.failed(Code::PskRefused, 20).detail(), "\"myclient1\": its secret is another one");
        assert_eq!(unknown.failed(Code::PskRefused, 20).detail(), "\"stranger\": the identity is not known");
    }
}

#[test]
fn identity_of_a_handshake_that_has_failed_is_no_fact() {
    let world = World::new("psk-unproven");
    let context = keys_alone(KEYS).versions("tlsv1.2").build().unwrap();
    let offer = "-tls1_2 -cipher PSK-AES128-CBC-SHA";
    for device in ["-psk_identity myclient1 -psk 00ff".to_owned(), format!("-psk_identity stranger -psk {SECRET}")] {
        let met = world.meet(&context, &format!("{offer} {device}"));
        assert_eq!(met.failed(Code::PskRefused, 20).code(), Code::PskRefused);
        assert_eq!(met.facts.psk_identity, "");
    }
}

#[test]
fn longest_identity_of_a_client_is_refused_as_an_unknown_one() {
    let world = World::new("psk-long-identity");
    let context = keys_alone(KEYS).versions("tlsv1.2").build().unwrap();
    let long = "i".repeat(255);
    let met = world.meet(&context, &format!("-tls1_2 -cipher PSK-AES128-CBC-SHA -psk_identity {long} -psk {SECRET}"));
    met.failed(Code::PskRefused, 20);
    assert_eq!(met.facts.psk_identity, "");
}

#[test]
fn client_without_a_suite_for_keys_is_refused_by_a_context_with_keys_alone() {
    let world = World::new("psk-no-suite");
    let context = keys_alone(KEYS).build().unwrap();
    world.meet(&context, "-tls1_2 -cipher ECDHE-RSA-AES128-GCM-SHA256").failed(Code::NoCommonCipherSuite, 40);
}

#[test]
fn hint_of_the_context_reaches_the_client() {
    let world = World::new("psk-hint");
    let context = keys_alone(KEYS).psk_hint("broker-7").build().unwrap();
    let met = world.meet(&context, &format!("-tls1_2 -cipher PSK-AES128-CBC-SHA {DEVICE}"));
    met.went_well();
    assert!(met.theirs.contains("PSK identity hint: broker-7"), "{}", met.theirs);
    for hint in ["", "a\0b", &"h".repeat(129)] {
        let error = keys_alone(KEYS).psk_hint(hint).build().unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument, "{hint:?}");
    }
}

#[test]
fn file_in_the_form_of_another_broker_is_guessed_in_the_hint() {
    let world = World::new("psk-other-form");
    let offer = "-tls1_2 -cipher PSK-AES128-CBC-SHA -psk_identity myclient1";
    // The file is EMQX's, and this side reads digits.
    let digits = keys_alone(KEYS).build().unwrap();
    let met = world.meet(&digits, &format!("{offer} -psk {}", hex(SECRET)));
    assert!(met.failed(Code::PskRefused, 20).hint().contains("set psk-format to text"));
    // The file is mosquitto's, and this side reads text.
    let text = keys_alone(KEYS).psk_format(PskFormat::Text).build().unwrap();
    let met = world.meet(&text, &format!("{offer} -psk {SECRET}"));
    assert!(met.failed(Code::PskRefused, 20).hint().contains("set psk-format to hex"));
    // An unknown identity has no such reason.
    let met = world.meet(&digits, &format!("-tls1_2 -cipher PSK-AES128-CBC-SHA -psk_identity x -psk {SECRET}"));
    assert!(!met.failed(Code::PskRefused, 20).hint().contains("psk-format"));
}

#[test]
fn resumed_session_has_the_identity_of_its_key_as_long_as_that_is_known() {
    let world = World::new("psk-resumed");
    let path = world.file("init.psk");
    std::fs::write(&path, KEYS).unwrap();
    let mut builder = world.builder();
    let context = builder.psk_file(Source::file(&path)).build().unwrap();
    let offer = format!("-tls1_2 -cipher ECDHE-PSK-AES128-CBC-SHA {DEVICE}");
    let first = world.meet(&context, &format!("{offer} -sess_out session.pem"));
    assert_eq!(first.went_well().psk_identity, "myclient1");
    let again = format!("{offer} -sess_in session.pem");
    let met = world.meet(&context, &again);
    assert_eq!(met.went_well().psk_identity, "myclient1");
    assert!(met.theirs.contains("Reused, TLSv1"), "{}", met.theirs);
    // The key is gone, so the session is too: the full handshake refuses the client.
    std::fs::write(&path, format!("other:{SECRET}\n")).unwrap();
    context.reload().unwrap();
    assert_eq!(
        world.meet(&context, &again).failed(Code::PskRefused, 20).detail(),
        "\"myclient1\": the identity is not known"
    );
}
