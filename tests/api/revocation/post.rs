//! Responders that serve POST and not GET, or that say why they do not answer: the real responder (`openssl ocsp`)
//! behind a server that fails each GET in another way.

use brokertls::Code;
use brokertls::revocation::Mode;

use crate::revocation::fetch::{BAD, GOOD, LOST, World, assert_code, responder_at};
use crate::rig::pair::{Authority, Pair};
use crate::rig::web::Play;

const MODES: [Mode; 2] = [Mode::Require, Mode::Prefer];
/// OCSP errors (RFC 6960 section 4.2.1).
const MALFORMED_REQUEST: &[u8] = &[0x30, 3, 0x0a, 1, 1];
const TRY_LATER: &[u8] = &[0x30, 3, 0x0a, 1, 3];
const UNAUTHORIZED: &[u8] = &[0x30, 3, 0x0a, 1, 6];

/// An answer of this status with this body.
fn refusal(status: u16, body: &[u8]) -> Play {
    let head = format!("HTTP/1.1 {status} No\r\nContent-Length: {}\r\n\r\n", body.len());
    Play::Raw([head.as_bytes(), body].concat())
}

/// Every way in which a GET gets no answer about the certificate.
fn failures_of_get(world: &World) -> Vec<Play> {
    world.web.play("/mangled", refusal(400, MALFORMED_REQUEST));
    world.web.play("/elsewhere", Play::Content(b"<html>moved</html>".to_vec()));
    vec![
        Play::Status(400),
        Play::Status(404),
        Play::Status(405),
        Play::Status(500),
        Play::Status(503),
        Play::Status(204),
        refusal(400, MALFORMED_REQUEST),
        refusal(403, UNAUTHORIZED),
        Play::Redirect(301, world.web.url("/mangled")),
        Play::Redirect(302, world.web.url("/elsewhere")),
        Play::Redirect(301, "https://127.0.0.1/ocsp".to_owned()),
        Play::Content(MALFORMED_REQUEST.to_vec()),
        Play::Content(b"<html>welcome</html>".to_vec()),
        Play::Content(Vec::new()),
        Play::Raw(Vec::new()),
        Play::Hang(Vec::new()),
        Play::hang_after_head(),
    ]
}

fn lines(world: &World) -> Vec<String> {
    let first_word = |line: String| line.split(' ').next().unwrap().to_owned();
    world.web.asked().into_iter().map(|asked| first_word(asked.line)).collect()
}

#[test]
fn responder_that_serves_no_get_is_asked_by_post_in_both_modes() {
    let world = World::new("post");
    let (_responder, url) = world.responder(&world.authority);
    world.web.play("/ocsp", Play::Redirect(307, url));
    for (at, play) in failures_of_get(&world).into_iter().enumerate() {
        world.web.play("*", play);
        for mode in MODES {
            let client = world.client(|builder| builder.revocation(mode).revocation_deadline_ms(4000));
            world.ask(&client, GOOD, &world.web.url("/ocsp")).unwrap_or_else(|error| panic!("failure {at}: {error}"));
            assert_eq!(client.revocation_unknown_accepted(), 0, "failure {at}");
            assert_code(&world.ask(&client, BAD, &world.web.url("/ocsp")), Code::CertRevoked);
        }
    }
}

#[test]
fn answer_by_get_that_is_about_another_certificate_or_out_of_date_is_asked_for_by_post() {
    let world = World::new("post-cache");
    let (_responder, url) = world.responder(&world.authority);
    // What caches on the way may have: the answer to another request, and one from long ago.
    let old = include_bytes!("../../fixtures/cases/stores/revoked-certid-sha384.ocsp").to_vec();
    world.web.play("/ocsp", Play::Redirect(307, url));
    world.web.play("*", Play::Content(old));
    for mode in MODES {
        let client = world.client(|builder| builder.revocation(mode));
        world.ask(&client, GOOD, &world.web.url("/ocsp")).unwrap();
        assert_eq!(client.revocation_unknown_accepted(), 0);
        assert_code(&world.ask(&client, BAD, &world.web.url("/ocsp")), Code::CertRevoked);
    }
}

#[test]
fn responder_that_answers_neither_way_is_unreachable_and_is_asked_once_by_each() {
    let world = World::new("post-neither");
    world.web.play("*", Play::Status(404));
    world.web.play("/ocsp", Play::Status(500));
    let client = world.client(|builder| builder);
    let outcome = world.ask(&client, GOOD, &world.web.url("/ocsp"));
    assert_code(&outcome, Code::RevocationUnreachable);
    let told = format!("{}: by GET: status 404; by POST: status 500", world.web.url("/ocsp"));
    assert!(outcome.as_ref().unwrap_err().detail().contains(&told), "{outcome:?}");
    assert_eq!(lines(&world), ["GET", "POST"]);
    // A failure is not tried again by the next handshake, in neither way.
    let server = world.server(GOOD, responder_at(&[&world.web.url("/ocsp")]));
    for _ in 0..5 {
        let _ = Pair::new(&server, &client, "broker").run();
    }
    assert_eq!(lines(&world).len(), 4);
}

#[test]
fn posts_that_are_sent_round_in_circles_or_hang_end_within_the_bounds() {
    for (at, play) in [
        Play::Redirect(307, "/ocsp".to_owned()),
        Play::Redirect(308, "/ocsp?again".to_owned()),
        Play::Hang(Vec::new()),
        Play::Flood(b"HTTP/1.1 500 No\r\n\r\n".to_vec(), 64 << 20),
        Play::Raw(b"HTTP/1.1 404 No\r\nContent-Length: 99999999\r\n\r\n".to_vec()),
    ]
    .into_iter()
    .enumerate()
    {
        let world = World::new(&format!("post-circle-{at}"));
        world.web.play("*", play.clone());
        let client = world.client(|builder| builder.revocation_deadline_ms(1500).fetch_redirects(3));
        let outcome = world.ask(&client, GOOD, &world.web.url("/ocsp"));
        assert_code(&outcome, Code::RevocationUnreachable);
        // Each way once, and three redirects of each at most.
        assert!(world.web.asked().len() <= 8, "{at}: {:?}", world.web.asked());
        // A source that knows nothing refuses nothing if it is only preferred.
        let client = world.client(|builder| builder.revocation(Mode::Prefer).revocation_deadline_ms(1500));
        world.ask(&client, GOOD, &world.web.url("/ocsp")).unwrap();
        assert_eq!(client.revocation_unknown_accepted(), 1);
    }
}

#[test]
fn forged_answer_to_the_post_is_believed_no_more_than_one_to_a_get() {
    let world = World::new("post-forged");
    let namesake = Authority::new("ca");
    let (_responder, url) = world.responder(&namesake);
    world.web.play("*", Play::Status(405));
    world.web.play("/ocsp", Play::Redirect(307, url));
    for serial in [GOOD, BAD] {
        let client = world.client(|builder| builder);
        assert_code(&world.ask(&client, serial, &world.web.url("/ocsp")), Code::RevocationResponseInvalid);
    }
}

#[test]
fn word_of_a_responder_is_kept_whatever_status_it_comes_with() {
    let words = [(MALFORMED_REQUEST, "malformedRequest"), (TRY_LATER, "tryLater"), (UNAUTHORIZED, "unauthorized")];
    for status in [200, 400, 401, 403, 404, 500, 503] {
        for (body, word) in words {
            let world = World::new(&format!("word-{status}-{word}"));
            let play = if status == 200 { Play::Content(body.to_vec()) } else { refusal(status, body) };
            world.web.play("*", play);
            let outcome = world.ask(&world.client(|builder| builder), LOST, &world.web.url("/ocsp"));
            assert_code(&outcome, Code::RevocationUnknown);
            let told = format!("the responder answers {word}");
            assert!(outcome.as_ref().unwrap_err().detail().contains(&told), "{status}: {outcome:?}");
            // Who is busy is not asked twice.
            let ways = if word == "tryLater" { vec!["GET"] } else { vec!["GET", "POST"] };
            assert_eq!(lines(&world), ways, "{status} {word}");
        }
    }
}

#[test]
fn second_responder_is_asked_after_the_first_failed_both_ways() {
    let world = World::new("post-second");
    let (_responder, url) = world.responder(&world.authority);
    world.web.play("*", Play::Hang(Vec::new()));
    for mode in MODES {
        for (serial, code) in [(GOOD, None), (BAD, Some(Code::CertRevoked))] {
            let client = world.client(|builder| builder.revocation(mode).revocation_deadline_ms(3000));
            let hanging = world.web.url("/ocsp");
            let server = world.server(serial, responder_at(&["ldap://crl.example/", &hanging, &url]));
            let outcome = Pair::new(&server, &client, "broker").run().client;
            assert_eq!(outcome.err().map(|error| error.code()), code);
            assert_eq!(client.revocation_unknown_accepted(), 0);
        }
    }
}
