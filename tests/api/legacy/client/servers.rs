//! Old servers with a certificate.

use brokertls::{Code, CrlSource, Source};

use super::super::world::World;
use super::{builder, meet};

/// Servers of an old version, of TLS 1.2 and of TLS 1.3.
const SERVERS: [&str; 3] =
    ["-tls1 -cipher ALL:@SECLEVEL=0", "-tls1_2 -cipher AES128-SHA:DHE-RSA-AES128-SHA", "-tls1_3"];

#[test]
fn server_of_each_version_is_met_and_its_certificate_is_verified() {
    let world = World::new("client-versions");
    std::fs::write(world.file("broker.pem"), world.authority.issue_rsa("broker")).unwrap();
    let context = builder(&world).build().unwrap();
    for (arguments, version, suite) in [
        ("-tls1", "TLSv1", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"),
        ("-tls1_1", "TLSv1.1", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"),
        ("-tls1_2 -cipher ECDHE-RSA-AES128-SHA256", "TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"),
        ("-tls1_2 -cipher DHE-RSA-AES128-GCM-SHA256", "TLSv1.2", "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"),
        ("-tls1_3", "TLSv1.3", "TLS_AES_256_GCM_SHA384"),
    ] {
        let arguments = match arguments.contains("-cipher") {
            true => arguments.to_owned(),
            false => format!("{arguments} -cipher ALL:@SECLEVEL=0"),
        };
        let met = meet(&world, &context, &format!("-cert broker.pem {arguments}"));
        let seen = met.went_well();
        assert_eq!((seen.version.as_str(), seen.suite.as_str(), seen.peers), (version, suite, 1));
    }
}

#[test]
fn server_of_another_name_or_authority_or_a_revoked_one_is_refused_with_the_alert_of_its_reason() {
    let world = World::new("client-refused");
    let serial = [7];
    let revoked = world.authority.issue(&["broker"], |params| {
        params.serial_number = Some(rcgen::SerialNumber::from_slice(&serial));
    });
    std::fs::write(world.file("other.pem"), world.authority.issue_rsa("other")).unwrap();
    std::fs::write(world.file("revoked.pem"), revoked).unwrap();
    let crl = CrlSource::Source(Source::memory("ca.crl", world.authority.crl(&[&serial]).as_bytes()));
    let mut builder = builder(&world);
    let context = builder.crl(crl).build().unwrap();
    for server in SERVERS {
        let refused = |file: &str, code, alert| {
            let server =
                if file == "revoked.pem" { server.replace("DHE-RSA", "ECDHE-ECDSA") } else { server.to_owned() };
            let met = meet(&world, &context, &format!("-cert {file} {server}"));
            met.refused(code, alert);
            assert_eq!(met.facts.peers, 0);
        };
        refused("other.pem", Code::CertNameMismatch, 42);
        refused("stranger.pem", Code::CertUnknownIssuer, 48);
        refused("revoked.pem", Code::CertRevoked, 44);
    }
}
