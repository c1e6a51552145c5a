//! The guard around each call from the core: no panic leaves it, and no error stays in OpenSSL's queue.

use std::panic::{AssertUnwindSafe, catch_unwind};

use brokertls_legacy_abi::Fault;
use openssl::error::ErrorStack;

/// The fault of the first error in the queue, which is the cause of the others. Empties the queue.
pub(crate) fn fault_of(errors: &ErrorStack) -> Fault {
    match errors.errors().first() {
        Some(error) => Fault { library: error.library_code(), reason: error.reason_code() },
        None => Fault::default(),
    }
}

/// Runs a call. Errors that another user of this thread has left in the queue are not taken for those of the call.
pub(crate) fn guard<T>(call: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    // Reading the errors empties the queue.
    drop(ErrorStack::get());
    let outcome = catch_unwind(AssertUnwindSafe(call)).unwrap_or(Err(Fault::default()));
    drop(ErrorStack::get());
    outcome
}
