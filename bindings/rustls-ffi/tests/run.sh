#!/usr/bin/env bash
# Builds the C programs here against the installed copy in the folder $1, with pkg-config and nothing else. Runs them as
# tests/c/run.sh does: with the shared library, the static one, under valgrind, and with sanitizers. One of them is the
# peer of openssl on both sides.
set -euo pipefail
cd "$(dirname "$0")/../../.."

stage=$(realpath "$1")
export PKG_CONFIG_PATH="$stage/lib/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}" LD_LIBRARY_PATH="$stage/lib"
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1
here=bindings/rustls-ffi/tests
out=build/rustls-ffi
rm -rf "$out"
mkdir -p "$out"
export FIXTURES="$PWD/$out/fixtures"
tests/c/fixtures.sh "$FIXTURES"

read -ra shared <<< "$(pkg-config --cflags --libs brokertls-rustls) -pthread -Itests/c"
read -ra static <<< "$(pkg-config --static --cflags --libs brokertls-rustls) -pthread -Itests/c"
static=("${static[@]/#-lbrokertls_rustls/-l:libbrokertls_rustls.a}")
warnings=(-std=c11 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Werror -g -O1)
sanitizers=(-fsanitize=address,undefined -fno-sanitize-recover=all)
valgrind=(valgrind --quiet --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect
    --errors-for-leak-kinds=definite,indirect)
passed=0 failed=0

# check NAME COMMAND...: runs it, and shows its output only when it failed.
check() {
    if "${@:2}" > "$out/output" 2>&1; then
        echo "test rustls_ffi::$1 ... ok"
        passed=$((passed + 1))
    else
        echo "test rustls_ffi::$1 ... FAILED (exit $?)"
        head -n 60 "$out/output" | cut -c 1-200 | sed 's/^/    /'
        failed=$((failed + 1))
    fi
}

# meets_client VERSION [CLIENT]: openssl is the client, with a certificate if one is named.
meets_client() {
    local certificate=()
    [[ -z ${2:-} ]] || certificate=(-cert "$FIXTURES/$2.pem" -key "$FIXTURES/$2.key")
    coproc peer { "$out/peer" server "$FIXTURES/server.pem" "$FIXTURES/server.key" "$FIXTURES/ca.pem" 1; }
    local process=$peer_PID port
    read -r port <&"${peer[0]}"
    exec {answers}<&"${peer[0]}"
    (echo hello; sleep 2) | openssl s_client -quiet -"$1" -connect "127.0.0.1:$port" -servername localhost \
        -CAfile "$FIXTURES/ca.pem" -verify_return_error "${certificate[@]}" > "$out/answer" 2> "$out/answer.log" || true
    wait "$process" && [[ $(cat "$out/answer") == hello ]]
}

refuses_stranger() {
    ! meets_client "$1" stranger
    grep -q "issuer is not trusted" <&"$answers" && grep -q "unknown ca" "$out/answer.log"
}

# meets_server VERSION: openssl is the server, and turns each line round.
meets_server() {
    coproc server { exec openssl s_server -rev -naccept 1 "-$1" -accept 127.0.0.1:0 -cert "$FIXTURES/server.pem" \
        -key "$FIXTURES/server.key" 2>&1; }
    local process=$server_PID line port=
    while [[ -z $port ]] && read -r line <&"${server[0]}"; do
        [[ $line == ACCEPT* ]] && port=${line##*:}
    done
    "$out/peer" client "$port" "$FIXTURES/ca.pem" > "$out/answer"
    kill "$process" 2> /dev/null || true
    wait "$process" 2> /dev/null || true
    [[ $(cat "$out/answer") == olleh ]]
}

# Functions and tables of both APIs, and nothing of Rust's runtime or of aws-lc.
shows_both_apis_alone() {
    shown() { nm "${@:2}" --defined-only "$1" 2> /dev/null | awk 'NF == 3 { sub(/@.*/, "", $3); print $3 }' | sort; }
    local names
    names=$(shown "$@" | grep -v '^BROKERTLS_')
    ! grep -vE '^(btls|rustls|RUSTLS)_' <<< "$names"
    diff <(grep '^btls_' <<< "$names") <({
        shown "$stage/lib/libbrokertls.so" -D | grep '^btls_'
        sed -n 's/^btls_status \(btls_[a-z_]*\)(.*/\1/p' bindings/rustls-ffi/include/brokertls_rustls.h
    } | sort)
    grep -qx rustls_server_connection_new <<< "$names"
}

needs_only_the_c_library() {
    ! readelf -d "$stage/lib/libbrokertls_rustls.so" | grep NEEDED | grep -vE 'lib(c|m|gcc_s|pthread|dl)\.so|ld-linux'
}

notices_name_what_is_linked() {
    local name
    for name in rustls-ffi rustls aws-lc-sys 'Rust standard library'; do
        grep -qE "^$name [0-9.]+ \(" "$stage/share/doc/brokertls-rustls/THIRD-PARTY.txt"
    done
}

check notices_name_what_is_linked notices_name_what_is_linked
check shared_library_shows_both_apis_alone shows_both_apis_alone "$stage/lib/libbrokertls_rustls.so" -D
check static_library_shows_both_apis_alone shows_both_apis_alone "$stage/lib/libbrokertls_rustls.a" -g
check shared_library_needs_only_the_c_library needs_only_the_c_library
check builds gcc "${warnings[@]}" -o "$out/rustls_test" "$here/rustls_test.c" "${shared[@]}"
check builds_statically gcc "${warnings[@]}" -o "$out/rustls_test.static" "$here/rustls_test.c" "${static[@]}"
check builds_with_sanitizers gcc "${warnings[@]}" -o "$out/rustls_test.asan" "$here/rustls_test.c" "${sanitizers[@]}" \
    "${shared[@]}"
if "$out/rustls_test" > "$out/cases" 2>&1; then
    sed 's/^test c::/test rustls_ffi::/' "$out/cases"
    passed=$((passed + $(grep -c '^test c::' "$out/cases")))
else
    check cases "$out/rustls_test"
fi
check cases_with_the_static_library "$out/rustls_test.static"
check cases_under_valgrind "${valgrind[@]}" "$out/rustls_test"
check cases_with_sanitizers "$out/rustls_test.asan"
check peer_builds gcc "${warnings[@]}" -o "$out/peer" "$here/peer.c" "${shared[@]}"
for version in tls1_2 tls1_3; do
    check "server_answers_openssl_in_$version" meets_client "$version"
    check "server_answers_openssl_with_a_certificate_in_$version" meets_client "$version" client
    check "server_refuses_a_stranger_of_openssl_in_$version" refuses_stranger "$version"
    check "client_is_answered_by_openssl_in_$version" meets_server "$version"
done

verdict=ok
((failed == 0)) || verdict=FAILED
echo "test result: $verdict. $passed passed; $failed failed"
((failed == 0))
