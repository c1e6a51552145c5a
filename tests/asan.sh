#!/usr/bin/env bash
# The tests of the second engine with the address sanitizer in the core, in the engine and in its client. OpenSSL is
# that of the system: its calls of the C library and its allocations are checked, its own code is not. The stable
# compiler has the sanitizer, and takes the option for it with RUSTC_BOOTSTRAP alone.
set -euo pipefail
cd "$(dirname "$0")/.."

host=$(rustc -vV | sed -n 's/^host: //p')
tests=(--lib --test after --test floods --test hostile --test psk --test resumption --test session_ids --test tickets)
# The library of the engine finds the sanitizer in the program.
env RUSTC_BOOTSTRAP=1 RUSTFLAGS='-Zsanitizer=address -Clink-arg=-rdynamic' CARGO_TARGET_DIR="$PWD/target/asan" \
    cargo test --locked --no-fail-fast --package brokertls-legacy --target "$host" "${tests[@]}"
