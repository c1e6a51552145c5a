//! Clients' certificates at the second engine: judged by the same rules as with rustls.

use brokertls::verify::Deviation;
use brokertls::{ClientAuth, Code, Context, ContextBuilder, IdentitySource, Source, TrustSource};

use super::world::{World, library};

const OLD: &str = "-tls1 -cipher ALL:@SECLEVEL=0";

fn asking(world: &World) -> Context {
    let mut builder = world.builder();
    builder.trust(world.authority.trust()).client_auth(ClientAuth::Need).build().unwrap()
}

#[test]
fn trusted_client_of_tls10_is_accepted_and_its_chain_is_known() {
    let world = World::new("trusted");
    let met = world.meet(&asking(&world), &format!("{OLD} -cert client.pem"));
    let seen = met.went_well();
    // OpenSSL sends the CA of its trust store too.
    assert_eq!((seen.version.as_str(), seen.peers), ("TLSv1", 2));
}

#[test]
fn client_of_another_ca_is_refused_with_unknown_ca() {
    let world = World::new("stranger");
    let met = world.meet(&asking(&world), &format!("{OLD} -cert stranger.pem"));
    met.failed(Code::CertUnknownIssuer, 48);
}

#[test]
fn client_without_a_certificate_is_refused_with_handshake_failure() {
    let world = World::new("missing");
    world.meet(&asking(&world), OLD).failed(Code::CertMissing, 40);
}

#[test]
fn client_with_a_revoked_certificate_is_refused_with_certificate_revoked() {
    let world = World::new("revoked");
    let pem = world.authority.issue_rsa("revoked");
    std::fs::write(world.file("revoked.pem"), &pem).unwrap();
    let serial = world.openssl("x509 -in revoked.pem -noout -serial");
    let digits = serial.trim().trim_start_matches("serial=");
    let serial: Vec<u8> =
        (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect();
    let list = world.authority.crl(&[&serial]);
    let mut builder = world.builder();
    builder.trust(world.authority.trust()).client_auth(ClientAuth::Need);
    builder.crl(brokertls::CrlSource::Source(Source::memory("ca.crl", list.as_bytes())));
    let context = builder.build().unwrap();
    world.meet(&context, &format!("{OLD} -cert revoked.pem")).failed(Code::CertRevoked, 44);
    world.meet(&context, &format!("{OLD} -cert client.pem")).went_well();
}

#[test]
fn client_with_a_key_of_1024_bits_is_judged_by_our_rule_and_not_by_that_of_openssl() {
    let world = World::new("small-key");
    world.openssl("req -x509 -newkey rsa:1024 -nodes -keyout small.key -out small.crt -subj /CN=small");
    let pem = std::fs::read(world.file("small.crt")).unwrap();
    let trust = || TrustSource::store(Source::memory("small.crt", &pem));
    let client = format!("{OLD} -cert small.crt -key small.key");
    let mut builder = world.builder();
    builder.trust(trust()).client_auth(ClientAuth::Need);
    world.meet(&builder.build().unwrap(), &client).failed(Code::CertKeyTooSmall, 42);
    let context = builder.allow(Deviation::SmallRsa).build().unwrap();
    assert_eq!(world.meet(&context, &client).went_well().peers, 1);
}

#[test]
fn own_key_of_1024_bits_serves_as_it_does_with_rustls() {
    let world = World::new("small-own");
    world.openssl("req -x509 -newkey rsa:1024 -nodes -keyout small.key -out small.crt -subj /CN=small");
    let read = |name: &str| std::fs::read_to_string(world.file(name)).unwrap();
    let mut builder = ContextBuilder::new();
    let pem = read("small.crt") + &read("small.key");
    builder.identity(IdentitySource::new(Source::memory("small.pem", pem.as_bytes())));
    builder.versions("TLSv1.3 TLSv1.2 TLSv1").legacy_engine(true).legacy_library(library());
    let context = builder.build().unwrap();
    for client in [OLD, "-tls1_2 -cipher ALL:@SECLEVEL=0", "-tls1_3 -cipher ALL:@SECLEVEL=0"] {
        world.meet(&context, client).went_well();
    }
}

#[test]
fn client_with_a_key_for_pss_alone_is_accepted() {
    let world = World::new("pss");
    world.openssl("genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -out pss.key");
    world.openssl("req -x509 -new -key pss.key -out pss.crt -subj /CN=pss");
    let pem = std::fs::read(world.file("pss.crt")).unwrap();
    let mut builder = world.builder();
    builder.trust(TrustSource::store(Source::memory("pss.crt", &pem))).client_auth(ClientAuth::Need);
    let context = builder.build().unwrap();
    let met = world.meet(&context, "-tls1_2 -cipher ECDHE-RSA-AES128-SHA256 -cert pss.crt -key pss.key");
    assert_eq!(met.went_well().peers, 1);
}
