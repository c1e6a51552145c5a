//! Configurations of the system, which do not reach the second engine, and clients that are refused. A refusal has the
//! same code and alert with both engines as with rustls alone.

use std::fs;
use std::process::Command;

use brokertls::{ClientAuth, Code, Connection, Context, ContextBuilder, IdentitySource, MAX_RECORD_BYTES, Source};

use super::world::{World, library};
use crate::process::Running;

const OLD: &str = "-tls1 -cipher ALL:@SECLEVEL=0";

/// Every command of a section of `openssl.cnf`, with values that would break each test of this file.
const COMMANDS: &[&str] = &[
    "CipherString = AES128-SHA256:@SECLEVEL=5",
    "Ciphersuites = TLS_AES_128_CCM_8_SHA256",
    "MinProtocol = TLSv1.3",
    "MaxProtocol = TLSv1.2",
    "Protocol = -ALL,TLSv1.3",
    "Options = Bugs,Compression,-EncryptThenMac,-ExtendedMasterSecret,UnsafeLegacyRenegotiation",
    "Options = UnsafeLegacyServerConnect,-MiddleboxCompat,AllowNoDHEKEX,ServerPreference,NoResumptionOnRenegotiation",
    "Options = SessionTicket,PrioritizeChaCha,-AntiReplay",
    "Groups = P-521",
    "SignatureAlgorithms = ECDSA+SHA512",
    "ClientSignatureAlgorithms = ECDSA+SHA512",
    "RecordPadding = 4096",
    "NumTickets = 2",
    "VerifyMode = Require",
    "VerifyCAFile = other.pem",
    "RequestCAFile = other.pem",
    "ChainCAFile = other.pem",
    "Certificate = other.pem",
    "PrivateKey = other.pem",
    "DHParameters = other.pem",
];

/// The name of the test below, and of the variable that its child runs with.
const CHILD: &str = "legacy::hostile::old_client_is_served_under_the_configuration_of_this_process";

#[test]
fn old_client_is_served_under_the_configuration_of_this_process() {
    let world = World::new("configuration");
    let mut builder = world.builder();
    builder.trust(world.authority.trust()).client_auth(ClientAuth::Need).alpn(b"mqtt").unwrap();
    let context = builder.build().unwrap();
    for (offer, version, suite) in [
        ("-tls1", "TLSv1", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"),
        ("-tls1_1", "TLSv1.1", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"),
        ("-tls1_2", "TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"),
    ] {
        let offer = format!("{offer} -cipher ECDHE-RSA-AES128-SHA:@SECLEVEL=0 -cert client.pem -alpn mqtt");
        let met = world.meet(&context, &offer);
        let seen = met.went_well();
        assert_eq!((seen.version.as_str(), seen.suite.as_str()), (version, suite));
        for line in [
            "Extended master secret: yes",
            "Secure Renegotiation IS supported",
            "Compression: NONE",
            "TLS session ticket lifetime hint: ",
            "ALPN protocol: mqtt",
            "CN = ca\n",
        ] {
            assert!(met.theirs.contains(line), "{line}: {}", met.theirs);
        }
        // The certificate and its issuer, and no other.
        let issuers = met.theirs.lines().filter(|line| line.starts_with("   i:")).count();
        assert_eq!(issuers, 1, "{}", met.theirs);
    }
    // The client's order counts.
    for (offer, suite) in [
        ("ECDHE-RSA-AES128-SHA:ECDHE-RSA-AES256-SHA", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"),
        ("ECDHE-RSA-AES256-SHA:ECDHE-RSA-AES128-SHA", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"),
        ("DHE-RSA-AES128-SHA", "TLS_DHE_RSA_WITH_AES_128_CBC_SHA"),
    ] {
        let met = world.meet(&context, &format!("-tls1_2 -cipher {offer}:@SECLEVEL=0 -cert client.pem"));
        assert_eq!(met.went_well().suite, suite);
    }
}

#[test]
fn no_command_of_a_configuration_of_the_system_reaches_the_second_engine() {
    let world = World::new("system");
    fs::write(world.file("other.pem"), world.authority.issue_rsa("other")).unwrap();
    library();
    let all = COMMANDS.iter().map(|command| vec![*command]).chain([COMMANDS.to_vec()]);
    // Each by itself, for OpenSSL stops at none of them and one may hide another.
    for (number, commands) in all.enumerate() {
        let file = world.file(&format!("{number}.cnf"));
        let folder = world.file("");
        let commands = commands.join("\n").replace("other.pem", &format!("{}/other.pem", folder.display()));
        let start = "openssl_conf = init\n[init]\nssl_conf = ssl\n[ssl]\nsystem_default = defaults\n[defaults]\n";
        fs::write(&file, format!("{start}{commands}\n")).unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", CHILD, "--test-threads=1"]).env("OPENSSL_CONF", &file);
        let finished = Running::start(&mut child).finish();
        assert!(finished.status.success(), "{commands}\n{}", finished.text);
        assert!(finished.text.contains("1 passed"), "{}", finished.text);
    }
}

#[test]
fn client_that_has_come_down_from_a_version_that_both_have_is_refused_with_inappropriate_fallback() {
    let world = World::new("fallback");
    let context = world.builder().build().unwrap();
    for version in ["-tls1", "-tls1_1"] {
        let offer = format!("{version} -fallback_scsv -cipher ECDHE-RSA-AES128-SHA:@SECLEVEL=0");
        world.meet(&context, &offer).failed(Code::FallbackRefused, 86);
    }
    // The newest version here is no fallback.
    let mut builder = world.builder();
    let context = builder.versions("TLSv1.1,TLSv1").build().unwrap();
    world.meet(&context, "-tls1_1 -fallback_scsv -cipher ECDHE-RSA-AES128-SHA:@SECLEVEL=0").went_well();
}

/// The parts of a ClientHello.
struct Hello {
    version: u8,
    suites: &'static [u16],
    groups: &'static [u16],
    signatures: &'static [u16],
    /// The whole of further extensions.
    more: &'static [u8],
}

const GCM: u16 = 0xc02f;
const CBC: u16 = 0xc013;
const SCSV: u16 = 0x00ff;

impl Hello {
    fn tls12() -> Self {
        Self { version: 3, suites: &[GCM, SCSV], groups: &[23], signatures: &[0x0804, 0x0401], more: &[] }
    }

    fn record(&self) -> Vec<u8> {
        let list = |numbers: &[u16]| numbers.iter().flat_map(|number| number.to_be_bytes()).collect::<Vec<u8>>();
        let with = |bytes: &[u8]| [&u16::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat();
        let extension = |kind: u16, numbers: &[u16]| match numbers {
            [] => Vec::new(),
            numbers => [&kind.to_be_bytes()[..], &with(&with(&list(numbers)))].concat(),
        };
        let extensions = [extension(10, self.groups), extension(13, self.signatures), self.more.to_vec()].concat();
        let start = [&[3, self.version][..], &[7; 32], &[0]].concat();
        let body = [start, with(&list(self.suites)), vec![1, 0], with(&extensions)].concat();
        let message = [&[1, 0], &with(&body)[..]].concat();
        [&[22, 3, 1], &with(&message)[..]].concat()
    }
}

/// The code of a refusal and the alert for it, in plain text.
fn refusal(mut server: Connection, hello: &Hello) -> (Code, Option<u8>) {
    let mut bytes = hello.record();
    let mut wire = vec![0; MAX_RECORD_BYTES];
    let error = server.unwrap(&mut bytes, &mut []).expect_err("it was not refused");
    let sent = server.wrap(&[], &mut wire).map_or(0, |sent| sent.produced);
    let alert = match wire[..sent] {
        [21, 3, _, 0, 2, 2, description] => Some(description),
        _ => None,
    };
    (error.code(), alert)
}

fn contexts(world: &World) -> [Context; 2] {
    let pem = world.authority.issue_rsa("broker");
    [false, true].map(|has_second| {
        let mut builder = ContextBuilder::new();
        builder.identity(IdentitySource::new(Source::memory("broker.pem", pem.as_bytes()))).alpn(b"mqtt").unwrap();
        builder.versions("tlsv1.3 tlsv1.2").legacy_engine(has_second);
        if has_second {
            builder.legacy_library(library());
        }
        builder.build().unwrap()
    })
}

#[test]
fn refusal_has_the_same_code_and_alert_with_both_engines_as_with_rustls_alone() {
    const P521: &[u16] = &[25];
    const OTHER_PROTOCOL: &[u8] = &[0, 16, 0, 5, 0, 3, 2, b'h', b'2'];
    const SHARES_OF_OTHERS: &[u8] = &[0, 43, 0, 3, 2, 3, 4, 0, 45, 0, 2, 1, 1, 0, 51, 0, 7, 0, 5, 0, 25, 0, 1, 9];
    const BAD_GROUPS: &[u8] = &[0, 10, 0, 3, 0, 1, 0];
    let world = World::new("refusals");
    let [alone, both] = contexts(&world);
    let hellos = [
        ("no common suite", Hello { suites: &[0x002f], ..Hello::tls12() }),
        ("no suite", Hello { suites: &[], ..Hello::tls12() }),
        ("no common group", Hello { groups: P521, ..Hello::tls12() }),
        ("no groups", Hello { groups: &[], ..Hello::tls12() }),
        ("no signature algorithms", Hello { signatures: &[], ..Hello::tls12() }),
        ("signatures of another kind of key", Hello { signatures: &[0x0403], ..Hello::tls12() }),
        ("an older version", Hello { version: 2, suites: &[CBC, SCSV], ..Hello::tls12() }),
        ("the oldest version", Hello { version: 1, suites: &[CBC, SCSV], signatures: &[], ..Hello::tls12() }),
        ("another protocol", Hello { more: OTHER_PROTOCOL, ..Hello::tls12() }),
        ("malformed groups", Hello { groups: &[], more: BAD_GROUPS, ..Hello::tls12() }),
        (
            "key shares of another group",
            Hello { suites: &[0x1301], groups: P521, more: SHARES_OF_OTHERS, ..Hello::tls12() },
        ),
    ];
    for (name, hello) in hellos {
        let [first, second] = [&alone, &both].map(|context| refusal(context.accept().unwrap(), &hello));
        assert_eq!(second, first, "{name}");
    }
}

#[test]
fn close_notify_in_the_middle_of_a_handshake_has_the_same_code_with_each_engine() {
    let world = World::new("closed");
    for version in ["TLSv1.2", "TLSv1"] {
        let mut builder = world.builder();
        let context = builder.versions(version).build().unwrap();
        let mut server = context.accept().unwrap();
        let minor = if version == "TLSv1" { 1 } else { 3 };
        let suites: &[u16] = if version == "TLSv1" { &[CBC, SCSV] } else { &[GCM, SCSV] };
        let mut hello = Hello { version: minor, suites, ..Hello::tls12() }.record();
        server.unwrap(&mut hello, &mut []).unwrap();
        // Fatal, as no implementation sends it.
        let error = server.unwrap(&mut [21, 3, minor, 0, 2, 2, 0], &mut []).unwrap_err();
        assert_eq!(error.code(), Code::HandshakeEof, "{version}");
    }
}

#[test]
fn file_that_is_missing_and_a_missing_openssl_read_differently() {
    let world = World::new("missing");
    let mut builder = world.builder();
    let missing = world.file("libbrokertls_legacy.so");
    let error = builder.legacy_library(&missing).build().unwrap_err();
    assert_eq!(error.code(), Code::LegacyUnavailable);
    let place = missing.display().to_string();
    assert!(error.detail().contains(&format!("{place}: cannot open shared object file")), "{error}");
    // The same library with the name of an OpenSSL that is not installed.
    let mut bytes = fs::read(library()).unwrap();
    let (installed, absent) = (b"libssl.so.3\0", b"libssl.so.0\0");
    let places: Vec<usize> =
        (0..bytes.len() - installed.len()).filter(|at| bytes[*at..].starts_with(installed)).collect();
    assert!(!places.is_empty());
    places.iter().for_each(|at| bytes[*at..at + absent.len()].copy_from_slice(absent));
    fs::write(&missing, bytes).unwrap();
    let error = builder.legacy_library(&missing).build().unwrap_err();
    assert_eq!(error.code(), Code::LegacyUnavailable);
    assert!(error.detail().contains("libssl.so.0: cannot open shared object file"), "{error}");
}

#[test]
fn client_of_tls10_is_refused_when_its_certificate_is_not_wanted_by_the_callback() {
    let world = World::new("callback");
    let mut builder = world.builder();
    builder.trust(world.authority.trust()).client_auth(ClientAuth::Need);
    builder.verify_callback(std::sync::Arc::new(|_| Err("not today".to_owned())), false);
    let context = builder.build().unwrap();
    let met = world.meet(&context, &format!("{OLD} -cert client.pem"));
    met.failed(Code::CertRejectedByCallback, 49);
}
