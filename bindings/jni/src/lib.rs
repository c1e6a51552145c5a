//! brokertls for the JVM: the functions behind the native methods of `io.brokertls.internal`.
//!
//! A thin translator over the core, sibling to its C ABI; it uses nothing of that. Objects of Java are named by number
//! (handles.rs); every native method is one guarded call (guard.rs); buffers become slices in memory.rs; the rest of the
//! rooms are one Java class each.

mod context;
mod engine;
mod failure;
mod guard;
mod handles;
mod host;
mod identity;
mod library;
mod log;
mod memory;
mod names;
mod password;
mod revocation;
mod revoked;
mod store;
mod text;
