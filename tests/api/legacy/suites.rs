//! The suites of EMQX's document, each with its outcome, and what is never served.

use brokertls::options::Options;
use brokertls::policy::{LegacyAllowed, cipher_suite_name, cipher_suite_openssl_name, supported_cipher_suites};
use brokertls::{Code, Context, ContextBuilder, IdentitySource, Source};

use super::dss;
use super::world::{World, library};

/// The outcome of a suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Rustls,
    Second,
    /// Refused unless a switch is on; the reason without it.
    Needs(&'static str),
    Never(&'static str),
}

use Outcome::{Needs, Never, Rustls, Second};

const RSA: Outcome = Needs("RSA key exchange (no forward secrecy); needs legacy-rsa-key-exchange");
const STATIC: Outcome = Never("static ECDH key exchange: not in OpenSSL since 1.1.0");
const DSS: Outcome = Needs("DSS certificates; needs legacy-dss");

const EMQX: [(&str, Outcome); 45] = [
    ("TLS_AES_256_GCM_SHA384", Rustls),
    ("TLS_AES_128_GCM_SHA256", Rustls),
    ("TLS_CHACHA20_POLY1305_SHA256", Rustls),
    ("TLS_AES_128_CCM_SHA256", Second),
    ("TLS_AES_128_CCM_8_SHA256", Second),
    ("ECDHE-ECDSA-AES256-GCM-SHA384", Rustls),
    ("ECDHE-RSA-AES256-GCM-SHA384", Rustls),
    ("ECDHE-ECDSA-AES256-SHA384", Second),
    ("ECDHE-RSA-AES256-SHA384", Second),
    ("ECDH-ECDSA-AES256-GCM-SHA384", STATIC),
    ("ECDH-RSA-AES256-GCM-SHA384", STATIC),
    ("ECDH-ECDSA-AES256-SHA384", STATIC),
    ("ECDH-RSA-AES256-SHA384", STATIC),
    ("DHE-DSS-AES256-GCM-SHA384", DSS),
    ("DHE-DSS-AES256-SHA256", DSS),
    ("AES256-GCM-SHA384", RSA),
    ("AES256-SHA256", RSA),
    ("ECDHE-ECDSA-AES128-GCM-SHA256", Rustls),
    ("ECDHE-RSA-AES128-GCM-SHA256", Rustls),
    ("ECDHE-ECDSA-AES128-SHA256", Second),
    ("ECDHE-RSA-AES128-SHA256", Second),
    ("ECDH-ECDSA-AES128-GCM-SHA256", STATIC),
    ("ECDH-RSA-AES128-GCM-SHA256", STATIC),
    ("ECDH-ECDSA-AES128-SHA256", STATIC),
    ("ECDH-RSA-AES128-SHA256", STATIC),
    ("DHE-DSS-AES128-GCM-SHA256", DSS),
    ("DHE-DSS-AES128-SHA256", DSS),
    ("AES128-GCM-SHA256", RSA),
    ("AES128-SHA256", RSA),
    ("ECDHE-ECDSA-AES256-SHA", Second),
    ("ECDHE-RSA-AES256-SHA", Second),
    ("DHE-DSS-AES256-SHA", DSS),
    ("ECDH-ECDSA-AES256-SHA", STATIC),
    ("ECDH-RSA-AES256-SHA", STATIC),
    ("ECDHE-ECDSA-AES128-SHA", Second),
    ("ECDHE-RSA-AES128-SHA", Second),
    ("DHE-DSS-AES128-SHA", DSS),
    ("ECDH-ECDSA-AES128-SHA", STATIC),
    ("ECDH-RSA-AES128-SHA", STATIC),
    ("RSA-PSK-AES256-GCM-SHA384", RSA),
    ("RSA-PSK-AES256-CBC-SHA384", RSA),
    ("RSA-PSK-AES128-GCM-SHA256", RSA),
    ("RSA-PSK-AES128-CBC-SHA256", RSA),
    ("RSA-PSK-AES256-CBC-SHA", RSA),
    ("RSA-PSK-AES128-CBC-SHA", RSA),
];

/// All switches of EMQX's list.
const ALL: LegacyAllowed =
    LegacyAllowed { rsa_key_exchange: true, sha1_signatures: false, triple_des: false, dss: true };

/// EMQX's list at a server with keys of all kinds and pre-shared keys.
fn emqx(world: &World, allowed: LegacyAllowed) -> Context {
    let mut builder = world.builder();
    let list = EMQX.map(|(name, _)| name).join(",");
    builder.identity(world.authority.identity(&["broker"])).cipher_suites(&list).legacy_allow(allowed);
    if allowed.dss {
        dss::make_key(world, dss::PARAMETERS);
        builder.identity(dss::identity(world, "dsa.key"));
    }
    builder.psk_file(Source::memory("init.psk", b"device:00ff")).build().unwrap()
}

/// The IANA name of one of OpenSSL's.
fn iana(openssl: &str) -> &'static str {
    let mut numbers = (0..0x200).chain(0x1300..0x1310).chain(0xC000..0xD000);
    cipher_suite_name(numbers.find(|id| cipher_suite_openssl_name(*id) == Some(openssl)).unwrap())
}

/// The arguments of a client with this suite alone, in each version that has it.
fn clients(suite: &str) -> Vec<String> {
    if suite.starts_with("TLS_") {
        return vec![format!("-tls1_3 -ciphersuites {suite}")];
    }
    let key = if suite.contains("PSK") { "-psk_identity device -psk 00ff" } else { "" };
    let versions: &[&str] = match suite.ends_with("-SHA") {
        true => &["-tls1", "-tls1_1", "-tls1_2"],
        false => &["-tls1_2"],
    };
    versions.iter().map(|version| format!("{version} -cipher {suite}:@SECLEVEL=0 {key}")).collect()
}

#[test]
fn every_suite_of_the_emqx_list_meets_a_client_of_openssl_with_its_outcome() {
    let world = World::new("emqx");
    let strict = emqx(&world, LegacyAllowed::default());
    let lenient = emqx(&world, ALL);
    let known = world.openssl("ciphers -s ALL:COMPLEMENTOFALL:@SECLEVEL=0") + &world.openssl("ciphers ALL:@SECLEVEL=0");
    let knows = |suite: &str| suite.starts_with("TLS_") || known.split([':', '\n']).any(|name| name == suite);
    let mut met = 0;
    for (suite, outcome) in EMQX {
        let iana = iana(suite);
        let lists = |context: &Context| context.cipher_suites().contains(&iana);
        assert_eq!(supported_cipher_suites().contains(&iana), outcome == Rustls, "{suite}");
        assert_eq!(
            (lists(&strict), lists(&lenient)),
            match outcome {
                Rustls | Second => (true, true),
                Needs(_) => (false, true),
                Never(_) => (false, false),
            },
            "{suite}"
        );
        // OpenSSL of today has no static ECDH, so no client of it can offer one.
        assert_eq!(knows(suite), outcome != STATIC, "{suite}");
        for client in clients(suite).into_iter().filter(|_| knows(suite)) {
            met += 1;
            match outcome {
                Rustls | Second => assert_eq!(world.meet(&strict, &client).went_well().suite, iana, "{client}"),
                Needs(_) => {
                    world.meet(&strict, &client).failed(Code::NoCommonCipherSuite, 40);
                    assert_eq!(world.meet(&lenient, &client).went_well().suite, iana, "{client}");
                }
                Never(_) => _ = world.meet(&lenient, &client).failed(Code::NoCommonCipherSuite, 40),
            }
        }
    }
    assert_eq!(met, 5 + 8 + 4 * 3 + 4 + 4 + 2 * 3 + 4 + 2 * 3);
}

#[test]
fn every_suite_of_the_emqx_list_that_is_not_served_is_reported_with_its_reason() {
    let world = World::new("emqx-reasons");
    let strict = emqx(&world, LegacyAllowed::default());
    let lenient = emqx(&world, ALL);
    let reported = |context: &Context| -> Vec<(String, String)> {
        context.not_served().into_iter().map(|line| (line.name, line.reason)).collect()
    };
    let refused = |with_switch: bool| -> Vec<(String, String)> {
        let reason = |outcome| match outcome {
            Never(reason) => Some(reason),
            Needs(reason) if !with_switch => Some(reason),
            _ => None,
        };
        EMQX.iter().filter_map(|(name, outcome)| Some((name.to_string(), reason(*outcome)?.to_owned()))).collect()
    };
    assert_eq!(reported(&strict), refused(false));
    assert_eq!(reported(&lenient), refused(true));
}

#[test]
fn broken_suites_and_versions_are_refused_by_name_with_every_switch_on() {
    let world = World::new("never");
    let mut builder = world.builder();
    let allowed = LegacyAllowed { rsa_key_exchange: true, sha1_signatures: true, triple_des: true, dss: true };
    let names = "AES128-SHA,RC4-SHA,RC4-MD5,EXP-RC4-MD5,DES-CBC-SHA,NULL-SHA256,NULL-MD5,ADH-AES128-SHA,\
                 AECDH-AES128-SHA,RSA-PSK-RC4-SHA,DH-RSA-AES128-SHA,SRP-RSA-AES-128-CBC-SHA";
    builder.legacy_allow(allowed).cipher_suites(names).versions("tlsv1.2,tlsv1,sslv3,sslv2,1,2,3");
    builder.psk_file(Source::memory("init.psk", b"device:00ff"));
    // No suite with a pre-shared key is left, so its file would be ignored.
    assert_eq!(builder.build().unwrap_err().code(), Code::OptionConflict);
    builder.cipher_suites(&format!("{names},PSK-AES128-CBC-SHA"));
    let context = builder.build().unwrap();
    let lines: Vec<String> =
        context.not_served().into_iter().map(|line| format!("{}: {}", line.name, line.reason)).collect();
    assert_eq!(
        lines,
        [
            "sslv3: SSL 3.0 is broken and prohibited (RFC 7568)",
            "sslv2: SSL 2.0 is broken and prohibited (RFC 6176)",
            "1 (SSLv2): SSL 2.0 is broken and prohibited (RFC 6176)",
            "2 (SSLv2 or SSLv3): SSL 2.0 and 3.0 are broken and prohibited",
            "3 (SSLv3): SSL 3.0 is broken and prohibited (RFC 7568)",
            "RC4-SHA: RC4 is broken and prohibited (RFC 7465)",
            "RC4-MD5: RC4 is broken and prohibited (RFC 7465)",
            "EXP-RC4-MD5: export-grade encryption is broken",
            "DES-CBC-SHA: DES encryption is broken",
            "NULL-SHA256: no encryption (NULL)",
            "NULL-MD5: no encryption (NULL)",
            "ADH-AES128-SHA: no authentication (anonymous)",
            "AECDH-AES128-SHA: no authentication (anonymous)",
            "RSA-PSK-RC4-SHA: RC4 is broken and prohibited (RFC 7465)",
            "DH-RSA-AES128-SHA: static Diffie-Hellman key exchange: not in OpenSSL since 1.1.0",
            "SRP-RSA-AES-128-CBC-SHA: SRP passwords are not served",
        ]
    );
    for offer in ["ADH-AES128-SHA", "NULL-SHA256", "NULL-MD5", "AECDH-AES128-SHA"] {
        let met = world.meet(&context, &format!("-tls1_2 -cipher {offer}:@SECLEVEL=0"));
        met.failed(Code::NoCommonCipherSuite, 40);
    }
}

#[test]
fn triple_des_that_openssl_does_not_have_is_reported_by_name_though_its_switch_is_on() {
    let world = World::new("triple-des");
    let names = ["DES-CBC3-SHA", "ECDHE-RSA-DES-CBC3-SHA", "DHE-RSA-DES-CBC3-SHA"];
    let known = world.openssl("ciphers ALL:COMPLEMENTOFALL:@SECLEVEL=0");
    let missing: Vec<&str> =
        names.into_iter().filter(|name| !known.trim().split(':').any(|known| known == *name)).collect();
    let mut builder = world.builder();
    builder.legacy_allow(LegacyAllowed { rsa_key_exchange: true, triple_des: true, ..LegacyAllowed::default() });
    let context = builder.cipher_suites(&format!("ALL:{}", names.join(":"))).build().unwrap();
    let reported: Vec<String> = context.not_served().into_iter().map(|line| line.name).collect();
    assert_eq!(reported, missing);
    assert!(context.not_served().iter().all(|line| line.reason == "the OpenSSL of this system does not have it"));
    let warning = "legacy-3des: the OpenSSL of this system has no suite with triple-DES";
    let has_none = !known.contains("DES-CBC3") && !known.contains("3DES");
    assert_eq!(context.warnings().iter().any(|line| line == warning), has_none);
    for name in names {
        assert_eq!(context.cipher_suites().contains(&iana(name)), !missing.contains(&name), "{name}");
    }
}

#[test]
fn lists_have_no_suite_that_no_key_serves() {
    let world = World::new("lists");
    let mut builder = ContextBuilder::new();
    builder.legacy_engine(true).legacy_library(library());
    builder.psk_file(Source::memory("init.psk", b"device:00ff")).versions("tlsv1.2 tlsv1");
    let keys = builder.build().unwrap();
    assert!(keys.cipher_suites().iter().all(|name| name.contains("_PSK_")), "{:?}", keys.cipher_suites());
    assert!(!keys.cipher_suites().iter().any(|name| name.contains("RSA_PSK")));
    let mut builder = ContextBuilder::new();
    builder.legacy_engine(true).legacy_library(library()).versions("tlsv1");
    let ecdsa = builder.identity(world.authority.identity(&["broker"])).build().unwrap();
    assert!(ecdsa.cipher_suites().iter().all(|name| name.contains("_ECDSA_")), "{:?}", ecdsa.cipher_suites());
}

#[test]
fn digits_of_arangodb_select_versions_and_those_of_ssl_are_refused_with_the_reason() {
    let world = World::new("arangodb");
    let with = |protocol: &str| {
        let mut options = Options::new();
        let library = library();
        for (name, text) in [
            ("legacy-engine", "yes"),
            ("legacy-library", library.to_str().unwrap()),
            ("versions", protocol),
            ("cipher-suites", "ALL"),
            ("session-cache", "true"),
            ("openssl-options", "0x00000004|0x00000010|0x00000020|SSL_OP_CIPHER_SERVER_PREFERENCE"),
        ] {
            options.set(name, text).unwrap();
        }
        let pem = world.authority.issue_rsa("broker");
        options.builder_mut().identity(IdentitySource::new(Source::memory("server.pem", pem.as_bytes())));
        options.build()
    };
    for (protocol, client, version) in [("4", "-tls1", "TLSv1"), ("5", "-tls1_2", "TLSv1.2")] {
        let context = with(protocol).unwrap();
        assert!(context.not_served().is_empty(), "{:?}", context.not_served());
        let met = world.meet(&context, &format!("{client} -cipher ALL:@SECLEVEL=0"));
        assert_eq!(met.went_well().version, version);
    }
    for (protocol, reason) in [
        ("1", "1 (SSLv2): SSL 2.0 is broken and prohibited (RFC 6176)"),
        ("2", "2 (SSLv2 or SSLv3): SSL 2.0 and 3.0 are broken and prohibited"),
        ("3", "3 (SSLv3): SSL 3.0 is broken and prohibited (RFC 7568)"),
    ] {
        let error = with(protocol).unwrap_err();
        assert_eq!((error.code(), error.detail()), (Code::VersionNotSupported, reason));
    }
}

#[test]
fn context_with_pre_shared_keys_alone_serves_nothing_outside_its_groups() {
    let world = World::new("keys-groups");
    let mut builder = ContextBuilder::new();
    builder.legacy_engine(true).legacy_library(library()).groups("X25519MLKEM768");
    let context = builder.psk_file(Source::memory("init.psk", b"device:00ff")).build().unwrap();
    assert_eq!(context.versions(), ["TLSv1.2"]);
    let device = "-psk_identity device -psk 00ff";
    world.meet(&context, &format!("-tls1_3 {device}")).failed(Code::NoCommonVersion, 70);
    let met = world.meet(&context, &format!("-cipher DHE-PSK-AES128-CBC-SHA {device}"));
    assert_eq!(met.went_well().suite, "TLS_DHE_PSK_WITH_AES_128_CBC_SHA");
}
