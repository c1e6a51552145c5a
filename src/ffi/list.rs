//! Lists of texts that the caller owns.

use std::ffi::{CString, c_char};
use std::ptr;

use super::arguments::c_string;
use super::guard::guard;

/// A list of texts, each with an optional note. It never changes; several threads may read it.
pub struct btls_list {
    entries: Vec<Entry>,
}

/// A text and its note.
pub(super) struct Entry {
    text: CString,
    note: Option<CString>,
}

impl Entry {
    pub(super) fn new(text: &str) -> Self {
        Self { text: c_string(text), note: None }
    }

    pub(super) fn with_note(text: &str, note: &str) -> Self {
        Self { text: c_string(text), note: Some(c_string(note)) }
    }
}

impl btls_list {
    /// Hands the list over to the caller.
    pub(super) fn leak(entries: Vec<Entry>) -> *mut Self {
        Box::into_raw(Box::new(Self { entries }))
    }
}

/// Returns the number of texts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_list_count(list: Option<&btls_list>) -> usize {
    guard(0, || list.map_or(0, |list| list.entries.len()))
}

/// Returns a text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_list_get(list: Option<&btls_list>, index: usize) -> *const c_char {
    guard(ptr::null(), || {
        list.and_then(|list| list.entries.get(index)).map_or(ptr::null(), |entry| entry.text.as_ptr())
    })
}

/// Returns the note of a text, e.g. a reason, or NULL if it has none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_list_note(list: Option<&btls_list>, index: usize) -> *const c_char {
    guard(ptr::null(), || {
        let note = list.and_then(|list| list.entries.get(index)).and_then(|entry| entry.note.as_ref());
        note.map_or(ptr::null(), |note| note.as_ptr())
    })
}

/// Frees a list.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_list_free(list: Option<Box<btls_list>>) {
    guard((), || drop(list));
}
