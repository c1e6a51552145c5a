//! Compiles each program of `tests/bench/c` twice: with this library, as `make stage` has installed it, and with
//! OpenSSL.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The programs, and if they have clients in memory, which are of this library with either server.
const PROGRAMS: [(&str, bool); 3] = [("idle", true), ("scaling", true), ("echo", false)];

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sources = folder.join("../c");
    let stage = folder.join("../../../build/stage");
    let openssl = PathBuf::from(std::env::var_os("DEP_OPENSSL4_ROOT").expect("set by the package that builds OpenSSL"));
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed={}", sources.display());
    println!("cargo:rerun-if-changed={}", stage.join("lib/libbrokertls.so").display());
    for (program, has_clients) in PROGRAMS {
        compile(program, "brokertls", has_clients, &sources, &stage, &openssl);
        compile(program, "openssl", has_clients, &sources, &stage, &openssl);
    }
}

fn compile(program: &str, library: &str, has_clients: bool, sources: &Path, stage: &Path, openssl: &Path) {
    let output = PathBuf::from(std::env::var_os("OUT_DIR").expect("set by cargo")).join(format!("{program}-{library}"));
    let mut compiler = Command::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into()));
    compiler.args(["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-pthread", "-o"]).arg(&output);
    compiler.arg(sources.join(format!("{program}.c"))).arg(sources.join(format!("server_{library}.c")));
    if has_clients {
        compiler.arg(sources.join("client.c"));
    }
    if library == "openssl" {
        compiler.arg("-I").arg(openssl.join("include"));
        compiler.arg(openssl.join("lib/libssl.a")).arg(openssl.join("lib/libcrypto.a")).arg("-ldl");
    }
    if library == "brokertls" || has_clients {
        let lib = stage.join("lib");
        compiler.arg("-I").arg(stage.join("include")).arg("-L").arg(&lib).arg("-lbrokertls");
        compiler.arg(format!("-Wl,-rpath,{}", lib.display()));
    }
    let status = compiler.status().expect("a C compiler is installed");
    assert!(status.success(), "{program}.c does not compile with {library}");
    println!("cargo:rustc-env={}_{}={}", program.to_uppercase(), library.to_uppercase(), output.display());
}
