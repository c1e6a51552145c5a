//! The results of a command, on standard output, its errors, on standard error, and its exit code.

use std::fmt;
use std::io::{self, Write};

use brokertls::error::{Category, Error};
use serde_json::{Value, json};

/// The command succeeded, and the answer is yes.
pub(crate) const EXIT_OK: u8 = 0;
/// The command succeeded, and the answer is no: refused, unreadable, not connected.
pub(crate) const EXIT_REFUSED: u8 = 1;
/// The usage is wrong.
pub(crate) const EXIT_USAGE: u8 = 2;

/// The outcome of a command: its exit code, or the failure.
pub(crate) type Outcome = Result<u8, Failure>;

/// The failure of a command.
#[derive(Debug)]
pub(crate) enum Failure {
    Usage(String),
    Library(Error),
    Output(io::Error),
    Other(String),
}

impl Failure {
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    /// Writes the failure to standard error and returns the exit code.
    pub(crate) fn report(&self) -> u8 {
        match self {
            Self::Usage(message) => {
                complain(format_args!("error: {message}"));
                complain(format_args!("For help, try --help."));
                EXIT_USAGE
            }
            Self::Library(error) => {
                complain(format_args!("error: {error}"));
                if !error.hint().is_empty() {
                    complain(format_args!("hint: {}", error.hint()));
                }
                if error.code().category() == Category::Usage { EXIT_USAGE } else { EXIT_REFUSED }
            }
            // The reader of the pipe has gone.
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => EXIT_REFUSED,
            Self::Output(error) => {
                complain(format_args!("error: standard output: {error}"));
                EXIT_REFUSED
            }
            Self::Other(message) => {
                complain(format_args!("error: {message}"));
                EXIT_REFUSED
            }
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Library(error)
    }
}

/// Escapes characters that could deceive the reader. Aliases and subjects have any content: they must not control a
/// terminal or look like lines of their own. The escapes are those of JSON, so that JSON stays JSON.
fn harmless(line: fmt::Arguments<'_>) -> String {
    let mut shown = String::new();
    for character in line.to_string().chars() {
        let turns_text =
            matches!(character, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}');
        match character.is_control() || turns_text {
            true => shown.push_str(&format!("\\u{:04x}", u32::from(character))),
            false => shown.push(character),
        }
    }
    shown
}

/// Writes a line to standard error, and ignores a failure.
pub(crate) fn complain(line: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr().lock(), "{}", harmless(line));
}

/// Writes a line to standard output and flushes it.
pub(crate) fn print(line: fmt::Arguments<'_>) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", harmless(line)).and_then(|()| out.flush()).map_err(Failure::Output)
}

/// Writes a value as one line of JSON.
pub(crate) fn print_json(value: &Value) -> Result<(), Failure> {
    print(format_args!("{value}"))
}

/// An error of the library as JSON.
pub(crate) fn error_json(error: &Error) -> Value {
    json!({
        "code": error.code().name(),
        "number": error.code().number(),
        "message": error.message(),
        "hint": error.hint(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_with_control_characters_is_shown_without_them_and_json_stays_json() {
        assert_eq!(
            harmless(format_args!("a\u{1b}[31m\nconnected \u{9b}\u{202e}é")),
            "a\\u001b[31m\\u000aconnected \\u009b\\u202eé"
        );
        let value = json!({ "subject": "CN=\u{9b}\u{202e}\n\"x\"" });
        let shown = harmless(format_args!("{value}"));
        assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), value);
    }
}
