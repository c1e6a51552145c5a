#!/usr/bin/env bash
# The JVM side on real brokers: three of ActiveMQ in one virtual machine with a context each, a message that comes in
# from JMS and goes out to a client in C, a client of each broker refused by the other, and sensors with a pre-shared key.
# Uses the copy installed in the folder $1 and the jar $2; ends with 0 when each did as told.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
c_demo=$(realpath "$here/../../bindings/c/demo")
stage=$(realpath "$1")
# shellcheck source=../../bindings/c/demo/telling.sh
source "$c_demo/telling.sh"
export PKG_CONFIG_PATH="$stage/lib/pkgconfig" LD_LIBRARY_PATH="$stage/lib"
CLASSPATH="$here/target/classes:$here/target/lib/*:$(realpath "$2")"
export CLASSPATH
folder=$(mktemp -d)
broker_process=
trap '[[ -z $broker_process ]] || kill "$broker_process" 2> /dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"

# A key and its certificate in NAME.pem, the certificate alone in NAME.crt.
make_pem() {
    show openssl req -x509 -newkey rsa:2048 -nodes -subj "/CN=$1" -addext subjectAltName=DNS:localhost \
        -keyout "$1.pem" -out "$1.crt"
    cat "$1.crt" >> "$1.pem"
}

# Runs a client that is to be refused for the reason $1, and shows what it says.
refused() {
    local reason=$1
    shift
    command_line "$@"
    if "$@" > refused.out 2>&1; then
        echo "the stranger was let in" >&2
        exit 1
    fi
    sed 's/^/  client | /' refused.out
    grep -q "$reason" refused.out
}

step "7. ActiveMQ. The files of three brokers: 'plant' has keystores, and knows device-7"
subject=plant keytool_answered -genkeypair -alias plant -keyalg RSA -ext san=dns:localhost -keystore plant.ks
subject=device-7 keytool_answered -genkeypair -alias device -keyalg RSA -keystore device.ks
keytool_answered -exportcert -alias plant -keystore plant.ks -rfc -file plant.crt
keytool_answered -exportcert -alias device -keystore device.ks -rfc -file device.crt
keytool_answered -importcert -alias device -keystore plant.ts -file device.crt
keytool_answered -importcert -alias plant -keystore device.ts -file plant.crt
echo "  'office' has PEM files, and knows the clerk:"
make_pem office
make_pem clerk
echo "  'field' has the pre-shared keys of its sensors, and no certificate:"
echo "sensor-1:8c701116e9127c57a99d5563709af3de" > sensors.psk
show cat sensors.psk

step "8. All brokers in one virtual machine, each with a context of its own; no javax.net.ssl property is set"
# shellcheck disable=SC2046
show cc -Wall -Wextra -O2 -o mqtt "$c_demo/mqtt.c" $(pkg-config --cflags --libs brokertls)
command_line java io.brokertls.demo.Brokers
coproc BROKERS {
    exec timeout 300 java "-Djava.util.logging.config.file=$here/logging.properties" io.brokertls.demo.Brokers 2>&1
}
from_broker=${BROKERS[0]} to_broker=${BROKERS[1]} broker_process=$BROKERS_PID
broker_says "[plant] listens for JMS on port"
plant_jms=${last##* }
broker_says "[plant] listens for MQTT on port"
plant=${last##* }
broker_says "[office] listens for MQTT on port"
office=${last##* }
broker_says "[field] listens for MQTT on port"
field=${last##* }

step "9. At the plant, a message from Java to C: in by JMS through nio+ssl, out by MQTT through mqtt+ssl"
client=(./mqtt "$plant" device.ks device.ts password subscribe line/1)
command_line "${client[@]}"
mkfifo client.out
"${client[@]}" > client.out 2>&1 &
client_process=$!
exec {from_client}< client.out
hear client "$from_client" "subscribed to line/1"
broker_says "peer CN=device-7"
sender=(java io.brokertls.demo.Sender "$plant_jms" device.ks device.ts password line.1 'from Java to C')
command_line "${sender[@]}"
timeout 60 "${sender[@]}" > sender.out 2>&1 || { cat sender.out; exit 1; }
broker_says "peer CN=device-7"
hear client "$from_client" "received: from Java to C"
wait "$client_process"

step "10. At the office, the clerk is served..."
client=(./mqtt "$office" clerk.pem office.crt "" publish desk "good morning")
command_line "${client[@]}"
"${client[@]}" > published.out 2>&1 || { cat published.out; exit 1; }
broker_says "peer CN=clerk"
sed 's/^/  client | /' published.out

step "11. ... and at the plant refused, for a certificate that is not in plant.ts: the brokers share nothing"
refused BTLS_ALERT_UNKNOWN_CA ./mqtt "$plant" clerk.pem plant.crt "" publish line/1 "let me in"
broker_says "BTLS_CERT_SELF_SIGNED"

step "12. At the office, device-7 turns round itself: this is not the broker that it knows"
refused BTLS_CERT_SELF_SIGNED ./mqtt "$office" device.ks device.ts password publish desk "who is there?"
broker_says "BTLS_ALERT_UNKNOWN_CA"

step "13. In the field, a sensor without a certificate is served by its key, and another one refused"
sensor=(mosquitto_pub -h 127.0.0.1 -p "$field" -V mqttv311 -q 1 -t soil -m dry --psk-identity sensor-1 --psk)
command_line "${sensor[@]}" 8c701116e9127c57a99d5563709af3de
timeout 60 "${sensor[@]}" 8c701116e9127c57a99d5563709af3de
broker_says "peer sensor-1"
refused "TLS error" timeout 60 "${sensor[@]}" 00112233445566778899aabbccddeeff
broker_says "BTLS_PSK_REFUSED"

# The brokers end with their input.
exec {to_broker}>&-
wait "$broker_process"
broker_process=
step "Done: one process, three brokers; each served its own clients, and both sides said why the others did not get in."
