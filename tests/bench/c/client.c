/* A client of this library and a server of either library in one thread, over buffers. */
#define _GNU_SOURCE
#include "client.h"

#include <brokertls.h>
#include <string.h>
#include <time.h>

#define MESSAGE_BYTES 64

struct client_context *client_context_new(const struct client_settings *settings) {
    char ca[512], certificate[512], key[512];
    snprintf(ca, sizeof ca, "%s/ca.pem", settings->folder);
    snprintf(certificate, sizeof certificate, "%s/client%u.pem", settings->folder, settings->number);
    snprintf(key, sizeof key, "%s/client%u.key", settings->folder, settings->number);
    btls_builder *builder = btls_builder_new();
    btls_context *context = NULL;
    REQUIRE(btls_builder_trust_file(builder, ca, NULL) == BTLS_OK);
    REQUIRE(btls_builder_versions(builder, settings->version) == BTLS_OK);
    REQUIRE(btls_builder_groups(builder, settings->groups) == BTLS_OK);
    REQUIRE(btls_builder_resumption(builder, settings->resumes) == BTLS_OK);
    if (settings->has_certificate)
        REQUIRE(btls_builder_identity_file(builder, certificate, key, NULL, NULL, NULL) == BTLS_OK);
    REQUIRE(btls_builder_build(builder, &context) == BTLS_OK);
    btls_builder_free(builder);
    return (struct client_context *)context;
}

void client_context_free(struct client_context *context) { btls_context_free((btls_context *)context); }

static uint64_t now_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void start(struct server_time *time) {
    time->cpu_ns -= now_ns(CLOCK_THREAD_CPUTIME_ID);
    time->wall_ns -= now_ns(CLOCK_MONOTONIC);
}

static void stop(struct server_time *time) {
    time->wall_ns += now_ns(CLOCK_MONOTONIC);
    time->cpu_ns += now_ns(CLOCK_THREAD_CPUTIME_ID);
}

static void empty(struct side_wire *wire) { wire->used = wire->length = 0; }

/* Puts records of the client into the wire: those that wait, and those of `plain`. */
static void client_sends(btls_conn *conn, const void *plain, size_t length, struct side_wire *wire) {
    btls_status status;
    do {
        size_t consumed = 0, produced = 0;
        status = btls_conn_wrap(conn, plain, length, wire->bytes + wire->length, sizeof wire->bytes - wire->length,
                                &consumed, &produced);
        REQUIRE(status == BTLS_OK || status == BTLS_WANT_READ || status == BTLS_WANT_WRITE);
        wire->length += produced;
        length -= consumed;
    } while (status == BTLS_WANT_WRITE);
    REQUIRE(length == 0);
}

/* Takes the whole wire, sends in `answers` what that asks for, and returns the number of plaintext bytes. */
static size_t client_takes(btls_conn *conn, struct side_wire *wire, struct side_wire *answers) {
    unsigned char plain[BTLS_MAX_PLAINTEXT_BYTES];
    size_t sum = 0;
    while (wire->used < wire->length) {
        size_t consumed = 0, produced = 0;
        btls_status status = btls_conn_unwrap(conn, wire->bytes + wire->used, wire->length - wire->used, plain,
                                              sizeof plain, &consumed, &produced);
        wire->used += consumed;
        sum += produced;
        if (status == BTLS_WANT_WRITE)
            client_sends(conn, NULL, 0, answers);
        else
            REQUIRE(status == BTLS_OK || (status == BTLS_WANT_READ && consumed > 0));
    }
    empty(wire);
    return sum;
}

struct side_conn *client_connects(struct client_context *context, struct side_context *server_context,
                                 struct server_time *time) {
    static __thread struct side_wire to_server, to_client;
    static const unsigned char message[MESSAGE_BYTES];
    btls_conn *client = NULL;
    REQUIRE(btls_conn_new_client((btls_context *)context, "broker.example", NULL, &client, NULL) == BTLS_OK);
    start(time);
    struct side_conn *server = side_accept_in_memory(server_context);
    stop(time);
    enum side_status status = SIDE_WANT_READ;
    empty(&to_server);
    empty(&to_client);
    client_sends(client, NULL, 0, &to_server);
    while (status != SIDE_OK) {
        start(time);
        status = side_move(server, &to_server, &to_client);
        stop(time);
        REQUIRE(status == SIDE_OK || status == SIDE_WANT_READ);
        REQUIRE(to_server.used == to_server.length);
        empty(&to_server);
        client_takes(client, &to_client, &to_server);
    }
    REQUIRE(!btls_conn_is_handshaking(client));
    client_sends(client, message, sizeof message, &to_server);
    side_echo(server, &to_server, &to_client);
    REQUIRE(client_takes(client, &to_client, &to_server) == sizeof message);
    btls_conn_free(client);
    return server;
}
