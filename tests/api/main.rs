//! The public Rust API, one module a subject.

#![allow(clippy::unwrap_used)] // A failed `unwrap` is a failed test.

mod policy;
mod policy_ciphers;
