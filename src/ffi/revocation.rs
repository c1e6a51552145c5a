//! What a context tells of its sources of knowledge of revocation.

use std::ffi::{CString, c_char};
use std::mem::MaybeUninit;
use std::ptr;

use crate::revocation::{SourceFacts, SourceKind};

use super::arguments::{c_string, required};
use super::context::{btls_context, guard_context};
use super::guard::guard;
use super::{DONE, btls_status};

/// The kind of a source of revocation knowledge. Later versions may add kinds.
pub type btls_source_kind = i32;

/// A source of knowledge: revocation lists (CRL), of a file or fetched.
pub const BTLS_SOURCE_CRL: btls_source_kind = 0;
/// A source of knowledge: OCSP responses about peers, of a file or a responder's.
pub const BTLS_SOURCE_OCSP: btls_source_kind = 1;
/// A source of knowledge: the OCSP response that is stapled to a certificate of one's own.
pub const BTLS_SOURCE_STAPLE: btls_source_kind = 2;
/// No source.
pub const BTLS_SOURCE_UNKNOWN: btls_source_kind = -1;

/// How many certificates were accepted since the last reload though no source knew whether they are revoked; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_context_revocation_unknown_accepted(context: Option<&btls_context>) -> u64 {
    guard(0, || context.map_or(0, |context| context.context().revocation_unknown_accepted()))
}

/// Where a context's knowledge of revocation comes from, as it was when it was asked for. It does not change, and may be read
/// by several threads at a time.
pub struct btls_revocation_sources {
    sources: Vec<btls_revocation_source>,
}

/// One source, and how asking it went.
pub struct btls_revocation_source {
    kind: btls_source_kind,
    place: CString,
    last_success_unix_s: i64,
    next_refresh_unix_s: i64,
    entries: usize,
    failures: u64,
    last_error: Option<CString>,
}

impl btls_revocation_source {
    fn new(facts: &SourceFacts) -> Self {
        Self {
            kind: match facts.kind {
                SourceKind::Crl => BTLS_SOURCE_CRL,
                SourceKind::Ocsp => BTLS_SOURCE_OCSP,
                SourceKind::Staple => BTLS_SOURCE_STAPLE,
            },
            place: c_string(&facts.place),
            last_success_unix_s: facts.last_success_unix_s.unwrap_or_default(),
            next_refresh_unix_s: facts.next_refresh_unix_s.unwrap_or_default(),
            entries: facts.entries,
            failures: facts.failures,
            last_error: facts.last_error.as_deref().map(c_string),
        }
    }
}

/// Gives the sources of a context's knowledge of revocation: files, what was fetched, who was asked. The caller frees them with
/// btls_revocation_sources_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_context_revocation_sources(
    context: Option<&btls_context>,
    sources: Option<&mut MaybeUninit<*mut btls_revocation_sources>>,
) -> btls_status {
    guard_context(context, |context| {
        let out = required(sources, "sources")?;
        let sources = context.revocation_sources().iter().map(btls_revocation_source::new).collect();
        out.write(Box::into_raw(Box::new(btls_revocation_sources { sources })));
        DONE
    })
}

/// Frees what btls_context_revocation_sources gave. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_revocation_sources_free(sources: Option<Box<btls_revocation_sources>>) {
    guard((), || drop(sources));
}

/// How many sources there are; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_revocation_sources_count(sources: Option<&btls_revocation_sources>) -> usize {
    guard(0, || sources.map_or(0, |sources| sources.sources.len()))
}

/// One of them, which lives as long as the sources; NULL for an index that is too large.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_revocation_sources_get(
    sources: Option<&btls_revocation_sources>,
    index: usize,
) -> *const btls_revocation_source {
    guard(ptr::null(), || sources.and_then(|sources| sources.sources.get(index)).map_or(ptr::null(), ptr::from_ref))
}

/// Returns the kind of a source; BTLS_SOURCE_UNKNOWN for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_revocation_source_kind(source: Option<&btls_revocation_source>) -> btls_source_kind {
    guard(BTLS_SOURCE_UNKNOWN, || source.map_or(BTLS_SOURCE_UNKNOWN, |source| source.kind))
}

/// Its file, label or URL; NULL for NULL. Lives as long as the sources, as all texts of one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_revocation_source_place(source: Option<&btls_revocation_source>) -> *const c_char {
    guard(ptr::null(), || source.map_or(ptr::null(), |source| source.place.as_ptr()))
}

/// When it was last read or fetched, seconds since 1970 in UTC; 0 where it never could be, and for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_revocation_source_last_success(source: Option<&btls_revocation_source>) -> i64 {
    guard(0, || source.map_or(0, |source| source.last_success_unix_s))
}

/// When btls_context_maintain asks it again, seconds since 1970 in UTC; 0 for a file, which a reload reads, and for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_revocation_source_next_refresh(source: Option<&btls_revocation_source>) -> i64 {
    guard(0, || source.map_or(0, |source| source.next_refresh_unix_s))
}

/// How many certificates the lists revoke, or how many responses there are; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_revocation_source_entries(source: Option<&btls_revocation_source>) -> usize {
    guard(0, || source.map_or(0, |source| source.entries))
}

/// How often asking it has failed; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_revocation_source_failures(source: Option<&btls_revocation_source>) -> u64 {
    guard(0, || source.map_or(0, |source| source.failures))
}

/// What went wrong the last time it was asked; NULL where it went well.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_revocation_source_last_error(source: Option<&btls_revocation_source>) -> *const c_char {
    guard(ptr::null(), || {
        source.and_then(|source| source.last_error.as_ref()).map_or(ptr::null(), |error| error.as_ptr())
    })
}
