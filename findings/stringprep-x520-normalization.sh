#!/usr/bin/env bash
# x520prep of the crate stringprep, with case folding, does not normalize; without case folding it does.
#
# Seen with stringprep 0.1.5 and Rust 1.95:
#   x520prep("\u{ff23}\u{ff21}", false) = "CA"                (compatibility forms composed, NFKC)
#   x520prep("e\u{308}", false)         = "\u{eb}"
#   x520prep("e\u{308}", true)          = "e\u{308}"          (one would expect "\u{eb}" here too)
# RFC 4518 section 2.2 folds case and section 2.3 normalizes; ITU-T X.520 section 7.3 does both. Two directory names that
# differ only in how an accent is written compare as different after x520prep(.., true). A second call with false on the
# result of the first normalizes it.
# Exits with 0 while this is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cat > "$folder/Cargo.toml" << 'TOML'
[package]
name = "prepared"
version = "0.0.0"
edition = "2021"

[dependencies]
stringprep = "=0.1.5"
TOML
cat > "$folder/src/main.rs" << 'RUST'
use stringprep::x520prep;

fn main() {
    let accent = "e\u{308}";
    let apart = x520prep(accent, true).unwrap().into_owned();
    println!("without folding: {}", x520prep(accent, false).unwrap().escape_unicode());
    println!("with folding:    {}", apart.escape_unicode());
    println!("then without:    {}", x520prep(&apart, false).unwrap().escape_unicode());
    assert_eq!(x520prep("\u{ff23}\u{ff21}", false).unwrap(), "CA");
    assert_eq!(x520prep(accent, false).unwrap(), "\u{eb}");
    assert_eq!(apart, accent);
    assert_eq!(x520prep(&apart, false).unwrap(), "\u{eb}");
}
RUST
cargo run --quiet --manifest-path "$folder/Cargo.toml"
