#!/usr/bin/env bash
# Installs a Rust into target/rust that has the standard libraries of all platforms of `make natives`, from packages of
# Debian unstable, for a machine without rustup's server. It changes nothing outside of target/. The compiler runs by
# the loader and the C library of its own packages. Debian has no standard library for musl: it is built here.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD/target/rust
own=$(dpkg --print-architecture)
case $own in
    amd64) other=arm64 loader=ld-linux-x86-64.so.2 ;;
    arm64) other=amd64 loader=ld-linux-aarch64.so.1 ;;
    *) echo "no packages of Rust for $own" >&2 && exit 1 ;;
esac
processor=$(uname -m)

# apt with a configuration and lists of its own, so that the system keeps its release.
apt=$root/apt
mkdir -p "$apt"/{state/lists/partial,cache/archives/partial,etc/none}
: > "$apt/state/status"
cat > "$apt/etc/sources.sources" << END
Types: deb
URIs: $(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' | head -n 1)
Suites: sid
Components: main
Architectures: $own $other
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
END
cat > "$apt/etc/apt.conf" << END
Dir::State "$apt/state";
Dir::State::status "$apt/state/status";
Dir::Cache "$apt/cache";
Dir::Etc::sourcelist "$apt/etc/sources.sources";
Dir::Etc::sourceparts "$apt/etc/none";
Dir::Etc::parts "$apt/etc/none";
Dir::Etc::preferencesparts "$apt/etc/none";
APT::Architecture "$own";
APT::Architectures { "$own"; "$other"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
# A mirror can be older than the lists say they hold. Their signature is checked all the same.
Acquire::Check-Valid-Until "false";
END
export APT_CONFIG=$apt/etc/apt.conf
apt-get update -qq
apt-get install -qq -y --download-only --no-install-recommends rustc cargo rust-src > /dev/null
(cd "$apt/cache/archives" && apt-get download -qq "libstd-rust-dev:$other")
for package in "$apt"/cache/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$package" | tar -x -C "$root" --keep-directory-symlink
done
rm -rf "$apt"

mkdir -p "$root/bin"
for program in rustc cargo; do
    cat > "$root/bin/$program" << END
#!/bin/sh
exec $root/usr/lib/$processor-linux-gnu/$loader --library-path $root/usr/lib/$processor-linux-gnu --argv0 "\$0" \\
    $root/usr/bin/$program "\$@"
END
    chmod +x "$root/bin/$program"
done

# The libraries of a package without code, beside those of the packages. The file names have a hash of the compiler.
mkdir -p "$root/empty/src"
printf '[package]\nname = "empty"\nedition = "2024"\n[workspace]\n' > "$root/empty/Cargo.toml"
: > "$root/empty/src/lib.rs"
rustlib=$root/usr/lib/rustlib
export RUSTC=$root/bin/rustc RUSTC_BOOTSTRAP=1
# The release build of this project optimizes across crates, for which it reads bitcode in the standard library too.
export RUSTFLAGS="-Cembed-bitcode=yes --remap-path-prefix=$rustlib/src/rust=/rustc"
RUSTFLAGS+=" --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo"
for target in x86_64-unknown-linux-musl aarch64-unknown-linux-musl; do
    CARGO_TARGET_DIR=$root/empty/target "$root/bin/cargo" build --quiet --release -Z build-std=std,panic_unwind \
        --manifest-path "$root/empty/Cargo.toml" --target "$target"
    mkdir -p "$rustlib/$target/lib"
    cp "$root/empty/target/$target"/release/deps/*.rlib "$rustlib/$target/lib"
    rm "$rustlib/$target/lib"/libempty-*
done
rm -rf "$root/empty"
"$RUSTC" --version
