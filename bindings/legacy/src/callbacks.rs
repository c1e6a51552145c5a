//! The functions of the core, for the length of one call.

use std::cell::{Cell, RefCell};
use std::ptr;

use brokertls_legacy_abi::{ACCEPTED, Bytes, Callbacks, IdentityParts, IdentityRequest, SessionParts};

use crate::messages::Heard;

thread_local! {
    /// The call that this thread is in; NULL outside of one.
    static CURRENT: Cell<*const Call> = const { Cell::new(ptr::null()) };
}

/// The alert for a peer that nothing could be found out about.
const INTERNAL_ERROR: u8 = 80;

/// One call from the core.
struct Call {
    callbacks: Callbacks,
    heard: RefCell<Heard>,
}

/// Runs a part of a call with its callbacks. Returns what was heard of the handshake, too. A callback may make calls
/// for other connections.
pub(crate) fn with<T>(callbacks: &Callbacks, run: impl FnOnce() -> T) -> (T, Heard) {
    struct Back(*const Call);
    impl Drop for Back {
        fn drop(&mut self) {
            CURRENT.set(self.0);
        }
    }
    let call = Call { callbacks: *callbacks, heard: RefCell::default() };
    let back = Back(CURRENT.replace(&call));
    let outcome = run();
    drop(back);
    (outcome, call.heard.into_inner())
}

/// Runs a part of a callback on the call that this thread is in, if it is in one.
#[allow(unsafe_code)]
fn current<T>(run: impl FnOnce(&Call) -> T) -> Option<T> {
    // SAFETY: `with` keeps the pointer here only as long as what it points to lives.
    unsafe { CURRENT.get().as_ref() }.map(run)
}

/// Notes a message of the handshake.
pub(crate) fn hear(note: impl FnOnce(&mut Heard)) {
    current(|call| {
        if let Ok(mut heard) = call.heard.try_borrow_mut() {
            note(&mut heard);
        }
    });
}

/// Gives records to the core. Returns false outside of a call.
#[allow(unsafe_code)]
pub(crate) fn emit(records: &[u8]) -> bool {
    // SAFETY: the core gives functions that fit their data, for the length of the call.
    current(|call| unsafe { (call.callbacks.emit)(call.callbacks.data, Bytes::of(records)) }).is_some()
}

/// Takes the certificates of the peer, end entity first, as they were sent in this call.
pub(crate) fn take_certificates() -> Vec<Vec<u8>> {
    current(|call| call.heard.borrow_mut().take_certificates()).unwrap_or_default()
}

/// Asks the core about the certificates of the peer, with the response in its staple and the version. OpenSSL must have
/// read this many.
///
/// # Errors
/// The alert that refuses it.
#[allow(unsafe_code)]
pub(crate) fn verify(sent: &[Vec<u8>], count: usize, staple: &[u8], version: u16) -> Result<(), u8> {
    let verdict = current(|call| {
        if sent.len() != count || sent.is_empty() {
            return Err(INTERNAL_ERROR);
        }
        let chain: Vec<Bytes> = sent.iter().map(|der| Bytes::of(der)).collect();
        let mut alert = INTERNAL_ERROR;
        let Callbacks { data, verify, .. } = call.callbacks;
        // SAFETY: as for `emit`.
        match unsafe { verify(data, chain.as_ptr(), chain.len(), Bytes::of(staple), version, &mut alert) } {
            ACCEPTED => Ok(()),
            _ => Err(alert),
        }
    });
    verdict.unwrap_or(Err(INTERNAL_ERROR))
}

/// Puts the secret of an identity into `room`. Returns its length, or 0 for none.
#[allow(unsafe_code)]
pub(crate) fn secret(identity: &[u8], room: &mut [u8]) -> usize {
    let length = current(|call| {
        let Callbacks { data, secret, .. } = call.callbacks;
        // SAFETY: as for `emit`.
        unsafe { secret(data, Bytes::of(identity), room.as_mut_ptr(), room.len()) }
    });
    length.unwrap_or_default().min(room.len())
}

/// Puts the identity and the secret of this client into the two buffers. Returns the length of the secret, or 0 for
/// none.
#[allow(unsafe_code)]
pub(crate) fn own_secret(hint: &[u8], identity: &mut [u8], room: &mut [u8]) -> usize {
    let length = current(|call| {
        let Callbacks { data, own_secret, .. } = call.callbacks;
        let (hint, into) = (Bytes::of(hint), identity.as_mut_ptr());
        // SAFETY: as for `emit`.
        unsafe { own_secret(data, hint, into, identity.len(), room.as_mut_ptr(), room.len()) }
    });
    length.unwrap_or_default().min(room.len())
}

/// Asks the core for the identity of this client, which is valid until the call ends.
#[allow(unsafe_code)]
pub(crate) fn identity(request: &IdentityRequest) -> Option<IdentityParts> {
    let parts = current(|call| {
        let Callbacks { data, identity, .. } = call.callbacks;
        // SAFETY: as for `emit`; the core gives a valid pointer or NULL.
        unsafe { identity(data, request).as_ref() }.copied()
    });
    parts.flatten()
}

/// Puts the core's part of a session into `room`. Its ticket has this many other bytes. Returns the length of the part,
/// or 0 for no ticket.
#[allow(unsafe_code)]
pub(crate) fn seal_session(parts: SessionParts, other_bytes: usize, room: &mut [u8]) -> usize {
    let length = current(|call| {
        let Callbacks { data, seal_session, .. } = call.callbacks;
        // SAFETY: as for `emit`.
        unsafe { seal_session(data, parts, other_bytes, room.as_mut_ptr(), room.len()) }
    });
    length.unwrap_or_default().min(room.len())
}

/// Asks the core about a session by its part of it, for a connection of this version.
#[allow(unsafe_code)]
pub(crate) fn open_session(version: u16, sealed: &[u8]) -> bool {
    let verdict = current(|call| {
        let Callbacks { data, open_session, .. } = call.callbacks;
        // SAFETY: as for `emit`.
        unsafe { open_session(data, version, Bytes::of(sealed)) }
    });
    verdict == Some(ACCEPTED)
}

/// Gives a session to the core, to keep it under its ID.
#[allow(unsafe_code)]
pub(crate) fn store_session(parts: SessionParts, id: &[u8], session: &[u8]) {
    current(|call| {
        let Callbacks { data, store_session, .. } = call.callbacks;
        // SAFETY: as for `emit`.
        unsafe { store_session(data, parts, Bytes::of(id), Bytes::of(session)) }
    });
}

/// Puts the session with this ID into `room`, for a connection of this version. Returns its length, or 0 for none.
#[allow(unsafe_code)]
pub(crate) fn find_session(version: u16, id: &[u8], room: &mut [u8]) -> usize {
    let length = current(|call| {
        let Callbacks { data, find_session, .. } = call.callbacks;
        // SAFETY: as for `emit`.
        unsafe { find_session(data, version, Bytes::of(id), room.as_mut_ptr(), room.len()) }
    });
    length.unwrap_or_default().min(room.len())
}

/// Gives a line of a key log to the core.
#[allow(unsafe_code)]
pub(crate) fn note_secret(line: &[u8]) {
    // SAFETY: as for `emit`.
    current(|call| unsafe { (call.callbacks.note_secret)(call.callbacks.data, Bytes::of(line)) });
}

/// Puts the response about this side's certificate into `room`. Returns its length, or 0 for none.
#[allow(unsafe_code)]
pub(crate) fn staple(room: &mut [u8]) -> usize {
    let length = current(|call| {
        let Callbacks { data, staple, .. } = call.callbacks;
        // SAFETY: as for `emit`.
        unsafe { staple(data, room.as_mut_ptr(), room.len()) }
    });
    length.unwrap_or_default().min(room.len())
}
