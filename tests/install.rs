//! Files of `make install`, against which C and C++ programs are built.
//!
//! Builds the release libraries unless `make` has done so already. Writes below `build/` only.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

#[path = "recipes/process.rs"]
#[allow(dead_code, reason = "the recipes use more of it")]
mod process;

use process::{Finished, Running};

const PREFIX: &str = "/opt/brokertls";

/// A program that uses the header, a constant of the error table and a function of the library.
const PROGRAM: &str = r#"
#include <brokertls.h>
#include <stdio.h>

int main(void) {
    printf("%u %d\n", (unsigned)btls_abi_version(), (int)BTLS_WANT_READ);
    return BTLS_OK;
}
"#;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs `command` and returns what it printed; a failure shows everything it said.
fn succeed(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{command:?}: {status}\n{stdout}\n{stderr}");
    stdout.into_owned()
}

/// The folder that stands for the root of the file system: installed once, by the first test that asks.
fn installed() -> &'static Path {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let destination = root().join("build/install-test");
        if destination.exists() {
            fs::remove_dir_all(&destination).unwrap();
        }
        // Variables of a `make` that runs these tests are not for this one.
        succeed(
            Command::new("make")
                .current_dir(root())
                .args(["install", &format!("PREFIX={PREFIX}"), &format!("DESTDIR={}", destination.display())])
                .env_remove("MAKEFLAGS")
                .env_remove("MAKEOVERRIDES"),
        );
        destination
    })
}

fn pkg_config(arguments: &[&str]) -> Vec<String> {
    let folder = installed().join("opt/brokertls/lib/pkgconfig");
    let printed = succeed(
        Command::new("pkg-config")
            .env("PKG_CONFIG_PATH", folder)
            .env("PKG_CONFIG_SYSROOT_DIR", installed())
            .args(arguments)
            .arg("brokertls"),
    );
    printed.split_whitespace().map(str::to_owned).collect()
}

/// Compiles `PROGRAM` as `name` and returns what it prints.
fn build_and_run(name: &str, compiler: &[&str], flags: &[String]) -> String {
    let folder = installed().join("programs");
    fs::create_dir_all(&folder).unwrap();
    let source = folder.join(format!("{name}.c"));
    let program = folder.join(name);
    fs::write(&source, PROGRAM).unwrap();
    let language = if compiler[0] == "g++" { "c++" } else { "c" };
    succeed(
        Command::new(compiler[0])
            .args(&compiler[1..])
            .args(["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-x", language])
            .arg(&source)
            .args(["-x", "none", "-o"])
            .arg(&program)
            .args(flags),
    );
    let libraries = installed().join("opt/brokertls/lib");
    succeed(Command::new(&program).env("LD_LIBRARY_PATH", libraries))
}

/// The C programs of a page: what stands between "```c" and "```".
fn examples(page: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join(page)).unwrap();
    let blocks = text.split("\n```c\n").skip(1);
    blocks.map(|block| block.split("\n```\n").next().unwrap_or_default().to_owned() + "\n").collect()
}

fn shared_flags() -> Vec<String> {
    pkg_config(&["--cflags", "--libs"])
}

/// As README.md says: the archive by its file name, with what it needs from the system.
fn static_flags() -> Vec<String> {
    let mut flags = pkg_config(&["--cflags", "--libs", "--static"]);
    for flag in flags.iter_mut().filter(|flag| *flag == "-lbrokertls") {
        *flag = "-l:libbrokertls.a".to_owned();
    }
    flags
}

#[test]
fn install_puts_every_file_where_prefix_and_destdir_say() {
    let prefix = installed().join("opt/brokertls");
    for file in [
        "include/brokertls.h",
        "include/brokertls_convert.h",
        "include/brokertls_errors.h",
        "lib/libbrokertls.so.0.1.0",
        "lib/libbrokertls.a",
        "lib/libbrokertls_legacy.so",
        "lib/.debug/libbrokertls.so.0.1.0.debug",
        "lib/cmake/brokertls/brokertlsConfig.cmake",
        "lib/cmake/brokertls/brokertlsConfigVersion.cmake",
        "lib/pkgconfig/brokertls.pc",
        "bin/brokertls",
        "share/man/man1/brokertls.1",
        "share/man/man3/btls_conn.3",
        "share/doc/brokertls/LICENSE-APACHE",
        "share/doc/brokertls/LICENSE-MIT",
        "share/doc/brokertls/THIRD-PARTY.txt",
    ] {
        assert!(prefix.join(file).symlink_metadata().unwrap().is_file(), "{file}");
    }
    let link = |name: &str| fs::read_link(prefix.join("lib").join(name)).unwrap();
    assert_eq!(link("libbrokertls.so.0"), Path::new("libbrokertls.so.0.1.0"));
    assert_eq!(link("libbrokertls.so"), Path::new("libbrokertls.so.0"));
}

/// The command is linked like the library, and the library of the second engine has more.
#[test]
fn installed_notices_name_every_crate_that_is_linked_and_hold_their_licences() {
    let folder = installed().join("opt/brokertls/share/doc/brokertls");
    for name in ["LICENSE-APACHE", "LICENSE-MIT"] {
        assert_eq!(fs::read(folder.join(name)).unwrap(), fs::read(root().join(name)).unwrap());
    }
    let notices = fs::read_to_string(folder.join("THIRD-PARTY.txt")).unwrap();
    let listed: Vec<_> = notices.lines().skip(2).take_while(|line| !line.is_empty()).collect();
    let mut linked = 0;
    for package in ["brokertls", "brokertls-legacy"] {
        let mut tree = Command::new("cargo");
        tree.current_dir(root()).args(["tree", "--locked", "--package", package, "--edges", "normal,no-proc-macro"]);
        for line in succeed(tree.args(["--prefix", "none", "--format", "{p}"])).lines() {
            // Packages of this project have their folder behind the version.
            let Some((name, version)) = line.trim_end_matches(" (*)").split_once(" v").filter(|_| !line.contains('/'))
            else {
                continue;
            };
            let start = format!("{name} {version} (");
            assert!(listed.iter().any(|one| one.starts_with(&start)), "{start}{listed:#?}");
            // Once in the list, and once above the licence.
            assert!(notices.lines().any(|above| above == format!("{name} {version}")), "{name}");
            linked += 1;
        }
    }
    assert!(linked > 30, "{linked}");
    assert!(notices.contains("Rust standard library ") && notices.contains("OUT OF OR IN CONNECTION"));
}

/// The commands of `make` for Rust of another host, without running them.
fn make_for(host: &str, target: &str) -> Output {
    let mut make = Command::new("make");
    make.current_dir(root()).args(["-n", "-B", target, &format!("RUST_HOST={host}")]);
    make.env_remove("MAKEFLAGS").env_remove("MAKEOVERRIDES").env_remove("PLATFORMS").output().unwrap()
}

#[test]
fn jar_has_the_library_of_the_platform_that_rust_compiles_for() {
    let others = |host| String::from_utf8(make_for(host, "natives").stdout).unwrap();
    for (host, platform) in [
        ("x86_64-unknown-linux-gnu", "linux-x86_64"),
        ("aarch64-unknown-linux-gnu", "linux-aarch64"),
        ("x86_64-unknown-linux-musl", "linux-x86_64-musl"),
        ("aarch64-alpine-linux-musl", "linux-aarch64-musl"),
    ] {
        let printed = others(host);
        let has = |text: String| assert!(printed.contains(&text), "{text}: {printed}");
        has(format!("build/java/native -Dnative.platform={platform} "));
        has(format!("META-INF/native/{platform}/libbrokertls_jni.so.new"));
        // The library is not linked for glibc on musl, and the other platforms are built once each.
        assert_eq!(printed.contains("import ziglang"), !host.ends_with("musl"), "{host}");
        assert_eq!(printed.contains("-Ctarget-feature=-crt-static"), host.ends_with("musl"), "{host}");
        let all = ["linux-x86_64", "linux-aarch64", "linux-x86_64-musl", "linux-aarch64-musl"];
        has(format!(
            "for platform in {};",
            all.into_iter().filter(|one| *one != platform).collect::<Vec<_>>().join(" ")
        ));
    }
    let other = make_for("riscv64gc-unknown-linux-gnu", "java");
    assert!(!other.status.success());
    let said = String::from_utf8(other.stderr).unwrap();
    assert!(said.contains("the jar has no platform for programs of riscv64gc-unknown-linux-gnu; it has"), "{said}");
    assert!(make_for("riscv64gc-unknown-linux-gnu", "build").status.success());
}

/// Every function that the headers declare, by the first line of its declaration.
fn functions() -> Vec<String> {
    let read = |name: &str| fs::read_to_string(root().join("include").join(name)).unwrap();
    let headers = read("brokertls.h") + &read("brokertls_convert.h");
    let lines = headers.lines().filter(|line| !line.starts_with([' ', '/']) && line.contains('('));
    let names = lines.filter_map(|line| line.split('(').next()?.rsplit([' ', '*']).next());
    names.filter(|name| name.starts_with("btls_")).map(str::to_owned).collect()
}

#[test]
fn every_function_has_a_manual_page_by_its_name() {
    let pages = installed().join("opt/brokertls/share/man");
    let functions = functions();
    assert!(functions.len() > 100, "{}", functions.len());
    for function in functions {
        let mut man = Command::new("man");
        let shown = succeed(man.env("MANPATH", &pages).env("MANWIDTH", "80").env("LC_ALL", "C").args(["3", &function]));
        assert!(shown.contains(&format!("{function}(")), "{function}: {shown}");
    }
}

/// The manual pages themselves, without the links to them.
fn manual_pages() -> Vec<PathBuf> {
    let folders = ["man1", "man3"].map(|folder| installed().join("opt/brokertls/share/man").join(folder));
    let pages = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap()).map(|entry| entry.unwrap().path());
    pages.filter(|page| !fs::read_to_string(page).unwrap().starts_with(".so ")).collect()
}

#[test]
fn mandoc_and_man_have_no_complaint_about_a_manual_page() {
    assert!(manual_pages().len() > 6);
    for page in manual_pages() {
        let lint = Command::new("mandoc").arg("-Tlint").arg(&page).output().unwrap();
        let said = String::from_utf8(lint.stdout).unwrap() + &String::from_utf8(lint.stderr).unwrap();
        // mandoc looks for other pages in the folders of the system only.
        let complaints: Vec<_> = said.lines().filter(|line| !line.contains("referenced manual not found")).collect();
        assert!(complaints.is_empty(), "{complaints:#?}");
        let mut man = Command::new("man");
        // Long names do not fit into narrow lines.
        man.env("LC_ALL", "C").env("MANWIDTH", "100").args(["--warnings", "-E", "UTF-8", "-Tutf8", "-Z", "-l"]);
        let output = man.arg(&page).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn manual_pages_refer_to_installed_pages() {
    let folder = installed().join("opt/brokertls/share/man");
    for page in manual_pages() {
        let text = fs::read_to_string(&page).unwrap();
        for reference in text.lines().filter_map(|line| line.split_once(".Xr ").or_else(|| line.split_once(" Xr "))) {
            let (name, number) = reference.1.split_once(' ').unwrap();
            let number = &number[..1];
            assert!(folder.join(format!("man{number}/{name}.{number}")).exists(), "{}: {name}", page.display());
        }
    }
}

/// Every language that the header is for, and every compiler.
#[test]
fn header_compiles_without_a_warning_in_every_standard_of_c_and_cxx() {
    let source = installed().join("every_standard.c");
    fs::write(&source, "#include <brokertls.h>\n").unwrap();
    let c = ["c99", "c11", "c17", "c2x"].map(|standard| ("c", standard));
    let cxx = ["c++98", "c++11", "c++14", "c++17", "c++20", "c++2b"].map(|standard| ("c++", standard));
    for (language, standard) in c.into_iter().chain(cxx) {
        for compiler in ["gcc", "clang"] {
            let mut command = Command::new(compiler);
            command.args(["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror", "-fsyntax-only"]);
            command.arg(format!("-std={standard}")).args(["-x", language]).arg(&source);
            succeed(command.args(pkg_config(&["--cflags"])));
        }
    }
}

/// An enum of a fixed type is a part of C23. clang has it as an extension before it calls itself a compiler of C23.
#[test]
fn header_compiles_with_the_enums_of_c23() {
    let source = installed().join("enums_of_c23.c");
    fs::write(&source, "#include <brokertls.h>\nint is_one(enum btls_category category);\n").unwrap();
    let mut command = Command::new("clang");
    command.args(["-std=c2x", "-U__STDC_VERSION__", "-D__STDC_VERSION__=202311L", "-Wno-builtin-macro-redefined"]);
    command.args(["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wno-fixed-enum-extension", "-Werror"]);
    succeed(command.args(["-fsyntax-only", "-x", "c"]).arg(&source).args(pkg_config(&["--cflags"])));
}

#[test]
fn installed_files_hold_no_path_of_the_machine_that_built_them() {
    let home = |variable| std::env::var_os(variable).map(PathBuf::from);
    let cargo = home("CARGO_HOME").unwrap_or_else(|| home("HOME").unwrap().join(".cargo"));
    for file in ["lib/libbrokertls.so", "lib/libbrokertls.a", "lib/libbrokertls_legacy.so", "bin/brokertls"] {
        let content = fs::read(installed().join("opt/brokertls").join(file)).unwrap();
        for folder in [cargo.join("registry"), root().join("src"), root().join("target")] {
            let folder = folder.to_str().unwrap();
            assert!(memchr::memmem::find(&content, folder.as_bytes()).is_none(), "{file} names {folder}");
        }
        // Without this, a library that names no source at all would pass for the wrong reason.
        assert!(memchr::memmem::find(&content, b"/cargo/registry").is_some(), "{file}");
    }
}

#[test]
fn pkg_config_file_names_prefix_and_version_but_not_destdir() {
    let text = fs::read_to_string(installed().join("opt/brokertls/lib/pkgconfig/brokertls.pc")).unwrap();
    assert!(text.contains(&format!("prefix={PREFIX}\n")), "{text}");
    assert!(text.contains("libdir=${prefix}/lib\n"), "{text}");
    assert!(text.contains(&format!("Version: {}\n", env!("CARGO_PKG_VERSION"))), "{text}");
    assert!(!text.contains(['@']), "a placeholder is left: {text}");
    assert!(!text.contains("install-test"), "{text}");
}

/// Configures and builds a project with these arguments of `find_package`; gives what the program needs and prints.
fn build_with_cmake(name: &str, find: &str) -> [String; 2] {
    let folder = installed().join("programs").join(name);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("program.c"), PROGRAM).unwrap();
    let project = format!(
        "cmake_minimum_required(VERSION 3.16)\nproject(program C)\nfind_package(brokertls {find})\n\
         add_executable(program program.c)\ntarget_link_libraries(program PRIVATE brokertls::brokertls)\n"
    );
    fs::write(folder.join("CMakeLists.txt"), project).unwrap();
    let prefix = format!("-DCMAKE_PREFIX_PATH={}", installed().join("opt/brokertls").display());
    succeed(Command::new("cmake").arg("-S").arg(&folder).arg("-B").arg(folder.join("build")).arg(prefix));
    succeed(Command::new("cmake").arg("--build").arg(folder.join("build")));
    let program = folder.join("build/program");
    [succeed(Command::new("readelf").arg("-d").arg(&program)), succeed(&mut Command::new(&program))]
}

#[test]
fn cmake_package_links_the_shared_library() {
    let [needed, printed] = build_with_cmake("cmake_shared", "0.1 REQUIRED");
    assert!(needed.contains("[libbrokertls.so.0]"), "{needed}");
    assert_eq!(printed, "0 1\n");
}

#[test]
fn cmake_package_links_the_static_library_when_it_is_asked_to() {
    let [needed, printed] = build_with_cmake("cmake_static", "REQUIRED COMPONENTS static");
    assert!(!needed.contains("libbrokertls"), "{needed}");
    assert_eq!(printed, "0 1\n");
}

#[test]
fn cmake_package_of_a_later_version_is_not_found() {
    let folder = installed().join("programs/cmake_later");
    fs::create_dir_all(&folder).unwrap();
    fs::write(
        folder.join("CMakeLists.txt"),
        "cmake_minimum_required(VERSION 3.16)\nproject(program NONE)\nfind_package(brokertls 0.2 REQUIRED)\n",
    )
    .unwrap();
    let prefix = format!("-DCMAKE_PREFIX_PATH={}", installed().join("opt/brokertls").display());
    let mut cmake = Command::new("cmake");
    let output = cmake.arg("-S").arg(&folder).arg("-B").arg(folder.join("build")).arg(prefix).output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("0.2"));
}

#[test]
fn c_program_runs_with_the_installed_shared_library() {
    assert_eq!(build_and_run("c_shared", &["gcc", "-std=c99"], &shared_flags()), "0 1\n");
}

#[test]
fn cxx_program_runs_with_the_installed_shared_library() {
    assert_eq!(build_and_run("cxx_shared", &["g++", "-std=c++11"], &shared_flags()), "0 1\n");
}

#[test]
fn c_program_runs_with_the_installed_static_library() {
    assert_eq!(build_and_run("c_static", &["gcc", "-std=c99"], &static_flags()), "0 1\n");
    let needed = succeed(Command::new("readelf").arg("-d").arg(installed().join("programs/c_static")));
    assert!(!needed.contains("libbrokertls"), "{needed}");
}

#[test]
fn cxx_program_runs_with_the_installed_static_library() {
    assert_eq!(build_and_run("cxx_static", &["g++", "-std=c++11"], &static_flags()), "0 1\n");
}

#[test]
fn c_program_runs_when_everything_is_linked_statically() {
    assert_eq!(build_and_run("c_all_static", &["gcc", "-std=c99", "-static"], &static_flags()), "0 1\n");
}

#[test]
fn installed_command_runs_without_the_libraries_beside_it() {
    let command = installed().join("opt/brokertls/bin/brokertls");
    let printed = succeed(Command::new(command).arg("--version").env_remove("LD_LIBRARY_PATH"));
    assert_eq!(printed, format!("brokertls {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn examples_of_the_readme_and_the_manual_compile_as_c_and_cxx() {
    for page in ["README.md", "docs/howto.md", "docs/users.md"] {
        let examples = examples(page);
        assert!(!examples.is_empty(), "{page}");
        for (number, example) in examples.iter().enumerate() {
            let name = page.replace(['/', '.'], "_");
            let source = installed().join(format!("{name}_{number}.c"));
            fs::write(&source, example).unwrap();
            for (compiler, language) in [("gcc", "c"), ("g++", "c++")] {
                let mut command = Command::new(compiler);
                command.args(["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-x", language, "-c", "-o", "/dev/null"]);
                succeed(command.arg(&source).args(pkg_config(&["--cflags"])));
            }
        }
    }
}

/// A folder with the program of README.md, compiled as the page says.
fn broker_of_the_readme() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = installed().join("readme");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("broker.c"), examples("README.md").remove(0)).unwrap();
        let mut compiler = Command::new("cc");
        succeed(compiler.current_dir(&folder).args(["-o", "broker", "broker.c"]).args(shared_flags()));
        folder
    })
}

fn libraries() -> PathBuf {
    installed().join("opt/brokertls/lib")
}

#[test]
fn broker_of_the_readme_names_the_file_that_it_cannot_read_and_why() {
    let empty = broker_of_the_readme().join("empty");
    fs::create_dir_all(&empty).unwrap();
    let mut broker = Command::new("../broker");
    let output = broker.current_dir(&empty).env("LD_LIBRARY_PATH", libraries()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("BTLS_FILE_UNREADABLE: a file cannot be read: broker.ks: "), "{said}");
}

/// The commands of README.md that start with a word: lines with four spaces in front, joined at a backslash.
fn commands_of_the_readme(first: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join("README.md")).unwrap().replace("\\\n", "");
    let lines = text.lines().filter_map(|line| line.strip_prefix("    "));
    let found: Vec<_> = lines.filter(|line| line.starts_with(first)).map(str::to_owned).collect();
    assert!(!found.is_empty(), "{first}");
    found
}

#[test]
fn broker_of_the_readme_serves_the_client_of_the_readme_with_the_files_of_the_readme() {
    let folder = broker_of_the_readme();
    for command in commands_of_the_readme("keytool ") {
        succeed(Command::new("bash").args(["-ec", &command]).current_dir(folder));
    }
    let mut broker = Command::new("./broker");
    let broker = Running::start(broker.arg("0").current_dir(folder).env("LD_LIBRARY_PATH", libraries()));
    let port = broker.port(0, "listening on port ");
    let path = format!("{}:{}", installed().join("opt/brokertls/bin").display(), std::env::var("PATH").unwrap());
    let client = commands_of_the_readme("echo ").remove(0).replace(":8883", &format!(":{port}"));
    let output = Command::new("bash").args(["-c", &client]).current_dir(folder).env("PATH", path).output().unwrap();
    drop(broker);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert_eq!(output.stdout, b"hello\n", "{said}");
}

/// A program that builds a context with the second engine: of the library at the path of its second argument, if any.
const LEGACY_PROGRAM: &str = r#"
#include <brokertls.h>
#include <stdio.h>

int main(int count, char **arguments) {
    btls_context *context = NULL;
    btls_builder *builder = btls_builder_new();
    btls_builder_set(builder, "legacy-engine", "yes");
    btls_builder_set(builder, "psk-file", arguments[1]);
    if (count > 2)
        btls_builder_set(builder, "legacy-library", arguments[2]);
    if (btls_builder_build(builder, &context))
        printf("%s\n", btls_error_message(btls_builder_error(builder)));
    else
        printf("served\n");
    btls_context_free(context);
    btls_builder_free(builder);
    return 0;
}
"#;

/// A folder `bin` of its own with the program, and a file of pre-shared keys.
fn legacy_program(name: &str, flags: &[String]) -> (PathBuf, PathBuf) {
    let bin = installed().join("programs").join(name).join("bin");
    fs::create_dir_all(&bin).unwrap();
    let (source, program, keys) = (bin.join("program.c"), bin.join("program"), bin.join("init.psk"));
    fs::write(&source, LEGACY_PROGRAM).unwrap();
    fs::write(&keys, "device-7:00112233445566778899\n").unwrap();
    succeed(Command::new("gcc").args(["-std=c99", "-Wall", "-Werror", "-o"]).args([&program, &source]).args(flags));
    (program, keys)
}

fn legacy_library() -> PathBuf {
    libraries().join("libbrokertls_legacy.so")
}

#[test]
fn second_engine_is_found_beside_the_shared_library() {
    let flags = [shared_flags(), vec![format!("-Wl,-rpath,{}", libraries().display())]].concat();
    let (program, keys) = legacy_program("legacy_shared", &flags);
    // From another folder, without a word about where libraries are.
    let mut command = Command::new(program);
    assert_eq!(succeed(command.arg(keys).current_dir("/").env_remove("LD_LIBRARY_PATH")), "served\n");
}

#[test]
fn second_engine_is_found_by_a_program_with_the_static_library_in_lib_beside_its_folder() {
    let (program, keys) = legacy_program("legacy_static", &static_flags());
    let beside = program.parent().unwrap().parent().unwrap().join("lib");
    fs::create_dir_all(&beside).unwrap();
    fs::copy(legacy_library(), beside.join("libbrokertls_legacy.so")).unwrap();
    let mut command = Command::new(program);
    assert_eq!(succeed(command.arg(keys).current_dir("/").env_remove("LD_LIBRARY_PATH")), "served\n");
}

#[test]
fn second_engine_is_named_to_a_program_with_the_static_library() {
    let (program, keys) = legacy_program("legacy_named", &static_flags());
    let run = |library: &Path| succeed(Command::new(&program).arg(&keys).arg(library).env_remove("LD_LIBRARY_PATH"));
    assert_eq!(run(&legacy_library()), "served\n");
    let said = run(&libraries().join("libbrokertls.so"));
    assert!(said.contains("the second TLS engine cannot be used") && said.contains("it is another library"), "{said}");
}

#[test]
fn second_engine_is_refused_to_a_program_that_loads_no_libraries() {
    let flags = [static_flags(), vec!["-static".to_owned()]].concat();
    let (program, keys) = legacy_program("legacy_all_static", &flags);
    let said = succeed(Command::new(program).args([&keys, &legacy_library()]));
    assert!(said.contains("the second TLS engine cannot be used"), "{said}");
    assert!(said.contains("the program is linked with -static"), "{said}");
}

/// OpenSSL's client sends a line with these arguments.
fn s_client(port: &str, arguments: &str) {
    let fixed = format!("s_client -connect 127.0.0.1:{port} -quiet -no_ign_eof");
    let mut command = Command::new("openssl");
    let mut client = Running::start(command.args(fixed.split(' ')).args(arguments.split_whitespace()));
    client.send("ping\n");
    client.end_input();
    client.finish();
}

#[test]
fn installed_command_serves_old_clients_and_clients_with_keys_and_prints_who_they_are() {
    let folder = installed().join("legacy_command");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("init.psk"), "device-7:00112233445566778899\n").unwrap();
    let make = "openssl req -x509 -newkey rsa:2048 -nodes -keyout broker.key -out broker.pem -subj /CN=broker -days 30";
    succeed(Command::new("bash").args(["-c", make]).current_dir(&folder));
    let arguments = "serve --port 0 --connections 3 --cert broker.pem --key broker.key --legacy-engine \
                     --versions TLSv1.2,TLSv1.1,TLSv1 --psk-file init.psk";
    let mut command = Command::new(installed().join("opt/brokertls/bin/brokertls"));
    command.args(arguments.split_whitespace()).current_dir(&folder).env_remove("LD_LIBRARY_PATH");
    let server = Running::start(&mut command);
    let port = server.line(0, &["1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    let psk = "-tls1_2 -cipher PSK-AES128-GCM-SHA256 -psk_identity device-7 -psk";
    s_client(&port, &format!("{psk} 00112233445566778899"));
    s_client(&port, "-tls1 -cipher AES:@SECLEVEL=0");
    s_client(&port, &format!("{psk} 00ff"));
    let Finished { text: said, status } = server.finish();
    assert!(status.success(), "{said}");
    let has = |parts: &[&str]| said.lines().any(|line| parts.iter().all(|part| line.contains(part)));
    assert!(has(&["connected", "TLSv1.2, TLS_PSK_WITH_AES_128_GCM_SHA256", "PSK identity \"device-7\""]), "{said:?}");
    assert!(has(&["connected", ": TLSv1, TLS_", "no client certificate"]), "{said:?}");
    assert!(has(&["refused", "PSK_REFUSED", "\"device-7\": its secret is another one"]), "{said:?}");
}
