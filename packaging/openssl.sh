#!/usr/bin/env bash
# Makes what libbrokertls_legacy.so is linked with for the platform in the first argument, in the folder of the second:
# the headers of this system's OpenSSL, and libraries that have its names and no code. Where the library runs, the
# OpenSSL of that system takes their place.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
platform=$1 out=$2
rm -rf "$out"
mkdir -p "$out/include" "$out/lib"
includes=$(pkg-config --variable=includedir openssl)
for folder in "$includes" "$includes/$(gcc -print-multiarch)"; do
    [[ ! -d $folder/openssl ]] || cp -RL "$folder/openssl" "$out/include"
done
for library in ssl crypto; do
    real=$(pkg-config --variable=libdir openssl)/lib$library.so
    name=$out/lib/lib$library
    nm -D --defined-only --with-symbol-versions "$real" | awk '$2 ~ /[TRDBW]/ { sub("@@", " ", $3); print $3 }' |
        sort -k 2 > "$name.names"
    awk '$2 != last { if (last) print "};"; last = $2; print last " {" } { print $1 ";" } END { print "};" }' \
        "$name.names" > "$name.map"
    awk '{ print ".globl " $1 "\n" $1 ":" }' "$name.names" > "$name.s"
    PLATFORM=$platform "$root/packaging/linker.sh" -shared -nostdlib -o "$name.so" "$name.s" \
        -Wl,--version-script="$name.map" \
        -Wl,-soname,"$(readelf -dW "$real" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')"
done
