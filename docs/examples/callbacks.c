/* A client and a server in one process, over functions of the program: a pair of queues of its own.
 *
 *   callbacks IDENTITY PASSWORD TRUST
 *
 * The client says "hello", the server answers "welcome", both shut down. */
#include <brokertls.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Bytes on their way in one direction. */
struct queue {
    char bytes[8192];
    size_t start, end;
};

struct transport {
    struct queue *in, *out;
};

static ptrdiff_t read_queue(void *user, void *buffer, size_t length) {
    struct queue *queue = ((struct transport *)user)->in;
    size_t count = queue->end - queue->start;
    if (count == 0) {
        errno = EAGAIN; /* a return value of 0 would be the end of the transport */
        return -1;
    }
    if (count > length)
        count = length;
    memcpy(buffer, queue->bytes + queue->start, count);
    queue->start += count;
    return (ptrdiff_t)count;
}

static ptrdiff_t write_queue(void *user, const void *buffer, size_t length) {
    struct queue *queue = ((struct transport *)user)->out;
    size_t count;
    memmove(queue->bytes, queue->bytes + queue->start, queue->end - queue->start);
    queue->end -= queue->start;
    queue->start = 0;
    count = sizeof queue->bytes - queue->end;
    if (count == 0) {
        errno = EAGAIN;
        return -1;
    }
    if (count > length)
        count = length;
    memcpy(queue->bytes + queue->end, buffer, count);
    queue->end += count;
    return (ptrdiff_t)count;
}

static void report(const char *what, const btls_error *error) {
    fprintf(stderr, "%s: %s: %s. %s\n", what, btls_error_name(error), btls_error_message(error),
            btls_error_hint(error));
}

static int waits(btls_status status) {
    return status == BTLS_WANT_READ || status == BTLS_WANT_WRITE;
}

/* Lets both sides make a call in turn, until neither waits for the other. */
static int finish(btls_conn *client, btls_conn *server, btls_status (*call)(btls_conn *conn)) {
    btls_status of_client, of_server;
    do {
        of_client = call(client);
        of_server = call(server);
    } while (waits(of_client) || waits(of_server));
    return of_client == BTLS_OK && of_server == BTLS_OK;
}

/* Moves a text from one side to the other. */
static int say(btls_conn *from, btls_conn *to, const char *text) {
    char buffer[64];
    size_t written = 0, count = 0;
    if (btls_conn_write(from, text, strlen(text), &written) != BTLS_OK || written != strlen(text) ||
        btls_conn_read(to, buffer, sizeof buffer, &count) != BTLS_OK)
        return 0;
    printf("%.*s\n", (int)count, buffer);
    return 1;
}

static int talk(btls_context *context) {
    static struct queue to_client, to_server;
    struct transport of_client = {&to_client, &to_server}, of_server = {&to_server, &to_client};
    btls_conn *client = NULL, *server = NULL;
    int is_done = btls_conn_new_client(context, "localhost", NULL, &client, NULL) == BTLS_OK &&
                  btls_conn_new_server(context, NULL, &server, NULL) == BTLS_OK &&
                  btls_conn_set_callbacks(client, read_queue, write_queue, &of_client) == BTLS_OK &&
                  btls_conn_set_callbacks(server, read_queue, write_queue, &of_server) == BTLS_OK &&
                  finish(client, server, btls_conn_handshake) && say(client, server, "hello") &&
                  say(server, client, "welcome") && finish(client, server, btls_conn_shutdown);
    if (!is_done) {
        report("client", btls_conn_error(client));
        report("server", btls_conn_error(server));
    }
    btls_conn_free(client);
    btls_conn_free(server);
    return is_done ? 0 : 1;
}

int main(int count, char **arguments) {
    btls_context *context = NULL;
    btls_builder *builder = btls_builder_new();
    int outcome = 1;
    if (count != 4) {
        fprintf(stderr, "usage: callbacks IDENTITY PASSWORD TRUST\n");
        return 2;
    }
    if (btls_builder_identity_file(builder, arguments[1], NULL, NULL, arguments[2], NULL) ||
        btls_builder_trust_file(builder, arguments[3], NULL) || btls_builder_build(builder, &context))
        report("no context", btls_builder_error(builder));
    else
        outcome = talk(context);
    btls_builder_free(builder);
    btls_context_free(context);
    return outcome;
}
