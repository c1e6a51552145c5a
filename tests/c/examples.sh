#!/usr/bin/env bash
# Builds each program of docs/examples against the installed copy in the folder $1 and runs it: a plain build, and one
# with AddressSanitizer and UndefinedBehaviorSanitizer. FIXTURES is the folder of fixtures.sh, $2 a folder to build in.
# Prints the lines of `cargo test`, and stops at the first case that fails.
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "$0")/../.."
stage=$1 out=$2
mkdir -p "$out"
read -ra flags <<< "$(PKG_CONFIG_PATH="$stage/lib/pkgconfig" pkg-config --cflags --libs brokertls) -pthread"

fail() {
    printf '%s\n' "$@"
    exit 1
} >&2

# holds FILE TEXT
holds() {
    grep -qF -- "$2" "$1" || fail "$1 does not hold: $2" "$(head -n 20 "$1")"
}

passed() {
    echo "test c::examples::$1_$kind ... ok"
}

server=''
stop() {
    [[ -z $server ]] || kill "$server" 2> /dev/null || true
}
trap stop EXIT

# Waits until the server has printed a line.
server_prints() {
    local tries=0
    until grep -qF -- "$1" "$out/$kind.server"; do
        kill -0 "$server" && ((++tries < 600)) || fail "the server has not printed: $1" "$(cat "$out/$kind.server")"
        sleep 0.1
    done
}

start_server() {
    mkfifo "$out/$kind.stdin"
    "$out/epoll_server.$kind" "$FIXTURES/server-both.pem" '' "$FIXTURES/ca.pem" \
        < "$out/$kind.stdin" > "$out/$kind.server" 2>&1 &
    server=$!
    exec 9> "$out/$kind.stdin"
    server_prints 'port '
    port=$(sed -n 's/^port //p' "$out/$kind.server")
}

# client HOST IDENTITY LINE: what it prints goes into the files client and client.errors.
client() {
    "$out/blocking_client.$kind" "$port" "$1" "$FIXTURES/ca.pem" "$2" '' "$3" > "$out/client" 2> "$out/client.errors"
}

talk_to_the_server() {
    client localhost "$FIXTURES/client-both.pem" 'a line' || fail "$(cat "$out/client.errors")"
    holds "$out/client" 'a line'
    server_prints 'CN=device-7,O=Example is in'
    passed client_gets_its_line_back

    ! client localhost - 'a line' || fail "a client without a certificate got in"
    holds "$out/client.errors" 'failed: BTLS_ALERT_CERTIFICATE_REQUIRED: '
    server_prints 'refused: BTLS_CERT_MISSING: '
    passed client_without_a_certificate_is_refused

    ! client localhost "$FIXTURES/banned-both.pem" 'a line' || fail "a banned client got in"
    holds "$out/client.errors" 'failed: BTLS_ALERT_ACCESS_DENIED: '
    server_prints 'refused: BTLS_CERT_REJECTED_BY_CALLBACK: the application refused the peer certificate: the common name'
    passed client_that_the_task_refuses_is_told_by_an_alert

    ! client wrong.example "$FIXTURES/client-both.pem" 'a line' || fail "a client accepted the wrong server"
    holds "$out/client.errors" 'failed: BTLS_CERT_NAME_MISMATCH: '
    server_prints 'refused: BTLS_ALERT_BAD_CERTIFICATE: '
    passed client_refuses_a_server_of_another_name

    exec 8<> "/dev/tcp/127.0.0.1/$port"
    echo 'CONNECT' >&8
    cat <&8 > "$out/plain" || true
    exec 8>&-
    server_prints 'refused: BTLS_PEER_NOT_TLS: '
    passed peer_without_tls_is_refused
}

# More than fits into the buffers of both sockets, and openssl does not read meanwhile: writes are taken short.
echo_megabytes() {
    openssl rand -hex 4000000 | head -c 8000000 > "$out/sent" # no letter is a command of s_client
    : > "$out/echoed"
    {
        cat "$out/sent"
        for ((tries = 0; tries < 600 && $(stat -c %s "$out/echoed") < 8000000; tries++)); do sleep 0.1; done
    } | openssl s_client -quiet -no_ign_eof -connect "127.0.0.1:$port" -servername localhost -CAfile "$FIXTURES/ca.pem" \
        -cert "$FIXTURES/client.pem" -key "$FIXTURES/client.key" > "$out/echoed" 2> "$out/s_client.errors"
    cmp "$out/sent" "$out/echoed"
    passed openssl_gets_megabytes_back
}

end_the_server() {
    exec 9>&-
    wait "$server" || fail "the server failed" "$(cat "$out/$kind.server")"
    server=''
    passed server_ends_with_its_input
}

cat "$FIXTURES/client.pem" "$FIXTURES/client.key" > "$FIXTURES/client-both.pem"
cat "$FIXTURES/banned.pem" "$FIXTURES/banned.key" > "$FIXTURES/banned-both.pem"
for kind in plain sanitized; do
    extra=(-O1)
    [[ $kind == plain ]] || extra=(-fsanitize=address,undefined -fno-sanitize-recover=all -g)
    for source in docs/examples/*.c; do
        name=$(basename "$source" .c)
        gcc -std=c99 -Wall -Wextra -Wpedantic -Wconversion -Werror "${extra[@]}" -o "$out/$name.$kind" "$source" "${flags[@]}"
        passed "${name}_builds"
    done
    start_server
    talk_to_the_server
    echo_megabytes
    end_the_server

    "$out/memory.$kind" "$FIXTURES/server-both.pem" '' "$FIXTURES/ca.pem" > "$out/memory.printed"
    printf '%s\n' TLSv1.3 'the server got hello, then BTLS_CLOSED' 'the client got welcome, then BTLS_CLOSED' \
        | diff - "$out/memory.printed"
    passed records_in_memory_carry_both_texts

    "$out/callbacks.$kind" "$FIXTURES/server-both.pem" '' "$FIXTURES/ca.pem" > "$out/callbacks.printed"
    printf '%s\n' hello welcome | diff - "$out/callbacks.printed"
    passed functions_carry_both_texts

    ! "$out/callbacks.$kind" "$FIXTURES/server-both.pem" '' "$FIXTURES/other-ca.pem" 2> "$out/callbacks.errors" \
        || fail "a server of another CA was accepted"
    holds "$out/callbacks.errors" 'client: BTLS_CERT_UNKNOWN_ISSUER: '
    passed functions_carry_a_refusal
done
