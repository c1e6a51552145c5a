//! The revocation sources of a context.

use std::ffi::{CString, c_char};
use std::mem::MaybeUninit;
use std::ptr;

use crate::revocation::{SourceFacts, SourceKind};

use super::arguments::{c_string, required};
use super::context::{btls_context, guard_context};
use super::guard::guard;
use super::{DONE, btls_status};

/// The kind of a revocation source. Later versions may add kinds.
pub type btls_source_kind = i32;

/// Revocation lists (CRL), from a file or fetched.
pub const BTLS_SOURCE_CRL: btls_source_kind = 0;
/// OCSP responses about peers, from a file or fetched.
pub const BTLS_SOURCE_OCSP: btls_source_kind = 1;
/// The OCSP response for an own certificate.
pub const BTLS_SOURCE_STAPLE: btls_source_kind = 2;
/// No source.
pub const BTLS_SOURCE_UNKNOWN: btls_source_kind = -1;

/// Returns the number of accepted certificates with an unknown status since the last reload.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_context_revocation_unknown_accepted(context: Option<&btls_context>) -> u64 {
    guard(0, || context.map_or(0, |context| context.context().revocation_unknown_accepted()))
}

/// The revocation sources of a context at one moment. Several threads may read them.
pub struct btls_revocation_sources {
    sources: Vec<btls_revocation_source>,
}

/// A revocation source: a file, a list's URL or a responder, with its last result.
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

/// Gives the revocation sources: files, fetched lists, responders.
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

/// Frees the result of btls_context_revocation_sources.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_revocation_sources_free(sources: Option<Box<btls_revocation_sources>>) {
    guard((), || drop(sources));
}

/// Returns the number of sources.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_revocation_sources_count(sources: Option<&btls_revocation_sources>) -> usize {
    guard(0, || sources.map_or(0, |sources| sources.sources.len()))
}

/// Returns a source.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_revocation_sources_get(
    sources: Option<&btls_revocation_sources>,
    index: usize,
) -> *const btls_revocation_source {
    guard(ptr::null(), || sources.and_then(|sources| sources.sources.get(index)).map_or(ptr::null(), ptr::from_ref))
}

/// Returns the kind of a source.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_revocation_source_kind(source: Option<&btls_revocation_source>) -> btls_source_kind {
    guard(BTLS_SOURCE_UNKNOWN, || source.map_or(BTLS_SOURCE_UNKNOWN, |source| source.kind))
}

/// Returns the file, label or URL of a source.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_revocation_source_place(source: Option<&btls_revocation_source>) -> *const c_char {
    guard(ptr::null(), || source.map_or(ptr::null(), |source| source.place.as_ptr()))
}

/// Returns the time of the last successful read or fetch, or 0 if there was none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_revocation_source_last_success(source: Option<&btls_revocation_source>) -> i64 {
    guard(0, || source.map_or(0, |source| source.last_success_unix_s))
}

/// Returns the time of the next fetch by btls_context_maintain, or 0 for a file.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_revocation_source_next_refresh(source: Option<&btls_revocation_source>) -> i64 {
    guard(0, || source.map_or(0, |source| source.next_refresh_unix_s))
}

/// Returns the number of revoked certificates or of responses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_revocation_source_entries(source: Option<&btls_revocation_source>) -> usize {
    guard(0, || source.map_or(0, |source| source.entries))
}

/// Returns the number of failed reads and fetches.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_revocation_source_failures(source: Option<&btls_revocation_source>) -> u64 {
    guard(0, || source.map_or(0, |source| source.failures))
}

/// Returns the message of the last read or fetch if it failed, or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_revocation_source_last_error(source: Option<&btls_revocation_source>) -> *const c_char {
    guard(ptr::null(), || {
        source.and_then(|source| source.last_error.as_ref()).map_or(ptr::null(), |error| error.as_ptr())
    })
}
