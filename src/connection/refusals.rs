//! Lines of the log about peers that are refused, or refuse this side.
//!
//! Peers bring these lines about, so that their number, their length and their characters are bounded.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::time_provider::TimeProvider;

use crate::certificate::visible;
use crate::logging::{Level, Log};

/// The most lines of a context about refused peers in a minute of its clock.
pub(crate) const MAX_LINES_A_MINUTE: u32 = 60;

/// The most characters of a line.
const MAX_LINE_CHARS: usize = 3000;

/// The log of one context's refused peers.
pub(crate) struct Refusals {
    log: Log,
    clock: Arc<dyn TimeProvider>,
    minute: Mutex<Minute>,
}

/// The lines of the present minute.
#[derive(Default)]
struct Minute {
    /// Minutes since 1970.
    number: u64,
    lines: u32,
    left_out: u64,
}

impl fmt::Debug for Refusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusals").field("log", &self.log).finish_non_exhaustive()
    }
}

impl Refusals {
    pub(crate) fn new(log: Log, clock: Arc<dyn TimeProvider>) -> Self {
        Self { log, clock, minute: Mutex::default() }
    }

    /// Writes a line, unless the minute has had as many as it may.
    pub(crate) fn write(&self, connection_id: u64, text: &str) {
        if let Some(line) = self.line(text) {
            self.log.write_about(connection_id, Level::Error, &line);
        }
    }

    /// The line to write for a refusal; none if the minute has had as many as it may. The last line of such a minute
    /// says so, and the next line after it has the number of those that are missing.
    pub(crate) fn line(&self, text: &str) -> Option<String> {
        let (lines, left_out) = self.count()?;
        let mut line = visible(text, MAX_LINE_CHARS);
        if left_out > 0 {
            line.push_str(&format!(" ({left_out} refusals before this one were not logged)"));
        }
        if lines == MAX_LINES_A_MINUTE {
            line.push_str(" (more refusals of this minute are not logged)");
        }
        Some(line)
    }

    /// Counts a line; gives its number in its minute, and how many lines before it were left out.
    fn count(&self) -> Option<(u32, u64)> {
        let number = self.clock.current_time().map_or(0, |time| time.as_secs() / 60);
        let mut minute = self.minute.lock().unwrap_or_else(PoisonError::into_inner);
        if minute.number != number {
            *minute = Minute { number, lines: 0, left_out: minute.left_out };
        }
        if minute.lines == MAX_LINES_A_MINUTE {
            minute.left_out += 1;
            return None;
        }
        minute.lines += 1;
        Some((minute.lines, std::mem::take(&mut minute.left_out)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use rustls::pki_types::UnixTime;

    use super::*;

    #[derive(Debug)]
    struct Clock(AtomicU64);

    impl TimeProvider for Clock {
        fn current_time(&self) -> Option<UnixTime> {
            Some(UnixTime::since_unix_epoch(std::time::Duration::from_secs(self.0.load(Ordering::Relaxed))))
        }
    }

    #[test]
    fn lines_of_a_minute_are_bounded_and_those_left_out_are_counted() {
        let clock = Arc::new(Clock(AtomicU64::new(120)));
        let refusals = Refusals::new(Log::default(), Arc::clone(&clock) as Arc<dyn TimeProvider>);
        for number in 1..MAX_LINES_A_MINUTE {
            assert_eq!(refusals.line("refused").as_deref(), Some("refused"), "{number}");
        }
        let last = refusals.line("refused").unwrap();
        assert_eq!(last, "refused (more refusals of this minute are not logged)");
        for second in [120, 179] {
            clock.0.store(second, Ordering::Relaxed);
            assert_eq!(refusals.line("refused"), None);
        }
        clock.0.store(180, Ordering::Relaxed);
        let next = refusals.line("refused").unwrap();
        assert_eq!(next, "refused (2 refusals before this one were not logged)");
        assert_eq!(refusals.line("refused").as_deref(), Some("refused"));
    }

    #[test]
    fn line_has_no_control_characters_and_an_end() {
        let refusals = Refusals::new(Log::default(), Arc::new(Clock(AtomicU64::new(0))));
        let line = refusals.line("a\r\nconnection 2: \u{1b}[2J\u{202e}\0").unwrap();
        assert_eq!(line, "a\\u{d}\\u{a}connection 2: \\u{1b}[2J\\u{202e}\\u{0}");
        let line = refusals.line(&"\n".repeat(1_000_000)).unwrap();
        assert!(line.chars().count() <= MAX_LINE_CHARS * 6, "{}", line.len());
    }
}
