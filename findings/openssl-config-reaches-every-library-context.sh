#!/usr/bin/env bash
# A library context of its own (OSSL_LIB_CTX_new) does not keep an SSL_CTX of OpenSSL from the system's openssl.cnf.
#
# Seen with OpenSSL 3.0.19 of Debian 12 (packages openssl, libssl-dev, gcc), installed from there if missing.
# Exits with 2 at another OpenSSL than 3.0.
# A file in OPENSSL_CONF sets `MinProtocol = TLSv1.2` as system_default. The program loads no file, makes a library
# context, loads the default provider into it, and makes an SSL_CTX with SSL_CTX_new_ex:
#   without the file:   minimum 0
#   with the file:      minimum 303
# One would expect 0 both times: the manual of OSSL_LIB_CTX says that a configuration is loaded into a library context
# by OSSL_LIB_CTX_load_config. SSL_CTX_new_ex loads the file of the process, and its TLS part is one for all contexts.
# A library that wants its own settings has to set each of them again on the SSL_CTX.
# Exits with 0 while this is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
if ! command -v gcc openssl > /dev/null || ! [ -e /usr/include/openssl/ssl.h ]; then
    apt-get install -y -q gcc libssl-dev openssl > /dev/null
fi
cd "$folder"
version=$(openssl version)
echo "$version"
if [[ $version != "OpenSSL 3.0."* ]]; then
    echo "another version than stated: this is about OpenSSL 3.0" >&2
    exit 2
fi

cat > strict.cnf << 'END'
openssl_conf = init
[init]
ssl_conf = ssl
[ssl]
system_default = defaults
[defaults]
MinProtocol = TLSv1.2
END
echo > empty.cnf
cat > minimum.c << 'END'
#include <openssl/provider.h>
#include <openssl/ssl.h>
#include <stdio.h>

int main(void)
{
    OSSL_LIB_CTX *library = OSSL_LIB_CTX_new();
    OSSL_PROVIDER_load(library, "default");
    SSL_CTX *context = SSL_CTX_new_ex(library, NULL, TLS_server_method());
    printf("minimum %lx\n", (unsigned long)SSL_CTX_get_min_proto_version(context));
    return 0;
}
END
gcc -o minimum minimum.c -lssl -lcrypto
without=$(OPENSSL_CONF=empty.cnf ./minimum)
with=$(OPENSSL_CONF=strict.cnf ./minimum)
echo "without the file: $without; with it: $with"
[[ $without == "minimum 0" && $with == "minimum 303" ]]
