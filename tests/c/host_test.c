/* A host program with an OpenSSL of its own, beside the second engine in one process: connections of both in turn, step
 * by step. Neither changes the errors, the settings, the algorithms or the end of the other. */
#include "harness.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <sys/wait.h>

/* One end of OpenSSL's. */
struct end {
    SSL *ssl;
    int fd;
    int is_done;
};

/* Two connected sockets. */
static void sockets(int fds[2]) {
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    make_nonblocking(fds[0]);
    make_nonblocking(fds[1]);
}

static struct end end_of(SSL_CTX *context, int fd, int is_server) {
    struct end end = {SSL_new(context), fd, 0};
    CHECK(end.ssl != NULL && SSL_set_fd(end.ssl, fd) == 1);
    if (is_server)
        SSL_set_accept_state(end.ssl);
    else
        SSL_set_connect_state(end.ssl);
    return end;
}

static void free_end(struct end *end) {
    SSL_free(end->ssl);
    close(end->fd);
}

/* The next step of a handshake. Nothing but the peer's next message is missing. */
static void advance(struct end *end) {
    if (end->is_done)
        return;
    int result = SSL_do_handshake(end->ssl);
    end->is_done = result == 1;
    CHECK(end->is_done || SSL_get_error(end->ssl, result) == SSL_ERROR_WANT_READ);
}

static SSL_CTX *host_server(void) {
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    CHECK(context != NULL && SSL_CTX_use_certificate_chain_file(context, fixture("server.pem")) == 1);
    CHECK(SSL_CTX_use_PrivateKey_file(context, fixture("server.key"), SSL_FILETYPE_PEM) == 1);
    return context;
}

/* A client of TLS 1.0 with these suites. */
static SSL_CTX *old_client(OSSL_LIB_CTX *library, const char *suites) {
    SSL_CTX *context = SSL_CTX_new_ex(library, NULL, TLS_client_method());
    CHECK(context != NULL && SSL_CTX_set_min_proto_version(context, TLS1_VERSION) == 1);
    CHECK(SSL_CTX_set_max_proto_version(context, TLS1_VERSION) == 1);
    CHECK(SSL_CTX_set_cipher_list(context, suites) == 1);
    return context;
}

#define OLD_SUITES "ALL:@SECLEVEL=0"

static btls_context *old_server(void) {
    btls_builder *builder = builder_with("server", NULL);
    CHECK_BUILDER(builder, btls_builder_set(builder, "legacy-engine", "yes"), BTLS_OK);
    CHECK_BUILDER(builder, btls_builder_versions(builder, "TLSv1.2,TLSv1"), BTLS_OK);
    return build(builder);
}

/* An error of the host that it has not read. */
static void leave_error(void) {
    ERR_raise_data(ERR_LIB_USER, 7, "of the host");
}

/* Only that error is in the queue; then none. */
static void check_error(void) {
    const char *text = NULL;
    int flags = 0;
    CHECK(ERR_GET_REASON(ERR_get_error_all(NULL, NULL, NULL, &text, &flags)) == 7);
    CHECK_TEXT(text, "of the host");
    CHECK(ERR_peek_error() == 0);
}

/* A step of the library's with an error of the host before it. */
static btls_status step_beside_error(btls_conn *conn) {
    leave_error();
    btls_status status = step(conn);
    check_error();
    return status;
}

static void say(SSL *from, const char *text) {
    CHECK(SSL_write(from, text, (int)strlen(text)) == (int)strlen(text));
}

static void hear(SSL *to, const char *text) {
    char heard[64];
    CHECK(SSL_read(to, heard, sizeof heard) == (int)strlen(text) && memcmp(heard, text, strlen(text)) == 0);
}

/* The settings of all parts, made once. */
struct all {
    SSL_CTX *server, *client, *old;
    btls_context *context;
};

/* A connection of the host and one of the second engine in turn. The last has the expected end. */
static void interleave(const struct all *all, btls_status expected) {
    int of_host[2], of_old[2];
    sockets(of_host);
    sockets(of_old);
    struct end server = end_of(all->server, of_host[0], 1), client = end_of(all->client, of_host[1], 0);
    struct end old = end_of(all->old, of_old[1], 0);
    btls_conn *conn = NULL;
    CHECK_STATUS(btls_conn_new_server(all->context, NULL, &conn, NULL), BTLS_OK);
    CHECK_CONN(conn, btls_conn_set_fd(conn, of_old[0], of_old[0]), BTLS_OK);
    btls_status status = BTLS_WANT_READ;
    for (int turns = 0; waits(status) || !server.is_done || !client.is_done; turns++) {
        CHECK(turns < 100);
        advance(&client);
        if (expected == BTLS_OK || turns == 0) {
            int result = old.is_done ? 1 : SSL_do_handshake(old.ssl);
            old.is_done = result == 1;
            ERR_clear_error();
        }
        if (waits(status))
            status = step_beside_error(conn);
        advance(&server);
    }
    check_status(status, expected, btls_conn_error(conn), __FILE__, __LINE__, "the handshake of the old client");
    for (int turns = 0; expected == BTLS_OK && turns < 3; turns++) {
        advance(&old);
        say(client.ssl, "to the host");
        say(old.ssl, "to the library");
        read_all(conn, "to the library", 14);
        hear(server.ssl, "to the host");
        leave_error();
        write_all(conn, "from the library", 16);
        check_error();
        say(server.ssl, "from the host");
        hear(old.ssl, "from the library");
        hear(client.ssl, "from the host");
    }
    CHECK_TEXT(SSL_get_version(client.ssl), "TLSv1.3");
    leave_error();
    btls_conn_free(conn);
    check_error();
    close(of_old[0]);
    free_end(&server);
    free_end(&client);
    free_end(&old);
}

static struct all make_all(const char *suites) {
    struct all all = {host_server(), SSL_CTX_new(TLS_client_method()), old_client(NULL, suites), old_server()};
    return all;
}

static void free_all(struct all *all) {
    SSL_CTX_free(all->server);
    SSL_CTX_free(all->client);
    SSL_CTX_free(all->old);
    btls_context_free(all->context);
}

static int count_provider(OSSL_PROVIDER *provider, void *count) {
    (void)provider;
    ++*(int *)count;
    return 1;
}

/* The defaults of the host, as numbers. */
struct defaults {
    uint64_t options;
    long modes;
    int level, oldest, newest, providers;
};

static struct defaults defaults(void) {
    struct defaults now;
    memset(&now, 0, sizeof now);
    SSL_CTX *context = SSL_CTX_new(TLS_method());
    CHECK(context != NULL);
    now.options = SSL_CTX_get_options(context);
    now.modes = SSL_CTX_get_mode(context);
    now.level = SSL_CTX_get_security_level(context);
    now.oldest = (int)SSL_CTX_get_min_proto_version(context);
    now.newest = (int)SSL_CTX_get_max_proto_version(context);
    CHECK(OSSL_PROVIDER_do_all(NULL, count_provider, &now.providers) == 1);
    SSL_CTX_free(context);
    return now;
}

static void defaults_of_the_host_stay_as_they_were(void) {
    struct defaults before = defaults(), after;
    struct all all = make_all(OLD_SUITES);
    interleave(&all, BTLS_OK);
    free_all(&all);
    after = defaults();
    CHECK(memcmp(&before, &after, sizeof before) == 0);
    CHECK(ERR_peek_error() == 0);
}

static void connections_of_both_in_turn_do_not_disturb_each_other(void) {
    struct all all = make_all(OLD_SUITES);
    for (int turns = 0; turns < 5; turns++)
        interleave(&all, BTLS_OK);
    CHECK(btls_context_legacy_uses(all.context, "TLSv1") == 5);
    free_all(&all);
}

static void failure_of_the_second_engine_is_not_one_of_the_host(void) {
    struct all all = make_all("AES128-SHA:@SECLEVEL=0");
    interleave(&all, BTLS_NO_COMMON_CIPHER_SUITE);
    free_all(&all);
}

static void algorithms_that_the_host_takes_away_stay_with_the_second_engine(void) {
    struct all all = make_all(OLD_SUITES);
    OSSL_LIB_CTX *other = OSSL_LIB_CTX_new();
    SSL_CTX *old = old_client(other, OLD_SUITES);
    int fds[2];
    sockets(fds);
    /* No algorithm of the host has this property. */
    CHECK(EVP_set_default_properties(NULL, "provider=none") == 1);
    EVP_MD *digest = EVP_MD_fetch(NULL, "SHA256", NULL);
    CHECK(digest == NULL);
    ERR_clear_error();
    struct end client = end_of(old, fds[1], 0);
    btls_conn *conn = NULL;
    CHECK_STATUS(btls_conn_new_server(all.context, NULL, &conn, NULL), BTLS_OK);
    CHECK_CONN(conn, btls_conn_set_fd(conn, fds[0], fds[0]), BTLS_OK);
    btls_status status = BTLS_WANT_READ;
    for (int turns = 0; waits(status) || !client.is_done; turns++) {
        CHECK(turns < 100);
        advance(&client);
        if (waits(status))
            status = step_beside_error(conn);
    }
    CHECK_TEXT(btls_conn_version(conn), "TLSv1");
    CHECK(EVP_set_default_properties(NULL, "") == 1);
    btls_conn_free(conn);
    close(fds[0]);
    free_end(&client);
    SSL_CTX_free(old);
    OSSL_LIB_CTX_free(other);
    interleave(&all, BTLS_OK);
    free_all(&all);
}

static void *serve_some(void *all) {
    for (int turns = 0; turns < 3; turns++)
        interleave((const struct all *)all, BTLS_OK);
    return NULL;
}

static void threads_of_the_host_use_both_at_once(void) {
    struct all all = make_all(OLD_SUITES);
    pthread_t threads[3];
    for (int index = 0; index < 3; index++)
        CHECK(pthread_create(&threads[index], NULL, serve_some, &all) == 0);
    for (int index = 0; index < 3; index++)
        CHECK(pthread_join(threads[index], NULL) == 0);
    free_all(&all);
}

/* A host may end its OpenSSL before it frees the library's objects, as handlers of atexit do in some order. */
static void objects_are_freed_and_refuse_after_the_host_has_ended_its_openssl(void) {
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        btls_context *context = old_server();
        btls_conn *conn = NULL, *later = NULL;
        CHECK_STATUS(btls_conn_new_server(context, NULL, &conn, NULL), BTLS_OK);
        SSL_CTX *old = old_client(NULL, OLD_SUITES);
        int fds[2];
        sockets(fds);
        struct end client = end_of(old, fds[1], 0);
        CHECK_CONN(conn, btls_conn_set_fd(conn, fds[0], fds[0]), BTLS_OK);
        advance(&client);
        CHECK(step(conn) == BTLS_WANT_READ);
        free_end(&client);
        SSL_CTX_free(old);
        OPENSSL_cleanup();
        btls_status status = step(conn);
        CHECK(status != BTLS_OK && !waits(status));
        CHECK_STATUS(btls_conn_new_server(context, NULL, &later, NULL), BTLS_OK);
        btls_conn_free(later);
        btls_conn_free(conn);
        btls_context_free(context);
        close(fds[0]);
        /* A program of its own ends the process, since the ended OpenSSL leaves memory that no tool should count. */
        execl("/bin/true", "true", (char *)NULL);
        _exit(1);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void) {
    RUN(defaults_of_the_host_stay_as_they_were);
    RUN(connections_of_both_in_turn_do_not_disturb_each_other);
    RUN(failure_of_the_second_engine_is_not_one_of_the_host);
    RUN(algorithms_that_the_host_takes_away_stay_with_the_second_engine);
    RUN(threads_of_the_host_use_both_at_once);
    RUN(objects_are_freed_and_refuse_after_the_host_has_ended_its_openssl);
    return 0;
}
