#!/usr/bin/env bash
# curl with OpenSSL says that it failed to verify the server (60) when the server refuses curl's own expired certificate.
#
# Seen with curl 7.88.1 and OpenSSL 3.0.19 of Debian 12 (packages curl, openssl), installed from there if missing.
# Exits with 2 at another curl than 7.88.1 or another OpenSSL than 3.0.
# The server's certificate is valid, and curl has its CA (`--cacert`):
#   TLS 1.2, expired:     curl: (60) SSL certificate verification failed
#   TLS 1.2, unknown CA:  curl: (35) ... tlsv1 alert unknown ca
#   TLS 1.3, expired:     curl: (56) ... sslv3 alert certificate expired
# One would expect 35 and the alert in the first case, as in the second: the certificate at fault is the client's.
# The reason that OpenSSL gives for a received certificate_expired (45) is taken for a failed verification of curl's own.
# It sends operators to the server's certificate and trust store. In TLS 1.3 the alert comes at the first read.
# Exits with 0 while this is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'kill $(jobs -p) 2> /dev/null || true; rm -rf "$folder"' EXIT
for program in curl openssl; do
    command -v "$program" > /dev/null || apt-get install -y -q "$program" > /dev/null
done
cd "$folder"
versions=$(curl --version; openssl version)
echo "$versions" | grep -E '^(curl|OpenSSL) '
if ! [[ $versions =~ ^curl\ 7\.88\.1\ [^$'\n']*\ OpenSSL/3\.0\..*$'\n'OpenSSL\ 3\.0\. ]]; then
    echo "another version than stated: this is about curl 7.88.1 and OpenSSL 3.0" >&2
    exit 2
fi

new_key=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)
for ca in ca unknown; do
    openssl req -x509 "${new_key[@]}" -keyout $ca.key -out $ca.pem -days 9 -subj "/CN=$ca" 2> /dev/null
done
# issue NAME CA DAY-OF-START DAY-OF-END
issue() {
    openssl req "${new_key[@]}" -keyout "$1.key" -out "$1.csr" -subj "/CN=$1" 2> /dev/null
    : > index.txt
    openssl ca -batch -notext -in "$1.csr" -out "$1.pem" -startdate "$3000000Z" -enddate "$4000000Z" \
        -extfile <(echo subjectAltName=IP:127.0.0.1) -config <(echo "
        [ca]
        default_ca = one
        [one]
        database = index.txt
        rand_serial = yes
        new_certs_dir = .
        certificate = $2.pem
        private_key = $2.key
        default_md = sha256
        policy = any
        [any]
        commonName = supplied") 2> /dev/null
}
issue expired ca 20200101 20210101
issue stranger unknown 20200101 20491231
issue server ca 20200101 20491231

# said VERSION CLIENT: the line of curl, whose certificate the server verifies.
said() {
    local server port
    mkfifo "log.$1.$2"
    openssl s_server -accept 127.0.0.1:0 -cert server.pem -key server.key -CAfile ca.pem -Verify 1 \
        -verify_return_error -naccept 1 -www > "log.$1.$2" 2>&1 < /dev/null &
    exec {server}< "log.$1.$2"
    until [[ ${port-} =~ ^ACCEPT\ .*:([0-9]+) ]]; do read -r -u "$server" port; done
    curl -sS --cacert ca.pem "--tlsv$1" --tls-max "$1" --cert "$2.pem" --key "$2.key" \
        "https://127.0.0.1:${BASH_REMATCH[1]}/" 2>&1 | grep '^curl: (' || true
    exec {server}<&-
}

failed=0
# expect VERSION CLIENT PATTERN
expect() {
    local line
    line=$(said "$1" "$2")
    echo "TLS $1, $2: $line"
    [[ $line =~ $3 ]] || failed=1
}
expect 1.2 expired '^curl: \(60\) SSL certificate verification failed'
expect 1.2 stranger '^curl: \(35\) .*alert unknown ca'
expect 1.3 expired '^curl: \(56\) .*alert certificate expired'
exit $failed
