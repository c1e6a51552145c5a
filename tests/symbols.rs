//! The names that the built libraries show to the linker: those of the header and no others.
//!
//! Builds the release libraries unless `make` has done so already.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The library inside the jar of this machine.
fn java_library() -> String {
    let libc = if cfg!(target_env = "musl") { "-musl" } else { "" };
    format!("build/java/native/META-INF/native/linux-{}{libc}/libbrokertls_jni.so", std::env::consts::ARCH)
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The file `name` of the release build.
fn built(name: &str) -> PathBuf {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        let mut make = Command::new("make");
        make.current_dir(root()).args(["build", &java_library()]).env_remove("MAKEFLAGS").env_remove("MAKEOVERRIDES");
        let output = make.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    });
    root().join("build/release").join(name)
}

fn printed_by(program: &str, arguments: &[&str], file: &Path) -> String {
    let output = Command::new(program).args(arguments).arg(file).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    // A checksum in a section is printed as it is, and need not be text.
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Every name that `nm` shows as defined and global, weak ones with them.
fn defined(arguments: &[&str], file: &Path) -> BTreeSet<String> {
    let printed = printed_by("nm", arguments, file);
    let names = printed.lines().filter_map(|line| line.split_whitespace().nth(2)).map(|name| name.split('@').next());
    // The version is a symbol of its own.
    names.flatten().filter(|name| !name.starts_with("BROKERTLS_")).map(str::to_owned).collect()
}

/// Every function that the headers declare: the names before an opening parenthesis.
fn declared() -> BTreeSet<String> {
    let read = |name: &str| fs::read_to_string(root().join("include").join(name)).unwrap();
    let headers = read("brokertls.h") + &read("brokertls_convert.h");
    let code = headers.lines().filter(|line| !line.trim_start().starts_with(['*', '/']));
    let names =
        code.filter(|line| !line.starts_with("typedef")).filter_map(|line| line.split_once('(')).map(|(before, _)| {
            before.rsplit(|char: char| !char.is_alphanumeric() && char != '_').next().unwrap_or_default().to_owned()
        });
    names.filter(|name| name.starts_with("btls_")).collect()
}

#[test]
fn shared_library_exports_what_the_header_declares_and_nothing_else() {
    let exported = defined(&["-D", "--defined-only"], &built("libbrokertls.so"));
    assert!(!exported.is_empty());
    assert_eq!(exported, declared());
}

#[test]
fn symbols_of_the_shared_library_have_the_version_of_its_abi() {
    let symbols = printed_by("readelf", &["-W", "--dyn-syms"], &built("libbrokertls.so"));
    let exported = symbols.lines().filter(|line| line.contains(" btls_"));
    let names: Vec<_> = exported.filter_map(|line| line.split_whitespace().nth(7)).collect();
    assert_eq!(names.len(), declared().len());
    assert!(names.iter().all(|name| name.ends_with("@@BROKERTLS_0")), "{names:?}");
}

#[test]
fn shared_libraries_stay_loaded() {
    for file in [built("libbrokertls.so"), root().join(java_library())] {
        let dynamic = printed_by("readelf", &["-d"], &file);
        assert!(dynamic.lines().any(|line| line.contains("(FLAGS_1)") && line.contains("NODELETE")), "{dynamic}");
    }
}

#[test]
fn shared_library_names_the_file_that_has_its_debug_information() {
    let sections = printed_by("readelf", &["-SW"], &built("libbrokertls.so"));
    assert!(sections.contains(".gnu_debuglink") && sections.contains(".note.gnu.build-id"));
    assert!(!sections.contains(".debug_info"));
    let named = printed_by("readelf", &["-p", ".gnu_debuglink"], &built("libbrokertls.so"));
    let file = concat!("libbrokertls.so.", env!("CARGO_PKG_VERSION"), ".debug");
    assert!(named.contains(file), "{named}");
    let identity = |file: &Path| {
        let notes = printed_by("readelf", &["-n"], file);
        notes.lines().find(|line| line.contains("Build ID")).map(str::to_owned).unwrap()
    };
    assert_eq!(identity(&built(file)), identity(&built("libbrokertls.so")));
}

#[test]
fn static_library_has_no_section_groups() {
    let sections = printed_by("readelf", &["-gW"], &built("libbrokertls.a"));
    assert!(!sections.contains("COMDAT"), "{sections}");
}

#[test]
fn static_library_shows_what_the_header_declares_and_nothing_else() {
    assert_eq!(defined(&["-g", "--defined-only"], &built("libbrokertls.a")), declared());
}

#[test]
fn library_for_java_exports_native_methods_and_nothing_else() {
    built("libbrokertls.so");
    let exported = defined(&["-D", "--defined-only"], &root().join(java_library()));
    let known = |name: &str| name.starts_with("Java_io_brokertls_internal_") || name == "JNI_OnLoad";
    let others: Vec<_> = exported.iter().filter(|name| !known(name)).collect();
    assert!(exported.len() > 40 && others.is_empty(), "{} exported; {others:?}", exported.len());
}

#[test]
fn shared_library_has_the_soname_that_make_install_links() {
    let dynamic = printed_by("readelf", &["-d"], &built("libbrokertls.so"));
    assert!(dynamic.contains("Library soname: [libbrokertls.so.0]"), "{dynamic}");
    let makefile = fs::read_to_string(root().join("Makefile")).unwrap();
    assert!(makefile.contains("\nABI := 0\n"));
}

/// The libraries that a library or program asks the loader for.
fn needed_by(file: &Path) -> Vec<String> {
    let dynamic = printed_by("readelf", &["-d"], file);
    let needed = dynamic.lines().filter(|line| line.contains("(NEEDED)"));
    needed.map(|line| line.split(['[', ']']).nth(1).unwrap_or_default().to_owned()).collect()
}

/// Among them are neither libssl nor libcrypto: the library of the second engine alone needs OpenSSL.
#[test]
fn libraries_and_the_command_need_only_the_c_library() {
    for file in [built("libbrokertls.so"), built("brokertls"), root().join(java_library())] {
        let needed = needed_by(&file);
        assert!(!needed.is_empty(), "{}", file.display());
        let known = ["libc.so", "libm.so", "libgcc_s.so", "libpthread.so", "libdl.so", "ld-linux"];
        let others: Vec<_> = needed.iter().filter(|name| !known.iter().any(|known| name.starts_with(known))).collect();
        assert!(others.is_empty(), "{}: {others:?}", file.display());
    }
}

#[test]
fn library_of_the_second_engine_needs_openssl_3_and_exports_its_table_alone() {
    let library = built("libbrokertls_legacy.so");
    let needed = needed_by(&library);
    let needs = |name: &str| needed.iter().any(|one| one.starts_with(name));
    assert!(needs("libssl.so.") && needs("libcrypto.so."), "{needed:?}");
    let exported: Vec<_> = defined(&["-D", "--defined-only"], &library).into_iter().collect();
    assert_eq!(exported, ["brokertls_legacy_table"]);
}
