//! The settings of the second engine.

use brokertls::{Code, ContextBuilder, Source};

use super::world::World;

#[test]
fn engine_that_is_not_installed_is_an_error_of_the_build_that_names_the_package() {
    let world = World::new("not-installed");
    let mut builder = world.builder();
    let error = builder.legacy_library("/nonexistent/libbrokertls_legacy.so").build().unwrap_err();
    assert_eq!(error.code(), Code::LegacyUnavailable);
    assert!(error.hint().contains("package brokertls-legacy"), "{error}");
}

#[test]
fn library_that_is_another_one_is_refused() {
    let world = World::new("another-library");
    let error = world.builder().legacy_library("libc.so.6").build().unwrap_err();
    assert_eq!(error.code(), Code::LegacyUnavailable);
    assert_eq!(error.detail(), "libc.so.6: it is another library");
}

#[test]
fn setting_of_the_engine_without_the_engine_is_a_conflict() {
    let mut builder = ContextBuilder::new();
    let error = builder.psk_file(Source::memory("init.psk", b"one:00")).build().unwrap_err();
    assert_eq!(error.code(), Code::OptionConflict);
}

#[test]
fn old_versions_without_the_engine_stay_refused() {
    let world = World::new("engine-off");
    let mut off = ContextBuilder::new();
    off.identity(world.authority.identity(&["broker"])).versions("tlsv1.2 tlsv1.1 tlsv1");
    let context = off.build().unwrap();
    assert_eq!(context.versions(), ["TLSv1.2"]);
    assert_eq!(context.not_served().len(), 2);
    world.meet(&context, "-tls1 -cipher ALL:@SECLEVEL=0").failed(Code::NoCommonVersion, 70);
    let both = world.builder().build().unwrap();
    assert_eq!(both.versions(), ["TLSv1.3", "TLSv1.2", "TLSv1.1", "TLSv1"]);
    assert!(both.not_served().is_empty());
    // ArangoDB's digit for TLSv1.
    let digit = world.builder().versions("4").build().unwrap();
    assert_eq!((digit.versions(), digit.not_served().len()), (vec!["TLSv1"], 0));
}
