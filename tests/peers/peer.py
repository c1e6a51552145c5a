# Python's `ssl` and paho-mqtt as peers of tests/peers/run.sh: one connection, and the words of its failure as one line.
#
#   python3 peer.py connect|serve|paho PORT VERSION CERTIFICATE TRUST SUITE ALPN
#
# CERTIFICATE is the common part of NAME.pem and NAME.key; `-` stands for none. A server prints its port first.
import socket
import ssl
import sys

PATIENCE_S = 20
role, port, version, certificate, trust, suite, alpn = sys.argv[1:]


def context_of(protocol):
    context = ssl.SSLContext(protocol)
    context.load_verify_locations(trust)
    if version != "-":
        context.minimum_version = context.maximum_version = ssl.TLSVersion[version.replace(".", "_")]
    if certificate != "-":
        context.load_cert_chain(f"{certificate}.pem", f"{certificate}.key")
    if suite != "-":
        context.set_ciphers(suite)
    if alpn != "-":
        context.set_alpn_protocols([alpn])
    return context


def connect():
    raw = socket.create_connection(("127.0.0.1", int(port)), PATIENCE_S)
    with context_of(ssl.PROTOCOL_TLS_CLIENT).wrap_socket(raw, server_hostname="localhost") as connection:
        return f"received {len(connection.recv(100))} bytes"


def serve():
    context = context_of(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        raw, _ = listener.accept()
    raw.settimeout(PATIENCE_S)
    with context.wrap_socket(raw, server_side=True) as connection:
        return f"received {len(connection.recv(100))} bytes"


def paho():
    from paho.mqtt import client as mqtt

    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.tls_set_context(context_of(ssl.PROTOCOL_TLS_CLIENT))
    said = []
    client.on_disconnect = lambda client, user, flags, reason, properties: said.append(f"on_disconnect {reason}")
    client.connect("localhost", int(port))
    code = mqtt.MQTT_ERR_SUCCESS
    while code == mqtt.MQTT_ERR_SUCCESS:
        code = client.loop()
    return ", ".join([f"loop() {mqtt.error_string(code)}", *said])


try:
    words = {"connect": connect, "serve": serve, "paho": paho}[role]()
except OSError as error:
    words = f"{type(error).__name__} {error}"
print(words)
