//! The folder with the outside data, which the variable BTLS_DATA names.

use std::path::PathBuf;

/// Every file that is read, one a line; tests/data.sh has looked for each before the tests are built.
const FILES: &str = include_str!("files.txt");

/// The path of a file or folder of the data. Panics with the name of each file that is missing.
pub(crate) fn path(name: &str) -> PathBuf {
    let root = std::env::var_os("BTLS_DATA").expect("BTLS_DATA is not set: run `make test-data BTLS_DATA=FOLDER`");
    let root = PathBuf::from(root);
    let missing: Vec<&str> = FILES.lines().filter(|name| !root.join(name).is_file()).collect();
    assert!(missing.is_empty(), "missing in {}: {}", root.display(), missing.join(", "));
    assert!(FILES.lines().any(|file| file.starts_with(name)), "{name} is not in tests/data/files.txt");
    root.join(name)
}
