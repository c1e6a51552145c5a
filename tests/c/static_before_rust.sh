#!/usr/bin/env bash
# Links a C program with the installed static library, in the folder $1, before and after another static library that is
# written in Rust, with each linker that is given as $2...: neither takes anything of the other's.
set -euo pipefail
stage=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat > "$work/other.rs" <<'RUST'
#[unsafe(no_mangle)]
pub extern "C" fn other(number: u32) -> u32 {
    std::panic::catch_unwind(|| if number > 3 { std::panic::resume_unwind(Box::new(())) }).is_err() as u32
}
RUST
cat > "$work/program.c" <<'C'
#include <brokertls.h>
#include <stdio.h>
unsigned other(unsigned);
int main(void) {
    btls_builder *builder = btls_builder_new();
    btls_context *context = NULL;
    int bad = btls_builder_build(builder, &context) != BTLS_NO_IDENTITY || other(1) != 0 || other(4) != 1;
    btls_builder_free(builder);
    return bad;
}
C
rustc --edition 2024 -O --crate-type staticlib -o "$work/libother.a" "$work/other.rs"
read -ra flags <<< "$(PKG_CONFIG_PATH="$stage/lib/pkgconfig" pkg-config --static --cflags --libs brokertls)"
flags=("${flags[@]/#-lbrokertls/-l:libbrokertls.a}")
for linker in "${@:2}"; do
    gcc -fuse-ld="$linker" -o "$work/before" "$work/program.c" "${flags[@]}" "$work/libother.a" -lpthread -ldl -lm
    "$work/before"
    gcc -fuse-ld="$linker" -o "$work/after" "$work/program.c" "$work/libother.a" "${flags[@]}"
    "$work/after"
    echo "links with $linker"
done
