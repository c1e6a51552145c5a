#!/usr/bin/env bash
# Makes the keys and certificates of the checks in the working folder: NAME.crt, NAME.key, NAME.pem (chain and key),
# NAME.p12 and NAME.jks. The passwords are all `changeit`.
set -euo pipefail
ec=(ec -pkeyopt ec_paramgen_curve:P-256)
exec 2> pki.log

authority() {
    openssl req -x509 -newkey "${ec[@]}" -nodes -keyout "$1.key" -out "$1.crt" -days 30 -subj "/CN=$1" \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
    keytool -importcert -noprompt -alias "$1" -file "$1.crt" -keystore "$1.p12" -storepass changeit
    keytool -importkeystore -noprompt -srckeystore "$1.p12" -srcstorepass changeit -destkeystore "$1.jks" \
        -deststoretype JKS -deststorepass changeit
}

# certificate NAME ISSUER COMMON-NAME ALTERNATIVE-NAMES KEY...
certificate() {
    openssl req -newkey "${@:5}" -nodes -keyout "$1.key" -out request -subj "/CN=$3"
    printf '%s\n' basicConstraints=CA:FALSE "subjectAltName=$4" extendedKeyUsage=serverAuth,clientAuth \
        keyUsage=digitalSignature > extensions
    openssl x509 -req -in request -CA "$2.crt" -CAkey "$2.key" -CAcreateserial -days 30 -extfile extensions -out "$1.crt"
    cat "$1.crt" "$2.crt" > "$1.chain.pem"
    cat "$1.chain.pem" "$1.key" > "$1.pem"
    openssl pkcs12 -export -in "$1.chain.pem" -inkey "$1.key" -name "$1" -passout pass:changeit -out "$1.p12"
    keytool -importkeystore -noprompt -srckeystore "$1.p12" -srcstorepass changeit -destkeystore "$1.jks" \
        -deststoretype JKS -deststorepass changeit
}

authority ca
authority strange-ca
certificate server ca localhost DNS:localhost,IP:127.0.0.1 rsa:2048
certificate renewed ca localhost-renewed DNS:localhost,IP:127.0.0.1 "${ec[@]}"
certificate other ca other.example DNS:other.example "${ec[@]}"
certificate client ca device-7 DNS:device-7 "${ec[@]}"
certificate stranger strange-ca stranger DNS:localhost,IP:127.0.0.1 "${ec[@]}"
