//! The versions of the crates that are measured, by the lock file that all programs of the benchmark are built from.

const LOCK: &str = include_str!("../../Cargo.lock");

/// The version of a crate that the benchmark has once.
pub fn of(name: &str) -> &'static str {
    let entry = format!("name = \"{name}\"\nversion = \"");
    let (_, rest) = LOCK.split_once(&entry).unwrap_or_else(|| panic!("{name} is not in Cargo.lock"));
    rest.split('"').next().unwrap_or_default()
}
