#!/usr/bin/env bash
# The stages of `make test`, cheapest first; with the argument `check` those of `make check`, with `data` those of `make
# test-data`. Stops at the first stage that fails. The closing line counts the tests that really ran, from the summaries
# that cargo, tests/c/run.sh, Maven and tests/activemq/run.sh print.
set -euo pipefail
cd "$(dirname "$0")/.."

mkdir -p build
log=build/test${1:+-$1}.log
: > "$log"

libraries=
finish() {
    local status=$?
    [[ -z $libraries ]] || kill "$libraries" 2> /dev/null || true
    # The first kind of line is cargo's; the second, without a class behind it, the total of Maven's surefire.
    awk '/^test result:/ { passed += $4; failed += $6 }
        /Tests run: [0-9]+, Failures: [0-9]+, Errors: [0-9]+, Skipped: [0-9]+$/ {
            match($0, /Tests run: .*/)
            split(substr($0, RSTART), count, /[:,] */)
            passed += count[2] - count[4] - count[6] - count[8]
            failed += count[4] + count[6]
        }
        END { printf "%d passed, %d failed\n", passed, failed }' "$log"
    ((status == 0)) || echo "FAILED at: $stage"
    exit "$status"
}
trap finish EXIT

# A stage that stands still ends here, and says where: a JVM prints its threads at QUIT.
minutes_max=35
run() {
    stage="$*"
    echo "== $stage"
    local start=$SECONDS
    timeout --signal QUIT --kill-after 20 "$minutes_max"m "$@" 2>&1 | tee -a "$log"
    echo "== took $((SECONDS - start)) s"
}

export PATH="$PATH:/usr/sbin:/sbin"
stage="start"
if [[ ${1-} == data ]]; then
    run cargo clippy --locked --test data -- -D warnings
    run cargo test --locked --no-fail-fast --test data
    exit
fi
if [[ ${1-} != check ]]; then
    # Linking a release takes one core for minutes: what needs no library runs beside it.
    timeout --kill-after 20 "$minutes_max"m make -j1 --no-print-directory stage java rustls-ffi > build/libraries.log 2>&1 &
    libraries=$!
fi
run cargo fmt --check
run cargo fmt --all --check --manifest-path tests/bench/Cargo.toml
# The lock file of the benchmark knows the dependencies of this library too.
run cargo tree --locked --depth 0 --manifest-path tests/bench/Cargo.toml
run cargo fmt --check --package brokertls-jni --package brokertls-legacy --package brokertls-legacy-abi --package brokertls-rustls-ffi
run cargo clippy --locked --all-targets -- -D warnings
# The second engine is a library of another package, which a test of this one would build for itself.
run cargo build --locked --package brokertls-legacy
engine=${CARGO_TARGET_DIR:-$PWD/target}/debug/libbrokertls_legacy.so
if [[ ${1-} == check ]]; then
    # One build of the development profile for all of them.
    run env BROKERTLS_LEGACY_LIBRARY="$engine" cargo test --locked --no-fail-fast --lib --test tidy --test wording --test generated --test manual --test api
    exit
fi
# The tests on outside data are not among all targets; they stay well-formed without their data.
run cargo clippy --locked --test data -- -D warnings
run cargo clippy --locked --all-targets --package brokertls-jni -- -D warnings
run cargo clippy --locked --all-targets --package brokertls-legacy --package brokertls-legacy-abi --package brokertls-rustls-ffi -- -D warnings
run env RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps
run env RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --document-private-items --package brokertls-jni
run cargo test --locked --no-run
stage="the libraries: make stage java rustls-ffi"
wait "$libraries" || { cat build/libraries.log && exit 1; }
libraries=
run make --no-print-directory test-c
run tests/convert/run.sh build/release/brokertls --some
run env BROKERTLS_LEGACY_LIBRARY="$engine" cargo test --locked --no-fail-fast
run cargo test --locked --package brokertls-jni
run cargo test --locked --package brokertls-rustls-ffi
run make --no-print-directory test-rustls-ffi
run cargo test --locked --package brokertls-legacy --package brokertls-legacy-abi
# Altered flights once more under valgrind, with OpenSSL in the process.
valgrind="valgrind --quiet --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect"
valgrind="target.'cfg(unix)'.runner = '$valgrind --errors-for-leak-kinds=definite,indirect'"
run cargo test --locked --package brokertls-legacy --config "$valgrind" --test hostile
run make --no-print-directory test-java
run make --no-print-directory test-jars
run make --no-print-directory test-activemq
run make --no-print-directory demo-java
