//! `include/brokertls.h` and `include/brokertls_convert.h`: the items in the order of the chapters.

use std::fmt::Write as _;

use crate::chapters::{ABOUT, CHAPTERS, Chapter, RULES};
use crate::items::{Item, Kind};
use crate::text::{Doc, Paragraph, comment, wrap};

/// Columns of the header.
pub(crate) const WIDTH: usize = 100;

/// An entry of a section: an item, or a group of constants with their type.
pub(crate) enum Entry<'a> {
    One(&'a Item),
    Choice { of: Option<&'a Item>, values: Vec<&'a Item> },
}

/// The entries of a section's list.
///
/// # Errors
/// The name in the list that no item has.
pub(crate) fn entry<'a>(name: &str, items: &'a [Item]) -> Result<Entry<'a>, String> {
    let missing = || format!("{name} is in tests/generated/chapters.rs and not in src/ffi");
    if let Some(prefix) = name.strip_suffix('*') {
        let is_of =
            |item: &&Item| matches!(&item.kind, Kind::Constant { of: None, .. }) && item.name.starts_with(prefix);
        let values: Vec<_> = items.iter().filter(is_of).collect();
        return if values.is_empty() { Err(missing()) } else { Ok(Entry::Choice { of: None, values }) };
    }
    let item = items.iter().find(|item| item.name == name).ok_or_else(missing)?;
    let is_of = |other: &&Item| matches!(&other.kind, Kind::Constant { of: Some(of), .. } if of == name);
    Ok(match item.kind {
        Kind::Choice { .. } => Entry::Choice { of: Some(item), values: items.iter().filter(is_of).collect() },
        _ => Entry::One(item),
    })
}

/// Says which items the chapters leave out, have twice, or have though the source does not.
pub(crate) fn complaints(items: &[Item], chapters: &[&Chapter]) -> Vec<String> {
    let (mut placed, mut found) = (Vec::new(), Vec::new());
    for name in chapters.iter().flat_map(|chapter| chapter.sections).flat_map(|section| section.items) {
        match entry(name, items) {
            Ok(Entry::One(item)) => placed.push(&item.name),
            Ok(Entry::Choice { of, values }) => placed.extend(of.into_iter().chain(values).map(|item| &item.name)),
            Err(complaint) => found.push(complaint),
        }
    }
    for item in items {
        match placed.iter().filter(|name| **name == &item.name).count() {
            0 => found.push(format!("{} belongs to no chapter; add it to tests/generated/chapters.rs", item.name)),
            1 => {}
            _ => found.push(format!("{} belongs to several chapters", item.name)),
        }
    }
    found
}

/// The header.
pub(crate) fn header(items: &[Item]) -> String {
    let complaints = complaints(items, &CHAPTERS.iter().collect::<Vec<_>>());
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
    let mut text = opening();
    for (number, chapter) in (1..).zip(of_header("brokertls.h")) {
        banner(&mut text, number, chapter);
        text.push_str(&sections(chapter, items));
    }
    text + "#ifdef __cplusplus\n} /* extern \"C\" */\n#endif\n\n#endif /* BROKERTLS_H */\n"
}

/// The header of the chapter that has one of its own.
pub(crate) fn header_of_conversion(items: &[Item]) -> String {
    let about = of_header("brokertls_convert.h").map(|chapter| Paragraph::Text(chapter.about.to_owned()));
    let rules = "Generated from src/ffi; `make bless` rewrites it. The rules at the top of brokertls.h hold here too.";
    let paragraphs: Vec<Paragraph> = about.chain([Paragraph::Text(rules.to_owned())]).collect();
    let mut text = format!(
        "{}\n\
         #ifndef BROKERTLS_CONVERT_H\n\
         #define BROKERTLS_CONVERT_H\n\
         \n\
         #include \"brokertls.h\"\n\
         \n\
         #ifdef __cplusplus\n\
         extern \"C\" {{\n\
         #endif\n\
         \n",
        comment(&paragraphs, "", WIDTH)
    );
    of_header("brokertls_convert.h").for_each(|chapter| text.push_str(&sections(chapter, items)));
    text + "#ifdef __cplusplus\n} /* extern \"C\" */\n#endif\n\n#endif /* BROKERTLS_CONVERT_H */\n"
}

fn of_header(name: &str) -> impl Iterator<Item = &'static Chapter> {
    CHAPTERS.iter().filter(move |chapter| chapter.header() == name)
}

fn sections(chapter: &Chapter, items: &[Item]) -> String {
    let mut text = String::new();
    for section in chapter.sections {
        writeln!(text, "/* --- {}: {} --- */\n", chapter.title, section.title).unwrap();
        let entries = section.items.iter().map(|name| written(&entry(name, items).unwrap()));
        text.push_str(&joined(&entries.collect::<Vec<_>>()));
    }
    text
}

fn opening() -> String {
    let mut paragraphs = Doc::of_text(ABOUT).short;
    paragraphs.insert(1, Paragraph::Text("Generated from src/ffi; `make bless` rewrites it.".to_owned()));
    paragraphs.push(Paragraph::Text("Rules for every function:".to_owned()));
    paragraphs.extend(Doc::of_text(RULES).short);
    paragraphs.push(Paragraph::Text(
        "The manual page of each chapter has the details: man 3 btls_builder, man 3 btls_conn_read.".to_owned(),
    ));
    let [major, minor, patch] =
        [env!("CARGO_PKG_VERSION_MAJOR"), env!("CARGO_PKG_VERSION_MINOR"), env!("CARGO_PKG_VERSION_PATCH")];
    let number = |digits: &str| digits.parse::<u32>().unwrap();
    format!(
        "{}\n\
         #ifndef BROKERTLS_H\n\
         #define BROKERTLS_H\n\
         \n\
         #include <stdbool.h>\n\
         #include <stddef.h>\n\
         #include <stdint.h>\n\
         #include <sys/uio.h>\n\
         \n\
         #include \"brokertls_errors.h\"\n\
         \n\
         /* The version of this header. btls_version gives that of the library. */\n\
         #define BTLS_VERSION_MAJOR {major}\n\
         #define BTLS_VERSION_MINOR {minor}\n\
         #define BTLS_VERSION_PATCH {patch}\n\
         /* 10000 * major + 100 * minor + patch */\n\
         #define BTLS_VERSION_NUMBER {}\n\
         #define BTLS_VERSION_TEXT \"{}\"\n\
         \n\
         {ENUM}\
         #ifdef __cplusplus\n\
         extern \"C\" {{\n\
         #endif\n\
         \n",
        comment(&paragraphs, "", WIDTH),
        number(major) * 10_000 + number(minor) * 100 + number(patch),
        env!("CARGO_PKG_VERSION")
    )
}

/// An enum of 32 bits in every language that has such; before, a number of 32 bits beside an enum of its values.
const ENUM: &str = "\
/* BTLS_ENUM(name) { ... }: a type of 32 bits and its values. Later versions may add values. */
#if defined(__cplusplus) && __cplusplus >= 201103L
#define BTLS_ENUM(name) enum name : int32_t
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 202311L
#define BTLS_ENUM(name) enum name : int32_t; typedef enum name name; enum name : int32_t
#else
#define BTLS_ENUM(name) typedef int32_t name; enum
#endif

";

fn banner(text: &mut String, number: u32, chapter: &Chapter) {
    let title = format!("{number}. {} ", chapter.title.to_uppercase());
    writeln!(text, "/* ===== {title}{}\n *", "=".repeat(WIDTH - title.len() - "/* ===== ".len())).unwrap();
    let lines = wrap(&format!("{} */", chapter.about), WIDTH - 3, WIDTH - 3);
    writeln!(text, " * {}\n", lines.join("\n * ")).unwrap();
}

/// Entries with a blank line behind each. Those with a comment of one line stand close together.
fn joined(entries: &[String]) -> String {
    let mut text = String::new();
    for (index, entry) in entries.iter().enumerate() {
        text.push_str(entry);
        let is_short = |entry: Option<&String>| {
            entry.is_some_and(|entry| {
                !entry.contains('{') && entry.lines().next().is_some_and(|line| line.ends_with("*/"))
            })
        };
        if !is_short(Some(entry)) || !is_short(entries.get(index + 1)) {
            text.push('\n');
        }
    }
    text
}

fn written(entry: &Entry<'_>) -> String {
    match entry {
        Entry::One(item) => comment(&item.doc.short, "", WIDTH) + &declaration(item, WIDTH),
        Entry::Choice { of, values } => {
            let mut text = String::new();
            write_choice(&mut text, *of, values);
            text
        }
    }
}

fn write_choice(text: &mut String, of: Option<&Item>, values: &[&Item]) {
    if let Some(item) = of {
        text.push_str(&comment(&item.doc.short, "", WIDTH));
    }
    match of {
        Some(item) if values.is_empty() => return text.push_str(&declaration(item, WIDTH)),
        Some(item) => writeln!(text, "BTLS_ENUM({}) {{", item.name).unwrap(),
        None => text.push_str("enum {\n"),
    }
    for (index, item) in values.iter().enumerate() {
        let Kind::Constant { value, .. } = &item.kind else { unreachable!("{} is no constant", item.name) };
        // A comma after the last one is not C89 or C++98.
        let comma = if index + 1 == values.len() { "" } else { "," };
        text.push_str(&commented(&format!("    {} = {value}{comma}", item.name), &item.doc, WIDTH));
    }
    text.push_str("};\n");
}

/// A line with its comment behind it, or before it if that is too long.
fn commented(line: &str, doc: &Doc, width: usize) -> String {
    match &doc.short[..] {
        [Paragraph::Text(text)] if line.len() + text.chars().count() + " /*  */".len() <= width => {
            format!("{line} /* {text} */\n")
        }
        paragraphs => format!("{}{line}\n", comment(paragraphs, "    ", width)),
    }
}

/// The declaration of an item in lines of at most `width` letters.
pub(crate) fn declaration(item: &Item, width: usize) -> String {
    match &item.kind {
        Kind::Constant { value, .. } if value.starts_with('-') => format!("#define {} ({value})\n", item.name),
        Kind::Constant { value, .. } => format!("#define {} {value}\n", item.name),
        Kind::Choice { underlying } => format!("typedef {underlying} {};\n", item.name),
        Kind::Opaque => format!("typedef struct {0} {0};\n", item.name),
        Kind::Field(declaration) => format!("{declaration};\n"),
        Kind::Fields(fields) => {
            let mut text = format!("typedef struct {} {{\n", item.name);
            for field in fields {
                text.push_str(&commented(&format!("    {}", declaration(field, width).trim_end()), &field.doc, width));
            }
            text + &format!("}} {};\n", item.name)
        }
        Kind::Function { before, parameters, .. } => {
            let whole = format!("{before}({});", parameters.join(", "));
            if whole.len() <= width {
                return whole + "\n";
            }
            let lines = fill(parameters, width - 4);
            format!("{before}(\n    {});\n", lines.join("\n    "))
        }
    }
}

/// Parameters in lines of at most `width` letters, none of them broken.
fn fill(parameters: &[String], width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for (index, parameter) in parameters.iter().enumerate() {
        let end = if index + 1 == parameters.len() { "" } else { "," };
        let line = lines.last_mut().unwrap();
        if line.is_empty() {
            *line = format!("{parameter}{end}");
        } else if line.len() + 1 + parameter.len() + ");".len() <= width {
            write!(line, " {parameter}{end}").unwrap();
        } else {
            lines.push(format!("{parameter}{end}"));
        }
    }
    lines
}
