//! Groups, signature schemes and the size of records of one connection.

use brokertls::{Code, ConnectionSettings, Context};

use crate::rig::pair::{Authority, Pair, context};

const VERSIONS: [&str; 2] = ["TLSv1.2", "TLSv1.3"];

fn both(authority: &Authority) -> Context {
    context(|builder| builder.identity(authority.identity(&["broker"])).trust(authority.trust()))
}

fn settings(change: impl FnOnce(&mut ConnectionSettings)) -> ConnectionSettings {
    let mut settings = ConnectionSettings::default();
    change(&mut settings);
    settings
}

fn codes(
    context: &Context,
    to_server: &ConnectionSettings,
    to_client: &ConnectionSettings,
) -> (Code, Code, Option<&'static str>) {
    let server = context.accept_with(to_server).unwrap();
    let mut pair = Pair { server, client: context.connect_with(Some("broker"), to_client).unwrap() };
    let ended = pair.run();
    let code = |outcome: &brokertls::Result<()>| outcome.as_ref().err().map_or(Code::Ok, brokertls::Error::code);
    (code(&ended.server), code(&ended.client), pair.server.group())
}

#[test]
fn groups_of_a_connection_replace_those_of_its_context() {
    let authority = Authority::new("ca");
    let context = both(&authority);
    for version in VERSIONS {
        let own = |groups: &str| {
            settings(|settings| {
                settings.groups = Some(groups.to_owned());
                settings.versions = Some(version.to_owned());
            })
        };
        let any = settings(|settings| settings.versions = Some(version.to_owned()));
        assert_eq!(codes(&context, &own("P-384"), &any), (Code::Ok, Code::Ok, Some("secp384r1")), "{version}");
        assert_eq!(codes(&context, &any, &own("P-256:X25519")), (Code::Ok, Code::Ok, Some("secp256r1")), "{version}");
        let apart = codes(&context, &own("P-384"), &own("X25519"));
        assert_eq!(apart, (Code::NoCommonGroup, Code::AlertHandshakeFailure, None), "{version}");
    }
    for groups in ["nosuch", "ffdhe2048", ""] {
        let wrong = settings(|settings| settings.groups = Some(groups.to_owned()));
        assert_eq!(context.accept_with(&wrong).unwrap_err().code(), Code::GroupNotSupported, "{groups}");
        assert_eq!(context.connect_with(Some("broker"), &wrong).unwrap_err().code(), Code::GroupNotSupported);
    }
}

#[test]
fn signature_schemes_of_a_connection_limit_what_it_signs_by_and_what_it_takes() {
    let authority = Authority::new("ca");
    let context = both(&authority);
    for version in VERSIONS {
        let own = |schemes: &str| {
            settings(|settings| {
                settings.signature_schemes = Some(schemes.to_owned());
                settings.versions = Some(version.to_owned());
            })
        };
        let any = settings(|settings| settings.versions = Some(version.to_owned()));
        let fits = own("rsa_pss_rsae_sha256,ecdsa_secp256r1_sha256");
        assert_eq!(codes(&context, &fits, &fits).0, Code::Ok, "{version}");
        let other = own("ed25519");
        let outcome = |to_server: &ConnectionSettings, to_client: &ConnectionSettings| {
            let (server, client, _) = codes(&context, to_server, to_client);
            (server, client)
        };
        let none_common = (Code::NoCommonSignature, Code::AlertHandshakeFailure);
        assert_eq!(outcome(&other, &any), none_common, "{version}");
        assert_eq!(outcome(&any, &other), none_common, "{version}");
    }
    let wrong = settings(|settings| settings.signature_schemes = Some("ed448".to_owned()));
    assert_eq!(context.accept_with(&wrong).unwrap_err().code(), Code::InvalidArgument);
    assert_eq!(context.connect_with(Some("broker"), &wrong).unwrap_err().code(), Code::InvalidArgument);
}

#[test]
fn record_limit_below_the_least_is_refused() {
    let authority = Authority::new("ca");
    let context = both(&authority);
    let limit = |most| settings(|settings| settings.max_record_bytes = Some(most));
    for most in [0, ConnectionSettings::LEAST_RECORD_BYTES - 1] {
        assert_eq!(context.accept_with(&limit(most)).unwrap_err().code(), Code::InvalidArgument, "{most}");
    }
    for most in [ConnectionSettings::LEAST_RECORD_BYTES, usize::MAX] {
        assert_eq!(codes(&context, &limit(most), &limit(most)).0, Code::Ok, "{most}");
    }
}
