#!/usr/bin/env bash
# SSL_OP_CLEANSE_PLAINTEXT with SSL_MODE_RELEASE_BUFFERS wipes 17 KiB for each record that is read, however short it is.
#
# Seen with OpenSSL 3.0.19 of Debian 12 (packages gcc, libssl-dev), installed from there if missing.
# Exits with 2 at another OpenSSL than 3.0.
# The program fills new memory with ones. A server reads a record of one byte, and OpenSSL frees its buffer:
#   released buffers alone:            most bytes of it are as they were
#   released, and plaintext cleansed:  all 16 KiB of it are zero
# One would expect the one byte to be wiped, and no more: the manual says that data is cleansed after passing it to the
# application. That is so without the mode. With it, the wiping takes longer than the opening of a short record; to free
# the buffers by SSL_free_buffers while the option is off costs nothing, and leaves no plaintext.
# Exits with 0 while this is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
if ! command -v gcc > /dev/null || ! [ -e /usr/include/openssl/ssl.h ]; then
    apt-get install -y -q gcc libssl-dev > /dev/null
fi
cd "$folder"

cat > wiped.c << 'END'
#include <openssl/ssl.h>

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of the buffer of records that OpenSSL has freed, and those of them that are zero. */
static size_t freed, zeros;
static int is_watched;

static void *make(size_t size, const char *file, int line) {
    (void)file, (void)line;
    void *made = malloc(size);
    return made != NULL ? memset(made, 0xff, malloc_usable_size(made)) : NULL;
}

static void *change(void *memory, size_t size, const char *file, int line) {
    (void)file, (void)line;
    return realloc(memory, size);
}

static void drop(void *memory, const char *file, int line) {
    (void)file, (void)line;
    if (is_watched && memory != NULL && malloc_usable_size(memory) > 16384) {
        freed = malloc_usable_size(memory);
        zeros = 0;
        for (size_t at = 0; at < freed; at++)
            zeros += ((unsigned char *)memory)[at] == 0;
    }
    free(memory);
}

static unsigned client_key(SSL *ssl, const char *hint, char *name, unsigned most, unsigned char *key, unsigned room) {
    (void)ssl, (void)hint, (void)most, (void)room;
    strcpy(name, "device");
    return memset(key, 7, 16) != NULL ? 16 : 0;
}

static unsigned server_key(SSL *ssl, const char *name, unsigned char *key, unsigned room) {
    (void)ssl, (void)name, (void)room;
    return memset(key, 7, 16) != NULL ? 16 : 0;
}

static SSL *side(const SSL_METHOD *method, unsigned long options) {
    SSL_CTX *context = SSL_CTX_new(method);
    SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(context, "PSK-AES128-GCM-SHA256");
    SSL_CTX_set_psk_client_callback(context, client_key);
    SSL_CTX_set_psk_server_callback(context, server_key);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_options(context, options);
    return SSL_new(context);
}

static void look(const char *what, unsigned long options) {
    SSL *client = side(TLS_client_method(), 0), *server = side(TLS_server_method(), options);
    BIO *one, *other;
    char byte = 'x';
    BIO_new_bio_pair(&one, 0, &other, 0);
    SSL_set_bio(client, one, one);
    SSL_set_bio(server, other, other);
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    for (int turn = 0; turn < 5; turn++)
        SSL_do_handshake(client), SSL_do_handshake(server);
    SSL_write(client, &byte, 1);
    is_watched = 1;
    int count = SSL_read(server, &byte, 1);
    is_watched = 0;
    printf("%s: %d byte read, %s\n", what, count, freed < 16384 ? "nothing freed"
           : zeros >= 16384 ? "16 KiB wiped" : "most bytes are as they were");
}

int main(void) {
    CRYPTO_set_mem_functions(make, change, drop);
    puts(OpenSSL_version(OPENSSL_VERSION));
    look("released buffers alone", 0);
    look("released, and plaintext cleansed", SSL_OP_CLEANSE_PLAINTEXT);
    return OPENSSL_VERSION_MAJOR == 3 && OPENSSL_VERSION_MINOR == 0 ? 0 : 2;
}
END
gcc -o wiped wiped.c -lssl -lcrypto
if ! found=$(./wiped); then
    echo "another version than stated: this is about OpenSSL 3.0" >&2
    exit 2
fi
echo "$found"
[ "$(tail -n 2 <<< "$found")" = "released buffers alone: 1 byte read, most bytes are as they were
released, and plaintext cleansed: 1 byte read, 16 KiB wiped" ]
