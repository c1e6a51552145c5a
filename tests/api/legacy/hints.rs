//! The hints for old clients that are refused: each names the settings that serve the client, and they do.

use brokertls::options::Options;
use brokertls::{Code, Context, IdentitySource, Source};

use super::world::{World, library};

/// A server with an RSA key for `broker`, and these options.
fn options(world: &World, settings: &[(&str, &str)]) -> Options {
    let mut options = Options::new();
    for (name, value) in settings {
        options.set(name, value).unwrap();
    }
    let pem = world.authority.issue_rsa("broker");
    options.builder_mut().identity(IdentitySource::new(Source::memory("broker.pem", pem.as_bytes())));
    options
}

fn context(world: &World, settings: &[(&str, &str)]) -> Context {
    let mut options = options(world, settings);
    // The place of the library is a setting of an engine that is on.
    if settings.contains(&("legacy-engine", "yes")) {
        options.builder_mut().legacy_library(library());
    }
    options.build().unwrap()
}

/// The settings of a hint as options: the words with an equals sign.
fn settings_of(hint: &str) -> Vec<(String, String)> {
    let words = hint.split_whitespace().map(|word| word.trim_end_matches(['.', ',']));
    words.filter_map(|word| word.split_once('=')).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[test]
fn hint_for_an_old_client_names_the_settings_and_a_context_with_them_serves_it() {
    let world = World::new("hints");
    let strict = context(&world, &[]);
    for (client, code, alert, hint) in [
        (
            "-tls1 -cipher ECDHE-RSA-AES128-SHA:@SECLEVEL=0",
            Code::NoCommonVersion,
            70,
            "legacy-engine=yes and versions=TLSv1.3,TLSv1.2,TLSv1",
        ),
        (
            "-tls1_1 -cipher AES128-SHA:@SECLEVEL=0",
            Code::NoCommonVersion,
            70,
            "legacy-engine=yes, versions=TLSv1.3,TLSv1.2,TLSv1.1 and legacy-allow=legacy-rsa-key-exchange",
        ),
        ("-tls1_2 -cipher ECDHE-RSA-AES128-SHA", Code::NoCommonCipherSuite, 40, "legacy-engine=yes"),
        ("-tls1_2 -cipher DHE-RSA-AES128-GCM-SHA256", Code::NoCommonGroup, 40, "legacy-engine=yes"),
        (
            "-tls1_2 -cipher AES128-GCM-SHA256",
            Code::NoCommonGroup,
            40,
            "legacy-engine=yes and legacy-allow=legacy-rsa-key-exchange",
        ),
        (
            "-tls1_2 -cipher ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0 -sigalgs RSA+SHA1",
            Code::NoCommonSignature,
            40,
            "legacy-engine=yes and legacy-allow=legacy-sha1-signatures",
        ),
        (
            "-tls1_2 -cipher ECDHE-RSA-AES128-GCM-SHA256 -groups P-521",
            Code::NoCommonGroup,
            40,
            "legacy-engine=yes and groups=DEFAULT:secp521r1",
        ),
    ] {
        let met = world.meet(&strict, client);
        let expected = format!("This client is served with {hint}. See the page \"Old and PSK clients\".");
        let error = met.failed(code, alert);
        // To update the client is the first advice about SHA-1.
        let first = if error.detail().contains("sha1") { "another identity does not help. " } else { "" };
        let shown = error.hint().to_lowercase();
        assert!(shown.ends_with(&format!("{first}{}", expected.to_lowercase())), "{client}: {shown}");
        let settings = settings_of(hint);
        let settings: Vec<(&str, &str)> =
            settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        world.meet(&context(&world, &settings), client).went_well();
    }
}

#[test]
fn hint_of_a_context_with_the_engine_names_what_is_still_missing() {
    let world = World::new("hints-second");
    let on = ("legacy-engine", "yes");
    let context = context(&world, &[on]);
    for (client, code, alert, hint) in [
        ("-tls1 -cipher ALL:@SECLEVEL=0", Code::NoCommonVersion, 70, "versions=TLSv1.3,TLSv1.2,TLSv1"),
        ("-tls1_2 -cipher AES128-SHA", Code::NoCommonCipherSuite, 40, "legacy-allow=legacy-rsa-key-exchange"),
        ("-tls1_2 -cipher PSK-AES128-CBC-SHA -psk 00ff", Code::NoCommonCipherSuite, 40, "psk-file with its key"),
        (
            "-tls1_2 -cipher RSA-PSK-AES128-CBC-SHA -psk 00ff",
            Code::NoCommonCipherSuite,
            40,
            "psk-file with its key and legacy-allow=legacy-rsa-key-exchange",
        ),
        (
            "-tls1_2 -cipher ECDHE-RSA-AES128-SHA:@SECLEVEL=0 -sigalgs RSA+SHA1",
            Code::NoCommonSignature,
            40,
            "legacy-allow=legacy-sha1-signatures",
        ),
        (
            "-tls1_2 -cipher DHE-RSA-CAMELLIA128-SHA",
            Code::NoCommonCipherSuite,
            40,
            "cipher-suites=DEFAULT:DHE-RSA-CAMELLIA128-SHA",
        ),
        (
            "-tls1_2 -cipher ECDHE-ECDSA-AES128-SHA",
            Code::NoCommonCipherSuite,
            40,
            "an identity with a key of ECDSA (P-256)",
        ),
    ] {
        let met = world.meet(&context, client);
        let expected = format!("This client is served with {hint}. See the page \"Old and PSK clients\".");
        assert_eq!(met.failed(code, alert).hint(), expected, "{client}");
    }
}

/// A ClientHello of TLS 1.`minor` with these suites and no extensions.
fn hello(minor: u8, suites: &[u16]) -> Vec<u8> {
    let mut body = vec![3, minor];
    body.extend([7; 32]);
    body.extend([0, 0, u8::try_from(suites.len() * 2).unwrap()]);
    suites.iter().for_each(|suite| body.extend(suite.to_be_bytes()));
    body.extend([1, 0]);
    let length = u8::try_from(body.len()).unwrap();
    [&[22, 3, minor.min(1), 0, length + 4, 1, 0, 0, length][..], &body].concat()
}

#[test]
fn client_that_offers_only_what_is_never_served_is_told_to_be_updated_with_the_reason() {
    let world = World::new("hints-never");
    let contexts = [context(&world, &[]), context(&world, &[("legacy-engine", "yes"), ("versions", "TLSv1.2,TLSv1")])];
    for (number, context) in contexts.iter().enumerate() {
        for (hello, reason) in [
            (hello(0, &[0x002F]), "SSL 3.0 is broken and prohibited (RFC 7568)"),
            (hello(1, &[0x0005, 0x0004]), "RC4 is broken and prohibited (RFC 7465)"),
            (hello(1, &[0x0003]), "export-grade encryption is broken"),
            (hello(3, &[0x003B]), "no encryption (NULL)"),
            (hello(3, &[0x0034]), "no authentication (anonymous)"),
            (hello(3, &[0xC003]), "static ECDH key exchange: not in OpenSSL since 1.1.0"),
        ] {
            let error = refusal(context, &hello);
            let expected = format!(
                "No setting serves this client: {reason}. Update the device or replace it, or put a gateway beside it. \
                 See the page \"Old and PSK clients\"."
            );
            assert_eq!(error.hint(), expected, "context {number}: {error}");
        }
    }
}

/// The error of a server that gets this hello.
fn refusal(context: &Context, hello: &[u8]) -> brokertls::Error {
    let mut connection = context.accept().unwrap();
    connection.unwrap(&mut hello.to_vec(), &mut []).unwrap_err()
}

#[test]
fn hello_that_cannot_be_read_or_offers_nothing_known_keeps_the_hint_of_its_code() {
    let world = World::new("hints-hostile");
    let contexts = [context(&world, &[]), context(&world, &[("legacy-engine", "yes")])];
    for context in &contexts {
        let whole = hello(3, &[0x002F, 0x0A0A]);
        let unknown = refusal(context, &hello(3, &[0x0A0A, 0x00FF, 0xFEFE]));
        assert!(!unknown.hint().contains("served with"), "{unknown:?}");
        for at in 0..whole.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut damaged = whole.clone();
                damaged[at] = value;
                let mut connection = context.accept().unwrap();
                if let Err(error) = connection.unwrap(&mut damaged, &mut []) {
                    assert!(error.hint().len() < 600, "{error:?}");
                }
            }
        }
    }
}

#[test]
fn engine_that_is_on_and_has_no_library_is_refused_with_the_file_and_what_to_install() {
    let world = World::new("hints-library");
    let mut options = options(&world, &[("legacy-engine", "yes")]);
    options.set("legacy-library", "/nonexistent/libbrokertls_legacy.so").unwrap();
    let error = options.build().unwrap_err();
    assert_eq!(error.code(), Code::LegacyUnavailable);
    assert!(error.detail().contains("/nonexistent/libbrokertls_legacy.so"), "{error}");
    assert!(error.hint().contains("libssl3") && error.hint().contains("legacy-library"), "{}", error.hint());
}
