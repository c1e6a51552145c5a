//! The boundary itself: no unwinding reaches a C caller, and no object is entered twice at a time.
//!
//! The rest of this room relies on it. It is safe code, apart from the macros below, which turn the pointers of an
//! entry point into the arguments of the safe functions.

#[cfg(test)]
mod tests;

use std::any::Any;
use std::cell::{Cell, UnsafeCell};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use crate::error::{Code, Error, Result};
use crate::fork::pause;

use super::btls_status;
use super::last_error::{LastError, btls_error};

/// Runs `body`; a panic in it becomes `on_panic`.
#[inline]
pub(super) fn guard<T>(on_panic: T, body: impl FnOnce() -> T) -> T {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(value) => value,
        Err(payload) => {
            discard(payload);
            on_panic
        }
    }
}

/// Forgets what a panic has thrown. Dropping it could panic again, outside of any guard.
#[cold]
fn discard(payload: Box<dyn Any + Send>) {
    mem::forget(payload);
}

/// Runs a call without an object: its error is the status alone.
pub(super) fn guard_status(body: impl FnOnce() -> Result<btls_status>) -> btls_status {
    guard(Code::Panic.number(), || body().unwrap_or_else(|error| error.code().number()))
}

/// Runs a call on an object. The object keeps the error, and a panic makes it unusable.
#[inline]
pub(super) fn guard_object<O: Object>(
    object: Option<Handle<O>>,
    body: impl FnOnce(&mut O::Value) -> Result<btls_status>,
) -> btls_status {
    let Some(object) = object else { return Code::NullPointer.number() };
    let outcome = object.run(FREE, |held| match body(&mut held.value) {
        Ok(status) => status,
        Err(error) => held.error.set(error),
    });
    outcome.unwrap_or_else(Code::number)
}

thread_local! {
    /// The mark of the last object that refused a fact to this thread because another call on it was in progress.
    static REFUSED: Cell<u32> = const { Cell::new(NO_MARK) };
}

const NO_MARK: u32 = 0;

/// A mark that no other object has. An address is no mark: the next object may be at the same one.
#[cold]
fn new_mark() -> u32 {
    static LAST: AtomicU32 = AtomicU32::new(NO_MARK);
    match LAST.fetch_add(1, Ordering::Relaxed).wrapping_add(1) {
        NO_MARK => new_mark(),
        mark => mark,
    }
}

/// Reads a fact of an object. Returns `none` if it is NULL or cannot be entered; [`guard_error`] distinguishes the two.
#[inline]
pub(super) fn guard_fact<O: Object, T: Copy>(
    none: T,
    object: Option<Handle<O>>,
    body: impl FnOnce(&mut O::Value) -> T,
) -> T {
    let Some(object) = object else { return none };
    match object.run(FREE, |held| body(&mut held.value)) {
        Ok(fact) => fact,
        Err(code) => {
            object.note_refusal(code);
            none
        }
    }
}

/// Asks an object for its last error, also if a panic made it unusable. If another call is under
/// way on it, or was when this thread last asked it for a fact, the error says so.
pub(super) fn guard_error<O: Object>(object: Option<Handle<O>>) -> *const btls_error {
    let Some(object) = object else { return std::ptr::null() };
    if object.has_refused_this_thread() {
        return busy();
    }
    let show = |held: &mut Held<O::Value>| held.error.show();
    match object.run(FREE, show) {
        Err(Code::Panic) => object.run(POISONED, show).unwrap_or_else(|_| busy()),
        outcome => outcome.unwrap_or_else(|_| busy()),
    }
}

/// The error of an object that is in use. It belongs to no object and lives on.
#[cold]
fn busy() -> *const btls_error {
    static BUSY: OnceLock<btls_error> = OnceLock::new();
    guard(std::ptr::null(), || BUSY.get_or_init(|| btls_error::new(Code::Busy.into())))
}

/// Looks into an object in the middle of a call on another one.
///
/// # Errors
/// `BUSY` if a call is under way on it, `PANIC` if it is unusable.
pub(super) fn look<O: Object, T>(object: Handle<O>, body: impl FnOnce(&mut O::Value) -> T) -> Result<T> {
    object.run(FREE, |held| body(&mut held.value)).map_err(Error::from)
}

/// Frees an object: at once, or when the call in progress on it returns.
pub(super) fn guard_free<O: Object>(object: Option<Handle<O>>) {
    guard((), || object.into_iter().for_each(|object| object.free()));
}

/// An opaque object of the C API that one thread uses at a time.
pub(super) trait Object: Sized {
    /// The guarded value.
    type Value;

    /// The cell of the object.
    fn cell(&self) -> &Exclusive<Self::Value>;
}

// ```text
//                 enter                       free
//       FREE  <------------->  ENTERED  ----------------->  DOOMED      the call in progress drops it as it leaves
//                 leave           |
//                                 | panic
//                                 v
//                              POISONED     entered for its error alone, and left as POISONED
//
//       FREE  <------------->  VISITED      by maintenance. Calls and `free` wait for the end of the visit
// ```
const FREE: u8 = 0;
const ENTERED: u8 = 1;
const POISONED: u8 = 2;
/// Freed during another call.
const DOOMED: u8 = 3;
const VISITED: u8 = 4;

/// A value with its last error, for one call at a time.
///
/// A second call, from a callback of the first or from another thread, gets a code instead of undefined behaviour.
pub(super) struct Exclusive<T> {
    state: AtomicU8,
    /// The mark of the object if it has refused a fact to some thread. Other objects need no look at the thread-local
    /// variable.
    mark: AtomicU32,
    held: UnsafeCell<Held<T>>,
}

/// The content of a cell.
pub(super) struct Held<T> {
    value: T,
    error: LastError,
}

impl<T> Exclusive<T> {
    pub(super) fn new(value: T) -> Self {
        Self {
            state: AtomicU8::new(FREE),
            mark: AtomicU32::new(NO_MARK),
            held: UnsafeCell::new(Held { value, error: LastError::default() }),
        }
    }
}

/// A pointer to an object that a caller passed and that is not NULL.
pub(super) struct Handle<O>(*mut O);

impl<O: Object> Handle<O> {
    /// `None` for NULL.
    ///
    /// # Safety
    /// The pointer is NULL or came from [`Handle::leak`] and was not freed.
    pub(super) unsafe fn new(pointer: *const O) -> Option<Self> {
        (!pointer.is_null()).then_some(Self(pointer.cast_mut()))
    }

    /// Hands an object over to the caller.
    pub(super) fn leak(object: O) -> *mut O {
        Box::into_raw(Box::new(object))
    }

    /// Runs the one call on the object, if its state is `before`. A panic in the call makes the object unusable.
    ///
    /// This is on the way of each record: one atomic exchange, and no thread-local variable.
    ///
    /// # Errors
    /// `BUSY` if another call is under way, `PANIC` if the object is or becomes unusable.
    #[inline]
    fn run<T>(&self, before: u8, call: impl FnOnce(&mut Held<O::Value>) -> T) -> Result<T, Code> {
        let cell = self.cell();
        match cell.state.compare_exchange(before, ENTERED, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => {}
            Err(found) => self.enter_after_visit(before, found)?,
        }
        if cell.mark.load(Ordering::Relaxed) != NO_MARK {
            self.forget_refusal();
        }
        // SAFETY: the state refuses other calls until this one leaves, and the object lives until then: a call that
        // frees it meanwhile only leaves a mark.
        let held = unsafe { &mut *cell.held.get() };
        match catch_unwind(AssertUnwindSafe(|| call(held))) {
            Ok(value) => {
                self.leave_as(before);
                Ok(value)
            }
            Err(payload) => Err(self.poison(payload)),
        }
    }

    /// Enters an object that was not in the state `before`, if maintenance alone is in the way.
    #[cold]
    fn enter_after_visit(&self, before: u8, mut found: u8) -> Result<(), Code> {
        let mut tries = 0;
        while found == VISITED {
            pause(&mut tries);
            let state = &self.cell().state;
            match state.compare_exchange(before, ENTERED, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return Ok(()),
                Err(now) => found = now,
            }
        }
        Err(if found == POISONED { Code::Panic } else { Code::Busy })
    }

    /// Looks into the object between two calls on it, which wait meanwhile. Does nothing if a call is under way.
    ///
    /// The object must not be freed before this returns, except by [`guard_free`].
    pub(super) fn visit(&self, look: impl FnOnce(&mut O::Value)) {
        let cell = self.cell();
        if cell.state.compare_exchange(FREE, VISITED, Ordering::Acquire, Ordering::Relaxed).is_err() {
            return;
        }
        // SAFETY: the state holds calls back and keeps the object until the store below.
        let held = unsafe { &mut *cell.held.get() };
        let after = match catch_unwind(AssertUnwindSafe(|| look(&mut held.value))) {
            Ok(()) => FREE,
            Err(payload) => {
                discard(payload);
                guard((), || _ = held.error.set(Error::from(Code::Panic)));
                POISONED
            }
        };
        cell.state.store(after, Ordering::Release);
    }

    /// Ends the call in progress. Nothing of the object is touched afterwards.
    ///
    /// A load and a store are enough where an exchange costs several nanoseconds: while the object is entered, only
    /// [`Handle::free`] changes the state. From within the call, it is seen here. From another thread, it breaks the
    /// rule of the header, and may come between the load and the store. The store then overwrites DOOMED, and the
    /// object stays allocated: it leaks, but no thread uses freed memory.
    #[inline]
    fn leave_as(&self, state: u8) {
        let current = &self.cell().state;
        match current.load(Ordering::Acquire) {
            ENTERED => current.store(state, Ordering::Release),
            _ => self.bury(),
        }
    }

    /// Drops an object that was freed during the call that now ends.
    #[cold]
    fn bury(&self) {
        // SAFETY: it came from `leak`, and the call that ends is the last that uses it.
        guard((), || drop(unsafe { Box::from_raw(self.0) }));
    }

    /// Ends a call that has panicked.
    #[cold]
    fn poison(&self, payload: Box<dyn Any + Send>) -> Code {
        discard(payload);
        // SAFETY: as in `run`: the call that it made has ended.
        let held = unsafe { &mut *self.cell().held.get() };
        guard((), || _ = held.error.set(Error::from(Code::Panic)));
        self.leave_as(POISONED);
        Code::Panic
    }

    /// Frees the object, or marks it for the call in progress. A second mark has no effect.
    fn free(&self) {
        let state = &self.cell().state;
        let mut tries = 0;
        let before = loop {
            let before = state.load(Ordering::Relaxed);
            if before == VISITED {
                pause(&mut tries);
            } else if state.compare_exchange(before, DOOMED, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                break before;
            }
        };
        match before {
            ENTERED | DOOMED => {}
            // SAFETY: it came from `leak`, it is not freed before, and no call is under way on it.
            _ => drop(unsafe { Box::from_raw(self.0) }),
        }
    }

    /// Remembers that this thread asked for a fact in vain.
    #[cold]
    fn note_refusal(&self, code: Code) {
        if code == Code::Busy {
            let mark = &self.cell().mark;
            let known = match mark.load(Ordering::Relaxed) {
                NO_MARK => {
                    let new = new_mark();
                    let kept = mark.compare_exchange(NO_MARK, new, Ordering::Relaxed, Ordering::Relaxed);
                    kept.err().unwrap_or(new)
                }
                known => known,
            };
            REFUSED.set(known);
        }
    }

    #[cold]
    fn forget_refusal(&self) {
        if REFUSED.get() == self.cell().mark.load(Ordering::Relaxed) {
            REFUSED.set(NO_MARK);
        }
    }

    fn has_refused_this_thread(&self) -> bool {
        let mark = self.cell().mark.load(Ordering::Relaxed);
        mark != NO_MARK && REFUSED.get() == mark
    }

    fn cell(&self) -> &Exclusive<O::Value> {
        // SAFETY: the pointer is of an object that lives, by the promise given to `new`. The cell is only ever shared.
        unsafe { (*self.0).cell() }
    }
}

/// The object behind a pointer of an entry point, if it is not NULL.
macro_rules! object {
    ($pointer:ident) => {
        // SAFETY: the header asks for NULL or an object of this library that was not freed.
        unsafe { $crate::ffi::guard::Handle::new($pointer) }
    };
}
pub(super) use object;
