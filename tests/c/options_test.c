/* Settings of one connection: btls_conn_options. */
#include "harness.h"

/* The peer that a verify callback was asked about last. */
struct asked {
    int count;
    void *conn_user;
    uint64_t conn_id;
};

static btls_verify_decision ask(void *user, btls_verify_request *request) {
    struct asked *asked = (struct asked *)user;
    asked->count++;
    asked->conn_user = btls_verify_request_conn_user(request);
    asked->conn_id = btls_verify_request_conn_id(request);
    return BTLS_VERIFY_ACCEPT;
}

/* Neither of the two, which refuses. */
static btls_verify_decision answer_beside(void *user, btls_verify_request *request) {
    int32_t number = -7;
    btls_verify_decision decision;
    (void)user, (void)request;
    memcpy(&decision, &number, sizeof decision);
    return decision;
}

static btls_conn_options *options_with(btls_client_auth client_auth, void *user) {
    btls_conn_options *options = btls_conn_options_new();
    CHECK_STATUS(btls_conn_options_client_auth(options, client_auth), BTLS_OK);
    CHECK_STATUS(btls_conn_options_user(options, user), BTLS_OK);
    return options;
}

/* Two sides, each with options or NULL, before their handshake. */
static struct pair pair_with(const btls_context *server, const btls_conn_options *at_server, const btls_context *client,
                             const btls_conn_options *at_client) {
    struct pair pair;
    int fds[2];
    btls_error *error = NULL;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    make_nonblocking(fds[0]);
    make_nonblocking(fds[1]);
    pair.client_fd = fds[0];
    pair.server_fd = fds[1];
    CHECK_STATUS(btls_conn_new_server(server, at_server, &pair.server, &error), BTLS_OK);
    CHECK_STATUS(btls_conn_new_client(client, "localhost", at_client, &pair.client, &error), BTLS_OK);
    CHECK_STATUS(btls_conn_set_fd(pair.server, fds[1], fds[1]), BTLS_OK);
    CHECK_STATUS(btls_conn_set_fd(pair.client, fds[0], fds[0]), BTLS_OK);
    return pair;
}

static void client_auth_of_a_connection_is_its_own(void) {
    btls_context *server = context_with("server", "ca.pem");
    btls_context *known = context_with("client", "ca.pem"), *bare = context_with(NULL, "ca.pem");
    btls_conn_options *need = options_with(BTLS_CLIENT_AUTH_NEED, NULL), *none = options_with(BTLS_CLIENT_AUTH_NONE, NULL);
    const struct {
        const btls_conn_options *options;
        const btls_context *client;
        btls_status status;
        size_t certificates;
    } cases[] = {
        {NULL, bare, BTLS_OK, 0},           {none, known, BTLS_OK, 0}, {none, bare, BTLS_OK, 0},
        {need, bare, BTLS_CERT_MISSING, 0}, {need, known, BTLS_OK, 1},
    };
    for (size_t index = 0; index < sizeof cases / sizeof cases[0]; index++) {
        struct pair pair = pair_with(server, cases[index].options, cases[index].client, NULL);
        btls_status client_status, server_status;
        shake(&pair, &client_status, &server_status);
        CHECK_STATUS(server_status, cases[index].status);
        CHECK(btls_conn_peer_chain_count(pair.server) == cases[index].certificates);
        close_pair(&pair);
    }
    btls_conn_options_free(need);
    btls_conn_options_free(none);
    btls_context_free(server);
    btls_context_free(known);
    btls_context_free(bare);
}

static void verify_callback_gets_the_user_pointer_of_each_connection(void) {
    struct asked asked = {0, NULL, 0};
    btls_builder *builder = builder_with("server", "ca.pem");
    CHECK_BUILDER(builder, btls_builder_verify_callback(builder, ask, &asked, false), BTLS_OK);
    btls_context *server = build(builder), *client = context_with("client", "ca.pem");
    int users[2];
    /* One object serves every connection: its content is copied. */
    btls_conn_options *options = btls_conn_options_new();
    CHECK_STATUS(btls_conn_options_client_auth(options, BTLS_CLIENT_AUTH_NEED), BTLS_OK);
    for (int index = 0; index < 2; index++) {
        CHECK_STATUS(btls_conn_options_user(options, &users[index]), BTLS_OK);
        struct pair pair = pair_with(server, options, client, NULL);
        CHECK_STATUS(btls_conn_options_user(options, NULL), BTLS_OK);
        btls_status client_status, server_status;
        shake(&pair, &client_status, &server_status);
        CHECK_CONN(pair.server, server_status, BTLS_OK);
        CHECK(asked.count == index + 1 && asked.conn_user == &users[index]);
        CHECK(asked.conn_id == btls_conn_id(pair.server));
        CHECK(btls_conn_user(pair.server) == &users[index] && btls_conn_user(pair.client) == NULL);
        close_pair(&pair);
    }
    btls_conn_options_free(options);
    btls_context_free(server);
    btls_context_free(client);
}

static void answer_that_is_no_decision_refuses_the_peer(void) {
    btls_builder *builder = builder_with(NULL, "ca.pem");
    CHECK_BUILDER(builder, btls_builder_verify_callback(builder, answer_beside, NULL, false), BTLS_OK);
    btls_context *client = build(builder), *server = context_with("server", NULL);
    struct pair pair = pair_of(server, client);
    btls_status client_status, server_status;
    shake(&pair, &client_status, &server_status);
    CHECK_STATUS(client_status, BTLS_CERT_REJECTED_BY_CALLBACK);
    close_pair(&pair);
    btls_context_free(server);
    btls_context_free(client);
}

/* The name that the server receives from a client with these options; empty for none. */
static void received_name(const btls_conn_options *options, char *name, size_t capacity) {
    btls_context *server = context_with("server", NULL), *client = context_with(NULL, "ca.pem");
    struct pair pair = pair_with(server, NULL, client, options);
    btls_status client_status, server_status;
    shake(&pair, &client_status, &server_status);
    CHECK_CONN(pair.client, client_status, BTLS_OK);
    const char *sent = btls_conn_server_name(pair.server);
    snprintf(name, capacity, "%s", sent != NULL ? sent : "");
    close_pair(&pair);
    btls_context_free(server);
    btls_context_free(client);
}

static void server_name_is_sent_apart_from_the_verified_host_or_not_at_all(void) {
    char name[64];
    btls_conn_options *options = btls_conn_options_new();
    received_name(options, name, sizeof name);
    CHECK_TEXT(name, "localhost");
    CHECK_STATUS(btls_conn_options_server_name(options, "front.example"), BTLS_OK);
    received_name(options, name, sizeof name);
    CHECK_TEXT(name, "front.example");
    CHECK_STATUS(btls_conn_options_server_name(options, NULL), BTLS_OK);
    received_name(options, name, sizeof name);
    CHECK_TEXT(name, "");
    btls_context *client = context_with(NULL, "ca.pem");
    btls_conn *conn = NULL;
    btls_error *error = NULL;
    CHECK_STATUS(btls_conn_options_server_name(options, "192.0.2.1"), BTLS_OK);
    CHECK_STATUS(btls_conn_new_client(client, "localhost", options, &conn, &error), BTLS_INVALID_SERVER_NAME);
    CHECK_HOLDS(btls_error_message(error), "192.0.2.1");
    CHECK(conn == NULL);
    btls_error_free(error);
    btls_context_free(client);
    btls_conn_options_free(options);
}

static void certificate_for_the_sent_name_is_none_for_the_host(void) {
    btls_context *server = context_with("server", NULL), *client = context_with(NULL, "ca.pem");
    btls_conn_options *options = btls_conn_options_new();
    btls_conn *conn = NULL;
    struct pair pair = pair_of(server, client);
    CHECK_STATUS(btls_conn_options_server_name(options, "localhost"), BTLS_OK);
    CHECK_STATUS(btls_conn_new_client(client, "other.example", options, &conn, NULL), BTLS_OK);
    CHECK_STATUS(btls_conn_set_fd(conn, pair.client_fd, pair.client_fd), BTLS_OK);
    btls_conn_free(pair.client);
    pair.client = conn;
    btls_status client_status, server_status;
    shake(&pair, &client_status, &server_status);
    CHECK_STATUS(client_status, BTLS_CERT_NAME_MISMATCH);
    close_pair(&pair);
    btls_conn_options_free(options);
    btls_context_free(server);
    btls_context_free(client);
}

static void protocols_of_a_connection_replace_those_of_the_context(void) {
    btls_builder *builder = builder_with("server", NULL);
    CHECK_BUILDER(builder, btls_builder_alpn(builder, "mqtt"), BTLS_OK);
    btls_context *server = build(builder), *client = context_with(NULL, "ca.pem");
    btls_conn_options *amqp = btls_conn_options_new(), *none = btls_conn_options_new();
    CHECK_STATUS(btls_conn_options_alpn(amqp, "amqp"), BTLS_OK);
    CHECK_STATUS(btls_conn_options_alpn(none, "amqp"), BTLS_OK);
    CHECK_STATUS(btls_conn_options_clear_alpn(none), BTLS_OK);
    const struct {
        const btls_conn_options *at_server;
        btls_status status;
        const char *agreed;
    } cases[] = {{NULL, BTLS_NO_COMMON_ALPN, ""}, {amqp, BTLS_OK, "amqp"}, {none, BTLS_OK, ""}};
    for (size_t index = 0; index < sizeof cases / sizeof cases[0]; index++) {
        struct pair pair = pair_with(server, cases[index].at_server, client, amqp);
        btls_status client_status, server_status;
        const uint8_t *protocol = NULL;
        size_t length = 0;
        shake(&pair, &client_status, &server_status);
        CHECK_STATUS(server_status, cases[index].status);
        CHECK_STATUS(btls_conn_alpn(pair.server, &protocol, &length), BTLS_OK);
        CHECK(length == strlen(cases[index].agreed) && (length == 0 || memcmp(protocol, "amqp", 4) == 0));
        close_pair(&pair);
    }
    btls_conn_options_free(amqp);
    btls_conn_options_free(none);
    btls_context_free(server);
    btls_context_free(client);
}

static void option_that_is_no_option_is_refused_and_changes_nothing(void) {
    btls_conn_options *options = options_with(BTLS_CLIENT_AUTH_NEED, NULL);
    const int32_t numbers[] = {-1, 3, INT32_MIN, INT32_MAX};
    for (int index = 0; index < 4; index++)
        CHECK_STATUS(btls_conn_options_client_auth(options, (btls_client_auth)numbers[index]), BTLS_INVALID_ARGUMENT);
    CHECK_HOLDS(btls_error_message(btls_conn_options_error(options)), "client_auth");
    char name[257];
    memset(name, 'x', 256);
    name[256] = '\0';
    CHECK_STATUS(btls_conn_options_alpn(options, name), BTLS_INVALID_ALPN);
    CHECK_STATUS(btls_conn_options_alpn(options, ""), BTLS_INVALID_ALPN);
    CHECK_STATUS(btls_conn_options_alpn(options, NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_conn_options_server_name(options, "\xff"), BTLS_INVALID_TEXT);
    btls_context *server = context_with("server", NULL), *other = context_with("server", "ca.pem");
    btls_conn *conn = NULL;
    CHECK_STATUS(btls_conn_new_server(server, options, &conn, NULL), BTLS_NO_TRUST);
    CHECK(conn == NULL);
    CHECK_STATUS(btls_conn_new_server(other, options, &conn, NULL), BTLS_OK);
    btls_conn_free(conn);
    btls_conn_options_free(options);
    btls_context_free(server);
    btls_context_free(other);
}

static void null_options_are_refused_by_every_call(void) {
    CHECK_STATUS(btls_conn_options_client_auth(NULL, BTLS_CLIENT_AUTH_NONE), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_conn_options_alpn(NULL, "mqtt"), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_conn_options_clear_alpn(NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_conn_options_server_name(NULL, "localhost"), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_conn_options_user(NULL, NULL), BTLS_NULL_POINTER);
    CHECK(btls_conn_options_error(NULL) == NULL && btls_conn_user(NULL) == NULL);
    btls_conn_options_free(NULL);
    CHECK(btls_verify_request_role(NULL) == BTLS_PEER_SERVER && btls_verify_request_conn_id(NULL) == 0);
    CHECK(btls_verify_request_conn_user(NULL) == NULL && btls_verify_request_version(NULL) == NULL);
    CHECK(btls_verify_request_server_name(NULL) == NULL && !btls_verify_request_is_resumed(NULL));
    CHECK(btls_verify_request_certificate(NULL) == NULL && btls_verify_request_chain_count(NULL) == 0);
    CHECK_STATUS(btls_verify_request_chain(NULL, 0, NULL, NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_verify_request_set_reason(NULL, "none"), BTLS_NULL_POINTER);
    CHECK(btls_password_request_usage(NULL) == BTLS_PASSWORD_STORE && btls_password_request_label(NULL) == NULL);
    CHECK(btls_password_request_alias(NULL) == NULL && btls_log_line_text(NULL) == NULL);
    CHECK(btls_log_line_level(NULL) == BTLS_LOG_ERROR && btls_log_line_conn_id(NULL) == 0);
    CHECK(btls_revoked_peer_conn_user(NULL) == NULL);
}

int main(void) {
    RUN(client_auth_of_a_connection_is_its_own);
    RUN(verify_callback_gets_the_user_pointer_of_each_connection);
    RUN(answer_that_is_no_decision_refuses_the_peer);
    RUN(server_name_is_sent_apart_from_the_verified_host_or_not_at_all);
    RUN(certificate_for_the_sent_name_is_none_for_the_host);
    RUN(protocols_of_a_connection_replace_those_of_the_context);
    RUN(option_that_is_no_option_is_refused_and_changes_nothing);
    RUN(null_options_are_refused_by_every_call);
    return 0;
}
