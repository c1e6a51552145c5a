//! The public Rust API, one module for each subject.

#![allow(clippy::unwrap_used)]

mod context;
mod keystore;
mod pair;
