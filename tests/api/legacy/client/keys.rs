//! Servers with a pre-shared key.

use std::sync::{Arc, Mutex};

use brokertls::policy::LegacyAllowed;
use brokertls::{Code, ContextBuilder, Psk, PskClientCallback, PskHash};

use super::super::world::World;
use super::{SECRET, WITH_KEY, meet, secret, with_key, without_key};
use crate::rig::pair::Pair;

/// The switch of RSA-PSK.
const RSA: LegacyAllowed =
    LegacyAllowed { rsa_key_exchange: true, sha1_signatures: false, triple_des: false, dss: false };

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
        let mut builder = without_key();
        builder.psk(b"device", secret()).versions(version).cipher_suites(suites);
        let server = builder.build().unwrap();
        let mut both = with_key();
        let client = if version == "tlsv1" { both.versions(version).build().unwrap() } else { client.clone() };
        let pair = Pair::connect(&server, &client, "broker");
        let device = Some(&b"device"[..]);
        assert_eq!((pair.client.own_psk_identity(), pair.server.psk_identity()), (device, device));
        // The identity of this side names no peer.
        assert_eq!((pair.client.psk_identity(), pair.server.own_psk_identity()), (None, None));
        assert_eq!(pair.client.cipher_suite(), pair.server.cipher_suite());
    }
}

/// An attacker sends the connection of a broker back to its own listener (RFC 9257 section 4.1).
#[test]
fn connection_that_is_sent_back_to_its_own_context_is_refused() {
    for version in ["tlsv1.3", "tlsv1.2"] {
        let mut builder = with_key();
        let both = builder.versions(version).psk(b"sensor", secret()).build().unwrap();
        let ended = Pair::new(&both, &both, "broker").run();
        let error = ended.server.unwrap_err();
        assert_eq!(error.code(), Code::PskRefused, "{version}");
        assert!(error.detail().ends_with("the identity is not known"), "{error}");
        assert!(ended.client.is_err());
    }
}

#[test]
fn identity_of_the_most_bytes_is_sent_in_each_version() {
    let longest = [b'i'; 256];
    let context = |version: &str, is_client: bool| {
        let mut builder = without_key();
        builder.psk(&longest, secret()).versions(version);
        if is_client {
            builder.psk_identity(&longest);
        }
        builder.build().unwrap()
    };
    for version in ["tlsv1.3", "tlsv1.2", "tlsv1"] {
        let pair = Pair::connect(&context(version, false), &context(version, true), "broker");
        assert_eq!(pair.server.psk_identity(), Some(&longest[..]), "{version}");
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

#[test]
fn server_without_the_identity_refuses_it() {
    let world = World::new("client-psk-unknown");
    let context = with_key().build().unwrap();
    meet(&world, &context, &format!("-nocert -tls1_3 -psk_identity another -psk {SECRET}"))
        .failed(Code::AlertHandshakeFailure);
}

#[test]
fn server_of_ours_says_which_of_both_is_wrong_and_the_client_gets_one_alert() {
    for (identity, why) in [("device", "its secret is another one"), ("another", "the identity is not known")] {
        let mut builder = without_key();
        builder.versions("tlsv1.2");
        let server = builder.psk(identity.as_bytes(), Psk::new(&[7; 16]).unwrap()).build().unwrap();
        let client = with_key().build().unwrap();
        let ended = Pair::new(&server, &client, "broker").run();
        let error = ended.server.unwrap_err();
        assert_eq!((error.code(), error.detail()), (Code::PskRefused, format!("\"device\": {why}").as_str()));
        assert_eq!(ended.client.unwrap_err().code(), Code::AlertBadRecordMac);
    }
}

#[test]
fn server_with_a_certificate_alone_is_refused_by_a_client_that_has_only_a_key() {
    let world = World::new("client-psk-alone");
    std::fs::write(world.file("broker.pem"), world.authority.issue_rsa("broker")).unwrap();
    let context = with_key().build().unwrap();
    let met = meet(&world, &context, "-cert broker.pem -tls1_2 -cipher ECDHE-RSA-AES128-GCM-SHA256");
    met.failed(Code::AlertHandshakeFailure);
    meet(&world, &context, "-cert broker.pem -tls1_3").refused(Code::CertUnknownIssuer, 48);
}

#[test]
fn client_with_trust_and_a_key_is_served_by_either_and_the_identity_says_by_which() {
    let world = World::new("client-psk-both");
    std::fs::write(world.file("broker.pem"), world.authority.issue_rsa("broker")).unwrap();
    let context = with_key().trust(world.authority.trust()).build().unwrap();
    for (server, identity, peers) in [
        ("-cert broker.pem -tls1_3".to_owned(), "", 1),
        ("-cert broker.pem -tls1_2".to_owned(), "", 1),
        (format!("-nocert -tls1_2 {WITH_KEY}"), "device", 0),
        (format!("-cert broker.pem -tls1_3 {WITH_KEY}"), "device", 0),
    ] {
        let met = meet(&world, &context, &server);
        let seen = met.went_well();
        assert_eq!((seen.psk_identity.as_str(), seen.peers), (identity, peers), "{server}");
    }
    // The certificate is verified as without a key.
    meet(&world, &context, "-cert stranger.pem -tls1_2").refused(Code::CertUnknownIssuer, 48);
}

#[test]
fn server_of_rsa_psk_needs_the_key_and_a_certificate_that_is_accepted() {
    let world = World::new("client-rsa-psk");
    std::fs::write(world.file("broker.pem"), world.authority.issue_rsa("broker")).unwrap();
    std::fs::write(world.file("other.pem"), world.authority.issue_rsa("other")).unwrap();
    let context = with_key().legacy_allow(RSA).trust(world.authority.trust()).build().unwrap();
    let server = format!("-tls1_2 -cipher RSA-PSK-AES128-CBC-SHA256 {WITH_KEY}");
    let met = meet(&world, &context, &format!("-cert broker.pem {server}"));
    let seen = met.went_well();
    assert_eq!(seen.suite, "TLS_RSA_PSK_WITH_AES_128_CBC_SHA256");
    assert_eq!((seen.psk_identity.as_str(), seen.peers), ("device", 1));
    meet(&world, &context, &format!("-cert stranger.pem {server}")).refused(Code::CertUnknownIssuer, 48);
    meet(&world, &context, &format!("-cert other.pem {server}")).refused(Code::CertNameMismatch, 42);
    // Without its switch, and without trust, it is not offered.
    let without = with_key().trust(world.authority.trust()).build().unwrap();
    meet(&world, &without, &format!("-cert broker.pem {server}")).failed(Code::AlertHandshakeFailure);
    let alone = with_key().legacy_allow(RSA).build().unwrap();
    meet(&world, &alone, &format!("-cert broker.pem {server}")).failed(Code::AlertHandshakeFailure);
}

#[test]
fn callback_chooses_the_identity_by_the_hint_in_a_task() {
    let world = World::new("client-psk-hint");
    let hints: Arc<Mutex<Vec<Option<Vec<u8>>>>> = Arc::default();
    let kept = Arc::clone(&hints);
    let mut builder = without_key();
    let choose: PskClientCallback = Arc::new(move |request| {
        kept.lock().unwrap().push(request.hint.map(<[u8]>::to_vec));
        assert_eq!(request.server_name.as_deref(), Some("broker"));
        Ok(Some((b"device".to_vec(), secret())))
    });
    let context = builder.psk_client_callback(choose, true).build().unwrap();
    let met = meet(&world, &context, &format!("-nocert -tls1_2 -psk_hint site-7 {WITH_KEY}"));
    assert_eq!(met.went_well().psk_identity, "device");
    let met = meet(&world, &context, &format!("-nocert -tls1_3 {WITH_KEY}"));
    assert_eq!(met.went_well().psk_identity, "device");
    assert_eq!(*hints.lock().unwrap(), [None, Some(b"site-7".to_vec()), None]);
}

#[test]
fn callback_without_a_key_and_one_that_fails_end_the_connection_with_their_codes() {
    let world = World::new("client-psk-none");
    for (answer, code, alert) in [(Ok(None), Code::PskRefused, 20), (Err("no".to_owned()), Code::PskUnavailable, 80)] {
        let mut builder = without_key();
        builder.versions("tlsv1.2");
        let choose: PskClientCallback = Arc::new(move |_| answer.clone());
        let context = builder.psk_client_callback(choose, false).build().unwrap();
        meet(&world, &context, &format!("-nocert -tls1_2 {WITH_KEY}")).refused(code, alert);
    }
}

#[test]
fn identity_without_a_key_and_settings_that_take_none_are_conflicts() {
    let conflict = |set: &dyn Fn(&mut ContextBuilder)| {
        let mut builder = with_key();
        set(&mut builder);
        let error = builder.build().unwrap_err();
        assert_eq!(error.code(), Code::OptionConflict, "{error}");
        error.detail().to_owned()
    };
    let detail = conflict(&|builder| _ = builder.psk_identity(b"another"));
    assert_eq!(detail, "psk-identity: no pre-shared key has this identity");
    conflict(&|builder| _ = builder.psk_client_callback(Arc::new(|_| Ok(None)), false));
    conflict(&|builder| _ = builder.versions("tlsv1.2").cipher_suites("ECDHE-RSA-AES128-SHA"));
    conflict(&|builder| _ = builder.legacy_engine(false));
}

#[test]
fn key_of_sha384_is_used_with_a_suite_of_its_hash() {
    let mut builder = without_key();
    builder.versions("tlsv1.3");
    let server = builder.psk(b"device", secret().with_hash(PskHash::Sha384)).build().unwrap();
    let client = builder.psk_identity(b"device").build().unwrap();
    let pair = Pair::connect(&server, &client, "broker");
    assert_eq!(pair.client.cipher_suite(), Some("TLS_AES_256_GCM_SHA384"));
    assert_eq!(pair.client.own_psk_identity(), Some(&b"device"[..]));
}
