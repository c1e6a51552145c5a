//! The pages of the manual and the READMEs: their links lead somewhere, here and in rustdoc, and they name only what
//! there is.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The pages of `docs/`, as paths below the root of the project.
fn manual() -> Vec<String> {
    let names = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().file_name());
    let mut pages: Vec<_> = names.map(|name| format!("docs/{}", name.to_str().unwrap())).collect();
    pages.retain(|page| page.ends_with(".md"));
    pages.sort();
    assert!(pages.len() > 8, "{pages:?}");
    pages
}

/// The manual, and the pages beside it that readers come from.
fn all_pages() -> Vec<String> {
    let others = ["README.md", "java/README.md", "CONTRIBUTING.md", "CHANGELOG.md"];
    manual().into_iter().chain(others.map(str::to_owned)).collect()
}

/// The text of a page without its code, in which brackets mean something else.
fn prose(text: &str) -> String {
    let mut is_code = false;
    let lines = text.lines().filter(|line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence && !line.starts_with("    ")
    });
    lines.flat_map(|line| line.split('`').step_by(2).chain(["\n"])).collect()
}

/// The targets of `[text](target)`.
fn inline_links(text: &str) -> Vec<String> {
    text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap_or_default().to_owned()).collect()
}

/// The names in `[text][name]`.
fn references(text: &str) -> Vec<String> {
    text.split("][").skip(1).map(|rest| rest.split(']').next().unwrap_or_default().to_owned()).collect()
}

/// Pairs of a name and a target, of the lines `[name]: target`.
fn definitions(text: &str) -> Vec<(String, String)> {
    let lines = text.lines().filter_map(|line| line.strip_prefix('[')?.split_once("]: "));
    lines.map(|(name, target)| (name.to_owned(), target.to_owned())).collect()
}

/// The anchors of a page, as GitHub makes them of its headings.
fn anchors(page: &Path) -> HashSet<String> {
    let text = fs::read_to_string(page).unwrap();
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let anchor = |heading: &str| -> String {
        let kept = heading.to_lowercase().replace(' ', "-");
        kept.chars().filter(|char| char.is_alphanumeric() || ['-', '_'].contains(char)).collect()
    };
    headings.map(anchor).collect()
}

/// The complaint about a target that leads nowhere, seen from the folder of its page.
fn complaint(page: &str, target: &str) -> Option<String> {
    if target.starts_with("https://") {
        return None;
    }
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let folder = Path::new(page).parent().unwrap();
    let path: PathBuf = if file.is_empty() { root().join(page) } else { root().join(folder).join(file) };
    if !path.exists() {
        return Some(format!("{page}: {target} is no file"));
    }
    let is_found = anchor.is_empty() || anchors(&path).contains(anchor);
    (!is_found).then(|| format!("{page}: {target} is no heading"))
}

#[test]
fn every_link_of_a_page_leads_to_a_file_or_a_heading() {
    let mut complaints = Vec::new();
    for page in all_pages() {
        let text = prose(&read(&page));
        let defined = definitions(&text);
        let targets = inline_links(&text).into_iter().chain(defined.iter().map(|(_, target)| target.clone()));
        complaints.extend(targets.filter_map(|target| complaint(&page, &target)));
        let unknown = references(&text).into_iter().filter(|name| !defined.iter().any(|(known, _)| known == name));
        complaints.extend(unknown.map(|name| format!("{page}: [{name}] has no definition")));
    }
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn links_between_pages_of_the_manual_work_in_rustdoc_too() {
    let modules = read("src/manual.rs");
    for page in manual() {
        let text = prose(&read(&page));
        for target in inline_links(&text) {
            assert!(target.starts_with('#') || target.starts_with("https://"), "{page}: write {target} as a reference");
        }
        for (name, target) in definitions(&text) {
            assert_eq!(target, format!("{name}.md"), "{page}: rustdoc knows a reference by its page's name");
            let overridden = format!("#[doc = \"[{name}]: crate::manual::{name}\"]");
            assert!(modules.contains(&overridden), "src/manual.rs does not have {overridden}");
        }
    }
}

#[test]
fn every_page_of_the_manual_is_rendered() {
    let modules = read("src/manual.rs");
    for page in manual() {
        let name = page.trim_start_matches("docs/").trim_end_matches(".md");
        let line = format!("page!({name}, \"../{page}\");");
        assert!(modules.contains(&line), "src/manual.rs does not have {line}");
    }
}

#[test]
fn every_page_of_the_manual_is_linked_from_the_readme() {
    let linked = inline_links(&read("README.md"));
    let lost: Vec<_> = manual().into_iter().filter(|page| !linked.contains(page)).collect();
    assert!(lost.is_empty(), "{lost:?}");
}

/// The words of a page that are code and name a file of the project, with what follows `::`.
fn paths_in(text: &str) -> Vec<(&str, &str)> {
    const FOLDERS: &[&str] = &["src/", "tests/", "bindings/", "include/", "java/", "docs/", "findings/"];
    let code = text.split('`').skip(1).step_by(2).filter(|code| !code.contains([' ', '*', '\n', '(']));
    let paths = code.filter(|code| FOLDERS.iter().any(|folder| code.starts_with(folder)));
    paths.map(|path| path.split_once("::").unwrap_or((path, ""))).collect()
}

#[test]
fn files_and_tests_that_pages_name_are_there() {
    let mut complaints = Vec::new();
    for page in manual().into_iter().chain(["README.md".to_owned(), "CONTRIBUTING.md".to_owned()]) {
        let text = read(&page);
        let text = text.lines().filter(|line| !line.starts_with("```")).collect::<Vec<_>>().join("\n");
        for (path, test) in paths_in(&text) {
            if path.split('/').any(|folder| folder == "target") {
                complaints.push(format!("{page}: {path} is there after a build only"));
            } else if !root().join(path).exists() {
                complaints.push(format!("{page}: {path} is not there"));
            } else if !test.is_empty() && !read(path).contains(&format!("fn {test}(")) {
                complaints.push(format!("{page}: {path} has no test {test}"));
            }
        }
    }
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

/// The C code of a page: what stands between "```c" and "```".
fn c_blocks(text: &str) -> Vec<&str> {
    let blocks = text.split("\n```c\n").skip(1);
    blocks.map(|block| block.split("\n```\n").next().unwrap_or_default()).collect()
}

#[test]
fn code_of_the_page_on_connections_is_that_of_the_programs_that_are_run() {
    let files = fs::read_dir(root().join("docs/examples")).unwrap().map(|entry| entry.unwrap().path());
    let programs: Vec<_> = files.map(|path| (fs::read_to_string(&path).unwrap(), path)).collect();
    let page = read("docs/connections.md");
    let mut blocks = c_blocks(&page);
    let count = blocks.len();
    blocks.retain(|block| !programs.iter().any(|(program, _)| program.contains(&format!("\n{block}\n"))));
    assert!(count > 5 && blocks.is_empty(), "in no program of docs/examples:\n{}", blocks.join("\n...\n"));
    for (_, path) in &programs {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(page.contains(&format!("| `{name}` |")), "the page does not list {name}");
    }
}

#[test]
fn pages_name_only_what_the_headers_have() {
    let own = ["", "_errors", "_convert"].map(|part| read(&format!("include/brokertls{part}.h"))).concat();
    let headers = own + &read("bindings/rustls-ffi/include/brokertls_rustls.h");
    let known: HashSet<&str> = names_of_c(&headers).collect();
    assert!(known.contains("btls_conn_read"));
    let mut complaints = Vec::new();
    for page in manual().into_iter().chain(["README.md".to_owned()]) {
        let text = read(&page);
        let unknown = names_of_c(&text).filter(|name| !known.contains(name) && !name.ends_with('_'));
        complaints.extend(unknown.map(|name| format!("{page}: {name} is in no header")));
    }
    assert!(complaints.is_empty(), "{complaints:#?}");
}

/// The words of a text that start as this library's names in C do.
fn names_of_c(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
        .filter(|word| word.starts_with("btls_") || word.starts_with("BTLS_"))
}
