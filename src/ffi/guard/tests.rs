//! Tests of the guard.

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
fn refusal_of_an_object_is_not_that_of_a_later_one_at_its_address() {
    let mut reused = 0;
    for _ in 0..100 {
        let old = counter();
        let outer = count(old, |_| Ok(guard_fact(0, object!(old), |_| 1)));
        assert_eq!((outer, error_code(old)), (0, Code::Busy.number()));
        free(old);
        let new = counter();
        reused += u32::from(std::ptr::eq(old, new));
        let shared = new.expose_provenance();
        let ask = move || {
            let new: *mut Counter = std::ptr::with_exposed_provenance_mut(shared);
            guard_fact(7, object!(new), |_| 8)
        };
        let outer = count(new, |_| {
            assert_eq!(std::thread::spawn(ask).join().unwrap(), 7);
            Ok(0)
        });
        assert_eq!((outer, error_code(new)), (0, 0), "another thread was refused");
        free(new);
    }
    assert!(reused > 0, "no address was used again");
}

#[test]
fn object_that_refuses_many_facts_uses_one_mark() {
    let counter = counter();
    let before = new_mark();
    let outer = count(counter, |_| {
        for _ in 0..100_000 {
            assert_eq!(guard_fact(7, object!(counter), |_| 8), 7);
        }
        Ok(0)
    });
    // Other tests use some marks at the same time.
    assert!(outer == 0 && new_mark().wrapping_sub(before) < 10_000);
    assert_eq!(error_code(counter), Code::Busy.number());
    free(counter);
}

#[test]
fn visit_changes_an_object_between_calls_and_none_that_is_in_a_call_or_unusable() {
    let counter = counter();
    let visit = || Handle::visit(&object!(counter).unwrap(), |value| *value += 1);
    visit();
    let outer = count(counter, |value| {
        visit();
        assert_eq!(*value, 1);
        Ok(0)
    });
    assert_eq!(outer, 0);
    assert_eq!(count(counter, |_| panic!("contained")), Code::Panic.number());
    visit();
    assert_eq!(error_code(counter), Code::Panic.number());
    free(counter);
}

#[test]
fn visit_that_panics_makes_the_object_unusable() {
    let counter = counter();
    object!(counter).unwrap().visit(|_| panic!("contained"));
    assert_eq!(count(counter, |_| Ok(0)), Code::Panic.number());
    assert_eq!(error_code(counter), Code::Panic.number());
    free(counter);
}

#[test]
fn calls_wait_for_a_visit_and_are_never_refused_for_it() {
    const TURNS: u32 = 20_000;
    let counter = counter();
    let shared = counter.expose_provenance();
    let visitor = std::thread::spawn(move || {
        let counter: *mut Counter = std::ptr::with_exposed_provenance_mut(shared);
        (0..TURNS).for_each(|_| object!(counter).unwrap().visit(|value| *value = std::hint::black_box(*value)));
    });
    for turn in 0..TURNS {
        let counted = count(counter, |value| {
            *value += 1;
            Ok(0)
        });
        assert_eq!(counted, 0);
        assert_eq!(guard_fact(0, object!(counter), |value| *value), turn + 1);
    }
    visitor.join().unwrap();
    free(counter);
}

#[test]
fn free_waits_for_a_visit() {
    let drops: &AtomicU8 = Box::leak(Box::default());
    let holder = Handle::leak(Holder(Exclusive::new(Dropped(drops))));
    let shared = holder.expose_provenance();
    let (sender, is_visited) = std::sync::mpsc::channel();
    let visitor = std::thread::spawn(move || {
        let holder: *mut Holder = std::ptr::with_exposed_provenance_mut(shared);
        object!(holder).unwrap().visit(|value| {
            sender.send(()).unwrap();
            (0..100).for_each(|_| std::thread::yield_now());
            assert_eq!(value.0.load(Ordering::Relaxed), 0);
        });
    });
    is_visited.recv().unwrap();
    guard_free(object!(holder));
    assert_eq!(drops.load(Ordering::Relaxed), 1);
    visitor.join().unwrap();
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
