//! The facts of revocation sources for the operator.

use super::remote::memory::Schedule;

/// The kind of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(i32)]
pub enum SourceKind {
    /// Revocation lists, of a file or fetched.
    Crl = 0,
    /// OCSP responses about peers, of a file or a responder's.
    Ocsp = 1,
    /// The OCSP response that is stapled to a certificate of one's own.
    Staple = 2,
}

impl SourceKind {
    /// The name in listings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Crl => "crl",
            Self::Ocsp => "ocsp",
            Self::Staple => "staple",
        }
    }
}

/// One source, and how asking it went. Times are seconds since 1970 in UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourceFacts {
    /// The kind.
    pub kind: SourceKind,
    /// Its file or URL.
    pub place: String,
    /// The time of the last successful read or fetch, or `None`.
    pub last_success_unix_s: Option<i64>,
    /// The time at which it is asked again; `None` for a file, which a reload reads.
    pub next_refresh_unix_s: Option<i64>,
    /// The number of revoked certificates of a list, or of responses.
    pub entries: usize,
    /// The number of failed reads and fetches.
    pub failures: u64,
    /// The last error, if no success followed.
    pub last_error: Option<String>,
}

impl SourceFacts {
    /// Takes the facts of a schedule.
    pub(super) fn new(kind: SourceKind, place: String, entries: usize, schedule: &Schedule) -> Self {
        Self {
            kind,
            place,
            last_success_unix_s: schedule.last_success_unix_s,
            next_refresh_unix_s: Some(schedule.next_unix_s),
            entries,
            failures: schedule.failures,
            last_error: schedule.last_error.as_ref().map(ToString::to_string),
        }
    }

    /// A file that was read with the context.
    pub(super) fn file(kind: SourceKind, place: &str, entries: usize, read_unix_s: i64) -> Self {
        Self {
            kind,
            place: place.to_owned(),
            last_success_unix_s: Some(read_unix_s),
            next_refresh_unix_s: None,
            entries,
            failures: 0,
            last_error: None,
        }
    }
}
