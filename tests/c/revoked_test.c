/* Peers that are revoked while they are connected: reported once, and closed if the callback says so. */
#include "harness.h"

/* The arguments of a callback, and its answer. */
struct told {
    btls_context *context;
    btls_revoked_action answer;
    int count;
    uint64_t conn_id;
    char subject[200], issuer[200], serial[200], reason[200];
    int64_t time;
};

static btls_revoked_action take(void *user, const btls_revoked_peer *peer) {
    struct told *told = (struct told *)user;
    told->count++;
    told->conn_id = btls_revoked_peer_conn_id(peer);
    snprintf(told->subject, sizeof told->subject, "%s", btls_revoked_peer_subject(peer));
    snprintf(told->issuer, sizeof told->issuer, "%s", btls_revoked_peer_issuer(peer));
    snprintf(told->serial, sizeof told->serial, "%s", btls_revoked_peer_serial(peer));
    snprintf(told->reason, sizeof told->reason, "%s", btls_revoked_peer_reason(peer));
    told->time = btls_revoked_peer_time(peer);
    /* It may use the context. */
    uint64_t next_ms = 0;
    CHECK_STATUS(btls_context_maintain(told->context, &next_ms), BTLS_OK);
    return told->answer;
}

/* A server that checks its clients by live.crl, which is empty now. */
static btls_context *server_telling(struct told *told, char *list, size_t capacity) {
    snprintf(list, capacity, "%s", fixture("live-conn.crl"));
    copy(fixture("empty.crl"), list);
    btls_builder *builder = builder_with("server", "ca.pem");
    CHECK_BUILDER(builder, btls_builder_client_auth(builder, BTLS_CLIENT_AUTH_NEED), BTLS_OK);
    CHECK_BUILDER(builder, btls_builder_crl_file(builder, list), BTLS_OK);
    if (told != NULL)
        CHECK_BUILDER(builder, btls_builder_on_revoked(builder, take, told), BTLS_OK);
    btls_context *server = build(builder);
    if (told != NULL)
        told->context = server;
    return server;
}

static void exchange(struct pair *pair) {
    write_all(pair->client, "a line", 6);
    read_all(pair->server, "a line", 6);
    write_all(pair->server, "its answer", 10);
    read_all(pair->client, "its answer", 10);
}

static void assert_is_told(const struct told *told, const btls_conn *conn) {
    CHECK(told->count == 1);
    CHECK(told->conn_id != 0 && told->conn_id == btls_conn_id(conn));
    CHECK_TEXT(told->serial, btls_certificate_serial(btls_conn_peer_certificate(conn)));
    CHECK_HOLDS(told->subject, "CN=device-8");
    CHECK_TEXT(told->issuer, "CN=Test CA");
    CHECK_TEXT(told->reason, "keyCompromise");
    CHECK(told->time > 1700000000);
}

static void revoked_peer_is_told_of_once_and_closed(void) {
    char list[1100];
    struct told told = {NULL, BTLS_REVOKED_CLOSE, 0, 0, "", "", "", "", 0};
    btls_context *server = server_telling(&told, list, sizeof list);
    btls_context *revoked = context_with("revoked", "ca.pem"), *good = context_with("client", "ca.pem");
    struct pair closed = connected(server, revoked), other = connected(server, good);
    CHECK(btls_conn_id(closed.server) != btls_conn_id(other.server));
    exchange(&closed);

    copy(fixture("ca.crl"), list);
    CHECK_STATUS(btls_context_reload(server), BTLS_OK);
    assert_is_told(&told, closed.server);
    CHECK_STATUS(read_status(closed.server), BTLS_CERT_REVOKED);
    CHECK_HOLDS(btls_error_message(btls_conn_error(closed.server)), "keyCompromise");
    CHECK_HOLDS(btls_error_message(btls_conn_error(closed.server)), told.serial);
    CHECK_STATUS(read_status(closed.client), BTLS_ALERT_CERTIFICATE_REVOKED);

    exchange(&other);
    CHECK_STATUS(btls_context_reload(server), BTLS_OK);
    CHECK(told.count == 1);
    close_pair(&closed);
    close_pair(&other);
    btls_context_free(server);
    btls_context_free(revoked);
    btls_context_free(good);
    unlink(list);
}

static void revoked_peer_that_is_kept_goes_on(void) {
    char list[1100];
    struct told told = {NULL, BTLS_REVOKED_KEEP, 0, 0, "", "", "", "", 0};
    btls_context *server = server_telling(&told, list, sizeof list), *revoked = context_with("revoked", "ca.pem");
    struct pair pair = connected(server, revoked);
    copy(fixture("ca.crl"), list);
    CHECK_STATUS(btls_context_reload(server), BTLS_OK);
    assert_is_told(&told, pair.server);
    exchange(&pair);
    close_pair(&pair);
    btls_context_free(server);
    btls_context_free(revoked);
    unlink(list);
}

static void number_that_is_no_answer_closes(void) {
    char list[1100];
    struct told told = {NULL, 77, 0, 0, "", "", "", "", 0};
    btls_context *server = server_telling(&told, list, sizeof list), *revoked = context_with("revoked", "ca.pem");
    struct pair pair = connected(server, revoked);
    copy(fixture("ca.crl"), list);
    CHECK_STATUS(btls_context_reload(server), BTLS_OK);
    size_t count = 0;
    CHECK_STATUS(btls_conn_write(pair.server, "x", 1, &count), BTLS_CERT_REVOKED);
    CHECK_STATUS(read_status(pair.client), BTLS_ALERT_CERTIFICATE_REVOKED);
    close_pair(&pair);
    btls_context_free(server);
    btls_context_free(revoked);
    unlink(list);
}

static void without_a_function_the_connection_goes_on(void) {
    char list[1100];
    btls_context *server = server_telling(NULL, list, sizeof list), *revoked = context_with("revoked", "ca.pem");
    struct pair pair = connected(server, revoked);
    copy(fixture("ca.crl"), list);
    CHECK_STATUS(btls_context_reload(server), BTLS_OK);
    exchange(&pair);
    close_pair(&pair);
    btls_context_free(server);
    btls_context_free(revoked);
    unlink(list);
}

static void null_is_refused_or_nothing(void) {
    btls_builder *builder = btls_builder_new();
    CHECK_STATUS(btls_builder_on_revoked(builder, NULL, NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_builder_on_revoked(NULL, take, NULL), BTLS_NULL_POINTER);
    btls_builder_free(builder);
    CHECK(btls_conn_id(NULL) == 0 && btls_revoked_peer_conn_id(NULL) == 0 && btls_revoked_peer_time(NULL) == 0);
    CHECK(btls_revoked_peer_subject(NULL) == NULL && btls_revoked_peer_issuer(NULL) == NULL);
    CHECK(btls_revoked_peer_serial(NULL) == NULL && btls_revoked_peer_reason(NULL) == NULL);
}

static btls_revoked_action take_user(void *user, const btls_revoked_peer *peer) {
    *(void **)user = btls_revoked_peer_conn_user(peer);
    return BTLS_REVOKED_KEEP;
}

static void revoked_peer_has_the_user_pointer_of_its_connection(void) {
    char list[1100];
    int mark;
    void *told = NULL;
    snprintf(list, sizeof list, "%s", fixture("live-conn.crl"));
    copy(fixture("empty.crl"), list);
    btls_builder *builder = builder_with("server", "ca.pem");
    CHECK_BUILDER(builder, btls_builder_client_auth(builder, BTLS_CLIENT_AUTH_NEED), BTLS_OK);
    CHECK_BUILDER(builder, btls_builder_crl_file(builder, list), BTLS_OK);
    CHECK_BUILDER(builder, btls_builder_on_revoked(builder, take_user, &told), BTLS_OK);
    btls_context *server = build(builder), *revoked = context_with("revoked", "ca.pem");
    struct pair pair = pair_of(server, revoked);
    btls_conn_options *options = btls_conn_options_new();
    CHECK_STATUS(btls_conn_options_user(options, &mark), BTLS_OK);
    btls_conn_free(pair.server);
    CHECK_STATUS(btls_conn_new_server(server, options, &pair.server, NULL), BTLS_OK);
    btls_conn_options_free(options);
    CHECK_STATUS(btls_conn_set_fd(pair.server, pair.server_fd, pair.server_fd), BTLS_OK);
    btls_status client_status, server_status;
    shake(&pair, &client_status, &server_status);
    CHECK_CONN(pair.server, server_status, BTLS_OK);
    copy(fixture("ca.crl"), list);
    CHECK_STATUS(btls_context_reload(server), BTLS_OK);
    CHECK(told == &mark);
    close_pair(&pair);
    btls_context_free(server);
    btls_context_free(revoked);
    unlink(list);
}

int main(void) {
    RUN(revoked_peer_is_told_of_once_and_closed);
    RUN(revoked_peer_that_is_kept_goes_on);
    RUN(number_that_is_no_answer_closes);
    RUN(without_a_function_the_connection_goes_on);
    RUN(null_is_refused_or_nothing);
    RUN(revoked_peer_has_the_user_pointer_of_its_connection);
    return 0;
}
