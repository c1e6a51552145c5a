//! `NativeLoader`: the version check of this library and the classes.
#![allow(unsafe_code, reason = "exported functions need an unsafe attribute; nothing else here does")]

use jni::EnvUnowned;
use jni::objects::{JClass, JString};

use crate::guard::guard;

/// The version of the package, and the number of the contract with the classes, which each change of a native method
/// increases.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "-7");

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeLoader_version<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
) -> JString<'local> {
    guard(&mut env, |env| Ok(JString::from_str(env, VERSION)?))
}
