/* Functions of the caller: transport, passwords, verification with and without waiting, the log. */
#include "harness.h"

#include <pthread.h>

/* Bytes between two sides, moved by callbacks; each side reads what the other wrote. */
struct queue {
    unsigned char bytes[1 << 16];
    size_t length;
};

struct side {
    struct queue *in, *out;
    btls_conn *conn;
    int interrupts, calls_back, ended, boasts;
    /* A transport that moves one byte and then makes the caller wait. */
    int trickles, reads, writes;
    btls_status answer;
};

static ptrdiff_t side_read(void *user, void *buffer, size_t length) {
    struct side *side = (struct side *)user;
    if (side->interrupts > 0) {
        side->interrupts--;
        errno = EINTR;
        return -1;
    }
    if (side->boasts)
        return (ptrdiff_t)length + 1;
    if (side->calls_back) {
        size_t count;
        char byte;
        side->answer = btls_conn_read(side->conn, &byte, 1, &count);
        CHECK(btls_conn_version(side->conn) == NULL);
        CHECK_STATUS(btls_error_code(btls_conn_error(side->conn)), BTLS_BUSY);
    }
    if (side->in->length == 0) {
        if (side->ended)
            return 0;
        errno = EAGAIN;
        return -1;
    }
    size_t count = side->in->length < length ? side->in->length : length;
    if (side->trickles) {
        if (side->reads++ % 2) {
            errno = EAGAIN;
            return -1;
        }
        count = 1;
    }
    memcpy(buffer, side->in->bytes, count);
    memmove(side->in->bytes, side->in->bytes + count, side->in->length - count);
    side->in->length -= count;
    return (ptrdiff_t)count;
}

/* Takes a few bytes at a time. */
static ptrdiff_t side_write(void *user, const void *buffer, size_t length) {
    struct side *side = (struct side *)user;
    size_t room = sizeof side->out->bytes - side->out->length;
    size_t count = length < 100 ? length : 100;
    if (side->trickles)
        count = 1;
    if (count > room || (side->trickles && side->writes++ % 2)) {
        errno = EAGAIN;
        return -1;
    }
    memcpy(side->out->bytes + side->out->length, buffer, count);
    side->out->length += count;
    return (ptrdiff_t)count;
}

static struct queue up, down;
static struct side client_side, server_side;

static struct pair over_callbacks(const btls_context *server, const btls_context *client) {
    struct pair pair = {NULL, NULL, -1, -1};
    up.length = down.length = 0;
    CHECK_STATUS(btls_conn_new_server(server, NULL, &pair.server, NULL), BTLS_OK);
    CHECK_STATUS(btls_conn_new_client(client, "localhost", NULL, &pair.client, NULL), BTLS_OK);
    client_side = (struct side){&down, &up, pair.client, 0, 0, 0, 0, 0, 0, 0, BTLS_OK};
    server_side = (struct side){&up, &down, pair.server, 0, 0, 0, 0, 0, 0, 0, BTLS_OK};
    CHECK_CONN(pair.client, btls_conn_set_callbacks(pair.client, side_read, side_write, &client_side), BTLS_OK);
    CHECK_CONN(pair.server, btls_conn_set_callbacks(pair.server, side_read, side_write, &server_side), BTLS_OK);
    return pair;
}

static void transport_of_callbacks_serves_as_well_as_descriptors(void) {
    btls_context *server = context_with("server", NULL), *client = context_with(NULL, "ca.pem");
    struct pair pair = over_callbacks(server, client);
    btls_status client_status, server_status;
    client_side.interrupts = 3;
    shake(&pair, &client_status, &server_status);
    CHECK_CONN(pair.client, client_status, BTLS_OK);
    CHECK_CONN(pair.server, server_status, BTLS_OK);
    CHECK(client_side.interrupts == 0);
    write_all(pair.client, "by hand", 7);
    read_all(pair.server, "by hand", 7);
    CHECK_STATUS(read_status(pair.server), BTLS_WANT_READ);
    server_side.ended = 1;
    CHECK_STATUS(read_status(pair.server), BTLS_TRUNCATED);
    close_pair(&pair);
    btls_context_free(server);
    btls_context_free(client);
}

static void transport_that_has_to_be_waited_for_after_every_byte_gets_through(void) {
    btls_context *server = server_asking(BTLS_CLIENT_AUTH_NEED), *client = context_with("client", "ca.pem");
    struct pair pair = over_callbacks(server, client);
    btls_status client_status = BTLS_WANT_READ, server_status = BTLS_WANT_READ;
    char buffer[64];
    size_t count, received = 0, sent = 0;
    client_side.trickles = server_side.trickles = 1;
    for (int turns = 0; waits(client_status) || waits(server_status); turns++) {
        CHECK(turns < 100000);
        client_status = step(pair.client);
        server_status = step(pair.server);
    }
    CHECK_CONN(pair.client, client_status, BTLS_OK);
    CHECK_CONN(pair.server, server_status, BTLS_OK);
    for (int turns = 0; received < 30; turns++) {
        CHECK(turns < 100000);
        if (sent < 30) {
            btls_status status = btls_conn_write(pair.client, "thirty bytes, one after another" + sent, 30 - sent, &count);
            CHECK(status == BTLS_OK || status == BTLS_WANT_WRITE);
            sent += count;
        }
        btls_status status = btls_conn_read(pair.server, buffer + received, 30 - received, &count);
        CHECK(status == BTLS_OK || status == BTLS_WANT_READ);
        received += count;
    }
    CHECK(memcmp(buffer, "thirty bytes, one after another", 30) == 0);
    close_pair(&pair);
    btls_context_free(server);
    btls_context_free(client);
}

static void callback_that_uses_its_own_connection_gets_busy(void) {
    btls_context *server = context_with("server", NULL), *client = context_with(NULL, "ca.pem");
    struct pair pair = over_callbacks(server, client);
    btls_status client_status, server_status;
    server_side.calls_back = 1;
    shake(&pair, &client_status, &server_status);
    CHECK_STATUS(server_side.answer, BTLS_BUSY);
    CHECK_CONN(pair.server, server_status, BTLS_OK);
    CHECK_CONN(pair.client, client_status, BTLS_OK);
    close_pair(&pair);
    btls_context_free(server);
    btls_context_free(client);
}

static void callback_that_claims_more_than_it_was_offered_is_an_error(void) {
    btls_context *server = context_with("server", NULL), *client = context_with(NULL, "ca.pem");
    struct pair pair = over_callbacks(server, client);
    server_side.boasts = 1;
    CHECK_STATUS(btls_conn_handshake(pair.server), BTLS_IO_OTHER);
    close_pair(&pair);
    btls_context_free(server);
    btls_context_free(client);
}

struct verifier {
    const char *refused;
    int calls, resumed, was_on_other_thread;
    btls_peer_role peer;
    uint64_t conn_id;
    void *conn_user;
    pthread_t thread;
    char subject[128], version[16], server_name[64];
};

static btls_verify_decision verify(void *user, btls_verify_request *request) {
    struct verifier *verifier = (struct verifier *)user;
    const btls_certificate *peer = btls_verify_request_certificate(request);
    const uint8_t *der = NULL;
    size_t length = 0, count = btls_verify_request_chain_count(request);
    CHECK(count > 0 && peer == btls_verify_request_certificate(request));
    CHECK_STATUS(btls_verify_request_chain(request, 0, &der, &length), BTLS_OK);
    btls_certificate *parsed = NULL;
    CHECK_STATUS(btls_certificate_parse(der, length, &parsed), BTLS_OK);
    CHECK_TEXT(btls_certificate_sha256(parsed), btls_certificate_sha256(peer));
    btls_certificate_free(parsed);
    CHECK_STATUS(btls_verify_request_chain(request, count, &der, &length), BTLS_INVALID_ARGUMENT);
    CHECK_STATUS(btls_verify_request_set_reason(request, NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_verify_request_set_reason(request, "\xff"), BTLS_INVALID_TEXT);
    snprintf(verifier->subject, sizeof verifier->subject, "%s", btls_certificate_common_name(peer));
    snprintf(verifier->version, sizeof verifier->version, "%s", btls_verify_request_version(request));
    const char *name = btls_verify_request_server_name(request);
    snprintf(verifier->server_name, sizeof verifier->server_name, "%s", name != NULL ? name : "(none)");
    verifier->calls++;
    verifier->resumed += btls_verify_request_is_resumed(request);
    verifier->peer = btls_verify_request_role(request);
    verifier->conn_id = btls_verify_request_conn_id(request);
    verifier->conn_user = btls_verify_request_conn_user(request);
    verifier->was_on_other_thread = !pthread_equal(pthread_self(), verifier->thread);
    if (verifier->refused == NULL || strcmp(verifier->subject, verifier->refused) != 0)
        return BTLS_VERIFY_ACCEPT;
    char reason[160];
    snprintf(reason, sizeof reason, "%s is not registered", verifier->subject);
    CHECK_STATUS(btls_verify_request_set_reason(request, reason), BTLS_OK);
    return BTLS_VERIFY_REFUSE;
}

static btls_context *verifying_server(struct verifier *verifier, bool may_block) {
    btls_builder *builder = builder_with("server", "ca.pem");
    CHECK_BUILDER(builder, btls_builder_client_auth(builder, BTLS_CLIENT_AUTH_NEED), BTLS_OK);
    CHECK_BUILDER(builder, btls_builder_verify_callback(builder, verify, verifier, may_block), BTLS_OK);
    verifier->thread = pthread_self();
    return build(builder);
}

static void verify_callback_sees_the_peer_and_lets_it_in(void) {
    struct verifier verifier = {0};
    btls_context *server = verifying_server(&verifier, false), *client = context_with("client", "ca.pem");
    struct pair pair = connected(server, client);
    CHECK(verifier.calls == 1 && verifier.peer == BTLS_PEER_CLIENT && verifier.resumed == 0);
    CHECK(verifier.conn_id == btls_conn_id(pair.server) && verifier.conn_user == NULL);
    CHECK_TEXT(verifier.subject, "device-7");
    CHECK_TEXT(verifier.version, "TLSv1.3");
    CHECK_TEXT(verifier.server_name, "localhost");
    close_pair(&pair);
    btls_context_free(server);
    btls_context_free(client);
}

static void verify_callback_of_a_client_sees_the_server(void) {
    struct verifier verifier = {0};
    btls_builder *builder = builder_with(NULL, "ca.pem");
    verifier.thread = pthread_self();
    CHECK_BUILDER(builder, btls_builder_verify_callback(builder, verify, &verifier, false), BTLS_OK);
    btls_context *client = build(builder), *server = context_with("server", NULL);
    struct pair pair = connected(server, client);
    CHECK(verifier.calls == 1 && verifier.peer == BTLS_PEER_SERVER);
    CHECK(verifier.conn_id == btls_conn_id(pair.client));
    CHECK_TEXT(verifier.subject, "broker");
    CHECK_TEXT(verifier.server_name, "localhost");
    close_pair(&pair);
    btls_context_free(server);
    btls_context_free(client);
}

static void verify_callback_refuses_with_its_reason(void) {
    struct verifier verifier = {0};
    verifier.refused = "device-7";
    btls_context *server = verifying_server(&verifier, false), *client = context_with("client", "ca.pem");
    struct pair pair = pair_of(server, client);
    btls_status client_status, server_status;
    shake(&pair, &client_status, &server_status);
    CHECK_STATUS(server_status, BTLS_CERT_REJECTED_BY_CALLBACK);
    CHECK_HOLDS(btls_error_message(btls_conn_error(pair.server)), "device-7 is not registered");
    CHECK_STATUS(read_status(pair.client), BTLS_ALERT_ACCESS_DENIED);
    close_pair(&pair);
    btls_context_free(server);
    btls_context_free(client);
}

static void verify_callback_is_not_asked_about_peers_that_are_refused_anyway(void) {
    struct verifier verifier = {0};
    btls_context *server = verifying_server(&verifier, false), *client = context_with("stranger", "ca.pem");
    struct pair pair = pair_of(server, client);
    btls_status client_status, server_status;
    shake(&pair, &client_status, &server_status);
    CHECK_STATUS(server_status, BTLS_CERT_UNKNOWN_ISSUER);
    CHECK(verifier.calls == 0);
    close_pair(&pair);
    btls_context_free(server);
    btls_context_free(client);
}

static void *run_task(void *argument) {
    CHECK_STATUS(btls_conn_task_run((btls_conn *)argument), BTLS_OK);
    return NULL;
}

static void verify_callback_that_may_block_runs_as_a_task_on_another_thread(void) {
    struct verifier verifier = {0};
    btls_context *server = verifying_server(&verifier, true), *client = context_with("client", "ca.pem");
    struct pair pair = pair_of(server, client);
    btls_status client_status = BTLS_WANT_READ, server_status = BTLS_WANT_READ;
    int tasks = 0;
    for (int turns = 0; waits(client_status) || waits(server_status); turns++) {
        CHECK(turns < 1000);
        client_status = btls_conn_handshake(pair.client);
        server_status = btls_conn_handshake(pair.server);
        if (server_status == BTLS_WANT_TASK) {
            CHECK(verifier.calls == 0);
            CHECK_CONN(pair.server, btls_conn_handshake(pair.server), BTLS_WANT_TASK);
            pthread_t thread;
            CHECK(pthread_create(&thread, NULL, run_task, pair.server) == 0);
            CHECK(pthread_join(thread, NULL) == 0);
            tasks++;
        }
    }
    CHECK_CONN(pair.server, server_status, BTLS_OK);
    CHECK_CONN(pair.client, client_status, BTLS_OK);
    CHECK(tasks > 0 && verifier.calls == 1 && verifier.was_on_other_thread);
    CHECK_CONN(pair.server, btls_conn_task_run(pair.server), BTLS_OK);
    close_pair(&pair);
    btls_context_free(server);
    btls_context_free(client);
}

/* Connects to "localhost" and has the client read its tickets; gives whether a session was resumed on both sides. */
static int is_resumed(btls_context *server, btls_context *client) {
    struct pair pair = connected(server, client);
    write_all(pair.server, "hello", 5);
    read_all(pair.client, "hello", 5);
    int resumed = btls_conn_is_resumed(pair.client);
    CHECK(btls_conn_is_resumed(pair.server) == resumed);
    close_pair(&pair);
    return resumed;
}

static void verify_callback_is_asked_again_about_the_client_of_a_session(void) {
    struct verifier verifier = {0};
    btls_context *server = verifying_server(&verifier, false), *client = context_with("client", "ca.pem");
    CHECK(!is_resumed(server, client) && verifier.calls == 1);
    CHECK(is_resumed(server, client) && verifier.calls == 2 && verifier.resumed == 1);
    verifier.refused = "device-7";
    struct pair pair = pair_of(server, client);
    btls_status client_status, server_status;
    shake(&pair, &client_status, &server_status);
    /* About the session, then in the full handshake that follows. */
    CHECK_STATUS(server_status, BTLS_CERT_REJECTED_BY_CALLBACK);
    CHECK(verifier.calls == 4);
    close_pair(&pair);
    btls_context_free(server);
    btls_context_free(client);
}

static btls_context *verifying_client(struct verifier *verifier, bool may_block, const char *asks_again) {
    btls_builder *builder = builder_with(NULL, "ca.pem");
    CHECK_BUILDER(builder, btls_builder_verify_callback(builder, verify, verifier, may_block), BTLS_OK);
    CHECK_BUILDER(builder, btls_builder_set(builder, "resumption-asks-again", asks_again), BTLS_OK);
    verifier->thread = pthread_self();
    return build(builder);
}

static void verify_callback_is_asked_again_about_the_server_of_a_session_unless_switched_off(void) {
    for (int index = 0; index < 2; index++) {
        struct verifier verifier = {0};
        btls_context *client = verifying_client(&verifier, false, index == 0 ? "yes" : "no");
        btls_context *server = context_with("server", NULL);
        CHECK(!is_resumed(server, client) && verifier.calls == 1);
        CHECK(is_resumed(server, client) && verifier.calls == (index == 0 ? 2 : 1));
        btls_context_free(server);
        btls_context_free(client);
    }
}

static void verify_callback_that_may_block_is_asked_about_a_session_in_the_first_task(void) {
    struct verifier verifier = {0};
    btls_context *client = verifying_client(&verifier, true, "yes"), *server = context_with("server", NULL);
    for (int round = 0; round < 2; round++) {
        struct pair pair = pair_of(server, client);
        btls_status client_status = BTLS_WANT_READ, server_status = BTLS_WANT_READ;
        verifier.calls = 0;
        for (int turns = 0; waits(client_status) || waits(server_status); turns++) {
            CHECK(turns < 1000);
            client_status = btls_conn_handshake(pair.client);
            /* Nothing is sent before the session has been asked about. */
            CHECK(round == 0 || turns > 0 || (client_status == BTLS_WANT_TASK && verifier.calls == 0));
            if (client_status == BTLS_WANT_TASK)
                CHECK_CONN(pair.client, btls_conn_task_run(pair.client), BTLS_OK);
            CHECK(round == 0 || turns > 0 || verifier.calls == 1);
            server_status = btls_conn_handshake(pair.server);
        }
        CHECK_CONN(pair.client, client_status, BTLS_OK);
        CHECK(verifier.calls == 1 && btls_conn_is_resumed(pair.client) == (round == 1));
        write_all(pair.server, "hello", 5);
        read_all(pair.client, "hello", 5);
        close_pair(&pair);
    }
    btls_context_free(server);
    btls_context_free(client);
}

struct log {
    int lines, worst;
    char last[512];
    uint64_t conn_id;
};

static void take_line(void *user, const btls_log_line *line) {
    struct log *log = (struct log *)user;
    int level = btls_log_line_level(line);
    log->lines++;
    if (log->worst == 0 || level < log->worst)
        log->worst = level;
    snprintf(log->last, sizeof log->last, "%s", btls_log_line_text(line));
    log->conn_id = btls_log_line_conn_id(line);
}

static void log_callback_gets_what_an_operator_should_know(void) {
    struct log log = {0, 0, "", 0};
    btls_builder *builder = builder_with(NULL, "ca.pem");
    CHECK_BUILDER(builder, btls_builder_log_callback(builder, take_line, &log), BTLS_OK);
    CHECK_BUILDER(builder, btls_builder_insecure_allow(builder, "insecure-common-name", true), BTLS_OK);
    btls_context *client = build(builder), *server = context_with("named", NULL);
    CHECK(log.lines == 1 && log.worst == BTLS_LOG_WARN);
    CHECK_HOLDS(log.last, "insecure-common-name");
    CHECK(log.conn_id == 0);
    struct pair pair = connected(server, client);
    CHECK(log.lines == 2);
    CHECK_HOLDS(log.last, "CN=localhost");
    CHECK(log.conn_id == btls_conn_id(pair.client));
    close_pair(&pair);
    btls_context_free(server);
    btls_context_free(client);
}

/* Meets a server with a line of another protocol so often that two minutes could not have all the lines. */
static void refusals_are_logged_as_errors_and_not_without_end(void) {
    struct log log = {0, 0, "", 0};
    for (int logs = 1; logs >= 0; logs--) {
        btls_builder *builder = builder_with("server", NULL);
        CHECK_BUILDER(builder, btls_builder_log_callback(builder, take_line, &log), BTLS_OK);
        CHECK_BUILDER(builder, btls_builder_log_refusals(builder, logs), BTLS_OK);
        btls_context *server = build(builder);
        log.lines = log.worst = 0;
        for (int i = 1; i <= 150; i++) {
            btls_conn *conn;
            CHECK_STATUS(btls_conn_new_server(server, NULL, &conn, NULL), BTLS_OK);
            up.length = down.length = 0;
            server_side = (struct side){&up, &down, conn, 0, 0, 0, 0, 0, 0, 0, BTLS_OK};
            memcpy(up.bytes, "GET / HTTP/1.1\r\n\r\n", up.length = 18);
            CHECK_CONN(conn, btls_conn_set_callbacks(conn, side_read, side_write, &server_side), BTLS_OK);
            CHECK_STATUS(btls_conn_handshake(conn), BTLS_PEER_NOT_TLS);
            btls_conn_free(conn);
            if (i == 1 && logs) {
                CHECK(log.lines == 1 && log.worst == BTLS_LOG_ERROR);
                CHECK_HOLDS(log.last, "connection 1: BTLS_PEER_NOT_TLS (500)");
                CHECK_HOLDS(log.last, "an HTTP request in plain text");
            }
        }
        CHECK(logs ? log.lines >= 60 && log.lines <= 120 : log.lines == 0);
        btls_context_free(server);
    }
}

struct passwords {
    const char *store, *key;
    int asked_store, asked_key;
    char label[1100], alias[64];
};

static ptrdiff_t give_password(void *user, const btls_password_request *request, char *buffer, size_t capacity) {
    struct passwords *passwords = (struct passwords *)user;
    btls_password_usage usage = btls_password_request_usage(request);
    const char *label = btls_password_request_label(request), *alias = btls_password_request_alias(request);
    const char *password = usage == BTLS_PASSWORD_STORE ? passwords->store : passwords->key;
    snprintf(passwords->label, sizeof passwords->label, "%s", label);
    if (alias != NULL)
        snprintf(passwords->alias, sizeof passwords->alias, "%s", alias);
    *(usage == BTLS_PASSWORD_STORE ? &passwords->asked_store : &passwords->asked_key) += 1;
    if (password == NULL)
        return -1;
    CHECK(strlen(password) <= capacity);
    memcpy(buffer, password, strlen(password));
    return (ptrdiff_t)strlen(password);
}

static btls_status build_asking(struct passwords *passwords, const char *file) {
    btls_builder *builder = btls_builder_new();
    btls_context *context = NULL;
    CHECK_BUILDER(builder, btls_builder_password_callback(builder, give_password, passwords), BTLS_OK);
    CHECK_BUILDER(builder, btls_builder_identity_file(builder, fixture(file), NULL, NULL, NULL, NULL), BTLS_OK);
    CHECK(passwords->asked_store == 0);
    btls_status status = btls_builder_build(builder, &context);
    btls_builder_free(builder);
    btls_context_free(context);
    return status;
}

static void password_callback_is_asked_for_store_and_key(void) {
    struct passwords both = {"password", "keypassword", 0, 0, "", ""};
    CHECK_STATUS(build_asking(&both, "server.jks"), BTLS_OK);
    CHECK(both.asked_store > 0 && both.asked_key > 0);
    CHECK_TEXT(both.alias, "broker");
    CHECK_HOLDS(both.label, "server.jks");
    struct passwords wrong = {"wrong", NULL, 0, 0, "", ""};
    CHECK_STATUS(build_asking(&wrong, "server.p12"), BTLS_STORE_PASSWORD_WRONG);
    struct passwords none = {NULL, NULL, 0, 0, "", ""};
    CHECK_STATUS(build_asking(&none, "server.p12"), BTLS_PASSWORD_UNAVAILABLE);
}

int main(void) {
    RUN(transport_of_callbacks_serves_as_well_as_descriptors);
    RUN(transport_that_has_to_be_waited_for_after_every_byte_gets_through);
    RUN(callback_that_uses_its_own_connection_gets_busy);
    RUN(callback_that_claims_more_than_it_was_offered_is_an_error);
    RUN(verify_callback_sees_the_peer_and_lets_it_in);
    RUN(verify_callback_of_a_client_sees_the_server);
    RUN(verify_callback_refuses_with_its_reason);
    RUN(verify_callback_is_not_asked_about_peers_that_are_refused_anyway);
    RUN(verify_callback_that_may_block_runs_as_a_task_on_another_thread);
    RUN(verify_callback_is_asked_again_about_the_client_of_a_session);
    RUN(verify_callback_is_asked_again_about_the_server_of_a_session_unless_switched_off);
    RUN(verify_callback_that_may_block_is_asked_about_a_session_in_the_first_task);
    RUN(log_callback_gets_what_an_operator_should_know);
    RUN(refusals_are_logged_as_errors_and_not_without_end);
    RUN(password_callback_is_asked_for_store_and_key);
    return 0;
}
