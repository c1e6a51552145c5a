//! `brokertls inspect` of files with pre-shared keys: their numbers, and nothing of what they hold.

use brokertls::keystore::Limits;
use brokertls::{Error, PskFormat, PskSummary, Result, Source};
use clap::ArgMatches;
use serde_json::json;

use crate::report::{EXIT_OK, EXIT_REFUSED, Failure, Outcome, error_json, print, print_json};

/// The size of the largest file that is read, in bytes.
const MAX_BYTES: usize = 256 << 20;

/// Shows the file if it is one of keys: because an option says so, or because each line is one with hexadecimal digits.
pub(crate) fn inspect(matches: &ArgMatches, file: &str, is_json: bool) -> Option<Outcome> {
    let text = |name: &str| matches.get_one::<String>(name).map(String::as_str);
    let is_said = text("psk-format").is_some() || text("psk-separator").is_some();
    if !is_said && text("type").is_some() {
        return None;
    }
    let format = match text("psk-format").map(|name| (name, PskFormat::from_name(name))) {
        Some((_, None)) => return Some(Err(Failure::usage("--psk-format is hex or text"))),
        Some((_, Some(format))) => format,
        None => PskFormat::Hex,
    };
    match read(file, format, text("psk-separator")) {
        Ok(summary) => Some(show(file, format, &summary, is_json)),
        Err(error) if is_said => Some(refuse(file, error, is_json)),
        Err(_) => None,
    }
}

fn read(file: &str, format: PskFormat, separator: Option<&str>) -> Result<PskSummary> {
    let mut limits = Limits::default();
    limits.max_content_bytes = MAX_BYTES;
    PskSummary::read(Source::file(file).read(&limits)?, file, format, separator)
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
