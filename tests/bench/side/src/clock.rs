//! The processor's time of the measuring thread, which what else the machine does leaves alone.

use std::time::Duration;

/// A moment, by the processor's time of this thread.
#[derive(Clone, Copy)]
pub struct Start(Duration);

impl Start {
    pub fn now() -> Self {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the call writes to the place it is given.
        let result = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
        assert_eq!(result, 0);
        Self(Duration::new(time.tv_sec as u64, time.tv_nsec as u32))
    }

    /// The time that this thread has run since then.
    pub fn elapsed(self) -> Duration {
        Self::now().0 - self.0
    }
}
