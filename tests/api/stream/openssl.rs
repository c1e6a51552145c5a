//! OpenSSL at the other end of a transport that passes a few bytes a call. It covers requests that only another
//! implementation makes: key updates, signatures of one kind, sessions from a file.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use brokertls::{ClientAuth, Code, Context, CrlSource, Result, Source, Status, Stream};

use super::VERSIONS;
use super::identities::from_pem;
use crate::process::{PATIENCE, Running};
use crate::revocation::sessions::NEXT_UPDATE_UNIX_S;
use crate::rig::clock::Clock;
use crate::rig::pair::{Authority, context};

/// A folder with a CA and a server's certificate and key, removed when dropped.
pub(crate) struct Place {
    folder: PathBuf,
    pub(crate) authority: Authority,
}

impl Place {
    pub(crate) fn new(name: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let place = Self { folder, authority: Authority::new("ca") };
        fs::write(place.folder.join("ca.pem"), place.authority.pem()).unwrap();
        fs::write(place.folder.join("broker.pem"), place.authority.issue(&["broker"], |_| {})).unwrap();
        place
    }

    fn openssl(&self, line: &str) -> Running {
        Running::start(Command::new("openssl").args(line.split_whitespace()).current_dir(&self.folder))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A stream over a socket of which each call moves at most so many bytes, and every other call none.
fn slow(mut stream: Stream, socket: TcpStream, most: usize) -> Stream {
    socket.set_nonblocking(true).unwrap();
    let mut writer = socket.try_clone().unwrap();
    let (mut reader, mut may_read, mut may_write) = (socket, false, false);
    let read = move |buffer: &mut [u8]| {
        may_read = !may_read;
        let room = most.min(buffer.len());
        if may_read { reader.read(&mut buffer[..room]) } else { Err(ErrorKind::WouldBlock.into()) }
    };
    let write = move |bytes: &[u8]| {
        may_write = !may_write;
        if may_write { writer.write(&bytes[..most.min(bytes.len())]) } else { Err(ErrorKind::WouldBlock.into()) }
    };
    stream.set_callbacks(Box::new(read), Box::new(write)).unwrap();
    stream
}

/// Repeats the call until it no longer waits.
pub(crate) fn settle<T>(mut call: impl FnMut() -> Result<Status<T>>) -> Result<Status<T>> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match call()? {
            Status::WantRead | Status::WantWrite => thread::yield_now(),
            settled => return Ok(settled),
        }
        assert!(Instant::now() < deadline, "the peer has stalled");
    }
}

pub(crate) fn write_all(stream: &mut Stream, bytes: &[u8]) {
    let mut said = 0;
    while said < bytes.len() {
        match settle(|| stream.write(&bytes[said..])).unwrap() {
            Status::Done(count) => said += count,
            status => panic!("{status:?}"),
        }
    }
}

/// Reads one line, or what comes before the peer closes.
pub(crate) fn read_line(stream: &mut Stream) -> String {
    let (mut heard, mut buffer) = (Vec::new(), [0; 1000]);
    while !heard.ends_with(b"\n") {
        match settle(|| stream.read(&mut buffer)).unwrap() {
            Status::Done(count) => heard.extend_from_slice(&buffer[..count]),
            _ => break,
        }
    }
    String::from_utf8(heard).unwrap()
}

/// `s_client` and the stream of our server for it.
pub(crate) fn s_client(place: &Place, context: &Context, arguments: &str, most: usize) -> (Running, Stream) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let peer = place.openssl(&format!("s_client -connect 127.0.0.1:{port} -CAfile ca.pem {arguments}"));
    let socket = peer.accepted_by(&listener);
    (peer, slow(Stream::new(context.accept().unwrap()), socket, most))
}

/// `s_server` and the stream of our client to it.
pub(crate) fn s_server(place: &Place, context: &Context, arguments: &str, most: usize) -> (Running, Stream) {
    let line = format!("s_server -accept 127.0.0.1:0 -naccept 1 -cert broker.pem -key broker.pem {arguments}");
    let peer = place.openssl(&line);
    let port = peer.port(0, "ACCEPT 127.0.0.1:");
    let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    (peer, slow(Stream::new(context.connect(Some("broker")).unwrap()), socket, most))
}

/// A line for a transport of so many bytes a call; of several records where that takes no time.
fn line(most: usize) -> String {
    "0123456789abcdef".repeat(2 * most.max(20)) + "\n"
}

#[test]
fn openssl_client_talks_to_a_server_of_a_few_bytes_a_call() {
    let place = Place::new("openssl-client");
    for version in VERSIONS {
        let context = context(|builder| {
            builder.identity(from_pem(&place.authority.issue(&["broker"], |_| {}))).versions(version)
        });
        for most in [1, 7, 1000] {
            let (mut peer, mut stream) = s_client(&place, &context, "", most);
            let line = line(most);
            peer.send(&line);
            assert_eq!(read_line(&mut stream), line);
            write_all(&mut stream, line.as_bytes());
            assert_eq!(settle(|| stream.shutdown()).unwrap(), Status::Done(()));
            let text = peer.finish().text;
            assert!(text.contains(&line) && text.contains("closed\n"), "{version}, {most}:\n{text}");
        }
    }
}

#[test]
fn openssl_server_talks_to_a_client_of_a_few_bytes_a_call() {
    let place = Place::new("openssl-server");
    for version in VERSIONS {
        let context = context(|builder| builder.trust(place.authority.trust()).versions(version));
        for most in [1, 7, 1000] {
            let (mut peer, mut stream) = s_server(&place, &context, "", most);
            let line = line(most);
            write_all(&mut stream, line.as_bytes());
            assert!(peer.prints(&line));
            peer.send(&line);
            assert_eq!(read_line(&mut stream), line);
            assert_eq!(settle(|| stream.shutdown()).unwrap(), Status::Done(()));
            let text = peer.finish().text;
            assert!(text.contains("\nDONE\nshutting down SSL\n"), "{version}, {most}:\n{text}");
        }
    }
}

#[test]
fn key_update_that_the_peer_asks_for_is_answered_between_data() {
    let place = Place::new("key-update");
    let server = context(|builder| builder.identity(from_pem(&place.authority.issue(&["broker"], |_| {}))));
    let (mut peer, mut stream) = s_client(&place, &server, "-msg", 1000);
    assert_eq!(settle(|| stream.handshake()).unwrap(), Status::Done(()));
    for round in 0..3 {
        // To s_client a line "K" is a command: update the keys, and ask the other side to do the same.
        let from = peer.printed().len();
        peer.send("K\n");
        peer.line(from, &["KEYUPDATE"]);

        peer.send(&format!("line {round}\n"));
        assert_eq!(read_line(&mut stream), format!("line {round}\n"));
        write_all(&mut stream, format!("answer {round}\n").as_bytes());
        assert!(peer.prints(&format!("answer {round}")), "{}", peer.printed());
    }
    assert_eq!(settle(|| stream.shutdown()).unwrap(), Status::Done(()));
    let text = peer.finish().text;
    let updates = text.lines().filter(|line| line.starts_with("<<<") && line.ends_with("KeyUpdate")).count();
    assert_eq!(updates, 3, "{text}");
}

#[test]
fn rsa_beside_ecdsa_is_chosen_by_the_signatures_that_the_peer_verifies() {
    let place = Place::new("signatures");
    for version in VERSIONS {
        let server = context(|builder| {
            builder.identity(from_pem(&place.authority.issue(&["broker"], |_| {})));
            builder.identity(from_pem(&place.authority.issue_rsa("broker"))).versions(version)
        });
        // The CA's own key is ECDSA, which both kinds of clients must verify.
        let kinds =
            [("RSA-PSS+SHA256", "RSA-PSS"), ("ECDSA+SHA256", "ECDSA"), ("ECDSA+SHA256:RSA-PSS+SHA256", "ECDSA")];
        for (offered, kind) in kinds {
            let (mut peer, mut stream) = s_client(&place, &server, &format!("-sigalgs {offered}"), 1000);
            peer.send("hello\n");
            assert_eq!(read_line(&mut stream), "hello\n");
            assert_eq!(settle(|| stream.shutdown()).unwrap(), Status::Done(()));
            let text = peer.finish().text;
            assert!(text.contains(&format!("Peer signature type: {kind}\n")), "{version}, {offered}:\n{text}");
        }
        let (_peer, mut stream) = s_client(&place, &server, "-sigalgs ed25519", 1000);
        let error = settle(|| stream.handshake()).unwrap_err();
        assert_eq!(error.code(), Code::NoCommonSignature, "{version}: {error}");
    }
}

#[test]
fn openssl_client_resumes_its_session_in_the_same_context_alone() {
    let place = Place::new("sessions");
    for version in VERSIONS {
        let server = || {
            context(|builder| builder.identity(from_pem(&place.authority.issue(&["broker"], |_| {}))).versions(version))
        };
        let (same, other) = (server(), server());
        let resumed = |context: &Context, arguments: &str| {
            let (mut peer, mut stream) = s_client(&place, context, arguments, 1000);
            peer.send("hello\n");

            assert_eq!(read_line(&mut stream), "hello\n");
            assert_eq!(settle(|| stream.shutdown()).unwrap(), Status::Done(()));
            let text = peer.finish().text;
            let is_resumed = stream.connection().is_resumed().unwrap();
            assert_eq!(text.contains("\nReused, "), is_resumed, "{text}");
            is_resumed
        };
        assert!(!resumed(&same, "-sess_out session.pem"));
        assert!(resumed(&same, "-sess_in session.pem"), "{version}");
        assert!(!resumed(&other, "-sess_in session.pem"), "{version}");
    }
}

/// Runs a handshake of `s_client` with the certificate of device.pem, and returns the result of our server.
fn device_is_resumed(place: &Place, context: &Context, arguments: &str) -> Result<bool> {
    let arguments = format!("-cert device.pem -key device.pem {arguments}");
    let (mut peer, mut stream) = s_client(place, context, &arguments, 1000);
    settle(|| stream.handshake())?;
    peer.send("hello\n");
    assert_eq!(read_line(&mut stream), "hello\n");
    assert_eq!(settle(|| stream.shutdown()).unwrap(), Status::Done(()));
    let text = peer.finish().text;
    let is_resumed = stream.connection().is_resumed().unwrap();
    assert_eq!(text.contains("\nReused, "), is_resumed, "{text}");
    Ok(is_resumed)
}

#[test]
fn openssl_client_resumes_its_session_while_its_certificate_is_good() {
    let place = Place::new("revocation-sessions");
    let serial = |params: &mut rcgen::CertificateParams| params.serial_number = Some(vec![7].into());
    fs::write(place.folder.join("device.pem"), place.authority.issue(&["device"], serial)).unwrap();
    for version in VERSIONS {
        let clock = Clock::at(NEXT_UPDATE_UNIX_S - 60);
        let server = context(|builder| {
            let builder = builder.identity(from_pem(&place.authority.issue(&["broker"], |_| {}))).versions(version);
            let builder = builder.trust(place.authority.trust()).client_auth(ClientAuth::Need);
            builder
                .crl(CrlSource::Source(Source::memory("ca.crl", place.authority.crl(&[]).as_bytes())))
                .clock(clock.clone())
        });
        assert!(!device_is_resumed(&place, &server, "-sess_out session.pem").unwrap(), "{version}");
        assert!(device_is_resumed(&place, &server, "-sess_in session.pem").unwrap(), "{version}");
        // An altered ticket is none: the full handshake follows.
        alter_ticket(&place.folder.join("session.pem"), &place.folder.join("altered.pem"));
        assert!(!device_is_resumed(&place, &server, "-sess_in altered.pem").unwrap(), "{version}");
        clock.advance(120);
        let error = device_is_resumed(&place, &server, "-sess_in session.pem").unwrap_err();
        assert_eq!(error.code(), Code::RevocationStale, "{version}: {error}");
    }
}

/// Changes a byte in the middle of the ticket of a session that OpenSSL has written.
fn alter_ticket(from: &Path, to: &Path) {
    let text = fs::read_to_string(from).unwrap();
    let inside: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    let mut session = STANDARD.decode(inside).unwrap();
    // SSL_SESSION has the ticket as an OCTET STRING under [10], here of 256 bytes and more.
    let start = session.windows(5).position(|at| at[0] == 0xaa && at[1] == 0x82 && at[4] == 4).unwrap();
    let length = usize::from(u16::from_be_bytes([session[start + 2], session[start + 3]]));
    session[start + length / 2] ^= 1;
    let name = "SSL SESSION PARAMETERS";
    let altered = STANDARD.encode(session);
    let lines: Vec<&str> = altered.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    fs::write(to, format!("-----BEGIN {name}-----\n{}\n-----END {name}-----\n", lines.join("\n"))).unwrap();
}

#[test]
fn next_client_is_shown_the_certificate_that_a_reload_has_read() {
    let place = Place::new("reload");
    let identity = brokertls::IdentitySource::new(Source::file(place.folder.join("broker.pem")));
    let server = context(|builder| builder.identity(identity));
    let subject_seen = |arguments: &str| {
        let (mut peer, mut stream) = s_client(&place, &server, arguments, 1000);
        peer.send("hello\n");
        assert_eq!(read_line(&mut stream), "hello\n");
        assert_eq!(settle(|| stream.shutdown()).unwrap(), Status::Done(()));
        peer.finish().text
    };
    assert!(subject_seen("").contains("subject=CN = broker"));
    fs::write(place.folder.join("broker.pem"), place.authority.issue(&["renewed", "broker"], |_| {})).unwrap();
    assert!(subject_seen("").contains("subject=CN = broker"), "not read until told to");
    server.reload().unwrap();
    assert!(subject_seen("").contains("subject=CN = renewed"));
}
