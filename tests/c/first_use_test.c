/* The first use of the library, as README.md shows it: a server that answers one client. Takes no harness; reads top down. */
#define _GNU_SOURCE
#include <brokertls.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void give_up(const char *what, const btls_error *error) {
    fprintf(stderr, "%s: %s: %s. %s\n", what, btls_error_name(error), btls_error_message(error), btls_error_hint(error));
    exit(1);
}

/* A file made by fixtures.sh. */
static const char *path(const char *name) {
    static char paths[4][1024];
    static int next;
    char *found = paths[next++ % 4];
    snprintf(found, sizeof paths[0], "%s/%s", getenv("FIXTURES"), name);
    return found;
}

/* What a broker does once for each listener. */
static btls_context *listener_context(void) {
    btls_context *context = NULL;
    btls_builder *builder = btls_builder_new();
    btls_builder_identity_file(builder, path("server.p12"), NULL, NULL, "password", NULL);
    btls_builder_trust_file(builder, path("ca.pem"), NULL);
    btls_builder_client_auth(builder, BTLS_CLIENT_AUTH_NEED);
    if (btls_builder_build(builder, &context) != BTLS_OK)
        give_up("listener", btls_builder_error(builder));
    btls_builder_free(builder);
    return context;
}

/* What a broker does for each client that it has accepted, here with a socket that waits. */
static void serve(const btls_context *context, int fd) {
    btls_conn *conn = NULL;
    char buffer[256];
    size_t count = 0, written = 0;
    btls_status status = btls_conn_new_server(context, NULL, &conn, NULL);
    if (status == BTLS_OK)
        status = btls_conn_set_fd(conn, fd, fd);
    if (status == BTLS_OK)
        status = btls_conn_handshake(conn);
    if (status == BTLS_OK)
        status = btls_conn_read(conn, buffer, sizeof buffer, &count);
    if (status == BTLS_OK)
        status = btls_conn_write(conn, buffer, count, &written);
    if (status == BTLS_OK)
        status = btls_conn_shutdown(conn);
    if (status != BTLS_OK)
        give_up("client refused", btls_conn_error(conn));
    printf("%s has been served with %s\n", btls_certificate_subject(btls_conn_peer_certificate(conn)),
           btls_conn_version(conn));
    btls_conn_free(conn);
    close(fd);
}

static uint16_t port;

static void *client(void *unused) {
    struct sockaddr_in address;
    btls_context *context = NULL;
    btls_conn *conn = NULL;
    char answer[5];
    size_t count = 0;
    (void)unused;
    btls_builder *builder = btls_builder_new();
    btls_builder_identity_file(builder, path("client.pem"), path("client.key"), NULL, NULL, NULL);
    btls_builder_trust_file(builder, path("ca.pem"), NULL);
    if (btls_builder_build(builder, &context) != BTLS_OK)
        give_up("client", btls_builder_error(builder));
    btls_builder_free(builder);

    int fd = socket(AF_INET, SOCK_STREAM, 0);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        exit(1);
    /* Writing and reading do the handshake first. */
    if (btls_conn_new_client(context, "localhost", NULL, &conn, NULL) != BTLS_OK || btls_conn_set_fd(conn, fd, fd) != BTLS_OK ||
        btls_conn_write(conn, "hello", 5, &count) != BTLS_OK || btls_conn_read(conn, answer, 5, &count) != BTLS_OK ||
        btls_conn_shutdown(conn) != BTLS_OK)
        give_up("client", btls_conn_error(conn));
    if (count != 5 || memcmp(answer, "hello", 5) != 0)
        exit(1);
    btls_conn_free(conn);
    btls_context_free(context);
    close(fd);
    return NULL;
}

int main(void) {
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    pthread_t thread;
    btls_context *context = listener_context();
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) != 0)
        return 1;
    port = ntohs(address.sin_port);
    if (pthread_create(&thread, NULL, client, NULL) != 0)
        return 1;
    serve(context, accept(listener, NULL, NULL));
    if (pthread_join(thread, NULL) != 0)
        return 1;
    close(listener);
    btls_context_free(context);
    printf("test c::first_use_serves_one_client_with_a_certificate ... ok\n");
    return 0;
}
