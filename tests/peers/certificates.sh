#!/usr/bin/env bash
# Makes the certificates of tests/peers/run.sh in the folder $1: NAME.pem and NAME.key, all with keys on P-256.
# `ca` issues all of them but `unknown-*`; `crl.pem` is its list, with `revoked-*`.
set -euo pipefail
cd "$1"

cat > extensions.cnf << 'END'
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
[server]
basicConstraints = critical,CA:false
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost
[elsewhere]
basicConstraints = critical,CA:false
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:other.example
[client]
basicConstraints = critical,CA:false
keyUsage = critical,digitalSignature
extendedKeyUsage = clientAuth
subjectAltName = DNS:localhost
[list]
database = index.txt
certificate = ca.pem
private_key = ca.key
default_md = sha256
default_crl_days = 30
END

for ca in ca unknown; do
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -config extensions.cnf \
        -extensions ca -subj "/CN=$ca" -keyout "$ca.key" -out "$ca.pem"
done
: > index.txt

# issue NAME CA SERIAL EXTENSIONS
issue() {
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -config extensions.cnf -subj "/CN=$1" \
        -keyout "$1.key" -out "$1.csr"
    openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -set_serial "$3" -days 20 \
        -extfile extensions.cnf -extensions "$4" -out "$1.pem"
}

# expired NAME SERIAL EXTENSIONS: as issue, but valid in 2024 alone, which `x509 -req` cannot say.
expired() {
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -config extensions.cnf -subj "/CN=$1" \
        -keyout "$1.key" -out "$1.csr"
    printf '%02d\n' "$2" > serial
    openssl ca -batch -notext -config <(cat extensions.cnf; cat << 'END'
[expired]
database = expired.txt
certificate = ca.pem
private_key = ca.key
default_md = sha256
serial = serial
new_certs_dir = .
policy = any
[any]
commonName = supplied
END
    ) -name expired -startdate 20240101000000Z -enddate 20250101000000Z -extfile extensions.cnf -extensions "$3" \
        -in "$1.csr" -out "$1.pem"
}

: > expired.txt
issue server ca 10 server
issue client ca 11 client
issue unknown-server unknown 12 server
issue unknown-client unknown 13 client
issue revoked-server ca 14 server
issue revoked-client ca 15 client
issue elsewhere-server ca 16 elsewhere
# Each with the purpose of the other side.
issue purpose-server ca 17 client
issue purpose-client ca 18 server
expired expired-server 19 server
expired expired-client 20 client

for serial in 0E 0F; do
    printf 'R\t360101000000Z\t251115103000Z\t%s\tunknown\t/CN=revoked\n' "$serial"
done > index.txt
openssl ca -config extensions.cnf -name list -gencrl -out crl.pem
