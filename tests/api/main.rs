//! The public Rust API, one module for each subject.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod command;
mod command_connect;
mod command_files;
mod command_revocation;
mod command_usage;
mod command_verify;
mod connection_settings;
mod context;
mod context_life;
mod fetch;
mod fetch_cache;
mod fetch_hostile;
mod handshake_signatures;
mod host;
mod hostile;
mod keystore;
mod names;
mod ocsp;
mod options;
mod pair;
mod policy;
mod policy_ciphers;
#[path = "../recipes/process.rs"]
#[allow(dead_code, reason = "the recipes use more of it")]
mod process;
mod responder;
mod resumption;
mod revocation;
mod revocation_cases;
mod revocation_directories;
mod revocation_fetch;
mod revocation_fetch_chain;
mod revocation_hanging;
mod revocation_later;
mod revocation_live;
mod revocation_matrix;
mod revocation_names;
mod revocation_points;
mod revocation_post;
mod revocation_refresh;
mod revocation_rollover;
mod revocation_sessions;
mod sessions;
mod signatures;
mod stapling;
mod stapling_files;
mod stream;
mod system_trust;
mod verify;
mod verify_cases;
mod verify_hostile;
mod verify_paths;
mod verify_pki;
mod verify_proof;
mod verify_switches;
mod web;
mod wire;
