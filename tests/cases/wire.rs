//! Messages of peers: ClientHellos byte by byte, names, and chains that tickets carry.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Command, Stdio};

use crate::kept::{assert_no_debug_text, kept};
use crate::process::Running;
use crate::rig::command::Server;

/// The first record of a server, as far as these cases read it.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    ServerHello,
    Alert(u8),
}

/// The answer to the ClientHello of a case, and the line that the server prints.
fn answer(hello: &str) -> (Answer, String) {
    let [leaf, key] = ["base/leaf.pem", "base/key.pem"].map(kept);
    let mut server = Server::start(&["--cert", &leaf, "--key", &key]);
    let mut socket = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port.parse().unwrap())).unwrap();
    socket.write_all(&std::fs::read(kept(hello)).unwrap()).unwrap();
    let mut record = [0; 7];
    socket.read_exact(&mut record).unwrap();
    let answer = match record {
        [22, _, _, _, _, 2, _] => Answer::ServerHello,
        [21, _, _, 0, 2, 2, alert] => Answer::Alert(alert),
        other => panic!("{other:?}"),
    };
    drop(socket);
    let line = server.line();
    assert_no_debug_text(&line);
    (answer, line)
}

#[test]
fn server_name_that_is_no_name_of_a_host_is_refused_and_shown() {
    let cases = [
        ("port", "\"broker.example:8883\""),
        ("url", "\"mqtts://broker.example\""),
        ("empty", "the name is empty"),
        ("hyphen", "\"-broker\""),
        ("wildcard", "\"*.example\""),
    ];
    for (name, shown) in cases {
        let (answer, line) = answer(&format!("15-server-name-with-port/{name}.bin"));
        // unrecognized_name
        assert_eq!(answer, Answer::Alert(112), "{name}: {line}");
        assert!(line.contains("SERVER_NAME_INVALID") && line.contains(shown), "{name}: {line}");
    }
}

#[test]
fn client_without_signature_algorithms_is_told_to_ask_for_sha1() {
    let (answer, line) = answer("16-no-signature-algorithms/hello.bin");
    assert_eq!(answer, Answer::Alert(40), "{line}");
    assert!(line.contains("NO_COMMON_SIGNATURE") && line.contains("SHA-1"), "{line}");
    assert!(!line.contains("RSA beside ECDSA"), "{line}");
}

#[test]
fn client_with_sha1_alone_is_told_so() {
    let (answer, line) = answer("16b-sha1-signature-algorithms-only/hello.bin");
    assert_eq!(answer, Answer::Alert(40), "{line}");
    assert!(line.contains("NO_COMMON_SIGNATURE") && line.contains("SHA-1"), "{line}");
    assert!(!line.contains("RSA beside ECDSA"), "{line}");
}

#[test]
fn server_name_with_a_trailing_dot_gets_the_certificate_of_the_name() {
    let [a, b] = ["a", "b"].map(|name| kept(&format!("26-server-name-with-trailing-dot/{name}.pem")));
    let server = Server::start(&["--cert", &a, "--cert", &b]);
    for name in ["b.example", "b.example."] {
        let mut command = Command::new("openssl");
        command.args(["s_client", "-connect", &format!("127.0.0.1:{}", server.port), "-servername", name]);
        let output = command.stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.lines().any(|line| line.replace(' ', "") == "subject=CN=b.example"), "{name}: {said}");
    }
}

#[test]
fn tickets_for_a_client_with_a_long_chain_stay_under_4_kib() {
    let [chain, key, leaf, leaf_key, trust] =
        ["chain", "key", "rleaf", "rkey", "trust"].map(|name| kept(&format!("27-tickets-of-client-chains/{name}.pem")));
    let server =
        Server::start(&["--echo", "--cert", &leaf, "--key", &leaf_key, "--trust", &trust, "--client-auth", "need"]);
    for version in ["-tls1_3", "-tls1_2"] {
        let mut command = Command::new("openssl");
        command.args(["s_client", "-connect", &format!("127.0.0.1:{}", server.port), version, "-msg"]);
        command.args(["-cert", &chain, "-cert_chain", &chain, "-key", &key]);
        let mut client = Running::start(&mut command);
        client.send("hello\n");
        // The tickets come before the first data.
        assert!(client.prints("hello"));
        client.end_input();
        let said = client.finish().text;
        let lengths: Vec<usize> = said
            .lines()
            .filter(|line| line.starts_with("<<<") && line.ends_with("NewSessionTicket"))
            .map(|line| line.split("length ").nth(1).and_then(|rest| rest.split(']').next()).unwrap())
            .map(|length| usize::from_str_radix(length, 16).unwrap())
            .collect();
        assert!(!lengths.is_empty(), "{said}");
        assert!(lengths.iter().all(|length| *length <= 4096), "{version}: {lengths:?}");
    }
}
