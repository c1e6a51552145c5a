#!/usr/bin/env bash
# The linker for libraries that run on older systems than this one: that of zig, which has the symbols of each version
# of glibc. rustc and make call it in place of cc. GLIBC is the version; the libraries ask for no later symbol.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
export PYTHONPATH=$root/target/python${PYTHONPATH:+:$PYTHONPATH}
# Its cache is a part of the build.
export ZIG_GLOBAL_CACHE_DIR=$root/target/zig ZIG_LOCAL_CACHE_DIR=$root/target/zig
exec python3 -m ziglang cc -target "$(uname -m)-linux-gnu.${GLIBC:-2.17}" "$@"
