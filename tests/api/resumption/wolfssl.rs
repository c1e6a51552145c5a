//! Devices with wolfSSL, which end a TLS 1.3 connection at the first ticket if its nonce is longer than they take.

use std::net::TcpListener;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use brokertls::{Context, Status, Stream};

use super::identity;
use crate::pair::{Authority, context};

/// Sends back what one client sends, until the client leaves.
fn echo(listener: &TcpListener, context: &Context) {
    let (socket, _) = listener.accept().unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut stream = Stream::new(context.accept().unwrap());
    stream.set_descriptors(socket.as_raw_fd(), socket.as_raw_fd()).unwrap();
    stream.handshake().unwrap();
    let mut bytes = [0; 16];
    if let Ok(Status::Done(length)) = stream.read(&mut bytes) {
        stream.write(&bytes[..length]).unwrap();
    }
    // The client leaves without close_notify.
    let _ = stream.read(&mut bytes);
}

#[test]
fn wolfssl_client_has_a_session_where_tls13_tickets_are_switched_off() {
    let folder = std::env::temp_dir().join(format!("brokertls-wolfssl-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (program, ca) = (folder.join("client"), folder.join("ca.pem"));
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api/resumption/wolfssl.c");
    let built = Command::new("gcc").arg("-o").arg(&program).arg(source).arg("-lwolfssl").status().unwrap();
    assert!(built.success());

    let authority = Authority::new("ca");
    std::fs::write(&ca, authority.pem()).unwrap();
    let pem = authority.issue(&["localhost"], |_| {});
    let server = context(|builder| builder.identity(identity("server", &pem)).tls13_tickets(0).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let client = Command::new(&program).arg(port).arg(&ca).stdout(std::process::Stdio::piped()).spawn().unwrap();
    echo(&listener, &server);
    let said = client.wait_with_output().unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(String::from_utf8_lossy(&said.stdout), "TLSv1.3, read 4, error 0\n");
    assert!(said.status.success());
}
