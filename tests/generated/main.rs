//! Writes the files of `include/` and `docs/man/` and Java's ErrorCode from the source, and fails if they differ.
//!
//! `make bless` (`BTLS_BLESS=1`) rewrites them. Only this file writes into the tree.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod chapters;
mod command;
#[path = "../../src/bin/brokertls/command_line.rs"]
mod command_line;
mod header;
mod items;
mod options;
mod pages;
mod text;

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use brokertls::error::{Category, Code};

use text::Paragraph;

/// Compares the committed file with what the source says, or rewrites it when asked to.
fn ensure_content(path: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if env::var_os("BTLS_BLESS").is_some() {
        fs::write(&path, expected).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    if found != expected {
        let line = found.lines().zip(expected.lines()).take_while(|(one, other)| one == other).count() + 1;
        panic!("{} differs from the source at line {line}; `make bless` rewrites it", path.display());
    }
}

fn errors_header() -> String {
    let opening = [
        "The statuses of brokertls. Generated from src/error/codes.rs; `make bless` rewrites it.",
        "Numbers never change their meaning. The category of a status is its hundred. 0 is success, 1 to 99 progress, \
         1xx usage, 2xx keystore, 3xx certificate, 4xx revocation, 5xx protocol, 7xx input and output, 9xx internal. \
         1000 + n is the alert n received from the peer.",
    ];
    let mut text = text::comment(&opening.map(|text| Paragraph::Text(text.to_owned())), "", header::WIDTH);
    text.push_str(
        "#ifndef BROKERTLS_ERRORS_H\n\
         #define BROKERTLS_ERRORS_H\n\
         \n\
         #include <stdint.h>\n\
         \n\
         /* The result of a function that can fail: a status below, or one that a later version adds. */\n\
         typedef int32_t btls_status;\n\
         \n\
         enum {\n",
    );
    let mut category = None;
    for code in Code::ALL {
        if category.replace(code.category()).is_some_and(|before| before != code.category()) {
            text.push('\n');
        }
        let mut row = capitalized(code.message());
        if let Some(alert) = code.alert() {
            write!(row, "; the peer is sent alert {alert}").unwrap();
        }
        text.push_str(&text::comment(&[Paragraph::Text(row + ".")], "    ", header::WIDTH));
        writeln!(text, "    BTLS_{} = {},", code.name(), code.number()).unwrap();
    }
    // A comma after the last constant is not C89 or C++98.
    text.truncate(text.len() - 2);
    text.push_str("\n};\n\n#endif /* BROKERTLS_ERRORS_H */\n");
    text
}

/// The longest line of generated Java.
const JAVA_COLUMNS_MAX: usize = 120;

/// The table for Java; every text that is not ASCII or would end a literal is escaped.
fn error_code_java() -> String {
    let mut text = String::from(
        "package io.brokertls;\n\
         \n\
         /**\n\
         \x20* The codes of brokertls. Generated from src/error/codes.rs; {@code make bless} rewrites it.\n\
         \x20*\n\
         \x20* <p>Numbers never change their meaning; new ones may be added.\n\
         \x20*/\n\
         public enum ErrorCode {\n",
    );
    for code in Code::ALL {
        let message = capitalized(code.message());
        let line = format!("    /** {message}. */");
        let is_long = line.chars().count() > JAVA_COLUMNS_MAX;
        let javadoc = if is_long { format!("    /**\n     * {message}.\n     */") } else { line };
        writeln!(text, "{javadoc}").unwrap();
        let category = format!("{:?}", code.category()).to_uppercase();
        let alert = code.alert().map_or(-1, i32::from);
        let [message, hint] = [code.message(), code.hint()].map(java_literal);
        writeln!(text, "    {}({}, Category.{category}, {alert},", code.name(), code.number()).unwrap();
        writeln!(text, "            {message},").unwrap();
        write!(text, "            {hint})").unwrap();
        text.push_str(if Code::ALL.last() == Some(code) { ";\n" } else { ",\n" });
    }
    text.push_str(ERROR_CODE_MEMBERS);
    text
}

/// A literal of Java, of several lines if one would be too long.
fn java_literal(text: &str) -> String {
    const ROOM: usize = 100;
    let lines = text::wrap(text, ROOM, ROOM);
    let last = lines.len() - 1;
    let parts = lines
        .iter()
        .enumerate()
        .map(|(index, line)| format!("{:?}", line.clone() + if index < last { " " } else { "" }));
    parts.collect::<Vec<_>>().join("\n                    + ")
}

/// The members of ErrorCode.java after its rows.
const ERROR_CODE_MEMBERS: &str = r#"
    /** The subject of a code. */
    public enum Category {
        /** Not an error. */
        PROGRESS,
        /** The call or the configuration is wrong. */
        USAGE,
        /** A file or store of keys or certificates could not be used. */
        KEYSTORE,
        /** The peer's certificate was refused. */
        CERTIFICATE,
        /** The peer's certificate was refused because of its revocation status, known or unknown. */
        REVOCATION,
        /** The peer broke the protocol, or the two sides have nothing in common. */
        PROTOCOL,
        /** The operating system reported an error. */
        IO,
        /** A defect in the library. */
        INTERNAL,
        /** The peer ended the connection with an alert. */
        ALERT
    }

    private final int number;
    private final Category category;
    private final int alert;
    private final String message;
    private final String hint;

    ErrorCode(int number, Category category, int alert, String message, String hint) {
        this.number = number;
        this.category = category;
        this.alert = alert;
        this.message = message;
        this.hint = hint;
    }

    /** {@return the number, the same in C and on the command line} */
    public int number() {
        return number;
    }

    /** {@return the category of the code} */
    public Category category() {
        return category;
    }

    /** {@return the number of the alert that the peer receives (RFC 8446 section 6), or -1 for none} */
    public int alert() {
        return alert;
    }

    /** {@return the message: a clause that starts in lower case and ends without a full stop} */
    public String message() {
        return message;
    }

    /** {@return the hint: a sentence that says what to do, or an empty text} */
    public String hint() {
        return hint;
    }

    /**
     * {@return the code of a number, or {@link #INTERNAL} for a number that this version does not have}
     *
     * @param number a number as C, the command line and logs show it
     */
    public static ErrorCode of(int number) {
        for (ErrorCode code : values()) {
            if (code.number == number) {
                return code;
            }
        }
        return INTERNAL;
    }
}
"#;

fn capitalized(sentence: &str) -> String {
    let mut chars = sentence.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

#[test]
fn errors_header_is_what_the_table_of_codes_says() {
    ensure_content("include/brokertls_errors.h", &errors_header());
}

#[test]
fn java_error_code_is_what_the_table_of_codes_says() {
    ensure_content("java/src/main/java/io/brokertls/ErrorCode.java", &error_code_java());
}

#[test]
fn headers_have_comments_of_c89_no_bare_minus_and_at_most_a_hundred_columns() {
    let items = items::read();
    for header in [header::header(&items), header::header_of_conversion(&items), errors_header()] {
        for line in header.lines() {
            assert!(!line.starts_with("#define ") || !line.contains(" -"), "a bare minus: {line}");
            assert!(!line.split("/*").next().unwrap().contains("//"), "a comment of C99: {line}");
            assert!(line.chars().count() <= header::WIDTH, "{line}");
        }
    }
}

#[test]
fn callback_types_of_the_main_header_have_the_linkage_of_c() {
    let header = header::header(&items::read());
    let (_, linked) = header.split_once("extern \"C\" {").unwrap();
    let (linked, _) = linked.split_once("} /* extern \"C\" */").unwrap();
    let callbacks = |text: &str| text.lines().filter(|line| line.contains("(*btls_")).count();
    assert!(callbacks(linked) >= 6, "{linked}");
    assert_eq!(callbacks(linked), callbacks(&header));
}

#[test]
fn main_header_has_at_most_800_lines() {
    let lines = header::header(&items::read()).lines().count();
    assert!(lines <= 800, "{lines}");
}

#[test]
fn main_header_is_what_the_entry_points_say() {
    ensure_content("include/brokertls.h", &header::header(&items::read()));
}

#[test]
fn header_of_conversions_is_what_the_entry_points_say() {
    ensure_content("include/brokertls_convert.h", &header::header_of_conversion(&items::read()));
}

#[test]
fn manual_pages_are_what_the_entry_points_say() {
    for (name, page) in pages::pages(&items::read()) {
        ensure_content(&format!("docs/man/{name}"), &page);
    }
}

#[test]
fn manual_page_of_the_command_is_what_its_command_line_says() {
    ensure_content("docs/man/brokertls.1", &command::page(command_line::command()));
}

#[test]
fn item_without_a_chapter_and_entry_without_an_item_are_named() {
    let items = items::read();
    assert_eq!(header::complaints(&items, &chapters::CHAPTERS.iter().collect::<Vec<_>>()), Vec::<String>::new());
    let without_errors: Vec<_> = chapters::CHAPTERS.iter().filter(|chapter| chapter.page != "btls_error").collect();
    let found = header::complaints(&items, &without_errors);
    assert!(found.iter().any(|one| one.starts_with("btls_error_code belongs to no chapter;")), "{found:?}");
    assert!(found.iter().any(|one| one.starts_with("BTLS_CATEGORY_USAGE belongs to no chapter;")), "{found:?}");
    let twice: Vec<_> = chapters::CHAPTERS.iter().chain(chapters::CHAPTERS).collect();
    let found = header::complaints(&items, &twice);
    assert!(found.contains(&"btls_conn_read belongs to several chapters".to_owned()), "{found:?}");
    let rest: Vec<_> = items.into_iter().filter(|item| item.name != "btls_conn_read").collect();
    let found = header::complaints(&rest, &chapters::CHAPTERS.iter().collect::<Vec<_>>());
    assert_eq!(found, ["btls_conn_read is in tests/generated/chapters.rs and not in src/ffi"]);
}

#[test]
fn messages_of_the_table_cannot_end_a_c_comment() {
    for code in Code::ALL {
        assert!(!code.message().contains("*/"), "{code:?}");
        assert!(code.message().is_ascii(), "{code:?}");
    }
    assert_eq!(Code::Ok.category(), Category::Progress);
}
