//! The boundary itself: no unwinding reaches a C caller, and no object is entered twice at a time.
//!
//! The rest of this room relies on it. It is safe code, apart from the macros below, which turn the pointers of an
//! entry point into the arguments of the safe functions.

use std::cell::{Cell, UnsafeCell};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::error::{Code, Error, Result};

use super::btls_status;
use super::last_error::{LastError, btls_error};

/// Runs `body`; a panic in it becomes `on_panic`.
pub(super) fn guard<T>(on_panic: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| {
        // Dropping what was thrown could panic again, outside of any guard.
        mem::forget(payload);
        on_panic
    })
}

/// Runs a call without an object: its error is the status alone.
pub(super) fn guard_status(body: impl FnOnce() -> Result<btls_status>) -> btls_status {
    guard(Code::Panic.number(), || body().unwrap_or_else(|error| error.code().number()))
}

/// Runs a call on an object. The object keeps the error, and a panic makes it unusable.
pub(super) fn guard_object<O: Object>(
    object: Option<Handle<O>>,
    body: impl FnOnce(&mut O::Value) -> Result<btls_status>,
) -> btls_status {
    guard(Code::Panic.number(), || {
        let Some(object) = object else { return Code::NullPointer.number() };
        let mut entered = match object.enter() {
            Ok(entered) => entered,
            Err(code) => return code.number(),
        };
        let outcome = body(&mut entered.held().value);
        let status = outcome.unwrap_or_else(|error| entered.held().error.set(error));
        entered.leave();
        status
    })
}

thread_local! {
    /// The last object that refused a fact to this thread because another call on it was in progress.
    static REFUSED: Cell<*const ()> = const { Cell::new(std::ptr::null()) };
}

/// Reads a fact of an object. Returns `none` if it is NULL or cannot be entered; [`guard_error`] distinguishes the two.
pub(super) fn guard_fact<O: Object, T: Copy>(
    none: T,
    object: Option<Handle<O>>,
    body: impl FnOnce(&mut O::Value) -> T,
) -> T {
    guard(none, || {
        let Some(object) = object else { return none };
        let address = object.address();
        let mut entered = match object.enter() {
            Ok(entered) => entered,
            Err(code) => {
                if code == Code::Busy {
                    REFUSED.set(address);
                }
                return none;
            }
        };
        let fact = body(&mut entered.held().value);
        entered.leave();
        fact
    })
}

/// Asks an object for its last error, also if a panic made it unusable. If another call is under
/// way on it, or was when this thread last asked it for a fact, the error says so.
pub(super) fn guard_error<O: Object>(object: Option<Handle<O>>) -> *const btls_error {
    guard(std::ptr::null(), || {
        let Some(object) = object else { return std::ptr::null() };
        if REFUSED.get() == object.address() {
            return busy();
        }
        let Ok(mut entered) = object.enter_with(&[FREE, POISONED]) else { return busy() };
        let error = entered.held().error.show();
        entered.leave();
        error
    })
}

/// The error of an object that is in use. It belongs to no object and lives on.
fn busy() -> *const btls_error {
    static BUSY: OnceLock<btls_error> = OnceLock::new();
    BUSY.get_or_init(|| btls_error::new(Code::Busy.into()))
}

/// Looks into an object in the middle of a call on another one.
///
/// # Errors
/// `BUSY` if a call is under way on it, `PANIC` if it is unusable.
pub(super) fn look<O: Object, T>(object: Handle<O>, body: impl FnOnce(&mut O::Value) -> T) -> Result<T> {
    let mut entered = object.enter().map_err(Error::from)?;
    let found = body(&mut entered.held().value);
    entered.leave();
    Ok(found)
}

/// Frees an object: at once, or when the call in progress on it returns.
pub(super) fn guard_free<O: Object>(object: Option<Handle<O>>) {
    guard((), || object.into_iter().for_each(Handle::free));
}

/// An opaque object of the C API that one thread uses at a time.
pub(super) trait Object: Sized {
    /// The guarded value.
    type Value;

    /// The cell of the object.
    fn cell(&self) -> &Exclusive<Self::Value>;
}

const FREE: u8 = 0;
const ENTERED: u8 = 1;
const POISONED: u8 = 2;
/// Freed during another call.
const DOOMED: u8 = 3;

/// A value with its last error, for one call at a time.
///
/// A second call, from a callback of the first or from another thread, gets a code instead of undefined behaviour.
pub(super) struct Exclusive<T> {
    state: AtomicU8,
    held: UnsafeCell<Held<T>>,
}

/// The content of a cell.
pub(super) struct Held<T> {
    value: T,
    error: LastError,
}

impl<T> Exclusive<T> {
    pub(super) fn new(value: T) -> Self {
        Self { state: AtomicU8::new(FREE), held: UnsafeCell::new(Held { value, error: LastError::default() }) }
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
        let pointer = Box::into_raw(Box::new(object));
        // Another thread may have freed the object that was here before.
        if REFUSED.get() == pointer.cast_const().cast() {
            REFUSED.set(std::ptr::null());
        }
        pointer
    }

    fn enter(self) -> Result<Entered<O>, Code> {
        self.enter_with(&[FREE])
    }

    fn enter_with(self, states: &[u8]) -> Result<Entered<O>, Code> {
        let state = self.state();
        for from in states {
            if state.compare_exchange(*from, ENTERED, Ordering::Acquire, Ordering::Relaxed).is_ok() {
                if REFUSED.get() == self.address() {
                    REFUSED.set(std::ptr::null());
                }
                return Ok(Entered { object: self.0, leaves_as: POISONED, before: *from });
            }
        }
        match state.load(Ordering::Relaxed) {
            POISONED => Err(Code::Panic),
            _ => Err(Code::Busy),
        }
    }

    fn address(&self) -> *const () {
        self.0.cast_const().cast()
    }

    fn free(self) {
        if REFUSED.get() == self.address() {
            REFUSED.set(std::ptr::null());
        }
        if self.state().swap(DOOMED, Ordering::AcqRel) != ENTERED {
            // SAFETY: it came from `leak`, it is not freed before, and no call is under way on it.
            drop(unsafe { Box::from_raw(self.0) });
        }
    }

    fn state(&self) -> &AtomicU8 {
        // SAFETY: the pointer is of an object that lives, by the promise given to `new`; the state is only ever shared.
        unsafe { &(*self.0).cell().state }
    }
}

/// The one call that is under way on an object.
struct Entered<O: Object> {
    object: *mut O,
    /// A call that does not come to its end has panicked.
    leaves_as: u8,
    before: u8,
}

impl<O: Object> Entered<O> {
    fn held(&mut self) -> &mut Held<O::Value> {
        // SAFETY: the object lives until `drop` below at least, and the state refuses other calls until then.
        unsafe { &mut *(*self.object).cell().held.get() }
    }

    fn leave(mut self) {
        self.leaves_as = self.before;
    }
}

impl<O: Object> Drop for Entered<O> {
    fn drop(&mut self) {
        if self.leaves_as == POISONED && self.before != POISONED {
            self.held().error.set(Error::from(Code::Panic));
        }
        // SAFETY: the object lives: a call that freed it since has only left a mark.
        let state = unsafe { &(*self.object).cell().state };
        if state.compare_exchange(ENTERED, self.leaves_as, Ordering::Release, Ordering::Acquire).is_err() {
            // SAFETY: it was freed during this call, which alone still uses it.
            drop(unsafe { Box::from_raw(self.object) });
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    struct Counter(Exclusive<u32>);

    impl Object for Counter {
        type Value = u32;

        fn cell(&self) -> &Exclusive<u32> {
            &self.0
        }
    }

    fn counter() -> *mut Counter {
        Handle::leak(Counter(Exclusive::new(0)))
    }

    fn count(counter: *mut Counter, body: impl FnOnce(&mut u32) -> Result<btls_status>) -> btls_status {
        guard_object(object!(counter), body)
    }

    fn free(counter: *mut Counter) {
        guard_free(object!(counter));
    }

    fn error_code(counter: *mut Counter) -> i32 {
        let error = guard_error(object!(counter));
        // SAFETY: NULL or the object's error, which lives until its next failing call.
        unsafe { error.as_ref() }.map_or(0, btls_error::code)
    }

    #[test]
    fn panic_becomes_the_value_given_for_it() {
        assert_eq!(guard(901, || panic!("contained")), 901);
        assert_eq!(guard(901, || 0), 0);
        assert_eq!(guard_status(|| panic!("contained")), Code::Panic.number());
    }

    #[test]
    fn panic_in_a_call_poisons_that_object_alone() {
        let (one, other) = (counter(), counter());
        assert_eq!(count(one, |_| panic!("contained")), Code::Panic.number());
        assert_eq!(count(one, |_| Ok(0)), Code::Panic.number());
        assert_eq!(guard_fact(7, object!(one), |_| 8), 7);
        assert_eq!(error_code(one), Code::Panic.number());
        assert_eq!(count(one, |_| Ok(0)), Code::Panic.number(), "reading the error heals nothing");
        assert_eq!(count(other, |_| Ok(0)), 0);
        free(one);
        free(other);
    }

    #[test]
    fn null_object_is_refused_with_null_pointer() {
        let none: *mut Counter = std::ptr::null_mut();
        assert_eq!(count(none, |_| Ok(0)), Code::NullPointer.number());
        assert!(guard_error(object!(none)).is_null());
        free(none);
    }

    #[test]
    fn call_from_within_a_call_is_refused_with_busy_and_so_says_the_error() {
        let counter = counter();
        let outer = count(counter, |value| {
            *value += 1;
            assert_eq!(
                count(counter, |value| {
                    *value += 1;
                    Ok(0)
                }),
                Code::Busy.number()
            );
            assert_eq!(guard_fact(7, object!(counter), |value| *value), 7);
            assert_eq!(error_code(counter), Code::Busy.number());
            assert_eq!(*value, 1);
            Ok(0)
        });
        assert_eq!(outer, 0);
        assert_eq!(error_code(counter), Code::Busy.number(), "of the fact that was asked for in vain");
        assert_eq!(guard_fact(7, object!(counter), |value| *value), 1);
        assert_eq!(error_code(counter), 0, "a call got in");
        free(counter);
    }

    #[test]
    fn object_freed_from_within_a_call_lives_until_it_returns() {
        struct Dropped<'a>(&'a AtomicU8);
        impl Drop for Dropped<'_> {
            fn drop(&mut self) {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
        struct Holder(Exclusive<Dropped<'static>>);
        impl Object for Holder {
            type Value = Dropped<'static>;
            fn cell(&self) -> &Exclusive<Dropped<'static>> {
                &self.0
            }
        }
        static DROPS: AtomicU8 = AtomicU8::new(0);
        let holder = Handle::leak(Holder(Exclusive::new(Dropped(&DROPS))));
        let status = guard_object(object!(holder), |value| {
            guard_free(object!(holder));
            assert_eq!(value.0.load(Ordering::Relaxed), 0);
            Ok(0)
        });
        assert_eq!(status, 0);
        assert_eq!(DROPS.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn error_of_a_failed_call_hangs_on_the_object() {
        let counter = counter();
        assert_eq!(error_code(counter), 0);
        assert_eq!(count(counter, |_| Err(Code::NoTrust.into())), Code::NoTrust.number());
        assert_eq!(count(counter, |_| Ok(0)), 0);
        assert_eq!(error_code(counter), Code::NoTrust.number());
        free(counter);
    }
}
