/* The server's side of TLS by this library, through its installed header. */
#include "side.h"

#include <brokertls.h>
#include <string.h>

/* Ends the program with the error of an object if a call on it has failed. */
#define SUCCEED(call, error)                                                                                           \
    do {                                                                                                               \
        btls_status status_ = (call);                                                                                  \
        if (status_ != BTLS_OK) {                                                                                      \
            fprintf(stderr, "%s: %s: %s\n", #call, btls_status_name(status_), btls_error_message(error));              \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

static btls_context *context_of(struct side_context *context) { return (btls_context *)context; }
static btls_conn *conn_of(struct side_conn *conn) { return (btls_conn *)conn; }

const char *side_library(void) {
    static char name[64];
    snprintf(name, sizeof name, "brokertls %s", btls_version());
    return name;
}

struct side_context *side_context_new(const struct side_settings *settings) {
    char certificate[512], key[512], ca[512], list[512];
    snprintf(certificate, sizeof certificate, "%s/server.pem", settings->folder);
    snprintf(key, sizeof key, "%s/server.key", settings->folder);
    snprintf(ca, sizeof ca, "%s/ca.pem", settings->folder);
    snprintf(list, sizeof list, "%s/ca.crl", settings->folder);
    btls_builder *builder = btls_builder_new();
    const btls_error *error = NULL;
    SUCCEED(btls_builder_identity_file(builder, certificate, key, NULL, NULL, NULL), btls_builder_error(builder));
    SUCCEED(btls_builder_versions(builder, settings->version), error);
    SUCCEED(btls_builder_log_refusals(builder, false), error);
    if (settings->asks_clients) {
        SUCCEED(btls_builder_trust_file(builder, ca, NULL), btls_builder_error(builder));
        SUCCEED(btls_builder_client_auth(builder, BTLS_CLIENT_AUTH_NEED), error);
    }
    if (settings->has_list)
        SUCCEED(btls_builder_crl_file(builder, list), btls_builder_error(builder));
    btls_context *context = NULL;
    SUCCEED(btls_builder_build(builder, &context), btls_builder_error(builder));
    btls_builder_free(builder);
    return (struct side_context *)context;
}

void side_context_free(struct side_context *context) { btls_context_free(context_of(context)); }

struct side_conn *side_accept_in_memory(struct side_context *context) {
    btls_conn *conn = NULL;
    REQUIRE(btls_conn_new_server(context_of(context), NULL, &conn, NULL) == BTLS_OK);
    return (struct side_conn *)conn;
}

struct side_conn *side_accept(struct side_context *context, int fd) {
    struct side_conn *conn = side_accept_in_memory(context);
    REQUIRE(btls_conn_set_fd(conn_of(conn), fd, fd) == BTLS_OK);
    return conn;
}

void side_free(struct side_conn *conn) { btls_conn_free(conn_of(conn)); }
void side_sleep(struct side_conn *conn) { REQUIRE(btls_conn_sleep(conn_of(conn)) == BTLS_OK); }
bool side_is_resumed(struct side_conn *conn) { return btls_conn_is_resumed(conn_of(conn)); }

static enum side_status status_of(btls_status status) {
    switch (status) {
    case BTLS_OK: return SIDE_OK;
    case BTLS_WANT_READ: return SIDE_WANT_READ;
    case BTLS_WANT_WRITE: return SIDE_WANT_WRITE;
    default: return SIDE_ENDED;
    }
}

enum side_status side_handshake(struct side_conn *conn) { return status_of(btls_conn_handshake(conn_of(conn))); }

enum side_status side_read(struct side_conn *conn, void *buffer, size_t length, size_t *got) {
    return status_of(btls_conn_read(conn_of(conn), buffer, length, got));
}

enum side_status side_write(struct side_conn *conn, const void *data, size_t length, size_t *written) {
    return status_of(btls_conn_write(conn_of(conn), data, length, written));
}

bool side_has_pending(struct side_conn *conn) {
    size_t pending = 0;
    return btls_conn_pending(conn_of(conn), &pending) == BTLS_OK && pending > 0;
}

/* Appends one output of btls_conn_wrap. */
static btls_status wrap(btls_conn *conn, const void *plain, size_t length, struct side_wire *output) {
    size_t consumed = 0, produced = 0;
    REQUIRE(sizeof output->bytes - output->length >= BTLS_MAX_RECORD_BYTES);
    btls_status status = btls_conn_wrap(conn, plain, length, output->bytes + output->length, BTLS_MAX_RECORD_BYTES,
                                        &consumed, &produced);
    REQUIRE(status < 100 && consumed == length);
    output->length += produced;
    return status;
}

enum side_status side_move(struct side_conn *server, struct side_wire *input, struct side_wire *output) {
    btls_conn *conn = conn_of(server);
    for (;;) {
        size_t consumed = 0, produced = 0, length = input->length - input->used;
        btls_status status =
            btls_conn_unwrap(conn, input->bytes + input->used, length, NULL, 0, &consumed, &produced);
        input->used += consumed;
        if (status == BTLS_WANT_WRITE) {
            while (wrap(conn, NULL, 0, output) == BTLS_WANT_WRITE) {
            }
        } else if (status == BTLS_WANT_READ && consumed == 0) {
            REQUIRE(input->used == input->length);
            return btls_conn_is_handshaking(conn) ? SIDE_WANT_READ : SIDE_OK;
        } else {
            REQUIRE(status == BTLS_OK || status == BTLS_WANT_READ);
        }
    }
}

void side_echo(struct side_conn *server, struct side_wire *input, struct side_wire *output) {
    unsigned char plain[BTLS_MAX_PLAINTEXT_BYTES];
    size_t consumed = 0, produced = 0;
    REQUIRE(btls_conn_unwrap(conn_of(server), input->bytes + input->used, input->length - input->used, plain,
                             sizeof plain, &consumed, &produced) == BTLS_OK);
    input->used += consumed;
    REQUIRE(produced > 0 && input->used == input->length);
    REQUIRE(wrap(conn_of(server), plain, produced, output) == BTLS_OK);
}
