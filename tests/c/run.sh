#!/usr/bin/env bash
# Builds each tests/c/*_test.c and *_test.cc against the installed copy in the folder $1 and runs it three times: as it
# is, under valgrind, and with AddressSanitizer. A program passes when it exits 0 and leaks nothing. The lines are those
# of `cargo test`, so that one count covers both.
set -euo pipefail
cd "$(dirname "$0")/../.."

stage=$(realpath "$1")
export PKG_CONFIG_PATH="$stage/lib/pkgconfig" LD_LIBRARY_PATH="$stage/lib"
out=build/c
mkdir -p "$out"
read -ra flags <<< "$(pkg-config --cflags --libs brokertls) -pthread"
warnings=(-Wall -Wextra -Wpedantic -Werror -g -O1)
passed=0 failed=0

# check NAME COMMAND...: runs it, shows its output only when it failed.
check() {
    local name=$1
    shift
    if "$@" > "$out/output" 2>&1; then
        echo "test c::$name ... ok"
        passed=$((passed + 1))
    else
        echo "test c::$name ... FAILED (exit $?)"
        sed 's/^/    /' "$out/output"
        failed=$((failed + 1))
    fi
}

shopt -s nullglob
for source in tests/c/*_test.c tests/c/*_test.cc; do
    name=$(basename "${source%.*}")
    case $source in
        *.cc) compile=(g++ -std=c++11) ;;
        *) compile=(gcc -std=c11) ;;
    esac
    check "${name}_builds" "${compile[@]}" "${warnings[@]}" -o "$out/$name" "$source" "${flags[@]}"
    check "${name}_builds_with_address_sanitizer" "${compile[@]}" "${warnings[@]}" -fsanitize=address,undefined \
        -fno-sanitize-recover=all -o "$out/$name.asan" "$source" "${flags[@]}"
    check "$name" "$out/$name"
    check "${name}_under_valgrind" valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite \
        "$out/$name"
    check "${name}_under_address_sanitizer" "$out/$name.asan"
done

verdict=ok
((failed == 0)) || verdict=FAILED
echo "test result: $verdict. $passed passed; $failed failed"
((failed == 0))
