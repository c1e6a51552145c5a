//! `brokertls inspect` of files with pre-shared keys: their numbers, and nothing of what they hold.

use brokertls::keystore::Limits;
use brokertls::{Error, PskFormat, PskSummary, Result, Source};
use clap::ArgMatches;
use serde_json::json;
use zeroize::Zeroizing;

use crate::report::{EXIT_OK, EXIT_REFUSED, Failure, Outcome, error_json, print, print_json};

/// The size of the largest file that is read, in bytes.
const MAX_BYTES: usize = 256 << 20;

/// The most lines that are tried to recognise a file of keys.
const MAX_LINES_TRIED: usize = 64;

/// Shows the file as one of keys if an option says that it is one.
pub(crate) fn inspect_as_said(matches: &ArgMatches, file: &str, is_json: bool) -> Option<Outcome> {
    let text = |name: &str| matches.get_one::<String>(name).map(String::as_str);
    if text("psk-format").is_none() && text("psk-separator").is_none() {
        return None;
    }
    let format = match text("psk-format").map(|name| (name, PskFormat::from_name(name))) {
        Some((_, None)) => return Some(Err(Failure::usage("--psk-format is hex or text"))),
        Some((_, Some(format))) => format,
        None => PskFormat::Hex,
    };
    let read = content_of(file).and_then(|content| PskSummary::read(content, file, format, text("psk-separator")));
    Some(told(file, format, read, is_json))
}

/// Shows a file that is nothing else as one of keys, or the bad line in it. Returns nothing if most of its first lines
/// are no identities with hexadecimal digits.
pub(crate) fn inspect_if_keys(file: &str, is_json: bool) -> Option<Outcome> {
    let content = content_of(file).ok()?;
    let is_key = |line: &&[u8]| PskSummary::read(line.to_vec().into(), "", PskFormat::Hex, None).is_ok();
    let lines = content.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let tried = || lines.clone().filter(|line| !line.is_empty() && !line.starts_with(b"#")).take(MAX_LINES_TRIED);
    let keys = tried().filter(is_key).count();
    if keys == 0 || keys < tried().count() - keys {
        return None;
    }
    Some(told(file, PskFormat::Hex, PskSummary::read(content, file, PskFormat::Hex, None), is_json))
}

fn content_of(file: &str) -> Result<Zeroizing<Vec<u8>>> {
    let mut limits = Limits::default();
    limits.max_content_bytes = MAX_BYTES;
    Source::file(file).read(&limits)
}

fn told(file: &str, format: PskFormat, read: Result<PskSummary>, is_json: bool) -> Outcome {
    match read {
        Ok(summary) => show(file, format, &summary, is_json),
        Err(error) => refuse(file, error, is_json),
    }
}

fn refuse(file: &str, error: Error, is_json: bool) -> Outcome {
    if !is_json {
        return Err(error.into());
    }
    print_json(&json!({ "file": file, "error": error_json(&error) }))?;
    Ok(EXIT_REFUSED)
}

fn show(file: &str, format: PskFormat, summary: &PskSummary, is_json: bool) -> Outcome {
    let PskSummary { count, replaced, identity_bytes: (shortest, longest), secret_bytes, warnings, .. } = summary;
    let form = if format == PskFormat::Text { "text" } else { "hex" };
    if is_json {
        let lengths: Vec<_> =
            secret_bytes.iter().map(|(length, count)| json!({ "length": length, "count": count })).collect();
        print_json(&json!({
            "file": file,
            "type": "PSK",
            "format": form,
            "count": count,
            "replaced": replaced,
            "identity_bytes": { "shortest": shortest, "longest": longest },
            "secret_bytes": lengths,
            "warnings": warnings,
        }))?;
        return Ok(EXIT_OK);
    }
    let noun = if *count == 1 { "identity" } else { "identities" };
    print(format_args!("{file}: pre-shared keys ({form}), {count} {noun}"))?;
    print(format_args!("  identities   {shortest} to {longest} bytes"))?;
    let lengths: Vec<_> = secret_bytes.iter().map(|(length, count)| format!("{count} of {length} bytes")).collect();
    print(format_args!("  secrets      {}", lengths.join(", ")))?;
    for warning in warnings {
        print(format_args!("  warning: {warning}"))?;
    }
    Ok(EXIT_OK)
}
