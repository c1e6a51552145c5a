//! Records and key updates of OpenSSL, which pads and splits as it is told.

use brokertls::{Context, Status, Stream};

use crate::process::Running;
use crate::rig::pair::context;
use crate::stream::identities::from_pem;
use crate::stream::openssl::{Place, read_line, s_client, s_server, settle, write_all};

/// Bytes that one call of the transport moves.
const MOST: usize = 5000;

/// A side of ours and OpenSSL at the other end of it.
type Ends = (Running, Stream);

/// Runs the case for both roles: the peer is given these arguments.
fn both_roles(name: &str, version: &str, arguments: &str, mut case: impl FnMut(&str, Ends)) {
    let place = Place::new(name);
    let server =
        context(|builder| builder.identity(from_pem(&place.authority.issue(&["broker"], |_| {}))).versions(version));
    let client: Context = context(|builder| builder.trust(place.authority.trust()).versions(version));
    // Its report on certificates, from another output, would come in the midst of data.
    let arguments = &format!("-verify_quiet {arguments}");
    let mut run = |role: &str, (mut peer, mut stream): Ends| {
        assert_eq!(settle(|| stream.handshake()).unwrap(), Status::Done(()));
        // The peer has read all of the handshake, tickets included.
        peer.send("ready\n");
        assert_eq!(read_line(&mut stream), "ready\n");
        case(&format!("{role} {version} {arguments}"), (peer, stream));
    };
    run("s_client", s_client(&place, &server, arguments, MOST));
    run("s_server", s_server(&place, &client, arguments, MOST));
}

/// A line of so many digits, which are no commands of OpenSSL's programs, and which do not repeat.
fn digits(count: usize) -> String {
    let mut state = 0x0123_4567_89ab_cdef_u64;
    let digit = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(b'0' + (state >> 33) as u8 % 10)
    };
    (0..count).map(digit).chain(['\n']).collect()
}

#[test]
fn records_that_openssl_pads_and_splits_come_through_both_ways() {
    let cases = [
        ("TLSv1.3", ""),
        ("TLSv1.3", "-record_padding 512"),
        ("TLSv1.3", "-record_padding 16384"),
        ("TLSv1.3", "-max_send_frag 512 -split_send_frag 512"),
        ("TLSv1.3", "-ciphersuites TLS_CHACHA20_POLY1305_SHA256 -record_padding 100"),
        ("TLSv1.2", ""),
        ("TLSv1.2", "-max_send_frag 600 -split_send_frag 512"),
        ("TLSv1.2", "-cipher ECDHE-ECDSA-CHACHA20-POLY1305"),
    ];
    let line = digits(100_000);
    for (version, arguments) in cases {
        both_roles("openssl-records", version, arguments, |what, (mut peer, mut stream)| {
            peer.send(&line);
            assert!(read_line(&mut stream) == line, "{what}");
            write_all(&mut stream, line.as_bytes());
            assert!(peer.prints(&line), "{what}");
        });
    }
}

#[test]
fn key_updates_of_openssl_are_followed_and_answered_if_it_asks() {
    both_roles("openssl-updates", "TLSv1.3", "-msg", |what, (mut peer, mut stream)| {
        // A line "k" updates its keys alone; a line "K" asks the other side to do the same.
        for (round, command) in ["k", "K", "K", "k", "k", "K"].iter().enumerate() {
            let from = peer.printed().len();
            peer.send(&format!("{command}\n"));
            peer.line(from, &[">>> TLS 1.3, Handshake [length 0005], KeyUpdate"]);
            peer.send(&format!("{round} to our side\n"));
            assert_eq!(read_line(&mut stream), format!("{round} to our side\n"), "{what}");
            let answer = format!("{round} to the peer, {}", digits(1000));
            write_all(&mut stream, answer.as_bytes());
            assert!(peer.prints(&answer.replace('\n', "")), "{what}");
        }
        assert_eq!(settle(|| stream.shutdown()).unwrap(), Status::Done(()), "{what}");
        let text = peer.finish().text;
        let count =
            |start: &str| text.lines().filter(|line| line.contains(start) && line.ends_with("KeyUpdate")).count();
        assert_eq!((count(">>> TLS 1.3"), count("<<< TLS 1.3")), (6, 3), "{what}\n{text}");
    });
}
