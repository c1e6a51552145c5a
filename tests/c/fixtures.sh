#!/usr/bin/env bash
# Makes the certificates and keystores of the C tests in the folder $1, with the tools that operators use.
set -euo pipefail
mkdir -p "$1"
cd "$1"

# request NAME SUBJECT: a key and a request for a certificate.
request() {
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.csr" -subj "$2"
}

# issue NAME SUBJECT CA EXTENSIONS: a certificate and its key, signed by a CA.
issue() {
    request "$1" "$2"
    openssl x509 -req -in "$1.csr" -CA "$3.pem" -CAkey "$3.key" -days 30 -extfile <(echo -e "$4") -out "$1.pem"
}

authority() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.pem" -subj "$2" -days 30
}

certificates() {
    authority ca "/CN=Test CA"
    authority other-ca "/CN=Other CA"
    issue server "/O=Example/CN=broker" ca "subjectAltName=DNS:localhost,DNS:broker.example,IP:127.0.0.1"
    issue admin "/CN=admin" ca "subjectAltName=DNS:admin.example"
    issue client "/O=Example/CN=device-7" ca "subjectAltName=URI:urn:device:7\nextendedKeyUsage=clientAuth"
    issue banned "/CN=banned" ca "extendedKeyUsage=clientAuth"
    issue stranger "/CN=stranger" other-ca "extendedKeyUsage=clientAuth"
    # A certificate for clients that a server uses.
    issue misused "/CN=misused" ca "subjectAltName=DNS:localhost\nextendedKeyUsage=clientAuth"
    request named "/CN=localhost"
    openssl x509 -req -in named.csr -CA ca.pem -CAkey ca.key -days 30 -extfile <(echo "basicConstraints=CA:FALSE") \
        -out named.pem
    cat server.pem server.key > server-both.pem
    openssl ec -in server.key -aes256 -passout pass:secret -out server-locked.key
    mkdir -p trust
    cp ca.pem other-ca.pem trust/
    echo "device-7:00112233445566778899" > init.psk
}

# Identities below six intermediates, the most that are followed, all with keys on P-521; `trust-all.pem` has both
# roots.
deep_chains() {
    # deep NAME KEY-OPTION... ; CA and EXTENSIONS are set by the caller.
    deep() {
        openssl genpkey "${@:2}" -out "$1.key"
        openssl req -new -key "$1.key" -subj "/O=Example/CN=$1" -out "$1.csr"
        openssl x509 -req -in "$1.csr" -CA "$ca.pem" -CAkey "$ca.key" -days 30 -out "$1.pem" \
            -extfile <(echo -e "$extensions")
    }
    local p521=(-algorithm EC -pkeyopt ec_paramgen_curve:P-521) ca=deep level name
    local extensions="basicConstraints=critical,CA:true\nkeyUsage=keyCertSign"
    openssl genpkey "${p521[@]}" -out deep.key
    openssl req -x509 -new -key deep.key -subj "/CN=Deep root" -days 30 -out deep.pem
    cat ca.pem deep.pem > trust-all.pem
    for level in 1 2 3 4 5 6; do
        deep "deep-$level" "${p521[@]}"
        ca=deep-$level
    done
    extensions="subjectAltName=DNS:localhost"
    deep deep-rsa -algorithm RSA -pkeyopt rsa_keygen_bits:4096
    deep deep-p521 "${p521[@]}"
    deep deep-ed25519 -algorithm ED25519
    for name in rsa p521 ed25519; do
        cat deep-{6,5,4,3,2,1}.pem >> "deep-$name.pem"
    done
    # One intermediate too many.
    extensions="basicConstraints=critical,CA:true\nkeyUsage=keyCertSign"
    deep deep-7 "${p521[@]}"
    ca=deep-7 extensions="subjectAltName=DNS:localhost"
    deep too-deep "${p521[@]}"
    cat deep-{7,6,5,4,3,2,1}.pem >> too-deep.pem
}

# What the CA says of its certificates: lists without and with one entry, and responses about two of them.
revocation() {
    issue revoked "/O=Example/CN=device-8" ca "subjectAltName=DNS:localhost"
    cat > ca.cnf <<END
[ca]
default_ca = authority
[authority]
database = index.txt
certificate = ca.pem
private_key = ca.key
default_md = sha256
default_days = 30
default_crl_days = 30
policy = any
[any]
commonName = supplied
END
    : > index.txt
    openssl ca -config ca.cnf -gencrl -out empty.crl
    openssl ca -config ca.cnf -valid client.pem
    openssl ca -config ca.cnf -revoke revoked.pem -crl_reason keyCompromise
    openssl ca -config ca.cnf -gencrl -out ca.crl
    mkdir -p crls
    cp ca.crl crls/
    local name
    for name in client revoked; do
        openssl ocsp -index index.txt -CA ca.pem -rsigner ca.pem -rkey ca.key -issuer ca.pem -cert "$name.pem" -no_nonce \
            -ndays 7 -respout "$name.ocsp"
    done
}

stores() {
    openssl pkcs12 -export -in server.pem -inkey server.key -name broker -passout pass:password -out server.p12
    keytool -importkeystore -noprompt -srckeystore server.p12 -srcstorepass password -destkeystore server.jks \
        -deststoretype JKS -deststorepass password -srcalias broker -destkeypass keypassword
    keytool -importcert -noprompt -alias ca -file ca.pem -keystore trust.jks -storetype JKS -storepass password
}

# Certificates with names that programs take for users.
names() {
    # self_signed NAME SUBJECT [OPTION...]
    self_signed() {
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout names.key -days 2 -subj "$2" \
            -outform DER -out "$1.der" "${@:3}"
    }
    self_signed one-attribute "/O=Test/CN=admin, OU=Ops"
    self_signed two-attributes "/O=Test/CN=admin/OU=Ops"
    self_signed two-names "/O=Test/CN=first/CN=second+OU=Ops" -multivalue-rdn
    self_signed names "/CN=x" -set_serial 0x80ff -addext "subjectAltName=otherName:1.3.6.1.4.1.311.20.2.3;UTF8:user@corp,\
DNS:bank.example_evil.example,IP:192.0.2.1,email:pump@corp.example,URI:spiffe://example/pump,RID:1.2.3.4,\
otherName:1.3.6.1.5.5.7.8.5;UTF8:chat@corp"
}

certificates > log 2>&1 || { cat log; exit 1; }
deep_chains >> log 2>&1 || { cat log; exit 1; }
revocation >> log 2>&1 || { cat log; exit 1; }
stores >> log 2>&1 || { cat log; exit 1; }
names >> log 2>&1 || { cat log; exit 1; }
