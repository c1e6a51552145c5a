//! brokertls for the JVM: the functions behind the native methods of `io.brokertls.internal`.
//!
//! A thin translator over the core. It does not use the C ABI. Java refers to objects by number (handles.rs). Every
//! native method is one guarded call, with one policy for errors (guard.rs). Buffers become slices in memory.rs. Each
//! other file serves one Java class.

mod asleep;
mod certificates;
mod context;
mod convert;
mod engine;
mod exceptions;
mod failure;
mod file;
mod guard;
mod handles;
mod host;
mod identity;
mod library;
mod log;
mod memory;
mod names;
mod package;
mod password;
mod psk;
mod revocation;
mod revoked;
mod settings;
mod store;
mod text;
