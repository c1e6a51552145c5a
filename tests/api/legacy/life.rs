//! The life of a connection of the second engine beside its handshake: its tickets, its staple and its secrets.

use std::fs;
use std::sync::{Arc, Mutex};

use brokertls::policy::LegacyAllowed;
use brokertls::{ClientAuth, IdentitySource, Source};

use super::world::{World, library};
use crate::stapling::{self, SERIAL};

const CBC: &str = "-cipher ECDHE-RSA-AES128-SHA:@SECLEVEL=0";

#[test]
fn client_of_each_old_version_resumes_its_session_from_a_file() {
    let world = World::new("resumption");
    let context = world.builder().build().unwrap();
    for version in ["-tls1", "-tls1_1", "-tls1_2"] {
        let first = world.meet(&context, &format!("{version} {CBC} -sess_out session.pem"));
        let suite = first.went_well().suite.clone();
        assert!(first.theirs.contains("\nNew, "), "{}", first.theirs);
        let second = world.meet(&context, &format!("{version} {CBC} -sess_in session.pem"));
        assert_eq!(second.went_well().suite, suite);
        assert!(second.theirs.contains("\nReused, "), "{}", second.theirs);
        let other = world.builder().build().unwrap();
        let third = world.meet(&other, &format!("{version} {CBC} -sess_in session.pem"));
        third.went_well();
        assert!(third.theirs.contains("\nNew, "), "{}", third.theirs);
    }
}

#[test]
fn secrets_of_an_old_client_are_in_the_key_log_as_the_client_knows_them() {
    let world = World::new("key-log");
    let ours = world.file("ours.log");
    let mut builder = world.builder();
    let context = builder.insecure_key_log(&ours).build().unwrap();
    for version in ["-tls1", "-tls1_2"] {
        world.meet(&context, &format!("{version} {CBC} -keylogfile theirs.log")).went_well();
    }
    let lines = |name: &str| {
        let text = fs::read_to_string(world.file(name)).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with('#')).map(str::to_ascii_lowercase);
        lines.collect::<Vec<_>>()
    };
    assert_eq!(lines("ours.log").len(), 2);
    assert_eq!(lines("ours.log"), lines("theirs.log"));
}

#[test]
fn old_client_that_asks_for_a_staple_is_given_it() {
    let staples = stapling::World::new("legacy");
    let world = World::new("staple");
    let pem = staples.issue("broker", SERIAL, |_| {});
    let response = staples.office.answer(&pem, "-nmin 10");
    let mut builder = staples.builder();
    builder.identity(IdentitySource::new(Source::memory("broker.pem", pem.as_bytes())));
    builder.staple_issuer(Source::memory("ca.pem", staples.authority.pem().as_bytes()));
    builder.staple_file(Source::memory("staple.der", &response));
    builder.versions("tlsv1.2 tlsv1").legacy_engine(true).legacy_library(library());
    let context = builder.build().unwrap();
    for version in ["-tls1", "-tls1_2"] {
        let offer = format!("{version} -cipher ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0");
        let asking = world.meet(&context, &format!("{offer} -status"));
        asking.went_well();
        for line in ["OCSP Response Status: successful", "Cert Status: good"] {
            assert!(asking.theirs.contains(line), "{line}: {}", asking.theirs);
        }
        let other = world.meet(&context, &offer);
        other.went_well();
        assert!(!other.theirs.contains("OCSP Response Status"), "{}", other.theirs);
    }
    // The response is over by then, and is not sent.
    staples.clock.advance(660);
    let late = world.meet(&context, "-tls1 -cipher ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0 -status");
    late.went_well();
    assert!(late.theirs.contains("OCSP response: no response sent"), "{}", late.theirs);
}

#[test]
fn connections_of_one_context_are_served_by_several_threads_at_once() {
    let world = Arc::new(World::new("threads"));
    let context = world.builder().build().unwrap();
    let threads: Vec<_> = ["-tls1", "-tls1_1", "-tls1_2", "-tls1_3"]
        .into_iter()
        .map(|version| {
            let (world, context) = (Arc::clone(&world), context.clone());
            std::thread::spawn(move || {
                for _ in 0..4 {
                    world.meet(&context, &format!("{version} -cipher ALL:@SECLEVEL=0")).went_well();
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn old_clients_are_counted_by_what_they_use_and_logged() {
    let world = World::new("uses");
    let lines: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = Arc::clone(&lines);
    let mut builder = world.builder();
    builder.legacy_allow(LegacyAllowed { rsa_key_exchange: true, ..LegacyAllowed::default() });
    builder.log(Arc::new(move |line| kept.lock().unwrap().push(line.text.to_owned())));
    let context = builder.build().unwrap();
    for offer in ["-tls1 -cipher AES128-SHA:@SECLEVEL=0", "-tls1_2 -cipher ECDHE-RSA-AES128-SHA", "-tls1_3"] {
        world.meet(&context, offer).went_well();
    }
    world.meet(&context, &format!("-tls1_1 {CBC}")).went_well();
    let used: Vec<_> = context.legacy_uses().into_iter().filter(|(_, count)| *count > 0).collect();
    let expected = [
        ("legacy-engine", 3),
        ("TLSv1", 1),
        ("TLSv1.1", 1),
        ("legacy-rsa-key-exchange", 1),
        ("legacy-sha1-signatures", 1),
    ];
    assert_eq!(used, expected, "RSA key exchange has no signature");
    let lines = lines.lock().unwrap();
    let about: Vec<&String> = lines.iter().filter(|line| line.contains("an old client uses")).collect();
    assert_eq!(
        about,
        [
            "connection 1: an old client uses TLSv1, legacy-rsa-key-exchange (TLS_RSA_WITH_AES_128_CBC_SHA)",
            "connection 4: an old client uses TLSv1.1, legacy-sha1-signatures (TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA)"
        ]
    );
}

#[test]
fn signatures_over_sha1_are_counted_of_either_side() {
    let world = World::new("sha1-uses");
    let count = |context: &brokertls::Context| {
        context.legacy_uses().into_iter().find(|(name, _)| *name == "legacy-sha1-signatures").unwrap().1
    };
    let mut builder = world.builder();
    let all = LegacyAllowed { rsa_key_exchange: true, sha1_signatures: true, ..LegacyAllowed::default() };
    builder.legacy_allow(all).trust(world.authority.trust()).client_auth(ClientAuth::Want);
    let context = builder.build().unwrap();
    let suite = |exchange: &str| format!("-cipher {exchange}:@SECLEVEL=0");
    for (offer, counted) in [
        // Ours, over SHA-256 and over SHA-1.
        (format!("-tls1_2 {}", suite("ECDHE-RSA-AES128-SHA")), 0),
        (format!("-tls1_2 {} -sigalgs RSA+SHA1", suite("ECDHE-RSA-AES128-SHA")), 1),
        // None with RSA key exchange.
        (format!("-tls1_2 {} -sigalgs RSA+SHA1", suite("AES128-SHA")), 1),
        (format!("-tls1 {}", suite("AES128-SHA")), 1),
        // That of the client, over SHA-256, over SHA-1, and over MD5 and SHA-1.
        (format!("-tls1_2 {} -cert client.pem", suite("AES128-SHA")), 1),
        (format!("-tls1_2 {} -cert client.pem -client_sigalgs RSA+SHA1", suite("AES128-SHA")), 2),
        (format!("-tls1 {} -cert client.pem", suite("AES128-SHA")), 3),
        (format!("-tls1 {}", suite("DHE-RSA-AES128-SHA")), 4),
    ] {
        world.meet(&context, &offer).went_well();
        assert_eq!(count(&context), counted, "{offer}");
    }
    // A resumed session has no signature.
    world.meet(&context, &format!("-tls1 {} -sess_out session.pem", suite("ECDHE-RSA-AES128-SHA"))).went_well();
    assert_eq!(count(&context), 5);
    world.meet(&context, &format!("-tls1 {} -sess_in session.pem", suite("ECDHE-RSA-AES128-SHA"))).went_well();
    assert_eq!(count(&context), 5);
}
