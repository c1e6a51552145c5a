#!/usr/bin/env bash
# A server of OpenSSL takes no ECDHE suite with a client of TLS 1.2 that sends no supported_groups extension.
#
# Seen with OpenSSL 3.0.19 of Debian 12 (packages openssl, python3), installed from there if missing.
# Exits with 2 at another OpenSSL than 3.0.
# The program sends a ClientHello of TLS 1.2 with ECDHE-RSA-AES128-SHA256 alone, without and with the extension:
#   without supported_groups:   alert 40 (handshake_failure)
#   with secp256r1 in it:       ServerHello
# One would expect a ServerHello both times: RFC 8422 section 4 says that the server is free to choose any curve for a
# client that leaves the extension out. The error of the server is "no shared cipher", which hides the cause.
# Exits with 0 while this is so.
set -euo pipefail
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$folder"' EXIT
if ! command -v openssl python3 > /dev/null; then
    apt-get install -y -q openssl python3 > /dev/null
fi
cd "$folder"
version=$(openssl version)
echo "$version"
if [[ $version != "OpenSSL 3.0."* ]]; then
    echo "another version than stated: this is about OpenSSL 3.0" >&2
    exit 2
fi

openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -subj /CN=broker 2> /dev/null
openssl s_server -accept 127.0.0.1:0 -cert cert.pem -key key.pem -cipher ALL -tls1_2 < /dev/zero > server.log 2>&1 &
server=$!
for _ in $(seq 100); do
    port=$(sed -n 's/^ACCEPT 127.0.0.1://p' server.log)
    [ -z "$port" ] || break
    sleep 0.1
done

cat > hello.py << 'END'
import socket, struct, sys

def extension(number, content):
    return struct.pack("!HH", number, len(content)) + content

def answer(groups):
    extensions = extension(13, bytes([0, 2, 4, 1]))
    if groups:
        extensions += extension(10, bytes([0, 2, 0, 23]))
    body = b"\x03\x03" + bytes(32) + b"\x00" + b"\x00\x02\xc0\x27" + b"\x01\x00"
    body += struct.pack("!H", len(extensions)) + extensions
    message = b"\x01" + struct.pack("!I", len(body))[1:] + body
    with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as peer:
        peer.sendall(b"\x16\x03\x01" + struct.pack("!H", len(message)) + message)
        record = peer.recv(7)
    return {0x15: "alert %d" % record[6], 0x16: "ServerHello"}.get(record[0], "another answer")

print("without supported_groups:   " + answer(False))
print("with secp256r1 in it:       " + answer(True))
END
found=$(python3 hello.py "$port")
echo "$found"
[ "$found" = "without supported_groups:   alert 40
with secp256r1 in it:       ServerHello" ]
