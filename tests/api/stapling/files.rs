//! Staples from files, what becomes of staples in a reload, and settings of staples that contradict each other.

use std::path::PathBuf;
use std::sync::Arc;

use brokertls::host::HandshakeHost;
use brokertls::revocation::OcspResponse;
use brokertls::{Code, Context, ContextBuilder, Error, IdentitySource, Level, Source};
use rustls::time_provider::TimeProvider;

use crate::rig::command::{Server, file, folder, run};
use crate::rig::host::Host;
use crate::rig::pair::Authority;
use crate::rig::responder::{Office, Register};
use crate::rig::web::{Play, eventually};
use crate::stapling::{OTHER_SERIAL, SERIAL, VERSIONS, World, identity, must_staple, source, staple, staple_for};

fn memory(name: &str, content: &[u8]) -> Source {
    Source::memory(name, content)
}

fn pem_of(der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN OCSP RESPONSE-----\n{text}\n-----END OCSP RESPONSE-----\n")
}

/// A file of a test, removed when it is dropped.
struct Kept(PathBuf);

impl Kept {
    fn new(name: &str, content: &[u8]) -> Self {
        let kept = Self(std::env::temp_dir().join(format!("brokertls-stapling-{name}-{}", std::process::id())));
        kept.write(content);
        kept
    }

    fn write(&self, content: &[u8]) {
        std::fs::write(&self.0, content).unwrap();
    }

    fn source(&self) -> Source {
        Source::file(&self.0)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A server with this identity, the certificate of its issuer, and this file.
fn with_file(world: &World, pem: &str, content: &[u8]) -> Result<Context, Error> {
    let mut builder = world.builder();
    builder.identity(identity(pem)).staple_issuer(memory("ca.pem", world.authority.pem().as_bytes()));
    builder.staple_file(memory("staple.der", content)).build()
}

#[track_caller]
fn assert_refused(result: Result<Context, Error>, code: Code, words: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.code(), code, "{error}");
    assert!(error.detail().starts_with("staple.der") && error.detail().contains(words), "{words}: {error}");
}

#[test]
fn response_of_a_file_is_stapled_from_the_start_until_its_end() {
    let world = World::new("file");
    let pem = world.issue("broker", SERIAL, must_staple);
    let answer = world.office.answer(&pem, "-nmin 10");
    let server = with_file(&world, &pem, &answer).unwrap();
    for versions in VERSIONS {
        assert_eq!(staple_for(&server, "broker", versions).as_ref(), Some(&answer));
    }
    let facts = source(&server);
    assert!(facts.place.starts_with("staple.der for "), "{facts:?}");
    assert_eq!((facts.entries, facts.failures, facts.next_refresh_unix_s), (1, 0, None));
    assert!(facts.last_success_unix_s.is_some());
    assert_eq!(server.warnings(), [] as [String; 0]);
    world.clock.advance(601);
    assert_eq!(staple(&server), None);
    server.maintain();
    let told = world.logged("none is shown until there is a new one");
    assert!(matches!(told.as_slice(), [(Level::Warn, _)]), "{told:?}");
}

#[test]
fn responses_of_a_file_go_to_the_certificates_that_they_are_about_and_the_latest_counts() {
    let world = World::new("several");
    let (one, two) = (world.issue("one", SERIAL, |_| {}), world.issue("two", OTHER_SERIAL, |_| {}));
    let of_two = world.office.answer(&two, "-nmin 10");
    let older = world.office.answer(&one, "-nmin 10");
    let at = |der: &[u8]| OcspResponse::from_der(der, "answer").unwrap().this_update_unix_s();
    let mut newer = Vec::new();
    eventually("a later second", || {
        newer = world.office.answer(&one, "-nmin 10");
        at(&newer) > at(&older)
    });
    for order in [[&newer, &of_two, &older], [&older, &newer, &of_two]] {
        let file: String = order.into_iter().map(|der| pem_of(der)).collect();
        let server = world.server(&one, |builder| {
            builder.identity(identity(&two)).staple_file(memory("staples.pem", file.as_bytes()))
        });
        assert_eq!(staple_for(&server, "one", "TLSv1.3").as_ref(), Some(&newer));
        assert_eq!(staple_for(&server, "two", "TLSv1.3").as_ref(), Some(&of_two));
    }
}

#[test]
fn response_of_a_file_that_does_not_serve_is_refused_by_name() {
    let world = World::new("refused");
    let pem = world.issue("broker", SERIAL, |_| {});
    let another = world.issue("another", OTHER_SERIAL, |_| {});
    let of_another = world.office.answer(&another, "-nmin 10");
    assert_refused(with_file(&world, &pem, &of_another), Code::OcspUnusable, "about no certificate");
    let by_namesake = Office::new("file-namesake", &world.authority, &Authority::new("ca"));
    by_namesake.register(&Register { good: &[SERIAL], revoked: &[] });
    let wrongly_signed = by_namesake.answer(&pem, "-nmin 10");
    assert_refused(with_file(&world, &pem, &wrongly_signed), Code::OcspUnusable, "does not allow to sign");
    let mut altered = world.office.answer(&pem, "-nmin 10 -resp_no_certs");
    *altered.last_mut().unwrap() ^= 1;
    assert_refused(with_file(&world, &pem, &altered), Code::OcspUnusable, "not signed with the issuer's key");
    assert_refused(with_file(&world, &pem, &[0x30, 3, 0x0a, 1, 3]), Code::OcspUnusable, "tryLater");
    for garbage in [&b""[..], b"garbage", pem.as_bytes(), &[0x30; 4000]] {
        assert_refused(with_file(&world, &pem, garbage), Code::OcspMalformed, "");
    }
    let old = world.office.answer(&pem, "-nmin 10");
    world.office.register(&Register { good: &[], revoked: &[SERIAL] });
    let revoked = world.office.answer(&pem, "-nmin 10");
    assert_refused(with_file(&world, &pem, &revoked), Code::OcspUnusable, "revoked 2025-01-02");
    world.office.register(&Register { good: &[], revoked: &[] });
    let unknown = world.office.answer(&pem, "-nmin 10");
    assert_refused(with_file(&world, &pem, &unknown), Code::OcspUnusable, "does not know it");
    world.clock.advance(601);
    assert_refused(with_file(&world, &pem, &old), Code::OcspUnusable, "out of date");
    let error = world.builder().identity(identity(&pem)).staple_file(memory("staple.der", &old)).build().unwrap_err();
    assert_eq!(error.code(), Code::OcspUnusable);
    assert!(error.hint().contains("staple-issuer"), "{error}");
    let missing = world.builder().identity(identity(&pem)).staple_file(Source::file("/nonexistent/staple")).build();
    assert_eq!(missing.unwrap_err().code(), Code::FileUnreadable);
}

#[test]
fn reload_reads_the_file_again_and_keeps_the_last_good_one() {
    let world = World::new("reload");
    let pem = world.issue("broker", SERIAL, |_| {});
    let answer = || world.office.answer(&pem, "-nmin 10");
    let (first, second) = (answer(), answer());
    let kept = Kept::new("reload.der", &first);
    let server = world.server(&pem, |builder| builder.staple_file(kept.source()));
    assert_eq!(staple(&server).as_ref(), Some(&first));
    kept.write(&second);
    assert_eq!(staple(&server).as_ref(), Some(&first), "nothing is read before a reload");
    server.reload().unwrap();
    assert_eq!(staple(&server).as_ref(), Some(&second));
    kept.write(b"half of it");
    assert_eq!(server.reload().unwrap_err().code(), Code::OcspMalformed);
    assert_eq!(staple(&server).as_ref(), Some(&second));
}

#[test]
fn staple_that_was_asked_for_outlives_a_reload_while_its_certificate_stays() {
    let world = World::new("outlives");
    let pem = world.issue("broker", SERIAL, |_| {});
    let kept = Kept::new("outlives.pem", pem.as_bytes());
    let mut builder = world.builder();
    builder.identity(IdentitySource::new(kept.source())).staple(true).staple_responder(&world.web.url("/ocsp"));
    let server = builder.trust(world.authority.trust()).build().unwrap();
    let first = world.office.answer(&pem, "-nmin 60");
    world.web.play("*", Play::Content(first.clone()));
    server.maintain();
    let before = source(&server);
    server.reload().unwrap();
    assert_eq!((staple(&server).as_ref(), source(&server)), (Some(&first), before));
    server.maintain();
    assert_eq!(world.web.asked().len(), 1);
    // Its issuer may come with it from now on.
    kept.write((pem + &world.authority.pem()).as_bytes());
    server.reload().unwrap();
    assert_eq!(staple(&server).as_ref(), Some(&first));

    let renewed = world.issue("broker", OTHER_SERIAL, |_| {});
    kept.write(renewed.as_bytes());
    let second = world.office.answer(&renewed, "-nmin 60");
    world.web.play("*", Play::Content(second.clone()));
    server.reload().unwrap();
    assert_eq!(staple(&server), None, "a response goes with the certificate that it is about");
    server.maintain();
    assert_eq!(staple(&server).as_ref(), Some(&second));
}

#[test]
fn maintenance_that_runs_asks_for_a_renewed_certificate_at_once() {
    let world = World::new("renewed");
    let pem = world.issue("broker", SERIAL, |_| {});
    let kept = Kept::new("renewed.pem", pem.as_bytes());
    let mut builder = world.builder();
    builder.identity(IdentitySource::new(kept.source())).staple(true).staple_responder(&world.web.url("/ocsp"));
    let server = builder.trust(world.authority.trust()).build().unwrap();
    world.web.play("*", Play::Content(world.office.answer(&pem, "-nmin 60")));
    server.start_maintenance().unwrap();
    eventually("a staple", || staple(&server).is_some());
    let renewed = world.issue("broker", OTHER_SERIAL, |_| {});
    world.web.play("*", Play::Content(world.office.answer(&renewed, "-nmin 60")));
    kept.write(renewed.as_bytes());
    server.reload().unwrap();
    // The clock stands still, so that nothing else makes it due.
    eventually("another staple", || staple(&server).is_some());
    assert_eq!(world.web.asked().len(), 2);
}

#[test]
fn file_serves_until_the_responder_has_answered_and_where_it_does_not() {
    let world = World::new("both");
    let pem = world.issue("broker", SERIAL, |_| {});
    let answer = || world.office.answer(&pem, "-nmin 60");
    let (first, second) = (answer(), answer());
    let server = world.server(&pem, |builder| {
        let builder = builder.staple(true).staple_responder(&world.web.url("/ocsp"));
        builder.staple_file(memory("staple.der", &first))
    });
    assert_eq!(staple(&server).as_ref(), Some(&first));
    server.maintain();
    assert_eq!((staple(&server).as_ref(), source(&server).failures), (Some(&first), 1));
    world.web.play("*", Play::Content(second.clone()));
    world.clock.advance(30);
    server.maintain();
    assert_eq!(staple(&server).as_ref(), Some(&second));
    server.reload().unwrap();
    let at = |der: &[u8]| OcspResponse::from_der(der, "answer").unwrap().this_update_unix_s();
    let shown = staple(&server).unwrap();
    assert_eq!(at(&shown), at(&second).max(at(&first)));
    assert_eq!(source(&server).last_success_unix_s, Some(world.clock.current_time().unwrap().as_secs() as i64));
}

#[test]
fn file_that_says_good_is_not_shown_once_the_responder_says_revoked() {
    let world = World::new("overruled");
    let pem = world.issue("broker", SERIAL, |_| {});
    let good = world.office.answer(&pem, "-nmin 600");
    let server = world.server(&pem, |builder| {
        let builder = builder.staple(true).staple_responder(&world.web.url("/ocsp"));
        builder.staple_file(memory("staple.der", &good))
    });
    assert!(staple(&server).is_some());
    world.office.register(&Register { good: &[], revoked: &[SERIAL] });
    world.web.play("*", Play::Content(world.office.answer(&pem, "-nmin 600")));
    server.maintain();
    assert!(staple(&server).is_none());
    server.reload().unwrap();
    assert!(staple(&server).is_none());
    // It was put on hold, and is good again.
    world.office.register(&Register { good: &[SERIAL], revoked: &[] });
    world.web.play("*", Play::Content(world.office.answer(&pem, "-nmin 600")));
    world.clock.advance(30);
    server.maintain();
    assert!(staple(&server).is_some());
}

#[test]
fn response_without_a_next_update_is_shown_for_a_week() {
    let world = World::new("endless");
    let pem = world.issue("broker", SERIAL, |_| {});
    let answer = world.office.answer(&pem, "-noverify");
    let read = OcspResponse::from_der(&answer, "answer").unwrap();
    assert_eq!(read.next_update_unix_s(), None);
    let server = with_file(&world, &pem, &answer).unwrap();
    let end_s = u64::try_from(read.this_update_unix_s().unwrap()).unwrap() + 7 * 86_400;
    world.clock.advance(end_s - 1 - world.clock.current_time().unwrap().as_secs());
    assert!(staple(&server).is_some());
    world.clock.advance(1);
    assert!(staple(&server).is_none());
}

#[test]
fn operator_is_warned_of_a_missing_responder_and_of_a_demanded_staple() {
    let world = World::new("told");
    let server = world.server(&world.issue("broker", SERIAL, |_| {}), |builder| builder.staple(true));
    server.maintain();
    assert_eq!(staple(&server), None);
    let facts = source(&server);
    assert!(facts.last_error.unwrap().contains("staple-responder"));
    assert_eq!((facts.next_refresh_unix_s, facts.last_success_unix_s), (None, None));
    assert!(matches!(server.warnings().as_slice(), [told] if told.contains("staple-responder")));

    let demanding = world.issue("broker", SERIAL, must_staple);
    let server = world.builder().identity(identity(&demanding)).build().unwrap();
    assert!(matches!(server.warnings().as_slice(), [told] if told.contains("demands that a response is stapled")));
    assert_eq!(server.revocation_sources(), []);
}

#[test]
fn settings_of_staples_that_have_nothing_to_work_on_are_refused() {
    let world = World::new("conflict");
    let pem = world.issue("broker", SERIAL, |_| {});
    let answer = world.office.answer(&pem, "-nmin 10");
    let host = Arc::new(Host::default()) as Arc<dyn HandshakeHost>;
    type Set<'a> = &'a dyn Fn(&mut ContextBuilder) -> &mut ContextBuilder;
    let hosted = |set: Set<'_>| {
        let mut builder = world.builder();
        set(builder.host_identities(Arc::clone(&host)).trust(world.authority.trust()));
        builder.build().unwrap_err().code()
    };
    assert_eq!(hosted(&|builder| builder.staple(true)), Code::OptionConflict);
    assert_eq!(hosted(&|builder| builder.staple_file(memory("staple.der", &answer))), Code::OptionConflict);
    let refused = |set: Set<'_>| {
        let mut builder = world.builder();
        set(builder.identity(identity(&pem)));
        builder.build().unwrap_err().code()
    };
    let issuer = || memory("ca.pem", world.authority.pem().as_bytes());
    assert_eq!(refused(&|builder| builder.staple_responder("http://ocsp.example")), Code::OptionConflict);
    assert_eq!(refused(&|builder| builder.staple_refresh_s(60)), Code::OptionConflict);
    assert_eq!(refused(&|builder| builder.staple_timeout_s(60)), Code::OptionConflict);
    assert_eq!(refused(&|builder| builder.staple_issuer(issuer())), Code::OptionConflict);
    assert_eq!(refused(&|builder| builder.staple(true).staple_responder("https://a")), Code::InvalidArgument);
    assert_eq!(
        refused(&|builder| builder.staple(true).staple_issuer(issuer()).staple_timeout_s(0)),
        Code::InvalidArgument
    );
}

#[test]
fn command_that_serves_asks_for_its_staple() {
    let world = World::new("command");
    let pem = world.issue("localhost", SERIAL, |_| {});
    let (_responder, url) = world.office.open(60);
    let folder = folder("stapling");
    let (identity, ca) = (file(&folder, "server.pem", &pem), file(&folder, "ca.pem", world.authority.pem()));
    let server = Server::start(&["--cert", &identity, "--staple", "--staple-issuer", &ca, "--staple-responder", &url]);
    let strict = ["--trust", &ca, "--ocsp-mode", "require", "--brief"];
    eventually("a staple", || {
        let ran = run(&[&["connect", &server.address()], strict.as_slice()].concat());
        assert!(ran.code == 0 || ran.err.contains("REVOCATION_UNKNOWN"), "{ran:?}");
        ran.code == 0
    });
}
