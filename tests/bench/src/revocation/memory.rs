//! The bytes that are allocated: by Rust's code as they are asked for, by C's as the allocator tells.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Counts what Rust's code holds, and the most that it held.
pub struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

fn add(bytes: usize) {
    MOST.fetch_max(HELD.fetch_add(bytes, Relaxed) + bytes, Relaxed);
}

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        // SAFETY: the caller keeps alloc's contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller keeps dealloc's contract.
        unsafe { System.dealloc(pointer, layout) }
    }

    /// By the system's own, which moves pages instead of copying them; while it copies, both blocks are held.
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        add(size);
        HELD.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller keeps realloc's contract.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// Bytes that one call of Rust's code left held, and the most that it held beyond what there was before.
pub struct Held {
    pub kept: usize,
    pub peak: usize,
}

/// The value of `call`, and the memory that it held.
pub fn held_by<T>(call: impl FnOnce() -> T) -> (T, Held) {
    let before = HELD.load(Relaxed);
    MOST.store(before, Relaxed);
    let value = call();
    (value, Held { kept: HELD.load(Relaxed) - before, peak: MOST.load(Relaxed) - before })
}

/// The value of `call`, and the bytes of malloc that it left allocated.
pub fn malloc_by<T>(call: impl FnOnce() -> T) -> (T, usize) {
    let before = malloc_bytes();
    let value = call();
    (value, malloc_bytes() - before)
}

fn malloc_bytes() -> usize {
    // SAFETY: the call takes nothing and only reads the allocator's counts.
    let counts = unsafe { libc::mallinfo2() };
    counts.uordblks + counts.hblkhd
}
