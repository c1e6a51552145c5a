//! Clients' certificates at the second engine: judged by the same rules as with rustls.

use brokertls::{ClientAuth, Code, Context};

use super::world::World;

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
    builder.crl(brokertls::CrlSource::Source(brokertls::Source::memory("ca.crl", list.as_bytes())));
    let context = builder.build().unwrap();
    world.meet(&context, &format!("{OLD} -cert revoked.pem")).failed(Code::CertRevoked, 44);
    world.meet(&context, &format!("{OLD} -cert client.pem")).went_well();
}
