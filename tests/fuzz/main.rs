//! Hostile input by the thousand: the same on every run, and nothing but a panic, abort or hang fails.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod ber;
mod mutation;
mod revocation;
mod seeds;
mod stores;
#[allow(dead_code, reason = "shared with the tests of the API, which use all of it")]
#[path = "../api/keystore/tools.rs"]
mod tools;
