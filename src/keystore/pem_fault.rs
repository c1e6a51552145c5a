//! Faults of PEM text in words: what editors, variables of the environment, YAML and JSON do to line ends and dashes.

use crate::certificate::printable;
use crate::error::{Code, Error};

/// The start of a line before a block.
pub(super) const BEGIN: &str = "-----BEGIN ";
/// The start of a line after a block.
pub(super) const END: &str = "-----END ";
/// The end of both lines.
pub(super) const DASHES: &str = "-----";

/// Characters that line ends may have become, and ways to get the line ends back.
const LOST_LINE_ENDS: &[(&str, &str, &str)] = &[
    ("\\", "the characters \\n", "Replace each \\n by a line end: printf '%b' \"$TEXT\" > FILE.pem."),
    ("%0", "the characters %0A", "Decode the text as a URL, so that each %0A becomes a line end."),
    ("&#", "the characters &#10;", "Decode the text as XML, so that each &#10; becomes a line end."),
    (" ", "spaces", "Keep the line ends: quote the variable in the shell (\"$TEXT\"), or use a block (|) in YAML."),
];

/// The error for a line that begins as a BEGIN line and is none.
pub(super) fn of_begin(line: &[u8], number: usize) -> Error {
    let line = String::from_utf8_lossy(line);
    let rest = line.strip_prefix(BEGIN).unwrap_or_default();
    let Some((label, behind)) = rest.split_once(DASHES) else { return no_dashes("-----BEGIN", number) };
    let behind = behind.replace('\t', " ");
    let label = printable(label.trim());
    if behind.starts_with(|first: char| first.is_ascii_alphanumeric()) {
        let hint = "Put line ends behind the BEGIN line, before the END line, and after each 64 characters between.";
        return malformed(format!("line {number}: {label} stands on one line, its line ends are missing"), hint);
    }
    let lost = LOST_LINE_ENDS.iter().find(|(beginning, _, _)| behind.starts_with(beginning));
    let Some((_, became, hint)) = lost else {
        return malformed(
            format!("line {number}: there is text behind the dashes of -----BEGIN {label}-----"),
            "Remove what follows the five dashes on this line.",
        );
    };
    malformed(format!("line {number}: {label} stands on one line, its line ends have become {became}"), hint)
}

/// The error for a line that begins as an END line and is none.
pub(super) fn of_end(line: &[u8], number: usize) -> Error {
    let line = String::from_utf8_lossy(line);
    let rest = line.strip_prefix(END).unwrap_or_default();
    let Some((label, behind)) = rest.split_once(DASHES) else { return no_dashes("-----END", number) };
    let label = printable(label.trim());
    match behind.contains(BEGIN) {
        true => malformed(
            format!("line {number}: a line end is missing between the end of {label} and the next -----BEGIN"),
            "Put a line end between the two blocks.",
        ),
        false => malformed(
            format!("line {number}: there is text behind the dashes of -----END {label}-----"),
            "Remove what follows the five dashes on this line.",
        ),
    }
}

/// The error for a line within a block that has dashes.
pub(super) fn of_body(line: &[u8], label: &str, number: usize) -> Error {
    let line = String::from_utf8_lossy(line);
    let missing = [END, BEGIN].into_iter().find(|mark| line.contains(mark));
    match missing.map(str::trim_end) {
        Some(mark) => malformed(
            format!("line {number}: a line end is missing before {mark}, within {label}"),
            &format!("Put a line end before {mark}."),
        ),
        None if line.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'=')) => {
            malformed(
                format!("line {number}: {label} is in base64url, with - and _ for + and /"),
                "Write + for each - and / for each _ between the BEGIN and END lines.",
            )
        }
        None => malformed(format!("line {number}: dashes within {label}"), ""),
    }
}

/// The error for an END line without its BEGIN, which may stand on a line behind something else.
pub(super) fn of_end_alone(label: &str, number: usize, stray: Option<(usize, &[u8])>) -> Error {
    match stray {
        Some((number, line)) => of_begin_behind(line, number),
        None => malformed(format!("line {number}: end of {label} without its begin"), ""),
    }
}

/// The error for a line with a BEGIN behind something else.
pub(super) fn of_begin_behind(line: &[u8], number: usize) -> Error {
    let text = String::from_utf8_lossy(line);
    let rest = text.find(BEGIN).and_then(|at| text.get(at..)).unwrap_or(BEGIN);
    match rest.strip_suffix(DASHES).is_some_and(|label| !label.contains(&format!("{DASHES} "))) {
        true => malformed(
            format!("line {number}: there is text before -----BEGIN"),
            "Let each BEGIN line start with its five dashes: remove quotes, marks and tags before it.",
        ),
        false => {
            let error = of_begin(rest.trim_end().as_bytes(), number);
            let is_quoted = text.split(BEGIN).next().is_some_and(|before| before.ends_with(['"', '\'']));
            let hint = format!("{} Remove the quotes around it too.", error.hint());
            if is_quoted { error.with_hint(hint) } else { error }
        }
    }
}

fn no_dashes(mark: &str, number: usize) -> Error {
    malformed(
        format!("line {number}: {mark} without five dashes at its end"),
        "Let the line end with five dashes, and the text follow on the next line.",
    )
}

fn malformed(detail: String, hint: &str) -> Error {
    Error::new(Code::PemMalformed, detail).with_hint(hint)
}
