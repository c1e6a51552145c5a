//! Objects that Java refers to by number: a table of slots with memory that is never freed.
//!
//! A number has a slot and its generation, so that an invented or freed number is recognised without a pointer access.
//! Calls on an object are counted, and the last one frees a removed object. Calls take no lock.
#![allow(unsafe_code, reason = "a slot holds its object as a pointer, which the state of the slot guards")]

use std::ops::{Deref, DerefMut};
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

const FIRST_CHUNK: usize = 1024;
const CHUNKS: usize = 20;
const USE_MASK: u64 = 0x3fff_ffff;
const LIVE: u64 = 1 << 30;
const DOOMED: u64 = 1 << 31;
const GENERATION_SHIFT: u32 = 32;
/// Handles are positive, because a negative result of Java has another meaning.
const GENERATION_MASK: u64 = 0x7fff_ffff;
/// Beside the generation, so that it makes the handle differ: other calls look at it only then.
const VISITED: u64 = 1 << 63;

/// The reason that an object cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unavailable {
    /// The number is invalid, or its object was freed.
    Closed,
    /// A call on it runs on another thread.
    Busy,
}

/// The objects of one kind.
pub(crate) struct Handles<T> {
    chunks: [OnceLock<Box<[Slot<T>]>>; CHUNKS],
    free: Mutex<Free>,
}

struct Free {
    indices: Vec<u32>,
    next: u32,
}

/// The object, with a state: VISITED, generation, DOOMED, LIVE, and the number of calls on it.
struct Slot<T> {
    state: AtomicU64,
    object: AtomicPtr<T>,
}

impl<T> Handles<T> {
    pub(crate) const fn new() -> Self {
        Self { chunks: [const { OnceLock::new() }; CHUNKS], free: Mutex::new(Free { indices: Vec::new(), next: 0 }) }
    }

    /// Keeps the object and returns its number; `None` if there are too many.
    pub(crate) fn insert(&self, object: T) -> Option<i64> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let index = match free.indices.pop() {
            Some(index) => index,
            None => {
                let index = free.next;
                let (chunk, _) = place(index)?;
                let size = FIRST_CHUNK << chunk;
                self.chunks[chunk].get_or_init(|| (0..size).map(|_| Slot::empty()).collect());
                free.next = index.checked_add(1)?;
                index
            }
        };
        drop(free);
        let slot = self.slot(index)?;
        let generation =
            match (slot.state.load(Ordering::Acquire) >> GENERATION_SHIFT).wrapping_add(1) & GENERATION_MASK {
                0 => 1,
                generation => generation,
            };
        slot.object.store(Box::into_raw(Box::new(object)), Ordering::Relaxed);
        slot.state.store(generation << GENERATION_SHIFT | LIVE, Ordering::Release);
        Some((generation << GENERATION_SHIFT | u64::from(index)).cast_signed())
    }

    /// Returns the object for use beside other users.
    pub(crate) fn share(&self, handle: i64) -> Result<Shared<'_, T>, Unavailable> {
        self.enter(handle, USE_MASK).map(Shared)
    }

    /// Returns the object for exclusive use.
    pub(crate) fn claim(&self, handle: i64) -> Result<Exclusive<'_, T>, Unavailable> {
        self.enter(handle, 1).map(|held| Exclusive(held))
    }

    /// Passes the object to the function if no call is under way on it. Calls that begin meanwhile wait for its end, so
    /// it must be short.
    pub(crate) fn visit(&self, handle: i64, look: impl FnOnce(&mut T)) {
        let Ok(handle) = u64::try_from(handle) else { return };
        let Some(slot) = self.slot(handle as u32) else { return };
        let idle = handle >> GENERATION_SHIFT << GENERATION_SHIFT | LIVE;
        let entered = slot.state.compare_exchange(idle, idle | VISITED, Ordering::AcqRel, Ordering::Relaxed);
        if entered.is_err() {
            return;
        }
        let _visit = Visit { state: &slot.state, idle };
        // SAFETY: the object lives, because `remove` waits for the end of the visit, as other calls do.
        look(unsafe { &mut *slot.object.load(Ordering::Relaxed) });
    }

    /// Frees the object now or after the last call on it. Ignores an invalid number.
    pub(crate) fn remove(&self, handle: i64) {
        let Ok(held) = self.enter(handle, USE_MASK) else { return };
        held.slot.state.fetch_or(DOOMED, Ordering::AcqRel);
    }

    fn enter(&self, handle: i64, uses_max: u64) -> Result<Held<'_, T>, Unavailable> {
        // The sign is the bit of VISITED: a negative number would enter beside a visit.
        let handle = u64::try_from(handle).map_err(|_| Unavailable::Closed)?;
        let (generation, index) = (handle >> GENERATION_SHIFT, handle as u32);
        let slot = self.slot(index).ok_or(Unavailable::Closed)?;
        let mut state = slot.state.load(Ordering::Acquire);
        let mut tries = 0;
        loop {
            if state >> GENERATION_SHIFT != generation || state & LIVE == 0 || state & DOOMED != 0 {
                if state >> GENERATION_SHIFT == generation | VISITED >> GENERATION_SHIFT {
                    pause(&mut tries);
                    state = slot.state.load(Ordering::Acquire);
                    continue;
                }
                return Err(Unavailable::Closed);
            }
            if state & USE_MASK >= uses_max {
                return Err(Unavailable::Busy);
            }
            match slot.state.compare_exchange_weak(state, state + 1, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Ok(Held { table: self, slot, index }),
                Err(now) => state = now,
            }
        }
    }

    fn slot(&self, index: u32) -> Option<&Slot<T>> {
        let (chunk, offset) = place(index)?;
        self.chunks[chunk].get()?.get(offset)
    }
}

/// Returns the chunk of a slot, and the offset in it. Each chunk has twice the size of the one before.
fn place(index: u32) -> Option<(usize, usize)> {
    let index = index as usize + FIRST_CHUNK;
    let chunk = (index / FIRST_CHUNK).ilog2() as usize;
    (chunk < CHUNKS).then_some((chunk, index - (FIRST_CHUNK << chunk)))
}

/// Waits for a visit, which takes about a microsecond if its thread has a core.
#[cold]
fn pause(tries: &mut u32) {
    match *tries {
        0..200 => thread::yield_now(),
        _ => thread::sleep(Duration::from_micros(50)),
    }
    *tries = tries.saturating_add(1);
}

impl<T> Slot<T> {
    fn empty() -> Self {
        Self { state: AtomicU64::new(0), object: AtomicPtr::new(ptr::null_mut()) }
    }
}

/// A visit, which ends when this is dropped.
struct Visit<'a> {
    state: &'a AtomicU64,
    idle: u64,
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        self.state.store(self.idle, Ordering::Release);
    }
}

/// One call on the object of a slot.
struct Held<'a, T> {
    table: &'a Handles<T>,
    slot: &'a Slot<T>,
    index: u32,
}

impl<T> Held<'_, T> {
    fn object(&self) -> *mut T {
        self.slot.object.load(Ordering::Relaxed)
    }
}

impl<T> Drop for Held<'_, T> {
    fn drop(&mut self) {
        let before = self.slot.state.fetch_sub(1, Ordering::AcqRel);
        // A doomed slot accepts no call, so that exactly one call is the last.
        if before & DOOMED == 0 || before & USE_MASK != 1 {
            return;
        }
        let object = self.slot.object.swap(ptr::null_mut(), Ordering::AcqRel);
        self.slot.state.store(before & (GENERATION_MASK << GENERATION_SHIFT), Ordering::Release);
        // SAFETY: `insert` made the pointer from a box, and the swap took it out of the slot.
        drop(unsafe { Box::from_raw(object) });
        self.table.free.lock().unwrap_or_else(PoisonError::into_inner).indices.push(self.index);
    }
}

/// An object in shared use.
pub(crate) struct Shared<'a, T>(Held<'a, T>);

impl<T> Deref for Shared<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the object lives while the call is counted, and `claim` refuses exclusive use meanwhile.
        unsafe { &*self.0.object() }
    }
}

/// An object in exclusive use.
pub(crate) struct Exclusive<'a, T>(Held<'a, T>);

impl<T> Deref for Exclusive<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the object lives while the call is counted, and this call alone uses it, as for `DerefMut`.
        unsafe { &*self.0.object() }
    }
}

impl<T> DerefMut for Exclusive<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the object lives while the call is counted. Objects of a kind that is claimed are never shared,
        // except by `remove`, which does not access the object.
        unsafe { &mut *self.0.object() }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::sync::Arc;

    use super::*;

    #[test]
    fn freed_and_made_up_numbers_are_closed() {
        let handles = Handles::new();
        let first = handles.insert(1).unwrap();
        assert_eq!(*handles.share(first).map_err(|_| ()).unwrap(), 1);
        handles.remove(first);
        let second = handles.insert(2).unwrap();
        for handle in [first, 0, -1, 7, i64::MAX, i64::MIN, second + 1] {
            assert_eq!(handles.share(handle).err(), Some(Unavailable::Closed), "{handle}");
            handles.remove(handle);
        }
        assert_eq!(*handles.share(second).map_err(|_| ()).unwrap(), 2);
    }

    #[test]
    fn object_freed_in_use_lives_until_the_use_ends() {
        let handles = Handles::new();
        let object = Arc::new(());
        let handle = handles.insert(Arc::clone(&object)).unwrap();
        let held = handles.claim(handle).map_err(|_| ()).unwrap();
        assert_eq!(handles.claim(handle).err(), Some(Unavailable::Busy));
        handles.remove(handle);
        assert_eq!(Arc::strong_count(&object), 2);
        assert_eq!(handles.claim(handle).err(), Some(Unavailable::Closed));
        drop(held);
        assert_eq!(Arc::strong_count(&object), 1);
    }

    #[test]
    fn visit_changes_an_object_that_no_call_uses_and_no_other() {
        let handles = Handles::new();
        let handle = handles.insert(1).unwrap();
        handles.visit(handle, |object| *object += 1);
        let mut held = handles.claim(handle).map_err(|_| ()).unwrap();
        handles.visit(handle, |object| *object += 10);
        *held += 1;
        drop(held);
        assert_eq!(*handles.claim(handle).map_err(|_| ()).unwrap(), 3);
        handles.remove(handle);
        for handle in [handle, 0, -1, 7, i64::MAX, i64::MIN] {
            handles.visit(handle, |_| panic!("{handle} is closed"));
        }
    }

    #[test]
    fn number_with_the_bit_of_a_visit_is_closed_during_the_visit_too() {
        let handles = Handles::new();
        let handle = handles.insert(1).unwrap();
        let negative = handle | i64::MIN;
        handles.visit(handle, |object| {
            assert_eq!(handles.share(negative).err(), Some(Unavailable::Closed));
            assert_eq!(handles.claim(negative).err(), Some(Unavailable::Closed));
            handles.visit(negative, |_| panic!("a visit in a visit"));
            handles.remove(negative);
            *object += 1;
        });
        assert_eq!(handles.claim(negative).err(), Some(Unavailable::Closed));
        assert_eq!(*handles.claim(handle).map_err(|_| ()).unwrap(), 2);
    }

    #[test]
    fn calls_wait_for_a_visit_and_never_get_in_with_it() {
        static HANDLES: Handles<(u32, u32)> = Handles::new();
        const TURNS: u32 = 20_000;
        let handle = HANDLES.insert((0, 0)).unwrap();
        let both = |object: &mut (u32, u32)| {
            assert_eq!(object.0, object.1);
            object.0 += 1;
            std::hint::black_box(&mut *object);
            object.1 += 1;
        };
        let visitor = thread::spawn(move || {
            (0..TURNS).for_each(|_| HANDLES.visit(handle, both));
        });
        // No call is refused: the visitor alone is in its way.
        for _ in 0..TURNS {
            both(&mut HANDLES.claim(handle).unwrap_or_else(|_| panic!("refused")));
        }
        visitor.join().unwrap();
        let (turns, _) = *HANDLES.claim(handle).map_err(|_| ()).unwrap();
        assert!(turns >= TURNS);
        HANDLES.remove(handle);
    }

    #[test]
    fn visit_that_panics_ends_all_the_same() {
        let handles = Handles::new();
        let handle = handles.insert(1).unwrap();
        let visit = || handles.visit(handle, |_: &mut i32| panic!("a defect"));
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(visit)).is_err());
        assert_eq!(*handles.claim(handle).map_err(|_| ()).unwrap(), 1);
    }

    #[test]
    fn slots_are_used_again_and_more_are_made_where_there_are_none() {
        let handles = Handles::new();
        let all: Vec<i64> = (0..5000).map(|number| handles.insert(number).unwrap()).collect();
        for (number, handle) in (0..).zip(&all) {
            assert_eq!(*handles.claim(*handle).map_err(|_| ()).unwrap(), number);
        }
        all.iter().for_each(|handle| handles.remove(*handle));
        let again = handles.insert(0).unwrap();
        assert!((again as u32) < 5000 && !all.contains(&again));
    }
}
