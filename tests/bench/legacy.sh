#!/usr/bin/env bash
# Measures handshakes of old, PSK and modern clients through the installed copy in the folder $1: legacy.c says how.
set -euo pipefail
cd "$(dirname "$0")/../.."

stage=$(realpath "$1")
export PKG_CONFIG_PATH="$stage/lib/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}" LD_LIBRARY_PATH="$stage/lib"
out=build/bench-legacy
mkdir -p "$out"
# certificate NAME KEY-OPTION...
certificate() {
    openssl req -x509 -newkey "${@:2}" -nodes -days 30 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
        -keyout "$out/$1.key" -out "$out/$1.pem" 2> "$out/log"
}
certificate ec ec -pkeyopt ec_paramgen_curve:P-256
certificate rsa rsa:2048
echo "device-7:8c701116e9127c57a99d5563709af3de" > "$out/init.psk"
read -ra flags <<< "$(pkg-config --cflags --libs brokertls libssl libcrypto)"
gcc -std=c11 -O2 -Wall -Wextra -Wpedantic -Werror -o "$out/legacy" tests/bench/legacy.c "${flags[@]}"
"$out/legacy" "$out"
