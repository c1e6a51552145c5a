#!/usr/bin/env bash
# The stages of `make test`, cheapest first. Stops at the first stage that fails; the closing line counts the tests
# that really ran, from the summaries that cargo and tests/c/run.sh print.
set -euo pipefail
cd "$(dirname "$0")/.."

mkdir -p build
log=build/test.log
: > "$log"

finish() {
    local status=$?
    awk '/^test result:/ { passed += $4; failed += $6 } END { printf "%d passed, %d failed\n", passed, failed }' "$log"
    ((status == 0)) || echo "FAILED at: $stage"
    exit "$status"
}
trap finish EXIT

run() {
    stage="$*"
    echo "== $stage"
    local start=$SECONDS
    "$@" 2>&1 | tee -a "$log"
    echo "== took $((SECONDS - start)) s"
}

export PATH="$PATH:/usr/sbin:/sbin"
stage="start"
run cargo fmt --check
run cargo fmt --check --manifest-path tests/bench/Cargo.toml
run cargo clippy --locked --all-targets -- -D warnings
run env RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps
run make --no-print-directory stage
run make --no-print-directory test-c
run cargo test --locked --no-fail-fast
