//! Fetching with answers that are missing, or damaged at random.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use brokertls::Code;
use brokertls::fetch::{FetchPolicy, FetchRequest, Fetched, Fetcher, Validators};

use crate::rig::web::{PATIENCE, Play, Web};

fn get(url: &str) -> FetchRequest<'_> {
    FetchRequest {
        url,
        is_configured: true,
        post: None,
        accept: "application/ocsp-response",
        max_bytes: 1000,
        deadline: Instant::now() + PATIENCE,
        validators: None,
        takes_refusals: true,
    }
}

/// Answers of every form, each whole.
fn answers() -> Vec<Vec<u8>> {
    [
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nETag: \"1\"\r\nCache-Control: max-age=60, public\r\n\r\nlist",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;name=value\r\nli\r\n2\r\nst\r\n0\r\nTrailer: a\r\n\r\n",
        "HTTP/1.0 200 OK\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n\r\nlist",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: <a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na",
        "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/a/../b?c\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\n\r\n",
        "HTTP/1.1 500 Oops\r\nConnection: close\r\nContent-Type: text/html\r\n\r\n<html>",
    ]
    .map(|answer| answer.as_bytes().to_vec())
    .to_vec()
}

/// Fetches it and looks at nothing but that there is a verdict, which is what was sent or one of the room's codes.
fn judge(fetcher: &Fetcher, web: &Web, answer: &[u8]) {
    web.play("*", Play::Raw(answer.to_vec()));
    let validators = Validators { etag: Some("\"1\"".to_owned()), last_modified: None };
    let url = web.url("/");
    match fetcher.fetch(&FetchRequest { validators: Some(&validators), ..get(&url) }) {
        Ok(Fetched::Content(content)) => assert!(content.bytes.len() <= answer.len()),
        Ok(Fetched::Refused { status, bytes }) => {
            assert!((400..600).contains(&status) && bytes.len() <= answer.len());
        }
        Ok(Fetched::NotModified) => {}
        Err(error) => {
            let is_known = [Code::RevocationUnreachable, Code::FetchRefused].contains(&error.code());
            assert!(is_known, "{}: {error}", answer.escape_ascii());
            assert!(!error.detail().chars().any(char::is_control), "{}: {error}", answer.escape_ascii());
        }
    }
}

#[test]
fn no_altered_byte_and_no_cut_of_an_answer_breaks_anything() {
    let web = Web::playing(Play::Status(404));
    let fetcher = Fetcher::new(FetchPolicy::default()).unwrap();
    for answer in answers() {
        for at in 0..answer.len() {
            judge(&fetcher, &web, &answer[..at]);
            for byte in [0, b'\r', b'\n', b' ', b':', b'9', 0xff] {
                let mut altered = answer.clone();
                altered[at] = byte;
                judge(&fetcher, &web, &altered);
                altered.insert(at, byte);
                judge(&fetcher, &web, &altered);
            }
        }
    }
}

#[test]
fn no_mixture_of_answers_breaks_anything() {
    let web = Web::playing(Play::Status(404));
    let fetcher = Fetcher::new(FetchPolicy::default()).unwrap();
    let answers = answers();
    // A generator of its own (xorshift), so that every run has the same mixtures.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut below = |limit: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % limit as u64) as usize
    };
    for _ in 0..2000 {
        let mut mixed = Vec::new();
        for _ in 0..1 + below(6) {
            let answer = &answers[below(answers.len())];
            let from = below(answer.len());
            let to = from + below(answer.len() - from + 1);
            mixed.extend_from_slice(&answer[from..to]);
        }
        judge(&fetcher, &web, &mixed);
    }
}

#[test]
fn host_that_never_completes_a_connection_is_given_up_at_the_deadline() {
    // Once its queue is full, a listening socket without calls of accept leaves a connection without an answer.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
        waiting.push(stream);
        assert!(waiting.len() < 10_000, "the queue is never full");
    }
    let fetcher = Fetcher::new(FetchPolicy::default()).unwrap();
    let url = format!("http://{address}/");
    let deadline = Instant::now() + Duration::from_millis(150);
    let error = fetcher.fetch(&FetchRequest { deadline, ..get(&url) }).unwrap_err();
    assert_eq!(error.code(), Code::RevocationUnreachable);
    assert!(error.detail().contains("in time"), "{error}");
}
