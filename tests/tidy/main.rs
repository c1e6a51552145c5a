//! The rules of CONTRIBUTING.md that a program can check. Reads the tree, changes nothing.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod circles;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The rooms of the core from the bottom up: each may use its own level and those before it.
///
/// `certificate` stands low because every room that names a certificate in a message describes it the same way.
const LEVELS: &[&[&str]] = &[
    &["error"],
    &["der"],
    &["fork"],
    &["random"],
    &["certificate", "signature"],
    &["logging"],
    &["policy"],
    &["keystore"],
    &["fetch"],
    &["revocation"],
    &["verify"],
    &["identity"],
    &["session"],
    &["revoked"],
    &["legacy"],
    &["connection"],
    &["bridge"],
    &["idle"],
    &["config"],
    &["context"],
    &["convert"],
    &["stream"],
    &["ffi"],
];

/// Rooms that hold only text, and rooms of no subject, which may not exist.
const TEXT: &str = "manual";
const SHAPELESS: &[&str] = &["util", "utils", "common", "misc", "helper", "helpers"];

const FILE_LINES_MAX: usize = 600;

struct Source {
    path: PathBuf,
    text: String,
}

impl Source {
    /// The path below the root of the project, with forward slashes.
    fn name(&self) -> String {
        let name = self.path.strip_prefix(root()).unwrap();
        name.components().map(|part| part.as_os_str().to_str().unwrap()).collect::<Vec<_>>().join("/")
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files below `folder` with a name that ends in one of `endings`, without build output.
fn files(folder: &str, endings: &[&str]) -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().map(|entry| entry.unwrap()) {
            let path = entry.path();
            let name = entry.file_name().into_string().unwrap();
            if path.is_dir() {
                let output = ["target", "build", "node_modules", ".git"].contains(&name.as_str());
                folders.extend((!output).then_some(path));
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                let text = fs::read_to_string(&path).unwrap();
                found.push(Source { path, text });
            }
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

fn rust_files() -> Vec<Source> {
    let mut found = files("src", &[".rs"]);
    found.extend(files("tests", &[".rs"]));
    found.extend(files("bindings", &[".rs"]));
    assert!(!found.is_empty());
    found
}

/// Fails with every complaint at once.
fn assert_none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn every_rust_file_opens_with_what_it_holds() {
    let silent = rust_files().into_iter().filter(|file| !file.text.starts_with("//!"));
    assert_none(&silent.map(|file| format!("{} does not open with a //! comment", file.name())).collect::<Vec<_>>());
}

#[test]
fn no_file_is_longer_than_the_limit() {
    let mut all = rust_files();
    all.extend(files("tests", &[".c", ".cc", ".h", ".sh"]));
    all.extend(files("bindings", &[".c", ".cc", ".h", ".sh"]));
    all.extend(files("docs", &[".c"]));
    all.extend(files("java", &[".java"]));
    // A table that a program writes is as long as what it is written from.
    all.retain(|file| file.name() != "java/src/main/java/io/brokertls/ErrorCode.java");
    let long = all.iter().map(|file| (file, file.text.lines().count())).filter(|(_, lines)| *lines > FILE_LINES_MAX);
    assert_none(&long.map(|(file, lines)| format!("{} has {lines} lines", file.name())).collect::<Vec<_>>());
}

#[test]
fn no_room_is_without_a_subject() {
    let shapeless = rust_files().into_iter().filter(|file| {
        file.path.iter().any(|part| SHAPELESS.contains(&part.to_str().unwrap().trim_end_matches(".rs")))
    });
    assert_none(&shapeless.map(|file| file.name()).collect::<Vec<_>>());
}

#[test]
fn text_files_are_clean() {
    let mut all = files(".", &[".rs", ".md", ".toml", ".c", ".cc", ".h", ".sh", ".java", ".in"]);
    all.retain(|file| !file.name().starts_with("tests/fixtures/"));
    let mut complaints = Vec::new();
    for file in &all {
        let name = file.name();
        for (number, line) in (1..).zip(file.text.split('\n')) {
            if line.ends_with([' ', '\t', '\r']) {
                complaints.push(format!("{name}:{number}: white space at the end of the line"));
            }
        }
        if !file.text.ends_with('\n') || file.text.ends_with("\n\n") {
            complaints.push(format!("{name}: does not end with exactly one line break"));
        }
    }
    assert_none(&complaints);
}

#[test]
fn nothing_is_left_for_later() {
    // Put together here, so that this file does not complain about itself.
    let marks = [["TO", "DO"].concat(), ["FIX", "ME"].concat(), ["XX", "X:"].concat(), ["#[ign", "ore"].concat()];
    let mut all = rust_files();
    all.extend(files("tests", &[".c", ".cc", ".h", ".sh"]));
    all.extend(files("bindings", &[".c", ".cc", ".h", ".sh"]));
    all.extend(files("docs", &[".c"]));
    all.extend(files("java", &[".java"]));
    all.extend(files("docs", &[".md"]));
    let mut complaints = Vec::new();
    for file in &all {
        for mark in marks.iter().filter(|mark| file.text.contains(mark.as_str())) {
            complaints.push(format!("{} holds {mark}", file.name()));
        }
    }
    assert_none(&complaints);
}

#[test]
fn rooms_use_only_the_rooms_below_them() {
    let mut complaints = Vec::new();
    for file in files("src", &[".rs"]) {
        let name = file.name();
        let room = name.trim_start_matches("src/").split(['/', '.']).next().unwrap().to_owned();
        if ["lib", "bin", TEXT].contains(&room.as_str()) {
            continue;
        }
        let Some(level) = LEVELS.iter().position(|level| level.contains(&room.as_str())) else {
            complaints.push(format!("{name}: the room {room} has no place in the order of tests/tidy/main.rs"));
            continue;
        };
        for used in rooms_named_in(&file.text) {
            if !LEVELS[..=level].iter().any(|level| level.contains(&used.as_str())) {
                complaints.push(format!("{name}: {room} may not use {used}"));
            }
        }
    }
    assert_none(&complaints);
}

/// The names that stand after `crate::`, also in a braced list, outside comments.
fn rooms_named_in(text: &str) -> Vec<String> {
    let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut rooms = Vec::new();
    for after in code.split("crate::").skip(1) {
        if let Some(list) = after.strip_prefix('{') {
            let list = list.split(';').next().unwrap_or_default();
            rooms.extend(first_names_of_list(list));
        } else {
            rooms.push(leading_name(after));
        }
    }
    rooms.retain(|room| !room.is_empty());
    rooms.dedup();
    rooms
}

/// The first name of each entry at the outer level of `a::{b, c}, d};`.
fn first_names_of_list(list: &str) -> Vec<String> {
    let mut depth = 0_usize;
    let mut entries = vec![String::new()];
    for char in list.chars() {
        match char {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => entries.push(String::new()),
            _ if depth == 0 => entries.last_mut().unwrap().push(char),
            _ => {}
        }
    }
    entries.iter().map(|entry| leading_name(entry.trim())).collect()
}

fn leading_name(text: &str) -> String {
    text.chars().take_while(|char| char.is_alphanumeric() || *char == '_').collect()
}

#[test]
fn every_entry_point_of_the_c_abi_is_guarded() {
    let mut complaints = Vec::new();
    for file in files("src/ffi", &[".rs"]) {
        let name = file.name();
        for (start, _) in file.text.match_indices("#[unsafe(no_mangle)]") {
            let after = &file.text[start..];
            let signature = after.split('{').next().unwrap_or_default();
            let function = signature.split("fn ").nth(1).map(leading_name).unwrap_or_default();
            if !function.starts_with("btls_") {
                complaints.push(format!("{name}: {function} is exported without the prefix btls_"));
            }
            let body = after.get(signature.len() + 1..).unwrap_or_default();
            let body = body.split("\n}").next().unwrap_or_default().trim();
            if !body.starts_with("guard") {
                complaints.push(format!("{name}: the body of {function} is not one call of guard"));
            }
        }
    }
    assert_none(&complaints);
}

/// The native methods of a Java class, by the name that JNI looks for.
fn natives_of(file: &Source) -> Vec<String> {
    let class = file.path.file_stem().unwrap().to_str().unwrap();
    let native = file.text.lines().filter(|line| line.contains(" static native "));
    let names = native.map(|line| line.split('(').next().unwrap_or_default().rsplit(' ').next().unwrap_or_default());
    names.map(|name| format!("Java_io_brokertls_internal_{class}_{name}")).collect()
}

#[test]
fn every_native_method_has_one_guarded_function_and_no_function_is_without() {
    let mut declared: Vec<String> = files("java/src/main/java", &[".java"])
        .iter()
        .filter(|file| file.name().contains("/internal/"))
        .flat_map(natives_of)
        .collect();
    declared.sort();
    let (mut exported, mut complaints) = (Vec::new(), Vec::new());
    for file in files("bindings/jni/src", &[".rs"]) {
        for part in file.text.split("#[unsafe(no_mangle)]").skip(1) {
            let function = part.split("fn ").nth(1).map(leading_name).unwrap_or_default();
            let body = part.split("\n}").next().unwrap_or_default();
            if !["guard(&mut env", "guard_bare(&mut env", "contain("].iter().any(|guard| body.contains(guard)) {
                complaints.push(format!("{}: {function} is not guarded", file.name()));
            }
            // The JVM calls it when the library is loaded.
            if function != "JNI_OnLoad" {
                exported.push(function);
            }
        }
    }
    exported.sort();
    assert_none(&complaints);
    assert_eq!(declared, exported);
}

#[test]
fn unsafe_blocks_of_the_jni_library_stand_where_pointers_are_kept() {
    let may = ["handles.rs", "host.rs", "memory.rs", "package.rs"];
    let block = ["unsafe", " {"].concat();
    let offenders = files("bindings/jni/src", &[".rs"]).into_iter().filter(|file| {
        let name = file.name();
        file.text.contains(&block) && !may.iter().any(|may| name.ends_with(may))
    });
    assert_none(&offenders.map(|file| format!("{} has unsafe code", file.name())).collect::<Vec<_>>());
}

#[test]
fn unsafe_code_stands_only_where_it_is_allowed() {
    let files_with = [
        "src/config/roots.rs",
        "src/connection/record/gcm.rs",
        "src/fork.rs",
        "src/legacy/calls.rs",
        "src/legacy/engine.rs",
        "src/legacy/loader.rs",
    ];
    let may =
        |name: &str| name.starts_with("src/ffi/") || name.starts_with("src/stream/") || files_with.contains(&name);
    let offenders = files("src", &[".rs"])
        .into_iter()
        .filter(|file| !may(&file.name()) && file.name() != "src/lib.rs" && file.text.contains("allow(unsafe_code)"));
    assert_none(&offenders.map(|file| format!("{} allows unsafe code", file.name())).collect::<Vec<_>>());
}

#[test]
fn generator_of_random_numbers_is_called_where_a_fork_waits_for_it() {
    let calls = ["aws_lc_rs::rand", "SystemRandom", "any_supported_type", "aws_lc_rs::kx_group", "EphemeralPrivateKey"];
    let offenders = files("src", &[".rs"])
        .into_iter()
        .filter(|file| file.name() != "src/random.rs" && calls.iter().any(|call| file.text.contains(call)));
    assert_none(&offenders.map(|file| format!("{} calls it", file.name())).collect::<Vec<_>>());
}

#[test]
fn every_file_of_a_test_is_compiled() {
    for folder in ["api", "cases", "data", "fuzz", "generated", "memory", "peers", "recipes", "tidy", "wording"] {
        let folder = format!("tests/{folder}");
        let folder = folder.as_str();
        for file in files(folder, &[".rs"]) {
            let inner = file.path.strip_prefix(root().join(folder)).unwrap();
            if inner == Path::new("main.rs") {
                continue;
            }
            // A folder's own file is named by the file of the folder above it.
            let module = if inner.ends_with("mod.rs") { file.path.parent().unwrap() } else { &file.path };
            let above = module.parent().unwrap();
            let names = fs::read_to_string(above.join("mod.rs")).or_else(|_| fs::read_to_string(above.join("main.rs")));
            let name = module.file_stem().unwrap().to_str().unwrap();
            assert!(names.unwrap().contains(&format!("mod {name};")), "{} is not compiled", file.name());
        }
    }
}

#[test]
fn only_the_tests_on_outside_data_name_it() {
    let marks = ["BTLS_DATA", "shared/data", "boringssl-ocsp", "mosquitto-ssl", "x509-limbo", "openssl-fuzz"];
    let all = [".rs", ".c", ".cc", ".h", ".sh", ".java", ".js", ".xml", ".toml", "Makefile"];
    let mut complaints = Vec::new();
    for file in files(".", &all) {
        let name = file.name();
        if name.starts_with("tests/data/") || name == "tests/tidy/main.rs" {
            continue;
        }
        // The Makefile hands the variable to the target for these tests, and knows no folder.
        let mut marks = marks.iter().filter(|mark| name != "Makefile" || **mark != "BTLS_DATA");
        complaints.extend(marks.find(|mark| file.text.contains(**mark)).map(|mark| format!("{name} names {mark}")));
    }
    assert_none(&complaints);
    let makefile = fs::read_to_string(root().join("Makefile")).unwrap();
    let target = makefile.split("\n\n").find(|rule| rule.starts_with("test-data:")).unwrap();
    let elsewhere = makefile.lines().filter(|line| line.contains("BTLS_DATA") && !target.contains(line));
    assert!(elsewhere.eq(makefile.lines().filter(|line| line.starts_with("#   make test-data "))));
}

#[test]
fn outside_data_that_is_not_given_or_incomplete_is_refused_with_each_missing_file() {
    let look = |data: &[&str]| {
        let output = Command::new(root().join("tests/data/look.sh")).args(data).output().unwrap();
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    for none in [&[][..], &[""]] {
        let (is_complete, said) = look(none);
        assert!(!is_complete && said.starts_with("BTLS_DATA is not set"), "{said}");
    }
    let (is_complete, said) = look(&["/nonexistent"]);
    assert!(!is_complete, "{said}");
    let listed = fs::read_to_string(root().join("tests/data/files.txt")).unwrap();
    for file in listed.lines() {
        assert!(said.lines().any(|line| line == format!("missing: /nonexistent/{file}")), "{file}: {said}");
    }
    assert!(said.contains(&format!("incomplete: {} files", listed.lines().count())), "{said}");
}
