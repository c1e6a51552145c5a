/* A client and a server in one process, without a transport: the program moves the records itself.
 *
 *   memory IDENTITY PASSWORD TRUST
 *
 * The client says "hello", the server answers "welcome", both close. */
#include <brokertls.h>

#include <stdio.h>
#include <string.h>

/* Records on their way to one side. */
struct wire {
    unsigned char bytes[4 * BTLS_MAX_RECORD_BYTES];
    size_t start, end;
};

/* Plaintext that has arrived at one side. */
struct text {
    char bytes[BTLS_MAX_PLAINTEXT_BYTES];
    size_t length;
};

static void report(const char *what, const btls_error *error) {
    fprintf(stderr, "%s: %s: %s. %s\n", what, btls_error_name(error), btls_error_message(error),
            btls_error_hint(error));
}

/* Makes records of `length` bytes, and of what the connection itself sends; 0 is for the latter alone. */
static btls_status send_records(btls_conn *conn, const char *data, size_t length, struct wire *wire) {
    size_t consumed, produced;
    btls_status status;
    memmove(wire->bytes, wire->bytes + wire->start, wire->end - wire->start);
    wire->end -= wire->start;
    wire->start = 0;
    do {
        status = btls_conn_wrap(conn, data, length, wire->bytes + wire->end, sizeof wire->bytes - wire->end, &consumed,
                                &produced);
        if (status < 100) {
            data += consumed;
            length -= consumed;
            wire->end += produced;
        }
    } while (status == BTLS_WANT_WRITE || ((status == BTLS_OK || status == BTLS_CLOSED) && length > 0));
    return status;
}

/* Reads the records of `in` into `text`; records of the connection itself go to `out`. */
static btls_status receive_records(btls_conn *conn, struct wire *in, struct wire *out, struct text *text) {
    size_t consumed, produced;
    for (;;) {
        btls_status status =
            btls_conn_unwrap(conn, in->bytes + in->start, in->end - in->start, text->bytes + text->length,
                             sizeof text->bytes - text->length, &consumed, &produced);
        if (status < 100) {
            in->start += consumed;
            text->length += produced;
        }
        if (status == BTLS_WANT_TASK) {
            btls_conn_task_run(conn);
        } else if (status == BTLS_WANT_WRITE) {
            status = send_records(conn, NULL, 0, out);
            if (status >= 100)
                return status;
        } else if (status != BTLS_OK) {
            if (status >= 100)
                send_records(conn, NULL, 0, out); /* the alert for the peer */
            return status; /* BTLS_WANT_READ, BTLS_CLOSED or an error */
        }
    }
}

/* Lets both sides take turns until both have finished the handshake and nothing is on its way. */
static btls_status shake_hands(btls_conn *client, btls_conn *server, struct wire *to_client, struct wire *to_server,
                               struct text *text) {
    btls_status status = send_records(client, NULL, 0, to_server);
    while (status < 100 && (to_server->start < to_server->end || to_client->start < to_client->end)) {
        status = receive_records(server, to_server, to_client, text);
        if (status < 100)
            status = receive_records(client, to_client, to_server, text);
        if (status < 100)
            status = send_records(client, NULL, 0, to_server);
    }
    return status;
}

static int talk(btls_conn *client, btls_conn *server) {
    static struct wire to_client, to_server;
    static struct text text;
    btls_status status = shake_hands(client, server, &to_client, &to_server, &text);
    if (status >= 100)
        return 1;
    printf("%s\n", btls_conn_version(client));

    send_records(client, "hello", 5, &to_server);
    btls_conn_close_write(client); /* BTLS_WANT_WRITE: the next wrap has the close_notify */
    send_records(client, NULL, 0, &to_server);
    status = receive_records(server, &to_server, &to_client, &text);
    printf("the server got %.*s, then %s\n", (int)text.length, text.bytes, btls_status_name(status));

    text.length = 0;
    send_records(server, "welcome", 7, &to_client); /* this direction is still open */
    btls_conn_close_write(server);
    send_records(server, NULL, 0, &to_client);
    status = receive_records(client, &to_client, &to_server, &text);
    printf("the client got %.*s, then %s\n", (int)text.length, text.bytes, btls_status_name(status));
    return status == BTLS_CLOSED ? 0 : 1;
}

int main(int count, char **arguments) {
    btls_context *context = NULL;
    btls_conn *client = NULL, *server = NULL;
    btls_builder *builder = btls_builder_new();
    int outcome = 1;
    if (count != 4) {
        fprintf(stderr, "usage: memory IDENTITY PASSWORD TRUST\n");
        return 2;
    }
    /* One context for both sides: a server uses its identity, a client its trust. */
    if (btls_builder_identity_file(builder, arguments[1], NULL, NULL, arguments[2], NULL) ||
        btls_builder_trust_file(builder, arguments[3], NULL) || btls_builder_build(builder, &context)) {
        report("no context", btls_builder_error(builder));
        return 1;
    }
    btls_builder_free(builder);
    if (btls_conn_new_client(context, "localhost", NULL, &client, NULL) == BTLS_OK &&
        btls_conn_new_server(context, NULL, &server, NULL) == BTLS_OK)
        outcome = talk(client, server);
    if (outcome != 0) {
        report("client", btls_conn_error(client));
        report("server", btls_conn_error(server));
    }
    btls_conn_free(client);
    btls_conn_free(server);
    btls_context_free(context);
    return outcome;
}
