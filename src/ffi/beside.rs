//! The way to the objects of the C API for another library that shows it together with functions of its own.

use std::mem::MaybeUninit;

use crate::context::Context;
use crate::error::{Error, Result};

pub use super::context::btls_context;
use super::context::guard_context;
pub use super::last_error::btls_error;
use super::last_error::hand_over;
use super::{DONE, btls_status};

/// Runs a call on a context. Its error is kept there, for `btls_context_error`. No panic leaves it.
///
/// # Safety
/// The pointer is NULL or a context of which the caller holds a reference.
pub unsafe fn with_context(context: *const btls_context, body: impl FnOnce(&Context) -> Result<()>) -> btls_status {
    // SAFETY: the caller promises it.
    guard_context(unsafe { context.as_ref() }, |context| {
        body(context)?;
        DONE
    })
}

/// Writes a copy of an error for the caller, which frees it with `btls_error_free`; NULL for none. Returns the status
/// of the error.
pub fn give_error(error: Option<&Error>, out: Option<&mut MaybeUninit<*mut btls_error>>) -> btls_status {
    if let Some(out) = out {
        out.write(error.map_or(std::ptr::null_mut(), hand_over));
    }
    error.map_or(0, |error| error.code().number())
}
