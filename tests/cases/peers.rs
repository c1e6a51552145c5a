//! Behaviour of other stacks as peers, with openssl in their place if it can do the same.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Command, Stdio};

use crate::kept::kept;
use crate::process::Running;
use crate::rig::command::{Server, file, folder, run};
use crate::rig::pair::Authority;

/// The output of `openssl s_client` with these arguments.
fn s_client(server: &Server, arguments: &[&str]) -> String {
    let mut command = Command::new("openssl");
    command.args(["s_client", "-connect", &format!("127.0.0.1:{}", server.port)]).args(arguments);
    let output = command.stdin(Stdio::null()).output().unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

#[test]
fn client_that_takes_no_ed25519_gets_an_alert_in_both_versions() {
    let (authority, folder) = (Authority::new("ca"), folder("no-ed25519"));
    let identity = file(&folder, "server.pem", authority.issue_ed25519("localhost"));
    let mut server = Server::start(&["--cert", &identity]);
    for version in ["-tls1_3", "-tls1_2"] {
        let said = s_client(&server, &[version, "-sigalgs", "ECDSA+SHA256"]);
        assert!(said.contains("alert number 40"), "{version}: {said}");
        let line = server.line();
        assert!(line.contains("NO_COMMON_SIGNATURE"), "{line}");
    }
}

#[test]
fn identity_that_the_server_does_not_take_is_named_with_its_kind() {
    let (authority, folder) = (Authority::new("ca"), folder("unwanted-identity"));
    let trust = file(&folder, "ca.pem", authority.pem());
    let server = file(&folder, "server.pem", authority.issue(&["localhost"], |_| {}));
    let client = file(&folder, "client.pem", authority.issue_ed25519("client"));
    for version in ["1.2", "1.3"] {
        let mut command = Command::new("openssl");
        command.args(["s_server", "-accept", "127.0.0.1:0", "-cert", &server, "-CAfile", &trust, "-Verify", "1"]);
        command.args(["-verify_return_error", "-client_sigalgs", "ECDSA+SHA256"]);
        let peer = Running::start(&mut command);
        let address = format!("localhost:{}", peer.port(0, "ACCEPT 127.0.0.1:"));
        let ran = run(&["connect", &address, "--trust", &trust, "--cert", &client, "--versions", version, "--brief"]);
        assert!(ran.code == 1 && ran.err.contains("Ed25519"), "{version}: {ran:?}");
    }
}

#[test]
fn missing_client_certificate_is_told_with_the_cas_that_were_named() {
    let (authority, folder) = (Authority::new("ca"), folder("held-back"));
    let (trust, identity) = (
        file(&folder, "ca.pem", authority.pem()),
        file(&folder, "server.pem", authority.issue(&["localhost"], |_| {})),
    );
    let mut server = Server::start(&["--cert", &identity, "--trust", &trust, "--client-auth", "need"]);
    s_client(&server, &["-tls1_2"]);
    let line = server.line();
    assert!(line.contains("CERT_MISSING") && line.contains("send-ca-names"), "{line}");
}

#[test]
fn internal_error_of_a_client_that_saw_the_certificate_is_told_with_the_host_name() {
    let [leaf, key] = ["base/leaf.pem", "base/key.pem"].map(kept);
    let mut server = Server::start(&["--cert", &leaf, "--key", &key]);
    let mut socket = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port.parse().unwrap())).unwrap();
    socket.write_all(&std::fs::read(kept("base/hello.bin")).unwrap()).unwrap();
    // Records up to ServerHelloDone, the last of which has 4 bytes.
    loop {
        let mut header = [0; 5];
        socket.read_exact(&mut header).unwrap();
        let mut body = vec![0; usize::from(u16::from_be_bytes([header[3], header[4]]))];
        socket.read_exact(&mut body).unwrap();
        assert_eq!(header[0], 22, "{header:?} {body:?}");
        if body.ends_with(&[14, 0, 0, 0]) {
            break;
        }
    }
    socket.write_all(&[21, 3, 3, 0, 2, 2, 80]).unwrap();
    let line = server.line();
    assert!(line.contains("ALERT_INTERNAL_ERROR") && line.contains("its name"), "{line}");
}
