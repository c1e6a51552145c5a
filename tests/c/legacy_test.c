/* The second engine behind the C API: openssl s_client with a pre-shared key and with TLS 1.0, and clients of ours. */
#include "harness.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/wait.h>

#define PSK_CLIENT "-tls1_2 -cipher PSK-AES128-GCM-SHA256 -psk_identity device-7"

/* A client in a process of its own. */
struct peer {
    pid_t pid;
    int input, output;
    char printed[65536];
};

/* Starts a command with pipes to it and from it. */
static struct peer start(const char *command) {
    struct peer peer;
    int in[2], out[2];
    CHECK(pipe(in) == 0 && pipe(out) == 0);
    peer.pid = fork();
    CHECK(peer.pid >= 0);
    if (peer.pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        dup2(out[1], 2);
        close(in[0]);
        close(in[1]);
        close(out[0]);
        close(out[1]);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    peer.input = in[1];
    peer.output = out[0];
    return peer;
}

static void finish(struct peer *peer) {
    size_t filled = 0;
    ssize_t count;
    close(peer->input);
    while ((count = read(peer->output, peer->printed + filled, sizeof peer->printed - 1 - filled)) > 0)
        filled += (size_t)count;
    peer->printed[filled] = '\0';
    close(peer->output);
    CHECK(waitpid(peer->pid, NULL, 0) == peer->pid);
}

/* A server's connection that has met a client, how the handshake ended, and what the client has printed. */
struct met {
    btls_conn *conn;
    btls_status status;
    struct peer peer;
};

/* Serves one connection of `openssl s_client` with these arguments: reads a line, and answers it. */
static struct met meet(const btls_context *context, const char *arguments) {
    struct met met;
    char command[512];
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 1) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
    snprintf(command, sizeof command, "exec openssl s_client -connect 127.0.0.1:%d -ign_eof %s",
             ntohs(address.sin_port), arguments);
    met.peer = start(command);
    CHECK(write(met.peer.input, "ping\n", 5) == 5);
    int fd = accept(listener, NULL, NULL);
    CHECK(fd >= 0);
    close(listener);
    CHECK_STATUS(btls_conn_new_server(context, NULL, &met.conn, NULL), BTLS_OK);
    CHECK_CONN(met.conn, btls_conn_set_fd(met.conn, fd, fd), BTLS_OK);
    met.status = step(met.conn);
    if (met.status == BTLS_OK) {
        read_all(met.conn, "ping\n", 5);
        write_all(met.conn, "pong\n", 5);
        CHECK_CONN(met.conn, btls_conn_close_write(met.conn), BTLS_OK);
    }
    /* The client reads the alert before the socket is closed. */
    char rest[256];
    shutdown(fd, SHUT_WR);
    while (read(fd, rest, sizeof rest) > 0)
        continue;
    finish(&met.peer);
    close(fd);
    return met;
}

static const char other_secret[] = "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10";

/* A builder with the second engine and the pre-shared keys of the fixtures. */
static btls_builder *builder_with_keys(const char *name) {
    btls_builder *builder = builder_with(name, NULL);
    CHECK_BUILDER(builder, btls_builder_set(builder, "legacy-engine", "yes"), BTLS_OK);
    CHECK_BUILDER(builder, btls_builder_set(builder, "psk-file", fixture("init.psk")), BTLS_OK);
    return builder;
}

static void check_identity(const btls_conn *conn, const char *expected) {
    const uint8_t *identity = (const uint8_t *)"";
    size_t length = 1;
    CHECK_STATUS(btls_conn_psk_identity(conn, &identity, &length), BTLS_OK);
    CHECK(length == (expected ? strlen(expected) : 0) && (identity == NULL) == (expected == NULL));
    CHECK(expected == NULL || memcmp(identity, expected, length) == 0);
}

static void client_with_a_pre_shared_key_is_served_and_its_identity_is_a_fact(void) {
    btls_context *context = build(builder_with_keys(NULL));
    struct met met = meet(context, PSK_CLIENT " -psk 00112233445566778899");
    check_status(met.status, BTLS_OK, btls_conn_error(met.conn), __FILE__, __LINE__, met.peer.printed);
    CHECK_HOLDS(met.peer.printed, "pong");
    CHECK_TEXT(btls_conn_version(met.conn), "TLSv1.2");
    CHECK_TEXT(btls_conn_cipher_suite(met.conn), "TLS_PSK_WITH_AES_128_GCM_SHA256");
    CHECK(btls_conn_peer_certificate(met.conn) == NULL);
    check_identity(met.conn, "device-7");
    btls_conn_free(met.conn);
    btls_context_free(context);
}

static void client_with_another_secret_is_refused_with_bad_record_mac(void) {
    btls_context *context = build(builder_with_keys(NULL));
    struct met met = meet(context, PSK_CLIENT " -psk 00ff");
    check_status(met.status, BTLS_PSK_REFUSED, btls_conn_error(met.conn), __FILE__, __LINE__, met.peer.printed);
    CHECK_HOLDS(met.peer.printed, "SSL alert number 20");
    CHECK_HOLDS(btls_error_message(btls_conn_error(met.conn)), "\"device-7\"");
    CHECK(strstr(btls_error_message(btls_conn_error(met.conn)), "0011") == NULL);
    btls_conn_free(met.conn);
    btls_context_free(context);
}

static void client_of_tls10_is_served_beside_a_client_of_tls13(void) {
    btls_builder *builder = builder_with_keys("server");
    CHECK_BUILDER(builder, btls_builder_versions(builder, "TLSv1.3,TLSv1.2,TLSv1.1,TLSv1"), BTLS_OK);
    btls_context *context = build(builder);
    struct met old = meet(context, "-tls1 -cipher ALL:@SECLEVEL=0");
    check_status(old.status, BTLS_OK, btls_conn_error(old.conn), __FILE__, __LINE__, old.peer.printed);
    CHECK_TEXT(btls_conn_version(old.conn), "TLSv1");
    check_identity(old.conn, NULL);
    struct met modern = meet(context, "-tls1_3");
    check_status(modern.status, BTLS_OK, btls_conn_error(modern.conn), __FILE__, __LINE__, modern.peer.printed);
    CHECK_TEXT(btls_conn_version(modern.conn), "TLSv1.3");
    check_identity(modern.conn, NULL);
    CHECK(btls_context_legacy_uses(context, "TLSv1") == 1);
    CHECK(btls_context_legacy_uses(context, "legacy-engine") == 1);
    CHECK(btls_context_legacy_uses(context, "TLSv1.1") == 0);
    CHECK(btls_context_legacy_uses(context, "TLSv1.3") == 0 && btls_context_legacy_uses(context, "\xff") == 0);
    CHECK(btls_context_legacy_uses(context, NULL) == 0 && btls_context_legacy_uses(NULL, "TLSv1") == 0);
    btls_conn_free(old.conn);
    btls_conn_free(modern.conn);
    btls_context_free(context);
}

static void client_of_tls10_is_refused_where_it_is_not_named(void) {
    btls_context *context = build(builder_with_keys("server"));
    struct met met = meet(context, "-tls1 -cipher ALL:@SECLEVEL=0");
    check_status(met.status, BTLS_NO_COMMON_VERSION, btls_conn_error(met.conn), __FILE__, __LINE__, met.peer.printed);
    CHECK_HOLDS(met.peer.printed, "SSL alert number 70");
    CHECK_HOLDS(btls_error_hint(btls_conn_error(met.conn)), "is served with versions=TLSv1.3,TLSv1.2,TLSv1.");
    btls_conn_free(met.conn);
    btls_context_free(context);
}

static void pre_shared_keys_without_the_engine_are_a_conflict_and_their_file_is_named(void) {
    btls_builder *builder = builder_with("server", NULL);
    btls_context *context = NULL;
    CHECK_BUILDER(builder, btls_builder_set(builder, "psk-file", fixture("init.psk")), BTLS_OK);
    CHECK_STATUS(btls_builder_build(builder, &context), BTLS_OPTION_CONFLICT);
    CHECK_BUILDER(builder, btls_builder_set(builder, "legacy-engine", "yes"), BTLS_OK);
    CHECK_BUILDER(builder, btls_builder_set(builder, "psk-file", fixture("none.psk")), BTLS_OK);
    CHECK_STATUS(btls_builder_build(builder, &context), BTLS_FILE_UNREADABLE);
    CHECK_HOLDS(btls_error_message(btls_builder_error(builder)), "none.psk");
    btls_builder_free(builder);
}

/* The source of secrets: knows "other" alone, and has no answer for "later". */
static ptrdiff_t look_up(void *user, void *conn_user, const uint8_t *identity, size_t length, uint8_t *secret,
                         size_t capacity) {
    static const uint8_t other[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    CHECK(conn_user == NULL && capacity >= sizeof other);
    ++*(int *)user;
    if (length == 5 && memcmp(identity, "later", 5) == 0)
        return -1;
    if (length != 5 || memcmp(identity, "other", 5) != 0)
        return 0;
    memcpy(secret, other, sizeof other);
    return sizeof other;
}

#define OTHER_CLIENT "-tls1_2 -cipher PSK-AES128-GCM-SHA256 -psk 0102030405060708090a0b0c0d0e0f10 -psk_identity "

static void function_gives_the_secrets_of_identities_that_the_file_does_not_have(void) {
    int calls = 0;
    btls_builder *builder = builder_with_keys(NULL);
    CHECK_BUILDER(builder, btls_builder_psk_callback(builder, NULL, NULL, true), BTLS_NULL_POINTER);
    CHECK_BUILDER(builder, btls_builder_psk_callback(builder, look_up, &calls, true), BTLS_OK);
    btls_context *context = build(builder);
    struct met known = meet(context, PSK_CLIENT " -psk 00112233445566778899");
    check_status(known.status, BTLS_OK, btls_conn_error(known.conn), __FILE__, __LINE__, known.peer.printed);
    CHECK(calls == 0);
    struct met other = meet(context, OTHER_CLIENT "other");
    check_status(other.status, BTLS_OK, btls_conn_error(other.conn), __FILE__, __LINE__, other.peer.printed);
    check_identity(other.conn, "other");
    struct met unknown = meet(context, OTHER_CLIENT "stranger");
    check_status(unknown.status, BTLS_PSK_REFUSED, btls_conn_error(unknown.conn), __FILE__, __LINE__, "stranger");
    struct met later = meet(context, OTHER_CLIENT "later");
    check_status(later.status, BTLS_PSK_UNAVAILABLE, btls_conn_error(later.conn), __FILE__, __LINE__, "later");
    CHECK_HOLDS(later.peer.printed, "SSL alert number 80");
    CHECK(calls == 3);
    btls_conn_free(known.conn);
    btls_conn_free(other.conn);
    btls_conn_free(unknown.conn);
    btls_conn_free(later.conn);
    btls_context_free(context);
}

static void key_in_memory_serves_its_client(void) {
    btls_builder *builder = btls_builder_new();
    CHECK_BUILDER(builder, btls_builder_set(builder, "legacy-engine", "yes"), BTLS_OK);
    CHECK_BUILDER(builder, btls_builder_psk(builder, "other", 5, "", 0), BTLS_PSK_MALFORMED);
    CHECK_BUILDER(builder, btls_builder_psk(builder, NULL, 5, other_secret, 16), BTLS_NULL_POINTER);
    CHECK_BUILDER(builder, btls_builder_psk(builder, "other", 5, other_secret, 16), BTLS_OK);
    btls_context *context = build(builder);
    struct met met = meet(context, OTHER_CLIENT "other");
    check_status(met.status, BTLS_OK, btls_conn_error(met.conn), __FILE__, __LINE__, met.peer.printed);
    check_identity(met.conn, "other");
    btls_conn_free(met.conn);
    btls_context_free(context);
}

static void identity_before_the_handshake_is_null_and_outputs_are_needed(void) {
    btls_context *context = build(builder_with_keys(NULL));
    btls_conn *conn = NULL;
    const uint8_t *identity;
    size_t length;
    CHECK_STATUS(btls_conn_new_server(context, NULL, &conn, NULL), BTLS_OK);
    check_identity(conn, NULL);
    CHECK_STATUS(btls_conn_psk_identity(conn, NULL, &length), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_conn_psk_identity(conn, &identity, NULL), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_conn_psk_identity(NULL, &identity, &length), BTLS_NULL_POINTER);
    btls_conn_free(conn);
    btls_context_free(context);
}

/* A builder of one side with the second engine, a version, and a key in memory for "other", unless it is NULL. */
static btls_builder *side(const char *version, const char *secret) {
    btls_builder *builder = btls_builder_new();
    CHECK_BUILDER(builder, btls_builder_set(builder, "legacy-engine", "yes"), BTLS_OK);
    CHECK_BUILDER(builder, btls_builder_versions(builder, version), BTLS_OK);
    if (secret != NULL)
        CHECK_BUILDER(builder, btls_builder_psk(builder, "other", 5, secret, 16), BTLS_OK);
    return builder;
}

/* A client with this identity. Its key is in memory, or that of `look_up` if the secret is NULL. */
static btls_context *client_named(const char *version, const char *identity, const char *secret, int *calls) {
    btls_builder *builder = side(version, secret);
    if (secret == NULL)
        CHECK_BUILDER(builder, btls_builder_psk_callback(builder, look_up, calls, true), BTLS_OK);
    CHECK_BUILDER(builder, btls_builder_set(builder, "psk-identity", identity), BTLS_OK);
    return build(builder);
}

static const char *const versions[] = {"TLSv1.3", "TLSv1.2", "TLSv1"};

static void client_of_ours_with_a_key_is_accepted_and_the_server_has_its_identity(void) {
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        int calls = 0;
        btls_context *server = build(side(versions[i], other_secret));
        btls_context *clients[2] = {client_named(versions[i], "other", other_secret, NULL),
                                    client_named(versions[i], "other", NULL, &calls)};
        for (int turn = 0; turn < 2; turn++) {
            struct pair pair = pair_of(server, clients[turn]);
            btls_status client_status, server_status;
            check_identity(pair.client, NULL);
            shake(&pair, &client_status, &server_status);
            CHECK_CONN(pair.server, server_status, BTLS_OK);
            CHECK_CONN(pair.client, client_status, BTLS_OK);
            CHECK_TEXT(btls_conn_version(pair.client), versions[i]);
            /* Its own identity does not name the server. */
            check_identity(pair.client, NULL);
            check_identity(pair.server, "other");
            CHECK(btls_conn_peer_certificate(pair.client) == NULL && btls_conn_peer_certificate(pair.server) == NULL);
            write_all(pair.client, "ping", 4);
            read_all(pair.server, "ping", 4);
            close_pair(&pair);
            btls_context_free(clients[turn]);
        }
        CHECK(calls == 1);
        CHECK(btls_context_legacy_uses(server, "pre-shared key") == 2);
        btls_context_free(server);
    }
}

/* Both sides of a client that is refused, with their codes. Neither has an identity. */
static void check_refused(const btls_context *server, btls_context *client, btls_status on_client,
                          btls_status on_server) {
    struct pair pair = pair_of(server, client);
    btls_status client_status, server_status;
    shake(&pair, &client_status, &server_status);
    CHECK_CONN(pair.client, client_status, on_client);
    CHECK_CONN(pair.server, server_status, on_server);
    check_identity(pair.client, NULL);
    check_identity(pair.server, NULL);
    close_pair(&pair);
    btls_context_free(client);
}

static void client_of_ours_with_another_secret_or_identity_is_refused_by_the_server(void) {
    static const char wrong[] = "0123456789abcdef";
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        btls_status alert = i == 0 ? BTLS_ALERT_DECRYPT_ERROR : BTLS_ALERT_BAD_RECORD_MAC;
        btls_context *server = build(side(versions[i], other_secret));
        check_refused(server, client_named(versions[i], "other", wrong, NULL), alert, BTLS_PSK_REFUSED);
        btls_context_free(server);
        btls_builder *builder = side(versions[i], NULL);
        CHECK_BUILDER(builder, btls_builder_psk(builder, "stranger", 8, other_secret, 16), BTLS_OK);
        server = build(builder);
        check_refused(server, client_named(versions[i], "other", other_secret, NULL), alert, BTLS_PSK_REFUSED);
        btls_context_free(server);
    }
}

/* Only TLS 1.2 has a server that hears of it: in TLS 1.3, the function is called before the first message. */
static void client_of_ours_without_a_key_of_its_function_ends_with_the_code_of_the_reason(void) {
    int calls = 0;
    btls_context *server = build(side("TLSv1.2", other_secret));
    check_refused(server, client_named("TLSv1.2", "stranger", NULL, &calls), BTLS_PSK_REFUSED,
                  BTLS_ALERT_BAD_RECORD_MAC);
    check_refused(server, client_named("TLSv1.2", "later", NULL, &calls), BTLS_PSK_UNAVAILABLE,
                  BTLS_ALERT_INTERNAL_ERROR);
    CHECK(calls == 2);
    btls_context_free(server);
}

static void identity_of_this_side_without_a_key_or_without_the_engine_is_a_conflict(void) {
    btls_context *context = NULL;
    btls_builder *builder = side("TLSv1.2", other_secret);
    CHECK_BUILDER(builder, btls_builder_set(builder, "psk-identity", "stranger"), BTLS_OK);
    CHECK_STATUS(btls_builder_build(builder, &context), BTLS_OPTION_CONFLICT);
    CHECK_HOLDS(btls_error_message(btls_builder_error(builder)), "psk-identity");
    CHECK_BUILDER(builder, btls_builder_set(builder, "psk-identity", "other"), BTLS_OK);
    CHECK_BUILDER(builder, btls_builder_set(builder, "legacy-engine", "no"), BTLS_OK);
    CHECK_STATUS(btls_builder_build(builder, &context), BTLS_OPTION_CONFLICT);
    CHECK(context == NULL);
    btls_builder_free(builder);
}

int main(void) {
    RUN(client_with_a_pre_shared_key_is_served_and_its_identity_is_a_fact);
    RUN(client_with_another_secret_is_refused_with_bad_record_mac);
    RUN(client_of_tls10_is_served_beside_a_client_of_tls13);
    RUN(client_of_tls10_is_refused_where_it_is_not_named);
    RUN(pre_shared_keys_without_the_engine_are_a_conflict_and_their_file_is_named);
    RUN(function_gives_the_secrets_of_identities_that_the_file_does_not_have);
    RUN(key_in_memory_serves_its_client);
    RUN(identity_before_the_handshake_is_null_and_outputs_are_needed);
    RUN(client_of_ours_with_a_key_is_accepted_and_the_server_has_its_identity);
    RUN(client_of_ours_with_another_secret_or_identity_is_refused_by_the_server);
    RUN(client_of_ours_without_a_key_of_its_function_ends_with_the_code_of_the_reason);
    RUN(identity_of_this_side_without_a_key_or_without_the_engine_is_a_conflict);
    return 0;
}
