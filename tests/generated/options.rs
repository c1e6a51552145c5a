//! The tables of docs/options.md, written from the table of options.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use brokertls::options::{OPENSSL_OPTIONS, OPTIONS, OptionGroup, OptionKind, OptionRow, Options};

use super::ensure_content;

const PAGE: &str = "docs/options.md";

/// The options that almost every listener or client sets.
const ESSENTIAL: &[&str] =
    &["cert", "key", "alias", "password", "key-password", "trust", "trust-password", "system-trust", "client-auth"];

/// The options that express the rules of an operator. Every option in neither list is rare.
const FREQUENT: &[&str] = &[
    "preset",
    "versions",
    "cipher-suites",
    "groups",
    "alpn",
    "crl",
    "ocsp",
    "revocation",
    "revocation-depth",
    "fetch",
    "fetch-cache",
    "ocsp-responder",
    "staple",
    "staple-file",
    "resumption",
    "session-max-age-s",
    "tls13-tickets",
];

fn type_of(row: &OptionRow) -> String {
    let name = match row.kind {
        OptionKind::Path => "path",
        OptionKind::Password => "password",
        OptionKind::Switch => "switch",
        OptionKind::Choice => "word",
        OptionKind::Names => "names",
        OptionKind::Number => "number",
        OptionKind::Text => "text",
        kind => panic!("{kind:?} has no name on the page"),
    };
    name.to_owned() + if row.repeats { "+" } else { "" }
}

/// The meaning and the default of a row, which its help has at its end. Options that it names are code.
fn meaning_and_default(row: &OptionRow) -> (String, &'static str) {
    let (meaning, default) = match row.help.split_once(" [default: ") {
        Some((meaning, default)) => (meaning, default.strip_suffix(']').unwrap()),
        None => (row.help, "none"),
    };
    let word = |word: &str| word.strip_prefix("--").map_or_else(|| word.to_owned(), |name| format!("`{name}`"));
    (meaning.split(' ').map(word).collect::<Vec<_>>().join(" "), default)
}

fn table<'a>(rows: impl Iterator<Item = &'a OptionRow>) -> String {
    let mut text = String::from("| Option | Type | Default | Meaning |\n|---|---|---|---|\n");
    for row in rows {
        let (meaning, default) = meaning_and_default(row);
        writeln!(text, "| `{}` | {} | {default} | {meaning} |", row.name, type_of(row)).unwrap();
    }
    text
}

/// The rare options, a table for each group.
fn tables_of_groups() -> String {
    let is_rare = |row: &&OptionRow| !ESSENTIAL.contains(&row.name) && !FREQUENT.contains(&row.name);
    let mut groups: Vec<_> = OPTIONS.iter().filter(is_rare).map(|row| row.group).collect();
    groups.dedup();
    let table = |group: OptionGroup| {
        let rows = OPTIONS.iter().filter(is_rare).filter(|row| row.group == group);
        format!("### {}\n\n{}", group.heading(), table(rows))
    };
    groups.into_iter().map(table).collect::<Vec<_>>().join("\n")
}

/// The options of OpenSSL.
fn openssl_table() -> String {
    let mut text = String::from("| `SSL_OP_` | Number | Effect | Meaning, or reason |\n|---|---|---|---|\n");
    for row in OPENSSL_OPTIONS.iter().filter(|row| row.name != "ALL") {
        let effect = row.effect.word();
        writeln!(text, "| `{}` | `{:#010x}` | {effect} | {} |", row.name, row.number, row.meaning).unwrap();
    }
    text
}

/// The page with what stands between a mark and the next end replaced.
fn replaced(page: &str, mark: &str, tables: &str) -> String {
    let mark = format!("<!-- {mark} -->\n");
    let (before, rest) = page.split_once(&mark).unwrap_or_else(|| panic!("{PAGE} has no {mark}"));
    let (_, after) = rest.split_once("<!-- end -->\n").unwrap();
    format!("{before}{mark}\n{tables}\n<!-- end -->\n{after}")
}

#[test]
fn page_of_options_has_the_rows_of_the_table() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE)).unwrap();
    let named = |names: &'static [&str]| {
        table(names.iter().map(|name| OptionRow::by_name(name).unwrap_or_else(|error| panic!("{error}"))))
    };
    let page = replaced(&page, "essential", &named(ESSENTIAL));
    let page = replaced(&page, "frequent", &named(FREQUENT));
    let page = replaced(&page, "openssl", &openssl_table());
    ensure_content(PAGE, &replaced(&page, "rare", &tables_of_groups()));
}

#[test]
fn default_that_the_help_of_an_option_names_is_accepted_by_the_option() {
    for row in OPTIONS {
        let (_, default) = meaning_and_default(row);
        let is_value = match row.kind {
            OptionKind::Switch => true,
            OptionKind::Number => default.parse::<u64>().is_ok(),
            OptionKind::Choice | OptionKind::Names => !default.contains(' ') && default != "none",
            _ => false,
        };
        if is_value {
            let outcome = Options::new().set(row.name, default);
            outcome.unwrap_or_else(|error| panic!("{}: {error}", row.name));
        }
    }
}
