/* The server's side of TLS by OpenSSL, in its smallest and fastest settings: released buffers, read-ahead. */
#include "side.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <string.h>

static SSL_CTX *context_of(struct side_context *context) { return (SSL_CTX *)context; }
static SSL *conn_of(struct side_conn *conn) { return (SSL *)conn; }

const char *side_library(void) {
    static char name[64];
    snprintf(name, sizeof name, "OpenSSL %s", OpenSSL_version(OPENSSL_VERSION_STRING));
    return name;
}

struct side_context *side_context_new(const struct side_settings *settings) {
    char certificate[512], key[512], ca[512], list[512];
    snprintf(certificate, sizeof certificate, "%s/server.pem", settings->folder);
    snprintf(key, sizeof key, "%s/server.key", settings->folder);
    snprintf(ca, sizeof ca, "%s/ca.pem", settings->folder);
    snprintf(list, sizeof list, "%s/ca.crl", settings->folder);
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    int version = strcmp(settings->version, "TLSv1.3") == 0 ? TLS1_3_VERSION : TLS1_2_VERSION;
    REQUIRE(SSL_CTX_set_min_proto_version(context, version) == 1);
    REQUIRE(SSL_CTX_set_max_proto_version(context, version) == 1);
    REQUIRE(SSL_CTX_use_certificate_chain_file(context, certificate) == 1);
    REQUIRE(SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1);
    REQUIRE(SSL_CTX_set_session_id_context(context, (const unsigned char *)"bench", 5) == 1);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(context, 1);
    /* Sessions are in tickets alone; the cache would keep them in memory. */
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    if (settings->asks_clients) {
        REQUIRE(SSL_CTX_load_verify_file(context, ca) == 1);
        SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(ca));
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    }
    if (settings->has_list) {
        X509_STORE *store = SSL_CTX_get_cert_store(context);
        REQUIRE(X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK) == 1);
        X509_LOOKUP *lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
        REQUIRE(lookup != NULL && X509_load_crl_file(lookup, list, X509_FILETYPE_PEM) > 0);
    }
    return (struct side_context *)context;
}

void side_context_free(struct side_context *context) { SSL_CTX_free(context_of(context)); }

/* The wires of the call in progress. A connection in memory has one small BIO, as one over a socket has. */
static __thread struct side_wire *input_wire, *output_wire;

static int wire_read(BIO *bio, char *buffer, int length) {
    size_t rest = input_wire->length - input_wire->used;
    BIO_clear_retry_flags(bio);
    if (rest == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    size_t taken = rest < (size_t)length ? rest : (size_t)length;
    memcpy(buffer, input_wire->bytes + input_wire->used, taken);
    input_wire->used += taken;
    return (int)taken;
}

static int wire_write(BIO *bio, const char *data, int length) {
    BIO_clear_retry_flags(bio);
    REQUIRE(sizeof output_wire->bytes - output_wire->length >= (size_t)length);
    memcpy(output_wire->bytes + output_wire->length, data, (size_t)length);
    output_wire->length += (size_t)length;
    return length;
}

static long wire_control(BIO *bio, int command, long number, void *pointer) {
    (void)bio, (void)number, (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *wire_method;

/* Runs once, before the threads: contexts are made by the first one. */
__attribute__((constructor)) static void make_wire_method(void) {
    wire_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "wire");
    BIO_meth_set_read(wire_method, wire_read);
    BIO_meth_set_write(wire_method, wire_write);
    BIO_meth_set_ctrl(wire_method, wire_control);
}

struct side_conn *side_accept_in_memory(struct side_context *context) {
    SSL *ssl = SSL_new(context_of(context));
    BIO *bio = BIO_new(wire_method);
    REQUIRE(ssl != NULL && bio != NULL);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    SSL_set_accept_state(ssl);
    return (struct side_conn *)ssl;
}

struct side_conn *side_accept(struct side_context *context, int fd) {
    SSL *ssl = SSL_new(context_of(context));
    REQUIRE(ssl != NULL && SSL_set_fd(ssl, fd) == 1);
    SSL_set_accept_state(ssl);
    return (struct side_conn *)ssl;
}

void side_free(struct side_conn *conn) { SSL_free(conn_of(conn)); }
void side_sleep(struct side_conn *conn) { (void)conn; }
bool side_is_resumed(struct side_conn *conn) { return SSL_session_reused(conn_of(conn)) == 1; }

static enum side_status status_of(SSL *ssl, int result) {
    if (result > 0)
        return SIDE_OK;
    switch (SSL_get_error(ssl, result)) {
    case SSL_ERROR_WANT_READ: return SIDE_WANT_READ;
    case SSL_ERROR_WANT_WRITE: return SIDE_WANT_WRITE;
    default: ERR_clear_error(); return SIDE_ENDED;
    }
}

enum side_status side_handshake(struct side_conn *conn) {
    return status_of(conn_of(conn), SSL_do_handshake(conn_of(conn)));
}

enum side_status side_read(struct side_conn *conn, void *buffer, size_t length, size_t *got) {
    return status_of(conn_of(conn), SSL_read_ex(conn_of(conn), buffer, length, got));
}

enum side_status side_write(struct side_conn *conn, const void *data, size_t length, size_t *written) {
    return status_of(conn_of(conn), SSL_write_ex(conn_of(conn), data, length, written));
}

bool side_has_pending(struct side_conn *conn) { return SSL_has_pending(conn_of(conn)) == 1; }

enum side_status side_move(struct side_conn *conn, struct side_wire *input, struct side_wire *output) {
    input_wire = input;
    output_wire = output;
    int result = SSL_do_handshake(conn_of(conn));
    if (result == 1)
        return SIDE_OK;
    if (SSL_get_error(conn_of(conn), result) != SSL_ERROR_WANT_READ) {
        ERR_print_errors_fp(stderr);
        exit(1);
    }
    return SIDE_WANT_READ;
}

void side_echo(struct side_conn *conn, struct side_wire *input, struct side_wire *output) {
    unsigned char plain[16384];
    size_t got = 0, written = 0;
    input_wire = input;
    output_wire = output;
    REQUIRE(SSL_read_ex(conn_of(conn), plain, sizeof plain, &got) == 1 && input->used == input->length);
    REQUIRE(SSL_write_ex(conn_of(conn), plain, got, &written) == 1 && written == got);
}
