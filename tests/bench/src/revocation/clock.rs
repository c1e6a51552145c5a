//! Time of a call: by the clock, and of the processor for this thread.

use std::time::{Duration, Instant};

/// The time that something took.
#[derive(Debug, Default)]
pub struct Spent {
    pub clock: Duration,
    pub processor: Duration,
}

impl Spent {
    /// Adds what `call` takes.
    pub fn during<T>(&mut self, call: impl FnOnce() -> T) -> T {
        let (clock, processor) = (Instant::now(), processor_time());
        let value = call();
        self.processor += processor_time() - processor;
        self.clock += clock.elapsed();
        value
    }
}

/// The processor's time of this thread.
fn processor_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the structure is there to be written to.
    assert_eq!(unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) }, 0);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
