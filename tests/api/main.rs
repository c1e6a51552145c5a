//! The public Rust API, a folder for each subject. `rig` holds what they share.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bridge;
mod command;
mod context;
mod fetch;
mod keystore;
mod legacy;
mod names;
mod ocsp;
mod policy;
#[path = "../recipes/process.rs"]
#[allow(dead_code, reason = "the recipes use more of it")]
mod process;
mod records;
mod resumption;
mod revocation;
mod rig;
mod stapling;
mod stream;
mod verify;
mod wire;
