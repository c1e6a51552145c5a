//! `brokertls convert`: a keystore, or certificates and keys, as PKCS#12 or PEM.

use std::path::Path;
use std::sync::Arc;

use brokertls::Source;
use brokertls::convert::{CONVERT_OPTIONS, Conversion, Converted};
use brokertls::keystore::{Password, Secret};
use brokertls::options::OptionKind;
use clap::ArgMatches;
use serde_json::json;

use crate::arguments::{given, is_set};
use crate::password;
use crate::report::{EXIT_OK, EXIT_REFUSED, Failure, Outcome, complain, error_json, print, print_json};

pub(crate) fn run(matches: &ArgMatches) -> Outcome {
    let text = |name: &str| matches.get_one::<String>(name).map(String::as_str).unwrap_or_default();
    let (from, to) = (text("in"), text("out"));
    let conversion = conversion(matches)?;
    let is_json = is_set(matches, "json");
    match conversion.convert_to_file(&Source::file(from), Path::new(to)) {
        Ok(converted) => {
            match is_json {
                true => show_json(&converted, to)?,
                false => show(&converted, to)?,
            }
            Ok(EXIT_OK)
        }
        Err(error) if is_json && error.code().category() != brokertls::error::Category::Usage => {
            print_json(&json!({ "file": from, "error": error_json(&error) }))?;
            Ok(EXIT_REFUSED)
        }
        Err(error) => Err(error.into()),
    }
}

/// The conversion that the command line asks for.
fn conversion(matches: &ArgMatches) -> Result<Conversion, Failure> {
    let mut conversion = Conversion::new();
    for (name, kind, value) in given(matches, CONVERT_OPTIONS.iter().map(|row| (row.name, row.kind))) {
        match kind {
            OptionKind::Password => {
                let given = password::given(value)?;
                match given.strip_prefix("pass:") {
                    // Nothing but the text pass: is an empty password on purpose.
                    Some(line) if name == "out-password" && !value.starts_with("pass:") => {
                        let secret = Secret::new(line);
                        conversion.out_password(Password::Callback(Arc::new(move |_| Some(secret.clone()))))
                    }
                    _ => conversion.set(name, &given)?,
                }
            }
            _ => conversion.set(name, value)?,
        };
    }
    Ok(conversion)
}

fn show(converted: &Converted, to: &str) -> Result<(), Failure> {
    for warning in &converted.warnings {
        complain(format_args!("warning: {warning}"));
    }
    for entry in &converted.entries {
        print(format_args!("{to}: {}", entry.line()))?;
    }
    Ok(())
}

fn show_json(converted: &Converted, to: &str) -> Result<(), Failure> {
    let entries = converted.entries.iter().map(|entry| {
        json!({
            "alias": entry.alias,
            "kind": entry.kind(),
            "certificates": entry.certificates,
            "subject": entry.subject,
        })
    });
    print_json(&json!({
        "file": to,
        "entries": entries.collect::<Vec<_>>(),
        "warnings": converted.warnings,
    }))
}
