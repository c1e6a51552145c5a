//! The functions of the core, for the length of one call.

use std::cell::Cell;
use std::ptr;

use brokertls_legacy_abi::{Bytes, Callbacks};

thread_local! {
    /// Those of the call that this thread is in; NULL outside of one.
    static CURRENT: Cell<*const Callbacks> = const { Cell::new(ptr::null()) };
}

/// Runs a part of a call with its callbacks. A callback may make calls for other connections.
pub(crate) fn with<T>(callbacks: &Callbacks, run: impl FnOnce() -> T) -> T {
    struct Back(*const Callbacks);
    impl Drop for Back {
        fn drop(&mut self) {
            CURRENT.set(self.0);
        }
    }
    let _back = Back(CURRENT.replace(callbacks));
    run()
}

#[allow(unsafe_code)]
fn current() -> Option<Callbacks> {
    // SAFETY: `with` keeps the pointer here only as long as it borrows what it points to.
    unsafe { CURRENT.get().as_ref() }.copied()
}

/// Gives records to the core. Returns false outside of a call.
#[allow(unsafe_code)]
pub(crate) fn emit(records: &[u8]) -> bool {
    let Some(callbacks) = current() else { return false };
    // SAFETY: the core gives functions that fit their data, for the length of the call.
    unsafe { (callbacks.emit)(callbacks.data, Bytes::of(records)) };
    true
}

/// Asks the core about the certificates of the peer, end entity first.
///
/// # Errors
/// The alert that refuses it.
#[allow(unsafe_code)]
pub(crate) fn verify(chain: &[Vec<u8>]) -> Result<(), u8> {
    const INTERNAL_ERROR: u8 = 80;
    let callbacks = current().ok_or(INTERNAL_ERROR)?;
    let chain: Vec<Bytes> = chain.iter().map(|der| Bytes::of(der)).collect();
    // SAFETY: as for `emit`.
    match unsafe { (callbacks.verify)(callbacks.data, chain.as_ptr(), chain.len()) } {
        0 => Ok(()),
        alert => Err(alert),
    }
}

/// Puts the secret of an identity into `room`. Returns its length, or 0 for none.
#[allow(unsafe_code)]
pub(crate) fn secret(identity: &[u8], room: &mut [u8]) -> usize {
    let Some(callbacks) = current() else { return 0 };
    // SAFETY: as for `emit`.
    let length = unsafe { (callbacks.secret)(callbacks.data, Bytes::of(identity), room.as_mut_ptr(), room.len()) };
    length.min(room.len())
}
