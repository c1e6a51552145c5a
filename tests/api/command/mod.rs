//! The command, run as an operator runs it.

mod connect;
mod files;
mod revocation;
mod usage;
mod verify;
