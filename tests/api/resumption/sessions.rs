//! Limits of resumption: the number of cached sessions, and their age.

use std::sync::Arc;

use brokertls::{ConnectionSettings, Context};
use rustls::time_provider::TimeProvider;

use crate::rig::clock::Clock;
use crate::rig::pair::{Authority, Pair, context};

const VERSIONS: [&str; 2] = ["TLSv1.2", "TLSv1.3"];

/// A server of many names and a client, both on this clock.
fn contexts(clock: &Arc<Clock>, versions: &str) -> (Context, Context) {
    let authority = Authority::new("ca");
    let on_clock = || Arc::clone(clock) as Arc<dyn TimeProvider>;
    let names = ["broker", "one", "two", "three", "four", "five"];
    let server = context(|builder| builder.identity(authority.identity(&names)).versions(versions).clock(on_clock()));
    (server, context(|builder| builder.trust(authority.trust()).clock(on_clock())))
}

fn is_resumed(server: &Context, client: &Context, host: &str) -> bool {
    Pair::connect(server, client, host).client.is_resumed().unwrap()
}

#[test]
fn session_older_than_the_clients_timeout_is_not_resumed() {
    for versions in VERSIONS {
        let clock = Clock::new();
        let (server, client) = contexts(&clock, versions);
        client.limit_client_sessions(0, 60);
        client.limit_server_sessions(1);
        assert!(!is_resumed(&server, &client, "broker"), "{versions}");
        clock.advance(59);
        assert!(is_resumed(&server, &client, "broker"), "{versions}");
        clock.advance(60);
        assert!(!is_resumed(&server, &client, "broker"), "{versions}");
    }
}

#[test]
fn session_older_than_the_servers_timeout_is_not_resumed() {
    for versions in VERSIONS {
        let clock = Clock::new();
        let (server, client) = contexts(&clock, versions);
        server.limit_server_sessions(60);
        server.limit_client_sessions(1, 1);
        assert!(!is_resumed(&server, &client, "broker"), "{versions}");
        clock.advance(59);
        assert!(is_resumed(&server, &client, "broker"), "{versions}");
        clock.advance(60);
        assert!(!is_resumed(&server, &client, "broker"), "{versions}");
    }
}

#[test]
fn timeout_set_later_counts_for_sessions_that_are_there() {
    for versions in VERSIONS {
        let clock = Clock::new();
        let (server, client) = contexts(&clock, versions);
        is_resumed(&server, &client, "broker");
        clock.advance(30);
        server.limit_server_sessions(10);
        assert!(!is_resumed(&server, &client, "broker"), "{versions}");
    }
}

#[test]
fn client_remembers_as_many_servers_as_it_may_and_forgets_the_oldest() {
    for versions in VERSIONS {
        let (server, client) = contexts(&Clock::new(), versions);
        client.limit_client_sessions(3, 0);
        for host in ["one", "two", "three", "four", "five"] {
            assert!(!is_resumed(&server, &client, host), "{versions} {host}");
        }
        for host in ["three", "four", "five"] {
            assert!(is_resumed(&server, &client, host), "{versions} {host}");
        }
        client.limit_client_sessions(1, 0);
        assert!(is_resumed(&server, &client, "five"), "{versions}");
        assert!(!is_resumed(&server, &client, "four"), "{versions}");
        assert!(!is_resumed(&server, &client, "one"), "{versions}");
    }
}

#[test]
fn servers_of_connections_with_settings_of_their_own_count_with_the_others() {
    let (server, client) = contexts(&Clock::new(), "TLSv1.3");
    client.limit_client_sessions(2, 0);
    let connect = |port: &str| {
        let settings = ConnectionSettings { session_scope: Some(port.to_owned()), ..ConnectionSettings::default() };
        let client = client.connect_with(Some("broker"), &settings).unwrap();
        let mut pair = Pair { server: server.accept().unwrap(), client };
        pair.run().client.unwrap();
        pair.client.is_resumed().unwrap()
    };
    assert_eq!(["1", "2", "3"].map(connect), [false, false, false]);
    assert_eq!(["3", "2", "1"].map(connect), [true, true, false]);
}
