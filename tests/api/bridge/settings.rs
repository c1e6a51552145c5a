//! Settings that connections of rustls cannot have are refused by name, and the others reach them.

use std::sync::Arc;

use brokertls::bridge::RustlsFetch;
use brokertls::{Code, Context, ContextBuilder, RevokedAction};

use super::{Plain, context};
use crate::rig::command::folder;
use crate::rig::pair::Authority;

fn refused(context: &Context, setting: &str) {
    let errors = [
        context.rustls_server_config(RustlsFetch::Refused).unwrap_err(),
        context.rustls_client_config(RustlsFetch::Refused).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.code(), Code::OptionConflict);
        assert!(error.detail().starts_with(setting), "{error}");
        assert!(!error.hint().is_empty());
    }
}

#[test]
fn settings_that_rustls_cannot_have_are_refused_by_name() {
    let authority = Authority::new("ca");
    let with = |set: &dyn Fn(&mut ContextBuilder)| {
        context(|builder| {
            builder.identity(authority.identity(&["broker"])).trust(authority.trust());
            set(builder);
            builder
        })
    };
    refused(&with(&|builder| _ = builder.verify_callback(Arc::new(|_| Ok(())), false)), "verify callback");
    refused(&with(&|builder| _ = builder.fetch(true)), "fetch");
    let callback = |builder: &mut ContextBuilder| _ = builder.on_revoked(Arc::new(|_| RevokedAction::Close));
    refused(&with(&callback), "callback for revoked peers");
}

#[test]
fn context_that_fetches_gives_a_configuration_that_uses_what_is_known() {
    let authority = Authority::new("ca");
    let context =
        context(|builder| builder.identity(authority.identity(&["broker"])).trust(authority.trust()).fetch(true));
    context.rustls_server_config(RustlsFetch::KnownOnly).unwrap();
    context.rustls_client_config(RustlsFetch::KnownOnly).unwrap();
}

#[test]
fn context_without_an_identity_or_trust_gives_no_configuration() {
    let authority = Authority::new("ca");
    let server = context(|builder| builder.identity(authority.identity(&["broker"])));
    let client = context(|builder| builder.trust(authority.trust()));
    assert_eq!(server.rustls_client_config(RustlsFetch::Refused).unwrap_err().code(), Code::NoTrust);
    assert_eq!(client.rustls_server_config(RustlsFetch::Refused).unwrap_err().code(), Code::NoIdentity);
}

#[test]
fn configuration_is_that_of_the_generation_and_a_reload_makes_another() {
    let authority = Authority::new("ca");
    let server = context(|builder| builder.identity(authority.identity(&["broker"])));
    let config = || server.rustls_server_config(RustlsFetch::Refused).unwrap();
    let first = config();
    assert!(Arc::ptr_eq(&first, &config()));
    server.reload().unwrap();
    assert!(!Arc::ptr_eq(&first, &config()));
}

#[test]
fn versions_suites_groups_and_the_key_log_reach_rustls() {
    let authority = Authority::new("ca");
    let log = folder("bridge-key-log").join("keys");
    let server = context(|builder| {
        builder
            .identity(authority.identity(&["broker"]))
            .versions("TLSv1.2")
            .cipher_suites("ECDHE-ECDSA-AES256-GCM-SHA384")
            .groups("secp384r1")
            .insecure_key_log(&log)
    });
    let client = context(|builder| builder.trust(authority.trust()));
    let mut plain = Plain::new(&server, &client, "broker");
    let (of_server, of_client) = plain.run();
    of_server.unwrap();
    of_client.unwrap();
    assert_eq!(plain.server.protocol_version(), Some(rustls::ProtocolVersion::TLSv1_2));
    let suite = plain.server.negotiated_cipher_suite().unwrap().suite();
    assert_eq!(suite, rustls::CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384);
    let group = plain.server.negotiated_key_exchange_group().unwrap().name();
    assert_eq!(group, rustls::NamedGroup::secp384r1);
    assert!(std::fs::read_to_string(log).unwrap().starts_with("CLIENT_RANDOM "));
}
