//! Links OpenSSL 4 as `openssl4-build` has built it.

fn main() {
    let root = std::env::var("DEP_OPENSSL4_ROOT").expect("openssl4-build names its folder");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-link-search=native={root}/lib");
    println!("cargo:rustc-link-lib=static=ssl");
    println!("cargo:rustc-link-lib=static=crypto");
}
