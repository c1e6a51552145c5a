//! An error as C sees it, an opaque object with its texts, and the last one of an object.

use std::ffi::{CStr, CString};
use std::ptr;
use std::sync::OnceLock;

use crate::error::{Category, Code, Error};

use super::arguments::c_string;
use super::btls_status;

/// An error: a status, texts that name the file, alias or certificate, and a hint. No secrets.
///
/// # Details
///
/// An error is used by one thread at a time. One that belongs to a builder or a connection is valid until the next call
/// on that object that fails. An error that the caller must free is valid until then.
pub struct btls_error {
    pub(super) error: Error,
    message: OnceLock<CString>,
    hint: OnceLock<CString>,
}

impl btls_error {
    pub(super) fn new(error: Error) -> Self {
        Self { error, message: OnceLock::new(), hint: OnceLock::new() }
    }

    /// The message. It is made at the first read.
    pub(super) fn message(&self) -> &CStr {
        self.message.get_or_init(|| c_string(&self.error.message()))
    }

    /// The hint. It is made at the first read.
    pub(super) fn hint(&self) -> &CStr {
        self.hint.get_or_init(|| c_string(self.error.hint()))
    }

    pub(super) fn code(&self) -> i32 {
        self.error.code().number()
    }

    pub(super) fn alert(&self) -> i32 {
        let code = self.error.code();
        match (code, code.category()) {
            (Code::AlertOther, _) => -1,
            (_, Category::Alert) => code.number() - 1000,
            _ => code.alert().map_or(-1, i32::from),
        }
    }
}

/// The last error of an object. Without one, there is no allocation.
#[derive(Default)]
pub(super) struct LastError(Option<Box<btls_error>>);

impl LastError {
    /// Keeps the error and returns its status.
    #[cold]
    pub(super) fn set(&mut self, error: Error) -> btls_status {
        let status = error.code().number();
        self.0 = Some(Box::new(btls_error::new(error)));
        status
    }

    /// Returns the error for the caller, or NULL for none. It keeps its address until the next one is set.
    pub(super) fn show(&self) -> *const btls_error {
        self.0.as_deref().map_or(ptr::null(), ptr::from_ref)
    }
}

/// Copies an error for the caller, which frees it.
pub(super) fn hand_over(error: &Error) -> *mut btls_error {
    Box::into_raw(Box::new(btls_error::new(error.clone())))
}
