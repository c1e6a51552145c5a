//! The command, run as an operator runs it.

mod connect;
mod convert;
mod files;
mod revocation;
mod usage;
mod verify;
