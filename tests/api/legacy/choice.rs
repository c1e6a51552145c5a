//! The choice of the engine by the ClientHello, and what each serves.

use brokertls::policy::{LegacyAllowed, Preset};
use brokertls::{Code, ConnectionSettings, Context, ContextBuilder, IdentitySource, Source};

use super::world::{World, library};
use crate::rig::pair::{Authority, Pair};

#[test]
fn clients_of_every_version_are_served_on_one_port() {
    let world = World::new("versions");
    let context = world.builder().build().unwrap();
    for (option, version) in
        [("-tls1", "TLSv1"), ("-tls1_1", "TLSv1.1"), ("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")]
    {
        let met = world.meet(&context, &format!("{option} -cipher ALL:@SECLEVEL=0 -servername broker"));
        let seen = met.went_well();
        assert_eq!((seen.version.as_str(), seen.server_name.as_str()), (version, "broker"));
    }
}

#[test]
fn client_with_suites_of_both_engines_is_served_by_rustls_and_one_with_cbc_by_the_second() {
    let world = World::new("suites");
    let context = world.builder().build().unwrap();
    for (offer, suite) in [
        ("ECDHE-RSA-AES128-SHA256:ECDHE-RSA-AES128-GCM-SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
        ("ECDHE-RSA-AES128-SHA256", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"),
        ("ECDHE-RSA-AES256-SHA384", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384"),
        ("DHE-RSA-AES128-GCM-SHA256", "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"),
        ("DHE-RSA-AES256-SHA", "TLS_DHE_RSA_WITH_AES_256_CBC_SHA"),
    ] {
        let met = world.meet(&context, &format!("-tls1_2 -cipher {offer}"));
        assert_eq!(met.went_well().suite, suite);
    }
}

#[test]
fn rsa_key_exchange_is_refused_unless_its_switch_is_on() {
    let world = World::new("static-rsa");
    let strict = world.builder().build().unwrap();
    world.meet(&strict, "-tls1_2 -cipher AES128-SHA").failed(Code::NoCommonCipherSuite, 40);
    let mut builder = world.builder();
    builder.legacy_allow(LegacyAllowed { rsa_key_exchange: true, ..LegacyAllowed::default() });
    let lenient = builder.build().unwrap();
    for (offer, suite) in [
        ("AES128-SHA", "TLS_RSA_WITH_AES_128_CBC_SHA"),
        ("AES256-SHA256", "TLS_RSA_WITH_AES_256_CBC_SHA256"),
        ("AES256-GCM-SHA384", "TLS_RSA_WITH_AES_256_GCM_SHA384"),
    ] {
        let met = world.meet(&lenient, &format!("-tls1_2 -cipher {offer}"));
        assert_eq!(met.went_well().suite, suite);
    }
    assert!(lenient.warnings().iter().any(|line| line.starts_with("legacy-rsa-key-exchange")));
}

#[test]
fn version_that_is_not_named_is_refused_with_protocol_version() {
    let world = World::new("not-named");
    let mut builder = world.builder();
    let context = builder.versions("TLSv1.3,TLSv1.2,TLSv1.1").build().unwrap();
    world.meet(&context, "-tls1 -cipher ALL:@SECLEVEL=0").failed(Code::NoCommonVersion, 70);
    world.meet(&context, "-tls1_1 -cipher ALL:@SECLEVEL=0").went_well();
}

#[test]
fn version_between_two_named_ones_is_never_chosen() {
    let world = World::new("gap");
    let mut builder = world.builder();
    let context = builder.versions("TLSv1.2,TLSv1").build().unwrap();
    let met = world.meet(&context, "-tls1_1 -cipher ALL:@SECLEVEL=0");
    // The server chooses TLS 1.0. This client does not allow it, and refuses it in a record of TLS 1.1.
    assert_eq!(met.ours.unwrap_err().code(), Code::NoCommonVersion);
    world.meet(&context, "-tls1 -cipher ALL:@SECLEVEL=0").went_well();
}

#[test]
fn tls13_and_tls10_without_tls12_are_a_conflict() {
    let world = World::new("hole");
    let error = world.builder().versions("TLSv1.3,TLSv1").build().unwrap_err();
    assert_eq!(error.code(), Code::OptionConflict);
    assert!(error.detail().starts_with("TLSv1.3 and TLSv1 without TLSv1.2"), "{error}");
}

#[test]
fn anonymous_and_null_suites_are_never_served() {
    let world = World::new("anonymous");
    let context = world.builder().build().unwrap();
    for offer in ["ADH-AES128-SHA", "NULL-SHA256"] {
        let met = world.meet(&context, &format!("-tls1_2 -cipher {offer}:@SECLEVEL=0"));
        met.failed(Code::NoCommonCipherSuite, 40);
    }
}

/// A client of ours with this group alone, which the second engine does not have.
fn hybrid_client(world: &World) -> Context {
    let mut builder = ContextBuilder::new();
    builder.trust(world.authority.trust()).groups("X25519MLKEM768").build().unwrap()
}

#[test]
fn string_of_the_second_engine_alone_leaves_tls13_to_rustls() {
    let world = World::new("tls13-stays");
    let mut builder = world.builder();
    builder.versions("tlsv1.3 tlsv1.2 tlsv1.1 tlsv1").cipher_suites("ECDHE-RSA-AES128-SHA");
    let context = builder.build().unwrap();
    assert_eq!(context.versions(), ["TLSv1.3", "TLSv1.2", "TLSv1.1", "TLSv1"]);
    let pair = Pair::connect(&context, &hybrid_client(&world), "broker");
    assert_eq!((pair.server.version(), pair.server.group()), (Some("TLSv1.3"), Some("X25519MLKEM768")));
    let met = world.meet(&context, "-tls1_2 -cipher ALL:@SECLEVEL=0");
    assert_eq!(met.went_well().suite, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA");
}

#[test]
fn settings_that_leave_the_second_engine_tls13_alone_are_served() {
    let world = World::new("tls13-alone");
    let of = |set: &dyn Fn(&mut ContextBuilder)| {
        let mut builder = world.builder();
        set(&mut builder);
        builder.build().unwrap()
    };
    for context in [
        of(&|builder| _ = builder.preset(Preset::Modern)),
        of(&|builder| _ = builder.versions("TLSv1.3")),
        of(&|builder| _ = builder.cipher_suites("TLS_AES_128_GCM_SHA256")),
    ] {
        assert_eq!(context.versions(), ["TLSv1.3"]);
        assert!(context.warnings().iter().any(|line| line.contains("no version or suite that rustls does not")));
        world.meet(&context, "-tls1_3").went_well();
        world.meet(&context, "-tls1_2 -cipher ALL:@SECLEVEL=0").failed(Code::NoCommonVersion, 70);
    }
}

#[test]
fn groups_of_openssl_alone_are_served_by_the_second_engine() {
    let world = World::new("groups");
    let mut builder = world.builder();
    let groups = "P-521:X448:brainpoolP256r1:brainpoolP384r1:brainpoolP512r1:ffdhe2048:ffdhe6144:ffdhe8192";
    let context = builder.groups(groups).build().unwrap();
    assert!(context.not_served().is_empty(), "{:?}", context.not_served());
    for (client, group) in [
        ("-tls1_2 -groups P-521", "secp521r1"),
        ("-tls1_3 -groups P-521", "secp521r1"),
        ("-tls1_3 -groups X448", "X448"),
        ("-tls1_2 -groups brainpoolP256r1", "brainpoolP256r1"),
        ("-tls1_2 -groups brainpoolP384r1", "brainpoolP384r1"),
        ("-tls1_2 -groups brainpoolP512r1", "brainpoolP512r1"),
        ("-tls1_2 -cipher DHE-RSA-AES128-SHA", "ffdhe2048"),
        ("-tls1_3 -groups ffdhe2048", "ffdhe2048"),
        ("-tls1_3 -groups ffdhe6144", "ffdhe6144"),
        ("-tls1_3 -groups ffdhe8192", "ffdhe8192"),
    ] {
        assert_eq!(world.meet(&context, client).went_well().group, group, "{client}");
    }
    world.meet(&context, "-tls1_2 -cipher ECDHE -groups P-256").failed(Code::NoCommonGroup, 40);
}

#[test]
fn groups_of_rustls_alone_leave_the_second_engine_finite_field_diffie_hellman() {
    let world = World::new("hybrid");
    let mut builder = world.builder();
    let context = builder.groups("X25519MLKEM768").build().unwrap();
    let pair = Pair::connect(&context, &hybrid_client(&world), "broker");
    assert_eq!(pair.server.group(), Some("X25519MLKEM768"));
    let met = world.meet(&context, "-tls1_2 -cipher ALL:@SECLEVEL=0");
    assert!(met.went_well().suite.starts_with("TLS_DHE_RSA_"));
    world.meet(&context, "-tls1_2 -cipher ECDHE").failed(Code::NoCommonCipherSuite, 40);
    // It offers TLS 1.3, which is served with the group alone: nothing older is chosen behind its back.
    world.meet(&context, "-groups X25519").failed(Code::NoCommonGroup, 40);
}

#[test]
fn client_with_sha1_signatures_alone_is_served_if_the_switch_is_on() {
    let world = World::new("sha1");
    // A suite of rustls', and no signature of it.
    let client = "-tls1_2 -cipher ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0 -sigalgs RSA+SHA1";
    let strict = world.builder().build().unwrap();
    world.meet(&strict, client).failed(Code::NoCommonSignature, 40);
    let mut builder = world.builder();
    builder.legacy_allow(LegacyAllowed { sha1_signatures: true, ..LegacyAllowed::default() });
    let met = world.meet(&builder.build().unwrap(), client);
    assert_eq!(met.went_well().suite, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
}

#[test]
fn suite_and_signature_must_be_of_one_key() {
    let world = World::new("one-key");
    let mut builder = ContextBuilder::new();
    builder.legacy_engine(true).legacy_library(library()).identity(world.authority.identity(&["broker"]));
    let pem = world.authority.issue_rsa("broker");
    builder.identity(IdentitySource::new(Source::memory("rsa.pem", pem.as_bytes())));
    let context = builder.build().unwrap();
    // The suite of rustls' is for RSA, the signature for ECDSA: the CBC suite fits both.
    let client = "-tls1_2 -cipher ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-SHA256 -sigalgs ECDSA+SHA256";
    let met = world.meet(&context, client);
    assert_eq!(met.went_well().suite, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256");
}

#[test]
fn identity_with_a_curve_that_an_old_client_lacks_gives_way_to_the_next() {
    let world = World::new("curve");
    let mut builder = ContextBuilder::new();
    builder.legacy_engine(true).legacy_library(library()).identity(world.authority.identity(&["broker"]));
    let pem = world.authority.issue_rsa("broker");
    builder.identity(IdentitySource::new(Source::memory("rsa.pem", pem.as_bytes())));
    let context = builder.versions("TLSv1.2,TLSv1.1,TLSv1").build().unwrap();
    for (groups, key) in [("P-384", "_RSA_"), ("P-384:P-256", "_ECDSA_")] {
        let met = world.meet(&context, &format!("-tls1 -cipher ECDHE:@SECLEVEL=0 -groups {groups}"));
        assert!(met.went_well().suite.contains(key), "{}", met.went_well().suite);
    }
}

#[test]
fn server_name_at_the_second_engine_is_read_as_by_rustls() {
    let world = World::new("sni");
    let context = world.builder().build().unwrap();
    for version in ["-tls1 -cipher ALL:@SECLEVEL=0", "-tls1_2"] {
        for (sent, read) in
            [("BROKER", "broker"), ("broker.", "broker"), ("other.example", "other.example"), ("127.0.0.1", "")]
        {
            let met = world.meet(&context, &format!("{version} -servername {sent}"));
            assert_eq!(met.went_well().server_name, read, "{version} {sent}");
        }
        let met = world.meet(&context, &format!("{version} -servername broker:8883"));
        assert_eq!(met.failed(Code::ServerNameInvalid, 112).detail(), "\"broker:8883\"", "{version}");
    }
}

/// The error of a server that gets these records.
fn refusal(context: &Context, records: &[&[u8]]) -> (Code, Vec<u8>) {
    let mut connection = context.accept().unwrap();
    for record in records {
        let mut tls = record.to_vec();
        if let Err(error) = connection.unwrap(&mut tls, &mut []) {
            let mut alert = [0; 64];
            let sent = connection.wrap(&[], &mut alert).unwrap().produced;
            return (error.code(), alert[..sent].to_vec());
        }
    }
    panic!("not refused");
}

#[test]
fn hello_that_is_too_long_or_has_an_empty_record_is_refused_before_an_engine_is_chosen() {
    let world = World::new("hello");
    let context = world.builder().build().unwrap();
    let (code, alert) = refusal(&context, &[&[22, 3, 1, 0, 4, 1, 1, 0, 1]]);
    assert_eq!((code, alert.last()), (Code::HandshakeTooLarge, Some(&47)));
    let (code, alert) = refusal(&context, &[&[22, 3, 1, 0, 1, 1], &[22, 3, 1, 0, 0]]);
    assert_eq!((code, alert.last()), (Code::UnexpectedMessage, Some(&10)));
}

/// A ClientHello of this version and suite, with RSA+SHA256 and no groups.
fn hello_without_groups(minor: u8, suite: u16) -> Vec<u8> {
    let mut body = vec![3, minor];
    body.extend([7; 32]);
    body.extend([0, 0, 2]);
    body.extend(suite.to_be_bytes());
    body.extend([1, 0, 0, 8]);
    body.extend([0, 13, 0, 4, 0, 2, 4, 1]);
    let length = u8::try_from(body.len()).unwrap();
    [&[22, 3, 1, 0, length + 4, 1, 0, 0, length][..], &body].concat()
}

#[test]
fn client_with_suites_that_need_a_group_and_no_groups_is_told_so() {
    let world = World::new("no-groups");
    let context = world.builder().build().unwrap();
    let (code, _) = refusal(&context, &[&hello_without_groups(3, 0xC027)]);
    assert_eq!(code, Code::NoCommonGroup);
}

/// The end of the random of a server that answers this hello.
fn end_of_random(context: &Context, mut hello: Vec<u8>) -> [u8; 8] {
    let mut connection = context.accept().unwrap();
    connection.unwrap(&mut hello, &mut []).unwrap();
    let mut answer = vec![0; 20_000];
    connection.wrap(&[], &mut answer).unwrap();
    // After the headers of the record and of the message, and the version.
    answer[11..43].last_chunk().copied().unwrap()
}

#[test]
fn handshake_of_an_older_version_is_marked_as_a_downgrade_whatever_serves_tls13() {
    let world = World::new("sentinel");
    let with = |versions: &str, groups: &str| {
        let mut builder = world.builder();
        builder.versions(versions).groups(groups).build().unwrap()
    };
    let (tls12, tls10) = (|| hello_without_groups(3, 0x009E), || hello_without_groups(1, 0x0033));
    // With the last group, the second engine has no TLS 1.3 of its own.
    for groups in ["X25519", "X25519MLKEM768"] {
        let context = with("TLSv1.3,TLSv1.2,TLSv1", groups);
        assert_eq!(&end_of_random(&context, tls12()), b"DOWNGRD\x01", "{groups}");
        assert_eq!(&end_of_random(&context, tls10()), b"DOWNGRD\x00", "{groups}");
    }
    let context = with("TLSv1.2,TLSv1", "X25519");
    assert_eq!(&end_of_random(&context, tls10()), b"DOWNGRD\x00");
    assert_ne!(&end_of_random(&context, tls12())[..7], b"DOWNGRD");
}

#[test]
fn second_engine_has_groups_of_a_connection_and_refuses_schemes_and_a_record_limit() {
    let authority = Authority::new("ca");
    let mut builder = ContextBuilder::new();
    builder.legacy_engine(true).legacy_library(library()).identity(authority.identity(&["broker"]));
    let context = builder.build().unwrap();
    let own = ConnectionSettings::default();
    context.accept_with(&ConnectionSettings { groups: Some("P-521".to_owned()), ..own.clone() }).unwrap();
    let schemes = ConnectionSettings { signature_schemes: Some("ed25519".to_owned()), ..own.clone() };
    let limit = ConnectionSettings { max_record_bytes: Some(1000), ..own };
    for refused in [schemes, limit] {
        assert_eq!(context.accept_with(&refused).unwrap_err().code(), Code::OptionConflict);
    }
}
