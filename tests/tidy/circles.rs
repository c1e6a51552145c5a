//! Circles of files in src: files that name each other, found from their `use` lines and the paths in their code.
//!
//! A path is followed through `pub use` to the file that defines the name. A mod.rs that re-exports a name uses it only
//! if the name also stands in the rest of its code. Otherwise it is the face of its room.

use std::collections::{BTreeMap, BTreeSet};

use super::{Source, assert_none, files};

/// The circles that stay, each with its reason.
const DEFENDED: &[(&[&str], &str)] = &[(
    &["src/keystore/pairing.rs", "src/keystore/store.rs"],
    "pairing has those methods of a store that make identities, from one store or from two",
)];

/// The segments of a path, such as `keystore`, `pem`, `Block`.
type Path = Vec<String>;

/// A module: its code without comments and tests, and its paths, each with true for those of a `pub use`.
struct Module {
    file: String,
    paths: Vec<(bool, Path)>,
}

#[test]
fn files_name_each_other_in_no_circle_but_the_defended_ones() {
    let found = circles(&modules(&files("src", &[".rs"])));
    let is_defended = |circle: &Vec<String>| DEFENDED.iter().any(|(files, _)| files == circle);
    let mut complaints: Vec<_> = found.iter().filter(|circle| !is_defended(circle)).map(|c| c.join(", ")).collect();
    let is_gone = |files: &[&str]| !found.iter().any(|circle| circle == files);
    complaints.extend(DEFENDED.iter().filter(|(files, _)| is_gone(files)).map(|(files, _)| format!("gone: {files:?}")));
    assert_none(&complaints);
}

#[test]
fn circle_is_found_through_a_face_an_alias_and_a_path_without_use() {
    let source = |name: &str, text: &str| Source { path: super::root().join(name), text: text.to_owned() };
    let sources = [
        source("src/lib.rs", "mod room;\nmod base;\npub use room::Thing;\n"),
        source("src/base.rs", "use crate::room::{self as r, inner::{Other, Third}};\n"),
        source("src/room/mod.rs", "mod inner;\nmod thing;\npub use thing::Thing;\n"),
        source("src/room/thing.rs", "// use super::inner::Other;\nfn of() -> super::inner::Other { todo }\n"),
        source("src/room/inner.rs", "use crate::room::Thing;\n#[cfg(test)]\nmod tests {\nuse crate::base::Base;\n}\n"),
    ];
    assert_eq!(circles(&modules(&sources)), [["src/room/inner.rs", "src/room/thing.rs"]]);
}

#[test]
fn circle_is_found_through_an_exported_name_that_the_face_itself_uses() {
    let source = |name: &str, text: &str| Source { path: super::root().join(name), text: text.to_owned() };
    let room = |face: &str| {
        let sources = [
            source("src/lib.rs", "mod room;\n"),
            source("src/room/mod.rs", &format!("mod part;\npub use part::{{part, Part}};\n{face}")),
            source("src/room/part.rs", "use super::Whole;\npub struct Part;\npub fn part() {}\n"),
        ];
        circles(&modules(&sources))
    };
    assert_eq!(room("pub struct Whole { part: Part }\n"), [["src/room/mod.rs", "src/room/part.rs"]]);
    assert!(room("// Part\npub struct Whole { parts: Parts }\n").is_empty());
}

fn modules(sources: &[Source]) -> BTreeMap<Path, Module> {
    let mut modules = BTreeMap::new();
    for source in sources.iter().filter(|source| !source.name().starts_with("src/bin/")) {
        let file = source.name();
        let stem = file.trim_start_matches("src/").trim_end_matches(".rs");
        let mut path: Path = stem.split('/').map(str::to_owned).collect();
        path.pop_if(|last| last == "mod" || last == "lib");
        let code = source.text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let is_code = |line: &&str| !line.trim_start().starts_with("//");
        let code: Vec<_> = code.lines().filter(is_code).collect();
        modules.insert(path, Module { file, paths: paths_of(&code.join("\n")) });
    }
    modules
}

/// The paths of the `use` items, then those that stand in the code.
fn paths_of(code: &str) -> Vec<(bool, Path)> {
    let (mut paths, mut rest) = (Vec::new(), String::new());
    for item in code.split_inclusive(';') {
        let start =
            item.rfind("\nuse ").or_else(|| item.rfind(" use ")).or_else(|| item.strip_prefix("use ").map(|_| 0));
        let Some(start) = start else {
            rest.push_str(item);
            continue;
        };
        let (before, tree) = item.split_at(start);
        let visibility = before.rsplit('\n').next().unwrap_or_default();
        let tree = tree.trim_start().trim_start_matches("use ").trim_end_matches(';');
        let expanded = expand(tree).into_iter().map(|path| (visibility.trim_start().starts_with("pub"), path));
        paths.extend(expanded);
        rest.push_str(before);
    }
    // A declaration of a module may have the name of its function, and does not use it.
    let uses = rest.lines().filter(|line| !(line.contains("mod ") && line.ends_with(';')));
    let names: BTreeSet<&str> =
        uses.flat_map(|line| line.split(|char: char| !char.is_alphanumeric() && char != '_')).collect();
    let is_named = |path: &Path| path.last().is_some_and(|name| names.contains(name.as_str()));
    let exports = paths.iter().filter(|(is_export, path)| *is_export && is_named(path));
    let used: Vec<_> = exports.map(|(_, path)| (false, path.clone())).collect();
    paths.extend(used);
    let is_of_path = |char: char| char.is_alphanumeric() || char == '_' || char == ':';
    let words = rest.split(|char| !is_of_path(char)).filter(|word| word.contains("::"));
    paths.extend(words.map(|word| (false, word.split("::").map(str::to_owned).collect())));
    paths
}

/// The paths of a tree such as `a::{b, c::{self, D as E}}`.
fn expand(tree: &str) -> Vec<Path> {
    let Some((prefix, list)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or_default();
        return vec![path.trim().split("::").map(|part| part.trim().to_owned()).collect()];
    };
    let list = list.rsplit_once('}').map_or(list, |(list, _)| list);
    let mut depth = 0_usize;
    let entries = list.split(|char| {
        depth += usize::from(char == '{');
        depth -= usize::from(char == '}');
        char == ',' && depth == 0
    });
    let whole = |entry: &str| format!("{}{}", prefix.trim(), entry.trim());
    entries.filter(|entry| !entry.trim().is_empty()).flat_map(|entry| expand(&whole(entry))).collect()
}

/// The path from the root of the crate; none for a path of another crate or a local name.
fn absolute(modules: &BTreeMap<Path, Module>, module: &Path, path: &Path) -> Option<Path> {
    let ups = path.iter().take_while(|part| *part == "super").count();
    let (base, rest) = match path.first()?.as_str() {
        "crate" => (&[][..], &path[1..]),
        "super" => (&module[..module.len().checked_sub(ups)?], &path[ups..]),
        "self" => (&module[..], &path[1..]),
        child => {
            let is_child = modules.contains_key(&[module.as_slice(), &[child.to_owned()]].concat());
            (is_child.then_some(&module[..])?, &path[..])
        }
    };
    Some([base, rest].concat()).map(|path: Path| path.into_iter().filter(|part| part != "self").collect())
}

/// The module that defines the end of a path, through re-exports.
fn resolve(modules: &BTreeMap<Path, Module>, exports: &BTreeMap<Path, Path>, path: &Path) -> Option<Path> {
    let mut path = path.clone();
    // A re-export of a re-export, and so on, has an end.
    for _ in 0..8 {
        let length = (0..=path.len()).rev().find(|length| modules.contains_key(&path[..*length]))?;
        let Some(name) = path.get(..length + 1) else { return Some(path[..length].to_vec()) };
        let Some(target) = exports.get(name) else { return Some(path[..length].to_vec()) };
        path = [target.as_slice(), &path[length + 1..]].concat();
    }
    None
}

/// The groups of files that reach each other, each group sorted.
fn circles(modules: &BTreeMap<Path, Module>) -> Vec<Vec<String>> {
    let mut exports = BTreeMap::new();
    let absolutes = |module: &Path, wants_exports: bool| {
        let paths = modules[module].paths.iter().filter(move |(is_export, _)| *is_export == wants_exports);
        paths.filter_map(|(_, path)| absolute(modules, module, path)).collect::<Vec<_>>()
    };
    for module in modules.keys() {
        for path in absolutes(module, true) {
            let name = path.last().cloned();
            exports.insert(module.iter().cloned().chain(name).collect::<Path>(), path);
        }
    }
    let used = |module: &Path| -> BTreeSet<Path> {
        let resolved = absolutes(module, false).into_iter().filter_map(|path| resolve(modules, &exports, &path));
        resolved.filter(|target| target != module && !target.is_empty()).collect()
    };
    let uses: BTreeMap<&Path, BTreeSet<Path>> = modules.keys().map(|module| (module, used(module))).collect();
    let reach = |module: &Path| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![module.clone()]);
        while let Some(next) = open.pop() {
            open.extend(uses[&next].iter().filter(|target| seen.insert((*target).clone())).cloned());
        }
        seen
    };
    let reached: BTreeMap<&Path, BTreeSet<Path>> = modules.keys().map(|module| (module, reach(module))).collect();
    let circle = |module: &Path| -> Vec<String> {
        let back = reached[module].iter().filter(|other| reached[other].contains(module));
        let mut circle: Vec<_> = back.map(|module| modules[module].file.clone()).collect();
        circle.sort();
        circle
    };
    let all: BTreeSet<Vec<String>> = modules.keys().map(circle).filter(|circle| !circle.is_empty()).collect();
    all.into_iter().collect()
}
