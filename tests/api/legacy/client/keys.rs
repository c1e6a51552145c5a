//! Servers with a pre-shared key.

use brokertls::Code;

use super::super::world::World;
use super::{WITH_KEY, meet, with_key};
use crate::rig::pair::Pair;

#[test]
fn client_with_a_key_meets_each_kind_of_exchange_and_its_identity_is_a_fact() {
    let world = World::new("client-psk");
    let context = with_key().build().unwrap();
    for (offer, suite) in [
        ("PSK-AES128-CBC-SHA", "TLS_PSK_WITH_AES_128_CBC_SHA"),
        ("PSK-AES256-GCM-SHA384", "TLS_PSK_WITH_AES_256_GCM_SHA384"),
        ("DHE-PSK-AES128-GCM-SHA256", "TLS_DHE_PSK_WITH_AES_128_GCM_SHA256"),
        ("ECDHE-PSK-AES128-CBC-SHA256", "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256"),
        ("ECDHE-PSK-CHACHA20-POLY1305", "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256"),
    ] {
        let met = meet(&world, &context, &format!("-nocert -tls1_2 -cipher {offer} {WITH_KEY}"));
        let seen = met.went_well();
        assert_eq!((seen.version.as_str(), seen.suite.as_str()), ("TLSv1.2", suite));
        assert_eq!((seen.psk_identity.as_str(), seen.peers), ("device", 0));
    }
}

#[test]
fn client_with_a_key_meets_a_server_of_tls13() {
    let world = World::new("client-psk-13");
    let context = with_key().build().unwrap();
    let met = meet(&world, &context, &format!("-nocert -tls1_3 {WITH_KEY}"));
    let seen = met.went_well();
    assert_eq!((seen.version.as_str(), seen.psk_identity.as_str(), seen.peers), ("TLSv1.3", "device", 0));
}

#[test]
fn two_contexts_of_ours_meet_by_a_key_on_both_sides() {
    let client = with_key().build().unwrap();
    for (version, suites) in [("tlsv1.3", "ALL"), ("tlsv1.2", "ECDHE-PSK-AES128-CBC-SHA256"), ("tlsv1", "kPSK")] {
        let mut builder = with_key();
        let server = builder.versions(version).cipher_suites(suites).build().unwrap();
        let mut both = with_key();
        let client = if version == "tlsv1" { both.versions(version).build().unwrap() } else { client.clone() };
        let pair = Pair::connect(&server, &client, "broker");
        assert_eq!(
            (pair.client.psk_identity(), pair.server.psk_identity()),
            (Some(&b"device"[..]), Some(&b"device"[..]))
        );
        assert_eq!(pair.client.cipher_suite(), pair.server.cipher_suite());
    }
}

#[test]
fn another_secret_is_refused_by_the_server_and_the_hint_names_the_identity() {
    let world = World::new("client-psk-wrong");
    let context = with_key().build().unwrap();
    for (version, code) in [("-tls1_2", Code::AlertBadRecordMac), ("-tls1_3", Code::AlertIllegalParameter)] {
        let met = meet(&world, &context, &format!("-nocert {version} -psk_identity device -psk 00ff"));
        assert!(met.failed(code).hint().contains("\"device\""), "{:?}", met.ours);
        assert_eq!(met.facts.psk_identity, "");
    }
}
