//! The values of the command line.

use std::time::Duration;

use brokertls::options::{OPTIONS, Options};
use clap::ArgMatches;

use crate::report::{Failure, complain};

/// The options of the table that the command line has, in its order.
///
/// # Errors
/// A value that its option does not take.
pub(crate) fn options(matches: &ArgMatches) -> Result<Options, Failure> {
    let mut options = Options::new();
    // The command prints how each connection ended.
    options.builder_mut().log_refusals(false);
    let mut given: Vec<(usize, &str, &String)> = Vec::new();
    for row in OPTIONS {
        // Not every command has every row.
        let Ok(Some(values)) = matches.try_get_many::<String>(row.name) else { continue };
        let indices = matches.indices_of(row.name).into_iter().flatten();
        given.extend(indices.zip(values).map(|(index, value)| (index, row.name, value)));
    }
    given.sort_unstable_by_key(|(index, _, _)| *index);
    for (_, name, value) in given {
        options.set(name, value)?;
    }
    let log = std::sync::Arc::new(|line: &brokertls::LogLine<'_>| complain(format_args!("{}", line.text)));
    options.builder_mut().log(log);
    Ok(options)
}

/// Returns true if the command line has the flag.
pub(crate) fn is_set(matches: &ArgMatches, name: &str) -> bool {
    matches.get_flag(name)
}

/// The time limit of the connect and of the handshake.
pub(crate) fn time_limit(matches: &ArgMatches) -> Duration {
    Duration::from_secs(matches.get_one("timeout").copied().unwrap_or(10))
}
