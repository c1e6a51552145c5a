//! Connections to old servers beside their handshake: staples, secrets and counts.

use std::fs;
use std::sync::{Arc, Mutex};

use brokertls::revocation::Mode;
use brokertls::{Code, Context};

use super::super::world::World;
use super::{WITH_KEY, builder, meet, with_key};
use crate::rig::responder::{Office, Register};
use crate::stapling::SERIAL;

/// Servers with an ECDSA key, of an old version, of TLS 1.2 and of TLS 1.3.
const SERVERS: [&str; 3] = ["-tls1 -cipher ALL:@SECLEVEL=0", "-tls1_2 -cipher ECDHE-ECDSA-AES128-SHA", "-tls1_3"];

#[test]
fn staple_of_a_server_is_judged_and_one_that_says_revoked_or_is_damaged_refuses_it() {
    let world = World::new("client-staple");
    let office = Office::new("client-staple", &world.authority, &world.authority);
    let pem = world.authority.issue(&["broker"], |params| {
        params.serial_number = Some(rcgen::SerialNumber::from_slice(SERIAL));
    });
    fs::write(world.file("broker.pem"), &pem).unwrap();
    office.register(&Register { good: &[SERIAL], revoked: &[] });
    let good = office.answer(&pem, "-nmin 600 -resp_no_certs");
    office.register(&Register { good: &[], revoked: &[SERIAL] });
    fs::write(world.file("revoked.der"), office.answer(&pem, "-nmin 600")).unwrap();
    let mut damaged = good.clone();
    *damaged.last_mut().unwrap() ^= 1;
    fs::write(world.file("good.der"), good).unwrap();
    fs::write(world.file("damaged.der"), damaged).unwrap();
    let context = builder(&world).ocsp_mode(Mode::Require).build().unwrap();
    for server in SERVERS {
        let meet = |staple: &str| meet(&world, &context, &format!("-cert broker.pem {server} {staple}"));
        assert_eq!(meet("-status_file good.der").went_well().peers, 1);
        meet("-status_file revoked.der").refused(Code::CertRevoked, 44);
        meet("-status_file damaged.der").refused(Code::RevocationResponseInvalid, 113);
        meet("").refused(Code::RevocationUnknown, 46);
    }
}

#[test]
fn secrets_of_a_connection_to_an_old_server_are_in_the_key_log_as_the_server_knows_them() {
    let world = World::new("client-key-log");
    fs::write(world.file("broker.pem"), world.authority.issue_rsa("broker")).unwrap();
    let mut builder = builder(&world);
    let context = builder.insecure_key_log(world.file("ours.log")).build().unwrap();
    let lines = |name: &str| {
        let text = fs::read_to_string(world.file(name)).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with('#')).map(str::to_ascii_lowercase);
        let mut lines: Vec<String> = lines.collect();
        lines.sort();
        lines
    };
    for server in ["-tls1 -cipher ALL:@SECLEVEL=0", "-tls1_2 -cipher ECDHE-RSA-AES128-SHA"] {
        meet(&world, &context, &format!("-cert broker.pem {server} -keylogfile theirs.log")).went_well();
    }
    let old = lines("ours.log");
    assert_eq!(old.iter().filter(|line| line.starts_with("client_random ")).count(), 2, "{}", old.len());
    assert_eq!(old.len(), 2);
    meet(&world, &context, "-cert broker.pem -tls1_3 -keylogfile theirs.log").went_well();
    assert!(lines("ours.log") == lines("theirs.log"), "the two logs differ");
}

/// The counts that are not zero.
fn counts(context: &Context) -> Vec<(&'static str, u64)> {
    context.legacy_uses().into_iter().filter(|(_, count)| *count > 0).collect()
}

#[test]
fn old_servers_are_counted_by_what_they_use_and_logged_as_servers() {
    let world = World::new("client-uses");
    fs::write(world.file("broker.pem"), world.authority.issue_rsa("broker")).unwrap();
    let lines: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = Arc::clone(&lines);
    let mut builder = builder(&world);
    builder.log(Arc::new(move |line| kept.lock().unwrap().push(line.text.to_owned())));
    let context = builder.build().unwrap();
    meet(&world, &context, "-cert broker.pem -tls1 -cipher AES128-SHA:@SECLEVEL=0").failed(Code::AlertHandshakeFailure);
    assert_eq!(counts(&context), []);
    for server in ["-tls1 -cipher ECDHE-RSA-AES128-SHA:@SECLEVEL=0", "-tls1_2 -cipher ECDHE-RSA-AES128-SHA256"] {
        meet(&world, &context, &format!("-cert broker.pem {server}")).went_well();
    }
    assert_eq!(counts(&context), [("legacy-engine", 2), ("TLSv1", 1), ("legacy-sha1-signatures", 1)]);
    let lines = lines.lock().unwrap();
    let about: Vec<&String> = lines.iter().filter(|line| line.contains(" an old ")).collect();
    let words = "an old server uses TLSv1, legacy-sha1-signatures (TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA)";
    assert!(matches!(about.as_slice(), [line] if line.ends_with(words)), "{about:?}");

    let context = with_key().build().unwrap();
    meet(&world, &context, &format!("-nocert -tls1_3 {WITH_KEY}")).went_well();
    assert_eq!(counts(&context), [("legacy-engine", 1), ("pre-shared key", 1)]);
}
