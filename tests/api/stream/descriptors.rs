//! Streams over descriptors: sockets and pipes, blocking and not, and what the system reports of a peer that is gone.

use std::io::Read;
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use brokertls::{Code, Status, Stream};

use super::wire::{Speaker, converse};
use super::{Sides, VERSIONS, shake_hands};

/// A limit on every wait, so that a failing test ends.
const PATIENCE: Duration = Duration::from_secs(30);

fn set(stream: &mut Stream, read: &impl AsRawFd, write: &impl AsRawFd) {
    stream.set_descriptors(read.as_raw_fd(), write.as_raw_fd()).unwrap();
}

/// Two connected TCP sockets.
fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    for socket in [&server, &client] {
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.set_write_timeout(Some(PATIENCE)).unwrap();
    }
    (server, client)
}

/// A pipe with two non-blocking ends. It is opened again, since the option belongs to the open file.
fn pipe_without_blocking() -> (OwnedFd, OwnedFd) {
    let (reader, writer) = std::io::pipe().unwrap();
    let again = |descriptor: i32, is_writer: bool| -> OwnedFd {
        let mut options = std::fs::OpenOptions::new();
        options.read(!is_writer).write(is_writer).custom_flags(libc::O_NONBLOCK);
        options.open(format!("/proc/self/fd/{descriptor}")).unwrap().into()
    };
    (again(reader.as_raw_fd(), false), again(writer.as_raw_fd(), true))
}

#[test]
fn socket_that_does_not_block_carries_a_conversation_larger_than_its_buffers() {
    let large = vec![7; 3_000_000];
    for version in VERSIONS {
        let (mut server, mut client) = Sides::new(version).streams();
        let (at_server, at_client) = UnixStream::pair().unwrap();
        for socket in [&at_server, &at_client] {
            socket.set_nonblocking(true).unwrap();
        }
        set(&mut server, &at_server, &at_server);
        set(&mut client, &at_client, &at_client);
        converse(Speaker::new(&mut server, b"short", &large), Speaker::new(&mut client, &large, b"short"));
    }
}

#[test]
fn two_pipes_that_do_not_block_are_one_connection() {
    let large = vec![7; 500_000];
    for version in VERSIONS {
        let (mut server, mut client) = Sides::new(version).streams();
        let ((server_in, client_out), (client_in, server_out)) = (pipe_without_blocking(), pipe_without_blocking());
        set(&mut server, &server_in, &server_out);
        set(&mut client, &client_in, &client_out);
        converse(Speaker::new(&mut server, &large, b"short"), Speaker::new(&mut client, b"short", &large));
    }
}

#[test]
fn blocking_sockets_and_pipes_never_ask_to_be_called_again() {
    let speak = |stream: &mut Stream, first: bool| {
        assert_eq!(stream.handshake().unwrap(), Status::Done(()));
        let large = vec![9; 300_000];
        if first {
            assert_eq!(stream.write(&large).unwrap(), Status::Done(large.len()));
        }
        let (mut heard, mut buffer) = (0, [0; 10_000]);
        while heard < large.len() {
            let Status::Done(count) = stream.read(&mut buffer).unwrap() else { panic!("a blocking read must wait") };
            heard += count;
        }
        if !first {
            assert_eq!(stream.write(&large).unwrap(), Status::Done(large.len()));
        }
        assert_eq!(stream.shutdown().unwrap(), Status::Done(()));
    };
    for version in VERSIONS {
        let (mut server, mut client) = Sides::new(version).streams();
        let (at_server, at_client) = tcp_pair();
        set(&mut server, &at_server, &at_server);
        set(&mut client, &at_client, &at_client);
        thread::scope(|scope| {
            scope.spawn(|| speak(&mut server, true));
            speak(&mut client, false);
        });

        let (mut server, mut client) = Sides::new(version).streams();
        let ((server_in, client_out), (client_in, server_out)) = (std::io::pipe().unwrap(), std::io::pipe().unwrap());
        set(&mut server, &server_in, &server_out);
        set(&mut client, &client_in, &client_out);
        thread::scope(|scope| {
            scope.spawn(|| speak(&mut server, false));
            speak(&mut client, true);
        });
    }
}

#[test]
fn two_threads_use_two_connections_of_one_context() {
    let sides = Sides::new("TLSv1.3");
    let large = vec![3; 1_000_000];
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..5 {
                    let (mut server, mut client) = sides.streams();
                    let (at_server, at_client) = UnixStream::pair().unwrap();
                    at_server.set_nonblocking(true).unwrap();
                    at_client.set_nonblocking(true).unwrap();
                    set(&mut server, &at_server, &at_server);
                    set(&mut client, &at_client, &at_client);
                    converse(Speaker::new(&mut server, &large, b"short"), Speaker::new(&mut client, b"short", &large));
                }
            });
        }
    });
}

#[test]
fn stream_moves_to_another_thread_between_calls() {
    let sides = Sides::new("TLSv1.3");
    let (mut server, mut client, _wire) = sides.connected();
    assert_eq!(client.write(b"from one thread").unwrap(), Status::Done(15));
    let heard = thread::spawn(move || {
        let mut buffer = [0; 100];
        let count = server.read(&mut buffer).unwrap();
        (count, buffer)
    });
    let (count, buffer) = heard.join().unwrap();
    assert_eq!(count, Status::Done(15));
    assert_eq!(&buffer[..15], b"from one thread");
}

#[test]
fn peer_that_resets_the_connection_is_told_as_connection_reset() {
    let (mut server, mut client) = Sides::new("TLSv1.3").streams();
    let (at_server, mut at_client) = tcp_pair();
    at_server.set_nonblocking(true).unwrap();
    at_client.set_nonblocking(true).unwrap();
    set(&mut server, &at_server, &at_server);
    set(&mut client, &at_client, &at_client);
    shake_hands(&mut server, &mut client);
    assert_eq!(server.write(b"never read").unwrap(), Status::Done(10));
    // A socket that is closed with bytes unread resets its connection.
    at_client.set_nonblocking(false).unwrap();
    at_client.read_exact(&mut [0; 1]).unwrap();
    drop(at_client);
    let error = server.read(&mut [0; 10]).unwrap_err();
    assert_eq!(error.code(), Code::ConnectionReset);
    assert_eq!(server.read(&mut [0; 10]).unwrap_err().code(), Code::ConnectionReset);
    assert!(server.write(b"more").is_err());
}

#[test]
fn peer_that_receives_no_more_is_told_as_broken_pipe_without_a_signal() {
    let (mut server, mut client) = Sides::new("TLSv1.3").streams();
    let (at_server, at_client) = UnixStream::pair().unwrap();
    at_server.set_nonblocking(true).unwrap();
    at_client.set_nonblocking(true).unwrap();
    set(&mut server, &at_server, &at_server);
    set(&mut client, &at_client, &at_client);
    shake_hands(&mut server, &mut client);
    drop(at_client);
    assert_eq!(server.write(b"to nobody").unwrap_err().code(), Code::BrokenPipe);
    assert_eq!(server.write(b"to nobody").unwrap_err().code(), Code::BrokenPipe);
}

#[test]
fn alert_that_came_before_the_peer_left_says_more_than_broken_pipe() {
    let (mut server, mut client) = Sides::new("TLSv1.3").streams();
    let (at_server, mut at_client) = UnixStream::pair().unwrap();
    at_server.set_nonblocking(true).unwrap();
    set(&mut server, &at_server, &at_server);
    set(&mut client, &at_client, &at_client);
    // A client that refuses the hello of the server and leaves: an alert, then the end.
    at_client.set_nonblocking(true).unwrap();
    assert_eq!(client.handshake().unwrap(), Status::WantRead);
    at_client.write_all(&[21, 3, 3, 0, 2, 2, 48]).unwrap();
    drop(at_client);
    assert_eq!(server.handshake().unwrap_err().code(), Code::AlertUnknownCa);
}

#[test]
fn alert_that_came_before_the_peer_left_is_the_error_of_a_close_too() {
    type Call = fn(&mut Stream) -> brokertls::Result<Status>;
    for call in [Stream::close_write as Call, Stream::shutdown] {
        let (mut server, mut client) = Sides::new("TLSv1.3").streams();
        let (mut at_server, at_client) = UnixStream::pair().unwrap();
        at_server.set_nonblocking(true).unwrap();
        at_client.set_nonblocking(true).unwrap();
        set(&mut server, &at_server, &at_server);
        set(&mut client, &at_client, &at_client);
        shake_hands(&mut server, &mut client);
        // A record that the server has not encrypted: the client sends its alert, and leaves.
        at_server.write_all(&[&[23, 3, 3, 0, 32][..], &[0; 32]].concat()).unwrap();
        assert_eq!(client.read(&mut [0; 10]).unwrap_err().code(), Code::DecryptFailed);
        drop(at_client);
        assert_eq!(call(&mut server).unwrap_err().code(), Code::AlertBadRecordMac);
        assert_eq!(server.read(&mut [0; 10]).unwrap_err().code(), Code::AlertBadRecordMac);
    }
}

#[test]
fn descriptor_that_is_closed_or_negative_is_an_error_and_not_a_crash() {
    let (mut server, _) = Sides::new("TLSv1.3").streams();
    assert_eq!(server.set_descriptors(-1, 1).unwrap_err().code(), Code::InvalidArgument);
    // The largest number that a descriptor can have, which no test has open.
    server.set_descriptors(i32::MAX, i32::MAX).unwrap();
    assert_eq!(server.handshake().unwrap_err().code(), Code::IoOther);
    assert_eq!(server.set_descriptors(0, 1).unwrap_err().code(), Code::WrongState);
}

#[test]
fn stream_without_a_transport_says_so() {
    let (mut server, _) = Sides::new("TLSv1.3").streams();
    assert!(!server.has_transport());
    assert_eq!(server.handshake().unwrap_err().code(), Code::WrongState);
    assert!(server.connection_mut().is_ok());
}
