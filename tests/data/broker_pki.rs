//! Mosquitto's own test data: a CA, what it has signed, and its lists.

use std::fs;

use crate::files::Files;
use crate::outside;

/// The parts of a message about the revoked client.
pub(crate) const REVOKED: [&str; 3] = ["test client revoked", "serial 06", "2025-07-07T22:27:29Z"];

/// The files that are taken: the roots with the CA that issues, its lists, a broker and two clients.
const TAKEN: [&str; 9] = [
    "all-ca.crt",
    "crl.pem",
    "crl-empty.pem",
    "server.crt",
    "server.key",
    "client.crt",
    "client.key",
    "client-revoked.crt",
    "client-revoked.key",
];

/// A folder of a test's own with the files.
pub(crate) fn files(test: &str) -> Files {
    let files = Files::new(test);
    for name in TAKEN {
        // Not `fs::copy`, which would keep the data read-only.
        fs::write(files.file(name), fs::read(outside::path("mosquitto-ssl").join(name)).unwrap()).unwrap();
    }
    files
}
