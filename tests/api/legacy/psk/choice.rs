//! A context with certificates and keys: its client chooses, unless a list of the operator does.

use brokertls::Code;

use super::super::world::World;
use super::{DEVICE, KEYS, RSA, keys_alone, keys_of};

const KEY: &str = "PSK-AES128-GCM-SHA256";
const CERTIFICATE: &str = "ECDHE-RSA-AES128-GCM-SHA256";

#[test]
fn order_of_the_client_decides_if_there_is_no_list() {
    let world = World::new("psk-order");
    let mut builder = world.builder();
    let context = builder.psk_file(keys_of(KEYS)).build().unwrap();
    for (offer, identity) in [(format!("{KEY}:{CERTIFICATE}"), "myclient1"), (format!("{CERTIFICATE}:{KEY}"), "")] {
        let met = world.meet(&context, &format!("-tls1_2 -cipher {offer} {DEVICE}"));
        assert_eq!(met.went_well().psk_identity, identity, "{offer}");
    }
}

#[test]
fn list_of_the_operator_decides_between_keys_and_certificates() {
    let world = World::new("psk-operator-order");
    for (list, identity) in [(format!("{KEY},{CERTIFICATE}"), "myclient1"), (format!("{CERTIFICATE},{KEY}"), "")] {
        let mut builder = world.builder();
        let context = builder.psk_file(keys_of(KEYS)).cipher_suites(&list).build().unwrap();
        for offer in [format!("{KEY}:{CERTIFICATE}"), format!("{CERTIFICATE}:{KEY}")] {
            let met = world.meet(&context, &format!("-tls1_2 -cipher {offer} {DEVICE}"));
            assert_eq!(met.went_well().psk_identity, identity, "{list} and {offer}");
        }
    }
}

#[test]
fn certificate_and_keys_serve_both_kinds_of_clients_on_one_port() {
    let world = World::new("psk-both");
    let mut builder = world.builder();
    let context = builder.legacy_allow(RSA).psk_file(keys_of(KEYS)).build().unwrap();
    for offer in ["RSA-PSK-AES256-GCM-SHA384", "PSK-AES128-CBC-SHA", "ECDHE-PSK-AES128-CBC-SHA"] {
        let met = world.meet(&context, &format!("-tls1_2 -cipher {offer} {DEVICE}"));
        assert_eq!(met.went_well().psk_identity, "myclient1");
    }
    for options in ["-tls1_3", "-tls1_2", "-tls1_2 -cipher ECDHE-RSA-AES128-SHA"] {
        assert_eq!(world.meet(&context, options).went_well().psk_identity, "");
    }
}

#[test]
fn list_of_suites_with_keys_alone_is_served_in_its_order() {
    let world = World::new("psk-list");
    let mut builder = keys_alone(KEYS);
    builder.versions("tlsv1.2").cipher_suites("PSK-AES256-GCM-SHA384,PSK-AES128-GCM-SHA256,RSA-PSK-RC4-SHA");
    let context = builder.build().unwrap();
    let names = ["TLS_PSK_WITH_AES_256_GCM_SHA384", "TLS_PSK_WITH_AES_128_GCM_SHA256"];
    assert_eq!((context.cipher_suites(), context.versions()), (names.to_vec(), vec!["TLSv1.2"]));
    let met = world.meet(&context, &format!("-tls1_2 -cipher PSK-AES128-GCM-SHA256:PSK-AES256-GCM-SHA384 {DEVICE}"));
    assert_eq!(met.went_well().suite, names[0]);
}

#[test]
fn keys_that_no_suite_uses_are_refused_when_the_context_is_built() {
    let world = World::new("psk-unused");
    let mut builder = world.builder();
    builder.psk_file(keys_of(KEYS)).versions("tlsv1.2").cipher_suites(CERTIFICATE);
    assert_eq!(builder.build().unwrap_err().code(), Code::OptionConflict);
}
