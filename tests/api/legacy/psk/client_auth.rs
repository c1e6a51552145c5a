//! Certificates of clients beside keys: a key proves a client as a certificate does, if the operator says so.

use brokertls::{ClientAuth, Code, ConnectionSettings, Context};

use super::super::world::World;
use super::{DEVICE, KEYS, RSA, keys_of};

fn context(world: &World, client_auth: ClientAuth, replaces: bool) -> Result<Context, brokertls::Error> {
    let mut builder = world.builder();
    builder.legacy_allow(RSA).psk_file(keys_of(KEYS)).trust(world.authority.trust()).client_auth(client_auth);
    builder.psk_replaces_certificate(replaces).build()
}

#[test]
fn certificate_that_is_needed_and_keys_are_a_conflict_unless_the_operator_lets_keys_replace_it() {
    let world = World::new("psk-need");
    let error = context(&world, ClientAuth::Need, false).unwrap_err();
    assert_eq!(error.code(), Code::OptionConflict);
    assert!(error.detail().contains("psk-replaces-certificate"), "{error}");
    let context = context(&world, ClientAuth::Need, true).unwrap();
    assert!(context.warnings().iter().any(|line| line.starts_with("psk-replaces-certificate:")));
}

#[test]
fn certificate_that_one_connection_needs_and_keys_are_a_conflict_unless_the_operator_lets_keys_replace_it() {
    let world = World::new("psk-need-connection");
    let need = ConnectionSettings { client_auth: Some(ClientAuth::Need), ..ConnectionSettings::default() };
    let of_tls13 = ConnectionSettings { versions: Some("tlsv1.3".to_owned()), ..need.clone() };
    for client_auth in [ClientAuth::None, ClientAuth::Want] {
        let refusing = context(&world, client_auth, false).unwrap();
        for settings in [&need, &of_tls13] {
            let error = refusing.accept_with(settings).unwrap_err();
            assert_eq!(error.code(), Code::OptionConflict);
            assert!(error.detail().contains("psk-replaces-certificate"), "{error}");
        }
        let replacing = context(&world, client_auth, true).unwrap();
        let met = world.meet_with(&replacing, &need, &format!("-tls1_2 -cipher PSK-AES128-CBC-SHA {DEVICE}"));
        assert_eq!(met.went_well().psk_identity, "myclient1");
        let other = "-tls1_2 -cipher ECDHE-RSA-AES128-SHA";
        world.meet_with(&replacing, &need, other).failed(Code::CertMissing, 40);
    }
}

#[test]
fn no_client_with_a_key_is_asked_for_a_certificate_in_any_exchange() {
    let world = World::new("psk-not-asked");
    for (client_auth, replaces) in [(ClientAuth::Want, false), (ClientAuth::Need, true)] {
        let context = context(&world, client_auth, replaces).unwrap();
        for offer in
            ["PSK-AES128-CBC-SHA", "DHE-PSK-AES128-CBC-SHA", "ECDHE-PSK-AES128-CBC-SHA", "RSA-PSK-AES128-CBC-SHA"]
        {
            let met = world.meet(&context, &format!("-tls1_2 -msg -cert client.pem -cipher {offer} {DEVICE}"));
            let seen = met.went_well();
            assert_eq!((seen.psk_identity.as_str(), seen.peers), ("myclient1", 0), "{offer}");
            assert!(!met.theirs.contains("CertificateRequest"), "{}", met.theirs);
        }
    }
}

#[test]
fn client_without_a_key_still_needs_its_certificate() {
    let world = World::new("psk-still-needed");
    let context = context(&world, ClientAuth::Need, true).unwrap();
    for options in ["-tls1_2 -cipher ECDHE-RSA-AES128-SHA", "-tls1_2 -cipher ECDHE-RSA-AES128-GCM-SHA256"] {
        world.meet(&context, options).failed(Code::CertMissing, 40);
        assert_eq!(world.meet(&context, &format!("{options} -cert client.pem")).went_well().peers, 2);
    }
    world.meet(&context, "-tls1_3").failed(Code::CertMissing, 116);
}

#[test]
fn settings_of_keys_without_keys_are_a_conflict() {
    let world = World::new("psk-settings");
    let mut builder = world.builder();
    assert_eq!(builder.psk_hint("hint").build().unwrap_err().code(), Code::OptionConflict);
    let mut builder = world.builder();
    assert_eq!(builder.psk_replaces_certificate(true).build().unwrap_err().code(), Code::OptionConflict);
    let mut builder = world.builder();
    let key = brokertls::Psk::new(b"secret").unwrap();
    let error = builder.psk(b"one", key).psk_separator(",").unwrap().build().unwrap_err();
    assert_eq!(
        (error.code(), error.detail()),
        (Code::OptionConflict, "settings of a file of pre-shared keys, and no psk-file")
    );
}
