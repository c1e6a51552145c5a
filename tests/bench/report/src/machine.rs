//! The day and the machine of a measurement, for the page.

use std::fs;
use std::time::SystemTime;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// The processor, the number of its cores, and the kernel.
pub fn machine() -> String {
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    // All of them: a program that measures may have pinned itself to one.
    let cores = processor.lines().filter(|line| line.starts_with("processor\t")).count();
    let model =
        processor.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map(|(_, name)| name);
    let flags = processor.lines().find(|line| line.starts_with("flags")).unwrap_or_default();
    let has = |flag: &str| flags.split(' ').any(|one| one == flag);
    let known: Vec<_> = [("vaes", "VAES"), ("avx2", "AVX2"), ("avx512f", "AVX-512")]
        .into_iter()
        .filter_map(|(flag, name)| has(flag).then_some(name))
        .collect();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let kind = if has("hypervisor") { "virtual, " } else { "" };
    let with = if known.is_empty() { String::new() } else { format!(" with {}", known.join(", ")) };
    format!("{kind}{cores} cores of {}{with}, Linux {}", model.unwrap_or("an unknown processor"), kernel.trim())
}

/// The day in UTC, as `21 November 2026`.
pub fn today() -> String {
    let seconds = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs());
    let (year, month, day) = civil(seconds / 86_400);
    format!("{day} {} {year}", MONTHS[month - 1])
}

/// The year, month and day that a number of days after 1 January 1970 is.
fn civil(mut days: u64) -> (u64, usize, u64) {
    let is_leap = |year: u64| year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    let mut year = 1970;
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while days >= lengths[month] {
        days -= lengths[month];
        month += 1;
    }
    (year, month + 1, days + 1)
}
