#!/usr/bin/env bash
# Java 25 writes PKCS#12 in the old encryption (triple DES, RC2) so that only Java opens it if the password is not ASCII:
# it encrypts with the low seven bits of each byte of the password's UTF-8, and makes the MAC as RFC 7292 says.
#
# Seen with Temurin 25 and OpenSSL 3.0.19 of Debian 12. The variable JAVA25 names the folder of the JDK, or else it is the
# first of /usr/lib/jvm/*25*. Exits with 2 if there is none.
# A store of keytool with `-J-Dkeystore.pkcs12.legacy` and the password "pässwörd":
#   its password:                    the MAC is right, and the content does not decrypt
#   without a check of the MAC, "pC$sswC6rd":  the certificate and the key
# One would expect what the same option gives in ASCII, or the refusal of Java 17 ("Password is not ASCII"). Java 25 takes
# such passwords, with PBES2 as every program does. The old schemes take the bytes of the new form of the password as
# characters, with a mask that was without effect on ASCII. Java cannot open what OpenSSL wrote with such a password in
# the old encryption either.
# Exits with 0 while this is so.
set -euo pipefail
export LC_ALL=C.UTF-8
unset JAVA_TOOL_OPTIONS
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
command -v openssl > /dev/null || apt-get install -y -q openssl > /dev/null
jdks=("${JAVA25:-}" /usr/lib/jvm/*25*)
for jdk in "${jdks[@]}"; do
    [[ -z $jdk || ! -x $jdk/bin/keytool ]] || break
done
if [[ -z $jdk || ! -x $jdk/bin/keytool ]] || ! "$jdk/bin/java" -version 2>&1 | grep -q '"25'; then
    echo "no JDK 25: set JAVA25 to the folder of one" >&2
    exit 2
fi
cd "$folder"
"$jdk/bin/java" -version 2>&1 | head -n 1

"$jdk/bin/keytool" -J-Dkeystore.pkcs12.legacy -genkeypair -alias broker -keyalg RSA -dname CN=broker \
    -keystore old.p12 -storetype PKCS12 -storepass pässwörd 2> log
"$jdk/bin/keytool" -list -keystore old.p12 -storepass pässwörd | grep PrivateKeyEntry
own=$(openssl pkcs12 -legacy -in old.p12 -passin pass:pässwörd -nodes 2>&1 || true)
masked=$(openssl pkcs12 -legacy -nomacver -in old.p12 -passin 'pass:pC$sswC6rd' -nodes)
grep -o 'maybe wrong password' <<< "$own"
grep -- '-----BEGIN PRIVATE KEY-----' <<< "$masked"
