//! Links the installed copy of the library that `make bench` has put under build/stage.

fn main() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../build/stage/lib");
    println!("cargo:rerun-if-changed={folder}/libbrokertls.so");
    println!("cargo:rustc-link-search=native={folder}");
    println!("cargo:rustc-link-lib=dylib=brokertls");
    println!("cargo:rustc-link-arg=-Wl,-rpath,{folder}");
}
