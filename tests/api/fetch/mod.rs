//! Fetching from servers that follow the rules, and from servers that break each of them.

mod cache;
mod hostile;

use std::net::TcpListener;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use brokertls::fetch::{Content, FetchPolicy, FetchRequest, Fetched, Fetcher, Post, Validators};
use brokertls::{Code, Error};

use crate::rig::web::{PATIENCE, Play, Web, eventually};

fn get(url: &str) -> FetchRequest<'_> {
    FetchRequest {
        url,
        is_configured: true,
        post: None,
        accept: "application/pkix-crl",
        max_bytes: 1000,
        deadline: Instant::now() + PATIENCE,
        validators: None,
        takes_refusals: false,
    }
}

/// As a certificate of a stranger names it.
fn of_stranger(url: &str) -> FetchRequest<'_> {
    FetchRequest { is_configured: false, ..get(url) }
}

fn fetcher() -> Fetcher {
    Fetcher::new(FetchPolicy::default()).unwrap()
}

/// One that may go anywhere, and does not wait long.
fn roaming() -> Fetcher {
    Fetcher::new(FetchPolicy { allows_private_addresses: true, ..FetchPolicy::default() }).unwrap()
}

fn content(fetched: Result<Fetched, Error>) -> Content {
    match fetched {
        Ok(Fetched::Content(content)) => content,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn assert_fails(fetched: Result<Fetched, Error>, code: Code, words: &str) {
    let error = fetched.unwrap_err();
    assert_eq!(error.code(), code, "{error}");
    assert!(error.detail().contains(words), "{words}: {error}");
}

#[track_caller]
fn assert_unreachable(fetched: Result<Fetched, Error>, words: &str) {
    assert_fails(fetched, Code::RevocationUnreachable, words);
}

#[track_caller]
fn assert_refused(fetched: Result<Fetched, Error>, words: &str) {
    assert_fails(fetched, Code::FetchRefused, words);
}

#[test]
fn content_comes_with_what_the_server_says_of_it() {
    let fields = ["ETag: \"1\"", "Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT"];
    let web = Web::playing(Play::Fields(fields.map(str::to_owned).to_vec(), b"list".to_vec()));
    let fetched = content(fetcher().fetch(&get(&web.url("/ca.crl?a=b"))));
    let validators =
        Validators { etag: Some("\"1\"".to_owned()), last_modified: Some("Thu, 01 Jan 2026 00:00:00 GMT".to_owned()) };
    assert_eq!(fetched, Content { bytes: b"list".to_vec(), validators });
    let asked = &web.asked()[0];
    assert_eq!(asked.line, "GET /ca.crl?a=b");
    assert_eq!(asked.field("host"), Some(format!("127.0.0.1:{}", web.port()).as_str()));
    assert_eq!(asked.field("user-agent"), Some(concat!("brokertls/", env!("CARGO_PKG_VERSION"))));
    assert_eq!(asked.field("accept"), Some("application/pkix-crl"));
    assert_eq!((asked.field("accept-encoding"), asked.field("connection")), (Some("identity"), Some("close")));
    assert_eq!(asked.field("if-none-match"), None);
    eventually("the connection is closed", || web.open() == 0);
}

#[test]
fn post_has_its_body_and_type() {
    let web = Web::playing(Play::Content(b"response".to_vec()));
    let url = web.url("/ocsp");
    let post = |body| Some(Post { content_type: "application/ocsp-request", body });
    let fetched = fetcher().fetch(&FetchRequest { post: post(b"question"), ..get(&url) });
    assert_eq!(content(fetched).bytes, b"response");
    let asked = &web.asked()[0];
    assert_eq!((asked.line.as_str(), asked.body.as_slice()), ("POST /ocsp", b"question".as_slice()));
    assert_eq!(asked.field("content-type"), Some("application/ocsp-request"));
    assert_eq!(asked.field("content-length"), Some("8"));
    let long = vec![0; 16 * 1024 + 1];
    assert_refused(fetcher().fetch(&FetchRequest { post: post(&long), ..get(&url) }), "16384 bytes to send");
    assert_eq!(web.asked().len(), 1);
}

#[test]
fn what_has_not_changed_is_not_sent_again() {
    let (etag, last_modified) = ("\"Version-1\"", "Thu, 01 Jan 2026 00:00:00 GMT");
    let web = Web::playing(Play::Versioned { etag, last_modified, body: b"list".to_vec() });
    let url = web.url("/ca.crl");
    let first = content(fetcher().fetch(&get(&url))).validators;
    let by_date = Validators { etag: None, ..first.clone() };
    for validators in [&first, &by_date] {
        let fetched = fetcher().fetch(&FetchRequest { validators: Some(validators), ..get(&url) });
        assert_eq!(fetched.unwrap(), Fetched::NotModified);
    }
    let other = Validators { etag: Some("\"0\"".to_owned()), last_modified: None };
    let fetched = fetcher().fetch(&FetchRequest { validators: Some(&other), ..get(&url) });
    assert_eq!(content(fetched).bytes, b"list");
    // An answer to a question that was not asked.
    let web = Web::playing(Play::Status(304));
    assert_unreachable(fetcher().fetch(&get(&web.url("/"))), "status 304");
}

#[test]
fn validators_that_could_be_something_else_are_neither_kept_nor_sent() {
    let web = Web::playing(Play::Fields(vec![format!("ETag: \"{}\"", "a".repeat(300))], b"list".to_vec()));
    let url = web.url("/");
    assert_eq!(content(fetcher().fetch(&get(&url))).validators, Validators::default());
    for etag in ["\"1\"\r\nX-Injected: yes", "\"1\"\nX-Injected: yes", "\u{e4}", "", "\t"] {
        let validators = Validators { etag: Some(etag.to_owned()), last_modified: Some(etag.to_owned()) };
        content(fetcher().fetch(&FetchRequest { validators: Some(&validators), ..get(&url) }));
        let asked = web.asked().pop().unwrap();
        let names = ["if-none-match", "if-modified-since", "x-injected"];
        assert_eq!(names.map(|name| asked.field(name).is_some()), [false; 3], "{etag:?}");
    }
}

#[test]
fn every_other_status_is_a_failure_that_names_it() {
    let web = Web::playing(Play::Status(500));
    for status in [101, 201, 204, 206, 300, 305, 400, 401, 403, 404, 410, 429, 500, 503, 999] {
        web.play("*", Play::Status(status));
        assert_unreachable(fetcher().fetch(&get(&web.url("/"))), &format!("status {status}"));
    }
}

#[test]
fn private_addresses_are_refused_unless_allowed_or_configured() {
    let web = Web::playing(Play::Content(b"list".to_vec()));
    let port = web.port();
    let hosts = [
        "127.0.0.1",
        "127.9.9.9",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "10.0.0.1",
        "0.0.0.0",
        "169.254.169.254",
        "127.1",
        "0x7f000001",
    ];
    for host in hosts {
        assert_refused(fetcher().fetch(&of_stranger(&format!("http://{host}:{port}/"))), host);
    }
    assert_eq!(web.accepted(), 0);
    let url = web.url("/");
    for fetched in [fetcher().fetch(&get(&url)), roaming().fetch(&of_stranger(&url))] {
        assert_eq!(content(fetched).bytes, b"list");
    }
    let named = format!("http://localhost:{port}/");
    assert_eq!(content(fetcher().fetch(&get(&named))).bytes, b"list");
}

#[test]
fn what_is_not_plain_http_is_refused_before_anything_is_asked() {
    let web = Web::playing(Play::Content(b"list".to_vec()));
    let authority = format!("127.0.0.1:{}", web.port());
    for (url, words) in [
        (format!("https://{authority}/"), "https is not fetched"),
        (format!("ldap://{authority}/cn=ca"), "ldap is not served"),
        (format!("ftp://{authority}/"), "only http is fetched"),
        (format!("http://user:secret@{authority}/"), "a user name"),
        (authority, "not a URL"),
    ] {
        assert_refused(fetcher().fetch(&get(&url)), words);
    }
    assert_eq!(web.accepted(), 0);
}

#[test]
fn redirects_are_followed_with_the_method_that_belongs_to_them() {
    let post = Post { content_type: "application/ocsp-request", body: b"question" };
    for (status, line, body) in [
        (301, "POST /there", "question"),
        (302, "POST /there", "question"),
        (303, "GET /there", ""),
        (307, "POST /there", "question"),
        (308, "POST /there", "question"),
    ] {
        let web = Web::playing(Play::Redirect(status, "../there".to_owned()));
        web.play("/there", Play::Content(b"response".to_vec()));
        let url = web.url("/a/here");
        let fetched = roaming().fetch(&FetchRequest { post: Some(post), ..get(&url) });
        assert_eq!(content(fetched).bytes, b"response", "{status}");
        let asked = &web.asked()[1];
        assert_eq!((asked.line.as_str(), asked.body.as_slice()), (line, body.as_bytes()), "{status}");
        assert_eq!(content(roaming().fetch(&get(&url))).bytes, b"response", "{status}");
    }
}

#[test]
fn redirects_that_do_not_end_are_given_up() {
    let web = Web::playing(Play::Redirect(302, "/1".to_owned()));
    for at in 1..10 {
        web.play(&format!("/{at}"), Play::Redirect(302, format!("/{}", at + 1)));
    }
    assert_unreachable(roaming().fetch(&get(&web.url("/0"))), "more than 3 redirects");
    assert_eq!(web.asked().len(), 4);
    web.play("/2", Play::Redirect(302, "/1".to_owned()));
    assert_unreachable(roaming().fetch(&get(&web.url("/1"))), "a redirect loop, back to");
    web.play("/itself", Play::Redirect(302, "itself".to_owned()));
    assert_unreachable(roaming().fetch(&get(&web.url("/itself"))), "a redirect loop, back to");
    web.play("/nowhere", Play::Status(302));
    assert_unreachable(roaming().fetch(&get(&web.url("/nowhere"))), "no place to go to");
    let none = Fetcher::new(FetchPolicy { max_redirects: 0, allows_private_addresses: true, ..FetchPolicy::default() });
    assert_unreachable(none.unwrap().fetch(&get(&web.url("/0"))), "more than 0 redirects");
}

#[test]
fn redirects_are_judged_as_if_a_stranger_had_asked() {
    let inner = Web::playing(Play::Content(b"secret".to_vec()));
    let web = Web::playing(Play::Status(404));
    let places = [
        (inner.url("/"), "127.0.0.1 is a loopback address"),
        (web.url("/"), "127.0.0.1 is a loopback address"),
        (format!("//localhost:{}/", inner.port()), "localhost is at"),
        ("https://127.0.0.1/".to_owned(), "https is not fetched"),
        ("ldap://127.0.0.1/".to_owned(), "ldap is not served"),
        ("file:///etc/passwd".to_owned(), "only http is fetched"),
        (format!("http://user@127.0.0.1:{}/", inner.port()), "a user name"),
        ("http://169.254.169.254/latest/meta-data".to_owned(), "a link-local address"),
    ];
    for (place, words) in places {
        web.play("/here", Play::Redirect(302, place));
        // The operator named the first place, and no other.
        assert_refused(fetcher().fetch(&get(&web.url("/here"))), words);
    }
    assert_eq!(inner.accepted(), 0);
}

/// Servers that keep their client waiting, each in its own way.
fn slow_servers() -> Vec<Web> {
    let trickle = |first: &str, bytes: &str| Play::Trickle(first.as_bytes().to_vec(), bytes.as_bytes().to_vec());
    let plays = [
        Play::Hang(Vec::new()),
        Play::Hang(b"HTTP/1.1 200".to_vec()),
        Play::Hang(b"HTTP/1.1 200 OK\r\nContent-".to_vec()),
        Play::Hang(b"HTTP/1.1 302 Found\r\nLocation: /".to_vec()),
        Play::hang_after_head(),
        Play::Hang(b"HTTP/1.1 200 OK\r\n\r\nuntil the connection ends".to_vec()),
        trickle("HTTP/1.1 200 ", "OK"),
        trickle("HTTP/1.1 200 OK\r\n", "A: b\r\n"),
        trickle("HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n", "a"),
        trickle("HTTP/1.1 200 OK\r\n\r\n", "a"),
        trickle("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\na\r\n"),
        trickle("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "A: b\r\n"),
        trickle("", "HTTP/1.1 100 Continue\r\n\r\n"),
        trickle("", "HTTP/1.1 103 Early Hints\r\n\r\n"),
        Play::Held(Box::new(Play::Content(b"late".to_vec()))),
    ];
    plays.into_iter().map(Web::playing).chain([Web::deaf()]).collect()
}

#[test]
fn servers_that_are_slow_anywhere_are_given_up_at_the_deadline() {
    for web in slow_servers() {
        let url = web.url("/");
        let deadline = Instant::now() + Duration::from_millis(150);
        assert_unreachable(fetcher().fetch(&FetchRequest { deadline, ..get(&url) }), "in time");
        web.release();
        eventually("the connection is closed", || web.open() == 0);
    }
}

#[test]
fn servers_that_are_slow_anywhere_are_given_up_after_the_policys_timeout() {
    let policy = FetchPolicy { timeout: Duration::from_millis(150), ..FetchPolicy::default() };
    let fetcher = Fetcher::new(policy).unwrap();
    for web in slow_servers() {
        assert_unreachable(fetcher.fetch(&get(&web.url("/"))), "in time");
    }
}

#[test]
fn one_deadline_holds_for_all_redirects_together() {
    let web = Web::playing(Play::Status(404));
    web.play("/here", Play::Redirect(302, "/there".to_owned()));
    web.play("/there", Play::Trickle(b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), b"a".to_vec()));
    let deadline = Instant::now() + Duration::from_millis(150);
    let url = web.url("/here");
    assert_unreachable(roaming().fetch(&FetchRequest { deadline, ..get(&url) }), "in time");
    let deadline = Instant::now();
    let asked = web.asked().len();
    assert_unreachable(roaming().fetch(&FetchRequest { deadline, ..get(&url) }), "in time");
    assert_eq!(web.asked().len(), asked);
}

#[test]
fn answers_that_are_too_long_are_given_up() {
    const MIB_100: usize = 100 * 1024 * 1024;
    let heads = [
        format!("HTTP/1.1 200 OK\r\nContent-Length: {MIB_100}\r\n\r\n"),
        "HTTP/1.1 200 OK\r\n\r\n".to_owned(),
        "HTTP/1.0 200 OK\r\n\r\n".to_owned(),
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{MIB_100:x}\r\n"),
    ];
    for head in heads {
        let web = Web::playing(Play::Flood(head.clone().into_bytes(), MIB_100));
        assert_unreachable(fetcher().fetch(&get(&web.url("/"))), "more than 1000 bytes");
        eventually("the connection is closed", || web.open() == 0);
        // What the buffers of both ends take, and no more.
        assert!(web.sent() < MIB_100 / 2, "{head}: {}", web.sent());
    }
}

#[test]
fn answer_at_the_limit_is_taken_and_one_byte_more_is_not() {
    let chunked = |size: usize| {
        let body = "a".repeat(size);
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{size:x}\r\n{body}\r\n0\r\n\r\n").into_bytes()
    };
    let closed = |size: usize| format!("HTTP/1.1 200 OK\r\n\r\n{}", "a".repeat(size)).into_bytes();
    let forms: [&dyn Fn(usize) -> Play; 3] =
        [&|size| Play::Content(vec![b'a'; size]), &|size| Play::Raw(chunked(size)), &|size| Play::Raw(closed(size))];
    for form in forms {
        let web = Web::playing(form(1000));
        assert_eq!(content(fetcher().fetch(&get(&web.url("/")))).bytes, vec![b'a'; 1000]);
        web.play("*", form(1001));
        assert_unreachable(fetcher().fetch(&get(&web.url("/"))), "more than 1000 bytes");
        web.play("*", form(0));
        let url = web.url("/");
        assert_eq!(content(fetcher().fetch(&FetchRequest { max_bytes: 0, ..get(&url) })).bytes, b"");
    }
}

#[test]
fn large_answer_is_read_whole() {
    let body: Vec<u8> = (0..5_000_000_u32).map(|at| (at % 251) as u8).collect();
    let web = Web::playing(Play::Content(body.clone()));
    let url = web.url("/");
    let fetched = fetcher().fetch(&FetchRequest { max_bytes: body.len(), ..get(&url) });
    assert_eq!(content(fetched).bytes, body);
}

#[test]
fn heads_that_are_too_long_are_given_up() {
    let fields = "A: b\r\n".repeat(200);
    let huge = "a".repeat(1024 * 1024);
    let heads = [
        (format!("HTTP/1.1 200 OK\r\nA: {huge}\r\n\r\n"), "a head of more than 16384 bytes"),
        (format!("HTTP/1.1 200 {huge}\r\n\r\n"), "a head of more than 16384 bytes"),
        (format!("HTTP/1.1 302 Found\r\nLocation: /{huge}\r\n\r\n"), "a head of more than 16384 bytes"),
        (format!("HTTP/1.1 200 OK\r\n{fields}\r\n"), "too many headers"),
        (format!("HTTP/1.1 302 Found\r\nLocation: /{}\r\n\r\n", &huge[..5000]), "a URL of more than 4096 bytes"),
    ];
    for (head, words) in heads {
        let web = Web::playing(Play::Raw(head.into_bytes()));
        let error = fetcher().fetch(&get(&web.url("/"))).unwrap_err();
        assert!([Code::RevocationUnreachable, Code::FetchRefused].contains(&error.code()), "{error}");
        assert!(error.detail().contains(words) && error.detail().len() < 1000, "{words}: {error}");
    }
    // A head that never ends.
    let web = Web::playing(Play::Flood(b"HTTP/1.1 200 OK\r\nA: ".to_vec(), 100 * 1024 * 1024));
    assert_eq!(fetcher().fetch(&get(&web.url("/"))).unwrap_err().code(), Code::RevocationUnreachable);
}

#[test]
fn answers_that_are_not_http_are_failures() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let answers = [
        String::new(),
        "\r\n".repeat(100),
        "\0\u{1}\u{2}".repeat(1000),
        "SSH-2.0-OpenSSH_9.2\r\n".to_owned(),
        "HTTP/2.0 200 OK\r\n\r\n".to_owned(),
        "HTTP/1.1 20x OK\r\n\r\n".to_owned(),
        "HTTP/1.1 000 OK\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab".to_owned(),
        format!("{chunked}zz\r\n"),
        format!("{chunked}-1\r\n"),
        format!("{chunked}ffffffffffffffffffff\r\na"),
        format!("{chunked}5\r\nab"),
        format!("{chunked}2\r\nabcd\r\n0\r\n\r\n"),
        format!("{chunked}{}", "1".repeat(100_000)),
        "HTTP/1.1 100 Continue\r\n\r\n".repeat(100),
        "HTTP/1.1 302 Found\r\nLocation: \u{1b}[2J\r\n\r\n".to_owned(),
    ];
    for answer in answers {
        let web = Web::playing(Play::Raw(answer.clone().into_bytes()));
        let error = fetcher().fetch(&get(&web.url("/"))).expect_err(&answer);
        assert_eq!(error.code(), Code::RevocationUnreachable, "{answer:?}: {error}");
        let is_plain = error.detail().chars().all(|char| !char.is_control());
        assert!(is_plain && error.detail().len() < 1000, "{answer:?}: {error}");
    }
}

#[test]
fn answer_in_a_coding_that_was_not_asked_for_is_a_failure() {
    for (coding, is_taken) in [("gzip", false), ("br", false), ("x", false), ("identity", true), ("Identity", true)] {
        let web = Web::playing(Play::Fields(vec![format!("Content-Encoding: {coding}")], b"list".to_vec()));
        let fetched = fetcher().fetch(&get(&web.url("/")));
        match is_taken {
            true => assert_eq!(content(fetched).bytes, b"list"),
            false => assert_unreachable(fetched, "Content-Encoding"),
        }
    }
}

#[test]
fn port_without_a_listener_is_unreachable() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    assert_unreachable(fetcher().fetch(&get(&format!("http://127.0.0.1:{port}/"))), "refused");
}

#[test]
fn no_more_fetches_run_at_once_than_allowed_from_one_server_and_in_all() {
    let held = || Web::playing(Play::Held(Box::new(Play::Content(b"list".to_vec()))));
    let (slow, other) = (held(), held());
    let policy = FetchPolicy { max_concurrent: 4, allows_private_addresses: true, ..FetchPolicy::default() };
    let fetcher = Fetcher::new(policy).unwrap();
    let fetch =
        |web: &Web, is_configured| content(fetcher.fetch(&FetchRequest { is_configured, ..get(&web.url("/")) })).bytes;
    let assert_no_turn = |web: &Web, is_configured, words: &str| {
        let deadline = Instant::now() + Duration::from_millis(100);
        let url = web.url("/");
        assert_unreachable(fetcher.fetch(&FetchRequest { is_configured, deadline, ..get(&url) }), words);
    };
    thread::scope(|scope| {
        let mut running: Vec<_> = (0..12).map(|_| scope.spawn(|| fetch(&slow, false))).collect();
        eventually("two of four are from the slow server", || slow.asked().len() == 2);
        assert_no_turn(&slow, false, "no turn in time: 2 others from 127.0.0.1");
        assert_no_turn(&slow, true, "no turn in time: 2 others from 127.0.0.1");
        running.push(scope.spawn(|| fetch(&other, false)));
        eventually("the third is from another", || other.asked().len() == 1);
        assert_no_turn(&other, false, "no turn in time: 3 other fetches are running");
        running.push(scope.spawn(|| fetch(&other, true)));
        eventually("the fourth is the operator's", || other.asked().len() == 2);
        let third = held();
        assert_no_turn(&third, true, "no turn in time: 4 other fetches are running");
        assert_eq!((slow.asked().len(), third.accepted()), (2, 0));
        slow.release();
        other.release();
        for fetched in running {
            assert_eq!(fetched.join().unwrap(), b"list");
        }
    });
    assert_eq!((slow.asked().len(), other.asked().len()), (12, 2));
}

#[test]
fn turn_comes_back_after_every_failure() {
    let policy = FetchPolicy { max_concurrent: 1, ..FetchPolicy::default() };
    let fetcher = Fetcher::new(policy).unwrap();
    let web = Web::playing(Play::Raw(b"garbage".to_vec()));
    for _ in 0..10 {
        assert_eq!(fetcher.fetch(&get(&web.url("/"))).unwrap_err().code(), Code::RevocationUnreachable);
        assert_eq!(fetcher.fetch(&of_stranger(&web.url("/"))).unwrap_err().code(), Code::FetchRefused);
    }
    web.play("*", Play::Content(b"list".to_vec()));
    assert_eq!(content(fetcher.fetch(&get(&web.url("/")))).bytes, b"list");
}

fn by_proxy(proxy: &Web) -> Fetcher {
    let proxy = Some(format!("http://127.0.0.1:{}", proxy.port()));
    Fetcher::new(FetchPolicy { proxy, ..FetchPolicy::default() }).unwrap()
}

#[test]
fn proxy_is_asked_with_the_whole_url_and_resolves_it() {
    let proxy = Web::playing(Play::Content(b"list".to_vec()));
    let fetcher = by_proxy(&proxy);
    let post = Some(Post { content_type: "application/ocsp-request", body: b"question" });
    let url = "http://crl.invalid:8080/ca.crl?a=b";
    assert_eq!(content(fetcher.fetch(&of_stranger(url))).bytes, b"list");
    assert_eq!(content(fetcher.fetch(&FetchRequest { post, ..of_stranger(url) })).bytes, b"list");
    let asked = proxy.asked();
    assert_eq!(asked[0].line, "GET http://crl.invalid:8080/ca.crl?a=b");
    assert_eq!(asked[0].field("host"), Some("crl.invalid:8080"));
    assert_eq!(
        (asked[1].line.as_str(), asked[1].body.as_slice()),
        ("POST http://crl.invalid:8080/ca.crl?a=b", b"question".as_slice())
    );
    // The longest URL fits, twice: in the request line and, in part, in the field Host.
    let long = format!("http://crl.invalid/{}", "a".repeat(4096 - 19));
    assert_eq!(content(fetcher.fetch(&of_stranger(&long))).bytes, b"list");
    assert_eq!(proxy.asked()[2].line, format!("GET {long}"));
}

#[test]
fn redirects_go_through_the_proxy_too() {
    let proxy = Web::playing(Play::Status(404));
    proxy.play("http://crl.invalid/here", Play::Redirect(302, "http://other.invalid/there".to_owned()));
    proxy.play("http://other.invalid/there", Play::Content(b"list".to_vec()));
    proxy.play("http://crl.invalid/inside", Play::Redirect(302, "http://127.0.0.1/".to_owned()));
    let fetcher = by_proxy(&proxy);
    assert_eq!(content(fetcher.fetch(&get("http://crl.invalid/here"))).bytes, b"list");
    assert_refused(fetcher.fetch(&get("http://crl.invalid/inside")), "127.0.0.1 is a loopback address");
}

#[test]
fn proxy_is_not_asked_for_addresses_that_are_refused() {
    let proxy = Web::playing(Play::Content(b"list".to_vec()));
    let fetcher = by_proxy(&proxy);
    for url in ["http://10.0.0.1/", "http://[::1]/", "http://127.1/", "http://localhost/", "http://a.LOCALHOST./"] {
        assert_eq!(fetcher.fetch(&of_stranger(url)).unwrap_err().code(), Code::FetchRefused, "{url}");
    }
    assert_eq!(proxy.accepted(), 0);
    assert_eq!(content(fetcher.fetch(&get("http://10.0.0.1/"))).bytes, b"list");
}

#[test]
fn policies_that_cannot_work_are_refused_without_repeating_passwords() {
    let proxies = [
        "",
        "proxy.example",
        "proxy.example:3128",
        "https://proxy.example:3128",
        "socks5://proxy.example:1080",
        "http://proxy.example",
        "http://proxy.example:",
        "http://proxy.example:0",
        "http://proxy.example:70000",
        "http://proxy.example:3128/path",
        "http://user:secret@proxy.example:3128",
        "http://proxy.example:3128?a=b",
    ];
    for proxy in proxies {
        let policy = FetchPolicy { proxy: Some(proxy.to_owned()), ..FetchPolicy::default() };
        let error = Fetcher::new(policy).expect_err(proxy);
        assert_eq!(error.code(), Code::InvalidArgument, "{proxy}");
        assert!(error.detail().starts_with("the proxy to fetch by") && !error.detail().contains("secret"), "{error}");
    }
    for proxy in ["http://proxy.example:3128", "http://proxy.example:3128/", "HTTP://[::1]:1"] {
        Fetcher::new(FetchPolicy { proxy: Some(proxy.to_owned()), ..FetchPolicy::default() }).unwrap();
    }
    let none = FetchPolicy { max_concurrent: 0, ..FetchPolicy::default() };
    let timeless = FetchPolicy { timeout: Duration::ZERO, ..FetchPolicy::default() };
    for policy in [none, timeless] {
        assert_eq!(Fetcher::new(policy).unwrap_err().code(), Code::InvalidArgument);
    }
}

#[test]
fn proxies_of_the_environment_are_not_used() {
    const CHILD: &str = "BROKERTLS_TEST_FETCH_URL";
    if let Ok(url) = std::env::var(CHILD) {
        assert_eq!(content(fetcher().fetch(&get(&url))).bytes, b"list");
        return;
    }
    let web = Web::playing(Play::Content(b"list".to_vec()));
    let proxy = Web::playing(Play::Content(b"of the proxy".to_vec()));
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["fetch::proxies_of_the_environment_are_not_used", "--exact"]).env(CHILD, web.url("/"));
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        child.env(name, proxy.url("/"));
    }
    let output = child.env_remove("no_proxy").env_remove("NO_PROXY").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!((web.accepted(), proxy.accepted()), (1, 0));
}
