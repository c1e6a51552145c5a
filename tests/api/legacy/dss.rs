//! Suites of DSS with keys of DSA, from each kind of store, and keys that are refused.

use std::fs;

use brokertls::policy::LegacyAllowed;
use brokertls::{ClientAuth, Code, Context, ContextBuilder, Error, IdentitySource, Source};

use super::world::{World, library};

const DSS: LegacyAllowed =
    LegacyAllowed { rsa_key_exchange: false, sha1_signatures: false, triple_des: false, dss: true };
const CLIENT: &str = "-tls1_2 -cipher DHE-DSS-AES128-SHA256:@SECLEVEL=0";

/// A key of DSA and its certificate, `dsa.key` and `dsa.crt`, with these parameters.
pub(super) fn make_key(world: &World, parameters: &str) {
    fs::write(world.file("dsa.par"), parameters).unwrap();
    world.openssl("genpkey -paramfile dsa.par -out dsa.key");
    world.openssl("req -x509 -new -key dsa.key -subj /CN=broker -days 30 -out dsa.crt");
}

pub(super) const PARAMETERS: &str = include_str!("dsa-2048.pem");
const SMALL: &str = include_str!("dsa-1024.pem");

/// An identity with the certificate of `make_key`, and its key in this file.
pub(super) fn identity(world: &World, key: &str) -> IdentitySource {
    let mut source = IdentitySource::new(Source::file(world.file("dsa.crt")));
    source.key = Some(Source::file(world.file(key)));
    source
}

fn with(source: IdentitySource, allowed: LegacyAllowed) -> Result<Context, Error> {
    let mut builder = ContextBuilder::new();
    builder.legacy_engine(true).legacy_library(library()).legacy_allow(allowed);
    builder.identity(source).versions("TLSv1.2,TLSv1.1,TLSv1").build()
}

#[test]
fn key_of_dsa_in_each_kind_of_store_serves_its_client() {
    let world = World::new("dss-stores");
    make_key(&world, PARAMETERS);
    world.openssl("dsa -in dsa.key -out own.key");
    world.openssl("dsa -in dsa.key -aes256 -passout pass:secret -out own-locked.key");
    world.openssl("pkey -in dsa.key -aes256 -passout pass:secret -out locked.key");
    world.openssl("pkcs8 -topk8 -nocrypt -in dsa.key -outform DER -out key.der");
    world.openssl("pkcs12 -export -in dsa.crt -inkey dsa.key -name broker -passout pass:secret -out dsa.p12");
    world.keytool(
        "-importkeystore -srckeystore dsa.p12 -srcstorepass secret -destkeystore dsa.jks -deststoretype JKS \
         -deststorepass secret",
    );
    assert!(fs::read_to_string(world.file("own.key")).unwrap().contains("BEGIN DSA PRIVATE KEY"));
    let secret = || brokertls::keystore::Password::Bytes(brokertls::keystore::Secret::new("secret"));
    let locked = |mut source: IdentitySource| {
        source.options.password = secret();
        source
    };
    for source in [
        identity(&world, "dsa.key"),
        identity(&world, "own.key"),
        identity(&world, "key.der"),
        locked(identity(&world, "own-locked.key")),
        locked(identity(&world, "locked.key")),
        locked(IdentitySource::new(Source::file(world.file("dsa.p12")))),
        locked(IdentitySource::new(Source::file(world.file("dsa.jks")))),
    ] {
        let context = with(source, DSS).unwrap();
        assert!(context.warnings().iter().any(|line| line.starts_with("legacy-dss: ")), "{:?}", context.warnings());
        assert_eq!(world.meet(&context, CLIENT).went_well().suite, "TLS_DHE_DSS_WITH_AES_128_CBC_SHA256");
    }
}

#[test]
fn key_of_dsa_is_refused_without_the_switch_and_below_2048_bits() {
    let world = World::new("dss-refused");
    make_key(&world, PARAMETERS);
    let error = with(identity(&world, "dsa.key"), LegacyAllowed::default()).unwrap_err();
    assert_eq!(error.code(), Code::KeyAlgorithmUnsupported);
    assert!(error.detail().ends_with("dsa.key, line 1: DSA"), "{error}");
    assert!(error.hint().contains("legacy-allow=legacy-dss"), "{}", error.hint());
    let certificate = fs::read(world.file("dsa.crt")).unwrap();
    make_key(&world, SMALL);
    let error = with(identity(&world, "dsa.key"), DSS).unwrap_err();
    let small = "DSA with a prime of 1024 bits and an order of 160";
    assert_eq!(error.code(), Code::KeyAlgorithmUnsupported);
    assert!(error.detail().ends_with(small), "{error}");
    make_key(&world, PARAMETERS);
    fs::write(world.file("dsa.crt"), certificate).unwrap();
    assert_eq!(with(identity(&world, "dsa.key"), DSS).unwrap_err().code(), Code::KeyMismatch);
}

#[test]
fn damaged_key_of_dsa_is_refused_and_never_a_panic() {
    let world = World::new("dss-damaged");
    make_key(&world, PARAMETERS);
    world.openssl("pkcs8 -topk8 -nocrypt -in dsa.key -outform DER -out key.der");
    world.openssl("dsa -in dsa.key -outform DER -out own.der");
    // The public value of OpenSSL's own encoding is not used.
    for (name, unused) in [("key.der", 0..0), ("own.der", 563..825)] {
        let whole = fs::read(world.file(name)).unwrap();
        for at in (0..whole.len()).step_by(11).chain(0..40) {
            for value in [0, 0x7f, 0xff] {
                let mut damaged = whole.clone();
                damaged[at] = value;
                let mut source = IdentitySource::new(Source::file(world.file("dsa.crt")));
                source.key = Some(Source::memory("damaged.der", &damaged));
                source.options.legacy_dsa = true;
                let outcome = ContextBuilder::new().check_identity(&source);
                let is_unused = at < 40 || unused.contains(&at);
                assert!(outcome.is_err() || damaged == whole || is_unused, "{name} {at} {value}");
            }
        }
    }
}

#[test]
fn key_of_dsa_beside_one_of_rsa_serves_old_clients_alone() {
    let world = World::new("dss-beside");
    make_key(&world, PARAMETERS);
    let mut builder = world.builder();
    let context = builder.identity(identity(&world, "dsa.key")).legacy_allow(DSS).build().unwrap();
    assert_eq!(world.meet(&context, "-tls1_3").went_well().suite, "TLS_AES_256_GCM_SHA384");
    let modern = world.meet(&context, "-tls1_2");
    assert_eq!(modern.went_well().suite, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384");
    assert_eq!(world.meet(&context, CLIENT).went_well().suite, "TLS_DHE_DSS_WITH_AES_128_CBC_SHA256");
    let uses = context.legacy_uses();
    assert_eq!(uses.into_iter().find(|(name, _)| *name == "legacy-dss"), Some(("legacy-dss", 1)));
    let alone = with(identity(&world, "dsa.key"), DSS).unwrap();
    assert!(alone.cipher_suites().iter().all(|suite| suite.contains("_DHE_DSS_")), "{:?}", alone.cipher_suites());
    let error = world.meet(&alone, "-tls1_2 -cipher ECDHE").failed(Code::NoCommonCipherSuite, 40).hint().to_owned();
    assert!(error.contains("an identity with a key of "), "{error}");
    let error = world.meet(&world.builder().build().unwrap(), CLIENT);
    let hint = error.failed(Code::NoCommonCipherSuite, 40).hint().to_owned();
    assert!(hint.contains("an identity with a key of DSA and legacy-allow=legacy-dss"), "{hint}");
}

#[test]
fn client_certificate_with_a_key_of_dsa_is_refused_with_the_switch_on() {
    let world = World::new("dss-client");
    make_key(&world, PARAMETERS);
    let own = fs::read(world.file("dsa.crt")).unwrap();
    let mut builder = world.builder();
    builder.identity(identity(&world, "dsa.key")).legacy_allow(DSS).client_auth(ClientAuth::Need);
    builder.trust(brokertls::TrustSource::Store {
        source: Source::memory("trust.pem", &own),
        options: brokertls::keystore::OpenOptions::default(),
    });
    let context = builder.build().unwrap();
    // In TLS 1.2, the request names no signature of DSA, so that the client has nothing to send.
    for (version, code) in [("-tls1", Code::CertAlgorithmUnsupported), ("-tls1_2", Code::CertMissing)] {
        let offer = format!("{version} -cipher ECDHE-RSA-AES128-SHA:@SECLEVEL=0 -cert dsa.crt -key dsa.key");
        let met = world.meet(&context, &offer);
        let error = met.ours.expect_err(&offer);
        assert_eq!(error.code(), code, "{offer}: {error}");
    }
}
