#!/usr/bin/env bash
# The main job on real input: keystores of keytool, a broker in C with two listeners, accepted
# clients, and two refused ones. Uses the copy installed in the folder $1. Ends with 0 if all went as expected.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
stage=$(realpath "$1")
# shellcheck source=telling.sh
source "$here/telling.sh"
export PKG_CONFIG_PATH="$stage/lib/pkgconfig" LD_LIBRARY_PATH="$stage/lib"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

step "1. Keystores, as the ActiveMQ document makes them (its questions answered: password, name, trust)"
subject=localhost keytool_answered -genkey -alias broker -keyalg RSA -keystore broker.ks
keytool_answered -export -alias broker -keystore broker.ks -file broker_cert
subject=device-7 keytool_answered -genkey -alias client -keyalg RSA -keystore client.ks
keytool_answered -import -alias broker -keystore client.ts -file broker_cert
keytool_answered -export -alias client -keystore client.ks -file client_cert
keytool_answered -import -alias client -keystore broker.ts -file client_cert
echo "  and one that the broker does not know:"
subject=stranger keytool_answered -genkey -alias stranger -keyalg RSA -keystore stranger.ks

step "2. A broker in C, against the installed library: pkg-config and the header"
# shellcheck disable=SC2046
show cc -Wall -Wextra -O2 -o broker "$here/broker.c" $(pkg-config --cflags --libs brokertls)
# shellcheck disable=SC2046
show cc -Wall -Wextra -O2 -o client "$here/client.c" $(pkg-config --cflags --libs brokertls)
echo "  \$ ./broker broker.ks broker.ts password"
coproc BROKER { exec ./broker broker.ks broker.ts password; }
from_broker=${BROKER[0]} to_broker=${BROKER[1]} broker_process=$BROKER_PID
broker_says "[public] listens on port"
public=${last##* }
broker_says "[devices] listens on port"
devices=${last##* }
echo "  Two listeners, two contexts: 'devices' wants TLS 1.3 and a certificate that stands in broker.ts."

step "3. A C client with the certificate in client.ks: mutual TLS, both sides trusted directly"
echo "  The document's commands make no subject alternative name. The client therefore allows insecure-common-name: the"
echo "  common name stands in for it, and the library says on each connection that this was needed."
echo "  \$ ./client $devices client.ks client.ts password 1 'SUB greetings'"
./client "$devices" client.ks client.ts password 1 "SUB greetings" > client.out 2>&1 &
client_process=$!
broker_says "has come with"
broker_says "listens to greetings"

step "4. openssl s_client on the other listener publishes to it"
show openssl x509 -inform DER -in broker_cert -out broker.pem
echo "  \$ openssl s_client -connect localhost:$public -CAfile broker.pem -verify_return_error -brief -ign_eof"
printf 'PUB greetings from openssl to a C client\nQUIT\n' |
    openssl s_client -connect "localhost:$public" -CAfile broker.pem -verify_return_error -brief -ign_eof \
        > openssl.out 2>&1
grep -E 'Protocol version|Ciphersuite|Verification' openssl.out | sed 's/^/  openssl | /'
broker_says "a client without a certificate has come with"
wait "$client_process" || { cat client.out; exit 1; }
sed 's/^/  client | /' client.out
grep -q 'greetings from openssl to a C client' client.out
broker_says "has left"
broker_says "has left"

step "5. Refused: a client with a certificate that is not in broker.ts"
echo "  \$ ./client $devices stranger.ks client.ts password 1 hello"
if ./client "$devices" stranger.ks client.ts password 1 hello > refused.out 2>&1; then
    echo "the stranger was let in" >&2
    exit 1
fi
broker_says "refused: BTLS_CERT_SELF_SIGNED"
sed 's/^/  client | /' refused.out
grep -q BTLS_ALERT_UNKNOWN_CA refused.out

step "6. Refused: something that does not speak TLS at all"
echo "  \$ printf 'GET / HTTP/1.1' > /dev/tcp/127.0.0.1/$devices"
printf 'GET / HTTP/1.1\r\n\r\n' > "/dev/tcp/127.0.0.1/$devices"
broker_says "refused: BTLS_PEER_NOT_TLS"

# The broker ends with its input.
exec {to_broker}>&-
wait "$broker_process"
step "Done: two were served, two were refused, each with a reason and a hint."
