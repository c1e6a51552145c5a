//! The language of comments, messages and documents: plain technical English, as far as a program can check it.

use std::fs;
use std::path::Path;

use super::{files_below, root};

/// Folders and files of the project that are read by these tests.
const READ: &[&str] = &[
    "src",
    "java/src/main",
    "java/README.md",
    "bindings",
    "include",
    "docs",
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "tests",
];

/// Words that no doc comment starts with. A comment says what is there with a verb or a noun.
const OPENINGS: &[&str] = &["What", "Whether", "Who", "Where", "Why", "How", "Which", "For whom"];

/// Turns of phrase, each with the plain one.
const PHRASES: &[(&str, &str)] = &[
    ("mend", "fix"),
    ("mends", "fixes"),
    ("mended", "fixed"),
    ("is told of", "is called for, or gets"),
    ("are told of", "are reported"),
    ("goes on", "continues"),
    ("where it", "if it, or when it"),
    ("nobody", "no peer, no caller, or the passive"),
    ("somebody", "the caller, the peer, or the operator"),
    ("whose", "a sentence of its own, or with"),
    ("has to", "must"),
];

/// A place at which a phrase is right: the end of a path, the words around it, and the reason.
struct Exception {
    path: &'static str,
    words: &'static str,
    reason: &'static str,
}

const EXCEPTIONS: &[Exception] =
    &[Exception { path: "src/verify/recheck.rs", words: "nobody", reason: "the name of a variant" }];

const WORDS_MAX: usize = 30;
const COLUMNS_MAX: usize = 120;
const HEADER_COLUMNS_MAX: usize = 100;

/// Tables of the source with a row a line. Only a line with one literal may be long.
const TABLES: &[&str] = &["src/policy/suite_table.rs", "src/connection/hints.rs", "src/connection/reasons.rs"];

/// A file that is read, by its path below the root of the project.
struct Source {
    name: String,
    text: String,
}

impl Source {
    fn is(&self, endings: &[&str]) -> bool {
        endings.iter().any(|ending| self.name.ends_with(ending))
    }

    fn is_document(&self) -> bool {
        self.is(&[".md"])
    }
}

/// The files that are read by these tests.
fn sources() -> Vec<Source> {
    let endings = [".rs", ".md", ".java", ".h", ".c", ".cc", ".sh"];
    let mut found = Vec::new();
    for start in READ.iter().map(|name| root().join(name)) {
        assert!(start.exists(), "{}", start.display());
        let paths = if start.is_dir() { files_below(start) } else { vec![start] };
        for path in paths.iter().filter(|path| endings.iter().any(|ending| path.to_str().unwrap().ends_with(ending))) {
            found.push(Source { name: name_of(path), text: fs::read_to_string(path).unwrap() });
        }
    }
    // These tests name the phrases themselves.
    found.retain(|file| !file.name.starts_with("tests/wording/"));
    found
}

fn name_of(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned()
}

fn assert_none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n{} in all", complaints.join("\n"), complaints.len());
}

/// A piece of prose and the line that it starts in.
struct Prose {
    line: usize,
    text: String,
    is_doc: bool,
}

/// The text of a comment's line, and true for one of documentation.
fn comment_of<'a>(line: &'a str, in_block: &mut Option<bool>) -> Option<(&'a str, bool)> {
    let line = line.trim();
    if let Some(is_doc) = *in_block {
        if line.contains("*/") {
            *in_block = None;
        }
        let text = line.split("*/").next().unwrap_or_default();
        return Some((text.trim().trim_start_matches('*').trim(), is_doc));
    }
    for (mark, is_doc) in [("///", true), ("//!", true), ("//", false)] {
        if let Some(text) = line.strip_prefix(mark) {
            return Some((text.trim(), is_doc));
        }
    }
    let (text, is_doc) = match line.strip_prefix("/**") {
        Some(text) => (text, true),
        None => (line.strip_prefix("/*")?, false),
    };
    if !text.contains("*/") {
        *in_block = Some(is_doc);
    }
    Some((text.split("*/").next().unwrap_or_default().trim(), is_doc))
}

/// The paragraphs of the comments of a program's text, of doc comments and others.
fn comments(text: &str) -> Vec<Prose> {
    let mut found: Vec<Prose> = Vec::new();
    let (mut in_block, mut in_code) = (None, false);
    let mut is_open = false;
    for (number, line) in (1..).zip(text.lines()) {
        let comment = comment_of(line, &mut in_block);
        if comment.is_some_and(|(text, _)| text.starts_with("```")) {
            in_code = !in_code;
        }
        let Some((text, is_doc)) = comment.filter(|(text, _)| !text.is_empty() && !in_code && !text.starts_with("```"))
        else {
            in_code &= comment.is_some();
            is_open = false;
            continue;
        };
        push(&mut found, &mut is_open, number, text, is_doc);
    }
    found
}

/// Adds a line to the open paragraph, or starts one: a list's entry, a tag of Javadoc and a heading do.
fn push(found: &mut Vec<Prose>, is_open: &mut bool, line: usize, text: &str, is_doc: bool) {
    let starts = ["- ", "* ", "@", "<li>", "<p>", "#", "| "].iter().any(|mark| text.starts_with(mark))
        || text.split_once(". ").is_some_and(|(number, _)| number.bytes().all(|byte| byte.is_ascii_digit()));
    match found.last_mut() {
        Some(open) if *is_open && !starts && open.is_doc == is_doc => {
            open.text.push(' ');
            open.text.push_str(text);
        }
        _ => found.push(Prose { line, text: text.to_owned(), is_doc }),
    }
    *is_open = !text.starts_with('#');
}

/// The paragraphs of a document in Markdown, without its examples. Each cell of a table is a paragraph.
fn paragraphs(text: &str) -> Vec<Prose> {
    let (mut found, mut is_open, mut in_code) = (Vec::new(), false, false);
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.starts_with("```") {
            in_code = !in_code;
            is_open = false;
        } else if in_code || line.is_empty() {
            is_open = false;
        } else if line.starts_with('|') {
            let cells = line.split('|').map(str::trim).filter(|cell| !cell.is_empty());
            found.extend(cells.map(|cell| Prose { line: number, text: cell.to_owned(), is_doc: true }));
            is_open = false;
        } else {
            push(&mut found, &mut is_open, number, line, true);
        }
    }
    found
}

fn prose(file: &Source) -> Vec<Prose> {
    let mut found = if file.is_document() { paragraphs(&file.text) } else { comments(&file.text) };
    // Every comment of the headers is documentation.
    let is_header = file.name.starts_with("include/");
    found.iter_mut().for_each(|paragraph| paragraph.is_doc |= is_header);
    found
}

/// A text with each piece of code as one word, and without marks of Markdown and Javadoc.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for (index, part) in text.split('`').enumerate() {
        plain.push_str(if index % 2 == 0 { part } else { "CODE" });
    }
    plain.replace("**", "").replace("<p>", "").replace("<li>", "")
}

/// The sentences of a paragraph. "e.g." and "i.e." end none.
fn sentences(text: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    for word in plain(text).split_whitespace() {
        let sentence = found.last_mut().unwrap();
        sentence.push_str(word);
        sentence.push(' ');
        let bare = word.trim_end_matches(['"', ')', '\'', '*', '_']);
        let is_short = ["e.g.", "i.e.", "(e.g.", "(i.e.", "etc.", "vs."].contains(&word);
        if bare.ends_with(['.', '?', '!']) && !is_short {
            found.push(String::new());
        }
    }
    found
}

fn words(sentence: &str) -> usize {
    sentence.split_whitespace().filter(|word| word.contains(|letter: char| letter.is_alphanumeric())).count()
}

#[test]
fn doc_comments_start_with_a_verb_or_a_noun() {
    let mut complaints = Vec::new();
    for file in sources().iter().filter(|file| !file.is_document()) {
        for paragraph in prose(file).iter().filter(|paragraph| paragraph.is_doc) {
            let rest = OPENINGS.iter().find_map(|opening| paragraph.text.strip_prefix(opening));
            if rest.is_some_and(|rest| !rest.starts_with(char::is_alphabetic)) {
                complaints.push(format!("{}:{}: {}", file.name, paragraph.line, paragraph.text));
            }
        }
    }
    assert_none(&complaints);
}

#[test]
fn sentences_of_doc_comments_and_documents_have_at_most_thirty_words() {
    let mut complaints = Vec::new();
    for file in sources() {
        for paragraph in prose(&file).iter().filter(|paragraph| paragraph.is_doc) {
            for sentence in sentences(&paragraph.text).iter().filter(|sentence| words(sentence) > WORDS_MAX) {
                complaints.push(format!("{}:{}: {} words: {sentence}", file.name, paragraph.line, words(sentence)));
            }
        }
    }
    assert_none(&complaints);
}

/// The words of a file in order, without the marks of comments and of lines that continue a text, each with its line.
fn all_words(file: &Source) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut in_example = false;
    for (number, line) in (1..).zip(file.text.lines()) {
        in_example ^= file.is_document() && line.trim_start().starts_with("```");
        if in_example {
            continue;
        }
        for word in
            line.split_whitespace().filter(|word| !["///", "//!", "//", "*", "\\", "#", "/**", "/*"].contains(word))
        {
            let word = word.trim_matches(|letter: char| !letter.is_alphanumeric()).to_lowercase();
            found.push((number, word));
        }
    }
    found
}

#[test]
fn plain_words_are_used_for_what_has_one() {
    let (mut complaints, mut used) = (Vec::new(), vec![false; EXCEPTIONS.len()]);
    for file in sources() {
        let words = all_words(&file);
        for (phrase, plain) in PHRASES {
            let wanted: Vec<&str> = phrase.split(' ').collect();
            for (start, window) in words.windows(wanted.len()).enumerate() {
                if !window.iter().map(|(_, word)| word.as_str()).eq(wanted.iter().copied()) {
                    continue;
                }
                let around = &words[start.saturating_sub(4)..(start + wanted.len() + 4).min(words.len())];
                let around = around.iter().map(|(_, word)| word.as_str()).collect::<Vec<_>>().join(" ");
                let fits = |one: &Exception| file.name.ends_with(one.path) && around.contains(one.words);
                match EXCEPTIONS.iter().position(fits) {
                    Some(index) => used[index] = true,
                    None => complaints.push(format!("{}:{}: {phrase} ({plain}): {around}", file.name, window[0].0)),
                }
            }
        }
    }
    let unused = EXCEPTIONS.iter().zip(used).filter(|(_, used)| !used).map(|(one, _)| one);
    complaints.extend(unused.map(|one| format!("{} needs no \"{}\" ({})", one.path, one.words, one.reason)));
    assert_none(&complaints);
}

/// True if a line has one literal and nothing else that could stand in a line of its own.
fn is_one_literal(line: &str) -> bool {
    line.replace("\\\"", "").matches('"').count() == 2
}

/// True if a line is one address, or the definition of a link to one.
fn is_one_address(line: &str) -> bool {
    let line = line.trim_start_matches(|letter: char| letter.is_whitespace() || "/!*#".contains(letter));
    let line = line.strip_prefix('[').and_then(|link| link.split_once("]: ")).map_or(line, |(_, address)| address);
    line.contains("://") && !line.trim().contains(' ')
}

#[test]
fn lines_have_at_most_120_columns_and_100_in_the_header() {
    let mut complaints = Vec::new();
    // Tests hold command lines and tables of inputs, which do not break well.
    for file in sources().iter().filter(|file| !file.name.starts_with("tests/")) {
        let limit = if file.name.starts_with("include/") { HEADER_COLUMNS_MAX } else { COLUMNS_MAX };
        for (number, line) in (1..).zip(file.text.lines()) {
            // Rows of tables and addresses cannot be broken.
            let is_row = file.is_document() && line.starts_with('|') || file.is(TABLES) && is_one_literal(line);
            let is_whole = is_row || is_one_address(line);
            if line.chars().count() > limit && !is_whole {
                complaints.push(format!("{}:{number}: {} columns", file.name, line.chars().count()));
            }
        }
    }
    assert_none(&complaints);
}

#[test]
fn checks_of_the_language_find_what_they_look_for() {
    let text =
        "/// Whether it is so.\n///\n/// Is told\n/// of this, e.g. that.\nfn a() {} // Who\n/** How\n * many. */\n";
    let found = comments(text);
    let texts: Vec<_> = found.iter().map(|one| (one.line, one.text.as_str(), one.is_doc)).collect();
    assert_eq!(
        texts,
        [(1, "Whether it is so.", true), (3, "Is told of this, e.g. that.", true), (6, "How many.", true)]
    );
    assert_eq!(sentences("One `two. three` four, e.g. five. Six.").len(), 3);
    assert_eq!(words("a - b (c) / d"), 4);
    let cells = paragraphs("| a | b. |\n|---|---|\n\n- one\n  two\n- three\n\n```\ncode\n```\n");
    assert_eq!(cells.iter().filter(|one| words(&one.text) > 0).count(), 4);
    assert!(is_one_literal("    (1, \"a \\\"b\\\"\"),") && !is_one_literal("(\"a\", \"b\")"));
    assert!(is_one_address("// https://a.example/") && is_one_address("[a b]: https://a.example/"));
    assert!(!is_one_address("see https://a.example/"));
    let file = Source { name: "a.rs".to_owned(), text: "/// It goes\n/// on.\n".to_owned() };
    let words: Vec<_> = all_words(&file).into_iter().map(|(line, word)| format!("{line}{word}")).collect();
    assert_eq!(words, ["1it", "1goes", "2on"]);
}
