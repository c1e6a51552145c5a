//! The cases of other projects, which lie outside this one: `make test-data BTLS_DATA=FOLDER` runs them, `cargo test`
//! alone does not. Each subject has fixtures of this project's own as well, which `make test` runs.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "what is shared with other tests is used in part")]

#[path = "../fuzz/ber.rs"]
mod ber;
mod broker_pki;
#[path = "../recipes/files.rs"]
mod files;
#[path = "../fuzz/revocation.rs"]
mod fuzz;
mod limbo;
#[path = "../recipes/mosquitto.rs"]
mod mosquitto;
#[path = "../fuzz/mutation.rs"]
mod mutation;
#[path = "../recipes/openssl.rs"]
mod openssl;
#[path = "../recipes/ours.rs"]
mod ours;
mod outside;
#[path = "../recipes/process.rs"]
mod process;
mod published;
#[path = "../recipes/revocation.rs"]
mod revocation;
mod seeds;
#[path = "../recipes/settings.rs"]
mod settings;
mod stores;
#[path = "../api/ocsp/verdicts.rs"]
mod verdicts;

/// The versions that a peer is tried with.
const VERSIONS: [&str; 2] = ["TLSv1.2", "TLSv1.3"];
