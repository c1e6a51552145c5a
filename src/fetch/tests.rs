//! Tests with a resolver of their own: names that resolve to private addresses, to other addresses later, and never.

use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use super::lookup::Names;
use super::*;

fn request(url: &str) -> FetchRequest<'_> {
    let deadline = Instant::now() + Duration::from_secs(20);
    FetchRequest {
        url,
        is_configured: false,
        post: None,
        accept: "*/*",
        max_bytes: 100,
        deadline,
        validators: None,
        takes_refusals: false,
    }
}

fn fetcher(names: Names) -> Fetcher {
    Fetcher::with_names(FetchPolicy::default(), names).unwrap()
}

/// Starts a server of one response and returns its port.
fn server() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    });
    port
}

#[test]
fn name_is_judged_by_the_addresses_that_are_connected_to() {
    // A public address the first time, and this machine after that.
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let names = Names::new(move |_, port| {
        let first = count.fetch_add(1, Ordering::Relaxed) == 0;
        let address = if first { Ipv4Addr::new(192, 0, 2, 1) } else { Ipv4Addr::LOCALHOST };
        Ok(vec![SocketAddr::new(address.into(), port)])
    });
    let fetcher = fetcher(names);
    for kind in ["documentation", "loopback"] {
        let error = fetcher.fetch(&request("http://rebinding.example/")).unwrap_err();
        assert_eq!(error.code(), Code::FetchRefused);
        assert!(error.detail().contains(kind) && error.detail().contains("rebinding.example is at"), "{error}");
    }
    // Once for each fetch: a second answer was never used.
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

#[test]
fn of_a_names_addresses_only_the_allowed_ones_are_connected_to() {
    let port = server();
    let addresses = move |private: bool| {
        let private: IpAddr = if private { "::1".parse().unwrap() } else { "fe80::1".parse().unwrap() };
        Ok(vec![SocketAddr::new(private, port), SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port)])
    };
    let error = fetcher(Names::new(move |_, _| addresses(true))).fetch(&request("http://both.example/")).unwrap_err();
    assert_eq!(error.code(), Code::FetchRefused);
    // The operator may name any address.
    let configured = FetchRequest { is_configured: true, ..request("http://both.example/") };
    let fetched = fetcher(Names::new(move |_, _| addresses(true))).fetch(&configured).unwrap();
    assert!(matches!(fetched, Fetched::Content(content) if content.bytes == b"ok"));
}

#[test]
fn name_that_is_never_resolved_ends_at_the_deadline() {
    let (release, held) = mpsc::channel::<()>();
    let held = Mutex::new(held);
    let names = Names::new(move |_, _| {
        let _ = held.lock().unwrap().recv();
        Err(io::ErrorKind::NotFound.into())
    });
    let fetcher = fetcher(names);
    let deadline = Instant::now() + Duration::from_millis(100);
    let request = FetchRequest { deadline, ..request("http://hanging.example/") };
    let error = fetcher.fetch(&request).unwrap_err();
    assert_eq!(error.code(), Code::RevocationUnreachable);
    assert!(error.detail().contains("hanging.example was not looked up in time"), "{error}");
    drop(release);
}

#[test]
fn look_ups_that_nobody_waits_for_any_more_are_bounded() {
    let (release, held) = mpsc::channel::<()>();
    let held = Mutex::new(held);
    let names = Names::new(move |_, _| {
        let _ = held.lock().unwrap().recv();
        Err(io::ErrorKind::NotFound.into())
    });
    let fetcher = fetcher(names);
    let hanging = || {
        let deadline = Instant::now() + Duration::from_millis(1);
        fetcher.fetch(&FetchRequest { deadline, ..request("http://hanging.example/") }).unwrap_err()
    };
    let mut errors = (0..1000).map(|_| hanging());
    let error = errors.find(|error| error.detail().contains("other look-ups")).expect("no look-up was ever refused");
    assert_eq!(error.code(), Code::RevocationUnreachable);
    drop(release);
}

#[test]
fn name_that_resolves_to_nothing_or_not_at_all_is_unreachable() {
    for (names, words) in [
        (Names::new(|_, _| Ok(Vec::new())), "has no address"),
        (Names::new(|_, _| Err(io::Error::other("no such host"))), "cannot be looked up: no such host"),
        (Names::new(|_, _| panic!("a resolver that fails")), "looking nowhere.example up failed"),
    ] {
        let error = fetcher(names).fetch(&request("http://nowhere.example/")).unwrap_err();
        assert_eq!(error.code(), Code::RevocationUnreachable);
        assert!(error.detail().contains(words), "{error}");
    }
}
