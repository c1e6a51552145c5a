#!/usr/bin/env bash
# Java 17 cannot open a PKCS#12 store with a password that has a character beyond ASCII, and says that it is incorrect.
#
# Seen with OpenJDK 17.0.15 and OpenSSL 3.0.19 of Debian 12 (packages openjdk-17-jdk-headless, openssl), installed from
# there if missing. Exits with 2 at another Java than 17.
# One password for both stores, which OpenSSL and Java read as the same characters:
#   PKCS#12 of openssl:    keystore password was incorrect
#   PKCS#12 of keytool:    Password is not ASCII, though only while the first key is written
#   JKS of keytool:        works
# One would expect the store to open: RFC 7292 appendix B.1 has passwords in UTF-16, JKS took every character for twenty
# years, and the message names the password. The key factory of Java checks each character before anything is derived.
# A JKS with such a password cannot become PKCS#12 under the same one. Java 25 opens the store of openssl.
# Exits with 0 while this is so.
set -euo pipefail
export LC_ALL=C.UTF-8
unset JAVA_TOOL_OPTIONS
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
command -v openssl > /dev/null || apt-get install -y -q openssl > /dev/null
command -v keytool > /dev/null || apt-get install -y -q openjdk-17-jdk-headless > /dev/null
cd "$folder"
java -version 2>&1 | head -n 1
if ! java -version 2>&1 | grep -q '"17\.'; then
    echo "another version than stated: this is about Java 17" >&2
    exit 2
fi

password=pässwörd
openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -subj /CN=broker 2> /dev/null
openssl pkcs12 -export -inkey key.pem -in cert.pem -name broker -out openssl.p12 -passout "pass:$password"
openssl pkcs12 -in openssl.p12 -passin "pass:$password" -noout
pair=(-genkeypair -alias broker -keyalg RSA -dname CN=broker -storepass "$password")

said() { "$@" 2>&1 || true; }
of_openssl=$(said keytool -list -keystore openssl.p12 -storepass "$password")
of_keytool=$(said keytool "${pair[@]}" -keystore keytool.p12 -storetype PKCS12)
said keytool "${pair[@]}" -keystore keytool.jks -storetype JKS > log
of_jks=$(said keytool -list -keystore keytool.jks -storepass "$password" | grep -a PrivateKeyEntry)
printf '%s\n' "$of_openssl" "$(tail -n 1 <<< "$of_keytool")" "$of_jks"
grep -q 'keystore password was incorrect' <<< "$of_openssl"
grep -q 'Password is not ASCII' <<< "$of_keytool"
grep -q PrivateKeyEntry <<< "$of_jks"
