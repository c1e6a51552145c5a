//! Pre-shared keys of TLS 1.3 (RFC 8446 section 4.2.11), and the tickets of rustls beside them.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use brokertls::{ClientAuth, Code, Psk, PskHash};

use super::super::world::World;
use super::{DEVICE, KEYS, SECRET, keys_alone, keys_of};

/// OpenSSL's file of a session that stands for a key with SHA-384. Its bytes are those of `SECRET`.
fn session_of_sha384() -> String {
    let mut secret = Vec::new();
    for at in (0..SECRET.len()).step_by(2) {
        secret.push(u8::from_str_radix(&SECRET[at..at + 2], 16).unwrap());
    }
    // Version 1 of the form, TLS 1.3, TLS_AES_256_GCM_SHA384, no identifier, the secret.
    let head = [0x30, 0x1f, 2, 1, 1, 2, 2, 3, 4, 4, 2, 0x13, 2, 4, 0, 4, 16];
    let body = STANDARD.encode([&head[..], &secret].concat());
    format!("-----BEGIN SSL SESSION PARAMETERS-----\n{body}\n-----END SSL SESSION PARAMETERS-----\n")
}

#[test]
fn client_with_a_known_secret_is_served_with_and_without_a_certificate_on_this_side() {
    let world = World::new("psk13");
    let alone = keys_alone(KEYS).build().unwrap();
    let mut builder = world.builder();
    let both = builder.psk_file(keys_of(KEYS)).build().unwrap();
    for context in [&alone, &both] {
        let met = world.meet(context, &format!("-tls1_3 {DEVICE}"));
        let seen = met.went_well();
        assert_eq!((seen.version.as_str(), seen.psk_identity.as_str()), ("TLSv1.3", "myclient1"));
        // The key is one of SHA-256, though the client prefers another suite.
        assert!(seen.suite.ends_with("_SHA256"), "{}", seen.suite);
        assert!(met.theirs.contains("Reused, TLSv1.3"), "{}", met.theirs);
    }
}

#[test]
fn binder_of_another_secret_is_refused_with_decrypt_error() {
    let world = World::new("psk13-wrong");
    let mut builder = world.builder();
    let both = builder.psk_file(keys_of(KEYS)).build().unwrap();
    for context in [keys_alone(KEYS).build().unwrap(), both] {
        let met = world.meet(&context, "-tls1_3 -psk_identity myclient1 -psk 00ff");
        assert_eq!(met.failed(Code::PskRefused, 51).detail(), "\"myclient1\": its secret is another one");
        assert_eq!(met.facts.psk_identity, "");
    }
}

#[test]
fn unknown_identity_is_served_by_certificate_if_there_is_one_and_refused_like_a_wrong_secret_otherwise() {
    let world = World::new("psk13-unknown");
    let device = format!("-tls1_3 -psk_identity stranger -psk {SECRET}");
    let mut builder = world.builder();
    let both = builder.psk_file(keys_of(KEYS)).build().unwrap();
    let met = world.meet(&both, &device);
    assert_eq!((met.went_well().psk_identity.as_str(), met.facts.version.as_str()), ("", "TLSv1.3"));
    let alone = keys_alone(KEYS).build().unwrap();
    let met = world.meet(&alone, &device);
    assert_eq!(met.failed(Code::PskRefused, 51).detail(), "\"stranger\": the identity is not known");
    assert_eq!(met.facts.psk_identity, "");
}

#[test]
fn key_is_used_with_suites_of_its_hash_alone() {
    let world = World::new("psk13-hash");
    fs::write(world.file("sha384.pem"), session_of_sha384()).unwrap();
    let of_sha384 = "-tls1_3 -psk_session sha384.pem -psk_identity myclient1";
    let mut builder = world.builder();
    let context = builder.psk_file(keys_of(KEYS)).psk_hash(PskHash::Sha384).build().unwrap();
    let met = world.meet(&context, of_sha384);
    let seen = met.went_well();
    assert_eq!((seen.suite.as_str(), seen.psk_identity.as_str()), ("TLS_AES_256_GCM_SHA384", "myclient1"));
    // A client without a suite of the hash proves itself by nothing, and is no device.
    for (hash, suite) in [(PskHash::Sha384, "TLS_AES_128_GCM_SHA256"), (PskHash::Sha256, "TLS_AES_256_GCM_SHA384")] {
        let mut builder = world.builder();
        let context = builder.psk_file(keys_of(KEYS)).psk_hash(hash).build().unwrap();
        let met = world.meet(&context, &format!("-tls1_3 -ciphersuites {suite} {DEVICE}"));
        let seen = met.went_well();
        assert_eq!((seen.suite.as_str(), seen.psk_identity.as_str()), (suite, ""));
    }
}

#[test]
fn key_of_the_builder_has_its_own_hash() {
    let world = World::new("psk13-memory");
    fs::write(world.file("sha384.pem"), session_of_sha384()).unwrap();
    let secret = [0x8c, 0x70, 0x11, 0x16, 0xe9, 0x12, 0x7c, 0x57, 0xa9, 0x9d, 0x55, 0x63, 0x70, 0x9a, 0xf3, 0xde];
    let mut builder = world.builder();
    builder.psk(b"myclient1", Psk::new(&secret).unwrap().with_hash(PskHash::Sha384));
    let context = builder.psk(b"myclient2", Psk::new(&secret).unwrap()).build().unwrap();
    let met = world.meet(&context, "-tls1_3 -psk_session sha384.pem -psk_identity myclient1");
    assert_eq!((met.went_well().psk_identity.as_str()), "myclient1");
    let met = world.meet(&context, &format!("-tls1_3 -psk_identity myclient2 -psk {SECRET}"));
    assert_eq!((met.went_well().psk_identity.as_str()), "myclient2");
}

#[test]
fn ticket_of_rustls_is_resumed_by_rustls_beside_keys() {
    let world = World::new("psk13-ticket");
    let mut builder = world.builder();
    let context = builder.psk_file(keys_of(KEYS)).build().unwrap();
    let first = world.meet(&context, "-tls1_3 -sess_out session.pem");
    first.went_well();
    let second = world.meet(&context, "-tls1_3 -sess_in session.pem");
    assert_eq!(second.went_well().psk_identity, "");
    assert!(second.theirs.contains("Reused, TLSv1.3"), "{}", second.theirs);
}

#[test]
fn client_with_a_key_is_not_asked_for_a_certificate_that_other_clients_may_show() {
    let world = World::new("psk13-want");
    let mut builder = world.builder();
    builder.psk_file(keys_of(KEYS)).trust(world.authority.trust()).client_auth(ClientAuth::Want);
    let context = builder.build().unwrap();
    let met = world.meet(&context, &format!("-tls1_3 -cert client.pem {DEVICE}"));
    let seen = met.went_well();
    assert_eq!((seen.psk_identity.as_str(), seen.peers), ("myclient1", 0));
    let met = world.meet(&context, "-tls1_3 -cert client.pem");
    assert_eq!((met.went_well().psk_identity.as_str(), met.facts.peers), ("", 2));
}

#[test]
fn client_without_a_key_is_refused_in_every_version_by_a_context_with_keys_alone() {
    let world = World::new("psk13-none");
    let context = keys_alone(KEYS).build().unwrap();
    for options in ["-tls1_3", "-tls1_2 -cipher ECDHE-RSA-AES128-GCM-SHA256", "-cipher ECDHE-RSA-AES128-GCM-SHA256"] {
        world.meet(&context, options).failed(Code::NoCommonCipherSuite, 40);
    }
}

#[test]
fn client_with_a_key_of_tls12_alone_gets_that_version_from_a_context_with_keys_alone() {
    let world = World::new("psk13-older");
    let context = keys_alone(KEYS).build().unwrap();
    // In TLS 1.3 the key does not fit the only suite of the client.
    let offer = "-ciphersuites TLS_AES_256_GCM_SHA384 -cipher PSK-AES128-GCM-SHA256";
    let met = world.meet(&context, &format!("{offer} {DEVICE}"));
    let seen = met.went_well();
    assert_eq!((seen.version.as_str(), seen.psk_identity.as_str()), ("TLSv1.2", "myclient1"));
}
