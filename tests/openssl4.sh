#!/usr/bin/env bash
# The tests of the second engine with OpenSSL 4, which is built once for the benchmarks: in the program and in the
# engine, in the program alone, and in the engine alone. The other one has the OpenSSL of the system. In the program it
# is static, so both are in one process under the same names.
set -euo pipefail
cd "$(dirname "$0")/.."

root=$(cargo run --locked --quiet --release --manifest-path tests/bench/Cargo.toml \
    --package brokertls-bench-openssl4-build)
old=$PWD/target/openssl-system new=$PWD/target/openssl4
library=libbrokertls_legacy.so
tests=(--test after --test hostile --test resumption --test session_ids --test tickets)
in_program() {
    env OPENSSL_DIR="$root" OPENSSL_STATIC=1 CARGO_TARGET_DIR="$new" "$@"
}

in_program cargo test --locked --no-fail-fast --package brokertls-legacy
env CARGO_TARGET_DIR="$old" cargo build --locked --package brokertls-legacy
in_program env BROKERTLS_LEGACY_LIBRARY="$old/debug/$library" \
    cargo test --locked --no-fail-fast --package brokertls-legacy "${tests[@]}"
in_program cargo build --locked --package brokertls-legacy
env CARGO_TARGET_DIR="$old" BROKERTLS_LEGACY_LIBRARY="$new/debug/$library" \
    cargo test --locked --no-fail-fast --package brokertls-legacy "${tests[@]}"
