//! Every input of `tests/fixtures/cases`, with the outcome that its README says. One test a case, in the order of the
//! README.
//!
//! The command is run as an operator runs it, at a fixed time if dates matter. Certificates for connections that last
//! no longer than the test are made by it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "what is shared with other tests is used in part")]

mod chains;
mod kept;
mod lists;
mod names;
mod peers;
#[path = "../recipes/process.rs"]
mod process;
mod responders;
#[path = "../api/rig/mod.rs"]
mod rig;
mod stores;
mod wire;
