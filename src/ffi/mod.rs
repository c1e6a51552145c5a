//! The C ABI: `btls_*` functions, each a thin translator over the safe rooms.
//!
//! Pointers become references and results become statuses; other rooms decide. `include/brokertls.h` is generated from
//! the entry points and their comments.
#![allow(unsafe_code, reason = "entry points take raw pointers; every block says why it is sound")]
#![allow(non_camel_case_types, reason = "the names are those of the C header")]
#![allow(unreachable_pub, reason = "the linker reaches them")]
#![allow(clippy::missing_safety_doc, reason = "the comments are those of the C header, which has the rules at its top")]

mod arguments;
pub mod beside;
mod builder;
mod callback;
mod certificate;
mod conn;
mod conn_options;
mod connection;
mod context;
mod convert;
mod error;
mod facts;
mod guard;
mod last_error;
mod list;
mod names;
mod psk;
mod revocation;
mod revoked;
mod source;
mod verify_request;
mod version;

use crate::error::Result;

/// A code of the table as C sees it; declared in `brokertls_errors.h`.
pub type btls_status = i32;

/// The result of a call that is done.
const DONE: Result<btls_status> = Ok(0);
