//! What is told of the sources of knowledge, for an operator who looks.

use super::remote::memory::Schedule;

/// What kind of source it is.
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
    /// What kind it is.
    pub kind: SourceKind,
    /// Its file or URL.
    pub place: String,
    /// When it was last read or fetched; none where it never could be.
    pub last_success_unix_s: Option<i64>,
    /// When it is asked again; none for a file, which a reload reads.
    pub next_refresh_unix_s: Option<i64>,
    /// How many certificates the list revokes, or how many responses there are.
    pub entries: usize,
    /// How often asking has failed.
    pub failures: u64,
    /// What went wrong the last time, where nothing has gone well since.
    pub last_error: Option<String>,
}

impl SourceFacts {
    /// What a schedule tells.
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
