#!/usr/bin/env bash
# Makes in the folder $1 what a listener of EMQX works with: a CA, a broker, and two devices with certificates that name
# the list at http://127.0.0.1:$2/ca.crl, of which the CA has revoked one.
set -euo pipefail
cd "$1"

cat > ca.cnf << END
[ca]
default_ca = authority
[authority]
database = index.txt
serial = serial
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
default_md = sha256
default_days = 30
default_crl_days = 30
policy = any
[any]
organizationName = optional
commonName = supplied
END
: > index.txt
echo 1001 > serial

# key NAME COMMAND...: a key, and the file that `openssl req` makes with it.
key() {
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" "${@:2}"
}

# issue NAME EXTENSION: a certificate that stands in the CA's index.
issue() {
    key "$1" -new -subj "/O=EMQX/CN=$1" -out "$1.csr"
    openssl ca -batch -config ca.cnf -in "$1.csr" -out "$1.pem" -notext -extfile <(echo "$2")
}

key ca -x509 -subj "/O=EMQX/CN=RootCA" -days 30 -out ca.pem
issue server "subjectAltName=DNS:localhost"
for device in device-1 device-2; do
    issue "$device" "crlDistributionPoints=URI:http://127.0.0.1:$2/ca.crl"
done
openssl ca -config ca.cnf -revoke device-2.pem -crl_reason keyCompromise
openssl ca -config ca.cnf -gencrl | openssl crl -outform DER -out ca.crl
