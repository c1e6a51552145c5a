#!/usr/bin/env bash
# Runs the jars that `make natives` has built, in the folder of the first argument, on the platforms that variables give
# a program for. JAVA_linux_x86_64 and JAVA_linux_aarch64 are commands of JVMs. MUSL_x86_64 and MUSL_aarch64 are those of
# musl's program loader. Each can start with an emulator. Prints a line for each platform, and ends with the count.
set -euo pipefail
jars=$(realpath "$1")
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

check() { # PLATFORM EXPECTED COMMAND...: the output must be one line that matches the pattern
    local said
    said=$("${@:3}" 2>&1) || true
    if [[ $said =~ ^$2$ ]]; then
        echo "  ok  $1: $said" && passed=$((passed + 1))
    else
        echo "  FAILED  $1: $said" && failed=$((failed + 1))
    fi
}

jar_of() { # PLATFORM
    ls "$jars"/brokertls-*[0-9]-"$1".jar
}

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost -keyout "$work/key.pem" -out "$work/certificate.pem" 2> /dev/null
cat "$work/key.pem" "$work/certificate.pem" > "$work/identity.pem"
for platform in linux-x86_64 linux-aarch64; do
    variable=JAVA_${platform//-/_}
    [[ -n ${!variable-} ]] || continue
    jar=$(jar_of "$platform")
    javac --release 11 -d "$work" -cp "$jar" tests/natives/Handshake.java
    # shellcheck disable=SC2086
    check "$platform" '.*: hello, TLSv1.3, TLS_AES_[A-Z0-9_]*' \
        ${!variable} -cp "$work:$jar" Handshake "$work/identity.pem"
done

includes=$(dirname "$(dirname "$(realpath "$(command -v javac)")")")/include
for processor in x86_64 aarch64; do
    variable=MUSL_$processor platform=linux-$processor-musl
    [[ -n ${!variable-} ]] || continue
    (cd "$work" && unzip -qo "$(jar_of "$platform")" 'META-INF/native/*')
    PLATFORM=$platform packaging/linker.sh -dynamic -I"$includes" -I"$includes/linux" tests/natives/loads.c \
        -o "$work/loads-$processor"
    # shellcheck disable=SC2086
    check "$platform" 'loaded [0-9.]*-[0-9]*' ${!variable} "$work/loads-$processor" \
        "$work/META-INF/native/$platform/libbrokertls_jni.so"
done
echo "test result: natives: $passed passed; $failed failed"
((failed == 0 && passed > 0))
