//! Settings of one connection: client authentication, protocols, the name that is sent, and the arguments of callbacks.

use std::sync::{Arc, Mutex};

use brokertls::verify::Purpose;
use brokertls::{ClientAuth, Code, Connection, ConnectionSettings, Context, ContextBuilder, Error};

use crate::rig::pair::{Authority, Ended, Pair, context};

const VERSIONS: [&str; 2] = ["TLSv1.2", "TLSv1.3"];

fn asks(client_auth: ClientAuth) -> ConnectionSettings {
    ConnectionSettings { client_auth: Some(client_auth), ..ConnectionSettings::default() }
}

fn sends(name: &str) -> ConnectionSettings {
    ConnectionSettings { server_name: Some(name.to_owned()), ..ConnectionSettings::default() }
}

fn speaks(protocols: &[&str]) -> ConnectionSettings {
    let alpn = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    ConnectionSettings { alpn: Some(alpn), ..ConnectionSettings::default() }
}

fn server(authority: &Authority, version: &str, set: impl FnOnce(&mut ContextBuilder)) -> Context {
    context(|builder| {
        builder.identity(authority.identity(&["broker"])).trust(authority.trust()).versions(version);
        set(builder);
        builder
    })
}

/// A client that has a certificate of the authority, if it is given.
fn client(trusted: &Authority, version: &str, own: Option<&Authority>) -> Context {
    context(|builder| {
        own.into_iter().for_each(|own| _ = builder.identity(own.identity(&["device"])));
        builder.trust(trusted.trust()).versions(version)
    })
}

fn run(server: &Context, at_server: &ConnectionSettings, client: Connection) -> (Pair, Ended) {
    let mut pair = Pair { server: server.accept_with(at_server).unwrap(), client };
    let ended = pair.run();
    (pair, ended)
}

fn code(outcome: &Result<(), Error>) -> Code {
    outcome.as_ref().err().map_or(Code::Ok, Error::code)
}

#[test]
fn server_asks_for_a_certificate_as_the_settings_of_the_connection_say() {
    let (authority, stranger) = (Authority::new("ca"), Authority::new("stranger"));
    for version in VERSIONS {
        let context = server(&authority, version, |_| {});
        let known = client(&authority, version, Some(&authority));
        let unknown = client(&authority, version, Some(&stranger));
        let bare = client(&authority, version, None);
        let outcome = |client_auth, client: &Context| {
            let (pair, ended) = run(&context, &asks(client_auth), client.connect(Some("broker")).unwrap());
            (code(&ended.server), pair.server.peer_chain().len())
        };
        assert_eq!(outcome(ClientAuth::None, &known), (Code::Ok, 0), "{version}");
        assert_eq!(outcome(ClientAuth::None, &bare), (Code::Ok, 0), "{version}");
        assert_eq!(outcome(ClientAuth::Want, &bare), (Code::Ok, 0), "{version}");
        assert_eq!(outcome(ClientAuth::Want, &known), (Code::Ok, 1), "{version}");
        assert_eq!(outcome(ClientAuth::Want, &unknown).0, Code::CertUnknownIssuer, "{version}");
        assert_eq!(outcome(ClientAuth::Need, &bare), (Code::CertMissing, 0), "{version}");
        assert_eq!(outcome(ClientAuth::Need, &known), (Code::Ok, 1), "{version}");
        assert_eq!(outcome(ClientAuth::Need, &unknown).0, Code::CertUnknownIssuer, "{version}");
    }
}

#[test]
fn connection_without_its_own_setting_asks_as_its_context_does() {
    let authority = Authority::new("ca");
    let context = server(&authority, "TLSv1.3", |builder| _ = builder.client_auth(ClientAuth::Need));
    let bare = client(&authority, "TLSv1.3", None);
    let outcome =
        |settings: &ConnectionSettings| code(&run(&context, settings, bare.connect(Some("broker")).unwrap()).1.server);
    assert_eq!(outcome(&ConnectionSettings::default()), Code::CertMissing);
    assert_eq!(outcome(&speaks(&["mqtt"])), Code::CertMissing);
    assert_eq!(outcome(&asks(ClientAuth::None)), Code::Ok);
}

#[test]
fn certificate_that_nothing_could_verify_is_not_asked_for() {
    let authority = Authority::new("ca");
    let context = context(|builder| builder.identity(authority.identity(&["broker"])));
    for client_auth in [ClientAuth::Want, ClientAuth::Need] {
        assert_eq!(context.accept_with(&asks(client_auth)).unwrap_err().code(), Code::NoTrust);
    }
    context.accept_with(&asks(ClientAuth::None)).unwrap();
}

#[test]
fn session_without_a_certificate_is_not_resumed_where_one_is_needed() {
    let authority = Authority::new("ca");
    for version in VERSIONS {
        let context = server(&authority, version, |_| {});
        let bare = client(&authority, version, None);
        let connect = |client_auth| {
            let (pair, ended) = run(&context, &asks(client_auth), bare.connect(Some("broker")).unwrap());
            (code(&ended.server), pair.server.is_resumed() == Some(true))
        };
        assert_eq!(connect(ClientAuth::None), (Code::Ok, false), "{version}");
        assert_eq!(connect(ClientAuth::None), (Code::Ok, true), "{version}");
        assert_eq!(connect(ClientAuth::Need), (Code::CertMissing, false), "{version}");
        assert_eq!(connect(ClientAuth::Want), (Code::Ok, false), "{version}");
        assert_eq!(connect(ClientAuth::Need), (Code::CertMissing, false), "{version}");
    }
}

#[test]
fn session_with_a_certificate_is_resumed_by_connections_with_the_same_setting_alone() {
    let authority = Authority::new("ca");
    for version in VERSIONS {
        let context = server(&authority, version, |_| {});
        let known = client(&authority, version, Some(&authority));
        let connect = |client_auth| {
            let (pair, ended) = run(&context, &asks(client_auth), known.connect(Some("broker")).unwrap());
            assert_eq!(code(&ended.server), Code::Ok);
            (pair.server.is_resumed().unwrap(), pair.server.peer_chain().len())
        };
        assert_eq!(connect(ClientAuth::Need), (false, 1), "{version}");
        assert_eq!(connect(ClientAuth::Need), (true, 1), "{version}");
        assert_eq!(connect(ClientAuth::None), (false, 0), "{version}");
        assert_eq!(connect(ClientAuth::Need), (false, 1), "{version}");
    }
}

#[test]
fn user_and_name_of_connections_do_not_keep_their_sessions_apart() {
    let authority = Authority::new("ca");
    let (server, client) = (server(&authority, "TLSv1.3", |_| {}), client(&authority, "TLSv1.3", None));
    for user in 1..4 {
        let settings = ConnectionSettings { user, ..ConnectionSettings::default() };
        let connection = client.connect_with(Some("broker"), &settings).unwrap();
        let (pair, ended) = run(&server, &settings, connection);
        assert_eq!((code(&ended.client), pair.client.user(), pair.server.user()), (Code::Ok, user, user));
        assert_eq!(pair.client.is_resumed(), Some(user > 1));
    }
}

#[test]
fn name_that_is_sent_is_not_the_name_that_is_verified() {
    let authority = Authority::new("ca");
    for version in VERSIONS {
        let client = client(&authority, version, None);
        let broker = server(&authority, version, |_| {});
        let connection = client.connect_with(Some("broker"), &sends("front.example")).unwrap();
        let (pair, ended) = run(&broker, &ConnectionSettings::default(), connection);
        assert_eq!(code(&ended.client), Code::Ok, "{version}");
        assert_eq!(pair.server.server_name(), Some("front.example"));
        // A certificate for the name that was sent is none for the host.
        let front = context(|builder| builder.identity(authority.identity(&["front.example"])).versions(version));
        let connection = client.connect_with(Some("broker"), &sends("front.example")).unwrap();
        let (_, ended) = run(&front, &ConnectionSettings::default(), connection);
        assert_eq!(code(&ended.client), Code::CertNameMismatch, "{version}");
    }
}

#[test]
fn session_of_one_host_is_not_resumed_for_another_under_the_same_sent_name() {
    let authority = Authority::new("ca");
    for version in VERSIONS {
        let (server, client) = (server(&authority, version, |_| {}), client(&authority, version, None));
        let connect = |host: &str, sent: &str| {
            let connection = client.connect_with(Some(host), &sends(sent)).unwrap();
            let (pair, ended) = run(&server, &ConnectionSettings::default(), connection);
            (code(&ended.client), pair.client.is_resumed() == Some(true))
        };
        assert_eq!(connect("broker", "front.example"), (Code::Ok, false), "{version}");
        assert_eq!(connect("broker", "front.example"), (Code::Ok, true), "{version}");
        assert_eq!(connect("other", "front.example"), (Code::CertNameMismatch, false), "{version}");
        assert_eq!(connect("front.example", "front.example"), (Code::CertNameMismatch, false), "{version}");
        assert_eq!(connect("broker", "back.example"), (Code::Ok, false), "{version}");
        assert_eq!(connect("broker", "front.example"), (Code::Ok, true), "{version}");
        // The name as host without another one to send is a server of its own.
        assert_eq!(connect("broker", "broker"), (Code::Ok, false), "{version}");
    }
}

#[test]
fn address_is_verified_behind_a_name_that_is_sent() {
    let authority = Authority::new("ca");
    let server = context(|builder| builder.identity(authority.identity(&["127.0.0.1"])));
    let client = client(&authority, "TLSv1.3", None);
    let outcome = |host: &str| {
        let connection = client.connect_with(Some(host), &sends("front.example")).unwrap();
        let (pair, ended) = run(&server, &ConnectionSettings::default(), connection);
        (code(&ended.client), pair.server.server_name().map(str::to_owned))
    };
    assert_eq!(outcome("127.0.0.1"), (Code::Ok, Some("front.example".to_owned())));
    assert_eq!(outcome("127.0.0.2"), (Code::CertNameMismatch, Some("front.example".to_owned())));
}

#[test]
fn name_to_send_is_a_dns_name_or_none() {
    let authority = Authority::new("ca");
    let client = client(&authority, "TLSv1.3", None);
    for name in ["127.0.0.1", "[::1]", "", "no such host!", "a..b", "front.example\0"] {
        let error = client.connect_with(Some("broker"), &sends(name)).unwrap_err();
        assert_eq!(error.code(), Code::InvalidServerName, "{name:?}");
    }
    let nothing = ConnectionSettings { sends_server_name: false, ..sends("front.example") };
    let server = server(&authority, "TLSv1.3", |_| {});
    let connection = client.connect_with(Some("broker"), &nothing).unwrap();
    let (pair, ended) = run(&server, &ConnectionSettings::default(), connection);
    assert_eq!((code(&ended.client), pair.server.server_name()), (Code::Ok, None));
}

#[test]
fn protocols_of_a_connection_replace_those_of_its_context() {
    let authority = Authority::new("ca");
    let server = server(&authority, "TLSv1.3", |builder| _ = builder.alpn(b"mqtt").unwrap());
    let client = client(&authority, "TLSv1.3", None);
    let agreed = |at_server: &ConnectionSettings, at_client: &ConnectionSettings| {
        let connection = client.connect_with(Some("broker"), at_client).unwrap();
        let (pair, ended) = run(&server, at_server, connection);
        (code(&ended.server), pair.client.alpn().map(<[u8]>::to_vec))
    };
    let own = ConnectionSettings::default();
    assert_eq!(agreed(&own, &speaks(&["amqp", "mqtt"])), (Code::Ok, Some(b"mqtt".to_vec())));
    assert_eq!(agreed(&speaks(&["amqp"]), &speaks(&["amqp", "mqtt"])), (Code::Ok, Some(b"amqp".to_vec())));
    assert_eq!(agreed(&speaks(&["amqp"]), &speaks(&["mqtt"])).0, Code::NoCommonAlpn);
    assert_eq!(agreed(&speaks(&[]), &speaks(&["mqtt"])), (Code::Ok, None));
}

/// Arguments of a verify callback: the role, the connection, its user, the version, the name, and true for a session.
type Told = Arc<Mutex<Vec<(Purpose, u64, usize, &'static str, Option<String>, bool)>>>;

fn telling(builder: &mut ContextBuilder) -> Told {
    let told = Told::default();
    let heard = Arc::clone(&told);
    builder.verify_callback(
        Arc::new(move |peer| {
            let connection = peer.connection;
            let name = connection.server_name.as_deref().map(str::to_owned);
            let (id, user, version) = (connection.id, connection.user, connection.version);
            heard.lock().unwrap().push((peer.purpose, id, user, version, name, peer.is_resumed));
            Ok(())
        }),
        false,
    );
    told
}

#[test]
fn verify_callback_receives_its_connection_and_that_alone() {
    let authority = Authority::new("ca");
    for version in VERSIONS {
        let (mut at_server, mut at_client) = (Told::default(), Told::default());
        let server = server(&authority, version, |builder| at_server = telling(builder));
        let client = context(|builder| {
            at_client = telling(builder);
            builder.identity(authority.identity(&["device"])).trust(authority.trust()).versions(version)
        });
        for (round, is_resumed) in [(1, false), (2, true)] {
            let settings = ConnectionSettings { user: 70 + round, ..sends("front.example") };
            let connection = client.connect_with(Some("broker"), &settings).unwrap();
            let at = ConnectionSettings { user: 80 + round, ..asks(ClientAuth::Need) };
            let (pair, ended) = run(&server, &at, connection);
            assert_eq!((code(&ended.server), code(&ended.client)), (Code::Ok, Code::Ok), "{version}");
            assert_eq!(pair.client.is_resumed(), Some(is_resumed), "{version}");
            let sent = Some("front.example".to_owned());
            let expected = (Purpose::Client, pair.server.id(), 80 + round, version, sent, is_resumed);
            assert_eq!(std::mem::take(&mut *at_server.lock().unwrap()), [expected], "{version}");
            let host = Some("broker".to_owned());
            let expected = (Purpose::Server, pair.client.id(), 70 + round, version, host, is_resumed);
            assert_eq!(std::mem::take(&mut *at_client.lock().unwrap()), [expected], "{version}");
        }
    }
}

#[test]
fn reason_of_a_verify_callback_is_cut_and_has_no_control_characters() {
    let authority = Authority::new("ca");
    let reason = format!("no\r\nbroker: \u{1b}[2J{}", "ü".repeat(5000));
    let server = server(&authority, "TLSv1.3", |builder| {
        builder.client_auth(ClientAuth::Need).verify_callback(Arc::new(move |_| Err(reason.clone())), false);
    });
    let known = client(&authority, "TLSv1.3", Some(&authority));
    let (_, ended) = run(&server, &ConnectionSettings::default(), known.connect(Some("broker")).unwrap());
    let error = ended.server.unwrap_err();
    assert_eq!(error.code(), Code::CertRejectedByCallback);
    assert!(error.detail().starts_with("no\\u{d}\\u{a}broker: \\u{1b}[2Jü"), "{error}");
    assert!(error.detail().ends_with("ü…") && error.detail().chars().count() < 1100, "{error}");
}
