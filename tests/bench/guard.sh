#!/usr/bin/env bash
# Measures calls of the C API that do little, through the installed copy in the folder $1: guard.c says how.
set -euo pipefail
cd "$(dirname "$0")/../.."

stage=$(realpath "$1")
export PKG_CONFIG_PATH="$stage/lib/pkgconfig" LD_LIBRARY_PATH="$stage/lib"
out=build/bench-guard
mkdir -p "$out"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost -keyout "$out/server.key" -out "$out/server.pem" 2> "$out/log"
read -ra flags <<< "$(pkg-config --cflags --libs brokertls)"
gcc -std=c11 -O2 -Wall -Wextra -Wpedantic -Werror -o "$out/guard" tests/bench/guard.c "${flags[@]}"
"$out/guard" "$out/server.pem" "$out/server.key"
