/* What the C tests share: checks that name their line, fixtures, contexts, and two connected sides in one thread.
 *
 * Uses the installed header and nothing else of the library. */
#ifndef BROKERTLS_TEST_HARNESS_H
#define BROKERTLS_TEST_HARNESS_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <brokertls.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static inline void check(int holds, const char *file, int line, const char *what) {
    if (!holds) {
        fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
        exit(1);
    }
}
#define CHECK(condition) check((condition) ? 1 : 0, __FILE__, __LINE__, #condition)

static inline void check_status(btls_status found, btls_status expected, const btls_error *error, const char *file,
                                int line, const char *what) {
    if (found != expected) {
        fprintf(stderr, "%s:%d: %s gave %s (%d), not %s\n    %s\n", file, line, what, btls_status_name(found), (int)found,
                btls_status_name(expected), btls_error_message(error));
        exit(1);
    }
}
#define CHECK_STATUS(call, expected) check_status((call), (expected), NULL, __FILE__, __LINE__, #call)
#define CHECK_CONN(conn, call, expected)                                                                               \
    do {                                                                                                               \
        btls_status status_ = (call);                                                                                  \
        check_status(status_, (expected), btls_conn_error(conn), __FILE__, __LINE__, #call);                           \
    } while (0)
#define CHECK_BUILDER(builder, call, expected)                                                                         \
    do {                                                                                                               \
        btls_status status_ = (call);                                                                                  \
        check_status(status_, (expected), btls_builder_error(builder), __FILE__, __LINE__, #call);                     \
    } while (0)

static inline void check_text(const char *found, const char *expected, const char *file, int line, const char *what) {
    if (found == NULL || strcmp(found, expected) != 0) {
        fprintf(stderr, "%s:%d: %s is \"%s\", not \"%s\"\n", file, line, what, found ? found : "(NULL)", expected);
        exit(1);
    }
}
#define CHECK_TEXT(text, expected) check_text((text), (expected), __FILE__, __LINE__, #text)

static inline void check_holds(const char *text, const char *part, const char *file, int line, const char *what) {
    if (text == NULL || strstr(text, part) == NULL) {
        fprintf(stderr, "%s:%d: %s is \"%s\", without \"%s\"\n", file, line, what, text ? text : "(NULL)", part);
        exit(1);
    }
}
#define CHECK_HOLDS(text, part) check_holds((text), (part), __FILE__, __LINE__, #text)

/* Runs one test; its name is a sentence. A test that fails ends the program. */
#define RUN(test)                                                                                                      \
    do {                                                                                                               \
        test();                                                                                                        \
        printf("test c::%s ... ok\n", #test);                                                                          \
        fflush(stdout);                                                                                                \
    } while (0)

/* The path of a file made by fixtures.sh; good for the next seven calls. */
static inline const char *fixture(const char *name) {
    static char paths[8][1024];
    static int next;
    const char *folder = getenv("FIXTURES");
    check(folder != NULL, __FILE__, __LINE__, "FIXTURES names the folder of fixtures.sh");
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

/* A file's content; the caller frees it. */
static inline char *content_of(const char *path, size_t *length) {
    FILE *file = fopen(path, "rb");
    CHECK(file != NULL);
    char *content = (char *)malloc(1 << 20);
    *length = fread(content, 1, 1 << 20, file);
    fclose(file);
    return content;
}

static inline void copy(const char *from, const char *to) {
    size_t length;
    char *content = content_of(from, &length);
    FILE *file = fopen(to, "wb");
    CHECK(file != NULL && fwrite(content, 1, length, file) == length);
    fclose(file);
    free(content);
}

/* A builder with the identity NAME.pem and NAME.key, unless NULL, that trusts the CA, unless NULL. */
static inline btls_builder *builder_with(const char *name, const char *ca) {
    btls_builder *builder = btls_builder_new();
    CHECK(builder != NULL);
    if (name != NULL) {
        char certificate[64], key[64];
        snprintf(certificate, sizeof certificate, "%s.pem", name);
        snprintf(key, sizeof key, "%s.key", name);
        CHECK_BUILDER(builder, btls_builder_identity_file(builder, fixture(certificate), fixture(key), NULL, NULL, NULL),
                      BTLS_OK);
    }
    if (ca != NULL)
        CHECK_BUILDER(builder, btls_builder_trust_file(builder, fixture(ca), NULL), BTLS_OK);
    return builder;
}

/* The context of a builder, which is freed. */
static inline btls_context *build(btls_builder *builder) {
    btls_context *context = NULL;
    CHECK_BUILDER(builder, btls_builder_build(builder, &context), BTLS_OK);
    CHECK(context != NULL);
    btls_builder_free(builder);
    return context;
}

static inline btls_context *context_with(const char *name, const char *ca) {
    return build(builder_with(name, ca));
}

/* A server that asks for client certificates: BTLS_CLIENT_AUTH_*. */
static inline btls_context *server_asking(btls_client_auth client_auth) {
    btls_builder *builder = builder_with("server", "ca.pem");
    CHECK_BUILDER(builder, btls_builder_client_auth(builder, client_auth), BTLS_OK);
    return build(builder);
}

/* Two connected sides in one thread. */
struct pair {
    btls_conn *client, *server;
    int client_fd, server_fd;
};

static inline void make_nonblocking(int fd) {
    CHECK(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == 0);
}

/* Two sides over a non-blocking pair of sockets, before their handshake. */
static inline struct pair pair_of(const btls_context *server, const btls_context *client) {
    struct pair pair;
    int fds[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    make_nonblocking(fds[0]);
    make_nonblocking(fds[1]);
    pair.client_fd = fds[0];
    pair.server_fd = fds[1];
    CHECK_STATUS(btls_conn_new_server(server, NULL, &pair.server, NULL), BTLS_OK);
    CHECK_STATUS(btls_conn_new_client(client, "localhost", NULL, &pair.client, NULL), BTLS_OK);
    CHECK_STATUS(btls_conn_set_fd(pair.server, fds[1], fds[1]), BTLS_OK);
    CHECK_STATUS(btls_conn_set_fd(pair.client, fds[0], fds[0]), BTLS_OK);
    return pair;
}

static inline int waits(btls_status status) {
    return status > BTLS_OK && status != BTLS_CLOSED && btls_status_category(status) == BTLS_CATEGORY_PROGRESS;
}

/* One side's next step of the handshake; tasks are run at once. */
static inline btls_status step(btls_conn *conn) {
    btls_status status = btls_conn_handshake(conn);
    while (status == BTLS_WANT_TASK) {
        CHECK_CONN(conn, btls_conn_task_run(conn), BTLS_OK);
        status = btls_conn_handshake(conn);
    }
    return status;
}

/* Runs both sides until neither waits, and gives how each ended. A client of TLS 1.3 has finished before the server
 * looks at its certificate: what the server sends of that comes with its first read. */
static inline void shake(const struct pair *pair, btls_status *client, btls_status *server) {
    *client = *server = BTLS_WANT_READ;
    for (int turns = 0; waits(*client) || waits(*server); turns++) {
        CHECK(turns < 1000);
        if (waits(*client))
            *client = step(pair->client);
        if (waits(*server))
            *server = step(pair->server);
    }
}

/* Two sides that have finished their handshake. */
static inline struct pair connected(const btls_context *server, const btls_context *client) {
    struct pair pair = pair_of(server, client);
    btls_status client_status, server_status;
    shake(&pair, &client_status, &server_status);
    check_status(server_status, BTLS_OK, btls_conn_error(pair.server), __FILE__, __LINE__, "the server's handshake");
    check_status(client_status, BTLS_OK, btls_conn_error(pair.client), __FILE__, __LINE__, "the client's handshake");
    return pair;
}

static inline void close_pair(struct pair *pair) {
    btls_conn_free(pair->client);
    btls_conn_free(pair->server);
    if (pair->client_fd >= 0)
        close(pair->client_fd);
    if (pair->server_fd >= 0)
        close(pair->server_fd);
}

static inline void write_all(btls_conn *conn, const void *data, size_t length) {
    size_t written = 0;
    CHECK_CONN(conn, btls_conn_write(conn, data, length, &written), BTLS_OK);
    CHECK(written == length);
}

/* Reads exactly the expected bytes. */
static inline void read_all(btls_conn *conn, const void *expected, size_t length) {
    char *buffer = (char *)malloc(length + 1);
    size_t filled = 0, count = 0;
    while (filled < length) {
        CHECK_CONN(conn, btls_conn_read(conn, buffer + filled, length - filled, &count), BTLS_OK);
        CHECK(count > 0);
        filled += count;
    }
    CHECK(memcmp(buffer, expected, length) == 0);
    free(buffer);
}

/* What the next read gives. */
static inline btls_status read_status(btls_conn *conn) {
    char buffer[64];
    size_t count = 0;
    return btls_conn_read(conn, buffer, sizeof buffer, &count);
}

#endif
