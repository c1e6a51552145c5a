//! Several distribution points: the next is asked if one fails for any reason, within one deadline and a bounded
//! number of requests.

use std::net::TcpListener;

use brokertls::revocation::Mode;
use brokertls::{Code, Context};
use rcgen::{CertificateParams, CrlDistributionPoint};

use crate::revocation::fetch::{BAD, GOOD, World, assert_code};
use crate::rig::pair::{Authority, Pair};
use crate::rig::web::Play;

const MODES: [Mode; 2] = [Mode::Require, Mode::Prefer];

/// Names distribution points, each with its URLs.
fn points(points: &[&[&str]]) -> impl FnOnce(&mut CertificateParams) + use<> {
    let uris = |urls: &&[&str]| CrlDistributionPoint { uris: urls.iter().map(|url| (*url).to_owned()).collect() };
    let points: Vec<_> = points.iter().map(uris).collect();
    move |params| params.crl_distribution_points = points
}

/// Every way in which a place gives no list that speaks of the world's certificates now, by the URL of the place.
fn failures(world: &World) -> Vec<String> {
    let place = |name: &str, play: Play| {
        world.web.play(name, play);
        world.web.url(name)
    };
    let der = |authority: &Authority, first: i32, last: i32| {
        let (first, last) = (rcgen::date_time_ymd(first, 1, 1), rcgen::date_time_ymd(last, 1, 1));
        Play::Content(authority.crl_between(&[], first, last).der().to_vec())
    };
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let scoped = world.authority.crl_of_point(&[], "http://elsewhere.example/ca.crl");
    vec![
        format!("http://127.0.0.1:{closed}/ca.crl"),
        "ldap:///CN=ca,CN=CDP,DC=corp,DC=example?certificateRevocationList?base".to_owned(),
        "https://127.0.0.1/ca.crl".to_owned(),
        "file:///var/lib/ca.crl".to_owned(),
        "not a URL".to_owned(),
        place("/404.crl", Play::Status(404)),
        place("/500.crl", Play::Status(500)),
        place("/empty.crl", Play::Content(Vec::new())),
        place("/page.crl", Play::Content(b"<html>sign in</html>".to_vec())),
        place("/certificate.crl", Play::Content(world.authority.pem().into_bytes())),
        place("/other.crl", der(&Authority::new("other"), 2020, 2040)),
        place("/namesake.crl", der(&Authority::new("ca"), 2020, 2040)),
        place("/old.crl", der(&world.authority, 2020, 2021)),
        place("/future.crl", der(&world.authority, 2038, 2040)),
        place("/scoped.crl", Play::Content(scoped)),
        place("/loop.crl", Play::Redirect(302, "/loop.crl".to_owned())),
        place("/cut.crl", Play::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n0".to_vec())),
        place("/hang.crl", Play::Hang(Vec::new())),
    ]
}

fn outcome(server: &Context, client: &Context) -> Option<Code> {
    Pair::new(server, client, "broker").run().client.err().map(|error| error.code())
}

#[test]
fn list_of_a_later_place_decides_whatever_is_wrong_with_the_first() {
    let world = World::new("later-place");
    world.web.play("/ca.crl", Play::Content(world.authority.crl(&[BAD]).into_bytes()));
    let good = world.web.url("/ca.crl");
    for first in failures(&world) {
        let [own, one]: [&[&[&str]]; 2] = [&[&[&first], &[&good]], &[&[&first, &good]]];
        for named in [own, one] {
            for mode in MODES {
                for (serial, code) in [(GOOD, None), (BAD, Some(Code::CertRevoked))] {
                    let server = world.server(serial, points(named));
                    let client = world.client(|builder| builder.revocation(mode).revocation_deadline_ms(1500));
                    assert_eq!(outcome(&server, &client), code, "{first} {named:?} {mode:?}");
                    assert_eq!(client.revocation_unknown_accepted(), 0, "{first}");
                }
            }
        }
    }
}

#[test]
fn place_after_the_list_that_decides_is_not_asked() {
    let world = World::new("enough");
    world.web.play("/ca.crl", Play::Content(world.authority.crl(&[BAD]).into_bytes()));
    let (good, other) = (world.web.url("/ca.crl"), world.web.url("/other.crl"));
    for (serial, code) in [(GOOD, None), (BAD, Some(Code::CertRevoked))] {
        let server = world.server(serial, points(&[&[&good, &other], &[&other]]));
        assert_eq!(outcome(&server, &world.client(|builder| builder)), code);
    }
    assert!(world.web.asked().iter().all(|asked| asked.line == "GET /ca.crl"), "{:?}", world.web.asked());
}

#[test]
fn places_that_all_fail_are_unreachable_and_asked_once_each_up_to_a_bound() {
    for (places_of_a_point, most) in [(1, 8), (100, 8), (10, 16)] {
        for play in [Play::Status(404), Play::Hang(Vec::new())] {
            // A request of an earlier client can arrive late, and then at its own server.
            let world = World::new("all-fail");
            let urls: Vec<String> = (0..100).map(|at| world.web.url(&format!("/{at}.crl"))).collect();
            let places: Vec<&str> = urls.iter().map(String::as_str).collect();
            world.web.play("*", play);
            let named: Vec<&[&str]> = places.chunks(places_of_a_point).collect();
            let server = world.server(GOOD, points(&named));
            let client = world.client(|builder| builder.revocation_deadline_ms(800));
            let result = Pair::new(&server, &client, "broker").run().client;
            assert_code(&result, Code::RevocationUnreachable);
            let asked = world.web.asked().len();
            assert!(asked <= most, "{asked} of {most}");
            // A source that knows nothing refuses nothing if it is only preferred.
            let client = world.client(|builder| builder.revocation(Mode::Prefer).revocation_deadline_ms(800));
            assert_eq!((outcome(&server, &client), client.revocation_unknown_accepted()), (None, 1));
        }
    }
}

#[test]
fn places_that_fail_do_not_drive_out_the_lists_that_are_kept() {
    let world = World::new("kept");
    world.web.play("/ca.crl", Play::Content(world.authority.crl(&[BAD]).into_bytes()));
    let good = world.web.url("/ca.crl");
    let client = world.client(|builder| builder);
    assert_eq!(outcome(&world.server(GOOD, points(&[&[&good]])), &client), None);
    // As many other places as are kept, each named by a certificate of its own.
    for at in 0..70 {
        world.clock.advance(1);
        let dead = world.web.url(&format!("/dead-{at}.crl"));
        assert_eq!(outcome(&world.server(&[0x20, at], points(&[&[&dead], &[&good]])), &client), None);
    }
    let asked = world.web.asked().iter().filter(|asked| asked.line == "GET /ca.crl").count();
    assert_eq!(asked, 1);
}

#[test]
fn list_of_the_future_at_a_place_leaves_the_current_one_and_revokes_before_it_begins() {
    let world = World::new("ahead");
    let year = |year| rcgen::date_time_ymd(year, 1, 1);
    let ahead = |serials: &[&[u8]]| world.authority.crl_between(serials, year(2039), year(2040)).der().to_vec();
    world.web.play("/ca.crl", Play::Content(world.authority.crl(&[]).into_bytes()));
    let url = world.web.url("/ca.crl");
    let (good, bad) = (world.server(GOOD, points(&[&[&url]])), world.server(BAD, points(&[&[&url]])));
    let client = world.client(|builder| builder.fetch_refresh_s(60));
    assert_eq!((outcome(&good, &client), outcome(&bad, &client)), (None, None));
    world.web.play("/ca.crl", Play::Content(ahead(&[BAD])));
    world.clock.advance(100);
    client.maintain();
    assert_eq!((outcome(&good, &client), outcome(&bad, &client)), (None, Some(Code::CertRevoked)));
    let source = client.revocation_sources().remove(0);
    assert!(source.last_error.as_ref().is_some_and(|told| told.contains("a list of the future")), "{source:?}");
    // A list that is in force takes the place of both.
    world.web.play("/ca.crl", Play::Content(world.authority.crl(&[GOOD]).into_bytes()));
    world.clock.advance(100);
    client.maintain();
    assert_eq!((outcome(&good, &client), outcome(&bad, &client)), (Some(Code::CertRevoked), None));
}
