#!/usr/bin/env bash
# X500Principal.getName(RFC2253) of a JDK reads the bytes of a BMPString and of a TeletexString as UTF-8; toString() does not.
#
# Seen with OpenJDK 17.0.15 of Debian 12 (package openjdk-17-jdk-headless), installed from there if there is no javac on
# the path. Exits with 2 at another version: 17.0.21.1 has "CN=Ger\u00e4t" in both forms of each row.
#   the common name "Ger\u00e4t" as BMPString:     RFC2253 "CN=\00G\00e\00r\00\ufffd\00t", toString "CN=Ger\u00e4t"
#   the same as TeletexString (Latin-1):           RFC2253 "CN=Ger\ufffdt",                toString "CN=Ger\u00e4t"
#   the same as UTF8String:                        both "CN=Ger\u00e4t"
# One would expect that both forms differ in order and escapes only. A program that compares the subject's RFC 2253 text
# with OpenSSL's, or keys a table on it, meets this with certificates of older authorities, which write BMPString
# or TeletexString for names beyond ASCII.
# Exits with 0 while this is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
if ! command -v javac > /dev/null; then
    apt-get install -y -q openjdk-17-jdk-headless > /dev/null
fi
version=$(java --version)
echo "${version%%$'\n'*}"
if ! [[ $version =~ ^openjdk\ 17\.0\.15\  ]]; then
    echo "another version than stated: this is about OpenJDK 17.0.15" >&2
    exit 2
fi
cat > "$folder/Names.java" << 'JAVA'
import java.io.ByteArrayOutputStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import javax.security.auth.x500.X500Principal;

public class Names {
    static byte[] element(int tag, byte[]... parts) {
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            content.writeBytes(part);
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(tag);
        out.write(content.size());
        out.writeBytes(content.toByteArray());
        return out.toByteArray();
    }

    static X500Principal named(int tag, Charset charset) {
        byte[] type = element(0x06, new byte[] {0x55, 4, 3});
        byte[] attribute = element(0x30, type, element(tag, "Ger\u00e4t".getBytes(charset)));
        return new X500Principal(element(0x30, element(0x31, attribute)));
    }

    static void expect(String what, String found, String expected) {
        System.out.println(what + ": " + found.replace("\ufffd", "\\ufffd"));
        if (!found.equals(expected)) {
            System.out.println("  changed: expected " + expected);
            System.exit(1);
        }
    }

    public static void main(String[] arguments) {
        X500Principal utf8 = named(0x0c, StandardCharsets.UTF_8);
        X500Principal teletex = named(0x14, StandardCharsets.ISO_8859_1);
        X500Principal bmp = named(0x1e, StandardCharsets.UTF_16BE);
        expect("UTF8String, RFC2253", utf8.getName(X500Principal.RFC2253), "CN=Ger\u00e4t");
        expect("TeletexString, toString", teletex.toString(), "CN=Ger\u00e4t");
        expect("TeletexString, RFC2253", teletex.getName(X500Principal.RFC2253), "CN=Ger\ufffdt");
        expect("BMPString, toString", bmp.toString(), "CN=Ger\u00e4t");
        expect("BMPString, RFC2253", bmp.getName(X500Principal.RFC2253), "CN=\\00G\\00e\\00r\\00\ufffd\\00t");
    }
}
JAVA
java -Dfile.encoding=UTF-8 "$folder/Names.java"
