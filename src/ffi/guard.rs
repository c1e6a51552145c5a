//! The boundary itself: no unwinding reaches a C caller, and no object is entered twice at a time.
//!
//! The rest of this room relies on it. It is safe code, apart from the macros below, which turn the pointers of an
//! entry point into the arguments of the safe functions.

use std::any::Any;
use std::cell::{Cell, UnsafeCell};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use crate::error::{Code, Error, Result};

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
    /// The last object that refused a fact to this thread because another call on it was in progress.
    static REFUSED: Cell<*const ()> = const { Cell::new(std::ptr::null()) };
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
// ```
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
    /// True if it has refused a fact to some thread. Other objects need no look at the thread-local variable.
    has_refused: AtomicBool,
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
            has_refused: AtomicBool::new(false),
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
            Err(POISONED) => return Err(Code::Panic),
            Err(_) => return Err(Code::Busy),
        }
        if cell.has_refused.load(Ordering::Relaxed) {
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

    /// Ends the call in progress. Nothing of the object is touched afterwards.
    ///
    /// A load and a store are enough where an exchange costs several nanoseconds: while the object is entered, only
    /// [`Handle::free`] changes the state. From within the call, it is seen here. From another thread, it is a fault of
    /// the caller, which may come between the load and the store. The store then overwrites the mark, and the object
    /// stays allocated: it leaks, but no thread uses freed memory.
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
        match self.cell().state.swap(DOOMED, Ordering::AcqRel) {
            ENTERED | DOOMED => {}
            // SAFETY: it came from `leak`, it is not freed before, and no call is under way on it.
            _ => drop(unsafe { Box::from_raw(self.0) }),
        }
    }

    /// Remembers that this thread asked for a fact in vain.
    #[cold]
    fn note_refusal(&self, code: Code) {
        if code == Code::Busy {
            self.cell().has_refused.store(true, Ordering::Relaxed);
            REFUSED.set(self.address());
        }
    }

    #[cold]
    fn forget_refusal(&self) {
        if REFUSED.get() == self.address() {
            REFUSED.set(std::ptr::null());
        }
    }

    fn has_refused_this_thread(&self) -> bool {
        self.cell().has_refused.load(Ordering::Relaxed) && REFUSED.get() == self.address()
    }

    fn address(&self) -> *const () {
        self.0.cast_const().cast()
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
    fn call_by_another_thread_is_refused_with_busy_and_that_thread_alone_is_told() {
        let counter = counter();
        let shared = counter.expose_provenance();
        let outer = count(counter, |_| {
            let ask = move || {
                let counter = std::ptr::with_exposed_provenance_mut(shared);
                assert_eq!(count(counter, |_| Ok(0)), Code::Busy.number());
                assert_eq!(guard_fact(7, object!(counter), |_| 8), 7);
                error_code(counter)
            };
            assert_eq!(std::thread::spawn(ask).join().unwrap(), Code::Busy.number());
            Ok(0)
        });
        assert_eq!(outer, 0);
        assert_eq!(error_code(counter), 0);
        free(counter);
    }

    #[test]
    fn refusal_of_one_object_is_not_forgotten_by_a_call_on_another() {
        let (one, other) = (counter(), counter());
        let refuse = |object| {
            let outer = count(object, |_| {
                assert_eq!(guard_fact(7, object!(object), |_| 8), 7);
                Ok(0)
            });
            assert_eq!(outer, 0);
        };
        refuse(other);
        refuse(one);
        assert_eq!(guard_fact(7, object!(other), |value| *value), 0);
        assert_eq!(error_code(other), 0);
        assert_eq!(error_code(one), Code::Busy.number());
        assert_eq!(count(one, |_| Err(Code::NoTrust.into())), Code::NoTrust.number());
        assert_eq!(error_code(one), Code::NoTrust.number(), "of the call that got in");
        free(one);
        free(other);
    }

    /// A value that counts its drops.
    struct Dropped(&'static AtomicU8);

    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    struct Holder(Exclusive<Dropped>);

    impl Object for Holder {
        type Value = Dropped;

        fn cell(&self) -> &Exclusive<Dropped> {
            &self.0
        }
    }

    /// Runs `body` in a call on a new object. Returns the call's status, and the numbers of drops before and after its
    /// end.
    fn dropped_by(body: impl FnOnce(*mut Holder)) -> (btls_status, u8, u8) {
        let drops: &AtomicU8 = Box::leak(Box::default());
        let holder = Handle::leak(Holder(Exclusive::new(Dropped(drops))));
        let mut before = 0;
        let status = guard_object(object!(holder), |_| {
            let outcome = catch_unwind(AssertUnwindSafe(|| body(holder)));
            before = drops.load(Ordering::Relaxed);
            outcome.map_or_else(|payload| std::panic::resume_unwind(payload), |()| Ok(0))
        });
        (status, before, drops.load(Ordering::Relaxed))
    }

    #[test]
    fn object_freed_from_within_a_call_lives_until_it_returns() {
        assert_eq!(dropped_by(|holder| guard_free(object!(holder))), (0, 0, 1));
    }

    #[test]
    fn object_freed_from_within_a_call_that_panics_is_dropped_too() {
        let outcome = dropped_by(|holder| {
            guard_free(object!(holder));
            panic!("contained");
        });
        assert_eq!(outcome, (Code::Panic.number(), 0, 1));
    }

    #[test]
    fn object_freed_twice_from_within_a_call_is_dropped_once_and_refuses_calls_until_then() {
        let outcome = dropped_by(|holder| {
            guard_free(object!(holder));
            assert_eq!(guard_object(object!(holder), |_| Ok(0)), Code::Busy.number());
            guard_free(object!(holder));
        });
        assert_eq!(outcome, (0, 0, 1));
    }

    #[test]
    fn object_freed_by_another_thread_during_a_call_lives_until_it_returns() {
        let outcome = dropped_by(|holder| {
            let shared = holder.expose_provenance();
            let free = move || {
                let holder: *mut Holder = std::ptr::with_exposed_provenance_mut(shared);
                guard_free(object!(holder));
            };
            std::thread::spawn(free).join().unwrap();
        });
        assert_eq!(outcome, (0, 0, 1));
    }

    #[test]
    fn threads_that_call_at_the_same_time_never_get_in_together() {
        const CALLS: u32 = 20_000;
        let counter = counter();
        let shared = counter.expose_provenance();
        let call = move || {
            let counter = std::ptr::with_exposed_provenance_mut(shared);
            let mut entered = 0;
            while entered < CALLS {
                let status = count(counter, |value| {
                    *value += 1;
                    Ok(0)
                });
                assert!(status == 0 || status == Code::Busy.number());
                entered += u32::from(status == 0);
            }
        };
        let threads = [(); 3].map(|()| std::thread::spawn(call));
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(guard_fact(0, object!(counter), |value| *value), 3 * CALLS);
        free(counter);
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
