//! `NativeLoader`: the version check of this library and the classes, and the library of the second engine.
#![allow(unsafe_code, reason = "exported functions need an unsafe attribute; nothing else here does")]

use std::path::Path;

use brokertls::ContextBuilder;
use jni::EnvUnowned;
use jni::objects::{JClass, JString};

use crate::guard::guard;
use crate::text::text;

/// The version of the package, and the number of the contract with the classes, which each change of a native method
/// increases.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "-13");

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeLoader_version<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
) -> JString<'local> {
    guard(&mut env, |env| Ok(JString::from_str(env, VERSION)?))
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeLoader_bringLegacy<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    file: JString<'local>,
) {
    guard(&mut env, |env| Ok(ContextBuilder::bring_legacy_library(Path::new(&text(env, &file)?))?));
}
