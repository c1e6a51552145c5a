//! The files under `include/`, and Java's ErrorCode, are written from the source by this test, and it fails when they have drifted apart.
//!
//! `make bless` (`BTLS_BLESS=1`) rewrites them. Only this file writes into the tree.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use brokertls::error::{Category, Code};

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
    let mut text = String::from(
        "/* The codes of brokertls. Generated from src/error/codes.rs; `make bless` rewrites it.\n\
         \x20*\n\
         \x20* Numbers never change their meaning. A code's category is its hundred: 0 success, 1-99 progress, 1xx usage,\n\
         \x20* 2xx keystore, 3xx certificate, 4xx revocation, 5xx protocol, 7xx input and output, 9xx internal,\n\
         \x20* 1000 + n the alert n received from the peer.\n\
         \x20*/\n\
         #ifndef BROKERTLS_ERRORS_H\n\
         #define BROKERTLS_ERRORS_H\n\
         \n\
         #include <stdint.h>\n\
         \n\
         /* What every function that can fail returns: one of the codes below, or one that a later version adds. */\n\
         typedef int32_t btls_status;\n\
         \n\
         enum {\n",
    );
    let mut category = None;
    for code in Code::ALL {
        if category.replace(code.category()).is_some_and(|before| before != code.category()) {
            text.push('\n');
        }
        write!(text, "    /* {}", capitalized(code.message())).unwrap();
        if let Some(alert) = code.alert() {
            write!(text, "; the peer is sent alert {alert}").unwrap();
        }
        write!(text, ". */\n    BTLS_{} = {},\n", code.name(), code.number()).unwrap();
    }
    // A comma after the last constant is not C89 or C++98.
    text.truncate(text.len() - 2);
    text.push_str("\n};\n\n#endif /* BROKERTLS_ERRORS_H */\n");
    text
}

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
        writeln!(text, "    /** {}. */", capitalized(code.message())).unwrap();
        let category = format!("{:?}", code.category()).to_uppercase();
        let alert = code.alert().map_or(-1, i32::from);
        let [message, hint] = [code.message(), code.hint()].map(|text| format!("{text:?}"));
        writeln!(text, "    {}({}, Category.{category}, {alert},", code.name(), code.number()).unwrap();
        writeln!(text, "            {message},").unwrap();
        write!(text, "            {hint})").unwrap();
        text.push_str(if Code::ALL.last() == Some(code) { ";\n" } else { ",\n" });
    }
    text.push_str(ERROR_CODE_MEMBERS);
    text
}

/// What follows the rows of ErrorCode.java.
const ERROR_CODE_MEMBERS: &str = r#"
    /** What a code is about. */
    public enum Category {
        /** Not an error. */
        PROGRESS,
        /** The caller asked for something that cannot be. */
        USAGE,
        /** A file or store of keys or certificates could not be used. */
        KEYSTORE,
        /** The peer's certificate was refused. */
        CERTIFICATE,
        /** The peer's certificate was refused for what is known, or not known, of its revocation. */
        REVOCATION,
        /** The bytes of the connection broke the protocol, or the two sides had nothing in common. */
        PROTOCOL,
        /** The operating system reported an error. */
        IO,
        /** A defect of this library. */
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

    /** The number, the same in C and on the command line. */
    public int number() {
        return number;
    }

    /** What the code is about. */
    public Category category() {
        return category;
    }

    /** The description number of the alert that the peer is sent (RFC 8446 section 6), or -1. */
    public int alert() {
        return alert;
    }

    /** What happened, in one clause. */
    public String message() {
        return message;
    }

    /** What would mend it, as a sentence; empty where nothing general can be said. */
    public String hint() {
        return hint;
    }

    /** The code of a number; {@link #INTERNAL} for a number that this version does not know. */
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

/// The files of `src/ffi` in the order in which the header has their functions. `mod` has none, and would be followed by
/// cbindgen to the others.
const ROOM: &[&str] = &[
    "version",
    "error",
    "builder",
    "source",
    "context",
    "revocation",
    "revoked",
    "list",
    "connection",
    "facts",
    "certificate",
    "names",
    "callback",
    "arguments",
    "guard",
];

/// The C API as cbindgen reads it from `src/ffi`.
fn main_header() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).unwrap();
    let sources = ROOM.iter().map(|name| root.join("src/ffi").join(format!("{name}.rs")));
    let builder = sources.fold(cbindgen::Builder::new().with_config(config), cbindgen::Builder::with_src);
    let mut text = Vec::new();
    builder.generate().unwrap().write(&mut text);
    for_any_compiler(&String::from_utf8(text).unwrap())
}

/// The header for every compiler. `extern "C"` begins before the types of callbacks, which are C's too; comments are
/// those of C89; a number below zero is one in every expression.
fn for_any_compiler(header: &str) -> String {
    const BEGIN: &str = "#ifdef __cplusplus\nextern \"C\" {\n#endif // __cplusplus\n\n";
    const INCLUDES_END: &str = "#include \"brokertls_errors.h\"\n\n";
    assert!(header.contains(BEGIN) && header.contains(INCLUDES_END));
    let begin = BEGIN.replace("// __cplusplus", "/* __cplusplus */");
    let header = header.replace(BEGIN, "").replace(INCLUDES_END, &format!("{INCLUDES_END}{begin}"));
    let line = |line: &str| match (line.split_once("//"), line.strip_prefix("#define ")) {
        (Some((code, comment)), _) if !line.starts_with([' ', '/']) => format!("{code}/*{comment} */\n"),
        (_, Some(define)) => match define.split_once(" -") {
            Some((name, digits)) => format!("#define {name} (-{digits})\n"),
            None => format!("{line}\n"),
        },
        _ => format!("{line}\n"),
    };
    header.lines().map(line).collect()
}

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
fn headers_are_c89_but_for_what_they_include_and_c_in_cxx_throughout() {
    let headers = [main_header(), errors_header()];
    for header in &headers {
        let outside: Vec<&str> = header.lines().filter(|line| !line.starts_with(" *")).collect();
        assert!(!outside.iter().any(|line| line.contains("//")), "a comment of C99");
        assert!(!outside.iter().any(|line| line.starts_with("#define ") && line.contains(" -")), "a bare minus");
    }
    let (before, _) = headers[0].split_once("typedef").unwrap();
    assert!(before.contains("extern \"C\" {"));
}

#[test]
fn main_header_is_what_the_entry_points_say() {
    ensure_content("include/brokertls.h", &main_header());
}

#[test]
fn header_is_read_from_every_file_of_the_room() {
    let files = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ffi")).unwrap();
    let names = files.map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned());
    let (mut found, mut read): (Vec<_>, Vec<_>) = (names.collect(), ROOM.to_vec());
    found.retain(|name| name != "mod");
    found.sort();
    read.sort_unstable();
    assert_eq!(found, read);
}

#[test]
fn messages_of_the_table_cannot_end_a_c_comment() {
    for code in Code::ALL {
        assert!(!code.message().contains("*/"), "{code:?}");
        assert!(code.message().is_ascii(), "{code:?}");
    }
    assert_eq!(Code::Ok.category(), Category::Progress);
}
