//! The one place where a panic stops: no unwinding reaches a C caller.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `body`; a panic in it becomes `on_panic`.
pub(super) fn guard<T>(on_panic: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| {
        // Dropping what was thrown could panic again, outside of any guard.
        mem::forget(payload);
        on_panic
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panic_becomes_the_value_given_for_it() {
        assert_eq!(guard(901, || panic!("contained")), 901);
        assert_eq!(guard(901, || 0), 0);
    }
}
