//! The items of the C API, as cbindgen reads them from `src/ffi`: constants, types and functions with their comments.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::text::Doc;

/// A constant, a type or a function of the header.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) doc: Doc,
}

/// The declaration of an item, without its comment.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// A number, and the named type that the source gives it.
    Constant { value: String, of: Option<String> },
    /// A named type of numbers: `typedef int32_t name`.
    Choice { underlying: String },
    /// A type with hidden content.
    Opaque,
    /// A type with public fields.
    Fields(Vec<Item>),
    /// A function or the type of one: the text before the parameters, the parameters, the text behind them.
    Function { before: String, parameters: Vec<String>, is_type: bool },
    /// A field of a type with public fields: its whole declaration.
    Field(String),
}

/// The files of `src/ffi`. `mod.rs` has no items, and would be followed by cbindgen to the others.
fn sources() -> Vec<PathBuf> {
    let (mut folders, mut found) = (vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ffi")], Vec::new());
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            match path.is_dir() {
                true => folders.push(path),
                false => found.extend((!path.ends_with("mod.rs")).then_some(path)),
            }
        }
    }
    found.sort();
    assert!(!found.is_empty());
    found
}

/// Every item, by name, and the constants in the order of the source.
pub(crate) fn read() -> Vec<Item> {
    let sources = sources();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).unwrap();
    let with = cbindgen::Builder::with_src::<&PathBuf>;
    let builder = sources.iter().fold(cbindgen::Builder::new().with_config(config), with);
    let mut text = Vec::new();
    builder.generate().unwrap().write(&mut text);
    let text = String::from_utf8(text).unwrap();
    let types = types_of_constants(&sources);
    let body = text.split_once("#include").map_or(text.as_str(), |(_, body)| body);
    body.split("\n\n").filter_map(|block| item(block.trim(), &types)).collect()
}

/// The named type of each constant that has one. cbindgen leaves it out.
fn types_of_constants(sources: &[PathBuf]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for source in sources {
        for line in fs::read_to_string(source).unwrap().lines() {
            let Some((name, of)) = line.strip_prefix("pub const ").and_then(|rest| rest.split_once(": ")) else {
                continue;
            };
            let of = of.split(" =").next().unwrap_or_default();
            if of.starts_with("btls_") {
                found.insert(name.to_owned(), of.to_owned());
            }
        }
    }
    found
}

/// The item of a block: a comment and a declaration. Includes and guards are none.
fn item(block: &str, types: &BTreeMap<String, String>) -> Option<Item> {
    let (doc, declaration) = match block.strip_prefix("/**\n").and_then(|rest| rest.split_once("*/\n")) {
        Some((comment, declaration)) => (Doc::of_comment(comment), declaration),
        None => (Doc::default(), block),
    };
    let (name, kind) = if let Some(define) = declaration.strip_prefix("#define BTLS_") {
        let (name, value) = define.split_once(' ')?;
        let name = format!("BTLS_{name}");
        let of = types.get(&name).cloned();
        (name, Kind::Constant { value: value.to_owned(), of })
    } else if declaration.starts_with('#') || !declaration.ends_with(';') || declaration.contains("#include") {
        return None;
    } else {
        declared(declaration)
    };
    Some(Item { name, kind, doc })
}

fn declared(declaration: &str) -> (String, Kind) {
    let flat = declaration.split_whitespace().collect::<Vec<_>>().join(" ");
    let flat = flat.trim_end_matches(';');
    if let Some((fields, name)) = flat.strip_prefix("typedef struct { ").and_then(|rest| rest.rsplit_once("} ")) {
        assert!(!fields.is_empty());
        return (name.to_owned(), Kind::Fields(fields_of(declaration)));
    }
    if let Some((before, after)) = flat.split_once('(') {
        if let Some((name, parameters)) = after.strip_prefix('*').and_then(|after| after.split_once(")(")) {
            let kind = function(&format!("{before}(*{name})"), parameters, true);
            return (name.to_owned(), kind);
        }
        let name = before.rsplit([' ', '*']).next().unwrap_or_default();
        return (name.to_owned(), function(before, after, false));
    }
    let words: Vec<&str> = flat.split(' ').collect();
    match words[..] {
        ["typedef", "struct", one, other] if one == other => (one.to_owned(), Kind::Opaque),
        ["typedef", underlying, name] => (name.to_owned(), Kind::Choice { underlying: underlying.to_owned() }),
        _ => panic!("a declaration of a form that is not known: {declaration}"),
    }
}

fn function(before: &str, parameters: &str, is_type: bool) -> Kind {
    let parameters = parameters.trim_end_matches(')').split(", ").map(str::to_owned).collect();
    Kind::Function { before: before.to_owned(), parameters, is_type }
}

/// The fields between the braces of a type, each with its comment.
fn fields_of(declaration: &str) -> Vec<Item> {
    let inner = declaration.split_once("{\n").unwrap().1.rsplit_once("\n}").unwrap().0;
    let fields = inner.split_terminator(";\n").map(|field| field.trim().trim_end_matches(';'));
    let field = |text: &str| {
        let (comment, declaration) =
            text.strip_prefix("/**\n").and_then(|rest| rest.split_once("*/\n")).unwrap_or(("", text));
        let declaration = declaration.trim().to_owned();
        let name = declaration.rsplit([' ', '*']).next().unwrap_or_default().to_owned();
        Item { name, kind: Kind::Field(declaration), doc: Doc::of_comment(comment) }
    };
    fields.map(field).collect()
}
