#!/usr/bin/env bash
# Runs the program `brokertls` given as $1 against the peers that `make peers` installs, and prints what both sides say
# of each refusal as the tables of docs/peers.md. With `--write` as $2 it replaces those between the page's marks; with
# `--some` it prints a few of them, for the peers that `make test` installs. Each meeting is one connection on an
# ephemeral port of loopback, with certificates made on the fly.
set -euo pipefail
home=$(cd "$(dirname "$0")" && pwd)
brokertls=$(realpath "$1")
page=$home/../../docs/peers.md
export PATH="$PATH:/usr/sbin:/sbin" LC_ALL=C
unset NODE_OPTIONS JAVA_TOOL_OPTIONS
patience=20

# Those of `--some`, and the others. Libraries are of these versions; what the system has is named with its own.
clients=(openssl mosquitto node java python curl gnutls) servers=(openssl mosquitto node java python)
more_clients=(go erlang paho mqttjs amqplib) more_servers=(go erlang)
paho_version=2.2.0 mqttjs_version=5.16.0 amqplib_version=2.3.1

work=$(mktemp -d)
cleanup() {
    local children
    mapfile -t children < <(jobs -p)
    ((${#children[@]} == 0)) || kill "${children[@]}" 2> /dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT
"$home/certificates.sh" "$work" > "$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
cd "$work"

if [[ ${2-} != --some ]]; then
    clients+=("${more_clients[@]}") servers+=("${more_servers[@]}")
    python3 -m pip install --quiet --root-user-action ignore --target python "paho-mqtt==$paho_version"
    npm install --silent --no-audit --no-fund --prefix npm "mqtt@$mqttjs_version" "amqplib@$amqplib_version"
    go build -o peer-go "$home/peer.go"
fi
export PYTHONPATH=$work/python NODE_PATH=$work/npm/node_modules
javac -d . "$home/Peer.java"
coproc JAVA { exec java -cp . Peer; }
# An input that neither ends nor has anything in it.
mkfifo silence
exec {silence}<> silence

openssl_version=$(openssl version | cut -d ' ' -f 2)
mosquitto_version=$({ mosquitto -h || true; } | sed -n '1s/mosquitto version //p')
node_version=$(node --version | tr -d v)
java_version=$(java -version 2>&1 | sed -n '1s/.*"\(.*\)".*/\1/p')
python_version=$(python3 -c 'import platform, ssl
print(platform.python_version(), "(" + " ".join(ssl.OPENSSL_VERSION.split()[:2]) + ")")')

# version_of PEER: of those that not every run has.
version_of() {
    case $1 in
        curl) curl --version | sed -nE '1s/^curl ([0-9.]+) .*(OpenSSL\/[0-9.]+).*/\1 (\2)/p' ;;
        gnutls) gnutls-cli --version | sed -n '1s/.* //p' ;;
        go) go env GOVERSION | sed 's/^go//' ;;
        erlang) erl -noshell -eval '{ok, _} = application:ensure_all_started(ssl),
            {ok, Version} = application:get_key(ssl, vsn),
            io:format("~s ssl ~s", [erlang:system_info(otp_release), Version]), halt().' ;;
    esac
}

# Prints one line: the distinct lines of the input, without what differs from run to run (threads, lines of sources).
one_line() {
    sed -E 's/^[0-9A-F]{8,}:error:/error:/; s/ [0-9A-F]{8,}:error:/ error:/g
        s/:[^: ]*\.c:[0-9]+:/: … /g; s/… +/… /g; s/:? *…? *$//; s/ \(_ssl\.c:[0-9]+\)//; s/ +$//; s/ at [a-z0-9_]+\.erl:[0-9]+/ at …/
        s/current time [^ ]+ /current time … /; s/127\.0\.0\.1:[0-9]+/ADDRESS/g; s/\|/\\|/g' |
        awk 'NF && !seen[$0]++ { printf "%s%s", between, $0; between = "` / `" }'
}

# What openssl's two tools say of a failure, without the facts of the connection.
openssl_words() {
    { grep -E '^verify error:|error:|^ERROR$|^Verification error' || true; } |
        sed -E '/^ERROR$/d; s/:SSL alert number/: SSL alert number/' | one_line
}

# either_of_two PATTERN TEXT TEXT: the input, but both texts if it matches: the peer chooses between them by timing.
either_of_two() {
    local words
    words=$(cat)
    if [[ $words =~ $1 ]]; then printf '%s`, or `%s' "$2" "$3"; else printf '%s' "$words"; fi
}

# What `serve` and `connect` say: the outcome and its code. `connect` prints the facts of a handshake that succeeded.
our_words() {
    awk '/^connected/ || /^version / { connected = 1 }
        /^(refused|failed) / { said = $1 " " $3 }
        /^error: BTLS_/ { said = (connected ? "failed " : "refused ") substr($2, 6) }
        /^closed/ { said = $1 }
        END { sub(/:$/, "", said); print (connected ? "connected, then " : "") said }'
}

# client PEER VERSION CERTIFICATE TRUST SUITE ALPN SERVE-OPTION...: meets `serve`; sets `theirs` and `ours`.
client() {
    local peer=$1 version=$2 certificate=$3 trust=$4 suite=$5 alpn=$6 port arguments priority meeting
    shift 6
    exec {serve}< <(exec "$brokertls" serve --port 0 --connections 1 --timeout $patience "$@" 2> serve.log)
    read -r -u "$serve" port
    meeting=("$port" "$version" "$certificate" "$trust" "$suite" "$alpn")
    case $peer in
        openssl)
            arguments=(-connect "127.0.0.1:$port" -servername localhost -verify_hostname localhost -CAfile "$trust"
                -verify_return_error -ign_eof)
            [[ $version == - ]] || arguments+=("-tls1_${version#TLSv1.}")
            [[ $certificate == - ]] || arguments+=(-cert "$certificate.pem" -key "$certificate.key")
            [[ $suite == - ]] || arguments+=(-cipher "$suite")
            [[ $alpn == - ]] || arguments+=(-alpn "$alpn")
            theirs=$(timeout $patience openssl s_client "${arguments[@]}" 2>&1 < /dev/null | openssl_words || true)
            ;;
        mosquitto)
            arguments=(-h localhost -p "$port" -t topic -m message)
            [[ $trust == - ]] || arguments+=(--cafile "$trust")
            [[ $version == - ]] || arguments+=(--tls-version "${version,,}")
            [[ $certificate == - ]] || arguments+=(--cert "$certificate.pem" --key "$certificate.key")
            [[ $suite == - ]] || arguments+=(--ciphers "$suite")
            [[ $alpn == - ]] || arguments+=(--tls-alpn "$alpn")
            theirs=$(timeout $patience mosquitto_pub "${arguments[@]}" 2>&1 < /dev/null | one_line |
                either_of_two 'A TLS error occurred' 'Error: A TLS error occurred.' \
                    'Unable to connect (A TLS error occurred.).' || true)
            ;;
        node)
            theirs=$(node "$home/peer.js" connect "${meeting[@]}" | one_line)
            ;;
        java)
            [[ $suite == - ]] || suite=TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384
            echo "connect $port $version $certificate $trust $suite $alpn" >&"${JAVA[1]}"
            read -r -u "${JAVA[0]}" theirs
            theirs=$(one_line <<< "$theirs")
            ;;
        curl)
            arguments=(-sS --cacert "$trust" --resolve "localhost:$port:127.0.0.1" "https://localhost:$port/")
            [[ $version == - ]] || arguments+=("--tlsv${version#TLSv}" --tls-max "${version#TLSv}")
            [[ $certificate == - ]] || arguments+=(--cert "$certificate.pem" --key "$certificate.key")
            [[ $suite == - ]] || arguments+=(--ciphers "$suite")
            theirs=$(curl "${arguments[@]}" 2>&1 | { grep '^curl: (' || true; } | one_line || true)
            ;;
        gnutls)
            arguments=(--x509cafile "$trust" --sni-hostname localhost --verify-hostname localhost -p "$port" 127.0.0.1)
            priority=NORMAL
            [[ $version == - ]] || priority+=":-VERS-ALL:+VERS-TLS${version#TLSv}"
            [[ $suite == - ]] || priority+=:-CIPHER-ALL:+AES-256-GCM
            [[ $certificate == - ]] || arguments+=(--x509certfile "$certificate.pem" --x509keyfile "$certificate.key")
            [[ $alpn == - ]] || arguments+=(--alpn "$alpn")
            theirs=$(timeout $patience gnutls-cli --priority "$priority" "${arguments[@]}" 2>&1 <&"$silence" |
                { grep -E '^\*\*\*|^- Status: .* NOT ' || true; } | one_line || true)
            ;;
        python | paho) theirs=$(python3 "$home/peer.py" "${peer/python/connect}" "${meeting[@]}" | one_line) ;;
        go) theirs=$(./peer-go connect "${meeting[@]}" | one_line) ;;
        erlang)
            theirs=$(escript "$home/peer.escript" connect "${meeting[@]}" | one_line)
            # For a program that does not read when the alert comes.
            [[ $theirs != *'In state connection received'* ]] || theirs+='`, or `closed'
            ;;
        mqttjs | amqplib) theirs=$(node "$home/clients.js" "${peer/mqttjs/mqtt}" "${meeting[@]}" | one_line) ;;
    esac
    ours=$(our_words <&"$serve")
    exec {serve}<&-
}

# start_mosquitto ARGUMENT...: a broker, on a port that may be taken between the choice and the start; then again.
start_mosquitto() {
    local try
    for try in {1..20}; do
        port=$(node -e "const s = require('net').createServer().listen(0, '127.0.0.1', () => {
            console.log(s.address().port); s.close(); })")
        { printf 'listener %s 127.0.0.1\nallow_anonymous true\nuser root\nlog_timestamp false\n' "$port"
          printf '%s\n' "$@"; } > mosquitto.conf
        : > server.log
        mosquitto -c mosquitto.conf > server.log 2>&1 &
        server=$!
        while kill -0 "$server" 2> /dev/null; do
            ! grep -q ' running$' server.log || return 0
            sleep 0.02
        done
    done
    cat server.log >&2
    return 1
}

# stop_mosquitto: sets `theirs` to what the broker said when its client left.
stop_mosquitto() {
    # The second is printed if the client's answer is there before the broker waits for it.
    local tries=1000 left='Client <unknown>|Client connection from'
    until grep -qE "$left" server.log || ((--tries == 0)); do sleep 0.02; done
    kill "$server"
    wait "$server" || true
    theirs=$({ grep -E "OpenSSL Error|$left" server.log || true; } | one_line)
    # The broker prints two lines, or one if it has not finished its handshake when it reads of the failure.
    local reason
    reason=$(sed -nE 's/.*(error:[0-9A-F]{8}:[^`]*[^`.]).*/\1/p' <<< "$theirs")
    [[ ! $reason ]] || theirs="OpenSSL Error[0]: $reason\` / \`Client <unknown> disconnected: Protocol error.\`, or \
\`Client connection from 127.0.0.1 failed: $reason."
}

# server PEER VERSION CERTIFICATE CONNECT-OPTION...: is met by `connect`; sets `theirs` and `ours`. The
# server asks for a certificate of `ca`.
server() {
    local peer=$1 version=$2 certificate=$3 port server arguments
    local meeting=(serve 0 "$version" "$certificate" ca.pem - -)
    shift 3
    case $peer in
        openssl)
            arguments=(-accept 127.0.0.1:0 -cert "$certificate.pem" -key "$certificate.key" -CAfile ca.pem -Verify 2
                -verify_return_error -naccept 1)
            arguments+=("-tls1_${version#TLSv1.}")
            : > server.log
            timeout $patience openssl s_server "${arguments[@]}" <&"$silence" > server.log 2>&1 &
            server=$!
            until port=$(sed -n 's/^ACCEPT .*:\([0-9]*\)$/\1/p' server.log) && [[ $port ]]; do
                kill -0 "$server"
                sleep 0.02
            done
            ;;
        mosquitto)
            start_mosquitto "cafile $work/ca.pem" "certfile $work/$certificate.pem" "keyfile $work/$certificate.key" \
                'require_certificate true' "tls_version ${version,,}"
            ;;
        node | python | go | erlang)
            exec {answers}< <(
                case $peer in
                    node) exec node "$home/peer.js" "${meeting[@]}" ;;
                    python) exec python3 "$home/peer.py" "${meeting[@]}" ;;
                    go) exec ./peer-go "${meeting[@]}" ;;
                    erlang) exec escript "$home/peer.escript" "${meeting[@]}" ;;
                esac
            )
            read -r -u "$answers" port
            ;;
        java)
            echo "${meeting[*]}" >&"${JAVA[1]}"
            read -r -u "${JAVA[0]}" port
            ;;
    esac
    ours=$(timeout $patience "$brokertls" connect "localhost:$port" --versions "$version" "$@" 2>&1 <&"$silence" |
        our_words || true)
    case $peer in
        openssl) wait "$server" || true; theirs=$(openssl_words < server.log) ;;
        mosquitto)
            stop_mosquitto
            ;;
        node | python | go | erlang)
            read -r -u "$answers" theirs || true
            theirs=$(one_line <<< "$theirs")
            exec {answers}<&-
            ;;
        java) read -r -u "${JAVA[0]}" theirs; theirs=$(one_line <<< "$theirs") ;;
    esac
}

# name PEER ROLE: its name and version in a row.
name() {
    case $1/$2 in
        openssl/client) echo "openssl s_client $openssl_version" ;;
        openssl/server) echo "openssl s_server $openssl_version" ;;
        mosquitto/client) echo "mosquitto_pub $mosquitto_version" ;;
        mosquitto/server) echo "mosquitto $mosquitto_version" ;;
        node/*) echo "Node tls $node_version" ;;
        java/*) echo "SunJSSE $java_version" ;;
        python/*) echo "Python ssl $python_version" ;;
        curl/*) echo "curl $(version_of curl)" ;;
        gnutls/*) echo "gnutls-cli $(version_of gnutls)" ;;
        go/*) echo "Go crypto/tls $(version_of go)" ;;
        erlang/*) echo "Erlang/OTP $(version_of erlang)" ;;
        paho/*) echo "paho-mqtt $paho_version" ;;
        mqttjs/*) echo "mqtt.js $mqttjs_version" ;;
        amqplib/*) echo "amqplib $amqplib_version" ;;
    esac
}

# words TEXT: a cell.
words() {
    case $1 in
        '') printf 'nothing' ;;
        'the same' | cannot*) printf '%s' "$1" ;;
        *) printf '`%s`' "$1" ;;
    esac
}

# both TEXT TEXT: a cell of two, or of one if they are equal.
both() { if [[ $1 == "$2" ]]; then printf '%s' "$1"; else printf '%s / %s' "$1" "$2"; fi; }

# by_version ROLE TITLE COMMAND...: a table; COMMAND gets a peer and a version, and sets `theirs` and `ours`.
by_version() {
    local role=$1 title=$2 peer theirs13 ours13 theirs12 peers=("${clients[@]}")
    [[ $role == client ]] || peers=("${servers[@]}")
    shift 2
    printf '\n### %s\n\n| Peer | Its words, TLS 1.3 | Its words, TLS 1.2 | %s (1.3 / 1.2) |\n|---|---|---|---|\n' "$title" \
        "$([[ $role == client ]] && echo '`serve` prints' || echo '`connect` prints')"
    for peer in "${peers[@]}"; do
        "$@" "$peer" TLSv1.3
        theirs13=$theirs ours13=$ours
        "$@" "$peer" TLSv1.2
        theirs12=$theirs
        [[ $theirs12 != "$theirs13" ]] || theirs12='the same'
        printf '| %s | %s | %s | %s |\n' "$(name "$peer" "$role")" "$(words "$theirs13")" "$(words "$theirs12")" \
            "$(both "$ours13" "$ours")"
    done
}

# once TITLE COMMAND...: as by_version, for a refusal that needs its own versions.
once() {
    local title=$1 peer
    shift
    printf '\n### %s\n\n| Peer | Its words | `serve` prints |\n|---|---|---|\n' "$title"
    for peer in "${clients[@]}"; do
        "$@" "$peer"
        printf '| %s | %s | %s |\n' "$(name "$peer" client)" "$(words "$theirs")" "$ours"
    done
}

# Clients. Each function gets a peer and mostly a version.
serve_options=(--cert server.pem --key server.key)
mutual=("${serve_options[@]}" --trust ca.pem --client-auth need)
without() { client "$1" "$2" - ca.pem - - "${mutual[@]}" --versions "$2"; }
shows() { client "$2" "$3" "$1-client" ca.pem - - "${mutual[@]}" --versions "$3"; }
revoked() { client "$1" "$2" revoked-client ca.pem - - "${mutual[@]}" --versions "$2" --crl crl.pem; }
looks_at() { client "$2" "$3" - ca.pem - - --cert "$1-server.pem" --key "$1-server.key" --versions "$3"; }
no_version() {
    # mosquitto's option names the lowest version, not the only one.
    if [[ $3/$1 == mosquitto/TLSv1.2 ]]; then theirs='cannot be limited to TLS 1.2' ours=-; return; fi
    client "$3" "$1" - ca.pem - - "${serve_options[@]}" --versions "$2"
}
no_suite() {
    client "$1" TLSv1.2 - ca.pem ECDHE-ECDSA-AES256-GCM-SHA384 - "${serve_options[@]}" --versions TLSv1.2 \
        --cipher-suites ECDHE-ECDSA-AES128-GCM-SHA256
}
no_alpn() { client "$1" - - ca.pem - mqtt "${serve_options[@]}" --alpn amqp; }

# Servers.
met_by() { local certificate=(); [[ $1 == - ]] || certificate=(--cert "$1.pem" --key "$1.key")
    server "$2" "$3" server --trust ca.pem "${certificate[@]}"; }
met_with() { server "$2" "$3" "$1-server" --trust ca.pem --cert client.pem --key client.key "${@:4}"; }
met_revoked() { server "$1" "$2" revoked-server --trust ca.pem --cert client.pem --key client.key --crl crl.pem; }

tables() {
    by_version client 'The client has no certificate, and one is required' without
    by_version client 'Client certificate of an unknown CA' shows unknown
    by_version client 'Expired client certificate' shows expired
    by_version client 'Revoked client certificate' revoked
    by_version client 'Client certificate for servers alone' shows purpose
    by_version client 'The client refuses a server certificate of an unknown CA' looks_at unknown
    by_version client 'The client refuses an expired server certificate' looks_at expired
    by_version client 'The client refuses a server certificate for another host' looks_at elsewhere
    by_version client 'The client refuses a server certificate for clients alone' looks_at purpose
    once 'Server for TLS 1.3 alone, client for TLS 1.2 alone' no_version TLSv1.2 TLSv1.3
    once 'Server for TLS 1.2 alone, client for TLS 1.3 alone' no_version TLSv1.3 TLSv1.2
    once 'No cipher suite in common, TLS 1.2' no_suite
    once 'No application protocol (ALPN) in common' no_alpn
    plain_text
    by_version server 'The server requires a certificate, and `connect` has none' met_by -
    by_version server 'The server refuses a client certificate of an unknown CA' met_by unknown-client
    by_version server 'The server refuses an expired client certificate' met_by expired-client
    by_version server 'The server refuses a client certificate for servers alone' met_by purpose-client
    by_version server '`connect` refuses a server certificate of an unknown CA' met_with unknown
    by_version server '`connect` refuses an expired server certificate' met_with expired
    by_version server '`connect` refuses a revoked server certificate' met_revoked
    by_version server '`connect` refuses a server certificate for another host' met_with elsewhere
    by_version server '`connect` refuses a server certificate for clients alone' met_with purpose
}

# The few of them that a test compares with the page.
some_tables() {
    by_version client 'The client has no certificate, and one is required' without
    by_version server 'The server requires a certificate, and `connect` has none' met_by -
}

# A client without TLS at the TLS port, and `connect` at a broker's port without TLS.
plain_text() {
    local port server
    printf '\n### Plain text\n\n| Meeting | Its words | This side prints |\n|---|---|---|\n'
    client mosquitto - - - - - "${serve_options[@]}"
    printf '| %s without TLS, at the TLS port | %s | %s |\n' "$(name mosquitto client)" "$(words "$theirs")" "$ours"
    start_mosquitto
    ours=$("$brokertls" connect "localhost:$port" --trust ca.pem --brief 2>&1 < /dev/null | our_words || true)
    stop_mosquitto
    printf '| %s, a port without TLS | %s | %s |\n' "$(name mosquitto server)" "$(words "$theirs")" "$ours"
}

if [[ ${2-} == --some ]]; then
    some_tables
    exit
fi
tables > tables.md
if [[ ${2-} == --write ]]; then
    awk -v tables=tables.md '/^<!-- end of the tables/ { inside = 0 }
        !inside { print }
        /^<!-- tables of/ { inside = 1; while ((getline line < tables) > 0) print line; print "" }' "$page" > page.md
    cat page.md > "$page"
else
    cat tables.md
fi
