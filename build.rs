//! Gives the shared library its SONAME, and has it stay loaded. Reads nothing and writes nothing into the tree.
//!
//! Threads that have used the library have destructors in it, under a key of the process that is never given back. A
//! program that unloads it and loads it again would run out of keys, and threads that end meanwhile would call what is
//! not there.

use std::env;

/// The number of the C ABI: a program linked against one number never loads a library of another.
const ABI: u32 = 0;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let target = |name: &str| env::var(name).unwrap_or_default();
    if target("CARGO_CFG_TARGET_VENDOR") == "apple" {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-install_name,@rpath/libbrokertls.{ABI}.dylib");
    } else if target("CARGO_CFG_TARGET_FAMILY").split(',').any(|family| family == "unix") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libbrokertls.so.{ABI}");
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
