//! The guard around each call from the core: no panic leaves it, and it leaves OpenSSL's queue of errors as it was.
//!
//! The queue belongs to the thread. A host program may have the same OpenSSL and errors in it that it has not read.

use std::ffi::{CStr, CString, c_char, c_int};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use brokertls_legacy_abi::Fault;
use openssl::error::ErrorStack;
use openssl_sys as sys;

/// OpenSSL's number of its TLS part (`ERR_LIB_SSL`).
const TLS: c_int = 20;

/// The fault of the first error of TLS, which is the cause of the others of TLS. Ciphers may have reported before it
/// why a record cannot be decrypted.
pub(crate) fn fault_of(errors: &ErrorStack) -> Fault {
    let errors = errors.errors();
    match errors.iter().find(|error| error.library_code() == TLS).or_else(|| errors.first()) {
        Some(error) => Fault { library: error.library_code(), reason: error.reason_code() },
        None => Fault::default(),
    }
}

/// Runs a call. Errors that another user of this thread has left in the queue are not taken for those of the call, and
/// are there again after it.
pub(crate) fn guard<T>(call: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    let guarded = catch_unwind(AssertUnwindSafe(|| {
        let _queue = Queue::set_aside();
        call()
    }));
    guarded.unwrap_or(Err(Fault::default()))
}

/// The errors of another user of this thread. They go back into the queue at the end of the call.
struct Queue(Vec<Left>);

/// An error in the queue. OpenSSL gives pointers that live as long as the place in the queue.
struct Left {
    code: u64,
    file: CString,
    line: c_int,
    function: CString,
    text: Option<CString>,
}

impl Queue {
    #[allow(unsafe_code)]
    fn set_aside() -> Self {
        let mut left = Vec::new();
        loop {
            let (mut file, mut function, mut text) = (ptr::null(), ptr::null(), ptr::null());
            let (mut line, mut flags) = (0, 0);
            // SAFETY: all pointers are valid.
            let code = unsafe { sys::ERR_get_error_all(&mut file, &mut line, &mut function, &mut text, &mut flags) };
            if code == 0 {
                return Self(left);
            }
            let has_text = flags & sys::ERR_TXT_STRING != 0;
            left.push(Left {
                code,
                file: owned(file),
                line,
                function: owned(function),
                text: has_text.then(|| owned(text)),
            });
        }
    }
}

/// A copy of a text, which may be NULL.
#[allow(unsafe_code)]
fn owned(text: *const c_char) -> CString {
    match text.is_null() {
        true => CString::default(),
        // SAFETY: OpenSSL gives texts that end with zero, and does nothing between this and the call that gave it.
        false => unsafe { CStr::from_ptr(text) }.to_owned(),
    }
}

impl Drop for Queue {
    #[allow(unsafe_code)]
    fn drop(&mut self) {
        // SAFETY: the functions have no precondition. Clearing takes much longer than looking.
        unsafe {
            if sys::ERR_peek_last_error() != 0 {
                sys::ERR_clear_error();
            }
        }
        for Left { code, file, line, function, text } in &self.0 {
            let (library, reason) = (sys::ERR_GET_LIB(*code), sys::ERR_GET_REASON(*code));
            // SAFETY: OpenSSL copies each text. The format has one text.
            unsafe {
                sys::ERR_new();
                sys::ERR_set_debug(file.as_ptr(), *line, function.as_ptr());
                match text {
                    Some(text) => sys::ERR_set_error(library, reason, c"%s".as_ptr(), text.as_ptr()),
                    None => sys::ERR_set_error(library, reason, ptr::null()),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Leaves an error with a text that is not UTF-8, as a host program may.
    #[allow(unsafe_code)]
    fn leave(reason: c_int) {
        // SAFETY: the texts end with zero.
        unsafe {
            sys::ERR_new();
            sys::ERR_set_debug(c"host.c".as_ptr(), 7, c"load".as_ptr());
            sys::ERR_set_error(33, reason, c"%s".as_ptr(), c"caf\xe9".as_ptr());
        }
    }

    /// The reasons in the queue, which is empty after it, and their texts.
    fn reasons() -> Vec<(c_int, Vec<u8>)> {
        let queue = Queue::set_aside();
        let found = queue.0.iter().map(|left| {
            let text = left.text.as_ref().map(|text| text.to_bytes().to_vec());
            (sys::ERR_GET_REASON(left.code), text.unwrap_or_default())
        });
        let found = found.collect();
        std::mem::forget(queue);
        found
    }

    #[test]
    fn errors_of_the_host_are_not_seen_by_a_call_and_are_there_after_it() {
        leave(101);
        leave(102);
        let inner = guard(|| {
            assert!(reasons().is_empty());
            leave(1);
            // A callback serves another connection.
            guard(|| {
                leave(2);
                Ok(())
            })?;
            Ok(reasons())
        });
        assert_eq!(inner.unwrap(), [(1, b"caf\xe9".to_vec())]);
        assert_eq!(reasons(), [(101, b"caf\xe9".to_vec()), (102, b"caf\xe9".to_vec())]);
    }

    #[test]
    fn panic_is_a_fault_and_leaves_the_errors_of_the_host() {
        leave(101);
        let outcome: Result<(), Fault> = guard(|| {
            leave(1);
            panic!("contained");
        });
        assert_eq!(outcome, Err(Fault::default()));
        assert_eq!(reasons().len(), 1);
    }
}
