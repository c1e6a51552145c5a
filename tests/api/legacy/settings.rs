//! Settings of single connections at a context with the second engine.

use std::sync::Arc;

use brokertls::{ClientAuth, Code, ConnectionSettings, Context, ContextBuilder, Source};

use super::world::{World, library};
use crate::rig::host::Host;

const OLD: &str = "-tls1 -cipher ALL:@SECLEVEL=0";
const DEVICE: &str = "-tls1_2 -cipher PSK-AES128-CBC-SHA -psk_identity device -psk 00ff";

fn keys_alone() -> Context {
    let mut builder = ContextBuilder::new();
    builder.legacy_engine(true).legacy_library(library()).psk_file(Source::memory("init.psk", b"device:00ff"));
    builder.versions("tlsv1.2").build().unwrap()
}

fn old_alone(world: &World) -> Context {
    let mut builder = world.builder();
    builder.versions("TLSv1").trust(world.authority.trust()).build().unwrap()
}

#[test]
fn connection_with_any_setting_of_its_own_is_served_by_the_second_engine_too() {
    let world = World::new("settings");
    let (keys, old) = (keys_alone(), old_alone(&world));
    let default = ConnectionSettings::default;
    for settings in [
        ConnectionSettings { prefers_own_cipher_order: Some(true), ..default() },
        ConnectionSettings { prefers_own_cipher_order: Some(false), ..default() },
        ConnectionSettings { uses_tasks: false, user: 7, ..default() },
        ConnectionSettings { session_scope: None, ..default() },
        ConnectionSettings { session_scope: Some("mqtt".to_owned()), ..default() },
        ConnectionSettings { alpn: Some(vec![b"mqtt".to_vec()]), ..default() },
        ConnectionSettings { client_auth: Some(ClientAuth::None), ..default() },
        ConnectionSettings { checks_server_name: Some(false), ..default() },
        ConnectionSettings { server_name: Some("other.example".to_owned()), ..default() },
    ] {
        let seen = world.meet_with(&keys, &settings, DEVICE);
        assert_eq!(seen.went_well().psk_identity, "device", "{settings:?}");
        let seen = world.meet_with(&old, &settings, OLD);
        assert_eq!(seen.went_well().version, "TLSv1", "{settings:?}");
    }
}

#[test]
fn application_protocol_of_a_connection_is_that_of_its_settings() {
    let world = World::new("settings-alpn");
    let settings = ConnectionSettings { alpn: Some(vec![b"mqtt".to_vec()]), ..ConnectionSettings::default() };
    let met = world.meet_with(&old_alone(&world), &settings, &format!("{OLD} -alpn h2,mqtt"));
    assert_eq!(met.went_well().protocol, "mqtt");
    let met = world.meet_with(&old_alone(&world), &settings, &format!("{OLD} -alpn h2"));
    met.failed(Code::NoCommonAlpn, 120);
}

#[test]
fn client_certificate_that_a_connection_needs_is_asked_for_and_judged() {
    let world = World::new("settings-auth");
    let context = old_alone(&world);
    let settings = ConnectionSettings { client_auth: Some(ClientAuth::Need), ..ConnectionSettings::default() };
    let met = world.meet_with(&context, &settings, &format!("{OLD} -cert client.pem"));
    assert_eq!(met.went_well().peers, 2);
    world.meet_with(&context, &settings, OLD).failed(Code::CertMissing, 40);
    world.meet_with(&context, &settings, &format!("{OLD} -cert stranger.pem")).failed(Code::CertUnknownIssuer, 48);
    assert_eq!(keys_alone().accept_with(&settings).unwrap_err().code(), Code::NoTrust);
}

#[test]
fn versions_and_suites_of_a_connection_restrict_both_engines() {
    let world = World::new("settings-restricted");
    let context = world.builder().build().unwrap();
    let with = |versions: Option<&str>, suites: Option<&str>| ConnectionSettings {
        versions: versions.map(str::to_owned),
        cipher_suites: suites.map(str::to_owned),
        ..ConnectionSettings::default()
    };
    let old = with(Some("TLSv1.1"), None);
    assert_eq!(world.meet_with(&context, &old, "-tls1_1 -cipher ALL:@SECLEVEL=0").went_well().version, "TLSv1.1");
    world.meet_with(&context, &old, OLD).failed(Code::NoCommonVersion, 70);
    // The server chooses TLS 1.1, which this client refuses itself.
    assert_eq!(world.meet_with(&context, &old, "-tls1_2").ours.unwrap_err().code(), Code::NoCommonVersion);
    let suite = with(None, Some("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"));
    let met = world.meet_with(&context, &suite, "-tls1_2 -cipher ALL:@SECLEVEL=0");
    assert_eq!(met.went_well().suite, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA");
    world.meet_with(&context, &suite, "-tls1_2 -cipher AESGCM").failed(Code::NoCommonCipherSuite, 40);
    world.meet_with(&context, &with(Some("TLSv1.3"), None), OLD).failed(Code::NoCommonVersion, 70);
    // Settings that leave neither engine anything, and those that hide a downgrade.
    let code = |settings: &ConnectionSettings| context.accept_with(settings).unwrap_err().code();
    assert_eq!(code(&with(Some("TLSv1"), Some("TLS_AES_128_GCM_SHA256"))), Code::NoCipherSuite);
    assert_eq!(code(&with(Some("SSLv3"), None)), Code::VersionNotSupported);
    assert_eq!(code(&with(None, Some("NO_SUCH_SUITE"))), Code::CipherNotSupported);
    assert_eq!(code(&with(Some("TLSv1.3,TLSv1"), None)), Code::OptionConflict);
}

#[test]
fn host_that_is_asked_about_the_hello_chooses_the_protocol_of_both_engines() {
    let world = World::new("settings-hello");
    let host = Arc::new(Host { selects: Some("mqtt"), ..Host::default() });
    let mut builder = world.builder();
    let context = builder.hello_host(Arc::clone(&host) as _).build().unwrap();
    let settings = ConnectionSettings { asks_about_hello: true, ..ConnectionSettings::default() };
    for client in [OLD, "-tls1_3"] {
        let met = world.meet_with(&context, &settings, &format!("{client} -alpn h2,mqtt -servername broker"));
        assert_eq!(met.went_well().protocol, "mqtt");
    }
    let asked = r#"hello Some("broker") ["h2", "mqtt"]"#;
    assert_eq!(host.asked(), [asked, asked]);
    let refusing = Arc::new(Host { refuses_hello: Some(Code::NoCommonAlpn), ..Host::default() });
    let mut builder = world.builder();
    let context = builder.hello_host(refusing).build().unwrap();
    let met = world.meet_with(&context, &settings, OLD);
    assert_eq!(met.ours.unwrap_err().code(), Code::NoCommonAlpn);
}
