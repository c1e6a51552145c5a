/* Bytes over descriptors: pieces, partial writes, half-close, truncation, plaintext peers, peers that vanish. */
#include "harness.h"

#include <sys/uio.h>

static btls_context *server, *client;

static void pieces_of_a_vectored_write_arrive_as_one(void) {
    struct pair pair = connected(server, client);
    struct iovec pieces[] = {{(void *)"PUB", 3}, {NULL, 0}, {(void *)" ", 1}, {(void *)"topic", 5}};
    size_t written = 0, count = 0;
    char buffer[64];
    CHECK_CONN(pair.client, btls_conn_writev(pair.client, pieces, 4, &written), BTLS_OK);
    CHECK(written == 9);
    /* One record: one read has all of it. */
    CHECK_CONN(pair.server, btls_conn_read(pair.server, buffer, sizeof buffer, &count), BTLS_OK);
    CHECK(count == 9 && memcmp(buffer, "PUB topic", 9) == 0);
    struct iovec missing = {NULL, 3};
    CHECK_STATUS(btls_conn_writev(pair.client, &missing, 1, &written), BTLS_NULL_POINTER);
    CHECK_CONN(pair.client, btls_conn_writev(pair.client, NULL, 0, &written), BTLS_OK);
    CHECK(written == 0);
    close_pair(&pair);
}

static void record_larger_than_the_readers_buffer_is_read_in_parts(void) {
    struct pair pair = connected(server, client);
    char data[1000];
    size_t pending = 1;
    for (size_t index = 0; index < sizeof data; index++)
        data[index] = (char)index;
    write_all(pair.client, data, sizeof data);
    read_all(pair.server, data, 1);
    CHECK_CONN(pair.server, btls_conn_pending(pair.server, &pending), BTLS_OK);
    CHECK(pending == 999);
    for (size_t index = 1; index < sizeof data; index++)
        read_all(pair.server, data + index, 1);
    CHECK_CONN(pair.server, btls_conn_pending(pair.server, &pending), BTLS_OK);
    CHECK(pending == 0);
    CHECK_STATUS(read_status(pair.server), BTLS_WANT_READ);
    close_pair(&pair);
}

static void pending_finds_a_record_that_came_with_the_one_before(void) {
    struct pair pair = connected(server, client);
    size_t pending = 0;
    write_all(pair.client, "first", 5);
    write_all(pair.client, "second", 6);
    read_all(pair.server, "first", 5);
    CHECK_CONN(pair.server, btls_conn_pending(pair.server, &pending), BTLS_OK);
    CHECK(pending == 6);
    read_all(pair.server, "second", 6);
    close_pair(&pair);
}

/* A megabyte into a socket that takes a few KiB: every outcome of a write is met. */
static void large_write_goes_on_where_the_socket_stopped_it(void) {
    enum { LENGTH = 1 << 20 };
    struct pair pair = connected(server, client);
    int small = 4096;
    CHECK(setsockopt(pair.client_fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small) == 0);
    char *data = (char *)malloc(LENGTH), *found = (char *)malloc(LENGTH);
    for (size_t index = 0; index < LENGTH; index++)
        data[index] = (char)(index * 7 + index / 251);
    size_t sent = 0, received = 0, count;
    int waited = 0;
    while (received < LENGTH) {
        if (sent < LENGTH) {
            /* The same bytes, at another place every time. */
            char *moved = (char *)malloc(LENGTH - sent);
            memcpy(moved, data + sent, LENGTH - sent);
            btls_status status = btls_conn_write(pair.client, moved, LENGTH - sent, &count);
            free(moved);
            CHECK(status == BTLS_OK || status == BTLS_WANT_WRITE);
            waited += status == BTLS_WANT_WRITE;
            sent += count;
            CHECK(btls_conn_wants_write(pair.client) == (sent < LENGTH));
        }
        btls_status status = btls_conn_read(pair.server, found + received, LENGTH - received, &count);
        CHECK(status == BTLS_OK || status == BTLS_WANT_READ);
        received += count;
    }
    CHECK(sent == LENGTH && waited > 0 && memcmp(data, found, LENGTH) == 0);
    free(data);
    free(found);
    close_pair(&pair);
}

static void other_bytes_after_want_write_are_refused(void) {
    /* One record: it is encrypted as a whole before the transport takes a part of it. */
    enum { LENGTH = 16000 };
    struct pair pair = connected(server, client);
    char *data = (char *)calloc(1, LENGTH);
    size_t written;
    btls_status status;
    do {
        status = btls_conn_write(pair.client, data, LENGTH, &written);
    } while (status == BTLS_OK);
    CHECK_CONN(pair.client, status, BTLS_WANT_WRITE);
    CHECK(written == 0 && btls_conn_wants_write(pair.client));
    CHECK_STATUS(btls_conn_write(pair.client, "other bytes", 11, &written), BTLS_INVALID_ARGUMENT);
    CHECK_CONN(pair.client, btls_conn_write(pair.client, data, LENGTH, &written), BTLS_WANT_WRITE);
    free(data);
    close_pair(&pair);
}

static void half_closed_connection_goes_on_the_other_way(void) {
    struct pair pair = connected(server, client);
    write_all(pair.client, "last words", 10);
    CHECK_CONN(pair.client, btls_conn_close_write(pair.client), BTLS_OK);
    CHECK_CONN(pair.client, btls_conn_close_write(pair.client), BTLS_OK);
    read_all(pair.server, "last words", 10);
    CHECK_STATUS(read_status(pair.server), BTLS_CLOSED);
    CHECK_STATUS(read_status(pair.server), BTLS_CLOSED);
    write_all(pair.server, "and the answer", 14);
    read_all(pair.client, "and the answer", 14);
    CHECK_CONN(pair.server, btls_conn_shutdown(pair.server), BTLS_OK);
    CHECK_STATUS(read_status(pair.client), BTLS_CLOSED);
    close_pair(&pair);
}

static void shutdown_waits_for_the_peers_close_and_drops_what_comes_before(void) {
    struct pair pair = connected(server, client);
    write_all(pair.server, "unread", 6);
    CHECK_CONN(pair.client, btls_conn_shutdown(pair.client), BTLS_WANT_READ);
    CHECK_STATUS(read_status(pair.server), BTLS_CLOSED);
    CHECK_CONN(pair.server, btls_conn_shutdown(pair.server), BTLS_OK);
    CHECK_CONN(pair.client, btls_conn_shutdown(pair.client), BTLS_OK);
    close_pair(&pair);
}

static void end_without_close_notify_is_told_apart_from_a_close(void) {
    struct pair pair = connected(server, client);
    /* With bytes left unread, its socket would be reset instead. */
    CHECK_STATUS(read_status(pair.client), BTLS_WANT_READ);
    write_all(pair.client, "half a mess", 11);
    close(pair.client_fd);
    pair.client_fd = -1;
    read_all(pair.server, "half a mess", 11);
    CHECK_STATUS(read_status(pair.server), BTLS_TRUNCATED);
    CHECK(btls_error_category(btls_conn_error(pair.server)) == BTLS_CATEGORY_PROTOCOL);
    close_pair(&pair);
}

static void record_cut_in_the_middle_is_truncated_too(void) {
    struct pair pair = connected(server, client);
    char record[256];
    write_all(pair.client, "whole", 5);
    ssize_t length = recv(pair.server_fd, record, sizeof record, 0);
    CHECK(length > 5);
    CHECK(send(pair.client_fd, record, (size_t)length - 1, 0) == length - 1);
    CHECK_STATUS(read_status(pair.server), BTLS_WANT_READ);
    CHECK_STATUS(read_status(pair.client), BTLS_WANT_READ);
    close(pair.client_fd);
    pair.client_fd = -1;
    CHECK_STATUS(read_status(pair.server), BTLS_TRUNCATED);
    close_pair(&pair);
}

static void peer_that_leaves_during_the_handshake_is_told(void) {
    struct pair pair = pair_of(server, client);
    CHECK_CONN(pair.client, btls_conn_handshake(pair.client), BTLS_WANT_READ);
    CHECK_CONN(pair.server, btls_conn_handshake(pair.server), BTLS_WANT_READ);
    CHECK(shutdown(pair.client_fd, SHUT_WR) == 0);
    CHECK_STATUS(btls_conn_handshake(pair.server), BTLS_HANDSHAKE_EOF);
    close_pair(&pair);
}

static void write_to_a_peer_that_is_gone_is_an_error_and_no_signal(void) {
    struct pair pair = connected(server, client);
    size_t written;
    close(pair.client_fd);
    pair.client_fd = -1;
    btls_status status = btls_conn_write(pair.server, "anyone?", 7, &written);
    CHECK(status == BTLS_BROKEN_PIPE || status == BTLS_CONNECTION_RESET);
    CHECK(btls_error_category(btls_conn_error(pair.server)) == BTLS_CATEGORY_IO);
    close_pair(&pair);
}

static void peer_that_speaks_plaintext_is_named(void) {
    static const struct {
        const char *bytes;
        size_t length;
        const char *name;
    } peers[] = {
        {"GET / HTTP/1.1\r\n\r\n", 18, "HTTP"},
        {"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04test", 18, "MQTT"},
        {"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n", 36, "PROXY"},
    };
    for (size_t index = 0; index < sizeof peers / sizeof *peers; index++) {
        struct pair pair = pair_of(server, client);
        CHECK(send(pair.client_fd, peers[index].bytes, peers[index].length, 0) == (ssize_t)peers[index].length);
        CHECK_STATUS(btls_conn_handshake(pair.server), BTLS_PEER_NOT_TLS);
        CHECK_HOLDS(btls_error_message(btls_conn_error(pair.server)), peers[index].name);
        close_pair(&pair);
    }
}

static void altered_record_is_refused_and_the_peer_told(void) {
    struct pair pair = connected(server, client);
    char record[256];
    write_all(pair.client, "genuine", 7);
    ssize_t length = recv(pair.server_fd, record, sizeof record, 0);
    CHECK(length > 5);
    record[length - 1] ^= 1;
    CHECK(send(pair.client_fd, record, (size_t)length, 0) == length);
    CHECK_STATUS(read_status(pair.server), BTLS_DECRYPT_FAILED);
    CHECK_STATUS(read_status(pair.client), BTLS_ALERT_BAD_RECORD_MAC);
    close_pair(&pair);
}

static void two_pipes_serve_as_well_as_a_socket(void) {
    int up[2], down[2];
    CHECK(pipe(up) == 0 && pipe(down) == 0);
    for (int index = 0; index < 2; index++) {
        make_nonblocking(up[index]);
        make_nonblocking(down[index]);
    }
    struct pair pair = {NULL, NULL, -1, -1};
    CHECK_STATUS(btls_conn_new_server(server, NULL, &pair.server, NULL), BTLS_OK);
    CHECK_STATUS(btls_conn_new_client(client, "localhost", NULL, &pair.client, NULL), BTLS_OK);
    CHECK_STATUS(btls_conn_set_fd(pair.client, down[0], up[1]), BTLS_OK);
    CHECK_STATUS(btls_conn_set_fd(pair.server, up[0], down[1]), BTLS_OK);
    btls_status client_status, server_status;
    shake(&pair, &client_status, &server_status);
    CHECK_STATUS(client_status, BTLS_OK);
    CHECK_STATUS(server_status, BTLS_OK);
    write_all(pair.client, "through a pipe", 14);
    read_all(pair.server, "through a pipe", 14);
    close_pair(&pair);
    for (int index = 0; index < 2; index++) {
        close(up[index]);
        close(down[index]);
    }
}

int main(void) {
    server = context_with("server", NULL);
    client = context_with(NULL, "ca.pem");
    RUN(pieces_of_a_vectored_write_arrive_as_one);
    RUN(record_larger_than_the_readers_buffer_is_read_in_parts);
    RUN(pending_finds_a_record_that_came_with_the_one_before);
    RUN(large_write_goes_on_where_the_socket_stopped_it);
    RUN(other_bytes_after_want_write_are_refused);
    RUN(half_closed_connection_goes_on_the_other_way);
    RUN(shutdown_waits_for_the_peers_close_and_drops_what_comes_before);
    RUN(end_without_close_notify_is_told_apart_from_a_close);
    RUN(record_cut_in_the_middle_is_truncated_too);
    RUN(peer_that_leaves_during_the_handshake_is_told);
    RUN(write_to_a_peer_that_is_gone_is_an_error_and_no_signal);
    RUN(peer_that_speaks_plaintext_is_named);
    RUN(altered_record_is_refused_and_the_peer_told);
    RUN(two_pipes_serve_as_well_as_a_socket);
    btls_context_free(server);
    btls_context_free(client);
    return 0;
}
