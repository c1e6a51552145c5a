/* Handshakes of a server for old and PSK clients: the C API with the second engine, beside the same OpenSSL called
 * directly; then modern clients at a context with the second engine, beside one without.
 *
 * The client is OpenSSL's in memory. The clock is that of the thread's processor time, and runs for the server alone:
 * from the making of its connection to the freeing. The two sides take turns, a handshake each, and a figure is the
 * median of the rounds.
 *
 * Both do the same work: no session is resumed, no certificate is asked for, and no buffer of records is held between
 * two calls. Beyond that, brokertls reads the ClientHello to choose the engine. It also makes the secret of an unknown
 * identity for each identity, so that the time does not say which are known.
 *
 * Arguments: a folder with the certificates (rsa.pem, rsa.key, ec.pem, ec.key) and init.psk. `make bench-legacy` makes
 * them. */
#define _GNU_SOURCE

#include <brokertls.h>
#include <openssl/ssl.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Odd, so that the median is one of them. */
#define ROUNDS 15

static const unsigned char secret[] = {0x8c, 0x70, 0x11, 0x16, 0xe9, 0x12, 0x7c, 0x57,
                                       0xa9, 0x9d, 0x55, 0x63, 0x70, 0x9a, 0xf3, 0xde};

static void expect(int holds, const char *what) {
    if (!holds) {
        fprintf(stderr, "not so: %s\n", what);
        exit(1);
    }
}
#define EXPECT(condition) expect((condition) ? 1 : 0, #condition)

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* A kind of handshake. */
struct row {
    const char *name;
    int version;
    const char *suite;
    /* The name of the certificate; NULL for none. */
    const char *identity;
    int handshakes;
};

/* Two ways to serve it: the first is measured, the second is what it is divided by. */
struct server {
    SSL_CTX *openssl;
    btls_context *brokertls;
};

static unsigned int client_psk(SSL *ssl, const char *hint, char *identity, unsigned int most, unsigned char *psk,
                               unsigned int size) {
    (void)ssl, (void)hint;
    EXPECT(most > 9 && size >= sizeof secret);
    strcpy(identity, "device-7");
    memcpy(psk, secret, sizeof secret);
    return sizeof secret;
}

static unsigned int server_psk(SSL *ssl, const char *identity, unsigned char *psk, unsigned int size) {
    (void)ssl;
    EXPECT(strcmp(identity, "device-7") == 0 && size >= sizeof secret);
    memcpy(psk, secret, sizeof secret);
    return sizeof secret;
}

static SSL_CTX *openssl_of(const struct row *row, const char *folder, int is_server) {
    char certificate[512], key[512];
    SSL_CTX *context = SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method());
    EXPECT(context != NULL);
    SSL_CTX_set_security_level(context, 0);
    EXPECT(SSL_CTX_set_min_proto_version(context, row->version));
    EXPECT(SSL_CTX_set_max_proto_version(context, row->version));
    if (row->version < TLS1_3_VERSION)
        EXPECT(SSL_CTX_set_cipher_list(context, row->suite));
    else
        EXPECT(SSL_CTX_set_ciphersuites(context, row->suite));
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    EXPECT(SSL_CTX_set1_groups_list(context, "X25519:P-256"));
    if (row->identity == NULL && is_server)
        SSL_CTX_set_psk_server_callback(context, server_psk);
    if (row->identity == NULL && !is_server)
        SSL_CTX_set_psk_client_callback(context, client_psk);
    if (row->identity != NULL && is_server) {
        snprintf(certificate, sizeof certificate, "%s/%s.pem", folder, row->identity);
        snprintf(key, sizeof key, "%s/%s.key", folder, row->identity);
        EXPECT(SSL_CTX_use_certificate_chain_file(context, certificate));
        EXPECT(SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM));
    }
    return context;
}

static btls_context *brokertls_of(const struct row *row, const char *folder, int has_second) {
    char certificate[512], key[512], keys[512];
    btls_context *context = NULL;
    btls_builder *builder = btls_builder_new();
    if (row->identity != NULL) {
        snprintf(certificate, sizeof certificate, "%s/%s.pem", folder, row->identity);
        snprintf(key, sizeof key, "%s/%s.key", folder, row->identity);
        EXPECT(btls_builder_identity_file(builder, certificate, key, NULL, NULL, NULL) == BTLS_OK);
    }
    EXPECT(btls_builder_resumption(builder, false) == BTLS_OK);
    if (has_second) {
        snprintf(keys, sizeof keys, "%s/init.psk", folder);
        EXPECT(btls_builder_set(builder, "legacy-engine", "yes") == BTLS_OK);
        EXPECT(btls_builder_set(builder, "psk-file", keys) == BTLS_OK);
        EXPECT(btls_builder_versions(builder, "TLSv1.3,TLSv1.2,TLSv1.1,TLSv1") == BTLS_OK);
    }
    if (btls_builder_build(builder, &context) != BTLS_OK) {
        fprintf(stderr, "%s\n", btls_error_message(btls_builder_error(builder)));
        exit(1);
    }
    btls_builder_free(builder);
    return context;
}

/* Bytes on their way to one side. */
struct way {
    unsigned char bytes[1 << 16];
    size_t length;
};

static struct way to_server, to_client;

/* Takes what a BIO has. */
static void drain(BIO *from, struct way *to) {
    int count;
    while ((count = BIO_read(from, to->bytes + to->length, (int)(sizeof to->bytes - to->length))) > 0)
        to->length += (size_t)count;
}

static void feed(BIO *to, struct way *from) {
    EXPECT(from->length == 0 || BIO_write(to, from->bytes, (int)from->length) == (int)from->length);
    from->length = 0;
}

static int openssl_step(SSL *ssl, struct way *in, struct way *out) {
    feed(SSL_get_rbio(ssl), in);
    int done = SSL_do_handshake(ssl);
    EXPECT(done == 1 || SSL_get_error(ssl, done) == SSL_ERROR_WANT_READ);
    drain(SSL_get_wbio(ssl), out);
    return done == 1;
}

static SSL *openssl_side(SSL_CTX *context) {
    SSL *ssl = SSL_new(context);
    EXPECT(ssl != NULL);
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    return ssl;
}

static int brokertls_step(btls_conn *conn, struct way *in, struct way *out) {
    static unsigned char plain[BTLS_MAX_PLAINTEXT_BYTES];
    size_t used = 0, consumed, produced;
    do {
        btls_status status =
            btls_conn_unwrap(conn, in->bytes + used, in->length - used, plain, sizeof plain, &consumed, &produced);
        EXPECT(status < 100 && produced == 0);
        used += consumed;
    } while (consumed > 0 && used < in->length);
    do {
        EXPECT(btls_conn_wrap(conn, NULL, 0, out->bytes + out->length, sizeof out->bytes - out->length, &consumed,
                              &produced) < 100);
        out->length += produced;
    } while (produced > 0);
    memmove(in->bytes, in->bytes + used, in->length - used);
    in->length -= used;
    return !btls_conn_is_handshaking(conn);
}

/* The server's time for one handshake. */
static double handshake(SSL_CTX *clients, const struct server *server) {
    SSL *client = openssl_side(clients), *theirs = NULL;
    btls_conn *ours = NULL;
    int client_done = 0, server_done = 0;
    SSL_set_connect_state(client);
    to_server.length = to_client.length = 0;
    double start = now();
    if (server->openssl != NULL) {
        theirs = openssl_side(server->openssl);
        SSL_set_accept_state(theirs);
    } else {
        EXPECT(btls_conn_new_server(server->brokertls, NULL, &ours, NULL) == BTLS_OK);
    }
    double spent = now() - start;
    for (int turn = 0; !client_done || !server_done; turn++) {
        EXPECT(turn < 20);
        client_done = openssl_step(client, &to_client, &to_server);
        start = now();
        server_done = theirs != NULL ? openssl_step(theirs, &to_server, &to_client)
                                     : brokertls_step(ours, &to_server, &to_client);
        spent += now() - start;
    }
    start = now();
    SSL_free(theirs);
    btls_conn_free(ours);
    spent += now() - start;
    SSL_free(client);
    return spent;
}

static int ascending(const void *one, const void *other) {
    double difference = *(const double *)one - *(const double *)other;
    return (difference > 0) - (difference < 0);
}

static void measure(const struct row *row, SSL_CTX *clients, const struct server servers[2]) {
    double times[2][ROUNDS], ratios[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        double sums[2] = {0, 0};
        for (int turn = 0; turn < row->handshakes; turn++)
            for (int side = 0; side < 2; side++)
                sums[side] += handshake(clients, &servers[side]);
        for (int side = 0; side < 2; side++)
            times[side][round] = sums[side] / row->handshakes;
        ratios[round] = sums[1] / sums[0];
    }
    for (int side = 0; side < 2; side++)
        qsort(times[side], ROUNDS, sizeof(double), ascending);
    qsort(ratios, ROUNDS, sizeof(double), ascending);
    printf("%-56s%10.0f /s%10.0f /s%8.2f\n", row->name, 1e9 / times[0][ROUNDS / 2], 1e9 / times[1][ROUNDS / 2],
           ratios[ROUNDS / 2]);
    fflush(stdout);
}

int main(int count, char **arguments) {
    static const struct row old[] = {
        {"TLS 1.2, PSK-AES128-GCM-SHA256", TLS1_2_VERSION, "PSK-AES128-GCM-SHA256", NULL, 400},
        {"TLS 1.2, ECDHE-PSK-AES128-CBC-SHA256", TLS1_2_VERSION, "ECDHE-PSK-AES128-CBC-SHA256", NULL, 200},
        {"TLS 1.0, ECDHE-RSA-AES128-SHA, RSA-2048", TLS1_VERSION, "ECDHE-RSA-AES128-SHA", "rsa", 40},
        {"TLS 1.0, ECDHE-ECDSA-AES128-SHA, P-256", TLS1_VERSION, "ECDHE-ECDSA-AES128-SHA", "ec", 200},
    };
    static const struct row modern[] = {
        {"TLS 1.3, X25519, P-256", TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256", "ec", 200},
        {"TLS 1.2, ECDHE-ECDSA-AES128-GCM-SHA256", TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256", "ec", 200},
    };
    EXPECT(count == 2);
    printf("brokertls %s, %s; handshakes of a server, of one core: processor time, median of %d rounds\n",
           btls_version(), OpenSSL_version(OPENSSL_VERSION), ROUNDS);
    printf("%-56s%13s%13s%8s\n", "old and PSK clients, beside OpenSSL called directly", "brokertls", "OpenSSL", "ratio");
    for (size_t at = 0; at < sizeof old / sizeof *old; at++) {
        SSL_CTX *clients = openssl_of(&old[at], arguments[1], 0);
        const struct server servers[] = {{NULL, brokertls_of(&old[at], arguments[1], 1)},
                                         {openssl_of(&old[at], arguments[1], 1), NULL}};
        measure(&old[at], clients, servers);
        btls_context_free(servers[0].brokertls);
        SSL_CTX_free(servers[1].openssl);
        SSL_CTX_free(clients);
    }
    printf("%-56s%13s%13s%8s\n", "modern clients, with the second engine and without", "with", "without", "ratio");
    for (size_t at = 0; at < sizeof modern / sizeof *modern; at++) {
        SSL_CTX *clients = openssl_of(&modern[at], arguments[1], 0);
        const struct server servers[] = {{NULL, brokertls_of(&modern[at], arguments[1], 1)},
                                         {NULL, brokertls_of(&modern[at], arguments[1], 0)}};
        measure(&modern[at], clients, servers);
        btls_context_free(servers[0].brokertls);
        btls_context_free(servers[1].brokertls);
        SSL_CTX_free(clients);
    }
    return 0;
}
