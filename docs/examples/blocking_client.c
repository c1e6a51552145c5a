/* A client on a blocking socket: sends a line, prints the line that comes back, and closes.
 *
 *   blocking_client PORT HOST TRUST IDENTITY PASSWORD LINE
 *
 * Connects to PORT of this machine. HOST is the name that the server's certificate must have. TRUST holds the CA of the
 * server. IDENTITY and PASSWORD are the client's certificate and key; "-" leaves them out. */
#define _GNU_SOURCE
#include <brokertls.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static void report(const char *what, const btls_error *error) {
    fprintf(stderr, "%s: %s: %s. %s\n", what, btls_error_name(error), btls_error_message(error),
            btls_error_hint(error));
}

static btls_context *make_context(const char *trust, const char *identity, const char *password) {
    btls_context *context = NULL;
    btls_builder *builder = btls_builder_new();
    btls_status status = btls_builder_trust_file(builder, trust, NULL);
    if (status == BTLS_OK && strcmp(identity, "-") != 0)
        status = btls_builder_identity_file(builder, identity, NULL, NULL, password, NULL);
    if (status == BTLS_OK)
        status = btls_builder_build(builder, &context);
    if (status != BTLS_OK)
        report("no context", btls_builder_error(builder));
    btls_builder_free(builder);
    return context;
}

/* Connects, and sets the longest time that one wait for the peer takes. */
static int connect_to(uint16_t port) {
    struct timeval longest = {30, 0};
    struct sockaddr_in address;
    int at_once = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        perror("connect");
        exit(1);
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &longest, sizeof longest);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
    return fd;
}

/* Returns 1 if the same call is to be made again. */
static int continues(btls_conn *conn, btls_status status) {
    size_t pending = 0;
    if (status == BTLS_WANT_TASK)
        return btls_conn_task_run(conn) == BTLS_OK;
    /* On a blocking socket BTLS_WANT_READ and BTLS_WANT_WRITE mean that its timeout has passed. The exception: a peer
     * sends much that is no data, and the call returned in between. */
    return status == BTLS_WANT_READ && btls_conn_pending(conn, &pending) == BTLS_OK && pending > 0;
}

static btls_status write_all(btls_conn *conn, const char *data, size_t length) {
    btls_status status = BTLS_OK;
    while (length > 0) {
        size_t written = 0;
        status = btls_conn_write(conn, data, length, &written);
        if (status != BTLS_OK && !continues(conn, status))
            return status;
        data += written;
        length -= written;
    }
    return status;
}

/* Prints what comes, up to a line break or the peer's close_notify. */
static btls_status print_line(btls_conn *conn) {
    char buffer[4096];
    for (;;) {
        size_t count = 0;
        btls_status status = btls_conn_read(conn, buffer, sizeof buffer, &count);
        if (status != BTLS_OK && !continues(conn, status))
            return status;
        fwrite(buffer, 1, count, stdout);
        if (memchr(buffer, '\n', count) != NULL)
            return BTLS_OK;
    }
}

/* Sends close_notify and waits for the peer's. */
static btls_status shut_down(btls_conn *conn) {
    btls_status status;
    do {
        status = btls_conn_shutdown(conn);
    } while (continues(conn, status));
    return status;
}

static int talk(btls_conn *conn, const char *line) {
    btls_status status = write_all(conn, line, strlen(line)); /* completes the handshake first */
    if (status == BTLS_OK)
        status = write_all(conn, "\n", 1);
    if (status == BTLS_OK)
        status = print_line(conn);
    if (status == BTLS_OK)
        status = shut_down(conn);
    if (status >= 100)
        report("failed", btls_conn_error(conn));
    else if (status != BTLS_OK)
        fprintf(stderr, "%s: %s\n", btls_status_name(status), btls_status_message(status));
    return status == BTLS_OK ? 0 : 1;
}

int main(int count, char **arguments) {
    btls_context *context;
    btls_conn *conn = NULL;
    btls_error *error = NULL;
    int fd, outcome = 1;
    if (count != 7) {
        fprintf(stderr, "usage: blocking_client PORT HOST TRUST IDENTITY PASSWORD LINE\n");
        return 2;
    }
    context = make_context(arguments[3], arguments[4], arguments[5]);
    if (context == NULL)
        return 1;
    fd = connect_to((uint16_t)atoi(arguments[1]));
    if (btls_conn_new_client(context, arguments[2], NULL, &conn, &error) != BTLS_OK)
        report("no connection", error);
    else if (btls_conn_set_fd(conn, fd, fd) == BTLS_OK)
        outcome = talk(conn, arguments[6]);
    btls_error_free(error);
    btls_conn_free(conn);
    btls_context_free(context);
    close(fd);
    return outcome;
}
