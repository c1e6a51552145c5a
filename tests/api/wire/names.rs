//! Server names as clients send them (RFC 6066 section 3): with a trailing dot, as an address, and text that is no
//! host name.

use brokertls::{Code, Connection, IdentitySource, Source};

use super::hello::{self, with_length};
use super::peer::{Peer, Settings, drain, feed};
use crate::rig::pair::{Authority, Pair, context};

fn identity(authority: &Authority, name: &str) -> IdentitySource {
    IdentitySource::new(Source::memory(name.to_owned(), authority.issue(&[name], |_| {}).as_bytes()))
}

/// A server for a.example and b.example.
fn server(authority: &Authority) -> brokertls::Context {
    context(|builder| builder.identity(identity(authority, "a.example")).identity(identity(authority, "b.example")))
}

/// The content of the extension with these names.
fn extension(names: &[&[u8]]) -> Vec<u8> {
    let entries: Vec<u8> = names.iter().flat_map(|name| [&[0], &with_length(name)[..]].concat()).collect();
    with_length(&entries)
}

/// The answer of the server to a hello with a server name extension of this content.
fn answer(version: &'static str, content: Vec<u8>) -> (Connection, Option<u8>) {
    let mut ours = server(&Authority::new("ca")).accept().unwrap();
    let mut peer = Peer::client(Settings::new(version));
    let mut bytes = Vec::new();
    peer.rustls.write_tls(&mut bytes).unwrap();
    hello::edit(&mut bytes, |extensions| {
        extensions.retain(|(kind, _)| *kind != 0);
        extensions.insert(0, (0, content));
    });
    feed(&mut ours, &mut bytes);
    peer.read(&drain(&mut ours));
    (ours, peer.alert)
}

#[test]
fn name_with_a_trailing_dot_is_the_name_without_it() {
    let authority = Authority::new("ca");
    let client = context(|builder| builder.trust(authority.trust()));
    let server = server(&authority);
    for name in ["b.example", "b.example.", "B.Example."] {
        let pair = Pair::connect(&server, &client, name);
        assert_eq!(pair.server.server_name(), Some("b.example"), "{name}");
        assert_eq!(pair.server.local_chain(), pair.client.peer_chain(), "{name}");
        // As another library sends it, dot and all.
        for version in ["TLSv1.2", "TLSv1.3"] {
            let (ours, _) = answer(version, extension(&[name.as_bytes()]));
            assert!(ours.failure().is_none(), "{name}: {:?}", ours.failure());
            assert_eq!(ours.server_name().map(str::to_ascii_lowercase).as_deref(), Some("b.example"), "{version}");
            assert_eq!(ours.local_chain(), pair_of(&ours), "{version} {name}");
        }
    }
    for name in [".", "b.example..", "127.0.0.1."] {
        assert_eq!(client.connect(Some(name)).err().map(|error| error.code()), Some(Code::InvalidServerName), "{name}");
    }
}

/// The chain of this connection, if it is for b.example.
fn pair_of(ours: &Connection) -> &[rustls::pki_types::CertificateDer<'static>] {
    let facts = brokertls::certificate::CertificateFacts::from_der(&ours.local_chain()[0]).unwrap();
    assert_eq!(facts.common_name(), Some("b.example"));
    ours.local_chain()
}

#[test]
fn address_and_name_with_an_underscore_are_served() {
    for version in ["TLSv1.2", "TLSv1.3"] {
        for (name, reported) in [(&b"127.0.0.1"[..], None), (b"::1", None), (b"my_broker", Some("my_broker"))] {
            let (ours, alert) = answer(version, extension(&[name]));
            assert!(ours.failure().is_none() && alert.is_none(), "{version} {}", name.escape_ascii());
            assert_eq!(ours.server_name(), reported, "{version}");
        }
    }
}

#[test]
fn server_name_that_is_no_host_name_is_refused_and_shown() {
    let long = [b'a'; 300];
    let cases: &[(Vec<u8>, &str)] = &[
        (extension(&[b"broker.example:8883"]), "\"broker.example:8883\""),
        (extension(&[b"mqtts://broker.example"]), "\"mqtts://broker.example\""),
        (extension(&[b"[::1]:8883"]), "\"[::1]:8883\""),
        (extension(&[b"-broker.example"]), "\"-broker.example\""),
        (extension(&[b"broker..example"]), "\"broker..example\""),
        (extension(&[b"*.example"]), "\"*.example\""),
        (extension(&[b"broker example\n"]), r#""broker example\n""#),
        (extension(&[b"br\xc3\xbccke.example"]), r#""br\xc3\xbccke.example""#),
        (extension(&[b"broker.example\0"]), r#""broker.example\x00""#),
        (extension(&[&long]), "..."),
        (extension(&[b"a.example", b"b.example"]), "2 names, the first \"a.example\""),
        (extension(&[b""]), "the name is empty"),
        (extension(&[]), "the list of names is empty or damaged"),
        (Vec::new(), "the list of names is empty or damaged"),
        (with_length(&[1, 0, 1, b'x']), "a name of type 1"),
    ];
    for version in ["TLSv1.2", "TLSv1.3"] {
        for (content, words) in cases {
            let (ours, alert) = answer(version, content.clone());
            let error = ours.failure().unwrap();
            assert_eq!((error.code(), alert), (Code::ServerNameInvalid, Some(112)), "{error}");
            assert!(error.detail().contains(words) && error.detail().len() < 200, "{error}");
            assert!(error.hint().contains("no scheme, port"), "{}", error.hint());
        }
    }
}

#[test]
fn name_is_shown_also_if_the_hello_comes_in_small_records() {
    for is_asked in [false, true] {
        let authority = Authority::new("ca");
        let settings =
            brokertls::ConnectionSettings { asks_about_hello: is_asked, ..brokertls::ConnectionSettings::default() };
        let host = std::sync::Arc::new(crate::rig::host::Host::default());
        let context = context(|builder| builder.identity(authority.identity(&["a.example"])).hello_host(host));
        let mut ours = context.accept_with(&settings).unwrap();
        let mut bytes = Vec::new();
        Peer::client(Settings::new("TLSv1.2")).rustls.write_tls(&mut bytes).unwrap();
        hello::edit(&mut bytes, |extensions| {
            extensions.retain(|(kind, _)| *kind != 0);
            extensions.push((0, extension(&[b"broker:8883"])));
        });
        for part in bytes[5..].chunks(7) {
            let record = [&[22, 3, 1], &with_length(part)[..]].concat();
            feed(&mut ours, &mut record.clone());
        }
        let error = ours.failure().unwrap();
        assert_eq!(error.code(), Code::ServerNameInvalid, "{is_asked}: {error}");
        assert!(error.detail().contains("broker:8883"), "{is_asked}: {error}");
        assert_eq!(drain(&mut ours), [21, 3, 3, 0, 2, 2, 112], "{is_asked}");
    }
}
