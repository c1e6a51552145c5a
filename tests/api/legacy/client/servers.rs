//! Old servers with a certificate.

use std::sync::Arc;

use brokertls::host::HandshakeHost;
use brokertls::policy::LegacyAllowed;
use brokertls::{Code, ConnectionSettings, CrlSource, IdentitySource, MAX_RECORD_BYTES, Source};

use super::super::world::World;
use super::{builder, meet, meet_with};
use crate::rig::host::Host;

/// Servers of an old version, of TLS 1.2 and of TLS 1.3.
const SERVERS: [&str; 3] =
    ["-tls1 -cipher ALL:@SECLEVEL=0", "-tls1_2 -cipher AES128-SHA:DHE-RSA-AES128-SHA", "-tls1_3"];

#[test]
fn server_of_each_version_is_met_and_its_certificate_is_verified() {
    let world = World::new("client-versions");
    std::fs::write(world.file("broker.pem"), world.authority.issue_rsa("broker")).unwrap();
    let context = builder(&world).build().unwrap();
    for (arguments, version, suite) in [
        ("-tls1", "TLSv1", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"),
        ("-tls1_1", "TLSv1.1", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"),
        ("-tls1_2 -cipher ECDHE-RSA-AES128-SHA256", "TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"),
        ("-tls1_2 -cipher DHE-RSA-AES128-GCM-SHA256", "TLSv1.2", "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"),
        ("-tls1_3", "TLSv1.3", "TLS_AES_256_GCM_SHA384"),
    ] {
        let arguments = match arguments.contains("-cipher") {
            true => arguments.to_owned(),
            false => format!("{arguments} -cipher ALL:@SECLEVEL=0"),
        };
        let met = meet(&world, &context, &format!("-cert broker.pem {arguments}"));
        let seen = met.went_well();
        assert_eq!((seen.version.as_str(), seen.suite.as_str(), seen.peers), (version, suite, 1));
    }
}

#[test]
fn server_of_rsa_key_exchange_is_met_with_its_switch_alone() {
    let world = World::new("client-rsa");
    std::fs::write(world.file("broker.pem"), world.authority.issue_rsa("broker")).unwrap();
    let without = builder(&world).build().unwrap();
    let allowed = LegacyAllowed { rsa_key_exchange: true, ..LegacyAllowed::default() };
    let with = builder(&world).legacy_allow(allowed).build().unwrap();
    for (version, suite, iana) in [
        ("-tls1", "AES128-SHA", "TLS_RSA_WITH_AES_128_CBC_SHA"),
        ("-tls1_1", "AES256-SHA", "TLS_RSA_WITH_AES_256_CBC_SHA"),
        ("-tls1_2", "AES128-GCM-SHA256", "TLS_RSA_WITH_AES_128_GCM_SHA256"),
    ] {
        let server = format!("{version} -cipher {suite}:@SECLEVEL=0");
        let met = meet(&world, &with, &format!("-cert broker.pem {server}"));
        let seen = met.went_well();
        assert_eq!((seen.suite.as_str(), seen.peers), (iana, 1));
        meet(&world, &without, &format!("-cert broker.pem {server}")).failed(Code::AlertHandshakeFailure);
        // The certificate is verified before the secret is sent to its key.
        meet(&world, &with, &format!("-cert stranger.pem {server}")).refused(Code::CertUnknownIssuer, 48);
    }
    assert!(with.legacy_uses().contains(&("legacy-rsa-key-exchange", 3)), "{:?}", with.legacy_uses());
    assert!(with.warnings().iter().any(|line| line.contains("legacy-rsa-key-exchange")), "{:?}", with.warnings());
}

#[test]
fn server_of_triple_des_is_met_with_its_switch_if_openssl_has_it_and_never_without() {
    let world = World::new("client-3des");
    std::fs::write(world.file("broker.pem"), world.authority.issue_rsa("broker")).unwrap();
    let known = world.openssl("ciphers ALL:COMPLEMENTOFALL:@SECLEVEL=0");
    let has_it = known.contains("ECDHE-RSA-DES-CBC3-SHA");
    let client = |allowed: LegacyAllowed| builder(&world).cipher_suites("ALL:3DES").legacy_allow(allowed).build();
    let without = client(LegacyAllowed::default()).unwrap();
    let with = client(LegacyAllowed { triple_des: true, ..LegacyAllowed::default() }).unwrap();
    assert!(!without.cipher_suites().iter().any(|name| name.contains("3DES")), "{:?}", without.cipher_suites());
    let warning = "legacy-3des: the OpenSSL of this system has no suite with triple-DES";
    assert_eq!(with.warnings().iter().any(|line| line == warning), !has_it, "{:?}", with.warnings());
    if has_it {
        let server = "-cert broker.pem -tls1_2 -cipher ECDHE-RSA-DES-CBC3-SHA:@SECLEVEL=0";
        let met = meet(&world, &with, server);
        assert_eq!(met.went_well().suite, "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA");
        meet(&world, &without, server).failed(Code::AlertHandshakeFailure);
    }
    // A server that selects it though it was not offered.
    for context in [Some(&without), Some(&with).filter(|_| !has_it)].into_iter().flatten() {
        let mut client = context.connect(Some("broker")).unwrap();
        let mut wire = vec![0; MAX_RECORD_BYTES];
        client.wrap(&[], &mut wire).unwrap();
        let error = client.unwrap(&mut server_hello(3, [0xc0, 0x12]), &mut []).expect_err("it was not refused");
        assert_eq!(error.code(), Code::PeerMisbehaved, "{error}");
        let sent = client.wrap(&[], &mut wire).unwrap().produced;
        assert_eq!(wire[..sent][5..], [2, 47]);
    }
}

#[test]
fn server_of_another_name_or_authority_or_a_revoked_one_is_refused_with_the_alert_of_its_reason() {
    let world = World::new("client-refused");
    let serial = [7];
    let revoked = world.authority.issue(&["broker"], |params| {
        params.serial_number = Some(rcgen::SerialNumber::from_slice(&serial));
    });
    std::fs::write(world.file("other.pem"), world.authority.issue_rsa("other")).unwrap();
    std::fs::write(world.file("revoked.pem"), revoked).unwrap();
    let crl = CrlSource::Source(Source::memory("ca.crl", world.authority.crl(&[&serial]).as_bytes()));
    let mut builder = builder(&world);
    let context = builder.crl(crl).build().unwrap();
    for server in SERVERS {
        let refused = |file: &str, code, alert| {
            let server =
                if file == "revoked.pem" { server.replace("DHE-RSA", "ECDHE-ECDSA") } else { server.to_owned() };
            let met = meet(&world, &context, &format!("-cert {file} {server}"));
            met.refused(code, alert);
            assert_eq!(met.facts.peers, 0);
        };
        refused("other.pem", Code::CertNameMismatch, 42);
        refused("stranger.pem", Code::CertUnknownIssuer, 48);
        refused("revoked.pem", Code::CertRevoked, 44);
    }
}

#[test]
fn server_with_a_weak_group_of_finite_fields_is_refused() {
    let world = World::new("client-weak-group");
    std::fs::write(world.file("broker.pem"), world.authority.issue_rsa("broker")).unwrap();
    world.openssl("genpkey -genparam -algorithm DH -pkeyopt group:modp_1536 -out weak.pem");
    let context = builder(&world).build().unwrap();
    let server = "-cert broker.pem -tls1_2 -cipher DHE-RSA-AES128-SHA:@SECLEVEL=0";
    // A group of its own choice, which this side does not know by name.
    assert_eq!(meet(&world, &context, server).went_well().group, "");
    meet(&world, &context, &format!("{server} -dhparam weak.pem")).refused(Code::NoCommonGroup, 40);
}

#[test]
fn server_without_a_certificate_is_never_met_without_a_key() {
    let world = World::new("client-anonymous");
    let context = builder(&world).cipher_suites("ALL").build().unwrap();
    let met = meet(&world, &context, "-nocert -tls1_2 -cipher ADH-AES128-SHA:AECDH-AES128-SHA:@SECLEVEL=0");
    met.failed(Code::AlertHandshakeFailure);
}

#[test]
fn identity_of_the_client_is_shown_to_a_server_that_asks_for_one() {
    let world = World::new("client-identity");
    std::fs::write(world.file("broker.pem"), world.authority.issue_rsa("broker")).unwrap();
    let mut builder = builder(&world);
    let pem = world.authority.issue_rsa("client");
    builder.identity(IdentitySource::new(Source::memory("client.pem", pem.as_bytes())));
    let context = builder.build().unwrap();
    for server in SERVERS {
        let met = meet(&world, &context, &format!("-cert broker.pem -CAfile ca.pem -Verify 1 {server}"));
        met.went_well();
        assert!(met.theirs.contains("CN = client"), "{}", met.theirs);
    }
    let without = super::builder(&world).build().unwrap();
    let met = meet(&world, &without, &format!("-cert broker.pem -CAfile ca.pem -Verify 1 {}", SERVERS[1]));
    assert_eq!(met.failed(Code::AlertHandshakeFailure).code(), Code::AlertHandshakeFailure);
}

/// The identity of a host: its key is not in bytes.
fn hosted(world: &World) -> Host {
    Host::with_identity(&world.authority, "client")
}

#[test]
fn identity_that_is_not_sent_because_its_key_is_not_in_bytes_is_no_fact() {
    let world = World::new("client-withheld");
    std::fs::write(world.file("broker.pem"), world.authority.issue_rsa("broker")).unwrap();
    let mut with_token = builder(&world);
    with_token.identity(IdentitySource::ready(hosted(&world).identity.unwrap()));
    let mut with_key = builder(&world);
    let pem = world.authority.issue_rsa("client");
    with_key.identity(IdentitySource::new(Source::memory("client.pem", pem.as_bytes())));
    for (builder, shown) in [(with_token, 0), (with_key, 1)] {
        let context = builder.build().unwrap();
        for server in SERVERS {
            let met = meet(&world, &context, &format!("-cert broker.pem -CAfile ca.pem -verify 1 {server}"));
            assert_eq!(met.went_well().own, shown, "{server}");
            assert_eq!(met.theirs.contains("CN = client"), shown == 1, "{}", met.theirs);
        }
    }
}

#[test]
fn host_is_asked_for_an_identity_once_the_server_is_accepted_and_for_no_other_server() {
    let world = World::new("client-host-order");
    std::fs::write(world.file("broker.pem"), world.authority.issue_rsa("broker")).unwrap();
    for server in SERVERS {
        let host = Arc::new(hosted(&world));
        let context = builder(&world).host_identities(Arc::clone(&host) as Arc<dyn HandshakeHost>).build().unwrap();
        let asking = format!("-CAfile ca.pem -verify 1 {server}");
        meet(&world, &context, &format!("-cert stranger.pem {asking}")).refused(Code::CertUnknownIssuer, 48);
        assert!(host.asked().is_empty(), "{server}: {:?}", host.asked());
        meet(&world, &context, &format!("-cert broker.pem {asking}")).went_well();
        assert!(host.asked().iter().all(|line| line.starts_with("identity Client")), "{server}: {:?}", host.asked());
        assert_eq!(host.asked().len(), 1, "{server}");
    }
}

#[test]
fn host_that_refuses_to_choose_an_identity_ends_the_connection_with_its_error() {
    let world = World::new("client-host-refuses");
    std::fs::write(world.file("broker.pem"), world.authority.issue_rsa("broker")).unwrap();
    let with = |host: Host| {
        let host: Arc<dyn HandshakeHost> = Arc::new(host);
        builder(&world).host_identities(host).build().unwrap()
    };
    let refusing = with(Host { refuses_identity: Some(Code::NoIdentity), ..Host::default() });
    let silent = with(Host::default());
    for server in SERVERS {
        let server = format!("-cert broker.pem -CAfile ca.pem -verify 1 {server}");
        let met = meet(&world, &refusing, &server);
        assert_eq!(met.refused(Code::NoIdentity, 40).detail(), "the host says so");
        assert_eq!(met.facts.own, 0);
        // A server that asks for none.
        meet(&world, &refusing, &server.replace("-verify 1", "")).went_well();
        assert_eq!(meet(&world, &silent, &server).went_well().own, 0);
    }
}

#[test]
fn callback_that_refuses_a_server_ends_the_connection_with_access_denied() {
    let world = World::new("client-callback");
    std::fs::write(world.file("broker.pem"), world.authority.issue_rsa("broker")).unwrap();
    let mut builder = builder(&world);
    let context = builder.verify_callback(Arc::new(|_| Err("not this one".to_owned())), false).build().unwrap();
    for server in SERVERS {
        let met = meet(&world, &context, &format!("-cert broker.pem {server}"));
        met.refused(Code::CertRejectedByCallback, 49);
    }
}

#[test]
fn server_name_and_application_protocol_reach_the_server_and_are_facts() {
    let world = World::new("client-names");
    std::fs::write(world.file("broker.pem"), world.authority.issue_rsa("broker")).unwrap();
    let context = builder(&world).alpn(b"mqtt").unwrap().build().unwrap();
    for server in SERVERS {
        let met = meet(&world, &context, &format!("-cert broker.pem -alpn mqtt {server}"));
        assert_eq!(met.went_well().protocol, "mqtt");
        // It has the right certificate for this name alone.
        let names = "-servername broker -servername_fatal -cert2 broker.pem";
        meet(&world, &context, &format!("-cert stranger.pem {names} {server}")).went_well();
    }
    meet(&world, &context, "-cert broker.pem -tls1_2 -alpn http/1.1").failed(Code::AlertNoApplicationProtocol);
}

#[test]
fn settings_of_a_connection_choose_its_engine_and_sessions_are_not_resumed() {
    let world = World::new("client-settings");
    std::fs::write(world.file("broker.pem"), world.authority.issue_rsa("broker")).unwrap();
    let context = builder(&world).build().unwrap();
    let settings = |set: &dyn Fn(&mut ConnectionSettings)| {
        let mut settings = ConnectionSettings::default();
        set(&mut settings);
        settings
    };
    // rustls alone has this group, and serves what is left.
    let modern = settings(&|settings| settings.versions = Some("TLSv1.3".to_owned()));
    let met = meet_with(&world, &context, &modern, "-cert broker.pem");
    assert_eq!(met.went_well().version, "TLSv1.3");
    let old = settings(&|settings| settings.versions = Some("TLSv1".to_owned()));
    let met = meet_with(&world, &context, &old, "-cert broker.pem -cipher ALL:@SECLEVEL=0");
    assert_eq!(met.went_well().version, "TLSv1");
    let resumed = settings(&|settings| settings.resumes_only = true);
    let met = meet_with(&world, &context, &resumed, &format!("-cert broker.pem {}", SERVERS[1]));
    met.failed(Code::SessionNotResumed);
}

/// A ServerHello of this version, with this suite.
fn server_hello(minor: u8, suite: [u8; 2]) -> Vec<u8> {
    let body = [&[3, minor][..], &[7; 32], &[0], &suite, &[0, 0, 5, 0xff, 1, 0, 1, 0]].concat();
    let length = u8::try_from(body.len()).unwrap();
    [&[22, 3, minor, 0, length + 4, 2, 0, 0, length][..], &body].concat()
}

#[test]
fn choice_of_a_server_that_was_not_offered_is_refused_with_its_code_and_alert() {
    let world = World::new("client-not-offered");
    let context = builder(&world).versions("tlsv1.2,tlsv1.1").build().unwrap();
    for (mut hello, code, alert) in [
        // RC4, export, a suite that nothing has, one without a certificate, and one of another version.
        (server_hello(3, [0, 5]), Code::PeerMisbehaved, 47),
        (server_hello(3, [0, 3]), Code::PeerMisbehaved, 47),
        (server_hello(3, [0xab, 0xcd]), Code::PeerMisbehaved, 47),
        (server_hello(3, [0, 0x34]), Code::PeerMisbehaved, 47),
        (server_hello(2, [0xc0, 0x2f]), Code::PeerMisbehaved, 47),
        (server_hello(1, [0xc0, 0x13]), Code::NoCommonVersion, 70),
        (server_hello(0, [0, 5]), Code::NoCommonVersion, 70),
    ] {
        let mut client = context.connect(Some("broker")).unwrap();
        let mut wire = vec![0; MAX_RECORD_BYTES];
        client.wrap(&[], &mut wire).unwrap();
        let error = client.unwrap(&mut hello, &mut []).expect_err("it was not refused");
        assert_eq!(error.code(), code, "{error} {hello:?}");
        let sent = client.wrap(&[], &mut wire).unwrap().produced;
        assert_eq!(wire[..sent][5..], [2, alert], "{hello:?}");
    }
}
