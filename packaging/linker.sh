#!/usr/bin/env bash
# The compiler and linker for libraries that run on other systems than this one: those of zig, which have the symbols of
# each version of glibc, and musl. rustc and make call it in place of cc. PLATFORM is the platform as the jar names it
# [default: this processor with glibc]. GLIBC is the version of glibc; the libraries ask for no later symbol.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
platform=${PLATFORM:-linux-$(uname -m)}
processor=${platform#linux-}
case $platform in
    *-musl) target=${processor%-musl}-linux-musl ;;
    *) target=$processor-linux-gnu.${GLIBC:-2.17} ;;
esac
arguments=()
for argument; do
    # Rust's name of the platform is not that of zig.
    [[ $argument == --target=* ]] || arguments+=("$argument")
done
# Its cache is a part of the build.
export ZIG_GLOBAL_CACHE_DIR=$root/target/zig ZIG_LOCAL_CACHE_DIR=$root/target/zig
zig=("$root/target/python/ziglang/zig")
[[ -x ${zig[0]} ]] || zig=(python3 -m ziglang)
exec "${zig[@]}" cc -target "$target" "${arguments[@]}"
