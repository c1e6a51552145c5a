//! Files of keys: reload, size, and the forms of other brokers.

use std::fmt::Write as _;
use std::fs;

use brokertls::options::Options;
use brokertls::{Code, ContextBuilder, Psk, PskFormat, Source};

use super::super::world::{World, library};
use super::{DEVICE, KEYS, SECRET, hex, keys_alone, keys_of};

const SUITE: &str = "-tls1_2 -cipher PSK-AES128-GCM-SHA256";

#[test]
fn reload_serves_a_key_that_was_added_and_refuses_one_that_was_removed() {
    let world = World::new("psk-reload");
    let path = world.file("init.psk");
    fs::write(&path, KEYS).unwrap();
    let mut builder = ContextBuilder::new();
    builder.legacy_engine(true).legacy_library(library()).psk_file(Source::file(&path));
    let context = builder.build().unwrap();
    assert_eq!(world.meet(&context, &format!("{SUITE} {DEVICE}")).went_well().psk_identity, "myclient1");
    fs::write(&path, format!("myclient3:{SECRET}\n")).unwrap();
    context.reload().unwrap();
    for version in [SUITE, "-tls1_3"] {
        let alert = if version == SUITE { 20 } else { 51 };
        world.meet(&context, &format!("{version} {DEVICE}")).failed(Code::PskRefused, alert);
        let met = world.meet(&context, &format!("{version} -psk_identity myclient3 -psk {SECRET}"));
        assert_eq!(met.went_well().psk_identity, "myclient3");
    }
    // A file that cannot be read leaves the keys as they are.
    fs::write(&path, "myclient4\n").unwrap();
    assert_eq!(context.reload().unwrap_err().code(), Code::PskMalformed);
    let met = world.meet(&context, &format!("{SUITE} -psk_identity myclient3 -psk {SECRET}"));
    assert_eq!(met.went_well().psk_identity, "myclient3");
}

#[test]
fn file_of_many_keys_serves_its_first_and_its_last() {
    let world = World::new("psk-many");
    let mut text = String::new();
    for number in 0..200_000 {
        writeln!(text, "device-{number}:{number:064x}").unwrap();
    }
    let context = keys_alone(&text).build().unwrap();
    for number in [0, 199_999] {
        let met = world.meet(&context, &format!("{SUITE} -psk_identity device-{number} -psk {number:064x}"));
        assert_eq!(met.went_well().psk_identity, format!("device-{number}"));
    }
    world.meet(&context, &format!("{SUITE} -psk_identity device-200000 -psk 00")).failed(Code::PskRefused, 20);
}

#[test]
fn file_is_refused_with_the_number_of_the_line_and_without_the_secret() {
    let error = keys_alone("one:00ff\ntwo:5e5e5e5g\n").build().unwrap_err();
    assert_eq!(error.code(), Code::PskMalformed);
    let detail = "init.psk: line 2: the secret has a character that is no hexadecimal digit";
    assert_eq!(error.detail(), detail);
    assert!(!format!("{error} {error:?}").contains("5e5e"));
}

#[test]
fn separator_that_a_secret_or_a_line_may_have_is_refused_when_it_is_set_and_named_as_the_option() {
    for text in ["", "0", "aF", ":\n", "\0"] {
        let detail = format!("\"{}\" is no psk-separator", text.escape_debug());
        let mut builder = keys_alone(KEYS);
        let error = builder.psk_separator(text).unwrap_err();
        assert_eq!((error.code(), error.detail()), (Code::InvalidArgument, &*detail));
        let error = Options::new().set("psk-separator", text).unwrap_err();
        let detail = format!("option psk-separator: {detail}");
        assert_eq!((error.code(), error.detail()), (Code::InvalidArgument, &*detail));
        // A separator that is refused changes nothing.
        builder.build().unwrap();
    }
}

#[test]
fn separator_of_emqx_is_a_setting() {
    let world = World::new("psk-separator");
    let text = format!("myclient1,{SECRET}\nurn:2,secret two\n");
    let context = keys_alone(&text).psk_separator(",").unwrap().psk_format(PskFormat::Text).build().unwrap();
    let met = world.meet(&context, &format!("{SUITE} -psk_identity myclient1 -psk {}", hex(SECRET)));
    assert_eq!(met.went_well().psk_identity, "myclient1");
    let met = world.meet(&context, &format!("{SUITE} -psk_identity urn:2 -psk {}", hex("secret two")));
    assert_eq!(met.went_well().psk_identity, "urn:2");
}

#[test]
fn keys_of_the_builder_are_served_beside_those_of_the_file_and_may_not_repeat_them() {
    let world = World::new("psk-memory");
    let key = || Psk::new(b"0123456789abcdef").unwrap();
    let context = keys_alone(KEYS).psk(b"myclient3", key()).build().unwrap();
    let met = world.meet(&context, &format!("{SUITE} -psk_identity myclient3 -psk {}", hex("0123456789abcdef")));
    assert_eq!(met.went_well().psk_identity, "myclient3");
    assert_eq!(world.meet(&context, &format!("{SUITE} {DEVICE}")).went_well().psk_identity, "myclient1");
    let error = keys_alone(KEYS).psk(b"myclient1", key()).build().unwrap_err();
    assert_eq!(
        (error.code(), error.detail()),
        (Code::PskMalformed, "init.psk: line 1: the identity has a key already")
    );
    for identity in [&b""[..], b"a\0b", &[b'i'; 257]] {
        let mut builder = ContextBuilder::new();
        builder.legacy_engine(true).legacy_library(library()).psk(identity, key());
        assert_eq!(builder.build().unwrap_err().code(), Code::PskMalformed);
    }
}

#[test]
fn short_secrets_are_reported_when_the_context_is_built() {
    let context = keys_alone("one:00ff\n").build().unwrap();
    let line = "pre-shared keys: 1 have less than 16 bytes and can be guessed";
    assert!(context.warnings().iter().any(|warning| warning == line), "{:?}", context.warnings());
    let mut builder = ContextBuilder::new();
    builder.legacy_engine(true).legacy_library(library()).psk_file(keys_of(KEYS));
    assert!(!builder.build().unwrap().warnings().iter().any(|warning| warning.starts_with("pre-shared keys")));
}
