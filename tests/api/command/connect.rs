//! `brokertls connect` and `brokertls serve`, with each other and with openssl.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::process::Command;

use crate::process::Running;
use crate::rig::command::{Server, file, folder, run, run_with_input};
use crate::rig::pair::Authority;

/// The files of both sides.
struct Files {
    ca: String,
    server: String,
    client: String,
    stranger: String,
}

fn files(name: &str) -> Files {
    let folder = folder(name);
    let authority = Authority::new("ca");
    Files {
        ca: file(&folder, "ca.pem", authority.pem()),
        server: file(&folder, "server.pem", authority.issue(&["localhost"], |_| {})),
        client: file(&folder, "client.pem", authority.issue(&["client.example"], |_| {})),
        stranger: file(&folder, "stranger.pem", Authority::new("other").issue(&["stranger.example"], |_| {})),
    }
}

#[test]
fn input_is_echoed_whatever_its_length() {
    let files = files("echo");
    let mut server = Server::start(&["--echo", "--cert", &files.server]);
    let large = "0123456789abcdef".repeat(128 * 1024);
    for input in ["", "hello\n", &large] {
        let ran = run_with_input(&["connect", &server.address(), "--trust", &files.ca], input.as_bytes());
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(ran.out == input, "{} bytes came back of {}", ran.out.len(), input.len());
        assert!(ran.err.contains("subject      CN=localhost"), "{}", ran.err);
        assert!(ran.err.contains("version      TLSv1.3"), "{}", ran.err);
        assert!(server.line().starts_with("connected 127.0.0.1:"));
        assert!(server.line().ends_with(&format!(": {} bytes received\n", input.len())));
    }
}

#[test]
fn server_tells_who_connected_and_why_another_was_refused() {
    let files = files("mutual");
    let mut server = Server::start(&["--cert", &files.server, "--trust", &files.ca, "--client-auth", "need"]);
    let arguments = ["connect", &server.address(), "--trust", &files.ca, "--brief"];

    let ran = run(&[arguments.as_slice(), &["--cert", &files.client, "--versions", "TLSv1.2"]].concat());
    assert_eq!(ran.code, 0, "{ran:?}");
    let line = server.line();
    assert!(line.contains("TLSv1.2, ") && line.contains("client \"CN=client.example\""), "{line}");
    assert!(server.line().starts_with("closed "));

    let ran = run(&arguments);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("ALERT_CERTIFICATE_REQUIRED"), "{ran:?}");
    let line = server.line();
    assert!(line.starts_with("refused 127.0.0.1:") && line.contains(": CERT_MISSING: "), "{line}");

    let ran = run(&[arguments.as_slice(), &["--cert", &files.stranger]].concat());
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("ALERT_UNKNOWN_CA"), "{ran:?}");
    assert!(server.line().contains(": CERT_UNKNOWN_ISSUER: "));
}

#[test]
fn server_that_is_not_trusted_is_refused_with_the_code_and_a_hint() {
    let files = files("untrusted");
    let mut server = Server::start(&["--cert", &files.server]);
    let ran = run(&["connect", &server.address(), "--trust", &files.client, "--brief"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("BTLS_CERT_UNKNOWN_ISSUER (300)") && ran.err.contains("hint: "), "{ran:?}");
    let line = server.line();
    assert!(line.contains(": ALERT_UNKNOWN_CA: "), "{line}");

    let wrong_name = ["--trust", &files.ca, "--server-name", "other.example", "--brief", "--json"];
    let ran = run(&[&["connect", &server.address()], wrong_name.as_slice()].concat());
    assert_eq!(ran.code, 1, "{ran:?}");
    assert_eq!(ran.json()["error"]["code"], "CERT_NAME_MISMATCH");

    let insecure = ["--trust", &files.ca, "--server-name", "other.example", "--insecure-skip-server-name", "--brief"];
    assert_eq!(run(&[&["connect", &server.address()], insecure.as_slice()].concat()).code, 0);
}

#[test]
fn facts_come_as_json_on_both_sides() {
    let files = files("json");
    let mut server = Server::start(&["--cert", &files.server, "--alpn", "mqtt", "--json"]);
    let port = serde_json::from_str::<serde_json::Value>(&server.port).unwrap();
    let address = format!("localhost:{}", port["port"]);
    let options = ["--trust", &files.ca, "--alpn", "mqtt", "--groups", "X25519", "--brief", "--json"];
    let ran = run(&[&["connect", &address], options.as_slice()].concat());
    assert_eq!(ran.code, 0, "{ran:?}");
    let facts = ran.json();
    assert_eq!(facts["version"], "TLSv1.3");
    assert_eq!(facts["group"], "X25519");
    assert_eq!(facts["alpn"], "mqtt");
    assert_eq!(facts["resumed"], false);
    assert_eq!(facts["peer_chain"][0]["names"][0], "DNS:localhost");
    let connected: serde_json::Value = serde_json::from_str(&server.line()).unwrap();
    assert_eq!(connected["event"], "connected");
    assert_eq!(connected["connection"]["server_name"], "localhost");
}

#[test]
fn reconnecting_shows_whether_the_session_is_resumed() {
    let files = files("resumed");
    let server = Server::start(&["--cert", &files.server]);
    let resumed = |more: &[&str]| {
        let arguments = ["connect", &server.address(), "--trust", &files.ca, "--reconnect", "--brief"];
        let ran = run(&[arguments.as_slice(), more].concat());
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.out.lines().filter(|line| line.starts_with("resumed ")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(resumed(&[]), ["resumed      no", "resumed      yes"]);
    assert_eq!(resumed(&["--resumption=no"]), ["resumed      no", "resumed      no"]);
}

#[test]
fn openssl_s_client_is_served() {
    let files = files("s-client");
    let mut server = Server::start(&["--echo", "--cert", &files.server]);
    let mut client = Command::new("openssl");
    client.args(["s_client", "-connect", &server.address(), "-CAfile", &files.ca, "-verify_return_error", "-quiet"]);
    let mut client = Running::start(&mut client);
    client.send("hello\n");
    assert!(client.prints("hello\n"), "{}", client.printed());
    drop(client);
    assert!(server.line().starts_with("connected 127.0.0.1:"));
}

#[test]
fn openssl_s_server_is_connected_to() {
    let files = files("s-server");
    let mut server = Command::new("openssl");
    server.args(["s_server", "-accept", "127.0.0.1:0", "-cert", &files.server, "-key", &files.server, "-rev"]);
    let server = Running::start(&mut server);
    // It prints what it does, and "ACCEPT 127.0.0.1:PORT" once it listens.
    let address = server.line(0, &["ACCEPT "]).replace("ACCEPT ", "");
    let arguments = ["connect", &address, "--server-name", "localhost", "--trust", &files.ca];
    let ran = run_with_input(&arguments, b"hello\n");
    assert!(ran.err.contains("subject      CN=localhost"), "{ran:?}");
    assert_eq!(ran.out, "olleh\n");
}

#[test]
fn peer_that_speaks_no_tls_is_named_as_such_on_both_sides() {
    let files = files("plaintext");
    let mut server = Server::start(&["--cert", &files.server]);
    let mut plain = TcpStream::connect(format!("127.0.0.1:{}", server.port)).unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    assert!(server.line().contains(": PEER_NOT_TLS: "));

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let greeter = std::thread::spawn(move || listener.accept().unwrap().0.write_all(b"220 welcome\r\n").unwrap());
    let arguments = ["connect", &address, "--trust", &files.ca, "--brief"];
    let ran = run(&arguments);
    greeter.join().unwrap();
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("PEER_NOT_TLS"), "{ran:?}");
}

#[test]
fn peer_that_stays_silent_or_is_not_there_does_not_hold_the_client() {
    let files = files("silent");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let arguments = ["connect", &address, "--trust", &files.ca, "--brief", "--timeout", "1"];
    let ran = run(&arguments);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("not complete after 1 s"), "{ran:?}");
    drop(listener);
    let ran = run(&arguments);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains(&address), "{ran:?}");
}

#[test]
fn server_stops_after_the_connections_it_was_asked_for() {
    let files = files("count");
    let mut server = Server::start(&["--cert", &files.server, "--connections", "1"]);
    let arguments = ["connect", &server.address(), "--trust", &files.ca, "--brief"];
    assert_eq!(run(&arguments).code, 0);
    assert!(server.line().starts_with("connected "));
    assert!(server.line().starts_with("closed "));
    assert_eq!(server.line(), "");
}
