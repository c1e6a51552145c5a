//! Time of a call: by the clock, and of the processor for this thread.

use std::time::{Duration, Instant};

use brokertls_bench_side::clock::Start;

/// The time that something took.
#[derive(Debug, Default)]
pub struct Spent {
    pub clock: Duration,
    pub processor: Duration,
}

impl Spent {
    /// Adds what `call` takes.
    pub fn during<T>(&mut self, call: impl FnOnce() -> T) -> T {
        let (clock, processor) = (Instant::now(), Start::now());
        let value = call();
        self.processor += processor.elapsed();
        self.clock += clock.elapsed();
        value
    }
}
