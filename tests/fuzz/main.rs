//! Hostile input by the thousand: the same on every run, and nothing but a panic, abort or hang fails.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod ber;
mod mutation;
mod records;
mod revocation;
mod seeds;
mod stores;
#[allow(dead_code, reason = "shared with the tests of the API, which use all of it")]
#[path = "../api/keystore/tools.rs"]
mod tools;

/// The rig of the tests of the API, under the names that it has there.
#[allow(dead_code, reason = "shared with the tests of the API, which use all of it")]
#[path = "../api/rig"]
mod rig {
    pub(crate) mod pair;
}

#[allow(dead_code, reason = "shared with the tests of the API, which use all of it")]
#[path = "../api/wire"]
mod wire {
    pub(crate) mod peer;
    mod tamper;
}

#[allow(dead_code, reason = "shared with the tests of the API, which use all of it")]
#[path = "../api/records"]
mod records_api {
    pub(crate) mod keys;
    pub(crate) mod scene;
}
