//! The values of the command line.

use std::time::Duration;

use brokertls::options::{OPTIONS, OptionKind, Options};
use clap::ArgMatches;

use crate::password;
use crate::report::{Failure, complain};

/// The options of the table that the command line has, in its order.
///
/// # Errors
/// A value that its option does not take.
pub(crate) fn options(matches: &ArgMatches) -> Result<Options, Failure> {
    let mut options = Options::new();
    // The command prints how each connection ended.
    options.builder_mut().log_refusals(false);
    for (name, kind, value) in given(matches, OPTIONS.iter().map(|row| (row.name, row.kind))) {
        match kind {
            OptionKind::Password => options.set(name, &password::given(value)?)?,
            _ => options.set(name, value)?,
        };
    }
    let log = std::sync::Arc::new(|line: &brokertls::LogLine<'_>| complain(format_args!("{}", line.text)));
    options.builder_mut().log(log);
    Ok(options)
}

/// The values that the command line has of these options, in its order.
pub(crate) fn given(
    matches: &ArgMatches,
    rows: impl Iterator<Item = (&'static str, OptionKind)>,
) -> impl Iterator<Item = (&'static str, OptionKind, &str)> {
    let mut given: Vec<(usize, (&str, OptionKind, &str))> = Vec::new();
    for (name, kind) in rows {
        // Not every command has every row.
        let Ok(Some(values)) = matches.try_get_many::<String>(name) else { continue };
        let indices = matches.indices_of(name).into_iter().flatten();
        given.extend(indices.zip(values).map(|(index, value)| (index, (name, kind, value.as_str()))));
    }
    given.sort_unstable_by_key(|(index, _)| *index);
    given.into_iter().map(|(_, given)| given)
}

/// Returns true if the command line has the flag.
pub(crate) fn is_set(matches: &ArgMatches, name: &str) -> bool {
    matches.get_flag(name)
}

/// The time limit of the connect and of the handshake.
pub(crate) fn time_limit(matches: &ArgMatches) -> Duration {
    Duration::from_secs(matches.get_one("timeout").copied().unwrap_or(10))
}
