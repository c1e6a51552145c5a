//! Builds OpenSSL 4 with its assembler code, as static libraries below the output folder.

fn main() {
    let built = openssl_src::Build::new().build();
    let root = built.lib_dir().parent().expect("the libraries are in a folder of the installation").to_owned();
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:root={}", root.display());
    println!("cargo:rustc-env=OPENSSL4_ROOT={}", root.display());
}
