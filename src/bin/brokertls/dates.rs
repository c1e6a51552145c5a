//! Times: seconds since 1970 to text and back.

use std::time::{Duration, SystemTime};

use brokertls::error::{Code, Error};
use rustls::pki_types::UnixTime;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Returns a time in RFC 3339 form, UTC, or the plain number after the year 9999.
pub(crate) fn rfc3339(unix_s: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp(unix_s).ok();
    time.and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_else(|| format!("{unix_s} s"))
}

/// Parses a time in RFC 3339 form.
///
/// # Errors
/// `INVALID_TIME`, also for a time before 1970.
pub(crate) fn parse(text: &str) -> Result<UnixTime, Error> {
    let time = OffsetDateTime::parse(text, &Rfc3339);
    let time = time.map_err(|_| Error::new(Code::InvalidTime, format!("{text:?}")))?;
    let seconds = u64::try_from(time.unix_timestamp());
    let seconds = seconds.map_err(|_| Error::new(Code::InvalidTime, format!("{text:?} is before 1970")))?;
    Ok(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
}

/// Returns the current time.
pub(crate) fn now() -> UnixTime {
    // A clock before 1970 is wrong; certificates are then not valid yet.
    UnixTime::since_unix_epoch(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_to_text_and_back() {
        let time = parse("2026-01-31T12:00:00Z").unwrap();
        assert_eq!(rfc3339(i64::try_from(time.as_secs()).unwrap()), "2026-01-31T12:00:00Z");
        assert_eq!(parse("2026-01-31T13:00:00+01:00").unwrap().as_secs(), time.as_secs());
    }

    #[test]
    fn time_in_another_form_or_before_1970_is_refused() {
        for text in ["", "2026-01-31", "2026-13-31T12:00:00Z", "1960-01-01T00:00:00Z", "now", "\u{0}"] {
            assert_eq!(parse(text).unwrap_err().code(), Code::InvalidTime, "{text:?}");
        }
    }

    #[test]
    fn time_beyond_the_calendar_is_still_shown() {
        assert_eq!(rfc3339(i64::MAX), "9223372036854775807 s");
    }
}
