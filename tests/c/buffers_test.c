/* Connections without a transport: the caller moves the records, one byte at a time if it likes. */
#include "harness.h"

static btls_context *server, *client;

/* Records on their way from one side to the other. */
struct wire {
    unsigned char bytes[8 * BTLS_MAX_RECORD_BYTES];
    size_t length;
};

static struct wire to_server, to_client;

static struct pair fresh(void) {
    struct pair pair = {NULL, NULL, -1, -1};
    to_server.length = to_client.length = 0;
    CHECK_STATUS(btls_conn_new_server(server, NULL, &pair.server, NULL), BTLS_OK);
    CHECK_STATUS(btls_conn_new_client(client, "localhost", NULL, &pair.client, NULL), BTLS_OK);
    return pair;
}

/* Puts the pending records of a side onto the wire. */
static btls_status drain(btls_conn *conn, struct wire *wire) {
    size_t consumed, produced;
    btls_status status;
    do {
        status = btls_conn_wrap(conn, NULL, 0, wire->bytes + wire->length, sizeof wire->bytes - wire->length, &consumed,
                                &produced);
        if (status < 100) {
            CHECK(consumed == 0);
            wire->length += produced;
        }
    } while (status == BTLS_WANT_WRITE);
    return status;
}

/* Feeds a side from the wire, showing it one byte more each time; gives the plaintext's length, or stops at an error. */
static btls_status feed(btls_conn *conn, struct wire *wire, unsigned char *plain, size_t room, size_t *length) {
    size_t shown = 0, consumed, produced;
    btls_status status = BTLS_WANT_READ;
    *length = 0;
    while (shown <= wire->length) {
        status = btls_conn_unwrap(conn, wire->bytes, shown, plain + *length, room - *length, &consumed, &produced);
        if (status >= 100 || status == BTLS_CLOSED || status == BTLS_WANT_WRITE)
            break;
        CHECK(status == BTLS_OK || status == BTLS_WANT_READ);
        *length += produced;
        /* Nothing of a record that is not whole is kept inside. */
        CHECK(consumed == 0 || consumed == shown);
        memmove(wire->bytes, wire->bytes + consumed, wire->length - consumed);
        wire->length -= consumed;
        shown = consumed > 0 ? 0 : shown + 1;
        if (wire->length == 0)
            break;
    }
    if (status < 100) {
        /* A record that ended the loop was taken too. */
        if (status == BTLS_CLOSED || status == BTLS_WANT_WRITE) {
            memmove(wire->bytes, wire->bytes + consumed, wire->length - consumed);
            wire->length -= consumed;
            *length += produced;
        }
    }
    return status;
}

static void shake_by_hand(struct pair *pair) {
    /* A server's tickets follow its handshake, and only an opened record shows that it holds no plaintext. */
    static unsigned char plain[BTLS_MAX_PLAINTEXT_BYTES];
    size_t length;
    for (int turns = 0; btls_conn_is_handshaking(pair->client) || btls_conn_is_handshaking(pair->server) || to_client.length;
         turns++) {
        CHECK(turns < 20);
        CHECK(drain(pair->client, &to_server) < 100);
        CHECK(feed(pair->server, &to_server, plain, sizeof plain, &length) < 100);
        CHECK(drain(pair->server, &to_client) < 100);
        CHECK(feed(pair->client, &to_client, plain, sizeof plain, &length) < 100);
    }
}

/* Bytes of a connection that a caller was given, and what they were. */
struct given {
    const uint8_t *at;
    size_t length;
    unsigned char was[4096];
};

static void check_given(struct given *given, const uint8_t *at, size_t length) {
    if (given->at == NULL && at != NULL) {
        CHECK(length <= sizeof given->was);
        given->at = at;
        given->length = length;
        memcpy(given->was, at, length);
    }
    CHECK(at == given->at && length == given->length && (length == 0 || memcmp(given->was, at, length) == 0));
}

static void check_facts(btls_conn *conn, struct given *protocol, struct given *certificate) {
    const uint8_t *at = NULL;
    size_t length = 0;
    CHECK_CONN(conn, btls_conn_alpn(conn, &at, &length), BTLS_OK);
    check_given(protocol, at, length);
    if (certificate->at != NULL || btls_conn_peer_chain_count(conn) > 0) {
        CHECK_CONN(conn, btls_conn_peer_chain(conn, 0, &at, &length), BTLS_OK);
        check_given(certificate, at, length);
    }
}

static void facts_that_were_given_stay_where_they_are(void) {
    static const char *const versions[] = {"TLSv1.2", "TLSv1.3"};
    static unsigned char plain[BTLS_MAX_PLAINTEXT_BYTES];
    for (size_t version = 0; version < sizeof versions / sizeof versions[0]; version++) {
        btls_context *contexts[2];
        for (size_t side = 0; side < 2; side++) {
            btls_builder *builder = builder_with(side == 0 ? "server" : "client", "ca.pem");
            CHECK_BUILDER(builder, btls_builder_versions(builder, versions[version]), BTLS_OK);
            CHECK_BUILDER(builder, btls_builder_alpn(builder, "mqtt"), BTLS_OK);
            CHECK_BUILDER(builder, btls_builder_client_auth(builder, BTLS_CLIENT_AUTH_NEED), BTLS_OK);
            contexts[side] = build(builder);
        }
        struct given given[4] = {{NULL, 0, {0}}, {NULL, 0, {0}}, {NULL, 0, {0}}, {NULL, 0, {0}}};
        btls_conn *conns[2];
        size_t consumed, produced;
        CHECK_STATUS(btls_conn_new_server(contexts[0], NULL, &conns[0], NULL), BTLS_OK);
        CHECK_STATUS(btls_conn_new_client(contexts[1], "localhost", NULL, &conns[1], NULL), BTLS_OK);
        to_server.length = to_client.length = 0;
        for (int turns = 0; turns < 100; turns++) {
            size_t to = (size_t)turns % 2;
            struct wire *wire = to == 0 ? &to_server : &to_client;
            CHECK(drain(conns[1 - to], wire) < 100);
            /* One record, and a look at the facts. */
            size_t record = wire->length < 5 ? 0 : 5 + (size_t)wire->bytes[3] * 256 + wire->bytes[4];
            CHECK(btls_conn_unwrap(conns[to], wire->bytes, record, plain, sizeof plain, &consumed, &produced) < 100);
            memmove(wire->bytes, wire->bytes + consumed, wire->length - consumed);
            wire->length -= consumed;
            for (size_t side = 0; side < 2; side++)
                check_facts(conns[side], &given[2 * side], &given[2 * side + 1]);
        }
        for (size_t side = 0; side < 2; side++) {
            CHECK(!btls_conn_is_handshaking(conns[side]));
            CHECK(given[2 * side].length == 4 && given[2 * side + 1].length > 100);
        }
        /* A connection that fails keeps them too. */
        CHECK_STATUS(btls_conn_end_of_input(conns[0]), BTLS_TRUNCATED);
        check_facts(conns[0], &given[0], &given[1]);
        for (size_t side = 0; side < 2; side++) {
            btls_conn_free(conns[side]);
            btls_context_free(contexts[side]);
        }
    }
}

/* Wraps plaintext onto a wire. */
static void wrap_all(btls_conn *conn, const void *data, size_t length, struct wire *wire) {
    size_t consumed, produced;
    for (size_t done = 0; done < length; done += consumed) {
        CHECK_CONN(conn,
                   btls_conn_wrap(conn, (const char *)data + done, length - done, wire->bytes + wire->length,
                                  sizeof wire->bytes - wire->length, &consumed, &produced),
                   BTLS_OK);
        CHECK(consumed > 0 && consumed <= BTLS_MAX_PLAINTEXT_BYTES && produced <= BTLS_MAX_RECORD_BYTES);
        wire->length += produced;
    }
}

static void everything_goes_through_one_byte_at_a_time(void) {
    struct pair pair = fresh();
    unsigned char plain[256];
    size_t length;
    shake_by_hand(&pair);
    CHECK_TEXT(btls_conn_version(pair.server), "TLSv1.3");
    wrap_all(pair.client, "from the client", 15, &to_server);
    CHECK_CONN(pair.server, feed(pair.server, &to_server, plain, sizeof plain, &length), BTLS_OK);
    CHECK(length == 15 && memcmp(plain, "from the client", 15) == 0);
    wrap_all(pair.server, "from the server", 15, &to_client);
    CHECK_CONN(pair.client, feed(pair.client, &to_client, plain, sizeof plain, &length), BTLS_OK);
    CHECK(length == 15 && memcmp(plain, "from the server", 15) == 0);
    close_pair(&pair);
}

static void call_takes_the_whole_records_that_fit(void) {
    struct pair pair = fresh();
    char plain[64];
    size_t consumed, produced;
    shake_by_hand(&pair);
    wrap_all(pair.client, "one", 3, &to_server);
    wrap_all(pair.client, "two", 3, &to_server);
    size_t two = to_server.length;
    wrap_all(pair.client, "three", 5, &to_server);
    CHECK_CONN(pair.server,
               btls_conn_unwrap(pair.server, to_server.bytes, to_server.length - 1, plain, sizeof plain, &consumed,
                                &produced),
               BTLS_OK);
    CHECK(consumed == two && produced == 6 && memcmp(plain, "onetwo", 6) == 0);
    CHECK_STATUS(btls_conn_unwrap(pair.server, to_server.bytes + two, to_server.length - two - 1, plain, sizeof plain,
                                  &consumed, &produced),
                 BTLS_WANT_READ);
    CHECK_STATUS(btls_conn_unwrap(pair.server, to_server.bytes + two, to_server.length - two, plain, 4, &consumed,
                                  &produced),
                 BTLS_BUFFER_TOO_SMALL);
    CHECK_CONN(pair.server,
               btls_conn_unwrap(pair.server, to_server.bytes + two, to_server.length - two, plain, 5, &consumed,
                                &produced),
               BTLS_OK);
    CHECK(produced == 5 && memcmp(plain, "three", 5) == 0);
    close_pair(&pair);
}

static void data_before_a_damaged_record_is_given_and_then_the_error(void) {
    struct pair pair = fresh();
    char plain[64];
    size_t consumed, produced;
    shake_by_hand(&pair);
    wrap_all(pair.client, "one", 3, &to_server);
    size_t first = to_server.length;
    wrap_all(pair.client, "two", 3, &to_server);
    to_server.bytes[to_server.length - 1] ^= 1;
    CHECK_CONN(pair.server,
               btls_conn_unwrap(pair.server, to_server.bytes, to_server.length, plain, sizeof plain, &consumed, &produced),
               BTLS_WANT_WRITE);
    CHECK(consumed > first && produced == 3 && memcmp(plain, "one", 3) == 0);
    CHECK_STATUS(btls_conn_unwrap(pair.server, to_server.bytes, 0, plain, sizeof plain, &consumed, &produced),
                 BTLS_DECRYPT_FAILED);
    close_pair(&pair);
}

static void connection_that_sleeps_wakes_at_its_next_record_in_each_direction(void) {
    struct pair pair = fresh();
    unsigned char plain[64];
    size_t length;
    CHECK_STATUS(btls_conn_sleep(pair.server), BTLS_OK);
    shake_by_hand(&pair);
    for (int turn = 0; turn < 3; turn++) {
        CHECK_STATUS(btls_conn_sleep(pair.server), BTLS_OK);
        CHECK_STATUS(btls_conn_sleep(pair.client), BTLS_OK);
        wrap_all(pair.client, "to the server", 13, &to_server);
        CHECK_CONN(pair.server, feed(pair.server, &to_server, plain, sizeof plain, &length), BTLS_OK);
        CHECK(length == 13 && memcmp(plain, "to the server", 13) == 0);
        wrap_all(pair.server, "to the client", 13, &to_client);
        CHECK_CONN(pair.client, feed(pair.client, &to_client, plain, sizeof plain, &length), BTLS_OK);
        CHECK(length == 13 && memcmp(plain, "to the client", 13) == 0);
    }
    close_pair(&pair);
}

static void output_that_is_too_small_takes_nothing(void) {
    struct pair pair = fresh();
    unsigned char plain[64];
    size_t consumed = 77, produced = 77;
    CHECK_STATUS(btls_conn_wrap(pair.client, NULL, 0, plain, 10, &consumed, &produced), BTLS_BUFFER_TOO_SMALL);
    shake_by_hand(&pair);
    CHECK_STATUS(btls_conn_wrap(pair.client, "data", 4, plain, 10, &consumed, &produced), BTLS_BUFFER_TOO_SMALL);
    wrap_all(pair.client, "more than ten bytes", 19, &to_server);
    CHECK_STATUS(
        btls_conn_unwrap(pair.server, to_server.bytes, to_server.length, plain, 10, &consumed, &produced),
        BTLS_BUFFER_TOO_SMALL);
    CHECK_HOLDS(btls_error_message(btls_conn_error(pair.server)), "bytes are needed");
    CHECK(consumed == 77 && produced == 77);
    CHECK_CONN(pair.server,
               btls_conn_unwrap(pair.server, to_server.bytes, to_server.length, plain, 64, &consumed, &produced), BTLS_OK);
    CHECK(produced == 19 && memcmp(plain, "more than ten bytes", 19) == 0);
    close_pair(&pair);
}

static void largest_record_fits_the_buffers_that_are_promised_to_be_enough(void) {
    static unsigned char data[BTLS_MAX_PLAINTEXT_BYTES + 1000], plain[BTLS_MAX_PLAINTEXT_BYTES];
    struct pair pair = fresh();
    size_t consumed, produced;
    shake_by_hand(&pair);
    CHECK_CONN(pair.client,
               btls_conn_wrap(pair.client, data, sizeof data, to_server.bytes, BTLS_MAX_RECORD_BYTES, &consumed, &produced),
               BTLS_OK);
    /* The room that the largest record leaves takes the rest. */
    CHECK(consumed == sizeof data);
    CHECK_CONN(pair.server,
               btls_conn_unwrap(pair.server, to_server.bytes, produced, plain, sizeof plain, &consumed, &produced), BTLS_OK);
    CHECK(produced == BTLS_MAX_PLAINTEXT_BYTES);
    close_pair(&pair);
}

static void buffers_that_share_memory_are_refused(void) {
    struct pair pair = fresh();
    unsigned char memory[BTLS_MAX_RECORD_BYTES];
    size_t consumed, produced;
    CHECK_STATUS(btls_conn_unwrap(pair.server, memory, 100, memory + 99, 100, &consumed, &produced), BTLS_INVALID_ARGUMENT);
    CHECK_STATUS(btls_conn_wrap(pair.server, memory + 50, 10, memory, 100, &consumed, &produced), BTLS_INVALID_ARGUMENT);
    shake_by_hand(&pair);
    close_pair(&pair);
}

static void close_notify_ends_one_way_and_the_end_after_it_is_no_truncation(void) {
    struct pair pair = fresh();
    unsigned char plain[64];
    size_t length;
    shake_by_hand(&pair);
    CHECK_CONN(pair.client, btls_conn_close_write(pair.client), BTLS_WANT_WRITE);
    CHECK_CONN(pair.client, drain(pair.client, &to_server), BTLS_OK);
    CHECK_CONN(pair.client, btls_conn_close_write(pair.client), BTLS_OK);
    CHECK_CONN(pair.server, feed(pair.server, &to_server, plain, sizeof plain, &length), BTLS_CLOSED);
    CHECK_CONN(pair.server, btls_conn_end_of_input(pair.server), BTLS_OK);
    wrap_all(pair.server, "late", 0, &to_client);
    CHECK_STATUS(btls_conn_end_of_input(pair.client), BTLS_TRUNCATED);
    close_pair(&pair);
}

static void end_of_input_is_truncation_or_a_broken_handshake(void) {
    struct pair pair = fresh();
    CHECK_STATUS(btls_conn_end_of_input(pair.server), BTLS_HANDSHAKE_EOF);
    CHECK_STATUS(btls_conn_end_of_input(pair.server), BTLS_HANDSHAKE_EOF);
    close_pair(&pair);
    pair = fresh();
    shake_by_hand(&pair);
    CHECK_STATUS(btls_conn_end_of_input(pair.server), BTLS_TRUNCATED);
    close_pair(&pair);
}

static void alert_for_the_peer_is_given_after_the_error(void) {
    struct pair pair = fresh();
    unsigned char plain[64];
    size_t length;
    shake_by_hand(&pair);
    wrap_all(pair.client, "genuine", 7, &to_server);
    to_server.bytes[to_server.length - 1] ^= 1;
    CHECK_STATUS(feed(pair.server, &to_server, plain, sizeof plain, &length), BTLS_DECRYPT_FAILED);
    to_client.length = 0;
    CHECK_STATUS(drain(pair.server, &to_client), BTLS_OK);
    CHECK(to_client.length > 0);
    CHECK_STATUS(drain(pair.server, &to_client), BTLS_DECRYPT_FAILED);
    CHECK_STATUS(feed(pair.client, &to_client, plain, sizeof plain, &length), BTLS_ALERT_BAD_RECORD_MAC);
    close_pair(&pair);
}

static void transport_of_its_own_excludes_the_callers_buffers(void) {
    struct pair pair = pair_of(server, client);
    unsigned char memory[64];
    size_t consumed, produced;
    CHECK_STATUS(btls_conn_wrap(pair.client, NULL, 0, memory, sizeof memory, &consumed, &produced), BTLS_WRONG_STATE);
    CHECK_STATUS(btls_conn_unwrap(pair.client, memory, sizeof memory, NULL, 0, &consumed, &produced), BTLS_WRONG_STATE);
    close_pair(&pair);
}

int main(void) {
    server = context_with("server", NULL);
    client = context_with(NULL, "ca.pem");
    RUN(everything_goes_through_one_byte_at_a_time);
    RUN(facts_that_were_given_stay_where_they_are);
    RUN(connection_that_sleeps_wakes_at_its_next_record_in_each_direction);
    RUN(call_takes_the_whole_records_that_fit);
    RUN(data_before_a_damaged_record_is_given_and_then_the_error);
    RUN(output_that_is_too_small_takes_nothing);
    RUN(largest_record_fits_the_buffers_that_are_promised_to_be_enough);
    RUN(buffers_that_share_memory_are_refused);
    RUN(close_notify_ends_one_way_and_the_end_after_it_is_no_truncation);
    RUN(end_of_input_is_truncation_or_a_broken_handshake);
    RUN(alert_for_the_peer_is_given_after_the_error);
    RUN(transport_of_its_own_excludes_the_callers_buffers);
    btls_context_free(server);
    btls_context_free(client);
    return 0;
}
