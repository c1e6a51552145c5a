#!/usr/bin/env bash
# Fails if the library in the first argument asks for a symbol of a glibc later than GLIBC. Without more arguments it
# was not made by the linker that sees to that, and any version is right.
set -euo pipefail
(($# > 1)) || exit 0
latest=$(readelf -VW "$1" | sed -n 's/.* Name: \(GLIBC_[0-9.]*\) .*/\1/p' | sort -Vu | tail -n 1)
[[ $(printf '%s\n' "$latest" "GLIBC_$GLIBC" | sort -V | tail -n 1) == "GLIBC_$GLIBC" ]] ||
    { echo "$1 needs $latest" >&2 && exit 1; }
