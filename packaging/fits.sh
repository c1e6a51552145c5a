#!/usr/bin/env bash
# Fails if a library does not fit the platform in the first argument: another processor, another C library or a later
# glibc than GLIBC, symbols that are not stripped, or a folder of this machine in a text.
set -euo pipefail
platform=$1 library=$2
refuse() { echo "$library for $platform: $*" >&2 && exit 1; }

case $platform in
    linux-x86_64*) machine='Advanced Micro Devices X86-64' ;;
    linux-aarch64*) machine=AArch64 ;;
    *) refuse 'no such platform' ;;
esac
found=$(readelf -hW "$library" | sed -n 's/ *Machine: *//p')
[[ $found == "$machine" ]] || refuse "made for $found"

allowed='libssl\.so\.3|libcrypto\.so\.3'
if [[ $platform == *-musl ]]; then
    allowed+='|libc\.so'
    ! readelf -VW "$library" | grep GLIBC_ > /dev/null || refuse 'asks for symbols of glibc'
else
    allowed+='|lib(c|m|dl|rt)\.so\.[0-9]|libpthread\.so\.0|ld-linux-.*'
    packaging/glibc.sh "$library" zig
fi
while read -r needed; do
    [[ $needed =~ ^($allowed)$ ]] || refuse "needs $needed"
done < <(readelf -dW "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')

! readelf -SW "$library" | grep -E '\.(debug_|symtab)' > /dev/null || refuse 'is not stripped'
! grep -aF -e "$PWD/" -e "$HOME/" "$library" > /dev/null || refuse 'names a folder of this machine'
