//! Attempts at several places under one deadline.

use std::time::Instant;

use crate::error::{Code, Error, Result};

/// The time that the first of so many tries may take of what is left until a deadline.
pub(crate) fn share(deadline: Instant, tries: usize) -> Instant {
    let now = Instant::now();
    let left = deadline.saturating_duration_since(now);
    now + left / u32::try_from(tries.max(1)).unwrap_or(u32::MAX)
}

/// Tries places in their order, each with its share of the time, until one gives what is asked for.
pub(crate) fn first_of<T>(
    places: &[&str],
    deadline: Instant,
    nowhere: &str,
    mut ask: impl FnMut(&str, Instant) -> Result<T, Error>,
) -> Result<T> {
    let mut error = None;
    for (at, place) in places.iter().enumerate() {
        match ask(place, share(deadline, places.len() - at)) {
            Ok(found) => return Ok(found),
            Err(failure) => error = more_telling(error, Some(failure)),
        }
    }
    Err(error.unwrap_or_else(|| Error::new(Code::RevocationUnknown, nowhere)))
}

/// The later of two failures, unless it is that its place is none to fetch from: that says less than the other.
pub(super) fn more_telling(earlier: Option<Error>, later: Option<Error>) -> Option<Error> {
    match (earlier, later) {
        (Some(earlier), Some(later)) if later.code() == Code::FetchRefused => Some(earlier),
        (earlier, later) => later.or(earlier),
    }
}
