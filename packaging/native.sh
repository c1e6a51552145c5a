#!/usr/bin/env bash
# Builds the native libraries of the jar for the platform in the first argument, such as linux-aarch64-musl, into
# build/natives/PLATFORM. The other arguments are those of cargo for a release build. With LEGACY=no, the library of the
# second engine is left out. The Rust of target/rust is used if there is one (packaging/rust.sh).
set -euo pipefail
cd "$(dirname "$0")/.."
platform=$1
release=("${@:2}")
processor=${platform#linux-}
case $platform in
    linux-x86_64-musl | linux-aarch64-musl) target=${processor%-musl}-unknown-linux-musl ;;
    linux-x86_64 | linux-aarch64) target=$processor-unknown-linux-gnu ;;
    *) echo "no platform of the jar: $platform" >&2 && exit 1 ;;
esac
[[ ! -x target/rust/bin/rustc ]] || export RUSTC=$PWD/target/rust/bin/rustc
if [[ ! -d $("${RUSTC:-rustc}" --print target-libdir --target "$target") ]]; then
    echo "Rust has no standard library for $target here; run one of: rustup target add $target, packaging/rust.sh" >&2
    exit 1
fi

# A shared library of musl. cargo takes flags from the environment before those of its arguments.
if [[ $platform == *-musl ]]; then
    release+=(--config 'build.rustflags=["-Ctarget-feature=-crt-static"]')
    [[ -z ${RUSTFLAGS-} ]] || export RUSTFLAGS="$RUSTFLAGS -Ctarget-feature=-crt-static"
fi
export PLATFORM=$platform
export "CC_${target//-/_}=$PWD/packaging/linker.sh"
# For the shared libraries of dependencies too, so not by arguments of rustc.
release+=(--config "target.$target.linker=\"$PWD/packaging/linker.sh\"")
built=${CARGO_TARGET_DIR:-target}/$target/release
out=build/natives/$platform/META-INF/native/$platform
mkdir -p "$out"

build() { # PACKAGE LIBRARY
    "${CARGO:-cargo}" rustc --locked "${release[@]}" --target "$target" -p "$1" --lib -- -C strip=symbols \
        -C link-arg=-Wl,-z,defs
    packaging/fits.sh "$platform" "$built/$2"
    cp "$built/$2" "$out/$2.new"
    mv "$out/$2.new" "$out/$2"
}
build brokertls-jni libbrokertls_jni.so
if [[ ${LEGACY-} != no ]]; then
    openssl=$PWD/build/natives/openssl/$platform
    packaging/openssl.sh "$platform" "$openssl"
    OPENSSL_NO_VENDOR=1 OPENSSL_LIB_DIR=$openssl/lib OPENSSL_INCLUDE_DIR=$openssl/include \
        build brokertls-legacy libbrokertls_legacy.so
fi
