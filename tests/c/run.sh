#!/usr/bin/env bash
# Builds each tests/c/*_test.c and *_test.cc against the installed copy in the folder $1, with pkg-config and nothing
# else, and runs it four times: with the shared library, with the static one, under valgrind, and with AddressSanitizer
# and UndefinedBehaviorSanitizer. The lines are those of `cargo test`, so that one count covers both: one for each case
# of the first run, and one for each further run as a whole. `make demo` is run too. loading.c and static_before_rust.sh
# run once each, stack.c once with each library, and examples.sh runs the programs of docs/examples. The programs of
# tests/bench/c are only built.
set -euo pipefail
cd "$(dirname "$0")/../.."

stage=$(realpath "$1")
export PKG_CONFIG_PATH="$stage/lib/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}" LD_LIBRARY_PATH="$stage/lib"
# The compilers' own answer to a leak is to fail; so is valgrind's below.
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1
out=build/c
rm -rf "$out"
mkdir -p "$out"
export FIXTURES="$PWD/$out/fixtures"
tests/c/fixtures.sh "$FIXTURES"

read -ra shared <<< "$(pkg-config --cflags --libs brokertls) -pthread"
read -ra static <<< "$(pkg-config --static --cflags --libs brokertls) -pthread"
read -ra openssl <<< "$(pkg-config --cflags --libs libssl libcrypto)"
static=("${static[@]/#-lbrokertls/-l:libbrokertls.a}")
warnings=(-Wall -Wextra -Wpedantic -Werror -g -O1)
sanitizers=(-fsanitize=address,undefined -fno-sanitize-recover=all)
# Rust's hash tables are known by a pointer into their middle, which valgrind takes for a possible leak.
valgrind=(valgrind --quiet --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect
    --errors-for-leak-kinds=definite,indirect)
passed=0 failed=0

# check NAME COMMAND...: runs it, shows its output only when it failed. Cases that the output names count one by one.
check() {
    local name=$1 cases
    shift
    if "$@" > "$out/output" 2>&1; then
        if [[ $name == "" ]]; then
            grep '^test c::' "$out/output"
            cases=$(grep -c '^test c::' "$out/output")
        else
            echo "test c::$name ... ok"
            cases=1
        fi
        passed=$((passed + cases))
    else
        echo "test c::${name:-${1##*/}} ... FAILED (exit $?)"
        head -n 60 "$out/output" | cut -c 1-200 | sed 's/^/    /'
        failed=$((failed + 1))
    fi
}

# compile NAME SOURCE FLAGS...
compile() {
    local compiler=(gcc -std=c99)
    ! grep -q stdatomic "$2" || compiler=(gcc -std=c11)
    [[ $2 != *.cc ]] || compiler=(g++ -std=c++17)
    local host=()
    ! grep -q '<openssl/' "$2" || host=("${openssl[@]}")
    "${compiler[@]}" "${warnings[@]}" -o "$out/$1" "$2" "${@:3}" "${host[@]}"
}

shopt -s nullglob
for source in tests/c/*_test.c tests/c/*_test.cc; do
    name=$(basename "${source%.*}")
    # A thousand handshakes under valgrind would take minutes.
    few=()
    [[ $name != epoll_test ]] || few=(50)
    check "${name}_builds" compile "$name" "$source" "${shared[@]}"
    check "${name}_builds_statically" compile "$name.static" "$source" "${static[@]}"
    check "${name}_builds_with_sanitizers" compile "$name.asan" "$source" "${sanitizers[@]}" "${shared[@]}"
    check "" "$out/$name"
    check "${name}_with_the_static_library" "$out/$name.static"
    check "${name}_under_valgrind" "${valgrind[@]}" "$out/$name" "${few[@]}"
    check "${name}_with_sanitizers" "$out/$name.asan"
done

check loading_builds gcc -std=gnu99 -Wall -Wextra -Werror -g -O1 -o "$out/loading" tests/c/loading.c \
    $(pkg-config --cflags brokertls) -pthread -ldl
check library_is_loaded_and_unloaded_two_thousand_times_beside_threads \
    "$out/loading" "$stage/lib/libbrokertls.so" "$FIXTURES/ca.pem"
# The programs of the benchmarks, which `make bench-idle` and its like also build with OpenSSL, and run.
for program in idle scaling echo; do
    parts=("tests/bench/c/$program.c" tests/bench/c/server_brokertls.c)
    [[ $program == echo ]] || parts+=(tests/bench/c/client.c)
    check "bench_${program}_builds" gcc -std=gnu11 "${warnings[@]}" -o "$out/bench-$program" "${parts[@]}" "${shared[@]}"
done
check bench_legacy_builds gcc -std=c11 "${warnings[@]}" -o "$out/bench-legacy" tests/bench/legacy.c "${shared[@]}" \
    "${openssl[@]}"
# Once with each library: other tools would add frames of their own.
check stack_builds compile stack tests/c/stack.c "${shared[@]}"
check stack_builds_statically compile stack.static tests/c/stack.c "${static[@]}"
check "" "$out/stack"
check stack_with_the_static_library "$out/stack.static"
check static_library_links_beside_another_of_rust_with_each_linker tests/c/static_before_rust.sh "$stage" bfd gold lld mold
check "" tests/c/examples.sh "$stage" "$out/examples"
check demo_serves_two_clients_and_refuses_two bindings/c/demo/run.sh "$stage"

verdict=ok
((failed == 0)) || verdict=FAILED
echo "test result: $verdict. $passed passed; $failed failed"
((failed == 0))
