//! The choice of the engine by the ClientHello, and what each serves.

use brokertls::Code;
use brokertls::policy::LegacyAllowed;

use super::world::World;

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
    let context = builder.versions("TLSv1.3,TLSv1").build().unwrap();
    let met = world.meet(&context, "-tls1_1 -cipher ALL:@SECLEVEL=0");
    // The server chooses TLS 1.0. This client does not allow it, and refuses it in a record of TLS 1.1.
    assert_eq!(met.ours.unwrap_err().code(), Code::NoCommonVersion);
    world.meet(&context, "-tls1 -cipher ALL:@SECLEVEL=0").went_well();
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
