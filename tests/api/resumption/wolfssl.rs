//! Devices with wolfSSL, which end a TLS 1.3 connection at the first ticket if its nonce is longer than they take.

use std::net::TcpListener;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use brokertls::{Code, Context, Result, Status, Stream};

use super::identity;
use crate::process::Running;
use crate::rig::pair::{Authority, context};

/// Sends back what one client sends, until the client leaves; gives how that was.
fn echo(listener: &TcpListener, client: &Running, context: &Context) -> Result<Status<usize>> {
    let socket = client.accepted_by(listener);
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut stream = Stream::new(context.accept().unwrap());
    stream.set_descriptors(socket.as_raw_fd(), socket.as_raw_fd()).unwrap();
    stream.handshake().unwrap();
    let mut bytes = [0; 16];
    let status = stream.read(&mut bytes)?;
    if let Status::Done(length) = status {
        stream.write(&bytes[..length])?;
    }
    stream.read(&mut bytes)
}

/// The client, built in a folder of its own.
struct Client {
    folder: PathBuf,
    authority: Authority,
}

impl Client {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("brokertls-wolfssl-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api/resumption/wolfssl.c");
        let built =
            Command::new("gcc").arg("-o").arg(folder.join("client")).arg(source).arg("-lwolfssl").status().unwrap();
        assert!(built.success());
        let authority = Authority::new("ca");
        std::fs::write(folder.join("ca.pem"), authority.pem()).unwrap();
        Self { folder, authority }
    }

    /// Visits a server that sends this many tickets; gives what the client says and how the server saw it end.
    fn visit(&self, tickets: u32) -> (String, Result<Status<usize>>) {
        let pem = self.authority.issue(&["localhost"], |_| {});
        let server = context(|builder| builder.identity(identity("server", &pem)).tls13_tickets(tickets).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port().to_string();
        let mut command = Command::new(self.folder.join("client"));
        let client = Running::start(command.arg(port).arg(self.folder.join("ca.pem")));
        let ended = echo(&listener, &client, &server);
        (client.finish().text, ended)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn wolfssl_client_has_a_session_where_tls13_tickets_are_switched_off() {
    let client = Client::new();
    let (said, _) = client.visit(0);
    assert_eq!(said, "TLSv1.3, read 4, error 0\n");
    let (said, ended) = client.visit(2);
    assert_eq!(said, "TLSv1.3, read -1, error -425\n");
    let error = ended.unwrap_err();
    assert_eq!(error.code(), Code::AlertIllegalParameter);
    assert!(error.hint().contains("set tls13-tickets to 0"), "{}", error.hint());
}
