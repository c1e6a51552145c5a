#!/usr/bin/env bash
# rustls-ffi 0.15.7: its header rustls.h cannot be included by a C++ program, in `extern "C"` either. It declares an
# enumeration `rustls_result`, and then a typedef of uint32_t with the same name. In C, tags of enumerations are a name
# space of their own; in C++, the two names conflict. A broker in C++ needs a file in C between it and the library.
#
# Output seen: "C: accepted", "C++: refused, conflicting declaration of rustls_result".
# Exits with 0 while this is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cat > "$folder/Cargo.toml" <<'TOML'
[package]
name = "finding"
version = "0.0.0"
edition = "2021"
[dependencies]
rustls-ffi = { version = "=0.15.7", default-features = false }
TOML
: > "$folder/src/lib.rs"
cargo vendor --quiet --manifest-path "$folder/Cargo.toml" "$folder/vendor" > /dev/null
headers=$folder/vendor/rustls-ffi/src
gcc -std=c11 -fsyntax-only -I"$headers" -x c - <<< '#include <rustls.h>'
echo "C: accepted"
for text in '#include <rustls.h>' $'extern "C" {\n#include <rustls.h>\n}'; do
    ! g++ -std=c++17 -fsyntax-only -I"$headers" -x c++ - <<< "$text" 2> "$folder/errors"
    grep -q "conflicting declaration .*rustls_result" "$folder/errors"
done
echo "C++: refused, conflicting declaration of rustls_result"
