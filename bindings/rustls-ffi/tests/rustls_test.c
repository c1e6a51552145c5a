/* Connections of rustls-ffi with the configurations of a context: two sides in one thread. */
#include "harness.h"

#include <brokertls_rustls.h>

struct sides {
    struct rustls_connection *client, *server;
    int client_fd, server_fd;
};

static int from_socket(void *fd, uint8_t *buffer, size_t length, size_t *count) {
    ssize_t got = recv(*(int *)fd, buffer, length, 0);
    if (got < 0)
        return errno;
    *count = (size_t)got;
    return 0;
}

static int to_socket(void *fd, const uint8_t *buffer, size_t length, size_t *count) {
    ssize_t sent = send(*(int *)fd, buffer, length, MSG_NOSIGNAL);
    if (sent < 0)
        return errno;
    *count = (size_t)sent;
    return 0;
}

/* The configurations are freed before the first byte: a connection keeps what it needs. */
static struct sides sides_of(const btls_context *server, const btls_context *client, const char *host) {
    const struct rustls_server_config *server_config = NULL;
    const struct rustls_client_config *client_config = NULL;
    CHECK_STATUS(btls_context_rustls_server_config(server, &server_config), BTLS_OK);
    CHECK_STATUS(btls_context_rustls_client_config(client, &client_config), BTLS_OK);
    struct sides sides;
    int fds[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    make_nonblocking(fds[0]);
    make_nonblocking(fds[1]);
    sides.client_fd = fds[0];
    sides.server_fd = fds[1];
    CHECK(rustls_server_connection_new(server_config, &sides.server) == RUSTLS_RESULT_OK);
    CHECK(rustls_client_connection_new(client_config, host, &sides.client) == RUSTLS_RESULT_OK);
    rustls_server_config_free(server_config);
    rustls_client_config_free(client_config);
    return sides;
}

static void free_sides(struct sides *sides) {
    rustls_connection_free(sides->client);
    rustls_connection_free(sides->server);
    close(sides->client_fd);
    close(sides->server_fd);
}

/* Moves what there is. Returns the status of a connection that fails. */
static btls_status move(struct rustls_connection *connection, int *fd, btls_error **error, int *moved) {
    size_t count = 0;
    int io = 0;
    while (rustls_connection_wants_write(connection) &&
           rustls_connection_write_tls(connection, to_socket, fd, &count) == 0)
        *moved = 1;
    while (rustls_connection_wants_read(connection) &&
           (io = rustls_connection_read_tls(connection, from_socket, fd, &count)) == 0 && count > 0) {
        *moved = 1;
        if (rustls_connection_process_new_packets(connection) != RUSTLS_RESULT_OK) {
            btls_status status = btls_rustls_error(connection, error);
            CHECK(status != BTLS_OK);
            /* The alert. */
            while (rustls_connection_wants_write(connection) &&
                   rustls_connection_write_tls(connection, to_socket, fd, &count) == 0)
                ;
            return status;
        }
    }
    return BTLS_OK;
}

struct ended {
    btls_status client, server;
    btls_error *client_error, *server_error;
};

static struct ended shake_sides(struct sides *sides) {
    struct ended ended = {BTLS_OK, BTLS_OK, NULL, NULL};
    for (int moved = 1; moved;) {
        moved = 0;
        if (ended.client == BTLS_OK)
            ended.client = move(sides->client, &sides->client_fd, &ended.client_error, &moved);
        if (ended.server == BTLS_OK)
            ended.server = move(sides->server, &sides->server_fd, &ended.server_error, &moved);
    }
    return ended;
}

static void free_errors(struct ended *ended) {
    btls_error_free(ended->client_error);
    btls_error_free(ended->server_error);
}

static struct sides connect_sides(const btls_context *server, const btls_context *client) {
    struct sides sides = sides_of(server, client, "localhost");
    struct ended ended = shake_sides(&sides);
    check_status(ended.server, BTLS_OK, ended.server_error, __FILE__, __LINE__, "the server's handshake");
    check_status(ended.client, BTLS_OK, ended.client_error, __FILE__, __LINE__, "the client's handshake");
    CHECK(!rustls_connection_is_handshaking(sides.client) && !rustls_connection_is_handshaking(sides.server));
    btls_error *error = (btls_error *)&sides;
    CHECK_STATUS(btls_rustls_error(sides.server, &error), BTLS_OK);
    CHECK(error == NULL);
    return sides;
}

static void say(struct rustls_connection *from, int *from_fd, struct rustls_connection *to, int *to_fd,
                const char *text) {
    size_t count = 0;
    int moved = 0;
    CHECK(rustls_connection_write(from, (const uint8_t *)text, strlen(text), &count) == RUSTLS_RESULT_OK);
    CHECK(count == strlen(text));
    CHECK_STATUS(move(from, from_fd, NULL, &moved), BTLS_OK);
    CHECK_STATUS(move(to, to_fd, NULL, &moved), BTLS_OK);
    char read[64];
    CHECK(rustls_connection_read(to, (uint8_t *)read, sizeof read, &count) == RUSTLS_RESULT_OK);
    CHECK(count == strlen(text) && memcmp(read, text, count) == 0);
}

/* A server with an identity and trust in Java keystores. */
static btls_context *java_server(const char *crl) {
    btls_builder *builder = btls_builder_new();
    const char *store = fixture("server.jks"), *trust = fixture("trust.jks");
    CHECK_BUILDER(builder, btls_builder_identity_file(builder, store, NULL, NULL, "password", "keypassword"), BTLS_OK);
    CHECK_BUILDER(builder, btls_builder_trust_file(builder, trust, "password"), BTLS_OK);
    CHECK_BUILDER(builder, btls_builder_client_auth(builder, BTLS_CLIENT_AUTH_NEED), BTLS_OK);
    if (crl != NULL)
        CHECK_BUILDER(builder, btls_builder_crl_file(builder, fixture(crl)), BTLS_OK);
    return build(builder);
}

static void client_with_a_certificate_is_served_from_java_keystores(void) {
    btls_context *server = java_server(NULL), *client = context_with("client", "ca.pem");
    struct sides sides = connect_sides(server, client);
    const struct rustls_certificate *peer = rustls_connection_get_peer_certificate(sides.server, 0);
    const uint8_t *der = NULL;
    size_t length = 0;
    CHECK(rustls_certificate_get_der(peer, &der, &length) == RUSTLS_RESULT_OK);
    btls_certificate *parsed = NULL;
    CHECK_STATUS(btls_certificate_parse(der, length, &parsed), BTLS_OK);
    CHECK_TEXT(btls_certificate_common_name(parsed), "device-7");
    btls_certificate_free(parsed);
    CHECK(rustls_connection_get_protocol_version(sides.server) == 0x0304);
    say(sides.client, &sides.client_fd, sides.server, &sides.server_fd, "a message");
    say(sides.server, &sides.server_fd, sides.client, &sides.client_fd, "and its answer");
    free_sides(&sides);
    btls_context_free(server);
    btls_context_free(client);
}

static void revoked_client_is_refused_with_its_reason(void) {
    btls_context *server = java_server("ca.crl"), *good = context_with("client", "ca.pem");
    btls_context *revoked = context_with("revoked", "ca.pem");
    struct sides sides = sides_of(server, revoked, "localhost");
    struct ended ended = shake_sides(&sides);
    CHECK_STATUS(ended.server, BTLS_CERT_REVOKED);
    CHECK_HOLDS(btls_error_message(ended.server_error), "device-8");
    CHECK(strlen(btls_error_hint(ended.server_error)) > 0);
    CHECK_STATUS(ended.client, BTLS_ALERT_CERTIFICATE_REVOKED);
    free_errors(&ended);
    free_sides(&sides);
    sides = connect_sides(server, good);
    free_sides(&sides);
    btls_context_free(server);
    btls_context_free(good);
    btls_context_free(revoked);
}

static void peers_that_are_refused_are_told_why_on_both_sides(void) {
    btls_context *server = java_server(NULL);
    struct {
        const char *name, *ca, *host;
        btls_status at_server, at_client;
    } cases[] = {
        {"stranger", "ca.pem", "localhost", BTLS_CERT_UNKNOWN_ISSUER, BTLS_ALERT_UNKNOWN_CA},
        {NULL, "ca.pem", "localhost", BTLS_CERT_MISSING, BTLS_ALERT_CERTIFICATE_REQUIRED},
        {"client", "other-ca.pem", "localhost", BTLS_ALERT_UNKNOWN_CA, BTLS_CERT_UNKNOWN_ISSUER},
        {"client", "ca.pem", "elsewhere.example", BTLS_ALERT_BAD_CERTIFICATE, BTLS_CERT_NAME_MISMATCH},
    };
    for (size_t at = 0; at < sizeof cases / sizeof cases[0]; at++) {
        btls_context *client = context_with(cases[at].name, cases[at].ca);
        struct sides sides = sides_of(server, client, cases[at].host);
        struct ended ended = shake_sides(&sides);
        CHECK_STATUS(ended.server, cases[at].at_server);
        CHECK_STATUS(ended.client, cases[at].at_client);
        free_errors(&ended);
        free_sides(&sides);
        btls_context_free(client);
    }
    btls_context_free(server);
}

static void each_name_gets_its_identity(void) {
    btls_builder *builder = builder_with("server", NULL);
    const char *certificate = fixture("admin.pem"), *key = fixture("admin.key");
    CHECK_BUILDER(builder, btls_builder_identity_file(builder, certificate, key, NULL, NULL, NULL), BTLS_OK);
    btls_context *server = build(builder), *client = context_with(NULL, "ca.pem");
    const char *names[] = {"admin.example", "broker.example"};
    for (int at = 0; at < 2; at++) {
        struct sides sides = sides_of(server, client, names[at]);
        struct ended ended = shake_sides(&sides);
        check_status(ended.client, BTLS_OK, ended.client_error, __FILE__, __LINE__, names[at]);
        free_sides(&sides);
    }
    btls_context_free(server);
    btls_context_free(client);
}

static void sessions_are_resumed_with_the_configurations_of_a_generation(void) {
    const char *versions[] = {"TLSv1.2", "TLSv1.3"};
    for (int at = 0; at < 2; at++) {
        btls_builder *builder = builder_with("client", "ca.pem");
        CHECK_BUILDER(builder, btls_builder_versions(builder, versions[at]), BTLS_OK);
        btls_context *server = java_server(NULL), *client = build(builder);
        for (int turn = 0; turn < 3; turn++) {
            struct sides sides = connect_sides(server, client);
            rustls_handshake_kind kind = rustls_connection_handshake_kind(sides.server);
            CHECK((kind == RUSTLS_HANDSHAKE_KIND_RESUMED) == (turn > 0));
            free_sides(&sides);
        }
        btls_context_free(server);
        btls_context_free(client);
    }
}

static void connection_of_rustls_speaks_to_one_of_this_library(void) {
    btls_context *server = java_server(NULL), *client = context_with("client", "ca.pem");
    struct sides sides = sides_of(server, client, "localhost");
    btls_conn *own = NULL;
    CHECK_STATUS(btls_conn_new_client(client, "localhost", NULL, &own, NULL), BTLS_OK);
    CHECK_STATUS(btls_conn_set_fd(own, sides.client_fd, sides.client_fd), BTLS_OK);
    int moved = 0;
    btls_status status = BTLS_WANT_READ;
    for (int turns = 0; waits(status); turns++) {
        CHECK(turns < 1000);
        status = step(own);
        CHECK_STATUS(move(sides.server, &sides.server_fd, NULL, &moved), BTLS_OK);
    }
    CHECK_CONN(own, status, BTLS_OK);
    write_all(own, "hello", 5);
    CHECK_STATUS(move(sides.server, &sides.server_fd, NULL, &moved), BTLS_OK);
    uint8_t read[16];
    size_t count = 0;
    CHECK(rustls_connection_read(sides.server, read, sizeof read, &count) == RUSTLS_RESULT_OK && count == 5);
    btls_conn_free(own);
    free_sides(&sides);
    btls_context_free(server);
    btls_context_free(client);
}

static void settings_that_rustls_cannot_have_are_refused_by_name(void) {
    const struct rustls_server_config *config = NULL;
    btls_builder *builder = builder_with("server", "ca.pem");
    CHECK_BUILDER(builder, btls_builder_set(builder, "fetch", "yes"), BTLS_OK);
    btls_context *context = build(builder);
    CHECK_STATUS(btls_context_rustls_server_config(context, &config), BTLS_OPTION_CONFLICT);
    CHECK(config == NULL);
    btls_error *error = btls_context_error(context);
    CHECK_HOLDS(btls_error_message(error), "fetch");
    btls_error_free(error);
    CHECK_STATUS(btls_context_rustls_server_config_known_only(context, &config), BTLS_OK);
    rustls_server_config_free(config);
    const struct rustls_client_config *client = NULL;
    CHECK_STATUS(btls_context_rustls_client_config(context, &client), BTLS_OPTION_CONFLICT);
    CHECK_STATUS(btls_context_rustls_client_config_known_only(context, &client), BTLS_OK);
    rustls_client_config_free(client);
    btls_context_free(context);
    context = context_with(NULL, "ca.pem");
    CHECK_STATUS(btls_context_rustls_server_config(context, &config), BTLS_NO_IDENTITY);
    btls_context_free(context);
}

static void reload_makes_another_generation(void) {
    btls_context *context = java_server(NULL);
    uint64_t before = 0, after = 0;
    CHECK_STATUS(btls_context_generation(context, &before), BTLS_OK);
    const struct rustls_server_config *first = NULL, *again = NULL, *second = NULL;
    CHECK_STATUS(btls_context_rustls_server_config(context, &first), BTLS_OK);
    CHECK_STATUS(btls_context_rustls_server_config(context, &again), BTLS_OK);
    CHECK(first == again);
    CHECK_STATUS(btls_context_reload(context), BTLS_OK);
    CHECK_STATUS(btls_context_generation(context, &after), BTLS_OK);
    CHECK(after > before);
    CHECK_STATUS(btls_context_rustls_server_config(context, &second), BTLS_OK);
    CHECK(second != first);
    rustls_server_config_free(first);
    rustls_server_config_free(again);
    rustls_server_config_free(second);
    btls_context_free(context);
}

static void configuration_outlives_its_context(void) {
    btls_context *server = java_server(NULL), *client = context_with("client", "ca.pem");
    struct sides sides = sides_of(server, client, "localhost");
    btls_context_free(server);
    btls_context_free(client);
    struct ended ended = shake_sides(&sides);
    CHECK_STATUS(ended.client, BTLS_OK);
    CHECK_STATUS(ended.server, BTLS_OK);
    free_sides(&sides);
}

static void null_is_refused_and_never_followed(void) {
    btls_context *context = java_server(NULL);
    const struct rustls_server_config *config = NULL;
    CHECK_STATUS(btls_context_rustls_server_config(NULL, &config), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_context_rustls_server_config(context, NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_context_rustls_client_config(context, NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_context_generation(context, NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_rustls_error(NULL, NULL), BTLS_NULL_POINTER);
    btls_context_free(context);
}

int main(void) {
    RUN(client_with_a_certificate_is_served_from_java_keystores);
    RUN(revoked_client_is_refused_with_its_reason);
    RUN(peers_that_are_refused_are_told_why_on_both_sides);
    RUN(each_name_gets_its_identity);
    RUN(sessions_are_resumed_with_the_configurations_of_a_generation);
    RUN(connection_of_rustls_speaks_to_one_of_this_library);
    RUN(settings_that_rustls_cannot_have_are_refused_by_name);
    RUN(reload_makes_another_generation);
    RUN(configuration_outlives_its_context);
    RUN(null_is_refused_and_never_followed);
    return 0;
}
