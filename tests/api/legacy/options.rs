//! The settings of the second engine.

use std::sync::Arc;

use brokertls::keystore::{Identity, OpenOptions, open};
use brokertls::options::Options;
use brokertls::policy::LegacyAllowed;
use brokertls::{ClientAuth, Code, ContextBuilder, IdentitySource, Source};

use super::world::{World, library};
use crate::rig::host::Host;

#[test]
fn engine_that_is_not_installed_is_an_error_of_the_build_that_says_what_to_install() {
    let world = World::new("not-installed");
    let mut builder = world.builder();
    let error = builder.legacy_library("/nonexistent/libbrokertls_legacy.so").build().unwrap_err();
    assert_eq!(error.code(), Code::LegacyUnavailable);
    assert!(error.detail().contains("/nonexistent/libbrokertls_legacy.so: cannot open shared object file"), "{error}");
    assert!(error.hint().contains("libssl3") && error.hint().contains("make install"), "{error}");
}

#[test]
fn library_that_is_another_one_is_refused() {
    let world = World::new("another-library");
    let error = world.builder().legacy_library("libc.so.6").build().unwrap_err();
    assert_eq!(error.code(), Code::LegacyUnavailable);
    assert_eq!(error.detail(), "libc.so.6: it is another library");
}

#[test]
fn setting_of_the_engine_without_the_engine_is_a_conflict() {
    let mut builder = ContextBuilder::new();
    let error = builder.psk_file(Source::memory("init.psk", b"one:00")).build().unwrap_err();
    assert_eq!(error.code(), Code::OptionConflict);
}

#[test]
fn old_versions_without_the_engine_stay_refused() {
    let world = World::new("engine-off");
    let mut off = ContextBuilder::new();
    off.identity(world.authority.identity(&["broker"])).versions("tlsv1.2 tlsv1.1 tlsv1");
    let context = off.build().unwrap();
    assert_eq!(context.versions(), ["TLSv1.2"]);
    assert_eq!(context.not_served().len(), 2);
    world.meet(&context, "-tls1 -cipher ALL:@SECLEVEL=0").failed(Code::NoCommonVersion, 70);
    let both = world.builder().build().unwrap();
    assert_eq!(both.versions(), ["TLSv1.3", "TLSv1.2", "TLSv1.1", "TLSv1"]);
    assert!(both.not_served().is_empty());
    // ArangoDB's digit for TLSv1.
    let digit = world.builder().versions("4").build().unwrap();
    assert_eq!((digit.versions(), digit.not_served().len()), (vec!["TLSv1"], 0));
}

fn refused(set: impl FnOnce(&mut ContextBuilder)) -> brokertls::Error {
    let mut builder = ContextBuilder::new();
    builder.legacy_engine(true).legacy_library(library());
    set(&mut builder);
    builder.build().unwrap_err()
}

#[test]
fn engine_of_a_context_that_only_connects_is_reported() {
    let world = World::new("client-only");
    let mut builder = ContextBuilder::new();
    builder.legacy_engine(true).legacy_library(library()).trust(world.authority.trust());
    // Without a name of something old, there is no reason to leave rustls.
    assert_eq!(builder.build().unwrap().warnings(), [""; 0]);
    assert_eq!(builder.cipher_suites("ECDHE+AESGCM").build().unwrap().warnings(), [""; 0]);
    let reported = |versions: &str, suites: &str| {
        let mut builder = builder.clone();
        builder.versions(versions).cipher_suites(suites).build().unwrap().warnings()[0].clone()
    };
    let line = "legacy-engine: connections to servers use the second engine, with";
    let ends = "They resume no sessions.";
    assert_eq!(reported("TLSv1.3,TLSv1.2", "ALL"), format!("{line} TLSv1.3, TLSv1.2. {ends}"));
    assert_eq!(reported("TLSv1.2,TLSv1.1", "ALL"), format!("{line} TLSv1.2, TLSv1.1. {ends}"));
}

/// A client cannot leave out a version between two that it offers. rustls alone has the group of the second case.
#[test]
fn client_offers_the_newest_versions_up_to_a_gap_and_stays_with_rustls_for_its_tls13() {
    let world = World::new("client-gap");
    let mut builder = ContextBuilder::new();
    builder.legacy_engine(true).legacy_library(library()).trust(world.authority.trust());
    let mut gap = builder.clone();
    let context = gap.versions("TLSv1.3,TLSv1.2,TLSv1").cipher_suites("ALL").build().unwrap();
    let line = "legacy-engine: connections to servers use the second engine, with TLSv1.3, TLSv1.2. They resume no \
        sessions. They do not offer TLSv1.";
    assert!(context.warnings().iter().any(|warning| warning == line), "{:?}", context.warnings());
    let mut alone = builder.clone();
    let context = alone.cipher_suites("ALL").groups("X25519MLKEM768").build().unwrap();
    let left = "connections to servers use the second engine";
    assert!(!context.warnings().iter().any(|warning| warning.contains(left)), "{:?}", context.warnings());
}

/// An identity with a key of another provider.
fn foreign(world: &World) -> IdentitySource {
    let pem = world.authority.issue_rsa("broker");
    let store = open("token", pem.as_bytes(), &OpenOptions::default()).unwrap();
    let read = store.identities().unwrap().remove(0);
    let identity = Identity::new(read.chain.clone(), Arc::clone(&read.signing_key), "token slot 1").unwrap();
    IdentitySource::ready(Arc::new(identity))
}

#[test]
fn identity_that_the_engine_cannot_use_is_reported_and_alone_a_conflict() {
    let world = World::new("foreign");
    let error = refused(|builder| _ = builder.identity(foreign(&world)));
    assert_eq!(error.code(), Code::OptionConflict);
    let why = "token slot 1: its key is not in bytes, but in a token or with the host";
    assert_eq!(error.detail(), format!("legacy-engine: {why}"));
    let mut builder = world.builder();
    let context = builder.identity(foreign(&world)).build().unwrap();
    let line = format!("legacy-engine: not served by the second engine: {why}");
    assert_eq!(context.warnings().iter().filter(|warning| **warning == line).count(), 1);
}

#[test]
fn host_that_chooses_identities_is_a_conflict_without_pre_shared_keys() {
    let world = World::new("host");
    let host = || Arc::new(Host::with_identity(&world.authority, "broker"));
    let error = refused(|builder| _ = builder.host_identities(host()));
    assert_eq!(error.code(), Code::OptionConflict);
    assert!(error.detail().contains("the host chooses identities"), "{error}");
    let mut builder = ContextBuilder::new();
    builder.legacy_engine(true).legacy_library(library()).psk_file(Source::memory("init.psk", b"device:00ff"));
    let context = builder.host_identities(host()).build().unwrap();
    assert!(context.warnings().iter().any(|line| line.contains("the host chooses identities")));
    let met = world.meet(&context, "-tls1_2 -cipher PSK-AES128-CBC-SHA -psk_identity device -psk 00ff");
    assert_eq!(met.went_well().psk_identity, "device");
    world.meet(&context, "-tls1_2").went_well();
}

#[test]
fn keys_that_leave_the_engine_nothing_are_a_conflict() {
    let world = World::new("nothing-left");
    let error = refused(|builder| {
        builder.identity(world.authority.identity(&["broker"]));
        builder.versions("TLSv1.2").cipher_suites("ECDHE-RSA-AES128-SHA");
    });
    assert_eq!(error.code(), Code::OptionConflict);
}

#[test]
fn each_weak_part_is_warned_of_once_when_the_context_is_built() {
    let world = World::new("warnings");
    let mut builder = world.builder();
    builder.legacy_allow(LegacyAllowed { rsa_key_exchange: true, sha1_signatures: true, triple_des: true, dss: true });
    let context = builder.psk_file(Source::memory("init.psk", b"device:00ff")).build().unwrap();
    let warnings = context.warnings();
    for start in [
        "legacy-rsa-key-exchange: RSA key exchange is allowed.",
        "legacy-sha1-signatures: signatures over SHA-1 are allowed",
        "legacy-3des: triple-DES is allowed.",
        "legacy-dss: certificates with DSA keys are allowed.",
        "legacy: deprecated versions are on (RFC 8996): TLSv1.1, TLSv1. Their signatures are over SHA-1 and MD5",
        "legacy: suites with a pre-shared key and no key exchange are on",
    ] {
        assert_eq!(warnings.iter().filter(|line| line.starts_with(start)).count(), 1, "{start} in {warnings:#?}");
    }
    let modern = world.builder().versions("TLSv1.3,TLSv1.2").build().unwrap();
    assert!(modern.warnings().is_empty(), "{:?}", modern.warnings());
}

#[test]
fn options_of_openssl_are_honoured_by_both_engines_or_reported() {
    let world = World::new("ssl-op");
    let with = |options: &str| {
        let mut builder = world.builder();
        builder.trust(world.authority.trust()).client_auth(ClientAuth::Want);
        builder.openssl_options(options).unwrap().build().unwrap()
    };
    let context = with("SSL_OP_NO_TLSv1|0x00800000|SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION");
    let reported: Vec<String> = context.not_served().into_iter().map(|line| line.name).collect();
    assert_eq!(reported, ["SSL_OP_TLS_ROLLBACK_BUG", "SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION"]);
    world.meet(&context, "-tls1 -cipher ALL:@SECLEVEL=0").failed(Code::NoCommonVersion, 70);
    world.meet(&context, "-tls1_1 -cipher ALL:@SECLEVEL=0").went_well();
    for client in ["-tls1_2", "-tls1_1 -cipher ALL:@SECLEVEL=0"] {
        let first = |options: &str, order: &str| {
            world.meet(&with(options), &format!("{client} -cipher {order}:@SECLEVEL=0")).went_well().suite.clone()
        };
        let (one, other) = ("ECDHE-RSA-AES128-SHA:ECDHE-RSA-AES256-SHA", "ECDHE-RSA-AES256-SHA:ECDHE-RSA-AES128-SHA");
        assert_ne!(first("0", one), first("0", other), "{client}");
        assert_eq!(first("0x400000", one), first("0x400000", other), "{client}");
    }
    let sends_tickets = |options: &str, client: &str| {
        let theirs = world.meet(&with(options), client).theirs;
        theirs.contains("New Session Ticket") || theirs.contains("TLS session ticket:")
    };
    for client in ["-tls1_2", "-tls1_3"] {
        assert!(sends_tickets("0", client) && !sends_tickets("SSL_OP_NO_TICKET", client), "{client}");
    }
    let met = world.meet(&with("DISABLE_TLSEXT_CA_NAMES"), "-tls1_2");
    assert!(met.theirs.contains("No client certificate CA names sent"), "{}", met.theirs);
}

#[test]
fn session_cache_takes_the_words_of_arangodb_beside_a_number() {
    for text in ["true", "false", "yes", "off", "0", "512"] {
        Options::new().set("session-cache", text).unwrap();
    }
    for text in ["maybe", "65537", "-1", ""] {
        assert_eq!(Options::new().set("session-cache", text).unwrap_err().code(), Code::InvalidArgument, "{text}");
    }
}
