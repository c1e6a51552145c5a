/* A client of the small broker, on a blocking socket.
 *
 *   client PORT IDENTITY_STORE TRUST_STORE PASSWORD ANSWERS COMMAND...
 *
 * Sends each command as a line, prints ANSWERS lines of the reply, and ends. IDENTITY_STORE may be "-" for none. */
#define _GNU_SOURCE
#include <brokertls.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static int fail(const char *what, const btls_error *error) {
    printf("%s: %s (%d): %s. %s\n", what, btls_error_name(error), (int)btls_error_code(error),
           btls_error_message(error), btls_error_hint(error));
    return 1;
}

/* The context of a client. Its last setting is what certificates without a subject alternative name need. */
static btls_context *make_context(const char *identity, const char *trust, const char *password) {
    btls_context *context = NULL;
    btls_builder *builder = btls_builder_new();
    btls_status status = btls_builder_trust_file(builder, trust, password);
    if (status == BTLS_OK && strcmp(identity, "-") != 0)
        status = btls_builder_identity_file(builder, identity, NULL, NULL, password, NULL);
    if (status == BTLS_OK)
        status = btls_builder_insecure_allow(builder, "insecure-common-name", true);
    if (status == BTLS_OK)
        status = btls_builder_build(builder, &context);
    if (status != BTLS_OK) {
        fail("cannot start", btls_builder_error(builder));
        exit(1);
    }
    btls_builder_free(builder);
    return context;
}

static int connect_to(uint16_t port) {
    struct sockaddr_in address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        perror("connect");
        exit(1);
    }
    return fd;
}

static void print_facts(const btls_conn *conn) {
    const btls_certificate *server = btls_conn_peer_certificate(conn);
    printf("connected to %s\n  with %s, %s, %s\n", btls_certificate_subject(server), btls_conn_version(conn),
           btls_conn_cipher_suite(conn), btls_conn_group(conn));
    printf("  fingerprint %.32s...\n", btls_certificate_sha256(server));
    for (size_t index = 0; index < btls_conn_deviation_count(conn); index++)
        printf("  accepted only by %s\n", btls_conn_deviation(conn, index));
}

/* Sends the commands, each with its line break in the same record. */
static btls_status send_commands(btls_conn *conn, char **commands, int count) {
    btls_status status = BTLS_OK;
    for (int index = 0; status == BTLS_OK && index < count; index++) {
        struct iovec pieces[2] = {{commands[index], strlen(commands[index])}, {(void *)"\n", 1}};
        size_t written = 0;
        status = btls_conn_writev(conn, pieces, 2, &written);
    }
    return status;
}

static btls_status print_answers(btls_conn *conn, int lines) {
    char buffer[256];
    size_t count = 0;
    while (lines > 0) {
        btls_status status = btls_conn_read(conn, buffer, sizeof buffer, &count);
        if (status != BTLS_OK)
            return status;
        for (size_t index = 0; index < count; index++) {
            putchar(buffer[index]);
            lines -= buffer[index] == '\n';
        }
    }
    return BTLS_OK;
}

int main(int count, char **arguments) {
    btls_conn *conn = NULL;
    if (count < 6) {
        fprintf(stderr, "usage: client PORT IDENTITY_STORE TRUST_STORE PASSWORD ANSWERS COMMAND...\n");
        return 2;
    }
    btls_context *context = make_context(arguments[2], arguments[3], arguments[4]);
    int fd = connect_to((uint16_t)atoi(arguments[1]));
    btls_status status = btls_conn_new_client(context, "localhost", NULL, &conn, NULL);
    if (status == BTLS_OK)
        status = btls_conn_set_fd(conn, fd, fd);
    if (status == BTLS_OK)
        status = btls_conn_handshake(conn);
    if (status == BTLS_OK)
        print_facts(conn);
    if (status == BTLS_OK)
        status = send_commands(conn, arguments + 6, count - 6);
    if (status == BTLS_OK)
        status = print_answers(conn, atoi(arguments[5]));
    if (status == BTLS_OK)
        status = btls_conn_shutdown(conn);
    int outcome = status == BTLS_OK ? 0 : fail("failed", btls_conn_error(conn));
    btls_conn_free(conn);
    btls_context_free(context);
    close(fd);
    return outcome;
}
