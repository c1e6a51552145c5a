#!/usr/bin/env bash
# Installs the missing programs that the tests run, or those given as PROGRAM:PACKAGE, with apt as root, else names
# the command to run. With the argument `build`, those that `make` itself needs for the second engine; with `linker`,
# the linker for older systems alone, without which `make` uses that of this system. Each program is looked for by its
# own name, so that a machine that has it needs neither root nor network. Modules of Python go into target/.
set -euo pipefail

python=$(cd "$(dirname "$0")/.." && pwd)/target/python
module() { # NAME PACKAGE [OPTION...]: installs a module of Python
    PYTHONPATH=$python python3 -c "import $1" 2> /dev/null && return
    python3 -m pip install --quiet --root-user-action ignore --disable-pip-version-check --only-binary :all: \
        --target "$python" "${@:2}"
}
linker=ziglang==0.17.1
if [[ ${1-} == linker ]]; then
    module ziglang $linker --retries 1 > /dev/null 2>&1 ||
        echo "without ziglang (pip install $linker), libraries need the glibc of this system or a later one" >&2
    exit
fi

# Programs, and files of libraries, and the Debian package each comes with.
wanted=(
    gcc:gcc g++:g++ pkg-config:pkg-config nm:binutils readelf:binutils objcopy:binutils
    openssl:openssl valgrind:valgrind keytool:default-jdk-headless javac:default-jdk-headless node:nodejs
    npm:npm mosquitto:mosquitto mosquitto_pub:mosquitto-clients mvn:maven strip:binutils
    softhsm2-util:softhsm2 /usr/include/wolfssl/ssl.h:libwolfssl-dev /usr/include/openssl/ssl.h:libssl-dev
    python3:python3 pip3:python3-pip curl:curl gnutls-cli:gnutls-bin
    pk12util:libnss3-tools /usr/lib/python3/dist-packages/cryptography/__init__.py:python3-cryptography
    clang:clang mandoc:mandoc man:man-db
    erl:erlang-ssl cmake:cmake ld.bfd:binutils ld.gold:binutils ld.lld:lld mold:mold
)
# Parts of Rust that the tests run.
components=(rustfmt:rustfmt cargo-clippy:clippy)
if [[ ${1-} == build ]]; then
    wanted=(pkg-config:pkg-config /usr/include/openssl/ssl.h:libssl-dev)
    components=()
elif (($#)); then
    wanted=("$@")
fi

# Debian puts the broker where only root's PATH looks.
PATH="$PATH:/usr/sbin:/sbin"

missing=()
for entry in "${wanted[@]}"; do
    # Libraries are looked for by a file of theirs.
    [[ $entry = /* && -e ${entry%%:*} ]] || command -v "${entry%%:*}" > /dev/null || missing+=("${entry#*:}")
done

if ((${#missing[@]})); then
    mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)
    install="apt-get install -y --no-install-recommends ${missing[*]}"
    if ((EUID == 0)) && command -v apt-get > /dev/null; then
        echo "installing ${missing[*]}"
        # RUNLEVEL=1 keeps a freshly installed broker from being started as a service. Other installations end first.
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 $install -qq -o DPkg::Lock::Timeout=300 > /dev/null
    else
        echo "missing: ${missing[*]}; on Debian, run: sudo apt-get update && sudo $install" >&2
        exit 1
    fi
fi

for component in "${components[@]}"; do
    command -v "${component%%:*}" > /dev/null && "${component%%:*}" --version > /dev/null 2>&1 && continue
    if command -v rustup > /dev/null; then
        rustup component add "${component#*:}"
    else
        echo "missing: ${component#*:}; it comes with Rust's own installer (rustup component add ${component#*:})" >&2
        exit 1
    fi
done

# Python has pre-shared keys from 3.13 on. An older one gets a TLS of its own for them, which has no packages after 3.12.
keys='import ssl; ssl.SSLContext.set_psk_client_callback'
if (($# == 0)) && ! python3 -c "$keys" 2> /dev/null; then
    module mbedtls python-mbedtls==2.10.1
fi
