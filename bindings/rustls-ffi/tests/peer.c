/* A program written for rustls-ffi: it serves connections, or makes one, over non-blocking sockets with poll.
 *
 *     peer server IDENTITY KEY CA COUNT    prints its port, and echoes on COUNT connections one after the other
 *     peer client PORT CA                  sends a line to "localhost", and prints the answer
 *
 * It ends with 0, or prints the error and its hint and ends with 1. */
#include <brokertls_rustls.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int read_socket(void *fd, uint8_t *buffer, size_t length, size_t *count) {
    ssize_t got = recv(*(int *)fd, buffer, length, 0);
    if (got < 0)
        return errno;
    *count = (size_t)got;
    return 0;
}

static int write_socket(void *fd, const uint8_t *buffer, size_t length, size_t *count) {
    ssize_t sent = send(*(int *)fd, buffer, length, MSG_NOSIGNAL);
    if (sent < 0)
        return errno;
    *count = (size_t)sent;
    return 0;
}

static int told(const btls_error *error) {
    printf("%s\n%s\n", btls_error_message(error), btls_error_hint(error));
    return 1;
}

static int told_by(btls_context *context) {
    btls_error *error = btls_context_error(context);
    int result = told(error);
    btls_error_free(error);
    return result;
}

/* Moves a connection until its peer closes. What is read is sent back by a server, and printed by a client. */
static int run(struct rustls_connection *connection, int fd, bool is_server) {
    bool is_open = true;
    while (is_open || rustls_connection_wants_write(connection)) {
        struct pollfd waits = {fd, 0, 0};
        if (is_open && rustls_connection_wants_read(connection))
            waits.events |= POLLIN;
        if (rustls_connection_wants_write(connection))
            waits.events |= POLLOUT;
        poll(&waits, 1, 10000);
        size_t count = 0;
        if (waits.revents == 0)
            return 1;
        if ((waits.revents & POLLOUT) && rustls_connection_write_tls(connection, write_socket, &fd, &count) != 0)
            return 1;
        if (!(waits.revents & (POLLIN | POLLHUP)))
            continue;
        if (rustls_connection_read_tls(connection, read_socket, &fd, &count) != 0 || count == 0) {
            is_open = false;
            continue;
        }
        if (rustls_connection_process_new_packets(connection) != RUSTLS_RESULT_OK) {
            btls_error *error = NULL;
            btls_rustls_error(connection, &error);
            rustls_connection_write_tls(connection, write_socket, &fd, &count);
            int result = told(error);
            btls_error_free(error);
            return result;
        }
        uint8_t plain[4096];
        while (rustls_connection_read(connection, plain, sizeof plain, &count) == RUSTLS_RESULT_OK && count > 0) {
            size_t written = 0;
            if (is_server)
                rustls_connection_write(connection, plain, count, &written);
            else
                printf("%.*s", (int)count, plain);
            if (memchr(plain, '\n', count) != NULL) {
                rustls_connection_send_close_notify(connection);
                is_open = false;
            }
        }
    }
    return 0;
}

static int serve(char **arguments) {
    btls_builder *builder = btls_builder_new();
    btls_context *context = NULL;
    if (btls_builder_identity_file(builder, arguments[0], arguments[1], NULL, NULL, NULL) != BTLS_OK ||
        btls_builder_trust_file(builder, arguments[2], NULL) != BTLS_OK ||
        btls_builder_client_auth(builder, BTLS_CLIENT_AUTH_WANT) != BTLS_OK ||
        btls_builder_build(builder, &context) != BTLS_OK)
        return told(btls_builder_error(builder));
    btls_builder_free(builder);
    const struct rustls_server_config *config = NULL;
    if (btls_context_rustls_server_config(context, &config) != BTLS_OK)
        return told_by(context);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 8) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) != 0)
        return 1;
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    int result = 0;
    for (int left = atoi(arguments[3]); left > 0; left--) {
        int fd = accept(listener, NULL, NULL);
        fcntl(fd, F_SETFL, O_NONBLOCK);
        struct rustls_connection *connection = NULL;
        rustls_server_connection_new(config, &connection);
        result |= run(connection, fd, true);
        rustls_connection_free(connection);
        close(fd);
    }
    close(listener);
    rustls_server_config_free(config);
    btls_context_free(context);
    return result;
}

static int connect_to(char **arguments) {
    btls_builder *builder = btls_builder_new();
    btls_context *context = NULL;
    if (btls_builder_trust_file(builder, arguments[1], NULL) != BTLS_OK ||
        btls_builder_build(builder, &context) != BTLS_OK)
        return told(btls_builder_error(builder));
    btls_builder_free(builder);
    const struct rustls_client_config *config = NULL;
    if (btls_context_rustls_client_config(context, &config) != BTLS_OK)
        return told_by(context);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    address.sin_port = htons((uint16_t)atoi(arguments[0]));
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        return 1;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    struct rustls_connection *connection = NULL;
    rustls_client_connection_new(config, "localhost", &connection);
    size_t count = 0;
    rustls_connection_write(connection, (const uint8_t *)"hello\n", 6, &count);
    int result = run(connection, fd, false);
    rustls_connection_free(connection);
    close(fd);
    rustls_client_config_free(config);
    btls_context_free(context);
    return result;
}

int main(int count, char **arguments) {
    if (count == 6 && strcmp(arguments[1], "server") == 0)
        return serve(arguments + 2);
    if (count == 4 && strcmp(arguments[1], "client") == 0)
        return connect_to(arguments + 2);
    return 2;
}
