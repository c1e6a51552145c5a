//! Keeps the library loaded. The JVM unloads it with its class loader, but threads still have destructors in it.

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let target = |name: &str| env::var(name).unwrap_or_default();
    let is_unix = target("CARGO_CFG_TARGET_FAMILY").split(',').any(|family| family == "unix");
    if is_unix && target("CARGO_CFG_TARGET_VENDOR") != "apple" {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
