//! ClientHellos that are damaged: no server answers one about which its host has not been asked.

use std::sync::Arc;

use brokertls::host::HandshakeHost;
use brokertls::{Code, Connection, ConnectionSettings, Context, ContextBuilder};

use super::world::World;
use crate::rig::host::Host;
use crate::wire::hello::{Extensions, edit, with_length};
use crate::wire::peer::{Peer, Settings, drain, feed};

/// Extensions (RFC 6066, RFC 7301, RFC 8446 section 4.2).
const SERVER_NAME: u16 = 0;
const GROUPS: u16 = 10;
const SIGNATURES: u16 = 13;
const ALPN: u16 = 16;
const VERSIONS: u16 = 43;
const IN_CERTIFICATES: u16 = 50;

/// The servers that ask a host: by rustls alone, by two engines, by the second engine alone, and one that asks for its
/// identity.
struct Servers {
    host: Arc<Host>,
    contexts: [(&'static str, Context); 4],
}

impl Servers {
    fn new(world: &World) -> Self {
        let host = Arc::new(Host::with_identity(&world.authority, "broker.example"));
        let asked: Arc<dyn HandshakeHost> = Arc::clone(&host) as _;
        let identity = || world.authority.identity(&["broker.example"]);
        let build = |set: &dyn Fn(&mut ContextBuilder)| {
            let mut builder = ContextBuilder::new();
            set(&mut builder);
            builder.build().unwrap()
        };
        let second = |versions: &str| {
            let mut builder = world.builder();
            builder.versions(versions).hello_host(Arc::clone(&asked)).build().unwrap()
        };
        let contexts = [
            ("rustls", build(&|builder| _ = builder.identity(identity()).hello_host(Arc::clone(&asked)))),
            ("both", second("TLSv1.3,TLSv1.2,TLSv1.1,TLSv1")),
            ("second", second("TLSv1.1,TLSv1")),
            ("identities", build(&|builder| _ = builder.host_identities(Arc::clone(&asked)))),
        ];
        Self { host, contexts }
    }

    /// The outcome of this hello at a server: its connection, its records, and the questions to its host.
    fn meet(&self, context: &Context, hello: &[u8]) -> (Connection, Vec<u8>, Vec<String>) {
        self.host.asked.lock().unwrap().clear();
        let settings = ConnectionSettings { asks_about_hello: true, ..ConnectionSettings::default() };
        let mut ours = context.accept_with(&settings).unwrap();
        feed(&mut ours, &mut hello.to_vec());
        let sent = drain(&mut ours);
        (ours, sent, self.host.asked())
    }
}

/// The first record of a client, with two protocols.
fn client_hello(version: &'static str) -> Vec<u8> {
    let mut settings = Settings::new(version);
    settings.alpn = vec![b"mqtt".to_vec(), b"stomp".to_vec()];
    settings.groups = Some("secp256r1");
    let mut hello = Vec::new();
    Peer::client(settings).rustls.write_tls(&mut hello).unwrap();
    edit(&mut hello, |extensions| {
        extensions.push((IN_CERTIFICATES, with_length(&[4, 3, 8, 4])));
        // The last one must stay there (RFC 8446 section 4.2.11).
        extensions.sort_by_key(|(kind, _)| *kind == 41);
    });
    hello
}

/// Returns true for records that begin with a ServerHello.
fn is_answer(sent: &[u8]) -> bool {
    matches!(sent, [22, _, _, _, _, 2, ..])
}

/// Returns true for the question of a server about a client with this name.
fn is_about(question: &str, server: &str, name: Option<&str>) -> bool {
    match server {
        "identities" => question.starts_with(&format!("identity Server {name:?} ")),
        _ => question.starts_with(&format!("hello {name:?} ")),
    }
}

#[test]
fn no_server_answers_a_hello_about_which_its_host_has_not_been_asked() {
    let world = World::new("unread");
    let servers = Servers::new(&world);
    let old = world.hello("-tls1 -cipher ALL:@SECLEVEL=0 -alpn mqtt,stomp -servername broker.example");
    let (mut answers, mut refusals) = (0, 0);
    for whole in [client_hello("TLSv1.2"), client_hello("TLSv1.3"), old] {
        let damaged = (0..whole.len()).flat_map(|at| [0, 0x41, 0xff].map(|bits| (at, bits)));
        for (at, bits) in damaged {
            let mut hello = whole.clone();
            // The length of a field, one less or much more, and any other byte.
            hello[at] = if bits == 0 { hello[at].wrapping_sub(1) } else { hello[at] ^ bits };
            for (server, context) in &servers.contexts {
                let what = format!("{server} {at} {bits}");
                let (ours, sent, asked) = servers.meet(context, &hello);
                match ours.failure() {
                    _ if is_answer(&sent) => {
                        assert_eq!(asked.len(), 1, "{what}: {asked:?}");
                        assert!(is_about(&asked[0], server, ours.server_name()), "{what}: {asked:?}");
                        answers += 1;
                    }
                    Some(error) => {
                        assert_eq!((error.code().alert(), sent.len()), (sent.last().copied(), 7), "{what}: {error}");
                        refusals += 1;
                    }
                    // More of it is waited for.
                    None => assert!(sent.is_empty() && asked.is_empty(), "{what}: {asked:?}"),
                }
            }
        }
    }
    assert!(answers > 500 && refusals > 500, "{answers} {refusals}");
}

/// A change of the extensions, the code that all servers with rustls refuse it with, and what the detail says.
type Damage = (&'static str, fn(&mut Extensions), Code, &'static str);

#[test]
fn damaged_extension_is_refused_with_the_same_code_and_alert_by_every_server() {
    let world = World::new("unread-extensions");
    let servers = Servers::new(&world);
    const SHORT: &str = "a message ends before its content does";
    const LONG: &str = "a message has more bytes than its content";
    const TWICE: &str = "a message has an extension twice";
    const NAMES: &str = "the list of names is empty or damaged";
    // rustls does not read it.
    const OURS: &str = "its ClientHello has an extension 50 that is damaged, or comes twice";
    use Code::{MessageMalformed, PeerMisbehaved, ServerNameInvalid};
    let damages: &[Damage] = &[
        ("schemes, empty", |all| set(all, IN_CERTIFICATES, &[]), MessageMalformed, OURS),
        ("schemes, odd", |all| set(all, IN_CERTIFICATES, &[0, 3, 4, 3, 8]), MessageMalformed, OURS),
        ("schemes, cut", |all| set(all, IN_CERTIFICATES, &[0, 4, 4, 3]), MessageMalformed, OURS),
        ("schemes, twice", |all| twice(all, IN_CERTIFICATES), PeerMisbehaved, TWICE),
        ("protocols, none", |all| set(all, ALPN, &[0, 0]), MessageMalformed, "an empty list that may not be empty"),
        ("protocols, empty", |all| set(all, ALPN, &[]), MessageMalformed, SHORT),
        (
            "protocols, without a name",
            |all| set(all, ALPN, &[0, 1, 0]),
            MessageMalformed,
            "an empty value that may not be empty",
        ),
        (
            "protocols, cut",
            |all| set(all, ALPN, &[0, 5, 4, b'm', b'q']),
            MessageMalformed,
            "a message is shorter than its content needs",
        ),
        ("protocols, longer", |all| content(all, ALPN).push(0), MessageMalformed, LONG),
        ("protocols, twice", |all| twice(all, ALPN), PeerMisbehaved, TWICE),
        ("name, twice", |all| twice(all, SERVER_NAME), PeerMisbehaved, TWICE),
        ("name, empty", |all| set(all, SERVER_NAME, &[]), ServerNameInvalid, NAMES),
        ("name, longer", |all| content(all, SERVER_NAME).push(0), ServerNameInvalid, NAMES),
        ("name, cut", |all| set(all, SERVER_NAME, &[0, 6, 0, 0, 4, b'a']), ServerNameInvalid, NAMES),
        (
            "name, two of them",
            |all| set(all, SERVER_NAME, &[0, 8, 0, 0, 1, b'a', 0, 0, 1, b'b']),
            ServerNameInvalid,
            "2 names, the first \"a\"",
        ),
        (
            "name with a zero byte",
            |all| set(all, SERVER_NAME, &[0, 6, 0, 0, 3, b'a', 0, b'b']),
            ServerNameInvalid,
            "\"a\\x00b\"",
        ),
        ("groups, odd", |all| set(all, GROUPS, &[0, 3, 0, 29, 0]), MessageMalformed, SHORT),
        ("groups, twice", |all| twice(all, GROUPS), PeerMisbehaved, TWICE),
        ("signatures, odd", |all| set(all, SIGNATURES, &[0, 3, 4, 3, 8]), MessageMalformed, SHORT),
        ("signatures, twice", |all| twice(all, SIGNATURES), PeerMisbehaved, TWICE),
        ("versions, odd", |all| set(all, VERSIONS, &[3, 3, 4, 3]), MessageMalformed, SHORT),
        ("versions, twice", |all| twice(all, VERSIONS), PeerMisbehaved, TWICE),
    ];
    let mut wrong = Vec::new();
    for (what, change, code, detail) in damages {
        for version in ["TLSv1.2", "TLSv1.3"] {
            let mut hello = client_hello(version);
            edit(&mut hello, change);
            for (server, context) in servers.contexts.iter().filter(|(server, _)| *server != "second") {
                let (ours, sent, _) = servers.meet(context, &hello);
                let error = ours.failure().unwrap_or_else(|| panic!("{what} {version} {server}"));
                if (error.code(), error.detail()) != (*code, *detail) {
                    wrong.push(format!("{what} {version} {server}: {error}"));
                }
                assert_eq!(sent, [21, 3, 3, 0, 2, 2, code.alert().unwrap()], "{what} {version} {server}");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn old_hello_that_cannot_be_read_is_refused_by_every_server_that_has_its_version() {
    let world = World::new("unread-old");
    let servers = Servers::new(&world);
    let whole = world.hello("-tls1 -cipher ALL:@SECLEVEL=0 -alpn mqtt,stomp -servername broker.example");
    for (server, context) in servers.contexts.iter().filter(|(server, _)| matches!(*server, "both" | "second")) {
        let (ours, sent, asked) = servers.meet(context, &whole);
        assert!(ours.failure().is_none() && is_answer(&sent), "{server}");
        assert_eq!(asked, ["hello Some(\"broker.example\") [\"mqtt\", \"stomp\"]"], "{server}");
        let mut hello = whole.clone();
        edit(&mut hello, |all| set(all, IN_CERTIFICATES, &[0, 3, 4, 3, 8]));
        let (ours, sent, asked) = servers.meet(context, &hello);
        let error = ours.failure().unwrap();
        assert_eq!((error.code(), sent.last()), (Code::MessageMalformed, Some(&50)), "{server}");
        assert_eq!(error.detail(), "its ClientHello has an extension 50 that is damaged, or comes twice", "{server}");
        assert!(asked.is_empty(), "{server}: {asked:?}");
    }
}

#[test]
fn hello_before_more_bytes_is_refused_by_every_server() {
    let world = World::new("unread-records");
    let servers = Servers::new(&world);
    for (server, context) in servers.contexts.iter().filter(|(server, _)| *server != "second") {
        let hello = client_hello("TLSv1.3");
        let record = with_length(&[&hello[5..], &[0]].concat());
        let (ours, sent, _) = servers.meet(context, &[&hello[..3], &record].concat());
        let found = (ours.failure().unwrap().code(), sent.last());
        assert_eq!(found, (Code::UnexpectedMessage, Some(&10)), "{server}");
    }
}

#[test]
fn host_is_asked_about_a_hello_behind_warnings_and_a_fatal_alert_is_what_ends_the_connection() {
    let world = World::new("unread-alerts");
    let servers = Servers::new(&world);
    let alert = |level, description| [21, 3, 1, 0, 2, level, description];
    let hello = client_hello("TLSv1.3");
    for (server, context) in servers.contexts.iter().filter(|(server, _)| *server != "second") {
        let (_, _, direct) = servers.meet(context, &hello);
        for warnings in 1..=4 {
            let behind = [alert(1, 112).repeat(warnings), hello.clone()].concat();
            let (ours, sent, asked) = servers.meet(context, &behind);
            assert!(ours.failure().is_none() && is_answer(&sent), "{server} {warnings}");
            assert_eq!(asked, direct, "{server} {warnings}");
        }
        let (ours, sent, asked) = servers.meet(context, &[alert(1, 112).repeat(5), hello.clone()].concat());
        assert_eq!(ours.failure().unwrap().code(), Code::UnexpectedMessage, "{server}");
        assert_eq!((sent.last(), asked.is_empty()), (Some(&10), true), "{server}");
    }
    for (server, context) in &servers.contexts {
        for (description, code) in [(40, Code::AlertHandshakeFailure), (0, Code::HandshakeEof)] {
            let ended = [alert(2, description).as_slice(), &hello].concat();
            let (ours, sent, asked) = servers.meet(context, &ended);
            assert_eq!(ours.failure().unwrap().code(), code, "{server}");
            assert!(sent.is_empty() && asked.is_empty(), "{server}: {sent:?} {asked:?}");
        }
    }
}

fn content(extensions: &mut Extensions, kind: u16) -> &mut Vec<u8> {
    &mut extensions.iter_mut().find(|(found, _)| *found == kind).unwrap().1
}

fn set(extensions: &mut Extensions, kind: u16, to: &[u8]) {
    extensions.retain(|(found, _)| *found != kind);
    extensions.insert(0, (kind, to.to_vec()));
}

fn twice(extensions: &mut Extensions, kind: u16) {
    let content = content(extensions, kind).clone();
    extensions.insert(0, (kind, content));
}
